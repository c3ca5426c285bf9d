// Fields of a base class are not found beside those of the class itself.
// error: the fields of this struct cannot be counted (more than 16, a base class
#include <nn/nn.hpp>

struct Encoder { autodiff::nn::Linear<float> layer{2, 3}; };
struct Net : Encoder {
  autodiff::nn::Linear<float> last{3, 2};
#ifdef OK
  auto fields() { return std::tie(layer, last); }
#endif
};

int main() {
  Net net;
  autodiff::nn::initialize(net, 1);
}
