// The drivers: derivative, gradient, hessian, at every kind of point, one inside the other. (Jacobians: test_jacobian.cpp.)
#include "support.hpp"
#include <array>
#include <deque>
#include <span>
#include <thread>
#include <valarray>

using ad::Shape;
using ad::Tensor;
using support::about;
using support::infinity;
using support::difference;
using support::Number;
using support::refuses;
using support::TensorVar;

namespace {

const auto poly = [](auto x) { return pow(x, 4) - 3 * pow(x, 3) + 2; };
const auto rosenbrock = [](const auto& x) {
  using T = std::decay_t<decltype(x[0])>;
  T s = 0.0;
  for (std::size_t i = 0; i + 1 < x.size(); ++i) {
    const T a = x[i + 1] - x[i] * x[i], b = 1.0 - x[i];
    s += 100.0 * a * a + b * b;
  }
  return s;
};
const std::vector<double> at{-1.2, 1.0, 0.7, 0.3}, along{0.3, -1.0, 0.5, 2.0};

std::vector<double> rosenbrock_gradient(const std::vector<double>& x) {
  std::vector<double> g(x.size());
  for (std::size_t i = 0; i + 1 < x.size(); ++i) {
    const double a = x[i + 1] - x[i] * x[i];
    g[i] += -400 * a * x[i] - 2 * (1 - x[i]);
    g[i + 1] += 200 * a;
  }
  return g;
}
Tensor<double> rosenbrock_hessian(const std::vector<double>& x) {
  const std::size_t n = x.size();
  auto h = Tensor<double>::zeros({n, n});
  for (std::size_t i = 0; i + 1 < n; ++i) {
    h(i, i) += 1200 * x[i] * x[i] - 400 * x[i + 1] + 2;
    h(i + 1, i + 1) += 200;
    h(i, i + 1) = h(i + 1, i) = -400 * x[i];
  }
  return h;
}

}  // namespace

TEST_CASE("the derivative of a function of one number, at points of any type") {
  CHECK(ad::derivative(poly, 4.0) == 112);
  CHECK(ad::derivative(poly, 4) == 112);
  CHECK(ad::derivative(poly, 4.0f) == 112);
  CHECK(ad::derivative(poly, 4L) == 112);
  CHECK(ad::gradient(poly, -1.0) == -13);
  const auto [value, slope] = ad::value_and_gradient(poly, 4.0);
  CHECK(value == 66);
  CHECK(slope == 112);
  CHECK(ad::derivative([](auto x) { return std::vector{x * x, x * x}; }, 3.0) == std::vector<double>{6, 6});
  CHECK(ad::jvp(poly, 4.0, 0.5) == 56);
  CHECK(ad::hvp(poly, 4.0, 0.5) == about(0.5 * (12 * 16 - 18 * 4)));
}

TEST_CASE("the gradient at vectors, spans, arrays and their like") {
  const auto expected = rosenbrock_gradient(at);
  const auto [value, g] = ad::value_and_gradient(rosenbrock, at);
  CHECK(value == about(rosenbrock(at)));
  CHECK(difference(g, expected) == "");
  CHECK(difference(ad::gradient(rosenbrock, std::span<const double>(at)), expected) == "");
  CHECK(difference(ad::gradient(rosenbrock, std::array<double, 4>{-1.2, 1.0, 0.7, 0.3}), expected) == "");
  CHECK(difference(ad::gradient(rosenbrock, std::deque<double>(at.begin(), at.end())), expected) == "");
  CHECK(difference(ad::gradient(rosenbrock, std::valarray<double>(at.data(), 4)), expected) == "");
  CHECK(difference(ad::gradient(rosenbrock, std::vector<int>{1, 2}), rosenbrock_gradient({1, 2})) == "");
  CHECK(difference(ad::gradient(rosenbrock, std::vector<float>{0.5f, 2}), rosenbrock_gradient({0.5, 2})) == "");
  CHECK(ad::gradient(rosenbrock, std::vector<double>{}).empty());
  CHECK(ad::gradient(rosenbrock, std::vector<double>{1}) == std::vector<double>{0});
}

TEST_CASE("functions may take their point by value or reference, be function objects or pointers, and return expressions") {
  const std::vector<double> x{2, 3};
  const std::vector<double> expected{3, 2};
  CHECK(ad::gradient([](auto z) { return z[0] * z[1]; }, x) == expected);
  CHECK(ad::gradient([](const auto& z) { return z[0] * z[1]; }, x) == expected);
  CHECK(ad::gradient([](auto&& z) { return z[0] * z[1]; }, x) == expected);
  CHECK(ad::gradient([](std::vector<Number> z) { z[0] *= z[1]; return z[0]; }, x) == expected);
  CHECK(ad::gradient([](const std::vector<Number>& z) -> Number { return z[0] * z[1]; }, x) == expected);
  Number (*pointer)(const std::vector<Number>&) = [](const std::vector<Number>& z) -> Number { return z[0] * z[1]; };
  CHECK(ad::gradient(pointer, x) == expected);
}

TEST_CASE("drivers return zeros for a constant function") {
  const auto three = [](const auto&) { return 3.0; };
  const auto constant = [](const auto&) { return Number(3.0); };
  const std::vector<double> x{1, 2};
  const Tensor<double> t{1, 2, 3};
  CHECK(ad::derivative(three, 1.0) == 0);
  CHECK(ad::gradient([](auto) { return 7; }, 1.0) == 0);
  CHECK(ad::value_and_gradient(three, 1.0).value == 3);
  CHECK(ad::gradient(three, x) == std::vector<double>{0, 0});
  CHECK(ad::gradient(constant, x) == std::vector<double>{0, 0});
  CHECK(ad::gradient([](const auto&) { return 7; }, x) == std::vector<double>{0, 0});
  CHECK(ad::jvp(three, x, x) == 0);
  CHECK(ad::hvp(three, x, x) == std::vector<double>{0, 0});
  CHECK(ad::vjp(three, x, 1.0) == std::vector<double>{0, 0});
  CHECK(difference(ad::hessian(three, x), Tensor<double>::zeros({2, 2})) == "");
  CHECK(difference(ad::jacobian([](const auto& z) { return std::vector<std::decay_t<decltype(z[0])>>{1.0, 2.0, 3.0}; }, x),
      Tensor<double>::zeros({3, 2})) == "");
  CHECK(equal(ad::gradient(three, t), Tensor<double>{0, 0, 0}));
  CHECK(equal(ad::gradient(constant, t), Tensor<double>{0, 0, 0}));
  CHECK(ad::jvp(three, t, t) == 0);
  CHECK(equal(ad::hvp(three, t, t), Tensor<double>{0, 0, 0}));
  CHECK(equal(ad::vjp(three, t, 1.0), Tensor<double>{0, 0, 0}));
  CHECK(difference(ad::hessian(three, t), Tensor<double>::zeros({3, 3})) == "");
  CHECK(difference(ad::jacobian(three, t), Tensor<double>::zeros({1, 3})) == "");
  CHECK(difference(ad::jacobian([](const auto&) { return TensorVar<>(Tensor<double>{1, 2}); }, t), Tensor<double>::zeros({2, 3})) == "");
  CHECK(difference(ad::jacobian([](const auto&) { return Tensor<double>{1, 2}; }, t), Tensor<double>::zeros({2, 3})) == "");
  CHECK(equal(ad::vjp([](const auto&) { return TensorVar<>(Tensor<double>{1, 2}); }, t, Tensor<double>{1, 1}), Tensor<double>{0, 0, 0}));
}

TEST_CASE("second derivatives: hessian and hvp agree with the formula, and with differences of gradients") {
  const auto h = rosenbrock_hessian(at);
  CHECK(difference(ad::hessian(rosenbrock, at), h, 1e-11) == "");
  const auto hv = ad::hvp(rosenbrock, at, along);
  CHECK(difference(Tensor<double>::from(hv, {4}), matmul(h, Tensor<double>::from(along, {4})), 1e-11) == "");
  int runs = 0;
  const auto [gradient, product] = ad::gradient_and_hvp([&](const auto& x) { ++runs; return rosenbrock(x); }, at, along);
  CHECK((runs == 1 && gradient == ad::gradient(rosenbrock, at) && product == hv));
}

TEST_CASE("drivers at tensors") {
  const Tensor<double> x{{0.5, -1}, {2, 1.5}}, v{{1, 0.5}, {-1, 2}};
  const auto f = [](const auto& t) { return sum(t * t * t) + t(0, 0) * t(1, 1); };
  const auto g = ad::gradient(f, x);
  auto expected = 3.0 * x * x;
  expected(0, 0) += 1.5;
  expected(1, 1) += 0.5;
  CHECK(difference(g, expected) == "");
  CHECK(ad::value_and_gradient(f, x).value == about(sum(x * x * x) + 0.75));
  CHECK(ad::jvp(f, x, v) == about(dot(expected, v)));
  auto hv = 6.0 * x * v;
  hv(0, 0) += 2;
  hv(1, 1) += 1;
  CHECK(difference(ad::hvp(f, x, v), hv) == "");
  const auto both = ad::gradient_and_hvp(f, x, v);
  CHECK((difference(both.gradient, expected) == "" && difference(both.hvp, hv) == ""));
  const auto constant = ad::gradient_and_hvp([](const auto&) { return 3.0; }, x, v);
  CHECK((equal(constant.gradient, 0 * x) && equal(constant.hvp, 0 * x)));
  const auto number = ad::gradient_and_hvp([](auto t) { return t * t * t; }, 2.0, 0.5);
  CHECK((number.gradient == 12 && number.hvp == 6));
  const auto h = ad::hessian(f, x);
  CHECK(h.shape() == Shape({4, 4}));
  CHECK(difference(matmul(h, v.reshaped({4})), hv.reshaped({4})) == "");
  const auto F = [](const auto& t) { return matmul(t, t); };
  const auto j = ad::jacobian(F, x);
  CHECK(j.shape() == Shape({4, 4}));
  CHECK(difference(matmul(j, v.reshaped({4})), ad::jvp(F, x, v).reshaped({4})) == "");
  CHECK(difference(matmul(v.reshaped({4}), j), ad::vjp(F, x, v).reshaped({4})) == "");
  CHECK(difference(ad::jvp(F, x.as<float>(), v.as<float>()), ad::jvp(F, x, v), 1e-5) == "");
  CHECK(ad::gradient(f, x.as<float>()).shape() == x.shape());
  CHECK(equal(ad::gradient([](const auto& t) { return t * 2.0; }, Tensor<double>{{3}}), Tensor<double>{{2}}));  // a tensor of one is a number
  CHECK(ad::gradient([](const auto& t) { return sum(t); }, Tensor<double>{}).shape() == Shape({0}));
  CHECK(ad::hessian([](const auto& t) { return sum(t * t); }, Tensor<double>{}).shape() == Shape({0, 0}));
  refuses<ad::ShapeError>([&] { (void)ad::gradient(F, Tensor<double>{{1, 2, 3}, {1, 2, 3}, {1, 2, 3}}); },
      {"gradient: f returned a tensor of shape (3, 3), a scalar is needed; sum it, or use jacobian or vjp"});
  refuses<ad::ShapeError>([&] { (void)ad::jvp(f, x, Tensor<double>{1}); }, {"jvp: the direction must have shape (2, 2), not (1,)"});
  refuses<ad::ShapeError>([&] { (void)ad::vjp(F, x, Tensor<double>{1}); }, {"vjp: the weights must have shape (2, 2)"});
  refuses<ad::ShapeError>([&] { (void)ad::hvp(F, x, v); }, {"hvp: f returned a tensor of shape (2, 2)"});
  refuses<ad::ShapeError>([&] { (void)ad::hessian(F, x); }, {"hessian: f returned a tensor of shape (2, 2)"});
  refuses<ad::ShapeError>([&] { (void)ad::value_and_gradient(F, x); }, {"value_and_gradient: f returned a tensor of shape (2, 2)"});
  refuses<ad::ShapeError>([&] { (void)ad::check_gradient(F, x); }, {"check_gradient: f returned a tensor of shape (2, 2)"});
  refuses<ad::ShapeError>([&] { (void)ad::recorded_gradient(F, ad::Var(x)); }, {"recorded_gradient: f returned a tensor of shape (2, 2)"});
  refuses<ad::ShapeError>([&] { (void)ad::cost_of_gradient(f, F, ad::Var(x)); }, {"cost_of_gradient: f returned a tensor of shape (2, 2)"});
}

TEST_CASE("derivatives of derivatives never take each other's perturbation") {
  const auto d = [](const auto& f, const auto& x) { return ad::derivative(f, x); };
  CHECK(d([&](auto z) { return d([](auto q) { return pow(q, 4); }, z); }, 2.0) == 48);
  CHECK(d([&](auto z) { return d([&](auto q) { return d([](auto r) { return exp(2.0 * r); }, q); }, z); }, 0.5) == about(8 * std::exp(1.0)));
  CHECK(d([&](auto z) { return z * d([z](auto y) { return z + y; }, 1.0); }, 1.0) == 1);
  CHECK(d([&](auto z) { return z * d([z](auto y) { return y * z * y + z; }, 3.0); }, 2.0) == 24);
  CHECK(d([&](auto z) { return d([&, z](auto y) { return d([z, y](auto w) { return z * y * w * w; }, 5.0); }, 3.0); }, 2.0) == 10);
}

TEST_CASE("a derivative inside a recorded function sees the outer variables") {
  ad::Tape tape;
  const ad::Var a = tape.variable(2.0);
  const ad::Var y = ad::derivative([a](auto t) { return a * a * t * t; }, 3.0);  // 2a²t
  tape.backward(y);
  CHECK(y.value() == 24);
  CHECK(tape.adjoint(a) == 24);
  // the residual of u′ = −u for u = a·e^(b t), differentiated in a and b
  const auto residual = [](const auto& p) {
    using T = std::decay_t<decltype(p[0])>;
    const T slope = ad::derivative([&p](auto t) { return p[0] * exp(p[1] * t); }, T(0.5));
    const T r = slope + p[0] * exp(p[1] * 0.5);
    return T(r * r);
  };
  ad::check_gradient(residual, std::vector<double>{1.5, -0.4});
}

TEST_CASE("an inner gradient sees the outer variables where its point is made of their type, else it is an error") {
  const auto lifted = [](const auto& z) {
    using T = std::decay_t<decltype(z[0])>;
    const std::vector<T> one{T(1.0)};
    const auto g = ad::gradient([&](const auto& y) { return z[0] * y[0]; }, one);
    return T(z[0] * g[0]);
  };
  CHECK(ad::gradient(lifted, std::vector<double>{3.0}) == std::vector<double>{6});
  CHECK(difference(ad::hessian(lifted, std::vector<double>{3.0}), Tensor<double>{{2}}) == "");
  const auto mixed = [](const std::vector<Number>& z) -> Number {
    const auto g = ad::gradient([&](const std::vector<Number>& y) -> Number { return z[0] * y[0]; }, std::vector<double>{1.0});
    return z[0] * g[0];
  };
  refuses<ad::TapeError>([&] { (void)ad::gradient(mixed, std::vector<double>{3.0}); },
      {"another tape", "inner gradient() sees outer variables if its point is made of numbers of their type"});
  // an inner gradient of nothing but its own is a number for the outer one
  const auto inside = [](const auto& z) {
    using T = std::decay_t<decltype(z[0])>;
    const auto g = ad::gradient([](const auto& q) { return q[0] * q[1]; }, std::vector<double>{1, 2});
    return T(z[0] * (g[0] + g[1]));
  };
  CHECK(ad::gradient(inside, std::vector<double>{5.0}) == std::vector<double>{3});
}

TEST_CASE("reverse over reverse: the gradient of a gradient's length") {
  const auto squared_length = [](const auto& z) {
    using T = std::decay_t<decltype(z[0])>;
    T s = 0.0;
    for (const auto& d : ad::gradient(rosenbrock, z)) s += d * d;
    return s;
  };
  const auto g = ad::gradient(squared_length, at);
  const auto hg = ad::hvp(rosenbrock, at, rosenbrock_gradient(at));
  for (std::size_t i = 0; i < g.size(); ++i) CHECK(g[i] == about(2 * hg[i], 1e-10));
}

TEST_CASE("drivers leave an outer tape alone, also when the function throws") {
  ad::Tape tape;
  const ad::Var a = tape.variable(2.0);
  Number y = a * a;
  for (int i = 0; i < 3; ++i) {
    (void)ad::gradient(rosenbrock, at);
    (void)ad::hessian(rosenbrock, at);
    (void)ad::jvp([](const auto& t) { return sum(t * t); }, Tensor<double>{1, 2}, Tensor<double>{1, 2});
    CHECK_THROWS_AS((void)ad::gradient([](const auto& z) -> std::decay_t<decltype(z[0])> {
      if (z.size() == 4) throw std::runtime_error("mine");
      return z[0];
    }, at), std::runtime_error);
    CHECK_THROWS_AS((void)ad::hvp([](const auto& z) -> std::decay_t<decltype(z[0])> {
      if (z.size() == 4) throw std::runtime_error("mine");
      return z[0];
    }, at, along), std::runtime_error);
    y = y * a;
  }
  const auto statements = tape.statistics().statements;
  CHECK(statements == 1 + 1 + 3);
  tape.backward(y);
  CHECK(tape.adjoint(a) == 5 * 16);
}

TEST_CASE("a function may take its own gradient, recursively") {
  struct Recursive {
    static double at_depth(int depth, double x) {
      if (depth == 0) return x * x;
      const auto g = ad::gradient([&](const std::vector<Number>& z) -> Number { return z[0] * at_depth(depth - 1, 2.0); }, std::vector<double>{x});
      return g[0];
    }
  };
  CHECK(Recursive::at_depth(20, 3.0) == 4);
}

TEST_CASE("many threads may take gradients at once") {
  std::vector<std::thread> threads;
  std::vector<int> right(4);
  const auto expected = rosenbrock_gradient(at);
  for (std::size_t i = 0; i < right.size(); ++i)
    threads.emplace_back([&, i] {
      for (int k = 0; k < 100; ++k)
        right[i] += difference(ad::gradient(rosenbrock, at), expected) == "" &&
                    difference(ad::hvp(rosenbrock, at, expected), ad::hvp(rosenbrock, at, expected)) == "" &&
                    ad::gradient([](const auto& t) { return sum(t * t); }, Tensor<double>{1, 2})(1) == 4;
    });
  for (auto& t : threads) t.join();
  for (const int r : right) CHECK(r == 100);
}

TEST_CASE("a root of 0 that nobody uses poisons no second derivative") {
  const auto f = [](const auto& x) { return x[0] * x[0] + 0.0 * ad::Var(sqrt(x[1])); };
  CHECK(ad::hvp(f, std::vector<double>{3, 0}, std::vector<double>{1, 0}) == std::vector<double>{2, 0});
}

TEST_CASE("an inner derivative at plain numbers sees variables of a tape that its function uses, or refuses") {
  ad::Tape tape;
  const ad::Var k = tape.variable(2.0);
  const ad::Var w = tape.variable(Tensor<double>{1, 0.5});
  const auto cost = [&](const auto& x) { return sum(x * x * k); };
  refuses<ad::TapeError>([&] { (void)ad::jvp(cost, Tensor<double>{1, 3}, Tensor<double>{1, 1}); },
      {"jvp: f uses variables of a tape beside its point", "ad::Var(x)"});
  refuses<ad::TapeError>([&] { (void)ad::jvp([&](const auto& x) { return x * w; }, Tensor<double>{1, 3}, Tensor<double>{1, 1}); },
      {"jvp: f uses variables of a tape"});
  tape.backward(Number(ad::jvp(cost, TensorVar<>(Tensor<double>{1, 3}), Tensor<double>{1, 1})));
  CHECK(tape.adjoint(k) == 8);
  tape.backward(sum(ad::jvp([&](const auto& x) { return x * x * w; }, TensorVar<>(Tensor<double>{1, 3}), w)));
  CHECK(difference(tape.adjoint(w), Tensor<double>{4, 6}) == "");  // 2x w², walked back
  tape.backward(Number(ad::gradient([&](const auto& x) { return k * x * x; }, 3.0)));
  CHECK(tape.adjoint(k) == 6);
  tape.backward(Number(ad::jvp([&](const auto& x) { return k * x[0] * x[1]; }, std::vector<double>{1, 2}, std::vector<double>{1, 1})));
  CHECK(tape.adjoint(k) == 3);
  tape.backward(Number(ad::derivative([&](const auto& t) { return sum(exp(t * w) / w) * t; }, k)));
  const double there = tape.adjoint(k);
  const auto slope = [](double a) { return ad::derivative([&](const auto& t) { return (exp(t) + exp(t * 0.5) / 0.5) * t; }, a); };
  CHECK(there == about((slope(2 + 1e-5) - slope(2 - 1e-5)) / 2e-5, 1e-8));
  CHECK(ad::check_gradient([](const auto& z) { return ad::derivative([&](const auto& t) { return sum(exp(t * z) / z); }, sum(z)); },
      Tensor<double>{1, 0.2}).agrees());
}

TEST_CASE("0 times an infinite slope is 0 on a tape over variables, too") {
  const auto f = [](const auto& z) { using T = std::decay_t<decltype(z[0])>; const T r = sqrt(z[1]); return T(z[0] * z[0] + 0.0 * r); };
  ad::Tape tape;
  const auto x = tape.variables(std::vector<double>{3, 0});
  const auto g = ad::gradient(f, x);
  CHECK(g[0].value() == 6);
  CHECK(g[1].value() == 0);
}

TEST_CASE("a library's vector with a signed size() is a point") {
  struct Signed {
    std::vector<double> numbers;
    std::ptrdiff_t size() const { return static_cast<std::ptrdiff_t>(numbers.size()); }
    double operator[](std::size_t i) const { return numbers[i]; }
  };
  const Signed x{{2, 3}};
  const auto f = [](const auto& z) { return z[0] * z[0] * z[1]; };
  CHECK(ad::gradient(f, x) == std::vector<double>{12, 4});
  CHECK(ad::hvp(f, x, x) == std::vector<double>{24, 8});
  CHECK(difference(ad::hessian(f, x), Tensor<double>{{6, 4}, {4, 0}}) == "");
}

TEST_CASE("powers of tiny numbers have their slopes, once and twice") {
  const auto near = [](double a, double b) { return std::abs(a - b) <= 1e-14 * std::abs(b); };
  CHECK(ad::derivative([](auto x) { return pow(x, 0.0); }, 1e-310) == 0);
  CHECK(near(ad::derivative([](auto x) { return pow(x, 1e-5); }, 1e-310), 9.92887401325042999e304));
  CHECK(ad::hessian([](const auto& x) { return pow(x[0], 0) + 2 * pow(x[0], 1) + 3 * pow(x[0], 2); }, std::vector{1e-200})(0, 0) == 6);
  CHECK(equal(ad::gradient([](auto x) { return sum(pow(x, 0.0)); }, Tensor<float>{1.4e-45f}), Tensor<float>{0}));
}

TEST_CASE("a Hessian of more variables than go side by side is its rows, one by one, also where one of them is infinite") {
  const auto f = [](const auto& x) {
    using T = std::decay_t<decltype(x[0])>;
    T s = 0.0;
    for (std::size_t i = 0; i + 1 < x.size(); ++i) s += pow(x[i] * x[i] - x[i + 1], 3) / (x[i] + 2.0) + (x[i] > 0.5 ? T(sin(x[i + 1])) : x[i]);
    return s;
  };
  for (const std::size_t n : {1u, 7u, 8u, 9u, 17u}) {
    std::vector<double> x(n);
    for (std::size_t i = 0; i < n; ++i) x[i] = 0.1 * static_cast<double>(i + 1);
    const Tensor<double> h = ad::hessian(f, x);
    CHECK(h.shape() == Shape({n, n}));
    for (std::size_t row = 0; row < n; ++row) {
      std::vector<double> unit(n, 0.0);
      unit[row] = 1;
      CHECK(difference(h.rows(row, row + 1).reshaped({n}), Tensor<double>::from(ad::hvp(f, x, unit), {n})) == "");
    }
  }
  const auto rooted = [](const auto& x) { using T = std::decay_t<decltype(x[0])>; const T r = sqrt(x[1]); return T(x[0] * x[0] * x[0] + x[0] * r); };
  const Tensor<double> h = ad::hessian(rooted, std::vector<double>{0, 0});
  CHECK(h(1, 1) == 0);  // nothing asks for the slope of the root: its adjoint x₀ is 0
  CHECK(!std::isfinite(h(0, 1)));
}

TEST_CASE("second derivatives keep their digits where the first are nearly constant, and are symmetric at the origin") {
  CHECK(ad::derivative([](auto x) { return expm1(x); }, -40.0) / std::exp(-40.0) == about(1, 1e-15));
  const auto second = [](const auto& f, double x) { return ad::hvp(f, x, 1.0); };
  CHECK(second([](const auto& x) { return ad::softplus(x); }, 30.0) / 9.357622968839299e-14 == about(1));
  CHECK(second([](const auto& x) { return asin(x); }, 1e-20) / 1e-20 == about(1));
  CHECK(second([](const auto& x) { return acos(x); }, 1e-20) / -1e-20 == about(1));
  CHECK(second([](const auto& x) { return atanh(x); }, 1e-20) / 2e-20 == about(1));
  CHECK(second([](const auto& x) { return asin(x); }, 1 - 1e-9) == about(1 / std::pow(1e-9 * (2 - 1e-9), 1.5) * (1 - 1e-9), 1e-6));
  const std::vector<double> origin{0, 0};
  CHECK(ad::to_text(ad::hessian([](const auto& x) { return hypot(x[0], x[1]); }, origin)) == "[[0, 0], [0, 0]]");
  CHECK(ad::to_text(ad::hessian([](const auto& x) { return atan2(x[0], x[1]); }, origin)) == "[[0, 0], [0, 0]]");
}

TEST_CASE("slopes at infinite operands of pow are their limits") {
  const auto f = [](const auto& x) { return pow(x[0], x[1]); };
  CHECK(ad::gradient(f, std::vector<double>{2, -infinity}) == std::vector<double>{0, 0});
  CHECK(ad::gradient(f, std::vector<double>{infinity, -2})[1] == 0);
  CHECK(ad::gradient(f, std::vector<double>{0, infinity})[0] == 0);
  CHECK(ad::gelu(1e308) == 1e308);
}

TEST_CASE("a point may stand in braces, and constant() stops derivatives of every kind") {
  const auto f = [](const auto& x) { return x[0] * x[0] * x[1]; };
  CHECK(ad::gradient(f, {3.0, 4.0}) == std::vector<double>{24, 9});
  CHECK(ad::value_and_gradient(f, {3.0, 4.0}).value == 36);
  CHECK(ad::to_text(ad::hessian(f, {3.0, 4.0})) == "[[8, 6], [6, 0]]");
  CHECK(ad::jacobian([](const auto& x) { return std::vector{x[0], x[1]}; }, {3.0, 4.0}).shape() == Shape({2, 2}));
  CHECK(ad::hvp(f, {3.0, 4.0}, {1.0, 0.0}) == std::vector<double>{8, 6});
  CHECK(ad::jvp(f, {3.0, 4.0}, {1.0, 0.0}) == 24);
  CHECK(ad::vjp([](const auto& x) { return std::vector{x[0], x[1]}; }, {3.0, 4.0}, {1.0, 2.0}) == std::vector<double>{1, 2});
  const auto g = [](const auto& x) { return ad::constant(x * x) * x; };
  CHECK(g(3.0) == 27);
  CHECK(ad::derivative(g, 3.0) == 9);
  ad::Tape tape;
  const ad::Var x = tape.variable(3.0);
  const ad::Var t = tape.variable(Tensor<double>{1, 2});
  const ad::Var y = g(x) + sum(g(t));
  tape.backward(y);
  CHECK(tape.adjoint(x) == 9);
  CHECK(difference(tape.adjoint(t), Tensor<double>{1, 4}) == "");
}

TEST_CASE("slopes beside the ends of a domain keep their digits") {
  const double d = 0x1p-40, exact = 1 / std::sqrt(d * (2 - d));
  CHECK(ad::derivative([](const auto& x) { return asin(x); }, 1 - d) / exact == doctest::Approx(1).epsilon(1e-14));
  CHECK(ad::derivative([](const auto& x) { return atanh(x); }, 1 - d) * (d * (2 - d)) == doctest::Approx(1).epsilon(1e-14));
}

TEST_CASE("the slopes of gelu and silu at infinity") {
  CHECK(ad::derivative([](const auto& x) { return ad::gelu(x); }, HUGE_VAL) == 1);
  CHECK(ad::derivative([](const auto& x) { return ad::silu(x); }, HUGE_VAL) == 1);
}

TEST_CASE("the slope of pow at (0, 0), both variable") {
  const auto slope = [](const auto& b) { return ad::derivative([&](const auto& a) { return pow(a, b); }, 0.0); };
  CHECK(ad::value_and_gradient(slope, 0.0).value == 0);
}
