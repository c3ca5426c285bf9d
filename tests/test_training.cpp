// Training, from the first epoch to the last: the tutorial's XOR to the digits, no allocation after the first step, the same digits with
// two threads.
#include <doctest/doctest.h>
#include <nn/nn.hpp>
#include <cmath>
#include <cstring>
#include <functional>
#include <thread>
#include <vector>
#include "allocations.hpp"

namespace ad = autodiff;
namespace nn = autodiff::nn;

namespace {

using Tensor = ad::Tensor<double>;
const Tensor x{{0, 0}, {0, 1}, {1, 0}, {1, 1}}, y{{0}, {1}, {1}, {0}};

/// The first numbers of the tutorial's net; rows of its θ₁ are input 1, input 2, bias.
template <class T> auto xor_net() {
  nn::Sequential net{nn::Linear<T>(2, 3), nn::Sigmoid{}, nn::Linear<T>(3, 1), nn::Sigmoid{}};
  std::get<0>(net.layers).weight.assign(Tensor{{0.5, -0.4, 0.9}, {1.0, 0.6, -0.7}}.as<T>());
  std::get<0>(net.layers).bias.assign(Tensor{-0.2, 0.3, 0.1}.as<T>());
  std::get<2>(net.layers).weight.assign(Tensor{{-1.1}, {0.8}, {0.4}}.as<T>());
  std::get<2>(net.layers).bias.assign(Tensor{0.2}.as<T>());
  return net;
}
/// The same without its last Sigmoid, for a cost from logits.
template <class T> auto xor_logits() {
  auto net = xor_net<T>();
  return nn::Sequential{std::get<0>(net.layers), nn::Sigmoid{}, std::get<2>(net.layers)};
}
/// Two layers by hand: a struct of one's own.
struct Own {
  nn::Linear<double> hidden{2, 3}, output{3, 1};
  auto operator()(const auto& in) const { return sigmoid(output(sigmoid(hidden(in)))); }
};
void check_close(const Tensor& got, const Tensor& expected, double tolerance) {
  REQUIRE(got.size() == expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) CHECK(std::abs(got[i] - expected[i]) <= tolerance);
}
template <class T> Tensor adjoint_of(const ad::Parameter<T>& p) {
  return ad::Tensor<T>::from(std::span<const T>(p.adjoint(), p.size()), p.shape()).template as<double>();
}

/// One step: what stands in every training loop.
double step(ad::Tape& tape, auto& net, auto& optimizer, const auto& cost_of) {
  tape.clear();
  const ad::Var cost = cost_of(net);
  tape.backward(cost);
  optimizer.step(net);
  return cost.value();
}
std::vector<float> bits_of(const auto& net) {
  std::vector<float> all;
  nn::for_each_parameter(net, [&](const auto& p) { all.insert(all.end(), p.value().begin(), p.value().end()); });
  return all;
}

/// Samples that a net can learn: class k is a bump at k.
struct Samples { ad::Tensor<float> inputs; std::vector<int> labels; };
Samples make_samples(std::size_t n, std::size_t width, int classes) {
  Samples s{ad::Tensor<float>::uninitialized({n, width}), std::vector<int>(n)};
  nn::Random random(5);
  for (std::size_t i = 0; i < n; ++i) {
    s.labels[i] = static_cast<int>(random.below(static_cast<std::uint64_t>(classes)));
    for (std::size_t j = 0; j < width; ++j)
      s.inputs[i * width + j] = static_cast<float>(0.3 * random.normal() + (static_cast<int>(j) % classes == s.labels[i] ? 1 : 0));
  }
  return s;
}

}  // namespace

TEST_CASE("the tutorial's XOR: cost and gradient are its reference's, to the digits") {
  const auto check = [](const auto& net, const nn::Linear<double>& first, const nn::Linear<double>& second, const auto& cost_of) {
    ad::Tape tape;
    const ad::Var cost = cost_of(net(x), y);
    tape.backward(cost);
    CHECK(cost.value() == doctest::Approx(0.7058488589595548).epsilon(1e-15));
    check_close(adjoint_of(first.weight),
        {{0.005716045381349233, 0.0022916419822411535, 0.003955926179669406},
        {0.0033149698144424103, 0.005248135239788971, 0.0020355981488115044}}, 1e-16);
    check_close(adjoint_of(first.bias), {-0.007426095537421268, 0.01226449971263342, 0.008157574276407087}, 1e-16);
    check_close(adjoint_of(second.weight), {{0.02508563160774923}, {0.0309426272494341}, {0.03045487552283394}}, 1e-16);
    check_close(adjoint_of(second.bias), {0.051499503787083595}, 1e-16);
  };
  const auto net = xor_net<double>();
  check(net, std::get<0>(net.layers), std::get<2>(net.layers), [](const auto& h, const auto& t) { return nn::binary_cross_entropy(h, t); });
  const auto logits = xor_logits<double>();
  check(logits, std::get<0>(logits.layers), std::get<2>(logits.layers), [](const auto& z, const auto& t) {
    return nn::binary_cross_entropy_with_logits(z, t);
  });
  const Own own{std::get<0>(net.layers), std::get<2>(net.layers)};
  check(own, own.hidden, own.output, [](const auto& h, const auto& t) { return nn::binary_cross_entropy(h, t); });
}
TEST_CASE("the tutorial's XOR: 10 000 steps end where its reference ends") {
  const Tensor expected{{0.020296257341356545}, {0.9845742044122539}, {0.9821414014545643}, {0.0157561919189942}};
  nn::Sgd optimizer{{.learning_rate = 0.1}};
  auto net = xor_net<double>();
  auto logits = xor_logits<double>();
  ad::Tape tape;
  for (int i = 0; i < 10'000; ++i) {
    step(tape, net, optimizer, [](const auto& n) { return nn::binary_cross_entropy(n(x), y); });
    step(tape, logits, optimizer, [](const auto& n) { return nn::binary_cross_entropy_with_logits(n(x), y); });
  }
  const ad::Pause pause;
  check_close(net(x).value(), expected, 1e-11);
  check_close(sigmoid(logits(x).value()), expected, 1e-11);
  CHECK(nn::binary_cross_entropy(net(x), y).value() == doctest::Approx(0.01748817383096118).epsilon(1e-11));
}
TEST_CASE("XOR is learned from most starts") {
  int learned = 0;
  const ad::Tensor<float> in = x.as<float>(), out = y.as<float>();
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    nn::Sequential net{nn::Linear(2, 3), nn::Sigmoid{}, nn::Linear(3, 1)};
    nn::initialize(net, seed, nn::tutorial.with_biases());
    nn::Sgd optimizer{{.learning_rate = 1}};
    ad::Tape tape;
    double cost = 1;
    for (int i = 0; i < 10'000; ++i) cost = step(tape, net, optimizer, [&](const auto& n) {
      return nn::binary_cross_entropy_with_logits(n(in), out);
    });
    learned += cost < 0.05;
  }
  CHECK(learned >= 18);
}
TEST_CASE("a float net learns classes, by each optimizer") {
  const Samples s = make_samples(200, 12, 4);
  const auto train = [&](auto optimizer) {
    nn::Sequential net{nn::Linear(12, 16), nn::Relu{}, nn::Linear(16, 4)};
    nn::initialize(net, 1, nn::he_normal);
    ad::Tape tape;
    for (int i = 0; i < 200; ++i) step(tape, net, optimizer, [&](const auto& n) { return nn::cross_entropy(n(s.inputs), s.labels); });
    const ad::Pause pause;
    const auto found = argmax(net(s.inputs), ad::Axis(1));
    std::size_t right = 0;
    for (std::size_t i = 0; i < found.size(); ++i) right += static_cast<int>(found[i]) == s.labels[i];
    CHECK(right > 195);
  };
  train(nn::Sgd{{.learning_rate = 0.5}});
  train(nn::Sgd{{.learning_rate = 0.1, .momentum = 0.9}});
  train(nn::Sgd{{.learning_rate = 0.1, .momentum = 0.9, .nesterov = true, .weight_decay = 1e-4}});
  train(nn::Adam{{.learning_rate = 0.01}});
}
TEST_CASE("after the first step a training loop allocates nothing") {
  const Samples s = make_samples(64, 12, 4);
  const auto check = [&](auto net, auto optimizer, const auto& cost_of) {
    nn::initialize(net, 1);
    ad::Tape tape;
    step(tape, net, optimizer, cost_of);
    const std::size_t before = allocations(), reserved = tape.statistics().reserved;
    for (int i = 0; i < 10; ++i) step(tape, net, optimizer, cost_of);
    CHECK(allocations() == before);
    CHECK(tape.statistics().reserved == reserved);
  };
  const auto by_class = [&](const auto& n) { return nn::cross_entropy(n(s.inputs), s.labels); };
  const nn::Sequential classes{nn::Linear(12, 16), nn::Sigmoid{}, nn::Linear(16, 4)};
  check(classes, nn::Sgd{{.learning_rate = 0.1}}, by_class);
  check(classes, nn::Sgd{{.learning_rate = 0.1, .momentum = 0.9}}, by_class);
  check(classes, nn::Adam{{}}, by_class);
  check(nn::Sequential{nn::Linear(12, 16), nn::Gelu{}, nn::Dropout(0.5), nn::Linear(16, 4)}, nn::Adam{{}}, by_class);
  const auto likely = [](const auto& n) { return nn::binary_cross_entropy(n(x), y); };
  check(xor_net<double>(), nn::Sgd{{.learning_rate = 0.1}}, likely);
  check(Own{}, nn::Adam{{}}, likely);
  check(Own{}, nn::Adam{{}}, [](const auto& n) { return nn::mse(n(x), y) + 0.5 * nn::half_mse(n(x), y); });
  check(xor_logits<double>(), nn::Adam{{}}, [](const auto& n) { return nn::binary_cross_entropy_with_logits(n(x), y); });
}
TEST_CASE("batches as rows of all samples allocate nothing either") {
  const Samples s = make_samples(64, 12, 4);
  nn::Sequential net{nn::Linear(12, 16), nn::Sigmoid{}, nn::Linear(16, 4)};
  nn::initialize(net, 1);
  nn::Sgd optimizer{{.learning_rate = 0.1}};
  ad::Tape tape;
  const auto epoch = [&] {
    for (std::size_t b = 0; b < 64; b += 16)
      step(tape, net, optimizer, [&](const auto& n) {
        return nn::cross_entropy(n(s.inputs.rows(b, b + 16)), std::span<const int>(s.labels).subspan(b, 16));
      });
  };
  epoch();
  const std::size_t before = allocations();
  epoch();
  CHECK(allocations() == before);
}
TEST_CASE("one thread and two give the same digits") {
  const Samples s = make_samples(256, 200, 10);
  const auto train = [&](unsigned threads, auto optimizer) {
    ad::set_threads(threads);
    nn::Sequential net{nn::Linear(200, 128), nn::Sigmoid{}, nn::Linear(128, 64), nn::Relu{}, nn::Linear(64, 10)};
    nn::initialize(net, 1);
    ad::Tape tape;
    for (int i = 0; i < 5; ++i) step(tape, net, optimizer, [&](const auto& n) { return nn::cross_entropy(n(s.inputs), s.labels); });
    ad::set_threads(1);
    return bits_of(net);
  };
  const auto same = [](const std::vector<float>& a, const std::vector<float>& b) {
    return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
  };
  CHECK(same(train(1, nn::Sgd{{.learning_rate = 0.1}}), train(2, nn::Sgd{{.learning_rate = 0.1}})));
  CHECK(same(train(1, nn::Adam{{}}), train(2, nn::Adam{{}})));
}
TEST_CASE("nets can be trained on several threads, one each") {
  std::vector<std::vector<float>> results(3);
  std::vector<std::thread> threads;
  const ad::Tensor<float> in = x.as<float>(), out = y.as<float>();
  for (auto& result : results) threads.emplace_back([&] {
    auto net = xor_logits<float>();
    nn::Adam optimizer{{.learning_rate = 0.01}};
    ad::Tape tape;
    for (int i = 0; i < 200; ++i) step(tape, net, optimizer, [&](const auto& n) {
      return nn::binary_cross_entropy_with_logits(n(in), out);
    });
    result = bits_of(net);
  });
  for (auto& thread : threads) thread.join();
  CHECK(results[0] == results[1]);
  CHECK(results[0] == results[2]);
}
TEST_CASE("a net is evaluated in the middle of its training, and trained on afterwards") {
  auto net = xor_net<double>(), alone = xor_net<double>();
  nn::Sgd optimizer{{.learning_rate = 0.5}}, other{{.learning_rate = 0.5}};
  const auto cost_of = [](const auto& n) { return nn::binary_cross_entropy(n(x), y); };
  ad::Tape tape;
  for (int i = 0; i < 10; ++i) {
    step(tape, net, optimizer, [&](const auto& n) {
      const ad::Var cost = cost_of(n);
      const ad::Pause pause;
      CHECK(cost_of(n).value() == cost.value());
      return cost;
    });
    const ad::Pause pause;
    cost_of(net);
  }
  tape.clear();
  ad::Tape second;
  for (int i = 0; i < 10; ++i) step(second, alone, other, cost_of);
  CHECK(equal(std::get<0>(net.layers).weight.value(), std::get<0>(alone.layers).weight.value()));
}
TEST_CASE("shared weights learn from both of their uses") {
  struct Shared { nn::Linear<double> layer{1, 1}; } net;
  net.layer.weight.assign({{2}});
  const Tensor one{{1}};
  ad::Tape tape;
  const ad::Var cost = sum(net.layer(net.layer(one)));  // w(w + b) + b: dw = 2w + b = 4, db = w + 1 = 3
  tape.backward(cost);
  CHECK(net.layer.weight.adjoint()[0] == 4);
  CHECK(net.layer.bias.adjoint()[0] == 3);
}
TEST_CASE(
    "a gradient of a net inside of a recording would lose its parameters, and is refused; jvp keeps them, and Pause says that none are wanted") {
  nn::Sequential net{nn::Linear<double>(2, 3), nn::Tanh{}, nn::Linear<double>(3, 1)};
  nn::initialize(net, 1);
  const Tensor at{{0, 0.3}, {0.5, 1}}, v = Tensor::ones({2, 2});
  const auto f = [&](const auto& input) { return sum(net(input)); };
  const Tensor plain = ad::gradient(f, at);  // no other tape: no harm
  ad::Tape tape;
  for (const auto& inner : std::vector<std::function<void()>>{[&] { (void)ad::gradient(f, at); }, [&] { (void)ad::vjp(f, at, 1.0); },
           [&] { (void)ad::jacobian(f, at); }, [&] { (void)ad::hvp(f, at, v); }, [&] { (void)ad::hessian(f, at); }})
    CHECK_THROWS_WITH_AS(inner(), doctest::Contains("f uses a parameter of shape (2, 3) inside of a recording"), ad::TapeError);
  {
    const ad::Pause pause;
    CHECK(equal(ad::gradient(f, at), plain));
  }
  const ad::Var along = ad::jvp(f, ad::Var(at), v);
  tape.backward(along);
  CHECK(tape.adjoint(std::get<0>(net.layers).weight)[0] != 0);
}
TEST_CASE("a second derivative along directions keeps the parameters of a net: u'' in a cost") {
  nn::Sequential net{nn::Linear<double>(1, 5), nn::Tanh{}, nn::Linear<double>(5, 1)};
  nn::initialize(net, 1);
  const Tensor points{{0.1}, {0.4}, {0.9}}, one = Tensor::ones({3, 1});
  const auto u = [&](const auto& z) { return net(z); };
  const auto bend = [&] { return ad::jvp([&](const auto& z) { return ad::jvp(u, z, one); }, ad::Var(points), one); };
  const auto& weight = std::get<0>(net.layers).weight;
  const double h = 1e-4;
  const Tensor up = net(points + h).value(), middle = net(points).value(), down = net(points - h).value(), second = bend().value();
  for (std::size_t i = 0; i < 3; ++i) CHECK(second[i] == doctest::Approx((up[i] - 2 * middle[i] + down[i]) / (h * h)).epsilon(1e-5));
  ad::Tape tape;
  const ad::Var recorded = mean(square(bend()));
  tape.backward(recorded);
  const double slope = tape.adjoint(weight)[1];
  const auto at = [&](double w) {
    Tensor numbers = weight.value();
    numbers[1] = w;
    auto other = net;
    std::get<0>(other.layers).weight.assign(numbers);
    const auto v = [&](const auto& z) { return other(z); };
    const ad::Pause pause;
    return mean(square(ad::jvp([&](const auto& z) { return ad::jvp(v, z, one); }, ad::Var(points), one))).value();
  };
  const double w = weight.value()[1];
  CHECK(slope == doctest::Approx((at(w + 1e-6) - at(w - 1e-6)) / 2e-6).epsilon(1e-6));
}
TEST_CASE("beside a recorded net other derivatives are taken as ever: at variables of its tape, and at numbers") {
  nn::Sequential net{nn::Linear<double>(2, 3), nn::Tanh{}, nn::Linear<double>(3, 1)};
  nn::initialize(net, 1);
  ad::Tape tape;
  const ad::Var cost = mean(square(net(x)));
  const auto f = [](const auto& at) { return at[0] * at[0] * at[1] + sin(at[1]); };
  const std::vector<double> point{1, 2}, v{1, 0};
  const auto at = tape.variables(point);
  const ad::Var slope = ad::gradient(f, at)[0];
  CHECK(ad::hvp(f, point, v) == std::vector<double>{4, 2});
  CHECK(ad::hessian(f, at)[0][1].value() == 2);
  CHECK(ad::vjp(f, at, 1.0)[0].value() == 4);
  tape.backward(slope + cost);
  CHECK(tape.adjoint(at[1]) == 2);
}
TEST_CASE("the derivative of what is constant along a direction is zeros of its shape, at every level") {
  const Tensor point{{1}, {2}}, one = Tensor::ones({2, 1});
  const auto constant = [&](const auto&) { return one; };
  const auto along = ad::jvp([&](const auto& a) { return a + ad::jvp(constant, a, one); }, ad::Var(point), one);
  CHECK(equal(along.value(), one));
}
