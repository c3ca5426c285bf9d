// Rotations from three numbers: axis times angle (Rodrigues), and how they change with the numbers, by hand.
#pragma once
#include "number.hpp"
#include <array>

namespace bench {

template <class T> using Three = std::array<T, 3>;

/// R(r) p = p cos θ + (w × p) sin θ + w (w·p)(1 − cos θ),  θ = |r|, w = r/θ;  for r = 0 to first order p + r × p.
template <class T> Three<T> rotate(const Three<T>& r, const Three<T>& p) {
  using std::cos, std::sin, std::sqrt;
  const T square = r[0] * r[0] + r[1] * r[1] + r[2] * r[2];
  if (!(square > 0.0))
    return {T(p[0] + r[1] * p[2] - r[2] * p[1]), T(p[1] + r[2] * p[0] - r[0] * p[2]), T(p[2] + r[0] * p[1] - r[1] * p[0])};
  const T theta = sqrt(square), c = cos(theta), s = sin(theta), inverse = 1.0 / theta;
  const Three<T> w{T(r[0] * inverse), T(r[1] * inverse), T(r[2] * inverse)};
  const T along = (w[0] * p[0] + w[1] * p[1] + w[2] * p[2]) * (1.0 - c);
  return {T(p[0] * c + (w[1] * p[2] - w[2] * p[1]) * s + w[0] * along), T(p[1] * c + (w[2] * p[0] - w[0] * p[2]) * s + w[1] * along),
          T(p[2] * c + (w[0] * p[1] - w[1] * p[0]) * s + w[2] * along)};
}

/// The same rotation as a matrix, and the derivatives of R p in r, by hand.
class Rotation {
  double sine_ = 0, cosine_ = 1, inverse_ = 0;
  Three<double> w_{};
  static Three<double> cross(const Three<double>& a, const Three<double>& b) {
    return {a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]};
  }

 public:
  std::array<Three<double>, 3> matrix{{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};

  explicit Rotation(const Three<double>& r) {
    const double square = r[0] * r[0] + r[1] * r[1] + r[2] * r[2];
    if (!(square > 0)) return;
    const double theta = std::sqrt(square);
    inverse_ = 1 / theta;
    sine_ = std::sin(theta), cosine_ = std::cos(theta);
    for (std::size_t i = 0; i < 3; ++i) w_[i] = r[i] * inverse_;
    const double turn[3][3] = {{0, -w_[2], w_[1]}, {w_[2], 0, -w_[0]}, {-w_[1], w_[0], 0}};
    for (std::size_t i = 0; i < 3; ++i)
      for (std::size_t j = 0; j < 3; ++j) matrix[i][j] = (i == j ? cosine_ : 0) + turn[i][j] * sine_ + w_[i] * w_[j] * (1 - cosine_);
  }
  Three<double> operator()(const Three<double>& p) const {
    Three<double> y;
    for (std::size_t i = 0; i < 3; ++i) y[i] = matrix[i][0] * p[0] + matrix[i][1] * p[1] + matrix[i][2] * p[2];
    return y;
  }
  /// ∂(R p)/∂r, columns:  wⱼ (−p sin θ + (w × p) cos θ + w (w·p) sin θ) + (v × p sin θ + (v (w·p) + w (v·p))(1 − cos θ))/θ,  v = eⱼ − w wⱼ.
  std::array<Three<double>, 3> derivative(const Three<double>& p) const {
    std::array<Three<double>, 3> columns;
    if (inverse_ == 0) {
      for (std::size_t j = 0; j < 3; ++j) columns[j] = cross({double(j == 0), double(j == 1), double(j == 2)}, p);
      return columns;
    }
    const double along = w_[0] * p[0] + w_[1] * p[1] + w_[2] * p[2];
    const Three<double> across = cross(w_, p);
    for (std::size_t j = 0; j < 3; ++j) {
      Three<double> v;
      for (std::size_t i = 0; i < 3; ++i) v[i] = double(i == j) - w_[i] * w_[j];
      const Three<double> turned = cross(v, p);
      const double part = v[0] * p[0] + v[1] * p[1] + v[2] * p[2];
      for (std::size_t i = 0; i < 3; ++i)
        columns[j][i] = w_[j] * (-p[i] * sine_ + across[i] * cosine_ + w_[i] * along * sine_) +
                        (turned[i] * sine_ + (v[i] * along + w_[i] * part) * (1 - cosine_)) * inverse_;
    }
    return columns;
  }
};

}  // namespace bench
