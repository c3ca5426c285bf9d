// Floor 2. What of tape.hpp need not be inlined: growth, forgetting, the walks backwards and forwards, Jacobians, statistics.
// For double it is compiled once, in tape.cpp; for tapes over other scalars wherever they are used.

namespace autodiff::inline v1::detail {

// ---- recording ------------------------------------------------------------------------------------------------------

template <class Scalar> [[gnu::noinline, gnu::cold]] bool Record<Scalar>::grow(std::size_t n) noexcept try {
  const std::size_t used_now = used(), ids_left = most_statements - count();
  if (walking) refuse_walking();
  if (ids_left == 0) refuse_more_statements();
  const std::size_t wanted = used_now + n * argument_bytes<Scalar> + 2 * slack;
  if (arguments.capacity() < wanted) arguments.grow(std::max({2 * arguments.capacity(), wanted, 4 * slack}));
  next = arguments.data() + used_now;
  last = next + std::min(arguments.capacity() - used_now - slack, ids_left * sizeof(Word<Scalar>));
  if (nan_traps) close();
  return true;
} catch (...) {
  defer_exception();
  return false;
}

template <class Scalar>
[[gnu::noinline]] Place Record<Scalar>::record_mixed(const Scalar& value, std::size_t n, const Scalar* slopes, Place* places) noexcept {
  if (!has_room(n)) [[unlikely]] return record_slowly(value, n, slopes, places);
  char* at = next;
  for (std::size_t k = 0; k < n; ++k) {
    const Place id = standing_id(places[k]);
    if (id >= id_limit) [[unlikely]] return record_slowly(value, n, slopes, places);
    if (id != 0) put<Scalar>(at, static_cast<Id>(id) | (at == next ? first_argument : 0), slopes[k]);
  }
  next = at;
  return place++;
}

template <class Scalar>
[[gnu::noinline]] Place Record<Scalar>::record_slowly(const Scalar& value, std::size_t n, const Scalar* slopes, Place* places) noexcept try {
  if (Record& tape = recorder<Scalar>(); &tape != this) return tape.record_slowly(value, n, slopes, places);
  for (std::size_t k = 0; k < n; ++k) places[k] = id_of(places[k], "recording");
  if (shift == nowhere) return 0;  // all are constants, and `idle`, which all threads share, must not grow
  if (nan_traps) look_for_nan(value, n, slopes, places);
  if (!has_room(n) && !grow(n)) return refused;
  char* at = next;
  for (std::size_t k = 0; k < n; ++k)
    if (places[k] != 0) put<Scalar>(at, static_cast<Id>(places[k]) | (at == next ? first_argument : 0), slopes[k]);
  if (at == next) return 0;
  next = at;
  return place++;
} catch (...) {
  defer_exception();
  return refused;
}

template <class Scalar>
[[gnu::cold]] void Record<Scalar>::look_for_nan(const Scalar& value, std::size_t n, const Scalar* slopes, const Place* ids) const {
  bool found = false, variables = false;
  std::string operands;
  for (std::size_t k = 0; k < n; ++k) {
    if (ids[k] == 0) continue;
    const bool here = holds_nan(slopes[k]);
    found |= here, variables = true;
    operands += text(here ? "{}#{} (whose slope is NaN)" : "{}#{}", {operands.empty() ? "" : ", ", ids[k]});
  }
  if (variables && (found || holds_nan(value))) refuse_nan(count(), operands);
}

template <class Scalar> template <class W> [[gnu::cold]] void Record<Scalar>::look_for_nan_in_adjoints(const W* adjoint, std::size_t n) {
  for (Id id = static_cast<Id>(n); id-- > 1;)
    if (holds_nan(adjoint[id])) refuse_nan_adjoint(id);
}

// ---- forgetting -----------------------------------------------------------------------------------------------------

template <class Scalar> typename Record<Scalar>::Mark Record<Scalar>::mark() const {
  Mark mark{count(), used(), place_of(count() - 1), born, {}};
  if constexpr (Nodes<Scalar>::possible) mark.nodes = nodes.mark();
  return mark;
}

template <class Scalar> void Record<Scalar>::keep_below(Id end) {
  const auto kept_below = [this](std::size_t i) { return i ? kept[i - 1].end : Id{1}; };
  std::size_t n = kept.size();
  while (n > 0 && kept_below(n - 1) >= end) --n;  // all of it is forgotten
  if (n > 0 && kept[n - 1].end > end) kept[n - 1].end = end;
  kept.truncate(n);
  if (kept_below(n) < end) kept.push({base(), end});
}

template <class Scalar> void Record<Scalar>::forget(const Mark& mark) {
  if (walking) [[unlikely]] refuse_walking();
  high_water = std::max(high_water, bytes());
  if (mark.id == 1) kept.truncate(0); else keep_below(mark.id);
  older_base = older_end = 0;
  if (kept.size() == 1) older_base = kept[0].base, older_end = kept[0].end;
  if (place + id_limit > block_end) [[unlikely]] {
    place = draw_block();
    block_end = place + block;
  }
  shift = -place;
  place += mark.id;
  next = arguments.data() + mark.bytes;
  if (arguments.capacity() > most_statements * sizeof(Word<Scalar>)) [[unlikely]] last = next;  // grow() counts anew how many the ids allow
  adjoint_count = 0;
  if constexpr (Nodes<Scalar>::possible) {
    nodes.walk_memory.rewind({});
    if (mark.id == 1) nodes.forget_all(base());
    else {
      nodes.rewind(mark.nodes, mark.id);
      if (nodes.first_changed != nodes.nobody && !stands(nodes.first_changed)) nodes.first_changed = nodes.nobody;
    }
  }
}

template <class Scalar> std::size_t Record<Scalar>::bytes() const {
  std::size_t bytes = used() + adjoint_count * sizeof(Scalar);
  if constexpr (Nodes<Scalar>::possible) bytes += nodes.bytes();
  return bytes;
}

template <class Scalar> std::size_t Record<Scalar>::reserved() const {
  std::size_t bytes = arguments.capacity() + adjoints.capacity() * sizeof(Scalar) + wide_adjoints.capacity() * sizeof(Batch<double, 8>);
  if constexpr (Nodes<Scalar>::possible) bytes += nodes.reserved();
  return bytes;
}

template <class Scalar> std::size_t Record<Scalar>::argument_count() const {
  std::size_t n = 0;
  for (const char* a = next; a != arguments.data();) give_back<Scalar>(a, Scalar(1), [&](Id, const Scalar&) { ++n; });
  return n;
}

// ---- the walk backwards ---------------------------------------------------------------------------------------------

template <class Scalar> Scalar* Record<Scalar>::fresh_adjoints() {
  if constexpr (Nodes<Scalar>::possible) {
    if (walking) [[unlikely]] refuse_walking();
    if (nodes.first_changed != Nodes<Scalar>::nobody) refuse_updated();
    if (this != active<Scalar>) [[unlikely]] require_parameters_here();
  }
  const std::size_t n = count();
  adjoint_count = 0;  // until a walk has come to its end
  if (adjoints.capacity() < n) [[unlikely]] adjoints.renew(std::max(n, 2 * adjoints.capacity()));
  std::fill_n(adjoints.data(), n, Scalar(0));
  if constexpr (Nodes<Scalar>::possible) nodes.walk_memory.rewind({}), ++nodes.walk_number, nodes.walk_time = ++walks;
  return adjoints.data();
}

/// w == 0, without a second branch for NaN: Rosenbrock −8 %. Of batches, lane by lane; of variables, the constant 0.
[[gnu::always_inline]] inline bool is_zero(double w) { return __builtin_bit_cast(std::uint64_t, w) << 1 == 0; }
template <class Scalar> [[gnu::always_inline]] inline auto is_zero(const Scalar& w) {
  if constexpr (is_plain_nest<Scalar>) return vanishes(w);
  else if constexpr (requires { { is_zero(w.value()) } -> std::same_as<bool>; w.place(); }) return w.place() == 0 && is_zero(w.value());
  else return false;
}

// Aligned, or its time depends on where the linker puts it: k-means took 172 to 252 µs in six programs, aligned 176 to 184.
// Statements are counted in 64 bits: the compiler copies a 32-bit count before each use as an index. (That, and no prefetch of adjoints, which the
// processor foresees: −2 % on Zen 3 over fifteen problems; Speelpenning and Lax-Wendroff −10 %, k-means +3 %, GMM with its 14 MB of adjoints ±0.
// Those of lanes, eight times as many bytes, it does not: GMM in lanes +27 % without.)
template <class Scalar> template <class W>
[[gnu::aligned(64)]] void Record<Scalar>::walk_statements(const Buffer<W>& buffer, const char*& arguments_end, std::size_t statement,
    std::size_t stop) {
  W* const adjoint = buffer.data();
  const char* a = arguments_end;
  W next_adjoint = adjoint[statement - 1];
  while (statement > stop) {
    --statement;
    const W w = next_adjoint;
    if constexpr (sizeof(W) > sizeof(double)) prefetch<1>(&adjoint[statement], -prefetch_distance);
    adjoint[statement] = w;
    next_adjoint = adjoint[statement - 1];
    // 0 · ∞ is 0 on the way back: a root of 0 that nobody uses poisons nothing. (Of adjoints side by side, take_part sees to it, by W::scaled.)
    [[maybe_unused]] const auto none = [&] { if constexpr (std::is_same_v<W, Scalar>) return is_zero(w); else return false; }();
    constexpr bool one_answer = std::is_same_v<decltype(none), const bool>;  // else one for each lane of a batch
    if constexpr (one_answer)
      if (none) {
        give_back<Scalar>(a, w, [](Id, const W&) {});
        continue;
      }
    const bool gave = give_back<Scalar>(a, w, [&](std::size_t to, const W& part) __attribute__((always_inline)) {
      if constexpr (one_answer) {
        if (to == statement - 1) next_adjoint += part; else adjoint[to] += part;
      } else {
        const W some = select(none, W(0), part);
        if (to == statement - 1) next_adjoint += some; else adjoint[to] += some;
      }
    });
    if (!gave) {  // a variable, and mostly others before it: they have their adjoints (a recording that begins with 1000: 0.9 µs of 5)
      pass_variables<Scalar>(a, statement, stop);
      next_adjoint = adjoint[statement - 1];
    }
  }
  adjoint[stop - 1] = next_adjoint;
  arguments_end = a;
}

template <class Scalar> void Record<Scalar>::walk_back() {
  const char* a = next;
  std::size_t statement = count();
  const auto back_to = [&](std::size_t stop) {
    pass_variables<Scalar>(a, statement, stop);
    if (statement != stop) walk_statements(adjoints, a, statement, stop);
  };
  if constexpr (Nodes<Scalar>::possible)
    for (std::size_t i = nodes.list.size(); i-- > 0;) {
      Node& node = nodes.list[i];
      back_to(node.id + 1);
      statement = node.id;
      a -= sizeof(Word<Scalar>);
      if (node.out ? node.out->walk == nodes.walk_number : adjoints.data()[node.id] != 0) node.pullback(*this, node);
    }
  back_to(1);
  if (nan_traps) [[unlikely]] look_for_nan_in_adjoints(adjoints.data(), count());
  adjoint_count = count();
}

template <class Scalar> Batch<double, 8>* Record<Scalar>::room_for_eights() {
  const std::size_t n = count();
  if (wide_adjoints.capacity() < n) wide_adjoints.renew(std::max(n, 2 * wide_adjoints.capacity()));
  high_water = std::max(high_water, bytes() + n * sizeof(Batch<double, 8>));
  return wide_adjoints.data();
}

template <class Scalar> template <std::size_t width>
void Record<Scalar>::jacobian_rows(std::span<const Id> ys, std::span<const Id> xs, Scalar* rows) requires std::same_as<Scalar, double> {
  const std::size_t n = count();
  auto* const adjoint = room_for_eights();
  std::fill_n(adjoint, n, 0.0);
  for (std::size_t k = 0; k < ys.size(); ++k) if (ys[k] != 0) adjoint[ys[k]].set(k, 1);
  const char* a = next;
  std::size_t statement = n;
  pass_variables<Scalar>(a, statement, 1);
  if (statement != 1) walk_statements(wide_adjoints, a, statement, 1);
  if (nan_traps) [[unlikely]] look_for_nan_in_adjoints(adjoint, n);
  for (std::size_t k = 0; k < ys.size(); ++k)
    for (const Id x : xs) *rows++ = adjoint[x][k];
}

template <class Scalar> std::vector<const char*> Record<Scalar>::ends() const {
  std::vector<const char*> ends(count());
  const char* a = next;
  for (std::size_t id = ends.size(); --id > 0;) {
    ends[id] = a;
    give_back<Scalar>(a, Scalar(1), [](Id, const Scalar&) {});
  }
  return ends;
}

// (Not inlined: there the loop runs out of registers, hand tracking +10 %.)
template <class Scalar> template <std::size_t width>
[[gnu::noinline]] bool Record<Scalar>::jacobian_columns(std::span<const Id> ys, std::span<const Id> xs,
    std::span<const char* const> ends, Scalar* columns, std::size_t n)
    requires std::same_as<Scalar, double> {
  const auto input_after = [&](Id id) {
    Id first = count();
    for (const Id x : xs) if (x > id) first = std::min(first, x);
    return first;
  };
  auto* const tangent = room_for_eights();
  tangent[0] = 0.0;
  Id input = input_after(0);
  for (Id id = 1, end = count(); id < end; ++id) {
    Batch<double, 8> sum = 0.0;
    const char* a = ends[id];
    give_back<double>(a, 1.0, [&](std::size_t from, double slope) __attribute__((always_inline)) { sum += slope * tangent[from]; });
    tangent[id] = sum;
    if (id == input) [[unlikely]] {
      for (std::size_t k = 0; k < xs.size(); ++k) if (xs[k] == id) tangent[id].set(k, 1);
      input = input_after(id);
    }
  }
  Batch<double, 8> all = 0.0;  // 0 unless a number is infinite or NaN: then NaN
  for (const Id y : ys) {
    all += tangent[y] - tangent[y];
    if (xs.size() == 8) tangent[y].to(columns);
    else for (std::size_t k = 0; k < xs.size(); ++k) columns[k] = tangent[y][k];
    columns += n;
  }
  return all.total() == 0;
}

extern template struct Record<double>;

}  // namespace autodiff::inline v1::detail

namespace autodiff::inline v1 {

template <class Scalar> template <std::size_t width>
Tensor<double> BasicTape<Scalar>::jacobian(std::span<const Var<Scalar>> ys, std::span<const Var<Scalar>> xs) requires std::same_as<Scalar, double> {
  Record& record = held();
  if (record.walking) [[unlikely]] detail::refuse_walking();
  const std::vector<Id> outputs = output_ids(ys, "jacobian"), inputs = input_ids(xs, "jacobian");
  Tensor<double> rows = Tensor<double>::uninitialized(Shape({ys.size(), xs.size()}));
  const bool numbers_only = record.nodes.list.size() == 0;
  const auto eights = [](std::size_t n) { return (n + 7) / 8; };
  // Fewer rows are quicker one by one. (2, 3, 4 of 2000 statements: 7.8, 11.3, 15 µs; eight together 12.4 with SSE2, 7.6 with AVX.)
  constexpr std::size_t least_together = width > 16 ? 3 : 4;
  const auto columns_forwards = [&](double* to) {
    const auto ends = record.ends();
    bool finite = true;
    for (std::size_t i = 0; i < xs.size(); i += 8)
      finite &= record.template jacobian_columns<width>(outputs,
          std::span(inputs).subspan(i, std::min<std::size_t>(8, xs.size() - i)), ends, to + i, xs.size());
    return finite;
  };
  const auto row_backwards = [&](Id output, double* to) {
    double* const adjoint = record.fresh_adjoints();
    if (output) adjoint[output] = 1;
    record.walk_back();
    for (const Id input : inputs) *to++ = record.adjoints.data()[input];
  };
  const auto rows_backwards = [&](double* to) {
    for (std::size_t k = 0, n; k < ys.size(); k += n, to += n * xs.size()) {
      const std::size_t left = ys.size() - k;
      n = numbers_only && left >= least_together ? std::min<std::size_t>(8, left) : 1;
      if (n > 1) record.template jacobian_rows<width>(std::span(outputs).subspan(k, n), inputs, to); else row_backwards(outputs[k], to);
    }
  };
  const bool columns_are_fewer = eights(xs.size()) + 1 < eights(ys.size());  // + 1: the walk that finds the ends
  const bool forwards = numbers_only && columns_are_fewer && !detail::nan_traps;
  // Where a number is not finite, again: on the way back 0 · ∞ is 0.
  if (!forwards || !columns_forwards(rows.mutable_data())) rows_backwards(rows.mutable_data());
  record.adjoint_count = 0;
  ++record.nodes.walk_number;
  return rows;
}

template <class Scalar> Statistics BasicTape<Scalar>::statistics() const {
  Statistics s;
  s.statements = held().count() - 1;
  s.arguments = held().argument_count();
  s.bytes = held().bytes();
  s.reserved = held().reserved();
  if constexpr (detail::Nodes<Scalar>::possible) s.nodes = held().nodes.list.size();
  s.high_water = std::max(held().high_water, s.bytes);
  return s;
}

}  // namespace autodiff::inline v1
