// y(0) of a variable is a copy: writing to it would change nothing, without a word.
// error: error
#include <autodiff/autodiff.hpp>

namespace ad = autodiff;

double written(ad::Var<ad::Tensor<double>>& y) {
  ad::Var first = y(0);
  first = 3.0;
#ifndef OK
  y(0) = 3.0;
#endif
  return first.value();
}
