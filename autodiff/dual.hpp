// Floor 1. Forward mode: a Dual is a value and its tangent, the derivative along one direction.
//
//     f(x + v ε) = f(x) + f'(x)·v ε          with ε² = 0
//
// T is any number: double, float, a Var, a tensor, another Dual. The Tag says which derivative the ε belongs to, so that an inner
// derivative never takes the outer's ε for its own: a number without the Tag is a constant for it. In d/dx [x · d/dy (x·y)] the inner ε marks y
// alone, and x, which carries the outer ε, is a constant beside it: the inner derivative is x, not x + y. Where two tags meet, as in the inner
// d/dy (x·y) at an x that has a tangent too, the result is a nest of both; which one is outside decides about its type, never about its
// meaning, and nests of the same tags convert into each other.
// Two derivatives that are under way at once must have different tags. The drivers make the tag from the types of the function and of its
// point. One case escapes: a function that differentiates itself at a plain number while it keeps its own variable in a static.
//
// Start reading at `Dual`, then `apply`.
#pragma once
#include "error.hpp"
#include "rules.hpp"

#include <concepts>
#include <limits>
#include <utility>

namespace autodiff::inline v1 {

template <class T, class Tag, class V> class Dual;

namespace detail {

template <class X> inline constexpr bool is_dual = false;
template <class T, class Tag, class V> inline constexpr bool is_dual<Dual<T, Tag, V>> = true;

/// Does a nest hold a tangent of this tag?
template <class Tag, class X> inline constexpr bool holds = false;
template <class Tag, class T, class V> inline constexpr bool holds<Tag, Dual<T, Tag, V>> = true;
template <class Tag, class T, class A, class V> inline constexpr bool holds<Tag, Dual<T, A, V>> = holds<Tag, T>;

template <class X> [[gnu::always_inline]] constexpr auto stored(const X& x) { return static_cast<Stored<X>>(x); }

/// The tangent that belongs to Tag, wherever in the nest it is; zero if nowhere.
template <class Tag, class X> constexpr auto tangent(const X& x) {
  if constexpr (Arithmetic<X>) return MeetingOf<X>(0);
  else return zero_like(stored(x));
}
template <class Tag, class T, class A, class V> constexpr auto tangent(const Dual<T, A, V>& x) {
  if constexpr (std::is_same_v<Tag, A>) return x.tangent();
  else if constexpr (holds<Tag, T>) {
    using U = decltype(tangent<Tag>(x.value()));
    return Dual<U, A, decltype(tangent<Tag>(x.tangent()))>(tangent<Tag>(x.value()), tangent<Tag>(x.tangent()));
  } else return zero_like(x);
}

/// The nest without the tangent of Tag.
template <class Tag, class X> constexpr auto primal(const X& x) { return stored(x); }
template <class Tag, class T, class A, class V> constexpr auto primal(const Dual<T, A, V>& x) {
  if constexpr (std::is_same_v<Tag, A>) return x.value();
  else if constexpr (holds<Tag, T>) {
    using U = decltype(primal<Tag>(x.value()));
    return Dual<U, A, decltype(primal<Tag>(x.tangent()))>(primal<Tag>(x.value()), primal<Tag>(x.tangent()));
  } else return x;
}
template <class Tag, class X> using Primal = decltype(primal<Tag>(std::declval<const X&>()));

/// Can Dual<T, Tag> hold all of x?
template <class X, class T, class Tag> concept Fits = std::convertible_to<Primal<Tag, X>, T>;

}  // namespace detail

/// A value and a tangent. `Dual<double> c = 3.0;` is a constant, Dual<double>{} is 0. The tangent may be of a type of its own: a Batch beside one
/// number holds the derivatives along eight directions. (The defaults stand here, and not where it is declared first: clang 14 would
/// crash on a precompiled Dual.)
template <class T, class Tag = void, class V = T> class Dual {
  T value_{};
  V tangent_{};

 public:
  using Differentiable = void;
  constexpr Dual() = default;
  /// (Explicit: `{a, b}` in a template is two numbers, for a std::vector of double too.)
  explicit constexpr Dual(const T& value, const V& tangent) : value_(value), tangent_(tangent) {}
  /// A constant.
  template <class X> requires(!detail::holds<Tag, X> && ConstantOf<X, T>)
  [[gnu::always_inline]] constexpr Dual(const X& value) : value_(static_cast<T>(value)), tangent_(zero_like(value_)) {}
  /// The same tangents in a nest of another type: wider, or in another order.
  template <class X> requires(detail::holds<Tag, X> && detail::Fits<X, T, Tag>)
  constexpr Dual(const X& x) : value_(detail::primal<Tag>(x)), tangent_(detail::tangent<Tag>(x)) {}

  constexpr const T& value() const { return value_; }
  constexpr const V& tangent() const { return tangent_; }

  /// Of a tensor: its shape, its elements with their tangents, and all of it in numbers of U.
  auto shape() const requires requires(const T& t) { t.shape(); } { return value_.shape(); }
  auto size() const requires requires(const T& t) { t.size(); } { return value_.size(); }
  template <std::integral... I> auto operator()(I... index) const requires requires(const T& t) { t(index...); } {
    using Y = decltype(value_(index...));
    return Dual<Y, Tag>(value_(index...), tangent_(index...));
  }
  auto operator[](std::size_t k) const requires requires(const T& t) { t.shape(); t[k]; } {
    using Y = std::remove_cvref_t<decltype(value_[k])>;
    return Dual<Y, Tag>(value_[k], tangent_[k]);
  }
  template <class U> auto as() const requires requires(const T& t) { t.template as<U>(); } {
    return Dual<decltype(value_.template as<U>()), Tag>(value_.template as<U>(), tangent_.template as<U>());
  }

  template <class X> [[gnu::always_inline]] constexpr Dual& operator+=(const X& x) { return become(*this + x); }
  template <class X> [[gnu::always_inline]] constexpr Dual& operator-=(const X& x) { return become(*this - x); }
  template <class X> [[gnu::always_inline]] constexpr Dual& operator*=(const X& x) { return become(*this * x); }
  template <class X> [[gnu::always_inline]] constexpr Dual& operator/=(const X& x) { return become(*this / x); }
  constexpr Dual& operator++() { return *this += 1; }
  constexpr Dual& operator--() { return *this -= 1; }
  constexpr Dual operator++(int) { const Dual before = *this; ++*this; return before; }
  constexpr Dual operator--(int) { const Dual before = *this; --*this; return before; }

 private:
  template <class Y> [[gnu::always_inline]] constexpr Dual& become(const Y& y) {
    static_assert(std::convertible_to<Y, Dual>,
        "the result rests on more than this number can carry, variables of an outer derivative: declare it with the type of the result, "
        "decltype(q * x) s = …");
    return *this = y;
  }
};
/// `out << x` writes the value.
template <class Char, class Traits, class T, class Tag, class V> requires detail::Writes<std::basic_ostream<Char, Traits>>
std::basic_ostream<Char, Traits>& operator<<(std::basic_ostream<Char, Traits>& out, const Dual<T, Tag, V>& x) {
  out << x.value();
  return out;
}
template <Arithmetic X> Dual(X) -> Dual<detail::MeetingOf<X>>;
template <Arithmetic X> Dual(X, X) -> Dual<detail::MeetingOf<X>>;
template <Arithmetic X, Arithmetic V> Dual(X, V) -> Dual<detail::MeetingOf<X, V>>;

template <class T, class Tag, class V> requires(!NumberInside<Dual<T, Tag, V>>) constexpr Dual<T, Tag, V> zero_like(const Dual<T, Tag, V>& x) {
  return Dual<T, Tag, V>(zero_like(x.value()), V(zero_like(x.value())));
}

namespace detail {

/// Is x zero with all its tangents? Asked of plain numbers, of batches (in each lane), and of Duals of them only.
template <class X> inline constexpr bool is_plain_nest = Arithmetic<X>;
template <class T, class Tag> inline constexpr bool is_plain_nest<Dual<T, Tag>> = is_plain_nest<T>;
template <class X> [[gnu::always_inline]] constexpr auto vanishes(const X& x) { return x == 0; }
template <class T, class Tag>
[[gnu::always_inline]] constexpr auto vanishes(const Dual<T, Tag>& x) { return vanishes(x.value()) && vanishes(x.tangent()); }

template <class X> concept Shaped = Operand<X> && !Arithmetic<decltype(plain(std::declval<const X&>()))>;  ///< a tensor

/// slope · tangent. A constant has the tangent 0, and stays constant where the slope is infinite or NaN.
template <class S, class T> [[gnu::always_inline]] constexpr auto scaled(const S& slope, const T& tangent) {
  if constexpr (is_plain_nest<S> && is_plain_nest<T>) {
    using X = decltype(slope * tangent);
    if constexpr (Arithmetic<S> && requires { tangent.scaled(slope); }) return tangent.scaled(slope);
    else return select(vanishes(tangent), X(zero_like(tangent)), X(slope * tangent));
  } else if constexpr (Operand<S> && Operand<T>) return apply<Scale>(slope, tangent);
  else return slope * tangent;
}
/// The same beside a constant c. A slope of ±1 has no shape: where c may have broadcast x to y's shape, the tangent is broadcast too.
template <class S, class T, class C, class Y>
[[gnu::always_inline]] constexpr auto scaled(const S& slope, const T& tangent, const C&, [[maybe_unused]] const Y& y) {
  if constexpr (Shaped<C> && Shaped<Y> && std::convertible_to<S, double> && !Arithmetic<S>) return zero_like(y) + slope * tangent;
  else return scaled(slope, tangent);
}

/// Y with a tangent: of its own type, unless the operands Dual<T, Tag, V> had one of another.
template <class Tag, class T, class V, class Y, class X> [[gnu::always_inline]] constexpr auto dual(const Y& y, const X& tangent) {
  if constexpr (!std::is_same_v<T, V>) return Dual<Y, Tag, Stored<X>>(y, static_cast<Stored<X>>(tangent));
  else if constexpr (std::is_same_v<Y, Stored<X>> || Arithmetic<decltype(plain(y))>) return Dual<Y, Tag>(y, static_cast<Y>(tangent));
  else return Dual<Y, Tag>(y, static_cast<Y>(zero_like(y) + tangent));  // the tangent of a scalar, y a tensor
}

/// A constant in a formula with x: a plain number in x's precision, so that nothing is spent on its tangents at any level, nor digits lost.
template <class C, class X> [[gnu::always_inline]] constexpr auto settled(const C& c, const X&) {
  using P = decltype(plain(std::declval<const X&>()));
  if constexpr (Arithmetic<C> && Arithmetic<P>) return static_cast<P>(c);
  else if constexpr (Arithmetic<C> && requires { typename P::Number; }) return static_cast<typename P::Number>(c);  // of a tensor
  else if constexpr (Arithmetic<C>) return static_cast<double>(c);                                                 // beside a batch
  else return stored(c);
}

// Rule(a + u ε, c) = y + left·u ε,  Rule(c, b + v ε) = y + right·v ε: c is any number that knows nothing of this ε.
template <class Rule, class T, class Tag, class V, class C>
[[gnu::always_inline]] constexpr auto right_constant(const Dual<T, Tag, V>& a, const C& constant) {
  const auto c = settled(constant, a);
  const auto y = stored(apply<Rule>(a.value(), c));
  return dual<Tag, T, V>(y, scaled(Rule::left(a.value(), c, y), a.tangent(), c, y));
}
template <class Rule, class T, class Tag, class V, class C>
[[gnu::always_inline]] constexpr auto left_constant(const C& constant, const Dual<T, Tag, V>& b) {
  const auto c = settled(constant, b);
  const auto y = stored(apply<Rule>(c, b.value()));
  return dual<Tag, T, V>(y, scaled(Rule::right(c, b.value(), y), b.tangent(), c, y));
}

/// What is a constant for Dual<T, Tag> by its type alone. (A Var that T does not rest on: var.hpp.)
template <class C, class T> concept ConstantBeside = Operand<C> && !is_dual<C> && (!Differentiable<C> || std::convertible_to<C, T>);

}  // namespace detail

// Rule(x + v ε) = y + slope·v ε
template <class Rule, class T, class Tag, class V> [[gnu::always_inline]] constexpr auto apply(const Dual<T, Tag, V>& x) {
  const auto y = detail::stored(apply<Rule>(x.value()));
  return detail::dual<Tag, T, V>(y, detail::scaled(Rule::slope(x.value(), y), x.tangent()));
}
// Rule(a + u ε, b + v ε) = y + (left·u + right·v) ε
template <class Rule, class T, class V, class U, class W, class Tag>
[[gnu::always_inline]] constexpr auto apply(const Dual<T, Tag, V>& a, const Dual<U, Tag, W>& b) {
  const auto y = detail::stored(apply<Rule>(a.value(), b.value()));
  return detail::dual<Tag, T, V>(y, detail::scaled(Rule::left(a.value(), b.value(), y), a.tangent()) +
                                        detail::scaled(Rule::right(a.value(), b.value(), y), b.tangent()));
}
template <class Rule, class T, class Tag, class V, detail::ConstantBeside<T> C>
[[gnu::always_inline]] constexpr auto apply(const Dual<T, Tag, V>& a, const C& b) {
  return detail::right_constant<Rule>(a, b);
}
template <class Rule, class T, class Tag, class V, detail::ConstantBeside<T> C>
[[gnu::always_inline]] constexpr auto apply(const C& a, const Dual<T, Tag, V>& b) {
  return detail::left_constant<Rule>(a, b);
}

// ---- two tags meet --------------------------------------------------------------------------------------------------

namespace detail {

/// A name for a type, the same in every translation unit once compare skips the number in g++'s `<lambda(auto:12)>`.
template <class Tag> constexpr const char* name() { return __PRETTY_FUNCTION__; }
constexpr int compare(const char* a, const char* b) {
  for (; *a && *a == *b; ++a, ++b)
    if (*a == ':') {
      while (a[1] >= '0' && a[1] <= '9') ++a;
      while (b[1] >= '0' && b[1] <= '9') ++b;
    }
  return *a - *b;
}

/// Is A outside where Dual<T, A, V> meets Dual<U, B, W>? Yes if B is inside already, or has tangents of a type of its own, which carry no others;
/// else the names decide, and of equal names the left one.
template <class T, class A, class V, class U, class B, class W> constexpr bool first_is_outside() {
  if (holds<B, T> != holds<A, U>) return holds<B, T>;
  if (std::is_same_v<T, V> != std::is_same_v<U, W>) return std::is_same_v<T, V>;
  return compare(name<A>(), name<B>()) <= 0;
}

/// x as a Dual whose outermost tag is Tag.
template <class Tag, class X> constexpr auto surface(const X& x) {
  return Dual<Primal<Tag, X>, Tag, decltype(tangent<Tag>(x))>(x);
}

}  // namespace detail

template <class Rule, class T, class A, class V, class U, class B, class W>
[[gnu::always_inline]] constexpr auto apply(const Dual<T, A, V>& a, const Dual<U, B, W>& b) {
  if constexpr (detail::first_is_outside<T, A, V, U, B, W>()) {
    if constexpr (detail::holds<A, U>) return apply<Rule>(a, detail::surface<A>(b));
    else return detail::right_constant<Rule>(a, b);
  } else {
    if constexpr (detail::holds<B, T>) return apply<Rule>(detail::surface<B>(a), b);
    else return detail::left_constant<Rule>(a, b);
  }
}

}  // namespace autodiff::inline v1

/// Of the number inside: std::numeric_limits<T>::infinity() is a constant of every T.
template <class T, class Tag, class V> struct std::numeric_limits<autodiff::Dual<T, Tag, V>> : std::numeric_limits<T> {};
