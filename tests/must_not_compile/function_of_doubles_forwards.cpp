// The same forwards.
// error: f is called with numbers that carry derivatives, and must take them: write [](const auto& x)
#include <autodiff/autodiff.hpp>
int main() {
  const std::vector<double> x{1, 2};
  const auto right = autodiff::jacobian_forwards([](const auto& at) { return at[0] * at[1]; }, x);
#ifndef OK
  const auto wrong = autodiff::jacobian_forwards([](const std::vector<double>& at) { return at[0] * at[1]; }, x);
#endif
  return right.size() != 2;
}
