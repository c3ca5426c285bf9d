// k-means, Black–Scholes and XOR in scalars.
#pragma once
#include "number.hpp"
#include <algorithm>
#include <array>
#include <numbers>

namespace bench {

/// Σᵢ minⱼ |cⱼ − pᵢ|²: the cost of a clustering, GradBench's "kmeans"; the variables are the centroids.
/// The Hessian is diagonal, so H·1 is all of it, and Newton's direction, GradBench's "dir", is gradient / (H·1).
struct KMeans {
  static constexpr const char* name = "k-means";
  static constexpr bool few_variables = true;  ///< forward-mode peers take part
  std::size_t n, k, d;
  std::vector<double> x, points;
  explicit KMeans(std::size_t observations = 1000, std::size_t clusters = 10, std::size_t dimension = 8)
      : n(observations), k(clusters), d(dimension) {
    Random random(9);
    points = random.normals(n * d);
    x.assign(points.begin(), points.begin() + static_cast<std::ptrdiff_t>(k * d));       // so that each centroid has a point
    for (double& c : x) c += 0.01;
  }
  std::string size() const { return join("n", n, " k", k, " d", d); }

  template <class V> auto operator()(const V& v) const {
    using T = NumberOf<V>;
    T sum(0.0);
    for (std::size_t i = 0; i < n; ++i) {
      T nearest = distance<T>(v, i, 0);
      for (std::size_t c = 1; c < k; ++c) nearest = smaller(nearest, distance<T>(v, i, c));
      sum += nearest;
    }
    return sum;
  }
  double hand(const std::vector<double>& v, std::vector<double>& g) {
    std::fill(g.begin(), g.end(), 0.0);
    double sum = 0;
    for (std::size_t i = 0; i < n; ++i) {
      const auto [c, squared] = nearest(v, i);
      sum += squared;
      for (std::size_t j = 0; j < d; ++j) g[c * d + j] += 2 * (v[c * d + j] - points[i * d + j]);
    }
    return sum;
  }
  /// Newton's direction by hand: the diagonal of the Hessian is twice the number of a centroid's points.
  void direction(const std::vector<double>& v, std::vector<double>& r) {
    std::vector<double> count(k, 0.0);
    std::fill(r.begin(), r.end(), 0.0);
    for (std::size_t i = 0; i < n; ++i) {
      const std::size_t c = nearest(v, i).cluster;
      ++count[c];
      for (std::size_t j = 0; j < d; ++j) r[c * d + j] += v[c * d + j] - points[i * d + j];
    }
    for (std::size_t c = 0; c < k; ++c)
      for (std::size_t j = 0; j < d; ++j) r[c * d + j] /= count[c];
  }

 private:
  template <class T, class V> T distance(const V& v, std::size_t point, std::size_t cluster) const {
    T sum(0.0);
    for (std::size_t j = 0; j < d; ++j) {
      const T a = v[cluster * d + j] - points[point * d + j];
      sum += a * a;
    }
    return sum;
  }
  struct Nearest { std::size_t cluster; double squared; };
  Nearest nearest(const std::vector<double>& v, std::size_t point) const {
    Nearest best{0, distance<double>(v, point, 0)};
    for (std::size_t c = 1; c < k; ++c) {               // chosen without a branch, which would be mispredicted
      const double a = distance<double>(v, point, c);
      const bool nearer = a < best.squared;
      best = {nearer ? c : best.cluster, nearer ? a : best.squared};
    }
    return best;
  }
};

/// The value of a book of European calls (Black and Scholes 1973), one set of five variables S, K, r, σ, T per option:
///     S Φ(d₁) − K e^(−rT) Φ(d₂)      d₁ = (log S/K + (r + σ²/2) T) / (σ √T)      d₂ = d₁ − σ √T      Φ(a) = ½ erfc(−a/√2)
/// By hand the gradient is the book of Greeks: Δ = Φ(d₁), vega = S φ(d₁) √T, …
struct BlackScholes {
  static constexpr const char* name = "black-scholes";
  std::vector<double> x;
  explicit BlackScholes(std::size_t options = 200) {
    Random random(10);
    for (std::size_t i = 0; i < options; ++i)
      for (const double a :
           {random.uniform(80, 120), random.uniform(80, 120), random.uniform(0.01, 0.05), random.uniform(0.1, 0.4), random.uniform(0.2, 2)})
        x.push_back(a);
  }
  std::string size() const { return join(x.size() / 5, " options"); }

  template <class V> auto operator()(const V& v) const {
    using std::erfc, std::exp, std::log, std::sqrt;
    using T = NumberOf<V>;
    T sum(0.0);
    for (std::size_t i = 0; i + 4 < v.size(); i += 5) {
      const T S = v[i], K = v[i + 1], r = v[i + 2], sigma = v[i + 3], t = v[i + 4];
      const T wide = sigma * sqrt(t);
      const T d1 = (log(S / K) + (r + 0.5 * sigma * sigma) * t) / wide;
      const T d2 = d1 - wide;
      sum += S * (0.5 * erfc(d1 * -root_half)) - K * exp(-(r * t)) * (0.5 * erfc(d2 * -root_half));
    }
    return sum;
  }
  double hand(const std::vector<double>& v, std::vector<double>& g) {
    double sum = 0;
    for (std::size_t i = 0; i + 4 < v.size(); i += 5) {
      const double S = v[i], K = v[i + 1], r = v[i + 2], sigma = v[i + 3], t = v[i + 4];
      const double root = std::sqrt(t), wide = sigma * root, d1 = (std::log(S / K) + (r + 0.5 * sigma * sigma) * t) / wide, d2 = d1 - wide;
      const double delta = 0.5 * std::erfc(d1 * -root_half), below = 0.5 * std::erfc(d2 * -root_half), discount = std::exp(-r * t);
      const double density = 0.5 * std::numbers::inv_sqrtpi * std::numbers::sqrt2 * std::exp(-0.5 * d1 * d1);
      sum += S * delta - K * discount * below;
      g[i] = delta;
      g[i + 1] = -discount * below;
      g[i + 2] = K * t * discount * below;
      g[i + 3] = S * density * root;
      g[i + 4] = S * density * sigma / (2 * root) + r * K * discount * below;
    }
    return sum;
  }

 private:
  static constexpr double root_half = 0.5 * std::numbers::sqrt2;
};

/// The network of every tutorial: 2 inputs, 3 hidden sigmoids, 1 sigmoid, the four rows of XOR; the cost is the mean cross-entropy
/// −¼ Σ log(t = 1 ? p : 1 − p). Variables: hidden weights (3 × 2), hidden biases (3), output weights (3), output bias.
struct Xor {
  static constexpr const char* name = "xor";
  static constexpr bool few_variables = true;  ///< forward-mode peers take part
  std::vector<double> x;
  Xor() : x(Random(11).uniforms(13, -1, 1)) {}
  std::string size() const { return "2-3-1, 4 rows"; }
  struct Row { double a, b; bool one; };
  static constexpr std::array<Row, 4> rows{{{0, 0, false}, {0, 1, true}, {1, 0, true}, {1, 1, false}}};

  template <class V> auto operator()(const V& v) const {
    using std::exp, std::log;
    using T = NumberOf<V>;
    T cost(0.0);
    for (const auto& row : rows) {
      T sum = v[12];
      for (std::size_t j = 0; j < 3; ++j) {
        const T h = 1.0 / (1.0 + exp(-(row.a * v[2 * j] + row.b * v[2 * j + 1] + v[6 + j])));
        sum += v[9 + j] * h;
      }
      const T p = 1.0 / (1.0 + exp(-sum));
      if (row.one) cost -= 0.25 * log(p);
      else cost -= 0.25 * log(1.0 - p);
    }
    return cost;
  }
  /// Sigmoid and cross-entropy together have the slope p − t.
  double hand(const std::vector<double>& v, std::vector<double>& g) {
    std::array<double, 13> d{};
    double cost = 0;
    for (const auto& row : rows) {
      double h[3], sum = v[12];
      for (std::size_t j = 0; j < 3; ++j) {
        h[j] = 1 / (1 + std::exp(-(row.a * v[2 * j] + row.b * v[2 * j + 1] + v[6 + j])));
        sum += v[9 + j] * h[j];
      }
      const double p = 1 / (1 + std::exp(-sum)), back = 0.25 * (row.one ? p - 1 : p);
      cost -= 0.25 * std::log(row.one ? p : 1 - p);
      d[12] += back;
      for (std::size_t j = 0; j < 3; ++j) {
        const double hidden = back * v[9 + j] * h[j] * (1 - h[j]);
        d[9 + j] += back * h[j];
        d[6 + j] += hidden;
        d[2 * j] += hidden * row.a;
        d[2 * j + 1] += hidden * row.b;
      }
    }
    std::copy(d.begin(), d.end(), g.begin());
    return cost;
  }
};

}  // namespace bench
