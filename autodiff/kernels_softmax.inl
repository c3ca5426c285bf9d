// Private to the kernels, read once per instruction set (kernels_targets.inl). Softmax and its relatives over rows of n numbers.
// A row is shifted by its largest number: the result depends on differences only, and nothing overflows. A row may end inside of a vector:
// what is written past it is overwritten by the rows behind it, so rows go upwards, and none writes beyond `limit`, the end of the last.

/// f(i, limit) for each of m rows of n numbers; `limit`: how many numbers may be written from its start on.
template <class F> HWY_INLINE void over_rows(std::size_t m, std::size_t n, std::size_t work, const F& f) {
  in_row_pieces(m, n, work, [=](std::size_t begin, std::size_t end) HWY_ATTR { for (std::size_t i = begin; i < end; ++i) f(i, (end - i) * n); });
}
constexpr std::size_t exp_work = 8;  ///< how many additions an exponential is worth

/// The largest of n numbers (a NaN makes itself felt later), and 0 if that is ±∞, which no shift makes finite.
template <class T> HWY_INLINE T row_shift(const T* x, std::size_t n) {
  using X = Lane<T>;
  X top(-infinity<T>);
  for (std::size_t j = 0; j < n; j += X::size) top = max(top, X::load_or(x + j, n - j, -infinity<T>));
  const T shift = largest(top);
  return std::isfinite(shift) ? shift : T(0);
}

/// e(j) = e^(x(j) − shift) into y; their sum, which double adds up from blocks.
template <class T> HWY_INLINE T row_exps(const T* x, T shift, T* y, std::size_t n, std::size_t limit) {
  using X = Lane<T>;
  double total = 0;
  for (std::size_t j = 0; j < n;) {
    X s(0);
    for (const std::size_t end = std::min(n, j + block_size); j < end; j += X::size) {
      const X e = exp(X::load_or(x + j, n - j, -infinity<T>) - X(shift));  // surplus lanes: e^−∞ = 0
      s += e;
      if (y) e.store(y + j, limit - j);
    }
    total += static_cast<double>(sum(s));
  }
  return static_cast<T>(total);
}

template <class T> HWY_INLINE void row_scale(T alpha, T* y, std::size_t n, std::size_t limit) {
  using X = Lane<T>;
  for (std::size_t j = 0; j < n; j += X::size) (X(alpha) * X::load(y + j)).store(y + j, limit - j);
}

/// Softmax of one row, times `share`, into y (or nowhere). Gives Σ e^(x − shift), and shift.
template <class T> struct RowSum { T z, shift; };
/// The row is so many vectors, which stay in registers.
template <std::size_t vectors, class T> HWY_INLINE RowSum<T> softmax_in_registers(const T* x, T* y, std::size_t n, std::size_t limit, T share) {
  using X = Lane<T>;
  X e[vectors], top(-infinity<T>), z(0);
  for (std::size_t v = 0; v < vectors; ++v) e[v] = X::load_or(x + v * X::size, n - v * X::size, -infinity<T>), top = max(top, e[v]);
  top = hn::MaxOfLanes(typename X::D(), top.v);
  const X shift = select(abs(top) < X(infinity<T>), top, X(0));
  for (std::size_t v = 0; v < vectors; ++v) e[v] = exp(e[v] - shift), z += e[v];
  z = hn::SumOfLanes(typename X::D(), z.v);
  if (y) for (std::size_t v = 0; v < vectors; ++v) (e[v] * (X(share) / z)).store(y + v * X::size, limit - v * X::size);
  return {hn::GetLane(z.v), hn::GetLane(shift.v)};
}
template <class T> HWY_INLINE RowSum<T> softmax_row(const T* x, T* y, std::size_t n, std::size_t limit, T share) {
  if (n <= Lane<T>::size) return softmax_in_registers<1>(x, y, n, limit, share);
  if (n <= 2 * Lane<T>::size) return softmax_in_registers<2>(x, y, n, limit, share);
  const T shift = row_shift(x, n), z = row_exps(x, shift, y, n, limit);
  if (y) row_scale(share / z, y, n, limit);
  return {z, shift};
}

template <class T> void softmax(const T* x, T* y, std::size_t m, std::size_t n) {
  over_rows(m, n, exp_work, [=](std::size_t i, std::size_t limit) HWY_ATTR { softmax_row(x + i * n, y + i * n, n, limit, T(1)); });
}

template <class T> void log_softmax(const T* x, T* y, std::size_t m, std::size_t n) {
  using X = Lane<T>;
  over_rows(m, n, exp_work, [=](std::size_t i, std::size_t limit) HWY_ATTR {
    const T* const from = x + i * n;
    const T shift = row_shift(from, n), rest = std::log(row_exps<T>(from, shift, nullptr, n, limit));
    for (std::size_t j = 0; j < n; j += X::size) (X::load(from + j) - X(shift) - X(rest)).store(y + i * n + j, limit - j);
  });
}

template <class T> void logsumexp(const T* x, T* y, T* softmax, std::size_t m, std::size_t n) {
  over_rows(m, n, exp_work, [=](std::size_t i, std::size_t limit) HWY_ATTR {
    const T* const from = x + i * n;
    const T shift = row_shift(from, n), z = row_exps(from, shift, softmax ? softmax + i * n : nullptr, n, limit);
    if (softmax) row_scale(z == 0 ? T(0) : 1 / z, softmax + i * n, n, limit);  // all −∞: the slope is 0
    y[i] = std::log(z) + shift;
  });
}

/// Σⱼ f(j), over one row.
template <class T, class F> HWY_INLINE T row_sum(std::size_t n, const F& f) {
  using X = Lane<T>;
  X s(0);
  std::size_t j = 0;
  for (; j + X::size <= n; j += X::size) s += f(j);
  if (j < n) s += select_or_zero(X::first(n - j), f(j));
  return sum(s);
}

/// gx(j) (+)= f(j), over one row, exactly: with `add` the next row's adjoints are already there.
template <class T, class F> HWY_INLINE void row_give(T* gx, std::size_t n, bool add, const F& f) {
  using X = Lane<T>;
  for (std::size_t j = 0; j < n; j += X::size) (add ? X::load(gx + j) + f(j) : f(j)).store(gx + j, n - j);
}

/// Does the row get an adjoint of 0 in each number? Then it gives 0, also where its values are NaN: a row of −∞, masked whole.
template <class T> bool gets_nothing(const T* g, std::size_t n) {
  return std::all_of(g, g + n, [](T x) { return x == 0; });
}
template <class T> void give_nothing(T* gx, std::size_t n, bool add) {
  if (!add) std::fill_n(gx, n, T(0));
}

template <class T> void softmax_pullback(const T* y, const T* g, T* gx, std::size_t m, std::size_t n, bool add) {
  using X = Lane<T>;
  over_rows(m, n, 2, [=](std::size_t i, std::size_t) HWY_ATTR {
    const T *const yi = y + i * n, *const gi = g + i * n;
    const T s = row_sum<T>(n, [=](std::size_t j) HWY_ATTR { return X::load(gi + j) * X::load(yi + j); });
    if (std::isnan(s) && gets_nothing(gi, n)) return give_nothing(gx + i * n, n, add);
    row_give(gx + i * n, n, add, [=](std::size_t j) HWY_ATTR { return X::load(yi + j) * (X::load(gi + j) - X(s)); });
  });
}

template <class T> void log_softmax_pullback(const T* y, const T* g, T* gx, std::size_t m, std::size_t n, bool add) {
  using X = Lane<T>;
  over_rows(m, n, exp_work, [=](std::size_t i, std::size_t) HWY_ATTR {
    const T *const yi = y + i * n, *const gi = g + i * n;
    const T s = row_sum<T>(n, [=](std::size_t j) HWY_ATTR { return X::load(gi + j); });
    if (s == 0 && gets_nothing(gi, n)) return give_nothing(gx + i * n, n, add);
    row_give(gx + i * n, n, add, [=](std::size_t j) HWY_ATTR { return X::load(gi + j) - exp(X::load(yi + j)) * X(s); });
  });
}

template <class T> void logsumexp_pullback(const T* softmax, const T* g, T* gx, std::size_t m, std::size_t n, bool add) {
  using X = Lane<T>;
  over_rows(m, n, 1, [=](std::size_t i, std::size_t) HWY_ATTR {
    if (g[i] == 0) return give_nothing(gx + i * n, n, add);
    const X gi = g[i];
    row_give(gx + i * n, n, add, [=](std::size_t j) HWY_ATTR { return gi * X::load(softmax + i * n + j); });
  });
}
