// Shows: two weights, one of them a bias, learn NOT. The published gradient is one number for both; check_gradient says which is wrong.
#include <autodiff/autodiff.hpp>

#include "figures.hpp"
#include "pictures.hpp"
namespace ad = autodiff;
using Tensor = ad::Tensor<double>;

const Tensor inputs{{0, 1}, {1, 1}};  // the input, and a 1 for the bias
const Tensor targets{1, 0};           // NOT

const auto net = [](const auto& w) { return sigmoid(matmul(inputs, w)); };
const auto cost = [](const auto& w) { return sum(square(net(w) - targets)) / 2; };  // ½ Σ (h − y)², here the same as (1/m) Σ (h − y)²

/// δ = (h − y)·h·(1 − h), the slope of the cost in each X·w.
Tensor delta(const Tensor& w) { const Tensor h = net(w); return (h - targets) * h * (1 - h); }

// The gradient by hand. The first was published, in effect: one sum for both weights. The second is Xᵀ·δ, an inner product for each.
const auto published = [](const Tensor& w) { return Tensor::full({2}, sum(delta(w))); };
const auto mended = [](const Tensor& w) { return matmul(transpose(inputs), delta(w)); };

/// 12 000 steps of 0.05: every point on the way.
template <class Gradient> std::vector<Tensor> descend(const Tensor& w, const Gradient& gradient) {
  std::vector<Tensor> path{w};
  while (path.size() <= 12000) path.push_back(path.back() - 0.05 * gradient(path.back()));
  return path;
}

int main(int argc, char** argv) {
  const std::string directory = picture_directory(argc, argv, "A net of a weight and a bias learns NOT; a gradient derived by hand");

  const double slack = 2e-8;  // the tutorial prints its start with 8 digits; what follows from it can't have more
  const Tensor start{-0.14935895, 7.10444213};
  std::printf("h = sigmoid(X·w), X = [[0, 1], [1, 1]], y = [1, 0], w = (-0.14935895, 7.10444213)\n");
  show("cost", cost(start), "0.499047925023", 1e-10);
  std::printf("\nThe published gradient has Σ (h − y)·h·(1 − h) for both. Is it right at w = (0, 0)?\n");
  try {
    ad::check_gradient(cost, published, Tensor{0, 0});
    claim(false, "check_gradient catches the published gradient");
  } catch (const ad::GradientError& error) {
    std::printf("  %s\n", error.what());
    claim(!error.report.components[0].agrees && error.report.components[1].agrees, "component 0 is wrong, component 1 right");
  }
  claim(ad::check_gradient(cost, mended, Tensor{0, 0}).agrees(), "the inner product is right");
  std::printf("Only the bias sees a 1 in every sample. With δ = (h − y)·h·(1 − h), the gradient is Xᵀ·δ. check_gradient agrees.\n");

  std::printf("\n12 000 steps of 0.05 along the published gradient: both weights move by the same −4.62299\n");
  const std::vector<Tensor> wrong = descend(start, published);
  show("weight", wrong.back()[0], "-4.77235179", slack);
  show("bias", wrong.back()[1], "2.4814493", slack);
  show("cost", cost(wrong.back()), "0.00719841740292", 1e-10);
  show("NOT 0 and NOT 1, rounded", net(wrong.back()), {1, 0}, 0);
  std::printf("12 000 steps of 0.05 along the true one, which nobody had to derive\n");
  const std::vector<Tensor> right = descend(start, [](const Tensor& w) { return ad::gradient(cost, w); });
  show("weight", right.back()[0], "-4.9627121");
  show("bias", right.back()[1], "2.53334478");
  show("cost", cost(right.back()), "0.005982354789951874");
  show("NOT 0 and NOT 1", net(right.back()), {0.9264466, 0.08096053}, 8);
  pictures::two_descents(directory, [](double a, double b) { return cost(Tensor{a, b}); }, wrong, right);
}
/* Expected output (of a long figure, the last digit may differ):
h = sigmoid(X·w), X = [[0, 1], [1, 1]], y = [1, 0], w = (-0.14935895, 7.10444213)
  cost                             0.499047925028

The published gradient has Σ (h − y)·h·(1 − h) for both. Is it right at w = (0, 0)?
  check_gradient: component 0: yours 0, AD 0.125, finite difference 0.125
Only the bias sees a 1 in every sample. With δ = (h − y)·h·(1 − h), the gradient is Xᵀ·δ. check_gradient agrees.

12 000 steps of 0.05 along the published gradient: both weights move by the same −4.62299
  weight                           -4.77235178
  bias                             2.4814493
  cost                             0.00719841746975
  NOT 0 and NOT 1, rounded         1, 0
12 000 steps of 0.05 along the true one, which nobody had to derive
  weight                           -4.9627121
  bias                             2.53334478
  cost                             0.005982354789951877
  NOT 0 and NOT 1                  0.92644660, 0.08096053
picture: pictures/bias_unit.png
*/
