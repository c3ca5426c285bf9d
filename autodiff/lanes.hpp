// Floor 5. Derivatives of one function at many points, side by side in SIMD lanes (batch.hpp).
#pragma once
#include "batch.hpp"
#include "preaccumulate.hpp"

namespace autodiff::inline v1 {

/// a where the condition holds, else b, lane by lane: for `select(x > 0, a, b)` in a function that gradient_batch calls. Both are computed; what
/// the one that is not taken would do to the derivatives (an infinite slope, a NaN) is discarded.
template <std::size_t n, class A, class B>
    requires(Expression<A> || Expression<B>) && std::convertible_to<A, Var<Batch<double, n>>> && std::convertible_to<B, Var<Batch<double, n>>>
Var<Batch<double, n>> select(const Truths<n>& condition, const A& a, const B& b) {
  using S = Batch<double, n>;
  const std::array<Var<S>, 2> sides{Var<S>(a), Var<S>(b)};
  const Var<S> y = detail::statement<S>("select", select(condition, sides[0].value(), sides[1].value()),
      sides, {select(condition, S(1), S(0)), select(condition, S(0), S(1))});
  if (y.place() != 0) detail::mark_masks<S>(detail::recorder<S>().next);
  return y;
}

namespace detail {

inline void require_sizes(const char* where, const char* what, const std::vector<std::vector<double>>& vectors, std::size_t size) {
  for (std::size_t k = 0; k < vectors.size(); ++k)
    if (vectors[k].size() != size) require_size(where, text("{} {}", {what, k}).c_str(), size, vectors[k].size());
}
inline void require_one_size(const char* where, const std::vector<std::vector<double>>& points) {
  if (!points.empty()) require_sizes(where, "point", points, points[0].size());
}

/// Vectors of one size, from `first` on as many as B has lanes, as one vector of Bs. Where they end, the last one again.
template <class B> class SideBySide {
  std::size_t size_;
  std::array<const double*, B::size> rows_;

 public:
  SideBySide(const std::vector<std::vector<double>>& vectors, std::size_t first) : size_(vectors[first].size()) {
    for (std::size_t lane = 0; lane < B::size; ++lane) rows_[lane] = vectors[std::min(first + lane, vectors.size() - 1)].data();
  }
  std::size_t size() const { return size_; }
  B operator[](std::size_t i) const { return B::column(rows_, i); }
};

/// The other way: makes them `size` long, and writes batch(i) to their numbers i.
template <class B> void spread(std::vector<std::vector<double>>& vectors, std::size_t first, std::size_t size, const auto& batch) {
  std::array<double*, B::size> rows;
  for (std::size_t lane = 0; lane < B::size; ++lane) {
    std::vector<double>& one = vectors[std::min(first + lane, vectors.size() - 1)];
    one.resize(size);
    rows[lane] = one.data();
  }
  for (std::size_t i = 0; i < size; ++i) B(batch(i)).to_column(rows, i);
}

/// body(tape, x, first) for each `lanes` points from `first` on, with x their numbers side by side, the variables of a fresh recording.
template <std::size_t lanes> void each_recording(const std::vector<std::vector<double>>& points, const auto& body) {
  BasicTape<Batch<double, lanes>> tape;
  Workspace<Var<Batch<double, lanes>>> workspace;
  for (std::size_t first = 0; first < points.size(); first += lanes) {
    tape.clear();
    tape.variables(SideBySide<Batch<double, lanes>>(points, first), workspace.x);
    body(tape, std::as_const(workspace.x), first);
  }
}

/// ∇f at many points, and value(k, f) for each of them.
template <std::size_t lanes, class F>
void gradient_batch(const F& f, const std::vector<std::vector<double>>& points, std::vector<std::vector<double>>& into, const auto& value) {
  using B = Batch<double, lanes>;
  require_one_size("gradient_batch", points);
  into.resize(points.size());
  each_recording<lanes>(points, [&](auto& tape, const auto& x, std::size_t first) {
    const Var<B> y = one_number<B>("gradient_batch", at(f, x));
    walk_back_from(tape, y);
    spread<B>(into, first, x.size(), [&](std::size_t i) { return tape.adjoint(x[i]); });
    value(first, y.value());
  });
}

}  // namespace detail

/// ∇f at many points: `lanes` of them (4 or 8) at a time, side by side in SIMD registers, share one recording. f must not branch on its numbers where
/// the points would take different ways (Error); select(condition, a, b) does not branch. All points have the same size (ShapeError).
/// The gradients go to `into`, whose memory is used again: in a loop nothing is allocated.
template <std::size_t lanes = 8, class F>
void gradient_batch(const F& f, const std::vector<std::vector<double>>& points, std::vector<std::vector<double>>& into) {
  detail::gradient_batch<lanes>(f, points, into, [](std::size_t, const auto&) {});
}
template <std::size_t lanes = 8, class F>
std::vector<std::vector<double>> gradient_batch(const F& f, const std::vector<std::vector<double>>& points) {
  std::vector<std::vector<double>> gradients;
  gradient_batch<lanes>(f, points, gradients);
  return gradients;
}

/// The same with the values: `auto [values, gradients] = …`, a std::vector of numbers and one of gradients.
template <std::size_t lanes = 8, class F> auto value_and_gradient_batch(const F& f, const std::vector<std::vector<double>>& points) {
  ValueAndGradient<std::vector<double>, std::vector<std::vector<double>>> all{std::vector<double>(points.size()), {}};
  detail::gradient_batch<lanes>(f, points, all.gradient, [&](std::size_t first, const auto& y) {
    for (std::size_t lane = 0; lane < lanes && first + lane < points.size(); ++lane) all.value[first + lane] = y[lane];
  });
  return all;
}

/// The Jacobians of F at many points, (points, m, n): m numbers that F returns, n of a point; `lanes` points at a time share one recording and its m
/// walks back. For many small ones, residuals of a fit say. Data that varies from point to point, such as measurements, can be passed as extra
/// components of the point (and gets columns, too). F must not branch, as in gradient_batch, and must return as many numbers at each point
/// (ShapeError); no points give (0, 0, 0). The second form writes to `into`, whose memory is used again where the shape is the same.
template <std::size_t lanes = 8, class F>
void jacobian_batch(const F& f, const std::vector<std::vector<double>>& points, Tensor<double>& into) {
  using B = Batch<double, lanes>;
  detail::require_one_size("jacobian_batch", points);
  if (points.empty()) into = Tensor<double>::zeros({0, 0, 0});
  detail::each_recording<lanes>(points, [&](auto& tape, const auto& x, std::size_t first) {
    const auto y = detail::all_numbers<B>(detail::at(f, x));
    const Shape shape({points.size(), y.size(), x.size()});
    if (first > 0) detail::require_size("jacobian_batch", "what F returns", into.shape()[1], y.size());
    else if (into.shape() != shape) into = Tensor<double>::uninitialized(shape);
    std::array<double*, lanes> blocks;
    for (std::size_t lane = 0; lane < lanes; ++lane)
      blocks[lane] = into.mutable_data() + std::min(first + lane, points.size() - 1) * shape.inside(0);
    for (std::size_t k = 0; k < y.size(); ++k) {
      detail::walk_back_from(tape, y[k]);
      for (std::size_t i = 0; i < x.size(); ++i) B(tape.adjoint(x[i])).to_column(blocks, k * x.size() + i);
    }
  });
}
template <std::size_t lanes = 8, class F> Tensor<double> jacobian_batch(const F& f, const std::vector<std::vector<double>>& points) {
  Tensor<double> jacobians;
  jacobian_batch<lanes>(f, points, jacobians);
  return jacobians;
}

}  // namespace autodiff::inline v1
