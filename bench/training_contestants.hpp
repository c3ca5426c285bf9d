// Who takes part in the training benchmark: the engine, the hand-written loops, and the modules of libtorch and dlib that were
// built beside the program.
#pragma once
#include <functional>
#include <string>
#include <vector>
#include "training_engine.hpp"

namespace training {

enum class Role { hand, engine, libtorch, dlib };

struct Entrant {
  Role role;
  std::string name;
  std::function<std::unique_ptr<Trainer>(const Problem&, const Samples&)> trainer;  ///< null where it does not take part
  std::function<std::unique_ptr<Chain>(Operation, std::size_t n)> chain;            ///< empty or null likewise
};

/// Those of `wanted` ("engine", "hand", "libtorch", "dlib") that are here; hand-written loops first. What is missing is told by
/// `missing`, in words.
std::vector<Entrant> entrants(const std::vector<std::string>& wanted, std::vector<std::string>& missing);

/// The folder in which this program lies, and its modules and hello programs with it.
std::string program_folder();

}  // namespace training
