// Time per sample of a width-width-10 net against its width, batch 32, SGD: where the overhead ends and the arithmetic begins.
#include <algorithm>
#include <fmt/core.h>
#include "training_race.hpp"

namespace training {

Part measure_scaling(const Plan& plan) {
  Part part;
  std::vector<std::vector<std::string>> rows{{"time per sample, width", "hand-written", "autodiff", "libtorch", "autodiff ÷ hand-written"}};
  const std::vector<std::string> series{"hand-written", "autodiff", "libtorch"};
  constexpr Role roles[] = {Role::hand, Role::engine, Role::libtorch};
  bench::Chart chart{.name = "training-scaling",
                     .title = "Training width-width-10, batch 32: time per sample",
                     .y_label = "ns",
                     .x_label = "width",
                     .series = series,
                     .groups = {},
                     .x = std::vector<std::vector<double>>(3),
                     .values = std::vector<std::vector<double>>(3)};
  Plan shorter = plan;
  shorter.repetitions = std::min(plan.repetitions, 7);
  std::erase_if(shorter.entrants, [](const Entrant& e) { return e.role == Role::dlib; });
  for (std::size_t width = 8; width <= (plan.quick ? 1024u : 2048u); width *= plan.quick ? 4 : 2) {
    const std::size_t work = (plan.quick ? 500'000'000 : 2'000'000'000) / (6 * width * width + 60 * width);
    Problem problem{.name = fmt::format("width {}", width),
                    .sizes = {width, width, 10},
                    .samples = std::clamp<std::size_t>(work / 32 * 32, 320, 8'192),
                    .batch = 32,
                    .tolerance = 1e-4};
    const Race race = race_problem(shorter, problem);
    std::vector<std::string> row{std::to_string(width)};
    nlohmann::json json{{"width", width}, {"samples", problem.samples}};
    for (std::size_t r = 0; r < 3; ++r) {
      const bench::Result* of = race.best(roles[r]);
      row.push_back("–");
      if (!of) continue;
      const double each = of->seconds().median / static_cast<double>(problem.samples);
      row.back() = bench::duration(each);
      json[series[r]] = each;
      chart.x[r].push_back(static_cast<double>(width));
      chart.values[r].push_back(each * 1e9);
    }
    const bench::Result *engine = race.best(Role::engine), *hand = race.best(Role::hand);
    row.push_back(engine && hand ? bench::show(bench::ratio(*engine, *hand)) : "–");
    rows.push_back(row);
    part.json.push_back(json);
    part.failures.insert(part.failures.end(), race.failures.begin(), race.failures.end());
  }
  for (std::size_t r = 3; r-- > 0;)
    if (chart.x[r].empty()) {  // took no part
      const auto at = static_cast<std::ptrdiff_t>(r);
      chart.series.erase(chart.series.begin() + at), chart.x.erase(chart.x.begin() + at), chart.values.erase(chart.values.begin() + at);
    }
  part.markdown = "## Scaling\n\n" + bench::markdown(rows);
  if (!chart.series.empty()) part.charts.push_back(chart);
  return part;
}

}  // namespace training
