// One problem raced by all contestants, and checked: what the epochs, threads and scaling parts share.
#pragma once
#include "training_parts.hpp"

namespace training {

struct Place {
  Role role;
  bench::Result result;  ///< seconds per epoch
  double cost = 0;       ///< of the trained parameters, by the judge
  double apart = 0;      ///< distance() of its parameters from the first contestant's
  Parameters parameters;
};

struct Race {
  std::vector<Place> places;
  double initial_cost = 0;
  std::vector<std::string> failures;
  /// The fastest of a role (two makes of hand-written loops), or null.
  const bench::Result* best(Role role) const;
};

Race race_problem(const Plan& plan, const Problem& problem);

}  // namespace training
