// Problems of a few lines: hello, poly, Speelpenning, Rosenbrock, logsumexp, least squares.
#pragma once
#include "number.hpp"
#include <algorithm>

namespace bench {

/// x². GradBench's "hello": is anybody there?
struct Hello {
  static constexpr const char* name = "hello";
  static constexpr bool few_variables = true;  ///< forward-mode peers take part
  std::vector<double> x{3.0};
  std::string size() const { return "1"; }

  template <class V> auto operator()(const V& v) const {
    NumberOf<V> y = v[0] * v[0];
    return y;
  }
  double hand(const std::vector<double>& v, std::vector<double>& g) {
    g[0] = 2 * v[0];
    return v[0] * v[0];
  }
};

/// Σᵢ cᵢ xⁱ, the powers by one multiplication each: a polynomial of one variable in a loop, two short statements per term.
/// By hand: Σ i cᵢ xⁱ⁻¹ from the same powers; the chain of the powers is what takes the time.
struct Poly {
  static constexpr const char* name = "poly";
  std::vector<double> x{0.99}, coefficients;
  explicit Poly(std::size_t terms = 1000) : coefficients(Random(1).uniforms(terms, -1, 1)) {}
  std::string size() const { return join(coefficients.size(), " terms"); }

  template <class V> auto operator()(const V& v) const {
    using T = NumberOf<V>;
    T power(1.0), sum(0.0);
    for (const double c : coefficients) {
      sum += c * power;
      power *= v[0];
    }
    return sum;
  }
  double hand(const std::vector<double>& v, std::vector<double>& g) {
    const double x0 = v[0];
    double sum = coefficients[0], slope = 0, power = 1, i = 1;
    for (std::size_t k = 1; k < coefficients.size(); ++k, i += 1) {
      slope += i * coefficients[k] * power;
      power *= x0;
      sum += coefficients[k] * power;
    }
    g[0] = slope;
    return sum;
  }
};

/// Π xᵢ (Speelpenning 1980), the function with which reverse mode began; at xᵢ = (i + 1)/(i + 2) the product is 1/(n + 1).
/// ∂/∂xᵢ is the product of those before i times the product of those after.
struct Speelpenning {
  static constexpr const char* name = "speelpenning";
  std::vector<double> x;
  explicit Speelpenning(std::size_t n = 1000) : x(n) {
    for (std::size_t i = 0; i < n; ++i) x[i] = static_cast<double>(i + 1) / static_cast<double>(i + 2);
  }
  std::string size() const { return std::to_string(x.size()); }

  template <class V> auto operator()(const V& v) const {
    NumberOf<V> product(1.0);
    for (std::size_t i = 0; i < v.size(); ++i) product *= v[i];
    return product;
  }
  double hand(const std::vector<double>& v, std::vector<double>& g) {
    double before = 1, after = 1;
    for (std::size_t i = 0; i < v.size(); ++i) {
      g[i] = before;
      before *= v[i];
    }
    for (std::size_t i = v.size(); i-- > 0;) {
      g[i] *= after;
      after *= v[i];
    }
    return before;
  }
};

/// Σ 100 (xᵢ₊₁ − xᵢ²)² + (1 − xᵢ)² (Rosenbrock 1960, chained).
struct Rosenbrock {
  static constexpr const char* name = "rosenbrock";
  std::vector<double> x;
  explicit Rosenbrock(std::size_t n = 1000) : x(Random(2).uniforms(n, -2, 2)) {}
  std::string size() const { return std::to_string(x.size()); }

  template <class V> auto operator()(const V& v) const {
    using T = NumberOf<V>;
    T sum(0.0);
    for (std::size_t i = 0; i + 1 < v.size(); ++i) {
      const T a = v[i + 1] - v[i] * v[i], b = 1.0 - v[i];
      sum += 100.0 * a * a + b * b;
    }
    return sum;
  }
  double hand(const std::vector<double>& v, std::vector<double>& g) {
    const double* const p = v.data();
    double* const d = g.data();
    const std::size_t n = v.size();
    double sum = 0, carried = 0;                        // 200 a of the pair before: what its xᵢ₊₁ receives
    for (std::size_t i = 0; i + 1 < n; ++i) {
      const double a = p[i + 1] - p[i] * p[i], b = 1 - p[i];
      sum += 100 * a * a + b * b;
      d[i] = carried - 400 * a * p[i] - 2 * b;
      carried = 200 * a;
    }
    d[n - 1] = carried;
    return sum;
  }
};

/// log Σ exp xᵢ; the gradient is the softmax.
struct LogSumExp {
  static constexpr const char* name = "logsumexp";
  std::vector<double> x;
  explicit LogSumExp(std::size_t n = 1000) : x(Random(3).uniforms(n, -5, 5)) {}
  std::string size() const { return std::to_string(x.size()); }

  template <class V> auto operator()(const V& v) const { return log_sum_exp(v); }
  double hand(const std::vector<double>& v, std::vector<double>& g) {
    double top = v[0], sum = 0;
    for (const double a : v) top = top < a ? a : top;
    for (std::size_t i = 0; i < v.size(); ++i) sum += g[i] = std::exp(v[i] - top);
    const double scale = 1 / sum;
    for (double& d : g) d *= scale;
    return top + std::log(sum);
  }
};

/// ½ Σᵢ (sign tᵢ − Σⱼ xⱼ tᵢʲ)², tᵢ evenly over [−1, 1]: GradBench's linear least squares (after cmpad's llsq_obj).
struct LeastSquares {
  static constexpr const char* name = "least squares";
  static constexpr bool few_variables = true;  ///< forward-mode peers take part
  std::size_t n;
  std::vector<double> x;
  explicit LeastSquares(std::size_t points = 1000, std::size_t coefficients = 10) : n(points), x(Random(4).uniforms(coefficients, -1, 1)) {}
  std::string size() const { return join(n, " points, ", x.size(), " coefficients"); }
  double t(std::size_t i) const { return -1 + 2 * static_cast<double>(i) / static_cast<double>(n - 1); }
  static double sign(double t) { return (t > 0) - (t < 0); }

  template <class V> auto operator()(const V& v) const {
    using T = NumberOf<V>;
    T sum(0.0);
    for (std::size_t i = 0; i < n; ++i) {
      const double ti = t(i);
      double power = 1;
      T residual(sign(ti));
      for (std::size_t j = 0; j < v.size(); ++j, power *= ti) residual -= v[j] * power;
      sum += residual * residual;
    }
    sum *= 0.5;
    return sum;
  }
  double hand(const std::vector<double>& v, std::vector<double>& g) {
    std::fill(g.begin(), g.end(), 0.0);
    const std::size_t m = v.size();
    powers_.resize(m);
    const double* __restrict p = v.data();
    double *__restrict d = g.data(), *__restrict powers = powers_.data();
    double sum = 0;
    for (std::size_t i = 0; i < n; ++i) {
      const double ti = t(i);
      double power = 1, residual = sign(ti);
      for (std::size_t j = 0; j < m; ++j, power *= ti) {
        powers[j] = power;
        residual -= p[j] * power;
      }
      sum += residual * residual;
      for (std::size_t j = 0; j < m; ++j) d[j] -= residual * powers[j];
    }
    return 0.5 * sum;
  }

 private:
  std::vector<double> powers_;
};

}  // namespace bench
