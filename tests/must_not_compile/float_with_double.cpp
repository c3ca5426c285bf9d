// Tensors of float and of double do not mix: which precision is meant, only the user knows.
// error: tensors of float and of double do not mix; convert one with .as<float>() or .as<double>()
#include <autodiff/autodiff.hpp>
int main() {
  const autodiff::Tensor<float> f{1, 2};
  const autodiff::Tensor<double> d{1, 2};
  const auto right = f.as<double>() * d;
#ifndef OK
  const auto wrong = f * d;
#endif
  return right.size() != 2;
}
