// The library forwards, without a tape, where variables are few: the problems of the forward-mode peers.
#include "engine.hpp"
#include "peers_forward.hpp"

namespace bench {

void enter_forwards(Suite& suite) {
  const std::string us = "autodiff, forwards";
  suite.problems.each([&](auto& problem) {
    if constexpr (has_few_variables<decltype(problem)>)
      suite.at(problem.name).entries.push_back({us, [&problem](std::vector<double>& out) { out = autodiff::gradient_forwards(problem, problem.x); }});
  });
  BundleAdjustment& ba = suite.bundle_adjustment;
  suite.at(ba.name).entries.push_back({us, [&ba](std::vector<double>& out) {
    constexpr std::size_t m = BundleAdjustment::locals;
    for (std::size_t i = 0; i < ba.p; ++i) {
      const auto rows = autodiff::jacobian_forwards([&](const auto& v) {
        const auto e = ba.error(v, i);
        return std::array{e[0], e[1], ba.weight_error(v[m - 1])};
      }, ba.local(i));
      for (std::size_t k = 0; k < 2; ++k) std::copy_n(rows[k].begin(), m, &out[2 * m * i + m * k]);
      out[2 * m * ba.p + i] = rows[2][m - 1];
    }
  }});
  HandTracking& ht = suite.hand_tracking;
  suite.at(ht.name).entries.push_back({us, [&ht](std::vector<double>& out) { forward_columns(ht, out); }});
}

}  // namespace bench
