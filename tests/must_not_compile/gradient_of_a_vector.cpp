// The gradient of a function that returns several numbers.
// error: a gradient needs a function of one number: sum what it returns, or use jacobian or vjp
#include <autodiff/autodiff.hpp>
int main() {
  const auto f = [](const auto& x) { return std::vector{x[0] * x[1], x[1] * x[0]}; };
  const std::vector<double> x{1, 2};
  const auto right = autodiff::vjp(f, x, x);
#ifndef OK
  const auto wrong = autodiff::gradient(f, x);
#endif
  return right.size() != 2;
}
