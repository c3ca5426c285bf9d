// Shows: a curve, its slope without a formula for it, and the walk down to its minimum.
#include <CLI/CLI.hpp>
#include <autodiff/autodiff.hpp>

#include "figures.hpp"
#include "pictures.hpp"
namespace ad = autodiff;

/// The curve. This is all that is known about it; nobody derives f′(x) = 4x³ − 9x².
const auto f = [](auto x) { return pow(x, 4) - 3 * pow(x, 3) + 2; };

/// Every point on the way down: x ← x − rate · f′(x), until a step is not longer than `shortest`. A million steps are the most.
std::vector<double> descend(double x, double rate, double shortest) {
  std::vector<double> path{x};
  do path.push_back(x -= rate * ad::derivative(f, x));
  while (std::abs(x - path.end()[-2]) > shortest && std::abs(x) < 1e6 && path.size() <= 1'000'000);
  return path;
}

int main(int argc, char** argv) {
  CLI::App app{"The slope of f(x) = x^4 - 3x^3 + 2, and gradient descent to its minimum"};
  double start = 4, rate = 0.01, shortest = 1e-5;
  std::string directory = "pictures";
  app.add_option("--start", start, "where the descent starts")->capture_default_str()->check(from_to(-1000, 1000));
  app.add_option("--rate", rate, "length of a step for a slope of 1")->capture_default_str()->check(above_0);
  app.add_option("--shortest", shortest, "the step at which it stops")->capture_default_str()->check(above_0);
  app.add_option("--pictures", directory, "where the picture goes")->capture_default_str();
  CLI11_PARSE(app, argc, argv);

  std::printf("f(x) = x⁴ − 3x³ + 2\n\nits slope\n");
  show("f′(4)", ad::derivative(f, 4.0), "112");
  show("f′(−1)", ad::derivative(f, -1.0), "-13");
  show("f′(3.888)", ad::derivative(f, 3.888), "99.043596288");

  std::printf("\ntwo small steps from 4, each 0.001 · f′(x)\n");
  const double one = 4 - 0.001 * ad::derivative(f, 4.0), two = one - 0.001 * ad::derivative(f, one);
  show("x after one", one, "3.888");
  show("x after two", two, "3.788956403712");

  std::printf("\ngradient descent from %g, each step %g · f′(x), until a step is not longer than %g\n", start, rate, shortest);
  const std::vector<double> path = descend(start, rate, shortest);
  const std::size_t steps = path.size() - 1;
  for (std::size_t i = 0; i < steps; i += std::max<std::size_t>(i, 1))
    std::printf("  step %3zu   x = %-8.5f   f(x) = %-8.5f   f′(x) = %.5f\n", i, path[i], f(path[i]), ad::derivative(f, path[i]));
  const bool rests = std::abs(path.end()[-1] - path.end()[-2]) <= shortest;
  const char* hint = rests ? "too short steps: try a larger --rate or a smaller --shortest" : "too far or too many steps: try another --rate";
  claim(std::abs(ad::derivative(f, path.back())) < 0.01, std::string("the descent ends where the slope is 0; ") + hint);
  if (start == 4 && rate == 0.01 && shortest == 1e-5) {
    show("x in the end, 9/4 = 2.25 nearly", path.back(), "2.2500325268933734");
    show("after so many steps", static_cast<double>(steps), "42");
  } else {
    std::printf("  x = %.17g after %zu step%s%s\n", path.back(), steps, steps == 1 ? "" : "s", rests ? "" : ", the most it takes");
  }
  pictures::descent(directory, f, path);
}
/* Expected output (of a long figure, the last digit may differ):
f(x) = x⁴ − 3x³ + 2

its slope
  f′(4)                            112
  f′(−1)                           -13
  f′(3.888)                        99.043596288

two small steps from 4, each 0.001 · f′(x)
  x after one                      3.888
  x after two                      3.788956403712

gradient descent from 4, each step 0.01 · f′(x), until a step is not longer than 1e-05
  step   0   x = 4.00000    f(x) = 66.00000   f′(x) = 112.00000
  step   1   x = 2.88000    f(x) = -0.86654   f′(x) = 20.90189
  step   2   x = 2.67098    f(x) = -4.26951   f′(x) = 12.01335
  step   4   x = 2.47255    f(x) = -5.97293   f′(x) = 5.44210
  step   8   x = 2.32764    f(x) = -6.47909   f′(x) = 1.68263
  step  16   x = 2.26183    f(x) = -6.54154   f′(x) = 0.24205
  step  32   x = 2.25031    f(x) = -6.54297   f′(x) = 0.00633
  x in the end, 9/4 = 2.25 nearly  2.2500325268933734
  after so many steps              42
picture: pictures/descent.png
*/
