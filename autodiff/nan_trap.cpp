// Floor 2. What a NanTrap finds in numbers, and what it does to a node.
#include "tape.hpp"
#include <fmt/format.h>

namespace autodiff::inline v1::detail {

void trap_recorder() {
  if (active<double> != &idle<double>) active<double>->close();
}

void refuse_nan(Id id, const std::string& operands) {
  throw Error(fmt::format(
      "recording: statement #{} is NaN, computed from {}; look for an argument outside of its function's domain, for inf - inf, and for a "
      "constant that is NaN", id, operands));
}
void refuse_nan_adjoint(Id id) {
  throw Error(fmt::format("backward: the adjoint of statement #{} is NaN; look for slopes that are infinite (to_text() shows them)", id));
}

// ---- nodes ----------------------------------------------------------------------------------------------------------

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
struct Watched { void (*pullback)(Record<double>&, Node&); void* closure; };
template <class T> void pull_and_look(Record<double>& tape, Node& node) {
  if (nan_traps && !node.out && holds_nan(tape.adjoints.data()[node.id])) refuse_nan_adjoint(node.id);
  const auto* const watched = static_cast<const Watched*>(node.closure);
  Node unwatched = node;
  unwatched.closure = watched->closure;
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
        from = text("number [{}] of operand {}, {} of shape {}, is NaN already", {k, i, kind(cell), cell.shape.text()});
    });
    if (from.empty()) from = "no operand holds NaN: look for numbers outside of its domain, for inf - inf and 0 * inf";
    const std::string where = node.out ? text("number [{}] of the result {}", {at, node.out->shape.text()}) : "the result";
    throw Error(text("{}: {} is NaN; {} (statement #{})", {node.name, where, from, node.id}));
  }
  node.closure = new (tape.nodes.arena.take(sizeof(Watched))) Watched{node.pullback, node.closure};
  node.pullback = &pull_and_look<T>;
}
template void watch<float>(Record<double>&, Node&, double);
template void watch<double>(Record<double>&, Node&, double);

}  // namespace autodiff::inline v1::detail
