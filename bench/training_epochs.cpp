// (a) to (d): every contestant trains the same net on the same samples from the same weights, in turns; a judge computes the cost
// of what each of them ended with.
#include <algorithm>
#include <cmath>
#include <fmt/core.h>
#include "training_data.hpp"
#include "training_race.hpp"

namespace training {

std::vector<Problem> problems(bool quick) {
  const std::size_t c = quick ? 12'000 : 60'000, d = quick ? 4'000 : 10'000;
  return {{.name = "a XOR 2-3-1", .sizes = {2, 3, 1}, .samples = 4, .batch = 4, .epochs = quick ? 2'000u : 10'000u, .rate = 0.5},
          {.name = "b 64-32-10", .sizes = {64, 32, 10}, .samples = 1797, .batch = 32, .epochs = quick ? 10u : 40u, .rate = 0.5},
          {.name = "c 784-128-10 SGD", .sizes = {784, 128, 10}, .samples = c, .batch = 64},
          {.name = "c 784-128-10 Adam",
           .sizes = {784, 128, 10},
           .samples = c,
           .batch = 64,
           .optimizer = Optimizer::adam,
           .rate = 1e-3,
           .tolerance = 1e-3},
          {.name = "d 784-512-512-10", .sizes = {784, 512, 512, 10}, .samples = d, .batch = 128, .rate = 0.03}};
}

namespace {

/// The goals: the engine's time at most so many times the others'.
struct Target {
  double hand, libtorch, dlib;
};
Target target(const std::string& name) {
  if (name.starts_with("a")) return {1.1, 1.0 / 350, 1.0 / 5};
  if (name.starts_with("b")) return {1.03, 1.0 / 12, 1.0 / 6};
  if (name.starts_with("c") && name.ends_with("SGD")) return {1.0, 1 / 1.6, 1 / 2.8};
  if (name.starts_with("c")) return {1.03, 1 / 3.1, 1 / 3.5};
  return {1.0, 1 / 1.15, 1.0 / 2};
}

/// "1/12.3" for a small ratio, else "1.02".
std::string fraction(double r) { return r < 0.9 ? fmt::format("1/{}", bench::show(1 / r)) : bench::show(r); }

std::string verdict(const bench::Result* engine, const bench::Result* other, double limit, nlohmann::json& json) {
  if (!engine || !other) return "–";
  const bench::Spread r = bench::ratio(*engine, *other);
  const bool holds = r.median <= limit;
  json = {{"ratio", bench::to_json(r)}, {"at_most", limit}, {"holds", holds}};
  return fmt::format("{} ({}–{}) {} {}", fraction(r.median), fraction(r.low), fraction(r.high), holds ? "≤" : "**>**", fraction(limit));
}

}  // namespace

Part measure_epochs(const Plan& plan, const std::string& letters) {
  std::vector<std::vector<std::string>> ratios{{"autodiff ÷", "hand-written", "libtorch", "dlib"}},
      details{{"per epoch", "contestant", "median", "quartiles", "best", "cost before → after", "parameters apart"}};
  bench::Chart chart{.name = "training",
                     .title = "Training: time per epoch, hand-written loop = 1",
                     .y_label = "× hand-written",
                     .x_label = "",
                     .series = {"hand-written", "autodiff", "libtorch", "dlib"},
                     .groups = {},
                     .x = {},
                     .values = std::vector<std::vector<double>>(4)};
  Part part;
  for (const Problem& problem : problems(plan.quick)) {
    if (letters.find(problem.name.front()) == std::string::npos) continue;
    const Race race = race_problem(plan, problem);
    nlohmann::json json{{"name", problem.name},
                        {"samples", problem.samples},
                        {"batch", problem.batch},
                        {"epochs_per_run", problem.epochs},
                        {"initial_cost", race.initial_cost}};
    const Target limit = target(problem.name);
    const bench::Result *engine = race.best(Role::engine), *hand = race.best(Role::hand);
    nlohmann::json over;
    ratios.push_back({problem.name, verdict(engine, hand, limit.hand, over["hand"]),
                      verdict(engine, race.best(Role::libtorch), limit.libtorch, over["libtorch"]),
                      verdict(engine, race.best(Role::dlib), limit.dlib, over["dlib"])});
    json["engine_over"] = over;
    for (const Place& p : race.places) {
      const bench::Spread s = p.result.seconds();
      details.push_back({problem.name, p.result.name, bench::duration(s.median), bench::duration(s.low) + " – " + bench::duration(s.high),
                         bench::duration(p.result.best()), fmt::format("{:.4f} → {:.6f}", race.initial_cost, p.cost),
                         fmt::format("{:.1e}", p.apart)});
      nlohmann::json one = bench::to_json(p.result);
      one["final_cost"] = p.cost, one["parameters_apart"] = p.apart;
      json["contestants"].push_back(one);
    }
    chart.groups.push_back(problem.name);
    constexpr Role roles[] = {Role::hand, Role::engine, Role::libtorch, Role::dlib};
    for (std::size_t r = 0; r < 4; ++r) {
      const bench::Result* of = race.best(roles[r]);
      chart.values[r].push_back(of && hand ? bench::ratio(*of, *hand).median : std::nan(""));
    }
    part.json.push_back(json);
    part.failures.insert(part.failures.end(), race.failures.begin(), race.failures.end());
  }
  part.markdown =
      "## (a)–(d): epochs\n\nMedian of the rounds' ratios (quartiles), and the most it may be; hand-written is the faster of own loops and "
      "OpenBLAS.\n\n" +
      bench::markdown(ratios) + "\n" + bench::markdown(details) +
      "\nCost: of the parameters each started from and ended with, on 500 samples, by one judge in double. Apart: distance of the "
      "parameters from those of the first line, over the way that training took them.\n";
  for (std::size_t r = 4; r-- > 0;)
    if (std::all_of(chart.values[r].begin(), chart.values[r].end(), [](double v) { return std::isnan(v); })) {  // took no part
      const auto at = static_cast<std::ptrdiff_t>(r);
      chart.series.erase(chart.series.begin() + at), chart.values.erase(chart.values.begin() + at);
    }
  if (!chart.groups.empty() && !chart.series.empty()) part.charts.push_back(chart);
  return part;
}

}  // namespace training
