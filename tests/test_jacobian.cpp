// Jacobians and products with them, from both sides, for whatever F returns, at every kind of point; and the values beside them.
#include "support.hpp"
#include <valarray>

using ad::Shape;
using ad::Tensor;
using support::about;
using support::difference;
using support::Number;
using support::refuses;
using support::TensorVar;

namespace {
const std::vector<double> at{-1.2, 1.0, 0.7, 0.3}, along{0.3, -1.0, 0.5, 2.0};
}  // namespace

TEST_CASE("the jacobian, and its products from both sides") {
  const auto f = [](const auto& z) {
    using T = std::decay_t<decltype(z[0])>;
    return std::vector<T>{z[0] * z[1], sin(z[2]) + z[0], z[3] * 1.0};
  };
  const auto j = ad::jacobian(f, at);
  const Tensor<double> expected{{1.0, -1.2, 0, 0}, {1, 0, std::cos(0.7), 0}, {0, 0, 0, 1}};
  CHECK(difference(j, expected) == "");
  CHECK(difference(Tensor<double>::from(ad::jvp(f, at, along), {3}), matmul(expected, Tensor<double>::from(along, {4}))) == "");
  const std::vector<double> u{1, -2, 3};
  CHECK(difference(Tensor<double>::from(ad::vjp(f, at, u), {4}), matmul(Tensor<double>::from(u, {3}), expected)) == "");
  CHECK(ad::jacobian([](const auto& z) { return z[0] * z[3]; }, at).shape() == Shape({1, 4}));
  CHECK(ad::jacobian([](const auto& z) { return std::vector<std::decay_t<decltype(z[0])>>{}; }, at).shape() == Shape({0, 4}));
  refuses<ad::ShapeError>([&] { (void)ad::jvp(f, at, std::vector<double>{1, 2}); }, {"jvp: the direction must have 4 components, not 2"});
  refuses<ad::ShapeError>([&] { (void)ad::vjp(f, at, std::vector<double>{1, 2}); }, {"vjp: the weights must have 3 components, not 2"});
  refuses<ad::ShapeError>([&] { (void)ad::hvp([](const auto& z) { return z[0] * z[3]; }, at, std::vector<double>{1}); }, {"hvp: the direction must have 4"});
}

TEST_CASE("a tangent of 0 stays 0 beside an infinite slope, on tensors as on numbers, and so do second derivatives") {
  const auto f = [](const auto& x) { return sum(sqrt(x)) + sum(x * x) + sum(pow(x, Tensor<double>{0.5, 2})); };
  const Tensor<double> x{0, 1}, v{0, 1};
  CHECK(ad::jvp(f, x, v) == 4.5);
  CHECK(equal(ad::hvp([&](const auto& t) { return sum(sqrt(t)) + sum(t * t); }, x, v), Tensor<double>{0, 1.75}));
  CHECK(std::isinf(ad::jvp(f, x, Tensor<double>{1, 0})));
  const double inf = std::numeric_limits<double>::infinity();
  CHECK(equal(ad::jvp([inf](const auto& t) { return t * inf; }, x, v), Tensor<double>{0, inf}));
  CHECK(ad::jvp([](const auto& t) { return sqrt(sum(t)); }, Tensor<double>{0, 0}, Tensor<double>{0, 0}) == 0);
  CHECK(ad::jvp([](const auto& t) { return sqrt(t); }, 0.0, 0.0) == 0);
  ad::Tape tape;
  const ad::Var along_w = tape.variable(2.0);  // a direction may rest on a tape though the point does not
  const ad::Var slope = ad::jvp([](const auto& t) { return t * t; }, 3.0, along_w);
  tape.backward(slope);
  CHECK(slope.value() == 12);
  CHECK(tape.adjoint(along_w) == 6);
}

TEST_CASE("a point that is a number has a Jacobian and a Hessian of its own") {
  const auto cube = [](const auto& x) { return x * x * x; };
  CHECK(difference(ad::hessian(cube, 2.0), Tensor<double>{{12}}) == "");
  CHECK(difference(ad::jacobian(cube, 2), Tensor<double>{{12}}) == "");
  CHECK(ad::vjp(cube, 2.0, 3.0) == 36);
  const auto two = [](const auto& x) { return std::vector<std::decay_t<decltype(x)>>{x * x, x + 1.0}; };
  CHECK(difference(ad::jacobian(two, 3.0), Tensor<double>{{6}, {1}}) == "");
  CHECK(ad::vjp(two, 3.0, std::vector<double>{1, 10}) == 16);
}

TEST_CASE("what F returns may be any vector, or a tensor, whatever its point is") {
  const std::vector<double> x{2, 3};
  const auto array = [](const auto& z) { using T = std::decay_t<decltype(z[0])>; return std::valarray<T>{z[0] * z[1], z[0]}; };
  CHECK(difference(ad::jacobian(array, x), Tensor<double>{{3, 2}, {1, 0}}) == "");
  CHECK(ad::vjp(array, x, x) == std::vector<double>{9, 4});
  CHECK(ad::jvp(array, x, x) == std::vector<double>{12, 2});
  const auto powers = [](const auto& z) { using T = std::decay_t<decltype(z)>; return std::vector<T>{z * z, T(z * z * z)}; };
  CHECK(ad::jvp(powers, 2.0, 3.0) == std::vector<double>{12, 36});
  CHECK(ad::value_and_jvp(powers, 2.0, 3.0).value == std::vector<double>{4, 8});
  const auto tensor = [](const auto& z) { return ad::stack(std::vector<Number>{z[0] * z[1], z[0]}) * 2.0; };
  CHECK(difference(ad::jacobian(tensor, x), Tensor<double>{{6, 4}, {2, 0}}) == "");
  const auto numbers = [](const auto& t) { return std::vector<Number>{sum(t * t), t(0) * t(1)}; };
  CHECK(difference(ad::jacobian(numbers, Tensor<double>{2, 3}), Tensor<double>{{4, 6}, {3, 2}}) == "");
  CHECK(equal(ad::vjp(numbers, Tensor<double>{2, 3}, std::vector<double>{1, 10}), Tensor<double>{34, 26}));
  refuses<ad::ShapeError>([&] { (void)ad::vjp(numbers, Tensor<double>{2, 3}, std::vector<double>{1}); }, {"vjp: the weights must have 2 components, not 1"});
}

TEST_CASE("a Jacobian of many outputs is the same as one walk back for each") {
  const auto f = [](const auto& z) {
    using T = std::decay_t<decltype(z[0])>;
    std::vector<T> y{z[0], T(7.0), z[1] - z[0]};
    T s = 0.0;
    for (int k = 0; k < 18; ++k) y.push_back(s += sin(z[0] * k) * z[1] / (1.0 + z[2] * z[2]) - z[2]);
    y.push_back(y[5]);
    return y;
  };
  const std::vector<double> x{0.3, -1.2, 0.7};
  ad::Tape tape;
  const auto v = tape.variables(x);
  const auto y = f(v);
  const Tensor<double> all = tape.jacobian(y, v);
  CHECK(all.shape() == Shape({22, 3}));
  refuses<ad::TapeError>([&] { (void)tape.adjoint(v[0]); }, {"backward() first"});
  for (std::size_t k = 0; k < y.size(); ++k) {
    tape.backward({y[k]}, {1.0});
    for (std::size_t i = 0; i < 3; ++i) CHECK(all(k, i) == about(tape.adjoint(v[i]), 1e-14));
  }
  CHECK(difference(ad::jacobian(f, x), all) == "");
  for (const std::size_t m : {0u, 1u, 2u, 8u, 9u})
    CHECK(difference(tape.jacobian(std::vector<Number>(y.begin(), y.begin() + static_cast<std::ptrdiff_t>(m)), v), all.rows(0, m)) == "");
  const ad::Var t = sum(tape.variable(Tensor<double>{1, 2}) * y[3]);  // a node: its walk takes one output at a time
  const Tensor<double> mixed = tape.jacobian(std::vector<Number>{y[3], t, y[4]}, v);
  CHECK(difference(mixed.rows(0, 1), all.rows(3, 4)) == "");
  CHECK(difference(mixed.rows(1, 2), all.rows(3, 4) * 3.0) == "");
  CHECK(difference(mixed.rows(2, 3), all.rows(4, 5)) == "");
  refuses<ad::TapeError>([&] { (void)tape.jacobian(y, {Number(1.0)}); }, {"jacobian", "constant"});
  const auto roots = [](const auto& z) { using T = std::decay_t<decltype(z[0])>; const T r = sqrt(z[0]); return std::vector<T>{z[0] * 2.0, r * 1.0, z[0] + 0.0 * r}; };
  CHECK(difference(ad::jacobian(roots, std::vector<double>{0}), Tensor<double>{{2}, {support::infinity}, {1}}) == "");  // 0 · ∞ is 0 in each row by itself
}

TEST_CASE("value_and_jacobian and jacobian_forwards give what jacobian gives") {
  const auto F = [](const auto& z) { using T = std::decay_t<decltype(z[0])>; return std::vector<T>{z[0] * z[1], z[0] * z[0], z[1]}; };
  const auto [value, jacobian] = ad::value_and_jacobian(F, {2, 3});
  CHECK(value == std::vector<double>{6, 4, 3});
  CHECK(equal(jacobian, Tensor<double>{{3, 2}, {4, 0}, {0, 1}}));
  const Tensor<double> a = support::Random(4).tensor({20, 3}), q{0.3, 0.5, 0.7};
  const auto model = [&](const auto& p) { return exp(matmul(a, p)) * p(0); };
  CHECK(difference(ad::jacobian_forwards(model, q), ad::jacobian(model, q)) == "");
  CHECK(difference(ad::jacobian_forwards([](const auto& p) { return sum(p * p); }, q), Tensor<double>{{0.6, 1.0, 1.4}}) == "");
  CHECK(ad::jacobian_forwards([](const auto& p) { return sum(p * p); }, Tensor<double>::zeros({0, 3})).size() == 0);
}

TEST_CASE("value_and_jvp gives both, whatever the point and the result are") {
  const auto square = [](const auto& x) { return x * x; };
  const auto [y, dy] = ad::value_and_jvp(square, 3.0, 2.0);
  CHECK(y == 9);
  CHECK(dy == 12);
  const auto f = []<class V>(const V& x) { return std::vector<typename V::value_type>{x[0] * x[1], x[1] + 1.0}; };
  const auto [values, tangents] = ad::value_and_jvp(f, {2, 3}, {1, 10});
  CHECK(values == std::vector{6.0, 4.0});
  CHECK(tangents == std::vector{23.0, 10.0});
  const ad::Tensor<double> x{{1, 2}}, v{{1, 1}};
  const auto [t, dt] = ad::value_and_jvp(square, x, v);
  CHECK(support::difference(t, ad::Tensor<double>{{1, 4}}) == "");
  CHECK(support::difference(dt, ad::Tensor<double>{{2, 4}}) == "");
  const auto [s, ds] = ad::value_and_jvp([](const auto& z) { return sum(z * z); }, x, v);
  CHECK(s == 5);
  CHECK(ds == 6);
  const auto [c, dc] = ad::value_and_jvp([&](const auto&) { return x; }, x, v);  // a constant function
  CHECK(support::difference(c, x) == "");
  CHECK(support::difference(dc, ad::Tensor<double>{{0, 0}}) == "");

  ad::Tape tape;  // inside of a recording: u and u' of a function with a weight, in one run
  const ad::Var w = tape.variable(ad::Tensor<double>{{3}});
  const auto [u, slope] = ad::value_and_jvp([&](const auto& z) { return sin(z * w); }, ad::Var(ad::Tensor<double>{{0.5}}), ad::Tensor<double>{{1}});
  const ad::Var cost = sum(u * u + slope);
  tape.backward(cost);
  CHECK(cost.value() == about(std::sin(1.5) * std::sin(1.5) + 3 * std::cos(1.5)));
  CHECK(tape.adjoint(w)[0] == about(2 * std::sin(1.5) * std::cos(1.5) * 0.5 + std::cos(1.5) - 3 * 0.5 * std::sin(1.5)));
}

TEST_CASE("a jvp at plain numbers is plain where the value rests on a variable, and the tangent does not") {
  ad::Tape tape;
  const auto f = [w = tape.variable(ad::Tensor<double>{5, 6})](const auto& x) { return 2.0 * x + w; };
  const ad::Tensor<double> x{1, 2}, v{1, 10};
  CHECK(support::difference(ad::jvp(f, x, v), ad::Tensor<double>{2, 20}) == "");
  support::refuses<ad::TapeError>([&] { (void)ad::value_and_jvp(f, x, v); }, {"jvp: f uses variables of a tape beside its point"});
}
