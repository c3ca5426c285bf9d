// A layer that the walk over the fields cannot see would silently not be trained.
// error: this class (or what this lambda catches) may hold parameters that cannot be seen: it has a constructor,
// error: private members or a base class; give it auto fields()
#include <nn/nn.hpp>

class Encoder {
 public:
  Encoder() = default;
#ifdef OK
  auto fields() { return std::tie(layer_); }
#endif

 private:
  autodiff::nn::Linear<float> layer_{2, 3};
};
struct Net {
  Encoder encoder;
  autodiff::nn::Linear<float> output{3, 1};
};

int main() {
  Net net;
  autodiff::nn::initialize(net, 1);
}
