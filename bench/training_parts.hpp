// The parts of the training report. Each is measured by one function, which returns its Markdown, its JSON and its pictures.
#pragma once
#include <string>
#include <vector>
#include "harness.hpp"
#include "training_contestants.hpp"

namespace training {

struct Plan {
  std::vector<Entrant> entrants;
  std::vector<std::string> with;  ///< the names of those that were asked for, whether they are there or not
  bool quick = false;
  bench::Clock clock = bench::Clock::process;  ///< of races of one thread each
  int repetitions = 15;
  unsigned threads = 2;
  std::vector<std::string> compile_too = {"engine", "libtorch", "dlib"};  ///< whose hello-world is compiled against the clock
};

struct Part {
  std::string markdown;
  nlohmann::json json;
  std::vector<bench::Chart> charts;
  std::vector<std::string> failures;  ///< contestants that did not do the same work: the report is then worth nothing
};

Part measure_epochs(const Plan& plan, const std::string& letters);  ///< (a) to (d), those named
Part measure_chains(const Plan& plan);                              ///< (e)
Part measure_threads(const Plan& plan);
Part measure_scaling(const Plan& plan);
Part measure_footprint(const Plan& plan);

/// In a process of its own: trains (c) once with this contestant and prints its memory as JSON.
void print_memory(const std::string& contestant, bool quick);

/// (a), (b), (c SGD), (c Adam), (d) of the report's first table; `quick`: fewer samples in the large ones.
std::vector<Problem> problems(bool quick);

}  // namespace training
