// Copies of a net do not share their parameters, so a net holds none by a pointer that does.
// error: a pointer to a layer or parameter: copies of the net would share it
#include <nn/nn.hpp>
#include <memory>

struct Net {
#ifdef OK
  std::unique_ptr<autodiff::nn::Linear<float>> hidden = std::make_unique<autodiff::nn::Linear<float>>(2, 3);
#else
  std::shared_ptr<autodiff::nn::Linear<float>> hidden = std::make_shared<autodiff::nn::Linear<float>>(2, 3);
#endif
  autodiff::nn::Linear<float> output{3, 1};
};

int main() {
  Net net;
  autodiff::nn::initialize(net, 1);
}
