// Derivatives inside derivatives: GradBench's "saddle" and "particle" (Pearlmutter and Siskind 2008).
// Both search with the same naive gradient descent; the function searched is itself made of derivatives. Whoever takes part brings a
// way to take gradients (forward or reverse, inside and outside: four combinations); the by-hand versions have formulas.
#pragma once
#include "number.hpp"
#include <array>

namespace bench {

/// Naive gradient descent, step length η: 10 good steps double it, a bad one halves it; ends when the gradient or the step is below 1e-5.
template <class T, class F, class G> std::vector<T> argmin(const F& f, const G& gradient, std::vector<T> x) {
  constexpr double tiny = 1e-10;                        // (1e-5)²
  auto square = [](const std::vector<T>& v) {
    T sum(0.0);
    for (const T& a : v) sum += a * a;
    return sum;
  };
  T fx = f(x);
  std::vector<T> g = gradient(x);
  double eta = 1e-5;
  int good = 0;
  for (;;) {
    if (square(g) <= tiny) return x;
    if (good == 10) {
      eta *= 2;
      good = 0;
      continue;
    }
    std::vector<T> next = x, step = x;
    for (std::size_t i = 0; i < x.size(); ++i) {
      step[i] = eta * g[i];
      next[i] = x[i] - step[i];
    }
    if (square(step) <= tiny) return x;
    const T f_next = f(next);
    if (f_next < fx) {
      x = next;
      fx = f_next;
      g = gradient(x);
      ++good;
    } else {
      eta /= 2;
      good = 0;
    }
  }
}

/// min over x, max over y of (x₀² + x₁²) − (y₀² + y₁²), both searched from the same start; the result is x and y.
struct Saddle {
  static constexpr const char* name = "saddle";
  std::array<double, 2> start{1, 1};
  std::string size() const { return "2 + 2"; }

  template <class V, class W> static auto cost(const V& v, const W& w) { return v[0] * v[0] + v[1] * v[1] - (w[0] * w[0] + w[1] * w[1]); }

  /// `outer` and `inner` take gradients: outer(f, x), x a vector of double; inner(f, x), x a vector of whatever the outer computes with.
  template <class Outer, class Inner> void solve(const Outer& outer, const Inner& inner, std::vector<double>& out) const {
    auto highest = [&](const auto& v) {                 // argmax over w of cost(v, w)
      using T = NumberOf<decltype(v)>;
      auto below = [&v](const auto& w) {
        using U = NumberOf<decltype(w)>;
        U y = -cost(v, w);
        return y;
      };
      return argmin(below, [&](const std::vector<T>& w) { return inner(below, w); }, std::vector<T>{T(start[0]), T(start[1])});
    };
    auto most = [&](const auto& v) {
      NumberOf<decltype(v)> y = cost(v, highest(v));
      return y;
    };
    const std::vector<double> x = argmin(
        most, [&](const std::vector<double>& v) { return outer(most, v); }, std::vector<double>{start[0], start[1]});
    const std::vector<double> y = highest(x);
    out.assign({x[0], x[1], y[0], y[1]});
  }
  /// By hand: the maximum over y does not move with x, so the outer gradient is 2x.
  void hand(std::vector<double>& out) const {
    auto highest = [&](const std::vector<double>& v) {
      return argmin([&](const std::vector<double>& w) { return -cost(v, w); },
                    [](const std::vector<double>& w) {
                      return std::vector<double>{2 * w[0], 2 * w[1]};
                    },
                    std::vector<double>{start[0], start[1]});
    };
    const std::vector<double> x = argmin([&](const std::vector<double>& v) { return cost(v, highest(v)); },
                                         [](const std::vector<double>& v) {
                                           return std::vector<double>{2 * v[0], 2 * v[1]};
                                         },
                                         std::vector<double>{start[0], start[1]});
    const std::vector<double> y = highest(x);
    out.assign({x[0], x[1], y[0], y[1]});
  }
};

/// A charged particle flies past two fixed charges at (10, 10 − w) and (10, 0), pushed by −∇ Σ 1/|p − charge|, in Euler steps of 0.1 from
/// (0, 8) with velocity (0.75, 0) until it falls through the ground; wanted is the w for which the square of where it lands is least.
struct Particle {
  static constexpr const char* name = "particle";
  double start = 0;
  std::string size() const { return "1"; }

  /// force(potential, p): the gradient of the potential at p.
  template <class T, class Force> static T landing(const T& w, const Force& force) {
    auto potential = [&w](const auto& p) {
      using std::sqrt;
      using U = NumberOf<decltype(p)>;
      const U dx = p[0] - 10.0, dy = p[1] - (10.0 - w);
      U sum = 1.0 / sqrt(dx * dx + dy * dy);
      sum += 1.0 / sqrt(dx * dx + p[1] * p[1]);
      return sum;
    };
    std::vector<T> p{T(0.0), T(8.0)}, velocity{T(0.75), T(0.0)}, next = p;
    for (;;) {
      for (std::size_t i = 0; i < 2; ++i) next[i] = p[i] + 0.1 * velocity[i];
      if (!(next[1] > 0.0)) break;
      const std::vector<T> slope = force(potential, p);
      for (std::size_t i = 0; i < 2; ++i) {
        velocity[i] -= 0.1 * slope[i];
        p[i] = next[i];
      }
    }
    const T time = -p[1] / velocity[1];
    const T x = p[0] + time * velocity[0];
    T y = x * x;
    return y;
  }
  template <class Outer, class Inner> void solve(const Outer& outer, const Inner& inner, std::vector<double>& out) const {
    auto f = [&](const auto& w) { return landing<NumberOf<decltype(w)>>(w[0], inner); };
    out = argmin(f, [&](const std::vector<double>& w) { return outer(f, w); }, std::vector<double>{start});
  }
  /// By hand: value and tangent in w fly together; the force −∇ and its derivatives are formulas.
  void hand(std::vector<double>& out) const {
    out = argmin([](const std::vector<double>& w) { return fly(w[0])[0]; },
                 [](const std::vector<double>& w) { return std::vector<double>{fly(w[0])[1]}; }, std::vector<double>{start});
  }

 private:
  /// Where it lands, squared, and the derivative of that in w.
  static std::array<double, 2> fly(double w) {
    double p[2] = {0, 8}, v[2] = {0.75, 0}, dp[2] = {}, dv[2] = {};
    for (;;) {
      const double next[2] = {p[0] + 0.1 * v[0], p[1] + 0.1 * v[1]};
      if (!(next[1] > 0)) break;
      double slope[2] = {}, dslope[2] = {};
      for (const bool moving : {true, false}) {         // ∇ 1/|a| = −a/|a|³, its tangent −da/|a|³ + 3 a (a·da)/|a|⁵
        const double a[2] = {p[0] - 10, p[1] - (moving ? 10 - w : 0)}, da[2] = {dp[0], dp[1] + (moving ? 1 : 0)};
        const double square = a[0] * a[0] + a[1] * a[1], cube = 1 / (square * std::sqrt(square)),
                     along = 3 * (a[0] * da[0] + a[1] * da[1]) / square;
        for (std::size_t i = 0; i < 2; ++i) {
          slope[i] -= a[i] * cube;
          dslope[i] -= (da[i] - a[i] * along) * cube;
        }
      }
      for (std::size_t i = 0; i < 2; ++i) {
        p[i] = next[i];
        dp[i] += 0.1 * dv[i];
        v[i] -= 0.1 * slope[i];
        dv[i] -= 0.1 * dslope[i];
      }
    }
    const double time = -p[1] / v[1], dtime = -(dp[1] + time * dv[1]) / v[1], x = p[0] + time * v[0],
                 dx = dp[0] + dtime * v[0] + time * dv[0];
    return {x * x, 2 * x * dx};
  }
};

}  // namespace bench
