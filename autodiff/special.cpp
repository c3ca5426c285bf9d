// Floor 0. ψ, its derivatives, and log |Γ|. The first two move the argument up to where the asymptotic series holds to the last digit.
// Abramowitz & Stegun, Handbook of Mathematical Functions (1964), §6.3 digamma and §6.4 polygamma; the equations are named below.
#include "special.hpp"

#include <cmath>
#include <iterator>
#include <limits>
#include <numbers>

namespace autodiff::inline v1 {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

/// B₂, B₄, …, B₂₄ of Bernoulli: A&S table 23.2.
constexpr double bernoulli[] = {1.0 / 6,    -1.0 / 30,      1.0 / 42,        -1.0 / 30,        5.0 / 66,        -691.0 / 2730,
                                7.0 / 6,    -3617.0 / 510,  43867.0 / 798,   -174611.0 / 330,  854513.0 / 138,  -236364091.0 / 2730};

/// The zero of ψ above 0 is root + root_rest. Around it ψ is its Taylor series: coefficients ψ⁽ᵏ⁾(root)/k!, k = 1, 2, …
constexpr double root = 0x1.762d86356be3fp+0, root_rest = 0x1.b86a722197829p-54;
constexpr double near_root[] = {
    0.9676722454476211704274, -0.4427631689835921060929, 0.2584997609556510106244, -0.1639427054424065275043,
    0.1078240506912623657572, -0.07219956125645471092612, 0.04880428816414310722509, -0.03316112647484735929226,
    0.02259764823221810465962, -0.0154247659049489591388, 0.01053879161661217538812, -0.00720453438635686824097,
    0.004926781395729853446354, -0.003369801655439328082793, 0.002305126326734927836938, -0.001576936771430197259271,
    0.001078825201916296580692, -0.000738070938996005129566, 0.0005049532658346020351774, -0.0003454680251063076995556,
    0.0002363560156402705279237, -0.0001617062209197480344936};

/// ψ⁽ⁿ⁾(x) for n > 0, 0 < x < ∞: (−1)ⁿ⁺¹ n! Σ (x + k)⁻ⁿ⁻¹ (6.4.10), the first terms one by one, the rest from z on by the series 6.4.11.
/// Everything is counted in units of n!/xⁿ⁺¹, so that only a result out of range overflows.
double above_zero(int n, double x) {
  const double order = n;
  double sum = 0, z = x;
  while (z < order + 12) {
    const double term = std::pow(x / z, order + 1);
    sum += term;
    z += 1;
    if (term * (1 + z / order) < 1e-18 * sum) break;  // n is large: the rest does not count
  }
  double tail = 1 / order + 0.5 / z, factor = (order + 1) / 2 / (z * z);
  for (int k = 1; k <= 12; ++k) {
    tail += bernoulli[k - 1] * factor;
    factor *= (2 * k + order) * (2 * k + order + 1) / ((2 * k + 1) * (2 * k + 2)) / (z * z);
  }
  if (z >= order + 12) sum += std::pow(x / z, order + 1) * z * tail;

  double size = sum / x;  // times its unit, whose factors are below 1 and above: from both ends, so that it stays within range on the way
  for (int low = 1, high = n; low <= high && size > 0 && size < infinity;) size *= (size < 1 ? high-- : low++) / x;
  return n % 2 == 1 ? size : -size;
}

}  // namespace

double digamma(double x) {
  if (std::isnan(x) || x == infinity) return x;
  if (x == 0) return std::copysign(infinity, -x);
  if (x < 0) {  // reflection, 6.3.7; cot has the period 1, and x − round(x) is exact
    const double r = x - std::round(x);
    return r == 0 || x == -infinity ? not_a_number : digamma(1 - x) - std::numbers::pi / std::tan(std::numbers::pi * r);
  }
  if (std::abs(x - root) < 0.25) {
    const double d = (x - root) - root_rest;
    double sum = 0;
    for (std::size_t k = std::size(near_root); k > 0; --k) sum = sum * d + near_root[k - 1];
    return sum * d;
  }
  double below = 0, z = x;
  for (; z < 12; z += 1) below += 1 / z;  // recurrence, 6.3.5
  const double w = 1 / (z * z);
  double series = 0;
  for (int k = 9; k > 0; --k) series = (series + bernoulli[k - 1] / (2 * k)) * w;  // asymptotic series, 6.3.18
  return std::log(z) - 0.5 / z - series - below;
}

double polygamma(int n, double x) {
  if (n < 0 || std::isnan(x) || x == -infinity) return not_a_number;
  if (n == 0) return digamma(x);
  const bool odd = n % 2 == 1;
  if (x == infinity) return odd ? 0.0 : -0.0;
  if (x == 0) return odd ? infinity : std::copysign(infinity, -x);
  if (x > 0) return above_zero(n, x);

  // Below 0 the poles −x − k of the sum 6.4.10 lie on both sides of x: the right ones are those of 1 − f, the left ones those of f
  // without those of 1 − x.
  const double f = -x - std::floor(-x);
  if (f == 0) return odd ? infinity : not_a_number;
  const double right = above_zero(n, 1 - f), left = above_zero(n, f) - above_zero(n, 1 - x);
  return odd ? right + left : right - left;
}

namespace detail {

double log_gamma(double x) {
#ifdef __GLIBC__
  int sign = 0;
  return ::lgamma_r(x, &sign);
#else
  return std::lgamma(x);
#endif
}

}  // namespace detail
}  // namespace autodiff::inline v1
