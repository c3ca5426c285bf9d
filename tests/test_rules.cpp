// The table, walked rule by rule: each value against a long double reference, each slope against high-order differences of that
// reference, the row's claims, the edges. A new rule needs one line in `unary_reference` or `binary_reference` and nothing else.
#include <autodiff/dual.hpp>
#include <doctest/doctest.h>

#include <array>
#include <cfloat>
#include <cstdio>
#include <fstream>
#include <functional>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace ad = autodiff;

namespace {
using Long = long double;
constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

// ---- references -----------------------------------------------------------------------------------------------------

Long digamma_by_recurrence(Long x) {
  Long y = 0;
  for (; x < 40; x += 1) y -= 1 / x;
  const Long w = 1 / (x * x);  // A&S 6.3.18, as far as long double asks at x >= 40
  return y + std::log(x) - 0.5L / x - w * (1 / 12.0L - w * (1 / 120.0L - w * (1 / 252.0L - w * (1 / 240.0L - w * (1 / 132.0L)))));
}

const std::map<std::string, std::function<Long(Long)>> unary_reference = {
    {"identity", [](Long x) { return x; }}, {"negate", [](Long x) { return -x; }}, {"square", [](Long x) { return x * x; }},
    {"sqrt", [](Long x) { return std::sqrt(x); }}, {"cbrt", [](Long x) { return std::cbrt(x); }},
    {"exp", [](Long x) { return std::exp(x); }}, {"exp2", [](Long x) { return std::exp2(x); }},
    {"expm1", [](Long x) { return std::expm1(x); }}, {"log", [](Long x) { return std::log(x); }},
    {"log2", [](Long x) { return std::log2(x); }}, {"log10", [](Long x) { return std::log10(x); }},
    {"log1p", [](Long x) { return std::log1p(x); }}, {"sin", [](Long x) { return std::sin(x); }},
    {"cos", [](Long x) { return std::cos(x); }}, {"tan", [](Long x) { return std::tan(x); }}, {"asin", [](Long x) { return std::asin(x); }},
    {"acos", [](Long x) { return std::acos(x); }}, {"atan", [](Long x) { return std::atan(x); }},
    {"sinh", [](Long x) { return std::sinh(x); }}, {"cosh", [](Long x) { return std::cosh(x); }},
    {"tanh", [](Long x) { return std::tanh(x); }}, {"asinh", [](Long x) { return std::asinh(x); }},
    {"acosh", [](Long x) { return std::acosh(x); }}, {"atanh", [](Long x) { return std::atanh(x); }},
    {"erf", [](Long x) { return std::erf(x); }}, {"erfc", [](Long x) { return std::erfc(x); }}, {"digamma", digamma_by_recurrence},
    {"lgamma", [](Long x) { return std::lgamma(x); }}, {"tgamma", [](Long x) { return std::tgamma(x); }},
    {"abs", [](Long x) { return std::fabs(x); }}, {"floor", [](Long x) { return std::floor(x); }},
    {"ceil", [](Long x) { return std::ceil(x); }}, {"round", [](Long x) { return std::round(x); }},
    {"trunc", [](Long x) { return std::trunc(x); }}, {"sigmoid", [](Long x) { return 1 / (1 + std::exp(-x)); }},
    {"softplus", [](Long x) { return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x)); }},
    {"log_sigmoid", [](Long x) { return x > 0 ? -std::log1p(std::exp(-x)) : x - std::log1p(std::exp(x)); }},
    {"relu", [](Long x) { return x > 0 ? x : 0 * x; }}, {"gelu", [](Long x) { return x * std::erfc(-x * std::sqrt(0.5L)) / 2; }},
    {"silu", [](Long x) { return x / (1 + std::exp(-x)); }},
};

const std::map<std::string, std::function<Long(Long, Long)>> binary_reference = {
    {"add", [](Long a, Long b) { return a + b; }}, {"subtract", [](Long a, Long b) { return a - b; }},
    {"multiply", [](Long a, Long b) { return a * b; }}, {"scale", [](Long a, Long b) { return a * b; }},
    {"divide", [](Long a, Long b) { return a / b; }},
    {"pow", [](Long a, Long b) { return std::pow(a, b); }}, {"hypot", [](Long a, Long b) { return std::hypot(a, b); }},
    {"atan2", [](Long a, Long b) { return std::atan2(a, b); }}, {"max", [](Long a, Long b) { return a > b ? a : b; }},
    {"min", [](Long a, Long b) { return a < b ? a : b; }}, {"fmax", [](Long a, Long b) { return std::fmax(a, b); }},
    {"fmin", [](Long a, Long b) { return std::fmin(a, b); }}, {"fmod", [](Long a, Long b) { return std::fmod(a, b); }},
    {"copysign", [](Long a, Long b) { return std::copysign(a, b); }},
    {"logaddexp", [](Long a, Long b) { return std::fmax(a, b) + std::log1p(std::exp(-std::fabs(a - b))); }},
    {"xlogy", [](Long a, Long b) { return a * std::log(b); }},
};

template <class Map> auto reference(const Map& map, const std::string& name) {
  const auto found = map.find(name);
  REQUIRE_MESSAGE(found != map.end(), "give the rule '" << name << "' a line in the references of tests/test_rules.cpp");
  return found->second;
}

// ---- walking --------------------------------------------------------------------------------------------------------

template <class F, class... Rules> void each(ad::List<Rules...>, F f) { (f(Rules{}), ...); }

/// Points of a domain: its ends, evenly spread ones, and powers of ten of both signs.
std::vector<double> points(ad::Interval domain, int n) {
  std::vector<double> p{domain.low, domain.high};
  for (int i = 0; i < n; ++i) p.push_back(domain.low + (domain.high - domain.low) * ((i + 0.381966) / n));
  for (int i = 0; i < n; ++i)
    for (const double sign : {-1.0, 1.0}) {
      const double x = sign * std::pow(10.0, -3 + 9 * ((i + 0.618034) / n));
      if (x > domain.low && x < domain.high) p.push_back(x);
    }
  return p;
}

/// |y − exact| in units of the last place of T; −1 where T has no normal number for it.
template <class T> double ulps(T y, Long exact) {
  const Long size = std::fabs(exact);
  if (size == 0) return y == 0 ? 0 : infinity;
  if (!(size >= Long(std::numeric_limits<T>::min()) && size <= Long(std::numeric_limits<T>::max()))) return -1;
  return static_cast<double>(std::fabs(Long(y) - exact) / std::ldexp(Long(1), std::ilogb(size) + 1 - std::numeric_limits<T>::digits));
}

/// A derivative by differences of order eight; the error to expect of it, rounding and `tolerance`; whether smaller steps agree so far.
struct Difference { Long slope, error; bool sure; };
template <class F, class Tolerance> Difference difference(const F& f, Long h, const Tolerance& tolerance) {
  const auto at = [&](Long s) {
    const auto pair = [&](int k) { return f(k * s) - f(-k * s); };
    return (4.0L / 5 * pair(1) - 1.0L / 5 * pair(2) + 4.0L / 105 * pair(3) - 1.0L / 280 * pair(4)) / s;
  };
  const Long coarse = at(h), fine = at(h / 2), error = tolerance(fine) + 8 * LDBL_EPSILON * std::fabs(f(0)) / h;
  return {fine, 4 * error, std::fabs(coarse - fine) <= error && std::fabs(at(h / 3.7L) - fine) <= 4 * error};  // at jumps two may agree
}
Long step(Long x, ad::Interval domain) {
  return 0.01L * std::fmin(std::fmin(1.0L, std::fabs(x)), std::fmin(x - Long(domain.low), Long(domain.high) - x));
}

/// How many points differences could judge, and the judgement.
struct Tally {
  std::string name;
  int sure = 0, all = 0;
  void judge(double slope, const Difference& d, double a, double b = 0) {
    ++all;
    if (!d.sure) return;
    ++sure;
    CHECK_MESSAGE(std::fabs(slope - d.slope) <= d.error, name << " at " << a << ", " << b << ": " << slope << ", not " << double(d.slope));
  }
  ~Tally() { CHECK_MESSAGE(sure * 10 >= all * 6, name << ": differences could judge only " << sure << " of " << all << " points"); }
};

bool near(double a, double b) { return std::fabs(a - b) <= 1e-14 * std::fabs(b); }  // doctest's Approx lets every tiny number pass
template <class Rule> std::string name_of() { return Rule::row.name; }
bool same(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

}  // namespace

TEST_CASE_TEMPLATE("every value is within its row's error bound of a long double reference", T, double, float) {
  each(ad::UnaryRules{}, []<class Rule>(Rule) {
    const auto exact = reference(unary_reference, Rule::row.name);
    double worst = 0, at = 0;
    for (const double p : points(Rule::row.domain, 4000)) {
      const T x = static_cast<T>(p);
      if (double(x) < Rule::row.domain.low || double(x) > Rule::row.domain.high) continue;
      const double error = ulps<T>(Rule::value(x), exact(x));
      if (error > worst || std::isnan(error)) worst = error, at = double(x);
    }
    std::printf("%12s %s  %.3g of %g ULP\n", Rule::row.name, sizeof(T) == 4 ? "float " : "double", worst, Rule::row.max_ulp);
    CHECK_MESSAGE(worst <= Rule::row.max_ulp, name_of<Rule>() << " is " << worst << " ULP off at " << at);
  });
  each(ad::BinaryRules{}, []<class Rule>(Rule) {
    const auto exact = reference(binary_reference, Rule::row.name);
    double worst = 0, at = 0, beside = 0;
    for (const double p : points(Rule::row.domain, 80))
      for (const double q : points(Rule::row.right, 80)) {
        const T a = static_cast<T>(p), b = static_cast<T>(q);
        const double error = ulps<T>(Rule::value(a, b), exact(a, b));
        if (error > worst || std::isnan(error)) worst = error, at = double(a), beside = double(b);
      }
    std::printf("%12s %s  %.3g of %g ULP\n", Rule::row.name, sizeof(T) == 4 ? "float " : "double", worst, Rule::row.max_ulp);
    CHECK_MESSAGE(worst <= Rule::row.max_ulp, name_of<Rule>() << " is " << worst << " ULP off at " << at << ", " << beside);
  });
}

TEST_CASE("every slope agrees with differences of the reference") {
  const auto tolerance = [](Long slope) { return 1e-10L * std::fabs(slope) + 4e-15L; };
  const auto in_float = [](Long slope) { return 5e-6L * std::fabs(slope) + 2.5e-7L; };
  each(ad::UnaryRules{}, [&]<class Rule>(Rule) {
    const auto f = reference(unary_reference, Rule::row.name);
    Tally tally{Rule::row.name}, float_tally{name_of<Rule>() + " in float"};
    for (const double x : points(Rule::row.domain, 300)) {
      const Long h = step(x, Rule::row.domain);
      if (h == 0) continue;
      const double y = Rule::value(x);
      tally.judge(Rule::slope(x, y), difference([&](Long s) { return f(x + s); }, h, tolerance), x);
      const float fx = static_cast<float>(x), fy = Rule::value(fx);
      if (!(std::fabs(x) < 100 && std::fabs(y) < 1e30)) continue;
      float_tally.judge(double(Rule::slope(fx, fy)), difference([&](Long s) { return f(fx + s); }, h, in_float), x);
    }
  });
  each(ad::BinaryRules{}, [&]<class Rule>(Rule) {
    const auto f = reference(binary_reference, Rule::row.name);
    Tally left{name_of<Rule>() + " left"}, right{name_of<Rule>() + " right"};
    for (const double a : points(Rule::row.domain, 25))
      for (const double b : points(Rule::row.right, 25)) {
        const Long ha = step(a, Rule::row.domain), hb = step(b, Rule::row.right);
        if (ha == 0 || hb == 0) continue;
        const double y = Rule::value(a, b);
        left.judge(Rule::left(a, b, y), difference([&](Long s) { return f(a + s, b); }, ha, tolerance), a, b);
        right.judge(Rule::right(a, b, y), difference([&](Long s) { return f(a, b + s); }, hb, tolerance), a, b);
      }
  });
}

TEST_CASE("a rule on a Dual gives its value and its slope") {
  each(ad::UnaryRules{}, []<class Rule>(Rule) {
    for (const double x : points(Rule::row.domain, 50)) {
      const auto y = ad::apply<Rule>(ad::Dual<double>(x, 1));
      CHECK(same(y.value(), Rule::value(x)));
      CHECK(same(y.tangent(), Rule::slope(x, Rule::value(x))));
    }
  });
  each(ad::BinaryRules{}, []<class Rule>(Rule) {
    for (const double a : points(Rule::row.domain, 8))
      for (const double b : points(Rule::row.right, 8)) {
        const double y = Rule::value(a, b), left = Rule::left(a, b, y), right = Rule::right(a, b, y);
        CHECK(same(ad::apply<Rule>(ad::Dual<double>(a, 1), b).tangent(), left));
        CHECK(same(ad::apply<Rule>(a, ad::Dual<double>(b, 1)).tangent(), right));
        CHECK(same(ad::apply<Rule>(ad::Dual<double>(a, 2), ad::Dual<double>(b, 3)).tangent(), left * 2 + right * 3));
        CHECK(same(ad::apply<Rule>(ad::Dual<double>(a, 2), ad::Dual<double>(b, 3)).value(), y));
      }
  });
}

TEST_CASE("second derivatives by a Dual of Duals agree with differences of the slopes") {
  using D = ad::Dual<double, struct Inner>;
  using DD = ad::Dual<D, struct Outer>;
  each(ad::UnaryRules{}, []<class Rule>(Rule) {
    Tally tally{Rule::row.name};
    for (const double x : points(Rule::row.domain, 200)) {
      const Long h = 2 * step(x, Rule::row.domain);
      if (h == 0 || std::fabs(x) > 100) continue;
      const auto slope = [&](Long s) { const double at = static_cast<double>(x + s); return Long(Rule::slope(at, Rule::value(at))); };
      const Long noise = 1e-13L * (std::fabs(slope(0)) + 1) / h * std::fmax(1, std::fabs(x));
      const Difference d = difference(slope, h, [&](Long second) { return 1e-6L * std::fabs(second) + noise; });
      tally.judge(ad::apply<Rule>(DD(D(x, 1), D(1, 0))).tangent().tangent(), d, x);
    }
  });
  each(ad::BinaryRules{}, []<class Rule>(Rule) {
    Tally tally{Rule::row.name};
    for (const double a : points(Rule::row.domain, 12))
      for (const double b : points(Rule::row.right, 12))
        for (const auto& direction : {std::array{1.0, 0.0}, std::array{0.0, 1.0}, std::array{1.0, 1.0}}) {
          const double u = direction[0], v = direction[1];
          const Long h = 2 * std::fmin(step(a, Rule::row.domain), step(b, Rule::row.right));
          if (h == 0 || std::fabs(a) > 100 || std::fabs(b) > 100) continue;
          const auto slope = [&](Long s) {
            const double p = static_cast<double>(a + u * s), q = static_cast<double>(b + v * s), y = Rule::value(p, q);
            return Long(u) * Rule::left(p, q, y) + Long(v) * Rule::right(p, q, y);
          };
          const Long noise = 1e-13L * (std::fabs(slope(0)) + 1) / h * (std::fabs(a) + std::fabs(b) + 1);
          const Difference d = difference(slope, h, [&](Long second) { return 1e-6L * std::fabs(second) + noise; });
          tally.judge(ad::apply<Rule>(DD(D(a, u), D(u, 0)), DD(D(b, v), D(v, 0))).tangent().tangent(), d, a, b);
        }
  });
}

TEST_CASE("from_result says truly whether the slope can do without x") {
  each(ad::UnaryRules{}, []<class Rule>(Rule) {
    int differs = 0;
    for (const double x : points(Rule::row.domain, 100)) {
      const double y = Rule::value(x);
      differs += !same(Rule::slope(y, y), Rule::slope(x, y));
    }
    CHECK_MESSAGE((differs == 0) == Rule::row.from_result, name_of<Rule>() << " needs x at " << differs << " points");
  });
}

TEST_CASE("NaN goes in and comes out, in the value and in the slope") {
  each(ad::UnaryRules{}, []<class Rule>(Rule) {
    const double y = Rule::value(not_a_number), slope = Rule::slope(not_a_number, y);
    CHECK_MESSAGE(std::isnan(y), name_of<Rule>());
    const double low = std::max(Rule::row.domain.low, -2.0), high = std::min(Rule::row.domain.high, 2.1);  // beside 0: relu and abs have two slopes
    const auto slope_at = [&](double share) { const double x = low + share * (high - low); return Rule::slope(x, Rule::value(x)); };
    const bool constant = slope_at(0.4) == slope_at(0.6);
    if (!constant) CHECK_MESSAGE(std::isnan(slope), name_of<Rule>());
  });
  each(ad::BinaryRules{}, []<class Rule>(Rule) {
    const std::string name = Rule::row.name;
    if (name == "fmax" || name == "fmin") return;  // they are there to drop it
    CHECK_MESSAGE(std::isnan(Rule::value(not_a_number, 2.0)), name);
    if (name != "copysign") CHECK_MESSAGE(std::isnan(Rule::value(2.0, not_a_number)), name);
  });
}

TEST_CASE("no slope is NaN where the value is a number") {
  each(ad::UnaryRules{}, []<class Rule>(Rule) {
    for (const double x : {0.0, -0.0, 1e-300, -1e-300, 5e-324, 1.0, -1.0, 710.0, -710.0, -746.0, 1e300, -1e300, infinity, -infinity}) {
      const double y = Rule::value(x), slope = Rule::slope(x, y);
      if (std::isnan(y) || (name_of<Rule>() == "lgamma" && x < 0 && y == infinity)) continue;  // a pole, between slopes −∞ and ∞
      CHECK_MESSAGE(!std::isnan(slope), name_of<Rule>() << " at " << x << ", where y is " << y);
    }
  });
}

TEST_CASE("values at the extremes are those of the standard library") {
  each(ad::UnaryRules{}, []<class Rule>(Rule) {
    if (name_of<Rule>() == "digamma") return;  // tests/test_special.cpp
    const auto exact = reference(unary_reference, Rule::row.name);
    for (const double x : {0.0, -0.0, 1e-300, -1e-300, infinity, -infinity, 1e300, -1e300}) {
      double want = static_cast<double>(exact(x));
      if (x == -infinity && (name_of<Rule>() == "gelu" || name_of<Rule>() == "silu")) want = 0;  // the limit
      if (x == -infinity && name_of<Rule>() == "relu") want = 0;
      const bool close = std::isfinite(want) ? ulps<double>(Rule::value(x), want) <= Rule::row.max_ulp : same(Rule::value(x), want);
      CHECK_MESSAGE(close, name_of<Rule>() << " at " << x << ": " << Rule::value(x) << " for " << want);
    }
  });
}

namespace {
template <class Rule> double slope(double x) { return Rule::slope(x, Rule::value(x)); }
using Pair = std::array<double, 2>;
template <class R> Pair slopes(double a, double b) { return {R::left(a, b, R::value(a, b)), R::right(a, b, R::value(a, b))}; }
}  // namespace

TEST_CASE("silu has digits wherever it is a normal number") {
  CHECK(near(ad::evaluate<ad::Silu>(-710.13), -710.13 * std::exp(-710.13)));
  CHECK(std::abs(ad::evaluate<ad::Silu>(-89.5f) / static_cast<float>(-89.5 * std::exp(-89.5)) - 1) < 1e-6);
}

TEST_CASE("slopes at the ends of a domain are the limits") {
  CHECK(slope<ad::Sqrt>(0.0) == infinity);
  CHECK(slope<ad::Sqrt>(-0.0) == infinity);
  CHECK(slope<ad::Sqrt>(infinity) == 0);
  CHECK(slope<ad::Cbrt>(0.0) == infinity);
  CHECK(slope<ad::Cbrt>(-0.0) == infinity);
  CHECK(slope<ad::Log>(0.0) == infinity);
  CHECK(slope<ad::Log>(-0.0) == infinity);
  CHECK(slope<ad::Log2>(-0.0) == infinity);
  CHECK(slope<ad::Log10>(-0.0) == infinity);
  CHECK(slope<ad::Log1p>(-1.0) == infinity);
  CHECK(slope<ad::Asin>(1.0) == infinity);
  CHECK(slope<ad::Asin>(-1.0) == infinity);
  CHECK(slope<ad::Acos>(1.0) == -infinity);
  CHECK(slope<ad::Acosh>(1.0) == infinity);
  CHECK(std::isnan(slope<ad::Acosh>(-2.0)));
  CHECK(slope<ad::Atanh>(1.0) == infinity);
  CHECK(slope<ad::Atanh>(-1.0) == infinity);
  CHECK(slope<ad::Atan>(infinity) == 0);
  CHECK(slope<ad::Asinh>(-infinity) == 0);
  CHECK(near(slope<ad::Acosh>(1e300), 1e-300));
  CHECK(near(slope<ad::Asinh>(1e300), 1e-300));
  CHECK(near(slope<ad::Asinh>(-1e300), 1e-300));
  CHECK(near(slope<ad::Asinh>(1e9), 1e-9));
  for (const double x : {-710.0, -1e300, -infinity}) {
    CHECK(slope<ad::Sigmoid>(x) == 0);
    CHECK(std::fabs(slope<ad::Silu>(x)) < 1e-300);
    CHECK(slope<ad::Gelu>(x) == 0);
    CHECK(std::fabs(slope<ad::Softplus>(x)) < 1e-300);
    CHECK(slope<ad::LogSigmoid>(x) == 1);
    CHECK(slope<ad::Tanh>(x) == 0);
  }
  for (const double x : {710.0, 1e300, infinity}) {
    CHECK(slope<ad::Sigmoid>(x) == 0);
    CHECK(slope<ad::Silu>(x) == 1);
    CHECK(slope<ad::Gelu>(x) == 1);
    CHECK(slope<ad::Softplus>(x) == 1);
    CHECK(std::fabs(slope<ad::LogSigmoid>(x)) < 1e-300);
    CHECK(slope<ad::Erf>(x) == 0);
  }
  CHECK(near(slope<ad::Softplus>(-50.0), std::exp(-50.0)));  // no 1 − 1
  CHECK(near(slope<ad::LogSigmoid>(50.0), std::exp(-50.0)));
}

TEST_CASE("a kink has the slope that its rule states") {
  CHECK(slope<ad::Abs>(0.0) == 0);
  CHECK(slope<ad::Abs>(-0.0) == 0);
  CHECK(slope<ad::Relu>(0.0) == 0);
  CHECK(slope<ad::Relu>(-0.0) == 0);
  CHECK(slope<ad::Relu>(5e-324) == 1);
  CHECK(ad::Relu::value(-3.0) == 0);
  CHECK_FALSE(std::signbit(ad::Relu::value(-3.0)));
  each(ad::List<ad::Floor, ad::Ceil, ad::Round, ad::Trunc>{}, []<class Rule>(Rule) {
    for (const double x : {-2.0, -0.5, 0.0, 0.5, 1.0, 3.7}) CHECK(slope<Rule>(x) == 0);
  });
}

TEST_CASE_TEMPLATE("at a tie both sides have half of the slope", Rule, ad::Max, ad::Min, ad::Fmax, ad::Fmin) {
  CHECK(slopes<Rule>(2, 2) == Pair{0.5, 0.5});
  CHECK(slopes<Rule>(0.0, -0.0) == Pair{0.5, 0.5});
  CHECK(slopes<Rule>(infinity, infinity) == Pair{0.5, 0.5});
  const bool larger = Rule::value(1.0, 2.0) == 2;
  CHECK(slopes<Rule>(1, 2) == (larger ? Pair{0, 1} : Pair{1, 0}));
  CHECK(slopes<Rule>(2, 1) == (larger ? Pair{1, 0} : Pair{0, 1}));
  CHECK(slopes<Rule>(-infinity, 1) == (larger ? Pair{0, 1} : Pair{1, 0}));
}

TEST_CASE("max and min let NaN through, fmax and fmin take the other number") {
  for (const auto& [a, b] : {Pair{not_a_number, 1}, Pair{1, not_a_number}, Pair{not_a_number, not_a_number}}) {
    CHECK(std::isnan(ad::Max::value(a, b)));
    CHECK(std::isnan(ad::Min::value(a, b)));
    CHECK(std::isnan(slopes<ad::Max>(a, b)[0]));
    CHECK(std::isnan(slopes<ad::Min>(a, b)[1]));
  }
  each(ad::List<ad::Fmax, ad::Fmin>{}, []<class Rule>(Rule) {
    CHECK(Rule::value(not_a_number, 1.0) == 1);
    CHECK(Rule::value(1.0, not_a_number) == 1);
    CHECK(slopes<Rule>(not_a_number, 1) == Pair{0, 1});
    CHECK(slopes<Rule>(1, not_a_number) == Pair{1, 0});
    CHECK(std::isnan(Rule::value(not_a_number, not_a_number)));
    CHECK(std::isnan(slopes<Rule>(not_a_number, not_a_number)[0]));
  });
}

TEST_CASE("pow keeps its numbered edges") {
  CHECK(slopes<ad::Pow>(0, 0)[0] == 0);  // 1
  CHECK(slopes<ad::Pow>(-3, 0)[0] == 0);
  CHECK(slopes<ad::Pow>(infinity, 0)[0] == 0);
  CHECK(slopes<ad::Pow>(0, 2) == Pair{0, 0});  // 2
  CHECK(slopes<ad::Pow>(0, 1) == Pair{1, 0});
  CHECK(slopes<ad::Pow>(0, 0.5) == Pair{infinity, 0});
  CHECK(slopes<ad::Pow>(0, 0)[1] == -infinity);
  CHECK(slopes<ad::Pow>(0, -1) == Pair{-infinity, -infinity});
  CHECK(slopes<ad::Pow>(-2, 3)[0] == 12);  // 3
  CHECK(slopes<ad::Pow>(-2, 2)[0] == -4);
  CHECK(slopes<ad::Pow>(-2, -1)[0] == -0.25);
  CHECK(std::isnan(slopes<ad::Pow>(-2, 3)[1]));
  CHECK(std::isnan(slopes<ad::Pow>(-2, 0.5)[0]));
  for (int n = 1; n <= 8; ++n)
    for (int a = -9; a <= 9; ++a) CHECK(slopes<ad::Pow>(a, n)[0] == n * std::pow(a, n - 1));  // exact
  CHECK(near(slopes<ad::Pow>(1e-200, 2)[0], 2e-200));  // where y has no digits left
  CHECK(near(slopes<ad::Pow>(1e200, 2)[0], 2e200));
  CHECK(slopes<ad::Pow>(infinity, 2)[0] == infinity);
}

TEST_CASE("higher derivatives of a whole power are exact at 0 and below") {
  using D1 = ad::Dual<double, struct One>;
  using D2 = ad::Dual<D1, struct Two>;
  using D3 = ad::Dual<D2, struct Three>;
  const auto third = [](double x, double n) { return pow(D3(D2(D1(x, 1), D1(1)), D2(D1(1))), n).tangent().tangent().tangent(); };
  CHECK(third(0, 3) == 6);
  CHECK(third(0, 2) == 0);
  CHECK(third(0, 4) == 0);
  CHECK(third(0, 1) == 0);
  CHECK(third(-2, 4) == -48);
  CHECK(third(-2, 3) == 6);
  CHECK(third(2, 0) == 0);
}

TEST_CASE("hypot and atan2 have slopes at the origin and at infinity") {
  CHECK(slopes<ad::Hypot>(0, 0) == Pair{0, 0});
  CHECK(slopes<ad::Hypot>(3, 4) == Pair{0.6, 0.8});
  CHECK(slopes<ad::Hypot>(infinity, 1) == Pair{1, 0});
  CHECK(slopes<ad::Hypot>(1, -infinity) == Pair{0, -1});
  CHECK(near(slopes<ad::Hypot>(3e200, 4e200)[0], 0.6));
  CHECK(std::isnan(slopes<ad::Hypot>(1, not_a_number)[0]));
  CHECK(slopes<ad::Atan2>(0, 0) == Pair{0, 0});
  CHECK(slopes<ad::Atan2>(0, 2) == Pair{0.5, 0});
  CHECK(near(slopes<ad::Atan2>(3, 0)[1], -1.0 / 3));
  CHECK(slopes<ad::Atan2>(infinity, 1) == Pair{0, 0});
  CHECK(near(slopes<ad::Atan2>(1e200, 1e200)[0], 5e-201));  // no overflow of a² + b²
  CHECK(near(slopes<ad::Atan2>(1e-200, 1e-200)[1], -5e199));
}

TEST_CASE("sums of exponentials and entropies are exact where their formulas are ∞ − ∞ and 0 · ∞") {
  CHECK(ad::LogAddExp::value(1000.0, 1000.0) == 1000 + std::log(2.0));
  CHECK(ad::LogAddExp::value(-infinity, 3.0) == 3);
  CHECK(ad::LogAddExp::value(-infinity, -infinity) == -infinity);
  CHECK(ad::LogAddExp::value(infinity, infinity) == infinity);
  CHECK(ad::LogAddExp::value(infinity, -infinity) == infinity);
  CHECK(slopes<ad::LogAddExp>(2, 2) == Pair{0.5, 0.5});
  CHECK(slopes<ad::LogAddExp>(-infinity, 3) == Pair{0, 1});
  CHECK(slopes<ad::LogAddExp>(-infinity, -infinity) == Pair{0, 0});
  CHECK(slopes<ad::LogAddExp>(1000, -1000) == Pair{1, 0});
  CHECK(ad::XLogY::value(0.0, 0.0) == 0);
  CHECK(ad::XLogY::value(2.0, 0.0) == -infinity);
  CHECK(std::isnan(ad::XLogY::value(0.0, not_a_number)));
  CHECK(slopes<ad::XLogY>(0, 0) == Pair{-infinity, 0});
  CHECK(slopes<ad::XLogY>(0, 2) == Pair{std::log(2.0), 0});
  CHECK(slopes<ad::XLogY>(3, 2) == Pair{std::log(2.0), 1.5});
}

TEST_CASE("what std does not have runs with plain numbers too") {
  CHECK(near(ad::logaddexp(1.0, 1.0), 1 + std::log(2.0)));
  CHECK(near(ad::logaddexp(1, 1.0), 1 + std::log(2.0)));
  CHECK(near(ad::xlogy(2, 3.0), 2 * std::log(3.0)));
}

TEST_CASE("fmod and copysign take their jumps for nothing") {
  CHECK(slopes<ad::Fmod>(7.5, 2) == Pair{1, -3});
  CHECK(slopes<ad::Fmod>(-7.5, 2) == Pair{1, 3});
  CHECK(slopes<ad::Fmod>(1, infinity)[1] == 0);
  CHECK(slopes<ad::Fmod>(0.8999999999999999, 0.3)[1] == -2);  // where a/b rounds up to 3
  CHECK(slopes<ad::Copysign>(3, -2) == Pair{-1, 0});
  CHECK(slopes<ad::Copysign>(-3, -2) == Pair{1, 0});
  CHECK(slopes<ad::Copysign>(-3, -0.0) == Pair{1, 0});
  CHECK(slopes<ad::Copysign>(0, 2) == Pair{0, 0});
  CHECK(slopes<ad::Copysign>(infinity, -1) == Pair{-1, 0});
}

TEST_CASE("atan2 of NaN and an infinity has slopes that are NaN, as its value is") {
  const double nan = std::nan(""), inf = HUGE_VAL;
  for (const auto& [a, b] : {std::pair{inf, nan}, {nan, inf}, {-inf, nan}}) {
    const double y = ad::Atan2::value(a, b);
    CHECK((std::isnan(y) && std::isnan(ad::Atan2::left(a, b, y)) && std::isnan(ad::Atan2::right(a, b, y))));
  }
}

TEST_CASE("every rule in rules.inl is in one of the lists, under a name of its own") {
  const std::string path = AUTODIFF_SOURCE_DIR "/autodiff/rules.inl";
  std::ifstream file(path);
  REQUIRE_MESSAGE(file, path << " cannot be read");
  std::multiset<std::string> written, listed;
  for (std::string line; std::getline(file, line);)
    if (line.find("constexpr Row row{") != std::string::npos) {
      const auto begin = line.find('"', line.find(".name")) + 1;
      written.insert(line.substr(begin, line.find('"', begin) - begin));
    }
  each(ad::UnaryRules{}, [&]<class Rule>(Rule) { listed.insert(Rule::row.name); });
  each(ad::BinaryRules{}, [&]<class Rule>(Rule) { listed.insert(Rule::row.name); });
  CHECK(written.size() > 50);
  CHECK(listed.size() == ad::UnaryRules::size + ad::BinaryRules::size);
  for (const auto& name : written) CHECK_MESSAGE(listed.count(name) == 1, "'" << name << "' is not in a list, or twice");
  for (const auto& name : listed) CHECK_MESSAGE(written.count(name) == 1, "'" << name << "' has no row, or two");
  CHECK(ad::index_in<ad::Negate>(ad::UnaryRules{}) == 1);
  CHECK(ad::contains<ad::Tanh>(ad::UnaryRules{}));
  CHECK_FALSE(ad::contains<ad::Tanh>(ad::BinaryRules{}));
}

TEST_CASE("float formulas stay float, whole numbers count as double") {
  each(ad::UnaryRules{}, []<class Rule>(Rule) {
    static_assert(std::is_same_v<decltype(Rule::value(1.0f)), float>);
    static_assert(std::is_same_v<decltype(1.0f * Rule::slope(1.0f, 1.0f)), float>);
    static_assert(std::is_same_v<decltype(ad::apply<Rule>(1)), double>);
  });
  each(ad::BinaryRules{}, []<class Rule>(Rule) {
    static_assert(std::is_same_v<decltype(1.0f * Rule::left(1.0f, 1.0f, 1.0f)), float>);
    static_assert(std::is_same_v<decltype(1.0f * Rule::right(1.0f, 1.0f, 1.0f)), float>);
    static_assert(std::is_same_v<decltype(ad::apply<Rule>(1.0f, 1)), float>);
    static_assert(std::is_same_v<decltype(ad::apply<Rule>(1, 1)), double>);
  });
  CHECK(ad::apply<ad::Divide>(1, 2) == 0.5);
  CHECK(ad::sigmoid(0) == 0.5);
  CHECK(ad::square(3) == 9);
}

namespace elsewhere {
struct Stranger {};
/// x³, a rule from outside of the library.
struct Cube {
  static auto value(const auto& x) { return x * x * x; }
  static auto slope(const auto& x, const auto&) { return 3 * x * x; }
};
template <class L, class R> concept Addable = requires(L a, R b) { a + b; };
template <class L, class R> concept Ordered = requires(L a, R b) { a < b; };
}  // namespace elsewhere

TEST_CASE("the operators leave other types alone") {
  using elsewhere::Stranger, elsewhere::Addable, elsewhere::Ordered;
  using D = ad::Dual<double>;
  static_assert(!Addable<Stranger, Stranger> && !Addable<D, Stranger> && !Addable<Stranger, D> && !Addable<D, std::string>);
  static_assert(!Ordered<Stranger, D> && !Ordered<D, std::string>);
  static_assert(Addable<D, D> && Addable<D, int> && Addable<float, D> && Ordered<D, int>);
  static_assert(!std::is_convertible_v<D, double>);
}

TEST_CASE("a rule from outside of the library works on every number") {
  using D = ad::Dual<double>;
  CHECK(ad::apply<elsewhere::Cube>(2.0) == 8);
  CHECK(ad::apply<elsewhere::Cube>(D(2, 1)).tangent() == 12);
  CHECK(ad::apply<elsewhere::Cube>(ad::Dual<D, struct Above>(D(2, 1), D(1))).tangent().tangent() == 12);
}
