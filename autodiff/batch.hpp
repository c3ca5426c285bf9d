// Floor 1. Batch<double, 8>: eight numbers that are computed with as one, side by side in SIMD registers. On a tape over batches, one recording
// carries eight independent inputs: what a statement costs beside its arithmetic is shared by all. `gradient_batch` (grad.hpp) is the usual way in.
//
// A batch obeys the rules as a plain number does. It cannot branch: `if (x > 0)` asks all lanes, and throws where they disagree; write
// select(x > 0, a, b) for that.
#pragma once
#include "error.hpp"
#include "kernels.hpp"
#include <cstring>
#include <type_traits>

namespace autodiff::inline v1 {

/// The answer of each lane. As a condition it is what all lanes say; throws Error where they disagree.
template <std::size_t lanes> class Truths {
 public:
  using Vector [[gnu::vector_size(lanes * sizeof(double))]] = std::int64_t;
  [[gnu::always_inline]] explicit Truths(const Vector& v) { std::memcpy(lane_, &v, sizeof(v)); }
  [[gnu::always_inline]] void read(Vector& v) const { std::memcpy(&v, lane_, sizeof(v)); }
  explicit operator bool() const {
    for (std::size_t i = 1; i < lanes; ++i)
      if (lane_[i] != lane_[0]) refuse(i);
    return lane_[0] != 0;
  }

 private:
  [[noreturn, gnu::cold]] static void refuse(std::size_t lane) { throw Error(detail::text("batch: a condition is different for the inputs 0 and {}: they cannot take one branch; use select(condition, a, b)", {lane})); }
  std::int64_t lane_[lanes];
};

/// `lanes` numbers, computed with as one.
template <std::floating_point T, std::size_t lanes> class Batch {
  static_assert(std::same_as<T, double> && (lanes == 4 || lanes == 8), "batches hold 4 or 8 doubles");
  T lane_[lanes];
  // The compiler's own vectors: references to them cross no function boundary, so that no ABI depends on the instruction set.
  using Vector [[gnu::vector_size(lanes * sizeof(T))]] = T;
  using Mask = typename Truths<lanes>::Vector;

 public:
  using value_type = T;
  using Operand = void;
  static constexpr std::size_t size = lanes;

  constexpr Batch() : lane_{} {}
  template <class X> requires std::is_arithmetic_v<X> [[gnu::always_inline]] constexpr Batch(X x) { for (T& lane : lane_) lane = static_cast<T>(x); }
  /// A number for each lane.
  static Batch from(const T* numbers) { Batch b; std::memcpy(b.lane_, numbers, sizeof(b)); return b; }

  T operator[](std::size_t lane) const { return lane_[lane]; }
  T& operator[](std::size_t lane) { return lane_[lane]; }
  const T* data() const { return lane_; }
  T* data() { return lane_; }

  [[gnu::always_inline]] friend Batch operator+(const Batch& a, const Batch& b) { return combined(a, b, [](Vector& x, const Vector& y) __attribute__((always_inline)) { x += y; }); }
  [[gnu::always_inline]] friend Batch operator-(const Batch& a, const Batch& b) { return combined(a, b, [](Vector& x, const Vector& y) __attribute__((always_inline)) { x -= y; }); }
  [[gnu::always_inline]] friend Batch operator*(const Batch& a, const Batch& b) { return combined(a, b, [](Vector& x, const Vector& y) __attribute__((always_inline)) { x *= y; }); }
  [[gnu::always_inline]] friend Batch operator/(const Batch& a, const Batch& b) { return combined(a, b, [](Vector& x, const Vector& y) __attribute__((always_inline)) { x /= y; }); }
  [[gnu::always_inline]] friend Batch operator-(const Batch& a) { return combined(a, a, [](Vector& x, const Vector&) __attribute__((always_inline)) { x = -x; }); }
  [[gnu::always_inline]] friend Batch operator+(const Batch& a) { return a; }
  Batch& operator+=(const Batch& b) { return *this = *this + b; }
  Batch& operator-=(const Batch& b) { return *this = *this - b; }
  Batch& operator*=(const Batch& b) { return *this = *this * b; }
  Batch& operator/=(const Batch& b) { return *this = *this / b; }

  friend Truths<lanes> operator<(const Batch& a, const Batch& b) { return compared(a, b, [](Mask& m, const Vector& x, const Vector& y) __attribute__((always_inline)) { m = x < y; }); }
  friend Truths<lanes> operator>(const Batch& a, const Batch& b) { return b < a; }
  friend Truths<lanes> operator<=(const Batch& a, const Batch& b) { return compared(a, b, [](Mask& m, const Vector& x, const Vector& y) __attribute__((always_inline)) { m = x <= y; }); }
  friend Truths<lanes> operator>=(const Batch& a, const Batch& b) { return b <= a; }
  friend Truths<lanes> operator==(const Batch& a, const Batch& b) { return compared(a, b, [](Mask& m, const Vector& x, const Vector& y) __attribute__((always_inline)) { m = x == y; }); }
  friend Truths<lanes> operator!=(const Batch& a, const Batch& b) { return compared(a, b, [](const Vector& x, const Vector& y) { return x != y; }); }
  [[gnu::always_inline]] static Batch chosen(const Truths<lanes>& mask, const Batch& a, const Batch& b) {
    Mask m;
    mask.read(m);
    return combined(a, b, [&m](Vector& x, const Vector& y) __attribute__((always_inline)) { x = m ? x : y; });
  }

 private:
  template <class F> [[gnu::always_inline]] static Batch combined(const Batch& a, const Batch& b, const F& f) {
    Vector x, y;
    std::memcpy(&x, a.lane_, sizeof(x)), std::memcpy(&y, b.lane_, sizeof(y));
    f(x, y);
    Batch result;
    std::memcpy(result.lane_, &x, sizeof(x));
    return result;
  }
  template <class F> [[gnu::always_inline]] static Truths<lanes> compared(const Batch& a, const Batch& b, const F& f) {
    Vector x, y;
    Mask m;
    std::memcpy(&x, a.lane_, sizeof(x)), std::memcpy(&y, b.lane_, sizeof(y));
    f(m, x, y);
    return Truths<lanes>(m);
  }
};

/// The lanes of a where the mask holds, else those of b.
template <std::size_t n, std::convertible_to<Batch<double, n>> A, std::convertible_to<Batch<double, n>> B>
[[gnu::always_inline]] inline Batch<double, n> select(const Truths<n>& mask, const A& a, const B& b) { return Batch<double, n>::chosen(mask, a, b); }

namespace detail {

constexpr std::size_t room = 2 * 64 / sizeof(double);  ///< a kernel reads a vector past the end of its input

/// Rules whose formula is plain arithmetic are computed in place: what it takes to call a kernel is more than they cost.
template <class Rule> constexpr bool is_arithmetic = std::is_same_v<Rule, Add> || std::is_same_v<Rule, Subtract> || std::is_same_v<Rule, Multiply> || std::is_same_v<Rule, Divide>;

}  // namespace detail

template <class Rule, class T, std::size_t n> [[gnu::always_inline]] inline Batch<T, n> apply(const Batch<T, n>& x) {
  if constexpr (std::is_same_v<Rule, Negate>) return -x;
  else if constexpr (std::is_same_v<Rule, Square>) return x * x;
  else if constexpr (contains<Rule>(UnaryRules{})) {
    alignas(64) T in[detail::room], out[detail::room];
    std::memcpy(in, x.data(), sizeof(x));
    kernels<T>().map[index_in<Rule>(UnaryRules{})](in, out, n);
    return Batch<T, n>::from(out);
  } else {
    Batch<T, n> y;
    for (std::size_t i = 0; i < n; ++i) y[i] = Rule::value(x[i]);
    return y;
  }
}
template <class Rule, class T, std::size_t n> [[gnu::always_inline]] inline Batch<T, n> apply(const Batch<T, n>& a, const Batch<T, n>& b) {
  if constexpr (detail::is_arithmetic<Rule>) return Rule::value(a, b);
  else {
    Batch<T, n> y;
    for (std::size_t i = 0; i < n; ++i) y[i] = Rule::value(a[i], b[i]);
    return y;
  }
}
template <class Rule, class T, std::size_t n, Arithmetic X> [[gnu::always_inline]] inline Batch<T, n> apply(const Batch<T, n>& a, const X& b) { return apply<Rule>(a, Batch<T, n>(b)); }
template <class Rule, class T, std::size_t n, Arithmetic X> [[gnu::always_inline]] inline Batch<T, n> apply(const X& a, const Batch<T, n>& b) { return apply<Rule>(Batch<T, n>(a), b); }
template <class T, std::size_t n> Batch<T, n> zero_like(const Batch<T, n>&) { return {}; }

}  // namespace autodiff::inline v1
