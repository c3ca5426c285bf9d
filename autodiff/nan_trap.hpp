// Floor 2. Where the first NaN came from: a NanTrap makes the statement that computes one throw, there and then.
//
// It costs nothing where none is set. A trapped tape says that it is full, so that every statement of numbers ends in the slow path
// (Record::record_slowly), which looks at what it is to record; there grow() says so again, until the first one after the trap. Operations on tensors
// ask once each.
#pragma once
#include "arguments.hpp"
#include "dual.hpp"
#include <string>

namespace autodiff::inline v1 {

namespace detail {

template <class Scalar> struct Record;
struct Node;

/// Traps that live on this thread.
[[gnu::tls_model("initial-exec")]] inline thread_local constinit std::uint32_t nan_traps = 0;
/// From now on, the tape over double that records on this thread says that it is full. (Others do when they begin.)
void trap_recorder();

[[noreturn]] void refuse_nan(Id id, const std::string& operands);
[[noreturn]] void refuse_nan_adjoint(Id id);

/// Throws Error if the node's result is NaN, `value` if it is a number, and has its pullback throw if it hands out NaN.
template <class T> void watch(Record<double>& tape, Node& node, double value);
extern template void watch<float>(Record<double>&, Node&, double);
extern template void watch<double>(Record<double>&, Node&, double);
template <class T> [[gnu::always_inline]] inline void watch_if_trapped(Record<double>& tape, Node& node, double value = 0) {
  if (nan_traps) [[unlikely]] watch<T>(tape, node, value);
}

/// Is there a NaN in x: in a lane, in a tangent?
template <class X> bool holds_nan(const X& x) {
  if constexpr (Arithmetic<X>) return x != x;
  else if constexpr (is_dual<X>) return holds_nan(x.value()) || holds_nan(x.tangent());
  else if constexpr (requires { X::size; x[0]; }) {
    for (std::size_t lane = 0; lane < X::size; ++lane) if (holds_nan(x[lane])) return true;
    return false;
  } else return holds_nan(x.value());
}

}  // namespace detail

/// While it lives, the first NaN that comes up on this thread throws an Error. The text names the operation and what it was computed from; a debugger
/// that stops where exceptions are thrown (`catch throw`) shows the line. It looks at what is recorded from then on,
///   - forward: numbers and their slopes, the results of operations on tensors;
///   - backward: the adjoints of numbers, and what operations on tensors hand to their operands. (Then no adjoint is to be had from that walk.)
/// It does not see constants, plain numbers, forward mode, or tapes over other numbers than double that were recording before it. Set it
/// first of all. Under it, a variable that stands in one statement twice is not merged, so that derivatives may differ in the last
/// digit, and recording takes several times as long. It must end on the thread that made it.
///     ad::NanTrap trap;
///     ad::Var cost = loss(net(X));      // throws: "log: number [3] of the result (4, 2) is NaN; …"
class NanTrap {
 public:
  NanTrap() { ++detail::nan_traps, detail::trap_recorder(); }
  ~NanTrap() { --detail::nan_traps; }
  NanTrap(const NanTrap&) = delete;
  NanTrap& operator=(const NanTrap&) = delete;
};

}  // namespace autodiff::inline v1
