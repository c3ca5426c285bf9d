// Joins: tensors made of tensors and of numbers, and taken apart, in every mode; and what is refused.
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
support::RandomTensors some{support::Random(13)};
}  // namespace

TEST_CASE("concatenate joins along any axis, the same variable twice too") {
  CHECK(equal(concatenate(std::vector{Tensor<double>{1}, Tensor<double>{2, 3}, Tensor<double>{}}), Tensor<double>{1, 2, 3}));
  CHECK(equal(concatenate(std::vector{Tensor<double>{{1}, {2}}, Tensor<double>{{3, 4}, {5, 6}}}, 1), Tensor<double>{{1, 3, 4}, {2, 5, 6}}));
  const auto w = some({2, 9});
  verify("concatenate", [&](auto t) { return sum(square(concatenate(std::vector{t, t * 2.0, t}, 1)) * w); }, some({2, 3}));
  verify("concatenate rows", [](auto t) { return sum(exp(concatenate(std::vector{t, t}, ad::Axis(-2)))); }, some({2, 3}));
  verify("concatenate the middle", [](auto t) { return sum(exp(concatenate(std::vector{t, square(t)}, 1))); }, some({2, 2, 2}));
  verify("concatenate with nothing", [](auto t) { return sum(square(concatenate(std::vector{t, slice(t, 0, 0, 0)}))); }, some({3}));
  verify("concatenate nothing", [](auto t) { return sum(concatenate(std::vector{t, t}, 1)); }, some({3, 0}));
  verify("concatenate many", [](auto t) { return sum(square(concatenate(std::vector(50, t)))); }, some({2}));

  ad::Tape tape;
  const ad::Var x = tape.variable(Tensor<double>{1, 2});
  const ad::Var y = concatenate(std::vector<TensorVar<>>{Tensor<double>{7}, x, Tensor<double>{8, 9}});  // constants among them
  CHECK(equal(y.value(), Tensor<double>{7, 1, 2, 8, 9}));
  tape.backward(sum(y * y));
  CHECK(equal(tape.adjoint(x), Tensor<double>{2, 4}));

  refuses<ad::ShapeError>([] { (void)concatenate(std::vector<Tensor<double>>{}); }, {"concatenate: no parts"});
  refuses<ad::ShapeError>([] { (void)concatenate(std::vector{some({2, 3}), some({3, 2})}); },
      {"part 0 of shape (2, 3) and part 1 of (3, 2)", "axis 0"});
  refuses<ad::ShapeError>([] { (void)concatenate(std::vector{some({2}), some({2, 1})}); }, {"(2,) and part 1 of (2, 1)"});
  refuses<ad::ShapeError>([] { (void)concatenate(std::vector{some({2}), some({2})}, 1); }, {"axis 1"});
  refuses<ad::ShapeError>([] { (void)concatenate(std::vector{some({2}), some({2})}, std::size_t{0} - 1); },
      {"was a negative number made unsigned?"});  // not the last
  refuses<ad::ShapeError>([] { (void)concatenate(std::vector{some({}), some({})}); }, {"axis 0 of shape ()"});
}

TEST_CASE("stack puts tensors side by side along a new axis") {
  CHECK(stack(std::vector{some({2, 3}), some({2, 3})}).shape() == Shape({2, 2, 3}));
  verify("stack", [](auto t) { return sum(exp(stack(std::vector{t, t * 2.0}))); }, some({2, 3}));
  verify("stack of numbers' tensors", [](auto t) { return sum(exp(stack(std::vector{reshape(t, {}), reshape(t, {})}))); }, some({1}));
  refuses<ad::ShapeError>([] { (void)stack(std::vector<Tensor<double>>{}); }, {"no parts"});
  refuses<ad::ShapeError>([] { (void)stack(std::vector{some({1, 1, 1, 1, 1, 2})}); }, {"stack: parts of shape (1, 1, 1, 1, 1, 2) leave no room"});
  refuses<ad::ShapeError>([] { (void)stack(std::vector{some({2}), some({3})}); }, {"stack: part 0 has shape (2,), part 1 (3,)"});
}

TEST_CASE("numbers of the tape are assembled into a tensor, and back") {
  ad::Tape tape;
  const ad::Var a = tape.variable(2.0), b = tape.variable(3.0);
  const ad::Var t = ad::assemble(std::vector<Number>{a, b, Number(7.0), a * b}, {2, 2});
  CHECK(equal(t.value(), Tensor<double>{{2, 3}, {7, 6}}));
  const ad::Var y = sum(t * t) + sum(stack(std::vector<Number>{a, a}));
  tape.backward(y);
  CHECK(tape.adjoint(a) == 4 + 2 * 6 * 3 + 2);
  CHECK(tape.adjoint(b) == 6 + 2 * 6 * 2);
  const ad::Var f = ad::assemble<float>(std::vector<Number>{a, b}, {2});
  static_assert(std::is_same_v<decltype(f), const TensorVar<float>>);
  tape.backward(sum(f * f));
  CHECK(tape.adjoint(b) == 6);
  CHECK(ad::assemble(std::vector<Number>{1.0, 2.0}, {2}).place() == 0);
  CHECK(stack(std::vector<Number>{}).shape() == Shape({0}));
  refuses<ad::ShapeError>([&] { (void)ad::assemble(std::vector<Number>{a}, {2}); }, {"assemble: 1 numbers for shape (2,), which takes 2"});
  refuses<ad::ShapeError>([&] { (void)ad::assemble(std::vector{1.0}, {2}); }, {"assemble: 1 numbers for shape (2,), which takes 2"});
}

TEST_CASE("split is slices of one size") {
  const Tensor<double> x{{0, 1, 2, 3, 4, 5}, {6, 7, 8, 9, 10, 11}};
  const auto parts = split(x, 3, ad::Axis(-1));
  REQUIRE(parts.size() == 3);
  CHECK(equal(parts[1], Tensor<double>{{2, 3}, {8, 9}}));
  verify("split", [](auto t) { const auto halves = split(t, 2); return sum(exp(halves[0]) * halves[1]); }, some({4, 2}));
  refuses<ad::ShapeError>([&] { (void)split(x, 4, 1); },
                          {"split: axis 1 of shape (2, 6) has 6 entries, which are not 4 equal parts; give a number that divides 6"});
  refuses<ad::ShapeError>([&] { (void)split(x, 0, 1); }, {"split: 0 parts of shape (2, 6); give at least 1"});
}

TEST_CASE("numbers of a tensor become one in every mode: plain, forwards, twice") {
  const auto f = [](const auto& x) { return sum(square(ad::stack({x(0, 0), x(1, 1) * x[2]}))); };
  const Tensor<double> x{{1, 2, 3}, {4, 5, 6}}, slopes{{2, 0, 150}, {0, 90, 0}};
  CHECK(f(x) == 226);
  CHECK(difference(ad::gradient(f, x), slopes) == "");
  CHECK(ad::jvp(f, x, x) == about(2 + 450 + 450));
  CHECK(difference(ad::hvp(f, x, x), Tensor<double>{{2, 0, 450}, {0, 270, 0}}) == "");
  const auto column = [](const auto& y) { return matmul(Tensor<double>{{1, 2}}, ad::assemble(std::vector{y[0], y[5]}, {2, 1})); };
  CHECK(difference(column(x), Tensor<double>{{13}}) == "");
  CHECK(difference(ad::jvp(column, x, x), Tensor<double>{{13}}) == "");
}

TEST_CASE("constants stand beside variables in braces") {
  ad::Tape tape;
  const ad::Var v = tape.variable(Tensor<double>{1, 2});
  const ad::Var joined = ad::concatenate({Tensor<double>{7}, v}), rows = ad::stack({v, Tensor<double>{3, 4}});
  CHECK(equal(joined.value(), Tensor<double>{7, 1, 2}));
  tape.backward(sum(joined * joined) + sum(rows));
  CHECK(equal(tape.adjoint(v), Tensor<double>{3, 5}));
}

TEST_CASE("joins of what comes to hand, in braces") {
  ad::Tape tape;
  const ad::Var a = tape.variable(ad::Tensor<double>{1, 2}), b = tape.variable(ad::Tensor<double>{3, 4});
  CHECK(difference(ad::concatenate({a, b}).value(), ad::Tensor<double>{1, 2, 3, 4}) == "");
  CHECK(difference(ad::stack({a, b}).value(), ad::Tensor<double>{{1, 2}, {3, 4}}) == "");
  CHECK(difference(ad::stack({ad::Tensor<double>{1, 2}, ad::Tensor<double>{3, 4}}), ad::Tensor<double>{{1, 2}, {3, 4}}) == "");
  CHECK(difference(ad::stack({Number(1.0), Number(2.0)}).value(), ad::Tensor<double>{1, 2}) == "");
  refuses<ad::ShapeError>([&] { (void)ad::stack({a, tape.variable(ad::Tensor<double>{1, 2, 3})}); }, {"stack: part 0 has shape (2,), part 1 (3,)"});
}
