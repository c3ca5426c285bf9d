// What the problems are written in: plain C++ on any number type T, and the random numbers their inputs are made of.
//
// A problem is a struct with
//     name, size()                    what it is called in the tables
//     x                               the point at which the gradient is taken (made from a seed)
//     operator()(x)                   the objective, generic in the number: double, Var, an adouble of a peer, …
//     hand(x, gradient) -> value      the same function and its gradient, walk back written by hand: what a careful programmer would write, plain
//                                     loops in the formula's order, which the compiler may vectorize. (Not the end of what can be done: rearranged
//                                     for SIMD or for shorter chains, poly takes a quarter of that, Speelpenning half, GMM, Rosenbrock and
//                                     Lax–Wendroff three quarters.)
// Nothing here knows of the library: `using std::exp; exp(x)` finds the right function by the type of x.
#pragma once
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
#include <vector>

namespace bench {

/// The number type of something indexable.
template <class Vector> using NumberOf = std::remove_cvref_t<decltype(std::declval<const Vector&>()[0])>;

/// "a 1, b 2" from its parts. (g++ 12 takes `"a" + std::to_string(n)` for an overlapping copy, and warns.)
template <class... Parts> std::string join(const Parts&... parts) {
  std::string text;
  auto add = [&](const auto& part) {
    if constexpr (std::is_arithmetic_v<std::remove_cvref_t<decltype(part)>>) text.append(std::to_string(part));
    else text.append(part);
  };
  (add(parts), ...);
  return text;
}

/// The larger of two numbers. Where a comparison gives one truth, a branch (the other side leaves no trace on a tape); where it
/// gives one per SIMD lane, the type's own max.
template <class T> T larger(const T& a, const T& b) {
  if constexpr (requires { { a < b } -> std::convertible_to<bool>; }) return a < b ? b : a;
  else return max(a, b);
}
template <class T> T smaller(const T& a, const T& b) {
  if constexpr (requires { { b < a } -> std::convertible_to<bool>; }) return b < a ? b : a;
  else return min(a, b);
}

/// log Σ exp vᵢ, shifted by the largest, so that it cannot overflow.
template <class V> auto log_sum_exp(const V& v) {
  using std::exp, std::log;
  using T = NumberOf<V>;
  T top = v[0];
  for (std::size_t i = 1; i < v.size(); ++i) top = larger(top, T(v[i]));
  T sum(0.0);
  for (std::size_t i = 0; i < v.size(); ++i) sum += exp(v[i] - top);
  return T(top + log(sum));
}

/// Splitmix64 (Steele, Lea, Flood 2014): the same numbers on every machine.
class Random {
  std::uint64_t state_;

 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t bits() {
    std::uint64_t z = state_ += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
  }
  double uniform(double low = 0, double high = 1) { return low + (high - low) * static_cast<double>(bits() >> 11) * 0x1p-53; }
  std::size_t below(std::size_t n) { return static_cast<std::size_t>(bits() % n); }
  /// Standard normal (Box and Muller).
  double normal() {
    const double radius = std::sqrt(-2 * std::log(1 - uniform()));
    return radius * std::cos(6.283185307179586 * uniform());
  }
  std::vector<double> uniforms(std::size_t n, double low = 0, double high = 1) {
    std::vector<double> v(n);
    for (double& a : v) a = uniform(low, high);
    return v;
  }
  std::vector<double> normals(std::size_t n) {
    std::vector<double> v(n);
    for (double& a : v) a = normal();
    return v;
  }
};

}  // namespace bench
