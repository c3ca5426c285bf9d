// with_pullback: operations that a user computes and walks back by himself.
#include "support.hpp"
#include <array>
#include <memory>
#include <optional>

using ad::Tensor;
using support::about;
using support::difference;
using support::refuses;

namespace {
/// The solution of A y = b for A (2, 2), b (2): Cramer's rule, on plain numbers.
Tensor<double> solved(const Tensor<double>& A, const Tensor<double>& b) {
  const double det = A(0, 0) * A(1, 1) - A(0, 1) * A(1, 0);
  return Tensor<double>{(b[0] * A(1, 1) - A(0, 1) * b[1]) / det, (A(0, 0) * b[1] - b[0] * A(1, 0)) / det};
}
const auto solve = [](const auto& A, const auto& b) {
  const auto& numbers = ad::plain(A);
  const Tensor<double> y = solved(numbers, ad::plain(b));
  return ad::with_pullback("solve", y, [A = Tensor<double>(numbers), y](const Tensor<double>& g) {
    const Tensor<double> gb = solved(transpose(A), g);
    return std::tuple(Tensor<double>(-matmul(reshape(gb, {2, 1}), reshape(y, {1, 2}))), gb);
  }, A, b);
};
const Tensor<double> matrix{{3, 1}, {-1, 2}}, right{1, -2}, weights{0.5, 2};
}  // namespace

TEST_CASE("the adjoints that a pullback returns reach the operands, those of constants nobody") {
  const auto of_matrix = [](const auto& A) { return dot(solve(A, right), weights); };
  const auto of_right = [](const auto& b) { return dot(solve(matrix, b), weights); };
  CHECK(ad::check_gradient(of_matrix, matrix).agrees());
  CHECK(ad::check_gradient(of_right, right).agrees());
  const auto of_both = [](const auto& x) { return sum(square(solve(reshape(slice(x, 0, 0, 4), {2, 2}), slice(x, 0, 4, 6)))); };
  CHECK(ad::check_gradient(of_both, Tensor<double>{3, 1, -1, 2, 1, -2}).agrees());
  ad::Tape tape;
  const ad::Var A = tape.variable(matrix), b = tape.variable(right);
  const ad::Var y = solve(A, b);
  const ad::Var cost = dot(y, weights) + sum(A) + sum(y);
  tape.backward(cost);
  CHECK(difference(tape.adjoint(b), solved(transpose(matrix), weights + 1.0)) == "");
  CHECK(difference(tape.adjoint(y), weights + 1.0) == "");
  CHECK(ad::to_text(cost).find("solve") != std::string::npos);
}

TEST_CASE("one tensor among the operands twice gets the sum") {
  ad::Tape tape;
  const ad::Var x = tape.variable(Tensor<float>{1, 2});
  const ad::Var y = ad::with_pullback("twice", x.value(), [](const Tensor<float>& g) { return std::array{g, Tensor<float>(g * 3.0f)}; }, x, x);
  tape.backward(sum(y));
  CHECK(difference(tape.adjoint(x), Tensor<float>{4, 4}) == "");
}

TEST_CASE("the result may be a number, and the pullback is called at each walk that reaches it") {
  int walks = 0;
  ad::Tape tape;
  const ad::Var x = tape.variable(Tensor<double>{3, 4});
  const ad::Var length = ad::with_pullback("length", 5.0, [&walks, unit = Tensor<double>{0.6, 0.8}](double g) {
    ++walks;
    return Tensor<double>(unit * g);
  }, x);
  static_assert(std::same_as<decltype(length), const ad::Var<double>>);
  tape.backward(length * 2.0);
  CHECK(difference(tape.adjoint(x), Tensor<double>{1.2, 1.6}) == "");
  tape.backward(sum(x));
  CHECK(walks == 1);
  tape.backward(length);
  CHECK(walks == 2);
}

TEST_CASE("a pullback is kept for as long as the recording, and not for longer") {
  const auto alive = std::make_shared<int>(0);
  ad::Tape tape;
  const ad::Var x = tape.variable(Tensor<double>{1});
  std::optional<ad::Var<Tensor<double>>> y;
  {
    const auto temporary = [alive](const Tensor<double>& g) { return g; };
    y = ad::with_pullback("same", x.value(), temporary, x);
  }
  CHECK(alive.use_count() == 2);
  tape.backward(sum(*y));
  CHECK(tape.adjoint(x)[0] == 1);
  tape.clear();
  (void)tape.variable(1.0);
  tape.clear();  // what a step uses is kept for the next one
  CHECK(alive.use_count() == 1);
}

TEST_CASE("a pullback may not take a Jacobian of the tape that is walked, not even an empty one") {
  ad::Tape tape;
  const ad::Var x = tape.variable(Tensor<double>{1, 2});
  const ad::Var y = ad::with_pullback("meddler", x.value(), [&](const auto& g) {
    (void)tape.jacobian(std::vector<ad::Var<double>>{}, std::vector<ad::Var<double>>{});
    return g;
  }, x);
  refuses<ad::TapeError>([&] { tape.backward(sum(y)); }, {"being walked backwards"});
}

TEST_CASE("of constants it is a constant, and nothing is kept") {
  const auto pullback = [alive = std::make_shared<int>(0)](const Tensor<double>& g) { return g; };
  const Tensor<double> x{1, 2};
  CHECK(difference(ad::with_pullback("same", x, pullback, x), x) == "");
  CHECK(ad::with_pullback("same", x, pullback, ad::Var(x)).place() == 0);
  ad::Tape tape;
  CHECK(ad::with_pullback("same", x, pullback, ad::Var(x)).place() == 0);
}

TEST_CASE("an adjoint of another shape, and a pullback that records, are refused") {
  ad::Tape tape;
  const ad::Var x = tape.variable(Tensor<double>{1, 2});
  const ad::Var wrong = sum(ad::with_pullback("mine", x.value(), [](const Tensor<double>&) { return Tensor<double>{1, 2, 3}; }, x));
  refuses<ad::ShapeError>([&] { tape.backward(wrong); }, {"mine: its pullback gives operand 1 an adjoint of shape (3,)", "(2,)"});
  const ad::Var recording = sum(ad::with_pullback("mine", x.value(), [x](const Tensor<double>& g) { return Tensor<double>((g * x).value()); }, x));
  refuses<ad::TapeError>([&] { tape.backward(recording); }, {"this tape is being walked backwards"});
  const ad::Var plain = sum(x);
  tape.backward(plain);
  CHECK(difference(tape.adjoint(x), Tensor<double>{1, 1}) == "");
}

TEST_CASE("a pullback may not walk its own tape") {
  ad::Tape tape;
  const ad::Var x = tape.variable(Tensor<double>{1}), other = tape.variable(Tensor<double>{1});
  const ad::Var s = sum(other);
  const ad::Var y = sum(ad::with_pullback("mine", Tensor<double>{1}, [&](const auto& g) { tape.backward(s); return g; }, x));
  refuses<ad::TapeError>([&] { tape.backward(y); }, {"is being walked backwards"});
}

TEST_CASE("on a tape, too, a function of constants is not kept") {
  const auto owner = std::make_shared<int>(1);
  const ad::Tape tape;
  const auto y = ad::with_pullback("mine", Tensor<double>{1}, [owner](const auto& g) { return g; }, ad::Var(Tensor<double>{1}));
  CHECK(owner.use_count() == 1);
}
