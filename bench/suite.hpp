// The scalar suite: problems, and who takes part in each. Every contestant enters itself in a file of its own (`enter_…` below); the
// report (scalar.cpp) and the Google Benchmark program (scalar_gbench.cpp) time whoever has entered. Start reading at `Case`.
#pragma once
#include "problems/all.hpp"
#include "problems/ba.hpp"
#include "problems/hand_tracking.hpp"
#include "problems/nested.hpp"
#include <functional>
#include <memory>
#include <stdexcept>

namespace bench {

/// Computes a derivative, all of it, into a vector of the right length.
using Derivative = std::function<void(std::vector<double>&)>;

struct Entry {
  std::string contestant;
  Derivative derivative;
  double units = 1;                                     ///< how many derivatives one call computes (SIMD lanes: one per lane)
  std::function<void()> verify_others{};                ///< those beside the first, where there are several
};

/// One problem at one size.
struct Case {
  std::string problem, size;
  std::size_t derivatives = 0;                          ///< how many numbers a derivative has
  std::function<void()> function;                       ///< the plain function on double; empty where the function needs derivatives itself
  Derivative hand;                                      ///< the hand-written derivative: what all others are verified against
  std::vector<Entry> entries{};                         ///< the library first, then its peers
  std::function<std::size_t()> tape_bytes{};            ///< of the library's last run, where one tape recorded it all
  std::function<void()> inactive{};                     ///< the function on the library's variables while no tape records
  double operations = 0;                                ///< arithmetic operations and elementary functions of one plain evaluation
};

struct Suite {
  Problems problems;
  BundleAdjustment bundle_adjustment;
  HandTracking hand_tracking;
  Saddle saddle;
  Particle particle;
  std::vector<Case> cases{};                            ///< filled by add_cases, which keeps references to the problems above

  Suite() = default;
  Suite(const Suite&) = delete;
  Suite& operator=(const Suite&) = delete;
  Case& at(const std::string& problem) {
    for (Case& c : cases)
      if (c.problem == problem) return c;
    throw std::out_of_range("no problem is called " + problem);
  }
};

void add_cases(Suite& suite);                           ///< suite.cpp: functions and hand-written derivatives
void enter_library(Suite& suite);                       ///< scalar_library.cpp
void enter_forwards(Suite& suite);                      ///< scalar_forwards.cpp: the library without a tape
void enter_lanes(Suite& suite);                         ///< scalar_lanes.cpp: the library in SIMD lanes
void enter_adolc(Suite& suite);                         ///< peers_*.cpp: each enters nobody where the peer is not installed
void enter_sacado(Suite& suite);
void enter_eigen(Suite& suite);
void enter_ceres(Suite& suite);
/// The peers that this program was built without, each with its package: "ADOL-C (libadolc-dev)".
std::vector<std::string> absent_peers();

/// Runs a derivative, and throws std::runtime_error where it is not the hand-written one (harness.hpp).
void verify(const Case& c, const Entry& entry);

}  // namespace bench
