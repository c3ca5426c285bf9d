// An elementary function of one's own needs its slope.
// error: slope
#include <autodiff/autodiff.hpp>

struct Triple {
  static constexpr autodiff::Row row{.name = "triple", .domain = {-1, 1}, .max_ulp = 1};
  template <class X> static X value(const X& x) { return 3 * x; }
#ifdef OK
  static auto slope(const auto& x, const auto&) { return 3 + 0 * x; }
#endif
};

autodiff::Var<double> f(const autodiff::Var<double>& x) { return autodiff::apply<Triple>(x); }
