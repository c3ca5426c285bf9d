// The gradient, at one number, of a function that returns several.
// error: a gradient needs a function of one number: sum what it returns, or use jacobian or vjp
#include <autodiff/autodiff.hpp>
int main() {
  const auto f = [](const auto& x) { return std::vector{x * x, x * 2.0}; };
  const auto right = autodiff::derivative(f, 2.0);
#ifndef OK
  const auto wrong = autodiff::gradient(f, 2.0);
#endif
  return right.size() != 2;
}
