// A function that takes plain doubles only, where its derivative is wanted.
// error: f is called with numbers that carry derivatives, and must take them: write [](const auto& x)
#include <autodiff/autodiff.hpp>
int main() {
  const auto right = autodiff::gradient([](const auto& x) { return x[0] * x[1]; }, {1, 2});
#ifndef OK
  const auto wrong = autodiff::gradient([](const std::vector<double>& x) { return x[0] * x[1]; }, {1, 2});
#endif
  return right.size() != 2;
}
