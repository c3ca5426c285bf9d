// A target that is no tensor.
// error: outputs and targets must be tensors of one number type
#include <nn/nn.hpp>

int main() {
  const autodiff::Tensor<float> x{1};
  autodiff::nn::mse(x, x);
#ifndef OK
  autodiff::nn::mse(x, 1.0f);
#endif
}
