// Reductions: over all numbers and along each axis, in every mode; ties, NaN and nothing at all.
#include "support.hpp"

using ad::Axis;
using ad::Shape;
using ad::Tensor;
using support::about;
using support::difference;
using support::infinity;
using support::not_a_number;
using support::Number;
using support::refuses;
using support::TensorVar;
using support::verify;

namespace {
support::RandomTensors some{support::Random(13)};
/// Numbers in random order, none near another: extremes stay where they are when finite differences push.
template <class T = double> Tensor<T> apart(const Shape& shape) {
  auto t = Tensor<T>::zeros(shape);
  for (std::size_t i = 0; i < t.size(); ++i)
    t[i] = static_cast<T>(0.3 + 0.1 * static_cast<double>((i * 37 + 11) % t.size()));  // 37 divides no size here
  return t;
}
const Shape shapes[] = {Shape({4}), Shape({1}), Shape({2, 3}), Shape({1, 3}),
    Shape({3, 1}), Shape({2, 3, 4}), Shape({2, 1, 2, 1}), Shape({3, 40}), Shape({40, 3})};
}  // namespace

TEST_CASE("reductions over all numbers give numbers") {
  const Tensor<double> x{{1, 2}, {3, 6}};
  static_assert(std::is_same_v<decltype(sum(x)), double> && std::is_same_v<decltype(max(x.as<float>())), double>);
  static_assert(std::is_same_v<decltype(mean(TensorVar<float>())), Number>);
  CHECK(sum(x) == 12);
  CHECK(mean(x) == 3);
  CHECK(max(x) == 6);
  CHECK(min(x) == 1);
  CHECK(argmax(x) == 3);
  CHECK(dot(x, x) == 50);
  CHECK(norm(x) == about(std::sqrt(50)));
  CHECK(logsumexp(x) == about(std::log(std::exp(1.0) + std::exp(2.0) + std::exp(3.0) + std::exp(6.0))));
  CHECK(sum(Tensor<double>::full({}, 7)) == 7);
}

TEST_CASE("reductions along an axis drop it, or keep it with size 1") {
  const Tensor<double> x{{1, 2, 9}, {3, 6, 3}};
  CHECK(equal(sum(x, 0), Tensor<double>{4, 8, 12}));
  CHECK(equal(sum(x, -1), Tensor<double>{12, 12}));
  CHECK(equal(mean(x, Axis(1).keep()), Tensor<double>{{4}, {4}}));
  CHECK(equal(max(x, Axis(0)), Tensor<double>{3, 6, 9}));
  CHECK(equal(min(x, Axis(-1).keep()), Tensor<double>{{1}, {3}}));
  CHECK(argmax(x, 1) == std::vector<std::size_t>{2, 1});
  CHECK(argmax(x, 0) == std::vector<std::size_t>{1, 1, 0});
  CHECK(sum(Tensor<double>{1, 2}, 0).shape() == Shape{});
  CHECK(equal(max(x, 2), Tensor<double>{{2, 2, 9}, {3, 6, 3}}));  // max(a, b): a rule of two
}

TEST_CASE("every reduction over all numbers is differentiated in every mode") {
  for (const Shape& s : shapes) {
    const auto w = some(s);
    verify("sum", [](auto x) { return square(sum(x)); }, some(s));
    verify("mean", [](auto x) { return square(mean(x)); }, some(s));
    verify("max", [](auto x) { return square(max(x)); }, apart(s));
    verify("min", [](auto x) { return square(min(x)); }, apart(s));
    verify("logsumexp", [](auto x) { return square(logsumexp(x)); }, some(s));
    verify("dot", [&](auto x) { return dot(x, x) * dot(x, w) + dot(w, x); }, some(s));
    verify("norm", [](auto x) { return square(norm(x)) * norm(x); }, some(s));
    verify("float", [](auto x) { return sum(x) + mean(x) * logsumexp(x) + dot(x, x) + norm(x); }, some.random.tensor<float>(s));
  }
}

TEST_CASE("logsumexp keeps its derivatives where x is so large that the sum has no digits behind the point") {
  const auto f = [](const auto& x) { return logsumexp(x); };
  for (const float large : {1e4f, 1e6f, 1e8f}) {
    CHECK(ad::jvp(f, Tensor<float>{large, large}, Tensor<float>{1, 0}) == 0.5);
    CHECK(equal(ad::hvp(f, Tensor<float>{large, large}, Tensor<float>{1, 0}), Tensor<float>{0.25, -0.25}));
  }
  CHECK(ad::jvp(f, Tensor<double>{{1e17}, {1e17}}, Tensor<double>{{1}, {0}}) == 0.5);
}

TEST_CASE("every reduction along every axis is differentiated in every mode") {
  for (const Shape& s : shapes)
    for (std::size_t a = 0; a < s.axes(); ++a) {
      const auto axis = static_cast<std::ptrdiff_t>(a), from_end = axis - static_cast<std::ptrdiff_t>(s.axes());
      const auto w = some(s.without(a)), kept = some(s.with(a, 1)), whole = some(s);
      verify("sum", [&](auto x) { return sum(square(sum(x, axis)) * w + square(sum(x, from_end))); }, some(s));
      verify("mean", [&](auto x) { return sum(square(mean(x, Axis(axis).keep())) * kept); }, some(s));
      verify("max", [&](auto x) { return sum(square(max(x, Axis(axis))) * w); }, apart(s));
      verify("min", [&](auto x) { return sum(square(min(x, Axis(from_end).keep())) * kept); }, apart(s));
      verify("logsumexp", [&](auto x) { return sum(square(logsumexp(x, axis)) * w); }, some(s));
      verify("softmax", [&](auto x) { return sum(square(softmax(x, axis)) * whole); }, some(s));
      verify("log_softmax", [&](auto x) { return sum(square(log_softmax(x, from_end)) * whole); }, some(s));
      if (s.count() <= 24)
        verify("float max", [&](auto x) { return max(x) * 2.0 + sum(max(x, Axis(axis))) + sum(min(x, Axis(axis))); }, apart<float>(s));
      verify("float", [&](auto x) { return sum(square(softmax(x, axis))) + sum(square(mean(x, axis))); }, some.random.tensor<float>(s));
    }
}

TEST_CASE("a kept axis broadcasts against its operand: the softmax by hand") {
  const auto x = some({3, 4});
  const auto by_hand = [](auto t) { const auto e = exp(t - max(t, Axis(1).keep())); return e / sum(e, Axis(1).keep()); };
  CHECK(difference(softmax(x), by_hand(x)) == "");
  CHECK(difference(log_softmax(x), log(by_hand(x))) == "");
  CHECK(difference(ad::gradient([&](auto t) { return sum(square(by_hand(t))); }, x),
      ad::gradient([](auto t) { return sum(square(softmax(t))); }, x)) == "");
}

TEST_CASE("softmax and logsumexp neither overflow nor lose digits") {
  const Tensor<double> big{1000, 1000, -1000};
  CHECK(difference(softmax(big), Tensor<double>{0.5, 0.5, 0}) == "");
  CHECK(logsumexp(big) == about(1000 + std::log(2.0)));
  CHECK(logsumexp(Tensor<double>{-1000, -1000}) == about(-1000 + std::log(2.0)));
  CHECK(difference(log_softmax(big), Tensor<double>{-std::log(2.0), -std::log(2.0), -2000 - std::log(2.0)}) == "");
  CHECK(difference(ad::gradient([](auto x) { return logsumexp(x); }, big), Tensor<double>{0.5, 0.5, 0}) == "");
  CHECK(logsumexp(Tensor<double>{-infinity, 3}) == about(3));
  CHECK(difference(ad::gradient([](auto x) { return logsumexp(x); }, Tensor<double>{-infinity, 3}), Tensor<double>{0, 1}) == "");
  CHECK(logsumexp(Tensor<float>{100, 100}) == about(100 + std::log(2.0), 1e-6));
  CHECK(difference(softmax(Tensor<float>{200, 100}), Tensor<float>{1, 0}, 1e-6) == "");
}

TEST_CASE("ties of max and min share the slope") {
  const auto g = [](auto f, Tensor<double> x) { return ad::gradient(f, x); };
  CHECK(equal(g([](auto x) { return max(x); }, {1, 3, 3, 0}), Tensor<double>{0, 0.5, 0.5, 0}));
  CHECK(equal(g([](auto x) { return min(x); }, {2, 2, 2, 2}), Tensor<double>{0.25, 0.25, 0.25, 0.25}));
  CHECK(equal(g([](auto x) { return sum(max(x, Axis(1))); }, {{1, 1}, {0, 1}}), Tensor<double>{{0.5, 0.5}, {0, 1}}));
  CHECK(ad::jvp([](auto x) { return max(x); }, Tensor<double>{1, 3, 3, 0}, Tensor<double>{1, 2, 4, 8}) == 3);
  CHECK(argmax(Tensor<double>{1, 3, 3}) == 1);
  ad::Tape tape;
  (void)ad::jvp([](auto x) { return max(x, Axis(0)); }, ad::Var(Tensor<double>{1, 3}), tape.variable(Tensor<double>{1, 2}));
  CHECK(tape.statistics().nodes == 2);  // shares times tangents, and their sum
}

TEST_CASE("a NaN is the largest and the smallest, so that it is not lost") {
  const Tensor<double> x{1, not_a_number, 3};
  CHECK(std::isnan(max(x)));
  CHECK(std::isnan(min(x)));
  CHECK(std::isnan(sum(x)));
  CHECK(std::isnan(norm(x)));
  CHECK(std::isnan(logsumexp(x)));
  CHECK(argmax(x) == 1);
  CHECK(max(Tensor<double>{-infinity, -infinity}) == -infinity);
  CHECK(argmax(Tensor<double>{-infinity, -infinity}) == 0);
}

TEST_CASE("norms along an axis neither overflow nor underflow, and rows of zeros have slope 0") {
  const auto lengths = [](const auto& x) { return sum(norm(x, ad::Axis(1)) * Tensor<double>{1, 2, 4, 8}); };
  const Tensor<double> x{{3e200, 4e200}, {3e-200, 4e-200}, {0, 0}, {3, 4}}, slopes{{0.6, 0.8}, {1.2, 1.6}, {0, 0}, {4.8, 6.4}};
  CHECK(difference(norm(x, ad::Axis(1)), Tensor<double>{5e200, 5e-200, 0, 5}) == "");
  CHECK(norm(x, ad::Axis(1))[1] / 5e-200 == about(1));
  CHECK(difference(ad::gradient(lengths, x), slopes) == "");
  CHECK(ad::jvp(lengths, x, Tensor<double>::ones({4, 2})) == about(sum(slopes)));
  const auto columns = ad::gradient([](const auto& t) { return sum(norm(t, ad::Axis(0))); }, Tensor<float>{{1e20f, 1e-30f}, {1, 0}});
  CHECK(difference(columns, Tensor<float>{{1, 1}, {0, 0}}) == "");
  CHECK(columns(1, 0) / 1e-20 == about(1, 1e-6));
  CHECK(std::isnan(norm(Tensor<double>{{1, not_a_number}}, ad::Axis(1))[0]));
  CHECK(norm(Tensor<double>{{1, -infinity}}, ad::Axis(1))[0] == infinity);
  CHECK(equal(norm(Tensor<double>::zeros({2, 0}), ad::Axis(1)), Tensor<double>{0, 0}));
}

TEST_CASE("the slope of a norm along an axis is right where its rows are denormal") {
  const auto lengths = [](const auto& x) { return sum(norm(x, Axis(1))); };
  const double h = std::sqrt(0.5);
  CHECK(difference(ad::gradient(lengths, Tensor<double>{{5e-309, 5e-309}, {3, 4}}), Tensor<double>{{h, h}, {0.6, 0.8}}) == "");
  CHECK(difference(ad::gradient(lengths, Tensor<double>{{5e-324, 5e-324}}), Tensor<double>{{h, h}}) == "");
  CHECK(difference(ad::gradient(lengths, Tensor<float>{{2e-39f, 2e-39f}}), Tensor<float>{{static_cast<float>(h), static_cast<float>(h)}}, 1e-6) == "");
}

TEST_CASE("the way back through a norm along an axis neither overflows nor underflows, nor does the way forwards") {
  const auto check = []<class T>(T x, T g) {
    const T half = static_cast<T>(std::sqrt(0.5));
    const Tensor<T> slopes = ad::gradient([g](const auto& t) { return sum(norm(t, Axis(1)) * g); }, Tensor<T>{{x, x}, {0, 0}});
    CHECK(slopes[0] / g == about(half, 1e-6));
    CHECK(slopes[2] == 0);
  };
  check(1e200, 1e120), check(1e-200, 1e-150), check(1e-20f, 1e-26f), check(1e18f, 1e25f);
  const double least = std::numeric_limits<double>::min();
  const auto lengths = [](const auto& t) { return norm(t, Axis(1)); };
  CHECK(ad::jvp(lengths, Tensor<double>{{least, least}}, Tensor<double>{{1, 1}})[0] == about(std::sqrt(2)));
  CHECK(difference(ad::gradient([&](const auto& t) { return sum(lengths(t)); }, Tensor<double>{{1, infinity}}), Tensor<double>{{0, 1}}) == "");
  // A row out of range does the second derivatives of the others no harm.
  const auto second = ad::hessian([&](const auto& t) { return sum(lengths(t)); }, Tensor<double>{{3, 4}, {0, 0}});
  CHECK(second(0, 0) == about(0.128));
  CHECK(second(0, 1) == about(-0.096));
  CHECK(second(2, 2) == 0);
}

TEST_CASE("the norm has slope 0 at the origin, and neither overflows nor underflows") {
  CHECK(equal(ad::gradient([](auto x) { return norm(x); }, Tensor<double>{0, 0}), Tensor<double>{0, 0}));
  CHECK(ad::jvp([](auto x) { return norm(x); }, Tensor<double>{0, 0}, Tensor<double>{1, 1}) == 0);
  const auto length = [](auto x) { return norm(x); };
  CHECK(support::difference(ad::gradient(length, Tensor<double>{3e-310, 4e-310}),
      Tensor<double>{0.6, 0.8}, 1e-12) == "");  // 1/5e-310 is out of range
  CHECK(support::difference(ad::gradient(length, Tensor<float>{3e-40f, 4e-40f}), Tensor<float>{0.6f, 0.8f}, 1e-4) == "");
  CHECK(support::difference(ad::gradient([](auto x) { return sum(x) + norm(x); }, Tensor<double>{3e-310, 4e-310}),
      Tensor<double>{1.6, 1.8}, 1e-12) == "");
  CHECK(ad::jvp(length, Tensor<double>{3e-310, 4e-310}, Tensor<double>{1, 1}) == about(1.4, 1e-12));
  for (const double slope : ad::gradient(length, Tensor<double>{1, not_a_number})) CHECK(std::isnan(slope));
  CHECK(std::isnan(ad::jvp(length, Tensor<double>{1, not_a_number}, Tensor<double>{1, 0})));
  CHECK(norm(Tensor<double>{3e200, 4e200}) == about(5e200));
  CHECK(norm(Tensor<double>{3e-200, 4e-200}) / 5e-200 == about(1));
  CHECK(norm(Tensor<float>{3e30f, 4e30f}) / 5e30 == about(1, 1e-6));
  CHECK(norm(Tensor<double>{1, -infinity}) == infinity);
  CHECK(difference(ad::gradient([](auto x) { return norm(x); }, Tensor<double>{3e200, 4e200}), Tensor<double>{0.6, 0.8}) == "");
  CHECK(difference(ad::gradient([](auto x) { return norm(x); }, Tensor<double>{3e-200, 4e-200}), Tensor<double>{0.6, 0.8}) == "");
  CHECK(norm(Tensor<double>{}) == 0);
}

TEST_CASE("the norm along an axis is that of each row, with slope 0 at the origin") {
  CHECK(equal(norm(Tensor<double>{{3, 4}, {0, 0}}, Axis(1)), Tensor<double>{5, 0}));
  CHECK(norm(Tensor<float>{{3, 4}}, Axis(1).keep()).shape() == Shape({1, 1}));
  CHECK(difference(ad::gradient([](auto t) { return sum(norm(t, Axis(1))); }, Tensor<double>{{3, 4}, {0, 0}}),
      Tensor<double>{{0.6, 0.8}, {0, 0}}) == "");
  verify("norm along an axis", [](auto t) { return sum(square(norm(t, Axis(0)) - 1.0)); }, some({3, 2}));
}

TEST_CASE("nothing at all: sums are 0, extremes and means are refused") {
  const Tensor<double> none{}, rows = Tensor<double>::zeros({0, 3}), columns = Tensor<double>::zeros({3, 0});
  CHECK(sum(none) == 0);
  CHECK(dot(none, none) == 0);
  CHECK(logsumexp(none) == -infinity);
  CHECK(equal(sum(rows, 0), Tensor<double>{0, 0, 0}));
  CHECK(sum(rows, 1).shape() == Shape({0}));
  CHECK(max(rows, Axis(1)).shape() == Shape({0}));
  CHECK(mean(rows, 1).shape() == Shape({0}));
  CHECK(softmax(rows).shape() == Shape({0, 3}));
  CHECK(softmax(columns).shape() == Shape({3, 0}));
  CHECK(log_softmax(columns, 0).shape() == Shape({3, 0}));
  CHECK(equal(logsumexp(columns, 1), Tensor<double>{-infinity, -infinity, -infinity}));
  CHECK(argmax(columns, 0).empty());
  refuses<ad::ShapeError>([&] { (void)max(none); }, {"max: shape (0,) holds no numbers"});
  refuses<ad::ShapeError>([&] { (void)min(columns, Axis(1)); }, {"min: shape (3, 0)"});
  refuses<ad::ShapeError>([&] { (void)mean(none); }, {"mean: shape (0,)"});
  refuses<ad::ShapeError>([&] { (void)mean(rows, 0); }, {"mean: shape (0, 3)"});
  refuses<ad::ShapeError>([&] { (void)argmax(none); }, {"argmax"});
  refuses<ad::ShapeError>([&] { (void)argmax(rows, 0); }, {"argmax"});
  for (const auto& x : {none, rows, columns}) {
    ad::Tape tape;
    const ad::Var v = tape.variable(x);
    const ad::Var y = sum(v) + dot(v, v) + norm(v) + exp(logsumexp(v)) + sum(softmax(v)) +
        sum(log_softmax(v, 0)) + sum(exp(logsumexp(v, -1))) + sum(sum(v, 0));
    CHECK(y.value() == 0);
    tape.backward(y);
    CHECK(tape.adjoint(v).shape() == x.shape());
  }
}

TEST_CASE("wrong axes and shapes are refused with the op's name") {
  const auto x = some({2, 3});
  refuses<ad::ShapeError>([&] { (void)sum(x, 2); }, {"sum: axis 2 of shape (2, 3): it has 2 axes"});
  refuses<ad::ShapeError>([&] { (void)mean(x, -3); }, {"mean: axis -3"});
  refuses<ad::ShapeError>([&] { (void)max(x, Axis(2)); }, {"max: axis 2"});
  refuses<ad::ShapeError>([&] { (void)min(x, Axis(2)); }, {"min: axis 2"});
  refuses<ad::ShapeError>([&] { (void)argmax(x, 2); }, {"argmax: axis 2"});
  refuses<ad::ShapeError>([&] { (void)softmax(x, 2); }, {"softmax: axis 2"});
  refuses<ad::ShapeError>([&] { (void)log_softmax(x, -3); }, {"log_softmax: axis -3"});
  refuses<ad::ShapeError>([&] { (void)logsumexp(x, 5); }, {"logsumexp: axis 5"});
  refuses<ad::ShapeError>([&] { (void)sum(Tensor<double>::full({}, 1), 0); }, {"sum: axis 0 of shape ()"});
  refuses<ad::ShapeError>([&] { (void)dot(x, some({3, 2})); }, {"dot: shapes differ: (2, 3) and (3, 2)"});
}

TEST_CASE("an axis beyond all numbers is refused, not taken for one from the end") {
  const Tensor<double> x{1, 2, 4};
  refuses<ad::ShapeError>([&] { (void)sum(x, x.shape().axes() - 2); }, {"sum: an axis out of range of shape (3,)", "made unsigned?"});
}

TEST_CASE("a sum of many floats keeps their digits") {
  CHECK(sum(Tensor<float>::full({1'000'000}, 0.1f)) == about(1e5, 1e-5));
  CHECK(sum(Tensor<float>::full({1'000'000, 2}, 0.1f), Axis(0))[1] == about(1e5, 1e-6));
  CHECK(logsumexp(Tensor<float>::full({3'000'000}, 0.1f)) == about(std::log(3e6) + 0.1, 1e-6));
  CHECK(matmul(Tensor<float>::full({1, 1'000'000}, 0.1f), Tensor<float>::ones({1'000'000, 1}))[0] == about(1e5, 1e-3));
}

TEST_CASE("second derivatives of the norm, and scaled ones, stay within range where they exist") {
  const auto length = [](auto x) { return norm(x); };
  const auto hessian = [](double s) { return Tensor<double>{{1.28 * s, -0.96 * s}, {-0.96 * s, 0.72 * s}}; };
  CHECK(difference(ad::hessian(length, Tensor<double>{3e160, 4e160}) * 1e160, hessian(0.1)) == "");
  CHECK(difference(ad::hessian(length, Tensor<double>{3e200, 4e200}) * 1e200, hessian(0.1)) == "");
  CHECK(difference(ad::hessian(length, Tensor<float>{3e22f, 4e22f}) * 1e22, hessian(0.1), 1e-6) == "");
  CHECK(difference(ad::hessian(length, Tensor<float>{3e-22f, 4e-22f}) * 1e-22, hessian(0.1), 1e-6) == "");
  CHECK(difference(ad::gradient([](auto x) { return norm(x) * 1e7; }, Tensor<float>{3e-33f, 4e-33f}), Tensor<float>{6e6f, 8e6f}, 1e-6) == "");
  CHECK(difference(ad::gradient([](auto x) { return norm(x) * 1e-12; }, Tensor<float>{3e33f, 4e33f}) * 1e12f, Tensor<float>{0.6f, 0.8f}, 1e-6) == "");
  CHECK(difference(ad::gradient(length, Tensor<double>{infinity, 1}), Tensor<double>{1, 0}) == "");
  CHECK(ad::jvp(length, Tensor<float>{3e25f, 4e25f}, Tensor<float>{3e25f, 0}) / 1e25 == about(1.8, 1e-6));
  CHECK(ad::jvp(length, Tensor<double>{3e300, 4e300}, Tensor<double>{1e10, 1e10}) / 1e10 == about(1.4));
}

TEST_CASE("a logsumexp of −∞ alone has slope 0, in every mode") {
  const Tensor<double> mask{-infinity, -infinity}, x{1, 2}, one{1, 1};
  const auto along = [&](const auto& a) {
    const auto dead = logsumexp(a + mask, 0);
    return logsumexp(ad::concatenate({reshape(dead, {1}), slice(a, 0, 0, 1)}));
  };
  CHECK(ad::jvp(along, x, one) == 1);
  CHECK(difference(ad::gradient(along, x), Tensor<double>{1, 0}) == "");
  CHECK(difference(ad::hvp(along, x, one), Tensor<double>{0, 0}) == "");
  const auto none = Tensor<double>::zeros({0, 3});  // nor do rows that are not there harm
  CHECK(ad::jvp([](const auto& a) { return sum(logsumexp(a, 1)); }, none, none) == 0);
  CHECK(ad::jvp([](const auto& a) { return sum(logsumexp(a, 0)); }, none, none) == 0);
  const auto over_all = [&](const auto& a) { return exp(logsumexp(a + mask)) + sum(a); };
  CHECK(ad::jvp(over_all, x, one) == 2);
  CHECK(difference(ad::hvp(over_all, x, one), Tensor<double>{0, 0}) == "");
  const auto alone = [](const auto& a) { return logsumexp(a); };
  CHECK(difference(ad::gradient(alone, mask), Tensor<double>{0, 0}) == "");
  const auto rows = [](const auto& a) { return sum(logsumexp(a, 1)); };
  CHECK(difference(ad::gradient(rows, ad::stack({mask, x})), ad::stack({Tensor<double>{0, 0}, softmax(x)})) == "");
}

TEST_CASE("a NaN in a logsumexp is NaN in forward mode too") {
  const Tensor<double> x{1, std::nan("")}, one{1, 1};
  CHECK(std::isnan(ad::jvp([](const auto& a) { return logsumexp(a); }, x, one)));
  const auto rows = ad::jvp([](const auto& a) { return logsumexp(a, 1); }, ad::stack({x, one}), ad::stack({one, one}));
  CHECK(std::isnan(rows[0]));
  CHECK(rows[1] == about(1));
}

TEST_CASE("a row of −∞ of which nothing is asked gets an adjoint of 0") {
  const Tensor<double> x{{-infinity, -infinity}, {1, 2}}, mask{0, 1};
  const auto first_row = [](const Tensor<double>& g) { return g(0, 0) == 0 && g(0, 1) == 0 && std::isfinite(g(1, 0)) && g(1, 0) != 0; };
  CHECK(first_row(ad::gradient([&](auto a) { return sum(select(mask, logsumexp(a, ad::Axis(1)), 0.0)); }, x)));
  const Tensor<double> rows{{0, 0}, {1, 3}};
  CHECK(first_row(ad::gradient([&](auto a) { return sum(select(rows, softmax(a) * rows, 0.0)); }, x)));
  CHECK(first_row(ad::gradient([&](auto a) { return sum(select(rows, log_softmax(a) * rows, 0.0)); }, x)));
}

TEST_CASE("softmax along the axis before the last, also of many matrices") {
  verify("softmax along 0", [](auto t) { return sum(exp(softmax(t, 0)) * t); }, support::Random(3).tensor({3, 4}));
  verify("log_softmax along 1", [](auto t) { return sum(log_softmax(t, 1) * t); }, support::Random(4).tensor({2, 3, 4}));
  verify("pow with 2", [](auto t) { return sum(pow(t, 2) * t); }, support::Random(5).tensor({2, 3}));
}

TEST_CASE("at the origin the norm's derivatives are 0, the second too") {
  const auto f = [](const auto& x) { return norm(x); };
  const Tensor<double> origin{0, 0}, v{1, 2};
  CHECK(ad::jvp(f, origin, v) == 0);
  CHECK(difference(ad::hvp(f, origin, v), origin) == "");
  CHECK(difference(ad::hvp(f, Tensor<double>{3, 4}, v), Tensor<double>{-0.064, 0.048}) == "");
}

TEST_CASE("the largest along an axis of nothing, of nothing, is nothing") {
  CHECK(max(Tensor<double>::zeros({0, 0}), ad::Axis(0)).shape() == ad::Shape({0}));
}

TEST_CASE("the norm of NaN is NaN") {
  CHECK(std::isnan(norm(Tensor<double>{NAN})));
  CHECK(std::isnan(norm(Tensor<double>{0, NAN, 0})));
}

TEST_CASE("the norm along an axis does not overflow") {
  const Tensor<double> y = norm(Tensor<double>{{3e200, 4e200}}, 1);
  CHECK(y[0] / 5e200 == doctest::Approx(1));
  const Tensor<float> z = norm(Tensor<float>{{3e25f, 4e25f}}, 1);
  CHECK(z[0] / 5e25f == doctest::Approx(1));
}

TEST_CASE("argmax is the first of several NaN") {
  CHECK(argmax(Tensor<double>{1, NAN, NAN}) == 1);
}

TEST_CASE("a row that gets no adjoint gives none, whatever its numbers") {
  const Tensor<double> g = ad::gradient([](const auto& x) { return logsumexp(x, 1)(1); }, Tensor<double>{{HUGE_VAL, 0}, {0, 0}});
  CHECK(equal(g, Tensor<double>{{0, 0}, {0.5, 0.5}}));
}

TEST_CASE("an adjoint that goes back after others is added to theirs") {
  const auto extremes = [](const auto& x) { const auto m = max(x); const auto l = min(x); return sum(x) + m + l; };
  CHECK(equal(ad::gradient(extremes, Tensor<double>{1, 3, 2}), Tensor<double>{2, 2, 1}));
  const auto rows = [](const auto& x) { const auto l = logsumexp(x, Axis(1)); return sum(x) + sum(l); };
  CHECK(equal(ad::gradient(rows, Tensor<double>{{0, 0}, {1, 1}}), Tensor<double>{{1.5, 1.5}, {1.5, 1.5}}));
}

TEST_CASE("a norm along an axis: where squares are denormal, where nothing is asked, where there is no such axis") {
  CHECK(norm(Tensor<double>{{3e-160, 4e-160}}, Axis(1))[0] * 1e160 == about(5.0));
  const auto second = [](const auto& x) { return sum(norm(x, Axis(1)) * Tensor<double>{0, 1}); };
  CHECK(equal(ad::gradient(second, Tensor<double>{{infinity, 1}, {3, 4}}), Tensor<double>{{0, 0}, {0.6, 0.8}}));
  CHECK(equal(ad::gradient(second, Tensor<double>{{not_a_number, 1}, {3, 4}}), Tensor<double>{{0, 0}, {0.6, 0.8}}));
  refuses<ad::ShapeError>([] { (void)norm(Tensor<double>{1, 2}, 1); }, {"norm: axis 1"});
}

TEST_CASE("a row of −∞ has no slope forwards, beside one that has") {
  const auto rows = [](const auto& x) { return logsumexp(x, Axis(1)); };
  CHECK(equal(ad::jvp(rows, Tensor<double>{{-infinity, -infinity}, {0, 0}}, Tensor<double>::ones({2, 2})), Tensor<double>{0, 1}));
}

TEST_CASE("extremes of rows of nothing take no time, however many they are") {
  CHECK(max(Tensor<double>::zeros({0xffffffff, 1 << 15, 1, 0}), Axis(2)).shape() == Shape({0xffffffff, 1 << 15, 0}));
}

TEST_CASE("the mean of equal numbers is that number") {
  for (std::size_t n = 1; n <= 200; ++n) {
    CHECK(mean(Tensor<double>::ones(ad::Shape({n}))) == 1);
    CHECK(mean(Tensor<float>::ones(ad::Shape({n, 1})), 0)(0) == 1);
  }
}
