// A model's parameters as one vector, and the check of a model's gradient.
#include "support.hpp"
#include <nn/nn.hpp>
#include <tuple>

namespace nn = autodiff::nn;
using support::refuses;

namespace {

using Tensor = ad::Tensor<double>;
const Tensor x{{0, 0}, {0, 1}, {1, 0}, {1, 1}}, y{{0}, {1}, {1}, {0}};

auto some_net() {
  nn::Sequential net{nn::Linear<double>(2, 3), nn::Tanh{}, nn::Linear<double>(3, 1)};
  nn::initialize(net, 3);
  return net;
}
/// A cost whose value is 0 everywhere and whose adjoint is w: constant() hides half of it.
struct Wrong {
  ad::Parameter<double> w{Tensor{2, 3}};
  ad::Var<double> operator()() const {
    const ad::Var v = w.var();
    return sum(v * v) - sum(v * ad::constant(v));
  }
};

struct Growing { std::vector<nn::Linear<double>> layers; };

}  // namespace

TEST_CASE("a model is flattened in the order of its parameters, and takes the numbers back") {
  auto net = some_net();
  const std::vector<double> w = nn::flatten(net);
  CHECK(w.size() == 13);
  CHECK(w[0] == std::get<0>(net.layers).weight.value()[0]);
  CHECK(w[12] == std::get<2>(net.layers).bias.value()[0]);
  std::vector<double> other = w;
  for (double& a : other) a += 1;
  nn::unflatten(net, other);
  CHECK(nn::flatten(net) == other);
  CHECK_THROWS_WITH_AS(nn::unflatten(net, {1, 2}),
      "unflatten: 2 numbers for a model of 13; give one for each, in the order of flatten()", ad::ShapeError);
  CHECK(nn::flatten(net) == other);
  nn::Linear mixed(1, 1);
  nn::unflatten(mixed, {0.1, 2});
  CHECK(mixed.weight.value()[0] == 0.1f);
  const auto gone = std::move(net);
  CHECK_THROWS_AS(nn::flatten(net), ad::Error);  // NOLINT: that is what is tested
  CHECK_THROWS_AS(nn::flat_gradient(net), ad::Error);
  auto half = some_net();
  const auto layer = std::move(std::get<2>(half.layers));
  const Tensor first = std::get<0>(half.layers).weight.value();
  CHECK_THROWS_AS(nn::unflatten(half, std::vector<double>(nn::parameter_count(half), 7)), ad::Error);
  CHECK(equal(std::get<0>(half.layers).weight.value(), first));
}

TEST_CASE("a gradient that is set is what the next step takes") {
  auto a = some_net(), b = a;
  nn::Adam first{{.learning_rate = 0.1, .clip_norm = 0.01}}, second = first;
  ad::Tape tape;
  for (int i = 0; i < 3; ++i) {
    tape.clear();
    const ad::Var cost = nn::mse(a(x), y);
    tape.backward(cost);
    const auto g = nn::flat_gradient(a);
    first.step(a);
    tape.clear();
    nn::set_flat_gradient(tape, b, g);
    CHECK(nn::flat_gradient(b) == g);
    second.step(b);
    CHECK(nn::flatten(a) == nn::flatten(b));
  }
  CHECK_THROWS_WITH_AS(nn::set_flat_gradient(tape, a, {1, 2}),
      "set_flat_gradient: 2 numbers for a model of 13; give one for each, in the order of flatten()", ad::ShapeError);
  const ad::Pause pause;
  CHECK_THROWS_AS(nn::set_flat_gradient(tape, a, nn::flatten(a)), ad::TapeError);
  auto gone = std::move(a);
  CHECK_THROWS_AS(nn::set_flat_gradient(tape, a, std::vector<double>(nn::parameter_count(a))), ad::Error);  // NOLINT
}

TEST_CASE("the flat gradient descends as an optimizer does, and is 0 for what the cost does not use") {
  auto by_hand = some_net(), by_step = by_hand;
  nn::Sgd optimizer{{.learning_rate = 0.5}};
  CHECK_THROWS_AS(nn::flat_gradient(by_hand), ad::Error);
  for (int i = 0; i < 5; ++i) {
    ad::Tape tape;
    const ad::Var cost = nn::mse(by_hand(x), y), other = nn::mse(by_step(x), y);
    tape.backward(cost + other);
    const std::vector<double> g = nn::flat_gradient(by_hand);
    optimizer.step(by_step);
    std::vector<double> w = nn::flatten(by_hand);
    for (std::size_t k = 0; k < w.size(); ++k) w[k] -= 0.5 * g[k];
    nn::unflatten(by_hand, w);
    for (std::size_t k = 0; k < w.size(); ++k) CHECK(w[k] == doctest::Approx(nn::flatten(by_step)[k]).epsilon(1e-14));
  }
  ad::Tape tape;
  const ad::Var first = sum(std::get<0>(by_hand.layers)(x));
  tape.backward(first);
  const std::vector<double> g = nn::flat_gradient(by_hand);
  CHECK(g[8] == 4);
  for (std::size_t k = 9; k < 13; ++k) CHECK(g[k] == 0);
  nn::Sgd part({.learning_rate = 0.1});
  part.step(std::get<0>(by_hand.layers));
  CHECK_THROWS_WITH_AS(nn::flat_gradient(by_hand), doctest::Contains("a step has used up"), ad::Error);
}

TEST_CASE("a parameter that two layers share is there once") {
  struct Tied { ad::Parameter<double> w{Tensor{3, 4}}; auto fields() { return std::tie(w, w); } };
  Tied tied;
  CHECK(nn::parameter_count(tied) == 2);
  CHECK(nn::flatten(tied) == std::vector<double>{3, 4});
  nn::unflatten(tied, {5, 6});
  ad::Tape tape;
  tape.backward(sum(square(tied.w.var())));
  CHECK(nn::flat_gradient(tied) == std::vector<double>{10, 12});
}

TEST_CASE("the gradient of a model is checked, whatever its numbers are, and the model left as it was") {
  auto net = some_net();
  const auto before = nn::flatten(net);
  const ad::GradientReport report = nn::check_gradient(net, [&] { return nn::mse(net(x), y); });
  CHECK(report.components.size() == 13);
  CHECK(nn::flatten(net) == before);
  nn::Sequential wide{nn::Linear(2, 300), nn::Sigmoid{}, nn::Linear(300, 1)};  // of float; some of its 1201 numbers
  nn::initialize(wide, 1);
  const auto some = nn::check_gradient(wide, [&] { return nn::binary_cross_entropy_with_logits(wide(x.as<float>()), y.as<float>()); });
  CHECK(some.components.size() <= 200);
  CHECK(some.components.back().index > 1100);
  refuses<ad::Error>([&] { (void)nn::check_gradient(net, [net] { return nn::mse(net(x), y); }); }, {"cost() does not use this model", "[&]"});
  refuses<ad::Error>([&] { (void)nn::check_gradient(net, [&] { return 3.0; }); }, {"cost() does not use this model", "[&]"});
  refuses<ad::Error>([&] { (void)nn::check_gradient(net, [&] { return sum(net(x).value()); }); }, {"cost() does not use this model"});
  Wrong wrong;
  try {
    (void)nn::check_gradient(wrong, wrong);
    FAIL_CHECK("no error");
  } catch (const ad::GradientError& e) {
    CHECK(e.report.components[1].index == 1);
    CHECK(e.report.components[1].ad == 3);
  }
  CHECK(nn::flatten(wrong) == std::vector<double>{2, 3});
  ad::Tape tape;  // of a recording under way nothing is touched
  const ad::Var a = tape.variable(2.0);
  (void)nn::check_gradient(net, [&] { return nn::mse(net(x), y); });
  const ad::Var b = a * a;
  tape.backward(b);
  CHECK(tape.adjoint(a) == 4);
}

TEST_CASE("a gradient through Dropout is not checked, and the error says what to do") {
  nn::Sequential net{nn::Linear<double>(2, 3), nn::Dropout(0.5), nn::Linear<double>(3, 1)};
  nn::initialize(net, 1);
  const auto cost = [&] { return nn::mse(net(x), y); };
  refuses<ad::Error>([&] { (void)nn::check_gradient(net, cost); }, {"check_gradient", "drop other numbers", "nn::NoDropout"});
  refuses<ad::Error>([&] { (void)ad::check_gradient([&](const auto& at) { return sum(net(at)); }, x); }, {"check_gradient", "nn::NoDropout"});
  const nn::NoDropout meanwhile;
  CHECK_NOTHROW((void)nn::check_gradient(net, cost));
}

TEST_CASE("the gradient of a trained net of float, whose cost is small, is right") {  // its rounding is that of logits around 1
  for (const std::uint64_t seed : {1u, 2u, 3u, 4u, 5u, 6u}) {
    nn::Random random(seed);
    const auto points = nn::normal({6, 3}, random);
    const std::vector<int> labels{0, 1, 2, 0, 1, 2};
    nn::Sequential net{nn::Linear(3, 8), nn::Tanh{}, nn::Linear(8, 3)};
    nn::initialize(net, seed);
    nn::Adam optimizer{{.learning_rate = 1e-2}};
    for (int epoch = 0; epoch < 600; ++epoch) {
      ad::Tape tape;
      const ad::Var cost = nn::cross_entropy(net(points), labels);
      tape.backward(cost);
      optimizer.step(net);
    }
    CHECK_NOTHROW((void)nn::check_gradient(net, [&] { return nn::cross_entropy(net(points), labels); }));
  }
}

TEST_CASE("a cost that changes the model it is checked on is an error, and the model keeps its first numbers") {
  Growing net;
  net.layers.emplace_back(2, 1);
  nn::initialize(net, 1);
  const auto before = net.layers[0].weight.value();
  refuses<ad::ShapeError>([&] {
    (void)nn::check_gradient(net, [&] {
      if (net.layers.size() < 2) net.layers.emplace_back(1, 1);
      return nn::mse(net.layers[1](net.layers[0](Tensor{{1, 2}})), Tensor{{0}});
    });
  }, {"unflatten: 3 numbers for a model of 5"});
  CHECK(support::difference(net.layers[0].weight.value(), before) == "");
}

TEST_CASE("an empty model has no gradient") {
  std::vector<nn::Linear<double>> none;
  refuses<ad::Error>([&] { (void)nn::flat_gradient(none); }, {"flat_gradient: this model holds no parameters"});
  ad::Tape tape;
  refuses<ad::Error>([&] { nn::set_flat_gradient(tape, none, {}); }, {"set_flat_gradient: this model holds no parameters"});
}

TEST_CASE("checking a gradient records nothing on the caller's tape") {
  nn::Linear<double> net(2, 1);
  nn::initialize(net, 1);
  ad::Tape outer;
  nn::check_gradient(net, [&] { return nn::mse(net(Tensor{{1, 2}}), {{1}}); });
  CHECK(outer.statistics().statements == 0);
}

TEST_CASE("the gradient of a net of which a part was moved away is refused") {
  nn::Sequential net{nn::Linear<double>(2, 1), nn::Linear<double>(1, 1)};
  const auto gone = std::move(std::get<1>(net.layers));
  ad::Tape tape;
  const ad::Var cost = sum(std::get<0>(net.layers)(Tensor{{1, 2}}));
  tape.backward(cost);
  refuses<ad::Error>([&] { nn::flat_gradient(net); }, {"flat_gradient: a parameter of this model was moved from"});
}

TEST_CASE("check_gradient: a cost that changes the net's shapes, one that does not use it though it was walked, and no components at all") {
  std::vector<nn::Linear<double>> changed(1, nn::Linear<double>(1, 1));
  nn::initialize(changed, 1);
  int calls = 0;
  const auto cost = [&] {
    if (++calls == 4) changed[0] = nn::Linear<double>(1, 2);
    return sum(changed[0](Tensor{{1}}));
  };
  try { (void)nn::check_gradient(changed, cost); } catch (const ad::Error&) {}
  CHECK(changed[0].weight.shape() == ad::Shape({1, 2}));

  nn::Linear<double> net(1, 1);
  nn::initialize(net, 1);
  CHECK_NOTHROW((void)nn::check_gradient(net, [&] { return sum(net(Tensor{{1}})); }, {}, 0));
  ad::Tape tape;
  tape.backward(sum(net(Tensor{{1}})));
  refuses<ad::Error>([&] { (void)nn::check_gradient(net, [] { return ad::Var<double>(1.0); }); }, {"does not use this model"});
}
