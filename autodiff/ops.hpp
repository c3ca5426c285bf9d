// Floor 4. Structured operations: products, and moves of numbers (transpose, slice, gather, select …). One block each: the shapes,
// the value, the pullback (adjoint of the result → adjoints of the operands) and the pushforward (tangents of the operands → tangent of the
// result; a linear operation applies itself). Operands are Tensor, Var<Tensor> or, for forward mode, a Dual of either; a result remembers
// if an operand does. Several tensors become one in joins.hpp; reductions are in reduce.hpp, fused layers and costs in fused.hpp.
#pragma once
#include "elementwise.hpp"
#include <optional>

namespace autodiff::inline v1 {

// ---- pushforward ----------------------------------------------------------------------------------------------------

namespace detail {
template <class X> constexpr bool is_dual_tensor = false;
template <class T, class Tag> constexpr bool is_dual_tensor<Dual<T, Tag>> = TensorLike<T> || is_dual_tensor<T>;
}  // namespace detail
/// A tensor with a tangent: forward mode.
template <class X> concept DualTensor = detail::is_dual_tensor<X>;
template <class X> concept AnyTensor = TensorLike<X> || DualTensor<X>;

namespace detail {
/// The number type of a tensor, or of the tensor inside a nest of Duals.
template <class X> using NumberIn = typename std::remove_cvref_t<decltype(plain(std::declval<const X&>()))>::Number;

/// f(x + v ε) = f(x) + f(v) ε for a linear f
template <class F, class T, class Tag> auto push_linear(const Dual<T, Tag>& x, const F& f) {
  using Y = decltype(f(x.value()));
  return Dual<Y, Tag>(f(x.value()), f(x.tangent()));
}
/// f(a + u ε, b + v ε) = f(a, b) + (f(u, b) + f(a, v)) ε for an f linear in both
template <class F, class T, class U, class Tag> auto push_bilinear(const Dual<T, Tag>& a, const Dual<U, Tag>& b, const F& f) {
  using Y = decltype(f(a.value(), b.value()));
  return Dual<Y, Tag>(f(a.value(), b.value()), Y(f(a.tangent(), b.value()) + f(a.value(), b.tangent())));
}
template <class F, class T, class Tag, class B> auto push_bilinear(const Dual<T, Tag>& a, const B& b, const F& f) {
  using Y = decltype(f(a.value(), b));
  return Dual<Y, Tag>(f(a.value(), b), f(a.tangent(), b));
}
template <class F, class A, class U, class Tag> auto push_bilinear(const A& a, const Dual<U, Tag>& b, const F& f) {
  using Y = decltype(f(a, b.value()));
  return Dual<Y, Tag>(f(a, b.value()), f(a, b.tangent()));
}
}  // namespace detail

// ---- products -------------------------------------------------------------------------------------------------------

namespace detail {

/// The sizes of a product, and how its matrices follow each other if there are several.
struct MatmulPlan {
  std::size_t m, n, k;
  Broadcast batch;  ///< steps in numbers; no axes: one product
  Shape shape;
};
MatmulPlan plan_matmul(const Shape& a, const Shape& b);

/// f(a, b, y) for each product of a batch, which has one axis at least.
template <class A, class B, class Y, class F> void each_matrix(const MatmulPlan& plan, A* a, B* b, Y* y, const F& f) {
  std::array<std::size_t, Shape::most_axes> at{};
  for (;;) {
    f(a, b, y);
    y += plan.m * plan.n;
    std::size_t axis = plan.batch.axes;
    for (;;) {
      if (axis-- == 0) return;
      a += plan.batch.a[axis], b += plan.batch.b[axis];
      if (++at[axis] < plan.batch.size[axis]) break;
      a -= plan.batch.a[axis] * at[axis], b -= plan.batch.b[axis] * at[axis], at[axis] = 0;
    }
  }
}

/// The adjoint of what is chosen, or used several times: zeros, to which all is added.
template <class T> T* zeroed(const Target<T>& to, std::size_t n) {
  if (!to.add) std::fill_n(to.data, n, T(0));
  return to.data;
}

/// One product, of shape `shape`: c (M,N) = a (M,K) · b (K,N).
template <class Y, class T>
Y one_product(const auto& shape, std::size_t m, std::size_t n, std::size_t k, const TensorOperand<T>& left, const TensorOperand<T>& right) {
  return record<Y>("matmul", shape, [&](T* y) {
    if (m * n != 0)
      kernels<T>().product({.m = m, .n = n, .k = k, .a = left->data, .a_row = k, .a_col = 1, .b = right->data, .b_row = n, .b_col = 1, .c = y});
  }, [m, n, k](const Pull<T>& p) {
    const T *a = p.in(0).data, *b = p.in(1).data, *g = p.adjoint();
    if (m * n == 0) {
      for (int i = 0; i < 2; ++i)
        if (const auto to = p.to(i)) zeroed(to, p.in(i).shape.count());
      return;
    }
    const bool deferred = p.may_defer(p.in(1), p.in(0));
    if (const auto to = p.to(0))  // (M,N)·(K,N)ᵀ → (M,K)
      kernels<T>().product({.m = m, .n = k, .k = n, .a = g, .a_row = n, .a_col = 1, .b = b, .b_row = 1, .b_col = n, .c = to.data, .add = to.add});
    if (deferred) p.defer(p.in(1), a, g, m);
    else if (const auto to = p.to(1))  // (M,K)ᵀ·(M,N) → (K,N)
      kernels<T>().product({.m = k, .n = n, .k = m, .a = a, .a_row = 1, .a_col = k, .b = g, .b_row = n, .b_col = 1, .c = to.data, .add = to.add});
  }, left, right);
}
/// Several, one after the other in the result.
template <class Y, class T> Y batch_of_products(const MatmulPlan& plan, const TensorOperand<T>& left, const TensorOperand<T>& right) {
  return record<Y>("matmul", plan.shape, [&](T* y) {
    if (plan.shape.count() == 0) return;
    each_matrix(plan, left->data, right->data, y, [&](const T* a, const T* b, T* c) {
      kernels<T>().product({.m = plan.m, .n = plan.n, .k = plan.k, .a = a, .a_row = plan.k, .a_col = 1,
          .b = b, .b_row = plan.n, .b_col = 1, .c = c, .block = false});
    });
  }, [plan](const Pull<T>& p) {
    const std::size_t m = plan.m, n = plan.n, k = plan.k;
    const auto sums = [&](int i) {  // null for a constant
      const auto to = p.to(i);
      return to ? zeroed(to, p.in(i).shape.count()) : nullptr;
    };
    const T *a = p.in(0).data, *b = p.in(1).data, *g = p.adjoint();
    const bool empty = plan.shape.count() == 0;
    if (T* const to = sums(0); to && !empty) each_matrix(plan, to, b, g, [=](T* ga, const T* bi, const T* gi) {
      // (M,N)·(K,N)ᵀ → (M,K)
      kernels<T>().product({.m = m, .n = k, .k = n, .a = gi, .a_row = n, .a_col = 1,
          .b = bi, .b_row = 1, .b_col = n, .c = ga, .add = true, .block = false});
    });
    if (T* const to = sums(1); to && !empty) each_matrix(plan, a, to, g, [=](const T* ai, T* gb, const T* gi) {
      // (M,K)ᵀ·(M,N) → (K,N)
      kernels<T>().product({.m = k, .n = n, .k = m, .a = ai, .a_row = 1, .a_col = k,
          .b = gi, .b_row = n, .b_col = 1, .c = gb, .add = true, .block = false});
    });
  }, left, right);
}
template <class Y, class T> Y matmul(const TensorOperand<T>& left, const TensorOperand<T>& right) {
  const Shape &a = left->shape, &b = right->shape;
  if (a.axes() == 2 && b.axes() == 2 && a[1] == b[0] &&
      a[0] * b[1] <= Shape::most_numbers) [[likely]]  // no plan: 4×2 · 2×3, recorded, takes half the time
    return one_product<Y, T>(MatrixShape{a[0], b[1]}, a[0], b[1], a[1], left, right);
  const MatmulPlan plan = plan_matmul(a, b);
  if (plan.batch.axes == 0) return one_product<Y, T>(plan.shape, plan.m, plan.n, plan.k, left, right);
  return batch_of_products<Y, T>(plan, left, right);
}

}  // namespace detail

/// a·b for a (…, M, K), b (…, K, N) → (…, M, N); axes before the last two are broadcast. A vector a (K) is one row, a vector b (K) one
/// column, and that axis is dropped from the result. Throws ShapeError if the inner sizes differ, the axes before do not broadcast, or an
/// operand has no axes.
template <TensorLike A, TensorLike B> auto matmul(const A& a, const B& b) {
  using T = detail::NumberOfAny<A, B>;
  return detail::matmul<detail::ResultOf<T, A, B>, T>({detail::entering<T>(a), "matmul"}, {detail::entering<T>(b), "matmul"});
}
template <AnyTensor A, AnyTensor B> requires(DualTensor<A> || DualTensor<B>) auto matmul(const A& a, const B& b) {
  return detail::push_bilinear(a, b, [](const auto& p, const auto& q) { return matmul(p, q); });
}

// ---- moves: transpose, slice, broadcast_to --------------------------------------------------------------------------

namespace detail {

/// Some numbers of a tensor in some order: along each axis of the result, its size, and the step in the operand.
struct Moves {
  Shape shape;
  std::array<std::ptrdiff_t, Shape::most_axes> step{};
  std::size_t start = 0;
  /// f(k, n, j, s) for each run: numbers k … k + n − 1 of the result are the numbers j, j + s, j + 2s … of the operand.
  template <class F> void each_run(const F& f) const {
    if (shape.count() == 0) return;
    std::size_t axes = shape.axes();
    while (axes > 1 && shape[axes - 1] == 1) --axes;
    std::size_t n = axes ? shape[axes - 1] : 1;
    const std::ptrdiff_t inner_step = axes ? step[--axes] : 0;
    while (axes > 0 && step[axes - 1] == static_cast<std::ptrdiff_t>(n) * inner_step) n *= shape[--axes];  // rows that go on in each other are one run
    std::array<std::size_t, Shape::most_axes> at{};
    auto from = static_cast<std::ptrdiff_t>(start);
    for (std::size_t k = 0;; k += n) {
      f(k, n, static_cast<std::size_t>(from), inner_step);
      std::size_t axis = axes;
      for (;;) {
        if (axis-- == 0) return;
        from += step[axis];
        if (++at[axis] < shape[axis]) break;
        from -= step[axis] * static_cast<std::ptrdiff_t>(at[axis]), at[axis] = 0;
      }
    }
  }
};
Moves transposing(const Shape& x, std::span<const std::size_t> order);
Shape transposed(const Shape& x);
/// `count` matrices (m, n), one after the other.
struct Matrices { std::size_t count, m, n; };
/// Matrices of which `order` is the transpose: {0, 3, 1, 2} of x (A, B, C, D) exchanges B·C rows and D columns, A times. None if it is no such order.
std::optional<Matrices> as_transpose(const Shape& x, std::span<const std::size_t> order);
Moves slicing(const Shape& x, Axis axis, std::ptrdiff_t begin, std::ptrdiff_t end, std::ptrdiff_t step);
Moves broadcasting(const Shape& x, const Shape& to);

/// The numbers of x, moved to y.
template <class T> void move_numbers(const Moves& moves, const T* x, T* y) {
  moves.each_run([x, y](std::size_t k, std::size_t n, std::size_t j, std::ptrdiff_t step) {
    constexpr std::size_t least = 16;  // numbers from which a call pays
    if (step == 1 && n >= least) std::copy_n(x + j, n, y + k);
    else if (step == 0 && n >= least) std::fill_n(y + k, n, x[j]);
    else for (std::size_t i = 0; i < n; ++i) y[k + i] = (x + j)[static_cast<std::ptrdiff_t>(i) * step];
  });
}
template <class Y, class T> Y move_each(const char* name, const TensorOperand<T>& x, const Moves& moves) {
  return record<Y>(name, moves.shape, [&](T* y) { move_numbers(moves, x->data, y); }, [moves](const Pull<T>& p) {
    const auto to = p.to(0);
    if (!to) return;
    T* const gx = zeroed<T>(to, p.in(0).shape.count());
    moves.each_run([gx, g = p.adjoint()](std::size_t k, std::size_t n, std::size_t j, std::ptrdiff_t step) {
      if (step == 1) for (std::size_t i = 0; i < n; ++i) gx[j + i] += g[k + i];
      else for (std::size_t i = 0; i < n; ++i) (gx + j)[static_cast<std::ptrdiff_t>(i) * step] += g[k + i];
    });
  }, x);
}
template <TensorLike X> auto moved(const char* name, const X& x, const Moves& moves) {
  using T = typename X::Number;
  return move_each<ResultOf<T, X>, T>(name, {x, name}, moves);
}

/// Repeated numbers get the sum of their adjoints. (Added one by one in the order of the result, a column repeated 1024 times takes ten times as
/// long.)
template <class Y, class T> Y broadcast_to(const TensorOperand<T>& x, const Moves& moves) {
  const Broadcast walk = broadcast_walk(moves.shape, x->shape, x->shape);
  return record<Y>("broadcast_to", moves.shape, [&](T* y) { move_numbers(moves, x->data, y); },
      [walk](const Pull<T>& p) { if (const auto to = p.to(0)) kernels<T>().sum_back(walk, p.adjoint(), false, to.data, to.add); }, x);
}

/// Each (m, n) matrix of x, to y as (n, m). (A number at a time by Moves: 1.2 ms for 1000 × 1000 floats; so 0.65.)
template <class T> void transpose_each(const Matrices& of, const T* x, T* y) {
  const std::size_t size = of.m * of.n;
  for (std::size_t i = 0; i < of.count * size; i += size) kernels<T>().transpose(x + i, y + i, of.m, of.n);
}
template <class Y, class T> Y transpose(const TensorOperand<T>& x, const Matrices& of, const Shape& shape) {
  return record<Y>("transpose", shape, [&](T* y) { transpose_each(of, x->data, y); }, [of](const Pull<T>& p) {
    const auto to = p.to(0);
    if (!to) return;
    const std::size_t n = p.out().shape.count();
    T* const gx = to.add ? p.tape.nodes.template scratch<T>(n) : to.data;
    transpose_each({of.count, of.n, of.m}, p.adjoint(), gx);
    if (to.add) kernels<T>().axpy(T(1), gx, to.data, n, true);
  }, x);
}
template <TensorLike X> auto transpose(const X& x, const Matrices& of, const Shape& shape) {
  using T = typename X::Number;
  return transpose<ResultOf<T, X>, T>({x, "transpose"}, of, shape);
}

}  // namespace detail

/// The last two axes exchanged: (…, M, N) → (…, N, M). Throws ShapeError if there are less than two.
template <TensorLike X> auto transpose(const X& x) {
  const Shape shape = detail::transposed(x.shape());
  const std::size_t last = shape.axes() - 1;
  return detail::transpose(x, {x.shape().outside(last - 1), shape[last], shape[last - 1]}, shape);
}
/// Axis i of the result is axis order[i] of x, counted from 0. Throws ShapeError unless the order names each axis of x once.
template <TensorLike X> auto transpose(const X& x, const std::vector<std::size_t>& order) {
  const detail::Moves moves = detail::transposing(x.shape(), order);
  const auto matrices = detail::as_transpose(x.shape(), order);
  return matrices ? detail::transpose(x, *matrices, moves.shape) : detail::moved("transpose", x, moves);
}
/// Every `step`-th entry from `begin` to before `end` along an axis, as Python slices: negative positions count from the end, positions
/// beyond it mean it, a negative step goes backwards. Throws ShapeError for step 0 or an axis that is not there.
template <TensorLike X> auto slice(const X& x, Axis axis, std::ptrdiff_t begin, std::ptrdiff_t end, std::ptrdiff_t step = 1) {
  return detail::moved("slice", x, detail::slicing(x.shape(), axis, begin, end, step));
}
/// x repeated along new axes, in front, and along axes of size 1 until it has that shape. Throws ShapeError if it cannot.
template <TensorLike X> auto broadcast_to(const X& x, const Shape& shape) {
  using T = typename X::Number;
  return detail::broadcast_to<detail::ResultOf<T, X>, T>({x, "broadcast_to"}, detail::broadcasting(x.shape(), shape));
}

/// The same numbers in another shape. Throws ShapeError if that takes another number of them.
template <class T> Tensor<T> reshape(const Tensor<T>& x, const Shape& shape) { return x.reshaped(shape); }
template <class T> Var<Tensor<T>> reshape(const Var<Tensor<T>>& x, const Shape& shape) {
  if (shape.count() != x.size()) detail::refuse_reshape(x.shape(), shape);
  const detail::TensorOperand<T> in(x, "reshape");
  const std::size_t n = shape.count();
  return detail::record<Var<Tensor<T>>>("reshape", shape, [&](T* y) { std::copy_n(in->data, n, y); }, [](const detail::Pull<T>& p) {
    if (p.alias(p.in(0), p.out().adjoint)) return;
    if (const auto to = p.to(0)) kernels<T>().axpy(T(1), p.adjoint(), to.data, p.out().shape.count(), to.add);
  }, in);
}

template <std::floating_point T> template <std::floating_point U> Var<Tensor<U>> Var<Tensor<T>>::as() const {
  if constexpr (std::same_as<T, U>) return *this;
  else {
    const detail::TensorOperand<T> x(*this, "as");
    if (!x.recorded()) return value().template as<U>();
    detail::Record<double>& tape = *detail::active<double>;
    const Place place = tape.variable();
    detail::Cell<U>* const out = tape.nodes.cell<U>(x->shape, place);
    std::copy_n(x->data, x->shape.count(), out->data);
    const auto pullback = [](const detail::Pull<T>& p) {
      const U* const g = static_cast<detail::Cell<U>&>(*p.node.out).adjoint;
      const auto to = p.to(0);
      for (std::size_t i = 0; i < p.in(0).shape.count(); ++i) to.data[i] = (to.add ? to.data[i] : T(0)) + static_cast<T>(g[i]);
    };
    detail::append_node<T>(tape, "as", out, tape.count() - 1, pullback).in[0] = x.on(tape);
    return Var<Tensor<U>>(out, place);
  }
}

template <DualTensor X> auto transpose(const X& x) { return detail::push_linear(x, [](const auto& t) { return transpose(t); }); }
template <DualTensor X> auto transpose(const X& x, const std::vector<std::size_t>& order) {
  return detail::push_linear(x, [&](const auto& t) { return transpose(t, order); });
}
template <DualTensor X> auto slice(const X& x, Axis axis, std::ptrdiff_t begin, std::ptrdiff_t end, std::ptrdiff_t step = 1) {
  return detail::push_linear(x, [&](const auto& t) { return slice(t, axis, begin, end, step); });
}
template <DualTensor X> auto broadcast_to(const X& x, const Shape& shape) {
  return detail::push_linear(x, [&](const auto& t) { return broadcast_to(t, shape); });
}
template <DualTensor X> auto reshape(const X& x, const Shape& shape) {
  return detail::push_linear(x, [&](const auto& t) { return reshape(t, shape); });
}

// ---- selections: gather, elements, select ---------------------------------------------------------------------------

namespace detail {
/// Checked entries of an axis: negative ones count from the end.
std::vector<std::size_t> entries(const Shape& x, std::size_t axis, std::span<const std::ptrdiff_t> index);

/// Whole numbers of any type as positions.
template <std::integral I> std::vector<std::ptrdiff_t> positions(const std::vector<I>& index) {
  static_assert(!std::same_as<I, bool>, "gather: positions are whole numbers; a mask is for select(mask, a, b)");
  std::vector<std::ptrdiff_t> all;
  all.reserve(index.size());
  for (const I i : index) {
    if constexpr (!std::same_as<I, bool>) if (!std::in_range<std::ptrdiff_t>(i))
      throw ShapeError(text("gather: entry {} is beyond every axis: one holds at most {}", {i, Shape::most_along_axis}));
    all.push_back(static_cast<std::ptrdiff_t>(i));
  }
  return all;
}
template <class Y, class T> Y gather(const TensorOperand<T>& x, std::size_t axis, const std::vector<std::size_t>& index) {
  const std::size_t inner = x->shape.inside(axis), n = x->shape[axis], m = index.size();
  const std::size_t outer = m != 0 && inner != 0 ? x->shape.outside(axis) : 0;  // nothing to move: no loop over what may be huge
  const std::size_t* kept = index.data();
  if (x.recorded()) kept = std::copy(index.begin(), index.end(), active<double>->nodes.template numbers<std::size_t>(m)) - m;
  return record<Y>("gather", x->shape.with(axis, m), [&](T* y) {
    for (const T* row = x->data; row != x->data + outer * n * inner; row += n * inner)
      if (inner == 1) for (const std::size_t i : index) *y++ = row[i];
      else for (const std::size_t i : index) y = std::copy_n(row + i * inner, inner, y);
  }, [outer, inner, n, m, kept](const Pull<T>& p) {
    const auto to = p.to(0);
    if (!to) return;
    T* gx = zeroed<T>(to, p.in(0).shape.count());
    const T* g = p.adjoint();
    for (std::size_t o = 0; o < outer; ++o, gx += n * inner)
      for (std::size_t i = 0; i < m; ++i, g += inner)
        for (std::size_t j = 0; j < inner; ++j) gx[kept[i] * inner + j] += g[j];
  }, x);
}
}  // namespace detail

/// Entries index[0], index[1], … of x along an axis: rows of a table for axis 0, (N, …) → (index.size(), …). Entries may repeat; negative ones count
/// from the end. Throws ShapeError for an entry or axis that is not there. (One number of each row, x(i, kᵢ), as a policy or its value needs it:
/// gather(reshape(x, {x.size()}), places), the places n·i + kᵢ for rows of n.)
template <TensorLike X, std::integral I = std::ptrdiff_t> auto gather(const X& x, const std::vector<I>& index, Axis axis = 0) {
  const std::size_t along = x.shape().axis(axis, "gather");
  using T = typename X::Number;
  return detail::gather<detail::ResultOf<T, X>, T>({x, "gather"}, along,
      detail::entries(x.shape(), along, detail::positions(index)));
}
template <DualTensor X, std::integral I = std::ptrdiff_t> auto gather(const X& x, const std::vector<I>& index, Axis axis = 0) {
  return detail::push_linear(x, [&](const auto& t) { return gather(t, index, axis); });
}

namespace detail {
/// Number k of x, counted row by row.
template <class T> Var<double> element(const TensorOperand<T>& x, std::size_t k) {
  return record_number<T>("element", [&] { return static_cast<double>(x->data[k]); }, [k](const Pull<T>& p) {
    if (const auto to = p.to(0)) zeroed<T>(to, p.in(0).shape.count())[k] += static_cast<T>(p.number_adjoint());
  }, x);
}
}  // namespace detail
template <std::floating_point T> template <std::integral... I> Var<double> Var<Tensor<T>>::operator()(I... index) const {
  const detail::TensorOperand<T> x(*this, "element");
  return detail::element(x, detail::number_at(x->shape, {static_cast<std::size_t>(index)...}));
}
template <std::floating_point T> Var<double> Var<Tensor<T>>::operator[](std::size_t k) const {
  const detail::TensorOperand<T> x(*this, "element");
  return detail::element(x, detail::checked_number(k, x->shape));
}

namespace detail {
template <class X> concept Selectable = TensorLike<X> || NumberLike<X> || is_dual<X>;

/// x as select takes it: in that shape, or a plain number.
template <class T, class X> auto choice(const X& x, const Shape& shape) {
  if constexpr (Arithmetic<X>) return x;
  else {
    const auto& whole = entering<T>(x);
    using Whole = std::remove_cvref_t<decltype(whole)>;
    return whole.shape() == shape ? whole : Whole(broadcast_to(whole, shape));
  }
}
template <class X> Shape choice_shape(const X& x) { if constexpr (TensorLike<X>) return x.shape(); else return {}; }

template <class Y, class T> Y select(const TensorOperand<T>& mask, const TensorOperand<T>& a, const TensorOperand<T>& b) {
  const Shape& shape = mask->shape;
  const Repeats repeats{a->shape != shape, b->shape != shape};
  return record<Y>("select", shape,
      [&](T* y) { kernels<T>().select(mask->data, a->data, b->data, repeats, y, shape.count()); }, [](const Pull<T>& p) {
    for (const int i : {1, 2})
      if (const auto to = p.to(i)) kernels<T>().select_pullback(p.in(0).data, i == 2, p.adjoint(), to.data, p.out().shape.count(), to.add);
  }, mask, a, b);
}
}  // namespace detail

/// mask ? a : b, number by number; mask holds 0 or 1. All three are broadcast to one shape; throws ShapeError if they have none.
template <class T, detail::Selectable A, detail::Selectable B> auto select(const Tensor<T>& mask, const A& a, const B& b) {
  if constexpr (detail::is_dual<A> || detail::is_dual<B>) {  // each side by itself, −0 where it is not taken: x + −0 is x, also for x = −0
    const auto where = [&mask](const auto& x) { return select(mask, x, -T(0)); };
    const auto elsewhere = [&mask](const auto& x) { return select(mask, -T(0), x); };
    const auto part = [](const auto& x, const auto& f) {
      if constexpr (detail::is_dual<std::remove_cvref_t<decltype(x)>>) return detail::push_linear(x, f); else return f(x);
    };
    return detail::stored(part(a, where) + part(b, elsewhere));
  } else {
    const Shape shape = detail::broadcast_shape("select",
        detail::broadcast_shape("select", mask.shape(), detail::choice_shape(a)), detail::choice_shape(b));
    const auto& chosen = detail::choice<T>(a, shape);
    const auto& other = detail::choice<T>(b, shape);
    return detail::select<detail::ResultOf<T, A, B>, T>({detail::choice<T>(mask, shape), "select"}, {chosen, "select"}, {other, "select"});
  }
}

/// One condition for all numbers; a and b are broadcast to one shape, whichever is taken. Throws ShapeError if they do not broadcast.
template <class A, class B> requires TensorOperands<A, B> auto select(bool condition, const A& a, const B& b) {
  using T = detail::NumberOfAny<A, B>;
  const Shape shape = detail::broadcast_shape("select", detail::choice_shape(a), detail::choice_shape(b));
  const auto whole = [&shape](const auto& x) {
    if constexpr (Arithmetic<std::remove_cvref_t<decltype(x)>>) return Tensor<T>::full(shape, static_cast<T>(x));
    else return detail::choice<T>(x, shape);
  };
  using Y = detail::ResultOf<T, A, B>;
  return condition ? Y(whole(a)) : Y(whole(b));
}
template <detail::Selectable A, detail::Selectable B> requires(DualTensor<A> || DualTensor<B>) auto select(bool condition, const A& a, const B& b) {
  const auto mask = [condition]<class X>(const X&) { return Tensor<detail::NumberIn<X>>::full({}, condition); };
  if constexpr (DualTensor<A>) return select(mask(a), a, b); else return select(mask(b), a, b);
}

}  // namespace autodiff::inline v1
