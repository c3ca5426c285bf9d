// Optimizers, against the recurrences they promise.
#include <doctest/doctest.h>
#include <nn/nn.hpp>
#include <cmath>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>
#include "nets.hpp"
#include "support.hpp"

namespace ad = autodiff;
namespace nn = autodiff::nn;
using namespace nets;

namespace {

/// Steps a Bowl by the optimizer, and the numbers by `recurrence(w, gradient, t)`, which must be equal.
void compare(auto optimizer, auto recurrence, int steps = 20) {
  Bowl bowl;
  double w = 5;
  ad::Tape tape;
  for (int t = 1; t <= steps; ++t) {
    tape.clear();
    const ad::Var cost = bowl.cost();
    tape.backward(cost);
    optimizer.step(bowl);
    w = recurrence(w, slope(w), t);
    CHECK(bowl.now() == doctest::Approx(w).epsilon(1e-13));
  }
}
}  // namespace

TEST_CASE("plain gradient descent") { compare(nn::Sgd{{.learning_rate = 0.1}}, [](double w, double g, int) { return w - 0.1 * g; }); }
TEST_CASE("momentum") {
  double v = 0;
  compare(nn::Sgd{{.learning_rate = 0.1, .momentum = 0.9}}, [&](double w, double g, int) { v = 0.9 * v + g; return w - 0.1 * v; });
}
TEST_CASE("Nesterov's momentum") {
  double v = 0;
  compare(nn::Sgd{{.learning_rate = 0.05, .momentum = 0.8, .nesterov = true}}, [&](double w, double g, int) {
    v = 0.8 * v + g;
    return w - 0.05 * (g + 0.8 * v);
  });
}
TEST_CASE("weight decay") {
  compare(nn::Sgd{{.learning_rate = 0.1, .weight_decay = 0.3}}, [](double w, double g, int) { return w - 0.1 * (g + 0.3 * w); });
  double v = 0;
  compare(nn::Sgd{{.learning_rate = 0.1, .momentum = 0.5, .weight_decay = 0.3}}, [&](double w, double g, int) {
    v = 0.5 * v + g + 0.3 * w;
    return w - 0.1 * v;
  });
}
TEST_CASE("Adam") {
  double m = 0, v = 0;
  compare(nn::Adam{{.learning_rate = 0.1, .beta1 = 0.8, .beta2 = 0.99, .epsilon = 1e-6}}, [&](double w, double g, int t) {
    m = 0.8 * m + 0.2 * g, v = 0.99 * v + 0.01 * g * g;
    return w - 0.1 * (m / (1 - std::pow(0.8, t))) / (std::sqrt(v / (1 - std::pow(0.99, t))) + 1e-6);
  });
}
TEST_CASE("Adam with decoupled weight decay") {
  double m = 0, v = 0;
  compare(nn::Adam{{.learning_rate = 0.1, .weight_decay = 0.2}}, [&](double w, double g, int t) {
    m = 0.9 * m + 0.1 * g, v = 0.999 * v + 0.001 * g * g;
    return w - 0.1 * 0.2 * w - 0.1 * (m / (1 - std::pow(0.9, t))) / (std::sqrt(v / (1 - std::pow(0.999, t))) + 1e-8);
  });
}
TEST_CASE("the first step of Adam is the learning rate, whatever the slope") {
  Bowl bowl;
  nn::Adam optimizer{{}};
  ad::Tape tape;
  const ad::Var cost = bowl.cost() * 1e3;
  tape.backward(cost);
  optimizer.step(bowl);
  CHECK(bowl.now() == doctest::Approx(5 - 1e-3));
}
TEST_CASE("the learning rate may change between steps") {
  Bowl bowl;
  nn::Sgd optimizer{{.learning_rate = 0.1}};
  ad::Tape tape;
  for (const double rate : {0.1, 0.02}) {
    optimizer.set_learning_rate(rate);
    CHECK(optimizer.learning_rate() == rate);
    const double before = bowl.now();
    tape.clear();
    const ad::Var cost = bowl.cost();
    tape.backward(cost);
    optimizer.step(bowl);
    CHECK(bowl.now() == doctest::Approx(before - rate * slope(before)));
  }
  CHECK_THROWS_AS(optimizer.set_learning_rate(-1), ad::Error);
  CHECK(optimizer.learning_rate() == 0.02);
}
TEST_CASE("parameters of float and of double learn in one net") {
  struct Both {
    ad::Parameter<float> narrow{ad::Tensor<float>{5}}, unused{ad::Tensor<float>{7}};
    ad::Parameter<double> wide{Tensor{5}};
  };
  const auto train = [](auto optimizer) {
    Both net;
    ad::Tape tape;
    for (int i = 0; i < 500; ++i) {
      tape.clear();
      const ad::Var cost = sum(square(net.narrow.var() - 2.0)) + sum(square(net.wide.var() - 3.0));
      tape.backward(cost);
      optimizer.step(net);
    }
    CHECK(net.narrow.value()[0] == doctest::Approx(2).epsilon(1e-3));
    CHECK(net.wide.value()[0] == doctest::Approx(3).epsilon(1e-3));
    CHECK(net.unused.value()[0] == 7);
  };
  train(nn::Sgd{{.learning_rate = 0.1, .momentum = 0.5}});
  train(nn::Adam{{.learning_rate = 0.05}});
}
TEST_CASE("Adam counts the steps of each parameter by itself") {
  struct Pair { Bowl early, late; } pair;
  Bowl alone;
  nn::Adam optimizer{{.learning_rate = 0.1}}, other{{.learning_rate = 0.1}};
  ad::Tape tape;
  for (int i = 0; i < 10; ++i) {
    tape.clear();
    const ad::Var cost = i < 5 ? pair.early.cost() : pair.late.cost();
    tape.backward(cost);
    optimizer.step(pair);
    if (i < 5) continue;
    tape.clear();
    const ad::Var again = alone.cost();
    tape.backward(again);
    other.step(alone);
  }
  CHECK(pair.late.now() == alone.now());
}
TEST_CASE("a step that finds no adjoint says what to do") {
  auto net = small_net();
  const auto check = [&](auto optimizer, const std::string& name) {
    const std::string text = name + ": no parameter of this net has an adjoint: before each step call tape.backward(cost), on a cost of "
        "this net's output, and do not clear or rewind the tape in between, nor give the net other numbers";
    CHECK_THROWS_WITH_AS(optimizer.step(net), text.c_str(), ad::Error);
    ad::Tape tape;
    const ad::Var cost = sum(net(Tensor{{1, 2}}));
    CHECK_THROWS_AS(optimizer.step(net), ad::Error);
    tape.backward(cost);
    optimizer.step(net);
    CHECK_THROWS_WITH_AS(optimizer.step(net), (name + ": a step has used up the gradient of this net: call tape.backward(cost) before each "
        "step; of two optimizers each steps a part of the net").c_str(), ad::Error);
    CHECK_THROWS_AS(tape.backward(cost), ad::TapeError);
    tape.clear();
    CHECK_THROWS_AS(optimizer.step(net), ad::Error);
  };
  check(nn::Sgd{{.learning_rate = 0.1}}, "sgd");
  check(nn::Adam{{.learning_rate = 0.1}}, "adam");
  std::vector<nn::Linear<double>> none;
  CHECK_THROWS_WITH_AS(nn::Sgd().step(none), "sgd: this model holds no parameters: its containers are empty", ad::Error);
  CHECK_THROWS_WITH_AS(nn::Adam().step(none), "adam: this model holds no parameters: its containers are empty", ad::Error);
}
TEST_CASE("a step that is refused changes nothing") {
  auto net = small_net(1), other = small_net(2);
  nn::Adam optimizer{{}};
  step(net, optimizer);
  const auto before = numbers(other);
  CHECK_THROWS_WITH_AS(step(other, optimizer), doctest::Contains("adam: this is another net than the one that this optimizer is for"), ad::Error);
  CHECK(numbers(other) == before);
}
TEST_CASE("a net that was never given numbers is refused, a single layer may start at zero") {
  nn::Sequential net{nn::Linear<double>(2, 3), nn::Tanh{}, nn::Linear<double>(3, 1)};
  nn::Sgd optimizer{{.learning_rate = 0.1}};
  CHECK_THROWS_WITH_AS(([&] {
    ad::Tape tape;
    const ad::Var cost = nn::mse(net(Tensor{{1, 2}}), {{1}});
    tape.backward(cost);
    optimizer.step(net);
  }()), "sgd: all weights of this net are zero, and so is the gradient of 2 of its 2 matrices: it cannot learn; call "
      "nn::initialize(net, seed) first", ad::Error);
  const auto refused = [](auto&& either) {  // also after a step that was refused for another reason
    nn::Sequential zeros{nn::Linear<double>(2, 3), nn::Sigmoid{}, nn::Linear<double>(3, 1)};
    ad::Tape tape;
    CHECK_THROWS_AS(either.step(zeros), ad::Error);
    const ad::Var cost = nn::mse(zeros(Tensor{{1, 2}}), {{1}});
    tape.backward(cost);
    CHECK_THROWS_WITH_AS(either.step(zeros), doctest::Contains("all weights of this net are zero"), ad::Error);
  };
  refused(nn::Sgd());
  refused(nn::Sgd({.momentum = 0.5}));
  refused(nn::Adam());
  nn::Linear<double> line(2, 1);
  ad::Tape tape;
  const ad::Var cost = nn::mse(line(Tensor{{1, 2}}), {{1}});
  tape.backward(cost);
  CHECK_NOTHROW(optimizer.step(line));
  CHECK(line.weight.value()[0] == doctest::Approx(0.2));
}
TEST_CASE("options that make no sense are refused, with the number") {
  CHECK_THROWS_WITH_AS((nn::Sgd{{.learning_rate = -0.1}}), "sgd: learning_rate is -0.1; it must be at least 0 and at most 1e+30",
      ad::Error);
  CHECK_THROWS_AS((nn::Sgd{{.learning_rate = std::nan("")}}), ad::Error);
  CHECK_THROWS_AS((nn::Sgd{{.learning_rate = HUGE_VAL}}), ad::Error);
  CHECK_THROWS_WITH_AS((nn::Sgd{{.learning_rate = 1, .momentum = 1}}), "sgd: momentum is 1; it must be at least 0 and below 1", ad::Error);
  CHECK_THROWS_AS((nn::Sgd{{.learning_rate = 1, .momentum = -0.5}}), ad::Error);
  CHECK_THROWS_AS((nn::Sgd{{.learning_rate = 1, .weight_decay = -1}}), ad::Error);
  CHECK_THROWS_WITH_AS((nn::Sgd{{.learning_rate = 1, .nesterov = true}}),
      "sgd: nesterov looks ahead along the momentum, and that is 0; give .momentum, 0.9 for instance", ad::Error);
  CHECK_THROWS_AS((nn::Adam{{.beta1 = 1}}), ad::Error);
  CHECK_THROWS_AS((nn::Adam{{.beta2 = -0.1}}), ad::Error);
  CHECK_THROWS_WITH_AS((nn::Adam{{.epsilon = 0}}), "adam: epsilon is 0; it must be above 0 and at most 1e+30", ad::Error);
  CHECK_THROWS_AS((nn::Adam{{.weight_decay = std::nan("")}}), ad::Error);
}
TEST_CASE("no two parameters have one identity, also after one was moved from and filled again") {
  ad::Parameter<double> a(Tensor{1}), copy = a;
  const std::uint64_t first = a.identity();
  CHECK(copy.identity() != first);
  ad::Parameter<double> b = std::move(a);
  CHECK(b.identity() == first);
  a = ad::Parameter<double>(Tensor{2});  // NOLINT: used after the move on purpose
  CHECK(a.identity() != first);
  b = copy;
  CHECK(b.identity() == first);
}
TEST_CASE("a gradient of 0 moves nothing, however small Adam's epsilon") {
  nn::Linear<float> line(2, 1);
  nn::Adam optimizer{{.epsilon = 1e-50}};
  ad::Tape tape;
  const ad::Var cost = nn::mse(line(ad::Tensor<float>{{1, 0}}), {{1}});
  tape.backward(cost);
  optimizer.step(line);
  CHECK(line.weight.value()[0] == doctest::Approx(0.001));
  CHECK(line.weight.value()[1] == 0);
}
TEST_CASE("an optimizer tells its options") {
  CHECK(nn::Sgd{{.learning_rate = 0.25, .momentum = 0.5}}.options().momentum == 0.5);
  nn::Adam adam{{.beta1 = 0.75}};
  adam.set_learning_rate(0.5);
  CHECK(adam.options().beta1 == 0.75);
  CHECK(adam.options().learning_rate == 0.5);
  CHECK(nn::Dropout(0.25).rate() == 0.25);
}
TEST_CASE("where all slopes are 0 a step moves nothing and is no mistake, without a backward it is one") {
  nn::Linear<double> line(2, 1);
  nn::initialize(line, 1);
  nn::Adam adam{{}};
  nn::Sgd sgd{{.learning_rate = 0.1}};
  ad::Tape tape;
  const ad::Var distance = mean(line(Tensor{{1, 2}}));
  const ad::Var hinge = max(distance - 100.0, 0.0);
  const Tensor before = line.weight.value();
  CHECK_THROWS_AS(adam.step(line), ad::Error);
  tape.backward(hinge);
  CHECK_NOTHROW(adam.step(line));
  CHECK_NOTHROW(sgd.step(line));
  CHECK(equal(line.weight.value(), before));
  tape.clear();
  CHECK_THROWS_AS(adam.step(line), ad::Error);
}
TEST_CASE("a gradient longer than clip_norm is shortened, over all parameters together; a shorter one is not touched") {
  struct Pair { ad::Parameter<double> a{Tensor{1, 2}}; ad::Parameter<float> b{ad::Tensor<float>{3}}; };
  const auto step = [](Pair& pair, auto optimizer) {
    ad::Tape tape;
    const ad::Var cost = sum(pair.a.var() * Tensor{3, 4}) + 12.0 * sum(pair.b.var());  // a gradient (3, 4; 12) of length 13
    tape.backward(cost);
    optimizer.step(pair);
  };
  for (const double most : {0.0, 13.0, 100.0, 6.5}) {
    CAPTURE(most);
    Pair pair;
    step(pair, nn::Sgd{{.learning_rate = 0.1, .clip_norm = most}});
    const double share = most == 6.5 ? 0.05 : 0.1;
    CHECK(pair.a.value()[0] == doctest::Approx(1 - share * 3));
    CHECK(pair.a.value()[1] == doctest::Approx(2 - share * 4));
    CHECK(static_cast<double>(pair.b.value()[0]) == doctest::Approx(3 - share * 12));
  }
  Pair pair;
  step(pair, nn::Adam{{.learning_rate = 0.1, .epsilon = 1, .clip_norm = 1}});
  CHECK(pair.a.value()[0] == doctest::Approx(1 - 0.1 * (3.0 / 13) / (3.0 / 13 + 1)));
  CHECK_THROWS_AS((nn::Sgd{{.clip_norm = -1}}), ad::Error);
}
TEST_CASE("a parameter that two layers share counts once in the length of a gradient") {
  struct Tied { ad::Parameter<double> w{Tensor{3, 4}}; auto fields() { return std::tie(w, w); } };
  Tied tied;
  nn::Sgd optimizer{{.learning_rate = 1, .clip_norm = 1}};
  ad::Tape tape;
  const ad::Var cost = sum(tied.w.var() * Tensor{30, 40});
  tape.backward(cost);
  optimizer.step(tied);
  CHECK(norm(tied.w.value() - Tensor{3, 4}) == doctest::Approx(1));
}
TEST_CASE("a net of which a part was moved away is refused by every optimizer") {
  nn::Sequential net{nn::Linear<double>(2, 1), nn::Linear<double>(1, 1)};
  nn::initialize(net, 1);
  const auto gone = std::move(std::get<1>(net.layers));
  const Tensor before = std::get<0>(net.layers).weight.value();
  ad::Tape tape;
  const ad::Var cost = sum(std::get<0>(net.layers)(Tensor{{1, 2}}));
  tape.backward(cost);
  CHECK_THROWS_WITH_AS(nn::Sgd().step(net), "sgd: a parameter of this model was moved from; use the model that it was moved to", ad::Error);
  CHECK_THROWS_AS(nn::Adam().step(net), ad::Error);
  CHECK(equal(std::get<0>(net.layers).weight.value(), before));
}
TEST_CASE("a walk over another thread's tape with parameters is refused until that records here: a step would not see it") {
  Bowl bowl;
  std::optional<ad::Tape> tape;
  ad::Var<double> cost;
  std::thread([&] { tape.emplace(), cost = bowl.cost(); }).join();
  CHECK_THROWS_WITH_AS(tape->backward(cost), doctest::Contains("made by another thread"), ad::TapeError);
  const auto here = tape->record();
  tape->backward(cost);
  nn::Sgd(nn::SgdOptions{.learning_rate = 0.1}).step(bowl);
  CHECK(bowl.now() == doctest::Approx(5 - 0.1 * slope(5)));
}
TEST_CASE("a gradient whose square overflows is shortened, and what is no length is refused before anything has changed") {
  ad::Parameter<float> p(ad::Tensor<float>{1, 1});
  nn::Sgd sgd{{.learning_rate = 0.1, .clip_norm = 1}};
  {
    ad::Tape tape;
    const ad::Var cost = sum(p.var() * ad::Tensor<float>{1e20f, 5e19f});
    tape.backward(cost);
    sgd.step(p);
  }
  CHECK(p.value()[0] == doctest::Approx(1 - 0.1 * 2 / std::sqrt(5.0)));
  CHECK(p.value()[1] == doctest::Approx(1 - 0.1 * 1 / std::sqrt(5.0)));
  struct Pair { ad::Parameter<double> a{Tensor{1}}, b{Tensor{1}}; };
  Pair pair;
  nn::Adam optimizer{{.clip_norm = 1}};
  ad::Tape tape;
  const ad::Var cost = sum(pair.a.var()) + HUGE_VAL * sum(pair.b.var());
  tape.backward(cost);
  CHECK_THROWS_WITH_AS(optimizer.step(pair), doctest::Contains("adam: the gradient holds inf"), ad::Error);
  CHECK(pair.a.value()[0] == 1);
}
TEST_CASE("a backward() of what was recorded before the net is none of the net's") {
  nn::Linear<double> line(2, 1);
  nn::Sgd optimizer{{.learning_rate = 0.1}};
  ad::Tape tape;
  const ad::Var x = tape.variable(2.0), y = x * x;
  const ad::Var cost = mean(line(Tensor{{1, 2}}));
  tape.backward(y);
  CHECK_THROWS_AS(optimizer.step(line), ad::Error);
  (void)cost;
}
TEST_CASE("a NaN anywhere in the gradient is refused by clip_norm, and binds no optimizer") {
  for (const std::size_t at : {0u, 1u, 2u}) {
    CAPTURE(at);
    ad::Parameter<double> p(Tensor{1, 2, 3}), other(Tensor{1});
    Tensor slopes{1, 5, 7};
    slopes[at] = std::nan("");
    nn::Adam optimizer{{.clip_norm = 1}};
    ad::Tape tape;
    const ad::Var cost = dot(p.var(), slopes);
    tape.backward(cost);
    CHECK_THROWS_WITH_AS(optimizer.step(p), doctest::Contains("the gradient holds nan"), ad::Error);
    CHECK(p.value()[0] == 1);
    const ad::Var next = sum(other.var());
    tape.backward(next);
    CHECK_NOTHROW(optimizer.step(other));
  }
}
TEST_CASE("a step takes one walk for the whole net, the last one, whatever older ones reached") {
  struct Two { ad::Parameter<double> w{Tensor{1}}, v{Tensor{1}}; };
  Two net;
  nn::Sgd optimizer{{.learning_rate = 0.01}};
  ad::Tape a;
  const ad::Var first = sum(net.w.var()) + 100.0 * sum(net.v.var());
  a.backward(first);
  ad::Tape b;
  const ad::Var second = sum(net.w.var()) + max(sum(net.v.var()) - 100.0, 0.0);
  b.backward(second);
  optimizer.step(net);
  CHECK(net.w.value()[0] == doctest::Approx(0.99));
  CHECK(net.v.value()[0] == 1);
  b.clear();
  optimizer.step(net);  // a's adjoint of w is of numbers that are no more; that of v is still good
  CHECK(net.w.value()[0] == doctest::Approx(0.99));
  CHECK(net.v.value()[0] == doctest::Approx(0));
}
TEST_CASE("a step refuses a backward() that was for nothing: another replaced its adjoints before anybody used them") {
  const ad::Tensor<float> X{{0, 0}, {0, 1}, {1, 0}, {1, 1}}, y{{0}, {1}, {1}, {0}};
  nn::Linear actor(2, 1), critic(2, 1);
  nn::initialize(actor, 1), nn::initialize(critic, 2);
  ad::Tape tape;
  const auto mark = tape.mark();
  const auto costs = [&] { return std::pair(ad::Var(nn::mse(actor(X), y)), ad::Var(nn::mse(critic(X), y))); };
  const auto refused = [&](auto&& optimizer, auto& net) {
    const auto before = net.weight.value();
    support::refuses<ad::TapeError>([&] { optimizer.step(net); }, {"was for nothing", "tape.backward(a + b)"});
    CHECK(equal(before, net.weight.value()));
  };
  {
    const auto [a, c] = costs();
    tape.backward(a), tape.backward(c);
    SUBCASE("which did not reach this net, gradient descent") { refused(nn::Sgd{}, actor); }
    SUBCASE("which did not reach this net, Adam") { refused(nn::Adam{}, actor); }
    SUBCASE("which reached it, gradient descent") { refused(nn::Sgd{}, critic); }
    SUBCASE("which reached it, momentum") { refused(nn::Sgd{{.momentum = 0.5}}, critic); }
    SUBCASE("which reached it, Adam") { refused(nn::Adam{{.clip_norm = 1}}, critic); }
  }
  SUBCASE("a batch in two parts") {
    tape.clear();
    const ad::Var first = nn::mse(actor(X.rows(0, 2)), y.rows(0, 2)), second = nn::mse(actor(X.rows(2, 4)), y.rows(2, 4));
    tape.backward(first), tape.backward(second);
    refused(nn::Sgd{}, actor);
    tape.backward(first + second);
    refused(nn::Sgd{}, actor);
  }
  SUBCASE("from a tensor") {
    tape.clear();
    const ad::Var out = actor(X);
    const ad::Var cost = mean(out);
    tape.backward(out, y), tape.backward(cost);
    refused(nn::Sgd{}, actor);
  }
  for (const bool clears : {true, false}) {  // all is forgotten, and so is this
    if (clears) tape.clear(); else tape.rewind(mark);
    const auto [a, c] = costs();
    tape.backward(a + c);
    nn::Adam().step(actor), nn::Adam().step(critic);
  }
}

TEST_CASE("a step takes the last backward(), where the one before was read, or began at the same output") {
  Bowl bowl;
  ad::Tape tape;
  const auto stepped_after = [&](const auto& walk) {
    tape.clear();
    const double w = bowl.now();
    const ad::Var half = bowl.cost(), cost = bowl.cost() + half;
    walk(half, cost);
    tape.backward(cost);
    nn::Sgd{{.learning_rate = 0.1}}.step(bowl);
    CHECK(bowl.now() == doctest::Approx(w - 0.2 * slope(w)).epsilon(1e-13));
  };
  using Cost = const ad::Var<double>&;
  stepped_after([&](Cost, Cost cost) { tape.backward(cost); });
  stepped_after([&](Cost, Cost cost) { tape.backward({cost}, {3.0}); });
  stepped_after([&](Cost half, Cost) { tape.backward(half), (void)tape.adjoint(half); });
  stepped_after([&](Cost half, Cost) { tape.backward(half), (void)tape.adjoints(std::vector{half}); });
  stepped_after([&](Cost half, Cost) { tape.backward(half), (void)tape.adjoint(bowl.w); });
  stepped_after([&](Cost half, Cost) { tape.backward(half), (void)nn::flat_gradient(bowl); });
  stepped_after([&](Cost half, Cost cost) { (void)tape.jacobian(std::vector{half, cost}, std::vector{half}); });
}

TEST_CASE("outputs whose weight is 0 are walked all the same") {
  nn::Linear<double> line(2, 1);
  nn::Sgd optimizer{{.learning_rate = 0.1}};
  ad::Tape tape;
  const ad::Var x = tape.variable(2.0), y = x * x, penalty = mean(line(Tensor{{1, 2}}));
  tape.backward({y, penalty}, {1.0, 0.0});
  CHECK_NOTHROW(optimizer.step(line));
}

TEST_CASE("two heads side by side may start at zero") {
  struct Two { nn::Linear<double> a{2, 1}, b{2, 1}; } two;
  ad::Tape tape;
  ad::Var cost = nn::mse(two.a(Tensor{{1, 2}}) + two.b(Tensor{{1, 2}}), {{1}});
  tape.backward(cost);
  CHECK_NOTHROW(nn::Sgd().step(two));
}

TEST_CASE("a single layer may have a gradient of 0") {
  nn::Linear<double> one(2, 1);
  ad::Tape tape;
  const ad::Var still = nn::mse(one(Tensor{{0, 0}}), {{0}});
  tape.backward(still);
  CHECK_NOTHROW(nn::Sgd().step(one));
}

TEST_CASE("a last layer of zeros may have a gradient of 0") {
  auto net = small_net();
  std::get<2>(net.layers).weight.assign(Tensor{{0}, {0}, {0}});
  ad::Tape tape;
  const ad::Var cost = nn::mse(net(Tensor{{0, 0}}), {{0}});
  tape.backward(cost);
  CHECK_NOTHROW(nn::Sgd().step(net));
}

TEST_CASE("clip_norm of gradients whose squares overflow") {
  ad::Parameter<double> p(Tensor{1, 1});
  nn::Sgd sgd{{.learning_rate = 0.1, .clip_norm = 1}};
  ad::Tape tape;
  const ad::Var cost = sum(p.var() * Tensor{3e200, 4e200});
  tape.backward(cost);
  sgd.step(p);
  CHECK(p.value()[0] == doctest::Approx(1 - 0.1 * 0.6));
}

TEST_CASE("options of Adam that make no sense are refused") {
  CHECK_THROWS_AS((nn::Adam{{.learning_rate = -1e-3}}), ad::Error);
  CHECK_THROWS_AS((nn::Adam{{.clip_norm = -1}}), ad::Error);
  nn::Adam adam;
  CHECK_THROWS_AS(adam.set_learning_rate(std::nan("")), ad::Error);
  CHECK(adam.learning_rate() == 1e-3);
}

TEST_CASE("a gradient that is clipped so far that no float holds the factor keeps its digits") {
  for (const double momentum : {0.0, 0.5}) {
    struct { ad::Parameter<float> w{ad::Tensor<float>{0}}; } net;
    nn::Sgd sgd{{.learning_rate = 1, .momentum = momentum, .clip_norm = 1e-33}};
    ad::Tape tape;
    tape.backward(sum(net.w.var() * 1e10f));
    sgd.step(net);
    CHECK(std::abs(static_cast<double>(net.w.value()[0]) * -1e33 - 1) < 1e-5);
  }
}

TEST_CASE("clipping has room for a later parameter that is larger than the first") {
  nn::Sequential net{nn::Linear<double>(1, 1), nn::Linear<double>(1, 3000)};
  nn::initialize(net, 1);
  nn::Sgd sgd{{.learning_rate = 0.1, .momentum = 0.5, .clip_norm = 1e-3}};
  ad::Tape tape;
  tape.backward(sum(net(Tensor{{1}})));
  sgd.step(net);
  CHECK(std::isfinite(std::get<1>(net.layers).weight.value()[2999]));
}
