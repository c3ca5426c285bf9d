// Private to the kernels, read once per instruction set (kernels_targets.inl). What a layer does: act(x·w + bias), and its adjoints.

template <class Rule> constexpr bool bare = std::is_same_v<Rule, Identity>;  ///< a layer without activation

template <class Rule, class T> [[gnu::flatten]] void affine_in_registers(const Affine<T>& p) {
  using W = RegisterMatrix<T>;
  const W z = W::product(p.m, p.n, p.k, W::load(p.x), p.k, 1, W::load(p.w), p.n, 1, p.bias ? W::rows(p.bias, p.n) : W::all(T(0)));
  W::each_of(p.m * p.n, [&](auto v) HWY_ATTR { Rule::value(z.part[v]).store(p.y + v * W::X::size); });
}

template <class Rule, class T> void affine(const Affine<T>& p) {
  if constexpr (register_matrix_size<T> > 0 && Rule::row.lanes)
    if (RegisterMatrix<T>::fits(p.m, p.n, p.k)) return affine_in_registers<Rule, T>(p);
  const Product<T> product{.m = p.m, .n = p.n, .k = p.k, .a = p.x, .a_row = p.k, .a_col = 1,
      .b = p.w, .b_row = p.n, .b_col = 1, .c = p.y, .start = p.bias};
  larger_product(product);
  if constexpr (!bare<Rule>) map<Rule, T>(p.y, p.y, p.m * p.n);
}

template <class Rule, class T> [[gnu::flatten]] void affine_in_registers_pullback(const Affine<T>& p, const AffineAdjoints<T>& g) {
  using W = RegisterMatrix<T>;
  const W y = W::load(p.y), gy = W::load(g.gy), zero = W::all(T(0));
  W gz;
  W::each([&](auto v) HWY_ATTR { gz.part[v] = scaled(Rule::slope(y.part[v], y.part[v]), gy.part[v]); });
  if (g.gbias) W::product(1, p.n, p.m, W::all(T(1)), 0, 0, gz, p.n, 1, g.add_bias ? W::load(g.gbias) : zero).store(g.gbias);
  if (g.gx) W::product(p.m, p.k, p.n, gz, p.n, 1, W::load(p.w), 1, p.n, g.add_x ? W::load(g.gx) : zero).store(g.gx);
  if (g.gw) W::product(p.k, p.n, p.m, W::load(p.x), 1, p.k, gz, p.n, 1, g.add_w ? W::load(g.gw) : zero).store(g.gw);
}

/// What remains when gz is known.
template <class T> HWY_NOINLINE void affine_adjoints(const Affine<T>& p, const AffineAdjoints<T>& g, const T* gz) {
  if (g.gbias) sum_along(gz, g.gbias, Along{1, p.m, p.n}, g.add_bias);
  if (g.gx)  // (M,N)·(K,N)ᵀ → (M,K)
    product(Product<T>{.m = p.m, .n = p.k, .k = p.n, .a = gz, .a_row = p.n, .a_col = 1,
        .b = p.w, .b_row = 1, .b_col = p.n, .c = g.gx, .add = g.add_x});
  if (g.gw)  // (M,K)ᵀ·(M,N) → (K,N)
    product(Product<T>{.m = p.k, .n = p.n, .k = p.m, .a = p.x, .a_row = 1, .a_col = p.k,
        .b = gz, .b_row = p.n, .b_col = 1, .c = g.gw, .add = g.add_w});
}

template <class Rule, class T> void affine_pullback(const Affine<T>& p, const AffineAdjoints<T>& g) {
  if constexpr (register_matrix_size<T> > 0 && Rule::row.lanes)
    if (RegisterMatrix<T>::fits(p.m, p.n, p.k)) return affine_in_registers_pullback<Rule, T>(p, g);
  if constexpr (bare<Rule>) return affine_adjoints(p, g, g.gy);
  else {
    pullback<Rule, T>(p.y, p.y, g.gy, g.gz, p.m * p.n, false);
    affine_adjoints(p, g, static_cast<const T*>(g.gz));
  }
}
