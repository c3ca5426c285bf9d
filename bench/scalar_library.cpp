// The library enters the suite.
#include "engine.hpp"
#include "harness.hpp"
#include "suite.hpp"
#include <utility>

namespace bench {

void enter_library(Suite& suite) {
  const std::string us = "autodiff";
  suite.problems.each([&](auto& problem) {
    auto gradient = std::make_shared<Gradient<std::remove_reference_t<decltype(problem)>>>(problem);
    Case& c = suite.at(problem.name);
    c.entries.push_back({us, [gradient, &problem](std::vector<double>& out) { (*gradient)(problem.x, out); }});
    c.tape_bytes = [gradient] { return gradient->bytes(); };
    c.inactive = [&problem, x = std::vector<autodiff::Var<double>>(problem.x.begin(), problem.x.end())] {
      const autodiff::Pause pause;
      keep(autodiff::Var<double>(problem(x)).value());
    };
  });
  KMeans& k = suite.problems.k_means;
  suite.at("k-means newton").entries.push_back({us, [&k, ones = std::vector<double>(k.x.size(), 1.0)](std::vector<double>& out) {
    const auto gradient = autodiff::gradient(k, k.x);
    const auto diagonal = autodiff::hvp(k, k.x, ones);  // the Hessian is diagonal
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = gradient[i] / diagonal[i];
  }});
  auto jacobian = std::make_shared<ObservationJacobian<BundleAdjustment>>(suite.bundle_adjustment);
  suite.at(BundleAdjustment::name).entries.push_back({us, [jacobian](std::vector<double>& out) { (*jacobian)(out); }});
  HandTracking& ht = suite.hand_tracking;
  suite.at(ht.name).entries.push_back({us, [&ht](std::vector<double>& out) {
    const auto along_columns = [&ht]<class V>(const V& t) {
      std::vector<typename V::value_type> x;
      for (std::size_t i = 0; i < ht.x.size(); ++i) x.push_back(ht.x[i] + t[ht.column(i)]);
      return ht(x);
    };
    const auto rows = autodiff::jacobian(along_columns, std::vector<double>(ht.columns()));
    const auto columns = transpose(rows);
    std::copy(columns.begin(), columns.end(), out.begin());
  }});

  auto nested = [&](auto& problem) {
    const std::string name = problem.name;
    auto enter = [&](const char* modes, auto outer, auto inner) {
      suite.at(name + " " + modes).entries.push_back({us, [&problem, outer, inner](std::vector<double>& out) {
                                                        problem.solve(outer, inner, out);
                                                      }});
    };
    enter("ff", Forward{}, Forward{});
    enter("fr", Forward{}, Reverse{});
    enter("rf", Reverse{}, Forward{});
    enter("rr", Reverse{}, Reverse{});
  };
  nested(suite.particle);
  nested(suite.saddle);
}

}  // namespace bench
