// Batches: every lane computes what a number alone would, through every rule, forwards and backwards (batch.hpp, lanes.hpp).
#include "support.hpp"

using support::about;
using support::each_rule;
using support::infinity;
using support::refuses;

namespace {

template <std::size_t lanes> using B = ad::Batch<double, lanes>;

template <std::size_t lanes> B<lanes> batch(const std::vector<double>& numbers) { return B<lanes>::from(numbers.data()); }
template <std::size_t lanes, class F> void check_lanes(const B<lanes>& y, const F& expected) {
  for (std::size_t i = 0; i < lanes; ++i) {
    CAPTURE(i);
    CHECK(y[i] == expected(i));
  }
}
/// Values and gradients of f at these points are those of one point at a time.
template <std::size_t lanes, class F> void check_points(const F& f, const std::vector<std::vector<double>>& points) {
  const auto [values, gradients] = ad::value_and_gradient_batch<lanes>(f, points);
  for (std::size_t i = 0; i < points.size(); ++i) {
    const auto alone = ad::value_and_gradient(f, points[i]);
    CHECK(values[i] == about(alone.value));
    for (std::size_t k = 0; k < points[i].size(); ++k) CHECK(gradients[i][k] == about(alone.gradient[k]));
  }
}

}  // namespace

TEST_CASE_TEMPLATE("arithmetic, comparison and selection, lane by lane", Size,
    std::integral_constant<std::size_t, 4>, std::integral_constant<std::size_t, 8>) {
  constexpr std::size_t n = Size::value;
  const std::vector<double> p = support::Random(1).numbers(n, -2, 2), q = support::Random(2).numbers(n, -2, 2);
  const B<n> a = batch<n>(p), b = batch<n>(q);
  check_lanes<n>(a + b, [&](std::size_t i) { return p[i] + q[i]; });
  check_lanes<n>(a - b, [&](std::size_t i) { return p[i] - q[i]; });
  check_lanes<n>(a * b, [&](std::size_t i) { return p[i] * q[i]; });
  check_lanes<n>(a / b, [&](std::size_t i) { return p[i] / q[i]; });
  check_lanes<n>(-a, [&](std::size_t i) { return -p[i]; });
  check_lanes<n>(2 - a, [&](std::size_t i) { return 2 - p[i]; });
  check_lanes<n>(select(a < b, a, b), [&](std::size_t i) { return std::min(p[i], q[i]); });
  check_lanes<n>(select(a >= b, a, b), [&](std::size_t i) { return std::max(p[i], q[i]); });
  check_lanes<n>(select(a == a, 1.0, b), [&](std::size_t) { return 1.0; });
  check_lanes<n>(select(a != a, 1.0, b), [&](std::size_t i) { return q[i]; });
  B<n> c = a;
  c += b, c *= a, c -= b, c /= a;
  check_lanes<n>(c, [&](std::size_t i) { return ((p[i] + q[i]) * p[i] - q[i]) / p[i]; });
  c.set(n - 1, 7);
  CHECK(c[n - 1] == 7);
  CHECK(c[n - 2] == ((p[n - 2] + q[n - 2]) * p[n - 2] - q[n - 2]) / p[n - 2]);
  std::vector<double> back(n);
  a.to(back.data());
  CHECK(back == p);
}

TEST_CASE("every rule: a lane holds the value and the derivative that a number alone has") {
  each_rule(ad::UnaryRules{}, []<class Rule>(Rule) {
    CAPTURE(std::string(Rule::row.name));
    const double low = std::max(Rule::row.domain.low, -3.0), high = std::min(Rule::row.domain.high, 3.0);
    std::vector<std::vector<double>> points;
    for (int i = 0; i < 11; ++i) points.push_back({low + (high - low) * (i + 0.37) / 11});  // a full batch and a part of one
    check_points<8>([](const auto& x) { return ad::apply<Rule>(x[0]) * 3.0; }, points);
  });
  each_rule(ad::BinaryRules{}, []<class Rule>(Rule) {
    CAPTURE(std::string(Rule::row.name));
    std::vector<std::vector<double>> points;
    for (int i = 0; i < 11; ++i) points.push_back({0.3 + 0.2 * i, 2.1 - 0.17 * i});
    check_points<4>([](const auto& x) { return ad::apply<Rule>(x[0], x[1]) * 3.0; }, points);
  });
}

TEST_CASE("select takes each lane's own side, and the other does no harm to its derivatives") {
  const auto f = [](const auto& x) {
    return select(x[0] > 0 && !(x[1] < 1), sqrt(x[0]) * x[1], 3.0 * x[1] + select(x[0] == 0 || x[1] == 0, 0.0, x[0]));
  };
  const std::vector<std::vector<double>> points{{4, 2}, {-1, 2}, {4, 0.5}, {0, 2}, {0, 0}};
  CHECK(ad::gradient_batch(f, points) == std::vector<std::vector<double>>{{0.5, 2}, {1, 3}, {1, 3}, {0, 3}, {0, 3}});
  const auto root = [](const auto& x) { return sqrt(select(x[0] >= 0, x[0], x[1])); };  // an infinite slope behind it is for the side that was taken
  CHECK(ad::gradient_batch(root, {{0, 1}, {-1, 0}, {4, 1}}) == std::vector<std::vector<double>>{{infinity, 0}, {0, infinity}, {0.25, 0}});
  CHECK(ad::gradient_batch(root, {{0, 1}, {0, 2}}) == std::vector<std::vector<double>>{{infinity, 0}, {infinity, 0}});  // all lanes take one side
}

TEST_CASE("a derivative inside of gradient_batch may select too") {
  const auto f = [](const auto& x) { return ad::derivative([](const auto& t) { return select(t > 0, t * t * t, -t); }, x[0]) * x[1]; };
  const auto gradients = ad::gradient_batch(f, {{0.5, 2}, {-1, 2}});
  CHECK(gradients == std::vector<std::vector<double>>{{6, 0.75}, {0, -1}});
}

TEST_CASE("0 times an infinite slope is 0 in a lane, as it is for a number alone") {
  const auto f = [](const auto& x) { return x[0] * x[0] + 0.0 * x[1] * ad::Var(sqrt(x[2])); };
  CHECK(ad::gradient_batch(f, {{1, 3, 0}, {2, 3, 1}}) == std::vector<std::vector<double>>{{2, 0, 0}, {4, 0, 0}});
}

TEST_CASE("pow at infinite operands has the slopes that a number alone has") {
  const auto f = [](const auto& x) { return pow(x[0], x[1]); };
  const std::vector<std::vector<double>> points{{0.5, infinity}, {2, -infinity}, {infinity, -1}, {infinity, -0.5}, {0, 3}};
  const auto together = ad::gradient_batch(f, points);
  for (std::size_t i = 0; i < points.size(); ++i) {
    CAPTURE(i);
    CHECK(together[i] == ad::gradient(f, points[i]));
    CHECK(together[i] == std::vector<double>{0, 0});
  }
}

TEST_CASE("preaccumulate inside of gradient_batch") {
  const auto f = [](const auto& x) { return ad::preaccumulate([](const auto& t) { return t[0] * sin(t[1]); }, x) * x[0]; };
  const std::vector<std::vector<double>> points{{1, 2}, {0, 1}, {-2, 0.5}};
  const auto gradients = ad::gradient_batch(f, points);
  for (std::size_t i = 0; i < points.size(); ++i)
    for (std::size_t k = 0; k < 2; ++k) CHECK(gradients[i][k] == about(ad::gradient(f, points[i])[k]));
}

TEST_CASE("a batch does not branch where its lanes disagree, and says which") {
  std::vector<double> numbers{1, 1, 1, 1, 1, -1, 1, 1};
  const B<8> x = batch<8>(numbers);
  refuses<ad::Error>([&] { (void)(x > 0 ? 1 : 2); }, {"lanes 0 and 5", "select(condition, a, b)"});
  CHECK((x < 2 ? true : false));
  CHECK_FALSE((x > 2 ? true : false));
}

TEST_CASE("gradient_batch inside of a function that gradient_batch calls, and again after one that threw") {
  using Points = std::vector<std::vector<double>>;
  const Points points{{1, 2}, {3, 4}};
  const auto product = [](const auto& x) { return x[0] * x[1]; };
  const auto f = [&](const auto& x) { return x[0] * x[0] * ad::gradient_batch(product, points)[1][0] + x[1]; };
  CHECK(ad::gradient_batch(f, points) == Points{{8, 1}, {24, 1}});
  const auto branches = [](const auto& x) { return x[0] < 2 ? x[0] * x[1] : x[1] * x[1]; };
  refuses<ad::Error>([&] { (void)ad::gradient_batch(branches, points); }, {"batch", "0 and 1"});
  CHECK(ad::gradient_batch(product, points) == Points{{2, 1}, {4, 3}});
}

TEST_CASE("gradient_batch into gradients of before: memory is used again, and a refusal leaves them alone") {
  using Points = std::vector<std::vector<double>>;
  const auto f = [](const auto& x) { return x[0] * x[1]; };
  Points gradients(20, {7, 7, 7}), points;
  for (int i = 0; i < 11; ++i) points.push_back({i + 1.0, 10.0 * i});
  refuses<ad::ShapeError>([&] { ad::gradient_batch(f, {{1, 2}, {1, 2, 3}}, gradients); }, {"gradient_batch", "not 3"});
  CHECK(gradients == Points(20, {7, 7, 7}));
  const double* const memory = gradients[10].data();
  ad::gradient_batch(f, points, gradients);
  CHECK(gradients == ad::gradient_batch(f, points));
  REQUIRE(gradients.size() == 11);
  CHECK(gradients[10] == std::vector<double>{100, 11});
  CHECK(gradients[10].data() == memory);
  ad::gradient_batch(f, points, points);  // in place
  CHECK(points == gradients);
}

TEST_CASE("gradient_batch: points of another size are refused, none give none") {
  const auto f = [](const auto& x) { return x[0] * x[1]; };
  refuses<ad::ShapeError>([&] { (void)ad::gradient_batch(f, {{1, 2}, {1, 2, 3}}); }, {"gradient_batch: point 1 must have 2 components, not 3"});
  CHECK(ad::gradient_batch(f, {}).empty());
}

TEST_CASE("jacobian_batch: what jacobian gives at each point, into memory of before, too") {
  const auto f = [](const auto& x) {
    using T = std::decay_t<decltype(x[0])>;
    return std::array<T, 3>{T(sin(x[0]) * x[1]), T(4.0), T(x[1] / x[2] - x[0])};
  };
  std::vector<std::vector<double>> points;
  for (int i = 0; i < 11; ++i) points.push_back({0.1 * i, 1.0 + i, 2.0 - 0.3 * i});
  const auto agrees = [&](const ad::Tensor<double>& all) {
    REQUIRE(all.shape() == ad::Shape({points.size(), 3, 3}));
    for (std::size_t i = 0; i < points.size(); ++i) CHECK(support::difference(all.rows(i, i + 1).reshaped({3, 3}), ad::jacobian(f, points[i])) == "");
  };
  agrees(ad::jacobian_batch(f, points));
  agrees(ad::jacobian_batch<4>(f, points));
  ad::Tensor<double> into;
  ad::jacobian_batch(f, points, into);
  const double* const memory = into.data();
  points[3][0] = 0.7;
  ad::jacobian_batch(f, points, into);
  CHECK(into.data() == memory);
  agrees(into);
  points.resize(3);
  ad::jacobian_batch(f, points, into);
  agrees(into);
  CHECK(ad::jacobian_batch([](const auto& x) { return x[0] * x[1]; }, points).shape() == ad::Shape({3, 1, 3}));
  CHECK(ad::jacobian_batch(f, {}).shape() == ad::Shape({0, 0, 0}));
  refuses<ad::ShapeError>([&] { (void)ad::jacobian_batch(f, {{1, 2, 3}, {1, 2}}); }, {"jacobian_batch: point 1 must have 3 components, not 2"});
}

TEST_CASE("gradient_batch of each rule by itself, whatever its slope is") {
  const std::vector<std::vector<double>> points{{0.3, 0.4}, {0.7, 0.2}, {0.2, 0.9}};
  const auto compare = [&](const char* name, const auto& f) {
    CAPTURE(name);
    const auto gradients = ad::gradient_batch(f, points);
    for (std::size_t i = 0; i < points.size(); ++i) CHECK(support::difference(gradients[i], ad::gradient(f, points[i])) == "");
  };
  each_rule(ad::UnaryRules{}, [&]<class Rule>(Rule) {
    if constexpr (!std::same_as<Rule, ad::Acosh>) compare(Rule::row.name, [](const auto& x) { return ad::apply<Rule>(x[0]); });
  });
  each_rule(ad::BinaryRules{}, [&]<class Rule>(Rule) { compare(Rule::row.name, [](const auto& x) { return ad::apply<Rule>(x[0], x[1]); }); });
  compare("x - floor(x)", [](const auto& x) { return x[0] - floor(x[0]); });
}

TEST_CASE("values come with the gradients of many points") {
  const std::vector<std::vector<double>> points{{1, 2}, {3, 4}, {5, 6}, {7, 8}, {9, 10}, {1, 1}, {2, 2}, {3, 3}, {4, 4}};
  const auto f = [](const auto& x) { return x[0] * x[0] * x[1]; };
  const auto [values, gradients] = ad::value_and_gradient_batch(f, points);
  CHECK(gradients == ad::gradient_batch(f, points));
  REQUIRE(values.size() == points.size());
  for (std::size_t i = 0; i < points.size(); ++i) CHECK(values[i] == points[i][0] * points[i][0] * points[i][1]);
  CHECK(ad::value_and_gradient_batch(f, {}).value.empty());
}

TEST_CASE("jacobian_batch refuses a function that returns another number of components") {
  std::size_t runs = 0;
  const auto f = [&](const auto& x) { return std::vector(runs++ == 0 ? 2 : 1, x[0]); };
  refuses<ad::ShapeError>([&] { (void)ad::jacobian_batch<4>(f, std::vector(8, std::vector<double>{1})); }, {"jacobian_batch: what F returns must have 2 components, not 1"});
}

TEST_CASE("jacobian_batch gives a tensor of as many numbers the right shape") {
  auto into = ad::Tensor<double>::zeros({4, 1, 1});
  ad::jacobian_batch([](const auto& x) { using V = std::remove_cvref_t<decltype(x[0])>; return std::vector<V>{x[0] * x[1], x[0]}; }, {{2, 3}}, into);
  CHECK(into.shape() == ad::Shape({1, 2, 2}));
}

TEST_CASE("comparisons of lanes at ties") {
  const double numbers[] = {0, 1, 2, 3};
  const auto x = ad::Batch<double, 4>::from(numbers);
  const auto text = [](const auto& truth) { const auto b = ad::select(truth, ad::Batch<double, 4>(1), ad::Batch<double, 4>(0)); return std::vector<double>{b[0], b[1], b[2], b[3]}; };
  CHECK(text(x <= 1) == std::vector<double>{1, 1, 0, 0});
  CHECK(text(x >= 1) == std::vector<double>{0, 1, 1, 1});
  CHECK(text(x != 1) == std::vector<double>{1, 0, 1, 1});
}

TEST_CASE("derivatives of other kinds inside of a batch, and questions to its lanes") {
  const auto f = [](const auto& x) {
    return ad::derivative([&](const auto& t) {
      std::decay_t<decltype(t)> s = 0.0;  // a constant: its tangent is a 0 of the outer numbers
      for (int i = 0; i < 3; ++i) s += t * t;
      return s * x[1];
    }, x[0]);
  };
  const auto gradients = ad::gradient_batch(f, std::vector<std::vector<double>>{{1, 2}, {3, 4}});  // f = 6 x y
  CHECK(gradients == std::vector<std::vector<double>>{{12, 6}, {24, 18}});
  using Eight = ad::Batch<double, 8>;
  const double numbers[] = {1, support::not_a_number, support::infinity, -support::infinity, 0, 2, 3, 4};
  const Eight b = Eight::from(numbers);
  const ad::Var<Eight> v = b;
  for (std::size_t k = 0; k < 8; ++k) {
    CHECK(select(isnan(b), Eight(1), Eight(0))[k] == std::isnan(numbers[k]));
    CHECK(select(isinf(v), Eight(1), Eight(0))[k] == std::isinf(numbers[k]));
    CHECK(select(isfinite(v), Eight(1), Eight(0))[k] == std::isfinite(numbers[k]));
  }
}
