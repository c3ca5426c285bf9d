// The two sides of ?: must be of one type, and two different expressions are not. (The README says so, and the way out.)
// error: operand
#include <autodiff/autodiff.hpp>

autodiff::Var<double> f(const autodiff::Var<double>& x) {
#ifndef OK
  return x > 1 ? x * x : sin(x);
#else
  return x > 1 ? autodiff::Var(x * x) : autodiff::Var(sin(x));
#endif
}
