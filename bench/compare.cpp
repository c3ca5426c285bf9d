// compare before.json after.json: what a change did to the scalar suite. It looks at each contestant's ratio to the hand-written adjoint
// of the same run, not at seconds, so the two runs may come from a differently busy machine (not from a different one).
#include "harness.hpp"
#include <cmath>
#include <fmt/core.h>
#include <map>

namespace {

using namespace bench;

/// problem → ratio of the contestant to the hand-written adjoint.
std::map<std::string, Spread> ratios(const nlohmann::json& report, const std::string& contestant) {
  std::map<std::string, Spread> r;
  for (const auto& p : report.at("problems"))
    for (const auto& c : p.value("contestants", nlohmann::json::array()))
      if (c.at("name") == contestant) r[p.at("problem").get<std::string>()] = spread_from(c.at("to_hand"));
  return r;
}

void compare(const nlohmann::json& before, const nlohmann::json& after, const std::string& contestant) {
  const auto old = ratios(before, contestant), now = ratios(after, contestant);
  std::vector<std::vector<std::string>> table{{contestant + " ÷ hand-written", "before", "after", "change", ""}};
  double logs = 0;
  int count = 0;
  for (const auto& p : after.at("problems")) {
    const auto name = p.at("problem").get<std::string>();
    if (!old.count(name) || !now.count(name)) continue;
    const Spread &a = old.at(name), &b = now.at(name);
    const bool apart = a.high < b.low || b.high < a.low;
    logs += std::log(b.median / a.median);
    ++count;
    table.push_back({name, show(a), show(b), fmt::format("{:+.1f} %", 100 * (b.median / a.median - 1)),
                     !apart                ? "within the spread"
                     : b.median < a.median ? "faster"
                                           : "SLOWER"});
  }
  if (count == 0) return;
  table.push_back({"all (geometric mean)", "", "", fmt::format("{:+.1f} %", 100 * (std::exp(logs / count) - 1)), ""});
  fmt::print("{}\n", markdown(table));
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc != 3) throw std::runtime_error("usage: compare before.json after.json (the scalar.json of two runs of the report)");
    const nlohmann::json before = read_json(argv[1]), after = read_json(argv[2]);
    auto machine = [](const nlohmann::json& r) {
      return fmt::format("{}, {}", r.at("machine").at("processor").get<std::string>(), r.at("machine").at("compiler").get<std::string>());
    };
    if (machine(before) != machine(after)) fmt::print("Not the same machine or compiler: {} / {}\n\n", machine(before), machine(after));
    for (const char* contestant : {"autodiff", "autodiff, 8 lanes"}) compare(before, after, contestant);
  } catch (const nlohmann::json::exception& e) {
    fmt::print(stderr, "compare: not a report of the scalar suite: {}\n", e.what());
    return 1;
  } catch (const std::exception& e) {
    fmt::print(stderr, "compare: {}\n", e.what());
    return 1;
  }
}
