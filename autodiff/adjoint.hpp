// Floor 2. The adjoint of a tensor, during one walk backwards. A cell has one if `cell.walk` is the number of the last walk; then its state is
//
//     state       `adjoint` points to                      comes from      when more is to be added, or it is read
//     written     numbers of its own, in `walk_memory`     target()        added in place; read as it is
//     aliased     numbers of somebody else's               alias()         copied, then added; read as it is
//     deferred    nothing: it is xᵀ·gz                     defer()         computed, then added or read
//
// The next walk takes `walk_memory` (nodes.hpp) back. Aliased: an operand of slope 1 may share the result's adjoint, which is final: every use of the
// result comes later on the tape, and has been walked; and a cost shares the gradient that it kept. Deferred: the adjoint of a large matrix
// of weights; gradient descent adds the product to the weights while it computes it.
#pragma once
#include "kernels.hpp"
#include "nan_trap.hpp"
#include "nodes.hpp"
#include <algorithm>

namespace autodiff::inline v1::detail {

/// c = xᵀ·gz, (M,K)ᵀ·(M,N) → (K,N), or c += scale · xᵀ·gz: the adjoint that a cell of that shape puts off.
template <class T> void add_product(const Deferred<T>& product, const Shape& shape, T* c, bool add, T scale) {
  const std::size_t k = shape[0], n = shape[1];
  kernels<T>().product({.m = k, .n = n, .k = product.m, .a = product.x, .a_row = 1, .a_col = k,
      .b = product.gz, .b_row = n, .b_col = 1, .c = c, .add = add, .scale = scale});
}
template <class T> [[gnu::noinline]] void compute(Nodes<double>& nodes, Cell<T>& deferred) {
  deferred.adjoint = nodes.template numbers<T>(nodes.walk_memory, deferred.shape.count());
  add_product(*deferred.deferred, deferred.shape, deferred.adjoint, false, T(1));
  deferred.state = AdjointState::written;
}
/// An adjoint that was deferred is computed.
template <class T> [[gnu::always_inline]] inline void compute_deferred(Nodes<double>& nodes, Cell<T>& cell) {
  if (cell.state == AdjointState::deferred) compute(nodes, cell);
}
/// Numbers of its own for a cell whose adjoint is aliased or deferred.
template <class T> [[gnu::noinline, gnu::cold]] void make_own(Nodes<double>& nodes, Cell<T>& cell) {
  if (cell.state == AdjointState::deferred) return compute(nodes, cell);
  const T* const before = cell.adjoint;
  cell.adjoint = nodes.template numbers<T>(nodes.walk_memory, cell.shape.count());
  std::copy_n(before, cell.shape.count(), cell.adjoint);
  cell.state = AdjointState::written;
}

/// Where a cell's adjoint is to be written, and whether there is something to add to; null for a constant.
template <class T> struct Target { T* data; bool add; explicit operator bool() const { return data; } };
template <class T> [[gnu::always_inline]] inline Target<T> target(Nodes<double>& nodes, Cell<T>& cell) {
  if (cell.place == 0) return {nullptr, false};
  if (cell.walk == nodes.walk_number) {
    if (cell.state != AdjointState::written) [[unlikely]] make_own(nodes, cell);
    return {cell.adjoint, true};
  }
  cell.adjoint = nodes.template numbers<T>(nodes.walk_memory, cell.shape.count());
  cell.walk = nodes.walk_number, cell.state = AdjointState::written;
  return {cell.adjoint, false};
}

/// Lets a gradient that stays as it is until the next walk *be* the adjoint of x. False if x has one already: the gradient must be added.
template <class T> [[gnu::always_inline]] inline bool alias(Nodes<double>& nodes, Cell<T>& x, T* gradient) {
  if (x.place == 0) return true;
  if (x.walk == nodes.walk_number) return false;
  x.adjoint = gradient;
  x.walk = nodes.walk_number, x.state = AdjointState::aliased;
  return true;
}

/// Numbers from which on a matrix of weights puts its adjoint off. (b in bench/training, 2048 numbers: 0.93 of hand-written, and 0.97 without.)
constexpr std::size_t least_deferred = 1'000;
/// May w's adjoint stay the product xᵀ·gz for now? Only if w is a large parameter without another adjoint yet, and x is no parameter, which might be
/// updated first. (Not under a trap, which looks at the numbers.)
template <class T> [[gnu::always_inline]] inline bool may_defer(const Nodes<double>& nodes, const Cell<T>& w, const Cell<T>& x) {
  return w.shape.count() >= least_deferred && w.parameter && w.shape.axes() == 2 && w.walk != nodes.walk_number && !x.parameter && !nan_traps;
}
/// gz stays until the next walk: it is an adjoint, or from `walk_memory`.
template <class T> void defer(Nodes<double>& nodes, Cell<T>& w, const T* x, const T* gz, std::size_t m) {
  w.walk = nodes.walk_number, w.state = AdjointState::deferred;
  w.deferred = new (nodes.walk_memory.take(sizeof(Deferred<T>))) Deferred<T>{x, gz, m};
}

}  // namespace autodiff::inline v1::detail
