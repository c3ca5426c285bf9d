// Shows: a net of one weight learns to answer 0. The slope published for it lacks a factor, and check_gradient says so.
#include <autodiff/autodiff.hpp>

#include "figures.hpp"
#include "pictures.hpp"
namespace ad = autodiff;

const ad::Tensor<double> inputs{0.1, 0.25, 0.5, 0.75, 1};
constexpr double target = 0, m = 5;  // one target for all five

const auto net = [](auto w) { return sigmoid(w * inputs); };                     // h, for all five
const auto cost = [](auto w) { return mean(square(net(w) - target)); };          // (1/m) Σ (h − y)²
const auto half_cost = [](auto w) { return sum(square(net(w) - target)) / 2; };  // ½ Σ (h − y)²

// d(half_cost)/dw by hand. The first was published; the chain rule asks for the second.
const auto published = [](double w) { const auto h = net(w); return sum((h - target) * h * (1 - h)); };
const auto mended = [](double w) { const auto h = net(w); return sum((h - target) * h * (1 - h) * inputs); };

/// The half cost of sigmoid(w·x + s), as a function of w and s.
const auto with_shift = [](const auto& p) { return sum(square(sigmoid(p[0] * inputs + p[1]) - target)) / 2; };

template <class Slope> double descend(double w, const Slope& slope) {
  for (int step = 0; step < 2000; ++step) w -= 0.5 * slope(w);
  return w;
}

int main(int argc, char** argv) {
  const std::string directory = picture_directory(argc, argv, "A net of one weight, sigmoid(w x), and a slope derived by hand");

  const ad::Tensor<double> h = net(0.3).rows(0, 2);
  std::printf("h = sigmoid(w·x), target 0\n");
  show("w = 0.3: h(0.1), h(0.25)", h, {0.51, 0.52}, 2);
  show("half of their mean cost", sum(square(h)) / 4, "0.13166");  // published as 0.133, from the rounded 0.51 and 0.52
  show("w = 5: cost", cost(5.0), "0.757384221746");

  std::printf("\nThe published slope: Σ (h − y)·h·(1 − h). Is it right at w = 5?\n");
  try {
    ad::check_gradient(half_cost, published, 5.0);
    claim(false, "check_gradient catches the published slope");
  } catch (const ad::GradientError& error) {
    std::printf("  %s\n", error.what());
  }
  const std::vector<double> slopes = ad::gradient(with_shift, std::vector<double>{5, 0});
  std::printf("It is the slope of something else, of a shift s added to every w·x: AD has %.9f for w, %.9f for s.\n", slopes[0], slopes[1]);
  claim(std::abs(slopes[1] - published(5)) < 1e-14, "the published slope is that of a shift");
  claim(ad::check_gradient(half_cost, mended, 5.0).agrees(), "with its factor x the slope is right");
  std::printf("The chain rule has one more factor: Σ (h − y)·h·(1 − h)·x. check_gradient agrees.\n");

  std::printf("\n2000 steps of 0.5 along the published slope\n");
  const double wrong = descend(5, published);
  show("w", wrong, "-24.3428836");
  show("cost", cost(wrong), "0.00130014553005");
  show("outputs", net(wrong), {0.08, 0, 0, 0, 0}, 2);
  std::printf("2000 steps of 0.5 along the true one (of the mean half cost), which nobody had to derive\n");
  const double right = descend(5, [](double w) { return ad::derivative(half_cost, w) / m; });
  show("w", right, "-6.462624244723682");
  show("cost", cost(right), "0.02944386601811297");
  pictures::slopes(directory, published, [](double w) { return ad::derivative(half_cost, w); },
                   [](double w) { return (half_cost(w + 1e-5) - half_cost(w - 1e-5)) / 2e-5; });
}
/* Expected output (of a long figure, the last digit may differ):
h = sigmoid(w·x), target 0
  w = 0.3: h(0.1), h(0.25)         0.51, 0.52
  half of their mean cost          0.13166
  w = 5: cost                      0.757384221746

The published slope: Σ (h − y)·h·(1 − h). Is it right at w = 5?
  check_gradient: component 0: yours 0.374157501, AD 0.103713244, finite difference 0.103713244
It is the slope of something else, of a shift s added to every w·x: AD has 0.103713244 for w, 0.374157501 for s.
The chain rule has one more factor: Σ (h − y)·h·(1 − h)·x. check_gradient agrees.

2000 steps of 0.5 along the published slope
  w                                -24.3428836
  cost                             0.00130014553005
  outputs                          0.08, 0.00, 0.00, 0.00, 0.00
2000 steps of 0.5 along the true one (of the mean half cost), which nobody had to derive
  w                                -6.462624244723681
  cost                             0.02944386601811298
picture: pictures/one_weight.png
*/
