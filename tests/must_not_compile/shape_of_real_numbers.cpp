// A shape has whole sizes.
// error: narrow
#include <autodiff/autodiff.hpp>
int main() {
  const autodiff::Shape right({2, 3});
#ifndef OK
  const autodiff::Shape wrong({2.5, 3.0});
#endif
  return right.axes() != 2;
}
