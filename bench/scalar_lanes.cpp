// The library with one independent input per SIMD lane: `gradient_batch(f, inputs, gradients)`. The only place of the suite that knows of batches.
#include "suite.hpp"
#include <autodiff/autodiff.hpp>

namespace bench {

void enter_lanes(Suite& suite) {
  constexpr std::size_t lanes = 8;
  suite.problems.each([&](auto& problem) {
    // The first input is the problem's own, so that its gradient can be verified; the others are a little beside it
    // (tests/test_bench_problems.cpp verifies all lanes).
    std::vector<std::vector<double>> inputs(lanes, problem.x);
    for (std::size_t k = 1; k < lanes; ++k)
      for (double& a : inputs[k]) a *= 1 + 1e-3 * static_cast<double>(k);
    suite.at(problem.name).entries.push_back({"autodiff, 8 lanes", [&problem, inputs, gradients = inputs](std::vector<double>& out) mutable {
      autodiff::gradient_batch(problem, inputs, gradients);
      std::copy(gradients[0].begin(), gradients[0].end(), out.begin());
    }, static_cast<double>(lanes)});
  });
}

}  // namespace bench
