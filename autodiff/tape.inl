// Floor 2. What of tape.hpp need not be inlined: growth, forgetting, the walk backwards, and the list of a thread's tapes.
// For double it is compiled once, in tape.cpp; for tapes over other scalars wherever they are used.

namespace autodiff::inline v1::detail {

// ---- recording -------------------------------------------------------------------------------------------------------

template <class Scalar> [[gnu::noinline, gnu::cold]] bool Record<Scalar>::grow(std::size_t n) noexcept try {
  const std::size_t used_now = used(), ids_left = most_statements - count();
  if (ids_left == 0) refuse_more_statements();
  const std::size_t wanted = used_now + n * most_bytes<Scalar> + 2 * slack;
  if (arguments.capacity() < wanted) arguments.grow(std::max({2 * arguments.capacity(), wanted, 4 * slack}));
  next = arguments.data() + used_now;
  last = next + std::min({arguments.capacity() - used_now - slack, ids_left * sizeof(Word<Scalar>), longest - slack});
  if (nan_traps) trap();
  return true;
} catch (...) {
  defer_exception();
  return false;
}

template <class Scalar> [[gnu::noinline]] Place Record<Scalar>::record_slowly(const Scalar& value, std::size_t n, const Scalar* slopes, Place* places) noexcept try {
  if (Record& tape = recorder<Scalar>(); &tape != this) return tape.record_slowly(value, n, slopes, places);
  for (std::size_t k = 0; k < n; ++k) places[k] = id_of(places[k], "recording");
  if (base == nowhere) return 0;  // all are constants, and `idle`, which all threads share, must not grow
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

template <class Scalar> [[gnu::cold]] void Record<Scalar>::look_for_nan(const Scalar& value, std::size_t n, const Scalar* slopes, const Place* ids) const {
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

template <class Scalar> [[gnu::cold]] void Record<Scalar>::look_for_nan_in_adjoints() const {
  for (Id id = static_cast<Id>(swept); id-- > 1;)
    if (holds_nan(adjoints.data()[id])) refuse_nan_adjoint(id);
}

// ---- forgetting ------------------------------------------------------------------------------------------------------

template <class Scalar> typename Record<Scalar>::Mark Record<Scalar>::mark() const {
  Mark mark{count(), used(), place_of(count() - 1), born, {}};
  if constexpr (Nodes<Scalar>::possible) mark.nodes = nodes.mark();
  return mark;
}

template <class Scalar> void Record<Scalar>::forget(const Mark& mark) {
  high_water = std::max(high_water, bytes());
  const auto kept_below = [this](std::size_t i) { return i ? kept[i - 1].end : Id{1}; };
  std::size_t n = kept.size();
  while (n > 0 && kept_below(n - 1) >= mark.id) --n;  // all of it is forgotten
  if (n > 0 && kept[n - 1].end > mark.id) kept[n - 1].end = mark.id;
  kept.truncate(n);
  if (kept_below(n) < mark.id) kept.push({base, mark.id});
  base = place;
  if (base + longest > block_end) [[unlikely]] {
    base = draw_block();
    block_end = base + block;
  }
  place = base + mark.id;
  next = arguments.data() + mark.bytes;
  if (arguments.capacity() > most_statements * sizeof(Word<Scalar>)) [[unlikely]] last = next;  // grow() counts anew how many the ids allow
  swept = 0;
  if constexpr (Nodes<Scalar>::possible) {
    if (mark.id == 1) nodes.forget_all(base);
    else nodes.rewind(mark.nodes, mark.id);
  }
}

template <class Scalar> std::size_t Record<Scalar>::bytes() const {
  std::size_t bytes = used() + (swept ? swept * sizeof(Scalar) : 0);
  if constexpr (Nodes<Scalar>::possible) bytes += nodes.bytes();
  return bytes;
}

template <class Scalar> std::size_t Record<Scalar>::reserved() const {
  std::size_t bytes = arguments.capacity() + adjoints.capacity() * sizeof(Scalar) + eight_adjoints.capacity() * sizeof(Batch<double, 8>);
  if constexpr (Nodes<Scalar>::possible) bytes += nodes.reserved();
  return bytes;
}

template <class Scalar> std::size_t Record<Scalar>::argument_count() const {
  std::size_t n = 0;
  for (const char* a = next; a != arguments.data();) give_back<Scalar>(a, Scalar(1), [&](Id, const Scalar&) { ++n; });
  return n;
}

// ---- the walk backwards ----------------------------------------------------------------------------------------------

template <class Scalar> Scalar* Record<Scalar>::fresh_adjoints() {
  if constexpr (Nodes<Scalar>::possible) if (nodes.updated != Nodes<Scalar>::nobody) refuse_updated();
  const std::size_t n = count();
  if (adjoints.capacity() < n) [[unlikely]] adjoints.grow(std::max(n, 2 * adjoints.capacity()));
  std::fill_n(adjoints.data(), n, Scalar(0));
  swept = n;
  if constexpr (Nodes<Scalar>::possible) nodes.walk.rewind({}), ++nodes.sweep;
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
template <class Scalar> template <class W> [[gnu::aligned(64)]] void Record<Scalar>::sweep_statements(const Buffer<W>& buffer, const char*& arguments_end, Id statement, Id stop) {
  W* const adjoint = buffer.data();
  const char* a = arguments_end;
  W next_adjoint = adjoint[statement - 1];
  while (statement > stop) {
    --statement;
    const W w = next_adjoint;
    ask_for<1>(&adjoint[statement], -ahead);
    adjoint[statement] = w;
    next_adjoint = adjoint[statement - 1];
    // 0 · ∞ is 0 on the way back: a root of 0 that nobody uses poisons nothing.
    [[maybe_unused]] const auto none = [&] { if constexpr (std::is_same_v<W, Scalar>) return is_zero(w); else return false; }();  // take_part asks
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

template <class Scalar> void Record<Scalar>::sweep() {
  const char* a = next;
  Id statement = count();
  const auto back_to = [&](Id stop) {
    pass_variables<Scalar>(a, statement, stop);
    if (statement != stop) sweep_statements(adjoints, a, statement, stop);
  };
  if constexpr (Nodes<Scalar>::possible)
    for (std::size_t i = nodes.list.size(); i-- > 0;) {
      Node& node = nodes.list[i];
      back_to(node.id + 1);
      statement = node.id;
      a -= sizeof(Word<Scalar>);
      if (node.out ? node.out->swept == nodes.sweep : adjoints.data()[node.id] != 0) node.pullback(*this, node);
    }
  back_to(1);
  if (nan_traps) [[unlikely]] look_for_nan_in_adjoints();
}

template <class Scalar> void Record<Scalar>::jacobian_rows(std::span<const Id> ys, std::span<const Id> xs, Scalar* rows) requires std::same_as<Scalar, double> {
  const std::size_t n = count();
  if (eight_adjoints.capacity() < n) eight_adjoints.grow(std::max(n, 2 * eight_adjoints.capacity()));
  auto* const adjoint = eight_adjoints.data();
  std::fill_n(adjoint, n, 0.0);
  for (std::size_t k = 0; k < ys.size(); ++k) if (ys[k] != 0) adjoint[ys[k]].set(k, 1);
  const char* a = next;
  Id statement = static_cast<Id>(n);
  pass_variables<Scalar>(a, statement, 1);
  if (statement != 1) sweep_statements(eight_adjoints, a, statement, 1);
  for (std::size_t k = 0; k < ys.size(); ++k)
    for (const Id x : xs) *rows++ = adjoint[x][k];
}

// ---- the tapes of this thread ----------------------------------------------------------------------------------------

/// Every thread's list, and records that ended, kept for its next tape: their pages are warm. (Of new pages the first touch costs more than
/// what is written there: batches on 140 MB, Burgers and GMM in bench/scalar, took three times as long when large records were given back.)
template <class Scalar> struct ThreadTapes {
  static constexpr std::size_t most_spare = 8, most_spare_bytes = std::size_t{512} << 20;  ///< of this kind; of all kinds
  Link<Scalar>* top = nullptr;
  struct Spare { Record<Scalar>* record; std::size_t bytes; };
  std::vector<Spare> spare;
  SpareMemory& all_spare = SpareMemory::of_this_thread();
  std::uint64_t seen = 0;  ///< of ended_elsewhere

  ThreadTapes() { all_spare.kinds.push_back(&release_spare); }
  ~ThreadTapes() {
    gone = true;
    while (top) {
      Record<Scalar>* const record = std::exchange(top, top->below)->record;
      let_go(record, disown(record));
    }
    active<Scalar> = &idle<Scalar>;
    release(spare.size());
    spare = std::vector<Spare>();  // a static object that ends later may still take a derivative
  }
  /// A list owns the records in it: one that is at home here once, however often it is linked. (Atomic operations wait for all that was stored
  /// before. Two less, and no walk through the list: record() 15 ns -> 4, among 20 tapes 43 -> 4.)
  void own(Record<Scalar>* record) { if (record->home != this || record->links++ == 0) __atomic_fetch_add(&record->owners, 1, __ATOMIC_RELAXED); }
  /// A link of the record was taken out; the owners that left with it.
  std::uint32_t disown(Record<Scalar>* record) { return record->home != this || --record->links == 0; }
  void put_on_top(Link<Scalar>& link) {
    link.below = std::exchange(top, &link);
    settle();
  }
  bool unlink(Link<Scalar>& link) {
    Link<Scalar>** at = &top;
    while (*at && *at != &link) at = &(*at)->below;
    if (!*at) return false;
    *at = link.below;
    return true;
  }
  /// Some owners leave; if there are no others, the record is free. (Nobody comes who was not there: then no atomic operation is needed.)
  static void let_go(Record<Scalar>* record, std::uint32_t owners) {
    if (owners == 0) return;
    const bool all = __atomic_load_n(&record->owners, __ATOMIC_ACQUIRE) == owners;
    if (!all && __atomic_sub_fetch(&record->owners, owners, __ATOMIC_ACQ_REL) != 0) return;
    if (gone) { delete record; return; }
    record->forget({});
    if constexpr (Nodes<Scalar>::possible) record->nodes.release_all();
    of_this_thread().keep(record);
  }
  /// The youngest is the likeliest to fit what comes next: where it is too much, other kinds go, then the oldest.
  void keep(Record<Scalar>* record) {
    spare.push_back({record, record->reserved()});
    all_spare.bytes += spare.back().bytes;
    if (all_spare.bytes > most_spare_bytes) all_spare.release(&release_spare);
    while (spare.size() > most_spare || all_spare.bytes > most_spare_bytes) release(1);
  }
  Record<Scalar>* take() {
    const Spare youngest = spare.back();
    spare.pop_back();
    all_spare.bytes -= youngest.bytes;
    return youngest.record;
  }
  /// Gives back the oldest n of what is kept.
  void release(std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) all_spare.bytes -= spare[i].bytes, delete spare[i].record;
    spare.erase(spare.begin(), spare.begin() + static_cast<std::ptrdiff_t>(n));
  }
  static void release_spare() { if (!gone) of_this_thread().release(of_this_thread().spare.size()); }
  /// Lets the top one record, of those that have not ended on another thread.
  void settle() {
    if (__atomic_load_n(&ended_elsewhere, __ATOMIC_ACQUIRE) != seen) [[unlikely]] tidy();
    active<Scalar> = top ? top->record : &idle<Scalar>;
    if (nan_traps && active<Scalar> != &idle<Scalar>) [[unlikely]] active<Scalar>->trap();
  }
  /// Takes out tapes that have ended on another thread.
  void tidy() {
    seen = __atomic_load_n(&ended_elsewhere, __ATOMIC_ACQUIRE);
    for (Link<Scalar>** link = &top; *link;) {
      Record<Scalar>* const record = (*link)->record;
      if (!__atomic_load_n(&record->ended, __ATOMIC_ACQUIRE)) { link = &(*link)->below; continue; }
      *link = (*link)->below;
      let_go(record, disown(record));
    }
  }
  static ThreadTapes& of_this_thread() {  // a function's static: g++ 12 forgets to destroy thread_local variable templates
    static thread_local ThreadTapes tapes;
    return tapes;
  }
  static inline thread_local constinit bool gone = false;  ///< this thread is ending, and its list has
  static inline constinit std::uint64_t ended_elsewhere = 0;  ///< tapes of the program that ended on another thread than their own
};

template <class Scalar> void tidy_tapes() {
  auto& tapes = ThreadTapes<Scalar>::of_this_thread();
  tapes.tidy();
  tapes.settle();
}
template <class Scalar> void put_on_top(Link<Scalar>& link) {
  auto& tapes = ThreadTapes<Scalar>::of_this_thread();
  tapes.own(link.record);
  tapes.put_on_top(link);
}
template <class Scalar> void take_out(Link<Scalar>& link) {
  if (ThreadTapes<Scalar>::gone) return;
  auto& tapes = ThreadTapes<Scalar>::of_this_thread();
  if (tapes.unlink(link)) tapes.let_go(link.record, tapes.disown(link.record));
  tapes.settle();
}
template <class Scalar> Record<Scalar>* new_tape() {
  auto& tapes = ThreadTapes<Scalar>::of_this_thread();
  Record<Scalar>* record;
  if (tapes.spare.empty()) {
    record = new Record<Scalar>;
    record->base = record->place = 0;
    record->forget({});
  } else record = tapes.take();
  record->owners = 2;  // the Tape and the list
  record->home = &tapes;
  record->links = 1;
  record->ended = false;
  record->high_water = 0;
  record->born = record->base;
  record->link.record = record;
  tapes.put_on_top(record->link);
  return record;
}
template <class Scalar> void end_tape(Record<Scalar>* record) {
  auto* const tapes = ThreadTapes<Scalar>::gone ? nullptr : &ThreadTapes<Scalar>::of_this_thread();
  std::uint32_t owners = 1;
  if (tapes && tapes->unlink(record->link)) {
    owners += tapes->disown(record);
    tapes->settle();
  } else {  // its list is another thread's: leave a record that holds nothing
    record->base = nowhere;
    record->kept.truncate(0);
    record->last = record->next;
    __atomic_store_n(&record->ended, true, __ATOMIC_RELEASE);
    __atomic_fetch_add(&ThreadTapes<Scalar>::ended_elsewhere, 1, __ATOMIC_RELEASE);
  }
  ThreadTapes<Scalar>::let_go(record, owners);
}
template <class Scalar> Link<Scalar>* youngest() { return ThreadTapes<Scalar>::gone ? nullptr : ThreadTapes<Scalar>::of_this_thread().top; }
template <class Scalar> const Record<Scalar>* holder_of(Place place) {
  for (const Link<Scalar>* link = youngest<Scalar>(); link; link = link->below)
    if (link->record->stands(place)) return link->record;
  return nullptr;
}

extern template struct Record<double>;
extern template Record<double>* new_tape();
extern template void end_tape(Record<double>*);
extern template void tidy_tapes<double>();
extern template void put_on_top(Link<double>&);
extern template void take_out(Link<double>&);
extern template Link<double>* youngest();
extern template const Record<double>* holder_of(Place);

}  // namespace autodiff::inline v1::detail

namespace autodiff::inline v1 {

template <class Scalar>
Tensor<double> BasicTape<Scalar>::jacobian(std::span<const Var<Scalar>> ys, std::span<const Var<Scalar>> xs) requires std::same_as<Scalar, double> {
  Record& record = held();
  std::vector<Id> outputs, inputs;
  for (const auto& y : ys) outputs.push_back(record.id_of(y.place(), "jacobian"));
  for (const auto& x : xs) inputs.push_back(active_id(x.place(), "jacobian"));
  Tensor<double> rows = Tensor<double>::uninitialized(Shape({ys.size(), xs.size()}));
  double* to = rows.mutable_data();
  const bool together = record.nodes.list.size() == 0;
  for (std::size_t k = 0; k < ys.size();) {
    const std::size_t n = together ? std::min<std::size_t>(8, ys.size() - k) : 1;
    if (n > 1) record.jacobian_rows(std::span(outputs).subspan(k, n), inputs, to);
    else {
      double* const adjoint = record.fresh_adjoints();
      if (outputs[k]) adjoint[outputs[k]] = 1;
      record.sweep();
      for (std::size_t i = 0; i < inputs.size(); ++i) to[i] = record.adjoints.data()[inputs[i]];
    }
    to += n * inputs.size(), k += n;
  }
  record.swept = 0;
  ++record.nodes.sweep;
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
