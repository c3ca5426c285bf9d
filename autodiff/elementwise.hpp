// Floor 3. How tensors obey the rules, number by number, broadcast as NumPy does it. Start reading at `apply`.
#pragma once
#include "tensor_var.hpp"

namespace autodiff::inline v1 {

/// What a rule of two takes, where one operand at least is a tensor.
template <class L, class R> concept TensorOperands = (TensorLike<L> && (TensorLike<R> || NumberLike<R>)) || (NumberLike<L> && TensorLike<R>);

namespace detail {

/// A rule of the library has a kernel; a user's own runs in a plain loop.
template <class Rule, class T> void map(const T* x, T* y, std::size_t n) {
  if constexpr (contains<Rule>(UnaryRules{})) kernels<T>().map[index_in<Rule>(UnaryRules{})](x, y, n);
  else for (std::size_t i = 0; i < n; ++i) y[i] = Rule::value(x[i]);
}
template <class Rule, class T> void map_pullback(const T* x, const T* y, const T* g, T* gx, std::size_t n, bool add) {
  if constexpr (contains<Rule>(UnaryRules{})) kernels<T>().pullback[index_in<Rule>(UnaryRules{})](x, y, g, gx, n, add);
  else for (std::size_t i = 0; i < n; ++i) {
    const T share = static_cast<T>(scaled(Rule::slope(x[i], y[i]), g[i]));
    gx[i] = add ? gx[i] + share : share;
  }
}
template <class Rule, class T> void zip(const T* a, const T* b, Repeats repeats, T* y, std::size_t n) {
  if constexpr (contains<Rule>(BinaryRules{})) kernels<T>().zip[index_in<Rule>(BinaryRules{})](a, b, repeats, y, n);
  else if constexpr (requires { typename Rule::Holds; }) kernels<T>().compare[index_in<typename Rule::Holds>(Comparisons{})](a, b, repeats, y, n);
  else for (std::size_t i = 0; i < n; ++i) y[i] = Rule::value(a[repeats.a ? 0 : i], b[repeats.b ? 0 : i]);
}
template <class Rule, bool second, class T>
void zip_pullback(const T* a, const T* b, Repeats repeats, const T* y, const T* g, T* gx, std::size_t n, bool add) {
  if constexpr (contains<Rule>(BinaryRules{})) {
    constexpr std::size_t row = index_in<Rule>(BinaryRules{});
    (second ? kernels<T>().pullback_b : kernels<T>().pullback_a)[row](a, b, repeats, y, g, gx, n, add);
  } else for (std::size_t i = 0; i < n; ++i) {
    const T p = a[repeats.a ? 0 : i], q = b[repeats.b ? 0 : i];
    const T share = static_cast<T>(second ? scaled(Rule::right(p, q, y[i]), g[i]) : scaled(Rule::left(p, q, y[i]), g[i]));
    gx[i] = add ? gx[i] + share : share;
  }
}

/// The common shape of two operands, aligned at their last axes: sizes are equal, or one of them is 1 or missing.
Shape broadcast_shape(const char* name, const Shape& a, const Shape& b);
/// The walk over a result of that shape; operands repeat along the axes where their size is 1 or missing.
Broadcast broadcast_walk(const Shape& y, const Shape& a, const Shape& b);

/// Adjoints of operands that were broadcast are summed back here, and nowhere else.
template <class Rule, bool second, class T> void broadcast_pullback(const Pull<T>& p, const Broadcast& walk) {
  Cell<T>&a = p.in(0), &b = p.in(1), &y = p.out(), &x = second ? b : a;
  const auto to = p.to(x);
  if (!to) return;
  const auto zip_back = &zip_pullback<Rule, second, T>;
  if (x.shape == y.shape) return kernels<T>().broadcast_pullback(zip_back, walk, a.data, b.data, y.data, y.adjoint, to.data, to.add);
  T* const full = p.tape.nodes.template scratch<T>(y.shape.count());
  kernels<T>().broadcast_pullback(zip_back, walk, a.data, b.data, y.data, y.adjoint, full, false);
  kernels<T>().sum_back(walk, full, second, to.data, to.add);
}

template <class Y, class Rule, class T> [[gnu::always_inline]] inline Y map(const TensorOperand<T>& in) {
  return record<Y>(Rule::row.name, in->shape, [&](T* y) { map<Rule>(in->data, y, in->shape.count()); }, [](const Pull<T>& p) {
    const Cell<T>&x = p.in(0), &y = p.out();
    if (const auto to = p.to(0)) map_pullback<Rule>(x.data, y.data, y.adjoint, to.data, y.shape.count(), to.add);
  }, in);
}

/// Operands of different shapes. Apart, so that the usual case below does not pay for the stack of this one.
template <class Y, class Rule, class T> [[gnu::noinline]] Y zip_broadcast(const TensorOperand<T>& left, const TensorOperand<T>& right) {
  const Shape shape = broadcast_shape(Rule::row.name, left->shape, right->shape);
  const Broadcast walk = broadcast_walk(shape, left->shape, right->shape);
  return record<Y>(Rule::row.name, shape,
      [&](T* y) { kernels<T>().broadcast(&zip<Rule, T>, walk, left->data, right->data, y); }, [walk](const Pull<T>& p) {
    broadcast_pullback<Rule, false>(p, walk);
    broadcast_pullback<Rule, true>(p, walk);
  }, left, right);
}
/// The adjoint of one operand, which has the shape of the result.
template <class Rule, bool second, class T> [[gnu::always_inline]] inline void pull_operand(const Pull<T>& p, Repeats repeats) {
  Cell<T>&a = p.in(0), &b = p.in(1), &y = p.out(), &x = second ? b : a;
  using Slope = std::conditional_t<second, decltype(Rule::right(T(), T(), T())), decltype(Rule::left(T(), T(), T()))>;
  if (std::is_same_v<Slope, Exactly<1>> && p.alias(x, y.adjoint)) return;
  if (const auto to = p.to(x)) zip_pullback<Rule, second>(a.data, b.data, repeats, y.data, y.adjoint, to.data, y.shape.count(), to.add);
}
/// The same where the operand is a number beside a tensor: it gets the sum.
template <class Rule, bool second, class T> [[gnu::noinline]] void pull_number(const Pull<T>& p, Repeats repeats) {
  Cell<T>&a = p.in(0), &b = p.in(1), &y = p.out();
  const auto to = p.to(second ? b : a);
  if (!to) return;
  const std::size_t n = y.shape.count();
  T* const full = p.tape.nodes.template scratch<T>(n);
  zip_pullback<Rule, second>(a.data, b.data, repeats, y.data, y.adjoint, full, n, false);
  const T share = static_cast<T>(kernels<T>().sum(full, n));
  *to.data = to.add ? *to.data + share : share;
}
/// Beside a number: in one loop, without a walk. (16 numbers times 1.5: 40 ns in place of 90.)
template <class Y, class Rule, class T> [[gnu::noinline]] Y zip_number(const TensorOperand<T>& left, const TensorOperand<T>& right, Repeats repeats) {
  const Shape& shape = repeats.a ? right->shape : left->shape;
  return record<Y>(Rule::row.name, shape, [&](T* y) { zip<Rule>(left->data, right->data, repeats, y, shape.count()); }, [repeats](const Pull<T>& p) {
    if (repeats.a) pull_number<Rule, false>(p, repeats), pull_operand<Rule, true>(p, repeats);
    else pull_operand<Rule, false>(p, repeats), pull_number<Rule, true>(p, repeats);
  }, left, right);
}
template <class Y, class Rule, class T> [[gnu::always_inline]] inline Y zip(const TensorOperand<T>& left, const TensorOperand<T>& right) {
  if (left->shape != right->shape) [[unlikely]] {
    if (right->shape.axes() == 0) return zip_number<Y, Rule>(left, right, {.b = true});
    if (left->shape.axes() == 0) return zip_number<Y, Rule>(left, right, {.a = true});
    return zip_broadcast<Y, Rule>(left, right);
  }
  return record<Y>(Rule::row.name, left->shape,
      [&](T* y) { zip<Rule>(left->data, right->data, Repeats{}, y, left->shape.count()); }, [](const Pull<T>& p) {
    pull_operand<Rule, false>(p, {});
    pull_operand<Rule, true>(p, {});
  }, left, right);
}

}  // namespace detail

/// The rule on every number of x.
template <class Rule, TensorLike X> auto apply(const X& x) {
  using T = typename X::Number;
  return detail::map<detail::ResultOf<T, X>, Rule>(detail::TensorOperand<T>(x, Rule::row.name));
}
/// The rule on every pair of numbers of a and b, broadcast to their common shape; throws ShapeError if they have none.
template <class Rule, class L, class R> requires TensorOperands<L, R> auto apply(const L& a, const R& b) {
  if constexpr (std::is_same_v<Rule, Pow> && Arithmetic<R>) {  // what is written most, and 30 to 50 times as fast
    if (b == 2) return apply<Square>(a);
    if (b == 3) return apply<Multiply>(apply<Square>(a), a);
    if (b == 4) return apply<Square>(apply<Square>(a));
    if (b == -1) return apply<Divide>(1, a);
  }
  using T = detail::NumberOfAny<L, R>;
  const auto& left = detail::entering<T>(a);
  const auto& right = detail::entering<T>(b);
  return detail::zip<detail::ResultOf<T, L, R>, Rule>(detail::TensorOperand<T>(left, Rule::row.name),
      detail::TensorOperand<T>(right, Rule::row.name));
}

/// A number that carries a second derivative, or lanes: on a tape that holds no tensors.
template <class X> concept NumberOfAnotherTape = Expression<X> && !NumberLike<X> && !detail::is_tensor_var<X>;
template <class Rule, class L, class R> requires((TensorLike<L> && NumberOfAnotherTape<R>) || (NumberOfAnotherTape<L> && TensorLike<R>))
auto apply(const L& a, const R&) {
  static_assert(sizeof(R) == 0,
      "a tensor meets a number of a second derivative or of lanes, whose tape holds no tensors: differentiate at a Tensor instead of a vector of "
      "numbers, or compute with numbers");
  return a;
}

// A tensor of a tape meets the number of a derivative taken inside a recording: it is a constant with respect to this ε.
template <class Rule, class T, NumberLike U, class B, class W>
auto apply(const Var<Tensor<T>>& a, const Dual<U, B, W>& b) { return detail::left_constant<Rule>(a, b); }
template <class Rule, class T, NumberLike U, class B, class W>
auto apply(const Dual<U, B, W>& a, const Var<Tensor<T>>& b) { return detail::right_constant<Rule>(a, b); }

/// What a plain tensor may take into itself: a += x is a = a + x, broadcast like that.
template <class X, class T> concept KeepsTypeOf = requires(const Tensor<T>& a, const X& x) { { a + x } -> std::same_as<Tensor<T>>; };
template <class T, KeepsTypeOf<T> X> Tensor<T>& operator+=(Tensor<T>& a, const X& x) { return a = a + x; }
template <class T, KeepsTypeOf<T> X> Tensor<T>& operator-=(Tensor<T>& a, const X& x) { return a = a - x; }
template <class T, KeepsTypeOf<T> X> Tensor<T>& operator*=(Tensor<T>& a, const X& x) { return a = a * x; }
template <class T, KeepsTypeOf<T> X> Tensor<T>& operator/=(Tensor<T>& a, const X& x) { return a = a / x; }

// ---- comparisons ----------------------------------------------------------------------------------------------------

namespace detail {
/// A comparison as a rule of two, so that it is broadcast as they are: 1 where it holds, else 0.
template <class H> struct Comparison {
  using Holds = H;
  static constexpr Row row{.name = Holds::name, .domain = {}, .max_ulp = 0};
  static auto left(const auto&, const auto&, const auto& y) { return exactly<0>(y); }
  static auto right(const auto&, const auto&, const auto& y) { return exactly<0>(y); }
};
}  // namespace detail

/// Plain tensors: what comparisons see (a Var or Dual is compared by its value).
template <class L, class R>
concept PlainTensors = (detail::is_tensor<L> && (detail::is_tensor<R> || Arithmetic<R>)) || (Arithmetic<L> && detail::is_tensor<R>);
/// Comparisons are made number by number: the result is a tensor of ones and zeros, for select() or to be counted by sum().
template <class L, class R> requires PlainTensors<L, R>
auto operator<(const L& a, const R& b) { return apply<detail::Comparison<Less>>(a, b); }
template <class L, class R> requires PlainTensors<L, R>
auto operator>(const L& a, const R& b) { return apply<detail::Comparison<Less>>(b, a); }
template <class L, class R> requires PlainTensors<L, R>
auto operator<=(const L& a, const R& b) { return apply<detail::Comparison<LessEqual>>(a, b); }
template <class L, class R> requires PlainTensors<L, R>
auto operator>=(const L& a, const R& b) { return apply<detail::Comparison<LessEqual>>(b, a); }
template <class L, class R> requires PlainTensors<L, R>
auto operator==(const L& a, const R& b) { return apply<detail::Comparison<Equal>>(a, b); }
template <class L, class R> requires PlainTensors<L, R>
auto operator!=(const L& a, const R& b) { return apply<detail::Comparison<NotEqual>>(a, b); }

}  // namespace autodiff::inline v1
