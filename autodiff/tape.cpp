// Floor 2. The parts of the tape that are no templates: places, spare memory, texts; and the tape over double, compiled once.
#include "tape.hpp"
#include <atomic>
#include <exception>
#include <fmt/format.h>

namespace autodiff::inline v1 {
namespace detail {

// ---- places ---------------------------------------------------------------------------------------------------------

Place draw_block() {
  static std::atomic<Place> next_block{block};
  const Place first = next_block.fetch_add(block, std::memory_order_relaxed);
  if (first >= nowhere)
    throw TapeError(fmt::format(
        "tape: {} tapes were made, each on memory of its own, the most a program may; keep threads alive, whose next tapes take the "
        "memory of ended ones", nowhere / block));
  return first;
}

std::uint64_t new_identity() {
  static std::atomic<std::uint64_t> next{1};
  return next.fetch_add(1, std::memory_order_relaxed);
}

// ---- spare memory ---------------------------------------------------------------------------------------------------

void SpareMemory::release(void (*but_for)()) const {
  for (const auto kind : kinds) if (kind != but_for) kind();
}
SpareMemory& SpareMemory::of_this_thread() {
  static thread_local SpareMemory memory;
  return memory;
}

// ---- what is refused ------------------------------------------------------------------------------------------------

namespace {
thread_local std::exception_ptr deferred;
}
void defer_exception() noexcept { deferred = std::current_exception(); }
void throw_deferred() { std::rethrow_exception(std::exchange(deferred, nullptr)); }

void refuse_place(Place place, const char* where, Place base, Place next, Place block_end) {
  if (place == moved_away) throw TapeError(fmt::format("{}: this variable was moved from; assign to it before you use it again", where));
  if (base == nowhere)
    throw TapeError(fmt::format(
        "{}: a variable (at place {}) is used, but no tape records on this thread: its tape has ended, records on another thread, or a "
        "Pause lives; keep the tape alive, or use value() for a constant", where, place));
  if (place < base && place + block >= block_end)
    throw TapeError(fmt::format(
        "{}: this variable (at place {}) was forgotten by clear() or rewind(), or its tape has ended (this one starts at {}); record it again, "
        "an input with tape.variable(), or take its value() before clear()", where, place, base + 1));
  const std::string held = next > base + 1 ? fmt::format("the places {} to {}", base + 1, next - 1) : "nothing yet";
  throw TapeError(fmt::format(
      "{}: this variable (at place {}) belongs to another tape (this one holds {}); use it while its own tape records (an inner gradient() sees "
      "outer variables if its point is made of numbers of their type; derivative() always; of a net, give each thread a copy)", where, place, held));
}
void refuse_constant(const char* where) {
  throw TapeError(fmt::format(
      "{}: the argument is a constant: nothing it was computed from is on this tape; make inputs with tape.variable(), run a net "
      "after the Tape was made, and let no Pause live meanwhile", where));
}
void refuse_updated() {
  throw TapeError(
      "backward: parameters were updated in place since they were recorded, so the adjoints would mix old and new numbers; clear() and record again, "
      "or rewind() to a mark from before they were used; for several nets on one recording, walk the sum of their costs once, and then step each");
}
void refuse_lost() {
  throw TapeError("step: a backward() of this recording was for nothing: before anybody used its adjoints, another one replaced them; nothing is "
                  "added up, so walk the sum of the costs, tape.backward(a + b), and then step each net, or clear() and record each cost by itself");
}
void refuse_walking() {
  throw TapeError("tape: this tape is being walked backwards; a function that runs in the middle of that, as recorded_gradient's does, must not "
                  "record on it, walk it, clear() or rewind() it: let it compute with its argument alone");
}
void refuse_foreign_walk() {
  throw TapeError("backward: this tape was made by another thread, and parameters stand on it, whose adjoints a step on this thread would not see; "
                  "let it record here while you use it: auto here = tape.record();");
}
void refuse_other_numbers() {
  throw TapeError("recording: an expression of a second derivative, or of lanes, uses a variable of a tape over double, whose part of the derivative "
                  "would be lost; make the point of numbers that rest on it (a vector of Vars), or take its value()");
}
void refuse_late(Id id) {
  throw TapeError(fmt::format("adjoint: statement #{} was recorded after the last backward(), or there was none, or an exception stopped it, or "
      "clear(), rewind() or jacobian() came since; call backward() first (an auto expression is recorded anew at each use: name its type)", id));
}
void refuse_moved() {
  throw TapeError("tape: this Tape was moved from and holds no recording; use the one it was moved to");
}
void refuse_mark(bool foreign, Id id) {
  if (foreign)
    throw TapeError(fmt::format("rewind: the mark, at statement {}, was made on another tape; rewind that one, or take a mark() of this one", id));
  throw TapeError(
      fmt::format("rewind: what stood before the mark, at statement {}, is gone; a mark does not outlive clear() or a rewind() below it", id));
}
void refuse_more_statements() {
  throw TapeError(fmt::format("tape: {} statements is the most one tape holds; rewind() parts of it", most_statements));
}

// ---- the tape over double -------------------------------------------------------------------------------------------

template struct Record<double>;
template void Record<double>::walk_statements(const Buffer<double>&, const char*&, std::size_t, std::size_t);
template Record<double>* new_tape();
template void end_tape(Record<double>*);
template void tidy_tapes<double>();
template void put_on_top(Link<double>&);
template void take_out(Link<double>&);
template Link<double>* youngest();
template Record<double>* holder_of(Place);

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
  return fmt::format("{} statements, {} arguments, {} nodes; {} used, {} reserved, {} at most", statements, arguments, nodes,
      readable(bytes), readable(reserved), readable(high_water));
}

}  // namespace autodiff::inline v1
