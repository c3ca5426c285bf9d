// First numbers: reproducible to the digit, and distributed as they say.
#include <doctest/doctest.h>
#include <nn/nn.hpp>
#include <cmath>
#include <vector>

namespace ad = autodiff;
namespace nn = autodiff::nn;

namespace {

using Tensor = ad::Tensor<double>;

struct Moments { double mean = 0, deviation = 0, kurtosis = 0, largest = 0; };
Moments moments(const Tensor& t) {
  Moments m;
  const double n = static_cast<double>(t.size());
  for (const double x : t) m.mean += x / n, m.largest = std::max(m.largest, std::abs(x));
  double square = 0, fourth = 0;
  for (const double x : t) square += std::pow(x - m.mean, 2) / n, fourth += std::pow(x - m.mean, 4) / n;
  m.deviation = std::sqrt(square), m.kurtosis = fourth / (square * square);
  return m;
}
Tensor drawn(nn::Scheme scheme, std::uint64_t seed = 1) {
  nn::Linear<double> layer(300, 200);
  nn::initialize(layer, seed, scheme);
  return layer.weight.value();
}

}  // namespace

TEST_CASE("the same seed gives these digits on every machine") {
  nn::Random random(1);
  CHECK(random.bits() == 10451216379200822465u);  // splitmix64's published stream
  CHECK(random.bits() == 13757245211066428519u);
  nn::Random uniform(1), normal(1);
  CHECK(uniform.uniform() == 0x1.22145bd91204bp-1);
  const double normals[] = {normal.normal(), normal.normal(), normal.normal(), normal.normal()};
  CHECK(normals[0] == -0x1.3219ae16258b8p-1);
  CHECK(normals[1] == -0x1.165c0488bc978p-1);
  CHECK(normals[2] == 0x1.5ec1755cd2ae8p-1);
  CHECK(normals[3] == -0x1.79e6b6db6be7p-1);
  nn::Linear<double> layer(2, 3);
  nn::initialize(layer, 1);
  CHECK(layer.weight.value()(0, 0) == 0x1.2aa8731d4c089p-3);
  CHECK(layer.weight.value()(1, 2) == 0x1.26e5e6a23852fp-1);
  nn::initialize(layer, 1, nn::tutorial);
  CHECK(layer.weight.value()(0, 0) == 0.5 * std::sqrt(6.0 / 5.0) * normals[0]);
}
TEST_CASE("draws can be made while the program is compiled") {
  constexpr double x = nn::Random(1).normal();
  CHECK(x == nn::Random(1).normal());
}
TEST_CASE("normal draws are normal: their moments, and every slice of the bell") {
  nn::Random random(4);
  const std::size_t n = 400'000;
  constexpr int slices = 64;
  std::vector<double> count(slices, 0);
  Tensor all = Tensor::uninitialized({n});
  for (std::size_t i = 0; i < n; ++i) {
    all[i] = random.normal();
    const double rank = std::erfc(-all[i] / std::sqrt(2.0)) / 2;
    ++count[static_cast<std::size_t>(std::min(rank * slices, slices - 1.0))];
  }
  const Moments m = moments(all);
  CHECK(std::abs(m.mean) < 4 / std::sqrt(static_cast<double>(n)));
  CHECK(std::abs(m.deviation - 1) < 4 / std::sqrt(2.0 * n));
  CHECK(std::abs(m.kurtosis - 3) < 4 * std::sqrt(24.0 / n));
  CHECK(m.largest > 4);
  double chi = 0;
  for (const double c : count) chi += std::pow(c - n / double(slices), 2) / (n / double(slices));
  CHECK(std::abs(chi - (slices - 1)) < 4 * std::sqrt(2.0 * (slices - 1)));  // 63 ± 45
}
TEST_CASE("below(n) reaches everything below n, equally often") {
  nn::Random random(9);
  std::vector<int> count(7, 0);
  for (int i = 0; i < 70'000; ++i) ++count[random.below(7)];
  for (const int c : count) CHECK(std::abs(c - 10'000) < 400);
  CHECK(nn::Random(1).below(1) == 0);
  const std::uint64_t quarter = std::uint64_t{1} << 62;
  int low = 0;
  for (int i = 0; i < 3000; ++i) low += random.below(3 * quarter) < quarter;  // half of them, if the incomplete run were not drawn again
  CHECK(std::abs(low - 1000) < 120);
}
TEST_CASE("below(0) and schemes that make no sense are refused") {
  CHECK_THROWS_AS(nn::Random(1).below(0), ad::Error);
  nn::Linear layer(2, 3);
  CHECK_THROWS_WITH_AS(nn::initialize(layer, 1, {.fan = nn::Scheme::Fan::in, .variance = -2}),
      "initialize: the scheme's variance is -2; it must be at least 0 and at most 1e+30", ad::Error);
}
TEST_CASE("tensors of random numbers are the draws, one by one") {
  nn::Random random(5), same(5);
  const auto normal = nn::normal<double>({2, 3}, random);
  for (std::size_t i = 0; i < 6; ++i) CHECK(normal[i] == same.normal());
  const auto uniform = nn::uniform({4}, random, -1, 3);
  for (std::size_t i = 0; i < 4; ++i) CHECK(uniform[i] == static_cast<float>(-1 + 4 * same.uniform()));
  for (const double x : nn::uniform<double>({100}, random, -0.1, 0.6)) CHECK(x == std::fma(0.6 - -0.1, same.uniform(), -0.1));  // rounded once
}
TEST_CASE("each scheme has its deviation and its distribution") {
  const auto check = [](nn::Scheme scheme, double deviation) {
    const Moments m = moments(drawn(scheme));
    CHECK(m.deviation == doctest::Approx(deviation).epsilon(0.015));
    CHECK(m.kurtosis == doctest::Approx(scheme.uniform ? 1.8 : 3).epsilon(0.03));
    if (scheme.uniform) CHECK(m.largest <= std::sqrt(3.0) * deviation);
  };
  check(nn::xavier_uniform, std::sqrt(2.0 / 500));
  check(nn::xavier_normal, std::sqrt(2.0 / 500));
  check(nn::he_normal, std::sqrt(2.0 / 300));
  check(nn::he_uniform, std::sqrt(2.0 / 300));
  check(nn::tutorial, 0.5 * std::sqrt(6.0 / 500));
  CHECK(moments(drawn(nn::xavier_uniform)).largest <= std::sqrt(6.0 / 500));
  CHECK(moments(drawn(nn::xavier_uniform)).largest > 0.999 * std::sqrt(6.0 / 500));
}
TEST_CASE("xavier_uniform is what initialize does by itself") {
  nn::Linear<double> layer(300, 200);
  nn::initialize(layer, 1);
  CHECK(equal(layer.weight.value(), drawn(nn::xavier_uniform)));
}
TEST_CASE("biases are zero, or drawn as the weights before them") {
  nn::Sequential net{nn::Linear<double>(3, 500), nn::Linear<double>(500, 300)};
  nn::initialize(net, 1, nn::tutorial);
  for (const double b : std::get<0>(net.layers).bias.value()) CHECK(b == 0);
  nn::initialize(net, 1, nn::tutorial.with_biases());
  CHECK(moments(std::get<0>(net.layers).bias.value()).deviation / (0.5 * std::sqrt(6.0 / 503)) == doctest::Approx(1).epsilon(0.1));
  CHECK(moments(std::get<1>(net.layers).bias.value()).deviation / (0.5 * std::sqrt(6.0 / 800)) == doctest::Approx(1).epsilon(0.1));
}
TEST_CASE("float gets the digits of double, rounded; another seed, other digits") {
  nn::Linear<float> narrow(4, 5);
  nn::Linear<double> wide(4, 5);
  nn::initialize(narrow, 3);
  nn::initialize(wide, 3);
  CHECK(equal(narrow.weight.value(), wide.weight.value().as<float>()));
  nn::initialize(wide, 4);
  CHECK(!equal(narrow.weight.value(), wide.weight.value().as<float>()));
}
TEST_CASE("what a tape has recorded is not changed by initialize") {
  nn::Linear<double> layer(2, 2);
  nn::initialize(layer, 1);
  ad::Tape tape;
  const ad::Var x = tape.variable(Tensor{{1, 1}});
  const ad::Var cost = sum(layer(x));
  const Tensor before = layer.weight.value();
  nn::initialize(layer, 2);
  tape.backward(cost);
  CHECK(tape.adjoint(x)[0] == doctest::Approx(before[0] + before[1]));
}

TEST_CASE("a scheme of infinite variance is refused") {
  nn::Linear<double> net(1, 1);
  CHECK_THROWS_WITH_AS(nn::initialize(net, 1, {.fan = nn::Scheme::Fan::in, .variance = HUGE_VAL}), doctest::Contains("the scheme's variance is inf"), ad::Error);
}
