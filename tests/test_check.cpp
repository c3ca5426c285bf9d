// check_gradient: it passes what is right, and finds the bug in what is not, component by component.
#include "support.hpp"
#include <algorithm>
#include <array>

using ad::Tensor;
using support::about;
using support::infinity;
using support::not_a_number;
using support::Number;
using support::refuses;

namespace {
const auto f = [](const auto& x) { return x[0] * x[0] * x[1] + sin(x[1]); };
std::vector<double> right(const std::vector<double>& x) { return {2 * x[0] * x[1], x[0] * x[0] + std::cos(x[1])}; }
std::vector<double> wrong(const std::vector<double>& x) { return {2 * x[0] * x[1], x[0] * x[0] - std::cos(x[1])}; }
const std::vector<double> at{1.5, 0.5};

/// A rule whose slope is wrong.
struct Bent {
  [[maybe_unused]] static constexpr ad::Row row{.name = "bent", .domain = {-1, 1}, .max_ulp = 1};
  static auto value(const auto& x) { return x * x; }
  static auto slope(const auto& x, const auto&) { return 3 * x; }
};
}  // namespace

TEST_CASE("a right gradient passes, with a report of every component") {
  const auto report = ad::check_gradient(f, right, at);
  CHECK(report.agrees());
  CHECK(report.hand_written);
  REQUIRE(report.components.size() == 2);
  CHECK(report.components[1].given == about(1.5 * 1.5 + std::cos(0.5)));
  CHECK(report.components[1].ad == about(1.5 * 1.5 + std::cos(0.5)));
  CHECK(report.components[1].finite_difference == about(1.5 * 1.5 + std::cos(0.5), 1e-9));
  CHECK(report.largest_difference() < 1e-12);
  CHECK(report.text() == "");
  CHECK(report.text(true).find("component 0: yours 1.5, AD 1.5") == 0);
  const auto own = ad::check_gradient(f, at);
  CHECK(!own.hand_written);
  CHECK(own.text(true).find("component 0: AD 1.5, finite difference 1.5") == 0);
}

TEST_CASE("a wrong hand-written gradient is found, with the component and the numbers") {
  refuses<ad::GradientError>([] { (void)ad::check_gradient(f, wrong, at); },
      {"check_gradient: component 1: yours 1.37241744, AD 3.12758256, finite difference 3.12758256"});
  try {
    (void)ad::check_gradient(f, wrong, at);
  } catch (const ad::GradientError& e) {
    CHECK(std::string(e.what()).find("component 0") == std::string::npos);
    CHECK(e.report.components[0].agrees);
    CHECK(!e.report.components[1].agrees);
    CHECK(e.report.largest_difference() == about(2 * std::cos(0.5)));
    return;
  }
  FAIL("no error");
}

TEST_CASE("a rule with a wrong slope is found by finite differences") {
  refuses<ad::GradientError>([] { (void)ad::check_gradient([](const auto& x) { return ad::apply<Bent>(x); }, 0.5); },
      {"AD 1.5, finite difference 1"});
}

TEST_CASE("a kink or a jump at the point is found, too") {
  refuses<ad::GradientError>([] { (void)ad::check_gradient([](const auto& x) { return ad::relu(x); }, 0.0); },
      {"component 0: AD 0, finite difference 0.5"});
  refuses<ad::GradientError>([] { (void)ad::check_gradient([](const auto& x) { return floor(x); }, 1.0); }, {"component 0"});
}

TEST_CASE("NaN and infinite gradients never pass") {
  refuses<ad::GradientError>([] { (void)ad::check_gradient([](const auto& x) { return sqrt(x); }, -1.0); }, {"nan"});
  refuses<ad::GradientError>([] { (void)ad::check_gradient([](const auto& x) { return sqrt(x); }, 0.0); }, {"inf"});
  const auto overflows = [](const auto& x) {
    auto y = std::remove_cvref_t<decltype(x)>{x[0] * 1e-300};
    for (const double c : {1e200, 1e200}) y[0] = y[0] * c;
    return y[0];
  };
  refuses<ad::GradientError>([&] { (void)ad::check_gradient(overflows, [](const auto&) { return 1e100; }, {1.0}); }, {"yours 1e+100, AD inf"});
  const auto lost = [](const auto&) { return std::vector<double>{support::not_a_number, 7}; };
  refuses<ad::GradientError>([&] { (void)ad::check_gradient(f, lost, at); }, {"component 0: yours nan", "component 1: yours 7"});
  try {
    (void)ad::check_gradient(f, lost, at);
  } catch (const ad::GradientError& e) {
    CHECK(std::isnan(e.report.largest_difference()));
  }
}

TEST_CASE("a right gradient passes where f bends within the first step") {
  const auto passes = [](auto function, auto slope, double x) { CHECK_NOTHROW(ad::check_gradient(function, slope, x)); };
  passes([](auto x) { return log(x); }, [](double x) { return 1 / x; }, 0.01);
  passes([](auto x) { return 1 / x; }, [](double x) { return -1 / (x * x); }, 0.01);
  passes([](auto x) { return pow(x, -3); }, [](double x) { return -3 / (x * x * x * x); }, 0.03);
  passes([](auto x) { return sin(300 * x); }, [](double x) { return 300 * std::cos(300 * x); }, 1);
  passes([](auto x) { return exp(x); }, [](double x) { return std::exp(x); }, 300);
  passes([](auto x) { return abs(x); }, [](double) { return 1.0; }, 5e-4);
  passes([](auto x) { return sin(2000 * std::numbers::pi * x); },
      [](double x) { return 2000 * std::numbers::pi * std::cos(2000 * std::numbers::pi * x); }, 0.1234);
  CHECK_NOTHROW(ad::check_gradient(
      [](const auto& x) { return (1e5 + 10 * x[0] + 0.0008 * sin(x[1])) - 1e5; }, {0.1, 0.5}));  // 5 of its digits are lost
  CHECK_NOTHROW(ad::check_gradient([](const auto& x) { return log(x[0]) + log(x[1]); }, {0.005, 0.5}));
  refuses<ad::GradientError>([] { (void)ad::check_gradient([](auto x) { return log(x); }, [](double x) { return 1.0001 / x; }, 0.01); },
      {"yours 100.01"});
}

TEST_CASE("a hand-written gradient is anything that can be indexed") {
  struct Indexed { double a, b; double operator[](std::size_t i) const { return i ? b : a; } };
  CHECK_NOTHROW(ad::check_gradient(f, [](const auto& x) { return Indexed{2 * x[0] * x[1], x[0] * x[0] + std::cos(x[1])}; }, at));
  (void)ad::check_gradient(f, [](const auto& x) { return std::array<double, 2>{2 * x[0] * x[1], x[0] * x[0] + std::cos(x[1])}; }, at);
  (void)ad::check_gradient(f, [](const auto& x) { return Tensor<double>{2 * x[0] * x[1], x[0] * x[0] + std::cos(x[1])}; }, at);
  (void)ad::check_gradient([](const auto& x) { return x * x; }, [](double x) { return 2 * x; }, 3.0);
  (void)ad::check_gradient([](const auto& x) { return sum(x * x); }, [](const Tensor<double>& x) { return x * 2.0; }, Tensor<double>{{1, 2}, {3, 4}});
  (void)ad::check_gradient([](const auto& x) { return sum(x * x); }, [](const Tensor<float>& x) { return x * 2; }, Tensor<float>{1, 2});
  const auto product = [](const auto& x) { return x[0] * x[1]; };
  (void)ad::check_gradient(product, [](const std::array<double, 2>& x) { return std::array{x[1], x[0]}; }, std::array{2.0, 3.0});
  (void)ad::check_gradient(product, [](const std::vector<float>& x) { return std::vector{x[1], x[0]}; }, std::vector<float>{2, 3});
  (void)ad::check_gradient(product, [](const std::vector<double>& x) { return std::vector{x[1], x[0]}; }, std::array{2.0f, 3.0f});
  (void)ad::check_gradient([](const auto& x) { return log(x); }, [](const auto& x) { return 1 / x; }, 2);  // 0.5, not 1 / 2 of ints
  refuses<ad::ShapeError>([] { (void)ad::check_gradient(f, [](const auto&) { return std::vector<double>{1}; }, at); },
      {"check_gradient: your gradient must have 2 components, not 1"});
  refuses<ad::ShapeError>([] { (void)ad::check_gradient(f, [](const auto&) { return std::vector<double>{1, 2, 3}; }, at); }, {"2 components, not 3"});
}

TEST_CASE("tolerance and step can be chosen") {
  const auto slightly = [](const auto& x) { auto g = right(x); g[0] += 1e-4; return g; };
  refuses<ad::GradientError>([&] { (void)ad::check_gradient(f, slightly, at); }, {"component 0"});
  CHECK(ad::check_gradient(f, slightly, at, {.tolerance = 1e-3}).agrees());
  CHECK(ad::check_gradient(f, at, {.step = 1e-2}).agrees());
}

TEST_CASE("points of any kind, empty ones and large ones") {
  CHECK(ad::check_gradient([](const auto&) { return 1.0; }, std::vector<double>{}).components.empty());
  CHECK(ad::check_gradient([](const auto& x) { return sum(x); }, Tensor<double>{}).components.empty());
  CHECK(ad::check_gradient([](const auto& x) { return x[0] * x[1]; }, std::vector<float>{1, 2}).agrees());
  CHECK(ad::check_gradient([](const auto& x) { return x[0] * x[0] * x[0]; }, std::vector<double>{1e6}).agrees());
  CHECK(ad::check_gradient([](const auto& x) { return x[0] * 1e-9; }, std::vector<double>{1e-9}).agrees());
  refuses<ad::ShapeError>([] { (void)ad::check_gradient([](const auto& x) { return x * 2.0; }, Tensor<double>{1, 2}); },
      {"f returned a tensor of shape (2,)"});
}

TEST_CASE("a check inside a recording leaves it alone") {
  ad::Tape tape;
  const ad::Var x = tape.variable(2.0), y = x * x;
  (void)ad::check_gradient(f, right, at);
  CHECK(tape.statistics().statements == 2);
  tape.backward(y);
  CHECK(tape.adjoint(x) == 4);
}

TEST_CASE("a small component that is wrong is found beside large ones, and beside a large value") {
  const auto mixed = [](const auto& x) { return 1e7 * x[0] * x[0] + x[1] * x[1]; };
  refuses<ad::GradientError>([&] {
    (void)ad::check_gradient(mixed, [](const auto& x) { return std::vector{2e7 * x[0], -x[1]}; }, std::vector{1.0, 1.0});
  }, {"component 1: yours -1, AD 2"});
  refuses<ad::GradientError>([] {
    (void)ad::check_gradient([](const auto& x) { return x[0] + 1e9; }, [](const auto&) { return std::vector{1.9}; }, std::vector{0.0});
  }, {"yours 1.9, AD 1"});
  refuses<ad::GradientError>([] {
    (void)ad::check_gradient([](const auto& x) { return 1e-10 * x[0]; }, [](const auto&) { return std::vector{0.0}; }, std::vector{0.5});
  }, {"yours 0, AD 1e-10"});
  CHECK(ad::check_gradient(mixed, [](const auto& x) { return std::vector{2e7 * x[0], 2 * x[1] * (1 + 1e-9)}; }, std::vector{1.0, 1.0}).agrees());
}

TEST_CASE("a right gradient passes where f ends nearby") {
  CHECK(ad::check_gradient([](const auto& x) { return log(x[0]); }, std::vector{5e-4}).agrees());
  CHECK(ad::check_gradient([](const auto& x) { return sqrt(x[0]); }, std::vector{1e-4}).agrees());
}

TEST_CASE("a gradient that is 0 but for rounding agrees with 0") {
  const auto squares = [](const auto& x) { auto r = x[0] * 3.0 - 0.3, s = x[1] * 7.0 - 0.7; return r * r + s * s; };
  CHECK(ad::check_gradient(squares,
      [](const auto& x) { return std::vector<double>{18 * x[0] - 1.8, 98 * x[1] - 9.8}; }, std::vector{0.1, 0.1}).agrees());
  CHECK(ad::check_gradient([](const auto& x) { return sum(x * x) / dot(x, x); },
      [](const auto& x) { return x * 0.0; }, Tensor<double>{0.3, 0.7}).agrees());
  CHECK(ad::check_gradient([](const auto& x) { return log(x[0]) * x[1]; }, std::vector{1e-5, 2.0}).agrees());
}

TEST_CASE("a gradient may be checked while a net is being recorded, and at a point in braces") {
  const ad::Parameter<double> w(ad::Tensor<double>{2, 3});
  ad::Tape tape;
  const ad::Var cost = sum(w.var());
  CHECK(ad::check_gradient([&](const auto& x) { return sum(square(x) * w.var()); }, ad::Tensor<double>{1, 2}).agrees());
  CHECK(ad::check_gradient([](const auto& x) { return x[0] * x[1]; }, {1.0, 2.0}).agrees());
  const auto before = tape.statistics().statements;
  tape.backward(cost);
  CHECK(before == 2);
}

TEST_CASE("the gradient under test may be taken on a tape of one's own, and f may take its point by reference") {
  const auto by_reference = [](auto& x) { return x[0] * x[0] + x[1]; };
  ad::Tape tape;
  const auto mine = [&](const std::vector<double>& x) {
    tape.clear();
    const auto v = tape.variables(x);
    const ad::Var y = by_reference(v);
    tape.backward(y);
    return tape.adjoints(v);
  };
  CHECK(ad::check_gradient(by_reference, mine, {1.0, 2.0}).agrees());
}

TEST_CASE("in float, kinks beside the point do no harm, and a wrong gradient is found all the same") {
  const Tensor<float> near{1e-4f, 0.3f, -2e-4f}, weights{1, 2, 3};
  const auto bent = [&](const auto& x) { return sum(relu(x) * weights) + sum(x); };
  CHECK_NOTHROW((void)ad::check_gradient(bent, near));
  refuses<ad::GradientError>([&] { (void)ad::check_gradient(bent, [&](const auto&) { return std::vector<float>{2, 2, 1}; }, near); },
      {"component 1: yours 2, AD 3"});
  const auto steps = [&](const auto& x) { return sum((x > 0.0f) * weights) + sum(x); };  // a jump is no kink
  refuses<ad::GradientError>([&] { (void)ad::check_gradient(steps, Tensor<float>{0, 0.3f, 1}); }, {"component 0: AD 1"});
}

TEST_CASE("a wrong slope is found on functions of any size") {
  const auto tiny = [](auto x) { return 1e-13 * x * x; };
  refuses<ad::GradientError>([&] { ad::check_gradient(tiny, [](double) { return 0.0; }, 1.0); }, {"yours 0, AD 2e-13"});
  const auto shifted = [](double by) { return [by](const auto& x) { return by + x[0] * x[0]; }; };
  const std::vector one{1.0};
  refuses<ad::GradientError>([&] { ad::check_gradient(shifted(1e12), [](const auto&) { return std::vector{1.5}; }, one); }, {"yours 1.5, AD 2"});
  refuses<ad::GradientError>([&] { ad::check_gradient(shifted(1e9), [](const auto&) { return std::vector{2.0009}; }, one); }, {"yours 2.0009, AD 2"});
  CHECK(ad::check_gradient(shifted(1e9), [](const auto&) { return std::vector{2.0}; }, one).agrees());
}

TEST_CASE("of many components that are wrong, the text names ten") {
  const std::vector<double> x(200, 1.0);
  try {
    ad::check_gradient([](const auto& t) {
      std::decay_t<decltype(t[0])> s = 0.0;
      for (const auto& one : t) s += one * one;
      return s;
    }, [](const auto& t) { return t; }, x);
    FAIL("passes");
  } catch (const ad::GradientError& e) {
    const std::string text = e.what();
    CHECK(std::count(text.begin(), text.end(), '\n') == 10);
    CHECK(text.find("and 190 more of 200") != std::string::npos);
    CHECK(e.report.text(true).find("component 199") != std::string::npos);
  }
}

TEST_CASE("a step or a tolerance that is no size is refused, and a huge step ends") {
  const auto square = [](const auto& x) { return x * x; };
  for (const double bad : {-1.0, infinity, not_a_number}) {
    refuses<ad::Error>([&] { ad::check_gradient(square, 3.0, {.step = bad}); }, {"check_gradient: CheckOptions::step is"});
    refuses<ad::Error>([&] { ad::check_gradient(square, 3.0, {.tolerance = bad}); }, {"check_gradient: CheckOptions::tolerance is"});
  }
  CHECK_THROWS_AS(ad::check_gradient(square, 1e4, {.step = 1e305}), ad::GradientError);
}

TEST_CASE("a function that is not the same twice is refused") {
  double noise = 0;
  refuses<ad::Error>([&] { (void)ad::check_gradient([&](auto x) { return x * x + (noise += 1); }, 2.0); },
      {"check_gradient: f gives 6 and then 7 at one point", "the same random numbers"});
}

TEST_CASE("close to where a function ends the step follows, and where none is finite the text says so") {
  const auto log_of = [](const auto& x) { return log(x[0]); };
  CHECK(ad::check_gradient(log_of, std::vector{1e-8}).agrees());
  CHECK(ad::check_gradient(log_of, std::vector{1e-300}).agrees());
  const auto exp_of = [](const auto& x) { return exp(x[0]); };
  refuses<ad::GradientError>([&] { ad::check_gradient(exp_of, std::vector{709.0}); }, {"finite difference nan: f is not finite beside this point"});
}

TEST_CASE("the largest difference of a hand-written gradient is that from AD") {
  const auto report = ad::check_gradient([](const auto& x) { return exp(x); }, [](double x) { return std::exp(x); }, 1.0);
  CHECK(report.largest_difference() < 1e-15);
  CHECK(std::abs(report.components[0].given - report.components[0].finite_difference) > 0);
}

TEST_CASE("an infinite component does not hide a wrong one") {
  const auto root = [](const auto& x) { return x[0] + sqrt(x[1]); };
  const auto wrong = [](const auto&) { return std::vector<double>{2, HUGE_VAL}; };
  try {
    ad::check_gradient(root, wrong, {1, 0});
    FAIL_CHECK("no error");
  } catch (const ad::GradientError& e) {
    CHECK(!e.report.components[0].agrees);
    CHECK(!e.report.components[1].agrees);
  }
}

TEST_CASE("a component of 0 may be off by what rounds in the largest") {
  const auto steep = [](const auto& x) { return 1000 * x[0] + 0 * x[1]; };
  CHECK_NOTHROW(ad::check_gradient(steep, [](const auto&) { return std::vector<double>{1000, 1e-7}; }, {1, 1}));
  CHECK_THROWS_AS(ad::check_gradient(steep, [](const auto&) { return std::vector<double>{1000, 1e-4}; }, {1, 1}), ad::GradientError);
}

TEST_CASE("a kink at the point itself is found") {
  CHECK_THROWS_AS(ad::check_gradient([](const auto& x) { return relu(x[0]) + x[1]; }, {0, 1}), ad::GradientError);
}

TEST_CASE("beside a kink the rounding of floats is no disagreement, and a wrong slope still is") {
  const auto cut = [](const auto& x) { return sum(relu(x)); };
  for (const float x : {1e-6f, 1e-5f, 3e-5f, 1e-4f, 3e-4f, 1e-3f, 3e-3f, 1e-2f}) CHECK_NOTHROW(ad::check_gradient(cut, Tensor<float>{x, -x, 1}));
  const auto wrong = [](const auto&) { return std::vector<float>{1.5f, 0, 1}; };
  CHECK_THROWS_AS(ad::check_gradient(cut, wrong, Tensor<float>{1e-5f, -1e-5f, 1}), ad::GradientError);
}
