// bench/run compare before.json after.json: what a change did to the scalar suite. It looks at each contestant's ratio to the hand-written adjoint
// of the same run, not at seconds, so the two runs may come from a differently busy machine (not from a different one).
#include "harness.hpp"
#include <cmath>
#include <fmt/core.h>
#include <map>

namespace {

using namespace bench;

struct Report {
  std::string machine;
  std::vector<std::string> problems;
  std::map<std::string, std::map<std::string, Spread>> ratios;  ///< contestant → problem → its ratio to the hand-written adjoint
};

Report read_report(const std::string& file) {
  const nlohmann::json json = read_json(file);
  Report report;
  try {
    const auto& machine = json.at("machine");
    report.machine = fmt::format("{}, {}", machine.at("processor").get<std::string>(), machine.at("compiler").get<std::string>());
    for (const auto& p : json.at("problems")) {
      const std::string& problem = report.problems.emplace_back(p.at("problem").get<std::string>());
      for (const auto& c : p.value("contestants", nlohmann::json::array())) {
        const auto name = c.at("name").get<std::string>();
        const Spread ratio = report.ratios[name][problem] = spread_from(c.at("to_hand"));
        if (!(ratio.median > 0))
          throw std::runtime_error(fmt::format("{}: {}: {} ÷ hand-written is {}, which no measurement gives; run that report again", file,
                                               problem, name, ratio.median));
      }
    }
  } catch (const nlohmann::json::exception& e) {
    throw std::runtime_error(fmt::format("{}: not a report of the scalar suite: {}", file, e.what()));
  }
  return report;
}

/// What a rebuild shifts, and another run: where the linker puts the code. Of smaller changes `bench/run since` says more.
constexpr double rebuild = 0.1;

/// Returns how many problems the reports have in common.
int compare(Report& before, Report& after, const std::string& contestant) {
  const auto &old = before.ratios[contestant], &now = after.ratios[contestant];
  std::vector<std::vector<std::string>> table{{contestant + " ÷ hand-written", "before", "after", "change", ""}};
  double logs = 0;
  int count = 0;
  for (const std::string& name : after.problems) {
    if (!old.count(name) || !now.count(name)) continue;
    const Spread &a = old.at(name), &b = now.at(name);
    const bool apart = (a.high < b.low || b.high < a.low) && std::abs(std::log(b.median / a.median)) > rebuild;
    logs += std::log(b.median / a.median);
    ++count;
    table.push_back({name, show(a), show(b), fmt::format("{:+.1f} %", 100 * (b.median / a.median - 1)),
                     !apart                ? "within the spread, or what a rebuild shifts"
                     : b.median < a.median ? "faster"
                                           : "SLOWER"});
  }
  if (count == 0) return 0;
  table.push_back({"all (geometric mean)", "", "", fmt::format("{:+.1f} %", 100 * (std::exp(logs / count) - 1)), ""});
  fmt::print("{}\n", markdown(table));
  return count;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc != 3) throw std::runtime_error("usage: bench/run compare before.json after.json (the scalar.json of two runs of the report)");
    Report before = read_report(argv[1]), after = read_report(argv[2]);
    if (before.machine != after.machine) fmt::print("Not the same machine or compiler: {} / {}\n\n", before.machine, after.machine);
    int common = 0;
    for (const char* contestant : {"autodiff", "autodiff, forwards", "autodiff, 8 lanes"}) common += compare(before, after, contestant);
    if (common == 0)
      throw std::runtime_error(fmt::format("{} and {} have no problem in common; run both with the same --only", argv[1], argv[2]));
  } catch (const std::exception& e) {
    fmt::print(stderr, "compare: {}\n", e.what());
    return 1;
  }
}
