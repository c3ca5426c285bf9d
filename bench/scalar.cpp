// The report of the scalar suite: how long a gradient takes, against the plain function, the hand-written adjoint and each peer.
// Everything is verified before it is timed. Prints Markdown; writes scalar.md, scalar.json and pictures into a folder.
#include "harness.hpp"
#include "problems/files.hpp"
#include "run_apart.hpp"
#include "scaling.hpp"
#include "suite.hpp"
#include <cstdio>
#include <fmt/core.h>

namespace {

using namespace bench;

constexpr const char* usage =
    "scalar [--out folder] [--repetitions 15] [--slice 0.002] [--only name[,name…]] [--no-peers] [--no-scaling]\n"
    "       [--gmm file] [--ba file] [--lstm file] [--hand model-folder file]        (ADBench's text files)\n";

struct Options {
  std::filesystem::path out = "bench-results";
  int repetitions = 15;
  double slice = 2e-3;
  std::vector<std::string> only;
  bool peers = true, scaling = true;
};

/// A case with its times; those of the function and of inactive code are empty where there is none.
struct Row {
  const Case* of_case;
  Result function, inactive, hand;
  std::vector<Result> entries;
  double bytes = 0;
};

Options read_options(const std::vector<std::string>& arguments, Suite& suite) {
  Options o;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& name = arguments[i];
    auto next = [&](const char* what = "a value") -> const std::string& {
      if (++i == arguments.size()) throw std::runtime_error(fmt::format("{} needs {}", name, what));
      return arguments[i];
    };
    auto number = [&](double least, double most, bool whole = false) {
      const std::string& text = next();
      char* end = nullptr;
      const double value = std::strtod(text.c_str(), &end);
      if (*end != 0 || !(value >= least && value <= most) || (whole && value != std::floor(value)))
        throw std::runtime_error(
            fmt::format("{}: a {} from {} to {} is needed, not '{}'", name, whole ? "whole number" : "number", least, most, text));
      return value;
    };
    if (name == "--out") o.out = next();
    else if (name == "--repetitions") o.repetitions = static_cast<int>(number(1, 1000, true));
    else if (name == "--slice") o.slice = number(1e-6, 10);
    else if (name == "--no-peers") o.peers = false;
    else if (name == "--no-scaling") o.scaling = false;
    else if (name == "--gmm") suite.problems.gmm = read_gmm(next());
    else if (name == "--ba") suite.bundle_adjustment = read_bundle_adjustment(next());
    else if (name == "--lstm") suite.problems.lstm = read_lstm(next());
    else if (name == "--hand") {
      const std::string model = next("a model folder and a file");
      suite.hand_tracking = read_hand_tracking(model, next("a file behind the model folder"));
    } else if (name == "--only") {
      std::string text = next() + ",";
      for (std::size_t at = 0, comma; (comma = text.find(',', at)) != std::string::npos; at = comma + 1)
        if (comma > at) o.only.push_back(text.substr(at, comma - at));
      if (o.only.empty()) throw std::runtime_error("--only needs the name of a problem, or names with commas between");
    } else
      throw std::runtime_error(fmt::format("{} is no option; these are:\n{}", name, usage));
  }
  return o;
}

/// Verifies and times; all results, as {"name", "samples"}, in the order of Row.
nlohmann::json time_entries(const Case& c, const Options& o) {
  std::vector<std::vector<double>> out(c.entries.size() + 1, std::vector<double>(c.derivatives));
  std::vector<Contestant> field;
  if (c.function) field.push_back(timed("function", c.function, 1, o.slice, Clock::thread));
  if (c.inactive) field.push_back(timed("inactive", c.inactive, 1, o.slice, Clock::thread));
  field.push_back(timed("hand-written", [&] { c.hand(out.back()); }, 1, o.slice, Clock::thread));
  for (std::size_t i = 0; i < c.entries.size(); ++i) {
    verify(c, c.entries[i]);
    field.push_back(timed(
        c.entries[i].contestant, [&, i] { c.entries[i].derivative(out[i]); }, c.entries[i].units, o.slice, Clock::thread));
  }
  nlohmann::json results = nlohmann::json::array();
  for (const Result& r : race(field, o.repetitions)) results.push_back({{"name", r.name}, {"samples", r.samples}});
  return {{"results", results}, {"bytes", c.tape_bytes ? c.tape_bytes() : 0}};
}

Row time_case(const Case& c, const Options& o, const std::filesystem::path& folder) {
  const nlohmann::json timed = run_apart(folder, [&] { return time_entries(c, o); });
  std::vector<Result> results;
  for (const auto& r : timed["results"]) results.push_back({r["name"], r["samples"]});
  Row row{&c, {}, {}, {}, {}, timed["bytes"]};
  std::size_t at = 0;
  if (c.function) row.function = results[at++];
  if (c.inactive) row.inactive = results[at++];
  row.hand = results[at++];
  row.entries.assign(results.begin() + static_cast<std::ptrdiff_t>(at), results.end());
  return row;
}

std::string ratio_text(const Result& a, const Result& b) { return a.samples.empty() || b.samples.empty() ? "–" : show(ratio(a, b)); }

/// The contestants of all rows, in the order in which they appear.
std::vector<std::string> contestants(const std::vector<Row>& rows) {
  std::vector<std::string> names;
  for (const Row& row : rows)
    for (const Result& r : row.entries)
      if (std::find(names.begin(), names.end(), r.name) == names.end()) names.push_back(r.name);
  return names;
}
const Result* find(const Row& row, const std::string& name) {
  for (const Result& r : row.entries)
    if (r.name == name) return &r;
  return nullptr;
}

std::string main_table(const std::vector<Row>& rows) {
  std::vector<std::vector<std::string>> table{
      {"problem", "size", "function", "hand-written", "autodiff", "÷ function",
       "÷ hand-written (quartiles)", "bytes per operation", "function without a tape ÷ function"}};
  for (const Row& row : rows) {
    const Result& us = row.entries.front();
    const Case& c = *row.of_case;
    table.push_back({c.problem, c.size, c.function ? duration(row.function.seconds().median) : "–", duration(row.hand.seconds().median),
                     duration(us.seconds().median), c.function ? show(ratio(us, row.function).median) : "–", ratio_text(us, row.hand),
                     c.operations > 0 ? show(row.bytes / c.operations) : "–",
                     c.inactive && c.function ? show(ratio(row.inactive, row.function).median) : "–"});
  }
  return markdown(table);
}
std::string hand_table(const std::vector<Row>& rows, const std::vector<std::string>& names) {
  std::vector<std::vector<std::string>> table{{"time ÷ hand-written"}};
  table[0].insert(table[0].end(), names.begin(), names.end());
  for (const Row& row : rows) {
    std::vector<std::string> line{row.of_case->problem};
    for (const auto& name : names) {
      const Result* r = find(row, name);
      line.push_back(r ? ratio_text(*r, row.hand) : "–");
    }
    table.push_back(line);
  }
  return markdown(table);
}
std::string peer_table(const std::vector<Row>& rows, const std::vector<std::string>& names) {
  std::vector<std::vector<std::string>> table{{"autodiff's time ÷ the peer's"}};
  for (const auto& name : names)
    if (!name.starts_with("autodiff")) table[0].push_back(name);
  if (table[0].size() == 1) return "";
  for (const Row& row : rows) {
    const Result& us = row.entries.front();
    std::vector<std::string> line{row.of_case->problem};
    bool any = false;
    for (std::size_t i = 1; i < table[0].size(); ++i) {
      const Result* r = find(row, table[0][i]);
      any |= r != nullptr;
      line.push_back(r ? ratio_text(us, *r) : "–");
    }
    if (any) table.push_back(line);
  }
  return markdown(table);
}

nlohmann::json to_json(const std::vector<Row>& rows, const Options& o) {
  nlohmann::json problems = nlohmann::json::array();
  for (const Row& row : rows) {
    const Case& c = *row.of_case;
    nlohmann::json entry{{"problem", c.problem}, {"size", c.size}, {"derivatives", c.derivatives}, {"hand", to_json(row.hand)}};
    if (c.function) entry["function"] = to_json(row.function);
    if (c.inactive) entry["inactive"] = to_json(row.inactive);
    if (c.operations > 0) entry["operations"] = c.operations, entry["tape_bytes"] = row.bytes;
    for (const Result& r : row.entries) {
      nlohmann::json one = to_json(r);
      one["to_hand"] = to_json(ratio(r, row.hand));
      if (c.function) one["to_function"] = to_json(ratio(r, row.function));
      if (&r != &row.entries.front()) one["from_autodiff"] = to_json(ratio(row.entries.front(), r));
      entry["contestants"].push_back(one);
    }
    problems.push_back(entry);
  }
  return {{"suite", "scalar"}, {"machine", machine()}, {"repetitions", o.repetitions}, {"slice", o.slice}, {"clock", "of the thread"},
          {"not_built_with", o.peers ? absent_peers() : std::vector<std::string>{}}, {"problems", problems}};
}

/// Of the problems in which somebody takes part besides the library's tape.
Chart bars(std::vector<Row> rows, const std::vector<std::string>& names) {
  std::erase_if(rows, [](const Row& row) { return row.entries.size() < 2; });
  Chart chart{.name = "scalar",
              .title = "A gradient's time ÷ the hand-written adjoint's",
              .y_label = "times",
              .x_label = "",
              .series = names,
              .groups = {},
              .x = {},
              .values = {}};
  for (const Row& row : rows) chart.groups.push_back(row.of_case->problem);
  for (const auto& name : names) {
    std::vector<double> values;
    for (const Row& row : rows) {
      const Result* r = find(row, name);
      values.push_back(r ? ratio(*r, row.hand).median : std::nan(""));
    }
    chart.values.push_back(values);
  }
  return chart;
}

bool named(const Case& c, const std::string& name) { return c.problem.find(name) != std::string::npos; }

bool wanted(const Case& c, const Options& o) {
  return o.only.empty() || std::any_of(o.only.begin(), o.only.end(), [&](const std::string& name) { return named(c, name); });
}

void refuse_unknown(const std::vector<std::string>& names, const std::vector<Case>& cases) {
  for (const std::string& name : names) {
    if (std::any_of(cases.begin(), cases.end(), [&](const Case& c) { return named(c, name); })) continue;
    std::string all;
    for (const Case& c : cases) all.append(all.empty() ? "" : ", ").append(c.problem);
    throw std::runtime_error(fmt::format("--only {}: no problem has this in its name; there are {}", name, all));
  }
}

void run(const std::vector<std::string>& arguments) {
  Suite suite;
  const Options o = read_options(arguments, suite);
  add_cases(suite);
  refuse_unknown(o.only, suite.cases);
  try_folder(o.out);
  enter_library(suite);
  enter_forwards(suite);
  enter_lanes(suite);
  if (o.peers) enter_adolc(suite), enter_sacado(suite), enter_eigen(suite), enter_ceres(suite);

  const std::filesystem::path scratch = std::filesystem::absolute(o.out) / "scratch";   // ADOL-C writes files where it stands
  const std::shared_ptr<void> swept(nullptr, [&](void*) { std::error_code none; std::filesystem::remove_all(scratch, none); });
  std::filesystem::create_directory(scratch);
  std::vector<Row> rows;
  for (const Case& c : suite.cases) {
    if (!wanted(c, o)) continue;
    fmt::print(stderr, "{} …\n", c.problem);
    try {
      rows.push_back(time_case(c, o, scratch));
    } catch (const std::exception& e) {
      throw std::runtime_error(fmt::format("{} ({}, {} derivatives): {}", c.problem, c.size, c.derivatives, e.what()));
    }
  }
  const auto names = contestants(rows);
  std::string report = fmt::format(
      "# Scalar suite\n\n{}.\nMedians of {} interleaved rounds, quartiles in brackets; every derivative agrees with the hand-written one "
      "to 1e-12.\n\n",
      machine_line(), o.repetitions);
  for (const std::string& table : {main_table(rows), hand_table(rows, names), peer_table(rows, names)})
    if (!table.empty()) report += table + "\n";
  for (const std::string& name : absent_peers()) report += fmt::format("Not built with {}.\n", name);
  fmt::print("{}", report);
  std::fflush(stdout);

  nlohmann::json json = to_json(rows, o);
  std::vector<Chart> charts{bars(rows, names)};
  if (charts[0].groups.empty()) charts.clear();
  if (o.scaling) charts.push_back(scaling(json, o.repetitions, o.slice));
  write_report(o.out, "scalar", report, json, charts);
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  try {
    for (const std::string& a : arguments)
      if (a == "-h" || a == "--help") return fmt::print("{}", usage), 0;
    run(arguments);
  } catch (const std::exception& e) {
    fmt::print(stderr, "scalar: {}\n", e.what());
    return 1;
  }
}
