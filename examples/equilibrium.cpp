// Shows: an operation with a pullback of one's own: a layer whose output is a fixed point, differentiated without the steps that led there.
#include <nn/nn.hpp>

#include "figures.hpp"
#include "options.hpp"
namespace ad = autodiff;
namespace nn = autodiff::nn;
using Numbers = ad::Tensor<double>;

constexpr int steps = 200;
const auto step = [](const auto& z, const auto& a, const auto& w) { return tanh(a + matmul(z, w)); };

/// z with z = tanh(a + z·w), for a (N, M) and w (M, M), found on plain numbers. With D = 1 − z², the slope of tanh, an adjoint z̄ becomes
/// the u with u = D·(z̄ + u·wᵀ) (the theorem on implicit functions), and then ā = u, w̄ = zᵀ·u.
const auto equilibrium = [](const auto& a, const auto& w) {
  const Numbers numbers = ad::plain(a), weights = ad::plain(w);
  Numbers z = Numbers::zeros(numbers.shape());
  for (int i = 0; i < steps; ++i) z = step(z, numbers, weights);
  return ad::with_pullback("equilibrium", z, [z, weights](const Numbers& g) {
    Numbers u = Numbers::zeros(g.shape());
    for (int i = 0; i < steps; ++i) u = (1 - square(z)) * (g + matmul(u, transpose(weights)));
    return std::tuple(u, matmul(transpose(z), u));
  }, a, w);
};

/// A net in which that is a layer.
struct Net {
  nn::Linear<double> in{2, 4}, out{4, 1};
  ad::Parameter<double> w{ad::Shape{4, 4}};
  auto operator()(const auto& x) const { return out(equilibrium(in(x), w.var())); }
};

int main(int argc, char** argv) {
  no_options(argc, argv, "A fixed point as a layer: its pullback is a fixed point, too");
  nn::Random random(1);
  const Numbers a = nn::normal<double>({3, 4}, random), w = nn::normal<double>({4, 4}, random) * 0.3;

  std::printf("the gradient of a fixed point that took %d steps\n", steps);
  const auto gradient = [&](const char* how, const auto& z_of) {
    ad::Tape tape;
    const ad::Var at = tape.variable(a), weights = tape.variable(w);
    tape.backward(sum(square(z_of(at, weights))));
    std::printf("  %s: %zu operations on the tape\n", how, tape.statistics().nodes);
    return tape.adjoint(weights);
  };
  const Numbers ours = gradient("by its own pullback", equilibrium);
  const Numbers recorded = gradient("step by step", [](const auto& at, const auto& weights) {
    ad::Var z = tanh(at);
    for (int i = 1; i < steps; ++i) z = step(z, at, weights);
    return z;
  });
  claim(norm(ours - recorded) < 1e-12 * norm(recorded), "both give one gradient");

  std::printf("a net with such a layer learns XOR\n");
  Net net;
  nn::initialize(net, 1);
  const Numbers X{{0, 0}, {0, 1}, {1, 0}, {1, 1}}, y{{0}, {1}, {1}, {0}};
  const auto cost = [&] { return nn::binary_cross_entropy_with_logits(net(X), y); };
  claim(nn::check_gradient(net, cost).agrees(), "its gradient agrees with finite differences");
  nn::Adam adam{{.learning_rate = 0.05}};
  ad::Tape tape;
  for (int i = 0; i < 300; ++i, tape.clear()) {
    tape.backward(cost());
    adam.step(net);
  }
  for (const double answer : sigmoid(net(X)).value()) std::printf("  %.0f\n", answer);
  claim(cost().value() < 0.01, "it has learned");
}
/* Expected output:
the gradient of a fixed point that took 200 steps
  by its own pullback: 3 operations on the tape
  step by step: 600 operations on the tape
a net with such a layer learns XOR
  0
  1
  1
  0
*/
