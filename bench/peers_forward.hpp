// What the forward-mode peers share: a number with K tangents, K variables at a time. A peer brings
//     make(value)            a constant        seed(number, k)   its k-th tangent becomes 1        tangent(number, k)
#pragma once
#include "suite.hpp"

namespace bench {

/// Enters the two Jacobians.
template <template <int> class Peer> void enter_forward_jacobians(Suite& suite, const std::string& name) {
  BundleAdjustment& ba = suite.bundle_adjustment;
  suite.at(ba.name).entries.push_back({name, [&ba](std::vector<double>& out) __attribute__((flatten)) {
    constexpr std::size_t m = BundleAdjustment::locals;
    using P = Peer<16>;                                 // of 15 the last is idle: a third to a half of the time of 15
    for (std::size_t i = 0; i < ba.p; ++i) {
      const auto local = ba.local(i);
      std::array<typename P::Number, m> v;
      for (std::size_t j = 0; j < m; ++j) {
        v[j] = P::make(local[j]);
        P::seed(v[j], static_cast<int>(j));
      }
      const auto e = ba.error(v, i);
      for (std::size_t k = 0; k < 2; ++k)
        for (std::size_t j = 0; j < m; ++j) out[2 * m * i + m * k + j] = P::tangent(e[k], static_cast<int>(j));
      out[2 * m * ba.p + i] = P::tangent(ba.weight_error(v[m - 1]), static_cast<int>(m - 1));
    }
  }});
  HandTracking& ht = suite.hand_tracking;
  suite.at(ht.name).entries.push_back({name, [&ht](std::vector<double>& out) __attribute__((flatten)) {
    using P = Peer<28>;
    std::vector<typename P::Number> x;
    for (std::size_t i = 0; i < ht.x.size(); ++i) {
      x.push_back(P::make(ht.x[i]));
      P::seed(x[i], static_cast<int>(i < ht.thetas ? i : ht.thetas + (i - ht.thetas) % 2));
    }
    const auto errors = ht(x);
    for (std::size_t j = 0; j < ht.columns(); ++j)
      for (std::size_t i = 0; i < ht.rows(); ++i) out[j * ht.rows() + i] = P::tangent(errors[i], static_cast<int>(j));
  }});
}

/// Problems that forward mode can be asked for: it pays for each variable.
template <class Problem> constexpr bool has_few_variables = requires { std::remove_cvref_t<Problem>::few_variables; };

/// Enters every problem of few variables, and the two Jacobians above. K tangents per pass: all at once up to 52 variables, sixteen at a time of
/// more (of 80 Ceres takes longer at once).
template <template <int> class Peer> void enter_forward(Suite& suite, const std::string& name) {
  suite.problems.each([&](auto& problem) {
    if constexpr (has_few_variables<decltype(problem)>) {
      auto with = [&]<int K>(std::integral_constant<int, K>) {
        suite.at(problem.name).entries.push_back({name, [&problem](std::vector<double>& out) __attribute__((flatten)) {
          using P = Peer<K>;
          const std::size_t n = problem.x.size();
          for (std::size_t first = 0; first < n; first += K) {
            std::vector<typename P::Number> x;
            x.reserve(n);
            for (std::size_t i = 0; i < n; ++i) x.push_back(P::make(problem.x[i]));
            const std::size_t count = std::min<std::size_t>(K, n - first);
            for (std::size_t k = 0; k < count; ++k) P::seed(x[first + k], static_cast<int>(k));
            const typename P::Number y = problem(x);
            for (std::size_t k = 0; k < count; ++k) out[first + k] = P::tangent(y, static_cast<int>(k));
          }
        }});
      };
      const std::size_t n = problem.x.size();
      if (n == 1) with(std::integral_constant<int, 1>{});
      else if (n <= 12) with(std::integral_constant<int, 12>{});
      else if (n <= 16 || n > 52) with(std::integral_constant<int, 16>{});
      else with(std::integral_constant<int, 52>{});
    }
  });
  enter_forward_jacobians<Peer>(suite, name);
}

}  // namespace bench
