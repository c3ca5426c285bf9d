// A tensor is put on a tape over other numbers than double.
// error: tensors stand on a Tape, not on a tape over other numbers
#include <autodiff/autodiff.hpp>
int main() {
  const autodiff::Tensor<double> numbers{1, 2};
  autodiff::Tape right;
  (void)right.variable(numbers);
#ifndef OK
  autodiff::BasicTape<autodiff::Dual<double>> wrong;
  (void)wrong.variable(numbers);
#endif
}
