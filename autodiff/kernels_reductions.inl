// Private to the kernels, read once per instruction set (kernels_targets.inl). Sums and extremes, each in one fixed order.

/// Lanes add this many numbers at most; double adds the blocks.
constexpr std::size_t block_size = 4096;
/// Reductions are split for the threads into at most this many parts: by the length alone, so that one thread adds in the same order.
constexpr std::size_t most_parts = 64;

/// Σ f(i, count) over whole vectors, where f gives the vector at i of which `count` lanes belong (the others are 0).
template <class T, class F> HWY_INLINE double block_sums(std::size_t begin, std::size_t n, const F& f) {
  using X = Lane<T>;
  if (n - begin <= X::size) return n == begin ? 0.0 : static_cast<double>(sum(f(begin, n - begin)));
  double total = 0;
  for (std::size_t block = begin; block < n; block += block_size) {
    const std::size_t end = std::min(n, block + block_size);
    X s0(0), s1(0), s2(0), s3(0);
    std::size_t i = block;
    for (; i + 4 * X::size <= end; i += 4 * X::size) {
      s0 += f(i, X::size), s1 += f(i + X::size, X::size);
      s2 += f(i + 2 * X::size, X::size), s3 += f(i + 3 * X::size, X::size);
    }
    for (; i < end; i += X::size) s0 += f(i, end - i);
    total += static_cast<double>(sum((s0 + s1) + (s2 + s3)));
  }
  return total;
}

/// The same in parts that threads may share; their sums are added in order.
template <class T, class F> HWY_NOINLINE double share_sums(std::size_t n, const F& f) {
  const std::size_t part = std::max(piece_size, (n / most_parts + block_size) / block_size * block_size), parts = pieces_in(n, part);
  double sums[most_parts];
  parallel(parts, [&](std::size_t i) HWY_ATTR { sums[i] = block_sums<T>(i * part, std::min(n, (i + 1) * part), f); });
  double total = 0;
  for (std::size_t i = 0; i < parts; ++i) total += sums[i];
  return total;
}
template <class T, class F> HWY_INLINE double part_sums(std::size_t n, const F& f) {
  if (n < 2 * piece_size) [[likely]] return block_sums<T>(0, n, f);
  const F copy = f;
  return share_sums<T>(n, copy);
}

template <class T> double sum_of(const T* x, std::size_t n) {
  return part_sums<T>(n, [=](std::size_t i, std::size_t count) HWY_ATTR { return Lane<T>::load_or(x + i, count, T(0)); });
}
template <class T> double dot(const T* a, const T* b, std::size_t n) {
  return part_sums<T>(n, [=](std::size_t i, std::size_t count) HWY_ATTR {
    return Lane<T>::load_or(a + i, count, T(0)) * Lane<T>::load_or(b + i, count, T(0));
  });
}

// ---- along an axis --------------------------------------------------------------------------------------------------

/// Short rows, as many as a vector has lanes, side by side: [i] are the numbers i of all of them. (Not by gathering: beside the cure of its leak,
/// "Downfall", an instruction of that takes 11 ns on Intel's processors.)
template <class T> class ShortRows {
  using X = Lane<T>;
  HWY_ALIGN T columns_[2 * X::size * X::size];
 public:
  static constexpr bool takes(std::size_t n) { return X::size > 1 && n < 2 * X::size; }  ///< rows of n numbers
  HWY_INLINE ShortRows(const T* x, std::size_t n) { transpose_block(x, n, columns_, X::size, X::size, n); }
  HWY_INLINE X operator[](std::size_t i) const { return X::load(columns_ + i * X::size); }
};

/// y(i) (+)= Σⱼ x(i, j) of m short rows, from left to right. (Each in a vector of its own, three columns take about twice as long, ten 1.9 times.)
template <class T> HWY_INLINE void sums_of_short_rows(const T* x, T* y, std::size_t m, std::size_t n, bool add) {
  using X = Lane<T>;
  for (; m >= X::size; m -= X::size, x += X::size * n, y += X::size) {
    const ShortRows<T> rows(x, n);
    X s = add ? X::load(y) : X(0);
    for (std::size_t i = 0; i < n; ++i) s += rows[i];
    s.store(y);
  }
  for (; m > 0; --m, x += n, ++y) *y = std::accumulate(x, x + n, add ? *y : T(0));
}

/// Σᵢ x(i) of m vectors: up to 64 one by one, more in halves, so that errors of rounding grow with log m only.
template <class T> Lane<T> column_sum(const T* x, std::size_t row, std::size_t m) {
  using X = Lane<T>;
  constexpr std::size_t block = 64;
  if (m > block) {
    const std::size_t half = pieces_in(m / 2, block) * block;
    return column_sum(x, row, half) + column_sum(x + half * row, row, m - half);
  }
  X s(0), t(0);
  std::size_t i = 0;
  for (; i + 2 <= m; i += 2) s += X::load(x + i * row), t += X::load(x + (i + 1) * row);
  if (i < m) s += X::load(x + i * row);
  return s + t;
}
/// y(j) (+)= Σᵢ x(i, j)
template <class T> void column_sums(const T* x, std::size_t row, T* y, std::size_t m, std::size_t n, bool add) {
  using X = Lane<T>;
  for (std::size_t j = 0; j < n; j += X::size) ((add ? X::load(y + j) : X(0)) + column_sum(x + j, row, m)).store(y + j, n - j);
}

/// f(begin, end) over rows 0 … m, `rows` of them at a time.
template <class F> HWY_NOINLINE void share_rows(std::size_t m, std::size_t rows, const F& f) {
  parallel(pieces_in(m, rows), [&](std::size_t i) { f(i * rows, std::min(m, (i + 1) * rows)); });
}
/// f(begin, end) over rows 0 … m of n numbers, in pieces for the threads if there is much of it (`work` additions for each number).
template <class F> HWY_INLINE void in_row_pieces(std::size_t m, std::size_t n, std::size_t work, const F& f) {
  if (!worth_sharing(m * n * work)) [[likely]] return f(0, m);
  const F copy = f;
  share_rows(m, std::max<std::size_t>(1, piece_size / (n * work)), copy);
}

template <class T> void sum_along(const T* x, T* y, const Along& s, bool add) {
  const bool whole = s.n == 1;
  const std::size_t outer = whole ? 1 : s.outer, n = s.n, inner = whole ? s.outer * s.inner : s.inner;
  if (inner == 0) return;  // or the loop below would be as long as there are rows of nothing
  if (inner == 1 && !whole) {
    return in_row_pieces(outer, n, 1, [=](std::size_t begin, std::size_t end) HWY_ATTR {
      if (ShortRows<T>::takes(n)) return sums_of_short_rows(x + begin * n, y + begin, end - begin, n, add);
      for (std::size_t o = begin; o < end; ++o) y[o] = (add ? y[o] : T(0)) + static_cast<T>(sum_of(x + o * n, n));
    });
  }
  constexpr std::size_t width = 256;  // columns of one piece: whole vectors
  if (!worth_sharing(outer * n * inner)) {
    for (std::size_t o = 0; o < outer; ++o) column_sums(x + o * n * inner, inner, y + o * inner, n, inner, add);
    return;
  }
  const std::size_t across = pieces_in(inner, width);
  parallel(outer * across, [=](std::size_t i) {
    const std::size_t o = i / across, begin = i % across * width;
    column_sums(x + o * n * inner + begin, inner, y + o * inner + begin, n, std::min(width, inner - begin), add);
  });
}

template <class T> void spread_along(const T* g, T* gx, const Along& s, bool add) {
  using X = Lane<T>;
  const std::size_t outer = s.outer, n = s.n, inner = s.inner;
  if (outer * inner == 1) return fill(*g, gx, n, add);
  if (n == 1) return axpy(T(1), g, gx, outer * inner, add);
  in_row_pieces(outer, n * inner, 1, [=](std::size_t begin, std::size_t end) HWY_ATTR {
    if (inner == 1 && n < X::size) {
      for (std::size_t o = begin, k = begin * n; o < end; ++o)
        for (std::size_t j = 0; j < n; ++j, ++k) gx[k] = add ? gx[k] + g[o] : g[o];
      return;
    }
    for (std::size_t o = begin; o < end; ++o) {
      const std::size_t length = inner == 1 ? n : inner;
      for (std::size_t row = o * n * inner; row < (o + 1) * n * inner; row += length)
        for (std::size_t j = 0; j < length; j += X::size) {
          const X share = inner == 1 ? X(g[o]) : X::load(g + o * inner + j);
          (add ? X::load(gx + row + j) + share : share).store(gx + row + j, length - j);
        }
    }
  });
}

/// Does a go before b, the largest first (`up`) or the smallest, and a NaN before all? Are they equal, or both NaN? Of numbers, or lane by lane.
template <bool up, class X> HWY_INLINE auto before(X a, X b) { return (up ? a > b : a < b) || (a != a && b == b); }
template <class X> HWY_INLINE auto same(X a, X b) { return a == b || (a != a && b != b); }
template <bool up, class T> HWY_INLINE Lane<T> foremost(Lane<T> a, Lane<T> b) { return select(before<up>(b, a), b, a); }

/// Of as many short rows as a vector has lanes. (Ten classes by gathers: 2.6 times as long; row by row, with a branch for each number, longer still.)
template <bool up, class T> HWY_INLINE void extremes_of_rows(const T* x, T* y, std::int64_t* index, std::size_t n) {
  using X = Lane<T>;
  const ShortRows<T> rows(x, n);
  X best = rows[0], at = X(0);
  for (std::size_t i = 1; i < n; ++i) {
    const Truth<T> further = before<up>(rows[i], best);
    best = select(further, rows[i], best), at = select(further, X(i), at);
  }
  best.store(y);
  if (!index) return;
  HWY_ALIGN T places[X::size];
  at.store(places);
  std::copy_n(places, X::size, index);
}

template <bool up, class T> HWY_INLINE T extreme_of_row(const T* x, std::size_t n) {
  using X = Lane<T>;
  T best = x[0];
  std::size_t i = 1;
  if (n >= 2 * X::size) {
    X bests = X::load(x);
    for (i = X::size; i + X::size <= n; i += X::size) bests = foremost<up>(bests, X::load(x + i));
    HWY_ALIGN T all[X::size];
    bests.store(all);
    for (const T one : all) if (before<up>(one, best)) best = one;
  }
  for (; i < n; ++i) if (before<up>(x[i], best)) best = x[i];
  return best;
}
/// y(j) = the extreme of x(0, j) … x(m − 1, j)
template <bool up, class T> void extremes_of_columns(const T* x, T* y, std::size_t m, std::size_t n) {
  using X = Lane<T>;
  for (std::size_t j = 0; j < n; j += X::size) {
    X best = X::load(x + j);
    for (std::size_t i = 1; i < m; ++i) best = foremost<up>(best, X::load(x + i * n + j));
    best.store(y + j, n - j);
  }
}
/// The first i with that number at x(i).
template <class T> std::int64_t place_of(T number, const T* x, std::size_t step) {
  std::int64_t i = 0;
  for (; !same(*x, number); x += step) ++i;
  return i;
}

template <bool up, class T> void extreme_along(const T* x, T* y, std::int64_t* index, const Along& s) {
  if (s.inner == 0) return;  // or the loops below would be as long as there are rows of nothing
  const bool rows = s.inner == 1;
  std::size_t o = 0;
  if (rows && ShortRows<T>::takes(s.n))
    for (constexpr std::size_t few = Lane<T>::size; o + few <= s.outer; o += few)
      extremes_of_rows<up>(x + o * s.n, y + o, index ? index + o : nullptr, s.n);
  for (; o < s.outer; ++o) {
    const T* const block = x + o * s.n * s.inner;
    T* const best = y + o * s.inner;
    if (rows) *best = extreme_of_row<up>(block, s.n);
    else extremes_of_columns<up>(block, best, s.n, s.inner);
    if (index) for (std::size_t j = 0; j < s.inner; ++j) index[o * s.inner + j] = place_of(best[j], block + j, s.inner);
  }
}

/// Σ f(i) for i = 0, step, … < n, where f gives vectors of zeros and ones: in blocks, because a float counts to 2²⁴ only.
template <class T, class F> HWY_INLINE Lane<T> count(std::size_t n, std::size_t step, const F& f) {
  constexpr std::size_t block = 1 << 22;
  Lane<T> total(0);
  for (std::size_t begin = 0; begin < n; begin += block) {
    Lane<T> ones(0);
    for (std::size_t i = begin; i < std::min(n, begin + block); i += step) ones += f(i);
    total += ones;
  }
  return total;
}

/// Where x is the extreme it gets its share of g: one over how many such there are.
template <class T> void extreme_pullback_of_row(const T* x, T y, T g, T* gx, std::size_t n, bool add) {
  using X = Lane<T>;
  const X top(y);
  const X ties = count<T>(n, X::size, [&](std::size_t i) HWY_ATTR {
    return select_or_zero(same(X::load(x + i), top) && X::first(std::min(n - i, X::size)), X(1));  // min: AVX2 compares lanes with an int32
  });
  const X share = g / sum(ties);
  for (std::size_t i = 0; i < n; i += X::size) {
    const X mine = select_or_zero(same(X::load(x + i), top), share);
    (add ? X::load(gx + i) + mine : mine).store(gx + i, n - i);
  }
}
template <class T> void extreme_pullback_of_columns(const T* x, const T* y, const T* g, T* gx, std::size_t m, std::size_t n, bool add) {
  using X = Lane<T>;
  for (std::size_t j = 0; j < n; j += X::size) {
    const X top = X::load(y + j);
    const X ties = count<T>(m, 1, [&](std::size_t i) HWY_ATTR { return select_or_zero(same(X::load(x + i * n + j), top), X(1)); });
    const X share = X::load(g + j) / ties;
    for (std::size_t i = 0; i < m; ++i) {
      const X mine = select_or_zero(same(X::load(x + i * n + j), top), share);
      T* const to = gx + i * n + j;
      (add ? X::load(to) + mine : mine).store(to, n - j);
    }
  }
}
template <class T> void extreme_pullback(const T* x, const T* y, const T* g, T* gx, const Along& s, bool add) {
  for (std::size_t o = 0; o < (s.inner ? s.outer : 0); ++o, x += s.n * s.inner, gx += s.n * s.inner, y += s.inner, g += s.inner) {
    if (s.inner == 1) extreme_pullback_of_row(x, *y, *g, gx, s.n, add);
    else extreme_pullback_of_columns(x, y, g, gx, s.n, s.inner, add);
  }
}
