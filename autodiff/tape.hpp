// Floor 2. The tape: what was computed, in order; gradients are one walk backwards.
//
// A *statement* is one assignment `Var y = <expression>`. What is stored of it are its *arguments*: the id of each variable of the expression,
// and the slope in it (arguments.hpp). The arguments of all statements form one stream, and nothing else needs to be stored: statements are
// numbered as they come, and the walk backwards counts down while it reads the stream from its end:
//
//     arguments    |   | s a | s a  s b | a  s b | …    s: a slope, a, b: ids
//     statement      1    2       3         4
//     adjoints   | 0 | 1 |  2  |  3  |  4  …             slot 0 belongs to nobody
//
// A new variable is a statement without arguments. So is an operation on tensors, beside a node (nodes.hpp) that knows how to go on.
//
// Who is who. A Var knows its *place*: a 64-bit number that is never given twice in the life of the program. The tape knows its *base*,
// and id = place − base. A variable is on the tape if that difference is below 2³²: one unsigned comparison, and one for all variables of
// an expression, whose differences are or-ed. What fails that test is looked at again, in `standing_id`: constants, whose place is 0, and
// what rewind() left standing, if that has one base. The rest, a variable from before clear(), from another tape, from nowhere, ends in
// `id_of`, which tells them apart. clear() and rewind() move the base on, so forgotten places stay forgotten.
//
// To read this file, start at `Record`, then `walk_back`, then `id_of`; the fast path of a statement, `record`, is in var.hpp.
#pragma once
#include "arguments.hpp"
#include "batch.hpp"
#include "nan_trap.hpp"
#include "nodes.hpp"
#include "tensor.hpp"
#include <algorithm>
#include <concepts>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace autodiff::inline v1 {

template <class T> class Var;
struct SparseMatrix;

namespace detail {

constexpr Place id_limit = Place{1} << 32;          ///< what is not below it, of a place + shift, is no id: the place is not of that tape
constexpr Place block = Place{1} << 34;             ///< places a record draws at a time: there are 2²⁹ such blocks
constexpr Place nowhere = Place{1} << 63;           ///< the base, and the shift, of a record that holds nothing
constexpr std::size_t most_statements = id_mask;
static_assert(prefetch_distance <= static_cast<std::ptrdiff_t>(margin));
Place draw_block();                                 ///< a block of places that nobody has had
std::uint64_t new_identity();                       ///< 1, 2, 3 … over the whole program

// The slow paths of a statement are noexcept: they keep their exception, and the inlined caller throws it. Else g++ keeps in memory each double
// that lives across such a call, wherever the caller has something to destroy, a vector say. (Recording poly takes 0.4 of the time so.)
constexpr Place refused = ~Place{0};                ///< no place: an exception has been deferred
void defer_exception() noexcept;                    ///< keeps the one that is being handled
[[noreturn]] void throw_deferred();
[[gnu::always_inline]] inline Place accepted(Place place) { if (place == refused) throw_deferred(); return place; }
[[noreturn]] void refuse_place(Place place, const char* where, Place base, Place next, Place block_end);
[[noreturn]] void refuse_constant(const char* where);
[[noreturn]] void refuse_late(Id id);
[[noreturn]] void refuse_updated();
[[noreturn]] void refuse_lost();
[[noreturn]] void refuse_walking();
[[noreturn]] void refuse_foreign_walk();
[[noreturn]] void refuse_more_statements();
[[noreturn]] void refuse_moved();
[[noreturn]] void refuse_mark(bool foreign, Id id);

/// The tapes of a thread are a list; the top one records.
template <class Scalar> struct Link { Record<Scalar>* record = nullptr; Link* below = nullptr; };

/// The memory of one tape. It stays where it is while the Tape that owns it may move.
template <class Scalar> struct Record {
  static constexpr std::size_t slack = 64 * argument_bytes<Scalar>;  ///< bytes that always fit behind `last`

  char* next = nullptr;                     ///< where the next argument goes
  char* last = nullptr;                     ///< at or beyond this the memory must grow first
  Place shift = nowhere;                    ///< id = place + shift modulo 2⁶⁴: minus the base. (An addition leaves the place standing for the
                                            ///< slow path, a subtraction needs a copy of it: recording −1.5 %)
  Place place = 0;                          ///< of the next statement
  Place older_base = 0, older_end = 0;      ///< id = place − older_base, below older_end, of what rewind() left alone,
                                            ///< if that has one base (else `kept`)
  Buffer<char> arguments{};
  Buffer<Scalar> adjoints{};
  Buffer<Batch<double, 8>> wide_adjoints{}; ///< eight adjoints or tangents of each statement, in jacobian_rows and jacobian_columns
  std::size_t adjoint_count = 0;            ///< statements below this id have an adjoint
  Place block_end = 0;                      ///< our places end here
  Place born = 0;                           ///< the base with which its Tape began: no other Tape has it
  std::size_t high_water = 0;               ///< most bytes ever in use at a clear() or rewind()
  struct Kept { Place base; Id end; };
  Stack<Kept> kept{};                       ///< bases of what rewind() left alone, in order of id
  [[no_unique_address]] Nodes<Scalar> nodes{};
  Link<Scalar> link{};                      ///< in the list of the thread that made the tape
  std::uint32_t owners = 0;                 ///< the Tape, that list, and each link in another thread's: who goes last frees the record
  Id root = 0;                              ///< where the last walk backwards began: its youngest output. (Next to adjoint_count: XOR +4 %)
  const void* home = nullptr;               ///< the list (ThreadTapes) of the thread that made the tape
  std::uint32_t links = 0;                  ///< of this record in `home`
  bool walking = false;                     ///< backwards, and a function of the user's runs: nothing may be done with it
  bool ended = false;                       ///< the Tape has ended, and a list still has a link of it, which that list's thread takes out; atomic

  std::size_t used() const { return static_cast<std::size_t>(next - arguments.data()); }
  Place base() const { return -shift; }
  Id count() const { return static_cast<Id>(place + shift); }
  bool holds(Place p) const { return p + shift < id_limit; }
  bool stands(Place p) const { return holds(p) || survivor(p); }

  /// Do n arguments fit? `slack` always do, so for an ordinary statement this is one comparison.
  bool has_room(std::size_t n) const {
    const std::size_t bytes = n * argument_bytes<Scalar>;
    return bytes <= slack ? next < last : last - next > static_cast<std::ptrdiff_t>(bytes - slack);
  }
  /// Room for n more arguments; false if there is none: an exception has been deferred.
  bool grow(std::size_t n) noexcept;
  /// Says that it is full, so that every statement takes the slow path.
  void close() { last = arguments.data(); }

  /// A statement that depends on nothing: a new variable, or a node's.
  [[gnu::always_inline]] Place variable() {
    if (!has_room(1)) [[unlikely]] if (!grow(1)) throw_deferred();
    put_word<Scalar>(next, last_word(Form::none, 0));
    return place++;
  }

  /// n of them; the place of the first.
  Place variables(std::size_t n) {
    if (n > most_statements - count()) refuse_more_statements();
    if (!has_room(n)) [[unlikely]] if (!grow(n)) throw_deferred();
    for (std::size_t i = 0; i < n; ++i) put_word<Scalar>(next, last_word(Form::none, 0));
    return std::exchange(place, place + n);
  }

  /// The id of a place, 0 for a constant's. Throws TapeError for a place that is not on this tape.
  [[gnu::always_inline]] Id id_of(Place p, const char* where) const {
    if (holds(p)) [[likely]] return static_cast<Id>(p + shift);
    if (p == 0) return 0;
    if (const Id id = survivor(p)) return id;
    refuse_place(p, where, base(), place, block_end);
  }
  /// The id of a place from before a rewind(), 0 if there is none.
  Id survivor(Place p) const {
    std::size_t low = 0, high = kept.size();  // bases grow, as ids do
    while (low < high) {
      const std::size_t middle = (low + high) / 2;
      if (p - kept[middle].base < kept[middle].end || p < kept[middle].base) high = middle; else low = middle + 1;
    }
    if (low == kept.size()) return 0;
    const Place id = p - kept[low].base;
    return id >= (low ? kept[low - 1].end : 1) && id < kept[low].end ? static_cast<Id>(id) : 0;
  }

  /// The place that was given to statement `id`.
  Place place_of(Id id) const {
    std::size_t i = kept.size();
    while (i > 0 && id < kept[i - 1].end) --i;
    return (i < kept.size() ? kept[i].base : base()) + id;
  }

  /// The id in the two usual cases, recorded since the last clear() or rewind(), or left standing and of one base; 0 for a constant; else `id_limit`.
  [[gnu::always_inline]] Place standing_id(Place p) const {
    const Place here = p + shift, older = p - older_base;
    return here < id_limit ? here : older < older_end ? older : p == 0 ? 0 : id_limit;
  }
  /// A statement some of whose variables are constants, or were kept by a rewind(). Only arguments of variables are written.
  Place record_mixed(const Scalar& value, std::size_t n, const Scalar* slopes, Place* places) noexcept;
  /// The slow path of a statement, for whatever is rare: no room, survivors of several rewinds, and mistakes, which are refused before anything has
  /// changed. `places` comes in as places and is overwritten.
  Place record_slowly(const Scalar& value, std::size_t n, const Scalar* slopes, Place* places) noexcept;
  /// Throws Error if the value or a slope is NaN, of a statement with these ids.
  void look_for_nan(const Scalar& value, std::size_t n, const Scalar* slopes, const Place* ids) const;
  /// Throws Error if one of n adjoints is NaN.
  template <class W> static void look_for_nan_in_adjoints(const W* adjoint, std::size_t n);

  struct Mark { Id id = 1; std::size_t bytes = 0; Place before = 0, tape = 0; typename Nodes<Scalar>::Mark nodes{}; };
  Mark mark() const;
  /// What stood before the mark still stands.
  bool reaches(const Mark& mark) const {
    return mark.id == 1 || (holds(mark.before) ? static_cast<Id>(mark.before + shift) : survivor(mark.before)) == mark.id - 1;
  }
  static constexpr Mark beginning{};
  /// Forgets everything from the mark on.
  void forget(const Mark& mark);
  /// Statements below `end` stand after a rewind: notes their bases.
  void keep_below(Id end);

  /// Throws TapeError if parameters stand here, and the tape is not in this thread's list: an optimizer would not find their adjoints.
  void require_parameters_here() const;
  /// Adjoints, zeroed, one per statement so far.
  Scalar* fresh_adjoints();
  /// The same for a walk from this output, the youngest of several: notes whether anybody cared for what the walk before has left.
  Scalar* fresh_adjoints(Id from) {
    const bool replaces = adjoint_count > 0 && from != root;
    Scalar* const adjoint = fresh_adjoints();
    if constexpr (Nodes<Scalar>::possible) nodes.lost |= replaces && !nodes.used, nodes.used = false;
    root = from;
    return adjoint;
  }
  void use_adjoints() { if constexpr (Nodes<Scalar>::possible) nodes.used = true; }
  /// The chain rule, backwards, over everything; adjoints of the outputs have been set.
  void walk_back();
  /// dyₖ/dxᵢ → row k, column i, for up to eight outputs in one walk, where there are no nodes. Constants among the outputs give zeros.
  /// Compiled with the user's own flags; `width` is in the name so that files built for different machines do not share it (Registers, batch.hpp).
  template <std::size_t width> void jacobian_rows(std::span<const Id> ys, std::span<const Id> xs, Scalar* rows) requires std::same_as<Scalar, double>;
  /// dyₖ/dxᵢ → row k, column i of a matrix whose rows are n numbers apart, for up to eight inputs, in one walk forwards along the statements, which
  /// end at `ends`: each tangent is Σ slope · tangent of its arguments. False if a number of the matrix is infinite or NaN.
  template <std::size_t width>
  bool jacobian_columns(std::span<const Id> ys, std::span<const Id> xs, std::span<const char* const> ends, Scalar* columns, std::size_t n)
    requires std::same_as<Scalar, double>;
  /// Room for eight adjoints or tangents of each statement so far.
  Batch<double, 8>* room_for_eights();
  /// Where the arguments of each statement end, for those who do not walk back over all of them.
  std::vector<const char*> ends() const;

  std::size_t bytes() const;
  std::size_t reserved() const;
  std::size_t argument_count() const;

 private:
  /// Statements from `statement` − 1 down to `stop`: each hands its adjoint, times the slope, to its arguments. What goes to the statement
  /// just before (a chain: s = s + …) is carried in a register: through memory it would wait for the store. An adjoint is a Scalar, or several.
  template <class W> static void walk_statements(const Buffer<W>& buffer, const char*& arguments_end, std::size_t statement, std::size_t stop);
};

template <class Scalar>
inline constinit Record<Scalar> idle{.owners = 1};  ///< records nothing: every variable is refused, constants pass; nobody frees it
/// Who records on this thread. Initial-exec, or position-independent code would call a function to find it, in every statement: twice the time.
template <class Scalar> [[gnu::tls_model("initial-exec")]] inline thread_local constinit Record<Scalar>* active = &idle<Scalar>;

template <class Scalar> void tidy_tapes();                        ///< takes out what ended on another thread; the top one records
/// `active`, after taking tapes that ended on another thread out of the list: for slow paths, and where it matters whether a tape records at all.
template <class Scalar> [[gnu::always_inline]] inline Record<Scalar>& recorder() {
  if (__atomic_load_n(&active<Scalar>->ended, __ATOMIC_ACQUIRE)) [[unlikely]] tidy_tapes<Scalar>();
  return *active<Scalar>;
}
/// Does a tape over double record on this thread?
[[gnu::always_inline]] inline bool records() { return active<double>->shift != nowhere || recorder<double>().shift != nowhere; }
template <class Scalar> void put_on_top(Link<Scalar>& link);
template <class Scalar> void take_out(Link<Scalar>& link);
template <class Scalar> Record<Scalar>* new_tape();              ///< a record, on top of this thread's list
template <class Scalar> void end_tape(Record<Scalar>* record);
/// What ended tapes of a thread have left for its next ones, tapes over whatever numbers: bytes in sum, and how each kind gives back its own.
struct SpareMemory {
  std::size_t bytes = 0;
  std::vector<void (*)()> kinds;
  ~SpareMemory() { kinds = std::vector<void (*)()>(); }  ///< emptied, not only destroyed: what ends later may still call in
  void release(void (*but_for)() = nullptr) const;
  static SpareMemory& of_this_thread();
};
template <class Scalar> Link<Scalar>* youngest();                 ///< the top of this thread's list, or null
template <class Scalar> Record<Scalar>* holder_of(Place place);  ///< the record among this thread's tapes that holds a place, or null

}  // namespace detail

/// What a tape holds, in units of its own and in bytes.
struct Statistics {
  std::size_t statements = 0;   ///< assignments, variables included
  std::size_t arguments = 0;    ///< variables they depend on, in sum
  std::size_t nodes = 0;        ///< operations on tensors
  std::size_t bytes = 0;        ///< used by all of these and their adjoints
  std::size_t reserved = 0;     ///< held, to be used again
  std::size_t high_water = 0;   ///< the most that was ever used
  /// "1200 statements, 2400 arguments, 0 nodes; 38.4 kB used, 64.0 kB reserved, 38.4 kB at most"
  std::string text() const;
};

/// Records the arithmetic of Vars on this thread from construction to destruction. Tapes nest like scopes: the youngest records.
/// A tape may move, may end in any order and on another thread. It is for one thread at a time, adjoint() and value() included; and while it is being
/// ended on another, the thread that made it must not record or compute with Vars: join first.
template <class Scalar> class BasicTape {
  using Record = detail::Record<Scalar>;
  Record* record_;

 public:
  BasicTape() : record_(detail::new_tape<Scalar>()) {}
  BasicTape(BasicTape&& other) noexcept : record_(std::exchange(other.record_, nullptr)) {}
  BasicTape& operator=(BasicTape&& other) noexcept {
    BasicTape taken(std::move(other));  // and with it goes, in the end, what this one held
    std::swap(record_, taken.record_);
    return *this;
  }
  ~BasicTape() { if (record_) detail::end_tape(record_); }

  /// While this lives, the tape records on this thread, even if a younger one exists. It must end on the thread that made it.
  class Recording {
    detail::Link<Scalar> link_;
   public:
    explicit Recording(Record* record) : link_{record} { detail::put_on_top(link_); }
    ~Recording() { detail::take_out(link_); }
    Recording(const Recording&) = delete;
    Recording& operator=(const Recording&) = delete;
  };
  /// Lets this tape record on this thread while the result lives: `auto here = tape.record();`. Throws TapeError if it was moved from.
  [[nodiscard]] Recording record() { return Recording(&held()); }

  /// A new independent variable: a number, or (tensor_var.hpp) a tensor. Throws TapeError if this tape was moved from, or memory is short.
  Var<Scalar> variable(const Scalar& value) { return Var<Scalar>(value, held().variable()); }
  template <class T> Var<Tensor<T>> variable(const Tensor<T>& value);
  /// One for each of the values, which are anything indexable. The second form takes the memory of `into`: in a loop nothing is allocated. Throws as
  /// variable() does.
  template <class X> std::vector<Var<Scalar>> variables(const X& values) {
    std::vector<Var<Scalar>> into;
    variables(values, into);
    return into;
  }
  template <class X> void variables(const X& values, std::vector<Var<Scalar>>& into) {
    const auto n = static_cast<std::size_t>(values.size());
    const Place first = held().variables(n);  // refuses what no tape holds
    into.resize(n);
    for (std::size_t i = 0; i < into.size(); ++i) into[i] = Var<Scalar>(static_cast<Scalar>(values[i]), first + i);
  }

  /// Adjoints of everything recorded so far with respect to y: dy/dy = 1. Intermediate results keep theirs too. Throws TapeError if y is a
  /// constant, or not on this tape, if a parameter has been updated in place since it was recorded, and if another thread made this tape and
  /// parameters stand on it: let it record() on this thread then. What an earlier backward() left is gone; nothing is added up.
  void backward(const Var<Scalar>& y) {
    const Id id = active_id(y.place(), "backward");
    held().fresh_adjoints(id)[id] = Scalar(1);
    held().walk_back();
  }
  /// The same for Σ wᵢ yᵢ: what a vector-Jacobian product asks for. Constants among several outputs contribute nothing. Throws
  /// ShapeError unless there is one weight for each output, TapeError if all of them are constants.
  void backward(std::span<const Var<Scalar>> ys, std::span<const Scalar> weights) {
    if (ys.size() != weights.size())
      throw ShapeError(detail::text("backward: {} outputs but {} weights; give one each", {ys.size(), weights.size()}));
    Id youngest = 0;
    for (const auto& y : ys) youngest = std::max(youngest, held().id_of(y.place(), "backward"));
    if (youngest == 0 && !ys.empty()) [[unlikely]] detail::refuse_constant("backward");
    Scalar* adjoint = held().fresh_adjoints(youngest);
    for (std::size_t i = 0; i < ys.size(); ++i)
      if (const Id id = held().id_of(ys[i].place(), "backward")) adjoint[id] += weights[i];
    held().walk_back();
  }
  void backward(const Var<Scalar>& y, const Scalar& weight) {
    backward(std::span<const Var<Scalar>>(&y, 1), std::span<const Scalar>(&weight, 1));
  }
  void backward(const std::vector<Var<Scalar>>& ys, const std::vector<Scalar>& weights) {
    backward(std::span<const Var<Scalar>>(ys), std::span<const Scalar>(weights));
  }
  template <class T> void backward(const Var<Tensor<T>>&) {
    static_assert(sizeof(T) == 0, "backward() starts from one number: sum(y) or mean(y) of a tensor, or give it weights of the shape of y");
  }
  /// The same from a tensor y: Σ wᵢⱼ yᵢⱼ for weights of y's shape; throws ShapeError for another.
  template <class T> void backward(const Var<Tensor<T>>& y, const Tensor<T>& weights);

  /// dy/dx after backward(y). Throws TapeError if x is a constant, not on this tape, or was recorded after backward.
  Scalar adjoint(const Var<Scalar>& x) const {
    const Id id = active_id(x.place(), "adjoint");
    if (id >= held().adjoint_count) [[unlikely]] detail::refuse_late(id);
    held().use_adjoints();
    return held().adjoints.data()[id];
  }
  template <class T> Tensor<T> adjoint(const Var<Tensor<T>>& x) const;
  /// The same for each of the variables; throws likewise.
  template <class X = std::vector<Var<Scalar>>> requires std::convertible_to<const X&, std::span<const Var<Scalar>>>
  std::vector<Scalar> adjoints(const X& xs) const {
    std::vector<Scalar> into;
    adjoints(xs, into);
    return into;
  }
  void adjoints(std::span<const Var<Scalar>> xs, std::vector<Scalar>& into) const {
    into.resize(xs.size());
    for (std::size_t i = 0; i < xs.size(); ++i) into[i] = adjoint(xs[i]);
  }
  /// The same for a parameter. Throws TapeError if it has not been used on this tape.
  template <class P> requires requires(const P& p) { p.var(); } auto adjoint(const P& p) const { return adjoint(p.var_on(held())); }

  /// dyₖ/dxᵢ in row k, column i, (ys.size(), xs.size()): eight rows for each walk back over a recording of numbers alone, or eight columns for each
  /// walk forwards where that is less; with tensors, and where rows are few, one for each walk back. Throws TapeError as backward() and adjoint() do;
  /// a constant among ys gives a row of zeros. adjoint() has nothing to give until the next backward().
  template <std::size_t width = detail::register_bytes>
  Tensor<double> jacobian(std::span<const Var<Scalar>> ys, std::span<const Var<Scalar>> xs) requires std::same_as<Scalar, double>;
  template <std::size_t width = detail::register_bytes>
  Tensor<double> jacobian(const std::vector<Var<Scalar>>& ys, std::span<const Var<Scalar>> xs) requires std::same_as<Scalar, double> {
    return jacobian<width>(std::span<const Var<Scalar>>(ys), xs);
  }
  template <std::size_t width = detail::register_bytes>
  Tensor<double> jacobian(const std::vector<Var<Scalar>>& ys, const std::vector<Var<Scalar>>& xs) requires std::same_as<Scalar, double> {
    return jacobian<width>(std::span<const Var<Scalar>>(ys), std::span<const Var<Scalar>>(xs));
  }

  /// The same as the entries that the recording can reach (sparse.hpp). What adjoint() gives stays as it is. Throws TapeError for a variable that is
  /// not on this tape, for a constant among xs, and where an output depends on an operation on tensors that was recorded after the first number that
  /// entered one.
  SparseMatrix sparse_jacobian(std::span<const Var<Scalar>> ys, std::span<const Var<Scalar>> xs) const requires std::same_as<Scalar, double>;
  SparseMatrix sparse_jacobian(const std::vector<Var<Scalar>>& ys, const std::vector<Var<Scalar>>& xs) const requires std::same_as<Scalar, double>;

  /// Forgets all and keeps the memory. Throws TapeError if this tape was moved from.
  void clear() { held().forget(Record::beginning); }

  using Mark = typename Record::Mark;
  /// Where the recording stands, for rewind(). Throws TapeError if this tape was moved from.
  Mark mark() const { return held().mark(); }
  /// Forgets what was recorded since the mark, and all adjoints: call backward() again to have some. Variables from before it stay valid. Throws
  /// TapeError for a mark of another tape, or one that clear() or an earlier rewind() has passed, but for one of the empty tape.
  void rewind(const Mark& mark) {
    const bool foreign = mark.tape != 0 && mark.tape != held().born;
    if (foreign || !held().reaches(mark)) detail::refuse_mark(foreign, mark.id);
    record_->forget(mark);
  }

  /// What the tape holds now. Counts the arguments one by one, in a walk through them.
  Statistics statistics() const;

  /// Frees the memory that ended tapes of this thread have left for its next ones, up to 512 MB over all kinds of numbers, and
  /// freed tensors for its next ones, up to 64 MB.
  static void release_spare() {
    detail::SpareMemory::of_this_thread().release();
    detail::Storage::release_spare();
  }

 private:
  /// The record; throws TapeError if this tape was moved from.
  Record& held() const {
    if (!record_) [[unlikely]] detail::refuse_moved();
    return *record_;
  }
  Id active_id(Place place, const char* where) const {
    const Id id = held().id_of(place, where);
    if (id == 0) [[unlikely]] detail::refuse_constant(where);
    return id;
  }
  /// A constant among outputs is 0, and among inputs refused.
  std::vector<Id> output_ids(std::span<const Var<Scalar>> ys, const char* where) const {
    std::vector<Id> ids;
    for (const auto& y : ys) ids.push_back(held().id_of(y.place(), where));
    return ids;
  }
  std::vector<Id> input_ids(std::span<const Var<Scalar>> xs, const char* where) const {
    std::vector<Id> ids;
    for (const auto& x : xs) ids.push_back(active_id(x.place(), where));
    return ids;
  }
};
using Tape = BasicTape<double>;

/// While it lives, tapes made before it do not record on this thread, and using their variables throws: to evaluate a net in the middle of its
/// training. A Tape made meanwhile records. Tapes over numbers other than double go on. It must end on the thread that made it.
class Pause {
  detail::Link<double> link_{&detail::idle<double>};

 public:
  Pause() { detail::put_on_top(link_); }
  ~Pause() { detail::take_out(link_); }
  Pause(const Pause&) = delete;
  Pause& operator=(const Pause&) = delete;
};

}  // namespace autodiff::inline v1

#include "tape.inl"
#include "tape_threads.inl"
