// dlib as a contestant: a shared module, loaded only when asked for. Layers, gradients and solvers are dlib's; a batch is copied
// into one tensor, as dlib's own trainer does. dlib has no tape, so no chain of operations.
#include <algorithm>
#include <dlib/dnn.h>
#include "training.hpp"

namespace training {

namespace {

using Input = dlib::input<dlib::matrix<float>>;
template <class Below> using Hidden = dlib::sig<dlib::fc<1, Below>>;  // sizes are set at run time
using TwoLogistic = dlib::loss_binary_log<dlib::fc<1, Hidden<Input>>>;
using Two = dlib::loss_multiclass_log<dlib::fc<1, Hidden<Input>>>;
using Three = dlib::loss_multiclass_log<dlib::fc<1, Hidden<Hidden<Input>>>>;

/// Calls f(l, layer) for the fully connected layers, first to last.
template <class Net, class F> void each_layer(Net& net, const F& f) {
  constexpr bool three = std::is_same_v<Net, Three>;
  if constexpr (three) f(std::size_t{0}, dlib::layer<5>(net).layer_details());
  f(std::size_t{three}, dlib::layer<3>(net).layer_details());
  f(std::size_t{three} + 1, dlib::layer<1>(net).layer_details());
}

template <class Net, class Solver> class Dlib final : public Trainer {
 public:
  using Label = typename Net::training_label_type;

  Dlib(const Problem& problem, const Data& data, Solver solver) : problem_(problem), data_(data), fresh_(solver) {
    for (std::size_t i = 0; i < problem.samples; ++i) {
      if constexpr (std::is_same_v<Label, float>) labels_.push_back(data.targets[i] > 0.5f ? 1.0f : -1.0f);
      else labels_.push_back(static_cast<Label>(data.labels[i]));
    }
  }

  void reset(const Parameters& initial) override {
    net_ = std::make_unique<Net>();
    solvers_.assign(Net::num_computational_layers, fresh_);
    each_layer(*net_, [&](std::size_t l, auto& fc) { fc.set_num_outputs(static_cast<long>(initial.at(l).out)); });
    const dlib::matrix<float> one = dlib::zeros_matrix<float>(1, static_cast<long>(problem_.sizes.front()));
    net_->to_tensor(&one, &one + 1, batch_);  // dlib wants to see one sample of the kind first
    load(0, problem_.batch);
    net_->subnet().forward(batch_);  // allocates the parameters
    each_layer(*net_, [&](std::size_t l, auto& fc) {
      const Layer& from = initial.at(l);
      float* to = fc.get_layer_params().host();  // weight (in, out), then the bias
      std::copy(from.bias.begin(), from.bias.end(), std::copy(from.weight.begin(), from.weight.end(), to));
    });
  }

  double train(std::size_t epochs) override {
    double cost = 0;
    for (std::size_t e = 0; e < epochs; ++e)
      for (std::size_t begin = 0; begin < problem_.samples; begin += problem_.batch) {
        if (problem_.samples > problem_.batch) load(begin, std::min(problem_.batch, problem_.samples - begin));
        cost = net_->compute_parameter_gradients(batch_, labels_.begin() + static_cast<std::ptrdiff_t>(begin));
        net_->update_parameters(dlib::make_sstack(solvers_), problem_.rate);
      }
    return cost;
  }

  Parameters parameters() const override {
    Parameters all(problem_.sizes.size() - 1);
    each_layer(*net_, [&](std::size_t l, auto& fc) {
      Layer& to = all[l];
      to.in = problem_.sizes[l], to.out = problem_.sizes[l + 1];
      const float* from = fc.get_layer_params().host();
      to.weight.assign(from, from + to.in * to.out);
      to.bias.assign(from + to.in * to.out, from + to.in * to.out + to.out);
    });
    return all;
  }

 private:
  void load(std::size_t begin, std::size_t n) {
    const std::size_t width = problem_.sizes.front();
    batch_.set_size(static_cast<long>(n), 1, 1, static_cast<long>(width));
    std::copy_n(data_.inputs + begin * width, n * width, batch_.host_write_only());
  }

  Problem problem_;
  Data data_;
  std::vector<Label> labels_;
  Solver fresh_;
  std::unique_ptr<Net> net_;
  std::vector<Solver> solvers_;
  dlib::resizable_tensor batch_;
};

template <class Net> std::unique_ptr<Trainer> make(const Problem& problem, const Data& data) {
  constexpr float no_decay = 0, no_momentum = 0;
  if (problem.optimizer == Optimizer::sgd) return std::make_unique<Dlib<Net, dlib::sgd>>(problem, data, dlib::sgd(no_decay, no_momentum));
  return std::make_unique<Dlib<Net, dlib::adam>>(problem, data,
                                                 dlib::adam(no_decay, static_cast<float>(adam_beta1), static_cast<float>(adam_beta2)));
}

}  // namespace

}  // namespace training

extern "C" const training::Maker training_contestant{
    "dlib",
    [](const training::Problem& p, const training::Data& d) -> std::unique_ptr<training::Trainer> {
      if (p.logistic()) return training::make<training::TwoLogistic>(p, d);
      if (p.sizes.size() == 3) return training::make<training::Two>(p, d);
      return training::make<training::Three>(p, d);
    },
    nullptr};
