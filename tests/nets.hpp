// What the tests of optimizers share: small nets, and a step of one.
#pragma once
#include <nn/nn.hpp>
#include <cstdint>
#include <vector>

namespace nets {

namespace ad = autodiff;
namespace nn = autodiff::nn;
using Tensor = ad::Tensor<double>;

/// A number to be learned, at the bottom of ½·3·(w − 2)².
struct Bowl {
  ad::Parameter<double> w{Tensor{5}};
  ad::Var<double> cost() const { return 1.5 * sum(square(w.var() - 2.0)); }
  double now() const { return w.value()[0]; }
};
inline double slope(double w) { return 3 * (w - 2); }
inline void step(auto& net, auto& optimizer) {
  ad::Tape tape;
  const ad::Var cost = sum(square(net(Tensor{{1, 2}})));
  tape.backward(cost);
  optimizer.step(net);
}
inline auto small_net(std::uint64_t seed = 1, int width = 3) {
  nn::Sequential net{nn::Linear<double>(2, width), nn::Tanh{}, nn::Linear<double>(width, 1)};
  nn::initialize(net, seed);
  return net;
}
inline std::vector<double> numbers(const auto& net) {
  std::vector<double> all;
  nn::for_each_parameter(net, [&](const auto& p) { for (const auto x : p.value()) all.push_back(static_cast<double>(x)); });
  return all;
}

}  // namespace nets
