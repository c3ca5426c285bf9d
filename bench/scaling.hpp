// Cost against size: three problems over four decades.
#pragma once
#include "harness.hpp"

namespace bench {

/// Verifies and times the library and the hand-written adjoint, adds the figures to `report["scaling"]`, and returns the picture: nanoseconds per
/// element against the number of elements.
Chart scaling(nlohmann::json& report, int repetitions, double slice);

}  // namespace bench
