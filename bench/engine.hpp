// The library as a contestant, through its public API only: what a user would write.
#pragma once
#include "problems/number.hpp"
#include <autodiff/autodiff.hpp>
#include <algorithm>

namespace bench {

/// Gradients of one problem on one tape, recorded anew each time: clear, variables, function, backward, adjoints.
template <class Problem> class Gradient {
  const Problem* problem_;
  autodiff::Tape tape_;
  std::vector<autodiff::Var<double>> x_;

 public:
  explicit Gradient(const Problem& problem) : problem_(&problem) {}

  double operator()(const std::vector<double>& x, std::vector<double>& gradient) {
    const auto on = tape_.record();                     // other contestants' tapes are younger
    tape_.clear();
    tape_.variables(x, x_);
    const autodiff::Var<double> y = (*problem_)(x_);
    tape_.backward(y);
    tape_.adjoints(x_, gradient);
    return y.value();
  }
  /// What the last recording takes in memory: statements and arguments, without spare room.
  std::size_t bytes() const { return tape_.statistics().bytes; }
};

/// The sparse Jacobian of bundle adjustment: per observation one small recording and a walk back for each of its three errors.
template <class Problem> class ObservationJacobian {
  const Problem* problem_;
  autodiff::Tape tape_;

 public:
  explicit ObservationJacobian(const Problem& problem) : problem_(&problem) {}

  void operator()(std::vector<double>& out) {
    using autodiff::Var;
    const auto on = tape_.record();
    constexpr std::size_t m = Problem::locals;
    for (std::size_t i = 0; i < problem_->p; ++i) {
      tape_.clear();
      const auto local = problem_->local(i);
      std::array<Var<double>, m> v;
      for (std::size_t j = 0; j < m; ++j) v[j] = tape_.variable(local[j]);
      const auto e = problem_->error(v, i);
      const Var<double> weight = problem_->weight_error(v[m - 1]);
      for (std::size_t k = 0; k < 2; ++k) {
        tape_.backward(e[k]);
        for (std::size_t j = 0; j < m; ++j) out[2 * m * i + m * k + j] = tape_.adjoint(v[j]);
      }
      tape_.backward(weight);
      out[2 * m * problem_->p + i] = tape_.adjoint(v[m - 1]);
    }
  }
};

/// A Jacobian with few columns: forwards, sixteen directions at once.
template <class Problem> void forward_columns(const Problem& problem, std::vector<double>& out) {
  std::vector<std::vector<double>> directions;
  for (std::size_t j = 0; j < problem.columns(); ++j) directions.push_back(problem.direction(j));
  auto to = out.begin();
  for (const auto& column : autodiff::jvp_batch<16>(problem, problem.x, directions)) to = std::copy(column.begin(), column.end(), to);
}

/// Two ways to take a gradient that nest in one another.
struct Forward {
  template <class F, class T> std::vector<T> operator()(const F& f, const std::vector<T>& x) const {
    std::vector<T> g;
    for (std::size_t i = 0; i < x.size(); ++i) {
      std::vector<T> unit(x.size(), T(0.0));
      unit[i] = T(1.0);
      g.push_back(autodiff::jvp(f, x, unit));
    }
    return g;
  }
};
struct Reverse {
  template <class F, class T> std::vector<T> operator()(const F& f, const std::vector<T>& x) const { return autodiff::gradient(f, x); }
};

}  // namespace bench
