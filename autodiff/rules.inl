// Floor 0. THE table of elementary functions: one block each, value and slope side by side; the legend is in rules.hpp.
// No include guard, no #include, no namespace: rules.hpp reads this file, and the kernels read it again for every instruction set.
// To add a function: write its block, and its name in the list at the end. Tests, kernels, tensors and graphs find it there.

// A user may have functions of the names that std does not have. `Nothing... None` is a pack that is always empty: it makes ours less specialised, so
// that a `template <class T> T square(T x)` of his is taken. Without it ours, being constrained, would win, or the call be ambiguous.

/// The plain number inside any nest of Dual and Var: what conditions look at.
template <class X, Nothing... None> [[gnu::always_inline]] constexpr auto plain(const X& x, None...) {
  if constexpr (Differentiable<X>) return plain(x.value());
  else return x;
}
/// The constant c beside x: in x's own precision if x is a plain number or a lane, else for the operators to fit in.
template <class X, Nothing... None> [[gnu::always_inline]] constexpr auto like([[maybe_unused]] const X& x, double c, None...) {
  if constexpr (BeyondStd<X>) return c;
  else return static_cast<X>(c);
}
/// The constant slope n of a rule whose result is y.
template <int n, class Y> [[gnu::always_inline]] constexpr auto exactly(const Y&) {
  if constexpr (Operand<Y>) return Exactly<n>{};
  else return n;
}
/// Another rule inside a slope, for any number.
template <class Rule, class X> [[gnu::always_inline]] inline auto evaluate(const X& x) {
  if constexpr (Operand<X>) return apply<Rule>(x);
  else return Rule::value(x);
}
/// 1, 0, −1 as a plain p is above, at, below 0; NaN for NaN.
template <class P, Nothing... None>
[[gnu::always_inline]] constexpr auto sign_of(P p, None...) { return select(p > 0, like(p, 1), select(p < 0, like(p, -1), p)); }
/// 1 − x² with all its digits, and those of its slope −2x: near ±1 by the product, near 0 as it stands.
template <class X, Nothing... None> [[gnu::always_inline]] constexpr auto one_minus_square(const X& x, None...) {
  return select(plain(x) * plain(x) < like(plain(x), 0.5), 1 - x * x, (1 - x) * (1 + x));
}
/// x within ±limit; NaN stays.
template <int limit, class X> [[gnu::always_inline]] constexpr auto clamped(const X& x) {
  return select(plain(x) > limit, like(x, limit), select(plain(x) < -limit, like(x, -limit), x));
}

// ---- arithmetic -----------------------------------------------------------------------------------------------------
/// x               the rule of a layer without activation
struct Identity {
  static constexpr Row row{.name = "identity", .domain = {-1e6, 1e6}, .max_ulp = 0, .from_result = true};
  template <class X> static constexpr X value(const X& x) { return x; }
  static constexpr auto slope(const auto&, const auto& y) { return exactly<1>(y); }
};
/// −x
struct Negate {
  static constexpr Row row{.name = "negate", .domain = {-1e6, 1e6}, .max_ulp = 0, .from_result = true, .arithmetic = true};
  template <class X> static constexpr X value(const X& x) { return -x; }
  static constexpr auto slope(const auto&, const auto& y) { return exactly<-1>(y); }
};
template <BeyondStd X> [[gnu::always_inline]] constexpr auto operator-(const X& x) { return apply<Negate>(x); }
template <BeyondStd X> [[gnu::always_inline]] constexpr auto operator+(const X& x) { return x; }
/// a + b
struct Add {
  static constexpr Row row{.name = "add", .domain = {-1e6, 1e6}, .max_ulp = 0.5, .right = {-1e6, 1e6}, .arithmetic = true};
  template <class X> static constexpr X value(const X& a, const X& b) { return a + b; }
  static constexpr auto left(const auto&, const auto&, const auto& y) { return exactly<1>(y); }
  static constexpr auto right(const auto&, const auto&, const auto& y) { return exactly<1>(y); }
};
template <class L, With<L> R> [[gnu::always_inline]] constexpr auto operator+(const L& a, const R& b) { return apply<Add>(a, b); }
/// a − b
struct Subtract {
  static constexpr Row row{.name = "subtract", .domain = {-1e6, 1e6}, .max_ulp = 0.5, .right = {-1e6, 1e6}, .arithmetic = true};
  template <class X> static constexpr X value(const X& a, const X& b) { return a - b; }
  static constexpr auto left(const auto&, const auto&, const auto& y) { return exactly<1>(y); }
  static constexpr auto right(const auto&, const auto&, const auto& y) { return exactly<-1>(y); }
};
template <class L, With<L> R> [[gnu::always_inline]] constexpr auto operator-(const L& a, const R& b) { return apply<Subtract>(a, b); }
/// a · b
struct Multiply {
  static constexpr Row row{.name = "multiply", .domain = {-1e6, 1e6}, .max_ulp = 0.5, .right = {-1e6, 1e6}, .arithmetic = true};
  template <class X> static constexpr X value(const X& a, const X& b) { return a * b; }
  static constexpr auto left(const auto&, const auto& b, const auto&) { return b; }
  static constexpr auto right(const auto& a, const auto&, const auto&) { return a; }
};
template <class L, With<L> R> [[gnu::always_inline]] constexpr auto operator*(const L& a, const R& b) { return apply<Multiply>(a, b); }
/// a · b           of a slope a and a tangent b: 0 where b is 0, even if a is infinite or NaN (forward mode on tensors)
struct Scale : Multiply {
  static constexpr Row row{.name = "scale", .domain = {-1e6, 1e6}, .max_ulp = 0.5, .right = {-1e6, 1e6}};
  template <class X> static constexpr X value(const X& a, const X& b) { return select(b == 0, like(b, 0), a * b); }
};
/// a / b           slopes 1/b and −y/b
struct Divide {
  static constexpr Row row{.name = "divide", .domain = {-1e6, 1e6}, .max_ulp = 0.5, .right = {1e-3, 1e6}, .arithmetic = true};
  template <class X> static constexpr X value(const X& a, const X& b) { return a / b; }
  static constexpr auto left(const auto&, const auto& b, const auto&) { return 1 / b; }
  static constexpr auto right(const auto&, const auto& b, const auto& y) { return -y / b; }
};
template <class L, With<L> R> [[gnu::always_inline]] constexpr auto operator/(const L& a, const R& b) { return apply<Divide>(a, b); }
/// a·b + c: a composition, rounded twice
template <class A, class B, class C> requires Operand<A> && Operand<B> && Operand<C> && (BeyondStd<A> || BeyondStd<B> || BeyondStd<C>)
[[gnu::always_inline]] constexpr auto fma(const A& a, const B& b, const C& c) { return apply<Add>(apply<Multiply>(a, b), c); }

// ---- powers and roots -----------------------------------------------------------------------------------------------
/// x²              slope 2x
struct Square {
  static constexpr Row row{.name = "square", .domain = {-1e15, 1e15}, .max_ulp = 0.5, .arithmetic = true};
  template <class X> static constexpr X value(const X& x) { return x * x; }
  static constexpr auto slope(const auto& x, const auto&) { return 2 * x; }
};
template <Operand X, Nothing... None> [[gnu::always_inline]] constexpr auto square(const X& x, None...) { return apply<Square>(x); }
/// √x              slope 1/(2y); at 0 it is +∞, as in mathematics, also at −0 (hence the + 0)
struct Sqrt {
  static constexpr Row row{.name = "sqrt", .domain = {0, 1e30}, .max_ulp = 0.5, .from_result = true};
  template <class X> static X value(const X& x) { using std::sqrt; return sqrt(x); }
  static auto slope(const auto&, const auto& y) { return 1 / (2 * y + 0); }
};
template <BeyondStd X> [[gnu::always_inline]] inline auto sqrt(const X& x) { return apply<Sqrt>(x); }
/// ∛x              slope 1/(3y²), +∞ at 0
struct Cbrt {
  static constexpr Row row{.name = "cbrt", .domain = {-1e30, 1e30}, .max_ulp = 4, .from_result = true, .lanes = false};
  template <class X> static X value(const X& x) { using std::cbrt; return cbrt(x); }
  static auto slope(const auto&, const auto& y) { return 1 / (3 * y * y); }
};
template <BeyondStd X> [[gnu::always_inline]] inline auto cbrt(const X& x) { return apply<Cbrt>(x); }
/// aᵇ              slopes b·aᵇ⁻¹ and y·log a. A constant whole b is exact for every a, also below 0. The edges:
///   1. b = 0: y is 1 everywhere, so the slope in a is 0, also at a = 0, where the formula would be 0·∞.
///   2. a = 0, b > 0: the slope in b is 0, the limit; the formula would be 0·(−∞). (At b = 0 it is −∞: y falls from 1 to 0 there.)
///   3. a < 0: the slope in b does not exist: NaN, as log a.
///   4. aᵇ⁻¹ = 0 or aᵇ = 0 at an infinite operand: the slopes are 0, the limit; the formulas would be ∞·0. (Forwards, on tensors,
///      they are NaN.)
struct Pow {
  static constexpr Row row{.name = "pow", .domain = {1e-3, 1e3}, .max_ulp = 1, .right = {-10, 10}, .lanes = false};
  template <class X> static X value(const X& a, const X& b) { using std::pow; return pow(a, b); }
  /// Case 4 is for plain numbers and lanes, whose comparisons combine; formulas on whole tensors would pay for it everywhere.
  template <class A, class B>
  static constexpr bool minds_limits = !Differentiable<A> && !Differentiable<B> && requires(A a, B b) { a == b && b == a; };
  template <class A, class B, class Y> static auto left(const A& a, const B& b, const Y& y) {
    using std::pow;
    if constexpr (Arithmetic<A> && Arithmetic<B>) {  // b·y/a saves a pow, where y has all its digits
      const Y size = y < 0 ? -y : y;
      const bool tiny = a < like(a, 1e-30) && a > like(a, -1e-30);       // y/a may be out of range, and b·y/a not
      if (size >= std::numeric_limits<Y>::min() && size <= std::numeric_limits<Y>::max() && a != 0 && b != 0)
        return static_cast<decltype(b * pow(a, b - 1))>(tiny ? b * y / a : b * (y / a));
    }
    const auto base = [&] {  // case 1; a b that carries derivatives wants ∂/∂b of the slope, too: 1/a
      if constexpr (!Differentiable<B>) return select(b == 0, like(a, 1), a);
      else return select(plain(b) == 0, select(plain(a) == 0, like(a, 1), a), a);
    }();
    const auto power = pow(base, b - 1);
    if constexpr (minds_limits<A, B>) return select(power == 0, power, b * power); else return b * power;
  }
  template <class A, class B, class Y> static auto right(const A& a, const B& b, const Y& y) {
    using std::log;  // cases 2 and 3
    const auto l = log(select(plain(a) == 0, select(plain(b) > 0, like(a, 1), a), a));
    if constexpr (minds_limits<A, B>) return select(y == 0 && l > 0, y, y * l); else return y * l;
  }
};
template <class L, With<L> R> [[gnu::always_inline]] inline auto pow(const L& a, const R& b) { return apply<Pow>(a, b); }
/// √(a² + b²)      slopes a/y and b/y, both the constant 0 at (0, 0); an infinite operand has its sign for a slope
struct Hypot {
  static constexpr Row row{.name = "hypot", .domain = {-1e6, 1e6}, .max_ulp = 1, .right = {-1e6, 1e6}, .lanes = false};
  template <class X> static X value(const X& a, const X& b) { using std::hypot; return hypot(a, b); }
  static auto left(const auto& a, const auto&, const auto& y) { return share(a, y); }
  static auto right(const auto&, const auto& b, const auto& y) { return share(b, y); }
  static auto share(const auto& a, const auto& y) {  // a/y without 0/0 and ∞/∞
    const auto p = plain(a);
    const auto q = plain(y);
    const auto most = like(p, std::numeric_limits<double>::infinity());
    const auto infinite = like(q, std::numeric_limits<double>::infinity());
    const auto far = select(p == most, like(a, 1), select(p == -most, like(a, -1), like(a, 0)));
    return select(q == infinite, far, select(q == 0, like(p, 0), a)) / select(q == infinite, like(y, 1), select(q == 0, like(y, 1), y));
  }
};
template <class L, With<L> R> [[gnu::always_inline]] inline auto hypot(const L& a, const R& b) { return apply<Hypot>(a, b); }
/// √(a² + b² + c²). Where a and b are 0 it begins with b and c: the root of a and b alone has a kink there, the whole has none, and second
/// derivatives would notice. (Batches and tensors, which cannot branch, keep the kink.)
template <class A, class B, class C> requires Operand<A> && Operand<B> && Operand<C> && (BeyondStd<A> || BeyondStd<B> || BeyondStd<C>)
[[gnu::always_inline]] inline auto hypot(const A& a, const B& b, const C& c) {
  using Y = Stored<decltype(apply<Hypot>(apply<Hypot>(a, b), c))>;
  if constexpr (requires { { plain(a) == plain(b) } -> std::same_as<bool>; })
    if (plain(a) == 0 && plain(b) == 0) return Y(apply<Hypot>(a, apply<Hypot>(b, c)));
  return Y(apply<Hypot>(apply<Hypot>(a, b), c));
}

// ---- exponentials and logarithms ------------------------------------------------------------------------------------
/// eˣ              slope y
struct Exp {
  static constexpr Row row{.name = "exp", .domain = {-700, 700}, .max_ulp = 1.1, .from_result = true};
  template <class X> static X value(const X& x) { using std::exp; return exp(x); }
  static auto slope(const auto&, const auto& y) { return y; }
};
template <BeyondStd X> [[gnu::always_inline]] inline auto exp(const X& x) { return apply<Exp>(x); }
/// 2ˣ              slope y·log 2
struct Exp2 {
  static constexpr Row row{.name = "exp2", .domain = {-1000, 1000}, .max_ulp = 1, .from_result = true, .lanes = false};
  template <class X> static X value(const X& x) { using std::exp2; return exp2(x); }
  static auto slope(const auto&, const auto& y) { return y * like(y, std::numbers::ln2); }
};
template <BeyondStd X> [[gnu::always_inline]] inline auto exp2(const X& x) { return apply<Exp2>(x); }
/// eˣ − 1          slope eˣ: y + 1 has lost its digits where y is nearly −1
struct Expm1 {
  static constexpr Row row{.name = "expm1", .domain = {-700, 700}, .max_ulp = 4.5};
  template <class X> static X value(const X& x) { using std::expm1; return expm1(x); }
  static auto slope(const auto& x, const auto&) { using std::exp; return exp(x); }
};
template <BeyondStd X> [[gnu::always_inline]] inline auto expm1(const X& x) { return apply<Expm1>(x); }
/// log x           slope 1/x; at 0 it is +∞, also at −0 (hence the + 0)
struct Log {
  static constexpr Row row{.name = "log", .domain = {1e-30, 1e30}, .max_ulp = 4};
  template <class X> static X value(const X& x) { using std::log; return log(x); }
  static auto slope(const auto& x, const auto&) { return 1 / (x + 0); }
};
template <BeyondStd X> [[gnu::always_inline]] inline auto log(const X& x) { return apply<Log>(x); }
/// log₂ x          slope 1/(x·log 2), at ±0 as that of log
struct Log2 {
  static constexpr Row row{.name = "log2", .domain = {1e-30, 1e30}, .max_ulp = 2};
  template <class X> static X value(const X& x) { using std::log2; return log2(x); }
  static auto slope(const auto& x, const auto&) { return 1 / (x * like(x, std::numbers::ln2) + 0); }
};
template <BeyondStd X> [[gnu::always_inline]] inline auto log2(const X& x) { return apply<Log2>(x); }
/// log₁₀ x         slope 1/(x·log 10), at ±0 as that of log
struct Log10 {
  static constexpr Row row{.name = "log10", .domain = {1e-30, 1e30}, .max_ulp = 2.1};
  template <class X> static X value(const X& x) { using std::log10; return log10(x); }
  static auto slope(const auto& x, const auto&) { return 1 / (x * like(x, std::numbers::ln10) + 0); }
};
template <BeyondStd X> [[gnu::always_inline]] inline auto log10(const X& x) { return apply<Log10>(x); }
/// log(1 + x)      slope 1/(1 + x)
struct Log1p {
  static constexpr Row row{.name = "log1p", .domain = {-0.999, 1e30}, .max_ulp = 3};
  template <class X> static X value(const X& x) { using std::log1p; return log1p(x); }
  static auto slope(const auto& x, const auto&) { return 1 / (1 + x); }
};
template <BeyondStd X> [[gnu::always_inline]] inline auto log1p(const X& x) { return apply<Log1p>(x); }

// ---- circular -------------------------------------------------------------------------------------------------------
/// sin x           slope cos x
struct Sin {
  static constexpr Row row{.name = "sin", .domain = {-100, 100}, .max_ulp = 3};
  template <class X> static X value(const X& x) { using std::sin; return sin(x); }
  static auto slope(const auto& x, const auto&) { using std::cos; return cos(x); }
};
template <BeyondStd X> [[gnu::always_inline]] inline auto sin(const X& x) { return apply<Sin>(x); }
/// cos x           slope −sin x
struct Cos {
  static constexpr Row row{.name = "cos", .domain = {-100, 100}, .max_ulp = 3};
  template <class X> static X value(const X& x) { using std::cos; return cos(x); }
  static auto slope(const auto& x, const auto&) { using std::sin; return -sin(x); }
};
template <BeyondStd X> [[gnu::always_inline]] inline auto cos(const X& x) { return apply<Cos>(x); }
/// tan x           slope 1 + y²
struct Tan {
  static constexpr Row row{.name = "tan", .domain = {-1.5, 1.5}, .max_ulp = 1, .from_result = true, .lanes = false};
  template <class X> static X value(const X& x) { using std::tan; return tan(x); }
  static auto slope(const auto&, const auto& y) { return 1 + y * y; }
};
template <BeyondStd X> [[gnu::always_inline]] inline auto tan(const X& x) { return apply<Tan>(x); }
/// arcsin x        slope 1/√(1 − x²), +∞ at ±1
struct Asin {
  static constexpr Row row{.name = "asin", .domain = {-1, 1}, .max_ulp = 2.5};
  template <class X> static X value(const X& x) { using std::asin; return asin(x); }
  static auto slope(const auto& x, const auto&) { using std::sqrt; return 1 / sqrt(one_minus_square(x)); }
};
template <BeyondStd X> [[gnu::always_inline]] inline auto asin(const X& x) { return apply<Asin>(x); }
/// arccos x        slope −1/√(1 − x²), −∞ at ±1
struct Acos {
  static constexpr Row row{.name = "acos", .domain = {-1, 1}, .max_ulp = 2};
  template <class X> static X value(const X& x) { using std::acos; return acos(x); }
  static auto slope(const auto& x, const auto&) { using std::sqrt; return -1 / sqrt(one_minus_square(x)); }
};
template <BeyondStd X> [[gnu::always_inline]] inline auto acos(const X& x) { return apply<Acos>(x); }
/// arctan x        slope 1/(1 + x²)
struct Atan {
  static constexpr Row row{.name = "atan", .domain = {-1e6, 1e6}, .max_ulp = 3};
  template <class X> static X value(const X& x) { using std::atan; return atan(x); }
  static auto slope(const auto& x, const auto&) { return 1 / (1 + x * x); }
};
template <BeyondStd X> [[gnu::always_inline]] inline auto atan(const X& x) { return apply<Atan>(x); }
/// the angle of the point (b, a)      slopes b/h² and −a/h² with h = √(a² + b²); both 0 at the origin, where no direction is the right one
struct Atan2 {
  static constexpr Row row{.name = "atan2", .domain = {-1e6, 1e6}, .max_ulp = 2, .right = {-1e6, 1e6}, .lanes = false};
  template <class X> static X value(const X& a, const X& b) { using std::atan2; return atan2(a, b); }
  static auto left(const auto& a, const auto& b, const auto& y) { return part(b, a) + nan_of(y); }
  static auto right(const auto& a, const auto& b, const auto& y) { return nan_of(y) - part(a, b); }
  static auto nan_of(const auto& y) { return plain(y) - plain(y); }  // 0 but where y is NaN: hypot(∞, NaN) is ∞
  static auto part(const auto& a, const auto& b) {  // a/h²
    using std::hypot;
    const auto h = hypot(a, b);
    return Hypot::share(a, h) / select(plain(h) == 0, like(h, 1), h);
  }
};
template <class L, With<L> R> [[gnu::always_inline]] inline auto atan2(const L& a, const R& b) { return apply<Atan2>(a, b); }

// ---- hyperbolic -----------------------------------------------------------------------------------------------------
/// cosh x          slope sinh x
struct Cosh {
  static constexpr Row row{.name = "cosh", .domain = {-700, 700}, .max_ulp = 4};
  template <class X> static X value(const X& x) { using std::cosh; return cosh(x); }
  static auto slope(const auto& x, const auto&) { using std::sinh; return sinh(x); }
};
template <BeyondStd X> [[gnu::always_inline]] inline auto cosh(const X& x) { return apply<Cosh>(x); }
/// sinh x          slope cosh x
struct Sinh {
  static constexpr Row row{.name = "sinh", .domain = {-700, 700}, .max_ulp = 4};
  template <class X> static X value(const X& x) { using std::sinh; return sinh(x); }
  static auto slope(const auto& x, const auto&) { using std::cosh; return cosh(x); }
};
template <BeyondStd X> [[gnu::always_inline]] inline auto sinh(const X& x) { return apply<Sinh>(x); }
/// tanh x          slope 1 − y², within a unit in the last place of 1 (from the result: the walk back calls no second tanh)
struct Tanh {
  static constexpr Row row{.name = "tanh", .domain = {-20, 20}, .max_ulp = 4, .from_result = true};
  template <class X> static X value(const X& x) { using std::tanh; return tanh(x); }
  static auto slope(const auto&, const auto& y) { return 1 - y * y; }
};
template <BeyondStd X> [[gnu::always_inline]] inline auto tanh(const X& x) { return apply<Tanh>(x); }
/// arsinh x        slope 1/√(1 + x²), which is 1/|x| where x² is far from 1, and may be out of range
struct Asinh {
  static constexpr Row row{.name = "asinh", .domain = {-1e6, 1e6}, .max_ulp = 3.1};
  template <class X> static X value(const X& x) { using std::asinh; return asinh(x); }
  static auto slope(const auto& x, const auto&) {
    using std::abs, std::sqrt;
    return 1 / select(abs(plain(x)) > like(plain(x), 1e9), abs(x), sqrt(1 + x * x));
  }
};
template <BeyondStd X> [[gnu::always_inline]] inline auto asinh(const X& x) { return apply<Asinh>(x); }
/// arcosh x        slope 1/√(x² − 1), +∞ at 1; two roots, so that x below −1 gives NaN and a large x does not overflow
struct Acosh {
  static constexpr Row row{.name = "acosh", .domain = {1, 1e6}, .max_ulp = 3.5};
  template <class X> static X value(const X& x) { using std::acosh; return acosh(x); }
  static auto slope(const auto& x, const auto&) { using std::sqrt; return 1 / (sqrt(x - 1) * sqrt(x + 1)); }
};
template <BeyondStd X> [[gnu::always_inline]] inline auto acosh(const X& x) { return apply<Acosh>(x); }
/// artanh x        slope 1/(1 − x²), +∞ at ±1
struct Atanh {
  static constexpr Row row{.name = "atanh", .domain = {-1, 1}, .max_ulp = 4};
  template <class X> static X value(const X& x) { using std::atanh; return atanh(x); }
  static auto slope(const auto& x, const auto&) { return 1 / one_minus_square(x); }
};
template <BeyondStd X> [[gnu::always_inline]] inline auto atanh(const X& x) { return apply<Atanh>(x); }

// ---- error and gamma functions --------------------------------------------------------------------------------------
/// erf x           slope 2/√π·e^(−x²)
struct Erf {
  static constexpr Row row{.name = "erf", .domain = {-6, 6}, .max_ulp = 1.5};
  template <class X> static X value(const X& x) { using std::erf; return erf(x); }
  static auto slope(const auto& x, const auto&) { using std::exp; return like(x, 2 * std::numbers::inv_sqrtpi) * exp(-(x * x)); }
};
template <BeyondStd X> [[gnu::always_inline]] inline auto erf(const X& x) { return apply<Erf>(x); }
/// 1 − erf x       slope −2/√π·e^(−x²)
struct Erfc {
  static constexpr Row row{.name = "erfc", .domain = {-6, 26}, .max_ulp = 5};
  template <class X> static X value(const X& x) { using std::erfc; return erfc(x); }
  static auto slope(const auto& x, const auto&) { using std::exp; return like(x, -2 * std::numbers::inv_sqrtpi) * exp(-(x * x)); }
};
template <BeyondStd X> [[gnu::always_inline]] inline auto erfc(const X& x) { return apply<Erfc>(x); }
/// ψ⁽ⁿ⁾(x), the n-th derivative of ψ = digamma      slope ψ⁽ⁿ⁺¹⁾(x), a rule of its own only when it is asked for
template <int n> struct Polygamma {
  static constexpr Row row{.name = n == 0 ? "digamma" : "polygamma", .domain = {2, 1e6}, .max_ulp = n == 0 ? 25 : 8, .lanes = false};
  template <class X> static X value(const X& x) { return static_cast<X>(polygamma(n, static_cast<double>(x))); }
  static auto slope(const auto& x, const auto&) { return evaluate<Polygamma<n + 1>>(x); }
};
using Digamma = Polygamma<0>;
template <BeyondStd X, Nothing... None> [[gnu::always_inline]] inline auto digamma(const X& x, None...) { return apply<Digamma>(x); }
/// log |Γ(x)|      slope ψ(x), NaN at the poles −1, −2, …
struct Lgamma {
  static constexpr Row row{.name = "lgamma", .domain = {2.1, 1e6}, .max_ulp = 4, .lanes = false};
  template <class X> static X value(const X& x) { return static_cast<X>(detail::log_gamma(static_cast<double>(x))); }
  static auto slope(const auto& x, const auto&) { return evaluate<Digamma>(x); }
};
template <BeyondStd X> [[gnu::always_inline]] inline auto lgamma(const X& x) { return apply<Lgamma>(x); }
/// Γ(x)            slope y·ψ(x)
struct Tgamma {
  static constexpr Row row{.name = "tgamma", .domain = {0.01, 30}, .max_ulp = 10, .lanes = false};
  template <class X> static X value(const X& x) { using std::tgamma; return tgamma(x); }
  static auto slope(const auto& x, const auto& y) { return y * evaluate<Digamma>(x); }
};
template <BeyondStd X> [[gnu::always_inline]] inline auto tgamma(const X& x) { return apply<Tgamma>(x); }

// ---- kinks and steps: the slope at a kink is the one stated; NaN goes through ---------------------------------------
/// |x|             slope ±1, and 0 at 0
struct Abs {
  static constexpr Row row{.name = "abs", .domain = {-1e6, 1e6}, .max_ulp = 0};
  template <class X> static X value(const X& x) { using std::abs; return abs(x); }
  static auto slope(const auto& x, const auto&) { return sign_of(plain(x)); }
};
template <BeyondStd X> [[gnu::always_inline]] inline auto abs(const X& x) { return apply<Abs>(x); }
template <BeyondStd X> [[gnu::always_inline]] inline auto fabs(const X& x) { return apply<Abs>(x); }
/// the larger of a, b      slopes 1 and 0; at a tie each has ½. NaN if either is (where std::max(a, NaN) is a)
struct Max {
  static constexpr Row row{.name = "max", .domain = {-1e6, 1e6}, .max_ulp = 0, .right = {-1e6, 1e6}};
  template <class X> static X value(const X& a, const X& b) { return select(a >= b, a, select(a < b, b, a + b)); }
  static auto left(const auto& a, const auto& b, const auto& y) { return of_larger(plain(a), plain(b), plain(y)); }
  static auto right(const auto& a, const auto& b, const auto& y) { return of_larger(plain(b), plain(a), plain(y)); }
  static auto of_larger(auto p, auto q, auto y) {
    return select(p > q, like(y, 1), select(p < q, like(y, 0), select(p == q, like(y, 0.5), y)));
  }
};
template <class L, With<L> R> [[gnu::always_inline]] inline auto max(const L& a, const R& b) { return apply<Max>(a, b); }
template <BeyondStd X> [[gnu::always_inline]] inline auto max(const X& a, const X& b) { return apply<Max>(a, b); }  // beats std::max
/// the smaller of a, b     slopes as max
struct Min {
  static constexpr Row row{.name = "min", .domain = {-1e6, 1e6}, .max_ulp = 0, .right = {-1e6, 1e6}};
  template <class X> static X value(const X& a, const X& b) { return select(a <= b, a, select(a > b, b, a + b)); }
  static auto left(const auto& a, const auto& b, const auto& y) { return Max::of_larger(plain(b), plain(a), plain(y)); }
  static auto right(const auto& a, const auto& b, const auto& y) { return Max::of_larger(plain(a), plain(b), plain(y)); }
};
template <class L, With<L> R> [[gnu::always_inline]] inline auto min(const L& a, const R& b) { return apply<Min>(a, b); }
template <BeyondStd X> [[gnu::always_inline]] inline auto min(const X& a, const X& b) { return apply<Min>(a, b); }  // beats std::min
/// the larger of a, b; if one is NaN the other, with slope 1      slopes as max
struct Fmax {
  static constexpr Row row{.name = "fmax", .domain = {-1e6, 1e6}, .max_ulp = 0, .right = {-1e6, 1e6}};
  template <class X> static X value(const X& a, const X& b) { return select(a >= b, a, select(a < b, b, select(a == a, a, b))); }
  static auto left(const auto& a, const auto& b, const auto&) { return of_larger(plain(a), plain(b)); }
  static auto right(const auto& a, const auto& b, const auto&) { return of_larger(plain(b), plain(a)); }
  static auto of_larger(auto p, auto q) { return Max::of_larger(p, q, select(p == p, like(p, 1), select(q == q, like(p, 0), p))); }
};
template <class L, With<L> R> [[gnu::always_inline]] inline auto fmax(const L& a, const R& b) { return apply<Fmax>(a, b); }
/// the smaller of a, b; if one is NaN the other, with slope 1     slopes as max
struct Fmin {
  static constexpr Row row{.name = "fmin", .domain = {-1e6, 1e6}, .max_ulp = 0, .right = {-1e6, 1e6}};
  template <class X> static X value(const X& a, const X& b) { return select(a <= b, a, select(a > b, b, select(a == a, a, b))); }
  static auto left(const auto& a, const auto& b, const auto&) { return Fmax::of_larger(-plain(a), -plain(b)); }
  static auto right(const auto& a, const auto& b, const auto&) { return Fmax::of_larger(-plain(b), -plain(a)); }
};
template <class L, With<L> R> [[gnu::always_inline]] inline auto fmin(const L& a, const R& b) { return apply<Fmin>(a, b); }
/// a − n·b, n = trunc(a/b)      slopes 1 and −n; the jumps where n changes count for nothing
struct Fmod {
  static constexpr Row row{.name = "fmod", .domain = {-1e6, 1e6}, .max_ulp = 0, .right = {0.1, 1e3}, .lanes = false};
  template <class X> static X value(const X& a, const X& b) { using std::fmod; return fmod(a, b); }
  static auto left(const auto&, const auto&, const auto& y) { return exactly<1>(y); }
  static auto right(const auto& a, const auto& b, const auto& y) { using std::round; return round((y - a) / b); }
};
template <class L, With<L> R> [[gnu::always_inline]] inline auto fmod(const L& a, const R& b) { return apply<Fmod>(a, b); }
/// |a| with b's sign            slopes ±1 (0 at a = 0) and 0
struct Copysign {
  static constexpr Row row{.name = "copysign", .domain = {-1e6, 1e6}, .max_ulp = 0, .right = {-1e6, 1e6}};
  template <class X> static X value(const X& a, const X& b) { using std::copysign; return copysign(a, b); }
  static auto left(const auto& a, const auto&, const auto& y) { return sign_of(plain(a)) * sign_of(plain(y)); }
  static auto right(const auto&, const auto&, const auto& y) { return exactly<0>(y); }
};
template <class L, With<L> R> [[gnu::always_inline]] inline auto copysign(const L& a, const R& b) { return apply<Copysign>(a, b); }
/// What the four below share.
struct Step { static auto slope(const auto&, const auto& y) { return exactly<0>(y); } };
/// the whole number at or below x          slope 0, also at the steps
struct Floor : Step {
  static constexpr Row row{.name = "floor", .domain = {-1e6, 1e6}, .max_ulp = 0, .from_result = true};
  template <class X> static X value(const X& x) { using std::floor; return floor(x); }
};
template <BeyondStd X> [[gnu::always_inline]] inline auto floor(const X& x) { return apply<Floor>(x); }
/// the whole number at or above x          slope 0
struct Ceil : Step {
  static constexpr Row row{.name = "ceil", .domain = {-1e6, 1e6}, .max_ulp = 0, .from_result = true};
  template <class X> static X value(const X& x) { using std::ceil; return ceil(x); }
};
template <BeyondStd X> [[gnu::always_inline]] inline auto ceil(const X& x) { return apply<Ceil>(x); }
/// the nearest whole number, halves away from 0      slope 0
struct Round : Step {
  static constexpr Row row{.name = "round", .domain = {-1e6, 1e6}, .max_ulp = 0, .from_result = true};
  template <class X> static X value(const X& x) { using std::round; return round(x); }
};
template <BeyondStd X> [[gnu::always_inline]] inline auto round(const X& x) { return apply<Round>(x); }
/// x without its fraction                  slope 0
struct Trunc : Step {
  static constexpr Row row{.name = "trunc", .domain = {-1e6, 1e6}, .max_ulp = 0, .from_result = true};
  template <class X> static X value(const X& x) { using std::trunc; return trunc(x); }
};
template <BeyondStd X> [[gnu::always_inline]] inline auto trunc(const X& x) { return apply<Trunc>(x); }

// ---- activations of layers: rules rather than compositions, so that each is one kernel ------------------------------
/// 1/(1 + e⁻ˣ)                 slope y(1 − y), within a unit in the last place of 1; e⁻ˣ = ∞ gives 0, as it should
struct Sigmoid {
  static constexpr Row row{.name = "sigmoid", .domain = {-700, 700}, .max_ulp = 3, .from_result = true};
  template <class X> static X value(const X& x) { using std::exp; return 1 / (1 + exp(-x)); }
  static auto slope(const auto&, const auto& y) { return y * (1 - y); }
};
template <Operand X, Nothing... None> [[gnu::always_inline]] inline auto sigmoid(const X& x, None...) { return apply<Sigmoid>(x); }
/// log(1 + eˣ)                 slope 1 − e⁻ʸ, as −expm1(−y) to keep the digits of a small y; never overflows
struct Softplus {
  static constexpr Row row{.name = "softplus", .domain = {-700, 700}, .max_ulp = 5, .from_result = true};
  template <class X> static X value(const X& x) {
    using std::abs, std::exp, std::log1p;
    return select(x > 0, x, like(x, 0)) + log1p(exp(-abs(x)));
  }
  static auto slope(const auto&, const auto& y) { using std::expm1; return -expm1(-y); }
};
template <Operand X, Nothing... None> [[gnu::always_inline]] inline auto softplus(const X& x, None...) { return apply<Softplus>(x); }
/// log(1/(1 + e⁻ˣ)) = −softplus(−x)        slope 1 − eʸ, as −expm1(y)
struct LogSigmoid {
  static constexpr Row row{.name = "log_sigmoid", .domain = {-700, 700}, .max_ulp = 5, .from_result = true};
  template <class X> static X value(const X& x) { return -Softplus::value(-x); }
  static auto slope(const auto&, const auto& y) { using std::expm1; return -expm1(y); }
};
template <Operand X, Nothing... None> [[gnu::always_inline]] inline auto log_sigmoid(const X& x, None...) { return apply<LogSigmoid>(x); }
/// log(eᵃ + eᵇ)                slopes eᵃ⁻ʸ and eᵇ⁻ʸ, as 1/(1 + eᵇ⁻ᵃ); 0 where both are −∞. Never overflows; of negative a, b, whose result may be
/// near 0, the error is one of the larger operand's last places
struct LogAddExp {
  static constexpr Row row{.name = "logaddexp", .domain = {0, 700}, .max_ulp = 2, .right = {0, 700}};
  template <class X> static X value(const X& a, const X& b) {
    using std::abs, std::exp, std::log1p;
    return select(a >= b, a, b) + log1p(exp(-abs(apart(a, b))));
  }
  static auto left(const auto& a, const auto& b, const auto& y) { return share(apart(a, b), y); }
  static auto right(const auto& a, const auto& b, const auto& y) { return share(apart(b, a), y); }
  /// a − b, 0 of two equal infinities
  static auto apart(const auto& a, const auto& b) {
    const auto p = plain(a);
    const auto q = plain(b);
    return select(p == q, select(p - p == like(p, 0), a - b, like(a, 0)), a - b);
  }
  static auto share(const auto& d, const auto& y) {
    return select(plain(y) == like(plain(y), -std::numeric_limits<double>::infinity()), like(d, 0), evaluate<Sigmoid>(d));
  }
};
template <Operand L, Operand R, Nothing... None> [[gnu::always_inline]] inline auto logaddexp(const L& a, const R& b, None...) {
  return apply<LogAddExp>(a, b);
}
/// a·log b, 0 where a is 0     slopes log b and a/b, the second 0 at (0, 0): for entropies, −Σ p log p
struct XLogY {
  static constexpr Row row{.name = "xlogy", .domain = {-1e3, 1e3}, .max_ulp = 5, .right = {1e-3, 1e3}};
  template <class X> static X value(const X& a, const X& b) {
    using std::log;
    return select(a == like(a, 0), select(b == b, like(a, 0), b), a * log(b));
  }
  static auto left(const auto&, const auto& b, const auto&) { using std::log; return log(b); }
  static auto right(const auto& a, const auto& b, const auto&) {
    return a / select(plain(a) == like(plain(a), 0), select(plain(b) == like(plain(b), 0), like(b, 1), b), b);
  }
};
template <Operand L, Operand R, Nothing... None> [[gnu::always_inline]] inline auto xlogy(const L& a, const R& b, None...) {
  return apply<XLogY>(a, b);
}
/// max(x, 0)                   slope 1 above 0, else 0, also at 0; NaN for NaN
struct Relu {
  static constexpr Row row{.name = "relu", .domain = {-1e6, 1e6}, .max_ulp = 0, .from_result = true};
  template <class X> static X value(const X& x) { return select(x <= 0, like(x, 0), x); }
  static auto slope(const auto&, const auto& y) { return select(plain(y) > 0, like(plain(y), 1), plain(y)); }
};
template <Operand X, Nothing... None> [[gnu::always_inline]] inline auto relu(const X& x, None...) { return apply<Relu>(x); }
/// x·Φ(x), Φ the normal distribution       slope Φ(x) + x·φ(x), both exact. Beyond ±40 Φ is 0 or 1 to the last digit
struct Gelu {
  static constexpr Row row{.name = "gelu", .domain = {-2, 100}, .max_ulp = 12};
  template <class X> static X value(const X& x) {
    const X z = select(x < -40, like(x, -40), x);  // −∞·0 would be NaN
    return z * (Erfc::value(z * like(z, -1 / std::numbers::sqrt2)) / 2);
  }
  static auto slope(const auto& x, const auto&) {
    using std::exp;
    const auto z = clamped<40>(x);
    return (evaluate<Erfc>(z * like(z, -1 / std::numbers::sqrt2)) +
            z * exp(z * z / -2) * like(z, std::numbers::sqrt2 * std::numbers::inv_sqrtpi)) / 2;
  }
};
template <Operand X, Nothing... None> [[gnu::always_inline]] inline auto gelu(const X& x, None...) { return apply<Gelu>(x); }
/// x·σ(x), σ = sigmoid         slope σ(1 + x(1 − σ)). Beyond ±750 σ is 0 or 1 to the last digit
struct Silu {
  static constexpr Row row{.name = "silu", .domain = {-80, 700}, .max_ulp = 4};
  template <class X> static X value(const X& x) {
    using std::abs, std::exp;
    const X z = select(x < -750, like(x, -750), x), e = exp(-abs(z));  // −∞·0 would be NaN
    return select(z < 0, z * e, z) / (1 + e);
  }
  static auto slope(const auto& x, const auto&) {
    const auto z = clamped<750>(x);
    const auto s = evaluate<Sigmoid>(z);
    return s * (1 + z * (1 - s));
  }
};
template <Operand X, Nothing... None> [[gnu::always_inline]] inline auto silu(const X& x, None...) { return apply<Silu>(x); }

// ---- the lists: whatever walks the table walks these ----------------------------------------------------------------
template <class... Rules> struct List { static constexpr std::size_t size = sizeof...(Rules); };
using UnaryRules = List<Identity, Negate, Square, Sqrt, Cbrt, Exp, Exp2, Expm1, Log, Log2, Log10, Log1p, Sin, Cos, Tan, Asin, Acos, Atan,
                        Cosh, Sinh, Tanh, Asinh, Acosh, Atanh, Erf, Erfc, Digamma, Lgamma, Tgamma, Abs, Floor, Ceil, Round, Trunc,
                        Sigmoid, Softplus, LogSigmoid, Relu, Gelu, Silu>;
using BinaryRules = List<Add, Subtract, Multiply, Scale, Divide, Pow, Hypot, Atan2, LogAddExp, XLogY, Max, Min, Fmax, Fmin, Fmod,
                         Copysign>;
// Comparisons are no rules, for they have no slope.
struct Less { static constexpr const char* name = "operator<"; static constexpr auto holds(const auto& a, const auto& b) { return a < b; } };
struct LessEqual { static constexpr const char* name = "operator<="; static constexpr auto holds(const auto& a, const auto& b) { return a <= b; } };
struct Equal { static constexpr const char* name = "operator=="; static constexpr auto holds(const auto& a, const auto& b) { return a == b; } };
struct NotEqual { static constexpr const char* name = "operator!="; static constexpr auto holds(const auto& a, const auto& b) { return a != b; } };
using Comparisons = List<Less, LessEqual, Equal, NotEqual>;
template <class Rule, class... Rules> constexpr bool contains(List<Rules...>) { return (std::is_same_v<Rule, Rules> || ...); }
template <class Rule, class... Rules> constexpr std::size_t index_in(List<Rules...> list) {
  static_assert(contains<Rule>(decltype(list){}), "this rule is not in the list at the end of rules.inl: add it there");
  std::size_t i = 0;
  return (void)((std::is_same_v<Rule, Rules> ? false : (++i, true)) && ...), i;
}
