// Shows: an elementary function of one's own, from outside of the library: one block, and it works on every kind of number.
#include <nn/nn.hpp>

#include "figures.hpp"
#include "options.hpp"
namespace ad = autodiff;
namespace nn = autodiff::nn;

/// Lambert's W(x), the number y with y·eʸ = x ≥ 0. There is no formula for it, and none is needed: dx/dy = eʸ + y·eʸ = eʸ + x.
struct LambertW {
  static constexpr ad::Row row{.name = "lambert_w", .domain = {0, 1e6}, .max_ulp = 4, .lanes = false};  // lanes: this value has a loop
  template <class X> static X value(const X& x) {
    X y = std::log1p(x), above = y + 1;  // log(1 + x) is too large, and Newton's method comes down from there
    while (y < above) {
      above = y;
      y = (y * y + x * std::exp(-y)) / (1 + y);
    }
    return y;
  }
  static auto slope(const auto& x, const auto& y) { using std::exp; return 1 / (exp(y) + x); }
};
const auto W = [](const auto& x) { return ad::apply<LambertW>(x); };  // a template function would do as well

int main(int argc, char** argv) {
  no_options(argc, argv, "A rule of one's own: Lambert's W, on plain numbers, duals, tapes, tensors and in a net");

  std::printf("plain numbers\n");
  show("W(1)", W(1.0), "0.5671432904097838");
  show("W(1) in float", static_cast<double>(W(1.0f)), "0.567143");

  std::printf("forward mode: the first derivative, and the derivative of that\n");
  const auto slope = [](const auto& x) { return ad::derivative(W, x); };
  show("W′(1)", slope(1.0), "0.3618962566348892");
  show("W″(1)", ad::derivative(slope, 1.0), "-0.2145406462821437");

  std::printf("reverse mode: W(x) + log W(x) is log x, so its slope is 1/x\n");
  ad::Tape tape;
  const ad::Var x = tape.variable(4.0), w = W(x), y = w + log(w);
  tape.backward(y);
  show("d/dx (W(x) + log W(x)) at 4", tape.adjoint(x), "0.25000000000000");

  std::printf("tensors, and a layer of a net, against finite differences\n");
  const ad::Tensor<double> t{{0.1, 0.5, 1}, {2, 10, 100}};
  const auto f = [](const auto& at) { return sum(W(at)); };
  const nn::Activation<LambertW> activation;
  const auto through_net = [&](const auto& at) { return mean(square(activation(matmul(at, transpose(t))))); };
  claim(ad::check_gradient(f, t).agrees() && ad::check_gradient(through_net, t).agrees(), "reverse mode agrees with finite differences");
  std::printf("  they agree\n");
}
/* Expected output (of a long figure, the last digit may differ):
plain numbers
  W(1)                             0.5671432904097838
  W(1) in float                    0.567143
forward mode: the first derivative, and the derivative of that
  W′(1)                            0.3618962566348892
  W″(1)                            -0.2145406462821437
reverse mode: W(x) + log W(x) is log x, so its slope is 1/x
  d/dx (W(x) + log W(x)) at 4      0.25000000000000
tensors, and a layer of a net, against finite differences
  they agree
*/
