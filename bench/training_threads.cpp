// Two threads (or more) against one, by the wall's clock: (c) and (d) should gain, (a) and (b) must not lose, and every digit must
// be the same.
#include <fmt/core.h>
#include "training_race.hpp"

namespace training {

Part measure_threads(const Plan& plan) {
  Part part;
  std::vector<std::vector<std::string>> rows{
      {"autodiff, per epoch", "1 thread", fmt::format("{} threads", plan.threads), "speed-up", "at least", "same digits"}};
  for (const Problem& problem : problems(plan.quick)) {
    const Samples samples = make_samples(problem);
    const Parameters initial = initial_parameters(problem, 1);
    std::unique_ptr<Trainer> trainers[2];
    std::vector<bench::Contestant> field;
    for (std::size_t i = 0; i < 2; ++i) {
      Problem p = problem;
      p.threads = i == 0 ? 1 : plan.threads;
      trainers[i] = make_engine_trainer(p, samples);
      field.push_back({i == 0 ? "1 thread" : "threads", [&, i] {
                         trainers[i]->reset(initial);
                         const double start = bench::now();
                         trainers[i]->train(problem.epochs);
                         return (bench::now() - start) / static_cast<double>(problem.epochs);
                       }});
    }
    const auto results = bench::race(field, plan.repetitions);
    const Parameters one = trainers[0]->parameters(), two = trainers[1]->parameters();
    bool same = true;
    for (std::size_t l = 0; l < one.size(); ++l) same = same && one[l].weight == two[l].weight && one[l].bias == two[l].bias;
    if (!same) part.failures.push_back(problem.name + ": the digits depend on the number of threads");
    const bool large = problem.name.front() == 'c' || problem.name.front() == 'd';
    const double least = large ? 1.6 : 0.98;  // "never slower": two percent for the clock
    const bench::Spread gain = bench::ratio(results[0], results[1]);
    rows.push_back({problem.name, bench::duration(results[0].seconds().median), bench::duration(results[1].seconds().median),
                    bench::show(gain), fmt::format("{}{}", gain.median >= least ? "" : "**not** ", bench::show(least)),
                    same ? "yes" : "**no**"});
    part.json.push_back({{"name", problem.name},
                         {"threads", plan.threads},
                         {"one", bench::to_json(results[0])},
                         {"several", bench::to_json(results[1])},
                         {"speed_up", bench::to_json(gain)},
                         {"at_least", least},
                         {"holds", gain.median >= least},
                         {"same_digits", same}});
  }
  autodiff::set_threads(1);
  part.markdown = "## Threads\n\n" + bench::markdown(rows);
  return part;
}

}  // namespace training
