// The cases of the suite: plain functions and hand-written derivatives, and how an entry is verified.
#include "suite.hpp"
#include "counted.hpp"
#include "harness.hpp"
#include <cmath>
#include <fmt/core.h>

namespace bench {

void add_cases(Suite& suite) {
  suite.problems.each([&](auto& problem) {
    Counted::operations = 0;
    keep(problem(std::vector<Counted>(problem.x.begin(), problem.x.end())));
    Case c{.problem = problem.name, .size = problem.size(), .derivatives = problem.x.size(),
           .function = [&problem] { keep(problem(problem.x)); },
           .hand = [&problem](std::vector<double>& out) { keep(problem.hand(problem.x, out)); }};
    c.operations = static_cast<double>(Counted::operations);
    suite.cases.push_back(std::move(c));
  });
  KMeans& k = suite.problems.k_means;
  suite.cases.push_back({.problem = "k-means newton", .size = k.size(), .derivatives = k.x.size(), .function = [&k] { keep(k(k.x)); },
                         .hand = [&k](std::vector<double>& out) { k.direction(k.x, out); }});
  BundleAdjustment& ba = suite.bundle_adjustment;
  suite.cases.push_back({.problem = ba.name, .size = ba.size(), .derivatives = ba.derivatives(),
                         .function = [&ba, errors = std::vector<double>()]() mutable { ba.function(errors); keep(errors); },
                         .hand = [&ba](std::vector<double>& out) { ba.hand(out); }});
  HandTracking& ht = suite.hand_tracking;
  suite.cases.push_back({.problem = ht.name,
                         .size = ht.size(),
                         .derivatives = ht.rows() * ht.columns(),
                         .function = [&ht] { keep(ht(ht.x)); },
                         .hand = [&ht](std::vector<double>& out) { ht.hand(out); }});
  for (const char* modes : {"ff", "fr", "rf", "rr"}) {
    Particle& p = suite.particle;
    suite.cases.push_back({.problem = fmt::format("particle {}", modes),
                           .size = p.size(),
                           .derivatives = 1,
                           .function = {},
                           .hand = [&p](std::vector<double>& out) { p.hand(out); }});
  }
  for (const char* modes : {"ff", "fr", "rf", "rr"}) {
    Saddle& s = suite.saddle;
    suite.cases.push_back({.problem = fmt::format("saddle {}", modes),
                           .size = s.size(),
                           .derivatives = 4,
                           .function = {},
                           .hand = [&s](std::vector<double>& out) { s.hand(out); }});
  }
}

void verify(const Case& c, const Entry& entry) {
  std::vector<double> hand(c.derivatives), got(c.derivatives, std::nan(""));
  c.hand(hand);
  entry.derivative(got);
  verify(entry.contestant, hand, got);
  if (entry.verify_others) entry.verify_others();
}

std::vector<std::string> absent_peers() {
  std::vector<std::string> names;
#ifndef BENCH_ADOLC
  names.push_back("ADOL-C (libadolc-dev)");
#endif
#ifndef BENCH_SACADO
  names.push_back("Sacado (libtrilinos-sacado-dev)");
#endif
#ifndef BENCH_EIGEN
  names.push_back("Eigen's AutoDiffScalar (libeigen3-dev)");
#endif
#ifndef BENCH_CERES
  names.push_back("Ceres Jets (libceres-dev)");
#endif
  return names;
}

}  // namespace bench
