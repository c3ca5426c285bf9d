// A picture of a tape over other numbers than double.
// error: what a Tape holds is drawn, not a tape over other numbers
#include <autodiff/autodiff.hpp>
namespace ad = autodiff;

int main() {
#ifdef OK
  using Number = double;
#else
  using Number = ad::Dual<double>;
#endif
  ad::BasicTape<Number> tape;
  const ad::Var<Number> x = tape.variable(Number(2.0)), y = x * x;
  return to_dot(y).empty();
}
