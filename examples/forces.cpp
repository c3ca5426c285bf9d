// Shows: a net learns an energy that nobody measured, from the forces, its derivatives: a cost of a gradient.
#include <nn/nn.hpp>

#include "figures.hpp"
#include "options.hpp"
namespace ad = autodiff;
namespace nn = autodiff::nn;
using Tensor = ad::Tensor<double>;

// A ball between two wells: E = (x² − 1)², and the force −dE/dx.
double energy(double x) { return (x * x - 1) * (x * x - 1); }
double force(double x) { return -4 * x * (x * x - 1); }

int main(int argc, char** argv) {
  no_options(argc, argv, "A net learns an energy from measured forces: training on a derivative of the net");

  Tensor x = Tensor::zeros({41, 1}), measured = x;
  for (std::size_t i = 0; i < x.size(); ++i) {
    x[i] = -1.5 + 0.075 * static_cast<double>(i);
    measured[i] = force(x[i]);
  }
  nn::Sequential net{nn::Linear<double>(1, 24), nn::Tanh{}, nn::Linear<double>(24, 24), nn::Tanh{}, nn::Linear<double>(24, 1)};
  nn::initialize(net, /*seed*/ 1);
  const auto total = [&](const auto& at) { return sum(net(at)); };          // rows do not mix: its gradient is dE/dx of each
  const auto error = [&](const auto& slope) { return mean(square(-slope - measured)); };
  const auto cost = [&] { return ad::cost_of_gradient(error, total, ad::Var(x)); };

  claim(nn::check_gradient(net, cost).agrees(), "the gradient of the cost, second derivatives of the net, agrees with finite differences");
  nn::Adam optimizer{{.learning_rate = 0.01}};
  ad::Tape tape;
  double last = 0;
  for (int epoch = 0; epoch < 2000; ++epoch) {
    if (epoch == 1500) optimizer.set_learning_rate(0.001);
    tape.clear();
    const ad::Var now = cost();
    if (epoch == 0) std::printf("mean squared error of the forces, at first %.1f\n", now.value());
    tape.backward(now);
    optimizer.step(net);
    last = now.value();
  }
  claim(last < 1e-3, "the forces are learned");
  std::printf("after 2000 steps below 0.001\n\n");

  const ad::Pause pause;
  const auto learned = [&](double at) { return net(Tensor{{at}}).value().item(); };
  std::printf("    x    force  learned    E(x) − E(0)  learned\n");
  for (const double at : {-1.4, -1.2, -0.5, 0.3, 0.8, 1.4}) {
    const double slope = ad::gradient(total, Tensor{{at}}).item(), rise = energy(at) - energy(0), learned_rise = learned(at) - learned(0);
    std::printf(" %4.1f    %5.1f    %5.1f          %5.1f    %5.1f\n", at, force(at), -slope, rise, learned_rise);
    claim(std::abs(-slope - force(at)) < 0.1 && std::abs(learned_rise - rise) < 0.05, "force and energy are right between the points, too");
  }
}
/* Expected output (of a long figure, the last digit may differ):
mean squared error of the forces, at first 7.0
after 2000 steps below 0.001

    x    force  learned    E(x) − E(0)  learned
 -1.4      5.4      5.4           -0.1     -0.1
 -1.2      2.1      2.1           -0.8     -0.8
 -0.5     -1.5     -1.5           -0.4     -0.4
  0.3      1.1      1.1           -0.2     -0.2
  0.8      1.2      1.1           -0.9     -0.9
  1.4     -5.4     -5.4           -0.1     -0.1
*/
