// Costs: their values, their gradients, and what they refuse.
#include <doctest/doctest.h>
#include <nn/nn.hpp>
#include <cmath>
#include <limits>
#include <vector>

namespace ad = autodiff;
namespace nn = autodiff::nn;

namespace {

using Tensor = ad::Tensor<double>;
const Tensor x{{0.5, -1.2, 0.3}, {0.1, 0.9, -0.4}}, target{{0, 1, 0.25}, {1, 0.5, 0}}, probabilities{{0.5, 0.2, 0.9}, {0.1, 0.7, 0.4}};
const Tensor distributions{{0.2, 0.3, 0.5}, {0, 1, 0}};
const std::vector<int> labels{2, 0};
const double not_a_number = std::nan("");

/// The same number and gradient from a Tensor, a Var, a Dual, with a constant target and with one that is a variable.
void check(const auto& cost, const Tensor& at, const Tensor& to, double expected) {
  CHECK(cost(at, to) == doctest::Approx(expected).epsilon(1e-14));
  CHECK_NOTHROW(ad::check_gradient([&](const auto& t) { return cost(t, to); }, at));
  Tensor direction = Tensor::uninitialized(at.shape());
  for (std::size_t i = 0; i < direction.size(); ++i) direction[i] = std::cos(static_cast<double>(i));
  const Tensor g = ad::gradient([&](const auto& t) { return cost(t, to); }, at);
  const auto dual = cost(ad::Dual<ad::Var<Tensor>>(at, direction), to);
  CHECK(ad::plain(dual) == doctest::Approx(expected).epsilon(1e-12));
  CHECK(ad::plain(dual.tangent()) == doctest::Approx(dot(g, direction)).epsilon(1e-12));

  ad::Tape tape;
  const ad::Var v = tape.variable(at);
  const ad::Var t = tape.variable(to);
  const ad::Var composed = cost(v, t);
  CHECK(composed.value() == doctest::Approx(expected).epsilon(1e-12));
  tape.backward(composed);
  for (std::size_t i = 0; i < at.size(); ++i) CHECK(tape.adjoint(v)[i] == doctest::Approx(g[i]).epsilon(1e-12));
}
double bce(double h, double t) { return -t * std::log(h) - (1 - t) * std::log(1 - h); }

}  // namespace

TEST_CASE("mse is the mean of the squares, half_mse half of it") {
  double squares = 0;
  for (std::size_t i = 0; i < 6; ++i) squares += (x[i] - target[i]) * (x[i] - target[i]);
  check([](const auto& a, const auto& b) { return nn::mse(a, b); }, x, target, squares / 6);
  check([](const auto& a, const auto& b) { return nn::half_mse(a, b); }, x, target, squares / 12);
  CHECK(nn::mse(Tensor{{1}, {3}}, {{0}, {0}}) == 5);
}
TEST_CASE("binary cross-entropy from probabilities, and from logits") {
  double sum = 0, logits = 0;
  for (std::size_t i = 0; i < 6; ++i) sum += bce(probabilities[i], target[i]), logits += bce(1 / (1 + std::exp(-x[i])), target[i]);
  check([](const auto& a, const auto& b) { return nn::binary_cross_entropy(a, b); }, probabilities, target, sum / 6);
  check([](const auto& a, const auto& b) { return nn::binary_cross_entropy_with_logits(a, b); }, x, target, logits / 6);
}
TEST_CASE("cross-entropy with labels, and with a distribution for each row") {
  double by_label = 0, by_distribution = 0;
  for (std::size_t i = 0; i < 2; ++i) {
    const double z = std::exp(x[3 * i]) + std::exp(x[3 * i + 1]) + std::exp(x[3 * i + 2]);
    by_label += std::log(z) - x[3 * i + static_cast<std::size_t>(labels[i])];
    for (std::size_t j = 0; j < 3; ++j) by_distribution += distributions[3 * i + j] * (std::log(z) - x[3 * i + j]);
  }
  check([](const auto& a, const auto& b) { return nn::cross_entropy(a, b); }, x, distributions, by_distribution / 2);
  CHECK(nn::cross_entropy(x, labels) == doctest::Approx(by_label / 2).epsilon(1e-14));
  CHECK(nn::cross_entropy(x, std::span<const int>(labels)) == nn::cross_entropy(x, labels));
  CHECK_NOTHROW(ad::check_gradient([](const auto& t) { return nn::cross_entropy(t, labels); }, x));
  CHECK(nn::cross_entropy(x, Tensor{{0, 0, 1}, {1, 0, 0}}) == doctest::Approx(by_label / 2).epsilon(1e-14));
}
TEST_CASE("a cost of a float net is a Var<double>") {
  ad::Tape tape;
  const ad::Var v = tape.variable(x.as<float>());
  static_assert(std::same_as<decltype(nn::mse(v, target.as<float>())), ad::Var<double>>);
  CHECK(nn::binary_cross_entropy(tape.variable(probabilities.as<float>()),
      target.as<float>()).value() == doctest::Approx(nn::binary_cross_entropy(probabilities, target)).epsilon(1e-6));
}
TEST_CASE("from logits nothing overflows, and a wrong answer keeps its slope") {
  const Tensor far{{1000}, {-1000}}, wrong{{0}, {1}};
  ad::Tape tape;
  const ad::Var v = tape.variable(far);
  ad::Var cost = nn::binary_cross_entropy_with_logits(v, wrong);
  CHECK(cost.value() == 1000);
  tape.backward(cost);
  CHECK(equal(tape.adjoint(v), Tensor{{0.5}, {-0.5}}));
  const ad::Var w = tape.variable(Tensor{{1000, 0}, {0, -1000}});
  cost = nn::cross_entropy(w, std::vector<int>{1, 1});
  CHECK(cost.value() == 1000);
  tape.backward(cost);
  CHECK(equal(tape.adjoint(w), Tensor{{0.5, -0.5}, {0.5, -0.5}}));
}
TEST_CASE("a logit that is right far out has a slope with all its digits, in every mode") {
  for (const double z : {18.0, 30.0, 40.0, 90.0}) {  // as shares of σ(−z): Approx lets every tiny number pass
    const Tensor logits{z, -z}, truth{1, 0};
    const double small = 1 / (1 + std::exp(z));
    const auto cost = [&](const auto& t) { return nn::binary_cross_entropy_with_logits(t, truth); };
    const Tensor g = ad::gradient(cost, logits);
    CHECK(g[0] / small == doctest::Approx(-0.5).epsilon(1e-12));
    CHECK(g[1] / small == doctest::Approx(0.5).epsilon(1e-12));
    CHECK(ad::jvp(cost, logits, Tensor{1, 0}) / small == doctest::Approx(-0.5).epsilon(1e-12));
    CHECK(ad::jvp(cost, logits, Tensor{0, 1}) / small == doctest::Approx(0.5).epsilon(1e-12));
    const auto of_floats = [&](const auto& t) { return nn::binary_cross_entropy_with_logits(t, ad::Tensor<float>{1, 0}); };
    const float of_float = ad::gradient(of_floats, ad::Tensor<float>{static_cast<float>(z), 0})[0];
    if (z < 80) CHECK(static_cast<double>(of_float) / small == doctest::Approx(-0.5).epsilon(1e-5));
  }
}
TEST_CASE("a probability that is exactly right has the slope of −log") {
  const auto slope = [](double h, double t) {
    return ad::gradient([&](const auto& p) { return nn::binary_cross_entropy(p, Tensor{t}); }, Tensor{h})[0];
  };
  CHECK(slope(0, 0) == 1);
  CHECK(slope(1, 1) == -1);
  CHECK(slope(1e-306, 0) == 1);
  CHECK(slope(0.25, 1) == -4);
}
TEST_CASE("sigmoid and binary cross-entropy together have the slope (h − y)/n, far out too") {
  const auto check_slope = []<class T>(T z, T t, double tolerance) {
    ad::Tape tape;
    const ad::Var v = tape.variable(ad::Tensor<T>{z, z});
    const ad::Var h = sigmoid(v);
    const ad::Var cost = nn::binary_cross_entropy(h, ad::Tensor<T>{t, t});
    tape.backward(cost);
    const T slope = (h.value()[0] - t) / 2;
    if (slope == 0) CHECK(tape.adjoint(v)[0] == 0); else CHECK(tape.adjoint(v)[0] / slope == doctest::Approx(1).epsilon(tolerance));
  };
  for (const double z : {-700.0, -40.0, -3.0, 0.0, 0.1, 20.0, 36.0})
    for (const double t : {0.0, 0.5, 1.0}) check_slope(z, t, 1e-12);
  for (const float z : {-80.0f, -17.0f, 0.0f, 3.0f, 15.0f})
    for (const float t : {0.0f, 1.0f}) check_slope(z, t, 1e-5);
}
TEST_CASE("a probability of exactly 0 or 1 costs much, not infinitely much") {
  CHECK(nn::binary_cross_entropy(Tensor{{0}}, Tensor{{0}}) == 0);
  CHECK(nn::binary_cross_entropy(Tensor{{1}}, Tensor{{1}}) == 0);
  CHECK(nn::binary_cross_entropy(Tensor{{0}}, Tensor{{1}}) == doctest::Approx(708.396));
  CHECK(nn::binary_cross_entropy(Tensor{{1}}, Tensor{{0}}) == doctest::Approx(708.396));
  CHECK(nn::binary_cross_entropy(ad::Tensor<float>{{0}}, ad::Tensor<float>{{1}}) == doctest::Approx(87.3365));
  ad::Tape tape;
  const ad::Var h = tape.variable(Tensor{{0}, {1}});
  const ad::Var cost = nn::binary_cross_entropy(h, Tensor{{1}, {0}});
  tape.backward(cost);
  for (const double g : tape.adjoint(h)) CHECK(std::isfinite(g));
  const ad::Var composed = nn::binary_cross_entropy(h, tape.variable(Tensor{{1}, {0}}));  // targets that are variables, too: as much, and as steep
  CHECK(composed.value() == doctest::Approx(708.396));
  tape.backward(composed);
  CHECK(tape.adjoint(h)[0] < -1e300);
  CHECK(tape.adjoint(h)[1] > 1e300);
  CHECK(ad::jvp([](const auto& p) { return nn::binary_cross_entropy(p, Tensor{1}); }, Tensor{0}, Tensor{1}) < -1e300);
}
TEST_CASE("a tiny probability costs what it should, whatever the target is") {
  CHECK(nn::binary_cross_entropy(Tensor{1e-20}, Tensor{0}) / 1e-20 == doctest::Approx(1));
  CHECK(nn::binary_cross_entropy(Tensor{1e-12}, Tensor{0}) / 1e-12 == doctest::Approx(1).epsilon(1e-9));
  CHECK(nn::binary_cross_entropy(ad::Dual<ad::Var<Tensor>>(Tensor{1e-20}, Tensor{1}), Tensor{0}).value().value() / 1e-20 == doctest::Approx(1));
  CHECK(ad::jvp([](const auto& p) { return nn::binary_cross_entropy(p, Tensor{0}); }, Tensor{1e-20}, Tensor{1}) == doctest::Approx(1));
}
TEST_CASE("NaN among the outputs passes into the cost") {
  CHECK(std::isnan(nn::mse(Tensor{not_a_number, 1}, {0, 1})));
  CHECK(std::isnan(nn::binary_cross_entropy(Tensor{not_a_number, 0.5}, {0, 1})));
  CHECK(std::isnan(nn::binary_cross_entropy(Tensor{not_a_number, 0.5}, {1, 1})));
  CHECK(std::isnan(nn::binary_cross_entropy_with_logits(Tensor{not_a_number, 0.5}, {0, 1})));
  CHECK(std::isnan(nn::cross_entropy(Tensor{{not_a_number, 0.5}}, std::vector<int>{1})));
}
TEST_CASE("costs say what does not fit") {
  CHECK_THROWS_WITH_AS(nn::mse(x, Tensor::ones({6})), "mse: outputs (2, 3) against targets (6,): give them one shape", ad::ShapeError);
  CHECK_THROWS_AS(nn::half_mse(Tensor::ones({4, 1}), Tensor::ones({4})), ad::ShapeError);
  CHECK_THROWS_AS(nn::mse(Tensor(), Tensor()), ad::ShapeError);
  CHECK_THROWS_AS(nn::binary_cross_entropy(probabilities, Tensor::ones({6})), ad::ShapeError);
  CHECK_THROWS_AS(nn::binary_cross_entropy_with_logits(x, Tensor::ones({6})), ad::ShapeError);
  CHECK_THROWS_AS(nn::cross_entropy(x, Tensor::ones({6})), ad::ShapeError);
  CHECK_THROWS_AS(nn::cross_entropy(x, Tensor::ones({3, 2})), ad::ShapeError);
  CHECK_THROWS_WITH_AS(nn::cross_entropy(x, Tensor{0, 2}), "cross_entropy: the targets have shape (2,), one number for each row; give labels as a "
      "std::vector<int>, or a distribution for each row", ad::ShapeError);
  CHECK_THROWS_WITH_AS(nn::cross_entropy(x, std::vector<int>{0, 3}), "cross_entropy: label 3 of row 1 is outside of 0 to 2",
      ad::ShapeError);
  CHECK_THROWS_WITH_AS(nn::cross_entropy(x, std::vector<int>{-1, 2}), "cross_entropy: label -1 of row 0 is outside of 0 to 2",
      ad::ShapeError);
  CHECK_THROWS_AS(nn::cross_entropy(x, std::vector<int>{0}), ad::ShapeError);
}
TEST_CASE("costs refuse what is no probability") {
  CHECK_THROWS_WITH_AS(nn::binary_cross_entropy(x, target),
      "binary_cross_entropy: output 1 is -1.2, outside of 0 to 1; end the net with a Sigmoid, or use binary_cross_entropy_with_logits",
      ad::Error);
  CHECK_THROWS_WITH_AS(nn::binary_cross_entropy(probabilities, Tensor::full({2, 3}, 2)),
      "binary_cross_entropy: target 0 is 2, outside of 0 to 1; a target is a probability", ad::Error);
  CHECK_THROWS_AS(nn::binary_cross_entropy_with_logits(x, Tensor::full({2, 3}, -1)), ad::Error);
  CHECK_THROWS_AS(nn::binary_cross_entropy_with_logits(x, Tensor::full({2, 3}, not_a_number)), ad::Error);
  CHECK_THROWS_WITH_AS(nn::cross_entropy(x, Tensor::full({2, 3}, 0.5)),
      "cross_entropy: row 0 of the targets sums to 1.5; each row is a distribution and sums to 1 (for class numbers pass a "
      "std::vector<int>)", ad::Error);
  CHECK_THROWS_AS(nn::cross_entropy(Tensor{{1, 2}}, Tensor{{0.5, 0.51}}), ad::Error);
  ad::Tape tape;
  const ad::Var t = tape.variable(target), twos = tape.variable(Tensor::full({2, 3}, 2));
  CHECK_THROWS_AS(nn::binary_cross_entropy(x, t), ad::Error);
  CHECK_THROWS_AS(nn::binary_cross_entropy(probabilities, twos), ad::Error);
  CHECK_THROWS_AS(nn::binary_cross_entropy_with_logits(x, twos), ad::Error);
}
TEST_CASE("the rows of a cross-entropy are all that stand before the last axis") {
  const Tensor logits = reshape(Tensor{0.5, -1.2, 0.3, 0.1, 0.9, -0.4, 0.5, -1.2, 0.3, 0.1, 0.9, -0.4}, {2, 2, 3});
  const Tensor rows = broadcast_to(distributions, {2, 2, 3});
  CHECK(nn::cross_entropy(logits, rows) == doctest::Approx(nn::cross_entropy(x, distributions)));
}
TEST_CASE("a cross-entropy with a factor trains on where the output is exactly 1") {
  using Float = ad::Tensor<float>;
  nn::Sequential net{nn::Linear(1, 1), nn::Sigmoid{}};
  std::get<0>(net.layers).weight.assign(Float{{20}});
  ad::Tape tape;
  const ad::Var cost = 10 * nn::binary_cross_entropy(net(Float{{1}}), Float{{0}});
  tape.backward(cost);
  CHECK(std::isfinite(std::get<0>(net.layers).weight.adjoint()[0]));
}
TEST_CASE("labels may be of any integer type") {
  const ad::Tensor<double> logits{{1, 2, 3}, {3, 2, 1}};
  const double expected = nn::cross_entropy(logits, std::vector<int>{2, 0});
  CHECK(nn::cross_entropy(logits, std::vector<long>{2, 0}) == expected);
  CHECK(nn::cross_entropy(logits, std::vector<unsigned char>{2, 0}) == expected);
  CHECK(nn::cross_entropy(logits, std::array<char, 2>{2, 0}) == expected);
  CHECK(nn::cross_entropy(logits, {2, 0}) == expected);
  const std::vector<long> many{2, 0};
  CHECK(nn::cross_entropy(logits, std::span<const long>(many)) == expected);
  CHECK_THROWS_WITH_AS((void)nn::cross_entropy(logits, std::vector<long>{1L << 40, 0}),
      doctest::Contains("label 1099511627776 of row 0"), ad::ShapeError);
}

TEST_CASE("the cross entropy of an infinite logit") {
  CHECK(nn::cross_entropy(Tensor{{HUGE_VAL, 0}}, {1}) == HUGE_VAL);
}

TEST_CASE("the cross entropy of many rows is the mean of theirs") {
  const std::size_t m = 1000, n = 10;
  auto logits = Tensor::uninitialized({m, n});
  std::vector<int> classes(m);
  for (std::size_t i = 0; i < logits.size(); ++i) logits[i] = std::sin(static_cast<double>(i));
  for (std::size_t i = 0; i < m; ++i) classes[i] = static_cast<int>(i % n);
  double total = 0;
  for (std::size_t i = 0; i < m; ++i) total += nn::cross_entropy(logits.rows(i, i + 1), std::vector<int>{classes[i]});
  CHECK(nn::cross_entropy(logits, classes) == doctest::Approx(total / static_cast<double>(m)).epsilon(1e-12));
  const auto f = [&](const auto& t) { return nn::cross_entropy(t, classes); };
  const Tensor slopes = ad::gradient(f, logits) * static_cast<double>(m), p = softmax(logits);
  for (std::size_t i = 0; i < logits.size(); ++i) REQUIRE(slopes[i] == doctest::Approx(p[i] - (i % n == i / n % n)).epsilon(1e-12));
}

TEST_CASE("the error of some rows of a table leaves the rest out") {
  const Tensor outputs{1, 2, 3, 4, 5}, wanted{1, 2, 4, 40, 50};
  CHECK(nn::mse(outputs.rows(0, 3), wanted.rows(0, 3)) == doctest::Approx(1.0 / 3));
}

TEST_CASE("outputs above 1 are refused") {
  CHECK_THROWS_WITH_AS(nn::binary_cross_entropy(Tensor{0.5, 1.5}, {0, 1}), doctest::Contains("output 1 is 1.5, outside of 0 to 1"), ad::Error);
}

TEST_CASE("targets that are no probabilities are refused") {
  CHECK_THROWS_WITH_AS(nn::cross_entropy(Tensor{{1, 2}}, Tensor{{1.5, -0.5}}), doctest::Contains("target 0 is 1.5"), ad::Error);
}

TEST_CASE("binary_cross_entropy of a million samples keeps its digits") {
  const std::size_t n = 1'000'000;
  const auto h = ad::Tensor<double>::full(ad::Shape({n}), 0.3), t = ad::Tensor<double>::full(ad::Shape({n}), 1.0);
  CHECK(std::abs(nn::binary_cross_entropy(h, t) / -std::log(0.3) - 1) <= 4e-15);
}
