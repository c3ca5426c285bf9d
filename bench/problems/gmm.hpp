// Fitting a Gaussian mixture: the log posterior of ADBench's GMM, in GradBench's corrected definition.
//
//     βᵢₖ = αₖ − ½ |Qₖ (xᵢ − μₖ)|² + Σⱼ qₖⱼ          Qₖ lower triangular, diagonal exp qₖ, below it lₖ column by column
//     F = −n (d/2 log 2π + logsumexp α) + Σᵢ logsumexp βᵢ
//         + K (ν d log(γ/√2) − log Γ_d(ν/2)) − Σₖ (½ γ² |Qₖ|² − m Σⱼ qₖⱼ)          ν = d + m + 1, the Wishart prior
//
// Variables: α (K), μ (K × d), then for each k the row q (d), l (d(d − 1)/2), as ADBench's files have them.
#pragma once
#include "number.hpp"
#include <algorithm>
#include <numbers>
#include <numeric>

namespace bench {

struct Gmm {
  static constexpr const char* name = "gmm";
  std::size_t d, k, n;
  std::vector<double> x;                                ///< the variables
  std::vector<double> points;                           ///< n × d
  double gamma = 1;
  int m = 0;

  explicit Gmm(std::size_t dimension = 10, std::size_t components = 25, std::size_t observations = 1000)
      : d(dimension), k(components), n(observations) {
    Random random(7);
    for (std::size_t i = 0; i < k; ++i) x.push_back(random.normal());
    for (std::size_t i = 0; i < k * d; ++i) x.push_back(random.uniform());
    for (std::size_t i = 0; i < k * triangle(); ++i) x.push_back(random.normal());
    points = random.normals(n * d);
  }
  std::string size() const { return join("d", d, " K", k, " n", n); }
  std::size_t triangle() const { return d * (d + 1) / 2; }
  /// Where l keeps the entry of a row and a column before it: column by column.
  std::size_t below_diagonal(std::size_t row, std::size_t column) const { return column * (2 * d - column - 1) / 2 + (row - column - 1); }

  /// What does not depend on the variables.
  double constant() const {
    const auto D = static_cast<double>(d), N = static_cast<double>(n), K = static_cast<double>(k), nu = D + m + 1;
    double log_gamma = 0.25 * D * (D - 1) * std::log(std::numbers::pi);
    for (std::size_t j = 0; j < d; ++j) log_gamma += std::lgamma(0.5 * (nu - static_cast<double>(j)));
    return -0.5 * N * D * std::log(2 * std::numbers::pi) + K * (nu * D * std::log(gamma / std::numbers::sqrt2) - log_gamma);
  }

  template <class V> auto operator()(const V& v) const {
    using std::exp;
    using T = NumberOf<V>;
    const std::size_t means = k, factors = k + k * d, below = triangle() - d;
    std::vector<T> diagonal(k * d), sum_q(k, T(0.0)), beta(k), alpha(v.begin(), v.begin() + static_cast<std::ptrdiff_t>(k)), centred(d);
    T prior(0.0);
    for (std::size_t c = 0; c < k; ++c) {
      const std::size_t q = factors + c * triangle(), l = q + d;
      T square(0.0);
      for (std::size_t j = 0; j < d; ++j) {
        diagonal[c * d + j] = exp(v[q + j]);
        sum_q[c] += v[q + j];
        square += diagonal[c * d + j] * diagonal[c * d + j];
      }
      for (std::size_t j = 0; j < below; ++j) square += v[l + j] * v[l + j];
      prior += m * sum_q[c] - 0.5 * gamma * gamma * square;
    }
    T sum(0.0);
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t c = 0; c < k; ++c) {
        const std::size_t mean = means + c * d;
        const std::size_t l = factors + c * triangle() + d;
        T square(0.0);
        for (std::size_t row = 0; row < d; ++row) {
          centred[row] = points[i * d + row] - v[mean + row];
          T image = diagonal[c * d + row] * centred[row];
          for (std::size_t column = 0; column < row; ++column) image += v[l + below_diagonal(row, column)] * centred[column];
          square += image * image;
        }
        beta[c] = v[c] - 0.5 * square + sum_q[c];
      }
      sum += log_sum_exp(beta);
    }
    T y = constant() - static_cast<double>(n) * log_sum_exp(alpha) + sum + prior;
    return y;
  }

  /// Point by point: forwards to the responsibilities wₖ = ∂/∂βₖ, keeping Q(x − μ), then straight back.
  double hand(const std::vector<double>& v, std::vector<double>& g) {
    const std::size_t means = k, factors = k + k * d, below = triangle() - d;
    std::fill(g.begin(), g.end(), 0.0);
    work_.resize(2 * k * d + 3 * k + d + k * d);
    double *const diagonal = work_.data(), *const images = diagonal + k * d, *const sum_q = images + k * d, *const beta = sum_q + k,
                  *const share = beta + k, *const back = share + k, *const centreds = back + d;
    double prior = 0;
    for (std::size_t c = 0; c < k; ++c) {
      const double *const q = &v[factors + c * triangle()], *const l = q + d;
      double *const gq = &g[factors + c * triangle()], *const gl = gq + d;
      double square = 0;
      sum_q[c] = 0;
      for (std::size_t j = 0; j < d; ++j) {
        const double e = diagonal[c * d + j] = std::exp(q[j]);
        sum_q[c] += q[j];
        square += e * e;
        gq[j] = m - gamma * gamma * e * e;
      }
      for (std::size_t j = 0; j < below; ++j) {
        square += l[j] * l[j];
        gl[j] = -gamma * gamma * l[j];
      }
      prior += m * sum_q[c] - 0.5 * gamma * gamma * square;
    }
    double sum = 0;
    for (std::size_t i = 0; i < n; ++i) {
      const double* const point = &points[i * d];
      for (std::size_t c = 0; c < k; ++c) {
        const double *const mean = &v[means + c * d], *l = &v[factors + c * triangle() + d];
        double *const image = images + c * d, *const centred = centreds + c * d;
        for (std::size_t j = 0; j < d; ++j) {
          centred[j] = point[j] - mean[j];
          image[j] = diagonal[c * d + j] * centred[j];
        }
        for (std::size_t column = 0; column + 1 < d; ++column) {
          const double u = centred[column];
          for (std::size_t row = column + 1; row < d; ++row) image[row] += *l++ * u;
        }
        double square = 0;
        for (std::size_t j = 0; j < d; ++j) square += image[j] * image[j];
        beta[c] = v[c] - 0.5 * square + sum_q[c];
      }
      sum += shares(beta, share);
      for (std::size_t c = 0; c < k; ++c) {
        const double w = share[c], *l = &v[factors + c * triangle() + d];
        const double *const image = images + c * d, *const centred = centreds + c * d;
        double *const gm = &g[means + c * d], *const gq = &g[factors + c * triangle()], *gl = gq + d;
        g[c] += w;
        for (std::size_t j = 0; j < d; ++j) {
          back[j] = -w * image[j];                      // adjoint of the image
          gq[j] += w + back[j] * diagonal[c * d + j] * centred[j];
        }
        for (std::size_t column = 0; column < d; ++column) {
          const double u = centred[column];
          double to_centred = diagonal[c * d + column] * back[column];
          for (std::size_t row = column + 1; row < d; ++row) {
            to_centred += *l++ * back[row];
            *gl++ += back[row] * u;
          }
          gm[column] -= to_centred;
        }
      }
    }
    const double log_sum = shares(v.data(), share);
    for (std::size_t c = 0; c < k; ++c) g[c] -= static_cast<double>(n) * share[c];
    return constant() - static_cast<double>(n) * log_sum + sum + prior;
  }

 private:
  std::vector<double> work_;

  /// logsumexp of k numbers and its gradient.
  double shares(const double* b, double* share) const {
    double top = b[0], sum = 0;
    for (std::size_t c = 1; c < k; ++c) top = std::max(top, b[c]);
    for (std::size_t c = 0; c < k; ++c) sum += share[c] = std::exp(b[c] - top);
    const double scale = 1 / sum;
    for (std::size_t c = 0; c < k; ++c) share[c] *= scale;
    return top + std::log(sum);
  }
};

}  // namespace bench
