// Floor 4. Parameters: tensors to be learned. A parameter outlives the recordings it takes part in: its first use after clear() puts it on the
// tape, without a copy of its numbers, and after backward() an optimizer reads its adjoint and updates it in place.
//
//     where it stands on a tape           its cell                                   how it is found
//     on one tape, as usual               `own`, in its block                        `place`, `own_for`
//     on another tape at the same time    in that tape's arena                       Nodes::parameter_cells, from the end
//     since before a rewind()             the same cell, whose place has survived    Record::survivor
//     not since clear()                   none: put_on() makes it stand              Nodes::keep_again, if the recording before had it
//
// `cell` and `place` remember the tape that used it last.
#pragma once
#include "tensor_var.hpp"

namespace autodiff::inline v1 {

namespace detail {
/// A parameter's numbers, and where they stand: once on each tape that uses them.
template <std::floating_point T> struct ParameterBlock : Shared {
  using Record = detail::Record<double>;
  using Cell = detail::Cell<T>;
  Tensor<T> value;
  Cell* cell = nullptr;  ///< where it stands on the tape that used it last …
  Place place = 0;       ///< … if that tape still holds this place
  Cell own;              ///< where it stands on one tape at a time, so that no cell is made anew in each recording (XOR net: −5 %) …
  const Nodes<double>* own_for = nullptr;  ///< … this one; where on others, they know (Nodes::parameter_cells)
  explicit ParameterBlock(Tensor<T> v)
      : Shared([](Shared* self) { delete static_cast<ParameterBlock*>(self); }), value(std::move(v)), own{{0, 0, value.shape()}} {}

  std::uint32_t users() const { return __atomic_load_n(&owners, __ATOMIC_ACQUIRE) - 1; }  ///< tapes, if none has it twice

  /// The tape that holds `place`, or null.
  [[gnu::always_inline]] Record* holder() const {
    if (place == 0) return nullptr;
    return active<double>->holds(place) ? active<double> : holder_of<double>(place);
  }
  /// From now on `cell` is where it stands on that tape; false if it does not.
  bool find_on(const Record& tape) {
    if (tape.stands(place)) return true;
    CellBase* const there = own_for == &tape.nodes && own.parameter && tape.stands(own.place) ? &own : tape.nodes.cell_of(*this);
    if (!there || !tape.stands(there->place)) return false;
    cell = static_cast<Cell*>(there), place = there->place;
    return true;
  }
  /// f(tape, cell) for each tape of this thread on which it stands.
  void for_each_standing(const auto& f) {
    for (auto* link = youngest<double>(); link; link = link->below)
      if (find_on(*link->record)) f(*link->record, *cell);
  }
  /// Puts it on that tape, unless it stands there since before another tape used it.
  [[gnu::always_inline]] Cell& put_on(Record& tape) {
    if (own_for != &tape.nodes || !tape.nodes.keep_again(*this)) return put_on_another(tape);
    return stand(tape, own);
  }
  [[gnu::noinline]] Cell& put_on_another(Record& tape) {
    auto& nodes = tape.nodes;
    if (find_on(tape)) return *cell;
    const bool own_is_free = own_for == &nodes ? !tape.stands(own.place) : users() == 0;
    nodes.keep(*this);
    if (own_is_free) {
      own_for = &nodes;
      return stand(tape, own);
    }
    Cell& c = stand(tape, *nodes.template cell<T>(value.shape(), 0, value.data(), nullptr));
    nodes.parameter_cells.push(&c);
    return c;
  }
  [[gnu::always_inline]] Cell& stand(Record& tape, Cell& c) {
    place = c.place = tape.variable();
    cell = &c;
    c.parameter = this, c.walk = c.spent_walk = 0;
    c.data = const_cast<T*>(value.data()), c.storage = nullptr;
    return c;
  }

  /// Has the tape's last walk backwards reached it, and no update used that?
  bool fresh(const Record& tape) const {
    return cell->walk == tape.nodes.walk_number && tape.adjoint_count && cell->spent_walk != tape.nodes.walk_number;
  }
  /// The tape of which that is true; of several on which it stands, only the one walked last counts. Null if there is none.
  [[gnu::always_inline]] Record* reached_by() {
    Record* tape = holder();
    if (tape && users() == 1 && fresh(*tape)) return tape;
    tape = walked_last();
    return tape && fresh(*tape) ? tape : nullptr;
  }
  /// Of the tapes that were walked backwards since it stands there, the one walked last. (Walks on other threads do not count.)
  [[gnu::noinline, gnu::cold]] Record* walked_last() {
    Record* found = nullptr;
    if (users() > 0)
      for_each_standing([&](Record& tape, Cell& c) {
        if (tape.adjoint_count > tape.id_of(c.place, "step") && (!found || tape.nodes.walk_time > found->nodes.walk_time)) found = &tape;
      });
    if (found) find_on(*found);
    return found;
  }

  /// The numbers are about to change: what was recorded with the old ones cannot be walked backwards again, and no
  /// adjoint of theirs is for another update.
  [[gnu::always_inline]] T* update(Record* tape) {
    if (tape && users() <= 1) [[likely]] spoil(*tape, *cell); else spoil_all();
    if (!value.writable()) [[unlikely]] move_away();
    return const_cast<T*>(value.data());
  }
  /// Somebody keeps the numbers: an update needs others, and where the parameter stands it has them from now on.
  [[gnu::noinline, gnu::cold]] void move_away() {
    T* const numbers = value.mutable_data();
    for_each_standing([numbers](Record&, Cell& c) { c.data = numbers; });
  }
  [[gnu::always_inline]] static void spoil(Record& tape, Cell& c) {
    c.spent_walk = tape.nodes.walk_number;
    tape.nodes.first_changed = std::min(tape.nodes.first_changed, c.place);  // places grow as statements do
  }
  [[gnu::noinline, gnu::cold]] void spoil_all() { if (users() > 0) for_each_standing([](Record& tape, Cell& c) { spoil(tape, c); }); }
  /// What was recorded keeps the old numbers: the tapes become owners of them.
  void replace(Tensor<T> v) {
    for_each_standing([&](Record& tape, Cell& c) {
      tape.nodes.keep_replaced(value.storage(), tape.id_of(c.place, "assign"));
      c.storage = value.storage(), c.parameter = nullptr;
    });
    value = std::move(v);
    cell = nullptr, place = 0;
  }
};
}  // namespace detail

/// Numbers to be learned. Copies have numbers of their own. Recording and updating is for one thread at a time, and a thread that updates must be
/// the only one on whose tapes the parameter stands: clear() the others' first. Any number of threads may compute with it while no tape records; a
/// gradient taken through it, also one in the input of a net, records: for that each thread needs a copy.
template <std::floating_point T> class Parameter {
  using Block = detail::ParameterBlock<T>;
  using Record = detail::Record<double>;
  using Cell = detail::Cell<T>;
  Block* block_;
  std::uint64_t identity_ = detail::new_identity();

  /// What a parameter has that was moved from: no numbers, and all of them share it.
  static Block& nothing() {
    static Block& block = *new Block({});
    return block;
  }
  static Block* share_nothing() noexcept {
    nothing().retain();
    return &nothing();
  }

 public:
  using Number = T;
  /// With these numbers; with zeros, of that shape.
  explicit Parameter(Tensor<T> value) : block_(new Block(std::move(value))) { nothing(); }  // made here, so that moving allocates nothing
  explicit Parameter(const Shape& shape) : Parameter(Tensor<T>::zeros(shape)) {}
  Parameter(const Parameter& other) : block_(other.moved_from() ? share_nothing() : new Block(other.value())) {}
  Parameter(Parameter&& other) noexcept
      : block_(std::exchange(other.block_, share_nothing())), identity_(std::exchange(other.identity_, detail::new_identity())) {}
  Parameter& operator=(const Parameter& other) { Parameter copy(other); std::swap(block_, copy.block_); return *this; }
  Parameter& operator=(Parameter&& other) noexcept { std::swap(block_, other.block_), std::swap(identity_, other.identity_); return *this; }
  ~Parameter() { block_->release(); }

  /// A number that no other parameter of the program has. Moving and swapping take it along; copying into a parameter replaces its numbers and leaves
  /// it this one.
  std::uint64_t identity() const { return identity_; }
  /// Are its numbers gone, to the parameter that it was moved to?
  bool moved_from() const { return block_ == &nothing(); }
  const Tensor<T>& value() const { return block_->value; }
  const Shape& shape() const { return block_->value.shape(); }
  std::size_t size() const { return block_->value.size(); }
  /// Replaces the numbers; the shape stays. What has been recorded keeps the old ones, and their adjoint: a step after this does not reach the new
  /// ones, so assign before recording, or after the step. Throws ShapeError for another shape.
  void assign(Tensor<T> value) {
    if (value.shape() != shape())
      throw ShapeError(
          detail::text("assign: numbers of shape {} for a parameter of shape {}; give numbers of its shape", {value.shape().text(), shape().text()}));
    block_->replace(std::move(value));
  }

  /// Its variable on the tape that records; a constant if none does. While it stands on a tape its value() is the parameter's present one, also
  /// after an update in place.
  [[gnu::always_inline]] Var<Tensor<T>> var() const {
    if (!detail::records()) return block_->value;
    Cell& c = cell();
    return Var<Tensor<T>>(&c, c.place);
  }
  /// Its variable on that tape. Throws TapeError if it has not been used there.
  Var<Tensor<T>> var_on(const Record& tape) const {
    if (!block_->find_on(tape))
      throw TapeError(detail::text("adjoint: the parameter of shape {} has not been used on this tape since it was made, cleared, or assigned to",
          {shape().text()}));
    return Var<Tensor<T>>(block_->cell, block_->place);
  }
  /// The parameter as the last walk backwards reached it, for one update. False if that walk did not reach it, the tape
  /// was cleared, or an update has used its adjoint.
  class Reached {
    Block* block_;
    Record* tape_;  ///< or null

   public:
    Reached(Block* block, Record* tape) : block_(block), tape_(tape) {}
    explicit operator bool() const { return tape_ != nullptr; }
    const T* adjoint() const {
      tape_->use_adjoints();
      compute_deferred(tape_->nodes, *block_->cell);
      return block_->cell->adjoint;
    }
    /// Throws TapeError if adjoints that an earlier walk of this recording left were replaced by another walk's before anybody used them.
    [[gnu::always_inline]] T* update() const {
      if (tape_->nodes.lost) [[unlikely]] detail::refuse_lost();
      return block_->update(tape_);
    }
  };
  [[gnu::always_inline]] Reached reached() const { return {block_, block_->reached_by()}; }
  /// The update by −rate · adjoint; false where reached() is, and then nothing is done. An adjoint that is a product, and that nobody has asked for,
  /// is added to the numbers while it is computed, and never written.
  [[gnu::noinline]] bool descend(double rate) {
    const Reached here = reached();
    if (!here) return false;
    const T scale = static_cast<T>(-rate);
    const Cell& c = *block_->cell;  // update() may look for it on other tapes, and leave block_->cell there
    if (c.state == detail::AdjointState::deferred) add_product(*c.deferred, c.shape, here.update(), true, scale);
    else kernels<T>().axpy(scale, c.adjoint, here.update(), size(), true);
    return true;
  }
  /// Has a walk backwards begun at what was recorded later, and no update used it? It need not have reached the parameter.
  [[gnu::noinline, gnu::cold]] bool walked() const {
    const Record* const tape = block_->walked_last();
    return tape && tape->root > tape->id_of(block_->place, "step") && block_->cell->spent_walk != tape->nodes.walk_number;
  }
  /// Throws as Reached::update() does, for a parameter that the last walk did not reach.
  [[gnu::noinline, gnu::cold]] void require_nothing_lost() const {
    const Record* const tape = block_->walked_last();
    if (tape && tape->nodes.lost) detail::refuse_lost();
  }
  /// Has an update used the adjoint that the last walk backwards left?
  [[gnu::noinline, gnu::cold]] bool used_up() const {
    const Record* const tape = block_->walked_last();
    return tape && block_->cell->spent_walk == tape->nodes.walk_number;
  }
  /// dy/dp after backward(y), for one update; null where reached() is false.
  const T* adjoint() const {
    const Reached here = reached();
    return here ? here.adjoint() : nullptr;
  }
  /// The numbers, for an update in place that uses up the adjoint. What was recorded with the old ones can't be walked backwards again.
  T* update() { return block_->update(block_->holder()); }

  /// Where it stands on the tape that records: put there on first use.
  [[gnu::always_inline]] Cell& cell() const {
    Record& tape = *detail::active<double>;
    return tape.holds(block_->place) ? *block_->cell : block_->put_on(tape);
  }
};

}  // namespace autodiff::inline v1
