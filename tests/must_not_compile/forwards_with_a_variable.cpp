// A function that runs forwards, without a tape, cannot carry the derivatives of a tape's variable.
// error: a function that runs forwards uses a variable of a tape
#include <autodiff/autodiff.hpp>
double slope(const autodiff::Var<double>& w, double x) {
#ifdef OK
  const double c = w.value();
#else
  const autodiff::Var<double> c = w;
#endif
  return autodiff::gradient_forwards([&](const auto& z) { return z[0] * c; }, std::array<double, 1>{x})[0];
}
