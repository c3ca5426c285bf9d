// Floor 5. Pictures of a recording: what a result was computed from, as Graphviz text (`dot -Tsvg`) or as plain lines.
#pragma once
#include "tensor_var.hpp"
#include <string>

namespace autodiff::inline v1 {

/// What may be drawn.
struct GraphOptions {
  std::size_t most_statements = 2000;  ///< of a y that depends on more, none is drawn: nobody would read it
};

namespace detail {
/// What is drawn: where it stands, and its shape if it is a tensor.
struct Drawn { Place place; std::string shape; };
std::string to_dot(const Drawn& y, const GraphOptions& options);
std::string to_text(const Drawn& y, const GraphOptions& options);
template <class T> Drawn drawable(const Var<T>& y) {
  static_assert(std::same_as<T, double> || is_tensor<T>, "to_dot, to_text: what a Tape holds is drawn, not a tape over other numbers");
  if constexpr (is_tensor<T>) if (holder_of<double>(y.place())) return {y.place(), y.shape().text()};
  return {y.place(), {}};  // or it is refused, where it is looked for
}
}  // namespace detail

/// Graphviz text of all that y depends on: ellipses are numbers, boxes are tensors with their operation and shape; an arrow from a number
/// carries the slope recorded for it. Throws TapeError for a constant, for a y that no tape of this thread holds, and
/// for one that depends on too much.
template <class T> std::string to_dot(const Var<T>& y, GraphOptions options = {}) { return detail::to_dot(detail::drawable(y), options); }
/// The same as lines in the order of recording: `#5 = matmul(#1, #3)  (4, 3)`, `#6 = 2 * #4 + 1 * #5`.
template <class T> std::string to_text(const Var<T>& y, GraphOptions options = {}) { return detail::to_text(detail::drawable(y), options); }
/// Of an expression: of the variable that it becomes.
template <Expression E> std::string to_dot(const E& e, GraphOptions options = {}) { return to_dot(Var<typename E::Scalar>(e), options); }
template <Expression E> std::string to_text(const E& e, GraphOptions options = {}) { return to_text(Var<typename E::Scalar>(e), options); }

}  // namespace autodiff::inline v1
