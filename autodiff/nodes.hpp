// Floor 2. The tensor half of a tape: one *node* per operation on tensors, and the *cells* it reads and writes.
//
// A cell is where a tensor stands on the tape: its place, shape and numbers, and its adjoint once the walk backwards has reached it.
// Every node is a statement of the scalar stream too, so that numbers and tensors are in one order (tape.hpp walks them together);
// if the result of a node is a number, the adjoint of that statement is its adjoint.
//
// What a node reads must outlive it. Results lie in the tape's arena. The storage of a constant, a parameter and whatever else is shared is kept
// until a clear() after which no recording used it: what a training step uses, the next one uses too, and it is spared two atomic operations
// for each, which wait for all that was stored before (two less: 10 ns of the XOR net's 160). Its `kept_by` says how it stands with a tape:
//     recording            it is in the tape's list, and used by the recording under way
//     recording_before     it is in the list, used by the one before, not yet by this one (that one's name with its bits turned over)
//     anything else        it is not in the list, or another tape has used it since
// A constant that is idle, in the list and not used, may be written to in place.
#pragma once
#include "arena.hpp"
#include "arguments.hpp"
#include <cstdint>
#include <cstring>

namespace autodiff::inline v1 {

namespace detail {

template <class Scalar> struct Record;

/// What the last walk backwards has left of an adjoint (adjoint.hpp).
enum class AdjointState : unsigned char { written, aliased, deferred };

/// What any tensor on a tape has.
struct CellBase {
  Place place = 0;         ///< 0: a constant, which takes no adjoint
  std::uint64_t walk = 0;  ///< the walk backwards that wrote its adjoint; since a later one began, the adjoint is 0
  Shape shape;
  struct UserCopies* copies = nullptr;
  AdjointState state = AdjointState::written;
  struct Shared* parameter = nullptr;  ///< whose numbers these are: an optimizer may change them before the next clear()
  std::uint64_t spent_walk = 0;        ///< the walk backwards whose adjoint an update has used
};

/// Copies that a user has asked for, to be handed out again: `y.value()(i, j)` in a loop copies y once.
struct UserCopies {
  Storage* value = nullptr;
  Storage* adjoint = nullptr;
  std::uint64_t walk = 0;  ///< whose adjoint it is
};

/// The adjoint of a matrix as the product that it is, xᵀ·gz, (M,K)ᵀ·(M,N) → (K,N).
template <class T> struct Deferred { const T *x = nullptr, *gz = nullptr; std::size_t m = 0; };

template <class T> struct Cell : CellBase {
  T* data = nullptr;
  T* adjoint = nullptr;
  Storage* storage = nullptr;     ///< whose numbers these are, if not the arena's
  const Deferred<T>* deferred = nullptr;
};

/// One recorded operation.
struct Node {
  void (*pullback)(Record<double>&, Node&);
  const char* name;
  CellBase* out;     ///< null: the result is a number, the adjoint of statement `id`
  CellBase* in[3];
  void* closure;     ///< what the pullback needs besides
  const struct MoreOperands* more_operands;  ///< beyond three, and numbers
  Id id;             ///< its statement
};
/// Operands for which a node has no room, so that a graph can be drawn of them.
struct MoreOperands {
  CellBase* const* cells = nullptr;
  std::size_t cell_count = 0;
  const Id* numbers = nullptr;
  std::size_t number_count = 0;
};

/// f(cell) for each operand of a node that is a tensor, in their order.
void for_each_operand(const Node& node, const auto& f) {
  for (CellBase* cell : node.in) if (cell) f(*cell);
  if (node.more_operands) for (std::size_t i = 0; i < node.more_operands->cell_count; ++i) f(*node.more_operands->cells[i]);
}

/// The first parameter among the operands of these nodes, or null.
inline const CellBase* first_parameter(const Stack<Node>& nodes) {
  const CellBase* found = nullptr;
  for (std::size_t i = 0; i < nodes.size() && !found; ++i)
    for_each_operand(nodes[i], [&found](const CellBase& cell) { if (cell.parameter && !found) found = &cell; });
  return found;
}

/// Something that several tapes and owners keep alive: a parameter, a constant, the function of a recorded_gradient.
struct Shared {
  std::uint32_t owners = 1;
  Place kept_by = 0;               ///< the recording that used it last
  void (*destroy)(Shared*);
  explicit Shared(void (*f)(Shared*)) : destroy(f) {}
  void retain() { __atomic_fetch_add(&owners, 1, __ATOMIC_RELAXED); }
  void release() { if (__atomic_sub_fetch(&owners, 1, __ATOMIC_ACQ_REL) == 0) destroy(this); }
};

/// Walks backwards on this thread so far.
[[gnu::tls_model("initial-exec")]] inline thread_local constinit std::uint64_t walks = 0;

/// The nodes of a tape. Tapes over other scalars than double have none: their `Nodes` is empty.
template <class Scalar> struct Nodes {
  struct Mark {};
  static constexpr bool possible = false;
};

template <> struct Nodes<double> {
  static constexpr bool possible = true;
  static constexpr Place nobody = ~Place{0};
  struct Mark { std::size_t nodes = 0, storages = 0, shared = 0, parameter_cells = 0; Arena::Position arena; };

  Stack<Node> list;
  Arena arena;
  Arena walk_memory;            ///< until the next walk backwards: adjoints, and what they are computed from
  Stack<Storage*> storages;     ///< kept until a clear() after which they were not used
  Stack<Shared*> shared;        ///< likewise
  struct Replaced { Storage* storage; Id of; };
  Stack<Replaced> replaced;     ///< numbers that a parameter has given up, for as long as its statement `of` stands
  Stack<CellBase*> parameter_cells;     ///< where parameters stand in this recording, but for those that stand in cells of their own
  Stack<CellBase*> cells_with_copies;  ///< whose copies users have, until clear() or rewind()
  Place recording = 0;          ///< the name of what is recorded since clear()
  Place recording_before = 0;   ///< ~ the name of what was recorded before it
  std::uint64_t walk_number = 0;  ///< of the last walk backwards
  std::uint64_t walk_time = 0;    ///< its number among those of all tapes of its thread
  bool used = false;            ///< has somebody read an adjoint of the last walk? (After an update no other walk begins before all are forgotten.)
  bool lost = false;            ///< did a walk in this recording replace adjoints, of another output, of which that is not true?
  Place first_changed = nobody; ///< the oldest parameter changed in place since it was recorded: while it stands, backward() throws
  Buffer<char> scratch_memory;

  constexpr Nodes() = default;
  constexpr ~Nodes() { if (recording) forget_all(recording), release_kept(); }

  /// Room for numbers. Where they take more than 64 bytes, zeros stand behind them: the last row of a matrix is read past its end, and what the
  /// arena holds there, pointers and small integers, would be denormal numbers, 150 cycles each on Intel's machines.
  template <class T> [[gnu::always_inline]] T* numbers(std::size_t n) { return numbers<T>(arena, n); }
  template <class T> [[gnu::always_inline]] static T* numbers(Arena& arena, std::size_t n) {
    const std::size_t bytes = n * sizeof(T);
    if (bytes <= alignment) return static_cast<T*>(arena.take(bytes));
    T* const p = static_cast<T*>(arena.take(bytes + alignment));
    std::memset(static_cast<void*>(p + n), 0, padded(bytes) - bytes + alignment);
    return p;
  }
  /// A cell and room for its numbers.
  template <class T> [[gnu::always_inline]] Cell<T>* cell(const auto& shape, Place place) {
    constexpr std::size_t head = padded(sizeof(Cell<T>));
    char* memory = static_cast<char*>(arena.take(head + shape.count() * sizeof(T)));
    return new (memory) Cell<T>{{place, 0, shape}, reinterpret_cast<T*>(memory + head)};
  }
  /// A cell whose numbers lie elsewhere.
  template <class T> [[gnu::always_inline]] Cell<T>* cell(const Shape& shape, Place place, const T* data, Storage* storage) {
    return new (arena.take(sizeof(Cell<T>))) Cell<T>{{place, 0, shape}, const_cast<T*>(data), nullptr, storage};
  }
  const MoreOperands* more_operands(const MoreOperands& operands) { return new (arena.take(sizeof(MoreOperands))) MoreOperands(operands); }
  /// Memory for one pullback; the next one overwrites it.
  template <class T> [[gnu::always_inline]] T* scratch(std::size_t n) {
    const std::size_t bytes = padded(n * sizeof(T)) + 2 * alignment;
    if (scratch_memory.capacity() < bytes) [[unlikely]] {
      scratch_memory.renew(bytes + bytes / 2);
      std::memset(scratch_memory.data(), 0, scratch_memory.capacity());
    }
    return reinterpret_cast<T*>((reinterpret_cast<std::uintptr_t>(scratch_memory.data()) + alignment - 1) / alignment * alignment);
  }

  [[gnu::always_inline]] void keep(Storage* storage) {
    if (!storage) return;
    const Place kept_by = __atomic_load_n(&storage->kept_by, __ATOMIC_RELAXED);
    if (kept_by == recording) return;
    if (kept_by == recording_before) __atomic_store_n(&storage->idle, false, __ATOMIC_RELAXED); else keep_as_well(storages, storage);
    __atomic_store_n(&storage->kept_by, recording, __ATOMIC_RELAXED);
  }
  [[gnu::always_inline]] void keep(Shared& object) {
    if (__atomic_load_n(&object.kept_by, __ATOMIC_RELAXED) == recording || keep_again(object)) return;
    keep_as_well(shared, &object);
    __atomic_store_n(&object.kept_by, recording, __ATOMIC_RELAXED);
  }
  /// The same for what the recording before used, and nobody since: then this recording has not seen it. Else false, and nothing is done.
  [[gnu::always_inline]] bool keep_again(Shared& object) {
    if (__atomic_load_n(&object.kept_by, __ATOMIC_RELAXED) != recording_before) return false;
    __atomic_store_n(&object.kept_by, recording, __ATOMIC_RELAXED);
    return true;
  }
  template <class X> [[gnu::always_inline]] static void keep_as_well(Stack<X*>& kept, X* object) {
    kept.push(object);  // first: it may throw
    object->retain();
  }

  void keep_replaced(Storage* storage, Id of) {
    if (!storage) return;
    replaced.push({storage, of});
    storage->retain();
  }

  /// Where the copies of `cell` are remembered that users get, until clear() or rewind().
  UserCopies& copies_of(CellBase& cell) {
    if (!cell.copies) {
      UserCopies* const none = new (arena.take(sizeof(UserCopies))) UserCopies;
      cells_with_copies.push(&cell);  // first: it may throw
      cell.copies = none;
    }
    return *cell.copies;
  }

  Mark mark() const { return {list.size(), storages.size(), shared.size(), parameter_cells.size(), arena.position()}; }
  void rewind(const Mark& mark, Id end);  ///< statements from `end` on are gone
  /// Where among `parameter_cells` a parameter stands; null if it does not.
  CellBase* cell_of(const Shared& parameter) const;
  /// Forgets everything; from now on the recording is called `next`. (Of numbers alone by one test: clear() −39 %, the whole gradient of x² −7 %.)
  void forget_all(Place next) {
    if (list.size() | storages.size() | shared.size() | replaced.size() | parameter_cells.size() | cells_with_copies.size()) forget_nodes();
    arena.rewind({});
    first_changed = nobody;
    lost = false;
    recording_before = ~recording;
    recording = next;
  }
  void forget_nodes();  ///< and what goes with them
  void release_kept();  ///< gives back what is kept for the next recording: there will be none
  std::size_t bytes() const { return list.size() * sizeof(Node) + arena.used() + walk_memory.used(); }
  std::size_t reserved() const { return list.capacity() * sizeof(Node) + arena.capacity() + walk_memory.capacity() + scratch_memory.capacity(); }
};

}  // namespace detail
}  // namespace autodiff::inline v1
