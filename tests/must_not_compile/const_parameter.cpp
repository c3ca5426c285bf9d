// What is const cannot be learned.
// error: a const parameter cannot be learned: make it a Tensor, or fields() not const
#include <nn/nn.hpp>

struct Net {
  autodiff::nn::Linear<float> hidden{2, 3};
#ifdef OK
  auto fields() { return std::tie(hidden); }
#else
  auto fields() const { return std::tie(hidden); }
#endif
};

int main() {
  Net net;
  autodiff::nn::initialize(net, 1);
}
