// Private to the kernels, read once per instruction set (kernels_targets.inl). The transpose of a matrix, and of a part of one.

/// out(c, r) = in(r, c) for a matrix whose rows are contiguous, in blocks that fit 128-bit vectors: 4 × 4 floats, 2 × 2 doubles.
template <class T> void transpose_block(const T* in, std::size_t in_row, T* out, std::size_t out_row, std::size_t rows, std::size_t cols) {
  std::size_t r = 0;
#if HWY_TARGET != HWY_SCALAR
  constexpr std::size_t step = 16 / sizeof(T);
  const hn::FixedTag<T, step> d;
  for (; r + step <= rows; r += step) {
    const T* s = in + r * in_row;
    std::size_t c = 0;
    for (; c + step <= cols; c += step, s += step) {
      T* const o = out + c * out_row + r;
      if constexpr (step == 4) {
        const hn::RepartitionToWide<decltype(d)> w;
        const auto r0 = hn::LoadU(d, s), r1 = hn::LoadU(d, s + in_row), r2 = hn::LoadU(d, s + 2 * in_row), r3 = hn::LoadU(d, s + 3 * in_row);
        const auto low01 = hn::BitCast(w, hn::InterleaveLower(d, r0, r1)), high01 = hn::BitCast(w, hn::InterleaveUpper(d, r0, r1));
        const auto low23 = hn::BitCast(w, hn::InterleaveLower(d, r2, r3)), high23 = hn::BitCast(w, hn::InterleaveUpper(d, r2, r3));
        hn::StoreU(hn::BitCast(d, hn::InterleaveLower(w, low01, low23)), d, o);
        hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(w, low01, low23)), d, o + out_row);
        hn::StoreU(hn::BitCast(d, hn::InterleaveLower(w, high01, high23)), d, o + 2 * out_row);
        hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(w, high01, high23)), d, o + 3 * out_row);
      } else {
        const auto r0 = hn::LoadU(d, s), r1 = hn::LoadU(d, s + in_row);
        hn::StoreU(hn::InterleaveLower(d, r0, r1), d, o);
        hn::StoreU(hn::InterleaveUpper(d, r0, r1), d, o + out_row);
      }
    }
    for (; c < cols; ++c, ++s)
      for (std::size_t i = 0; i < step; ++i) out[c * out_row + r + i] = s[i * in_row];
  }
#endif
  for (; r < rows; ++r)
    for (std::size_t c = 0; c < cols; ++c) out[c * out_row + r] = in[r * in_row + c];
}

template <class T> void transpose(const T* x, T* y, std::size_t m, std::size_t n) {
  constexpr std::size_t block = 32;  // 32 lines of the output stay in the first-level cache
  const auto strip = [=](std::size_t s) {
    for (std::size_t j = 0; j < n; j += block)
      transpose_block(x + s * block * n + j, n, y + j * m + s * block, m, std::min(block, m - s * block), std::min(block, n - j));
  };
  const std::size_t strips = pieces_in(m, block);
  if (m * n >= 2 * piece_size) parallel(strips, strip);
  else for (std::size_t s = 0; s < strips; ++s) strip(s);
}
