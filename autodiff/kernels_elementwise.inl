// Private to the kernels, read once per instruction set (kernels_targets.inl). Rules over memory: the rule's formula on lanes is the kernel.
// A row with `lanes = false` has no SIMD formula: its loops go number by number through the scalar rule.

/// How many pieces of that size make n: the last may be smaller.
constexpr std::size_t pieces_in(std::size_t n, std::size_t size) { return (n + size - 1) / size; }

/// Below two pieces one thread is faster: a piece of cheap work (16 384 additions) takes 2 µs, handing it over 0.5 µs.
constexpr std::size_t piece_size = 1 << 14;
HWY_INLINE bool worth_sharing(std::size_t n) { return n >= 2 * piece_size && threads() > 1; }

/// f(begin, end) over 0 … n in pieces, shared by the threads. Pieces end on whole vectors and do not depend on the number of threads.
template <class F> HWY_NOINLINE void share_pieces(std::size_t n, const F& f) {
  parallel(pieces_in(n, piece_size), [&](std::size_t i) { f(i * piece_size, std::min(n, (i + 1) * piece_size)); });
}
template <class F> HWY_INLINE void in_pieces(std::size_t n, const F& f) {
  if (!worth_sharing(n)) [[likely]] return f(0, n);
  const F copy = f;  // so that what f holds stays in registers on the path above
  share_pieces(n, copy);
}

/// slope · g, and 0 where g is 0. A slope that is a constant of the rule is finite: no question.
template <class T, class S> HWY_INLINE Lane<T> scaled(const S& slope, Lane<T> g) {
  if constexpr (std::is_arithmetic_v<S>) return slope == 1 ? g : slope == -1 ? -g : slope == 0 ? Lane<T>(0) : g * Lane<T>(slope);
  else return select_or_zero(g != Lane<T>(0), g * slope);
}
template <std::floating_point T, class S> HWY_INLINE T scaled(const S& slope, T g) { return g == 0 ? T(0) : g * static_cast<T>(slope); }

// ---- one operand ----------------------------------------------------------------------------------------------------

template <class Rule, class T> [[gnu::flatten]] void map(const T* x, T* y, std::size_t n) {
  if (worth_sharing(n)) [[unlikely]] return share_pieces(n, [=](std::size_t i, std::size_t end) { map<Rule, T>(x + i, y + i, end - i); });
  if constexpr (Rule::row.lanes) for (std::size_t i = 0; i < n; i += Lane<T>::size) Rule::value(Lane<T>::load(x + i)).store(y + i);
  else for (std::size_t i = 0; i < n; ++i) y[i] = Rule::value(x[i]);
}

template <class Rule, class T> [[gnu::flatten]] void pullback(const T* x, const T* y, const T* g, T* gx, std::size_t n, bool add) {
  using X = Lane<T>;
  if (worth_sharing(n)) [[unlikely]]
    return share_pieces(n, [=](std::size_t i, std::size_t end) { pullback<Rule, T>(x + i, y + i, g + i, gx + i, end - i, add); });
  if constexpr (Rule::row.lanes) {
    const auto at = [=](std::size_t i) HWY_ATTR { return scaled(Rule::slope(X::load(x + i), X::load(y + i)), X::load(g + i)); };
    if (add) for (std::size_t i = 0; i < n; i += X::size) (X::load(gx + i) + at(i)).store(gx + i);
    else for (std::size_t i = 0; i < n; i += X::size) at(i).store(gx + i);
  } else {
    for (std::size_t i = 0; i < n; ++i) gx[i] = (add ? gx[i] : T(0)) + scaled(Rule::slope(x[i], y[i]), g[i]);
  }
}

// ---- two operands ---------------------------------------------------------------------------------------------------

/// f(i, a's vector, b's vector) for all vectors; an operand that repeats stays in a register.
template <class T, class F> HWY_INLINE void over_pairs(const T* a, const T* b, Repeats repeats, std::size_t n, const F& f) {
  using X = Lane<T>;
  if (!repeats.a && !repeats.b) [[likely]] {
    for (std::size_t i = 0; i < n; i += X::size) f(i, X::load(a + i), X::load(b + i));
  } else if (!repeats.a) {
    const X q(*b);
    for (std::size_t i = 0; i < n; i += X::size) f(i, X::load(a + i), q);
  } else if (!repeats.b) {
    const X p(*a);
    for (std::size_t i = 0; i < n; i += X::size) f(i, p, X::load(b + i));
  } else {
    const X p(*a), q(*b);
    for (std::size_t i = 0; i < n; i += X::size) f(i, p, q);
  }
}

template <class Rule, class T> [[gnu::flatten]] void zip(const T* a, const T* b, Repeats repeats, T* y, std::size_t n) {
  if (worth_sharing(n)) [[unlikely]]
    return share_pieces(n, [=](std::size_t i, std::size_t end) {
      zip<Rule, T>(a + (repeats.a ? 0 : i), b + (repeats.b ? 0 : i), repeats, y + i, end - i);
    });
  if constexpr (Rule::row.lanes) over_pairs(a, b, repeats, n, [=](std::size_t i, Lane<T> p, Lane<T> q) HWY_ATTR { Rule::value(p, q).store(y + i); });
  else for (std::size_t i = 0; i < n; ++i) y[i] = Rule::value(a[repeats.a ? 0 : i], b[repeats.b ? 0 : i]);
}

template <class C, class T> [[gnu::flatten]] void compare(const T* a, const T* b, Repeats repeats, T* y, std::size_t n) {
  using X = Lane<T>;
  if (worth_sharing(n)) [[unlikely]]
    return share_pieces(n, [=](std::size_t i, std::size_t end) {
      compare<C, T>(a + (repeats.a ? 0 : i), b + (repeats.b ? 0 : i), repeats, y + i, end - i);
    });
  over_pairs(a, b, repeats, n, [=](std::size_t i, X p, X q) HWY_ATTR { select_or_zero(C::holds(p, q), X(1)).store(y + i); });
}

template <class Rule, bool second, class X> HWY_INLINE auto slope_of(const X& a, const X& b, const X& y) {
  if constexpr (second) return Rule::right(a, b, y);
  else return Rule::left(a, b, y);
}

template <class Rule, bool second, class T>
[[gnu::flatten]] void zip_pullback(const T* a, const T* b, Repeats repeats, const T* y, const T* g, T* gx, std::size_t n, bool add) {
  using X = Lane<T>;
  if (worth_sharing(n)) [[unlikely]]
    return share_pieces(n, [=](std::size_t i, std::size_t end) {
      zip_pullback<Rule, second, T>(a + (repeats.a ? 0 : i), b + (repeats.b ? 0 : i), repeats, y + i, g + i, gx + i, end - i, add);
    });
  if constexpr (Rule::row.lanes) {
    const auto at = [=](std::size_t i, const X& p, const X& q) HWY_ATTR {
      return scaled(slope_of<Rule, second>(p, q, X::load(y + i)), X::load(g + i));
    };
    if (add) over_pairs(a, b, repeats, n, [=](std::size_t i, X p, X q) HWY_ATTR { (X::load(gx + i) + at(i, p, q)).store(gx + i); });
    else over_pairs(a, b, repeats, n, [=](std::size_t i, X p, X q) HWY_ATTR { at(i, p, q).store(gx + i); });
  } else {
    for (std::size_t i = 0; i < n; ++i)
      gx[i] = (add ? gx[i] : T(0)) + scaled(slope_of<Rule, second>(a[repeats.a ? 0 : i], b[repeats.b ? 0 : i], y[i]), g[i]);
  }
}

// ---- vectors --------------------------------------------------------------------------------------------------------

template <class T> void fill(T value, T* y, std::size_t n, bool add) {
  using X = Lane<T>;
  in_pieces(n, [=](std::size_t begin, std::size_t end) HWY_ATTR {
    if (add) for (std::size_t i = begin; i < end; i += X::size) (X::load(y + i) + X(value)).store(y + i);
    else for (std::size_t i = begin; i < end; i += X::size) X(value).store(y + i);
  });
}

template <class T> void axpy(T alpha, const T* x, T* y, std::size_t n, bool add) {
  using X = Lane<T>;
  in_pieces(n, [=](std::size_t begin, std::size_t end) HWY_ATTR {
    if (add) for (std::size_t i = begin; i < end; i += X::size) fma(X(alpha), X::load(x + i), X::load(y + i)).store(y + i);
    else for (std::size_t i = begin; i < end; i += X::size) (X(alpha) * X::load(x + i)).store(y + i);
  });
}

template <class T> void select(const T* mask, const T* a, const T* b, Repeats repeats, T* y, std::size_t n) {
  using X = Lane<T>;
  if (worth_sharing(n)) [[unlikely]]
    return share_pieces(n, [=](std::size_t i, std::size_t end) {
      select<T>(mask + i, a + (repeats.a ? 0 : i), b + (repeats.b ? 0 : i), repeats, y + i, end - i);
    });
  over_pairs(a, b, repeats, n, [=](std::size_t i, X p, X q) HWY_ATTR { select(X::load(mask + i) != X(0), p, q).store(y + i); });
}

template <class T> void select_pullback(const T* mask, bool second, const T* g, T* gx, std::size_t n, bool add) {
  using X = Lane<T>;
  in_pieces(n, [=](std::size_t begin, std::size_t end) HWY_ATTR {
    for (std::size_t i = begin; i < end; i += X::size) {
      const Truth<T> first = X::load(mask + i) != X(0);
      const X share = select_or_zero(second ? !first : first, X::load(g + i));
      (add ? X::load(gx + i) + share : share).store(gx + i);
    }
  });
}
