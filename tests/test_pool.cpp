// The pool of threads: every piece once, whoever asks, whatever goes wrong.
#include "autodiff/pool.hpp"
#include "autodiff/error.hpp"
#include <doctest/doctest.h>
#include <atomic>
#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace ad = autodiff;

namespace {
struct Threads {  ///< so many, and serial again afterwards
  explicit Threads(unsigned n) { ad::set_threads(n); }
  ~Threads() { ad::set_threads(1); }
};
std::vector<int> count_runs(std::size_t pieces) {
  std::vector<int> runs(pieces);
  ad::parallel(pieces, [&](std::size_t i) { ++runs[i]; });
  return runs;
}
}  // namespace

TEST_CASE("the pool is serial by default") { CHECK(ad::threads() == 1); }

TEST_CASE("every piece runs exactly once on any number of threads") {
  for (const unsigned n : {1u, 2u, 3u, 8u}) {
    const Threads threads(n);
    CHECK(ad::threads() == n);
    for (const std::size_t pieces : {0u, 1u, 2u, 3u, 100u, 5000u}) CHECK(count_runs(pieces) == std::vector<int>(pieces, 1));
  }
}

TEST_CASE("two threads are in their pieces at once") {
  const Threads threads(2);
  std::atomic<int> inside{0};
  bool met[2] = {};
  ad::parallel(2, [&](std::size_t i) {
    ++inside;
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!(met[i] = inside == 2) && std::chrono::steady_clock::now() < end) std::this_thread::yield();
  });
  CHECK((met[0] && met[1]));
}

TEST_CASE("many short jobs in a row do not take each other's pieces") {
  const Threads threads(3);
  std::vector<long> total(7);
  for (long job = 0; job < 20000; ++job) ad::parallel(total.size(), [&](std::size_t i) { total[i] += job; });
  CHECK(total == std::vector<long>(7, 20000L * 19999 / 2));
}

TEST_CASE("workers that went to sleep wake up again") {
  const Threads threads(2);
  for (int i = 0; i < 5; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    CHECK(count_runs(64) == std::vector<int>(64, 1));
  }
}

TEST_CASE("parallel work inside of parallel work runs serially") {
  const Threads threads(3);
  std::vector<std::vector<int>> runs(20);
  ad::parallel(runs.size(), [&](std::size_t i) { runs[i] = count_runs(50); });
  for (const auto& r : runs) CHECK(r == std::vector<int>(50, 1));
}

TEST_CASE("several user threads may call at once") {
  const Threads threads(2);
  std::atomic<int> wrong{0};
  std::vector<std::thread> users;
  for (int u = 0; u < 4; ++u)
    users.emplace_back([&] { for (int i = 0; i < 500; ++i) if (count_runs(30) != std::vector<int>(30, 1)) ++wrong; });
  for (auto& user : users) user.join();
  CHECK(wrong == 0);
}

TEST_CASE("an exception in a piece reaches the caller, and the pool goes on") {
  for (const unsigned n : {1u, 3u}) {
    const Threads threads(n);
    for (int round = 0; round < 50; ++round) {
      std::string caught;
      try {
        ad::parallel(40, [](std::size_t i) { if (i % 10 == 7) throw std::runtime_error("piece " + std::to_string(i)); });
      } catch (const std::runtime_error& e) {
        caught = e.what();
      }
      CHECK(caught == "piece 7");  // the lowest-numbered one
      CHECK(count_runs(40) == std::vector<int>(40, 1));
    }
  }
}

TEST_CASE("a number of threads that makes no sense is an error with the numbers in it") {
  CHECK_THROWS_WITH_AS(ad::set_threads(0), "set_threads: 0 threads; from 1 to 256 are possible", ad::Error);
  CHECK_THROWS_WITH_AS(ad::set_threads(1000), "set_threads: 1000 threads; from 1 to 256 are possible", ad::Error);
  CHECK(ad::threads() == 1);
}

TEST_CASE("set_threads from inside of parallel work is an error") {
  const Threads threads(2);
  CHECK_THROWS_AS(ad::parallel(4, [](std::size_t) { ad::set_threads(3); }), ad::Error);
  CHECK(ad::threads() == 2);
}

TEST_CASE("set_threads waits for work that another thread has running") {
  const Threads threads(2);
  std::atomic<bool> started{false};
  std::atomic<int> done{0};
  std::thread user([&] {
    ad::parallel(8, [&](std::size_t) {
      started = true;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      ++done;
    });
  });
  while (!started) std::this_thread::yield();
  ad::set_threads(3);
  CHECK(done == 8);
  CHECK(ad::threads() == 3);
  user.join();
  CHECK(done == 8);
}
