// Layers: what they compute, their gradients, what is fused, and what happens while nothing records.
#include <doctest/doctest.h>
#include <nn/nn.hpp>
#include <cmath>
#include <string>
#include <thread>
#include <vector>

namespace ad = autodiff;
namespace nn = autodiff::nn;

namespace {

using Tensor = ad::Tensor<double>;
const Tensor inputs{{0.5, -1.2}, {0.1, 0.9}, {-0.7, 0.3}, {1.4, 0.2}, {-0.3, -0.8}};

/// Σ wᵢ yᵢ with uneven weights, so that no entry of the result is missed.
auto weighed(const auto& y) {
  Tensor w = Tensor::uninitialized(ad::plain(y).shape());
  for (std::size_t i = 0; i < w.size(); ++i) w[i] = std::sin(1.0 + 2.0 * static_cast<double>(i));
  return dot(y, w);
}
/// The gradient in the layer's input, against finite differences.
void check_input(const auto& layer, const Tensor& x = inputs) {
  CHECK_NOTHROW(ad::check_gradient([&](const auto& t) { return weighed(layer(t)); }, x));
}
/// The gradient in every parameter, against central differences.
void check_parameters(auto& net, const Tensor& x = inputs) {
  ad::Tape tape;
  ad::Var cost = weighed(net(x));
  tape.backward(cost);
  std::vector<Tensor> adjoints;
  nn::for_each_parameter(net, [&](auto& p) {
    REQUIRE(p.adjoint());
    adjoints.push_back(Tensor::from(std::span<const double>(p.adjoint(), p.size()), p.shape()));
  });
  tape.clear();
  const ad::Pause pause;
  std::size_t i = 0;
  nn::for_each_parameter(net, [&](auto& p) {
    const Tensor at = p.value();
    for (std::size_t k = 0; k < at.size(); ++k) {
      const auto moved = [&](double h) { Tensor t = at.clone(); t[k] += h; p.assign(t); return weighed(net(x)).value(); };
      CHECK(adjoints[i][k] == doctest::Approx((moved(1e-5) - moved(-1e-5)) / 2e-5).epsilon(1e-7));
    }
    p.assign(at);
    ++i;
  });
}
/// A layer by itself, unknown to Sequential's pairing.
template <class Layer> struct Apart {
  Layer layer;
  auto operator()(const auto& x) const { return layer(x); }
};
/// A layer of one's own.
struct Residual {
  nn::Linear<double> inside;
  auto operator()(const auto& x) const { return x + tanh(inside(x)); }
};
/// Derived from layers of the library, with calls of their own.
struct Scaled : nn::Linear<double> {
  ad::Parameter<double> gain{Tensor{10}};
  Scaled() : Linear(2, 2) { weight.assign({{1, 0}, {0, 1}}); }
  [[maybe_unused]] static constexpr const char* field_names[] = {"weight", "bias", "gain"};
  auto fields() { return std::tie(weight, bias, gain); }
  auto operator()(const auto& x) const { return Linear::operator()(x) * gain.var(); }
};
struct Leaky : nn::Relu {
  auto operator()(const auto& x) const { return nn::Relu::operator()(x) + 0.1 * x; }
};

}  // namespace

TEST_CASE("a layer derived from one of the library is called, recorded or not") {
  const Tensor x{{1, -2}};
  nn::Linear<double> same(2, 2);
  same.weight.assign({{1, 0}, {0, 1}});
  const auto agrees = [&](const auto& net, const Tensor& expected) {
    const auto near = [&] { return sum(abs(net(x).value() - expected)) < 1e-12; };
    CHECK(near());
    const ad::Tape tape;
    CHECK(near());
  };
  agrees(nn::Sequential{Scaled{}, same}, {{10, -20}});
  agrees(nn::Sequential{Scaled{}, nn::Sigmoid{}}, sigmoid(Tensor{{10, -20}}));
  agrees(nn::Sequential{same, Leaky{}}, {{1.1, -0.2}});
}

TEST_CASE("a linear layer is x·w + b") {
  nn::Linear<double> layer(2, 3);
  CHECK(layer.inputs() == 2);
  CHECK(layer.outputs() == 3);
  layer.weight.assign({{1, 2, 3}, {4, 5, 6}});
  layer.bias.assign({0.1, 0.2, 0.3});
  CHECK(equal(layer(Tensor{{1, 10}}).value(), Tensor{{41.1, 52.2, 63.3}}));
  CHECK(layer(Tensor::ones({4, 5, 2})).shape() == ad::Shape({4, 5, 3}));
  static_assert(std::same_as<decltype(nn::Linear(2, 3)), nn::Linear<float>>);
}
TEST_CASE("a linear layer says what does not fit") {
  const nn::Linear<double> layer(2, 3);
  CHECK_THROWS_WITH_AS(layer(Tensor::ones({4, 3})), "linear: inner sizes differ: (4, 3) x (2, 3): 3 != 2", ad::ShapeError);
  CHECK_THROWS_WITH_AS(nn::Linear(0, 3), "linear: 0 inputs; give at least 1", ad::ShapeError);
  CHECK_THROWS_WITH_AS(nn::Linear(2, -1), "linear: -1 outputs; give at least 1", ad::ShapeError);
}
TEST_CASE("gradients of every layer agree with finite differences") {
  nn::Linear<double> linear(2, 3);
  nn::initialize(linear, 5, nn::xavier_normal.with_biases());
  check_input(linear);
  check_parameters(linear);
  check_input(nn::Sigmoid{});
  check_input(nn::Tanh{});
  check_input(nn::Relu{});
  check_input(nn::Gelu{});
  check_input(nn::Silu{});
  check_input(nn::Softplus{});
  check_input(nn::Softmax{});
}
TEST_CASE("gradients of every fused pair agree with finite differences") {
  const auto check = [](auto activation) {
    nn::Sequential net{nn::Linear<double>(2, 4), activation, nn::Linear<double>(4, 3), activation};
    nn::initialize(net, 3, nn::xavier_normal.with_biases());
    check_input(net);
    check_parameters(net);
  };
  check(nn::Sigmoid{});
  check(nn::Tanh{});
  check(nn::Softplus{});
  check(nn::Gelu{});
  check(nn::Softmax{});
}
TEST_CASE("a fused pair computes what its layers compute apart") {
  const auto check = [](auto activation) {
    nn::Linear<float> linear(7, 5);
    nn::initialize(linear, 2, nn::he_normal.with_biases());
    nn::Sequential pair{linear, activation};
    nn::Sequential apart{linear, Apart<decltype(activation)>{activation}};
    ad::Tensor<float> x = ad::Tensor<float>::uninitialized({9, 7});
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = std::cos(static_cast<float>(i));
    ad::Tape tape;
    const ad::Var fused = pair(x), plain = apart(x);
    CHECK(tape.statistics().nodes == 3);  // one, and two
    for (std::size_t i = 0; i < fused.size(); ++i) CHECK(fused.value()[i] == doctest::Approx(plain.value()[i]).epsilon(1e-6));
    const ad::Var both = sum(square(fused)) - sum(square(plain));
    tape.backward(both);
    const nn::Linear<float>&p = std::get<0>(pair.layers), &q = std::get<0>(apart.layers);
    for (std::size_t i = 0; i < p.weight.size(); ++i) CHECK(p.weight.adjoint()[i] == doctest::Approx(-q.weight.adjoint()[i]).epsilon(1e-4));
  };
  check(nn::Sigmoid{});
  check(nn::Tanh{});
  check(nn::Relu{});
  check(nn::Softplus{});
}
TEST_CASE("a net computes the same with a tape and without") {
  nn::Sequential net{nn::Linear<double>(2, 3), nn::Sigmoid{}, nn::Sequential{nn::Gelu{}, nn::Linear<double>(3, 3)}, nn::Softmax{}};
  nn::initialize(net, 8);
  const ad::Var apart = net(inputs);
  static_assert(std::same_as<decltype(net(inputs)), ad::Var<Tensor>>);
  CHECK(apart.place() == 0);
  ad::Tape tape;
  const ad::Var recorded = net(inputs);
  CHECK(recorded.place() != 0);
  CHECK(equal(recorded.value(), apart.value()));
  const ad::Pause pause;
  const std::size_t nodes = tape.statistics().nodes;
  CHECK(equal(net(inputs).value(), apart.value()));
  CHECK(tape.statistics().nodes == nodes);
}
TEST_CASE("a net that is a variable's function hands the adjoint through") {
  nn::Sequential net{nn::Linear<double>(2, 3), nn::Tanh{}, nn::Linear<double>(3, 1)};
  nn::initialize(net, 8);
  CHECK_NOTHROW(ad::check_gradient([&](const auto& x) { return sum(net(x)); }, inputs));
}
TEST_CASE("forward mode goes through a net: its directional derivative is the gradient's") {
  nn::Sequential net{nn::Linear<double>(2, 3), nn::Sigmoid{}, nn::Linear<double>(3, 2), nn::Gelu{}, nn::Softmax{}};
  nn::initialize(net, 8);
  Tensor direction = Tensor::uninitialized(inputs.shape());
  for (std::size_t i = 0; i < direction.size(); ++i) direction[i] = std::cos(static_cast<double>(i));
  const ad::Dual<Tensor> x(inputs, direction);
  const auto y = net(x);
  const Tensor g = ad::gradient([&](const auto& t) { return weighed(net(t)); }, inputs);
  CHECK(equal(ad::plain(y), net(inputs).value()));
  CHECK(weighed(y.tangent()).value() == doctest::Approx(dot(g, direction)));
}
TEST_CASE("a struct of one's own is a layer of a Sequential") {
  nn::Sequential net{Residual{nn::Linear<double>(2, 2)}, nn::Linear<double>(2, 1)};
  nn::initialize(net, 1);
  check_parameters(net);
  CHECK(net(inputs).shape() == ad::Shape({5, 1}));
}
TEST_CASE("dropout lets everything pass while nothing records") {
  const nn::Dropout layer(0.5, 1);
  const Tensor x = Tensor::ones({10, 10});
  CHECK(equal(layer(x), x));
  ad::Tape tape;
  CHECK(!equal(layer(x), x));
  {
    const ad::Pause pause;
    CHECK(equal(layer(x), x));
  }
  const nn::NoDropout off;
  CHECK(equal(layer(x), x));
}
TEST_CASE("a gradient inside of a recording refuses dropout, which would drop other numbers in its second run") {
  const nn::Dropout layer(0.5, 1);
  const auto dropping = [&](const auto& x) { return sum(square(layer(x))); };
  const auto plain = [](const auto& x) { return sum(square(x)); };
  const Tensor x = Tensor::ones({10, 10});
  const auto cost = [&](const auto& phi, const auto& f) {
    ad::Tape tape;
    return ad::cost_of_gradient(phi, f, tape.variable(x)).value();
  };
  const auto recorded = [&] {
    ad::Tape tape;
    return sum(ad::recorded_gradient(dropping, tape.variable(x))).value();
  };
  CHECK_THROWS_WITH_AS((void)cost(plain, dropping), doctest::Contains("cost_of_gradient: the function runs twice"), ad::Error);
  CHECK_THROWS_WITH_AS((void)cost(dropping, plain), doctest::Contains("cost_of_gradient: the function runs twice"), ad::Error);
  CHECK_THROWS_WITH_AS((void)recorded(), doctest::Contains("recorded_gradient: the function runs twice"), ad::Error);
  const nn::NoDropout off;
  CHECK(cost(plain, dropping) == 400);
  CHECK(cost(dropping, plain) == 400);
  CHECK(recorded() == 200);
}
TEST_CASE("dropout keeps the mean, drops its share, and hands the adjoint to what it kept") {
  const nn::Dropout layer(0.25, 7);
  ad::Tape tape;
  const ad::Var x = tape.variable(Tensor::ones({100, 100}));
  const ad::Var y = layer(x);
  const Tensor values = y.value();
  std::size_t dropped = 0;
  for (const double v : values) {
    CHECK((v == 0 || v == 1 / 0.75));
    dropped += v == 0;
  }
  CHECK(std::abs(static_cast<double>(dropped) - 2500) < 200);  // 4.6 standard deviations
  const ad::Var total = sum(y);
  tape.backward(total);
  CHECK(equal(tape.adjoint(x), values));
  for (const bool dropped_first : {false, true}) {  // the adjoint is added to another's, or written
    const ad::Var again = layer(x);
    const ad::Var both = dropped_first ? sum(x) + sum(again) : sum(again) + sum(x);
    tape.backward(both);
    CHECK(equal(tape.adjoint(x), again.value() + 1.0));
  }
}
TEST_CASE("dropout forwards drops tangents with their numbers") {
  const nn::Dropout layer(0.5, 7);
  ad::Tape tape;
  const auto [value, tangent] = ad::value_and_jvp(layer, Tensor::ones({10, 10}), Tensor::full({10, 10}, 3));
  CHECK(equal(tangent, value * 3.0));
  CHECK(sum(value) > 50);
  CHECK(sum(value == 0.0) > 20);
}
TEST_CASE("what runs a function again for each row or column refuses Dropout, which would drop other numbers each time") {
  const nn::Dropout drop(0.5, 1);
  const auto f = [&](const auto& x) { return square(sum(drop(x))); };
  const auto F = [&](const auto& x) { return drop(x * 2.0); };
  const ad::Tape tape;  // without one, nothing is dropped
  const auto x = ad::Tensor<double>::ones({8});
  CHECK_THROWS_WITH_AS((void)ad::hessian(f, x), doctest::Contains("hessian: the function runs twice"), ad::Error);
  CHECK_THROWS_WITH_AS((void)ad::jacobian_forwards(F, x), doctest::Contains("jacobian_forwards: the function runs twice"), ad::Error);
  const nn::NoDropout off;
  CHECK(ad::hessian(f, x)(3, 7) == 2);
  CHECK(ad::jacobian_forwards(F, x)(3, 3) == 2);
}

TEST_CASE("dropout follows from the seed, and differs from use to use and from layer to layer") {
  const auto draw = [](std::uint64_t seed) {
    const nn::Dropout a(0.5, seed), b(0.5, seed);
    ad::Tape tape;
    const ad::Var x = tape.variable(Tensor::ones({8, 8}));
    const Tensor first = a(x).value(), second = a(x).value(), other = b(x).value();
    CHECK(!equal(first, second));
    CHECK(!equal(first, other));
    return first;
  };
  CHECK(equal(draw(3), draw(3)));
  CHECK(!equal(draw(3), draw(4)));
}
TEST_CASE("dropout refuses a rate that is none") {
  CHECK_THROWS_WITH_AS(nn::Dropout(1), "dropout: the rate is 1; give the share of numbers to drop, 0 <= rate < 1", ad::Error);
  CHECK_THROWS_AS(nn::Dropout(-0.1), ad::Error);
  CHECK_THROWS_AS(nn::Dropout(std::nan("")), ad::Error);
  ad::Tape tape;
  CHECK(equal(nn::Dropout(0)(inputs), inputs));
}
TEST_CASE("any number of threads may run one net") {
  nn::Sequential net{nn::Linear<float>(16, 32), nn::Relu{}, nn::Dropout(0.5), nn::Linear<float>(32, 4), nn::Softmax{}};
  nn::initialize(net, 1);
  ad::Tensor<float> x = ad::Tensor<float>::uninitialized({8, 16});
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = std::sin(static_cast<float>(i));
  const ad::Tensor<float> expected = net(x).value();
  std::vector<std::thread> threads;
  std::vector<int> wrong(4, 0);
  for (std::size_t t = 0; t < wrong.size(); ++t)
    threads.emplace_back([&, t] { for (int i = 0; i < 200; ++i) wrong[t] += !equal(std::as_const(net)(x).value(), expected); });
  for (auto& thread : threads) thread.join();
  CHECK(wrong == std::vector<int>(4, 0));
}

TEST_CASE("Dropout that drops nothing records nothing") {
  ad::Tape tape;
  const ad::Var x = tape.variable(Tensor{1, 2});
  const ad::Var y = nn::Dropout(0)(x);
  CHECK(tape.statistics().statements == 1);
}

TEST_CASE("an inner NoDropout does not end the outer") {
  const nn::Dropout drop(0.99);
  ad::Tape tape;
  const ad::Var x = tape.variable(Tensor::ones({100}));
  const nn::NoDropout outer;
  { const nn::NoDropout inner; }
  CHECK(sum(drop(x)).value() == 100);
}

TEST_CASE("Dropout drops other numbers after each clear()") {
  const nn::Dropout drop(0.5);
  ad::Tape tape;
  std::vector<Tensor> kept;
  for (int step = 0; step < 2; ++step) {
    tape.clear();
    kept.push_back(drop(tape.variable(Tensor::ones({100}))).value());
  }
  CHECK(!equal(kept[0], kept[1]));
}
