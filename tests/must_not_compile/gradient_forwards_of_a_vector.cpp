// The same forwards.
// error: a gradient needs a function of one number: sum what it returns, or use jacobian or vjp
#include <autodiff/autodiff.hpp>
int main() {
  const auto f = [](const auto& x) { return std::vector{x[0] * x[1], x[1] * x[0]}; };
  const std::vector<double> x{1, 2};
  const auto right = autodiff::jacobian_forwards(f, x);
#ifndef OK
  const auto wrong = autodiff::gradient_forwards(f, x);
#endif
  return right.size() != 4;
}
