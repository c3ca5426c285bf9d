// What the hand-written loops stand on: a vector of floats as wide as the machine has, exp, and a register-tiled product. This is
// what an engineer writes for a machine at hand: GCC's vector extensions, compiled with -O3 -march=native -fno-math-errno; no
// dispatch, no tape, no errors. Nothing of the engine is used. Start reading at `tile`.
#pragma once
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <type_traits>
#include <utility>
#if defined(__AVX2__)
#include <immintrin.h>
#endif

namespace training::hand {

#if defined(__AVX512F__)
constexpr std::size_t lanes = 16, tile_rows = 8, tile_columns = 3;  // 24 of 32 registers hold sums
#elif defined(__AVX2__)
constexpr std::size_t lanes = 8, tile_rows = 4, tile_columns = 3;  // 12 of 16
#else
constexpr std::size_t lanes = 4, tile_rows = 4, tile_columns = 2;
#endif

using Vec = float __attribute__((vector_size(4 * lanes)));
using Ints = std::int32_t __attribute__((vector_size(4 * lanes)));

inline Vec load(const float* p) {
  Vec v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
inline void store(float* p, Vec v) { std::memcpy(p, &v, sizeof v); }
inline Vec all(float x) { return x - Vec{}; }

/// e^x for x ≤ 88 (larger: as 88), 0 below −87: 2^n · e^r with |r| ≤ ½ ln 2, Taylor's polynomial of degree 7 (about 1 ULP).
inline Vec exp(Vec x) {
  const auto tiny = x < -87.0f;
  x = x > 88.0f ? all(88.0f) : x;
  const Vec shifted = x * 1.44269504f + 12582912.0f;  // 1.5·2²³: the mantissa's low bits are now n, rounded
  const Vec n = shifted - 12582912.0f;
  const Vec r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
  Vec p = r * (1.0f / 5040) + 1.0f / 720;
  p = p * r + 1.0f / 120;
  p = p * r + 1.0f / 24;
  p = p * r + 1.0f / 6;
  p = p * r + 0.5f;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  const Vec y = std::bit_cast<Vec>(std::bit_cast<Ints>(p) + (std::bit_cast<Ints>(shifted) << 23));
  return tiny ? Vec{} : y;
}
inline Vec sigmoid(Vec x) { return 1.0f / (1.0f + exp(-x)); }
inline Vec tanh(Vec x) {
  const Vec size = x < 0.0f ? -x : x, square = x * x;
  const Vec large = 1.0f - 2.0f / (exp(2.0f * size) + 1.0f);
  const Vec small = size * (1.0f + square * (-1.0f / 3 + square * (2.0f / 15 - square * (17.0f / 315))));  // no cancellation near 0
  const Vec y = size < 0.3f ? small : large;
  return x < 0.0f ? -y : y;
}

/// The vector turned by `by` places.
template <std::size_t by> inline Vec turned(Vec x) {
  return [x]<std::size_t... i>(std::index_sequence<i...>) { return __builtin_shufflevector(x, x, static_cast<int>((i + by) % lanes)...); }
  (std::make_index_sequence<lanes>());
}
/// All lanes folded into one, halving.
template <std::size_t half = lanes / 2, class F> inline float fold(Vec x, const F& f) {
  if constexpr (half == 0) return x[0];
  else return fold<half / 2>(f(x, turned<half>(x)), f);
}
inline float sum(Vec x) {
  return fold(x, [](Vec a, Vec b) { return a + b; });
}
inline Vec larger(Vec a, Vec b) { return a > b ? a : b; }

inline Vec root(Vec x) {  // the one operation that GCC's vectors lack
#if defined(__AVX512F__)
  return _mm512_maskz_sqrt_ps(0xFFFF, x);  // all lanes; the unmasked form warns under g++ 12
#elif defined(__AVX2__)
  return _mm256_sqrt_ps(x);
#else
  float each[lanes];
  store(each, x);
  for (float& v : each) v = std::sqrt(v);
  return load(each);
#endif
}

constexpr std::size_t widened(std::size_t n) { return (n + lanes - 1) / lanes * lanes; }

/// Floats on a cache line, zero at first.
class Numbers {
 public:
  Numbers() = default;
  explicit Numbers(std::size_t n) : size_(n), data_(static_cast<float*>(::operator new(n * sizeof(float), std::align_val_t(64)))) {
    std::memset(data_, 0, n * sizeof(float));
  }
  Numbers(Numbers&& other) noexcept : size_(std::exchange(other.size_, 0)), data_(std::exchange(other.data_, nullptr)) {}
  Numbers& operator=(Numbers&& other) noexcept {
    std::swap(size_, other.size_);
    std::swap(data_, other.data_);
    return *this;
  }
  ~Numbers() { ::operator delete(data_, std::align_val_t(64)); }
  float* get() { return data_; }
  const float* get() const { return data_; }
  std::size_t size() const { return size_; }

 private:
  std::size_t size_ = 0;
  float* data_ = nullptr;
};

/// A matrix in someone's memory; a transpose is two steps exchanged.
struct View {
  const float* data;
  std::size_t row, column;  ///< steps
};

/// Σ_k a(i, k)·b(k, j) for R rows and C vectors of columns, held in registers; each vector goes to finish(i, j, sum).
template <std::size_t R, std::size_t C, class Finish>
[[gnu::always_inline]] inline void tile(std::size_t depth, View a, const float* b, std::size_t b_row, const Finish& finish) {
  Vec sum[R][C] = {};
  const float* from = a.data;
  for (std::size_t k = 0; k < depth; ++k, from += a.column, b += b_row) {
    Vec row[C];
#pragma GCC unroll 8
    for (std::size_t j = 0; j < C; ++j) row[j] = load(b + j * lanes);
#pragma GCC unroll 16
    for (std::size_t i = 0; i < R; ++i) {
      const Vec x = all(from[i * a.row]);
#pragma GCC unroll 8
      for (std::size_t j = 0; j < C; ++j) sum[i][j] += x * row[j];
    }
  }
#pragma GCC unroll 16
  for (std::size_t i = 0; i < R; ++i) {
#pragma GCC unroll 8
    for (std::size_t j = 0; j < C; ++j) finish(i, j * lanes, sum[i][j]);
  }
}

template <std::size_t C, class Finish>
void panel(std::size_t rows, std::size_t depth, View a, const float* b, std::size_t b_row, std::size_t j0, const Finish& finish) {
  std::size_t i = 0;
  auto go = [&]<std::size_t R>(std::integral_constant<std::size_t, R>) {
    for (; i + R <= rows; i += R)
      tile<R, C>(depth, {a.data + i * a.row, a.row, a.column}, b, b_row,
                 [&](std::size_t r, std::size_t j, Vec sum) { finish(i + r, j0 + j, sum); });
  };
  go(std::integral_constant<std::size_t, tile_rows>());
  go(std::integral_constant<std::size_t, tile_rows / 2>());
  go(std::integral_constant<std::size_t, 1>());
}

/// a (rows, depth) · b (depth, columns), b row by row with columns a multiple of `lanes`: each vector of the product goes to
/// finish(row, column, vector). A panel of b is copied together when many rows will read it.
template <class Finish>
void product(std::size_t rows, std::size_t columns, std::size_t depth, View a, const float* b, std::size_t b_row, Numbers& packing,
             const Finish& finish) {
  constexpr std::size_t wide = tile_columns * lanes;
  const bool pack = columns > 2 * wide && rows >= 4 * tile_rows;
  if (pack && packing.size() < depth * wide) packing = Numbers(depth * wide);
  for (std::size_t j = 0; j < columns; j += wide) {
    const float* from = b + j;
    std::size_t step = b_row;
    const std::size_t width = columns - j < wide ? columns - j : wide;
    if (pack) {
      for (std::size_t k = 0; k < depth; ++k)
        for (std::size_t c = 0; c < width; c += lanes) store(packing.get() + k * width + c, load(from + k * b_row + c));
      from = packing.get(), step = width;
    }
    if (width == wide) panel<tile_columns>(rows, depth, a, from, step, j, finish);
    else if (width == 2 * lanes) panel<2>(rows, depth, a, from, step, j, finish);
    else panel<1>(rows, depth, a, from, step, j, finish);
  }
}

/// to (columns, rows) = from (rows, columns)ᵀ; both sides are multiples of 4.
inline void transpose(const float* from, std::size_t rows, std::size_t columns, std::size_t from_row, float* to, std::size_t to_row) {
  using Four = float __attribute__((vector_size(16)));
  auto get = [](const float* p) {
    Four v;
    std::memcpy(&v, p, sizeof v);
    return v;
  };
  auto put = [](float* p, Four v) { std::memcpy(p, &v, sizeof v); };
  for (std::size_t j = 0; j < columns; j += 4)
    for (std::size_t i = 0; i < rows; i += 4) {
      const float* p = from + i * from_row + j;
      const Four a = get(p), b = get(p + from_row), c = get(p + 2 * from_row), d = get(p + 3 * from_row);
      const Four ab = __builtin_shufflevector(a, b, 0, 4, 1, 5), ab2 = __builtin_shufflevector(a, b, 2, 6, 3, 7);
      const Four cd = __builtin_shufflevector(c, d, 0, 4, 1, 5), cd2 = __builtin_shufflevector(c, d, 2, 6, 3, 7);
      float* q = to + j * to_row + i;
      put(q, __builtin_shufflevector(ab, cd, 0, 1, 4, 5));
      put(q + to_row, __builtin_shufflevector(ab, cd, 2, 3, 6, 7));
      put(q + 2 * to_row, __builtin_shufflevector(ab2, cd2, 0, 1, 4, 5));
      put(q + 3 * to_row, __builtin_shufflevector(ab2, cd2, 2, 3, 6, 7));
    }
}

}  // namespace training::hand
