// Shows: a net of 2, 3 and 1 neurons learns XOR; its training loop is no longer than the maths.
#include <CLI/CLI.hpp>
#include <nn/nn.hpp>

#include "figures.hpp"
#include "pictures.hpp"
namespace ad = autodiff;
namespace nn = autodiff::nn;
using Tensor = ad::Tensor<double>;

const Tensor inputs{{0, 0}, {0, 1}, {1, 0}, {1, 1}};
const Tensor targets{{0}, {1}, {1}, {0}};

auto two_three_one() { return nn::Sequential{nn::Linear<double>(2, 3), nn::Sigmoid{}, nn::Linear<double>(3, 1), nn::Sigmoid{}}; }

/// Gradient descent on all four samples at once; returns the cost of each epoch.
template <class Net> std::vector<double> train(Net& net, int epochs, int report) {
  std::vector<double> costs;
  nn::Sgd optimizer{{.learning_rate = 0.1}};
  ad::Tape tape;
  for (int epoch = 0; epoch < epochs; ++epoch) {
    tape.clear();
    const ad::Var cost = nn::binary_cross_entropy(net(inputs), targets);
    tape.backward(cost);
    optimizer.step(net);
    costs.push_back(cost.value());
    if (epoch % report == 0) std::printf("  epoch %5d   cost %.4f   %s\n", epoch, cost.value(), pictures::bar(60 * cost.value()).c_str());
  }
  return costs;
}

int main(int argc, char** argv) {
  CLI::App app{"A net of 2, 3 and 1 neurons learns XOR by backpropagation"};
  int epochs = 10000;
  std::uint64_t seed = 1;
  std::string directory = "pictures";
  app.add_option("--seed", seed, "of the random start")->capture_default_str()->check(seed_number);
  app.add_option("--epochs", epochs, "walks through the four samples")->capture_default_str()->check(above_0);
  app.add_option("--pictures", directory, "where the picture goes")->capture_default_str();
  CLI11_PARSE(app, argc, argv);

  std::printf("2–3–1 neurons, cross-entropy, learning rate 0.1, from a random start (seed %llu)\n", static_cast<unsigned long long>(seed));
  auto net = two_three_one();
  nn::initialize(net, seed, nn::tutorial.with_biases());
  const std::vector<double> costs = train(net, epochs, std::max(1, epochs / 10));
  const Tensor h = net(inputs).value();
  for (std::size_t i = 0; i < 4; ++i) std::printf("  %.0f xor %.0f   %.3f\n", inputs(i, 0), inputs(i, 1), h[i]);
  claim(sum(abs(h - targets) < 0.1) == 4, "every answer is within 0.1 of its target; try more --epochs, or another --seed");
  pictures::decision(directory, [&](double a, double b) { return net(Tensor{{a, b}}).value()[0]; }, costs);
}
/* Expected output (of a long figure, the last digit may differ):
2–3–1 neurons, cross-entropy, learning rate 0.1, from a random start (seed 1)
  epoch     0   cost 0.6991   #########################################
  epoch  1000   cost 0.6932   #########################################
  epoch  2000   cost 0.6931   #########################################
  epoch  3000   cost 0.6930   #########################################
  epoch  4000   cost 0.6923   #########################################
  epoch  5000   cost 0.6850   #########################################
  epoch  6000   cost 0.6133   ####################################
  epoch  7000   cost 0.4715   ############################
  epoch  8000   cost 0.2160   ############
  epoch  9000   cost 0.0897   #####
  0 xor 0   0.038
  0 xor 1   0.966
  1 xor 0   0.940
  1 xor 1   0.067
picture: pictures/xor.png
*/
