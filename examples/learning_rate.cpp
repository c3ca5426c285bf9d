// Shows: a descent learns its own learning rates: a derivative through the gradients that it took.
#include <autodiff/autodiff.hpp>

#include "figures.hpp"
#include "options.hpp"
namespace ad = autodiff;
using Tensor = ad::Tensor<double>;

int main(int argc, char** argv) {
  no_options(argc, argv, "Two steps of gradient descent find the rates with which they arrive");

  // A line y = 3 − 2x through 21 points from −1 to 1: the cost has the curvatures 2 along one weight and 2·mean(x²) along the other.
  Tensor x = Tensor::ones({21, 2}), y = Tensor::zeros({21, 1});
  double curvature = 0;
  for (std::size_t i = 0; i < 21; ++i) {
    const double at = -1 + 0.1 * static_cast<double>(i);
    x[2 * i + 1] = at, y[i] = 3 - 2 * at;
    curvature += 2 * at * at / 21;
  }
  const auto cost = [&](const auto& w) { return mean(square(matmul(x, w) - y)); };

  ad::Tape tape;
  double slopes[2];
  const auto two_steps = [&](double first, double second) {
    tape.clear();
    const ad::Var<double> rates[] = {tape.variable(first), tape.variable(second)};
    ad::Var w(Tensor::zeros({2, 1}));
    for (const auto& rate : rates) w = w - rate * ad::recorded_gradient(cost, w);
    const ad::Var reached = cost(w);
    tape.backward(reached);
    for (int k = 0; k < 2; ++k) slopes[k] = tape.adjoint(rates[k]);
    return reached.value();
  };

  double first = 0.3, second = 0.9;
  std::printf("with the rates %.2f and %.2f two steps arrive at a cost of %.4f\n", first, second, two_steps(first, second));
  const double slope = slopes[0], h = 1e-5, measured = (two_steps(first + h, second) - two_steps(first - h, second)) / (2 * h);
  std::printf("its slope in the first rate is %.4f, measured %.4f\n", slope, measured);
  claim(std::abs(slope - measured) < 1e-7, "the slope agrees with finite differences");

  double reached = two_steps(first, second);
  for (int i = 0; i < 5000; ++i) {
    first -= 0.005 * slopes[0], second -= 0.005 * slopes[1];
    reached = two_steps(first, second);
  }
  std::printf("learned: %.3f and %.3f; one over the curvatures is %.3f and %.3f\n", first, second, 0.5, 1 / curvature);
  claim(std::abs(first - 0.5) < 1e-3 && std::abs(second - 1 / curvature) < 1e-3, "the rates are those with which two steps arrive");
  claim(reached < 1e-6, "two steps arrive");
}
/* Expected output (of a long figure, the last digit may differ):
with the rates 0.30 and 0.90 two steps arrive at a cost of 1.0248
its slope in the first rate is -9.4100, measured -9.4100
learned: 0.500 and 1.364; one over the curvatures is 0.500 and 1.364
*/
