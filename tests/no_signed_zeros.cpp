// Derivatives along few variables where a slope is infinite, in a program that need not care for the sign of zero: g++ takes 0.0 * v for 0 then, also
// where v is infinite, and what rests on that finds nothing to mend.
#include <autodiff/autodiff.hpp>
#include <cmath>
#include <cstdio>
namespace ad = autodiff;

int main() {
  const auto f = [](const auto& x) { return sqrt(x[0]) + x[1]; };
  const auto F = []<class V>(const V& x) { return std::vector<typename V::value_type>(40, sqrt(x[0]) + x[1]); };
  const std::vector<double> x{0, 2};
  const auto good = [](double by_root, double by_sum) { return std::isinf(by_root) && by_sum == 1; };
  const auto gradient = ad::gradient_forwards(f, x);
  const auto products = ad::jvp_batch(f, x, {{1, 0}, {0, 1}});
  const auto rows = ad::jacobian(F, x);
  const auto hessian = ad::hessian([](const auto& y) { return pow(y[0], 1.5) + y[1] * y[1]; }, x);
  const bool all = good(gradient[0], gradient[1]) && good(products[0][0], products[1][0]) && good(rows(39, 0), rows(39, 1)) &&
                   good(hessian(0, 0), hessian(1, 1) / 2) && hessian(0, 1) == 0;
  std::printf("%g %g, %g %g, ", gradient[0], gradient[1], products[0][0], products[1][0]);
  std::printf("%g %g, %g %g\n", rows(39, 0), rows(39, 1), hessian(0, 0), hessian(1, 1));
  return all ? 0 : 1;
}
