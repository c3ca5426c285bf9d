// Floor 0. The pool's threads. Start reading at `Pool::run`.
#include "pool.hpp"
#include "error.hpp"
#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace autodiff::inline v1 {
namespace {

using namespace std::chrono_literals;

/// How long a worker looks out for the next job before it sleeps: a training step issues one every few dozen microseconds, waking costs five.
constexpr auto patience = 100us;

thread_local constinit bool inside_piece = false;

inline void relax() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#else
  std::this_thread::yield();
#endif
}

class Pool {
 public:
  ~Pool() {
    if (inside_piece) for (auto& worker : workers_) worker.detach();  // a piece called exit(): nobody can wait for the thread it is on
    else stop();
  }

  /// A job is published as one word, {job number, pieces left}. Who lowers the second half by one owns that piece. The job cannot end before
  /// the piece is done, nor `piece_` and `context_` change before the job ends: so they are read only by who owns a piece. A worker that
  /// comes late finds another job number, or no pieces, and takes nothing.
  void run(std::size_t pieces, detail::PoolPiece piece, const void* context) {
    if (inside_piece || pieces > UINT32_MAX || busy_.test_and_set(std::memory_order_acquire)) {
      for (std::size_t i = 0; i < pieces; ++i) piece(context, i);
      return;
    }
    const std::uint32_t number = job_.load(std::memory_order_relaxed) + 1;
    piece_ = piece, context_ = context;
    done_.store(0, std::memory_order_relaxed);
    ticket_.store(std::uint64_t{number} << 32 | pieces, std::memory_order_release);
    job_.store(number, std::memory_order_release);
    job_.notify_all();
    work(number);
    for (int spins = 0; done_.load(std::memory_order_acquire) != pieces; ++spins) {
      if (spins < 2000) relax();
      else std::this_thread::yield();  // the thread we wait for may need this very core
    }
    const std::exception_ptr failure = std::exchange(failure_, nullptr);
    busy_.clear(std::memory_order_release);
    if (failure) std::rethrow_exception(failure);
  }

  void resize(unsigned n) {
    if (inside_piece) throw Error("set_threads: called from inside of parallel work; call it before the work begins");
    while (busy_.test_and_set(std::memory_order_acquire)) std::this_thread::yield();
    struct Release {
      std::atomic_flag& busy;
      ~Release() { busy.clear(std::memory_order_release); }
    } release{busy_};
    if (workers_.size() + 1 == n) return;
    stop();
    try {
      workers_.reserve(n - 1);
      for (unsigned i = 1; i < n; ++i) workers_.emplace_back([this, seen = job_.load()] { live(seen); });
    } catch (const std::bad_alloc&) {
      stop();
      throw;
    } catch (const std::system_error& e) {
      const std::size_t had = workers_.size() + 1;
      stop();
      throw Error(detail::text("set_threads: the system gave {} threads of {}: {}; the work goes on with one", {had, n, e.what()}));
    }
    __atomic_store_n(&detail::pool_threads, n, __ATOMIC_RELAXED);
  }

 private:
  void work(std::uint32_t number) {
    inside_piece = true;
    std::uint64_t ticket = ticket_.load(std::memory_order_acquire);
    while (static_cast<std::uint32_t>(ticket >> 32) == number && static_cast<std::uint32_t>(ticket) > 0) {
      if (!ticket_.compare_exchange_weak(ticket, ticket - 1, std::memory_order_acq_rel, std::memory_order_acquire)) continue;
      const std::size_t mine = static_cast<std::uint32_t>(ticket) - 1;
      try {
        piece_(context_, mine);
      } catch (...) {
        const std::lock_guard lock(failing_);
        if (!failure_ || mine < failed_) failure_ = std::current_exception(), failed_ = mine;
      }
      done_.fetch_add(1, std::memory_order_release);
      ticket = ticket_.load(std::memory_order_acquire);
    }
    inside_piece = false;
  }

  /// A worker's life. `seen`: the last job it knows of.
  void live(std::uint32_t seen) {
    for (;;) {
      std::uint32_t now = job_.load(std::memory_order_acquire);
      for (auto end = std::chrono::steady_clock::now() + patience; now == seen; now = job_.load(std::memory_order_acquire)) {
        for (int i = 0; i < 32 && job_.load(std::memory_order_relaxed) == seen; ++i) relax();
        if (std::chrono::steady_clock::now() > end) job_.wait(seen, std::memory_order_acquire);
      }
      seen = now;
      if (stopping_.load(std::memory_order_acquire)) return;
      work(seen);
    }
  }

  void stop() {
    __atomic_store_n(&detail::pool_threads, 1u, __ATOMIC_RELAXED);  // from here on `parallel` is serial, also in destructors that run after ours
    stopping_.store(true, std::memory_order_release);
    job_.fetch_add(1, std::memory_order_release);
    job_.notify_all();
    for (auto& worker : workers_) worker.join();
    workers_.clear();
    stopping_.store(false, std::memory_order_release);
  }

  std::atomic<std::uint64_t> ticket_{0};
  std::atomic<std::uint32_t> job_{0}, done_{0};
  std::atomic<bool> stopping_{false};
  std::atomic_flag busy_;              ///< a job is on its way, or the threads are being replaced
  detail::PoolPiece piece_ = nullptr;
  const void* context_ = nullptr;
  std::mutex failing_;
  std::exception_ptr failure_;
  std::size_t failed_ = 0;             ///< the piece that threw `failure_`
  std::vector<std::thread> workers_;
};

Pool& pool() { static Pool pool; return pool; }

}  // namespace

void detail::run_parallel(std::size_t pieces, PoolPiece piece, const void* context) { pool().run(pieces, piece, context); }

void set_threads(unsigned n) {
  if (n < 1 || n > most_threads)
    throw Error(detail::text("set_threads: {} threads; from 1 to {} are possible{}",
        {n, most_threads, n > ~0u / 2 ? " (was a negative number made unsigned?)" : ""}));
  pool().resize(n);
}

}  // namespace autodiff::inline v1
