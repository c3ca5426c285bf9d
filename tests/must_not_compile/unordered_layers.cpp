// Layers in a container whose order is another in each run.
// error: an unordered container gives its layers another order in each run
#include <map>
#include <nn/nn.hpp>
#include <string>
#include <unordered_map>
namespace nn = autodiff::nn;
struct Heads {
#ifdef OK
  std::map<std::string, nn::Linear<float>> heads;
#else
  std::unordered_map<std::string, nn::Linear<float>> heads;
#endif
  std::unordered_map<std::string, int> counts;
};
int main() {
  Heads net;
  net.heads.emplace("left", nn::Linear(1, 1));
  nn::initialize(net, 1);
}
