// Random numbers that are the same on every machine: draws are made by comparing whole numbers, with no std::normal_distribution (every
// library has its own) and no log or cos (every libm has its own last digit).
#pragma once
#include <autodiff/autodiff.hpp>
#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstdint>

namespace autodiff::inline v1::nn {

/// A stream of random numbers: splitmix64.
class Random {
 public:
  explicit constexpr Random(std::uint64_t seed) : state_(seed) {}

  /// 64 random bits.
  constexpr std::uint64_t bits() { return mixed(state_ += 0x9e3779b97f4a7c15u); }
  /// A bijection of 64 bits that leaves no trace of an order.
  static constexpr std::uint64_t mixed(std::uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  /// Uniform in 0 … 1, in steps of 2⁻⁵³; 1 excluded.
  constexpr double uniform() { return static_cast<double>(bits() >> 11) * 0x1p-53; }
  /// Uniform in 0 … n − 1: for shuffles. Throws Error for n = 0.
  constexpr std::uint64_t below(std::uint64_t n) {
    if (n == 0) throw Error("random: below(0): there is no such number; give n >= 1");
    for (;;) {  // the last, incomplete run of n among the 2⁶⁴ is drawn again
      const std::uint64_t x = bits(), r = x % n;
      if (x - r <= std::uint64_t(0) - n) return r;
    }
  }
  /// N(0, 1), in steps of 2⁻⁵⁰. Its magnitude y = k + x, k whole and x below 1, has the density e^−y²/2 = e^−k²/2 · e^−kx · e^−x²/2; each
  /// factor is the chance to pass a test, and what passes all of them is a draw; the sign is drawn last (after Karney, Sampling exactly from
  /// the normal distribution, 2016).
  constexpr double normal() {
    constexpr std::uint64_t half = std::uint64_t{1} << 63, one = ~std::uint64_t{0};
    for (;;) {
      std::uint64_t k = 0;
      while (survives(half, one)) ++k;                                      // e^−k/2 …
      bool kept = true;
      for (std::uint64_t i = 0; kept && i < k * (k - 1); ++i) kept = survives(half, one);  // … · e^−k(k−1)/2 = e^−k²/2
      const std::uint64_t x = bits() & ~std::uint64_t{0x3fff};
      for (std::uint64_t i = 0; kept && i < k; ++i) kept = survives(x, one);  // e^−kx
      if (!kept || !survives(x, x / 2)) continue;                           // e^−x²/2
      const double y = static_cast<double>((k << 50) + (x >> 14)) * 0x1p-50;  // exact while k < 8; e^−32 is the chance of more
      return bits() & 1 ? y : -y;
    }
  }

 private:
  std::uint64_t state_;

  /// True with probability e^−xt, x and t fractions of 2⁶⁴: x > u₁ > u₂ > … goes on m times, each step granted with probability t, with
  /// probability (xt)ᵐ/m!, and so ends after an even number of steps with probability 1 − xt + (xt)²/2! − … (von Neumann).
  constexpr bool survives(std::uint64_t x, std::uint64_t t) {
    for (bool even = true;; even = !even) {
      const std::uint64_t u = bits();
      if (u >= x || (t != ~std::uint64_t{0} && bits() >= t)) return even;
      x = u;
    }
  }
};

/// A tensor of draws from N(0, 1), or from a uniform distribution over low … high, without high; float gets the digits of double, rounded, so that it
/// may be high after all.
template <std::floating_point T = float> Tensor<T> normal(const Shape& shape, Random& random) {
  Tensor<T> t = Tensor<T>::uninitialized(shape);
  std::generate_n(t.mutable_data(), t.size(), [&] { return static_cast<T>(random.normal()); });
  return t;
}
template <std::floating_point T = float> Tensor<T> uniform(const Shape& shape, Random& random, double low = 0, double high = 1) {
  Tensor<T> t = Tensor<T>::uninitialized(shape);
  // fma, for the same digits everywhere: where a machine has one the compiler would take it, and elsewhere round twice.
  std::generate_n(t.mutable_data(), t.size(), [&] { return static_cast<T>(std::fma(high - low, random.uniform(), low)); });
  return t;
}

}  // namespace autodiff::inline v1::nn
