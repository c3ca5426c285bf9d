// Floor 0. Threads: one pool for the whole library, and none until set_threads(n > 1). `parallel(n, f)` runs f(0) … f(n − 1), on whichever thread
// is free; each piece writes memory of its own, so the digits do not depend on who did it, nor on how many there are.
#pragma once
#include <cstddef>

namespace autodiff::inline v1 {

namespace detail {
using PoolPiece = void (*)(const void* context, std::size_t piece);
void run_parallel(std::size_t pieces, PoolPiece piece, const void* context);
inline constinit unsigned pool_threads = 1;  ///< read and written atomically
}  // namespace detail

/// How many threads work on one large operation, the caller's included. Serial (1) by default. Throws Error for 0, for more than
/// `most_threads`, from inside of a piece that the pool runs, and when the system refuses a thread (then one remains); std::bad_alloc. Waits for
/// running work.
void set_threads(unsigned n);
inline constexpr unsigned most_threads = 256;  ///< that set_threads() takes
/// How many there are.
inline unsigned threads() { return __atomic_load_n(&detail::pool_threads, __ATOMIC_RELAXED); }

/// f(0) … f(pieces − 1), each once, in any order and on any thread; returns when all are done. If pieces throw, the exception of the lowest-numbered
/// one reaches the caller (others may or may not have run). Inside of a piece, and while another user thread has the pool, it runs serially.
template <class F> void parallel(std::size_t pieces, const F& f) {
  if (pieces <= 1 || threads() == 1) {
    for (std::size_t i = 0; i < pieces; ++i) f(i);
  } else {
    detail::run_parallel(pieces, [](const void* context, std::size_t i) { (*static_cast<const F*>(context))(i); }, &f);
  }
}

}  // namespace autodiff::inline v1
