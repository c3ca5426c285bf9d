// Shows: backpropagation is the tape read backwards: the formulas that one derives for XOR, layer by layer, and the engine's own gradient.
#include <nn/nn.hpp>

#include "figures.hpp"
#include "options.hpp"
namespace ad = autodiff;
namespace nn = autodiff::nn;
using Tensor = ad::Tensor<double>;

const Tensor inputs{{0, 0}, {0, 1}, {1, 0}, {1, 1}};
const Tensor targets{{0}, {1}, {1}, {0}};

int main(int argc, char** argv) {
  no_options(argc, argv, "The gradient of a net of 2, 3 and 1 neurons for XOR: by hand, and from the tape");

  nn::Sequential net{nn::Linear<double>(2, 3), nn::Sigmoid{}, nn::Linear<double>(3, 1), nn::Sigmoid{}};
  auto& [hidden, sigmoid1, output, sigmoid2] = net.layers;
  hidden.weight.assign({{0.5, -0.4, 0.9}, {1.0, 0.6, -0.7}}), hidden.bias.assign({-0.2, 0.3, 0.1});
  output.weight.assign({{-1.1}, {0.8}, {0.4}}), output.bias.assign({0.2});

  // By hand, from the output to the input:  δ_out = h − y,  δ_hidden = (δ_out θ₂ᵀ) ⊙ a(1 − a),  ∂C/∂θ = aᵀδ, averaged over the samples.
  const Tensor a = sigmoid(matmul(inputs, hidden.weight.value()) + hidden.bias.value());
  const Tensor h = sigmoid(matmul(a, output.weight.value()) + output.bias.value());
  const Tensor delta_out = (h - targets) / 4;
  const Tensor delta_hidden = matmul(delta_out, transpose(output.weight.value())) * a * (1 - a);

  // By the engine: whatever the net computes goes to the tape, and one walk backwards gives every gradient.
  ad::Tape tape;
  const ad::Var cost = nn::binary_cross_entropy(net(inputs), targets);
  tape.backward(cost);
  std::printf("from given weights: the cost, and its gradient by one walk backwards\n");
  show("cost", cost.value(), "0.7058488589595548");
  show("∂ weights of the inputs", tape.adjoint(hidden.weight),
       {{0.005716045381349233, 0.0022916419822411535, 0.003955926179669406},
        {0.0033149698144424103, 0.005248135239788971, 0.0020355981488115044}}, 15);
  show("∂ biases", tape.adjoint(hidden.bias), {-0.007426095537421268, 0.01226449971263342, 0.008157574276407087}, 15);
  show("∂ output weights", tape.adjoint(output.weight), {{0.02508563160774923}, {0.0309426272494341}, {0.03045487552283394}}, 15);
  show("∂ output bias", tape.adjoint(output.bias), {0.051499503787083595}, 15);
  const auto same = [&](const ad::Parameter<double>& p, const Tensor& by_hand) {
    claim(max(abs(tape.adjoint(p) - by_hand)) < 1e-15, "the formulas of backpropagation give the same");
  };
  same(hidden.weight, matmul(transpose(inputs), delta_hidden)), same(hidden.bias, sum(delta_hidden, 0));
  same(output.weight, matmul(transpose(a), delta_out)), same(output.bias, sum(delta_out, 0));
  std::printf("  by hand, layer by layer: the same\n");

  std::printf("after 10 000 epochs of gradient descent, learning rate 0.1\n");
  nn::Sgd optimizer{{.learning_rate = 0.1}};
  for (int epoch = 0; epoch < 10000; ++epoch) {
    tape.clear();
    const ad::Var c = nn::binary_cross_entropy(net(inputs), targets);
    tape.backward(c);
    optimizer.step(net);
  }
  const Tensor learned = net(inputs).value();
  show("outputs", learned, {{0.020296257341356545}, {0.9845742044122539}, {0.9821414014545643}, {0.0157561919189942}}, 14);
  show("cost", nn::binary_cross_entropy(learned, targets), "0.01748817383096118");
}
/* Expected output (of a long figure, the last digit may differ):
from given weights: the cost, and its gradient by one walk backwards
  cost                             0.7058488589595550
  ∂ weights of the inputs          0.005716045, 0.002291642, 0.003955926, 0.003314970, 0.005248135, 0.002035598
  ∂ biases                         -0.007426096, 0.012264500, 0.008157574
  ∂ output weights                 0.025085632, 0.030942627, 0.030454876
  ∂ output bias                    0.051499504
  by hand, layer by layer: the same
after 10 000 epochs of gradient descent, learning rate 0.1
  outputs                          0.020296257, 0.984574204, 0.982141401, 0.015756192
  cost                             0.01748817383096117
*/
