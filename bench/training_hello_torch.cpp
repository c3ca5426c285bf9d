// training_hello_engine.cpp with libtorch.
#include <cstdio>
#include <cstdlib>
#include <torch/torch.h>

int main(int argc, char** argv) {
  const int epochs = argc > 1 ? std::atoi(argv[1]) : 2000;
  const auto x = torch::tensor({{0.f, 0.f}, {0.f, 1.f}, {1.f, 0.f}, {1.f, 1.f}}), y = torch::tensor({{0.f}, {1.f}, {1.f}, {0.f}});
  torch::nn::Sequential net(torch::nn::Linear(2, 3), torch::nn::Sigmoid(), torch::nn::Linear(3, 1));
  torch::optim::SGD optimizer(net->parameters(), 1.0);
  double last = 0;
  for (int e = 0; e < epochs; ++e) {
    net->zero_grad(/*set_to_none=*/true);
    const auto cost = torch::binary_cross_entropy_with_logits(net->forward(x), y);
    cost.backward();
    optimizer.step();
    last = cost.item<double>();
  }
  std::printf("cost %.6f\n", last);
}
