// What an optimizer keeps for a net: it knows that net again wherever it goes, and steps no other.
#include <nn/nn.hpp>
#include <cmath>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>
#include "allocations.hpp"
#include "folder.hpp"
#include "nets.hpp"
#include "support.hpp"

using namespace nets;
using support::bytes_of;
using support::Folder;
using support::refuses;
using support::write;

TEST_CASE("an optimizer with momentum is for one net, which may move, be assigned to, or be copied together with it") {
  const auto check = [](auto optimizer) {
    auto net = small_net(1), other = small_net(2), wide = small_net(3, 4);
    step(net, optimizer);
    CHECK_THROWS_AS(step(other, optimizer), ad::Error);
    CHECK_THROWS_AS(step(wide, optimizer), ad::ShapeError);
    nn::Linear<double> single(2, 1);
    CHECK_THROWS_AS(step(single, optimizer), ad::Error);
    CHECK_NOTHROW(step(net, optimizer));
    net = other;
    CHECK_NOTHROW(step(net, optimizer));
    auto moved = std::move(net);
    CHECK_NOTHROW(step(moved, optimizer));
    auto copy = moved;
    auto optimizer_of_copy = optimizer;
    step(copy, optimizer_of_copy);
    step(moved, optimizer);
    CHECK(numbers(copy) == numbers(moved));
  };
  check(nn::Sgd{{.learning_rate = 0.1, .momentum = 0.9}});
  check(nn::Adam{{.learning_rate = 0.1}});
}

TEST_CASE("an optimizer that keeps momentum notices a layer that is another, beside a first one that is not") {
  struct Parts { nn::Linear<double> a{2, 2}, b{2, 2}, c{2, 2}; } parts;
  nn::initialize(parts, 1);
  const auto backward = [](ad::Tape& tape, const auto& first, const auto& second) {
    const ad::Var cost = nn::mse(second(tanh(first(Tensor{{1, 2}}))), {{1, 0}});
    tape.backward(cost);
  };
  const auto check = [&](auto optimizer) {
    auto ab = std::tie(parts.a, parts.b), ac = std::tie(parts.a, parts.c);
    ad::Tape tape;
    backward(tape, parts.a, parts.b);
    optimizer.step(ab);
    tape.clear();
    backward(tape, parts.a, parts.c);
    CHECK_THROWS_WITH_AS(optimizer.step(ac), doctest::Contains("or a layer of it is another"), ad::Error);
    nn::Linear<double> head(2, 2);
    nn::initialize(head, 2);
    parts.b = std::move(head);
    tape.clear();
    backward(tape, parts.a, parts.b);
    CHECK_THROWS_WITH_AS(optimizer.step(ab), doctest::Contains("or a layer of it is another"), ad::Error);
  };
  check(nn::Sgd{{.learning_rate = 0.1, .momentum = 0.9}});
  check(nn::Adam{{.learning_rate = 0.1}});
}

TEST_CASE("an optimizer knows a net again after it has moved, a new one in its place it does not") {
  using Net = nn::Linear<double>;
  const auto one_step = [](Net& net, auto& optimizer) {
    ad::Tape tape;
    const ad::Var cost = nn::mse(net(Tensor{{1, 2}}), {{1}});
    tape.backward(cost);
    optimizer.step(net);
  };
  static_assert(std::is_nothrow_move_constructible_v<Net>);
  std::vector<Net> nets;
  nets.emplace_back(2, 1);
  nn::Adam first{{}};
  one_step(nets[0], first);
  for (int i = 0; i < 20; ++i) nets.emplace_back(2, 1);
  CHECK_NOTHROW(one_step(nets[0], first));
  CHECK_THROWS_AS(one_step(nets[1], first), ad::Error);
  nn::Adam optimizer{{}};
  for (int round = 0; round < 3; ++round) {
    Net fresh(2, 1);  // on the stack where the last one was
    if (round == 0) one_step(fresh, optimizer); else CHECK_THROWS_AS(one_step(fresh, optimizer), ad::Error);
  }
}

TEST_CASE("a net that travels keeps its optimizer: through functions, swaps and sorting") {
  using Net = nn::Linear<double>;
  struct Individual { Net net; nn::Adam optimizer; double fitness; };
  const auto learn = [](Net net, nn::Adam& optimizer) {
    ad::Tape tape;
    const ad::Var cost = nn::mse(net(Tensor{{1, 2}}), {{1}});
    tape.backward(cost);
    optimizer.step(net);
    return net;
  };
  Net net(2, 1);
  nn::Adam optimizer{{}};
  for (int i = 0; i < 3; ++i) net = learn(std::move(net), optimizer);
  std::vector<Individual> all;
  for (int i = 0; i < 5; ++i) all.push_back({Net(2, 1), nn::Adam{{}}, static_cast<double>((3 * i) % 5)});
  const auto learn_all = [&] { for (auto& one : all) one.net = learn(std::move(one.net), one.optimizer); };
  learn_all();
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.fitness < b.fitness; });
  learn_all();
  all.erase(all.begin());
  learn_all();
  std::swap(all[0].net, all[1].net);
  CHECK_THROWS_AS(learn(all[0].net, all[0].optimizer), ad::Error);
  std::swap(all[0].optimizer, all[1].optimizer);
  learn_all();
  nn::Adam spent = std::move(optimizer);
  CHECK_NOTHROW(learn(Net(2, 1), optimizer));  // NOLINT: one that was moved from is as new
}

TEST_CASE("a first step that is refused does not bind the optimizer to that net") {
  nn::Linear<double> right(2, 1);
  nn::Adam optimizer{{}};
  ad::Tape tape;
  const ad::Var cost = nn::mse(right(Tensor{{1, 2}}), {{1}});
  tape.backward(cost);
  nn::Linear<double> never(2, 1);
  CHECK_THROWS_AS(optimizer.step(never), ad::Error);
  CHECK_NOTHROW(optimizer.step(right));
}

TEST_CASE("an optimizer that was moved knows its net") {
  auto net = small_net(1), other = small_net(2);
  nn::Adam first;
  step(net, first);
  nn::Adam moved = std::move(first);
  refuses<ad::Error>([&] { step(other, moved); }, {"another net"});
  CHECK_NOTHROW(step(net, moved));
}

TEST_CASE("a layer that was moved away after the first step is missed") {
  nn::Sequential net{nn::Linear<double>(2, 1), nn::Linear<double>(1, 1)};
  nn::initialize(net, 1);
  nn::Sgd sgd;
  step(net, sgd);
  const auto gone = std::move(std::get<1>(net.layers));
  ad::Tape tape;
  const ad::Var cost = sum(std::get<0>(net.layers)(Tensor{{1, 2}}));
  tape.backward(cost);
  refuses<ad::Error>([&] { sgd.step(net); }, {"was moved from"});
}

TEST_CASE("moments of other number types are refused") {
  struct A { nn::Linear<float> a{1, 1}; nn::Linear<double> b{1, 1}; } a;
  struct B { nn::Linear<double> a{1, 1}; nn::Linear<float> b{1, 1}; } b;
  const auto one = [](auto& net, auto& adam) {
    ad::Tape tape;
    const ad::Var cost = sum(net.a.bias.var()) + sum(net.b.bias.var());
    tape.backward(cost);
    adam.step(net);
  };
  nn::initialize(a, 1), nn::initialize(b, 1);
  nn::Adam adam;
  one(a, adam);
  nn::Adam copy = adam;  // does not know its net yet
  refuses<ad::Error>([&] { one(b, copy); }, {"or other number types"});
}

TEST_CASE("moments of more layers are refused") {
  std::vector<nn::Linear<double>> net(2, nn::Linear<double>(1, 1)), fewer(1, nn::Linear<double>(1, 1));
  nn::initialize(net, 1), nn::initialize(fewer, 1);
  const auto one = [](auto& layers, auto& adam) {
    ad::Tape tape;
    ad::Var cost = 0.0;
    for (auto& layer : layers) cost += sum(layer(Tensor{{1}}));
    tape.backward(cost);
    adam.step(layers);
  };
  nn::Adam adam;
  one(net, adam);
  nn::Adam copy = adam;
  refuses<ad::Error>([&] { one(fewer, copy); }, {"this net has 2 parameters, and the one that this optimizer first saw had 4"});
}

TEST_CASE("layers that were swapped are noticed") {
  std::vector<nn::Linear<double>> net(2, nn::Linear<double>(2, 2));
  nn::initialize(net, 1);
  const auto one = [&](auto& adam) {
    ad::Tape tape;
    const ad::Var cost = sum(square(net[1](tanh(net[0](Tensor{{1, 2}})))));
    tape.backward(cost);
    adam.step(net);
  };
  nn::Adam adam;
  one(adam);
  std::swap(net[0], net[1]);
  refuses<ad::Error>([&] { one(adam); }, {"a layer of it is another"});
}

TEST_CASE("an optimizer that was loaded for a net steps no other") {
  const Folder folder;
  nn::Linear net(1, 1), other(1, 1);
  nn::initialize(net, 1), nn::initialize(other, 2);
  nn::Adam adam;
  adam.save(net, folder / "adam"), adam.load(net, folder / "adam");
  ad::Tape tape;
  const ad::Var cost = nn::mse(other(ad::Tensor<float>{{1}}), {{1}});
  tape.backward(cost);
  refuses<ad::Error>([&] { adam.step(other); }, {"another net"});
}

TEST_CASE("an optimizer is not saved for a net that was moved from") {
  const Folder folder;
  nn::Linear net(1, 1);
  const nn::Linear gone = std::move(net);
  refuses<ad::Error>([&] { nn::Adam().save(net, folder / "a"); }, {"was moved from"});
}

TEST_CASE("nor for an empty one") {
  const Folder folder;
  std::vector<nn::Linear<float>> none;
  refuses<ad::Error>([&] { nn::Adam().save(none, folder / "a"); }, {"holds no parameters"});
}

TEST_CASE("moments that are not finite are not loaded") {
  const Folder folder;
  nn::Linear<double> net(1, 1);
  nn::Sgd sgd{{.momentum = 0.9}};
  sgd.save(net, folder / "sgd");
  std::string bytes = bytes_of(folder / "sgd");
  const double bad = std::nan("");
  std::memcpy(bytes.data() + bytes.size() - 8, &bad, 8);
  write(folder / "sgd", bytes);
  refuses<nn::FileError>([&] { sgd.load(net, folder / "sgd"); }, {"a moment is not finite"});
}

TEST_CASE("a step that is refused does not bind an optimizer that was moved from") {
  nn::Linear<double> right(2, 1), never(2, 1), old(2, 1);
  nn::Adam used;
  step(old, used);
  const nn::Adam moved = std::move(used);
  ad::Tape tape;
  tape.backward(sum(square(right(Tensor{{1, 2}}))));
  CHECK_THROWS_AS(used.step(never), ad::Error);  // NOLINT: used after the move on purpose
  CHECK_NOTHROW(used.step(right));
}

TEST_CASE("a copied optimizer says what is wrong with its net, and knows it from its first step on") {
  nn::Adam adam;
  std::vector<nn::Linear<double>> net(2, nn::Linear<double>(2, 1));
  nn::initialize(net, 1);
  { ad::Tape tape; tape.backward(sum(net[0](Tensor{{1, 2}}))); adam.step(net); }
  nn::Adam copy = adam;
  auto twin = net;
  const auto gone = std::move(twin[1]);
  {
    ad::Tape tape;
    tape.backward(sum(twin[0](Tensor{{1, 2}})));
    refuses<ad::Error>([&] { copy.step(twin); }, {"was moved from"});
  }
  const Folder folder;
  const std::vector<nn::Linear<double>> none;
  refuses<ad::Error>([&] { adam.save(none, folder / "adam"); }, {"holds no parameters"});

  auto first = small_net(1), other = small_net(2);
  nn::Adam of_first;
  step(first, of_first);
  auto second = first;
  nn::Adam of_second = of_first;
  step(second, of_second);
  refuses<ad::Error>([&] { step(other, of_second); }, {"another net"});
}

TEST_CASE("a step for which memory was short has counted for nothing") {
  auto net = small_net(1);
  nn::Adam adam;
  step(net, adam);
  auto twin = net;
  nn::Adam of_twin = adam;  // its moments are shared with adam's: the next step copies them
  ad::Tape tape;
  tape.backward(sum(square(net(Tensor{{1, 2}}))));
  {
    const ShortMemory none(0);
    CHECK_THROWS(adam.step(net));
  }
  adam.step(net);
  step(twin, of_twin);
  CHECK(numbers(net) == numbers(twin));
}

TEST_CASE("a training that was loaded goes on with a net of zeros") {
  const Folder folder;
  const auto check = [&](auto optimizer) {
    nn::Sequential net{nn::Linear<double>(1, 2), nn::Linear<double>(2, 1)};
    optimizer.save(net, folder / "optimizer"), optimizer.load(net, folder / "optimizer");
    ad::Tape tape;
    tape.backward(sum(net(Tensor{{1}})));
    CHECK_NOTHROW(optimizer.step(net));
  };
  check(nn::Sgd{{.momentum = 0.9}}), check(nn::Adam{});
}
