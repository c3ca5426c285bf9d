// A hidden state that begins as a Tensor, and is to become what a net returns.
// error: what is recorded is no Tensor, which holds numbers alone: make this an ad::Var, or take .value() of that
#include <nn/nn.hpp>
namespace ad = autodiff;
int main() {
  ad::nn::Linear<float> layer(2, 2);
  ad::Tensor<float> h = ad::Tensor<float>::zeros({1, 2});
  h = layer(h).value();
#ifndef OK
  h = tanh(layer(h));
#endif
  return h.size() != 2;
}
