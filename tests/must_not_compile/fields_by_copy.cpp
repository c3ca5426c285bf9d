// Copies of the parameters would be trained, and thrown away.
// error: fields() returns copies: return std::tie(
#include <nn/nn.hpp>

struct Net {
  autodiff::nn::Linear<float> hidden{2, 3};
#ifdef OK
  auto fields() { return std::tie(hidden); }
#else
  auto fields() { return std::make_tuple(hidden); }
#endif
};

int main() {
  Net net;
  autodiff::nn::initialize(net, 1);
}
