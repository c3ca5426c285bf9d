// The same in lanes.
// error: f is called with numbers that carry derivatives, and must take them: write [](const auto& x)
#include <autodiff/autodiff.hpp>
int main() {
  const std::vector<std::vector<double>> points{{1, 2}, {3, 4}};
  const auto right = autodiff::gradient_batch([](const auto& x) { return x[0] * x[1]; }, points);
#ifndef OK
  const auto wrong = autodiff::gradient_batch([](const std::vector<double>& x) { return x[0] * x[1]; }, points);
#endif
  return right.size() != 2;
}
