// Floor 5. check_gradient: is this gradient right? Yours, or the library's, against finite differences, component by component.
#pragma once
#include "grad.hpp"
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace autodiff::inline v1 {

/// What check_gradient found.
struct GradientReport {
  struct Component {
    std::size_t index;
    double given;              ///< the gradient under test: yours, or AD's if none was given
    double ad;                 ///< automatic differentiation
    double finite_difference;  ///< (f(x + h) − f(x − h)) / 2h, extrapolated to h = 0
    bool agrees;
    double bend = 0;           ///< in float, whose steps are too wide to miss the kinks beside x (relu, max, abs):
                               ///< by how much slopes left and right differ
  };
  std::vector<Component> components;
  bool hand_written = false;   ///< a gradient of yours was under test
  /// A component agrees if ad is finite and, with largest the largest finite |ad| of all components,
  ///     |given − ad|                ≤ max(tolerance · (|ad| + largest / 1000), rounding)
  ///     |given − finite_difference| ≤ max(tolerance · largest, noise) + min(bend, largest)
  double tolerance = 0;
  double noise = 0;            ///< what finite differences cannot tell from 0
  double rounding = 0;         ///< by which yours and AD may differ besides: 1e-14 of the larger of 1 and |f|, in float 1e-7

  bool agrees() const;
  double largest_difference() const;  ///< between the gradient under test and automatic differentiation, or finite differences if none was given
  /// "component 1: yours -4.62299, AD -4.81321, finite difference -4.81321", a line for each of the first ten components that
  /// disagree, or for all.
  std::string text(bool all = false) const;
};

/// A gradient that is not the function's. Carries the report.
struct GradientError : Error {
  explicit GradientError(GradientReport r);
  GradientReport report;
};

/// How check_gradient compares.
struct CheckOptions {
  double tolerance = 0;  ///< 0: 1e-6 in double, 1e-2 in float
  double step = 0;       ///< h to begin with; shorter ones follow where f bends. Relative to the larger of 1 and |x|;
                         ///< 0: 7.31e-4 in double, 1.46e-2 in float
};

namespace detail {
void require_options(const CheckOptions& options);     ///< throws Error for a tolerance or a step that is negative, not finite, or NaN
void require_same_twice(double first, double second);  ///< throws Error unless f gives the same at one point twice
double allowed(const GradientReport& report);  ///< how far finite differences may be off: they are no better than that
GradientReport judge(GradientReport report);   ///< marks what agrees; throws GradientError if not all do

/// The value of f at a point of plain numbers, computed with constants, so that f finds the same functions as when it is differentiated.
template <class F> double value_at(const F& f, double x) {
  const auto y = f(Var<double>(x));
  if constexpr (Arithmetic<std::remove_cvref_t<decltype(y)>>) return static_cast<double>(y); else return y.value();
}
template <class F> double value_at(const F& f, const std::vector<double>& x) {
  const std::vector<Var<double>> at(x.begin(), x.end());
  return one_number<double>("check_gradient", f(at)).value();
}
template <class F, class T> double value_at(const F& f, const Tensor<T>& x) {
  const Var<Tensor<T>> at(x);
  return one_number<double>("check_gradient", f(at)).value();
}

constexpr double default_step = 7.31e-4, default_step_in_float = 1.46e-2;  // not round: a wave of round frequency would be 0 at both ends

template <class X> double& component(X& x, std::size_t) requires std::same_as<X, double> { return x; }
template <class X> auto& component(X& x, std::size_t i) { return x[i]; }

/// A derivative measured: the difference quotient, and by how much the slopes on its two sides differ beyond what curvature does.
struct Measured { double slope, bend; };
/// Central differences over h and h/2 err in the ratio 4 : 1, so (4·fine − coarse)/3 lacks the leading error; its own is about its distance from
/// `fine`. Where that exceeds `enough`, because f bends within h or ends there (log, sqrt beside 0), h/10 is tried, down to a millionth of the first
/// h, times |x| if that is below 1.
/// The slopes on the two sides differ by h·f″: half of it over h/2, a quarter over h/4. What they differ beyond that is `bend`: a kink, by which
/// the quotient may be off. Kinks can cancel, so where the result is not `expected`, the quotient over h/10 must agree, or the difference counts
/// as bend, and so does what rounding makes of it.
/// `f_here`: f(x); `enough`: an error with which no shorter h is tried; `rounding`: of f, relative to the larger of 1 and |f|.
template <class F, class X>
Measured difference(const F& f, X& x, std::size_t i, double f_here, double expected, double step, double enough, double rounding) {
  auto& xi = component(x, i);
  using T = std::remove_reference_t<decltype(xi)>;
  const T here = xi;
  double size = 1;  // of what f is computed from: a small cost comes of numbers around 1, and rounds as they do
  struct Slopes { double central, apart; };
  const auto slopes = [&](double h) {
    xi = static_cast<T>(here + h);
    const double up = static_cast<double>(xi), f_up = value_at(f, x);
    xi = static_cast<T>(here - h);
    const double down = static_cast<double>(xi), f_down = value_at(f, x);
    xi = here;
    size = std::max({1.0, std::abs(f_up), std::abs(f_down)});
    const double middle = static_cast<double>(here);
    return Slopes{(f_up - f_down) / (up - down), (f_up - f_here) / (up - middle) - (f_here - f_down) / (middle - down)};
  };
  const double widest = std::min(step * std::max(1.0, std::abs(static_cast<double>(here))), std::numeric_limits<double>::max());
  Measured best{std::numeric_limits<double>::quiet_NaN(), 0};
  double least_error = std::numeric_limits<double>::infinity(), taken = widest;
  const double shortest = 0.9e-6 * step * (here == 0 ? 1.0 : std::abs(static_cast<double>(here)));
  for (double h = widest; h > shortest; h /= 10) {
    const auto [coarse, apart] = slopes(h);
    const auto [fine, fine_apart] = slopes(h / 2);
    const double finest_apart = slopes(h / 4).apart, extrapolated = (4 * fine - coarse) / 3;
    const double uneven = std::max(std::abs(2 * fine_apart - apart), std::abs(2 * finest_apart - fine_apart)),
        bend = std::isfinite(uneven) ? uneven : 0;
    const double error = std::abs(extrapolated - fine) + rounding * size / h + bend;
    if (error < least_error) best = {extrapolated, bend}, least_error = error, taken = h;
    if (least_error <= enough) break;
  }
  if (!(std::abs(best.slope - expected) <= 10 * enough)) {
    const double shorter = slopes(taken / 10).central, noise = 100 * rounding * size / taken;
    best.bend = std::max({best.bend, std::abs(shorter - best.slope) - noise, 2 * rounding * size / taken});  // beside a kink steps are so short
  }
  return best;
}

/// The report on `yours`: every `stride`-th component beside `ad`'s and finite differences of f at x. Throws GradientError where they
/// disagree (judge).
template <class F, class G, class A, class X>
GradientReport check(const F& f, const G& yours, const A& ad, bool hand_written, X x, CheckOptions options, bool is_float, std::size_t stride = 1) {
  require_options(options);
  const double step = options.step > 0 ? options.step : is_float ? default_step_in_float : default_step;
  const double here = value_at(f, x), size = std::max(1.0, std::abs(here));
  require_same_twice(here, value_at(f, x));
  GradientReport report{.components = {},
                        .hand_written = hand_written,
                        .tolerance = options.tolerance > 0 ? options.tolerance : is_float ? 1e-2 : 1e-6,
                        .noise = (is_float ? 1e-4 : 1e-9) * size,
                        .rounding = (is_float ? 1e-7 : 1e-14) * size};
  if constexpr (requires { yours.size(); } || Number<G>) require_size("check_gradient", "your gradient", size_of(x), size_of(yours));
  for (std::size_t i = 0; i < size_of(x); i += stride) report.components.push_back({i, number_of(yours, i), number_of(ad, i), 0, false});
  const double enough = 0.1 * allowed(report);  // shorter steps would only find rounding
  const double rounding = is_float ? static_cast<double>(std::numeric_limits<float>::epsilon()) : std::numeric_limits<double>::epsilon();
  for (auto& c : report.components) {
    const Measured measured = difference(f, x, c.index, here, c.ad, step, enough, rounding);
    c.finite_difference = measured.slope, c.bend = is_float ? measured.bend : 0;
  }
  return judge(std::move(report));
}
template <class X> auto checkable(const X& x) {
  if constexpr (is_tensor<X>) return x;
  else if constexpr (Arithmetic<X>) return static_cast<double>(x);
  else {
    std::vector<double> numbers;
    for (std::size_t i = 0; i < size_of(x); ++i) numbers.push_back(static_cast<double>(x[i]));
    return numbers;
  }
}
template <class G, class X>
concept GradientAt = std::invocable<const G&, const X&> || std::invocable<const G&, const decltype(checkable(std::declval<const X&>()))&>;
/// The hand-written gradient at x: at numbers of double, or, where it does not take those, at x as it is.
template <class G, class X> auto written_at(const G& hand_written, const X& x) {
  if constexpr (std::invocable<const G&, const decltype(checkable(x))&>) return hand_written(checkable(x)); else return hand_written(x);
}
template <class X> constexpr bool in_float = requires { requires is_tensor<X> && std::same_as<typename X::Number, float>; };
}  // namespace detail

/// Compares the gradient that you derived by hand with automatic differentiation and with finite differences. `hand_written(x)` returns something
/// indexable (for a number x, a number). Returns the report; throws GradientError, which carries it, where they disagree, and ShapeError if your
/// gradient has another size than x, or f returns more than one number; Error if f gives different numbers at one point, or runs
/// through Dropout: let an nn::NoDropout live.
template <class F, class G, detail::Point X> requires detail::GradientAt<G, X>
GradientReport check_gradient(const F& f, const G& hand_written, const X& x, CheckOptions options = {}) {
  const auto yours = detail::written_at(hand_written, x);
  const auto at = detail::checkable(x);
  const Pause pause;  // a report is all that comes of it
  const auto ad = detail::repeatable("check_gradient", [&] { return detail::value_and_gradient("check_gradient", f, at).gradient; });
  return detail::check(f, yours, ad, true, at, options, detail::in_float<X>);
}
/// Compares automatic differentiation with finite differences: is every rule and operation that f uses right, and f smooth, at x?
template <class F, detail::Point X> GradientReport check_gradient(const F& f, const X& x, CheckOptions options = {}) {
  const Pause pause;
  const auto at = detail::checkable(x);
  const auto ad = detail::repeatable("check_gradient", [&] { return detail::value_and_gradient("check_gradient", f, at).gradient; });
  return detail::check(f, ad, ad, false, at, options, detail::in_float<X>);
}
template <class F, class G> requires(!detail::Point<G>)
GradientReport check_gradient(const F& f, const G& hand_written, std::initializer_list<double> x, CheckOptions options = {}) {
  return check_gradient(f, hand_written, std::vector<double>(x), options);
}
template <class F> GradientReport check_gradient(const F& f, std::initializer_list<double> x, CheckOptions options = {}) {
  return check_gradient(f, std::vector<double>(x), options);
}

}  // namespace autodiff::inline v1
