// A gradient at plain numbers inside of a derivative, whose function uses the outer variable.
// error: f returns a number that rests on variables of an outer derivative
#include <autodiff/autodiff.hpp>
int main() {
  const auto slope = [](auto t) {
#ifdef OK
    return autodiff::gradient([&](const auto& z) { return z[0] * t; }, std::vector{t})[0];
#else
    return autodiff::gradient([&](const auto& z) { return z[0] * t; }, std::vector{1.0})[0];
#endif
  };
  return autodiff::derivative(slope, 2.0) != 1;
}
