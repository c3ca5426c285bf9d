// Private to the kernels, read once per instruction set (kernels_targets.inl). Two-operand rules on operands that repeat along some axes.
//
// The result is walked in stretches that begin on whole vectors, so the flat kernels of kernels_elementwise.inl serve here too. An operand that
// is not contiguous there is laid out for the stretch first, in memory that stays in the first-level cache. A short row that repeats (a bias)
// is laid out once, as often as makes whole vectors.

constexpr std::size_t stretch_size = 2048;
constexpr std::size_t stretch_padding = 16;  ///< numbers past the end that may be read and written: a vector

/// One operand of a walk.
template <class T> class Strided {
 public:
  Strided(const T* data, const Broadcast& walk, const std::array<std::size_t, Shape::most_axes>& steps) : data_(data), walk_(walk), steps_(steps) {
    std::size_t natural = 1;
    for (std::size_t i = walk.axes; i-- > 0; natural *= walk.size[i]) {
      if (walk.size[i] == 1) continue;
      if (steps[i] == natural && period == natural) period *= walk.size[i];  // goes on without a gap
      else if (steps[i] != 0) gathered = true;
    }
    repeats = !gathered && period == 1 && natural > 1;
    whole = !gathered && period == natural;
  }

  bool repeats;            ///< one number throughout
  bool whole;              ///< contiguous over the whole result
  bool gathered = false;   ///< neither of them, nor a period
  std::size_t period = 1;  ///< else the first `period` numbers again and again

  /// Its numbers for results begin … begin + n: where they stand, or laid out in `room`.
  const T* stretch(std::size_t begin, std::size_t n, T* room) const {
    if (repeats) return data_;
    if (whole) return data_ + begin;
    if (gathered) return gather(begin, n, room);
    const std::size_t phase = begin ? begin % period : 0;
    if (phase + n <= period) return data_ + phase;
    copy(data_ + phase, room, period - phase);
    copy(data_, room + period - phase, std::min(n - (period - phase), phase));
    for (std::size_t done = period; done < n; done *= 2) copy(room, room + done, std::min(done, n - done));
    return room;
  }

 private:
  static void copy(const T* from, T* to, std::size_t n) {
    for (std::size_t i = 0; i < n; i += Lane<T>::size) Lane<T>::load(from + i).store(to + i);
  }
  /// Row by row along the last axis; `at` counts through the others as an odometer does.
  const T* gather(std::size_t begin, std::size_t n, T* room) const {
    std::size_t at[Shape::most_axes] = {};
    const T* from = data_;
    for (std::size_t i = walk_.axes, rest = begin; rest != 0; rest /= walk_.size[i]) --i, at[i] = rest % walk_.size[i], from += at[i] * steps_[i];
    const std::size_t last = walk_.axes - 1, step = steps_[last];
    for (std::size_t done = 0; done < n;) {
      const std::size_t length = std::min(n - done, walk_.size[last] - at[last]);
      T* const to = room + done;
      if (step == 1) copy(from, to, length);
      else if (step == 0) for (std::size_t i = 0; i < length; i += Lane<T>::size) Lane<T>(*from).store(to + i);
      else for (std::size_t i = 0; i < length; ++i) to[i] = from[i * step];
      done += length;
      from += length * step, at[last] += length;
      for (std::size_t i = last; at[i] == walk_.size[i] && i > 0; --i) {
        from -= at[i] * steps_[i], at[i] = 0;
        from += steps_[i - 1], ++at[i - 1];
      }
    }
    return room;
  }

  const T* data_;
  const Broadcast& walk_;
  const std::array<std::size_t, Shape::most_axes>& steps_;
};

inline std::size_t count_of(const Broadcast& walk) {
  std::size_t n = 1;
  for (std::size_t i = 0; i < walk.axes; ++i) n *= walk.size[i];
  return n;
}

/// f(a, b, repeats, begin, n) over stretches of the result.
template <class T, class F> void in_stretches(const Broadcast& walk, const T* a, const T* b, const F& f) {
  const std::size_t n = count_of(walk);
  if (n == 0) return;
  const Strided<T> p(a, walk, walk.a), q(b, walk, walk.b);
  const Repeats repeats{p.repeats, q.repeats};
  if ((p.repeats || p.whole) && (q.repeats || q.whole)) return f(a, b, repeats, 0, n);
  if (n <= stretch_size) {  // no divisions: of 200 ns they were 65
    alignas(64) T room_a[stretch_size + stretch_padding], room_b[stretch_size + stretch_padding];
    return f(p.stretch(0, n, room_a), q.stretch(0, n, room_b), repeats, 0, n);
  }

  // A stretch is as many periods as make whole vectors, if that is not too long: then it is laid out once. (At most one operand has a period:
  // the other has the size of the result along the first axis, and is whole or gathered.)
  constexpr std::size_t vector = 64 / sizeof(T);
  std::size_t stretch = stretch_size;
  bool again = !p.gathered && !q.gathered;  // every stretch finds the same numbers in the room
  if (again) {
    const std::size_t period = p.whole || p.repeats ? q.period : p.period, unit = std::lcm(period, vector);
    if (unit <= stretch_size) stretch = stretch_size / unit * unit;
    else if (unit == period) stretch = period;  // rows begin on whole vectors: no layout at all
    else again = false;
  }
  const std::size_t stretches = pieces_in(n, stretch), per_piece = std::max<std::size_t>(1, piece_size / stretch);
  const auto piece = [&](std::size_t i) HWY_ATTR {
    alignas(64) T room_a[stretch_size + stretch_padding], room_b[stretch_size + stretch_padding];
    const T *at_a = nullptr, *at_b = nullptr;
    for (std::size_t s = i * per_piece; s < std::min(stretches, (i + 1) * per_piece); ++s) {
      const std::size_t begin = s * stretch, length = std::min(stretch, n - begin);
      if (p.whole || !again || !at_a) at_a = p.stretch(begin, length, room_a);
      if (q.whole || !again || !at_b) at_b = q.stretch(begin, length, room_b);
      f(at_a, at_b, repeats, begin, length);
    }
  };
  const std::size_t pieces = pieces_in(stretches, per_piece);
  if (n >= 2 * piece_size) parallel(pieces, piece);
  else for (std::size_t i = 0; i < pieces; ++i) piece(i);
}

template <class T> void broadcast(typename Kernels<T>::Zip zip, const Broadcast& walk, const T* a, const T* b, T* y) {
  in_stretches(walk, a, b, [=](const T* p, const T* q, Repeats repeats, std::size_t begin, std::size_t n) { zip(p, q, repeats, y + begin, n); });
}

template <class T>
void broadcast_pullback(typename Kernels<T>::ZipPullback pull, const Broadcast& walk,
    const T* a, const T* b, const T* y, const T* g, T* gx, bool add) {
  in_stretches(walk, a, b, [=](const T* p, const T* q, Repeats repeats, std::size_t begin, std::size_t n) {
    pull(p, q, repeats, y + begin, g + begin, gx + begin, n, add);
  });
}

/// Axes kept and summed take turns: the last three go to sum_along, those before are walked.
template <class T> void sum_back_axes(const std::size_t* size, const bool* summed, std::size_t axes, const T* full, T* gx, bool add) {
  const bool ends_summed = axes > 0 && summed[axes - 1];
  if (axes <= (ends_summed ? 2u : 3u)) {
    Along along{1, 1, 1};
    for (std::size_t i = 0, after = 0; i < axes; ++i) {
      if (summed[i]) along.n = size[i], after = 1;
      else (after ? along.inner : along.outer) = size[i];
    }
    return sum_along(full, gx, along, add);
  }
  std::size_t inside = 1, kept = 1;
  for (std::size_t i = 1; i < axes; ++i) inside *= size[i], kept *= summed[i] ? 1 : size[i];
  for (std::size_t i = 0; i < size[0]; ++i, full += inside, gx += summed[0] ? 0 : kept)
    sum_back_axes(size + 1, summed + 1, axes - 1, full, gx, add || (summed[0] && i > 0));
}

template <class T> void sum_back(const Broadcast& walk, const T* full, bool second, T* gx, bool add) {
  std::size_t size[Shape::most_axes], kept = 1, axes = 0, all = 1;
  bool summed[Shape::most_axes];
  for (std::size_t i = 0; i < walk.axes; ++i) {
    if (walk.size[i] == 1) continue;
    const bool sums = (second ? walk.b : walk.a)[i] == 0;
    all *= walk.size[i], kept *= sums ? 1 : walk.size[i];
    if (axes > 0 && summed[axes - 1] == sums) size[axes - 1] *= walk.size[i];
    else size[axes] = walk.size[i], summed[axes++] = sums;
  }
  if (all > 0) sum_back_axes(size, summed, axes, full, gx, add);
  else if (!add) std::fill_n(gx, kept, T(0));
}
