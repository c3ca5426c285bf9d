// Numbers on a tape are double, also beside tensors of float.
// error: numbers on a tape are double, costs of a net of float too: write ad::Var<double>
#include <autodiff/autodiff.hpp>

int main() {
#ifdef OK
  autodiff::Var<double> cost = 0;
#else
  autodiff::Var<float> cost = 0;
#endif
  return cost.value() != 0;
}
