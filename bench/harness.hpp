// How every benchmark here is timed, compared and shown: contestants run in turns, medians are taken of the rounds, and a
// result is a ratio of two contestants of the same round, so that a busy machine disturbs both. Start reading at `race`.
//
//     std::vector<Contestant> field{timed("hand-written", [&] { … }), timed("autodiff", [&] { … })};
//     std::vector<Result> results = race(field, 15);
//     fmt::print("{}\n", show(ratio(results[1], results[0])));          // 4.71 (4.66–4.80)
#pragma once
#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

namespace bench {

// ---- timing ---------------------------------------------------------------------------------------------------------

/// Someone who can be timed: `run` does some work and returns the seconds it took per unit (per gradient, per epoch …).
struct Contestant {
  std::string name;
  std::function<double()> run;
};

/// Median and quartiles of a sample: half of what was seen lies between `low` and `high`.
struct Spread {
  double median = 0, low = 0, high = 0;
};
Spread spread(std::vector<double> samples);

/// What a contestant did: seconds per unit, one number per round.
struct Result {
  std::string name;
  std::vector<double> samples;
  Spread seconds() const { return spread(samples); }
  double best() const { return samples.empty() ? 0 : *std::min_element(samples.begin(), samples.end()); }
};

/// Lets every contestant run once per round, in an order that is drawn for each round; one round before, to warm up, is not
/// counted. Results come in the order of the contestants.
std::vector<Result> race(const std::vector<Contestant>& contestants, int repetitions);

/// How many times slower `a` is than `b`: median and quartiles over the rounds of the round's own ratio.
Spread ratio(const Result& a, const Result& b);

/// The compiler must believe that `value` is used, and that memory may have changed.
template <class T> inline void keep(const T& value) { asm volatile("" : : "g"(&value) : "memory"); }

/// What a second is: on the wall, or of this thread on its processor (other programs then disturb little, other threads do not count), or of all threads
/// of this process.
enum class Clock { wall, thread, process };
double now(Clock clock = Clock::wall);

/// A contestant that calls `work` as often as fills a `slice` of seconds; each call does `units` units.
template <class Work> Contestant timed(std::string name, Work work, double units = 1, double slice = 2e-3, Clock clock = Clock::wall) {
  auto run = [work = std::move(work), units, slice, clock, calls = std::size_t{0}]() mutable {
    auto seconds = [&] {
      work();                                           // others have run since: caches and predictions are theirs
      const double start = now(clock);
      for (std::size_t i = 0; i < calls; ++i) work();
      return now(clock) - start;
    };
    if (calls == 0) {                                   // first run: find out how many calls a slice holds
      calls = 1;
      double took = seconds();
      while (took < slice / 4 && calls < (std::size_t{1} << 30)) {
        calls *= 4;
        took = seconds();
      }
      calls = std::max<std::size_t>(1, static_cast<std::size_t>(static_cast<double>(calls) * slice / std::max(took, 1e-9)));
    }
    return seconds() / (static_cast<double>(calls) * units);
  };
  return {std::move(name), std::move(run)};
}

// ---- verification ----------------------------------------------------------------------------------------------------

/// How far a derivative is from the expected one, relative to the largest number of that; NaN where it holds one.
double distance(const std::vector<double>& expected, const std::vector<double>& got);
/// Throws std::runtime_error where somebody's derivative is more than 1e-12 away from the hand-written one.
void verify(const std::string& contestant, const std::vector<double>& hand, const std::vector<double>& got);

// ---- text -----------------------------------------------------------------------------------------------------------

std::string show(double number);                        ///< three significant digits: "4.71", "0.0213", "1240"
std::string show(const Spread& s);                      ///< "4.71 (4.66–4.80)"
std::string duration(double seconds);                   ///< "1.24 µs"
/// A Markdown table, columns padded so that it reads well on a terminal too; the first row is the head.
std::string markdown(const std::vector<std::vector<std::string>>& rows);

// ---- files ----------------------------------------------------------------------------------------------------------

nlohmann::json to_json(const Spread& s);                ///< {"median": …, "low": …, "high": …}
nlohmann::json to_json(const Result& r);                ///< {"name": …, "seconds": {…}, "best": …}
Spread spread_from(const nlohmann::json& json);
/// Processor, compiler, flags (as the build passes them in BENCH_FLAGS), date: what a figure means nothing without.
nlohmann::json machine();
std::string machine_line();                             ///< the same as one line of text

/// These throw std::runtime_error with the file and what is wrong.
void write_text(const std::filesystem::path& file, const std::string& text);
std::string read_text(const std::filesystem::path& file);
nlohmann::json read_json(const std::filesystem::path& file);

// ---- reports --------------------------------------------------------------------------------------------------------

/// One picture, bars or lines: values[series][group or point] (NaN: nothing to show).
struct Chart {
  std::string name, title, y_label, x_label;            ///< name: of its files
  std::vector<std::string> series;
  std::vector<std::string> groups;                      ///< bars: the names along the axis
  std::vector<std::vector<double>> x;                   ///< lines: x[series][point]
  std::vector<std::vector<double>> values;
};

/// Makes the folder and tries a file in it: better before hours of measuring than after.
void try_folder(const std::filesystem::path& folder);
/// Writes `<name>.md`, `<name>.json`, then each picture: `.dat` and `.gp`, of which it can be drawn again, and, where gnuplot is
/// installed, `.svg`. Prints what it wrote, and apart from that what it could not draw.
void write_report(const std::filesystem::path& folder, const std::string& name, const std::string& text, const nlohmann::json& json,
                  const std::vector<Chart>& charts);

}  // namespace bench
