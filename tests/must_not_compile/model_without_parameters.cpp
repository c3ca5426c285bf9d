// Nothing to train: a model in which no parameter is found.
// error: no parameter is found in this model
#include <nn/nn.hpp>

int main() {
  autodiff::nn::Sequential net{autodiff::nn::Linear(2, 3), autodiff::nn::Sigmoid{}};
  autodiff::nn::Sequential nothing{autodiff::nn::Sigmoid{}, autodiff::nn::Tanh{}};
  autodiff::nn::initialize(net, 1);
#ifndef OK
  autodiff::nn::initialize(nothing, 1);
#endif
}
