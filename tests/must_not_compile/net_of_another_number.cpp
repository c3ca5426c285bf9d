// A net of float takes tensors of float.
// error: a net of float takes tensors of float, one of double tensors of double
#include <nn/nn.hpp>

int main() {
  const autodiff::nn::Sequential net{autodiff::nn::Linear(2, 3), autodiff::nn::Sigmoid{}};
  const autodiff::Tensor<double> x{{1, 2}};
  net(x.as<float>());
#ifndef OK
  net(x);
#endif
}
