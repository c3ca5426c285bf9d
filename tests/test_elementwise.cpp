// Tensors obey the rules, number by number: every function, broadcasting, numbers beside tensors, edges, comparisons.
#include "support.hpp"
#include <algorithm>
#include <limits>
#include <tuple>
#include <utility>

using ad::Shape;
using ad::Tensor;
using support::about;
using support::difference;
using support::Number;
using support::refuses;
using support::verify;

namespace {
support::RandomTensors some{support::Random(11)};
/// Numbers well inside of a domain, where differences can judge.
std::pair<double, double> inside(ad::Interval domain) {
  const double low = std::max(domain.low, -2.0), high = std::max(std::min(domain.high, 2.0), low + 1), margin = 0.1 * (high - low);
  return {low + margin, high - margin};
}
}  // namespace

// ---- rules × shapes -------------------------------------------------------------------------------------------------

TEST_CASE("every rule of one tensor is differentiated backwards, forwards and twice") {
  support::each_rule(ad::UnaryRules{}, []<class Rule>(Rule) {
    const auto [low, high] = inside(Rule::row.domain);
    verify(Rule::row.name, [](auto t) { return sum(square(ad::apply<Rule>(t)) * t); }, some.random.tensor({2, 3}, low, high));
  });
  CHECK(equal(floor(Tensor<double>{1.5, -1.5}), Tensor<double>{1, -2}));
  CHECK(equal(ad::gradient([](auto t) { return sum(floor(t) + ceil(t) + round(t) + trunc(t)); }, Tensor<double>{1.2, -1.7}), Tensor<double>{0, 0}));
}

TEST_CASE("every rule of two tensors is differentiated in both operands") {
  support::each_rule(ad::BinaryRules{}, []<class Rule>(Rule) {
    const auto [low, high] = inside(Rule::row.domain);
    const auto [low_b, high_b] = inside(Rule::row.right);
    const auto a = some.random.tensor({2, 3}, low, high), b = some.random.tensor({2, 3}, low_b, high_b);
    verify(Rule::row.name, [&](auto t) { return sum(square(ad::apply<Rule>(t, b)) * t); }, a);
    verify(Rule::row.name, [&](auto t) { return sum(square(ad::apply<Rule>(a, t)) * t); }, b);
  });
  const auto b = some({2, 3});
  verify("arithmetic", [&](auto t) { return sum((t + b) * (b - t) / (t * b) + (t - b) / t - b * t); }, some({2, 3}));
  verify("fma", [&](auto t) { return sum(fma(t, b, t)); }, some({2, 3}));
}

TEST_CASE("operands are broadcast in every direction, and adjoints are summed back") {
  struct { Shape x, other, result; } const rows[] = {
      {{3}, {2, 3}, {2, 3}},          {{2, 3}, {3}, {2, 3}},       {{2, 1}, {1, 3}, {2, 3}},          {{1, 3}, {2, 1}, {2, 3}},
      {{}, {2, 3}, {2, 3}},           {{2, 3}, {}, {2, 3}},        {{1}, {4}, {4}},                   {{4}, {1}, {4}},
      {{2, 1, 3}, {4, 1}, {2, 4, 3}}, {{4, 1}, {2, 1, 3}, {2, 4, 3}}, {{1, 1, 1}, {2}, {1, 1, 2}},    {{5, 1, 1}, {1, 7, 1}, {5, 7, 1}},
      {{1, 2, 1, 2, 1, 2}, {2, 1, 2, 1, 2, 1}, {2, 2, 2, 2, 2, 2}},  {{}, {}, {}},                    {{1, 1}, {1}, {1, 1}},
      {{17, 1}, {33}, {17, 33}},      {{33}, {17, 1}, {17, 33}},   {{2, 3, 1}, {2, 1, 40}, {2, 3, 40}}, {{3, 1, 2}, {3, 5, 2}, {3, 5, 2}}};
  for (const auto& row : rows) {
    const auto b = some(row.other), weights = some(row.result);
    CHECK((Tensor<double>::zeros(row.x) + b).shape() == row.result);
    CHECK((b + Tensor<double>::zeros(row.x)).shape() == row.result);
    verify("left", [&](auto x) { return sum((x * b - b / (x + 1.0)) * weights); }, some(row.x));
    verify("right", [&](auto x) { return sum((b * x + pow(b, x)) * weights); }, some(row.x));
    verify("both", [&](auto x) { return sum((x * b + x) * (b - x) * weights); }, some(row.x));
    const auto f = some.random.tensor<float>(row.other);
    verify("float", [&](auto x) { return sum(square(x * f - x)); }, some.random.tensor<float>(row.x));
  }
}

TEST_CASE("shapes that do not fit are refused with the axis") {
  ad::Tape tape;
  const ad::Var a = tape.variable(some({2, 3}));
  const auto statements = tape.statistics().statements;
  refuses<ad::ShapeError>([&] { (void)(a + some({2})); }, {"add: shapes (2, 3) and (2,) do not fit", "axis 1", "has 3, the other 2"});
  refuses<ad::ShapeError>([&] { (void)(some({4, 3}) * a); }, {"multiply", "axis 0"});
  refuses<ad::ShapeError>([&] { (void)pow(a, some({0})); }, {"pow", "(0,)"});
  refuses<ad::ShapeError>([&] { (void)(a + some({2, 2, 2, 2, 2, 2})); }, {"do not fit"});
  CHECK(tape.statistics().statements == statements);
}

TEST_CASE("the same variable on both sides gets both adjoints") {
  verify("x + x", [](auto x) { return sum(x + x); }, some({3}));
  verify("x * x", [](auto x) { return sum(x * x * x); }, some({3}));
  verify("x / x", [](auto x) { return sum(x / (x * x)); }, some({3}));
  verify("x - x", [](auto x) { return sum((x - x) * x); }, some({3}));
  verify("pow(x, x)", [](auto x) { return sum(pow(x, x)); }, some({2, 2}));
}

TEST_CASE("empty tensors go through every rule, forwards and back") {
  for (const Shape& shape : {Shape({0}), Shape({2, 0}), Shape({0, 3}), Shape({2, 0, 3})}) {
    ad::Tape tape;
    const ad::Var x = tape.variable(Tensor<double>::zeros(shape));
    const ad::Var k = tape.variable(2.0);
    const ad::Var y = exp(x * 2.0) + log(x) / x - pow(x, 2) + max(x, 0.0) + x * k;
    CHECK(y.shape() == shape);
    const ad::Var z = sum(y) + k * k;
    CHECK(z.value() == 4);
    tape.backward(z);
    CHECK(tape.adjoint(x).shape() == shape);
    CHECK(tape.adjoint(k) == 4);
    CHECK(y.value().size() == 0);
    tape.backward(y, Tensor<double>::zeros(shape));
    CHECK(tape.adjoint(k) == 0);
  }
  CHECK((Tensor<double>::zeros({0}) + Tensor<double>::zeros({3, 1})).shape() == Shape({3, 0}));
  CHECK((Tensor<double>::zeros({0, 1}) * 2.0 + Tensor<double>::zeros({1, 0})).shape() == Shape({0, 0}));
  verify("empty and broadcast", [](auto x) { return sum(x * Tensor<double>::zeros({1, 0})) + sum(x * x); }, some({3, 1}));
}

// ---- numbers and tensors --------------------------------------------------------------------------------------------

TEST_CASE("integers and numbers of every type stand beside tensors") {
  ad::Tape tape;
  const ad::Var x = tape.variable(Tensor<double>{2, 4});
  const ad::Var f = tape.variable(Tensor<float>{2, 4});
  const auto all = [&](auto n) {
    CHECK(equal((x * n + n).value(), Tensor<double>{21, 35}));
    CHECK(equal((n - x).value(), Tensor<double>{5, 3}));
    CHECK(equal((f * n).value(), Tensor<float>{14, 28}));
    CHECK(equal((x.value() * n).rows(0, 1), Tensor<double>{14}));
  };
  std::apply([&](auto... n) { (all(n), ...); },
      std::tuple<short, int, unsigned, long, unsigned long long, float, double, signed char>{7, 7, 7, 7, 7, 7, 7, 7});
}

// ---- kinks, NaN, infinities -----------------------------------------------------------------------------------------

TEST_CASE("ties and kinks have the slopes that the table states, on tensors too") {
  const auto g = [](auto f, Tensor<double> x) { return ad::gradient(f, x); };
  CHECK(equal(g([](auto x) { return sum(max(x, 1.0)); }, {0, 1, 2}), Tensor<double>{0, 0.5, 1}));
  CHECK(equal(g([](auto x) { return sum(min(x, Tensor<double>{1, 1, 1})); }, {0, 1, 2}), Tensor<double>{1, 0.5, 0}));
  CHECK(equal(g([](auto x) { return sum(abs(x) + relu(x)); }, {-2, 0, 2}), Tensor<double>{-1, 0, 2}));
  CHECK(equal(g([](auto x) { return sum(max(x, x)); }, {-2, 0, 2}), Tensor<double>{1, 1, 1}));
}

TEST_CASE("an adjoint of 0 stays 0 across an infinite slope, number by number") {
  const Tensor<double> x{0, 4, 0, 1, 0, 0, 0, 0, 0}, mask{0, 1, 0, 1, 0, 0, 0, 0, 0};
  CHECK(difference(ad::gradient([&](auto t) { return sum(sqrt(t) * mask); }, x), Tensor<double>{0, 0.25, 0, 0.5, 0, 0, 0, 0, 0}) == "");
  CHECK(difference(ad::gradient([&](auto t) { return sum(log(t) * mask) * 2.0 + 0.0; }, x), Tensor<double>{0, 0.5, 0, 2, 0, 0, 0, 0, 0}) == "");
  ad::Tape tape;
  const ad::Var z = tape.variable(Tensor<double>{0, 1});
  const ad::Var unused = sqrt(z);
  tape.backward(sum(z));
  CHECK(equal(tape.adjoint(z), Tensor<double>{1, 1}));
  tape.backward(sum(unused));
  CHECK(tape.adjoint(z)(0) == support::infinity);
}

TEST_CASE("whole powers of tensors are those of numbers, at the edges too") {
  const double inf = std::numeric_limits<double>::infinity();
  const Tensor<double> x{-2, -0.5, -0.0, 0, 0.3, 7, inf, -inf};
  for (const int n : {-1, 2, 3}) {
    const Tensor<double> y = pow(x, n), g = ad::gradient([n](auto t) { return sum(pow(t, n)); }, x);
    for (std::size_t i = 0; i < x.size(); ++i) {
      INFO(x[i], " to the power ", n);
      const double value = std::pow(x[i], n), slope = ad::derivative([n](auto a) { return pow(a, n); }, x[i]);
      CHECK((y[i] == value || y[i] == about(value, 4e-16)));
      CHECK(std::signbit(y[i]) == std::signbit(value));
      CHECK((g[i] == slope || g[i] == about(slope, 1e-15)));
    }
  }
}

TEST_CASE("a zeroth power has slope 0, whatever it is the power of") {
  const auto zeroth = [](const auto& x) { return sum(pow(x, Tensor<double>{0, 0, 0})); };
  const Tensor<double> x{0, 1e-310, std::nan("")}, one{1, 1, 1};
  CHECK(ad::jvp(zeroth, x, one) == 0);
  CHECK(difference(ad::gradient(zeroth, x), Tensor<double>{0, 0, 0}) == "");
}

TEST_CASE("select takes a branch number by number, and what is not taken does no harm") {
  const Tensor<double> x{-1, 0, 4};
  CHECK(equal(ad::gradient([](auto t) { return sum(select(t > 0.0, sqrt(t), t * 3.0)); }, x), Tensor<double>{3, 3, 0.25}));
  CHECK(equal(ad::gradient([](auto t) { return sum(select(t > 0.0, t, 7.0)); }, x), Tensor<double>{0, 0, 1}));
  CHECK(equal(select(x > 0.0, x, -x), Tensor<double>{1, 0, 4}));
  ad::Tape tape;
  const ad::Var k = tape.variable(2.0);
  tape.backward(sum(select(x >= 0.0, k * 3.0, k)));
  CHECK(tape.adjoint(k) == 7);
  CHECK(equal(select(Tensor<double>{0, 1}, Tensor<double>{{10}, {20}}, 5.0), Tensor<double>{{5, 10}, {5, 20}}));
  verify("select, broadcast", [](auto t) { return sum(square(select(Tensor<double>{0, 1, 1}, t, exp(t)))); }, some({2, 1}));
  verify("select", [](auto t) { return sum(select(ad::plain(t) > 0.7, square(t), t * 0.1)); }, some({2, 3}));
}

TEST_CASE("a NaN goes where it belongs, and nowhere else") {
  const double nan = support::not_a_number;
  const Tensor<double> x{1, nan, 2};
  const auto g = ad::gradient([](auto t) { return sum(square(t)); }, x);
  CHECK(g(0) == 2);
  CHECK(std::isnan(g(1)));
  CHECK(g(2) == 4);
  CHECK(std::isnan(sum(x)));
  CHECK(std::isnan(max(x)));
  CHECK(std::isnan(max(x, 0.0)(1)));
}

TEST_CASE("comparisons of variables see values, and record nothing") {
  ad::Tape tape;
  const ad::Var a = tape.variable(Tensor<double>{1, 2, 3});
  const auto statements = tape.statistics().statements;
  CHECK(equal(a > 2.0, Tensor<double>{0, 0, 1}));
  CHECK(equal(2.0 >= a, Tensor<double>{1, 1, 0}));
  CHECK(equal(a == a, Tensor<double>{1, 1, 1}));
  CHECK(equal(a != Tensor<double>{{1}, {2}}, Tensor<double>{{0, 1, 1}, {1, 0, 1}}));
  CHECK(equal(a < Number(2.0), Tensor<double>{1, 0, 0}));
  CHECK(tape.statistics().statements == statements);
}

TEST_CASE("no number depends on its neighbours, nor on what lies behind the last") {
  const auto check = []<class T>(T) {
    for (const T far : {T(1), T(1e6), std::numeric_limits<T>::infinity()}) {
      const Tensor<T> x{T(0.9), far};
      CHECK(sin(x)[0] == sin(Tensor<T>{T(0.9)})[0]);
      CHECK(cos(x)[0] == cos(Tensor<T>{T(0.9)})[0]);
      CHECK(tan(x)[0] == tan(Tensor<T>{T(0.9)})[0]);
    }
  };
  check(1.0), check(1.0f);
}

TEST_CASE("a plain tensor takes what is added to it, and the like") {
  Tensor<double> a{{1, 2}, {3, 4}};
  const Tensor<double> before = a;
  a += before;
  a *= 2.0;
  a -= Tensor<double>{4, 0};
  a /= 4;
  CHECK(equal(a, Tensor<double>{{0, 2}, {2, 4}}));
  CHECK(equal(before, Tensor<double>{{1, 2}, {3, 4}}));
  refuses<ad::ShapeError>([&] { a += Tensor<double>{1, 2, 3}; }, {"add: shapes (2, 2) and (3,) do not fit"});
}

namespace {
struct Cubed {  // rules of a user's
  static constexpr ad::Row row{.name = "cubed", .domain = {-1, 1}, .max_ulp = 1};
  template <class X> static X value(const X& x) { return x * x * x; }
  static auto slope(const auto& x, const auto&) { return 3 * x * x; }
};
struct Weighted {
  static constexpr ad::Row row{.name = "weighted", .domain = {-1, 1}, .max_ulp = 1, .right = {-1, 1}};
  template <class X> static X value(const X& a, const X& b) { return a * b; }
  static auto left(const auto&, const auto& b, const auto&) { return b; }
  static auto right(const auto& a, const auto&, const auto&) { return a; }
};
}  // namespace

TEST_CASE("a rule of a user's own adds its adjoint to others") {
  const auto f = [](const auto& x) { return sum(ad::apply<Cubed>(x)) + sum(x) + sum(ad::apply<Cubed>(x)); };
  CHECK(equal(ad::gradient(f, Tensor<double>{1, 2}), Tensor<double>{7, 25}));
  const auto g = [](const auto& x) { return sum(ad::apply<Weighted>(x, x)) + sum(x); };
  CHECK(equal(ad::gradient(g, Tensor<double>{1, 2}), Tensor<double>{3, 5}));
  const auto left = [](const auto& x) { return sum(ad::apply<Weighted>(x, Tensor<double>{3, 4})); };
  CHECK(equal(ad::gradient(left, Tensor<double>{1, 2}), Tensor<double>{3, 4}));
  CHECK(equal(ad::apply<Weighted>(Tensor<double>{1, 2}, 3.0), Tensor<double>{3, 6}));
}

TEST_CASE("a number beside a tensor, on either side, a constant or not: both get their share, and the number's is a sum") {
  const auto check = [](const auto& op) {
    ad::check_gradient([&](const auto& t) {
      const auto number = 0.7 + t(0) * t(1);  // 0.9
      return sum(square(op(t, number))) + sum(square(op(number, t))) + sum(square(op(t, 1.25))) + sum(square(op(1.25, t))) + square(number);
    }, Tensor<double>{0.4, 0.5, 1.5, 2.5, 0.3});
  };
  check([](const auto& a, const auto& b) { return a + b; });
  check([](const auto& a, const auto& b) { return a - b; });
  check([](const auto& a, const auto& b) { return a * b; });
  check([](const auto& a, const auto& b) { return a / b; });
  check([](const auto& a, const auto& b) { return pow(a, b); });
  check([](const auto& a, const auto& b) { return max(a, b); });
  check([](const auto& a, const auto& b) { return hypot(a, b); });

  ad::Tape tape;
  const ad::Var s = tape.variable(3.0);
  const ad::Var x = tape.variable(Tensor<float>{1, 2, 4});
  tape.backward(sum(x * s) + s);
  CHECK(tape.adjoint(s) == 8);
  CHECK(equal(tape.adjoint(x), Tensor<float>{3, 3, 3}));
  tape.backward(sum(tape.variable(Tensor<float>::zeros({0, 2})) * s) + s);
  CHECK(tape.adjoint(s) == 1);
}

TEST_CASE("a float beside a tensor of double costs no digits, in any mode") {
  const Tensor<double> x{2}, one{1};
  const auto divided = [](const auto& t) { return sum(square(t) / 3.f); };
  CHECK(ad::jvp(divided, x, one) == about(4.0 / 3, 1e-15));
  CHECK(ad::hessian(divided, x)[0] == about(2.0 / 3, 1e-15));
  CHECK(ad::jvp([](const auto& t) { return sum(pow(t, 0.1f)); }, x, one) == about(ad::gradient([](auto t) { return sum(pow(t, 0.1f)); }, x)[0], 1e-15));
  CHECK(ad::jvp([](const auto& t) { return sum(xlogy(t, 3.f)); }, x, one) == about(std::log(3.0), 1e-15));
}

TEST_CASE("isnan, isinf and isfinite of a tensor are tensors of ones and zeros") {
  const Tensor<float> x{1, -INFINITY, NAN};
  CHECK(equal(isnan(x), Tensor<float>{0, 0, 1}));
  CHECK(equal(isinf(x), Tensor<float>{0, 1, 0}));
  CHECK(equal(isfinite(ad::Var(x)), Tensor<float>{1, 0, 0}));
}
