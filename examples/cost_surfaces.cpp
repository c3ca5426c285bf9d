// Shows: two costs of one net as surfaces over its two weights. On the plains of the one there is no slope to follow; the other has none.
#include <autodiff/autodiff.hpp>

#include "figures.hpp"
#include "pictures.hpp"
namespace ad = autodiff;
using Tensor = ad::Tensor<double>;

const Tensor inputs{{0, 1}, {1, 1}};  // NOT, as in bias_unit
const Tensor targets{1, 0};

const auto net = [](const auto& w) { return sigmoid(matmul(inputs, w)); };
const auto mse = [](const auto& w) { return mean(square(net(w) - targets)); };
const auto cross_entropy = [](const auto& w) {
  const auto h = net(w);
  return sum(-targets * log(h) - (1 - targets) * log(1 - h));
};
/// The same, from the logits z = X·w: Σ log(1 + eᶻ) − y z. No difference 1 − h, so no digits are lost to it.
const auto from_logits = [](const auto& w) {
  const auto z = matmul(inputs, w);
  return sum(softplus(z) - targets * z);
};

int main(int argc, char** argv) {
  const std::string directory = picture_directory(argc, argv, "Mean squared error and cross-entropy of a net, over its two weights");

  const Tensor middle{0, 0}, low{-15, -15}, high{15, 15};
  std::printf("mean squared error\n");
  show("at (0, 0)", mse(middle), "0.25");
  show("at (−15, −15)", mse(low), "0.4999996940978199");
  std::printf("cross-entropy\n");
  show("at (0, 0)", cross_entropy(middle), "1.3862943611198906");
  show("at (−15, −15)", cross_entropy(low), "15.000000305902367");
  show("at (15, 15)", cross_entropy(high), "30.001020861337047");
  show("at (15, 15), from the logits", from_logits(high), "30.00000030590");
  std::printf("  The published 30.001 has lost digits: log(1 − h), h nearly 1.\n");

  std::printf("\nthe length of the gradient: what is left to follow on the plain\n");
  for (const Tensor& w : {low, high})
    std::printf("  at (%3.0f, %3.0f)   mean squared error %.1e   cross-entropy %.1e\n", w[0], w[1], norm(ad::gradient(mse, w)),
                norm(ad::gradient(from_logits, w)));
  claim(norm(ad::gradient(mse, high)) < 1e-6 && norm(ad::gradient(mse, low)) < 1e-6, "the mean squared error has plains");
  claim(norm(ad::gradient(from_logits, high)) > 1 && norm(ad::gradient(from_logits, low)) > 0.9, "the cross-entropy has none");
  const Tensor hessian = ad::hessian(from_logits, middle);
  claim(hessian(0, 0) > 0 && hessian(0, 0) * hessian(1, 1) - hessian(0, 1) * hessian(1, 0) > 0, "the cross-entropy is convex at (0, 0)");

  pictures::surfaces(directory, [](double a, double b) { return mse(Tensor{a, b}); },
                     [](double a, double b) { return from_logits(Tensor{a, b}); });
}
/* Expected output (of a long figure, the last digit may differ):
mean squared error
  at (0, 0)                        0.25
  at (−15, −15)                    0.4999996940978199
cross-entropy
  at (0, 0)                        1.3862943611198906
  at (−15, −15)                    15.000000305902368
  at (15, 15)                      30.001020861337047
  at (15, 15), from the logits     30.00000030590
  The published 30.001 has lost digits: log(1 − h), h nearly 1.

the length of the gradient: what is left to follow on the plain
  at (-15, -15)   mean squared error 3.1e-07   cross-entropy 1.0e+00
  at ( 15,  15)   mean squared error 9.3e-14   cross-entropy 1.4e+00
picture: pictures/cost_surfaces.png
*/
