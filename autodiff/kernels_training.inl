// Private to the kernels, read once per instruction set (kernels_targets.inl). Costs, which compute their gradient on the way, and optimizers.

/// Σ over rows begin … end of log Σ eˣ − x[label]; in g softmax(x) − 1[label], times `share`. Logarithms are taken 16 at a time.
template <class T>
double cross_entropy_rows(const T* x, const std::int32_t* label, T* g, std::size_t begin, std::size_t end, std::size_t n, T share) {
  using X = Lane<double>;
  constexpr std::size_t most = 16;
  double total = 0;
  for (std::size_t i = begin; i < end;) {
    HWY_ALIGN double z[most];
    double linear = 0;
    const std::size_t count = std::min(most, end - i);
    for (std::size_t r = 0; r < count; ++r, ++i) {
      T* const to = g ? g + i * n : nullptr;
      const RowSum<T> row = softmax_row(x + i * n, to, n, (end - i) * n, share);
      if (to) to[label[i]] -= share;
      z[r] = static_cast<double>(row.z);
      linear += static_cast<double>(row.shift) - static_cast<double>(x[i * n + static_cast<std::size_t>(label[i])]);
    }
    std::fill(z + count, z + most, 1.0);
    X logs(0);
    for (std::size_t r = 0; r < count; r += X::size) logs += log(X::load(z + r));
    total += linear + sum(logs);
  }
  return total;
}

/// Mean over rows of log Σ eˣ − x[label]; its gradient is (softmax(x) − 1[label]) / m.
template <class T> double softmax_cross_entropy(const T* x, const std::int32_t* label, T* g, std::size_t m, std::size_t n) {
  const T share = T(1) / static_cast<T>(m);
  double total = 0;
  if (m * n * exp_work < 2 * piece_size) {
    total = cross_entropy_rows(x, label, g, 0, m, n, share);
  } else {  // in parts that depend on m alone: the same order of addition on any number of threads
    const std::size_t rows = std::max(m / most_parts + 1, piece_size / (n * exp_work) + 1), parts = pieces_in(m, rows);
    double sums[most_parts];
    parallel(parts, [&](std::size_t p) { sums[p] = cross_entropy_rows(x, label, g, p * rows, std::min(m, (p + 1) * rows), n, share); });
    for (std::size_t p = 0; p < parts; ++p) total += sums[p];
  }
  return total / static_cast<double>(m);
}

/// Mean of max(x, 0) − x·t + log(1 + e^−|x|); its gradient is (σ(x) − t) / n.
template <class T> double logistic_cross_entropy(const T* x, const T* target, T* g, std::size_t n) {
  using X = Lane<T>;
  const T share = T(1) / static_cast<T>(n);
  const double total = part_sums<T>(n, [=](std::size_t i, std::size_t count) HWY_ATTR {
    // What lies behind the last x may be large, and powers of e^−|x| then so small that the processor needs help with them: 10 ns.
    const X v = count >= X::size ? X::load(x + i) : select_or_zero(X::first(count), X::load(x + i)), t = X::load(target + i);
    const X e = exp(-abs(v)), small = e / (1 + e);  // σ(−|x|), of which σ(x) − t keeps the digits where t is 0 or 1
    if (g) (select(v < X(0), small - t, (1 - t) - small) * X(share)).store(g + i);
    const X cost = v * (select(v < X(0), X(0), X(1)) - t) + log1p_of_fraction(e);  // not max(v, 0) − v·t, which cancels
    return count >= X::size ? cost : select_or_zero(X::first(count), cost);
  });
  return total / static_cast<double>(n);
}

template <class T> double squared_error(const T* x, const T* target, T* g, std::size_t n, double scale) {
  using X = Lane<T>;
  const T twice = static_cast<T>(2 * scale);
  return scale * part_sums<T>(n, [=](std::size_t i, std::size_t count) HWY_ATTR {
    const X d = X::load(x + i) - X::load(target + i);
    if (g) (X(twice) * d).store(g + i);
    return count >= X::size ? d * d : select_or_zero(X::first(count), d * d);
  });
}

// ---- optimizers -----------------------------------------------------------------------------------------------------

template <class T> void sgd(T* w, const T* g, T* v, const SgdFactors& numbers, std::size_t n) {
  using X = Lane<T>;
  const T minus_rate = static_cast<T>(-numbers.rate), momentum = static_cast<T>(numbers.momentum), decay = static_cast<T>(numbers.weight_decay);
  if (!v && decay == 0) return axpy(minus_rate, g, w, n, true);
  in_pieces(n, [=, nesterov = numbers.nesterov](std::size_t begin, std::size_t end) HWY_ATTR {
    for (std::size_t i = begin; i < end; i += X::size) {
      const X wi = X::load(w + i), s = fma(X(decay), wi, X::load(g + i));
      X step = s;
      if (v) {
        const X vi = fma(X(momentum), X::load(v + i), s);
        vi.store(v + i);
        step = nesterov ? fma(X(momentum), vi, s) : vi;
      }
      fma(X(minus_rate), step, wi).store(w + i);
    }
  });
}

template <class T> void adam(T* w, const T* g, T* m, T* v, const AdamFactors& c, std::size_t n) {
  using X = Lane<T>;
  const T rate = static_cast<T>(c.rate) / static_cast<T>(c.unbias1), unbias2 = 1 / std::sqrt(static_cast<T>(c.unbias2));
  const T epsilon = std::max(static_cast<T>(c.epsilon), std::numeric_limits<T>::min());  // a float may round it to 0: then 0/0 where g was always 0
  const T b1 = static_cast<T>(c.beta1), b2 = static_cast<T>(c.beta2), d1 = static_cast<T>(1 - c.beta1), d2 = static_cast<T>(1 - c.beta2);
  in_pieces(n, [=](std::size_t begin, std::size_t end) HWY_ATTR {
    for (std::size_t i = begin; i < end; i += X::size) {
      const X s = X::load(g + i), mi = fma(X(b1), X::load(m + i), X(d1) * s), vi = fma(X(b2), X::load(v + i), X(d2) * s * s);
      mi.store(m + i);
      vi.store(v + i);
      (X::load(w + i) - X(rate) * mi / fma(sqrt(vi), X(unbias2), X(epsilon))).store(w + i);
    }
  });
}
