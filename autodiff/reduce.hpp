// Floor 4. Reductions. Over all numbers the result is a number: a Var<double> (a double for a plain tensor), from which scalar code goes on. Along an
// axis it is a tensor.
//
//     sum, mean, max, min, logsumexp, norm    over all or along an axis
//     dot                                     over all
//     softmax, log_softmax                    along an axis, of x's shape
//     argmax                                  over all or along an axis: positions
#pragma once
#include "ops.hpp"
#include <cmath>
#include <limits>
#include <type_traits>

namespace autodiff::inline v1 {

namespace detail {
/// What a reduction along an axis walks over, and the shape of its result.
struct Reduction {
  Along along;
  std::size_t axis;
  Shape shape;
  Reduction(const char* where, const Shape& x, Axis a, bool needs_numbers = false)
      : axis(x.axis(a, where)) {
    along = {x.outside(axis), x[axis], x.inside(axis)};
    shape = a.kept() ? x.with(axis, 1) : x.without(axis);
    if (needs_numbers && along.n == 0 && shape.count()) refuse_empty(where, x);
  }
  [[noreturn]] static void refuse_empty(const char* where, const Shape& x) {
    throw ShapeError(text("{}: shape {} holds no numbers, so there is none to give; check its size first", {where, x.text()}));
  }
};
}  // namespace detail

// ---- sums -----------------------------------------------------------------------------------------------------------

/// Σ x over all numbers; 0 for none. Added lane by lane in blocks, the blocks in double, always in the same order.
template <TensorLike X> auto sum(const X& x) {
  using T = typename X::Number;
  const detail::TensorOperand<T> in(x, "sum");
  return detail::plain_if_all_are<X>(detail::record_number<T>("sum",
      [&] { return kernels<T>().sum(in->data, in->shape.count()); }, [](const detail::Pull<T>& p) {
    if (const auto to = p.to(0)) kernels<T>().fill(static_cast<T>(p.number_adjoint()), to.data, p.in(0).shape.count(), to.add);
  }, in));
}
/// Σ x along an axis, which is removed: (…, N, …) → (…, …). Throws ShapeError if there is no such axis.
template <TensorLike X> auto sum(const X& x, Axis axis) {
  using T = typename X::Number;
  const detail::TensorOperand<T> in(x, "sum");
  const detail::Reduction r("sum", in->shape, axis);
  return detail::record<detail::ResultOf<T, X>>("sum", r.shape,
      [&](T* y) { kernels<T>().sum_along(in->data, y, r.along, false); }, [along = r.along](const detail::Pull<T>& p) {
    if (const auto to = p.to(0)) kernels<T>().spread_along(p.adjoint(), to.data, along, to.add);
  }, in);
}
template <DualTensor X> auto sum(const X& x) { return detail::push_linear(x, [](const auto& t) { return sum(t); }); }
template <DualTensor X> auto sum(const X& x, Axis axis) { return detail::push_linear(x, [&](const auto& t) { return sum(t, axis); }); }

/// Σ x / n. Throws ShapeError if there are no numbers.
template <AnyTensor X> auto mean(const X& x) {
  const Shape shape = x.shape();  // not plain(x).shape(): a variable's value is a copy
  if (shape.count() == 0) detail::Reduction::refuse_empty("mean", shape);
  return detail::stored(sum(x) / static_cast<double>(shape.count()));
}
/// Σ x / n along an axis of n, which is removed. Throws ShapeError if there is no such axis, or it is empty.
template <AnyTensor X> auto mean(const X& x, Axis axis) {
  const detail::Reduction r("mean", x.shape(), axis, true);
  return detail::stored(sum(x, axis) / static_cast<double>(r.along.n));
}

/// Σ aᵢ bᵢ of two tensors of one shape, over all their numbers. Throws ShapeError if their shapes differ.
template <TensorLike A, TensorLike B> auto dot(const A& a, const B& b) {
  using T = detail::NumberOfAny<A, B>;
  const detail::TensorOperand<T> p(detail::entering<T>(a), "dot"), q(detail::entering<T>(b), "dot");
  if (p->shape != q->shape)
    throw ShapeError(detail::text("dot: shapes differ: {} and {}; reshape one, or take sum(a * b), which broadcasts",
        {p->shape.text(), q->shape.text()}));
  return detail::plain_if_all_are<A, B>(detail::record_number<T>("dot",
      [&] { return kernels<T>().dot(p->data, q->data, p->shape.count()); }, [](const detail::Pull<T>& pull) {
    const T g = static_cast<T>(pull.number_adjoint());
    const std::size_t n = pull.in(0).shape.count();
    if (const auto to = pull.to(0)) kernels<T>().axpy(g, pull.in(1).data, to.data, n, to.add);
    if (const auto to = pull.to(1)) kernels<T>().axpy(g, pull.in(0).data, to.data, n, to.add);
  }, p, q));
}
template <AnyTensor A, AnyTensor B> requires(DualTensor<A> || DualTensor<B>) auto dot(const A& a, const B& b) {
  return detail::push_bilinear(a, b, [](const auto& p, const auto& q) { return dot(p, q); });
}

namespace detail {
/// √Σ x² of n numbers. Neither overflows nor underflows on the way.
template <class T> double length(const T* x, std::size_t n) {
  const double squares = kernels<T>().dot(x, x, n);
  constexpr double safe = std::same_as<T, double> ? 1e200 : 1e20;
  if (squares > 1 / safe && squares < safe) return std::sqrt(squares);
  double largest = 0;  // rare: scale, so that the squares stay within range
  for (std::size_t i = 0; i < n; ++i) largest = std::isnan(x[i]) ? static_cast<double>(x[i]) : std::max(largest, std::abs(static_cast<double>(x[i])));
  if (!(largest > 0) || std::isinf(largest)) return largest;
  double scaled = 0;
  for (std::size_t i = 0; i < n; ++i) scaled += (static_cast<double>(x[i]) / largest) * (static_cast<double>(x[i]) / largest);
  return largest * std::sqrt(scaled);
}
}  // namespace detail

/// √Σ x². The slope is x/y, and 0 where y is 0 (the least of the subgradients). Neither overflows nor underflows on the way. (Forward mode:
/// of finite numbers.)
template <TensorLike X> auto norm(const X& x) {
  using T = typename X::Number;
  const detail::TensorOperand<T> in(x, "norm");
  const double y = detail::length(in->data, in->shape.count());
  return detail::plain_if_all_are<X>(detail::record_number<T>("norm", [&] { return y; }, [y](const detail::Pull<T>& p) {
    const auto to = p.to(0);
    if (!to) return;
    const double g = p.number_adjoint();
    const T share = static_cast<T>(y == 0 ? 0 : g / y);
    const std::size_t n = p.in(0).shape.count();
    const T* const data = p.in(0).data;
    if (std::isnormal(share) || y == 0) return kernels<T>().axpy(share, data, to.data, n, to.add);
    for (std::size_t i = 0; i < n; ++i)  // g/y is out of range, which x/y is not
      to.data[i] = static_cast<T>(g * Hypot::share(static_cast<double>(data[i]), y)) + (to.add ? to.data[i] : T(0));
  }, in));
}
template <class T, class Tag> requires DualTensor<Dual<T, Tag>> auto norm(const Dual<T, Tag>& x) {
  const auto y = norm(x.value());
  const bool none = plain(y) == 0;  // then the tangent is 0, and its own derivative too
  const auto along = detail::stored(dot(x.value() / select(none, 1.0, y), x.tangent()) * (none ? 0.0 : 1.0));
  return Dual<std::remove_const_t<decltype(y)>, Tag>(y, along);
}

namespace detail {
/// Are these sums of squares far from ∞, and from 0? So far that no summand that matters was lost.
template <class T> bool within_range(const Tensor<T>& squares) {
  constexpr T most = std::same_as<T, double> ? T(1e280) : T(1e30f);
  return std::all_of(squares.begin(), squares.end(), [](T s) { return s > 1 / most && s < most; });
}
/// √Σ x² along an axis, where some squares are out of range, or whole rows are 0: scale · root, of x / scale, whose squares are 1 at most.
template <class X> auto scaled_norm(const X& x, Axis axis) {
  using T = typename X::Number;
  const TensorOperand<T> in(x, "norm");
  const Reduction r("norm", in->shape, axis);
  const Along along = r.along;
  const std::size_t rows = along.outer * along.inner;
  if (along.n == 0) return sum(square(x), axis);
  const Tensor<T> largest = max(abs(plain(x)), axis.keep());
  const auto scale = select((largest > 0) * (largest - largest == 0), max(largest, std::numeric_limits<T>::min()), 1);  // whose inverse is finite
  const Tensor<T> root = sqrt(sum(square(plain(x) / scale), axis.keep())), y = scale * root;
  T* const kept = in.recorded() ? active<double>->nodes.template numbers<T>(2 * rows) : nullptr;
  if (kept) std::copy_n(scale.data(), rows, kept), std::copy_n(root.data(), rows, kept + rows);
  return record<ResultOf<T, X>>("norm", r.shape, [&](T* to) { std::copy_n(y.data(), rows, to); }, [along, kept, rows](const Pull<T>& p) {
    const auto to = p.to(0);
    if (!to) return;
    for (std::size_t k = 0; k < rows * along.n; ++k) {
      const std::size_t row = k / (along.n * along.inner) * along.inner + k % along.inner;
      const double g = static_cast<double>(p.adjoint()[row]);
      const auto slope = static_cast<double>(Hypot::share(p.in(0).data[k] / kept[row], kept[rows + row]));
      to.data[k] = static_cast<T>(g == 0 ? 0 : g * slope) + (to.add ? to.data[k] : T(0));
    }
  }, in);
}
}  // namespace detail

/// √Σ x² along an axis, (…, N, …) → (…, …); the slope is x/y, and 0 where y is 0. Neither overflows nor underflows on the way. Throws ShapeError if
/// there is no such axis. (Forward mode: of finite numbers.)
template <TensorLike X> auto norm(const X& x, Axis axis) {
  (void)x.shape().axis(axis, "norm");
  const auto squares = sum(square(x), axis);
  if (detail::within_range(plain(squares))) return detail::stored(sqrt(squares));
  return detail::stored(detail::scaled_norm(x, axis));
}
template <class T, class Tag> requires DualTensor<Dual<T, Tag>> auto norm(const Dual<T, Tag>& x, Axis axis) {
  const auto y = norm(x.value(), axis.keep());
  const auto none = plain(y) == 0;  // then the tangent is 0, and its own derivative too
  const auto along = sum(x.value() / select(none, 1.0, y) * x.tangent(), axis.keep()) * (none == 0);
  const Shape shape = detail::Reduction("norm", x.shape(), axis).shape;
  return Dual<T, Tag>(reshape(y, shape), reshape(T(along), shape));
}

// ---- extremes: max, min, argmax -------------------------------------------------------------------------------------

namespace detail {
/// Max or min; ties share the adjoint equally. A NaN is the largest and the smallest, so it is not lost.
template <bool max, class X> auto extreme(const char* name, const X& x) {
  using T = typename X::Number;
  const TensorOperand<T> in(x, name);
  const Along all{1, in->shape.count(), 1};
  if (all.n == 0) Reduction::refuse_empty(name, in->shape);
  alignas(alignment) T y[alignment / sizeof(T)];
  (max ? kernels<T>().max_along : kernels<T>().min_along)(in->data, y, nullptr, all);
  return plain_if_all_are<X>(record_number<T>(name, [&] { return static_cast<double>(y[0]); }, [y = y[0], all](const Pull<T>& p) {
    const T g = static_cast<T>(p.number_adjoint());
    if (const auto to = p.to(0)) kernels<T>().extreme_pullback(p.in(0).data, &y, &g, to.data, all, to.add);
  }, in));
}
template <bool max, class X> auto extreme(const char* name, const X& x, Axis axis) {
  using T = typename X::Number;
  const TensorOperand<T> in(x, name);
  const Reduction r(name, in->shape, axis, true);
  const auto forward = [&](T* y) { (max ? kernels<T>().max_along : kernels<T>().min_along)(in->data, y, nullptr, r.along); };
  return record<ResultOf<T, X>>(name, r.shape, forward, [along = r.along](const Pull<T>& p) {
    if (const auto to = p.to(0)) kernels<T>().extreme_pullback(p.in(0).data, p.out().data, p.adjoint(), to.data, along, to.add);
  }, in);
}
/// For pushforward: the share of each number in the extreme, 1/ties where it is reached.
template <class T> Tensor<T> shares(const Tensor<T>& x, const Tensor<T>& y, Along along) {
  Tensor<T> w = Tensor<T>::uninitialized(x.shape());
  const Tensor<T> ones = Tensor<T>::ones(y.shape());
  kernels<T>().extreme_pullback(x.data(), y.data(), ones.data(), w.mutable_data(), along, false);
  return w;
}
}  // namespace detail

/// The largest number, NaN if one is; its slope is 1, of several that are equal one over how many there are. Throws ShapeError if there are none.
/// (max(a, b), of two operands, is a rule.)
template <TensorLike X> auto max(const X& x) { return detail::extreme<true>("max", x); }
/// The largest along an axis, which is removed, (…, N, …) → (…, …). Throws ShapeError if there is no such axis, or no number along it.
template <TensorLike X> auto max(const X& x, Axis axis) { return detail::extreme<true>("max", x, axis); }
/// The smallest, likewise.
template <TensorLike X> auto min(const X& x) { return detail::extreme<false>("min", x); }
template <TensorLike X> auto min(const X& x, Axis axis) { return detail::extreme<false>("min", x, axis); }

namespace detail {
template <class T, class Tag, class F> auto push_extreme(const Dual<T, Tag>& x, const F& f) {
  const auto y = f(x.value());
  const auto values = plain(x.value());
  using N = NumberIn<T>;
  const Tensor<N> w = shares(values, Tensor<N>::full({}, static_cast<N>(plain(y))), {1, values.size(), 1});
  return Dual<std::remove_const_t<decltype(y)>, Tag>(y, stored(dot(w, x.tangent())));
}
template <class T, class Tag, class F> auto push_extreme(const Dual<T, Tag>& x, Axis axis, const F& f) {
  const auto y = f(x.value());
  const auto values = plain(x.value());
  const auto w = shares(values, plain(y), Reduction("max", values.shape(), axis).along);
  return Dual<std::remove_const_t<decltype(y)>, Tag>(y, sum(x.tangent() * w, axis));
}
}  // namespace detail
template <class T, class Tag> requires DualTensor<Dual<T, Tag>> auto max(const Dual<T, Tag>& x) {
  return detail::push_extreme(x, [](const auto& t) { return max(t); });
}
template <class T, class Tag> requires DualTensor<Dual<T, Tag>> auto min(const Dual<T, Tag>& x) {
  return detail::push_extreme(x, [](const auto& t) { return min(t); });
}
template <class T, class Tag> requires DualTensor<Dual<T, Tag>> auto max(const Dual<T, Tag>& x, Axis axis) {
  return detail::push_extreme(x, axis, [axis](const auto& t) { return max(t, axis); });
}
template <class T, class Tag> requires DualTensor<Dual<T, Tag>> auto min(const Dual<T, Tag>& x, Axis axis) {
  return detail::push_extreme(x, axis, [axis](const auto& t) { return min(t, axis); });
}

/// The position of the largest number, counted row by row; the first of several. A NaN is the largest. Throws ShapeError if there are no numbers.
template <TensorLike X> std::size_t argmax(const X& x) {
  const auto& values = plain(x);
  if (values.size() == 0) detail::Reduction::refuse_empty("argmax", values.shape());
  return static_cast<std::size_t>(std::max_element(values.begin(), values.end(), [](auto a, auto b) {
    return a < b || (std::isnan(b) && !std::isnan(a));
  }) - values.begin());
}
/// The same along an axis; a position for each entry of the other axes, row by row. Throws ShapeError if there is no such axis, or it is empty.
template <TensorLike X> std::vector<std::size_t> argmax(const X& x, Axis axis) {
  using T = typename X::Number;
  const auto& values = plain(x);
  const detail::Reduction r("argmax", values.shape(), axis, true);
  std::vector<std::int64_t> index(r.shape.count());
  Tensor<T> y = Tensor<T>::uninitialized(r.shape);
  kernels<T>().max_along(values.data(), y.mutable_data(), index.data(), r.along);
  return {index.begin(), index.end()};
}

// ---- logsumexp and softmax: shifted by the largest; the shift cancels -----------------------------------------------

namespace detail {
/// f on rows: along the last axis as it stands, along another with that axis brought to the end and back again.
template <class X, class F> auto along_last(const char* name, const X& x, Axis axis, const F& f) {
  const std::size_t a = x.shape().axis(axis, name), axes = x.shape().axes();
  if (a + 1 == axes) return f(x);
  if (a + 2 == axes) return transpose(f(transpose(x)));  // by the kernel: a quarter of the time, and less
  std::vector<std::size_t> order(axes);
  for (std::size_t i = 0; i < axes; ++i) order[i] = i;
  std::swap(order[a], order[axes - 1]);
  return transpose(f(transpose(x, order)), order);
}
template <class Y, class T, class Forward, class Back> Y by_rows(const char* name, const TensorOperand<T>& x, Forward forward, Back back) {
  const std::size_t n = x->shape.columns(), m = n ? x->shape.rows() : 0;  // none of rows of nothing: they may be many
  return record<Y>(name, x->shape, [&](T* y) { (kernels<T>().*forward)(x->data, y, m, n); }, [m, n, back](const Pull<T>& p) {
    if (const auto to = p.to(0)) (kernels<T>().*back)(p.out().data, p.adjoint(), to.data, m, n, to.add);
  }, x);
}
}  // namespace detail

/// y = eˣ / Σ eˣ along an axis; of the shape of x. A number +∞, or nothing but −∞, gives NaN. Pullback: y·(g − Σ g·y). Throws
/// ShapeError if there is no such axis.
template <TensorLike X> auto softmax(const X& x, Axis axis = -1) {
  using T = typename X::Number;
  return detail::along_last("softmax", x, axis, [](const auto& t) {
    return detail::by_rows<detail::ResultOf<T, X>, T>("softmax", {t, "softmax"}, &Kernels<T>::softmax, &Kernels<T>::softmax_pullback);
  });
}
/// y = x − log Σ eˣ along an axis; of the shape of x. Pullback: g − eʸ·Σ g. Throws ShapeError if there is no such axis.
template <TensorLike X> auto log_softmax(const X& x, Axis axis = -1) {
  using T = typename X::Number;
  return detail::along_last("log_softmax", x, axis, [](const auto& t) {
    return detail::by_rows<detail::ResultOf<T, X>, T>("log_softmax", {t, "log_softmax"}, &Kernels<T>::log_softmax, &Kernels<T>::log_softmax_pullback);
  });
}
/// log Σ eˣ over all numbers; −∞ for none. The slope is softmax(x), and 0 where all numbers are −∞.
template <TensorLike X> auto logsumexp(const X& x) {
  using T = typename X::Number;
  const detail::TensorOperand<T> in(x, "logsumexp");
  const std::size_t n = in->shape.count();
  const bool recorded = in.recorded();
  T* const softmax = recorded ? detail::active<double>->nodes.template numbers<T>(n) : nullptr;
  return detail::plain_if_all_are<X>(detail::record_number<T>("logsumexp", [&] {
    if (n == 0) return -std::numeric_limits<double>::infinity();
    alignas(detail::alignment) T y[detail::alignment / sizeof(T)];
    kernels<T>().logsumexp(in->data, y, softmax, 1, n);
    return static_cast<double>(y[0]);
  }, [softmax, n](const detail::Pull<T>& p) {
    const T g = static_cast<T>(p.number_adjoint());
    if (const auto to = p.to(0)) kernels<T>().axpy(g, softmax, to.data, n, to.add);
  }, in));
}
/// log Σ eˣ along an axis, which is removed; the slope likewise. Throws ShapeError if there is no such axis.
template <TensorLike X> auto logsumexp(const X& x, Axis axis) {
  using T = typename X::Number;
  const detail::Reduction r("logsumexp", x.shape(), axis);
  const auto rows = detail::along_last("logsumexp", x, axis, [](const auto& t) {
    const detail::TensorOperand<T> in(t, "logsumexp");
    const std::size_t n = in->shape.columns(), m = in->shape.rows();
    T* const softmax = in.recorded() ? detail::active<double>->nodes.template numbers<T>(m * n) : nullptr;
    const auto forward = [&](T* y) { kernels<T>().logsumexp(in->data, y, softmax, m, n); };
    return detail::record<detail::ResultOf<T, X>>("logsumexp",
        in->shape.with(in->shape.axes() - 1, 1), forward, [softmax, m, n](const detail::Pull<T>& p) {
      if (const auto to = p.to(0)) kernels<T>().logsumexp_pullback(softmax, p.adjoint(), to.data, m, n, to.add);
    }, in);
  });
  return reshape(rows, r.shape);
}

template <class T, class Tag> requires DualTensor<Dual<T, Tag>> auto softmax(const Dual<T, Tag>& x, Axis axis = -1) {
  const auto y = softmax(x.value(), axis);
  return Dual<T, Tag>(y, y * (x.tangent() - sum(y * x.tangent(), axis.keep())));
}
template <class T, class Tag> requires DualTensor<Dual<T, Tag>> auto log_softmax(const Dual<T, Tag>& x, Axis axis = -1) {
  const auto y = log_softmax(x.value(), axis);
  return Dual<T, Tag>(y, x.tangent() - sum(exp(y) * x.tangent(), axis.keep()));
}
namespace detail {
/// The slope of logsumexp along an axis: softmax, and 0 where all numbers are −∞. (Not e^(x − y): y is rounded, and of 10⁶ a float has only four
/// digits behind the point.)
template <AnyTensor X> X logsumexp_slope(const X& x, Axis axis) {
  const auto live = logsumexp(plain(x), axis.keep()) != -std::numeric_limits<double>::infinity();  // NaN goes on
  if (sum(live) == static_cast<double>(live.size())) return softmax(x, axis);
  return stored(softmax(select(live, x, 0.0), axis) * live);
}
}  // namespace detail
template <class T, class Tag> requires DualTensor<Dual<T, Tag>> auto logsumexp(const Dual<T, Tag>& x) {
  const Shape flat({plain(x).size()});
  const auto y = logsumexp(x.value());
  return Dual<std::remove_const_t<decltype(y)>, Tag>(y, dot(detail::logsumexp_slope(reshape(x.value(), flat), 0), reshape(x.tangent(), flat)));
}
template <class T, class Tag> requires DualTensor<Dual<T, Tag>> auto logsumexp(const Dual<T, Tag>& x, Axis axis) {
  return Dual<T, Tag>(logsumexp(x.value(), axis), sum(detail::logsumexp_slope(x.value(), axis) * x.tangent(), axis));
}

}  // namespace autodiff::inline v1
