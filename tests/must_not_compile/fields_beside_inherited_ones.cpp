// A class that adds a layer to those of its base, whose fields() cannot know it.
// error: this class (or what this lambda catches) may hold parameters that cannot be seen
#include <nn/nn.hpp>
#include <tuple>
namespace nn = autodiff::nn;
struct Block : nn::Sequential<nn::Linear<float>, nn::Tanh> {
  nn::Linear<float> skip{2, 2};
  Block() : Sequential(nn::Linear(2, 2), nn::Tanh{}) {}
#ifdef OK
  auto fields() { return std::tie(layers, skip); }
#endif
};
int main() {
  Block block;
  nn::initialize(block, 1);
}
