// A variable does not turn into a double by itself either; .value() says that it is meant.
// error: to 'double'
#include <autodiff/autodiff.hpp>

double number(const autodiff::Var<double>& x) {
  double number = x.value();
#ifndef OK
  number = x;
#endif
  return number;
}
