// A first trainer, complete: what its compile time, size and start-up time are is a line of the training report. Its twins
// training_hello_torch.cpp and training_hello_dlib.cpp do the same. Argument: epochs (2000).
#include <cstdio>
#include <cstdlib>
#include <nn/nn.hpp>
namespace ad = autodiff;
namespace nn = autodiff::nn;

int main(int argc, char** argv) {
  const int epochs = argc > 1 ? std::atoi(argv[1]) : 2000;
  const ad::Tensor<float> x{{0, 0}, {0, 1}, {1, 0}, {1, 1}}, y{{0}, {1}, {1}, {0}};
  nn::Sequential net{nn::Linear(2, 3), nn::Sigmoid{}, nn::Linear(3, 1)};
  nn::initialize(net, 1);
  nn::Sgd optimizer{{.learning_rate = 1}};
  ad::Tape tape;
  double last = 0;
  for (int e = 0; e < epochs; ++e) {
    tape.clear();
    ad::Var cost = nn::binary_cross_entropy_with_logits(net(x), y);
    tape.backward(cost);
    optimizer.step(net);
    last = cost.value();
  }
  std::printf("cost %.6f\n", last);
}
