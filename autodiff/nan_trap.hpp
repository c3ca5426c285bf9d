// Floor 2. Where the first NaN came from: a NanTrap makes the statement that computes one throw, there and then.
//
// It costs nothing where none is set: a trapped tape says that it is full, so that every statement of numbers ends in the slow path
// (Record::record_slowly), which looks at what it is to record; operations on tensors ask once each.
#pragma once
#include "dual.hpp"

namespace autodiff::inline v1 {

namespace detail {

/// Traps that live on this thread.
[[gnu::tls_model("initial-exec")]] inline thread_local constinit std::uint32_t nan_traps = 0;
/// From now on, the tape that records on this thread says that it is full.
void set_trap();

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

/// While it lives, the first NaN that is recorded on this thread throws an Error: a number that is NaN or has a NaN among its slopes, a tensor
/// with a NaN in it, and, on the way back, an adjoint that is NaN. The text names the operation and what it was computed from; a debugger that stops where
/// exceptions are thrown (`catch throw`) shows the line. What is not recorded is not looked at: constants, plain numbers, forward mode.
/// Derivatives may differ in the last digit from those without a trap, and recording takes several times as long.
///     ad::NanTrap trap;
///     ad::Var cost = loss(net(X));      // throws: "log: number 3 of the result (4, 2) is NaN; …"
class NanTrap {
 public:
  NanTrap() { ++detail::nan_traps, detail::set_trap(); }
  ~NanTrap() { --detail::nan_traps; }
  NanTrap(const NanTrap&) = delete;
  NanTrap& operator=(const NanTrap&) = delete;
};

}  // namespace autodiff::inline v1
