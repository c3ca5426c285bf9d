// Fused operations against the compositions that they stand for: values, all adjoints, forward mode, and what they refuse.
#include "support.hpp"

using ad::Parameter;
using ad::Shape;
using ad::Tensor;
using support::about;
using support::difference;
using support::infinity;
using support::Number;
using support::refuses;
using support::verify;

namespace {
support::Random random_numbers(14);
Tensor<double> some(const Shape& shape, double low = -1, double high = 1) { return random_numbers.tensor(shape, low, high); }

/// layer<Rule> against Rule(x·w + b), in values and in the adjoints of all three.
template <class Rule, class T> void same_as_composed(const Shape& shape, std::size_t outputs) {
  CAPTURE(std::string(Rule::row.name));
  CAPTURE(shape.text());
  const double tolerance = std::is_same_v<T, float> ? 1e-5 : 1e-12;
  ad::Tape tape;
  const ad::Var x = tape.variable(random_numbers.tensor<T>(shape, -1, 1));
  const ad::Var w = tape.variable(random_numbers.tensor<T>({shape.columns(), outputs}, -1, 1));
  const ad::Var b = tape.variable(random_numbers.tensor<T>({outputs}, -1, 1));
  const ad::Var fused = ad::layer<Rule>(x, w, b);
  const ad::Var composed = ad::apply<Rule>(matmul(x, w) + b);
  CHECK(difference(fused.value(), composed.value(), tolerance) == "");
  const auto weights = random_numbers.tensor<T>(fused.shape(), -1, 1);
  tape.backward(fused, weights);
  const auto gx = tape.adjoint(x), gw = tape.adjoint(w), gb = tape.adjoint(b);
  tape.backward(composed, weights);
  CHECK(difference(gx, tape.adjoint(x), tolerance) == "");
  CHECK(difference(gw, tape.adjoint(w), tolerance) == "");
  CHECK(difference(gb, tape.adjoint(b), tolerance) == "");
}
}  // namespace

TEST_CASE("a layer is the product, the bias and the activation") {
  for (const Shape& s : {Shape({4, 3}), Shape({3}), Shape({1, 1}), Shape({2, 2, 5}), Shape({17, 20}), Shape({0, 3}), Shape({2, 0})})
    for (const std::size_t outputs : {1u, 3u, 18u}) {
      same_as_composed<ad::Identity, double>(s, outputs);
      same_as_composed<ad::Sigmoid, double>(s, outputs);
      same_as_composed<ad::Tanh, float>(s, outputs);
      same_as_composed<ad::Relu, float>(s, outputs);
    }
}

TEST_CASE("a layer is differentiated in every mode, in every operand") {
  const auto x = some({5, 2}), w = some({2, 3}), b = some({3});
  verify("layer, x", [&](auto t) { return sum(square(ad::layer<ad::Sigmoid>(t, w, b))); }, x);
  verify("layer, bare", [&](auto t) { return sum(square(ad::layer(t, w, b))); }, x);
  verify("layer, w", [&](auto t) { return sum(square(ad::layer<ad::Tanh>(x, t, b))); }, w);
  verify("layer, bias", [&](auto t) { return sum(square(ad::layer<ad::Tanh>(x, w, t))); }, b);
  ad::check_gradient([&](auto t) { return sum(ad::layer<ad::Softplus>(t, t, slice(reshape(t, {4}), 0, 0, 2))); }, some({2, 2}));
  for (const std::size_t n : {1u, 3u, 20u}) {  // one variable as input and weights
    const auto bias = some({n});
    const auto fused = ad::gradient([&](auto t) { return sum(square(ad::layer<ad::Tanh>(t, t, bias))); }, some({n, n}) * 0.0 + 0.1);
    CHECK(difference(fused, ad::gradient([&](auto t) { return sum(square(tanh(matmul(t, t) + bias))); }, some({n, n}) * 0.0 + 0.1)) == "");
  }
}

TEST_CASE("the weights of a layer may be parameters, and its input a constant") {
  const Parameter<double> w(some({2, 3})), b(some({3}));
  const auto x = some({4, 2});
  ad::Tape tape;
  const ad::Var y = sum(square(ad::layer<ad::Sigmoid>(x, w, b)));
  tape.backward(y);
  const auto expected = ad::gradient([&](auto t) { return sum(square(sigmoid(matmul(x, t) + b.value()))); }, w.value());
  CHECK(difference(Tensor<double>::from(std::vector<double>(w.adjoint(), w.adjoint() + 6), {2, 3}), expected) == "");
  const ad::Pause pause;
  static_assert(std::is_same_v<decltype(ad::layer<ad::Sigmoid>(x, w.value(), b.value())), Tensor<double>>);
  CHECK(sum(square(ad::layer<ad::Sigmoid>(x, w, b))).value() == about(y.value()));
}

TEST_CASE("a layer refuses what does not fit") {
  const auto x = some({4, 2});
  refuses<ad::ShapeError>([&] { (void)ad::layer(x, some({3, 2}), some({2})); }, {"linear: inner sizes differ: (4, 2) x (3, 2): 2 != 3"});
  refuses<ad::ShapeError>([&] { (void)ad::layer(x, some({2}), some({2})); }, {"the weights have shape (2,)", "two axes"});
  refuses<ad::ShapeError>([&] { (void)ad::layer(x, some({2, 3}), some({2})); }, {"the bias has shape (2,)", "3 outputs take (3,)"});
  refuses<ad::ShapeError>([&] { (void)ad::layer(x, some({2, 3}), some({1, 3})); }, {"bias"});
  refuses<ad::ShapeError>([&] { (void)ad::layer(some({}), some({2, 3}), some({3})); }, {"the input has shape (), one number; give it an axis of 2"});
}

TEST_CASE("costs are what they say, differentiated in every mode") {
  const std::vector<std::int32_t> labels{0, 2, 1, 1};
  const auto target = some({4, 3}, 0, 1);
  const auto x = some({4, 3}, -2, 2);
  double expected = 0;
  const auto p = log_softmax(x);
  for (std::size_t i = 0; i < 4; ++i) expected -= p(i, static_cast<std::size_t>(labels[i])) / 4;
  CHECK(ad::softmax_cross_entropy(x, labels) == about(expected));
  CHECK(ad::logistic_cross_entropy(x, target) == about(mean(softplus(x) - x * target)));
  CHECK(ad::squared_error(x, target, 0.25) == about(0.25 * sum(square(x - target))));
  verify("cross entropy", [&](auto t) { return ad::softmax_cross_entropy(t, labels); }, x);
  verify("cross entropy, scaled and squared", [&](auto t) { return square(ad::softmax_cross_entropy(t * 2.0, labels)) * 3.0; }, x);
  verify("logistic", [&](auto t) { return ad::logistic_cross_entropy(t, target); }, x);
  verify("logistic, twice", [&](auto t) { return ad::logistic_cross_entropy(t, target) + ad::logistic_cross_entropy(t, target) * 2.0; }, x);
  verify("squared error", [&](auto t) { return ad::squared_error(t, target, 0.25); }, x);
  verify("squared error, and more of x", [&](auto t) { return ad::squared_error(t, target, 0.25) + sum(t * t); }, x);
  const auto xf = x.as<float>(), tf = target.as<float>();
  verify("float", [&](auto t) {
    return ad::softmax_cross_entropy(t, labels) + ad::logistic_cross_entropy(t, tf) + ad::squared_error(t, tf, 0.5);
  }, xf);
}

TEST_CASE("the gradient that a cost keeps is right for every seed, however often, and after a rewind") {
  const auto target = some({3, 2}, 0, 1);
  ad::Tape tape;
  const ad::Var x = tape.variable(some({3, 2}));
  const auto expected = ad::gradient([&](auto t) { return sum(square(t - target)); }, x.value());
  const auto mark = tape.mark();
  for (int round = 0; round < 4; ++round) {
    tape.rewind(mark);
    ad::Var<Tensor<double>> noise = x;
    for (int i = 0; i < round; ++i) noise = exp(noise * 0.1);
    const ad::Var cost = ad::squared_error(x, target, 1);
    const ad::Var both = cost * 2.0 + sum(noise) * 0.0;
    tape.backward(cost);
    CHECK(difference(tape.adjoint(x), expected) == "");
    tape.backward(cost);
    CHECK(difference(tape.adjoint(x), expected) == "");
    tape.backward(both);
    CHECK(difference(tape.adjoint(x), expected * 2.0) == "");
    tape.backward({cost, both}, {1.0, -0.5});
    CHECK(difference(tape.adjoint(x), expected * 0.0) == "");
    tape.backward(cost);
    CHECK(difference(tape.adjoint(x), expected) == "");
  }
}

TEST_CASE("the gradient that a cost keeps is not touched by other uses of its argument, however often one walks backwards") {
  const auto target = some({3, 2}, 0, 1);
  ad::Tape tape;
  const ad::Var x = tape.variable(some({3, 2}));
  const auto expected = 4.0 * (x.value() - target) + 6.0 * x.value() + 1.0;
  const ad::Var before = sum(x * x) * 2.0;
  const ad::Var cost = ad::squared_error(x, target, 1) + ad::squared_error(x, target, 1);
  const ad::Var after = sum(x * x) + sum(x);
  for (int round = 0; round < 4; ++round) {
    tape.backward(before + cost + after);
    CHECK(difference(tape.adjoint(x), expected) == "");
    tape.backward(cost);
    CHECK(difference(tape.adjoint(x), 4.0 * (x.value() - target)) == "");
  }
}

TEST_CASE("a class that is masked with -infinity costs nothing, in any mode") {
  const Tensor<double> x{{0, -infinity, 1}}, v{{1, 1, 3}};
  const auto cost = [labels = std::vector<std::int32_t>{0}](const auto& t) { return ad::softmax_cross_entropy(t, labels); };
  const double expected = std::log1p(std::exp(1.0)), share = 1 / (1 + std::exp(-1.0));
  CHECK(cost(x) == about(expected));
  CHECK(ad::value_and_gradient(cost, x).value == about(expected));
  const auto [value, tangent] = ad::value_and_jvp(cost, x, v);
  CHECK(value == about(expected));
  CHECK(tangent == about(2 * share));
}

TEST_CASE("costs neither overflow nor hide a NaN") {
  const Tensor<double> x{{1000, -1000}};
  CHECK(ad::softmax_cross_entropy(x, std::vector<std::int32_t>{0}) == 0);
  CHECK(ad::softmax_cross_entropy(x, std::vector<std::int32_t>{1}) == about(2000));
  CHECK(ad::logistic_cross_entropy(x, Tensor<double>{{1, 0}}) == 0);
  CHECK(ad::logistic_cross_entropy(x, Tensor<double>{{0, 1}}) == about(1000));
  CHECK(std::isnan(ad::logistic_cross_entropy(Tensor<double>{support::not_a_number}, Tensor<double>{1})));
  CHECK(std::isnan(ad::squared_error(Tensor<double>{support::not_a_number}, Tensor<double>{1}, 1)));
  CHECK(std::isnan(ad::softmax_cross_entropy(Tensor<double>{{support::not_a_number, 1}}, std::vector<std::int32_t>{1})));
}

TEST_CASE("costs refuse targets that do not fit") {
  const auto x = some({2, 3});
  using Labels = std::vector<std::int32_t>;
  refuses<ad::ShapeError>([&] { (void)ad::softmax_cross_entropy(x, Labels{0}); }, {"softmax_cross_entropy: logits (2, 3) have 2 rows", "1 labels"});
  refuses<ad::ShapeError>([&] { (void)ad::softmax_cross_entropy(x, Labels{0, 3}); }, {"label 3 of row 1", "0 to 2"});
  refuses<ad::ShapeError>([&] { (void)ad::softmax_cross_entropy(x, Labels{-1, 0}); }, {"label -1 of row 0"});
  refuses<ad::ShapeError>([&] { (void)ad::softmax_cross_entropy(some({0, 3}), Labels{}); }, {"softmax_cross_entropy: no rows to compare", "(0, 3)"});
  refuses<ad::ShapeError>([&] { (void)ad::softmax_cross_entropy(some({}), Labels{0}); }, {"()"});
  refuses<ad::ShapeError>([&] { (void)ad::logistic_cross_entropy(x, some({3, 2})); },
      {"logistic_cross_entropy: outputs (2, 3) against targets (3, 2)"});
  refuses<ad::ShapeError>([&] { (void)ad::squared_error(x, some({2}), 1); }, {"squared_error: outputs (2, 3) against targets (2,)"});
  refuses<ad::ShapeError>([&] { (void)ad::squared_error(Tensor<double>{}, Tensor<double>{}, 1); }, {"no numbers to compare", "(0,)"});
}

TEST_CASE("forward mode refuses what the tape refuses") {
  const Tensor<double> x{{1}, {2}, {3}}, v = Tensor<double>::ones({3, 1}), flat{1, 0, 1};
  refuses<ad::ShapeError>([&] { (void)ad::jvp([&](const auto& at) { return ad::logistic_cross_entropy(at, flat); }, x, v); },
                          {"outputs (3, 1) against targets (3,)"});
  refuses<ad::ShapeError>([&] { (void)ad::jvp([&](const auto& at) { return ad::squared_error(at, flat, 0.5); }, x, v); },
      {"outputs (3, 1) against targets (3,)"});
  const Tensor<double> w{{1, 2}}, column{{1}, {2}, {3}};
  refuses<ad::ShapeError>([&] { (void)ad::jvp([&](const auto& at) { return sum(ad::layer<ad::Sigmoid>(at, w, column)); }, x, v); },
      {"the bias has shape (3, 1)"});
}

TEST_CASE("a bias of two axes is refused") {
  refuses<ad::ShapeError>([&] { (void)ad::layer(Tensor<double>{{1, 2}}, Tensor<double>::ones({2, 3}), Tensor<double>::ones({3, 1})); }, {"the bias has shape (3, 1)"});
}

TEST_CASE("a variable that stands twice in a layer gets both shares") {
  const auto f = [](const auto& x) { return sum(square(ad::layer(x, x, Tensor<double>{1, 2}))); };
  CHECK_NOTHROW(ad::check_gradient(f, Tensor<double>{{1, 2}, {3, 4}}));
  const auto g = [](const auto& x) { return sum(square(ad::layer(x, Tensor<double>{{1, 2}, {3, 4}}, x))); };
  CHECK_NOTHROW(ad::check_gradient(g, Tensor<double>{1, 2}));
}

TEST_CASE("a bias that is used elsewhere, too, gets both adjoints") {
  const Tensor<double> x{{1, 2}, {3, 4}}, w{{1, 0}, {0, 1}};
  const auto f = [&](const auto& b) { const auto y = ad::layer<ad::Identity>(x, w, b); return sum(b) + sum(y); };
  CHECK(equal(ad::gradient(f, Tensor<double>{1, 2}), Tensor<double>{3, 3}));
}

TEST_CASE("logits of no classes are refused") {
  const std::vector<std::int32_t> labels{0, 0};
  refuses<ad::ShapeError>([&] { (void)ad::softmax_cross_entropy(Tensor<double>::zeros({2, 0}), labels); }, {"the logits (2, 0) have no classes"});
}
