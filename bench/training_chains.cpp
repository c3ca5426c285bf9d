// (e): a chain of a hundred elementwise operations on 1, 16 and 1024 numbers: the price of an operation, forward and backward.
#include <cmath>
#include <fmt/core.h>
#include "training_parts.hpp"

namespace training {

Part measure_chains(const Plan& plan) {
  struct Op {
    Operation op;
    const char* name;
    double limit;  // seconds at most, on one number
  };
  constexpr Op operations[] = {{Operation::add, "add", 25e-9},
                               {Operation::multiply, "multiply", 25e-9},
                               {Operation::sigmoid, "sigmoid", 35e-9},
                               {Operation::tanh, "tanh", 35e-9}};
  Part part;
  std::vector<std::vector<std::string>> rows{{"per operation", "hand-written", "autodiff", "at most", "libtorch", "libtorch ÷ autodiff"}};
  constexpr std::size_t sizes[] = {1, 16, 1024};
  for (const std::size_t n : sizes)
    for (const Op& o : operations) {
      const std::string name = fmt::format("{}, {} number{}", o.name, n, n == 1 ? "" : "s");
      std::vector<std::unique_ptr<Chain>> chains;
      std::vector<bench::Contestant> field;
      std::vector<Role> roles;
      Chain::Outcome expected{};
      for (const Entrant& e : plan.entrants) {
        std::unique_ptr<Chain> chain = e.chain ? e.chain(o.op, n) : nullptr;
        if (!chain) continue;
        const Chain::Outcome result = chain->run(1);
        if (field.empty()) expected = result;
        const auto off = [](double a, double b, double tolerance) { return !(std::abs(a - b) <= tolerance * std::abs(b)); };
        if (off(result.sum, expected.sum, 1e-4) || off(result.slopes, expected.slopes, 1e-3) || expected.slopes == 0)
          part.failures.push_back(fmt::format("e {}: {} gives {} and the slopes {}, {} gives {} and {}", name, e.name, result.sum, result.slopes,
              field.empty() ? e.name : field[0].name, expected.sum, expected.slopes));
        const std::size_t rounds = e.role == Role::libtorch ? 10 : 500;
        field.push_back({e.name, [c = chain.get(), rounds, &plan] {
                           const double start = bench::now(plan.clock);
                           c->run(rounds);
                           return (bench::now(plan.clock) - start) / static_cast<double>(rounds * Chain::length);
                         }});
        roles.push_back(e.role);
        chains.push_back(std::move(chain));
      }
      const auto results = bench::race(field, plan.repetitions);
      const bench::Result *hand = nullptr, *engine = nullptr, *torch = nullptr;
      nlohmann::json json{{"operation", o.name}, {"numbers", n}};
      for (std::size_t i = 0; i < results.size(); ++i) {
        (roles[i] == Role::hand ? hand : roles[i] == Role::engine ? engine : torch) = &results[i];
        json["contestants"].push_back(bench::to_json(results[i]));
      }
      auto time = [](const bench::Result* r) { return r ? bench::duration(r->seconds().median) : "–"; };
      std::string limit = "";
      if (n == 1 && engine) {
        const bool holds = engine->seconds().median <= o.limit;
        limit = fmt::format("{}{}", holds ? "" : "**not** ", bench::duration(o.limit));
        json["at_most"] = o.limit, json["holds"] = holds;
      }
      std::string over = "–";
      if (engine && torch) {
        const bench::Spread r = bench::ratio(*torch, *engine);
        over = bench::show(r);
        json["libtorch_over_engine"] = bench::to_json(r);
      }
      rows.push_back({name, time(hand), time(engine), limit, time(torch), over});
      part.json.push_back(json);
    }
  part.markdown =
      "## (e): one elementwise operation, forward and backward\n\nA chain of 100, then the sum; at least 100 × libtorch's speed is the "
      "goal on one number.\n\n" +
      bench::markdown(rows);
  return part;
}

}  // namespace training
