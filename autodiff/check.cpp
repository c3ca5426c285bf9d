// Floor 5. The verdict of check_gradient.
#include "check.hpp"
#include <fmt/format.h>

namespace autodiff::inline v1 {

bool GradientReport::agrees() const {
  return std::all_of(components.begin(), components.end(), [](const Component& c) { return c.agrees; });
}
double GradientReport::largest_difference() const {
  double largest = 0;
  for (const Component& c : components) {
    const double apart = std::abs(c.given - (hand_written ? c.ad : c.finite_difference));
    if (!(apart <= largest)) largest = apart;
    if (std::isnan(largest)) break;
  }
  return largest;
}
std::string GradientReport::text(bool all) const {
  constexpr std::size_t most = 10;
  std::string out;
  std::size_t disagree = 0;
  for (const Component& c : components) {
    if (!c.agrees && ++disagree > most && !all) continue;
    if (c.agrees && !all) continue;
    if (!out.empty()) out += '\n';
    const double ad = detail::printed(c.ad), difference = detail::printed(c.finite_difference);
    if (hand_written)
      out += fmt::format("component {}: yours {:.9g}, AD {:.9g}, finite difference {:.9g}", c.index, detail::printed(c.given), ad, difference);
    else out += fmt::format("component {}: AD {:.9g}, finite difference {:.9g}", c.index, ad, difference);
    if (std::isnan(c.finite_difference) && !std::isnan(c.ad))
      out += ": f is not finite beside this point; check at one inside of its domain, or give a smaller CheckOptions::step";
  }
  if (!all && disagree > most) out += fmt::format("\nand {} more of {}", disagree - most, components.size());
  return out;
}

GradientError::GradientError(GradientReport r) : Error("check_gradient: " + r.text()), report(std::move(r)) {}

namespace {
double largest_finite(const GradientReport& report) {
  double largest = 0;
  for (const auto& c : report.components)
    if (std::isfinite(c.ad)) largest = std::max(largest, std::abs(c.ad));
  return largest;
}
}  // namespace

void detail::require_options(const CheckOptions& options) {
  const auto require = [](const char* name, double value) {
    if (!(value >= 0 && std::isfinite(value)))
      throw Error(fmt::format("check_gradient: CheckOptions::{} is {}; give a positive number, or 0 for what is usual", name, value));
  };
  require("tolerance", options.tolerance);
  require("step", options.step);
}
void detail::require_same_twice(double first, double second) {
  if (first == second || (std::isnan(first) && std::isnan(second))) return;
  throw Error(fmt::format("check_gradient: f gives {} and then {} at one point; let it draw the same random numbers each time", first, second));
}
double detail::allowed(const GradientReport& report) { return std::max(report.tolerance * largest_finite(report), report.noise); }
GradientReport detail::judge(GradientReport report) {
  const double largest = largest_finite(report), measured = allowed(report);
  for (auto& c : report.components) {
    const double exact = std::max(report.tolerance * (std::abs(c.ad) + 1e-3 * largest), report.rounding);
    c.agrees = std::isfinite(c.ad) && std::abs(c.given - c.finite_difference) <= measured + std::min(c.bend, largest) &&
        std::abs(c.given - c.ad) <= exact;
  }
  if (!report.agrees()) throw GradientError(std::move(report));
  return report;
}

}  // namespace autodiff::inline v1
