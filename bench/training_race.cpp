// The race of one problem: reset (not timed), train (timed), and the check that all did the same work.
#include "training_race.hpp"
#include <algorithm>
#include <cmath>
#include <fmt/core.h>
#include "training_data.hpp"

namespace training {

const bench::Result* Race::best(Role role) const {
  const Place* found = nullptr;
  for (const Place& p : places)
    if (p.role == role && (!found || p.result.seconds().median < found->result.seconds().median)) found = &p;
  return found ? &found->result : nullptr;
}

namespace {

bool differ(double a, double b, double tolerance) { return !(std::abs(a - b) <= tolerance * std::max(std::abs(b), 1e-3)); }

}  // namespace

Race race_problem(const Plan& plan, const Problem& problem) {
  constexpr std::size_t judged = 500;  // samples
  const Samples samples = make_samples(problem);
  const Parameters initial = initial_parameters(problem, 1);
  Race race;
  race.initial_cost = cost_of(problem, samples.view(), initial, judged);
  std::vector<std::unique_ptr<Trainer>> trainers;
  std::vector<bench::Contestant> field;
  std::vector<double> last(plan.entrants.size());  // the last batch's cost as each reports it: the same in every round
  const bench::Clock clock = problem.threads > 1 ? bench::Clock::wall : plan.clock;
  for (const Entrant& e : plan.entrants) {
    if (!(trainers.emplace_back(e.trainer(problem, samples)))) {
      trainers.pop_back();
      continue;
    }
    race.places.push_back({e.role, {e.name, {}}, 0, 0, {}});
    field.push_back({e.name, [&, i = field.size(), trainer = trainers.back().get(), times = 0]() mutable {
                       trainer->reset(initial);
                       const double start = bench::now(clock);
                       const double cost = trainer->train(problem.epochs);
                       const double took = bench::now(clock) - start;
                       if (times++ == 0) {
                         last[i] = cost;
                         race.places[i].parameters = trainer->parameters();
                         race.places[i].cost = cost_of(problem, samples.view(), race.places[i].parameters, judged);
                       } else if (differ(cost, last[i], problem.tolerance)) {
                         race.failures.push_back(fmt::format("{}: {} ended a later round with cost {:.6f}, the first with {:.6f}",
                                                             problem.name, race.places[i].result.name, cost, last[i]));
                       }
                       return took / static_cast<double>(problem.epochs);
                     }});
  }
  const std::vector<bench::Result> results = bench::race(field, plan.repetitions);
  for (std::size_t i = 0; i < results.size(); ++i) {
    Place& p = race.places[i];
    p.result = results[i];
    const double reference = race.places.front().cost;
    if (differ(p.cost, reference, problem.tolerance))
      race.failures.push_back(fmt::format("{}: {} ended with cost {:.6f}, {} with {:.6f}: further apart than {} of it", problem.name,
                                          p.result.name, p.cost, race.places.front().result.name, reference, problem.tolerance));
    if (differ(last[i], last.front(), problem.tolerance))
      race.failures.push_back(fmt::format("{}: {} says its last batch cost {:.6f}, {} says {:.6f}", problem.name, p.result.name, last[i],
                                          race.places.front().result.name, last.front()));
    p.apart = distance(initial, race.places.front().parameters, p.parameters);
    if (!(p.apart <= 10 * problem.tolerance))
      race.failures.push_back(fmt::format("{}: the parameters of {} and {} are apart by {:.2g} of the way they went, more than {:.2g}",
                                          problem.name, p.result.name, race.places.front().result.name, p.apart, 10 * problem.tolerance));
    if (!(p.cost < race.initial_cost))
      race.failures.push_back(
          fmt::format("{}: {} learnt nothing: its cost is {:.6f}, the initial one {:.6f}", problem.name, p.result.name, p.cost, race.initial_cost));
  }
  return race;
}

}  // namespace training
