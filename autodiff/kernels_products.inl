// Private to the kernels, read once per instruction set (kernels_targets.inl). Products of matrices that do not fit 64 bytes (those that do:
// kernels_small_products.inl). Start reading at `product_of_matrices`.
//
// A tile of `high` rows × `wide` vectors of c stays in registers while k runs. b is read along rows: a panel of `wide` vectors is packed
// first (and so transposed where needed), unless few rows would profit. Each number of c is the sum of one chain of multiply–adds in ascending
// order for each piece of k, whatever the tiling and the number of threads: the same digits always. (Times below: Zen 3, AVX2;
// `tensor_gbench --benchmark_filter=layer` in bench/.)

#if HWY_TARGET <= HWY_AVX3
constexpr std::size_t tile_rows = 8, tile_vectors = 3;  // 24 + 3 of 32 registers; a's numbers are operands in memory
#elif HWY_TARGET <= HWY_AVX2
constexpr std::size_t tile_rows = 4, tile_vectors = 3;  // 12 + 3 + 1 of 16
#else
constexpr std::size_t tile_rows = 4, tile_vectors = 2;  // 8 + 2 + 1 of 16, and products of their own: there is no multiply–add
#endif
template <class T> constexpr std::size_t panel_width = tile_vectors * Lane<T>::size;

/// A matrix to be read: where it stands and its steps, from one row to the next, from one column, from one group of tile_rows rows.
template <class T> struct View { const T* data; std::size_t row, col, group; };

/// A c beyond this size that is added to is fetched one tile ahead. (Of 2048 × 2048 with k = 32: −9 to −15 %; up to 4 MB ±1 %; of 64 × 32 +4 %.)
constexpr std::size_t fetched_bytes = std::size_t{8} << 20;

template <std::size_t high, std::size_t wide, class T>
HWY_INLINE void tile(const Product<T>& p, std::size_t i, std::size_t j, View<T> left, const T* HWY_RESTRICT b, std::size_t b_row, std::size_t width,
    bool fetch_next = false) {
  using X = Lane<T>;
  X c[high][wide];
  const T* HWY_RESTRICT a = left.data;
  T* HWY_RESTRICT out = p.c + i * p.n + j;
  for (std::size_t r = 0; r < high; ++r)
    for (std::size_t v = 0; v < wide; ++v)
      c[r][v] = p.start && !p.add ? X::load(p.start + j + v * X::size) : X(T(0));
  if (fetch_next)
    for (std::size_t r = high; r < 2 * high; ++r) {
      __builtin_prefetch(out + r * p.n, 1);
      __builtin_prefetch(out + r * p.n + wide * X::size - 1, 1);
    }
  const std::size_t a_row = left.row, a_col = left.col, a_group = left.group;
  // (Unrolled, beside a busy neighbour on the core −3 %, −10 % where a tile is narrow; alone ±1 %: d in bench/training −2 %.)
#pragma GCC unroll 4
  for (std::size_t k = p.k; k > 0; --k, a += a_col, b += b_row) {
    X bk[wide];
    for (std::size_t v = 0; v < wide; ++v) bk[v] = X::load(b + v * X::size);
    for (std::size_t r = 0; r < high; ++r) {
      const X ark(a[r / tile_rows * a_group + r % tile_rows * a_row]);
      for (std::size_t v = 0; v < wide; ++v) c[r][v] = fma(ark, bk[v], c[r][v]);
    }
  }
  if (p.add)
    for (std::size_t r = 0; r < high; ++r)
      for (std::size_t v = 0; v < wide; ++v) c[r][v] = fma(X(p.scale), c[r][v], X::load(out + r * p.n + v * X::size));
  for (std::size_t r = 0; r < high; ++r) {
    for (std::size_t v = 0; v + 1 < wide; ++v) c[r][v].store(out + r * p.n + v * X::size);
    c[r][wide - 1].store(out + r * p.n + (wide - 1) * X::size, width - (wide - 1) * X::size);
  }
}

/// Rows i … end of one panel. `packed_a`: these rows in groups of tile_rows, each as k times tile_rows numbers; or null. Of a narrow panel eight rows
/// are taken at a time: chains enough that none waits for its own last multiply–add. (4 wait: 784 × 64 × 128 and 64 × 784 × 128 took 4 % longer.)
template <std::size_t wide, class T>
HWY_NOINLINE void panel(const Product<T>& p, std::size_t i, std::size_t end,
    std::size_t j, const T* packed_a, const T* b, std::size_t b_row, std::size_t width) {
  const auto rows = [&](std::size_t r) HWY_ATTR { return View<T>{p.a + r * p.a_row, p.a_row, p.a_col, tile_rows * p.a_row}; };
  const bool fetch_next = p.add && p.m * p.n * sizeof(T) > fetched_bytes;
  const auto tiles = [&]<std::size_t high>(std::integral_constant<std::size_t, high>) HWY_ATTR {
    for (; i + high <= end; i += high) {
      tile<high, wide>(p, i, j, packed_a ? View<T>{packed_a, 1, tile_rows, tile_rows * p.k} : rows(i), b, b_row, width, fetch_next);
      if (packed_a) packed_a += high * p.k;
    }
  };
  if constexpr (wide == 1 && tile_rows < 8) tiles(std::integral_constant<std::size_t, 8>());
  tiles(std::integral_constant<std::size_t, tile_rows>());
  if (tile_rows > 4 && i + 4 <= end) tile<4, wide>(p, i, j, rows(i), b, b_row, width), i += 4;
  if (i + 2 <= end) tile<2, wide>(p, i, j, rows(i), b, b_row, width), i += 2;
  if (i < end) tile<1, wide>(p, i, j, rows(i), b, b_row, width);
}

// ---- packing --------------------------------------------------------------------------------------------------------

/// use(its number of vectors, as a constant) of a panel so wide.
template <class T> HWY_INLINE void with_vectors(std::size_t width, const auto& use) {
  constexpr std::size_t L = Lane<T>::size;
  if (tile_vectors > 2 && width > 2 * L) use(std::integral_constant<std::size_t, tile_vectors>());
  else if (width > L) use(std::integral_constant<std::size_t, 2>());
  else use(std::integral_constant<std::size_t, 1>());
}

/// Rows into a panel. (With the vectors of a row counted as they come a product of 32 to 128 rows took 2 to 7 % longer.)
template <std::size_t vectors, class T> HWY_INLINE void copy_rows(const T* in, std::size_t in_row, T* out, std::size_t rows) {
  using X = Lane<T>;
  for (; rows > 0; --rows, in += in_row, out += panel_width<T>)
    for (std::size_t v = 0; v < vectors; ++v) X::load(in + v * X::size).store(out + v * X::size);
}

/// Columns j0 … j1 of b as panels: in each, its rows of panel_width numbers follow each other. A few rows at a time, so that a line that two
/// panels share is fetched once.
template <class T> void pack(const Product<T>& p, std::size_t j0, std::size_t j1, T* packed) {
  constexpr std::size_t row = panel_width<T>;
  const std::size_t few = p.b_col == 1 ? 16 : 64;
  for (std::size_t k0 = 0; k0 < p.k; k0 += few) {
    const std::size_t k1 = std::min(p.k, k0 + few);
    for (std::size_t j = j0; j < j1; j += row) {
      const std::size_t width = std::min(row, j1 - j);
      const T* b = p.b + k0 * p.b_row + j * p.b_col;
      T* out = packed + (j - j0) * p.k + k0 * row;
      if (p.b_col == 1) {
        with_vectors<T>(width, [&](auto vectors) HWY_ATTR { copy_rows<vectors>(b, p.b_row, out, k1 - k0); });
      } else if (p.b_row == 1) {
        transpose_block(b, p.b_col, out, row, width, k1 - k0);
      } else {
        for (std::size_t k = k0; k < k1; ++k, b += p.b_row, out += row)
          for (std::size_t c = 0; c < width; ++c) out[c] = b[c * p.b_col];
      }
    }
  }
}

/// Memory for packed operands, kept between calls, and given back when the thread ends.
template <class T> struct Packing {
  struct Room {
    T* memory;
    std::size_t size;
    void give_back() { ::operator delete[](std::exchange(memory, nullptr), std::align_val_t(64)), size = 0; }
  };
  static inline thread_local constinit Room rooms[2]{};
  static inline thread_local constinit bool gone = false;  ///< what is static, and ends later, may still multiply: then nothing is kept
  struct AtTheEnd { ~AtTheEnd() { gone = true, give_back(); } };

  static void give_back() { for (Room& room : rooms) room.give_back(); }
  static T* memory(std::size_t n, int which) {
    Room& room = rooms[which];
    if (n > room.size) {
      static thread_local AtTheEnd at_the_end;  // function-local: g++ 12 never destroys thread_local templates
      (void)at_the_end;
      room.give_back();
      room.memory = static_cast<T*>(::operator new[](sizeof(T) * (n + n / 2), std::align_val_t(64)));
      room.size = n + n / 2;
      std::fill_n(room.memory, room.size, T(0));  // the surplus lanes of a panel are not written, but computed with: no denormal numbers
    }
    return room.memory;
  }
};

/// A transposed a is read down its columns, one page per k: copy its tiles so that they lie in a row; all of them at each k, so that a line is
/// fetched once (4 % of a weight gradient of 512 × 512), and so many k at a time that a line is written once (1 to 2 %).
template <class T> const T* pack_tiles(const Product<T>& p, std::size_t i, std::size_t end) {
  T* const packed = Packing<T>::memory((end - i) * p.k, 1);
  const std::size_t step = p.a_col, group = p.k * tile_rows,  // copied: else read again after each store, which might change p
      whole = (end - i) / tile_rows * tile_rows;
  const T* a = p.a + i;
  T* to = packed;
  std::size_t left = p.k;
  const auto copy = [&]<std::size_t few>(std::integral_constant<std::size_t, few>) HWY_ATTR {
    for (; left >= few; left -= few, a += few * step, to += few * tile_rows) {
      T* out = to;
      for (const T* in = a; in != a + whole; in += tile_rows, out += group)
        for (std::size_t k = 0; k < few; ++k) std::copy_n(in + k * step, tile_rows, out + k * tile_rows);
    }
  };
  copy(std::integral_constant<std::size_t, std::max<std::size_t>(1, 64 / (tile_rows * sizeof(T)))>());
  copy(std::integral_constant<std::size_t, 1>());
  return packed;
}

// ---- the whole product ----------------------------------------------------------------------------------------------

/// Columns j0 … j1 of rows i0 … i1, 64 rows at a time, so that a's rows stay in the first-level cache over the panels.
template <class T> void product_block(const Product<T>& p, std::size_t i0, std::size_t i1, std::size_t j0, std::size_t j1, bool packing) {
  constexpr std::size_t full = panel_width<T>, rows = 64;
  T* const packed = packing ? Packing<T>::memory((j1 - j0 + full) * p.k + full, 0) : nullptr;
  if (packing) pack(p, j0, j1, packed);
  for (std::size_t i = i0; i < i1; i += rows) {
    const std::size_t end = std::min(i1, i + rows);
    const T* packed_a = p.a_row == 1 && p.a_col != 1 && j1 - j0 > 4 * full && p.k >= 16 ? pack_tiles(p, i, end) : nullptr;
    for (std::size_t j = j0; j < j1; j += full) {
      const std::size_t width = std::min(full, j1 - j);
      const T* b = packed ? packed + (j - j0) * p.k : p.b + j;
      const std::size_t b_row = packed ? full : p.b_row;
      with_vectors<T>(width, [&](auto vectors) HWY_ATTR { panel<vectors>(p, i, end, j, packed_a, b, b_row, width); });
    }
  }
}

constexpr std::size_t split_work = 200'000;                      ///< multiply–adds from which threads share a product: ≈ 4 µs of one
/// How much of b is packed at a time: it stays in the second-level cache while a passes. (All of b at once: d in bench/training +6 %.)
constexpr std::size_t packed_bytes = std::size_t{256} << 10;

/// The product in blocks of columns; and of rows, where threads share the work and there are not columns enough for all of them.
template <class T> void product_in_blocks(const Product<T>& p, bool packing) {
  constexpr std::size_t full = panel_width<T>;
  const std::size_t panels = pieces_in(p.n, full), workers = p.m * p.n * p.k > split_work ? threads() : 1;
  const std::size_t enough = packing ? pieces_in(panels * full * p.k * sizeof(T) / packed_bytes + 1, workers) * workers : 1;
  // Of one thread whole panels; of several the same work, for the last to end is waited for. (Two threads, 784 × 512 and the like: −4 to −8 %.)
  const std::size_t step = workers == 1 ? full : Lane<T>::size;
  const std::size_t columns = pieces_in(pieces_in(p.n, step), std::min(panels, enough)) * step, blocks = pieces_in(p.n, columns);
  const std::size_t parts = std::min(pieces_in(p.m, 16), pieces_in(workers, blocks)), rows = pieces_in(pieces_in(p.m, parts), 16) * 16;
  parallel(blocks * pieces_in(p.m, rows), [&](std::size_t piece) {
    const std::size_t i = piece / blocks * rows, j = piece % blocks * columns;
    product_block(p, i, std::min(p.m, i + rows), j, std::min(p.n, j + columns), packing);
  });
}

/// A long k goes in pieces, so that a packed block is wide enough: else a line or two are read of each row of b, every row on another page, and few
/// rows of a do not make up for that. (m × 2048 × 2048: m = 16 −30 %, 32 −20 %, 128 −7 %, 256 nothing; where k is 784 or 512: +2 %.)
constexpr std::size_t long_k = 1024, piece_of_k = 512, few_rows = 128;
/// A longer one goes in pieces whatever the other sizes: a packed panel fits the second-level cache, and memory for it does not grow with k; and no
/// chain is so long that what is added to it gets lost. (Float, k = 10⁶, all numbers equal: in one chain 1 % of the sum.)
constexpr std::size_t longest_k = 8192;

/// f(piece) for pieces of k, `most` long at most and nearly of one size; all but the first are added.
template <class T> void in_pieces_of_k(const Product<T>& p, std::size_t most, const auto& f) {
  const std::size_t size = pieces_in(p.k, pieces_in(p.k, most));
  Product<T> piece = p;
  if (!p.add) piece.scale = 1;
  for (std::size_t k = 0; k < p.k; k += size, piece.add = true) {
    piece.k = std::min(size, p.k - k);
    piece.a = p.a + k * p.a_col;
    piece.b = p.b + k * p.b_row;
    f(piece);
  }
}

/// From how many rows of a on a b whose rows are contiguous is packed, too: more, if the caches hold b. (Packed, m × 1024 × 1024 takes at m = 4 50 %
/// more, at 8 14 % more, at 13 13 % less; m × 2048 × 2048 at m = 4 28 % less, at 8 23 %.)
template <class T> std::size_t least_rows(const Product<T>& p) { return p.k * p.n * sizeof(T) < std::size_t{8} << 20 ? 4 * tile_rows : tile_rows; }

template <class T> void product_of_matrices(const Product<T>& p) {
  if (p.m == 0 || p.n == 0) return;
  const bool packing = p.b_col != 1 || (p.n > 4 * panel_width<T> && p.m >= least_rows(p));
  if (p.k >= long_k && p.m <= few_rows && p.b_col == 1)
    in_pieces_of_k(p, piece_of_k, [packing](const Product<T>& piece) { product_in_blocks(piece, packing); });
  else product_in_blocks(p, packing);
}

// ---- vectors --------------------------------------------------------------------------------------------------------
// One row or one column: nothing is used twice, so nothing is packed. These have orders of addition of their own, fixed by k alone.

/// c(i) = from(i) + scale · Σₖ a(i, k) · x(k), for rows of a that are contiguous: lanes run along k. `from` is walked by `from_step`; null: 0.
template <class T>
void row_dots(const T* a, std::size_t a_row, const T* x, T* c, std::size_t m, std::size_t k, const T* from, std::size_t from_step, T scale) {
  using X = Lane<T>;
  constexpr std::size_t high = 4;
  const auto rows = [=]<std::size_t h>(std::size_t i, std::integral_constant<std::size_t, h>) HWY_ATTR {
    X s[h][2];
    const T* ai[h];
    for (std::size_t r = 0; r < h; ++r) s[r][0] = s[r][1] = X(0), ai[r] = a + (i + r) * a_row;
    std::size_t j = 0;
    for (; j + 2 * X::size <= k; j += 2 * X::size) {
      const X x0 = X::load(x + j), x1 = X::load(x + j + X::size);
      for (std::size_t r = 0; r < h; ++r) s[r][0] = fma(X::load(ai[r] + j), x0, s[r][0]), s[r][1] = fma(X::load(ai[r] + j + X::size), x1, s[r][1]);
    }
    for (; j < k; j += X::size) {
      const X x0 = X::load_or(x + j, k - j, T(0));
      for (std::size_t r = 0; r < h; ++r) s[r][0] = fma(X::load_or(ai[r] + j, k - j, T(0)), x0, s[r][0]);
    }
    for (std::size_t r = 0; r < h; ++r) c[i + r] = (from ? from[(i + r) * from_step] : T(0)) + scale * sum(s[r][0] + s[r][1]);
  };
  in_row_pieces(m, k, 1, [=](std::size_t begin, std::size_t end) HWY_ATTR {
    std::size_t i = begin;
    for (; i + high <= end; i += high) rows(i, std::integral_constant<std::size_t, high>());
    for (; i < end; ++i) rows(i, std::integral_constant<std::size_t, 1>());
  });
}

/// A row times b, whose rows are contiguous: tiles of one row, so wide that the multiply–adds need not wait for each other.
template <class T> void row_product(const Product<T>& p) {
  constexpr std::size_t L = Lane<T>::size, wide = 8 * L;
  const auto columns = [&](std::size_t begin, std::size_t end) HWY_ATTR {
    const View<T> left{p.a, p.a_row, p.a_col, 0};
    std::size_t j = begin;
    for (; j + wide <= end; j += wide) tile<1, 8>(p, 0, j, left, p.b + j, p.b_row, wide);
    if (j + 4 * L <= end) tile<1, 4>(p, 0, j, left, p.b + j, p.b_row, 4 * L), j += 4 * L;
    if (j + 2 * L <= end) tile<1, 2>(p, 0, j, left, p.b + j, p.b_row, 2 * L), j += 2 * L;
    for (; j < end; j += L) tile<1, 1>(p, 0, j, left, p.b + j, p.b_row, end - j);
  };
  if (p.n * p.k <= split_work || threads() == 1) return columns(0, p.n);
  parallel(pieces_in(p.n, wide), [&](std::size_t i) { columns(i * wide, std::min(p.n, (i + 1) * wide)); });
}

/// The numbers of x, `step` apart, in a row.
template <class T> const T* contiguous(const T* x, std::size_t step, std::size_t n) {
  if (step == 1 || n == 1) return x;
  T* const row = Packing<T>::memory(n + Lane<T>::size, 1);
  for (std::size_t i = 0; i < n; ++i) row[i] = x[i * step];
  return row;
}

/// Products with one row or one column, where the memory's order allows it; else false.
template <class T> bool vector_product(const Product<T>& p) {
  const T* const from = p.add ? p.c : p.start;
  const T scale = p.add ? p.scale : T(1);
  if (p.m == 1 && p.b_col == 1 && p.n > 1) return row_product(p), true;
  if (p.m == 1 && p.b_row == 1) return row_dots(p.b, p.b_col, contiguous(p.a, p.a_col, p.k), p.c, p.n, p.k, from, 1, scale), true;
  if (p.n == 1 && p.a_col == 1) return row_dots(p.a, p.a_row, contiguous(p.b, p.b_row, p.k), p.c, p.m, p.k, from, p.add ? 1 : 0, scale), true;
  if (p.n == 1 && p.a_row == 1) {  // its transpose
    if (p.start && !p.add) std::fill_n(p.c, p.m, *p.start);
    return row_product(Product<T>{.m = 1, .n = p.m, .k = p.k, .a = p.b, .a_row = 0, .a_col = p.b_row, .b = p.a, .b_row = p.a_col, .b_col = 1,
                                  .c = p.c, .add = from != nullptr, .scale = scale}), true;
  }
  return false;
}
