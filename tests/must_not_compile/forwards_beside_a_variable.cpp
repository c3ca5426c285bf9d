// Nor may what such a function returns rest on one, where only its value would be lost.
// error: what a function that runs forwards returns rests on a variable of a tape
#include <autodiff/autodiff.hpp>
double value(const autodiff::Var<double>& w, double x) {
#ifdef OK
  const double c = w.value();
#else
  const autodiff::Var<double> c = w;
#endif
  return autodiff::value_and_gradient_forwards([&](const auto& z) { return z[0] + c; }, std::array<double, 1>{x}).value;
}
