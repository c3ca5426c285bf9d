// Bundle adjustment, as ADBench defines it: cameras look at points; each observation compares where a point should be seen with where
// it was. The derivative wanted is the sparse Jacobian: per observation 2 × 15 numbers, and one for its weight's error 1 − w².
//
//     camera  r (3, rotation)  C (3, centre)  f (focal length)  u (2, principal point)  k (2, radial distortion)
//     q = R(r)(X − C)      p = (q₀, q₁)/q₂      s = |p|²      e = w (f p (1 + k₀ s + k₁ s²) + u − seen)
//
// ADBench's files give one camera, point, weight and observation, repeated; observation i is of camera i mod n, point i mod m.
#pragma once
#include "rotation.hpp"

namespace bench {

struct BundleAdjustment {
  static constexpr const char* name = "bundle adjustment";
  static constexpr std::size_t locals = 15;             ///< variables of one observation: camera 11, point 3, weight
  std::size_t n, m, p;
  std::vector<double> cameras, points, weights, seen;

  explicit BundleAdjustment(std::size_t camera_count = 49, std::size_t point_count = 7776, std::size_t observations = 31843)
      : n(camera_count), m(point_count), p(observations) {
    Random random(12);
    for (std::size_t i = 0; i < n; ++i)
      for (const double a : {random.uniform(-0.3, 0.3), random.uniform(-0.3, 0.3), random.uniform(-0.3, 0.3), random.normal(),
                             random.normal(), random.uniform(-9, -7), random.uniform(300, 500), random.uniform(-10, 10),
                             random.uniform(-10, 10), random.uniform(-0.1, 0.1), random.uniform(-0.01, 0.01)})
        cameras.push_back(a);
    points = random.normals(3 * m);
    weights = random.uniforms(p, 0.5, 1);
    seen = random.uniforms(2 * p, -200, 200);
  }
  std::string size() const { return join(n, " cameras, ", p, " observations"); }
  std::size_t derivatives() const { return (2 * locals + 1) * p; }

  /// The variables of observation i.
  std::array<double, locals> local(std::size_t i) const {
    std::array<double, locals> v;
    const double *c = &cameras[11 * (i % n)], *x = &points[3 * (i % m)];
    for (std::size_t j = 0; j < 11; ++j) v[j] = c[j];
    for (std::size_t j = 0; j < 3; ++j) v[11 + j] = x[j];
    v[14] = weights[i];
    return v;
  }
  /// The two errors of observation i.
  template <class T> std::array<T, 2> error(const std::array<T, locals>& v, std::size_t i) const { return error(v, seen[2 * i], seen[2 * i + 1]); }
  template <class T, class S> static std::array<T, 2> error(const std::array<T, locals>& v, const S& seen0, const S& seen1) {
    const Three<T> q = rotate<T>({v[0], v[1], v[2]}, {T(v[11] - v[3]), T(v[12] - v[4]), T(v[13] - v[5])});
    const T a = q[0] / q[2], b = q[1] / q[2];
    const T s = a * a + b * b;
    const T bent = v[6] * (1.0 + v[9] * s + v[10] * s * s);
    return {T(v[14] * (a * bent + v[7] - seen0)), T(v[14] * (b * bent + v[8] - seen1))};
  }
  template <class T> static T weight_error(const T& w) { return 1.0 - w * w; }

  /// All errors: 2 per observation, then the weights'.
  void function(std::vector<double>& errors) const {
    errors.resize(3 * p);
    for (std::size_t i = 0; i < p; ++i) {
      const auto e = error(local(i), i);
      errors[2 * i] = e[0];
      errors[2 * i + 1] = e[1];
      errors[2 * p + i] = weight_error(weights[i]);
    }
  }
  /// The Jacobian's blocks, row by row, then the derivatives of the weights' errors.
  void hand(std::vector<double>& out) const {
    for (std::size_t i = 0; i < p; ++i) {
      const auto v = local(i);
      double* const row[2] = {&out[2 * locals * i], &out[2 * locals * i + locals]};
      const Rotation rotation({v[0], v[1], v[2]});
      const Three<double> from{v[11] - v[3], v[12] - v[4], v[13] - v[5]}, q = rotation(from);
      const auto turn = rotation.derivative(from);
      const double inverse = 1 / q[2], p2[2] = {q[0] * inverse, q[1] * inverse}, s = p2[0] * p2[0] + p2[1] * p2[1];
      const double bend = 1 + v[9] * s + v[10] * s * s, slope = 2 * (v[9] + 2 * v[10] * s), w = v[14], f = v[6];
      for (std::size_t k = 0; k < 2; ++k) {
        const double to_p[2] = {w * f * ((k == 0 ? bend : 0) + p2[k] * slope * p2[0]),
                                w * f * ((k == 1 ? bend : 0) + p2[k] * slope * p2[1])};
        const double to_q[3] = {to_p[0] * inverse, to_p[1] * inverse, -(to_p[0] * p2[0] + to_p[1] * p2[1]) * inverse};
        for (std::size_t j = 0; j < 3; ++j) {
          row[k][j] = to_q[0] * turn[j][0] + to_q[1] * turn[j][1] + to_q[2] * turn[j][2];
          const double to_point = to_q[0] * rotation.matrix[0][j] + to_q[1] * rotation.matrix[1][j] + to_q[2] * rotation.matrix[2][j];
          row[k][3 + j] = -to_point;
          row[k][11 + j] = to_point;
        }
        row[k][6] = w * p2[k] * bend;
        row[k][7] = k == 0 ? w : 0;
        row[k][8] = k == 1 ? w : 0;
        row[k][9] = w * f * p2[k] * s;
        row[k][10] = w * f * p2[k] * s * s;
        row[k][14] = f * p2[k] * bend + v[7 + k] - seen[2 * i + k];
      }
      out[2 * locals * p + i] = -2 * w;
    }
  }
};

}  // namespace bench
