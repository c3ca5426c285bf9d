// A variable does not turn into an int by itself: its derivative would be lost without a word.
// error: to 'int'
#include <autodiff/autodiff.hpp>

int rounded(const autodiff::Var<double>& x) {
  int n = static_cast<int>(x.value());
#ifndef OK
  n = x;
#endif
  return n;
}
