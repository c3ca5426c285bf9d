// The same, of a base that has two fields().
// error: this class (or what this lambda catches) may hold parameters that cannot be seen
#include <nn/nn.hpp>
#include <tuple>
namespace nn = autodiff::nn;
struct Base {
  nn::Linear<float> inside{2, 2};
  auto fields() { return std::tie(inside); }
  auto fields() const { return std::tie(inside); }
};
struct Net : Base {
  nn::Linear<float> extra{2, 2};
#ifdef OK
  auto fields() { return std::tie(inside, extra); }
#endif
};
int main() {
  Net net;
  nn::initialize(net, 1);
}
