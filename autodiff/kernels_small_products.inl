// Private to the kernels, read once per instruction set (kernels_targets.inl). Small products that live in registers, and the choice between these
// and the others (kernels_products.inl): `product`.
//
// When every matrix of a layer fits 64 bytes (XOR's 2-3-1 net on 4 samples does), one AVX-512 vector or two of AVX2, the general loops cost
// more than the arithmetic, and narrow stores followed by wide loads stall. Then a product is k times: spread a column of a along the rows of
// c (a permutation of the vectors), spread a row of b along the columns, multiply and add.

template <class T> constexpr std::size_t register_matrix_size = HWY_TARGET <= HWY_AVX2 ? 64 / sizeof(T) : 0;  ///< 16 floats or 8 doubles

template <class T> using Index = hwy::MakeSigned<T>;
template <class T> struct Spread { alignas(64) Index<T> row[17][16], col[17][16]; };
/// For a matrix with n columns, element number e stands in row e / n and column e % n.
template <class T> constexpr Spread<T> make_spread() {
  Spread<T> s{};
  for (std::size_t n = 1; n <= 16; ++n)
    for (std::size_t e = 0; e < 16; ++e) s.row[n][e] = static_cast<Index<T>>(e / n), s.col[n][e] = static_cast<Index<T>>(e % n);
  return s;
}
template <class T> inline constexpr Spread<T> spread = make_spread<T>();

/// A small matrix: 64 bytes in registers.
template <class T> struct RegisterMatrix {
  using X = Lane<T>;
  using DI = hn::RebindToSigned<typename X::D>;
  using I = hn::Vec<DI>;
  static constexpr std::size_t size = register_matrix_size<T>, vectors = size / X::size;
  X part[vectors];

  /// f(v) for each vector. (No loop: what is indexed by a variable lives in memory, and g++ copies it 16 bytes at a time.)
  static HWY_INLINE void each(const auto& f) {
    f(std::integral_constant<std::size_t, 0>());
    if constexpr (vectors == 2) f(std::integral_constant<std::size_t, 1>());
  }
  /// The same for those in which a number of n stands.
  static HWY_INLINE void each_of(std::size_t n, const auto& f) {
    f(std::integral_constant<std::size_t, 0>());
    if constexpr (vectors == 2) if (X::size < n) f(std::integral_constant<std::size_t, 1>());
  }
  static HWY_INLINE RegisterMatrix all(T x) { RegisterMatrix w; each([&](auto v) HWY_ATTR { w.part[v] = X(x); }); return w; }
  static HWY_INLINE RegisterMatrix load(const T* p) {
    RegisterMatrix w;
    each([&](auto v) HWY_ATTR { w.part[v] = X::load(p + v * X::size); });
    return w;
  }
  HWY_INLINE void store(T* p) const { each([&](auto v) HWY_ATTR { part[v].store(p + v * X::size); }); }
  HWY_INLINE void store(T* p, std::size_t n) const { each_of(n, [&](auto v) HWY_ATTR { part[v].store(p + v * X::size, n - v * X::size); }); }

  static HWY_INLINE I table(const Index<T>* p) { return hn::Load(DI(), p); }
  static HWY_INLINE I number(std::size_t n) { return hn::Set(DI(), static_cast<Index<T>>(n)); }
  static HWY_INLINE I times(I a, std::size_t b) {  // both below 2⁸
    const hn::Repartition<std::int32_t, DI> d;
    return b == 1 ? a : hn::BitCast(DI(), hn::Mul(hn::BitCast(d, a), hn::BitCast(d, number(b))));
  }
  /// The numbers at `index`, of which none that is wanted is behind the first vector unless `wide`.
  HWY_INLINE X pick(I index, bool wide) const {
    // The processor reads the low bits of an index alone. Highway's checked builds stop at others, wanted or not.
    const auto within = hn::IndicesFromVec(typename X::D(), HWY_IS_DEBUG_BUILD ? hn::And(index, number(X::size - 1)) : index);
    const X first = hn::TableLookupLanes(part[0].v, within);
    if constexpr (vectors == 1) return first;
    else {
      if (!wide) return first;
      const auto behind = hn::RebindMask(typename X::D(), hn::Gt(index, number(X::size - 1)));
      return hn::IfThenElse(behind, hn::TableLookupLanes(part[1].v, within), first.v);
    }
  }

  static HWY_INLINE bool fits(std::size_t m, std::size_t n, std::size_t k) {
    return m * n <= size && m * k <= size && k * n <= size && m * n * k > 0;
  }
  /// A row of n numbers in every row.
  static HWY_INLINE RegisterMatrix rows(const T* row, std::size_t n) {
    const RegisterMatrix from = load(row);
    RegisterMatrix w;
    each([&](auto v) HWY_ATTR { w.part[v] = from.pick(table(spread<T>.col[n] + v * X::size), n > X::size); });
    return w;
  }
  /// old + scale · a·b, or a·b where nothing is added
  static HWY_INLINE RegisterMatrix added(bool add, T scale, const T* old, std::size_t m, std::size_t n, std::size_t k,
                                const RegisterMatrix& a, std::size_t a_row, std::size_t a_col,
                                const RegisterMatrix& b, std::size_t b_row, std::size_t b_col) {
    if (!add || scale == 1) return product(m, n, k, a, a_row, a_col, b, b_row, b_col, add ? load(old) : all(T(0)));
    RegisterMatrix c = product(m, n, k, a, a_row, a_col, b, b_row, b_col, all(T(0)));
    const RegisterMatrix before = load(old);
    each([&](auto v) HWY_ATTR { c.part[v] = fma(X(scale), c.part[v], before.part[v]); });
    return c;
  }
  /// c + a·b for c (m, n)
  static HWY_INLINE RegisterMatrix product(std::size_t m, std::size_t n, std::size_t k, const RegisterMatrix& a, std::size_t a_row, std::size_t a_col,
                                           const RegisterMatrix& b, std::size_t b_row, std::size_t b_col, RegisterMatrix c) {
    const I a_step = number(a_col), b_step = number(b_row);
    const bool a_wide = m * k > X::size, b_wide = k * n > X::size;
    each_of(m * n, [&](auto v) HWY_ATTR {
      I ai = times(table(spread<T>.row[n] + v * X::size), a_row), bi = times(table(spread<T>.col[n] + v * X::size), b_col);
      for (std::size_t r = k; r > 0; --r, ai = hn::Add(ai, a_step), bi = hn::Add(bi, b_step))
        c.part[v] = fma(a.pick(ai, a_wide), b.pick(bi, b_wide), c.part[v]);
    });
    return c;
  }
};

/// A product that does not fit RegisterMatrix.
template <class T> void larger_product(const Product<T>& p) {
  const auto whole = [](const Product<T>& piece) {
    if (!((piece.m == 1 || piece.n == 1) && vector_product(piece))) product_of_matrices(piece);
  };
  if (p.k > longest_k) in_pieces_of_k(p, longest_k / 2, whole); else whole(p);
  if (Packing<T>::gone) [[unlikely]] Packing<T>::give_back();
}

template <class T> void product(const Product<T>& p) {
  if constexpr (register_matrix_size<T> > 0) {
    // Both operands contiguous in 64 bytes, in either order.
    const bool a_whole = (p.a_col == 1 && p.a_row == p.k) || (p.a_row == 1 && p.a_col == p.m),
        b_whole = (p.b_col == 1 && p.b_row == p.n) || (p.b_row == 1 && p.b_col == p.k);
    if (RegisterMatrix<T>::fits(p.m, p.n, p.k) && a_whole && b_whole) {
      using W = RegisterMatrix<T>;
      const W a = W::load(p.a), b = W::load(p.b);
      const W y = p.start && !p.add ? W::product(p.m, p.n, p.k, a, p.a_row, p.a_col, b, p.b_row, p.b_col, W::rows(p.start, p.n))
                                    : W::added(p.add, p.scale, p.c, p.m, p.n, p.k, a, p.a_row, p.a_col, b, p.b_row, p.b_col);
      return p.block ? y.store(p.c) : y.store(p.c, p.m * p.n);
    }
  }
  larger_product(p);
}
