// Outputs and targets are of one number type.
// error: outputs and targets must be tensors of one number type
#include <nn/nn.hpp>

int main() {
  const autodiff::Tensor<double> x{{1, 2}};
  autodiff::nn::mse(x, x);
#ifndef OK
  autodiff::nn::mse(x.as<float>(), x);
#endif
}
