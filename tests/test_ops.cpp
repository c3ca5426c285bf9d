// Structured operations: products and moves of numbers, each on every kind of shape, in every mode; and what they refuse.
#include "support.hpp"

using ad::Shape;
using ad::Tensor;
using support::about;
using support::difference;
using support::Number;
using support::refuses;
using support::TensorVar;
using support::verify;

namespace {
support::RandomTensors some{support::Random(12)};
Tensor<double> counted(const Shape& shape) {
  auto t = Tensor<double>::zeros(shape);
  for (std::size_t i = 0; i < t.size(); ++i) t[i] = static_cast<double>(i);
  return t;
}
}  // namespace

// ---- matmul ---------------------------------------------------------------------------------------------------------

TEST_CASE("matmul is the textbook's sum") {
  for (const auto& [m, k, n] : {std::array<std::size_t, 3>{1, 1, 1}, {2, 3, 4}, {5, 1, 7}, {1, 9, 1}, {17, 33, 9}, {40, 5, 70}}) {
    const auto a = some({m, k}), b = some({k, n}), c = matmul(a, b);
    auto expected = Tensor<double>::zeros({m, n});
    for (std::size_t i = 0; i < m; ++i)
      for (std::size_t j = 0; j < n; ++j)
        for (std::size_t l = 0; l < k; ++l) expected(i, j) += a(i, l) * b(l, j);
    CHECK(difference(c, expected) == "");
    CHECK(difference(matmul(a.as<float>(), b.as<float>()), expected, 1e-5) == "");
  }
}

TEST_CASE("matmul of matrices, vectors and batches, differentiated in both operands") {
  struct { Shape a, b, result; } const rows[] = {
      {{2, 3}, {3, 4}, {2, 4}},          {{3}, {3, 4}, {4}},         {{2, 3}, {3}, {2}},               {{3}, {3}, {}},
      {{5, 2, 3}, {3, 4}, {5, 2, 4}},    {{2, 3}, {5, 3, 4}, {5, 2, 4}}, {{5, 2, 3}, {5, 3, 4}, {5, 2, 4}}, {{5, 2, 3}, {1, 3, 4}, {5, 2, 4}},
      {{1, 2, 3}, {5, 3, 1}, {5, 2, 1}}, {{2, 1, 2, 3}, {3, 3, 2}, {2, 3, 2, 2}}, {{3}, {5, 3, 4}, {5, 4}}, {{5, 2, 3}, {3}, {5, 2}},
      {{1, 1}, {1, 1}, {1, 1}},          {{1}, {1, 1}, {1}},         {{20, 1}, {1, 20}, {20, 20}},     {{1, 5, 2, 3}, {4, 1, 3, 2}, {4, 5, 2, 2}}};
  for (const auto& row : rows) {
    const auto a = some(row.a), b = some(row.b), weights = some(row.result);
    CHECK(matmul(a, b).shape() == row.result);
    verify("matmul, left", [&](auto x) { return sum(square(matmul(x, b)) * weights); }, a);
    verify("matmul, right", [&](auto x) { return sum(square(matmul(a, x)) * weights); }, b);
    const auto f = some.random.tensor<float>(row.b);
    verify("matmul, float", [&](auto x) { return sum(square(matmul(x, f))); }, some.random.tensor<float>(row.a));
  }
}

TEST_CASE("matmul with itself") {
  verify("x·x", [](auto x) { return sum(matmul(x, x) * x); }, some({3, 3}));
  verify("x·xᵀ", [](auto x) { return sum(square(matmul(x, transpose(x)))); }, some({2, 4}));
  verify("x·x of vectors", [](auto x) { return sum(matmul(x, x)) * 2.0; }, some({4}));
  verify("three deep", [](auto x) { return sum(matmul(matmul(x, x), x)); }, some({2, 2}));
}

TEST_CASE("matmul with sizes of 0 gives zeros or nothing, and takes its adjoints") {
  struct { Shape a, b, result; } const rows[] = {{{0, 3}, {3, 2}, {0, 2}}, {{2, 0}, {0, 3}, {2, 3}}, {{2, 3}, {3, 0}, {2, 0}},
                                                 {{0}, {0, 3}, {3}}, {{0}, {0}, {}},
                                                 {{0, 2, 3}, {3, 2}, {0, 2, 2}}, {{5, 2, 0}, {5, 0, 2}, {5, 2, 2}},
                                                 {{2, 3}, {0, 3, 2}, {0, 2, 2}}, {{1, 2, 3}, {0, 3, 2}, {0, 2, 2}}};
  for (const auto& row : rows) {
    CAPTURE(row.a.text() + " x " + row.b.text());
    ad::Tape tape;
    const ad::Var a = tape.variable(some(row.a));
    const ad::Var b = tape.variable(some(row.b));
    const ad::Var y = matmul(a, b);
    CHECK(difference(y.value(), Tensor<double>::zeros(row.result)) == "");
    tape.backward(sum(y));
    CHECK(difference(tape.adjoint(a), Tensor<double>::zeros(row.a)) == "");
    CHECK(difference(tape.adjoint(b), Tensor<double>::zeros(row.b)) == "");
  }
}

TEST_CASE("matmul refuses what does not fit") {
  refuses<ad::ShapeError>([] { (void)matmul(some({2, 3}), some({4, 5})); }, {"matmul: inner sizes differ: (2, 3) x (4, 5): 3 != 4"});
  refuses<ad::ShapeError>([] { (void)matmul(some({2, 3, 4}), some({3, 4, 5})); }, {"matmul: (2, 3, 4) x (3, 4, 5)", "(2,) and (3,)"});
  refuses<ad::ShapeError>([] { (void)matmul(some({3}), some({4})); }, {"3 != 4"});
  constexpr std::size_t many = std::size_t{1} << 31;
  const auto rows = Tensor<double>::zeros(Shape({many, 0})), columns = Tensor<double>::zeros(Shape({0, many}));
  refuses<ad::ShapeError>([&] { (void)matmul(rows, columns); }, {"more than memory can hold"});
  refuses<ad::ShapeError>([] { (void)matmul(some({2, 2, 3}), some({4, 3, 2})); }, {"matmul", "(2,) and (4,)"});
  refuses<ad::ShapeError>([] { (void)matmul(some({}), some({2, 2})); }, {"a number has no rows", "*"});
  refuses<ad::ShapeError>([] { (void)matmul(Tensor<double>{}, some({2, 2})); }, {"0 != 2"});
}

// ---- views ----------------------------------------------------------------------------------------------------------

TEST_CASE("a vector times a matrix is one product, whose adjoint a step of descent may use up at once") {
  ad::Parameter<double> w(some({40, 50}));
  const auto before = w.value(), x = some({40});
  ad::Tape tape;
  tape.backward(sum(matmul(x, w.var())));
  CHECK(w.descend(1));
  CHECK(difference(before - w.value(), reshape(x, {40, 1}) * Tensor<double>::ones({1, 50})) == "");
}

TEST_CASE("transpose exchanges the last two axes, or follows an order") {
  CHECK(equal(transpose(Tensor<double>{{1, 2, 3}, {4, 5, 6}}), Tensor<double>{{1, 4}, {2, 5}, {3, 6}}));
  CHECK(transpose(some({2, 3, 4})).shape() == Shape({2, 4, 3}));
  const auto x = counted({2, 3, 4}), y = transpose(x, {2, 0, 1});
  CHECK(y.shape() == Shape({4, 2, 3}));
  CHECK(y(3, 1, 2) == x(1, 2, 3));
  for (const Shape& s : {Shape({3, 2}), Shape({1, 4}), Shape({2, 1, 3}), Shape({0, 2}), Shape({1, 1}), Shape({2, 2, 2, 2, 2, 2})}) {
    const auto w = some(transpose(some(s)).shape());
    verify("transpose", [&](auto t) { return sum(square(transpose(t)) * w); }, some(s));
  }
  const auto w = some({4, 2, 3});
  verify("transpose by order", [&](auto t) { return sum(square(transpose(t, {2, 0, 1})) * w); }, some({2, 3, 4}));
  const std::vector<std::vector<std::size_t>> orders{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 1, 0}};  // transposes of matrices, or not
  for (const auto& order : orders)
    for (const Shape& shape : {Shape({2, 3, 4}), Shape({0, 2, 3}), Shape({3, 1, 5})}) {
      const auto from = counted(shape), to = transpose(from, order);
      INFO(shape.text(), " by ", order[0], order[1], order[2]);
      for (std::size_t i = 0; i < to.size(); ++i) {
        const std::array at{i / to.shape().inside(0), i / to.shape().inside(1) % to.shape()[1], i % to.shape()[2]};
        std::array<std::size_t, 3> back{};
        for (std::size_t axis = 0; axis < 3; ++axis) back[order[axis]] = at[axis];
        CHECK(to[i] == from(back[0], back[1], back[2]));
      }
      verify("transpose by order", [&](auto t) { return sum(square(transpose(t, order)) * counted(to.shape())); }, some(shape));
    }
  verify("transpose of one axis", [](auto t) { return sum(square(transpose(t, {0}))); }, some({3}));
  refuses<ad::ShapeError>([] { (void)transpose(Tensor<double>{1, 2}); }, {"transpose: shape (2,)", "reshape"});
  refuses<ad::ShapeError>([] { (void)transpose(some({2, 3}), {0}); }, {"order (0)", "(2, 3)"});
  refuses<ad::ShapeError>([] { (void)transpose(some({2, 3}), {0, 0}); }, {"order (0, 0)", "once"});
  refuses<ad::ShapeError>([] { (void)transpose(some({2, 3}), {0, 2}); }, {"order (0, 2)"});
  refuses<ad::ShapeError>([] { (void)transpose(some({2, 3}), {0, 1, 2, 3, 4, 5, 6, 7}); }, {"2 axes"});
}

TEST_CASE("slice follows Python") {
  constexpr std::ptrdiff_t far = std::numeric_limits<std::ptrdiff_t>::max(), near = std::numeric_limits<std::ptrdiff_t>::min();
  const Tensor<double> x{0, 1, 2, 3, 4};
  struct { std::ptrdiff_t begin, end, step; Tensor<double> result; } const rows[] = {
      {1, 3, 1, {1, 2}},      {0, 5, 2, {0, 2, 4}},      {-2, 5, 1, {3, 4}},    {0, -1, 1, {0, 1, 2, 3}}, {3, 1, 1, {}},           {7, 9, 1, {}},
      {-100, 100, 3, {0, 3}}, {-1, -100, -1, {4, 3, 2, 1, 0}}, {4, 0, -2, {4, 2}},
      {1, 4, -1, {}},        {0, 5, 100, {0}},        {4, -100, -100, {4}},
      {0, far, far, {0}},     {far, near, near, {4}},    {near, far, 1, {0, 1, 2, 3, 4}}, {2, 2, 1, {}},  {far, near, -1, {4, 3, 2, 1, 0}}};
  for (const auto& row : rows) {
    CAPTURE(row.begin);
    CAPTURE(row.end);
    CAPTURE(row.step);
    CHECK(difference(slice(x, 0, row.begin, row.end, row.step), row.result) == "");
    verify("slice", [&](auto t) { return sum(square(slice(t, 0, row.begin, row.end, row.step))) + sum(t); }, some({5}));
    verify("slice of the middle axis", [&](auto t) { return sum(exp(slice(t, ad::Axis(-2), row.begin, row.end, row.step))); }, some({2, 5, 2}));
  }
  CHECK(slice(Tensor<double>{}, 0, 0, 3).size() == 0);
  CHECK(slice(Tensor<double>{}, 0, -1, -9, -1).size() == 0);
  CHECK(slice(some({2, 0}), 0, 0, 1).shape() == Shape({1, 0}));
  refuses<ad::ShapeError>([&] { (void)slice(x, 0, 0, 1, 0); }, {"slice", "step of 0"});
  refuses<ad::ShapeError>([&] { (void)slice(x, 1, 0, 1); }, {"slice: axis 1 of shape (5,)"});
  refuses<ad::ShapeError>([&] { (void)slice(x, -2, 0, 1); }, {"axis -2"});
  refuses<ad::ShapeError>([&] { (void)slice(some({}), 0, 0, 1); }, {"()", "0 axes"});
}

TEST_CASE("long runs of numbers are moved as well as short ones: rows, columns, steps, and what repeats") {
  Tensor<double> x = Tensor<double>::zeros({5, 40, 3});
  for (std::size_t k = 0; k < x.size(); ++k) x[k] = static_cast<double>(k);
  const auto moved_right = [](const auto& y, const auto& from) {
    const Shape shape = y.shape();
    for (std::size_t i = 0, k = 0; i < shape[0]; ++i)
      for (std::size_t j = 0; j < shape[1]; ++j)
        for (std::size_t l = 0; l < shape[2]; ++l) CHECK(y.data()[k++] == from(i, j, l));
  };
  moved_right(slice(x, ad::Axis(0), 1, 4), [&](auto i, auto j, auto l) { return x(i + 1, j, l); });
  moved_right(slice(x, ad::Axis(1), 3, 33), [&](auto i, auto j, auto l) { return x(i, j + 3, l); });
  moved_right(slice(x, ad::Axis(1), 39, 2, -2), [&](auto i, auto j, auto l) { return x(i, 39 - 2 * j, l); });
  moved_right(slice(x, ad::Axis(2), 1, 2), [&](auto i, auto j, auto) { return x(i, j, std::size_t{1}); });
  moved_right(transpose(x, {1, 0, 2}), [&](auto i, auto j, auto l) { return x(j, i, l); });
  moved_right(broadcast_to(slice(x, ad::Axis(2), 2, 3), {5, 40, 20}), [&](auto i, auto j, auto) { return x(i, j, std::size_t{2}); });
  moved_right(broadcast_to(slice(x, ad::Axis(0), 0, 1), {4, 40, 3}), [&](auto, auto j, auto l) { return x(std::size_t{0}, j, l); });
  ad::check_gradient([](const auto& t) {
    return sum(square(slice(t, ad::Axis(0), 1, 4))) + sum(square(slice(t, ad::Axis(1), 39, 2, -2))) + sum(square(slice(t, ad::Axis(2), 1, 2))) +
        sum(square(transpose(t, {1, 0, 2})));
  }, x * 0.01);
}

TEST_CASE("broadcast_to repeats, and its adjoint is summed back") {
  CHECK(equal(broadcast_to(Tensor<double>{{1}, {2}}, {2, 3}), Tensor<double>{{1, 1, 1}, {2, 2, 2}}));
  for (const auto& [from, to] : {std::pair<Shape, Shape>{{3, 1}, {2, 3, 4}}, {{}, {2, 2}},
      {{1}, {5}}, {{4}, {4}}, {{1, 1}, {0, 3}}, {{0}, {2, 0}}, {{2, 1, 2}, {2, 3, 2}}}) {
    const auto w = some(to);
    verify("broadcast_to", [&, shape = to](auto t) { return sum(square(broadcast_to(t, shape)) * w) + sum(t); }, some(from));
  }
  refuses<ad::ShapeError>([] { (void)broadcast_to(some({2}), {3}); }, {"broadcast_to"});
  refuses<ad::ShapeError>([] { (void)broadcast_to(some({2, 3}), {3}); }, {"broadcast_to: (2, 3) cannot become (3,)"});
  refuses<ad::ShapeError>([] { (void)broadcast_to(some({3}), {1}); }, {"broadcast_to: (3,) cannot become (1,)"});
}

TEST_CASE("reshape keeps the numbers") {
  const auto w = some({3, 2});
  verify("reshape", [&](auto t) { return sum(square(reshape(t, {3, 2})) * w); }, some({6}));
  verify("reshape to a number", [](auto t) { return sum(square(reshape(t, {}))); }, some({1, 1}));
  verify("reshape of nothing", [](auto t) { return sum(reshape(t, {0, 4})); }, some({3, 0}));
  refuses<ad::ShapeError>([] { ad::Tape tape; (void)reshape(tape.variable(some({6})), {4}); }, {"reshape: (6,) to (4,): 6 numbers cannot become 4"});
}

// ---- selections -----------------------------------------------------------------------------------------------------

TEST_CASE("gather takes entries in any order, some twice, some not at all") {
  const auto table = counted({3, 2});
  CHECK(equal(gather(table, {2, 0, 0, -1}), Tensor<double>{{4, 5}, {0, 1}, {0, 1}, {4, 5}}));
  CHECK(equal(gather(table, {1}, 1), Tensor<double>{{1}, {3}, {5}}));
  CHECK(gather(table, {}).shape() == Shape({0, 2}));
  const auto w = some({4, 2}), v = some({3, 4});
  verify("gather", [&](auto t) { return sum(square(gather(t, {0, 2, 2, -1})) * w); }, some({3, 2}));
  verify("gather columns", [&](auto t) { return sum(square(gather(t, {0, 1, 1, -2}, -1)) * v); }, some({3, 2}));
  verify("gather nothing", [](auto t) { return sum(gather(t, {})) + sum(t * t); }, some({3, 2}));
  verify("gather in the middle", [](auto t) { return sum(exp(gather(t, {2, 0, 2}, 1))); }, some({2, 3, 2}));
  refuses<ad::ShapeError>([&] { (void)gather(table, {3}); }, {"gather: entry 3 along axis 0 of shape (3, 2), which has 3"});
  refuses<ad::ShapeError>([&] { (void)gather(table, {-4}); }, {"entry -4"});
  refuses<ad::ShapeError>([&] { (void)gather(table, {0}, 2); }, {"gather: axis 2"});
  refuses<ad::ShapeError>([&] { (void)gather(some({0, 2}), {0}); }, {"entry 0", "which has 0"});
}

TEST_CASE("gather takes positions of any integer type, and what argmax gives") {
  const Tensor<double> table{{1, 5, 2}, {7, 3, 4}};
  CHECK(difference(gather(Tensor<double>{10, 20, 30}, ad::argmax(table, 1)), Tensor<double>{20, 10}) == "");
  CHECK(difference(ad::gather(table, {-1}), Tensor<double>{{7, 3, 4}}) == "");
  refuses<ad::ShapeError>([&] { (void)gather(table, std::vector<std::size_t>{~std::size_t{0}}); }, {"gather: entry"});
}

TEST_CASE("an element is a number on the tape") {
  ad::Tape tape;
  const ad::Var x = tape.variable(Tensor<double>{{1, 2}, {3, 4}});
  const ad::Var y = x(0, 1) * x(1, 0) + x(0, 1);
  static_assert(std::is_same_v<decltype(x(0, 1)), Number>);
  tape.backward(y);
  CHECK(equal(tape.adjoint(x), Tensor<double>{{0, 4}, {2, 0}}));
  const ad::Var scalar = tape.variable(Tensor<double>::full({}, 3));
  tape.backward(scalar() * scalar());
  CHECK(tape.adjoint(scalar).item() == 6);
  const TensorVar<> c = Tensor<double>{5, 6};
  CHECK(c(1).place() == 0);
  CHECK(c(1).value() == 6);
  refuses<ad::ShapeError>([&] { (void)x(2, 0); }, {"tensor: index (2, 0)", "(2, 2)"});
  refuses<ad::ShapeError>([&] { (void)x(0, -1); }, {"index (0, -1)"});
  refuses<ad::ShapeError>([&] { (void)x(0); }, {"index (0)", "one position for each axis"});
  refuses<ad::ShapeError>([&] { (void)x(0, 0, 0, 0, 0, 0, 0, 0); }, {"index (0, 0,"});
  refuses<ad::ShapeError>([] { (void)TensorVar<>{}(0); }, {"(0,)"});
  verify("elements", [](auto t) { return t(0, 1) * t(1, 2) + t(0, 1); }, some({2, 3}));
}

TEST_CASE("one condition chooses between tensors") {
  verify("select", [](auto t) { return sum(select(true, t * t, t) * select(false, t, 3.0)); }, some({3}));
  CHECK(equal(select(false, Tensor<double>{1}, Tensor<double>{2, 3}), Tensor<double>{2, 3}));
  for (const bool first : {true, false}) CHECK(equal(select(first, Tensor<double>{1, 1}, 0), Tensor<double>::full({2}, first)));
  const Tensor<double> column{{3}, {4}, {5}};
  verify("select of one, broadcast", [&](auto t) { return sum(square(select(true, t, column)) + select(false, column, exp(t))); }, some({2}));
  verify("select of a number", [&](auto t) { return sum(square(select(true, sum(t), t))) + sum(select(false, 1.0, t * t)); }, some({2}));
  refuses<ad::ShapeError>([] { (void)select(true, Tensor<double>{1, 2, 3}, Tensor<double>{1, 2}); }, {"select: shapes (3,) and (2,)"});
}

TEST_CASE("moves of enormous empty shapes take no time") {
  const auto huge = Tensor<double>::zeros(Shape({4'000'000'000, 30'000, 0}));
  CHECK(concatenate(std::vector{huge, huge}, 2).size() == 0);
  const auto tall = Tensor<double>::zeros(Shape({0, 4'000'000'000, 400'000}));
  CHECK(concatenate(std::vector{tall, tall}).shape() == tall.shape());
  for (const auto& y : {softmax(huge), log_softmax(huge), softmax(huge, ad::Axis(0))}) CHECK(y.size() == 0);
  CHECK(max(huge, ad::Axis(0)).size() == 0);
  CHECK(sum(huge, ad::Axis(0)).size() == 0);
  CHECK(gather(huge, {1, 2}, 1).size() == 0);
  CHECK(transpose(huge).size() == 0);
  CHECK(slice(huge, 0, 0, 2).size() == 0);
  CHECK((huge + 1.0).size() == 0);
  CHECK((huge + Tensor<double>{1}).size() == 0);
  CHECK(sum(huge) == 0);
  ad::Tape tape;
  const ad::Var x = tape.variable(huge);
  tape.backward(sum(concatenate(std::vector{x, x}, 2)) + sum(gather(x, {1}, 1)) + sum(x * Tensor<double>{1}));
  CHECK(tape.adjoint(x).size() == 0);
}

TEST_CASE("a number is found by its place in the row of all, in every mode") {
  const auto f = [](const auto& x) { return x[0] * x[1] + exp(x[0]); };
  const Tensor<double> x{1, 2};
  CHECK(difference(ad::gradient(f, x), Tensor<double>{2 + std::exp(1), 1}) == "");
  CHECK(ad::jvp(f, x, x) == about(4 + std::exp(1)));
  CHECK(difference(ad::hessian(f, x), Tensor<double>{{std::exp(1), 1}, {1, 0}}) == "");
  ad::Tape tape;
  const ad::Var recorded = tape.variable(x);
  refuses<ad::ShapeError>([&] { (void)recorded[2]; }, {"no number [2] in shape (2,), which has 2"});
}

TEST_CASE("select keeps the sign of a zero") {
  const Tensor<double> y = select(Tensor<double>{1, 0}, Tensor<double>{-0.0, 1}, Tensor<double>{1, -0.0});
  CHECK(std::signbit(y[0]));
  CHECK(std::signbit(y[1]));
}

TEST_CASE("a transpose of one long row, and of many matrices") {
  support::Random random(3);
  for (const Shape& s : {Shape({1, 1000}), Shape({3, 5, 7}), Shape({2, 0, 4}), Shape({2, 2, 33, 17})}) {
    const auto x = random.tensor(s);
    const Tensor<double> y = transpose(x);
    const std::size_t m = s[s.axes() - 2], n = s[s.axes() - 1];
    CHECK(y.shape()[s.axes() - 1] == m);
    CHECK(y.shape()[s.axes() - 2] == n);
    bool same = true;
    for (std::size_t k = 0; k < x.size(); ++k) same = same && y[k / (m * n) * m * n + k % n * m + k / n % m] == x[k];
    CHECK(same);
    CHECK(support::difference(ad::gradient([&](auto t) { return dot(transpose(t), y) + sum(t) * 0.5 + dot(t, t) * 0.5; }, x), 2.0 * x + 0.5) == "");
  }
}

TEST_CASE("as: between float and double, on a tape and forwards") {
  const Tensor<float> x{0.5f, -1, 2};
  const Tensor<double> a{1, 2, 3};
  const auto f = [&](const auto& z) { return sum(exp(z.template as<double>()) * a) + sum(square(z)); };
  const auto slope = [&](std::size_t i) { return a[i] * std::exp(static_cast<double>(x[i])) + 2 * static_cast<double>(x[i]); };
  const auto g = ad::gradient(f, x), h = ad::hvp(f, x, Tensor<float>{0, 1, 0});
  for (std::size_t i = 0; i < 3; ++i) CHECK(static_cast<double>(g[i]) == about(slope(i), 1e-6));
  CHECK(static_cast<double>(h[1]) == about(2 * std::exp(-1.0) + 2, 1e-6));
  CHECK(static_cast<double>(ad::jvp(f, x, Tensor<float>{1, 0, 0})) == about(slope(0), 1e-6));
  ad::Tape tape;
  const ad::NanTrap trap;
  const ad::Var v = tape.variable(a);
  static_assert(std::is_same_v<decltype(v.as<float>()), ad::Var<Tensor<float>>>);
  CHECK(v.as<double>().place() == v.place());
  CHECK(ad::Var(a).as<float>().place() == 0);
  CHECK(difference(ad::Var(a).as<float>().value(), a) == "");
  const ad::Var twice = sum(v.as<float>() * 2) + sum(v);  // the adjoint is written, then added to
  tape.backward(twice);
  CHECK(difference(tape.adjoint(v), Tensor<double>{3, 3, 3}) == "");
}

TEST_CASE("a product takes more axes of 1 on the right") {
  CHECK(matmul(Tensor<double>::ones({2, 3}), Tensor<double>::ones({1, 1, 3, 4})).shape() == ad::Shape({1, 1, 2, 4}));
}

TEST_CASE("select forwards keeps the sign of 0") {
  const auto f = [](const auto& x) { return select(Tensor<double>{1, 0}, x, 2 * x); };
  const auto y = ad::value_and_jvp(f, Tensor<double>{-0.0, -0.0}, Tensor<double>{1, 1}).value;
  CHECK((std::signbit(y.data()[0]) && std::signbit(y.data()[1])));
}

TEST_CASE("an adjoint that a move gives back after others is added to theirs") {
  const auto f = [](const auto& x) { const auto b = broadcast_to(x, Shape{3, 2}); return sum(x) + sum(b); };
  CHECK(equal(ad::gradient(f, Tensor<double>{1, 2}), Tensor<double>{4, 4}));
  ad::Tape tape;
  const ad::Var x = tape.variable(Tensor<double>{1, 2});
  const auto as_float = x.as<float>();
  tape.backward(sum(x) + sum(as_float));
  CHECK(equal(tape.adjoint(x), Tensor<double>{2, 2}));
}

TEST_CASE("the last axis of a matrix, backwards") {
  CHECK(equal(slice(Tensor<double>{{1, 2}, {3, 4}}, 1, 1, -3, -1), Tensor<double>{{2, 1}, {4, 3}}));
}

TEST_CASE("products of no matrices touch no memory, however large the others are") {
  const auto a = Tensor<double>::zeros({0, 40, 50}), b = Tensor<double>::ones({1, 1, 50, 60});
  CHECK(matmul(a, b).shape() == Shape({1, 0, 40, 60}));
  CHECK(equal(ad::gradient([&](const auto& x) { return sum(matmul(a, x)) + sum(x); }, b), Tensor<double>::ones({1, 1, 50, 60})));
  ad::Tape tape;
  const ad::Var x = tape.variable(Tensor<double>::ones({40, 50})), c = tape.variable(Tensor<double>::ones({50, 60}));
  const auto none = slice(reshape(c, {1, 50, 60}), 0, 0, 0);
  const auto large = c * 2.0, larger = square(large) * 3.0;
  const auto y = sum(matmul(x, none)) + sum(x);
  tape.backward(sum(square(larger)));  // the walk's memory holds numbers now
  tape.backward(y);
  CHECK(equal(tape.adjoint(x), Tensor<double>::ones({40, 50})));
}

TEST_CASE("a row times a vector does not see the next row") {
  Tensor<double> a = Tensor<double>::ones({2, 21});
  a(1, 0) = support::infinity;
  CHECK(matmul(a, Tensor<double>::ones({21}))[0] == 21);
}
