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

namespace {

double distance(const std::vector<double>& expected, const std::vector<double>& got) {
  for (const double a : expected)
    if (!std::isfinite(a))
      throw std::runtime_error(fmt::format("the hand-written derivative is not finite ({}); take another input", a));
  double scale = 0, worst = 0;
  for (const double a : expected) scale = std::max(scale, std::abs(a));
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double apart = std::abs(got[i] - expected[i]);
    if (!(apart <= worst)) worst = apart;               // a NaN is kept
    if (std::isnan(worst)) return worst;
  }
  return worst == 0 ? 0 : worst / scale;
}

void refuse_distant(const std::string& contestant, double apart) {
  constexpr double most = 1e-12;
  if (!(apart <= most))
    throw std::runtime_error(
        fmt::format("the derivative of {} is {:.2g} away from the hand-written one (relative to its largest number); at most {:.0e} is "
                    "right, so no time is printed",
                    contestant, apart, most));
}

}  // namespace

double distance_from_hand(const Case& c, const Entry& entry) {
  std::vector<double> expected(c.derivatives), got(c.derivatives, std::nan(""));
  c.hand(expected);
  entry.derivative(got);
  return distance(expected, got);
}
void verify(const Case& c, const Entry& entry) {
  refuse_distant(entry.contestant, distance_from_hand(c, entry));
  if (entry.verify_others) entry.verify_others();
}
void verify(const std::string& contestant, const std::vector<double>& hand, const std::vector<double>& got) {
  refuse_distant(contestant, distance(hand, got));
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
