// A sum that is to hold an outer derivative's variables, declared with the inner number.
// error: the result rests on more than this number can carry
#include <autodiff/autodiff.hpp>
namespace ad = autodiff;

int main() {
  const auto f = [](const auto& q) {
    return ad::derivative([&q](const auto& x) {
#ifdef OK
      decltype(q * x) s = x;
#else
      auto s = x;
#endif
      s += q * x;
      return s;
    }, 2.0);
  };
  return ad::derivative(f, 3.0) != 1;
}
