// float and double meet in no product.
// error: tensors of float and of double do not mix; convert one with .as<float>() or .as<double>()
#include <autodiff/autodiff.hpp>
int main() {
  autodiff::Tape tape;
  const autodiff::Var w = tape.variable(autodiff::Tensor<float>::ones({2, 2}));
  const autodiff::Tensor<double> d{1, 2};
  const auto right = matmul(w, d.as<float>());
#ifndef OK
  const auto wrong = matmul(w, d);
#endif
  return right.size() != 2;
}
