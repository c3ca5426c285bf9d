// The hand-written training loop for fully connected nets with a softmax cross-entropy: fixed buffers, rows padded to whole
// vectors, bias and sigmoid applied to a tile while it is in registers, sigmoid's slope likewise on the way back, and the update
// (SGD or Adam) applied to the weight gradient before it ever reaches memory. Two makes of it: products by the loops of
// training_hand.hpp, and by OpenBLAS (SGD's update is then the product's alpha and beta). Start reading at `train`.
#include <cblas.h>
#include <cmath>
#include <algorithm>
#include <utility>
#include "training.hpp"
#include "training_hand.hpp"

namespace training {

namespace {

using namespace hand;

struct Dense {
  std::size_t in, out, in_wide, out_wide;                ///< sizes, and the same padded to whole vectors
  Numbers weight, bias, output, gradient;                ///< (in_wide, out_wide), (out_wide), and (batch, out_wide) twice
  Numbers weight_m, weight_v, bias_m, bias_v, weight_g;  ///< Adam's memory; a stored gradient for OpenBLAS and Adam

  Dense(std::size_t in_, std::size_t out_, std::size_t batch)
      : in(in_),
        out(out_),
        in_wide(widened(in)),
        out_wide(widened(out)),
        weight(in_wide * out_wide),
        bias(out_wide),
        output(batch * out_wide),
        gradient(batch * out_wide) {}
};

class Net final : public Trainer {
 public:
  Net(const Problem& problem, const Data& data, bool blas)
      : problem_(problem), data_(data), blas_(blas), adam_(problem.optimizer == Optimizer::adam) {}

  void reset(const Parameters& initial) override {
    layers_.clear();
    steps_ = 0;
    for (const Layer& l : initial) {
      Dense& d = layers_.emplace_back(l.in, l.out, problem_.batch);
      for (std::size_t i = 0; i < l.in; ++i) std::copy_n(&l.weight[i * l.out], l.out, d.weight.get() + i * d.out_wide);
      std::copy(l.bias.begin(), l.bias.end(), d.bias.get());
      if (layers_.size() == initial.size()) std::fill(d.bias.get() + d.out, d.bias.get() + d.out_wide, -1e30f);
      if (!adam_) continue;
      d.weight_m = Numbers(d.weight.size()), d.weight_v = Numbers(d.weight.size());
      d.bias_m = Numbers(d.out_wide), d.bias_v = Numbers(d.out_wide);
      if (blas_) d.weight_g = Numbers(d.weight.size());
    }
  }

  double train(std::size_t epochs) override {
    const std::size_t width = problem_.sizes.front();
    double cost = 0;
    for (std::size_t e = 0; e < epochs; ++e)
      for (std::size_t begin = 0; begin < problem_.samples; begin += problem_.batch) {
        const std::size_t n = std::min(problem_.batch, problem_.samples - begin);
        const View x{data_.inputs + begin * width, width, 1};
        for (std::size_t l = 0; l < layers_.size(); ++l) forward(l, n, input(l, x));
        cost = softmax(layers_.back(), n, data_.labels + begin);
        if (adam_) next_step();
        for (std::size_t l = layers_.size(); l-- > 0;) {
          if (l > 0) pull_back(l, n);
          update(layers_[l], n, input(l, x));
        }
      }
    return cost;
  }

  Parameters parameters() const override {
    Parameters all;
    for (const Dense& d : layers_) {
      Layer l{d.in, d.out, {}, {d.bias.get(), d.bias.get() + d.out}};
      for (std::size_t i = 0; i < d.in; ++i)
        l.weight.insert(l.weight.end(), d.weight.get() + i * d.out_wide, d.weight.get() + i * d.out_wide + d.out);
      all.push_back(std::move(l));
    }
    return all;
  }

 private:
  View input(std::size_t l, View x) const { return l == 0 ? x : View{layers_[l - 1].output.get(), layers_[l - 1].out_wide, 1}; }

  /// output = sigmoid(x·w + bias); without the sigmoid in the last layer.
  void forward(std::size_t l, std::size_t n, View x) {
    Dense& d = layers_[l];
    float* out = d.output.get();
    const float* bias = d.bias.get();
    const bool last = l + 1 == layers_.size();
    if (!blas_) {
      if (last)
        product(n, d.out_wide, d.in, x, d.weight.get(), d.out_wide, packing_,
                [&](std::size_t i, std::size_t j, Vec sum) { store(out + i * d.out_wide + j, sum + load(bias + j)); });
      else
        product(n, d.out_wide, d.in, x, d.weight.get(), d.out_wide, packing_,
                [&](std::size_t i, std::size_t j, Vec sum) { store(out + i * d.out_wide + j, sigmoid(sum + load(bias + j))); });
      return;
    }
    gemm(CblasNoTrans, CblasNoTrans, n, d.out_wide, d.in, 1, x.data, x.row, d.weight.get(), d.out_wide, 0, out, d.out_wide);
    for (std::size_t i = 0; i < n; ++i, out += d.out_wide)
      for (std::size_t j = 0; j < d.out_wide; j += lanes)
        store(out + j, last ? load(out + j) + load(bias + j) : sigmoid(load(out + j) + load(bias + j)));
  }

  /// The mean cost, and its gradient (softmax − one-hot)/n. Padding has a bias of −10³⁰, so its share is 0.
  double softmax(Dense& d, std::size_t n, const int* labels) {
    double total = 0;
    const float share = 1.0f / static_cast<float>(n);
    for (std::size_t i = 0; i < n; ++i) {
      const float* z = d.output.get() + i * d.out_wide;
      float* g = d.gradient.get() + i * d.out_wide;
      Vec most = load(z), each{};
      for (std::size_t j = lanes; j < d.out_wide; j += lanes) most = larger(most, load(z + j));
      const float top = fold(most, larger);
      for (std::size_t j = 0; j < d.out_wide; j += lanes) {
        const Vec e = exp(load(z + j) - top);
        each += e;
        store(g + j, e);
      }
      const float all_of_it = sum(each), scale = share / all_of_it;
      for (std::size_t j = 0; j < d.out_wide; j += lanes) store(g + j, load(g + j) * scale);
      const auto label = static_cast<std::size_t>(labels[i]);
      total += static_cast<double>(std::log(all_of_it) + top - z[label]);
      g[label] -= share;
    }
    return total / static_cast<double>(n);
  }

  /// The gradient before the sigmoid of layer l − 1: (g·wᵀ) · y (1 − y).
  void pull_back(std::size_t l, std::size_t n) {
    Dense &d = layers_[l], &below = layers_[l - 1];
    const float* y = below.output.get();
    float* to = below.gradient.get();
    const std::size_t wide = below.out_wide;
    auto slope = [](Vec v) { return v - v * v; };
    if (blas_) {
      gemm(CblasNoTrans, CblasTrans, n, wide, d.out, 1, d.gradient.get(), d.out_wide, d.weight.get(), d.out_wide, 0, to, wide);
      for (std::size_t i = 0; i < n * wide; i += lanes) store(to + i, load(to + i) * slope(load(y + i)));
      return;
    }
    if (transposed_.size() < d.weight.size()) transposed_ = Numbers(d.weight.size());
    transpose(d.weight.get(), d.in_wide, d.out_wide, d.out_wide, transposed_.get(), d.in_wide);
    product(n, wide, d.out, {d.gradient.get(), d.out_wide, 1}, transposed_.get(), d.in_wide, packing_,
            [&](std::size_t i, std::size_t j, Vec sum) { store(to + i * wide + j, sum * slope(load(y + i * wide + j))); });
  }

  void update(Dense& d, std::size_t n, View x) {
    const View xt{x.data, 1, x.row};
    const float* g = d.gradient.get();
    const float rate = static_cast<float>(problem_.rate);
    float* w = d.weight.get();
    if (blas_ && adam_) {
      gemm(CblasTrans, CblasNoTrans, d.in, d.out_wide, n, 1, x.data, x.row, g, d.out_wide, 0, d.weight_g.get(), d.out_wide);
      for (std::size_t i = 0; i < d.in * d.out_wide; i += lanes)
        adam(w + i, load(d.weight_g.get() + i), d.weight_m.get() + i, d.weight_v.get() + i);
    } else if (blas_) {
      gemm(CblasTrans, CblasNoTrans, d.in, d.out_wide, n, -rate, x.data, x.row, g, d.out_wide, 1, w, d.out_wide);
    } else if (adam_) {
      product(d.in, d.out_wide, n, xt, g, d.out_wide, packing_, [&](std::size_t i, std::size_t j, Vec sum) {
        const std::size_t at = i * d.out_wide + j;
        adam(w + at, sum, d.weight_m.get() + at, d.weight_v.get() + at);
      });
    } else {
      product(d.in, d.out_wide, n, xt, g, d.out_wide, packing_, [&](std::size_t i, std::size_t j, Vec sum) {
        float* p = w + i * d.out_wide + j;
        store(p, load(p) - rate * sum);
      });
    }
    for (std::size_t j = 0; j < d.out_wide; j += lanes) {
      Vec sum{};
      for (std::size_t i = 0; i < n; ++i) sum += load(g + i * d.out_wide + j);
      if (adam_) adam(d.bias.get() + j, sum, d.bias_m.get() + j, d.bias_v.get() + j);
      else store(d.bias.get() + j, load(d.bias.get() + j) - rate * sum);
    }
  }

  void next_step() {
    ++steps_;
    const double t = static_cast<double>(steps_);
    adam_rate_ = static_cast<float>(problem_.rate / (1 - std::pow(adam_beta1, t)));
    adam_unbias_ = static_cast<float>(1 / std::sqrt(1 - std::pow(adam_beta2, t)));
  }
  void adam(float* w, Vec g, float* m, float* v) const {
    constexpr float b1 = static_cast<float>(adam_beta1), b2 = static_cast<float>(adam_beta2), d1 = static_cast<float>(1 - adam_beta1),
                    d2 = static_cast<float>(1 - adam_beta2);
    const Vec mean = b1 * load(m) + d1 * g, square = b2 * load(v) + d2 * (g * g);
    store(m, mean);
    store(v, square);
    store(w, load(w) - adam_rate_ * mean / (root(square) * adam_unbias_ + static_cast<float>(adam_epsilon)));
  }

  static void gemm(CBLAS_TRANSPOSE ta, CBLAS_TRANSPOSE tb, std::size_t m, std::size_t n, std::size_t k, float alpha, const float* a,
                   std::size_t a_row, const float* b, std::size_t b_row, float beta, float* c, std::size_t c_row) {
    auto i = [](std::size_t v) { return static_cast<int>(v); };
    cblas_sgemm(CblasRowMajor, ta, tb, i(m), i(n), i(k), alpha, a, i(a_row), b, i(b_row), beta, c, i(c_row));
  }

  Problem problem_;
  Data data_;
  bool blas_, adam_;
  std::vector<Dense> layers_;
  Numbers packing_, transposed_;
  std::size_t steps_ = 0;
  float adam_rate_ = 0, adam_unbias_ = 0;
};

}  // namespace

std::unique_ptr<Trainer> make_hand_net(const Problem& problem, const Data& data, bool blas) {
  return std::make_unique<Net>(problem, data, blas);
}

}  // namespace training
