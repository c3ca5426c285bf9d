// Training a net that is const.
// error: the net is const, and a step, initialize() or load() changes its parameters
#include <nn/nn.hpp>
namespace nn = autodiff::nn;
#ifdef OK
void train(nn::Linear<float>& net) {
#else
void train(const nn::Linear<float>& net) {
#endif
  nn::Sgd().step(net);
}
int main() {
  nn::Linear net(1, 1);
  train(net);
}
