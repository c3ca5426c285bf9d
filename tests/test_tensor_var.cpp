// Tensors that remember: handles, copy on write, and where numbers and tensors meet on a tape.
#include "support.hpp"
#include <algorithm>
#include <optional>
#include <thread>

using ad::Shape;
using ad::Tensor;
using support::about;
using support::difference;
using support::Number;
using support::refuses;
using support::TensorVar;
using support::verify;

namespace {
support::RandomTensors some{support::Random(11)};
}  // namespace

// ---- handles --------------------------------------------------------------------------------------------------------

TEST_CASE("a tensor variable remembers, a tensor in a Var is a constant") {
  ad::Tape tape;
  ad::Var w = tape.variable(Tensor<double>{{1, 2}, {3, 4}});
  ad::Var c = Tensor<double>{{1, 2}, {3, 4}};
  static_assert(std::is_same_v<decltype(w), TensorVar<>> && std::is_same_v<decltype(c), TensorVar<>>);
  CHECK(w.shape() == Shape({2, 2}));
  CHECK(w.size() == 4);
  CHECK(c.place() == 0);
  CHECK((c * c + 1.0).place() == 0);
  CHECK((c * w).place() != 0);
  const ad::Var cost = mean(square(w - 0.5));
  static_assert(std::is_same_v<decltype(cost), const ad::Var<double>>);
  tape.backward(cost);
  CHECK(difference(tape.adjoint(w), Tensor<double>{{0.25, 0.75}, {1.25, 1.75}}) == "");
}

TEST_CASE("default-constructed, moved-from and swapped handles") {
  ad::Tape tape;
  TensorVar<> none;
  CHECK(none.shape() == Shape({0}));
  CHECK(none.value().size() == 0);
  CHECK(sum(none).value() == 0);
  CHECK((none + 1.0).size() == 0);
  TensorVar<> a = tape.variable(Tensor<double>{1, 2});
  TensorVar<> b = std::move(a);
  // NOLINTBEGIN: used after the move on purpose
  refuses<ad::TapeError>([&] { (void)(a + 1.0); }, {"add: this variable was moved from"});
  refuses<ad::TapeError>([&] { (void)(b * a); }, {"multiply"});
  refuses<ad::TapeError>([&] { (void)a.value(); }, {"value"});
  refuses<ad::TapeError>([&] { (void)a.shape(); }, {"moved from"});
  refuses<ad::TapeError>([&] { (void)sum(a); }, {"sum"});
  refuses<ad::TapeError>([&] { (void)tape.adjoint(a); }, {"adjoint"});
  refuses<ad::TapeError>([&] { (void)concatenate(std::vector<TensorVar<>>{b, a}); }, {"moved from"});
  TensorVar<> copy_of_moved = a;
  refuses<ad::TapeError>([&] { (void)exp(copy_of_moved); }, {"exp"});
  TensorVar<> constant = Tensor<double>{1};
  const TensorVar<> taken = std::move(constant);
  refuses<ad::TapeError>([&] { (void)constant.value(); }, {"value"});
  // NOLINTEND
  a = b;
  constant = taken;
  std::swap(a, constant);
  TensorVar<>& self = a;
  a = self;
  a = std::move(self);
  CHECK(a.size() == 1);
  CHECK(constant.place() == b.place());
  std::optional<TensorVar<>> maybe;
  maybe = b * 2.0;
  std::vector<TensorVar<>> list(3);
  for (int i = 0; i < 20; ++i) list.push_back(b * i);
  list.erase(list.begin(), list.begin() + 10);
  std::reverse(list.begin(), list.end());
  const ad::Var y = sum(*maybe) + sum(list.front()) + sum(list[1] * list[2]);
  tape.backward(y);
  CHECK(difference(tape.adjoint(b), Tensor<double>{2 + 19 + 2 * 18 * 17, 2 + 19 + 2 * 2 * 18 * 17}) == "");
}

TEST_CASE("a constant handle outlives everything, on any thread") {
  std::optional<TensorVar<>> c;
  {
    ad::Tape tape;
    const ad::Var w = tape.variable(Tensor<double>{1, 2});
    c = Tensor<double>{3, 4};
    (void)(w * *c);
  }
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back([&] { for (int k = 0; k < 500; ++k) { TensorVar<> mine = *c; (void)exp(mine).value(); } });
  for (auto& t : threads) t.join();
  CHECK(c->value()(1) == 4);
}

TEST_CASE("compound assignment, also of itself") {
  ad::Tape tape;
  TensorVar<> x = tape.variable(Tensor<double>{2, 3});
  const TensorVar<> x0 = x;
  x = x * x;
  x *= x;
  x += x0;
  x -= 1;
  x /= 2.0;
  x *= Number(2.0);
  tape.backward(sum(x));
  CHECK(difference(tape.adjoint(x0), Tensor<double>{4 * 8 + 1, 4 * 27 + 1}) == "");
  TensorVar<> constant = Tensor<double>{1, 2};
  constant += x0;  // a constant may become a variable
  tape.backward(sum(constant));
  CHECK(difference(tape.adjoint(x0), Tensor<double>{1, 1}) == "");
}

TEST_CASE("what was recorded never changes when the caller's tensors do") {
  ad::Tape tape;
  Tensor<double> X{1, 2}, C{10, 20};
  const ad::Var w = tape.variable(X);
  const ad::Var y = w * C;
  X(0) = 100;
  C(0) = 1000;
  CHECK(equal(w.value(), Tensor<double>{1, 2}));
  auto value = y.value();
  value(1) = -1;
  CHECK(equal(y.value(), Tensor<double>{10, 40}));
  tape.backward(sum(y * y));
  CHECK(difference(tape.adjoint(w), Tensor<double>{200, 1600}) == "");
  auto g = tape.adjoint(w);
  g(0) = 0;
  CHECK(tape.adjoint(w)(0) == 200);
  const auto early = y.value();
  CHECK(early.data() == y.value().data());  // asked for twice, copied once
}

TEST_CASE("temporaries and views may be operands") {
  ad::Tape tape;
  TensorVar<> y;
  const ad::Var w = tape.variable(Tensor<double>{1, 2});
  {
    const Tensor<double> table{{1, 2}, {3, 4}, {5, 6}};
    y = w * table.rows(1, 3) * Tensor<double>::full({2}, 2);
  }
  std::vector<Tensor<double>> trash;
  for (int i = 0; i < 50; ++i) trash.push_back(Tensor<double>::full({4}, -7));
  tape.backward(sum(y * y));
  CHECK(difference(tape.adjoint(w), Tensor<double>{2 * 4 * (9 + 25), 2 * 2 * 4 * (16 + 36)}) == "");
}

// ---- numbers and tensors, threads -----------------------------------------------------------------------------------

TEST_CASE("a number on the tape meets tensors of double and of float") {
  ad::Tape tape;
  const ad::Var k = tape.variable(3.0);
  const ad::Var x = tape.variable(Tensor<double>{1, 2});
  const ad::Var f = tape.variable(Tensor<float>{1, 2});
  const ad::Var y = sum(x * k) + sum(f * (k * k)) + sum(k / f) + sum(Tensor<double>{1, 1} * k);  // an expression may stand there, too
  static_assert(std::is_same_v<decltype(sum(f)), ad::Var<double>>);
  tape.backward(y);
  CHECK(tape.adjoint(k) == about(3 + 2 * 3 * 3 + 1.5 + 2, 1e-6));
  CHECK(equal(tape.adjoint(x), Tensor<double>{3, 3}));
  CHECK(difference(tape.adjoint(f), Tensor<float>{9 - 3, 9 - 0.75f}, 1e-6) == "");
  const Number constant = 2.0;
  CHECK((Tensor<double>{1, 2} * constant).place() == 0);
}

TEST_CASE("scalar code goes on from a reduction, and comes back") {
  verify("mixed", [](auto x) { const auto s = sum(x); const auto z = x * s; return sum(square(z)) / s + log(s); }, some({4}));
  verify("through elements", [](auto x) { return x(0, 1) * x(1, 2) + exp(x(0, 0)) * sum(x); }, some({2, 3}));
}

TEST_CASE("with no tape recording, threads compute with the same tensors at once") {
  const Tensor<double> w = some({8, 8}), x = some({4, 8});
  const TensorVar<> constant = some({8});
  const auto net = [&] { return sum(tanh(matmul(x, w) + constant)).value(); };
  const double expected = net();
  std::vector<std::thread> threads;
  std::vector<int> right(4);
  for (std::size_t i = 0; i < right.size(); ++i) threads.emplace_back([&, i] { for (int k = 0; k < 300; ++k) right[i] += net() == expected; });
  for (auto& t : threads) t.join();
  for (const int r : right) CHECK(r == 300);
}

template <class Y> concept ElementAssigned = requires(Y& y) { y(0) = 3.0; } || requires(Y& y) { y(0) += 3.0; } || requires(Y& y) { ++y(0); };
static_assert(ElementAssigned<ad::Tensor<double>>);
static_assert(!ElementAssigned<ad::Var<ad::Tensor<double>>>, "y(0) of a variable is a copy: writing to it would change nothing, without a word");

TEST_CASE("a constant is copied on write again when the tape that used it has ended") {
  Tensor<double> c{1, 2};
  {
    ad::Tape tape;
    const ad::Var x = tape.variable(Tensor<double>{3, 4}), y = x * c;
  }
  Tensor<double> d = c;
  d[0] = 5;
  CHECK(c.data()[0] == 1);
}
