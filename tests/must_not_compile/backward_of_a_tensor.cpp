// The walk back from a tensor.
// error: backward() starts from one number: sum(y) or mean(y) of a tensor, or give it weights of the shape of y
#include <autodiff/autodiff.hpp>

int main() {
  autodiff::Tape tape;
  const autodiff::Var x = tape.variable(autodiff::Tensor<double>{1, 2});
  const autodiff::Var y = x * x;
  tape.backward(sum(y));
#ifndef OK
  tape.backward(y);
#endif
}
