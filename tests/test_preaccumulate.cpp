// preaccumulate: the same gradient from one statement.
#include "support.hpp"
#include <array>
#include <span>

using support::about;
using support::Number;
using support::refuses;

namespace {

/// A hundred steps of a damped pendulum: much computation, three variables.
template <class W> auto swing(const W& w, double start) {
  using T = std::remove_cvref_t<decltype(w[0])>;
  T angle(start), speed(0.0);
  for (int step = 0; step < 100; ++step) {
    angle += 0.05 * speed;
    speed -= 0.05 * (w[0] * speed + w[1] * sin(angle) + w[2]);
  }
  return angle;
}
const std::vector<double> point{0.3, 1.1, 0.2};

template <bool collapsed> auto cost = [](const auto& w) {
  std::remove_cvref_t<decltype(w[0])> sum = 0.0;
  for (const double start : {0.1, 0.5, 1.0, 1.5}) {
    if constexpr (collapsed) sum += square(preaccumulate([&](const auto& v) { return swing(v, start); }, w));
    else sum += square(swing(w, start));
  }
  return sum;
};

}  // namespace

TEST_CASE("the gradient is the same, and the tape holds one statement for each call") {
  const auto plain = ad::value_and_gradient(cost<false>, point), short_one = ad::value_and_gradient(cost<true>, point);
  CHECK(short_one.value == plain.value);
  for (std::size_t i = 0; i < 3; ++i) CHECK(short_one.gradient[i] == about(plain.gradient[i]));

  ad::Tape tape;
  std::vector<Number> w;
  for (const double a : point) w.push_back(tape.variable(a));
  const auto before = tape.statistics();
  const ad::Var y = ad::preaccumulate([](const auto& v) { return swing(v, 1.0); }, w);
  CHECK(tape.statistics().statements == before.statements + 1);
  CHECK(tape.statistics().arguments == before.arguments + 3);
  CHECK(tape.statistics().bytes == before.bytes + 36);
  tape.backward(y);
  CHECK(tape.adjoint(w[1]) == about(ad::gradient([](const auto& v) { return swing(v, 1.0); }, point)[1]));
}

TEST_CASE("several results, a statement each; what one does not depend on is left out") {
  ad::Tape tape;
  const std::array<Number, 3> x{tape.variable(2.0), Number(5.0), tape.variable(3.0)};  // the second is a constant
  const auto before = tape.statistics().arguments;
  const std::vector<Number> y = ad::preaccumulate([](const auto& v) { return std::vector<Number>{v[0] * v[1], v[2] * v[2], Number(4.0)}; },
      std::span<const Number>(x));
  CHECK(tape.statistics().arguments == before + 2);
  REQUIRE(y.size() == 3);
  CHECK(y[0].value() == 10);
  CHECK(y[2].value() == 4);
  tape.backward(Number(y[0] + y[1] + y[2]));
  CHECK(tape.adjoint(x[0]) == 5);
  CHECK(tape.adjoint(x[2]) == 6);
  refuses<ad::TapeError>([&] { tape.backward(y[2]); }, {"constant"});
}

TEST_CASE("constants, and no tape at all, give constants") {
  const std::vector<Number> x{2.0, 3.0};
  const ad::Var y = ad::preaccumulate([](const auto& v) { return v[0] * v[1]; }, x);
  CHECK(y.value() == 6);
  ad::Tape tape;
  const ad::Var z = ad::preaccumulate([](const auto& v) { return v[0] * v[1]; }, x);
  refuses<ad::TapeError>([&] { tape.backward(z); }, {"constant"});
}

TEST_CASE("inside of second derivatives") {
  const auto H = ad::hessian([](const auto& w) { return swing(w, 1.0); }, point);
  ad::Tape outer;
  std::vector<Number> w;
  for (const double a : point) w.push_back(outer.variable(a));
  ad::BasicTape<Number> inner;
  std::vector<ad::Var<Number>> v;
  for (const Number& a : w) v.push_back(inner.variable(a));
  const ad::Var<Number> y = ad::preaccumulate([](const auto& u) { return swing(u, 1.0); }, v);
  inner.backward(y);
  const Number slope = inner.adjoint(v[0]);
  outer.backward(slope);
  for (std::size_t i = 0; i < 3; ++i) CHECK(outer.adjoint(w[i]) == about(H(0, i)));
}

TEST_CASE("a variable that is caught by reference is refused, and the tape stays as it was") {
  ad::Tape tape;
  const std::vector<Number> x{tape.variable(2.0)};
  const Number other = tape.variable(3.0);
  const auto before = tape.statistics().statements;
  refuses<ad::TapeError>([&] { (void)ad::preaccumulate([&](const auto& v) { return v[0] * other; }, x); }, {"another tape"});
  CHECK(tape.statistics().statements == before);
  const Number y = x[0] * other;
  tape.backward(y);
  CHECK(tape.adjoint(x[0]) == 3);
}

TEST_CASE("where all slopes are 0 the result is a variable still, and second derivatives are kept") {
  const auto squared = [](const auto& v) { return v[0] * v[0] + v[1] * v[1] * v[0]; };
  const auto f = [&](const auto& x) { return ad::preaccumulate(squared, x); };
  const std::vector<double> zero{0.0, 0.0}, v{1.0, 2.0};
  CHECK(ad::gradient(f, zero) == std::vector<double>{0, 0});
  CHECK(ad::to_text(ad::hessian(f, zero)) == "[[2, 0], [0, 0]]");
  CHECK(ad::hvp(f, zero, v) == std::vector<double>{2, 0});
  ad::Tape outer;
  const std::vector<Number> w = outer.variables(zero);
  const std::vector<Number> slopes = ad::gradient(f, w);
  outer.backward(slopes[0]);
  CHECK(outer.adjoint(w[0]) == 2);
  const Number y = f(w);
  outer.backward(y);
  CHECK(outer.adjoint(w[0]) == 0);
}

TEST_CASE("where no tape records, nothing is kept anywhere") {
  const std::vector<Number> x{2.0, 3.0};
  for (int i = 0; i < 1000; ++i) CHECK(ad::preaccumulate([](const auto& v) { return v[0] * v[1]; }, x).value() == 6);
  CHECK(ad::detail::idle<double>.arguments.capacity() == 0);
  CHECK(ad::detail::idle<double>.place == 0);
}

TEST_CASE("a parameter inside is refused while a tape records: its adjoint would be lost") {
  const ad::Parameter<double> p(ad::Tensor<double>{2.0});
  const auto f = [&](const auto& v) { return v[0] * sum(p.var()); };
  ad::Tape tape;
  const std::vector<Number> x{tape.variable(2.0)};
  refuses<ad::TapeError>([&] { (void)ad::preaccumulate(f, x); }, {"preaccumulate: f uses a parameter of shape (1,)", "Pause"});
}
