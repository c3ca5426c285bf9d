// Floor 2. The tapes of a thread: which of them records, who owns a record, and where ended ones go.
//
// Each thread has a list of its tapes; the one on top records. A record is owned by whoever may still reach it, and who goes last frees it:
//     its Tape                                until that ends, on whatever thread
//     the list of the thread that made it     once, however many links of it (Tape, Recording) are in that list
//     the list of another thread              once for each Recording there
// Who ends first is anybody's guess:
//     the Tape, on its own thread             its link is taken out, and the record kept as spare memory for the thread's next tape
//     the Tape, on another thread             leaves a record that holds nothing and is marked `ended`; its own thread takes it out when it next
//                                             makes, ends or resumes a tape
//     the Tape, before a Recording of it      likewise: that records no more
//     the thread, before the Tape             its list lets go of all records; the Tape owns its own alone then
// Start reading at `ThreadTapes`.

namespace autodiff::inline v1::detail {

/// Every thread's list, and records that ended, kept for its next tape: their pages are warm. (Of new pages the first touch costs more than
/// what is written there: batches on 140 MB, Burgers and GMM in bench/scalar, took three times as long when large records were given back.)
template <class Scalar> struct ThreadTapes {
  static constexpr std::size_t most_spare = 8, most_spare_bytes = std::size_t{512} << 20;  ///< records of this kind; bytes of all kinds together
  Link<Scalar>* top = nullptr;
  struct Spare { Record<Scalar>* record; std::size_t bytes; };
  std::vector<Spare> spare;
  SpareMemory& all_spare = SpareMemory::of_this_thread();
  std::uint64_t seen = 0;  ///< of ended_elsewhere

  ThreadTapes() {
    spare.reserve(most_spare + 1);  // keep() is called by destructors
    all_spare.kinds.push_back(&release_spare);
  }
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
  std::uint32_t disown(Record<Scalar>* record) { return record->home != this || --record->links == 0 ? 1 : 0; }
  void put_on_top(Link<Scalar>& link) {
    link.below = std::exchange(top, &link);
    choose_recorder();
  }
  bool unlink(Link<Scalar>& link) {
    Link<Scalar>** at = &top;
    while (*at && *at != &link) at = &(*at)->below;
    if (!*at) return false;
    *at = link.below;
    return true;
  }
  /// Gives up so many ownerships; the last one frees the record. (If the number read is ours, nobody else is left who could join or leave: no atomic
  /// operation is needed.)
  static void let_go(Record<Scalar>* record, std::uint32_t owners) {
    if (owners == 0) return;
    const bool all = __atomic_load_n(&record->owners, __ATOMIC_ACQUIRE) == owners;
    if (!all && __atomic_sub_fetch(&record->owners, owners, __ATOMIC_ACQ_REL) != 0) return;
    if (gone) { delete record; return; }
    record->forget(record->beginning);
    if constexpr (Nodes<Scalar>::possible) record->nodes.release_kept();
    of_this_thread().keep(record);
  }
  /// Keeps an ended record. The youngest is used again first, as the likeliest to fit. Over the limit, other kinds'
  /// records go, then the oldest of this kind.
  void keep(Record<Scalar>* record) {
    spare.push_back({record, record->reserved()});
    all_spare.bytes += spare.back().bytes;
    if (all_spare.bytes > most_spare_bytes) all_spare.release(&release_spare);
    while (spare.size() > most_spare || all_spare.bytes > most_spare_bytes) release(1);
  }
  /// For what begins.
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
  void choose_recorder() {
    if (__atomic_load_n(&ended_elsewhere, __ATOMIC_ACQUIRE) != seen) [[unlikely]] tidy();
    active<Scalar> = top ? top->record : &idle<Scalar>;
    if (nan_traps && active<Scalar> != &idle<Scalar>) [[unlikely]] active<Scalar>->close();
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
  tapes.choose_recorder();
}
template <class Scalar> void put_on_top(Link<Scalar>& link) {
  auto& tapes = ThreadTapes<Scalar>::of_this_thread();
  tapes.own(link.record);
  tapes.put_on_top(link);
}
template <class Scalar> void take_out(Link<Scalar>& link) {
  auto& tapes = ThreadTapes<Scalar>::of_this_thread();
  if (tapes.unlink(link)) tapes.let_go(link.record, tapes.disown(link.record));
  tapes.choose_recorder();
}
template <class Scalar> Record<Scalar>* new_tape() {
  auto& tapes = ThreadTapes<Scalar>::of_this_thread();
  Record<Scalar>* record;
  if (tapes.spare.empty()) {
    record = new Record<Scalar>;
    record->shift = record->place = 0;
    record->forget(record->beginning);
  } else record = tapes.take();
  record->owners = 2;  // the Tape and the list
  record->home = &tapes;
  record->links = 1;
  record->ended = false;
  record->high_water = 0;
  record->born = record->base();
  record->link.record = record;
  tapes.put_on_top(record->link);
  return record;
}
template <class Scalar> void end_tape(Record<Scalar>* record) {
  auto& tapes = ThreadTapes<Scalar>::of_this_thread();
  const std::uint32_t owners = 1 + (tapes.unlink(record->link) ? tapes.disown(record) : 0);
  if (__atomic_load_n(&record->owners, __ATOMIC_ACQUIRE) != owners) {  // a list still has a link of it: leave a record that holds nothing
    record->shift = nowhere;
    record->kept.truncate(0), record->older_base = record->older_end = 0;
    record->last = record->next;
    __atomic_store_n(&record->ended, true, __ATOMIC_RELEASE);
    __atomic_fetch_add(&ThreadTapes<Scalar>::ended_elsewhere, 1, __ATOMIC_RELEASE);
  }
  tapes.choose_recorder();  // takes out links of this thread's own
  ThreadTapes<Scalar>::let_go(record, owners);
}
template <class Scalar> void Record<Scalar>::require_parameters_here() const {
  for (const Link<Scalar>* at = youngest<Scalar>(); at; at = at->below) if (at->record == this) return;
  if (first_parameter(nodes.list)) refuse_foreign_walk();
}
template <class Scalar> Link<Scalar>* youngest() { return ThreadTapes<Scalar>::gone ? nullptr : ThreadTapes<Scalar>::of_this_thread().top; }
template <class Scalar> Record<Scalar>* holder_of(Place place) {
  for (const Link<Scalar>* link = youngest<Scalar>(); link; link = link->below)
    if (link->record->stands(place)) return link->record;
  return nullptr;
}

extern template Record<double>* new_tape();
extern template void end_tape(Record<double>*);
extern template void tidy_tapes<double>();
extern template void put_on_top(Link<double>&);
extern template void take_out(Link<double>&);
extern template Link<double>* youngest();
extern template Record<double>* holder_of(Place);

}  // namespace autodiff::inline v1::detail
