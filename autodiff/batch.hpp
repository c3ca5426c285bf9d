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
template <std::size_t lanes, class I = std::int64_t> class Truths {
 public:
  // Aligned like one number, so that a batch may stand anywhere; a vector as such, so that it is copied by registers.
  using Vector [[gnu::vector_size(lanes * sizeof(double)), gnu::aligned(alignof(double))]] = I;
  Vector vector;

  explicit operator bool() const {
    for (std::size_t i = 1; i < lanes; ++i)
      if (vector[i] != vector[0]) refuse(i);
    return vector[0] != 0;
  }

 private:
  [[noreturn, gnu::cold]] static void refuse(std::size_t lane) { throw Error(detail::text("batch: a condition is different for the inputs 0 and {}: they cannot take one branch; use select(condition, a, b)", {lane})); }
};

/// `lanes` numbers, computed with as one. It is handed around by reference, so that no ABI depends on the instruction set.
template <std::floating_point T, std::size_t lanes> class Batch {
  static_assert(std::same_as<T, double> && (lanes == 4 || lanes == 8), "batches hold 4 or 8 doubles");

 public:
  using value_type = T;
  using Operand = void;
  static constexpr std::size_t size = lanes;
  using Vector [[gnu::vector_size(lanes * sizeof(T)), gnu::aligned(alignof(T))]] = T;
  Vector vector;

  constexpr Batch() : vector{} {}
  template <class X> requires std::is_arithmetic_v<X> [[gnu::always_inline]] constexpr Batch(X x) : vector(static_cast<T>(x) - Vector{}) {}
  [[gnu::always_inline]] Batch(const Batch& other) : vector(other.vector) {}
  [[gnu::always_inline]] Batch& operator=(const Batch& other) { vector = other.vector; return *this; }
  /// A number for each lane.
  static Batch from(const T* numbers) { Batch b; std::memcpy(&b.vector, numbers, sizeof(b)); return b; }
  void to(T* numbers) const { std::memcpy(numbers, &vector, sizeof(vector)); }

  T operator[](std::size_t lane) const { return vector[lane]; }
  void set(std::size_t lane, T x) { vector[lane] = x; }

  [[gnu::always_inline]] friend Batch operator+(const Batch& a, const Batch& b) { Batch y(a); y.vector += b.vector; return y; }
  [[gnu::always_inline]] friend Batch operator-(const Batch& a, const Batch& b) { Batch y(a); y.vector -= b.vector; return y; }
  [[gnu::always_inline]] friend Batch operator*(const Batch& a, const Batch& b) { Batch y(a); y.vector *= b.vector; return y; }
  [[gnu::always_inline]] friend Batch operator/(const Batch& a, const Batch& b) { Batch y(a); y.vector /= b.vector; return y; }
  [[gnu::always_inline]] friend Batch operator-(const Batch& a) { Batch y(a); y.vector = -y.vector; return y; }
  [[gnu::always_inline]] friend Batch operator+(const Batch& a) { return a; }
  [[gnu::always_inline]] Batch& operator+=(const Batch& b) { vector += b.vector; return *this; }
  [[gnu::always_inline]] Batch& operator-=(const Batch& b) { vector -= b.vector; return *this; }
  [[gnu::always_inline]] Batch& operator*=(const Batch& b) { vector *= b.vector; return *this; }
  [[gnu::always_inline]] Batch& operator/=(const Batch& b) { vector /= b.vector; return *this; }

  [[gnu::always_inline]] friend Truths<lanes> operator<(const Batch& a, const Batch& b) { return {a.vector < b.vector}; }
  [[gnu::always_inline]] friend Truths<lanes> operator>(const Batch& a, const Batch& b) { return {a.vector > b.vector}; }
  [[gnu::always_inline]] friend Truths<lanes> operator<=(const Batch& a, const Batch& b) { return {a.vector <= b.vector}; }
  [[gnu::always_inline]] friend Truths<lanes> operator>=(const Batch& a, const Batch& b) { return {a.vector >= b.vector}; }
  [[gnu::always_inline]] friend Truths<lanes> operator==(const Batch& a, const Batch& b) { return {a.vector == b.vector}; }
  [[gnu::always_inline]] friend Truths<lanes> operator!=(const Batch& a, const Batch& b) { return {a.vector != b.vector}; }
};

/// The lanes of a where the mask holds, else those of b.
template <std::size_t n, std::convertible_to<Batch<double, n>> A, std::convertible_to<Batch<double, n>> B>
[[gnu::always_inline]] inline Batch<double, n> select(const Truths<n>& mask, const A& a, const B& b) {
  Batch<double, n> y(a);
  y.vector = mask.vector ? y.vector : Batch<double, n>(b).vector;
  return y;
}

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
    x.to(in);
    kernels<T>().map[index_in<Rule>(UnaryRules{})](in, out, n);
    return Batch<T, n>::from(out);
  } else {
    Batch<T, n> y;
    for (std::size_t i = 0; i < n; ++i) y.set(i, Rule::value(x[i]));
    return y;
  }
}
template <class Rule, class T, std::size_t n> [[gnu::always_inline]] inline Batch<T, n> apply(const Batch<T, n>& a, const Batch<T, n>& b) {
  if constexpr (detail::is_arithmetic<Rule>) return Rule::value(a, b);
  else {
    Batch<T, n> y;
    for (std::size_t i = 0; i < n; ++i) y.set(i, Rule::value(a[i], b[i]));
    return y;
  }
}
template <class Rule, class T, std::size_t n, Arithmetic X> [[gnu::always_inline]] inline Batch<T, n> apply(const Batch<T, n>& a, const X& b) { return apply<Rule>(a, Batch<T, n>(b)); }
template <class Rule, class T, std::size_t n, Arithmetic X> [[gnu::always_inline]] inline Batch<T, n> apply(const X& a, const Batch<T, n>& b) { return apply<Rule>(Batch<T, n>(a), b); }
template <class T, std::size_t n> Batch<T, n> zero_like(const Batch<T, n>&) { return {}; }

}  // namespace autodiff::inline v1
