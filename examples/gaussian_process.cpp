// Shows: Eigen's matrices over variables: the width, height and noise of a Gaussian process, fitted through a Cholesky factorization.
#include <Eigen/Dense>
#include <autodiff/autodiff.hpp>
#include <random>

#include "figures.hpp"
#include "options.hpp"
namespace ad = autodiff;

// What Eigen wants to know about a number: here of variables, and of expressions of them.
namespace Eigen {
template <ad::Expression E> struct NumTraits<E> : NumTraits<typename E::Scalar> {
  using Real = ad::Var<typename E::Scalar>;
  using NonInteger = Real;
  using Nested = Real;
  using Literal = Real;
  enum { RequireInitialization = 1, ReadCost = 1, AddCost = 3, MulCost = 3 };
};
}  // namespace Eigen

template <class T> using Matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>;
template <class T> using Vector = Eigen::Matrix<T, Eigen::Dynamic, 1>;

// Measurements of sin at some points, with an error of 0.1.
struct Measured {
  Vector<double> x{40}, y{40};
  Measured() {
    std::mt19937 bits(1);
    const auto uniform = [&bits] { return static_cast<double>(bits()) / 4294967296.0; };
    for (Eigen::Index i = 0; i < x.size(); ++i) {
      x[i] = 6 * uniform();
      double normal = -6;  // a sum of twelve is nearly normal
      for (int k = 0; k < 12; ++k) normal += uniform();
      y[i] = std::sin(x[i]) + 0.1 * normal;
    }
  }
};

int main(int argc, char** argv) {
  no_options(argc, argv, "Hyperparameters of a Gaussian process: derivatives through Eigen's Cholesky factorization");
  const Measured data;
  const Eigen::Index n = data.x.size();

  // −log p(y) of p = logarithms of width, height and noise: ½ yᵀK⁻¹y + Σ log Lᵢᵢ + ½ n log 2π, for the covariance K = L·Lᵀ
  const auto cost = [&](const auto& p) {
    using std::exp, std::log;
    using T = std::decay_t<decltype(p[0])>;
    const T width = exp(p[0]), height = exp(2 * p[1]), noise = exp(2 * p[2]);
    Matrix<T> K(n, n);
    for (Eigen::Index i = 0; i < n; ++i)
      for (Eigen::Index j = 0; j < n; ++j) K(i, j) = height * exp(-0.5 * ad::square((data.x[i] - data.x[j]) / width)) + (i == j ? noise : T(0.0));
    const Eigen::LLT<Matrix<T>> factors(K);
    const Vector<T> y = data.y.template cast<T>(), whitened = factors.matrixL().solve(y);
    T sum = whitened.squaredNorm() / 2 + 0.5 * static_cast<double>(n) * std::log(2 * std::numbers::pi);
    for (Eigen::Index i = 0; i < n; ++i) sum += log(factors.matrixLLT()(i, i));
    return sum;
  };

  std::vector<double> p{0, 0, 0};
  claim(ad::check_gradient(cost, p).agrees(), "the gradient through the factorization agrees with finite differences");
  const auto at_first = ad::value_and_gradient(cost, p);
  std::printf("at first  width %.2f  height %.2f  noise %.2f    cost %.2f\n", std::exp(p[0]), std::exp(p[1]), std::exp(p[2]), at_first.value);
  int steps = 0;
  for (; steps < 500; ++steps) {
    const std::vector<double> slope = ad::gradient(cost, p);
    for (std::size_t i = 0; i < p.size(); ++i) p[i] -= 0.01 * slope[i];
    if (std::abs(slope[0]) + std::abs(slope[1]) + std::abs(slope[2]) < 1e-3) break;
  }
  std::printf("fitted    width %.2f  height %.2f  noise %.2f    cost %.2f\n", std::exp(p[0]), std::exp(p[1]), std::exp(p[2]), cost(p));
  claim(steps < 500, "the descent has come to its end");
  claim(std::abs(std::exp(p[2]) - 0.1) < 0.03, "the noise that was put in is found");
}
/* Expected output (of a long figure, the last digit may differ):
at first  width 1.00  height 1.00  noise 1.00    cost 43.00
fitted    width 1.67  height 0.84  noise 0.10    cost -20.86
*/
