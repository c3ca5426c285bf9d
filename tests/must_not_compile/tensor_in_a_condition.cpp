// A comparison of tensors is a tensor of ones and zeros, no truth: ask equal(a, b), or reduce it.
// error: 'bool'
#include <autodiff/autodiff.hpp>
int main() {
  const autodiff::Tensor<double> a{1, 2};
  if (equal(a, a)) return 0;
#ifndef OK
  if (a == a) return 1;
#endif
}
