// The engine through its public API, as a user would write it: `train` holds the whole of it. Nothing here is special to a
// benchmark except that parameters can be put in and taken out, so that all contestants start and end alike.
#include "training_engine.hpp"
#include <algorithm>
#include <nn/nn.hpp>
#include <span>
#include <stdexcept>
#include <utility>
#include "training_data.hpp"

namespace training {

namespace ad = autodiff;
namespace nn = autodiff::nn;

namespace {

template <class Net> void put(Net& net, const Parameters& from) {
  std::size_t i = 0;
  nn::for_each_parameter(net, [&](auto& p) {
    const Layer& layer = from.at(i / 2);
    p.assign(ad::Tensor<float>::from(i % 2 == 0 ? layer.weight : layer.bias, p.shape()));
    ++i;
  });
}

template <class Net> Parameters take(const Problem& problem, const Net& net) {
  Parameters all;
  std::size_t i = 0;
  nn::for_each_parameter(net, [&](const auto& p) {
    const float* from = p.value().data();
    std::vector<float> numbers(from, from + p.value().size());
    if (i % 2 == 0) all.push_back({problem.sizes[i / 2], problem.sizes[i / 2 + 1], std::move(numbers), {}});
    else all.back().bias = std::move(numbers);
    ++i;
  });
  return all;
}

template <class Net, class Optimizer> class Engine final : public Trainer {
 public:
  Engine(const Problem& problem, const Samples& samples, Net net, Optimizer optimizer)
      : problem_(problem),
        inputs_(samples.inputs),
        targets_(samples.targets),
        labels_(samples.labels),
        net_(std::move(net)),
        fresh_(optimizer),
        optimizer_(std::move(optimizer)) {}

  void reset(const Parameters& initial) override {
    ad::set_threads(problem_.threads);
    put(net_, initial);
    optimizer_ = fresh_;
  }
  Parameters parameters() const override { return take(problem_, net_); }

  double train(std::size_t epochs) override {
    ad::Tape tape;
    double last = 0;
    for (std::size_t e = 0; e < epochs; ++e)
      for (std::size_t begin = 0; begin < problem_.samples; begin += problem_.batch) {
        const std::size_t end = std::min(begin + problem_.batch, problem_.samples);
        tape.clear();
        ad::Var cost = cost_of(begin, end);
        tape.backward(cost);
        optimizer_.step(net_);
        last = cost.value();
      }
    return last;
  }

 private:
  ad::Var<double> cost_of(std::size_t begin, std::size_t end) const {
    if (problem_.logistic()) return nn::binary_cross_entropy_with_logits(net_(inputs_), targets_);  // (a) is one batch
    return nn::cross_entropy(net_(inputs_.rows(begin, end)), labels_.subspan(begin, end - begin));
  }

  Problem problem_;
  const ad::Tensor<float>&inputs_, &targets_;
  std::span<const int> labels_;
  Net net_;
  const Optimizer fresh_;
  Optimizer optimizer_;
};

/// Calls f with the problem's net: one hidden layer or two.
template <class F> auto with_net(const Problem& problem, const F& f) {
  const auto& s = problem.sizes;
  if (s.size() == 3) return f(nn::Sequential{nn::Linear<float>(s[0], s[1]), nn::Sigmoid{}, nn::Linear<float>(s[1], s[2])});
  if (s.size() == 4)
    return f(nn::Sequential{nn::Linear<float>(s[0], s[1]), nn::Sigmoid{}, nn::Linear<float>(s[1], s[2]), nn::Sigmoid{},
                            nn::Linear<float>(s[2], s[3])});
  throw std::invalid_argument("problem " + problem.name + ": one or two hidden layers, please");
}

template <class F> class Tiny final : public Chain {
 public:
  Tiny(Operation op, std::size_t n, F f) : op_(op), n_(n), f_(f) {}
  Outcome run(std::size_t rounds) override {
    const auto x0 = ad::Tensor<float>::full({n_}, start), c0 = ad::Tensor<float>::full({n_}, other);
    ad::Tape tape;
    Outcome result{};
    for (std::size_t r = 0; r < rounds; ++r) {
      tape.clear();
      const ad::Var<ad::Tensor<float>> x = tape.variable(x0), c(c0);
      ad::Var<ad::Tensor<float>> y = x;
      for (std::size_t k = 0; k < length; ++k) y = f_(y, c);
      const ad::Var total = sum(y), seeded = total * seed(op_);
      tape.backward(seeded);
      if (r + 1 == rounds) result = {total.value(), sum(tape.adjoint(x))};
    }
    return result;
  }

 private:
  Operation op_;
  std::size_t n_;
  F f_;
};

template <class F> std::unique_ptr<Chain> tiny(Operation op, std::size_t n, F f) { return std::make_unique<Tiny<F>>(op, n, f); }

}  // namespace

Samples make_samples(const Problem& problem) {
  const std::size_t width = problem.sizes.front();
  if (problem.logistic()) return {ad::Tensor<float>{{0, 0}, {0, 1}, {1, 0}, {1, 1}}, ad::Tensor<float>{{0}, {1}, {1}, {0}}, {}};
  Samples s{ad::Tensor<float>::zeros({problem.samples, width}), ad::Tensor<float>::zeros({1}), std::vector<int>(problem.samples)};
  make_digits(problem.samples, width, 3, s.inputs.mutable_data(), s.labels.data());
  return s;
}

std::unique_ptr<Trainer> make_engine_trainer(const Problem& problem, const Samples& samples) {
  return with_net(problem, [&]<class Net>(Net net) -> std::unique_ptr<Trainer> {
    if (problem.optimizer == Optimizer::sgd)
      return std::make_unique<Engine<Net, nn::Sgd>>(problem, samples, std::move(net), nn::Sgd{{.learning_rate = problem.rate}});
    return std::make_unique<Engine<Net, nn::Adam>>(problem, samples, std::move(net),
                                                          nn::Adam{{.learning_rate = problem.rate}});
  });
}

Parameters initial_parameters(const Problem& problem, std::uint64_t seed) {
  return with_net(problem, [&](auto net) {
    nn::initialize(net, seed);
    return take(problem, net);
  });
}

std::unique_ptr<Chain> make_engine_chain(Operation op, std::size_t n) {
  switch (op) {
    case Operation::add: return tiny(op, n, [](const auto& x, const auto& c) { return x + c; });
    case Operation::multiply: return tiny(op, n, [](const auto& x, const auto& c) { return x * c; });
    case Operation::sigmoid: return tiny(op, n, [](const auto& x, const auto&) { return sigmoid(x); });
    case Operation::tanh: break;
  }
  return tiny(op, n, [](const auto& x, const auto&) { return tanh(x); });
}

}  // namespace training
