// Adjoints that are not numbers of their own (adjoint.hpp). Deferred: a large weight matrix keeps its adjoint as a product until somebody asks, and
// gradient descent never does. Aliased: where a slope is 1, the adjoint of the result is the operand's too. Nobody may see the difference.
#include "support.hpp"
#include <nn/nn.hpp>
#include <algorithm>

namespace nn = ad::nn;
using ad::Parameter;
using ad::Tensor;
using support::difference;

namespace {

support::Random draw(7);

/// A layer whose weights defer their adjoint, and what its cost's slope in them is by plain operations, which defer nothing.
struct Owing {
  Parameter<double> w{draw.tensor({40, 32}, -1, 1)}, bias{draw.tensor({32}, -1, 1)};
  Tensor<double> x = draw.tensor({6, 40}, -1, 1), seed = draw.tensor({6, 32}, -1, 1);
  static_assert(40 * 32 >= ad::detail::least_deferred);

  ad::Var<double> cost() const { return dot(ad::layer<ad::Tanh>(x, w, bias), seed); }
  Tensor<double> slope() const {
    return ad::gradient([&](const auto& t) { return dot(tanh(matmul(x, t) + bias.value()), seed); }, w.value().clone());
  }
};
bool deferred(const Parameter<double>& p) { return p.cell().state == ad::detail::AdjointState::deferred; }
Tensor<double> adjoint(const Parameter<double>& p) {
  const double* const g = p.adjoint();
  REQUIRE(g != nullptr);
  return Tensor<double>::from(std::vector<double>(g, g + p.size()), p.shape());
}

}  // namespace

TEST_CASE("it is computed when it is asked for, from the parameter or from the tape") {
  const Owing o;
  const Tensor<double> slope = o.slope();
  ad::Tape tape;
  const ad::Var y = o.cost();
  tape.backward(y);
  REQUIRE(deferred(o.w));
  CHECK(difference(adjoint(o.w), slope) == "");
  CHECK(!deferred(o.w));
  tape.backward(y);
  REQUIRE(deferred(o.w));
  CHECK(difference(tape.adjoint(o.w), slope) == "");
  CHECK(difference(tape.adjoint(o.w), adjoint(o.w)) == "");
}

TEST_CASE("gradient descent takes the same step as after asking, to the last digit") {
  for (const double rate : {0.5, 0.0, 1.0}) {
    nn::Linear<double> quiet(40, 32), curious(40, 32);
    quiet.weight.assign(draw.tensor({40, 32}, -1, 1)), curious.weight.assign(quiet.weight.value().clone());
    const auto x = draw.tensor({6, 40}, -1, 1), target = draw.tensor({6, 32}, -1, 1);
    nn::Sgd one{{.learning_rate = rate}}, other{{.learning_rate = rate}};
    for (int step = 0; step < 3; ++step) {
      ad::Tape tape;
      tape.backward(nn::mse(tanh(quiet(x)), target) + nn::mse(tanh(curious(x)), target));
      REQUIRE(deferred(quiet.weight));
      const Tensor<double> slope = adjoint(curious.weight);
      one.step(quiet), other.step(curious);
      CHECK(quiet.weight.adjoint() == nullptr);  // used up
      CHECK(equal(tape.adjoint(quiet.weight), slope));
    }
    CHECK(equal(quiet.weight.value(), curious.weight.value()));
    CHECK(equal(quiet.bias.value(), curious.bias.value()));
  }
}

TEST_CASE("a product with weights defers as a layer does") {
  const Owing o;
  ad::Tape tape;
  tape.backward(dot(tanh(matmul(o.x, o.w.var()) + o.bias.var()), o.seed));
  REQUIRE(deferred(o.w));
  CHECK(difference(adjoint(o.w), o.slope()) == "");
}

TEST_CASE("weights used twice, or handed something else too, get the sum") {
  const Owing o;
  const Tensor<double> again = draw.tensor({3, 40}, -1, 1);
  const auto twice = [&](const auto& w) { return o.cost() + sum(square(ad::layer(again, w, o.bias))); };
  const auto expected = o.slope() + ad::gradient([&](const auto& t) { return sum(square(matmul(again, t) + o.bias.value())); }, o.w.value().clone());
  ad::Tape tape;
  tape.backward(twice(o.w));
  CHECK(difference(adjoint(o.w), expected) == "");
  tape.clear();
  tape.backward(o.cost() + sum(o.w.var() * 3.0));
  CHECK(difference(adjoint(o.w), o.slope() + 3.0) == "");
  tape.clear();
  tape.backward(sum(o.w.var() * 3.0) + o.cost());
  CHECK(difference(adjoint(o.w), o.slope() + 3.0) == "");
}

TEST_CASE("an input that an optimizer may change is not waited for") {
  const Parameter<double> x(draw.tensor({40, 40}, -1, 1)), w(draw.tensor({40, 32}, -1, 1)), bias(draw.tensor({32}, -1, 1));
  ad::Tape tape;
  tape.backward(sum(square(ad::layer(x.var(), w, bias))));
  CHECK(!deferred(w));
  const auto slope = ad::gradient([&](const auto& t) { return sum(square(matmul(x.value(), t) + bias.value())); }, w.value().clone());
  CHECK(difference(adjoint(w), slope) == "");
}

TEST_CASE("what an input was is what counts, whatever becomes of it") {
  Owing o;
  const Tensor<double> slope = o.slope();
  ad::Tape tape;
  tape.backward(o.cost());
  o.x[0] += 1000;  // the tape keeps the numbers it was given
  o.x = Tensor<double>();
  o.bias.update()[0] += 1000;
  CHECK(difference(adjoint(o.w), slope) == "");
}

TEST_CASE("a walk that does not reach the weights leaves no product behind, nor does rewind() or clear()") {
  Owing o;
  ad::Tape tape;
  const ad::Var early = sum(square(o.w.var()));
  const auto mark = tape.mark();
  for (int round = 0; round < 3; ++round) {
    tape.backward(o.cost());
    REQUIRE(deferred(o.w));
    if (round == 1) (void)adjoint(o.w);
    tape.rewind(mark);
    CHECK(!o.w.reached());
    tape.backward(early);
    CHECK(difference(adjoint(o.w), o.w.value() * 2.0) == "");
    const ad::Var other = tape.variable(2.0);
    tape.backward(other * other);
    CHECK(!o.w.reached());
    CHECK(difference(tape.adjoint(o.w), o.w.value() * 0.0) == "");
  }
  tape.clear();
  CHECK(!o.w.reached());
  CHECK(o.w.adjoint() == nullptr);
}

TEST_CASE("after a rewind() it is not computed into memory that is another's by now") {
  const Owing o;
  const Tensor<double> slope = o.slope();
  ad::Tape tape;
  (void)o.w.var();
  const auto mark = tape.mark();
  tape.backward(o.cost());
  CHECK(difference(adjoint(o.w), slope) == "");
  tape.rewind(mark);
  tape.backward(o.cost());
  const ad::Var others = exp(o.w.var());
  CHECK(difference(adjoint(o.w), slope) == "");
  CHECK(difference(others.value(), exp(o.w.value())) == "");
}

TEST_CASE("what one walk deferred is not what the next one hands on") {
  const Owing o;
  ad::Tape tape;
  const ad::Var y = o.cost(), z = sum(o.w.var() * 3.0);
  for (int round = 0; round < 2; ++round) {
    tape.backward(y);
    if (round == 0) (void)o.w.adjoint();  // so that it has memory in round 1
    tape.backward(z);
    CHECK(difference(adjoint(o.w), o.w.value() * 0.0 + 3.0) == "");
  }
}

TEST_CASE("walking back again and again needs no more memory, asked or not") {
  const Owing o;
  ad::Tape tape;
  const ad::Var y = o.cost(), z = sum(o.w.var() * 3.0) + o.cost();
  const auto walk = [&](const ad::Var<double>& from, bool ask) {
    tape.backward(from);
    if (ask) (void)o.w.adjoint();
    return tape.statistics().bytes;
  };
  const std::size_t most = std::max(walk(y, true), walk(z, true));
  for (int i = 0; i < 100; ++i) CHECK(walk(i % 2 ? y : z, i % 3 == 0) <= most);
}

// ---- aliased --------------------------------------------------------------------------------------------------------

TEST_CASE("both operands of a sum have its adjoint, and neither sees what the other is handed besides") {
  const auto p = draw.tensor({5, 3}, -1, 1), q = draw.tensor({5, 3}, -1, 1), seed = draw.tensor({5, 3}, -1, 1);
  ad::Tape tape;
  const ad::Var x = tape.variable(p), y = tape.variable(q);
  const ad::Var early = sum(x * 2.0);                  // reaches x after the sum below has
  const ad::Var total = x + y, moved = reshape(total, {15}), twice = total + total, less = twice - x;
  const ad::Var cost = dot(reshape(moved, {5, 3}), seed) + early + sum(less) + sum(moved * 0.5);
  std::size_t bytes = 0;
  for (int walk = 0; walk < 20; ++walk) {
    tape.backward(cost);
    CHECK(difference(tape.adjoint(less), seed * 0.0 + 1.0) == "");
    CHECK(difference(tape.adjoint(twice), seed * 0.0 + 1.0) == "");
    CHECK(difference(tape.adjoint(moved), reshape(seed + 0.5, {15})) == "");
    CHECK(difference(tape.adjoint(total), seed + 2.5) == "");
    CHECK(difference(tape.adjoint(y), seed + 2.5) == "");
    CHECK(difference(tape.adjoint(x), seed + 3.5) == "");
    const std::size_t now = tape.statistics().bytes;
    if (walk > 2) CHECK(now == bytes);
    bytes = now;
  }
}

TEST_CASE("what was aliased before a rewind() is not read after it") {
  const auto p = draw.tensor({4, 4}, -1, 1);
  ad::Tape tape;
  const ad::Var x = tape.variable(p);
  const ad::Var early = sum(x * 3.0);
  const auto mark = tape.mark();
  for (int round = 0; round < 3; ++round) {
    tape.backward(sum(square(x + p)));
    CHECK(difference(tape.adjoint(x), 4.0 * p) == "");
    tape.rewind(mark);
    const ad::Var others = exp(x);
    tape.backward(early);
    CHECK(difference(tape.adjoint(x), p * 0.0 + 3.0) == "");
    CHECK(difference(others.value(), exp(p)) == "");
    tape.rewind(mark);
  }
}

TEST_CASE("the adjoint of a large matrix that was computed is not put off") {
  ad::Tape tape;
  const ad::Var v = tape.variable(Tensor<double>::full({40, 40}, 3));
  const ad::Var y = sum(matmul(Tensor<double>::ones({1, 40}), square(v)));
  tape.backward(y);
  CHECK(tape.adjoint(v)(7, 8) == 6);
}

TEST_CASE("nor is that of a large vector") {
  const ad::Parameter<double> w(Tensor<double>::ones({1000}));
  ad::Tape tape;
  const ad::Var y = sum(matmul(Tensor<double>::full({2, 1000}, 3), w.var()));
  tape.backward(y);
  CHECK(tape.adjoint(w)[999] == 6);
}
