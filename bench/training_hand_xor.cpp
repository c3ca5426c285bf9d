// (a) by hand: the 2-3-1 net on four samples as plain scalar loops over arrays of fixed size, which the compiler unrolls. This is
// what "hand-written" means in (a)'s ratio. (With the vector exp of training_hand.hpp an epoch takes a third: 85 ns, not 265.)
#include <cmath>
#include "training.hpp"

namespace training {

namespace {

class Xor final : public Trainer {
 public:
  explicit Xor(const Problem& problem, const Data& data) : rate_(static_cast<float>(problem.rate)), data_(data) {}

  void reset(const Parameters& p) override { parameters_ = p; }
  Parameters parameters() const override { return parameters_; }

  double train(std::size_t epochs) override {
    constexpr int in = 2, hidden = 3, samples = 4;
    float x[samples][in], t[samples], w1[in][hidden], b1[hidden], w2[hidden], b2 = parameters_[1].bias[0], cost = 0;
    for (int s = 0; s < samples; ++s) x[s][0] = data_.inputs[s * in], x[s][1] = data_.inputs[s * in + 1], t[s] = data_.targets[s];
    Layer &first = parameters_[0], &second = parameters_[1];
    for (int i = 0; i < in; ++i)
      for (int j = 0; j < hidden; ++j) w1[i][j] = first.weight[static_cast<std::size_t>(i * hidden + j)];
    for (std::size_t j = 0; j < hidden; ++j) b1[j] = first.bias[j], w2[j] = second.weight[j];

    for (std::size_t e = 0; e < epochs; ++e) {
      float gw1[in][hidden] = {}, gb1[hidden] = {}, gw2[hidden] = {}, gb2 = 0;
      cost = 0;
      for (int s = 0; s < samples; ++s) {
        float h[hidden], z = b2;
        for (int j = 0; j < hidden; ++j) {
          h[j] = 1 / (1 + std::exp(-(x[s][0] * w1[0][j] + x[s][1] * w1[1][j] + b1[j])));
          z += h[j] * w2[j];
        }
        const float q = std::exp(-std::abs(z)), r = 1 / (1 + q);  // log(1 + e^−|z|) never overflows
        cost += std::max(z, 0.0f) - z * t[s] + std::log1p(q);
        const float g = ((z > 0 ? r : q * r) - t[s]) / samples;  // (σ(z) − t) / 4
        gb2 += g;
        for (int j = 0; j < hidden; ++j) {
          gw2[j] += g * h[j];
          const float gz = g * w2[j] * h[j] * (1 - h[j]);
          gb1[j] += gz;
          gw1[0][j] += gz * x[s][0];
          gw1[1][j] += gz * x[s][1];
        }
      }
      for (int j = 0; j < hidden; ++j) {
        w1[0][j] -= rate_ * gw1[0][j], w1[1][j] -= rate_ * gw1[1][j];
        b1[j] -= rate_ * gb1[j];
        w2[j] -= rate_ * gw2[j];
      }
      b2 -= rate_ * gb2;
    }

    for (int i = 0; i < in; ++i)
      for (int j = 0; j < hidden; ++j) first.weight[static_cast<std::size_t>(i * hidden + j)] = w1[i][j];
    for (std::size_t j = 0; j < hidden; ++j) first.bias[j] = b1[j], second.weight[j] = w2[j];
    second.bias[0] = b2;
    return static_cast<double>(cost / samples);
  }

 private:
  float rate_;
  Data data_;
  Parameters parameters_;
};

}  // namespace

std::unique_ptr<Trainer> make_hand_xor(const Problem& problem, const Data& data) { return std::make_unique<Xor>(problem, data); }

}  // namespace training
