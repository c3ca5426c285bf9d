// An ordinary differential equation whose coefficients are the variables, by the method of Runge and Kutta.
#pragma once
#include "number.hpp"
#include <algorithm>

namespace bench {

/// y₀′ = x₀,  yᵢ′ = xᵢ yᵢ₋₁,  y(0) = 0, by the classical method of fourth order (Kutta 1901) to t = 2; the last component there:
/// GradBench's "ode". The solution is Π xᵢ · 2ⁿ/n!, and the method finds it up to n = 4.
/// By hand: the four states at which each step takes slopes are kept; on the way back one pass over the equations does all four.
struct Ode {
  static constexpr const char* name = "ode";
  static constexpr bool few_variables = true;  ///< forward-mode peers take part
  std::size_t steps;
  std::vector<double> x;
  explicit Ode(std::size_t n = 10, std::size_t time_steps = 100) : steps(time_steps), x(Random(6).uniforms(n, 0.5, 1.5)) {}
  std::string size() const { return join(x.size(), " equations, ", steps, " steps"); }

  template <class V> auto operator()(const V& v) const {
    using T = NumberOf<V>;
    const std::size_t n = v.size();
    std::vector<T> stages(4 * n, T(0.0)), slopes(4 * n);
    march(v, stages.data(), 0, slopes.data());
    T y = stages[n - 1];
    return y;
  }
  double hand(const std::vector<double>& v, std::vector<double>& g) {
    const std::size_t n = v.size();
    stages_.resize((4 * steps + 1) * n);
    slopes_.resize(4 * n);
    adjoint_.assign(n, 0.0);
    std::fill(stages_.begin(), stages_.begin() + static_cast<std::ptrdiff_t>(n), 0.0);
    std::fill(g.begin(), g.end(), 0.0);
    march(v, stages_.data(), 4 * n, slopes_.data());

    const double h = 2 / static_cast<double>(steps);
    const double* const p = v.data();
    double* __restrict d = g.data();
    double* __restrict adjoint = adjoint_.data();       // of y after the step, then before it
    adjoint[n - 1] = 1;
    for (std::size_t step = steps; step-- > 0;) {
      const double *const y1 = &stages_[4 * n * step], *const y2 = y1 + n, *const y3 = y2 + n, *const y4 = y3 + n;
      double s1 = 0, s2 = 0, s3 = 0, s4 = 0;            // adjoints of the stages' yᵢ: all from the slope of equation i + 1
      for (std::size_t i = n; i-- > 0;) {
        const double sixth = h / 6 * adjoint[i];
        const double k1 = sixth + h / 2 * s2, k2 = 2 * sixth + h / 2 * s3, k3 = 2 * sixth + h * s4, k4 = sixth;
        adjoint[i] += s1 + s2 + s3 + s4;
        if (i == 0) {
          d[0] += k1 + k2 + k3 + k4;
        } else {
          d[i] += k1 * y1[i - 1] + k2 * y2[i - 1] + k3 * y3[i - 1] + k4 * y4[i - 1];
          s1 = p[i] * k1, s2 = p[i] * k2, s3 = p[i] * k3, s4 = p[i] * k4;
        }
      }
    }
    return stages_[4 * n * steps + n - 1];
  }

 private:
  /// y′ at y.
  template <class T, class V> static void slope(const V& v, const T* y, T* k) {
    k[0] = v[0];
    for (std::size_t i = 1; i < v.size(); ++i) k[i] = v[i] * y[i - 1];
  }
  /// From y in the first n of `stages`. A step leaves its four states there; the next begins `stride` further on: 0 keeps none.
  template <class T, class V> void march(const V& v, T* stages, std::size_t stride, T* slopes) const {
    const std::size_t n = v.size();
    const double h = 2 / static_cast<double>(steps);
    T *const k1 = slopes, *const k2 = k1 + n, *const k3 = k2 + n, *const k4 = k3 + n;
    for (std::size_t step = 0; step < steps; ++step, stages += stride) {
      T *const y1 = stages, *const y2 = y1 + n, *const y3 = y2 + n, *const y4 = y3 + n, *const next = y1 + stride;
      slope(v, y1, k1);
      for (std::size_t i = 0; i < n; ++i) y2[i] = y1[i] + h / 2 * k1[i];
      slope(v, y2, k2);
      for (std::size_t i = 0; i < n; ++i) y3[i] = y1[i] + h / 2 * k2[i];
      slope(v, y3, k3);
      for (std::size_t i = 0; i < n; ++i) y4[i] = y1[i] + h * k3[i];
      slope(v, y4, k4);
      for (std::size_t i = 0; i < n; ++i) next[i] = y1[i] + h / 6 * (k1[i] + 2.0 * k2[i] + 2.0 * k3[i] + k4[i]);
    }
  }

  std::vector<double> stages_, slopes_, adjoint_;
};

}  // namespace bench
