// What the tests of the kernels share: blocks of numbers with canaries behind them, random numbers, distances, and a walk over all instruction sets.
#pragma once
#include "autodiff/kernels.hpp"
#include "support.hpp"
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <new>
#include <random>
#include <string>
#include <vector>

namespace kernel_support {

namespace ad = autodiff;

using support::each_rule, support::infinity, support::not_a_number;

/// A block as tensors have it: starts on 64 bytes, may be written to a multiple of 64, read 64 further. Behind that stand canaries.
template <class T> class Block {
 public:
  explicit Block(std::size_t n, T value = T(0))
      : n_(n), room_((n * sizeof(T) + 63) / 64 * 64 / sizeof(T)),
        data_(static_cast<T*>(::operator new((room_ + 64) * sizeof(T), std::align_val_t(64)))) {
    std::fill_n(data_, room_, T(0.125));
    std::fill_n(data_ + room_, 64, canary);
    std::fill_n(data_, n, value);
  }
  Block(const Block& o) : Block(o.n_) { std::copy_n(o.data_, n_, data_); }
  Block& operator=(const Block&) = delete;
  ~Block() { ::operator delete(data_, std::align_val_t(64)); }
  T* data() { return data_; }
  const T* data() const { return data_; }
  std::size_t size() const { return n_; }
  T& operator[](std::size_t i) { return data_[i]; }
  const T& operator[](std::size_t i) const { return data_[i]; }
  /// Nothing was written past the allowed end.
  bool intact() const { return std::all_of(data_ + room_, data_ + room_ + 64, [](T x) { return x == canary; }); }
  /// Nothing was written past the last number.
  bool exact() const { return intact() && std::all_of(data_ + n_, data_ + room_, [](T x) { return x == T(0.125); }); }
  bool operator==(const Block& o) const { return n_ == o.n_ && std::memcmp(data_, o.data_, n_ * sizeof(T)) == 0; }

 private:
  static constexpr T canary = T(-12345);
  std::size_t n_, room_;
  T* data_;
};

inline std::mt19937& dice() { static std::mt19937 dice(7); return dice; }
inline double uniform(double low, double high) { return low + (high - low) * (static_cast<double>(dice()()) / 4294967296.0); }
template <class T> Block<T> random_block(std::size_t n, double low = -1, double high = 1) {
  Block<T> b(n);
  for (std::size_t i = 0; i < n; ++i) b[i] = static_cast<T>(uniform(low, high));
  return b;
}

/// Distance in units of the last place of the expected number (of the smallest normal number at least).
template <class T> double ulps(T got, long double expected) {
  if (std::isnan(got) && std::isnan(expected)) return 0;
  const T rounded = static_cast<T>(expected);
  if (got == rounded) return 0;
  if (!std::isfinite(got) || !std::isfinite(rounded)) return infinity;
  int exponent;
  std::frexp(std::max(std::abs(rounded), std::numeric_limits<T>::min()), &exponent);
  return static_cast<double>(std::abs(static_cast<long double>(got) - expected) / std::ldexp(1.0L, exponent - std::numeric_limits<T>::digits));
}
/// Close, for sums of n terms of size 1 or so.
template <class T> bool near(double got, double expected, double terms = 1) {
  if (!std::isfinite(got) || !std::isfinite(expected)) return got == expected || (std::isnan(got) && std::isnan(expected));
  return std::abs(got - expected) <= std::numeric_limits<T>::epsilon() * 4 * std::sqrt(terms + 4) * (1 + std::abs(expected));
}
template <class T> double worst(const Block<T>& got, const std::vector<double>& expected) {
  double most = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double off = std::abs(static_cast<double>(got[i]) - expected[i]) / (1 + std::abs(expected[i]));
    if (!(off <= most)) most = std::isnan(off) ? infinity : off;
  }
  return most / std::numeric_limits<T>::epsilon();
}

/// f<T>() on every target for both number types.
template <class F> void everywhere(const F& f) {
  const char* names[16];
  const std::size_t n = ad::selectable_targets(names, 16);
  const struct Restore { ~Restore() { ad::select_target(nullptr); } } restore;
  REQUIRE(n >= 1);
  for (std::size_t i = 0; i < n; ++i) {
    ad::select_target(names[i]);
    INFO("target ", std::string(names[i]));
    CHECK(std::string(ad::kernels<float>().target) == names[i]);
    // The same numbers whichever test cases ran before.
    { INFO("float"); dice().seed(7); f.template operator()<float>(); }
    { INFO("double"); dice().seed(7); f.template operator()<double>(); }
  }
}

constexpr std::size_t lengths[] = {0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 100, 1000};

}  // namespace kernel_support
