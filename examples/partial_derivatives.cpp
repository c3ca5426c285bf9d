// Shows: the partial derivatives of a function of several numbers: all of them from one walk backwards.
#include <CLI/CLI.hpp>
#include <autodiff/autodiff.hpp>

#include "figures.hpp"
#include "options.hpp"
namespace ad = autodiff;

int main(int argc, char** argv) {
  CLI::App app{"The partial derivatives of f(x, y) = 2x^2 + y^3"};
  std::vector<double> at{1, 2};
  app.add_option("--at", at, "the point, x and y")->expected(2)->capture_default_str()->check(from_to(-1e6, 1e6));
  CLI11_PARSE(app, argc, argv);

  // As a function of a vector: f receives its components, p[0] = x and p[1] = y.
  const auto f = [](const auto& p) { return 2 * pow(p[0], 2) + pow(p[1], 3); };
  const auto [value, gradient] = ad::value_and_gradient(f, at);
  std::printf("f(x, y) = 2x² + y³ at (%g, %g)\n", at[0], at[1]);
  std::printf("  f       %g\n", value);
  std::printf("  ∂f/∂x   %g   by hand: 4x  = %g\n", gradient[0], 4 * at[0]);
  std::printf("  ∂f/∂y   %g   by hand: 3y² = %g\n", gradient[1], 3 * at[1] * at[1]);

  // The same on a tape that one sees: two variables, one result, one walk backwards.
  ad::Tape tape;
  const ad::Var x = tape.variable(at[0]), y = tape.variable(at[1]);
  const ad::Var z = 2 * pow(x, 2) + pow(y, 3);
  tape.backward(z);
  claim(tape.adjoint(x) == gradient[0] && tape.adjoint(y) == gradient[1], "a tape of one's own gives the same");

  // What was derived by hand, f_x = 4x and f_y = 3y², is right: at this point and wherever else one looks.
  const auto by_hand = [](const std::vector<double>& p) { return std::vector{4 * p[0], 3 * p[1] * p[1]}; };
  double largest = 0;
  for (double a = -3; a <= 3; a += 0.5)
    for (double b = -3; b <= 3; b += 0.5)
      largest = std::max(largest, ad::check_gradient(f, by_hand, std::vector{a, b}).largest_difference());
  std::printf("\n(4x, 3y²) checked at 169 points of [−3, 3]²: %s\n", largest < 1e-12 ? "the same to 12 digits" : "different");
  claim(largest < 1e-12, "the gradient is (4x, 3y²)");

  // And the second ones, for which nobody has to derive anything either.
  const ad::Tensor<double> hessian = ad::hessian(f, at);
  std::printf("\nsecond derivatives\n");
  std::printf("  ∂²f/∂x²    %g   by hand: 4\n", hessian(0, 0));
  std::printf("  ∂²f/∂x∂y   %g   by hand: 0\n", hessian(0, 1));
  std::printf("  ∂²f/∂y²    %g   by hand: 6y = %g\n", hessian(1, 1), 6 * at[1]);
  const ad::Tensor<double> expected{{4, 0}, {0, 6 * at[1]}};
  claim(max(abs(hessian - expected)) <= 1e-12 * max(abs(expected)), "the Hessian is [[4, 0], [0, 6y]]");
}
/* Expected output (of a long figure, the last digit may differ):
f(x, y) = 2x² + y³ at (1, 2)
  f       10
  ∂f/∂x   4   by hand: 4x  = 4
  ∂f/∂y   12   by hand: 3y² = 12

(4x, 3y²) checked at 169 points of [−3, 3]²: the same to 12 digits

second derivatives
  ∂²f/∂x²    4   by hand: 4
  ∂²f/∂x∂y   0   by hand: 0
  ∂²f/∂y²    12   by hand: 6y = 12
*/
