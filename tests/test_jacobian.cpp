// Jacobians and products with them, from both sides, for whatever F returns, at every kind of point; and the values beside them.
#include "support.hpp"
#include <optional>
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
  refuses<ad::ShapeError>([&] { (void)ad::hvp([](const auto& z) { return z[0] * z[3]; }, at, std::vector<double>{1}); },
      {"hvp: the direction must have 4"});
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

TEST_CASE("a function of a number may compute with tensors, for its second derivative too") {
  const Tensor<double> data{1, 2, 3};
  const auto f = [&](const auto& a) { return sum(exp(data * a)); };
  CHECK(ad::hessian(f, 0.5)(0, 0) == about(std::exp(0.5) + 4 * std::exp(1.0) + 9 * std::exp(1.5)));
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
  refuses<ad::ShapeError>([&] { (void)ad::vjp(numbers, Tensor<double>{2, 3}, std::vector<double>{1}); },
      {"vjp: the weights must have 2 components, not 1"});
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
    tape.backward(std::vector{y[k], v[0]}, std::vector{1.0, 0.0});  // y[1] is a constant, which alone is refused
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
  const auto roots = [](const auto& z) {
    using T = std::decay_t<decltype(z[0])>;
    const T r = sqrt(z[0]);
    return std::vector<T>{z[0] * 2.0, r * 1.0, z[0] + 0.0 * r};
  };
  CHECK(difference(ad::jacobian(roots, std::vector<double>{0}),
      Tensor<double>{{2}, {support::infinity}, {1}}) == "");  // 0 · ∞ is 0 in each row by itself
}

TEST_CASE("a Jacobian along few inputs among them results, and one twice, is the same as one walk back for each output") {
  ad::Tape tape;
  const std::vector x = tape.variables(std::vector<double>{0.3, -1.2, 0.7});
  std::vector<Number> y{x[2], Number(7.0)};
  const Number middle = x[0] * x[1], later = sin(middle) * x[2];
  Number s = later;
  for (int k = 0; k < 30; ++k) y.push_back(s = s * x[0] + middle * k - later);
  const std::vector<Number> inputs{later, x[2], middle, x[1], x[2]};
  for (int again = 0; again < 2; ++again) {  // into memory that holds the tangents of before
    const Tensor<double> j = tape.jacobian(y, inputs);
    for (std::size_t k = 0; k < y.size(); ++k) {
      tape.backward(std::vector{y[k], x[0]}, std::vector{1.0, 0.0});
      for (std::size_t i = 0; i < inputs.size(); ++i) REQUIRE(j(k, i) == about(tape.adjoint(inputs[i]), 1e-13));
    }
  }
}

TEST_CASE("value_and_jacobian and jacobian_forwards give what jacobian gives") {
  const auto F = [](const auto& z) { using T = std::decay_t<decltype(z[0])>; return std::vector<T>{z[0] * z[1], z[0] * z[0], z[1]}; };
  const auto [value, jacobian] = ad::value_and_jacobian(F, {2, 3});
  const auto squares = [](const auto& t) { return t * t; };
  const auto at_tensor = ad::value_and_jacobian(squares, Tensor<double>{{2, 3}});
  CHECK(at_tensor.value == std::vector<double>{4, 9});
  CHECK(difference(at_tensor.jacobian, Tensor<double>{{4, 0}, {0, 6}}) == "");
  const auto at_number = ad::value_and_jacobian(squares, 3.0);
  CHECK(at_number.value == std::vector<double>{9});
  CHECK(difference(at_number.jacobian, Tensor<double>{{6}}) == "");
  const auto constant = ad::value_and_jacobian([](const auto&) { return Tensor<double>{7, 8}; }, Tensor<double>{1});
  CHECK(constant.value == std::vector<double>{7, 8});
  CHECK(difference(constant.jacobian, Tensor<double>{{0}, {0}}) == "");
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

// ---- gradients inside of a recording

TEST_CASE("a cost of a gradient is walked back as if the gradient had been recorded") {
  const Tensor<double> x = support::Random(5).tensor({4, 3}), a0 = support::Random(6).tensor({3, 5}), measured = support::Random(7).tensor({4, 3});
  ad::Parameter<double> a(a0);
  // f = Σ tanh(x·a), ∇f = (1 − tanh²)·aᵀ: the cost of that by hand, and by cost_of_gradient
  const auto by_hand = [&](const ad::Var<Tensor<double>>& point) {
    const ad::Var h = tanh(matmul(point, a.var()));
    return sum(square(matmul(1.0 - h * h, transpose(a.var())) - measured));
  };
  const auto of_gradient = [&](const ad::Var<Tensor<double>>& point) {
    return ad::cost_of_gradient([&](const auto& g) { return sum(square(g - measured)); },
        [&](const auto& z) { return sum(tanh(matmul(z, a.var()))); }, point);
  };
  ad::Tape tape;
  const ad::Var p = tape.variable(x);
  const ad::Var expected = by_hand(p), got = of_gradient(p);
  CHECK(got.value() == about(expected.value()));
  tape.backward(expected);
  const auto dx = tape.adjoint(p), da = tape.adjoint(a);
  tape.backward(got);
  CHECK(difference(tape.adjoint(p), dx) == "");
  CHECK(difference(tape.adjoint(a), da) == "");
  tape.clear();
  const ad::Var constant = of_gradient(x);  // at a constant: for the parameters alone
  tape.backward(constant);
  CHECK(difference(tape.adjoint(a), da) == "");
  const ad::Var q = tape.variable(2.0);
  const auto lengths = [](const auto& g) { return mean(square(sqrt(sum(square(g), ad::Axis(1))) - 1)); };  // of a gradient of 0 the slope
                                                                                                           // is infinite: not the value
  CHECK(ad::cost_of_gradient(lengths, [](const auto& z) { return 0.5 * sum(z * z); }, ad::Var(Tensor<double>{{0, 0}, {3, 4}})).value() == 8.5);
  const auto uses_q = [&](const auto& z) { return sum(z * z) * q; };
  refuses<ad::TapeError>([&] { (void)ad::cost_of_gradient([](const auto& g) { return sum(g); }, uses_q, ad::Var(x)); }, {"variable"});
  refuses<ad::ShapeError>([&] { (void)ad::cost_of_gradient([](const auto& g) { return g; }, [](const auto& z) { return sum(z * z); }, ad::Var(x)); },
                          {"cost_of_gradient: f returned a tensor of shape (4, 3)"});
}

TEST_CASE("a recorded gradient is walked back through steps of a descent, to its rate and to where it began") {
  const Tensor<double> x = support::Random(5).tensor({4, 3}), y = support::Random(6).tensor({4, 1}), start = support::Random(7).tensor({3, 1});
  const auto train = [&](const auto& w) { return mean(square(tanh(matmul(x, w)) - y)); };
  const auto after = [&](const Tensor<double>& w0, double rate) {
    Tensor<double> w = w0;
    for (int i = 0; i < 3; ++i) w = Tensor<double>(w - rate * ad::gradient(train, w));
    return mean(square(sigmoid(matmul(x, w)) - y));
  };
  ad::Tape tape;
  const ad::Var rate = tape.variable(0.4);
  const ad::Var begin = tape.variable(start);
  ad::Var w = begin;
  for (int i = 0; i < 3; ++i) w = w - rate * ad::recorded_gradient(train, w);
  const ad::Var cost = mean(square(sigmoid(matmul(x, w)) - y));
  CHECK(cost.value() == about(after(start, 0.4)));
  tape.backward(cost);
  const double h = 1e-5;
  CHECK(tape.adjoint(rate) == about((after(start, 0.4 + h) - after(start, 0.4 - h)) / (2 * h), 1e-8));
  Tensor<double> up = start, down = start;
  up[1] += h, down[1] -= h;
  CHECK(tape.adjoint(begin)[1] == about((after(up, 0.4) - after(down, 0.4)) / (2 * h), 1e-8));
  const auto forwards = ad::derivative([&](const auto& r) {  // the same forwards: a gradient at a tensor with a tangent
    const auto w1 = start - r * ad::gradient(train, start);
    const auto w2 = w1 - r * ad::gradient(train, w1);
    const auto w3 = w2 - r * ad::gradient(train, w2);
    return mean(square(sigmoid(matmul(x, w3)) - y));
  }, 0.4);
  CHECK(forwards == about(tape.adjoint(rate)));
}
TEST_CASE("a recorded gradient keeps its function, and refuses what would be lost") {
  ad::Tape tape;
  const ad::Var x = tape.variable(Tensor<double>{1, 2});
  const auto cube = [a = Tensor<double>{3, 4}](const auto& z) { return sum(z * z * z * a); };
  std::optional<ad::Var<double>> cost;
  {
    const auto temporary = cube;
    cost = sum(ad::recorded_gradient(temporary, x));
  }
  tape.backward(*cost);
  CHECK(difference(tape.adjoint(x), Tensor<double>{18, 48}) == "");  // 6 a x
  tape.backward(*cost, 2.0);
  CHECK(difference(tape.adjoint(x), Tensor<double>{36, 96}) == "");
  CHECK(ad::recorded_gradient(cube, ad::Var(Tensor<double>{1, 2})).place() == 0);
  const ad::Var linear = sum(ad::recorded_gradient([](const auto& z) { return sum(z); }, x) + x);
  tape.backward(linear);
  CHECK(difference(tape.adjoint(x), Tensor<double>{1, 1}) == "");
  const ad::Parameter<double> p(Tensor<double>{1, 2});
  const ad::Var other = tape.variable(Tensor<double>{1, 2});
  refuses<ad::TapeError>([&] { (void)ad::recorded_gradient([&](const auto& z) { return sum(z * p.var()); }, x); }, {"parameter of shape (2,)"});
  refuses<ad::TapeError>([&] { (void)ad::recorded_gradient([&](const auto& z) { return sum(z * other); }, x); }, {"belongs to another tape"});
}

TEST_CASE("a function that a walk backwards calls must leave the tape alone that is walked") {
  ad::Tape tape;
  bool walking = false;
  const auto touched_by = [&](const auto& touch) {
    tape.clear();
    const ad::Var x = tape.variable(Tensor<double>{1, 2});
    walking = false;
    const ad::Var<double> cost = sum(ad::recorded_gradient([&](const auto& z) {
      if (walking) touch(x);
      return sum(z * z * z);
    }, x));
    walking = true;
    refuses<ad::TapeError>([&] { tape.backward(cost); }, {"tape: this tape is being walked backwards"});
    walking = false;
    tape.backward(cost);
    CHECK(difference(tape.adjoint(x), Tensor<double>{6, 12}) == "");  // of Σ 3x²
  };
  touched_by([&](const auto&) { (void)tape.variable(1.0); });
  touched_by([&](const auto&) { (void)tape.variables(std::vector<double>(100'000)); });
  touched_by([&](const auto& x) { const auto here = tape.record(); (void)(x * 1.5); });
  touched_by([&](const auto& x) { const auto here = tape.record(); tape.backward(x[0]); });
  touched_by([&](const auto&) { tape.clear(); });
  touched_by([&](const auto&) { tape.rewind(tape.mark()); });
}

TEST_CASE("vjp of a number at a tensor takes its weight") {
  const auto f = [](const auto& x) { return sum(square(x)); };
  CHECK(equal(ad::vjp(f, Tensor<double>{1, 2}, 3.0), Tensor<double>{6, 12}));
}

TEST_CASE("value_and_jacobian of numbers at a tensor gives both") {
  const auto f = [](const auto& x) { return std::vector<ad::Var<double>>{x(0) * x(1), 3 * x(0)}; };
  const auto [value, jacobian] = ad::value_and_jacobian(f, Tensor<double>{2, 5});
  CHECK(value == std::vector<double>{10, 6});
  CHECK(equal(jacobian, Tensor<double>{{5, 2}, {3, 0}}));
}

TEST_CASE("cost_of_gradient gives the parameters of φ their share") {
  const ad::Parameter<double> p(Tensor<double>{3});
  ad::Tape tape;
  const ad::Var x = tape.variable(Tensor<double>{1, 2});
  const ad::Var cost = ad::cost_of_gradient([&](const auto& g) { return sum(p.var()) * sum(g); }, [](const auto& t) { return sum(square(t)); }, x);
  tape.backward(cost);
  CHECK(cost.value() == 18);
  CHECK(tape.adjoint(p)[0] == 6);
  CHECK(equal(tape.adjoint(x), Tensor<double>{6, 6}));
}

TEST_CASE("the tape's Jacobian of many outputs goes through tensors") {
  ad::Tape tape;
  const std::vector x = tape.variables(std::vector<double>{1, 2});
  const ad::Var t = ad::stack(x);
  std::vector<ad::Var<double>> ys;
  for (int i = 0; i < 9; ++i) ys.push_back(sum(t * static_cast<double>(i)));
  const Tensor<double> j = tape.jacobian(ys, x);
  for (std::size_t i = 0; i < 9; ++i) CHECK((j(i, 0) == static_cast<double>(i) && j(i, 1) == static_cast<double>(i)));
}

TEST_CASE("no adjoint is left over from before a Jacobian") {
  ad::Tape tape;
  const ad::Var x = tape.variable(1.0), y = x * x;
  tape.backward(y);
  (void)tape.jacobian(std::vector{y}, std::vector{x});
  CHECK_THROWS_AS((void)tape.adjoint(x), ad::TapeError);
}
