// Derivatives forwards, many tangents at a time: what a tape gives, for every number of variables, every rule, and
// where slopes are infinite (forwards.hpp).
#include "allocations.hpp"
#include "support.hpp"
#include <span>

using support::about;
using support::each_rule;
using support::difference;
using support::infinity;
using support::refuses;
using ad::Tensor;

namespace {

/// As many outputs as two more than there are variables, of which the last is a constant.
struct Mixed {
  template <class X> auto operator()(const X& x) const {
    using T = std::remove_cvref_t<decltype(x[0])>;
    std::vector<T> y;
    T sum = 0.0;
    for (const T& one : x) y.push_back(one * exp(sum) - 2.0 * one / (3.0 + sum * sum)), sum += one;
    y.push_back(sin(sum));
    y.push_back(T(7.0));
    return y;
  }
};
const auto length = [](const auto& x) {
  std::remove_cvref_t<decltype(x[0])> s = 1.0;
  for (const auto& one : x) s += one * one;
  return sqrt(s);
};

template <std::size_t n> void check_size() {
  CAPTURE(n);
  const std::vector<double> x = support::Random(n).numbers(n, -1, 1);
  std::array<double, n> same{};
  std::copy(x.begin(), x.end(), same.begin());

  const auto expected = ad::value_and_jacobian(Mixed{}, x);
  const auto [value, jacobian] = ad::value_and_jacobian_forwards(Mixed{}, x);
  CHECK(value == expected.value);
  CHECK(difference(jacobian, expected.jacobian) == "");
  CHECK(difference(ad::jacobian_forwards(Mixed{}, same), jacobian) == "");

  const auto [at, slopes] = ad::value_and_gradient(length, x);
  const auto [y, gradient] = ad::value_and_gradient_forwards(length, same);
  static_assert(std::is_same_v<std::remove_cvref_t<decltype(gradient)>, std::array<double, n>>);
  CHECK(y == at);
  for (std::size_t i = 0; i < n; ++i) CHECK(gradient[i] == about(slopes[i]));
  CHECK(ad::gradient_forwards(length, x) == std::vector<double>(gradient.begin(), gradient.end()));
}

/// Ends after what a thread keeps for its next call. (The sanitizers see it if that is used.)
struct AtTheEnd {
  ~AtTheEnd() { (void)ad::gradient_forwards(length, {3, 4}), (void)ad::gradient_batch(length, {{3, 4}}); }
} at_the_end;

}  // namespace

TEST_CASE("forwards, a vector and a std::array of any length give what a tape gives") {
  [&]<std::size_t... n>(std::index_sequence<n...>) { (check_size<n>(), ...); }(std::index_sequence<1, 2, 3, 6, 8, 10, 15, 17, 35>());
}

TEST_CASE("a rule of two numbers has the slopes forwards that it has on a tape (of one: test_dual.cpp)") {
  each_rule(ad::BinaryRules{}, []<class Rule>(Rule) {
    CAPTURE(std::string(Rule::row.name));
    const auto f = [](const auto& x) { return ad::apply<Rule>(x[0], x[1]) + ad::apply<Rule>(x[0], 0.7) * ad::apply<Rule>(1.3, x[1]); };
    for (const std::array<double, 2>& x : {std::array{0.3, 2.1}, std::array{2.5, 0.4}, std::array{1.0, 3.0}})
      for (std::size_t k = 0; k < 2; ++k) CHECK(ad::gradient_forwards(f, x)[k] == about(ad::gradient(f, x)[k]));
  });
}

TEST_CASE("forwards, where both sizes are known all is in std::arrays, and nothing is allocated") {
  const auto F = []<class T>(const std::array<T, 3>& x) { return std::array<T, 2>{x[0] * x[1], exp(x[2]) / x[0]}; };
  const std::array<double, 3> x{2, 3, 0};
  const std::size_t before = allocations();
  const auto [value, jacobian] = ad::value_and_jacobian_forwards(F, x);
  const std::size_t after = allocations();
  CHECK(after == before);
  CHECK(value == std::array<double, 2>{6, 0.5});
  CHECK(jacobian == std::array<std::array<double, 3>, 2>{{{3, 2, 0}, {-0.25, 0, 0.5}}});
  CHECK(ad::jacobian_forwards([](const auto& z) { return z[0] * z[1]; }, x) == std::array<std::array<double, 3>, 1>{{{3, 2, 0}}});
}

TEST_CASE("forwards, a point may be in braces, of floats or whole numbers, or have no number at all; a function may be constant") {
  CHECK(ad::gradient_forwards([](const auto& x) { return x[0] * x[1]; }, {2, 3}) == std::vector<double>{3, 2});
  CHECK(ad::value_and_gradient_forwards([](const auto& x) { return x[0] * x[1]; }, {2, 3}).value == 6);
  CHECK(difference(ad::jacobian_forwards([](const auto& x) { return x[0] * x[1]; }, {2, 3}), Tensor<double>{{3, 2}}) == "");
  CHECK(ad::value_and_jacobian_forwards([](const auto& x) { return x[0] * x[1]; }, {2, 3}).value[0] == 6);
  CHECK(ad::gradient_forwards([](const auto& x) { return x[0] / x[1]; }, std::array<int, 2>{1, 2}) == std::array<double, 2>{0.5, -0.25});
  CHECK(ad::gradient_forwards([](const auto& x) { return x[0] / x[1]; }, std::vector<float>{1, 2}) == std::vector<double>{0.5, -0.25});
  CHECK(ad::gradient_forwards([](const auto&) { return 5; }, {1, 2}) == std::vector<double>{0, 0});
  CHECK(ad::value_and_gradient_forwards([](const auto&) { return 5; }, std::vector<double>{}).value == 5);
  CHECK(ad::jacobian_forwards([](const auto&) { return std::vector{1.0, 2.0}; }, std::vector<double>{}).shape() == ad::Shape({2, 0}));
  CHECK(ad::value_and_gradient_forwards([](const auto&) { return 5; }, std::array<double, 0>{}).value == 5);
  static_assert(std::is_same_v<decltype(ad::gradient_forwards([](const auto&) { return 5; }, std::array<double, 0>{})), std::array<double, 0>>);
  const auto both = ad::value_and_jacobian_forwards([](const auto& x) { return std::array{x[0], x[1]}; }, {2, 3});
  static_assert(std::is_same_v<decltype(both), const ad::ValueAndJacobian<>>);  // of a vector all is as value_and_jacobian has it
  CHECK(both.value == std::vector<double>{2, 3});
  const auto view = []<class T, std::size_t n>(const std::array<T, n>& x) { return std::span<const T>(x); };  // what is returned may look
                                                                                                              // into the point
  CHECK(difference(ad::jacobian_forwards(view, std::array<double, 2>{4, 5}), Tensor<double>{{1, 0}, {0, 1}}) == "");
  CHECK(difference(ad::jacobian_forwards([](const auto&) { return std::vector{1.0, 2.0}; }, {3}), Tensor<double>{{0}, {0}}) == "");
}

TEST_CASE("forwards, a slope that is infinite is one of those variables only on which its number rests") {
  int runs = 0;
  const auto f = [&runs](const auto& x) {
    ++runs;
    return x[0] + sqrt(x[1]) + x[2] * x[2];  // along x₀ and x₂ the root is a constant
  };
  CHECK(ad::gradient_forwards(f, {1, 4, 3}) == std::vector<double>{1, 0.25, 6});
  CHECK(runs == 1);
  CHECK(ad::gradient_forwards(f, {1, 0, 3}) == std::vector<double>{1, infinity, 6});
  CHECK(ad::gradient_forwards(f, std::array<double, 3>{1, 0, 3}) == std::array<double, 3>{1, infinity, 6});
  CHECK(ad::jvp_batch(f, std::vector<double>{1, 0, 3}, {{1, 0, 0}, {0, 1, 0}, {1, 0, 1}}) == std::vector<std::vector<double>>{{1}, {infinity}, {7}});
  const auto hidden = [](const auto& x) { return x[0] + 0.0 * (sqrt(x[1]) + x[2]); };  // 0 · ∞, as jvp has it
  const auto found = ad::gradient_forwards(hidden, {1, 0, 3});
  CHECK(found[0] == 1);
  CHECK(std::isnan(found[1]));
  CHECK(found[2] == 0);
}

TEST_CASE("a function that throws forwards leaves nothing behind, and one may run inside of another") {
  const auto half = [](const auto& x) {
    if (x[0] > 1) throw std::domain_error("above 1");
    return x[0] / 2.0;
  };
  CHECK_THROWS_AS((void)ad::gradient_forwards(half, {2}), std::domain_error);
  CHECK(ad::gradient_forwards(half, {0.5}) == std::vector<double>{0.5});
  const auto outer = [&](const auto& x) {
    const double inner = ad::gradient_forwards(half, std::vector<double>{ad::plain(x[0])})[0];  // the same function's memory is in use
    return x[0] * x[0] * inner;
  };
  CHECK(ad::gradient_forwards([&](const auto& x) { return outer(x) + half(x); }, {0.5}) == std::vector<double>{1});
  const auto derived = [](const auto& x) { return ad::derivative([&](const auto& t) { return t * t * x[1]; }, x[0]); };  // 2 x₀ x₁
  const auto at_a_number = [](const auto& x) { return ad::derivative([&](const auto& t) { return t * t * x[1] * x[0]; }, 2.0); };  // 4 x₀ x₁
  CHECK(ad::gradient_forwards(at_a_number, {3, 5}) == std::vector<double>{20, 12});
  int runs = 0;
  const auto grows = [&](const auto& x) { return std::vector(++runs == 1 ? 1u : 100u, x[0] * x[1]); };
  refuses<ad::ShapeError>([&] { (void)ad::jacobian_forwards(grows, std::vector<double>(20, 1.5)); },
      {"jacobian_forwards", "what F returns", "1 components", "not 100"});
  CHECK(ad::gradient_forwards(derived, {3, 5}) == std::vector<double>{10, 6});
}

TEST_CASE("jvp_batch: what jvp gives, for more directions than lanes, of one number or of several") {
  const auto several = [](const auto& x) {
    using T = std::remove_cvref_t<decltype(x[0])>;
    return std::vector<T>{x[0] * exp(x[1]), x[2] / x[0] - 2.0, T(3.0), select(x[0] > 1, x[1] * x[1], x[2])};
  };
  const auto one = [](const auto& x) {
    const auto inner = [&](const auto& t) { return t * t * x[1] + sin(t * x[0]); };  // a derivative of its own, which sees our variables
    using T = std::remove_cvref_t<decltype(x[0])>;
    return x[0] < 1 ? T(0.0) : T(ad::derivative(inner, x[0]) * x[1] - pow(x[2], 3));
  };
  const std::vector<double> x{1.5, -0.5, 2};
  std::vector<std::vector<double>> directions;
  support::Random random(3);
  for (int i = 0; i < 19; ++i) directions.push_back(random.numbers(3, -1, 1));
  const auto products = ad::jvp_batch(several, x, directions), numbers = ad::jvp_batch<4>(one, x, directions);
  REQUIRE(products.size() == 19);
  REQUIRE(numbers.size() == 19);
  for (std::size_t i = 0; i < directions.size(); ++i) {
    const auto expected = ad::jvp(several, x, directions[i]);
    REQUIRE(products[i].size() == 4);
    for (std::size_t k = 0; k < 4; ++k) CHECK(products[i][k] == about(expected[k]));
    REQUIRE(numbers[i].size() == 1);
    CHECK(numbers[i][0] == about(ad::jvp(one, x, directions[i])));
  }
  CHECK(ad::jvp_batch(one, x, {}).empty());
  int runs = 0;
  const auto growing = [&runs]<class V>(const V& z) { return std::vector<typename V::value_type>(static_cast<std::size_t>(++runs), z[0]); };
  refuses<ad::ShapeError>([&] { (void)ad::jvp_batch<4>(growing, x, std::vector<std::vector<double>>(5, {1, 0, 0})); },
      {"jvp_batch: what F returns must have 1 components, not 2"});
  CHECK(ad::jvp_batch([](const auto&) { return 5.0; }, x, {{1, 0, 0}}) == std::vector<std::vector<double>>{{0}});
  refuses<ad::ShapeError>([&] { (void)ad::jvp_batch(one, x, {{1, 2, 3}, {1, 2}}); }, {"jvp_batch", "direction 1 must have 3 components, not 2"});
}

TEST_CASE("forwards at no numbers the Jacobian has no columns") {
  CHECK(ad::jacobian_forwards([](const auto& x) { return sum(x); }, Tensor<double>::zeros({0})).shape() == ad::Shape({1, 0}));
}

TEST_CASE("forwards at a tensor, a function that returns more in a later run is refused") {
  int runs = 0;
  const auto f = [&runs](const auto& x) { return reshape(x, {x.size()}) * Tensor<double>::ones(ad::Shape({++runs > 1 ? 2u : 1u, 1u})); };
  refuses<ad::ShapeError>([&] { (void)ad::jacobian_forwards(f, Tensor<double>{1, 2, 3}); },
      {"jacobian_forwards: what F returns must have 3 components, not 6"});
}
