// Floor 2. The parts of the tape that are no templates: memory, places, texts; and the tape over double, compiled once.
#include "tape.hpp"
#include <atomic>
#include <exception>
#include <fmt/format.h>
#include <new>
#include <sys/mman.h>

namespace autodiff::inline v1 {
namespace detail {

// ---- memory ----------------------------------------------------------------------------------------------------------

/// Blocks from here on ask for pages of 2 MB: in a virtual machine, where each missed address translation is looked up twice, walks over
/// small pages cost up to half as much again (GMM, Burgers in bench/scalar).
constexpr std::size_t huge_page = std::size_t{1} << 21, large = 2 * huge_page;

void advise_huge(void* memory, std::size_t bytes) { madvise(memory, bytes / huge_page * huge_page, MADV_HUGEPAGE); }

void* reallocate(void* old, std::size_t old_bytes, std::size_t bytes) {
  void* memory;
  if (bytes < large) memory = std::realloc(old, bytes);
  else {
    memory = std::aligned_alloc(huge_page, (bytes + huge_page - 1) / huge_page * huge_page);
    if (memory) {
      advise_huge(memory, bytes);
      if (old) std::memcpy(memory, old, std::min(old_bytes, bytes));
      std::free(old);
    }
  }
  if (!memory) throw TapeError(fmt::format("tape: it needs {} bytes in one piece, and the system has no such memory; record less at a time, or rewind() parts of it", bytes));
  return memory;
}

void Arena::free_blocks() {
  for (const Block& b : blocks_) ::operator delete(b.memory, std::align_val_t(4096));
}
void Arena::use(std::size_t index) {
  current_ = index;
  before_ = 0;
  for (std::size_t i = 0; i < index; ++i) before_ += blocks_[i].size;
  begin_ = next_ = blocks_[index].memory;
  end_ = begin_ + blocks_[index].size - alignment;
}
void Arena::next_block(std::size_t bytes) {
  while (next_ && current_ + 1 < blocks_.size()) {
    use(current_ + 1);
    if (static_cast<std::size_t>(end_ - next_) >= bytes) return;
  }
  std::size_t size = blocks_.size() ? 2 * blocks_[blocks_.size() - 1].size : std::size_t{1} << 16;
  while (size < bytes + alignment) size *= 2;
  void* memory = ::operator new(size, std::align_val_t(4096), std::nothrow);
  if (!memory) throw TapeError(fmt::format("tape: its tensors need {} bytes more than the {} they have, and the system has no such memory", size, capacity()));
  blocks_.push({static_cast<char*>(memory), size});
  use(blocks_.size() - 1);
}
std::size_t Arena::capacity() const {
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < blocks_.size(); ++i) bytes += blocks_[i].size;
  return bytes;
}

// ---- nodes -----------------------------------------------------------------------------------------------------------

namespace {
void take_back(Stack<CellBase*>& handed_out) {
  for (CellBase* cell : handed_out) {
    const Handed& handed = *std::exchange(cell->handed, nullptr);
    for (Storage* copy : {handed.value, handed.adjoint}) if (copy) copy->release();
  }
  handed_out.truncate(0);
}
/// Gives back the numbers of statements from `end` on.
void let_go(Stack<Nodes<double>::Replaced>& replaced, Id end) {
  std::size_t kept = 0;
  for (const auto& one : replaced)
    if (one.of < end) replaced[kept++] = one; else one.storage->release();
  replaced.truncate(kept);
}
void set_idle(Storage& storage, bool idle) { __atomic_store_n(&storage.idle, idle, __ATOMIC_RELAXED); }
void set_idle(Shared&, bool) {}
template <class X> void let_go(Stack<X*>& kept, std::size_t from) {
  for (std::size_t i = from; i < kept.size(); ++i) {
    __atomic_store_n(&kept[i]->kept_by, Place{0}, __ATOMIC_RELAXED);  // or the next keep() would think it is still kept
    set_idle(*kept[i], false);
    kept[i]->release();
  }
  kept.truncate(from);
}
/// Lets go of what the recording that ends has not used.
template <class X> void let_go_unused(Stack<X*>& kept, Place recording) {
  std::size_t used = 0;
  for (X* object : kept) {
    const bool uses = __atomic_load_n(&object->kept_by, __ATOMIC_RELAXED) == recording;
    set_idle(*object, uses);
    if (uses) {
      kept[used++] = object;
      __atomic_store_n(&object->kept_by, ~recording, __ATOMIC_RELAXED);  // once, if it is here twice
    } else object->release();
  }
  kept.truncate(used);
}
}  // namespace

void Nodes<double>::rewind(const Mark& mark, Id end) {
  take_back(handed_out);
  let_go(storages, mark.storages);
  let_go(shared, mark.shared);
  let_go(replaced, end);
  parameter_cells.truncate(mark.parameter_cells);
  list.truncate(mark.nodes);
  arena.rewind(mark.arena);
}
void Nodes<double>::forget_all(Place next) {
  take_back(handed_out);
  let_go_unused(storages, recording);
  let_go_unused(shared, recording);
  let_go(replaced, Id{0});
  parameter_cells.truncate(0);
  list.truncate(0);
  arena.rewind({});
  first_changed = nobody;
  recording_before = ~recording;
  recording = next;
}
CellBase* Nodes<double>::cell_of(const Shared& parameter) const {
  for (std::size_t i = parameter_cells.size(); i-- > 0;)
    if (parameter_cells[i]->parameter == &parameter) return parameter_cells[i];
  return nullptr;
}
void Nodes<double>::release_all() {
  forget_all(recording);
  let_go(storages, 0);
  let_go(shared, 0);
}

// ---- places ----------------------------------------------------------------------------------------------------------

Place draw_block() {
  static std::atomic<Place> next_block{block};
  const Place first = next_block.fetch_add(block, std::memory_order_relaxed);
  if (first >= nowhere)
    throw TapeError(fmt::format("tape: {} tapes were made, each on memory of its own, the most a program may; keep threads alive, whose next tapes take the "
                                "memory of ended ones", nowhere / block));
  return first;
}

std::uint64_t new_identity() {
  static std::atomic<std::uint64_t> next{1};
  return next.fetch_add(1, std::memory_order_relaxed);
}

// ---- spare memory ----------------------------------------------------------------------------------------------------

void SpareMemory::release(void (*but_for)()) const {
  for (const auto kind : kinds) if (kind != but_for) kind();
}
SpareMemory& SpareMemory::of_this_thread() {
  static thread_local SpareMemory memory;
  return memory;
}

// ---- what is refused -------------------------------------------------------------------------------------------------

namespace {
thread_local std::exception_ptr deferred;
}
void defer_exception() noexcept { deferred = std::current_exception(); }
void throw_deferred() { std::rethrow_exception(std::exchange(deferred, nullptr)); }

void refuse_place(Place place, const char* where, Place base, Place next, Place block_end) {
  if (place == 1) throw TapeError(fmt::format("{}: this variable was moved from; assign to it before you use it again", where));  // its place is no place
  if (base == nowhere)
    throw TapeError(fmt::format("{}: a variable (at place {}) is used, but no tape records on this thread: its tape has ended, records on another thread, or a "
                                "Pause lives; keep the tape alive, or use value() for a constant", where, place));
  if (place < base && place + block >= block_end)
    throw TapeError(fmt::format("{}: this variable (at place {}) was forgotten by clear() or rewind(), or its tape has ended (this one starts at {}); make it again with "
                                "tape.variable()", where, place, base + 1));
  const std::string held = next > base + 1 ? fmt::format("the places {} to {}", base + 1, next - 1) : "nothing yet";
  throw TapeError(fmt::format("{}: this variable (at place {}) belongs to another tape (this one holds {}); use it while its own tape records (an inner gradient() sees "
                              "outer variables if its point is made of numbers of their type; derivative() always)", where, place, held));
}
void refuse_constant(const char* where) {
  throw TapeError(fmt::format("{}: the argument is a constant: nothing it was computed from is on this tape; make inputs with tape.variable(), and let no Pause "
                              "live while a net runs", where));
}
void refuse_updated() {
  throw TapeError("backward: parameters were updated in place since they were recorded, so the adjoints would mix old and new numbers; clear() and record again");
}
void refuse_late(Id id) {
  throw TapeError(fmt::format("adjoint: statement #{} was recorded after the last backward(), or there was none, or an exception stopped it; call backward() first (an auto expression is recorded anew at each use: name its type)", id));
}
void refuse_moved() {
  throw TapeError("tape: this Tape was moved from and holds no recording; use the one it was moved to");
}
void refuse_mark(bool foreign, Id id) {
  if (foreign) throw TapeError(fmt::format("rewind: the mark, at statement {}, was made on another tape", id));
  throw TapeError(fmt::format("rewind: what stood before the mark, at statement {}, is gone; a mark does not outlive clear() or a rewind() below it", id));
}
void refuse_more_statements() {
  throw TapeError(fmt::format("tape: {} statements is the most one tape holds; rewind() parts of it", most_statements));
}
void refuse_nan(Id id, const std::string& operands) {
  throw Error(fmt::format("recording: statement #{} is NaN, computed from {}; look for an argument outside of its function's domain, for inf - inf, and for a "
                          "constant that is NaN", id, operands));
}
void refuse_nan_adjoint(Id id) {
  throw Error(fmt::format("backward: the adjoint of statement #{} is NaN; look for slopes that are infinite (to_text() shows them)", id));
}

// ---- traps -----------------------------------------------------------------------------------------------------------

void trap_recorder() {
  if (active<double> != &idle<double>) active<double>->trap();
}

template struct Record<double>;
template void Record<double>::sweep_statements(const Buffer<double>&, const char*&, Id, Id);
template Record<double>* new_tape();
template void end_tape(Record<double>*);
template void tidy_tapes<double>();
template void put_on_top(Link<double>&);
template void take_out(Link<double>&);
template Link<double>* youngest();
template const Record<double>* holder_of(Place);

}  // namespace detail

namespace {
std::string readable(std::size_t bytes) {
  constexpr const char* units[] = {"B", "kB", "MB", "GB", "TB"};
  auto size = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; size >= 1000 && unit < 4; ++unit) size /= 1000;
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", size, units[unit]);
}
}  // namespace

std::string Statistics::text() const {
  return fmt::format("{} statements, {} arguments, {} nodes; {} used, {} reserved, {} at most", statements, arguments, nodes, readable(bytes), readable(reserved), readable(high_water));
}

}  // namespace autodiff::inline v1
