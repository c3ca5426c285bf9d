// Floor 5. Forwards, where variables or directions are few: no tape. The function runs on numbers each of which carries its derivatives along all of
// them, sixteen at most, side by side in SIMD registers.
//
// A statement on a tape takes the same time for one variable and for a million; here it grows with their number, from next to nothing. The residuals
// of bundle adjustment (bench/), of 15 variables, take a quarter of the time that they take on a tape.
//
// To read this file, start at `value_and_jacobian_forwards`, then `run_forwards`.
#pragma once
#include "jacobian.hpp"
#include "lanes.hpp"
#include <algorithm>
#include <array>
#include <bit>

namespace autodiff::inline v1 {

namespace detail {

/// n derivatives of one number. Those that are 0 are to stay 0 where a slope is infinite. To see to that takes up to a third of all time, and is
/// hardly ever needed; so they are `guarded` in a second run only, when the first has met something that is not finite. They are aligned, or most of
/// them would lie in two lines of the cache (the ODE −20 to −35 %, the determinant −14 %, hand tracking with 16 ±4 %, with 28 −12 to −48 %).
template <std::size_t n, bool guarded, std::size_t width = register_bytes>
class alignas(std::min(width, std::bit_floor(n * sizeof(double)))) Tangents {
  using Registers = detail::Registers<double, n>;
  Registers registers_;
  [[gnu::always_inline]] explicit Tangents(const Registers& registers) : registers_(registers) {}
  /// (Inlined it sends g++ 12 with AVX-512 into an internal error of its vectorizer.)
  [[gnu::noinline]] Tangents guarded_times(double slope) const {
    const auto zero = each(registers_, Registers(0), [](auto p, auto q) { return p == q; });
    return Tangents(choose(zero, Registers(0), each(registers_, Registers(slope), [](auto p, auto q) { return p * q; })));
  }

 public:
  static constexpr std::size_t size = n;
  static constexpr bool is_guarded = guarded;

  [[gnu::always_inline]] Tangents(double all = 0) : registers_(all) {}
  [[gnu::always_inline]] Tangents(const Tangents& other) : registers_(other.registers_) {}
  [[gnu::always_inline]] Tangents& operator=(const Tangents& other) { registers_ = other.registers_; return *this; }
  /// 1 in place k, if it has one (k may be a difference that has wrapped around): a window on 0 … 0 1 0 … 0. (Not by writing it
  /// there: to read that as a whole register waits.)
  [[gnu::always_inline]] static Tangents unit(std::size_t k) {
    static constexpr std::array<double, 2 * n> one = [] { std::array<double, 2 * n> a{}; a[n] = 1; return a; }();
    return Tangents(Registers::from(one.data() + n - std::min(k, n)));
  }
  [[gnu::always_inline]] double total() const { return registers_.total(); }
  [[gnu::always_inline]] double operator[](std::size_t k) const { return registers_[k]; }
  [[gnu::always_inline]] void to(double* numbers) const { registers_.to(numbers); }
  [[gnu::always_inline]] static Tangents column(const std::array<const double*, n>& rows, std::size_t i) {
    return Tangents(Registers::column(rows.data(), i));
  }
  [[gnu::always_inline]] void to_column(const std::array<double*, n>& rows, std::size_t i) const { registers_.to_column(rows.data(), i); }

  [[gnu::always_inline]] friend Tangents operator+(const Tangents& a, const Tangents& b) {
    return Tangents(each(a.registers_, b.registers_, [](auto p, auto q) { return p + q; }));
  }
  [[gnu::always_inline]] friend Tangents operator-(const Tangents& a) { return Tangents(each(a.registers_, [](auto p) { return -p; })); }
  [[gnu::always_inline]] friend Tangents operator*(double slope, const Tangents& a) {
    if constexpr (guarded) return a.guarded_times(slope);
    else return Tangents(each(a.registers_, Registers(slope), [](auto p, auto q) { return p * q; }));
  }
  friend Tangents zero_like(const Tangents&) { return {}; }
  template <Differentiable S> friend Tangents operator*(const S&, const Tangents& a) {
    static_assert(sizeof(S) == 0, "a function that runs forwards uses a variable of a tape, or of an outer derivative, whose share would be lost: "
                                  "where it is a constant, take ad::plain of it");
    return a;
  }
};

template <class X> concept PlainVector = Vector<X> && std::same_as<ElementOf<X>, double>;
template <class X> inline constexpr bool is_fixed = false;                       ///< does the compiler know its size?
template <class X, std::size_t n> inline constexpr bool is_fixed<std::array<X, n>> = true;
template <class X> inline constexpr std::size_t fixed_size = 1;                  ///< … which it is; a number is one
template <class X, std::size_t n> inline constexpr std::size_t fixed_size<std::array<X, n>> = n;
/// Are F(x) and J kept in std::arrays?
template <class Y, class X> inline constexpr bool in_arrays = is_fixed<X> && (is_fixed<Y> || Number<Y>);
/// Tangents for n variables: as many registers as they fill, the last no wider than needed; sixteen at most.
constexpr std::size_t most_tangents = 16;
constexpr std::size_t tangents_for(std::size_t n) {
  constexpr std::size_t lanes = register_bytes / sizeof(double);
  const std::size_t rest = n % lanes, last = rest == 0 ? 0 : std::max<std::size_t>(std::bit_ceil(rest), 2);
  return std::clamp<std::size_t>(n - rest + last, 2, most_tangents);
}

/// Room for F(x) …
template <class Y, class X> auto values_for(const Y& y, const X&) {
  if constexpr (in_arrays<Y, X>) return std::array<double, fixed_size<Y>>{}; else return std::vector<double>(size_of(y));
}
/// … and for dyⱼ/dxᵢ, a row for each j.
template <class Y, class X> auto rows_for(const Y& y, const X& x) {
  if constexpr (in_arrays<Y, X>) return std::array<std::array<double, fixed_size<X>>, fixed_size<Y>>{};
  else return Tensor<double>::uninitialized(Shape({size_of(y), size_of(x)}));
}
template <class Rows> double* row_of(Rows& rows, std::size_t j, std::size_t n) {
  if constexpr (is_tensor<Rows>) return rows.mutable_data() + j * n; else return rows[j].data();
}
/// visit(i, yᵢ) for each number that a function returned.
void each_number(const auto& y, const auto& visit) {
  if constexpr (Number<std::remove_cvref_t<decltype(y)>>) visit(std::size_t{0}, y);
  else for (std::size_t i = 0; i < size_of(y); ++i) visit(i, y[i]);
}

/// use(f's result) at a point of Duals, the numbers of x with the tangents seed(i), which lives as long: the result may look into it.
template <class V, class F, class X> auto call(const F& f, const X& x, const auto& seed, const auto& use) {
  using D = Dual<double, TagOf<F, V>, V>;
  Workspace<D> workspace;
  workspace.x.resize(size_of(x));
  for (std::size_t i = 0; i < workspace.x.size(); ++i) workspace.x[i] = D(static_cast<double>(x[i]), seed(i));
  return use(at(f, std::as_const(workspace.x)));
}
/// The same in std::arrays. (flatten: with all of f inlined its numbers stay in registers; bundle adjustment in bench/scalar −25 %.)
template <class V, class F, class X> requires is_fixed<X>
[[gnu::flatten]] auto call(const F& f, const X& x, const auto& seed, const auto& use) {
  using D = Dual<double, TagOf<F, V>, V>;
  return [&]<std::size_t... i>(std::index_sequence<i...>) {
    const std::array<D, sizeof...(i)> point{D(static_cast<double>(x[i]), seed(i))...};
    return use(at(f, point));
  }(std::make_index_sequence<fixed_size<X>>());
}
/// f at x along `count` directions, V::size at a time: seeds(first)(i) are the tangents of xᵢ along those from `first` on. begin(y) makes of the
/// first result what is returned, and put(into, y, first, tangents of) adds to it. `finite` says whether all tangents of results were.
template <class V, class F, class X>
auto run_forwards(const F& f, const X& x, std::size_t count, const auto& seeds, const auto& begin, const auto& put, bool& finite) {
  V all = 0;
  const auto tangents_of = [&]<class Y>(const Y& one) {
    static_assert(Arithmetic<Y> || std::same_as<Y, Dual<double, TagOf<F, V>, V>>,
                  "what a function that runs forwards returns rests on a variable of a tape, or of an outer derivative, whose share would be lost: "
                  "where it is a constant, take ad::plain of it");
    const V t = tangent<TagOf<F, V>>(one);
    if constexpr (!V::is_guarded) all = all + (t + -t);  // 0 unless t is infinite or NaN: then NaN. (0.0 * t g++ -fno-signed-zeros takes for 0)
    return t;
  };
  auto into = call<V>(f, x, seeds(std::size_t{0}), [&](const auto& y) {
    auto made = begin(y);
    put(made, y, std::size_t{0}, tangents_of);
    return made;
  });
  for (std::size_t first = V::size; first < count; first += V::size)
    call<V>(f, x, seeds(first), [&](const auto& y) { put(into, y, first, tangents_of); });
  finite = all.total() == 0;
  return into;
}
/// What run gives with `lanes` tangents, guarded if it must be.
template <std::size_t lanes> auto finite_or_guarded(const auto& run) {
  bool finite;
  auto into = run.template operator()<Tangents<lanes, false>>(finite);
  if (!finite) [[unlikely]] into = run.template operator()<Tangents<2, true>>(finite);
  return into;
}
/// The same for each of x's numbers: of a std::array the compiler knows how many they are, of others it is told whether they are more than eight.
template <class F, class X> auto run_units(const F& f, const X& x, const auto& begin, const auto& put) {
  const auto run = [&]<class V>(bool& finite) {
    const auto units = [](std::size_t first) { return [first](std::size_t i) { return V::unit(i - first); }; };
    return run_forwards<V>(f, x, size_of(x), units, begin, put, finite);
  };
  if constexpr (is_fixed<X>) return finite_or_guarded<tangents_for(fixed_size<X>)>(run);
  else return size_of(x) <= 8 ? finite_or_guarded<8>(run) : finite_or_guarded<most_tangents>(run);
}
/// The tangents of one number, to their places in a row for x. (The rest one by one: to copy them from where whole registers were written waits.)
template <class X, class V> [[gnu::always_inline]] inline void put_row(const V& tangents, std::size_t first, const X& x, double* row) {
  const std::size_t left = (is_fixed<X> ? fixed_size<X> : size_of(x)) - first;
  if constexpr (!is_fixed<X> || fixed_size<X> >= V::size) if (left >= V::size) return tangents.to(row + first);
  for (std::size_t k = 0; k < std::min(left, V::size); ++k) row[first + k] = tangents[k];  // g++ warns without the bound
}

/// The same for all that F returned, to the rows of J.
template <class Rows> void put_rows(Rows& rows, const auto& y, std::size_t first, const auto& x, const auto& tangents_of) {
  if constexpr (is_tensor<Rows>) require_size("jacobian_forwards", "what F returns", rows.shape()[0], size_of(y));
  each_number(y, [&](std::size_t j, const auto& one) { put_row(tangents_of(one), first, x, row_of(rows, j, size_of(x))); });
}

}  // namespace detail

/// F(x) and J, as value_and_jacobian gives them, without a tape: F runs once for each 8 or 16 of x's numbers, on a std::vector; if x is a std::array,
/// on a std::array. If F returns one too, or a number, then so are the value and J, of which J[j][i] is dFⱼ/dxᵢ: nothing is allocated. Where a
/// derivative is infinite or NaN, F runs again, for two of the numbers at a time. F must rest on its point alone: with variables of tapes or of outer
/// derivatives it does not compile. Throws ShapeError unless F returns as many numbers in each run.
template <class F, detail::PlainVector X> auto value_and_jacobian_forwards(const F& f, const X& x) {
  const auto begin = [&](const auto& y) {
    ValueAndJacobian both{detail::values_for(y, x), detail::rows_for(y, x)};
    detail::each_number(y, [&](std::size_t j, const auto& one) { both.value[j] = static_cast<double>(plain(one)); });
    return both;
  };
  return detail::run_units(f, x, begin, [&x](auto& both, const auto& y, std::size_t first, const auto& tangents_of) {
    detail::put_rows(both.jacobian, y, first, x, tangents_of);
  });
}
/// J alone. (Taken out of both it would be copied: of bundle adjustment's time a tenth.)
template <class F, detail::PlainVector X> auto jacobian_forwards(const F& f, const X& x) {
  const auto begin = [&](const auto& y) { return detail::rows_for(y, x); };
  return detail::run_units(f, x, begin, [&x](auto& rows, const auto& y, std::size_t first, const auto& tangents_of) {
    detail::put_rows(rows, y, first, x, tangents_of);
  });
}
template <class F>
auto value_and_jacobian_forwards(const F& f, std::initializer_list<double> x) { return value_and_jacobian_forwards(f, std::vector<double>(x)); }
template <class F> auto jacobian_forwards(const F& f, std::initializer_list<double> x) { return jacobian_forwards(f, std::vector<double>(x)); }

/// f(x) and ∇f(x) of a function of one number, likewise: the gradient is a std::array if x is one, else a std::vector.
template <class F, detail::PlainVector X> auto value_and_gradient_forwards(const F& f, const X& x) {
  const auto begin = [&](const auto& y) { return ValueAndGradient{static_cast<double>(plain(detail::only(y))), detail::values_for(x, x)}; };
  return detail::run_units(f, x, begin, [&x](auto& both, const auto& y, std::size_t first, const auto& tangents_of) {
    detail::put_row(tangents_of(detail::only(y)), first, x, both.gradient.data());
  });
}
/// ∇f(x) alone.
template <class F, detail::PlainVector X> auto gradient_forwards(const F& f, const X& x) { return value_and_gradient_forwards(f, x).gradient; }
template <class F>
auto value_and_gradient_forwards(const F& f, std::initializer_list<double> x) { return value_and_gradient_forwards(f, std::vector<double>(x)); }
template <class F> auto gradient_forwards(const F& f, std::initializer_list<double> x) { return gradient_forwards(f, std::vector<double>(x)); }

/// J·v for many directions v at one point, `lanes` of them in one run of F. A row for each direction, as long as what F returns (1 for a number); so
/// with the unit vectors for directions, the rows are the columns of J. All directions have the size of x, and F returns as many numbers in each run
/// (ShapeError).
template <std::size_t lanes = 8, class F, detail::PlainVector X>
std::vector<std::vector<double>> jvp_batch(const F& f, const X& x, const std::vector<std::vector<double>>& directions) {
  detail::require_sizes("jvp_batch", "direction", directions, x.size());
  if (directions.empty()) return {};
  return detail::finite_or_guarded<lanes>([&]<class V>(bool& finite) {
    const auto seeds = [&](std::size_t first) { return [those = detail::SideBySide<V>(directions, first)](std::size_t i) { return those[i]; }; };
    const auto begin = [&](const auto&) { return std::vector<std::vector<double>>(directions.size()); };
    return detail::run_forwards<V>(
        f, x, directions.size(), seeds, begin, [](auto& products, const auto& y, std::size_t first, const auto& tangents_of) {
      if (first > 0) detail::require_size("jvp_batch", "what F returns", products[0].size(), detail::size_of(y));
      if constexpr (detail::Number<std::remove_cvref_t<decltype(y)>>)
        detail::spread<V>(products, first, 1, [&](std::size_t) { return tangents_of(y); });
      else detail::spread<V>(products, first, y.size(), [&](std::size_t i) { return tangents_of(y[i]); });
    }, finite);
  });
}

/// J (m, n) at a tensor, column by column: one run of F for each of the n numbers of x. For a tensor x of fewer numbers than F returns. Throws
/// TapeError where F uses a variable or a parameter of a tape that records, ShapeError unless F returns as many numbers in each run, Error if it
/// drops numbers (nn::Dropout), which would be others in each.
template <class F, class T> Tensor<double> jacobian_forwards(const F& f, const Tensor<T>& x) {
  if (x.size() == 0) return jacobian(f, x);
  return detail::repeatable("jacobian_forwards", [&] {
    Tensor<double> columns;
    for (std::size_t j = 0; j < x.size(); ++j) {
      Tensor<T> unit = Tensor<T>::zeros(x.shape());
      unit[j] = T(1);
      const auto column = jvp(f, x, unit);
      const std::size_t m = detail::size_of(column);
      if (j == 0) columns = Tensor<double>::uninitialized(Shape({m, x.size()}));
      else detail::require_size("jacobian_forwards", "what F returns", columns.shape()[0], m);
      double* const to = columns.mutable_data();
      for (std::size_t i = 0; i < m; ++i) to[i * x.size() + j] = detail::number_of(column, i);
    }
    return columns;
  });
}

}  // namespace autodiff::inline v1
