// A fused layer with a rule that has no kernel.
// error: a rule of your own has no fused kernel; write apply<Rule>(layer(x, w, bias))
#include <autodiff/autodiff.hpp>
namespace ad = autodiff;

struct Cubed {
  static constexpr ad::Row row{.name = "cubed", .domain = {-1, 1}, .max_ulp = 1};
  template <class X> static X value(const X& x) { return x * x * x; }
  static auto slope(const auto& x, const auto&) { return 3 * x * x; }
};

int main() {
  const ad::Tensor<double> x{{1, 2}}, w{{1}, {2}}, bias{3};
#ifdef OK
  return ad::apply<Cubed>(ad::layer(x, w, bias))[0] != 512;
#else
  return ad::layer<Cubed>(x, w, bias)[0] != 512;
#endif
}
