// Floor 3. Tensors that remember: Var<Tensor<T>>, and how an operation on them is recorded.
//
// A Var<Tensor> is a handle: a cell and its place. On a tape the cell lies in the tape's arena; a constant's cell lies on the heap and is
// shared by its handles. An operation runs its kernel; if one of its operands is on the active tape, it leaves a node behind, whose
// pullback hands the adjoint of the result to the operands that want it. Otherwise nothing is written but the result.
//
// To read this file, start at `Var`, then `record`, then `Pull`; elementwise.hpp is the first user of all three.
#pragma once
#include "adjoint.hpp"
#include "var.hpp"
#include <cstring>
#include <new>

namespace autodiff::inline v1 {

namespace detail {

/// The cell of a constant, with the tensor it stands for.
template <class T> struct ConstantCell : Cell<T>, Shared {
  Tensor<T> tensor;
  explicit ConstantCell(Tensor<T> t)
      : Cell<T>{{0, 0, t.shape()}, const_cast<T*>(t.data()), nullptr, t.storage()},
        Shared([](Shared* self) { delete static_cast<ConstantCell*>(self); }), tensor(std::move(t)) {}
};

template <class X> constexpr bool is_tensor = false;
template <class T> constexpr bool is_tensor<Tensor<T>> = true;
template <class X> constexpr bool is_tensor_var = false;
template <class T> constexpr bool is_tensor_var<Var<Tensor<T>>> = true;

}  // namespace detail

/// A tensor and its place. Value and adjoint are handed out as tensors of their own, which outlive clear().
template <std::floating_point T> class Var<Tensor<T>> {
  using Cell = detail::Cell<T>;
  using ConstantCell = detail::ConstantCell<T>;
  Cell* cell_;
  Place place_ = 0;

 public:
  using Differentiable = void;
  using Number = T;

  Var() : Var(Tensor<T>()) {}
  Var(Tensor<T> constant) : cell_(new ConstantCell(std::move(constant))) {}
  template <class X> requires std::is_arithmetic_v<X> Var(X constant) : Var(Tensor<T>::full({}, static_cast<T>(constant))) {}
  explicit Var(Cell* cell, Place place) : cell_(cell), place_(place) {}  ///< on a tape
  Var(const Var& other) : cell_(other.cell_), place_(other.place_) { if (place_ == 0) constant()->retain(); }
  Var(Var&& other) noexcept : cell_(std::exchange(other.cell_, nullptr)), place_(std::exchange(other.place_, detail::moved_away)) {}
  Var& operator=(const Var& other) { return *this = Var(other); }
  Var& operator=(Var&& other) noexcept { std::swap(cell_, other.cell_), std::swap(place_, other.place_); return *this; }
  ~Var() { if (place_ == 0) constant()->release(); }

  /// The numbers, which outlive clear(). Throws TapeError, as shape() and size() do, if no tape of this thread holds the variable any more.
  Tensor<T> value() const {
    Cell& c = readable_cell("value");
    if (c.storage) return Tensor<T>::sharing(c.shape, c.data, c.storage);
    if (place_ == 0) return constant()->tensor;
    if (c.parameter) return copy_of(c);  // not to be remembered: an update changes the numbers in place
    if (!c.copies || !c.copies->value) return first_copy(c);
    return shared_copy(c, c.copies->value);
  }
  const Shape& shape() const { return readable_cell("shape").shape; }
  std::size_t size() const { return shape().count(); }
  Place place() const { return place_; }

  /// y(i, j): that number, as a variable of the same recording (ops.hpp). Throws ShapeError if there is none.
  template <std::integral... I> Var<double> operator()(I... index) const;
  /// y[k]: number k, counted row by row, likewise.
  Var<double> operator[](std::size_t k) const;
  /// The same in numbers of U, float or double, as a variable of the same recording (ops.hpp).
  template <std::floating_point U> Var<Tensor<U>> as() const;

  /// The cell, if it may be part of what is being recorded: a constant's, or one on the active tape. Else throws TapeError.
  [[gnu::always_inline]] Cell& cell(const char* where) const {
    if (place_ != 0 && !detail::active<double>->holds(place_)) [[unlikely]] detail::recorder<double>().id_of(place_, where);
    return *cell_;
  }

  /// The cell on that tape.
  Cell& cell_on(const detail::Record<double>& tape, const char* where) const { tape.id_of(place_, where); return *cell_; }

  template <class X> Var& operator+=(const X& x) { return *this = *this + x; }
  template <class X> Var& operator-=(const X& x) { return *this = *this - x; }
  template <class X> Var& operator*=(const X& x) { return *this = *this * x; }
  template <class X> Var& operator/=(const X& x) { return *this = *this / x; }

 private:
  ConstantCell* constant() const { return static_cast<ConstantCell*>(cell_); }
  /// The cell, if any tape of this thread still holds it.
  Cell& readable_cell(const char* where) const {
    if (place_ != 0 && !detail::active<double>->holds(place_) && !detail::holder_of<double>(place_)) [[unlikely]]
      detail::recorder<double>().id_of(place_, where);
    return *cell_;
  }
  static Tensor<T> copy_of(const Cell& c) { return Tensor<T>::from(std::span<const T>(c.data, c.shape.count()), c.shape); }
  static Tensor<T> shared_copy(const Cell& c, detail::Storage* copy) {
    return Tensor<T>::sharing(c.shape, static_cast<const T*>(copy->numbers()), copy);
  }
  Tensor<T> first_copy(Cell& c) const {
    auto& nodes = detail::holder_of<double>(place_)->nodes;
    const std::size_t bytes = c.shape.count() * sizeof(T);
    detail::UserCopies& copies = nodes.copies_of(c);  // before the copy is made: it may throw
    detail::Storage* const copy = copies.value = detail::Storage::allocate(bytes);
    if (bytes) std::memcpy(copy->numbers(), c.data, bytes);
    return shared_copy(c, copy);
  }
};
template <class T> Var(Tensor<T>) -> Var<Tensor<T>>;

/// A tensor, or one that remembers.
template <class X> concept TensorLike = detail::is_tensor<X> || detail::is_tensor_var<X>;
/// What can stand for a number beside a tensor.
template <class X> concept NumberLike = Arithmetic<X> || (Expression<X> && requires { requires std::same_as<typename X::Scalar, double>; });

// ---- recording ------------------------------------------------------------------------------------------------------

namespace detail {

/// An operand of an operation: a variable, or a constant, which becomes part of the tape only if something is recorded.
template <class T> class TensorOperand {
  struct Local { Cell<T> cell; T number[1 + alignment / sizeof(T)]; };  // a number alone: readable behind its end like any other
  union { Local local_; };
  Cell<T>* cell_;

 public:
  [[gnu::always_inline]] explicit TensorOperand(Cell<T>& on_tape) : cell_(&on_tape) {}
  [[gnu::always_inline]] TensorOperand(const Var<Tensor<T>>& x, const char* where) : cell_(&x.cell(where)) {}
  [[gnu::always_inline]] TensorOperand(const Tensor<T>& x, const char*) {
    cell_ = new (&local_.cell) Cell<T>{{0, 0, x.shape()}, const_cast<T*>(x.data()), nullptr, x.storage()};
  }
  template <Arithmetic X> TensorOperand(X x, const char*) {
    cell_ = new (&local_.cell) Cell<T>{{}, local_.number, nullptr, nullptr};
    local_.number[0] = static_cast<T>(x);
  }
  TensorOperand(const TensorOperand&) = delete;
  TensorOperand& operator=(const TensorOperand&) = delete;

  const Cell<T>& operator*() const { return *cell_; }
  const Cell<T>* operator->() const { return cell_; }
  bool recorded() const { return cell_->place != 0; }
  /// Its cell on the tape; a constant is kept, and given one if it has none.
  [[gnu::always_inline]] Cell<T>* on(Record<double>& tape) const { return recorded() ? cell_ : constant_on(tape); }

 private:
  Cell<T>* constant_on(Record<double>& tape) const {
    if (cell_ != &local_.cell) {
      tape.nodes.keep(*static_cast<ConstantCell<T>*>(cell_));
      return cell_;
    }
    if (cell_->storage) {
      tape.nodes.keep(cell_->storage);
      return tape.nodes.cell<T>(cell_->shape, 0, cell_->data, cell_->storage);
    }
    Cell<T>* const copy = tape.nodes.cell<T>(cell_->shape, 0);
    if (cell_->shape.count()) copy->data[0] = cell_->data[0];
    return copy;
  }
};

/// The number type of the tensors among the operands.
template <class... X> struct NumberOf;
template <class X, class... More> struct NumberOf<X, More...> : NumberOf<More...> {};
template <class X, class... More> requires TensorLike<X> struct NumberOf<X, More...> { using type = typename X::Number; };
template <class... X> using NumberOfAny = typename NumberOf<X...>::type;

/// What a pullback works with: the adjoint of the result, and where those of the operands go.
template <class T> struct Pull {
  Record<double>& tape;
  Node& node;

  Cell<T>& out() const { return static_cast<Cell<T>&>(*node.out); }
  Cell<T>& in(int i) const { return static_cast<Cell<T>&>(*node.in[i]); }
  const T* adjoint() const { return out().adjoint; }
  /// The same where the result is a number.
  double number_adjoint() const { return tape.adjoints.data()[node.id]; }

  [[gnu::always_inline]] Target<T> to(Cell<T>& cell) const { return target(tape.nodes, cell); }
  [[gnu::always_inline]] Target<T> to(int i) const { return to(in(i)); }

  /// See adjoint.hpp.
  [[gnu::always_inline]] bool alias(Cell<T>& x, T* gradient) const { return detail::alias(tape.nodes, x, gradient); }
  [[gnu::always_inline]] bool may_defer(const Cell<T>& w, const Cell<T>& x) const { return detail::may_defer(tape.nodes, w, x); }
  void defer(Cell<T>& w, const T* x, const T* gz, std::size_t m) const { detail::defer(tape.nodes, w, x, gz, m); }
};

/// Appends a node. `pullback` is a callable that may be copied by bytes; what it captures is kept in the arena.
template <class T, class F>
[[gnu::always_inline]] inline Node& append_node(Record<double>& tape,
    const char* name, CellBase* out, Id id, F pullback, const MoreOperands* more_operands = nullptr) {
  static_assert(std::is_trivially_destructible_v<F>, "a pullback is kept as bytes: capture numbers, shapes and pointers into the arena only");
  void* closure = nullptr;
  if constexpr (!std::is_empty_v<F>) closure = new (tape.nodes.arena.take(sizeof(F))) F(pullback);
  const auto pull = [](Record<double>& t, Node& n) {
    const Pull<T> p{t, n};
    if constexpr (std::is_empty_v<F>) F{}(p); else (*static_cast<F*>(n.closure))(p);
  };
  // Member by member: g++ clears a whole node by `rep stos`, 25 cycles. (An XOR net in a program of its own −2 %.)
  Node& node = tape.nodes.list.append();
  node.pullback = pull, node.name = name, node.out = out, node.closure = closure, node.more_operands = more_operands, node.id = id;
  for (CellBase*& in : node.in) in = nullptr;
  return node;
}
/// The same with its operands, and `value`, the result if that is a number.
template <class T, class F, class... Operands>
[[gnu::always_inline]] inline void append_node_of(Record<double>& tape, const char* name, CellBase* out, double value, F pullback,
    const Operands&... operands) {
  Node& node = append_node<T>(tape, name, out, tape.count() - 1, pullback);
  int i = 0;
  ((node.in[i++] = operands.on(tape)), ...);
  watch_if_trapped<T>(tape, node, value);
}

/// May an operand remember? Plain tensors and numbers do not.
template <class X> constexpr bool remembers = !(is_tensor<X> || Arithmetic<X>);
/// What an operation on tensors of T gives: a Var if an operand may remember, else a tensor. (As a constant Var it would need a cell on the heap:
/// x + x of a few numbers took 38 ns in place of 13.)
template <class T, class... X> using ResultOf = std::conditional_t<(remembers<X> || ...), Var<Tensor<T>>, Tensor<T>>;
/// The same of a result that is a number.
template <class... X> auto plain_if_all_are(const Var<double>& y) {
  if constexpr ((remembers<X> || ...)) return y; else return y.value();
}

/// The tensor of that shape whose numbers `forward(out)` writes.
template <class T> [[gnu::always_inline]] inline Tensor<T> computed(const auto& shape, const auto& forward) {
  Tensor<T> y = Tensor<T>::uninitialized(shape);
  forward(y.mutable_data());
  return y;
}

/// Runs an operation whose result is a tensor: `forward(out)` writes its numbers, `pullback(Pull)` is run on the way back. Y is ResultOf<T, its
/// operands …>. Always inlined: each operation calls it in one place. (x + c of one number, forwards and back, 30 → 19 ns on Zen 3, XOR net −4 %.)
template <class Y, class ShapeLike, class Forward, class Pullback, class... Operands>
[[gnu::always_inline]] inline Y record(const char* name, const ShapeLike& shape, Forward&& forward, Pullback pullback, const Operands&... operands) {
  using T = typename Y::Number;
  if constexpr (!is_tensor<Y>)
    if ((operands.recorded() || ...)) {
      Record<double>& tape = *active<double>;
      const Place place = tape.variable();
      Cell<T>* const out = tape.nodes.cell<T>(shape, place);
      forward(out->data);
      append_node_of<T>(tape, name, out, 0, pullback, operands...);
      return Y(out, place);
    }
  return computed<T>(shape, forward);
}

/// Runs a reduction to one number: `forward()` gives it.
template <class T, class Forward, class Pullback, class... Operands>
[[gnu::always_inline]] inline Var<double> record_number(const char* name, Forward&& forward, Pullback pullback, const Operands&... operands) {
  const double value = forward();
  if (!(operands.recorded() || ...)) return value;
  Record<double>& tape = *active<double>;
  const Place place = tape.variable();
  append_node_of<T>(tape, name, nullptr, value, pullback, operands...);
  return Var<double>(value, place);
}

/// The same as `record` for any number of operands, of which some are known to be on the tape.
template <class T, class Forward, class Pullback>
Var<Tensor<T>> record_many(const char* name, const Shape& shape, Forward&& forward, Pullback pullback, const MoreOperands& operands) {
  Record<double>& tape = *active<double>;
  const Place place = tape.variable();
  Cell<T>* const out = tape.nodes.cell<T>(shape, place);
  forward(out->data);
  Node& node = append_node<T>(tape, name, out, tape.count() - 1, pullback, tape.nodes.more_operands(operands));
  watch_if_trapped<T>(tape, node);
  return Var<Tensor<T>>(out, place);
}

/// A number on the tape as a tensor of one: the door from the scalar stream to the nodes.
template <class T> Var<Tensor<T>> to_tensor(const Var<double>& x) {
  Record<double>& tape = recorder<double>();
  const Id id = tape.id_of(x.place(), "recording");
  if (id == 0) return x.value();
  Id* const kept = new (tape.nodes.arena.take(sizeof(Id))) Id(id);
  return record_many<T>("number", Shape{}, [&](T* y) { y[0] = static_cast<T>(x.value()); },
                        [id](const Pull<T>& p) { p.tape.adjoints.data()[id] += static_cast<double>(p.adjoint()[0]); }, {nullptr, 0, kept, 1});
}

/// How an operand enters: tensors as they are, numbers on a tape as a tensor of one.
template <class T, TensorLike X> const X& entering(const X& x) {
  static_assert(std::same_as<T, typename X::Number>, "tensors of float and of double do not mix; convert one with .as<float>() or .as<double>()");
  return x;
}
template <class T, Arithmetic X> X entering(X x) { return x; }
template <class T, Expression X> Var<Tensor<T>> entering(const X& x) { return to_tensor<T>(Var<double>(x)); }

}  // namespace detail

// ---- tensors of a tape ----------------------------------------------------------------------------------------------

template <class Scalar> template <class T> Var<Tensor<T>> BasicTape<Scalar>::variable(const Tensor<T>& value) {
  static_assert(std::same_as<Scalar, double>, "tensors stand on a Tape, not on a tape over other numbers");
  const Place place = held().variable();
  held().nodes.keep(value.storage());
  return Var<Tensor<T>>(held().nodes.template cell<T>(value.shape(), place, value.data(), value.storage()), place);
}

template <class Scalar> template <class T> void BasicTape<Scalar>::backward(const Var<Tensor<T>>& y, const Tensor<T>& weights) {
  const Id id = active_id(y.place(), "backward");
  detail::Cell<T>& cell = y.cell_on(held(), "backward");
  if (cell.shape != weights.shape())
    throw ShapeError(detail::text("backward: the output has shape {}, the weights {}; give one weight for each number",
        {cell.shape.text(), weights.shape().text()}));
  held().fresh_adjoints(id);
  const auto to = detail::target(held().nodes, cell);
  std::copy_n(weights.data(), weights.size(), to.data);
  held().walk_back();
}

template <class Scalar> template <class T> Tensor<T> BasicTape<Scalar>::adjoint(const Var<Tensor<T>>& x) const {
  const Id id = active_id(x.place(), "adjoint");
  if (id >= held().adjoint_count) [[unlikely]] detail::refuse_late(id);
  detail::Cell<T>& cell = x.cell_on(held(), "adjoint");
  auto& nodes = held().nodes;
  nodes.used = true;
  if (cell.walk != nodes.walk_number) return Tensor<T>::zeros(cell.shape);
  detail::compute_deferred(nodes, cell);
  detail::UserCopies& copies = nodes.copies_of(cell);
  if (!copies.adjoint || copies.walk != nodes.walk_number) {
    const std::size_t bytes = cell.shape.count() * sizeof(T);
    if (!copies.adjoint || copies.adjoint->shared()) {  // nobody's copy of an earlier walk is used again
      detail::Storage* const copy = detail::Storage::allocate(bytes);
      if (copies.adjoint) copies.adjoint->release();
      copies.adjoint = copy;
    }
    if (bytes) std::memcpy(copies.adjoint->numbers(), cell.adjoint, bytes);
    copies.walk = nodes.walk_number;
  }
  return Tensor<T>::sharing(cell.shape, static_cast<const T*>(copies.adjoint->numbers()), copies.adjoint);
}

/// `out << y` writes the value.
template <class Traits, class T> requires detail::Writes<std::basic_ostream<char, Traits>>
std::basic_ostream<char, Traits>& operator<<(std::basic_ostream<char, Traits>& out, const Var<Tensor<T>>& y) { return out << y.value(); }

// ---- what rules ask of a number -------------------------------------------------------------------------------------

template <class T> const Tensor<T>& plain(const Tensor<T>& x) { return x; }
template <class T> Tensor<T> plain(const Var<Tensor<T>>& x) { return x.value(); }
/// Zeros of x's shape: the tangent of a constant.
template <class T> Var<Tensor<T>> zero_like(const Var<Tensor<T>>& x) { return Tensor<T>::zeros(x.shape()); }
template <class T> Tensor<T> zero_like(const Tensor<T>& x) { return Tensor<T>::zeros(x.shape()); }

}  // namespace autodiff::inline v1
