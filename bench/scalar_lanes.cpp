// The library with one independent input per SIMD lane: `gradient_batch(f, inputs, gradients)`, and for bundle adjustment `jacobian_batch`, an
// observation per lane.
#include "harness.hpp"
#include "suite.hpp"
#include <autodiff/autodiff.hpp>

namespace bench {

namespace {

/// The sparse Jacobian of bundle adjustment, some hundred observations at a time. What was seen is a part of each point, as a batch has no number i.
class ObservationJacobians {
  static constexpr std::size_t m = BundleAdjustment::locals, many = 512;
  const BundleAdjustment* problem_;
  std::vector<std::vector<double>> points_;
  autodiff::Tensor<double> blocks_;

 public:
  explicit ObservationJacobians(const BundleAdjustment& problem) : problem_(&problem) {}

  void operator()(std::vector<double>& out) {
    const auto errors = [](const auto& x) {
      using T = NumberOf<decltype(x)>;
      std::array<T, m> v;
      std::copy_n(x.begin(), m, v.begin());
      const auto e = BundleAdjustment::error(v, x[m], x[m + 1]);
      return std::array<T, 3>{e[0], e[1], BundleAdjustment::weight_error(v[m - 1])};
    };
    for (std::size_t first = 0; first < problem_->p; first += many) {
      points_.resize(std::min(many, problem_->p - first), std::vector<double>(m + 2));
      for (std::size_t i = 0; i < points_.size(); ++i) {
        const auto local = problem_->local(first + i);
        std::copy(local.begin(), local.end(), points_[i].begin());
        points_[i][m] = problem_->seen[2 * (first + i)], points_[i][m + 1] = problem_->seen[2 * (first + i) + 1];
      }
      autodiff::jacobian_batch(errors, points_, blocks_);
      const double* from = blocks_.data();
      for (std::size_t i = first; i < first + points_.size(); ++i, from += m + 2) {
        for (std::size_t k = 0; k < 2; ++k, from += m + 2) std::copy_n(from, m, &out[2 * m * i + m * k]);
        out[2 * m * problem_->p + i] = from[m - 1];
      }
    }
  }
};

}  // namespace

void enter_lanes(Suite& suite) {
  constexpr std::size_t lanes = 8;
  suite.problems.each([&](auto& problem) {
    std::vector<std::vector<double>> inputs(lanes, problem.x);  // the first is the problem's own; the others are a little beside it
    for (std::size_t k = 1; k < lanes; ++k)
      for (double& a : inputs[k]) a *= 1 + 1e-3 * static_cast<double>(k);
    const std::string us = "autodiff, 8 lanes";
    suite.at(problem.name).entries.push_back({us, [&problem, inputs, gradients = inputs](std::vector<double>& out) mutable {
      autodiff::gradient_batch(problem, inputs, gradients);
      std::copy(gradients[0].begin(), gradients[0].end(), out.begin());
    }, static_cast<double>(lanes), [&problem, inputs, us] {
      const auto gradients = autodiff::gradient_batch(problem, inputs);
      std::vector<double> hand(problem.x.size());
      for (std::size_t k = 1; k < inputs.size(); ++k) problem.hand(inputs[k], hand), verify(us, hand, gradients[k]);
    }});
  });
  suite.at(BundleAdjustment::name).entries.push_back({"autodiff, 8 lanes", ObservationJacobians(suite.bundle_adjustment)});
}

}  // namespace bench
