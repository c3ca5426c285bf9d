// The benchmark's problems at small sizes: the hand-written adjoints against central differences, the library against them.
#include "bench/engine.hpp"
#include "bench/problems/all.hpp"
#include "bench/problems/ba.hpp"
#include "bench/problems/hand_tracking.hpp"
#include "bench/problems/nested.hpp"
#include <doctest/doctest.h>

using namespace bench;

namespace {

double largest(const std::vector<double>& v) {
  double r = 0;
  for (const double a : v) r = std::max(r, std::abs(a));
  return r;
}
/// The largest difference, relative to the largest number of the first.
double difference(const std::vector<double>& a, const std::vector<double>& b) {
  double r = a.size() == b.size() ? 0 : 1e300;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i)
    if (const double apart = std::abs(a[i] - b[i]); !(apart <= r)) r = std::isnan(apart) ? 1e300 : apart;
  return r / std::max(largest(a), 1e-300);
}
/// (f(x + h) − f(x − h)) / 2h for each component, of a function that may return several numbers.
template <class F> std::vector<double> central_differences(F f, std::vector<double> x) {
  std::vector<double> r;
  for (double& a : x) {
    const double at = a, h = 1e-5 * std::max(1.0, std::abs(at));
    a = at + h;
    const auto up = f(x);
    a = at - h;
    const auto down = f(x);
    a = at;
    for (std::size_t i = 0; i < up.size(); ++i) r.push_back((up[i] - down[i]) / (2 * h));
  }
  return r;
}

}  // namespace

TEST_CASE("each problem's hand-written adjoint is the slope of its function, and the library agrees to 1e-12") {
  Problems problems = small_problems();
  problems.each([](auto& problem) {
    CAPTURE(problem.name);
    std::vector<double> hand(problem.x.size()), ours(problem.x.size());
    const double plain = problem(problem.x), by_hand = problem.hand(problem.x, hand);
    CHECK(by_hand == doctest::Approx(plain).epsilon(1e-12));
    const auto slopes = central_differences([&](const std::vector<double>& x) { return std::vector<double>{problem(x)}; }, problem.x);
    CHECK(difference(slopes, hand) < 1e-7);

    Gradient gradient(problem);
    CHECK(gradient(problem.x, ours) == doctest::Approx(plain).epsilon(1e-12));
    CHECK(difference(hand, ours) < 1e-12);
    gradient(problem.x, ours);                          // and once more on the same tape
    CHECK(difference(hand, ours) < 1e-12);
  });
}

TEST_CASE("bundle adjustment: the blocks of the Jacobian by hand, by differences and by the library") {
  const BundleAdjustment problem(2, 5, 7);
  std::vector<double> hand(problem.derivatives()), ours(problem.derivatives());
  problem.hand(hand);
  for (std::size_t i = 0; i < problem.p; ++i) {
    const auto local = problem.local(i);
    const auto slopes = central_differences(
        [&](const std::vector<double>& x) {
          std::array<double, BundleAdjustment::locals> v;
          std::copy(x.begin(), x.end(), v.begin());
          const auto e = problem.error(v, i);
          return std::vector<double>{e[0], e[1]};
        },
        {local.begin(), local.end()});
    std::vector<double> block;                          // as the differences have it: for each variable, both errors
    for (std::size_t j = 0; j < local.size(); ++j)
      for (std::size_t k = 0; k < 2; ++k) block.push_back(hand[2 * local.size() * i + local.size() * k + j]);
    CHECK(difference(slopes, block) < 1e-7);
  }
  ObservationJacobian jacobian(problem);
  jacobian(ours);
  CHECK(difference(hand, ours) < 1e-12);
}

TEST_CASE("hand tracking: the Jacobian by hand, by differences and by the library, simple and complicated") {
  for (const bool complicated : {false, true}) {
    CAPTURE(complicated);
    const HandTracking problem(9, complicated, 30);
    const std::size_t rows = problem.rows();
    std::vector<double> hand(rows * problem.columns()), ours(hand.size()), slopes;
    problem.hand(hand);
    for (std::size_t j = 0; j < problem.columns(); ++j) {
      const auto direction = problem.direction(j);
      auto along = [&](const std::vector<double>& t) {
        auto x = problem.x;
        for (std::size_t i = 0; i < x.size(); ++i) x[i] += t[0] * direction[i];
        return problem(x);
      };
      for (const double a : central_differences(along, {0.0})) slopes.push_back(a);
    }
    CHECK(difference(slopes, hand) < 1e-7);
    forward_columns(problem, ours);
    CHECK(difference(hand, ours) < 1e-12);
  }
}

TEST_CASE("derivatives inside derivatives: all four combinations of forward and reverse find what the formulas find") {
  auto check = [](const auto& problem) {
    CAPTURE(problem.name);
    std::vector<double> hand, ours;
    problem.hand(hand);
    problem.solve(Forward{}, Forward{}, ours);
    CHECK(difference(hand, ours) < 1e-10);
    problem.solve(Forward{}, Reverse{}, ours);
    CHECK(difference(hand, ours) < 1e-10);
    problem.solve(Reverse{}, Forward{}, ours);
    CHECK(difference(hand, ours) < 1e-10);
    problem.solve(Reverse{}, Reverse{}, ours);
    CHECK(difference(hand, ours) < 1e-10);
  };
  check(Particle{});
  check(Saddle{});
}

TEST_CASE("k-means: the diagonal of the Hessian is H times ones, and Newton's direction is what the formula says") {
  KMeans problem(30, 3, 2);
  std::vector<double> hand(problem.x.size());
  problem.direction(problem.x, hand);
  const std::vector<double> ones(problem.x.size(), 1.0);
  auto gradient = autodiff::gradient(problem, problem.x);
  const auto diagonal = autodiff::hvp(problem, problem.x, ones);
  std::vector<double> ours;
  for (std::size_t i = 0; i < ones.size(); ++i) ours.push_back(gradient[i] / diagonal[i]);
  CHECK(difference(hand, ours) < 1e-12);
}

TEST_CASE("eight inputs at a time: every lane of gradient_batch agrees with the hand-written adjoint to 1e-12") {
  Problems problems = small_problems();
  problems.each([](auto& problem) {
    CAPTURE(problem.name);
    std::vector<std::vector<double>> inputs(8, problem.x);
    for (std::size_t lane = 1; lane < inputs.size(); ++lane)
      for (double& a : inputs[lane]) a *= 1 + 0.02 * static_cast<double>(lane);
    const auto gradients = autodiff::gradient_batch(problem, inputs);
    for (std::size_t lane = 0; lane < inputs.size(); ++lane) {
      CAPTURE(lane);
      std::vector<double> hand(problem.x.size());
      problem.hand(inputs[lane], hand);
      CHECK(difference(hand, gradients[lane]) < 1e-12);
    }
  });
}
