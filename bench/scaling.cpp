// Speelpenning's product, Rosenbrock's chain and a Lax–Wendroff march (20 cells, as many steps as elements), from 10 to 100 000 elements.
#include "scaling.hpp"
#include "engine.hpp"
#include "problems/pde.hpp"
#include "problems/small.hpp"

namespace bench {

namespace {

template <class Make>
void measure(Chart& chart, nlohmann::json& report, const std::string& name, int repetitions, double slice, Make make) {
  std::vector<double> sizes, ours, hands;
  for (std::size_t n = 10; n <= 100'000; n *= 10) {
    auto problem = make(n);
    Gradient gradient(problem);
    std::vector<double> a(problem.x.size()), b(problem.x.size());
    problem.hand(problem.x, a), gradient(problem.x, b);
    verify(name, a, b);
    const auto units = static_cast<double>(n);
    const auto results = race({timed("hand-written", [&] { keep(problem.hand(problem.x, a)); }, units, slice, Clock::thread),
                               timed("autodiff", [&] { keep(gradient(problem.x, b)); }, units, slice, Clock::thread)}, repetitions);
    sizes.push_back(static_cast<double>(n));
    hands.push_back(results[0].seconds().median * 1e9);
    ours.push_back(results[1].seconds().median * 1e9);
    report["scaling"].push_back({{"problem", name},
                                 {"elements", n},
                                 {"hand", to_json(results[0])},
                                 {"autodiff", to_json(results[1])},
                                 {"tape_bytes", gradient.bytes()}});
  }
  for (const auto& [who, values] : {std::pair{"autodiff", ours}, std::pair{"hand-written", hands}}) {
    chart.series.push_back(join(name, ", ", who));
    chart.x.push_back(sizes);
    chart.values.push_back(values);
  }
}

}  // namespace

Chart scaling(nlohmann::json& report, int repetitions, double slice) {
  Chart chart{.name = "scaling",
              .title = "Cost of a gradient against size",
              .y_label = "ns per element",
              .x_label = "elements (Lax-Wendroff: steps of 20 cells)",
              .series = {},
              .groups = {},
              .x = {},
              .values = {}};
  measure(chart, report, "Speelpenning", repetitions, slice, [](std::size_t n) { return Speelpenning(n); });
  measure(chart, report, "Rosenbrock", repetitions, slice, [](std::size_t n) { return Rosenbrock(n); });
  measure(chart, report, "Lax-Wendroff", repetitions, slice, [](std::size_t n) { return LaxWendroff(20, n); });
  return chart;
}

}  // namespace bench
