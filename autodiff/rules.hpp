// Floor 0. The number protocol: what a rule is, what a number is, and how the one obeys the other.
//
// The rules themselves stand in rules.inl, one block each; start reading there. That file is read here once, for ordinary numbers,
// and by the kernels once more inside each instruction set's namespace, because a template belongs to the instruction set in force
// where it is written.
//
// The legend of the table:
//   x, y      argument and result of a rule of one argument     value(x) = y     slope(x, y) = dy/dx
//   a, b, y   arguments and result of a rule of two              value(a, b) = y  left(a, b, y) = dy/da   right(a, b, y) = dy/db
//   Outside of its domain a value is NaN; the slope there need not be.
//   `value` meets plain numbers only: double, float, a SIMD lane, a batch. All its arguments have one type.
//   `slope`, `left`, `right` meet every number, also Dual and Var, of different types even, so that they can be differentiated again.
//   Their result may be a plain number or an Exactly<n>, whatever their arguments are: multiply with it, or convert it.
//   Conditions are select(plain(x) > 0, p, q). Both sides are computed, so both must be harmless: repair the operand, not the result.
//   Prefer y to x in a slope, and say what happens at edges, ties and kinks. Write 1 and 2, and like(x, 0.7), never 0.7: it would
//   turn a float formula into a double one.
//
// A number is one of
//   - Arithmetic: apply<Rule>(x) is Rule::value(x);
//   - Differentiable: it has a member type `Differentiable`, a value(), and its own apply<Rule> that argument-dependent lookup finds;
//   - a tensor or another constant that takes part in formulas: it has a member type `Operand`, and its own apply<Rule>;
//   - a SIMD lane or a batch, which the rules' `value` and slopes are called with directly. It converts from every arithmetic type,
//     has + − · ÷ and unary −, comparisons < <= > >= == != that yield masks, which have && || !, and, found by argument-dependent
//     lookup, select(mask, p, q), sqrt, abs, copysign, floor, ceil, round, trunc, exp, expm1, log, log2, log10, log1p, sin, cos, asin,
//     acos, atan, sinh, cosh, tanh, asinh, acosh, atanh, erf, erfc. Beside a lane a constant slope is a plain int.
#pragma once
#include "special.hpp"

#include <cmath>
#include <concepts>
#include <cstddef>
#include <limits>
#include <numbers>
#include <type_traits>
#include <utility>

namespace autodiff::inline v1 {

struct Interval {
  double low = 0, high = 0;
};

/// What tests, kernels and documentation want to know about a rule.
struct Row {
  const char* name;
  Interval domain;           ///< of x, or of a, on which max_ulp holds; beyond it the value is still right, perhaps with fewer digits
  double max_ulp;            ///< largest error of `value` in units of the last place while y is a normal number
  Interval right = {};       ///< the domain of b
  bool from_result = false;  ///< slope(y, y) == slope(x, y): a fused layer need not keep x
  bool lanes = true;         ///< false: no formula for SIMD lanes; kernels loop over the scalar rule
  bool arithmetic = false;   ///< the value is + − · ÷ alone: a batch computes it in place, since a call of a kernel is more than it costs
};

template <class X> concept Arithmetic = std::is_arithmetic_v<X>;
/// A number that carries derivatives.
template <class X> concept Differentiable = requires { typename X::Differentiable; };
/// Whatever may stand in a formula of ours: a number, or a constant that asks for it (a tensor).
template <class X> concept Operand = Arithmetic<X> || Differentiable<X> || requires { typename X::Operand; };
/// What becomes whatever is asked for, as the initializer by which nn counts the fields of a struct, is no number.
template <class X> concept BecomesAnything = requires { typename X::BecomesAnything; };
/// A constant where T is wanted.
template <class X, class T> concept ConstantOf = !BecomesAnything<X> && std::convertible_to<X, T>;
/// No type at all.
template <class X> concept Nothing = false && sizeof(X) == 0;
/// An operand that needs our functions, since those of std do not know it.
template <class X> concept BeyondStd = Operand<X> && !Arithmetic<X>;
/// Two operands that need our operators.
template <class L, class R> concept Operands = Operand<L> && Operand<R> && (BeyondStd<L> || BeyondStd<R>);
template <class R, class L> concept With = Operands<L, R>;
/// Two operands of which one carries derivatives.
template <class R, class L> concept Compared = Operands<L, R> && (Differentiable<L> || Differentiable<R>);

/// How a result is kept in a variable: an expression names by a member type `Stored` what it becomes.
template <class X> struct StoredAs { using type = X; };
template <class X> requires requires { typename X::Stored; } struct StoredAs<X> { using type = typename X::Stored; };
template <class X> using Stored = typename StoredAs<X>::type;

namespace detail {
/// The type in which plain numbers meet: whole numbers count as double, but never widen a float.
template <class A, class B = A> struct Meeting { using type = std::common_type_t<A, B>; };
template <std::floating_point A, std::integral B> struct Meeting<A, B> { using type = A; };
template <std::integral A, std::floating_point B> struct Meeting<A, B> { using type = B; };
template <std::integral A, std::integral B> struct Meeting<A, B> { using type = double; };
template <class A, class B = A> using MeetingOf = typename Meeting<A, B>::type;
}  // namespace detail

/// Rule(x), Rule(a, b) of plain numbers, in floating point: whole numbers count as double. (Of everything else likewise, floor by floor: dual.hpp,
/// batch.hpp, var.hpp, elementwise.hpp.)
template <class Rule, Arithmetic X> [[gnu::always_inline]] constexpr auto apply(X x) {
  return Rule::value(static_cast<detail::MeetingOf<X>>(x));
}
template <class Rule, Arithmetic L, Arithmetic R> [[gnu::always_inline]] constexpr auto apply(L a, R b) {
  using X = detail::MeetingOf<L, R>;
  return Rule::value(static_cast<X>(a), static_cast<X>(b));
}

/// c ? a : b, in the form that lanes, batches and tensors have too (for them c is a mask).
template <class A, class B> [[gnu::always_inline]] constexpr auto select(bool c, const A& a, const B& b) {
  using X = std::common_type_t<Stored<A>, Stored<B>>;
  return c ? static_cast<X>(a) : static_cast<X>(b);
}

/// The constant 0 of x's kind (and shape, where it has one).
template <Arithmetic X> [[gnu::always_inline]] constexpr X zero_like(const X&) { return X(0); }

/// The slope n wherever it is evaluated: nothing is computed, or recorded, to multiply with it.
template <int n> struct Exactly {
  constexpr operator double() const { return n; }
};
template <int n, class X> [[gnu::always_inline]] constexpr auto operator*(Exactly<n>, const X& x) {
  static_assert(n >= -1 && n <= 1);
  if constexpr (n == 1) return Stored<X>(x);
  else if constexpr (n == -1) return -x;
  else return zero_like(x);
}
template <int n, class X> [[gnu::always_inline]] constexpr auto operator*(const X& x, Exactly<n> slope) { return slope * x; }
template <int n, int m> [[gnu::always_inline]] constexpr auto operator*(Exactly<n>, Exactly<m>) { return Exactly<n * m>{}; }

#include "rules.inl"

namespace detail {
/// p, a whole number as double, so that -Wconversion is silent.
template <class P> [[gnu::always_inline]] constexpr decltype(auto) comparable(const P& p) {
  if constexpr (std::is_integral_v<P>) return static_cast<double>(p); else return (p);
}
}  // namespace detail

// ---- comparisons and questions look at the plain numbers ------------------------------------------------------------
template <class L, Compared<L> R>
[[gnu::always_inline]] constexpr auto operator<(const L& a, const R& b) { return detail::comparable(plain(a)) < detail::comparable(plain(b)); }
template <class L, Compared<L> R>
[[gnu::always_inline]] constexpr auto operator>(const L& a, const R& b) { return detail::comparable(plain(a)) > detail::comparable(plain(b)); }
template <class L, Compared<L> R>
[[gnu::always_inline]] constexpr auto operator<=(const L& a, const R& b) { return detail::comparable(plain(a)) <= detail::comparable(plain(b)); }
template <class L, Compared<L> R>
[[gnu::always_inline]] constexpr auto operator>=(const L& a, const R& b) { return detail::comparable(plain(a)) >= detail::comparable(plain(b)); }
template <class L, Compared<L> R>
[[gnu::always_inline]] constexpr auto operator==(const L& a, const R& b) { return detail::comparable(plain(a)) == detail::comparable(plain(b)); }
template <class L, Compared<L> R>
[[gnu::always_inline]] constexpr auto operator!=(const L& a, const R& b) { return detail::comparable(plain(a)) != detail::comparable(plain(b)); }

/// A variable, a Dual, an expression: with one plain number inside.
template <class X> concept NumberInside = Differentiable<X> && Arithmetic<decltype(plain(std::declval<const X&>()))>;
template <NumberInside X, Nothing... None> constexpr auto zero_like(const X&, None...) { return Stored<X>(0); }
/// x as a constant, for which every derivative is 0: what others call detach or stop_gradient.
template <Operand X, Nothing... None> constexpr auto constant(const X& x, None...) { return Stored<X>(plain(x)); }
/// For lanes and tensors, too: of each number.
template <BeyondStd X> inline auto isnan(const X& x) {
  const auto& p = plain(x);
  return p != p;
}
template <BeyondStd X> inline auto isinf(const X& x) {
  using std::abs;
  return abs(plain(x)) == std::numeric_limits<double>::infinity();
}
template <BeyondStd X> inline auto isfinite(const X& x) {
  const auto& p = plain(x);
  return p - p == 0;
}
template <NumberInside X> inline bool signbit(const X& x) { return std::signbit(plain(x)); }
/// The nearest whole number, as an integer: for tables, and what else counts. (A program's own functions of these four names go before ours.)
template <NumberInside X, Nothing... None> inline long lround(const X& x, None...) { return std::lround(plain(x)); }
template <NumberInside X, Nothing... None> inline long long llround(const X& x, None...) { return std::llround(plain(x)); }
template <NumberInside X, Nothing... None> inline long lrint(const X& x, None...) { return std::lrint(plain(x)); }
template <NumberInside X, Nothing... None> inline long long llrint(const X& x, None...) { return std::llrint(plain(x)); }

// ---- compositions of rules ------------------------------------------------------------------------------------------
/// x·2ⁿ, in three steps, for 2ⁿ alone may be out of range; where the result is a denormal number, the last one alone rounds
template <NumberInside X, Nothing... None> inline auto ldexp(const X& x, int n, None...) {
  constexpr int most = std::numeric_limits<decltype(plain(x))>::max_exponent - 1;
  const int k = n > 3 * most ? 3 * most : n < -3 * most ? -3 * most : n, last = k < 1 - most ? 1 - most : k > most ? most : k, first = (k - last) / 2;
  return Stored<X>(x * std::ldexp(1.0, first) * std::ldexp(1.0, k - last - first) * std::ldexp(1.0, last));
}
/// x = mantissa·2ⁿ, ½ ≤ |mantissa| < 1; n is 0 for 0, ∞ and NaN
template <NumberInside X, Nothing... None> inline auto frexp(const X& x, int* n, None...) {
  if (std::frexp(plain(x), n); !std::isfinite(plain(x))) *n = 0;
  return ldexp(x, -*n);
}
/// The fraction of x, NaN of ∞; what stands before the point goes to `whole`, a constant
template <Differentiable X, Nothing... None> inline auto modf(const X& x, Stored<X>* whole, None...) {
  const Stored<X> before = constant(trunc(x)), fraction = x - before;
  *whole = before;  // last: it may be x
  return fraction;
}
/// max(a − b, 0), NaN of two equal infinities
template <class L, With<L> R, Nothing... None> inline auto fdim(const L& a, const R& b, None...) { return apply<Relu>(a - b); }

}  // namespace autodiff::inline v1
