// Floor 1. Batch<double, 8>: eight numbers that are computed with as one, side by side in SIMD registers. On a tape over batches, one recording
// carries eight independent inputs: what a statement costs beside its arithmetic is shared by all. `gradient_batch` (lanes.hpp) is the usual way in.
//
// A batch obeys the rules as a plain number does. It cannot branch: `if (x > 0)` asks all lanes, and throws where they disagree; write
// select(x > 0, a, b) for that, and combine conditions with && || ! as usual (both sides are evaluated).
#pragma once
#include "dual.hpp"
#include "error.hpp"
#include "kernels.hpp"
#include <array>
#include <bit>
#include <type_traits>
#include <utility>

namespace autodiff::inline v1 {

namespace detail {

#if defined(__AVX512F__)
constexpr std::size_t register_bytes = 64;
#elif defined(__AVX__)
constexpr std::size_t register_bytes = 32;
#else
constexpr std::size_t register_bytes = 16;
#endif

/// n numbers in as many SIMD registers as they need: `half` of them (of eight four, of ten eight), and the rest. (A compiler's vector wider than a
/// register is copied through memory, 16 bytes at a time, and read back 32 at a time, which stalls: with AVX2, poly in 8 lanes took four times as
/// long.) Copied part by part for the same reason, and aligned like one number, so that a batch may stand anywhere. The width is part of the name,
/// so that two files of a program that are compiled for different machines do not share one definition.
template <class T, std::size_t n, std::size_t width = register_bytes> struct Registers {
  static constexpr std::size_t half = std::bit_ceil(n) / 2, rest = n - half;
  Registers<T, half> low;
  Registers<T, rest> high;

  Registers() = default;
  [[gnu::always_inline]] explicit Registers(T x) : low(x), high(x) {}
  [[gnu::always_inline]] Registers(const Registers<T, half>& l, const Registers<T, rest>& h) : low(l), high(h) {}
  [[gnu::always_inline]] Registers(const Registers& other) : low(other.low), high(other.high) {}
  [[gnu::always_inline]] Registers& operator=(const Registers& other) { low = other.low; high = other.high; return *this; }

  [[gnu::always_inline]] static Registers from(const T* numbers) {
    return {Registers<T, half>::from(numbers), Registers<T, rest>::from(numbers + half)};
  }
  [[gnu::always_inline]] void to(T* numbers) const { low.to(numbers), high.to(numbers + half); }
  [[gnu::always_inline]] static Registers column(const T* const* rows, std::size_t i) {
    return {Registers<T, half>::column(rows, i), Registers<T, rest>::column(rows + half, i)};
  }
  [[gnu::always_inline]] void to_column(T* const* rows, std::size_t i) const { low.to_column(rows, i), high.to_column(rows + half, i); }

  [[gnu::always_inline]] T operator[](std::size_t i) const { return i < half ? low[i] : high[i - half]; }
  [[gnu::always_inline]] void set(std::size_t i, T x) { if (i < half) low.set(i, x); else high.set(i - half, x); }
  /// The sum of all numbers.
  [[gnu::always_inline]] T total() const {
    if constexpr (half == rest) return each(low, high, [](auto p, auto q) { return p + q; }).total(); else return low.total() + high.total();
  }
  /// f of each register of a, or of a and b.
  [[gnu::always_inline]] friend auto each(const Registers& a, const auto& f) { return joined(each(a.low, f), each(a.high, f)); }
  [[gnu::always_inline]] friend auto each(const Registers& a, const Registers& b, const auto& f) {
    return joined(each(a.low, b.low, f), each(a.high, b.high, f));
  }
  /// a where the mask holds, else b.
  template <class I> [[gnu::always_inline]] friend Registers choose(const Registers<I, n>& mask, const Registers& a, const Registers& b) {
    return {choose(mask.low, a.low, b.low), choose(mask.high, a.high, b.high)};
  }

 private:
  template <class U> [[gnu::always_inline]] static Registers<U, n> joined(const Registers<U, half>& l, const Registers<U, rest>& h) { return {l, h}; }
};
template <class T, std::size_t n> requires(n * sizeof(T) <= register_bytes && std::has_single_bit(n)) struct Registers<T, n> {
  using Vector [[gnu::vector_size(n * sizeof(T)), gnu::aligned(alignof(T))]] = T;
  Vector vector{};

  Registers() = default;
  [[gnu::always_inline]] explicit Registers(T x) : vector(x - Vector{}) {}
  [[gnu::always_inline]] Registers(const Registers& other) : vector(other.vector) {}
  [[gnu::always_inline]] Registers& operator=(const Registers& other) { vector = other.vector; return *this; }

  [[gnu::always_inline]] static Registers from(const T* numbers) {
    Registers r;
    r.vector = *reinterpret_cast<const Vector*>(numbers);
    return r;
  }
  [[gnu::always_inline]] void to(T* numbers) const { *reinterpret_cast<Vector*>(numbers) = vector; }
  [[gnu::always_inline]] static Registers column(const T* const* rows, std::size_t i) {
    return [&]<std::size_t... k>(std::index_sequence<k...>) __attribute__((always_inline)) {
      Registers r;
      r.vector = Vector{rows[k][i]...};
      return r;
    }(std::make_index_sequence<n>());
  }
  [[gnu::always_inline]] void to_column(T* const* rows, std::size_t i) const {
    [&]<std::size_t... k>(std::index_sequence<k...>) __attribute__((always_inline)) {
      ((rows[k][i] = vector[k]), ...);
    }(std::make_index_sequence<n>());
  }

  [[gnu::always_inline]] T operator[](std::size_t i) const { return vector[i]; }
  [[gnu::always_inline]] void set(std::size_t i, T x) { vector[i] = x; }
  [[gnu::always_inline]] T total() const {
    T sum = vector[0];
    for (std::size_t k = 1; k < n; ++k) sum += vector[k];
    return sum;
  }
  [[gnu::always_inline]] friend auto each(const Registers& a, const auto& f) { return wrapped([&] { return f(a.vector); }); }
  [[gnu::always_inline]] friend auto each(const Registers& a, const Registers& b, const auto& f) {
    return wrapped([&] { return f(a.vector, b.vector); });
  }
  template <class I> [[gnu::always_inline]] friend Registers choose(const Registers<I, n>& mask, const Registers& a, const Registers& b) {
    Registers y;
    y.vector = mask.vector ? a.vector : b.vector;
    return y;
  }

 private:
  [[gnu::always_inline]] static auto wrapped(const auto& f) {
    using E = std::remove_cvref_t<decltype(f()[0])>;
    using U = std::conditional_t<std::is_integral_v<E>, std::int64_t, E>;  // clang's comparisons give long long
    Registers<U, n> y;
    y.vector = __builtin_bit_cast(typename Registers<U, n>::Vector, f());
    return y;
  }
};

}  // namespace detail

/// The answer of each lane. As a condition it is what all lanes say; throws Error where they disagree.
template <std::size_t lanes, std::size_t width = detail::register_bytes> class Truths {
 public:
  detail::Registers<std::int64_t, lanes> answers;

  [[gnu::always_inline]] friend Truths operator&&(const Truths& a, const Truths& b) {
    return {each(a.answers, b.answers, [](auto p, auto q) { return p & q; })};
  }
  [[gnu::always_inline]] friend Truths operator||(const Truths& a, const Truths& b) {
    return {each(a.answers, b.answers, [](auto p, auto q) { return p | q; })};
  }
  [[gnu::always_inline]] friend Truths operator!(const Truths& a) { return {each(a.answers, [](auto p) { return ~p; })}; }

  explicit operator bool() const {
    for (std::size_t i = 1; i < lanes; ++i)
      if (answers[i] != answers[0]) refuse(i);
    return answers[0] != 0;
  }

 private:
  [[noreturn, gnu::cold]] static void refuse(std::size_t lane) {
    throw Error(
        detail::text("batch: a condition is different for lanes 0 and {}, of the points computed together: they cannot take one branch; "
                     "use select(condition, a, b)", {lane}));
  }
};

/// `lanes` numbers, computed with as one. It is handed around by reference, so that no ABI depends on the instruction set.
template <std::floating_point T, std::size_t lanes, std::size_t width = detail::register_bytes> class Batch {
  static_assert(std::same_as<T, double> && (lanes == 4 || lanes == 8), "batches hold 4 or 8 doubles");
  using Registers = detail::Registers<T, lanes>;
  Registers registers_;
  [[gnu::always_inline]] explicit Batch(const Registers& registers) : registers_(registers) {}

 public:
  using Operand = void;
  static constexpr std::size_t size = lanes;

  Batch() = default;
  template <class X> requires std::is_arithmetic_v<X> [[gnu::always_inline]] Batch(X x) : registers_(static_cast<T>(x)) {}
  [[gnu::always_inline]] Batch(const Batch& other) : registers_(other.registers_) {}
  [[gnu::always_inline]] Batch& operator=(const Batch& other) { registers_ = other.registers_; return *this; }
  /// A number for each lane. (Not by memcpy, which g++ does in pieces of 16 bytes: to read them as a whole register waits.)
  [[gnu::always_inline]] static Batch from(const T* numbers) { return Batch(Registers::from(numbers)); }
  [[gnu::always_inline]] void to(T* numbers) const { registers_.to(numbers); }
  /// Number i of each row, and back: in registers, since what is written number by number can't be read as a batch at once.
  [[gnu::always_inline]] static Batch column(const std::array<const T*, lanes>& rows, std::size_t i) {
    return Batch(Registers::column(rows.data(), i));
  }
  [[gnu::always_inline]] void to_column(const std::array<T*, lanes>& rows, std::size_t i) const { registers_.to_column(rows.data(), i); }

  T operator[](std::size_t lane) const { return registers_[lane]; }
  void set(std::size_t lane, T x) { registers_.set(lane, x); }
  T total() const { return registers_.total(); }  ///< the sum of all lanes

  [[gnu::always_inline]] friend Batch operator+(const Batch& a, const Batch& b) {
    return Batch(each(a.registers_, b.registers_, [](auto p, auto q) { return p + q; }));
  }
  [[gnu::always_inline]] friend Batch operator-(const Batch& a, const Batch& b) {
    return Batch(each(a.registers_, b.registers_, [](auto p, auto q) { return p - q; }));
  }
  [[gnu::always_inline]] friend Batch operator*(const Batch& a, const Batch& b) {
    return Batch(each(a.registers_, b.registers_, [](auto p, auto q) { return p * q; }));
  }
  [[gnu::always_inline]] friend Batch operator/(const Batch& a, const Batch& b) {
    return Batch(each(a.registers_, b.registers_, [](auto p, auto q) { return p / q; }));
  }
  [[gnu::always_inline]] friend Batch operator-(const Batch& a) { return Batch(each(a.registers_, [](auto p) { return -p; })); }
  /// slope · this, for tangents: those that are 0 stay 0 where the slope is infinite or NaN. (Testing the slope once for all lanes took 6 % less on
  /// hand tracking, which ran on batches then, but 16 % more with AVX-512, which masks what it computes.)
  [[gnu::always_inline]] Batch scaled(T slope) const {
    if constexpr (detail::register_bytes < 64) if (slope - slope == 0) [[likely]] return slope * *this;
    return where(*this == Batch(0), Batch(0), slope * *this);
  }
  [[gnu::always_inline]] Batch& operator+=(const Batch& b) { return *this = *this + b; }
  [[gnu::always_inline]] Batch& operator-=(const Batch& b) { return *this = *this - b; }
  [[gnu::always_inline]] Batch& operator*=(const Batch& b) { return *this = *this * b; }
  [[gnu::always_inline]] Batch& operator/=(const Batch& b) { return *this = *this / b; }

  [[gnu::always_inline]] friend Truths<lanes> operator<(const Batch& a, const Batch& b) {
    return {each(a.registers_, b.registers_, [](auto p, auto q) { return p < q; })};
  }
  [[gnu::always_inline]] friend Truths<lanes> operator>(const Batch& a, const Batch& b) {
    return {each(a.registers_, b.registers_, [](auto p, auto q) { return p > q; })};
  }
  [[gnu::always_inline]] friend Truths<lanes> operator<=(const Batch& a, const Batch& b) {
    return {each(a.registers_, b.registers_, [](auto p, auto q) { return p <= q; })};
  }
  [[gnu::always_inline]] friend Truths<lanes> operator>=(const Batch& a, const Batch& b) {
    return {each(a.registers_, b.registers_, [](auto p, auto q) { return p >= q; })};
  }
  [[gnu::always_inline]] friend Truths<lanes> operator==(const Batch& a, const Batch& b) {
    return {each(a.registers_, b.registers_, [](auto p, auto q) { return p == q; })};
  }
  [[gnu::always_inline]] friend Truths<lanes> operator!=(const Batch& a, const Batch& b) {
    return {each(a.registers_, b.registers_, [](auto p, auto q) { return p != q; })};
  }

  /// The lanes of a where the mask holds, else those of b.
  [[gnu::always_inline]] static Batch where(const Truths<lanes>& mask, const Batch& a, const Batch& b) {
    return Batch(choose(mask.answers, a.registers_, b.registers_));
  }
};

/// The lanes of a where the mask holds, else those of b.
template <std::size_t n, std::convertible_to<Batch<double, n>> A, std::convertible_to<Batch<double, n>> B>
[[gnu::always_inline]] inline Batch<double, n> select(const Truths<n>& mask, const A& a, const B& b) { return Batch<double, n>::where(mask, a, b); }

namespace detail {

constexpr std::size_t room = 2 * 64 / sizeof(double);  ///< a kernel reads a vector past the end of its input

}  // namespace detail

template <class Rule, class T, std::size_t n> [[gnu::always_inline]] inline Batch<T, n> apply(const Batch<T, n>& x) {
  if constexpr (Rule::row.arithmetic) return Rule::value(x);
  else if constexpr (contains<Rule>(UnaryRules{})) {
    alignas(64) T in[detail::room], out[detail::room];
    x.to(in);
    kernels<T>().map[index_in<Rule>(UnaryRules{})](in, out, n);
    return Batch<T, n>::from(out);
  } else {
    T numbers[n];
    x.to(numbers);
    for (T& number : numbers) number = Rule::value(number);
    return Batch<T, n>::from(numbers);
  }
}
template <class Rule, class T, std::size_t n> [[gnu::always_inline]] inline Batch<T, n> apply(const Batch<T, n>& a, const Batch<T, n>& b) {
  if constexpr (Rule::row.arithmetic) return Rule::value(a, b);
  else {
    T left[n], right[n];
    a.to(left), b.to(right);
    for (std::size_t i = 0; i < n; ++i) left[i] = Rule::value(left[i], right[i]);
    return Batch<T, n>::from(left);
  }
}
template <class Rule, class T, std::size_t n, Arithmetic X>
[[gnu::always_inline]] inline Batch<T, n> apply(const Batch<T, n>& a, const X& b) { return apply<Rule>(a, Batch<T, n>(b)); }
template <class Rule, class T, std::size_t n, Arithmetic X>
[[gnu::always_inline]] inline Batch<T, n> apply(const X& a, const Batch<T, n>& b) { return apply<Rule>(Batch<T, n>(a), b); }
template <class T, std::size_t n, Nothing... None> Batch<T, n> zero_like(const Batch<T, n>&, None...) { return {}; }

template <class T, std::size_t n> inline constexpr bool detail::is_plain_nest<Batch<T, n>> = true;
/// The numbers of a, with their tangents, where the mask holds, else those of b.
template <std::size_t n, class T, class Tag>
[[gnu::always_inline]] inline Dual<T, Tag> select(const Truths<n>& mask, const Dual<T, Tag>& a, const Dual<T, Tag>& b) {
  return Dual<T, Tag>(select(mask, a.value(), b.value()), select(mask, a.tangent(), b.tangent()));
}
template <std::size_t n, class T, class Tag, std::convertible_to<Dual<T, Tag>> C> requires(!detail::holds<Tag, C>)
[[gnu::always_inline]] inline Dual<T, Tag> select(const Truths<n>& mask, const Dual<T, Tag>& a, const C& b) {
  return select(mask, a, Dual<T, Tag>(b));
}
template <std::size_t n, class T, class Tag, std::convertible_to<Dual<T, Tag>> C> requires(!detail::holds<Tag, C>)
[[gnu::always_inline]] inline Dual<T, Tag> select(const Truths<n>& mask, const C& a, const Dual<T, Tag>& b) {
  return select(mask, Dual<T, Tag>(a), b);
}

}  // namespace autodiff::inline v1

template <class T, std::size_t lanes> struct std::numeric_limits<autodiff::Batch<T, lanes>> : std::numeric_limits<T> {};
