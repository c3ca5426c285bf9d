// Forward mode: what a Dual is, mixed with numbers and with Duals of other tags, over numbers of any kind.
#include <autodiff/dual.hpp>
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

namespace ad = autodiff;
using ad::Dual;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

/// f'(x) with a tag of its own, as the driver makes it.
template <class F, class T> struct Tag {};
template <class F, class T> auto slope(const F& f, const T& x) {
  return ad::detail::tangent<Tag<F, T>>(f(Dual<T, Tag<F, T>>(x, T(1))));
}
template <int n> struct Level {};
template <class T, int n> using At = Dual<T, Level<n>>;

}  // namespace

TEST_CASE("a number becomes a constant, and nothing at all is 0") {
  const Dual<double> c = 3, zero, f = 2.5f;
  CHECK(c.value() == 3);
  CHECK(c.tangent() == 0);
  CHECK(zero.value() == 0);
  CHECK(zero.tangent() == 0);
  CHECK(f.value() == 2.5);
  static_assert(std::is_same_v<decltype(Dual(1, 2)), Dual<double>>);
  static_assert(std::is_same_v<decltype(Dual(1.0f)), Dual<float>>);
}

TEST_CASE("arithmetic follows the rules of differentiation") {
  const Dual<double> a(3, 5), b(2, 7);
  const auto check = [](const Dual<double>& y, double value, double tangent) {
    CHECK(y.value() == value);
    CHECK(y.tangent() == tangent);
  };
  check(a + b, 5, 12);
  check(a - b, 1, -2);
  check(a * b, 6, 31);
  check(a / b, 1.5, (5 * 2 - 3 * 7) / 4.0);
  check(-a, -3, -5);
  check(+a, 3, 5);
  check(a + 1, 4, 5);
  check(1 - a, -2, -5);
  check(2 * a, 6, 10);
  check(a / 2, 1.5, 2.5);
  check(12 / Dual<double>(4, 8), 3, -6);
  check(fma(a, b, 1), 7, 31);
  check(fma(2, 3, a), 9, 5);
  check(fma(a, 2, b), 8, 17);
}

TEST_CASE("compound assignment, swap, conditions and comparisons work as on numbers") {
  Dual<double> a(3, 1), b(2, 0);
  a += 1, a -= b, a *= a, a /= 2.0;
  CHECK(a.value() == 2);
  CHECK(a.tangent() == 2);
  std::swap(a, b);
  CHECK(b.tangent() == 2);
  a = b.value() > 1 ? b * b : 0.0;
  CHECK(a.tangent() == 8);
  a = b > 1 ? 3 : b;
  CHECK(a.tangent() == 0);
  CHECK((b < 3 && 1 < b && b <= 2 && b >= 2 && b == 2 && 2 == b && b != 3 && b == Dual<double>(2, 9)));
  CHECK_FALSE(b < std::numeric_limits<double>::quiet_NaN());
  std::vector<Dual<double>> v(3);
  std::fill(v.begin(), v.end(), b);
  CHECK((v[0] * v[2]).tangent() == 8);
  CHECK(isfinite(b));
  CHECK(isnan(b / 0 * 0));
  CHECK(isinf(b / 0));
}

TEST_CASE("the functions of std stand beside ours") {
  using std::abs, std::atan2, std::copysign, std::exp, std::fma, std::fmax, std::fmod, std::hypot, std::lgamma, std::max, std::min;
  using std::pow;
  const Dual<double> a(3, 1), b(3, 5);
  CHECK(max(a, b).tangent() == 3);  // ours: a tie is shared
  CHECK(min(a, b).tangent() == 3);
  CHECK(std::max(a, b).tangent() == 1);  // theirs: the first
  CHECK(max(a, 2.0).tangent() == 1);
  CHECK(min(1, a).tangent() == 0);
  CHECK(pow(a, 2).tangent() == 6);
  CHECK(pow(2, a).tangent() == doctest::Approx(8 * std::log(2.0)));
  CHECK(pow(a, b).tangent() == doctest::Approx(27 + 27 * std::log(3.0) * 5));
  CHECK(abs(-a).tangent() == 1);
  CHECK(hypot(a, 4).tangent() == doctest::Approx(0.6));
  CHECK(atan2(a, 1.0f).tangent() == doctest::Approx(0.1));
  CHECK(fmax(a, 1).tangent() == 1);
  CHECK(fmod(7, a).tangent() == -2);
  CHECK(copysign(a, -1).tangent() == -1);
  CHECK(fma(a, b, a).tangent() == 19);
  CHECK(lgamma(a).tangent() == doctest::Approx(0.92278433509846714));
  CHECK(exp(1.0) == std::exp(1.0));
  CHECK(max(1.0, 2.0) == 2.0);
}

TEST_CASE("float stays float, whatever stands beside it") {
  const Dual<float> x(2, 1);
  static_assert(std::is_same_v<decltype(x * 0.1), Dual<float>>);
  static_assert(std::is_same_v<decltype(pow(x, 0.5)), Dual<float>>);
  static_assert(std::is_same_v<decltype(1 / x + 2.0L), Dual<float>>);
  static_assert(std::is_same_v<decltype(At<Dual<float>, 0>() * 0.1), At<Dual<float>, 0>>);
  CHECK((x * 0.1).value() == 2 * 0.1f);
}

TEST_CASE("a polynomial is differentiated at compile time") {
  constexpr auto f = [](auto x) { return x * x * x - 3 * x + 1 / x; };
  constexpr auto y = f(Dual<double>(2, 1));
  static_assert(y.value() == 2.5 && y.tangent() == 12 - 3 - 0.25);
  CHECK(y < 3);
}

TEST_CASE("nests give derivatives of every order") {
  const auto f = [](auto x) { return exp(2 * x) * sin(x); };
  const auto first = [&](auto x) { return slope(f, x); };
  const auto second = [&](auto x) { return slope(first, x); };
  const auto third = [&](auto x) { return slope(second, x); };
  const double x = 0.7, e = std::exp(1.4), s = std::sin(x), c = std::cos(x);
  CHECK(first(x) == doctest::Approx(e * (2 * s + c)).epsilon(1e-14));
  CHECK(second(x) == doctest::Approx(e * (3 * s + 4 * c)).epsilon(1e-14));
  CHECK(third(x) == doctest::Approx(e * (2 * s + 11 * c)).epsilon(1e-14));
  CHECK(slope(third, x) == doctest::Approx(e * (-7 * s + 24 * c)).epsilon(1e-14));
  const auto digamma = [](auto z) { return slope([](auto y) { return lgamma(y); }, z); };
  CHECK(slope(digamma, 1.0) == doctest::Approx(1.6449340668482264).epsilon(1e-14));
}

// ---- whose ε is it? -------------------------------------------------------------------------------------------------

TEST_CASE("an inner derivative does not take the outer tangent for its own") {
  CHECK(slope([](auto x) { return x * slope([x](auto y) { return x + y; }, 1.0); }, 1.0) == 1);
  CHECK(slope([](auto x) { return x * slope([x](auto y) { return x + y; }, x); }, 1.0) == 1);
  CHECK(slope([](auto x) { return x * slope([x](auto y) { return y * x * y + x; }, 3.0); }, 2.0) == 24);
  CHECK(slope([](auto x) { return slope([x](auto y) { return slope([x, y](auto z) { return x * y * z * z; }, 5.0); }, 3.0); }, 2.0) == 10);
  CHECK(slope([](auto x) { return slope([x](auto y) { return slope([x, y](auto z) { return x * y * z * z; }, x); }, x); }, 2.0) == 8);
  CHECK(slope([](auto x) { return slope([x](auto) { return x * x; }, 1.0); }, 2.0) == 0);
  CHECK(slope([](auto) { return 7; }, 2.0) == 0);
}

TEST_CASE("a derivative of one function inside of itself keeps both apart") {
  const auto cube = [](auto x) { return x * x * x; };
  CHECK(slope([&](auto x) { return x * slope(cube, x) + slope(cube, 2.0) * x; }, 3.0) == 9 * 9 + 12);
  const auto twice = [&](const auto& f) { return [&f](auto x) { return slope(f, x) * f(x); }; };
  const auto g = twice(cube);  // 3 x⁵
  CHECK(slope(g, 2.0) == 15 * 16);
  CHECK(slope(twice(g), 1.0) == 9 * 5 * 9);
}

TEST_CASE("where tags meet, every order of operands and of nesting means the same") {
  const At<double, 0> x(2, 1);
  const At<double, 1> y(3, 1);
  const At<double, 2> z(5, 1);
  const auto mixed = [](const auto& f) {
    using ad::plain, ad::detail::tangent;
    return std::array{plain(f), plain(tangent<Level<0>>(f)), plain(tangent<Level<1>>(f)), plain(tangent<Level<2>>(f)),
                      plain(tangent<Level<0>>(tangent<Level<1>>(f))), plain(tangent<Level<2>>(tangent<Level<1>>(tangent<Level<0>>(f))))};
  };
  const std::array want{2.0 * 9 * 5, 9.0 * 5, 2 * 2 * 3.0 * 5, 2.0 * 9, 6.0 * 5, 6.0};
  CHECK(mixed(x * y * y * z) == want);
  CHECK(mixed(z * (y * x) * y) == want);
  CHECK(mixed(y * (z * y) * x) == want);
  CHECK(mixed((x * z) * (y * y)) == want);
  static_assert(std::is_same_v<decltype(x * y), decltype(y * x)>);
}

TEST_CASE("nests of the same tags in opposite orders work together and convert") {
  using In = At<At<double, 0>, 1>;   // Level 1 outside
  using Out = At<At<double, 1>, 0>;  // Level 0 outside
  const In a(At<double, 0>(2, 3), At<double, 0>(5, 7));
  const Out b = a;
  CHECK(b.value().value() == 2);
  CHECK(b.value().tangent() == 5);
  CHECK(b.tangent().value() == 3);
  CHECK(b.tangent().tangent() == 7);
  const In squared = a * b, also = b * a, want = a * a;
  for (const In& y : {squared, also}) {
    CHECK(y.value().tangent() == want.value().tangent());
    CHECK(y.tangent().value() == want.tangent().value());
    CHECK(y.tangent().tangent() == want.tangent().tangent());
  }
  const At<double, 0> inner(2, 1);
  const Out wider = inner, product = inner * b;
  CHECK(wider.tangent().value() == 1);
  CHECK(wider.value().tangent() == 0);
  CHECK(product.tangent().tangent() == 2 * 7 + 1 * 5);
  const auto third = At<double, 2>(1, 1) * inner;  // (2 | 0) in one order, against a nest that has 0 inside
  CHECK(ad::plain(ad::detail::tangent<Level<0>>(ad::detail::tangent<Level<1>>(third * a))) == 2 * 7 + 1 * 5);
  static_assert(!std::is_convertible_v<In, At<double, 0>> && !std::is_convertible_v<In, double>);  // no tangent is lost silently
}

TEST_CASE("tags of the same name are still two tags") {
  const auto first = [](Dual<double> y) { return y; };  // g++ prints both types alike
  const auto second = [](Dual<double> y) { return y; };
  using A = decltype(first);
  using B = decltype(second);
  CHECK(first(2.0) == second(2.0));
  const Dual<double, A> x(2, 1);
  const Dual<double, B> y(3, 1);
  const auto p = x * x * y, q = x * y * x;
  auto r = y * x * x;
  CHECK(ad::detail::tangent<A>(ad::detail::tangent<B>(p)) == 4);
  CHECK(ad::detail::tangent<B>(ad::detail::tangent<A>(q)) == 4);
  CHECK(ad::detail::tangent<B>(ad::detail::tangent<A>(r)) == 4);
  r = p;
  CHECK(ad::detail::tangent<B>(ad::detail::tangent<A>(r)) == 4);
}

// ---- constants stay constants ---------------------------------------------------------------------------------------

TEST_CASE("an infinite slope does not poison a constant") {
  const Dual<double> x(3, 1);
  Dual<double> zero = 0.0;
  CHECK(sqrt(zero).tangent() == 0);
  CHECK((sqrt(zero) + x).tangent() == 1);
  CHECK(pow(Dual<double>(-2, 1), Dual<double>(3)).tangent() == 12);  // log(−2) is nobody's business
  CHECK(sqrt(Dual<double>(0, 2)).tangent() == infinity);
  using D2 = At<At<double, 0>, 1>;
  const D2 a(At<double, 0>(-2, 1), At<double, 0>(1));
  CHECK(pow(a, 3).tangent().tangent() == -12);
  CHECK(pow(a, D2(3)).tangent().tangent() == -12);
  CHECK(sqrt(D2(0.0)).tangent().tangent() == 0);
}

// ---- other numbers than double --------------------------------------------------------------------------------------

namespace autodiff {  // where argument-dependent lookup finds the functions of the library's numbers
/// A number on the heap: nothing about it is trivial. Its products are counted.
struct Boxed {
  using Differentiable = void;
  std::vector<double> box{0.0};
  Boxed() = default;
  Boxed(double x) : box{x} {}
  double value() const { return box.at(0); }
  static inline int multiplied = 0;
};
template <class Rule> Boxed apply(const Boxed& x) { return apply<Rule>(x.value()); }
template <class Rule> Boxed apply(const Boxed& a, const Boxed& b) {
  Boxed::multiplied += std::is_same_v<Rule, Multiply>;
  return apply<Rule>(a.value(), b.value());
}
template <class Rule, Arithmetic X> Boxed apply(const Boxed& a, X b) { return apply<Rule>(a, Boxed(static_cast<double>(b))); }
template <class Rule, Arithmetic X> Boxed apply(X a, const Boxed& b) { return apply<Rule>(Boxed(static_cast<double>(a)), b); }

/// One number or several, with broadcasting, as a tensor has it; as a plain constant it counts as an operand.
struct Few {
  using Operand = void;
  std::vector<double> x;
};
Few zero_like(const Few& t) { return {std::vector<double>(t.x.size())}; }
std::size_t count(const Few& t) { return t.x.size(); }
std::size_t count(double) { return 1; }
double part(const Few& t, std::size_t i) { return t.x.at(t.x.size() == 1 ? 0 : i); }
double part(double x, std::size_t) { return x; }
template <class Rule> Few apply(Few t) {
  for (double& x : t.x) x = Rule::value(x);
  return t;
}
template <class Rule, class L, class R> requires(std::same_as<L, Few> || std::same_as<R, Few>) Few apply(const L& a, const R& b) {
  Few y{std::vector<double>(std::max(count(a), count(b)))};
  for (std::size_t i = 0; i < y.x.size(); ++i) y.x[i] = apply<Rule>(part(a, i), part(b, i));
  return y;
}
}  // namespace autodiff

TEST_CASE("a Dual rests on any number, however it is made") {
  using ad::Boxed;
  const Dual<Boxed> x(Boxed(0.5), Boxed(1));
  CHECK(tanh(x).tangent().value() == doctest::Approx(1 - std::pow(std::tanh(0.5), 2)));
  CHECK((x * x / 2 + 3 * x - pow(x, 3)).tangent().value() == doctest::Approx(0.5 + 3 - 0.75));
  CHECK(gelu(x).tangent().value() == doctest::Approx(ad::Gelu::slope(0.5, 0.0)));
  Dual<Boxed> y = 2.0;
  y *= x;
  CHECK(y.tangent().value() == 2);
  CHECK((y > x && max(x, y) == y));
  Boxed::multiplied = 0;
  CHECK((x + y - 1).tangent().value() == 3);
  CHECK((-x).tangent().value() == -1);
  CHECK(floor(x).tangent().value() == 0);
  CHECK(Boxed::multiplied == 0);  // slopes 1, −1 and 0 multiply nothing
}

TEST_CASE("a Dual meets numbers that its own number rests beside") {
  using ad::Boxed;
  const auto y = Dual<double>(3, 1) * Dual<Boxed>(Boxed(2), Boxed(5));
  static_assert(std::is_same_v<decltype(y), const Dual<Boxed>>);
  CHECK(y.tangent().value() == 2 + 15);
  const Dual<Boxed> wide = Dual<double>(3, 4);
  CHECK(wide.tangent().value() == 4);
  const auto z = Dual<Boxed>(Boxed(3), Boxed(1)) * Boxed(2);
  CHECK(z.tangent().value() == 2);
  const auto beside = ad::detail::right_constant<ad::Multiply>(Dual<double>(3, 1), Boxed(2));
  static_assert(std::is_same_v<decltype(beside), const Dual<Boxed>>);
  CHECK(beside.tangent().value() == 2);
}

TEST_CASE("the tangent follows its value into the shape of a tensor") {
  using ad::Few;
  using Numbers = std::vector<double>;
  const Few t{{1, 2, 3}};
  const Dual<double> x(2, 5);
  const auto sum = x + t, difference = t - x, product = x * t, quotient = t / x;
  static_assert(std::is_same_v<decltype(sum), const Dual<Few>>);
  CHECK(sum.value().x == Numbers{3, 4, 5});
  CHECK(sum.tangent().x == Numbers{5, 5, 5});
  CHECK(difference.tangent().x == Numbers{-5, -5, -5});
  CHECK(product.tangent().x == Numbers{5, 10, 15});
  CHECK(quotient.tangent().x == Numbers{-1.25, -2.5, -3.75});
  const Dual<Few> whole(t, Few{{1, 0, 0}}), one(Few{{2}}, Few{{5}});
  CHECK((x * whole).tangent().x == Numbers{7, 10, 15});
  CHECK((x + whole).tangent().x == Numbers{6, 5, 5});
  CHECK((one + t).tangent().x == Numbers{5, 5, 5});
  CHECK((t - one).tangent().x == Numbers{-5, -5, -5});
  CHECK((one + whole).tangent().x == Numbers{6, 5, 5});
  CHECK((whole + 1).tangent().x == Numbers{1, 0, 0});
}
