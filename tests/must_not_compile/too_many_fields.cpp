// The fields of a struct are found up to sixteen.
// error: the fields of this struct cannot be counted (more than 16
#include <nn/nn.hpp>

struct Net {
  autodiff::nn::Linear<float> layer{2, 3};
  int a, b, c, d, e, f, g, h, i, j, k, l, m, n, o;
#ifndef OK
  int p;
#endif
};

int main() {
  Net net{};
  autodiff::nn::initialize(net, 1);
}
