// A driver at a tensor of a recording, whose result would not be recorded.
// error: no gradient is taken at a tensor of a recording: use recorded_gradient(f, x), or jvp(f, x, v), which are recorded
#include <autodiff/autodiff.hpp>
namespace ad = autodiff;
int main() {
  const auto f = [](const auto& x) { return sum(x * x); };
  ad::Tape tape;
  const ad::Tensor<double> numbers{1, 2};
  const ad::Var x = tape.variable(numbers);
  (void)ad::recorded_gradient(f, x);
#ifndef OK
  ad::gradient(f, x);
  ad::hvp(f, x, numbers);
  ad::vjp(f, x, 1.0);
  ad::jacobian(f, x);
#endif
}
