// Floor 3. Broadcasting: which shape two operands give, and how each is walked. And what a NanTrap does to a node.
#include "tensor_var.hpp"

namespace autodiff::inline v1::detail {

Shape broadcast_shape(const char* name, const Shape& a, const Shape& b) {
  const std::size_t axes = std::max(a.axes(), b.axes());
  Shape shape;
  for (std::size_t i = 0; i < axes; ++i) {  // from the last axis backwards they are aligned: missing ones stand in front
    const std::size_t missing_a = axes - a.axes(), missing_b = axes - b.axes();
    const std::size_t p = i < missing_a ? 1 : a[i - missing_a], q = i < missing_b ? 1 : b[i - missing_b];
    if (p != q && p != 1 && q != 1)
      throw ShapeError(text(
          "{}: shapes {} and {} do not fit: along axis {} of the result one has {}, the other {}; sizes must be equal, or one of them 1",
          {name, a.text(), b.text(), i, p, q}));
    shape.append(p == 1 ? q : p);
  }
  return shape;
}

Broadcast broadcast_walk(const Shape& y, const Shape& a, const Shape& b) {
  const auto step = [&y](const Shape& x, std::size_t axis) -> std::size_t {
    const std::size_t missing = y.axes() - x.axes();
    return axis < missing || x[axis - missing] == 1 ? 0 : x.inside(axis - missing);
  };
  Broadcast walk;
  for (std::size_t i = 0; i < y.axes(); ++i)
    if (y[i] != 1) walk.append(y[i], step(a, i), step(b, i));
  if (walk.axes == 0) walk.append(1, 0, 0);
  return walk;
}

// ---- traps for NaN ---------------------------------------------------------------------------------------------------

namespace {
constexpr std::size_t none = ~std::size_t{0};
/// Which of n numbers is the first NaN; `none` if none is.
template <class T> std::size_t first_nan(const T* numbers, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) if (numbers[i] != numbers[i]) return i;
  return none;
}
std::string_view kind(const CellBase& cell) { return cell.parameter ? "a parameter" : cell.place ? "a variable" : "a constant"; }

/// Does the adjoint that was handed to a cell hold a NaN? (None is deferred while a trap lives.)
template <class T> bool was_handed_nan(const Record<double>& tape, const Cell<T>& cell) {
  return cell.place != 0 && cell.walk == tape.nodes.walk_number && first_nan(cell.adjoint, cell.shape.count()) != none;
}

/// What a watched node's pullback finds in the place of its closure: its own pullback, and the closure of that.
struct Watched { void (*pullback)(Record<double>&, Node&); void* more; };
template <class T> void pull_and_look(Record<double>& tape, Node& node) {
  if (nan_traps && !node.out && holds_nan(tape.adjoints.data()[node.id])) refuse_nan_adjoint(node.id);
  const auto* const watched = static_cast<const Watched*>(node.more);
  Node unwatched = node;
  unwatched.more = watched->more;
  watched->pullback(tape, unwatched);
  std::size_t i = 0;
  for_each_operand(node, [&](CellBase& cell) {
    ++i;
    if (nan_traps && was_handed_nan(tape, static_cast<Cell<T>&>(cell)))
      throw Error(
          text("backward: {} (statement #{}) hands NaN to its operand {}, {} of shape {}", {node.name, node.id, i, kind(cell), cell.shape.text()}));
  });
}
}  // namespace

template <class T> void watch(Record<double>& tape, Node& node, double value) {
  const std::size_t at = node.out ? first_nan(static_cast<Cell<T>*>(node.out)->data, node.out->shape.count()) : first_nan(&value, 1);
  if (at != none) {
    std::string from;
    std::size_t i = 0;
    for_each_operand(node, [&](CellBase& cell) {
      ++i;
      if (const std::size_t k = first_nan(static_cast<Cell<T>&>(cell).data, cell.shape.count()); from.empty() && k != none)
        from = text("number {} of operand {}, {} of shape {}, is NaN already", {k, i, kind(cell), cell.shape.text()});
    });
    if (from.empty()) from = "no operand holds NaN: look for numbers outside of its domain, for inf - inf and 0 * inf";
    const std::string where = node.out ? text("number {} of the result {}", {at, node.out->shape.text()}) : "the result";
    throw Error(text("{}: {} is NaN; {} (statement #{})", {node.name, where, from, node.id}));
  }
  node.more = new (tape.nodes.arena.take(sizeof(Watched))) Watched{node.pullback, node.more};
  node.pullback = &pull_and_look<T>;
}
template void watch<float>(Record<double>&, Node&, double);
template void watch<double>(Record<double>&, Node&, double);

}  // namespace autodiff::inline v1::detail
