// std::accumulate with a plain 0.0 to start from would add in double.
// error: 'double'
#include <autodiff/autodiff.hpp>
#include <numeric>
int main() {
  const std::vector<autodiff::Var<double>> v(3);
  const auto right = std::accumulate(v.begin(), v.end(), autodiff::Var<double>(0.0));
#ifndef OK
  (void)std::accumulate(v.begin(), v.end(), 0.0);
#endif
  return right.value() > 1;
}
