// A struct that names fewer fields than it has.
// error: field_names: give one name for each field
#include <nn/nn.hpp>
namespace nn = autodiff::nn;
struct Net {
  nn::Linear<float> hidden{2, 3}, output{3, 1};
#ifdef OK
  static constexpr const char* field_names[] = {"hidden", "output"};
#else
  static constexpr const char* field_names[] = {"hidden"};
#endif
};
int main() {
  Net net;
  nn::initialize(net, 1);
}
