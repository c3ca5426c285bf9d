// digamma and polygamma: identities first, then poles, then numbers computed with mpmath to 40 digits.
#include <autodiff/special.hpp>
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <thread>

namespace ad = autodiff;

namespace {
constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double pi = std::numbers::pi, egamma = std::numbers::egamma;

/// |a − b| in units of the larger of |b| and `scale`.
double error(double a, double b, double scale = 0) { return a == b ? 0 : std::abs(a - b) / std::max(std::abs(b), scale); }
}  // namespace

TEST_CASE("digamma grows by 1/x from x to x + 1") {
  for (double x = 0.03; x < 40; x *= 1.07) CHECK(error(ad::digamma(x + 1) - ad::digamma(x), 1 / x, 1) < 1e-14);
}

TEST_CASE("digamma obeys the duplication formula") {
  for (double x = 0.03; x < 40; x *= 1.07)
    CHECK(error(2 * ad::digamma(2 * x), ad::digamma(x) + ad::digamma(x + 0.5) + 2 * std::numbers::ln2, 1) < 1e-14);
}

TEST_CASE("digamma reflects at one half") {
  for (double x = -19.87; x < 20; x += 0.219)
    CHECK(error(ad::digamma(1 - x) - ad::digamma(x), pi / std::tan(pi * (x - std::round(x))), 1) < 1e-13);
}

TEST_CASE("digamma has its known values") {
  CHECK(error(ad::digamma(1), -egamma) < 1e-15);
  CHECK(error(ad::digamma(0.5), -egamma - 2 * std::numbers::ln2) < 1e-15);
  CHECK(error(ad::digamma(0.25), -egamma - pi / 2 - 3 * std::numbers::ln2) < 1e-15);
  CHECK(ad::digamma(infinity) == infinity);
}

TEST_CASE("digamma keeps its digits on both sides of its zero") {
  CHECK(error(ad::digamma(1.4616321449683622), -9.2412655217294277e-17) < 1e-14);  // the double below the zero
  CHECK(error(ad::digamma(1.4616321449683624), 1.2245374622004069e-16) < 1e-14);
}

TEST_CASE("digamma says at its poles from which side it comes") {
  CHECK(ad::digamma(0.0) == -infinity);
  CHECK(ad::digamma(-0.0) == infinity);
  for (const double x : {-1.0, -2.0, -1e17, -infinity, std::numeric_limits<double>::quiet_NaN()}) CHECK(std::isnan(ad::digamma(x)));
}

TEST_CASE("digamma agrees with 40 digits of mpmath") {
  struct Golden { double x, y; };
  constexpr Golden golden[] = {
    {1e-05, -100000.57719921567289},
    {0.1, -10.423754940411076232},
    {0.5, -1.9635100260214234794},
    {1, -0.57721566490153286061},
    {1.25, -0.22745353337626540809},
    {1.4616321449683622, -9.2412655217294275168e-17},
    {1.5, 0.036489973978576520559},
    {1.75, 0.24747245354686116371},
    {2, 0.42278433509846713939},
    {3.5, 1.1031566406452431872},
    {10, 2.2517525890667211076},
    {11.999, 2.4425747743291192489},
    {100, 4.6001618527380874002},
    {1000000.0, 13.815510057964190771},
    {1000000000000000.0, 34.53877639491068476},
    {-0.5, 0.036489973978576520559},
    {-1.25, 3.7141391202135278304},
    {-7.75, -1.0307688328309315122},
    {-100.125, 12.195880442483345875},
  };
  for (const Golden& g : golden) CHECK_MESSAGE(error(ad::digamma(g.x), g.y, g.x < 0 ? 1 : 0) < 1e-14, "at " << g.x);
}

TEST_CASE("polygamma steps from x to x + 1 by its own power of x") {
  for (int n = 1; n <= 12; ++n)
    for (double x = -5.37; x < 30; x += 0.7) {
      const double step = (n % 2 ? -1 : 1) * std::tgamma(n + 1) / std::pow(x, n + 1);
      const double before = ad::polygamma(n, x), after = ad::polygamma(n, x + 1);
      CHECK_MESSAGE(error(after, before + step, std::max(std::abs(before), std::abs(step))) < 2e-14, "n = " << n << ", x = " << x);
    }
}

TEST_CASE("polygamma has its known values") {
  CHECK(error(ad::polygamma(1, 1), pi * pi / 6) < 1e-15);
  CHECK(error(ad::polygamma(1, 0.5), pi * pi / 2) < 1e-15);
  CHECK(error(ad::polygamma(2, 1), -2 * 1.2020569031595942854) < 1e-15);
  CHECK(error(ad::polygamma(3, 1), std::pow(pi, 4) / 15) < 1e-15);
  CHECK(ad::polygamma(0, 3.5) == ad::digamma(3.5));
  CHECK(error(ad::polygamma(1000, 400), -9.5463286602289093521e-38) < 1e-14);
  CHECK(error(ad::polygamma(2100, 770), -163.94760031903469905) < 1e-14);  // n!/xⁿ comes near 10⁻³³⁴ on its way from 1 to n
}

TEST_CASE("each polygamma is the slope of the one before") {
  for (int n = 0; n < 6; ++n)
    for (double x : {-2.6, -0.4, 0.4, 1.3, 7.0, 25.0}) {
      const double h = 1e-3 * std::min(1.0, std::abs(x)), fine = h / 2;
      const auto at = [&](double s) { return (ad::polygamma(n, x + s) - ad::polygamma(n, x - s)) / (2 * s); };
      CHECK_MESSAGE(error((4 * at(fine) - at(h)) / 3, ad::polygamma(n + 1, x)) < 1e-7, "n = " << n << ", x = " << x);
    }
}

TEST_CASE("polygamma has infinite poles of odd order and says NaN where the sides differ") {
  for (const double x : {0.0, -0.0, -1.0, -5.0}) {
    CHECK(ad::polygamma(1, x) == infinity);
    CHECK(ad::polygamma(7, x) == infinity);
  }
  CHECK(ad::polygamma(2, 0.0) == -infinity);
  CHECK(ad::polygamma(2, -0.0) == infinity);
  CHECK(std::isnan(ad::polygamma(2, -3.0)));
  CHECK(std::isnan(ad::polygamma(-1, 3.0)));
  CHECK(std::isnan(ad::polygamma(1, -infinity)));
  CHECK(ad::polygamma(1, infinity) == 0);
  CHECK(ad::polygamma(2, infinity) == 0);
}

TEST_CASE("polygamma of a huge order or argument neither hangs nor gives nonsense") {
  CHECK(ad::polygamma(2000000000, 0.5) == -infinity);
  CHECK(ad::polygamma(2000000000, 1e12) == 0);
  CHECK(ad::polygamma(1, 1e300) / 1e-300 == doctest::Approx(1).epsilon(1e-14));
  CHECK(ad::polygamma(1, 1e-300) == infinity);
  CHECK(ad::polygamma(3, 1e300) == 0);
}

TEST_CASE("polygamma agrees with 40 digits of mpmath") {
  struct Golden { int n; double x, y; };
  constexpr Golden golden[] = {
    {1, 0.1, 101.4332991507927477},
    {1, 1, 1.6449340668482264365},
    {1, 2.5, 0.49035775610023486497},
    {1, 1000.0, 0.0010005001666666333334},
    {2, 1, -2.4041138063191885708},
    {2, 0.3, -75.272536588726038917},
    {2, 20.0, -0.0026281224023146545934},
    {3, 1.75, 0.80034957188763679729},
    {5, 0.5, 7691.1135486024354962},
    {10, 4.0, -0.95192441563571581317},
    {20, 300.0, -3.6063955961520071405e-33},
    {50, 1.5, -3.1799527035658682006e+55},
    {100, 1500.0, -2.3728777567508207872e-162},
    {1, -0.5, 8.9348022005446793094},
    {1, -3.25, 19.474085068082155114},
    {2, -0.75, -124.58699919679617959},
    {3, -10.5, 194.81668560325260525},
    {4, -2.3, 9738.6717365692514498},
  };
  for (const Golden& g : golden) CHECK_MESSAGE(error(ad::polygamma(g.n, g.x), g.y) < 1e-14, "n = " << g.n << ", x = " << g.x);
}

TEST_CASE("log_gamma is lgamma, also when threads call it at once") {
  for (const double x : {-2.5, -0.5, 0.25, 1.0, 2.0, 10.5, 1e10}) CHECK(ad::detail::log_gamma(x) == std::lgamma(x));
  double first = 0, second = 0;
  std::thread other([&] { for (int i = 0; i < 1000; ++i) first += ad::detail::log_gamma(-2.5); });
  for (int i = 0; i < 1000; ++i) second += ad::detail::log_gamma(-2.5);
  other.join();
  CHECK(first == second);
}
TEST_CASE("polygamma of large numbers is a power of them, down to the smallest numbers") {
  CHECK(error(ad::polygamma(1, 1e160), 1e-160) < 1e-14);
  CHECK(error(ad::polygamma(1, 1e200), 1e-200) < 1e-14);
  CHECK(error(ad::polygamma(3, 1e100), 2e-300) < 1e-14);
}
