// backward of what is no number of a tape.
// error: no matching
#include <autodiff/autodiff.hpp>
int main() {
  autodiff::Tape tape;
  const autodiff::Var x = tape.variable(2.0);
  tape.backward(x * x);
#ifndef OK
  struct Nothing {} y;
  tape.backward(y);
#endif
}
