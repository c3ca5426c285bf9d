// Partial differential equations that march in time: Lax–Wendroff, Burgers.
#pragma once
#include "number.hpp"
#include <algorithm>
#include <numbers>

namespace bench {

/// Advection uₜ + uₓ = 0 on a ring, scheme of Lax and Wendroff (1960) in flux form, Courant number c:
///     fᵢ = c/2 (uᵢ + uᵢ₊₁ + c (uᵢ − uᵢ₊₁))        uᵢ ← uᵢ − (fᵢ − fᵢ₋₁)        y = ½ Σ uᵢ² at the end
/// with the first state as variables: the problem with which tapes of many tiny statements are compared (Hogan 2014).
/// By hand: the scheme is linear, so the way back needs no states: ūᵢ ← its transpose.
struct LaxWendroff {
  static constexpr const char* name = "lax-wendroff";
  static constexpr double c = 0.5;
  std::size_t steps;
  std::vector<double> x;
  explicit LaxWendroff(std::size_t cells = 200, std::size_t time_steps = 500) : steps(time_steps), x(cells) {
    for (std::size_t i = 0; i < cells; ++i) x[i] = 1 + std::sin(2 * std::numbers::pi * static_cast<double>(i) / static_cast<double>(cells));
  }
  std::string size() const { return join(x.size(), " × ", steps); }

  template <class V> auto operator()(const V& start) const {
    using T = NumberOf<V>;
    const std::size_t n = start.size();
    std::vector<T> u(start.begin(), start.end()), flux(n);
    for (std::size_t step = 0; step < steps; ++step) {
      for (std::size_t i = 0; i + 1 < n; ++i) flux[i] = 0.5 * c * (u[i] + u[i + 1] + c * (u[i] - u[i + 1]));
      flux[n - 1] = 0.5 * c * (u[n - 1] + u[0] + c * (u[n - 1] - u[0]));
      u[0] -= flux[0] - flux[n - 1];
      for (std::size_t i = 1; i < n; ++i) u[i] -= flux[i] - flux[i - 1];
    }
    T y(0.0);
    for (std::size_t i = 0; i < n; ++i) y += 0.5 * u[i] * u[i];
    return y;
  }
  double hand(const std::vector<double>& start, std::vector<double>& g) {
    const std::size_t n = start.size();
    memory_.resize(2 * n + 16);
    double* const u = first_of_line(memory_.data());    // the state, and from its end on the adjoint of the state: ū = u
    double* const f = u + n + 8 - n % 8;                // on a line too: elsewhere the time would be up to half as long again
    std::copy(start.begin(), start.end(), u);
    const double left = 0.5 * c * (1 + c), right = 0.5 * c * (1 - c);
    for (std::size_t step = 0; step < steps; ++step) {
      for (std::size_t i = 0; i + 1 < n; ++i) f[i] = left * u[i] + right * u[i + 1];
      f[n - 1] = left * u[n - 1] + right * u[0];
      u[0] -= f[0] - f[n - 1];
      for (std::size_t i = 1; i < n; ++i) u[i] -= f[i] - f[i - 1];
    }
    double y = 0;
    for (std::size_t i = 0; i < n; ++i) y += 0.5 * u[i] * u[i];
    for (std::size_t step = 0; step < steps; ++step) {
      for (std::size_t i = 0; i + 1 < n; ++i) f[i] = u[i + 1] - u[i];             // adjoint of the flux between i and i + 1
      f[n - 1] = u[0] - u[n - 1];
      u[0] += left * f[0] + right * f[n - 1];
      for (std::size_t i = 1; i < n; ++i) u[i] += left * f[i] + right * f[i - 1];
    }
    g.assign(u, u + n);
    return y;
  }

 private:
  static double* first_of_line(double* p) { return p + (64 - reinterpret_cast<std::uintptr_t>(p) % 64) % 64 / sizeof(double); }
  std::vector<double> memory_;
};

/// Burgers' equation uₜ + u uₓ = ν uₓₓ in one dimension between walls, central differences, explicit Euler:
///     uᵢ ← uᵢ − a uᵢ (uᵢ₊₁ − uᵢ₋₁) + b (uᵢ₊₁ − 2 uᵢ + uᵢ₋₁)        y = ½ Σ uᵢ² at the end
/// with the first state as variables; one expression per cell and step that names three variables seven times. (CoDiPack's papers
/// march the coupled equations in two dimensions; the statement is of the same kind.) By hand: all states are kept.
struct Burgers {
  static constexpr const char* name = "burgers";
  static constexpr double a = 0.1, b = 0.2;             ///< Δt/(2Δx) and ν Δt/Δx²: stable for |u| ≤ 1
  std::size_t steps;
  std::vector<double> x;
  explicit Burgers(std::size_t cells = 1000, std::size_t time_steps = 400) : steps(time_steps), x(cells) {
    for (std::size_t i = 0; i < cells; ++i) x[i] = std::sin(2 * std::numbers::pi * static_cast<double>(i) / static_cast<double>(cells - 1));
  }
  std::string size() const { return join(x.size(), " × ", steps); }

  template <class V> auto operator()(const V& start) const {
    using T = NumberOf<V>;
    const std::size_t n = start.size();
    std::vector<T> u(start.begin(), start.end()), next = u;
    for (std::size_t step = 0; step < steps; ++step) {
      for (std::size_t i = 1; i + 1 < n; ++i) next[i] = u[i] - a * u[i] * (u[i + 1] - u[i - 1]) + b * (u[i + 1] - 2.0 * u[i] + u[i - 1]);
      std::swap(u, next);
    }
    T y(0.0);
    for (std::size_t i = 0; i < n; ++i) y += 0.5 * u[i] * u[i];
    return y;
  }
  double hand(const std::vector<double>& start, std::vector<double>& g) {
    const std::size_t n = start.size();
    states_.resize((steps + 1) * n);
    std::copy(start.begin(), start.end(), states_.begin());
    for (std::size_t step = 0; step < steps; ++step) {
      const double* __restrict u = &states_[step * n];
      double* __restrict next = &states_[(step + 1) * n];
      next[0] = u[0];
      next[n - 1] = u[n - 1];
      for (std::size_t i = 1; i + 1 < n; ++i) next[i] = u[i] - a * u[i] * (u[i + 1] - u[i - 1]) + b * (u[i + 1] - 2 * u[i] + u[i - 1]);
    }
    const double* const last = &states_[steps * n];
    double y = 0;
    for (std::size_t i = 0; i < n; ++i) y += 0.5 * last[i] * last[i];
    g.assign(last, last + n);
    before_.resize(n);
    double* __restrict now = g.data();
    double* __restrict before = before_.data();
    for (std::size_t step = steps; step-- > 0;) {       // cell j gave to its neighbours' next values and to its own
      const double* __restrict u = &states_[step * n];
      for (std::size_t j = 2; j + 2 < n; ++j)
        before[j] = now[j] * (1 - a * (u[j + 1] - u[j - 1]) - 2 * b) + now[j - 1] * (b - a * u[j - 1]) + now[j + 1] * (b + a * u[j + 1]);
      auto border = [&](std::size_t j) {                // walls keep their value and get no flow from cells beyond
        double sum = j == 0 || j == n - 1 ? now[j] : now[j] * (1 - a * (u[j + 1] - u[j - 1]) - 2 * b);
        if (j >= 2) sum += now[j - 1] * (b - a * u[j - 1]);
        if (j + 2 < n) sum += now[j + 1] * (b + a * u[j + 1]);
        before[j] = sum;
      };
      for (const std::size_t j : {std::size_t{0}, std::size_t{1}, n - 2, n - 1}) border(j);
      std::swap(now, before);
    }
    if (now != g.data()) std::copy(now, now + n, g.data());
    return y;
  }

 private:
  std::vector<double> states_, before_;
};

}  // namespace bench
