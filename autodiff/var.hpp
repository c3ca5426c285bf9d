// Floor 3. Numbers that remember: Var<T>, and how expressions of them obey the rules.
//
// `x * y + 1` is an expression: a small struct that holds its variables *by value* (value and place, 16 bytes each) and its result, so that
// `auto` keeps no reference to anything. Assigning it to a Var records one statement, with the slope of the whole expression in each of
// its variables. To read this file, start at `Var`, then `Binary`, then `record`.
#pragma once
#include "dual.hpp"
#include "tape.hpp"
#include <limits>
#include <utility>
#include <vector>

namespace autodiff::inline v1 {

/// Something with a value, a number of leaves, and a way to tell a listener the place and slope of each.
template <class E> concept Expression = Differentiable<E> && requires { typename E::Scalar; { E::leaves } -> std::convertible_to<std::size_t>; };

namespace detail {
/// Puts an expression on the active tape; the place of the result, 0 if the expression is a constant.
template <Expression E> Place record(const E& e);
/// A slope on its way to the leaves: exactly ±1, which its type says, a plain number, or of the tape's type.
template <class Scalar> [[gnu::always_inline]] inline auto slope_as(const auto& slope) {
  using X = std::remove_cvref_t<decltype(slope)>;
  if constexpr (std::is_same_v<X, Exactly<1>> || std::is_same_v<X, Exactly<-1>>) return slope;
  else if constexpr (std::is_same_v<X, Exactly<0>>) return Scalar(0.0);
  else if constexpr (Arithmetic<X> && !Arithmetic<Scalar>) return static_cast<double>(slope);
  else return Scalar(slope);
}
}  // namespace detail

/// A number of type T that knows its place on a tape. `Var<double> y = 3.0;` is a constant, Var{} is 0.
template <class T = double> class Var {
  static_assert(!std::same_as<T, float> && !std::integral<T>, "numbers on a tape are double, costs of a net of float too: write ad::Var<double>");
  T value_{};
  Place place_ = 0;

 public:
  using Differentiable = void;
  using Scalar = T;
  static constexpr std::size_t leaves = 1;

  constexpr Var() = default;
  template <ConstantOf<T> X> constexpr Var(const X& constant) : value_(static_cast<T>(constant)) {}
  template <Expression E> requires std::same_as<typename E::Scalar, T>
  [[gnu::always_inline]] Var(const E& e) : value_(e.value()), place_(detail::record(e)) {}
  explicit constexpr Var(const T& value, Place place) : value_(value), place_(place) {}
  Var(const Var&) = default;
  Var& operator=(const Var&) & = default;  ///< not to what a function returns: `y(0) = 3` of a Var<Tensor> would change nothing

  constexpr const T& value() const { return value_; }
  constexpr Place place() const { return place_; }

  template <class X> [[gnu::always_inline]] Var& operator+=(const X& x) & { return *this = *this + x; }
  template <class X> [[gnu::always_inline]] Var& operator-=(const X& x) & { return *this = *this - x; }
  template <class X> [[gnu::always_inline]] Var& operator*=(const X& x) & { return *this = *this * x; }
  template <class X> [[gnu::always_inline]] Var& operator/=(const X& x) & { return *this = *this / x; }
  Var& operator++() & { return *this += 1; }
  Var& operator--() & { return *this -= 1; }
  Var operator++(int) { const Var before = *this; ++*this; return before; }
  Var operator--(int) { const Var before = *this; --*this; return before; }
};
template <Expression E> Var(const E&) -> Var<typename E::Scalar>;
template <Arithmetic X> Var(X) -> Var<double>;

// ---- expressions ----------------------------------------------------------------------------------------------------

/// A variable inside an expression. It copies member by member, as expressions do: a defaulted copy is one 16-byte move, which the
/// compiler cannot split again, so that value and place would travel through memory instead of registers (up to 2.6 times the time).
template <class T> class Leaf {
  T value_{};
  Place place_ = 0;

 public:
  using Differentiable = void;
  using Scalar = T;
  using Stored = Var<T>;
  static constexpr std::size_t leaves = 1;
  Leaf() = default;
  [[gnu::always_inline]] Leaf(const Leaf& other) : value_(other.value_), place_(other.place_) {}
  Leaf& operator=(const Leaf&) = default;
  [[gnu::always_inline]] Leaf(const Var<T>& x) : value_(x.value()), place_(x.place()) {}
  [[gnu::always_inline]] const T& value() const { return value_; }
  [[gnu::always_inline]] void name(auto& listener) const { listener(place_); }
  [[gnu::always_inline]] void tell(auto& listener, const auto& slope) const { listener(place_, slope); }
};
template <class X> struct Hold { using type = X; };
template <class T> struct Hold<Var<T>> { using type = Leaf<T>; };
template <class X> using Held = typename Hold<X>::type;  ///< how an expression holds an operand

/// A constant inside an expression over T: a T, or a plain number, which stays one in the slopes too.
template <class T, class X = T> class Constant {
  X value_{};

 public:
  using Differentiable = void;
  using Scalar = T;
  using Stored = Var<T>;
  static constexpr std::size_t leaves = 0;
  constexpr Constant() = default;
  template <class Y> constexpr explicit Constant(const Y& value) : value_(static_cast<X>(value)) {}
  constexpr const X& value() const { return value_; }
  void name(auto&) const {}
  void tell(auto&, const auto&) const {}
};

/// Rule(x) as an expression.
template <class Rule, class X> class Unary {
 public:
  using Differentiable = void;
  using Scalar = typename X::Scalar;
  using Stored = Var<Scalar>;
  static constexpr std::size_t leaves = X::leaves;

  [[gnu::always_inline]] Unary(const X& x, const Scalar& value) : x_(x), value_(value) {}
  [[gnu::always_inline]] Unary(const Unary& other) : x_(other.x_), value_(other.value_) {}
  Unary& operator=(const Unary&) = default;
  Unary() = default;
  /// So that `c ? exp(x) : 1.0` compiles; its variable is a constant.
  template <ConstantOf<Scalar> C> Unary(const C& constant) : value_(static_cast<Scalar>(constant)) {}

  [[gnu::always_inline]] const Scalar& value() const { return value_; }
  [[gnu::always_inline]] void name(auto& listener) const { x_.name(listener); }
  [[gnu::always_inline]] void tell(auto& listener, const auto& s) const {
    x_.tell(listener, detail::slope_as<Scalar>(s * Rule::slope(x_.value(), value_)));
  }

 private:
  X x_{};
  Scalar value_{};
};

/// Rule(a, b) as an expression.
template <class Rule, class L, class R> class Binary {
 public:
  using Differentiable = void;
  using Scalar = typename L::Scalar;
  using Stored = Var<Scalar>;
  static constexpr std::size_t leaves = L::leaves + R::leaves;

  [[gnu::always_inline]] Binary(const L& a, const R& b, const Scalar& value) : a_(a), b_(b), value_(value) {}
  [[gnu::always_inline]] Binary(const Binary& other) : a_(other.a_), b_(other.b_), value_(other.value_) {}
  Binary& operator=(const Binary&) = default;
  Binary() = default;
  template <ConstantOf<Scalar> C> Binary(const C& constant) : value_(static_cast<Scalar>(constant)) {}  ///< likewise

  [[gnu::always_inline]] const Scalar& value() const { return value_; }
  [[gnu::always_inline]] void name(auto& listener) const {
    a_.name(listener);
    b_.name(listener);
  }
  [[gnu::always_inline]] void tell(auto& listener, const auto& s) const {
    if constexpr (L::leaves > 0) a_.tell(listener, detail::slope_as<Scalar>(s * Rule::left(a_.value(), b_.value(), value_)));
    if constexpr (R::leaves > 0) b_.tell(listener, detail::slope_as<Scalar>(s * Rule::right(a_.value(), b_.value(), value_)));
  }

 private:
  L a_{};
  R b_{};
  Scalar value_{};
};

template <class Rule, Expression X> [[gnu::always_inline]] inline auto apply(const X& x) { return Unary<Rule, Held<X>>(x, apply<Rule>(x.value())); }
template <class Rule, Expression L, Expression R> requires std::same_as<typename L::Scalar, typename R::Scalar>
[[gnu::always_inline]] inline auto apply(const L& a, const R& b) { return Binary<Rule, Held<L>, Held<R>>(a, b, apply<Rule>(a.value(), b.value())); }
template <class T, class X> using ConstantFor = Constant<T, std::conditional_t<Arithmetic<X> && !Arithmetic<T>, double, T>>;
template <class Rule, Expression L, ConstantOf<typename L::Scalar> X>
[[gnu::always_inline]] inline auto apply(const L& a, const X& b) {
  const ConstantFor<typename L::Scalar, X> constant(b);
  return Binary<Rule, Held<L>, std::remove_const_t<decltype(constant)>>(a, constant, apply<Rule>(a.value(), constant.value()));
}
template <class Rule, Expression R, ConstantOf<typename R::Scalar> X>
[[gnu::always_inline]] inline auto apply(const X& a, const R& b) {
  const ConstantFor<typename R::Scalar, X> constant(a);
  return Binary<Rule, std::remove_const_t<decltype(constant)>, Held<R>>(constant, b, apply<Rule>(constant.value(), b.value()));
}

namespace detail {
[[noreturn]] void refuse_other_numbers();
/// R's numbers become T's, and not the other way round: beside a T, R can only be a constant.
template <class R, class T>
concept NarrowerThan = !ConstantOf<R, T> && std::convertible_to<typename R::Scalar, T> && !std::convertible_to<T, typename R::Scalar>;
/// The value of an expression that must be a constant.
template <Expression E> auto constant_value(const E& e) {
  Place any = 0;
  auto look = [&](Place p) { any |= p; };
  Held<E>(e).name(look);
  if (any != 0) refuse_other_numbers();
  return e.value();
}
}  // namespace detail
// A Var<double>, which a model may keep as a constant, meets the Vars of a second derivative or of lanes. Throws TapeError if it is a variable.
template <class Rule, Expression L, Expression R> requires detail::NarrowerThan<R, typename L::Scalar>
auto apply(const L& a, const R& b) { return apply<Rule>(a, detail::constant_value(b)); }
template <class Rule, Expression L, Expression R> requires detail::NarrowerThan<L, typename R::Scalar>
auto apply(const L& a, const R& b) { return apply<Rule>(detail::constant_value(a), b); }

// A variable meets the Dual of a derivative taken inside a recording: it is a constant with respect to this ε.
template <class Rule, Expression E, class U, class B, class W>
    requires(!std::convertible_to<E, U> && !std::convertible_to<Dual<U, B, W>, typename E::Scalar>)
auto apply(const E& a, const Dual<U, B, W>& b) { return detail::left_constant<Rule>(a, b); }
template <class Rule, Expression E, class U, class B, class W>
    requires(!std::convertible_to<E, U> && !std::convertible_to<Dual<U, B, W>, typename E::Scalar>)
auto apply(const Dual<U, B, W>& a, const E& b) { return detail::right_constant<Rule>(a, b); }

/// `out << x` writes the value.
template <class Char, class Traits, Expression E> requires detail::Writes<std::basic_ostream<Char, Traits>>
std::basic_ostream<Char, Traits>& operator<<(std::basic_ostream<Char, Traits>& out, const E& e) {
  out << e.value();
  return out;
}

// ---- recording ------------------------------------------------------------------------------------------------------

namespace detail {

/// For constants among the variables, or after a rewind(): records from copies of value and slopes, whose addresses may be taken.
template <class E, class Scalar> [[gnu::always_inline]] inline Place record_copies(Record<Scalar>& tape, const E& e) {
  const Scalar value = e.value();
  Scalar slopes[E::leaves];
  Place places[E::leaves];
  std::size_t k = 0;
  auto listen = [&](Place p, const Waiting<Scalar>& slope) __attribute__((always_inline)) {
    slopes[k] = slope.value();
    places[k++] = p;
  };
  e.tell(listen, Exactly<1>{});
  return accepted(tape.record_mixed(value, E::leaves, slopes, places));
}

/// Up to so many leaves this second look is inlined. (s = s * c + x: 1.2 ns where c is a variable; where it is a constant, 2.0 inlined and 3.6 by a
/// call. k-means −18 %, least squares −12 %. For longer expressions too, Burgers would take 3 % longer, and all would take longer to compile.)
constexpr std::size_t most_inlined = 4;
template <class E, class Scalar> [[gnu::always_inline]] inline Place record_beside_constants(Record<Scalar>& tape, const E& e) {
  constexpr std::size_t n = E::leaves;
  if constexpr (n > most_inlined) return record_copies(tape, e);
  else {
    Place far = 0, ids[n];
    std::size_t named = 0, told = 0;
    auto look = [&](Place p) __attribute__((always_inline)) { far |= ids[named++] = tape.standing_id(p); };
    e.name(look);
    if (far >= id_limit || !tape.has_room(n)) [[unlikely]] return record_copies(tape, e);
    char *at = tape.next, *const begin = at;
    auto write = [&](Place, const Waiting<Scalar>& slope) __attribute__((always_inline)) {
      if (const Id id = static_cast<Id>(ids[told++])) slope.put(at, id | (at == begin ? first_argument : 0));
    };
    e.tell(write, Exactly<1>{});
    tape.next = at;
    return tape.place++;
  }
}

/// Everything below is inlined into every assignment. Nothing may take the address of the expression, not even the slow path: it would
/// then live in memory instead of registers, and each assignment would cost three times as much.
template <Expression E> [[gnu::always_inline]] inline Place record(const E& e) {
  using Scalar = typename E::Scalar;
  constexpr std::size_t n = E::leaves;
  if constexpr (n == 0) return 0;
  else {
    Record<Scalar>& tape = *active<Scalar>;
    const Place shift = tape.shift;

    Place far = 0, any = 0, ids[n];
    std::size_t named = 0, told = 0;
    auto look = [&](Place p) __attribute__((always_inline)) {
      far |= ids[named++] = p + shift;
      any |= p;
    };
    e.name(look);
    // All constants, as everything is while no tape records. Asked first and called likely: such code takes two thirds of its time so (k-means half),
    // a recorded gradient 3 % more. (With `far` alone a recorded gradient takes 0.7 % more, such code a fifteenth less.)
    if (any == 0) [[likely]] return 0;
    if (far >= id_limit || !tape.has_room(n)) [[unlikely]] return record_beside_constants(tape, e);

    char* at = tape.next;
    prefetch<1>(at, prefetch_distance);
    Leaves<Scalar, n> leaves;
    auto listen = [&](Place, const auto& slope) __attribute__((always_inline)) { leaves(static_cast<Id>(ids[told++]), slope); };
    e.tell(listen, Exactly<1>{});
    leaves.write(at);
    tape.next = at;
    return tape.place++;
  }
}

/// A statement with these slopes; an argument whose slope is 0, with all its own derivatives, is left out. (A place of 0 is a constant's.)
template <class S> Var<S> statement(const char* where, const S& value, const auto& arguments, const std::vector<S>& slopes) {
  Record<S>& tape = recorder<S>();
  bool variable = false;
  std::vector<Place> places;
  places.reserve(slopes.size());
  for (const Var<S>& x : arguments) {
    const S& slope = slopes[places.size()];
    places.push_back(x.place());
    if (tape.id_of(x.place(), where) == 0) continue;
    variable = true;
    if constexpr (std::same_as<decltype(is_zero(slope)), bool>) if (is_zero(slope)) places.back() = 0;
  }
  const Place place = accepted(tape.record_slowly(value, places.size(), slopes.data(), places.data()));
  return Var<S>(value, place == 0 && variable ? tape.variable() : place);  // all slopes are 0 here: still no constant
}

}  // namespace detail

template <Expression E, Nothing... None> requires(!NumberInside<E>) auto zero_like(const E&, None...) { return Stored<E>(0); }

}  // namespace autodiff::inline v1

/// Those of the number inside; also of an expression, whose type a template may have deduced.
template <autodiff::Expression E> struct std::numeric_limits<E> : std::numeric_limits<typename E::Scalar> {};
