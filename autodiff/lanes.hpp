// Floor 5. Many derivatives of one function at a time, side by side in SIMD lanes (batch.hpp): gradients at many points, or slopes along many
// directions.
#pragma once
#include "batch.hpp"
#include "preaccumulate.hpp"

namespace autodiff::inline v1 {

/// a where the condition holds, else b, lane by lane: for `select(x > 0, a, b)` in a function that gradient_batch calls. Both are computed; what
/// the one that was not taken would do to the derivatives (an infinite slope, a NaN) does no harm.
template <std::size_t n, class A, class B> requires(Expression<A> || Expression<B>) && std::convertible_to<A, Var<Batch<double, n>>> && std::convertible_to<B, Var<Batch<double, n>>>
Var<Batch<double, n>> select(const Truths<n>& condition, const A& a, const B& b) {
  using S = Batch<double, n>;
  const std::array<Var<S>, 2> sides{Var<S>(a), Var<S>(b)};
  return detail::statement<S>(select(condition, sides[0].value(), sides[1].value()), sides, {select(condition, S(1), S(0)), select(condition, S(0), S(1))});
}

namespace detail {

/// Vectors of one size, `lanes` of them at a time, as one vector of batches and back.
template <std::size_t lanes> class SideBySide {
  std::vector<double> numbers_;  ///< written number by number well before it is read as batches: a read that follows at once would wait

 public:
  std::size_t size() const { return numbers_.size() / lanes; }
  Batch<double, lanes> operator[](std::size_t i) const { return Batch<double, lanes>::from(&numbers_[i * lanes]); }
  void put(std::size_t i, const Batch<double, lanes>& batch) { batch.to(&numbers_[i * lanes]); }
  void resize(std::size_t n) { numbers_.resize(n * lanes); }

  /// The vectors from `first` on; where they end, the last one again.
  void gather(const char* where, const char* what, const std::vector<std::vector<double>>& vectors, std::size_t first, std::size_t n) {
    resize(n);
    for (std::size_t lane = 0; lane < lanes; ++lane) {
      const std::vector<double>& one = vectors[std::min(first + lane, vectors.size() - 1)];
      require_size(where, what, n, one.size());
      for (std::size_t i = 0; i < n; ++i) numbers_[i * lanes + lane] = one[i];
    }
  }
  /// Appends as vectors the first `count` lanes, or all.
  void scatter(std::vector<std::vector<double>>& vectors, std::size_t count) const {
    for (std::size_t lane = 0; lane < std::min(lanes, count); ++lane) {
      std::vector<double>& one = vectors.emplace_back(size());
      for (std::size_t i = 0; i < size(); ++i) one[i] = numbers_[i * lanes + lane];
    }
  }
};

/// What gradient_batch works with. A thread keeps it for its next call: malloc gives blocks of this size back to the system, and touching new
/// pages costs as much as the work on them (Rosenbrock and Speelpenning of 1000 variables, eight points a call: 1.8 and 2.8 times the time).
template <std::size_t lanes> struct Workplace {
  std::vector<Var<Batch<double, lanes>>> x;
  SideBySide<lanes> numbers;

  static constexpr std::size_t most_kept = std::size_t{1} << 22;  ///< bytes of x; beyond, malloc keeps such blocks by itself
  static Workplace take() { return std::exchange(kept(), {}); }
  void leave() {
    x.clear();
    if (x.capacity() * sizeof x[0] <= most_kept) kept() = std::move(*this);
  }

 private:
  static Workplace& kept() {
    static thread_local Workplace workplace;
    return workplace;
  }
};

}  // namespace detail

/// ∇f at many points: `lanes` of them at a time, side by side in SIMD registers, share one recording. f must not branch on its numbers where
/// the points would take different ways (Error); select(condition, a, b) does not branch. All points have the same size (ShapeError).
template <std::size_t lanes = 8, class F> std::vector<std::vector<double>> gradient_batch(const F& f, const std::vector<std::vector<double>>& points) {
  using B = Batch<double, lanes>;
  std::vector<std::vector<double>> gradients;
  gradients.reserve(points.size());
  BasicTape<B> tape;
  auto workplace = detail::Workplace<lanes>::take();
  auto& [x, numbers] = workplace;
  for (std::size_t first = 0; first < points.size(); first += lanes) {
    numbers.gather("gradient_batch", "a point", points, first, points[0].size());
    tape.clear();
    x.clear();
    x.reserve(numbers.size());
    for (std::size_t i = 0; i < numbers.size(); ++i) x.push_back(tape.variable(numbers[i]));
    const Var<B> y = detail::one_number<B>("gradient_batch", f(std::as_const(x)));
    tape.backward({y}, {B(1.0)});
    for (std::size_t i = 0; i < numbers.size(); ++i) numbers.put(i, tape.adjoint(x[i]));
    numbers.scatter(gradients, points.size() - first);
  }
  workplace.leave();
  return gradients;
}

/// J·v for many directions v at one point: `lanes` of them at a time share one walk forwards, in which each number has `lanes` tangents. (F may branch:
/// it sees one point.) A row for each direction, as long as what F returns (1 for a number); so with the unit vectors for directions, the rows are
/// the columns of J. All directions have the size of x (ShapeError). (Batches of 16 would leave the registers: 1.4 times as long, hand tracking in bench/.)
template <std::size_t lanes = 8, class F, detail::Vector X> requires std::same_as<detail::ElementOf<X>, double>
std::vector<std::vector<double>> jvp_batch(const F& f, const X& x, const std::vector<std::vector<double>>& directions) {
  using B = Batch<double, lanes>;
  using Tag = detail::Tag<F, B>;
  std::vector<std::vector<double>> products;
  products.reserve(directions.size());
  detail::SideBySide<lanes> numbers;
  std::vector<Dual<double, Tag, B>> point(x.size());
  for (std::size_t first = 0; first < directions.size(); first += lanes) {
    numbers.gather("jvp_batch", "a direction", directions, first, x.size());
    for (std::size_t i = 0; i < x.size(); ++i) point[i] = {static_cast<double>(x[i]), numbers[i]};
    const auto y = f(std::as_const(point));
    if constexpr (detail::Vector<decltype(y)>) {
      numbers.resize(y.size());
      for (std::size_t i = 0; i < y.size(); ++i) numbers.put(i, detail::tangent<Tag>(y[i]));
    } else {
      numbers.resize(1);
      numbers.put(0, detail::tangent<Tag>(y));
    }
    numbers.scatter(products, directions.size() - first);
  }
  return products;
}

}  // namespace autodiff::inline v1
