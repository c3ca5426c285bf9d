// Floor 4. Parameters: tensors to be learned. A parameter outlives the recordings it takes part in: its first use after clear() puts it on the
// tape, without a copy of its numbers, and after backward() an optimizer reads its adjoint and updates it in place.
#pragma once
#include "tensor_var.hpp"

namespace autodiff::inline v1 {

/// Numbers to be learned. Copies have numbers of their own. Recording and updating is for one thread at a time; any number may compute with it
/// while no tape records.
template <std::floating_point T> class Parameter {
  struct Block : detail::Shared {
    Tensor<T> value;
    detail::Cell<T>* cell = nullptr;  ///< where it stands on the tape that used it last …
    Place place = 0;                  ///< … if that tape still holds this place
    std::uint64_t updated = 0;        ///< the walk backwards whose adjoint has been used
    explicit Block(Tensor<T> v) : Shared([](Shared* self) { delete static_cast<Block*>(self); }), value(std::move(v)) {}

    /// The tape that it stands on, or null.
    [[gnu::always_inline]] detail::Record<double>* holder() const {
      if (place == 0) return nullptr;
      return detail::active<double>->holds(place) ? detail::active<double> : const_cast<detail::Record<double>*>(detail::holder_of<double>(place));
    }
    [[gnu::always_inline]] T* update(detail::Record<double>* tape) {
      if (tape) {
        updated = tape->nodes.sweep;
        tape->nodes.updated = std::min(tape->nodes.updated, tape->id_of(place, "update"));
        if (value.storage() && value.storage()->shared()) keep_recorded_numbers();
      }
      return value.mutable_data();
    }
    /// The tape points at our numbers; before they go elsewhere it becomes one of their owners.
    void keep_recorded_numbers() {
      if (detail::Record<double>* tape = holder()) {
        tape->nodes.keep(value.storage());
        cell->storage = value.storage();
      }
    }
  };
  Block* block_;

 public:
  using Number = T;
  explicit Parameter(Tensor<T> value) : block_(new Block(std::move(value))) {}
  explicit Parameter(const Shape& shape) : Parameter(Tensor<T>::zeros(shape)) {}
  Parameter(const Parameter& other) : Parameter(other.value()) {}
  Parameter(Parameter&& other) : block_(std::exchange(other.block_, new Block({}))) {}
  Parameter& operator=(const Parameter& other) { return *this = Parameter(other); }
  Parameter& operator=(Parameter&& other) noexcept { std::swap(block_, other.block_); return *this; }
  ~Parameter() { block_->release(); }

  const Tensor<T>& value() const { return block_->value; }
  const Shape& shape() const { return block_->value.shape(); }
  std::size_t size() const { return block_->value.size(); }
  /// Other numbers, of the same shape. What has been recorded keeps the old ones. Throws ShapeError for another shape.
  void assign(Tensor<T> value) {
    if (value.shape() != shape()) throw ShapeError(detail::text("parameter: shape {} cannot take numbers of shape {}", {shape().text(), value.shape().text()}));
    block_->keep_recorded_numbers();
    block_->value = std::move(value);
    block_->place = 0;
  }

  /// Its variable on the tape that records; a constant if none does.
  [[gnu::always_inline]] Var<Tensor<T>> var() const {
    if (!recording()) return block_->value;
    detail::Cell<T>& c = cell();
    return {&c, c.place};
  }
  /// The parameter as the last walk backwards reached it, for one update; false if it did not, the tape has been cleared, or an update has used it.
  class Reached {
    Block* block_;
    detail::Record<double>* tape_;  ///< or null

   public:
    Reached(Block* block, detail::Record<double>* tape) : block_(block), tape_(tape) {}
    explicit operator bool() const { return tape_ != nullptr; }
    const T* adjoint() const {
      settle(tape_->nodes, *block_->cell);
      return block_->cell->adjoint;
    }
    T* update() const { return block_->update(tape_); }
    /// The update by −rate · adjoint where the adjoint is a product that nobody has asked for: it is added to the numbers while it is computed,
    /// and never written. Else false, and nothing is done.
    bool descend(T rate) const {
      const detail::Cell<T>& cell = *block_->cell;
      if (cell.held != detail::CellBase::Held::owed) return false;
      compute(*cell.owed, cell.shape, update(), true, -rate);
      return true;
    }
  };
  [[gnu::always_inline]] Reached reached() const {
    detail::Record<double>* const tape = block_->holder();
    const bool fresh = tape && block_->cell->swept == tape->nodes.sweep && tape->swept && block_->updated != tape->nodes.sweep;
    return {block_, fresh ? tape : nullptr};
  }
  /// dy/dp after backward(y), for one update; null where reached() is false.
  const T* adjoint() const {
    const Reached here = reached();
    return here ? here.adjoint() : nullptr;
  }
  /// The numbers, for an update in place that uses up the adjoint. What was recorded with the old ones can't be walked backwards again.
  T* update() { return block_->update(block_->holder()); }

  static bool recording() { return detail::recorder<double>().base != detail::nowhere; }
  /// Where it stands on the tape that records: put there on first use.
  [[gnu::always_inline]] detail::Cell<T>& cell() const {
    detail::Record<double>& tape = *detail::active<double>;
    Block& b = *block_;
    if (b.place != 0 && (tape.holds(b.place) || tape.survivor(b.place))) [[likely]] return *b.cell;
    tape.nodes.keep(b);
    b.place = tape.variable();
    b.updated = 0;
    b.cell = tape.nodes.template cell<T>(b.value.shape(), b.place, b.value.data(), nullptr);
    b.cell->learned = true;
    return *b.cell;
  }

};

/// Nothing is recorded on this thread while it lives: to evaluate a net in the middle of its training.
class Pause {
  detail::Link<double> link_{&detail::idle<double>};

 public:
  Pause() { detail::put_on_top(link_); }
  ~Pause() { detail::take_out(link_); }
  Pause(const Pause&) = delete;
  Pause& operator=(const Pause&) = delete;
};

}  // namespace autodiff::inline v1
