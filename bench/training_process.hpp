// Running other programs: how long they take and what they print. (Not their peak memory: ru_maxrss of a spawned process starts
// from its parent's.)
#pragma once
#include <string>
#include <vector>

namespace training {

struct Finished {
  bool ok = false;     ///< it started, and ended with 0
  double seconds = 0;  ///< from start to end, by the wall's clock
  std::string output;  ///< what it wrote to its standard output
};

/// Runs arguments[0], looked up in PATH, and waits for its end.
Finished run_program(const std::vector<std::string>& arguments);

}  // namespace training
