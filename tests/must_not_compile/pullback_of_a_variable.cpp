// A pullback that computes with a variable.
// error: with_pullback: the pullback returns a plain tensor of the operands' number type
#include <autodiff/autodiff.hpp>
namespace ad = autodiff;
int main() {
  ad::Tape tape;
  const ad::Var x = tape.variable(ad::Tensor<double>{1, 2});
#ifdef OK
  ad::with_pullback("half of the square", square(x.value()) * 0.5, [x = x.value()](const auto& g) { return x * g; }, x);
#else
  ad::with_pullback("half of the square", square(x.value()) * 0.5, [x](const auto& g) { return x * g; }, x);
#endif
}
