// The tape: which variables are on it, and what backward and adjoint promise. (mark and rewind: test_tape_rewind.cpp. How tapes nest, move and
// end: test_tape_life.cpp.)
#include "support.hpp"
#include <array>

using support::about;
using support::Number;
using support::refuses;
using support::TensorVar;
using support::works;
using support::works_as_the_youngest;

// ---- backward and adjoint -------------------------------------------------------------------------------------------

TEST_CASE("intermediate results keep their adjoints") {
  ad::Tape tape;
  const ad::Var x = tape.variable(2.0);
  const ad::Var u = x * x, v = exp(u), y = 3.0 * v;
  tape.backward(y);
  CHECK(tape.adjoint(y) == 1);
  CHECK(tape.adjoint(v) == 3);
  CHECK(tape.adjoint(u) == about(3 * std::exp(4.0)));
  CHECK(tape.adjoint(x) == about(12 * std::exp(4.0)));
}

TEST_CASE("backward of a constant, and the adjoint of a constant, are errors") {
  ad::Tape tape;
  const ad::Var x = tape.variable(2.0), y = x * x;
  const Number c = 3.0, none;
  const Number still = c * 2.0 + none;
  tape.backward(y);
  refuses<ad::TapeError>([&] { tape.backward(c); }, {"backward", "constant", "tape.variable()"});
  refuses<ad::TapeError>([&] { tape.backward(still); }, {"constant"});
  refuses<ad::TapeError>([&] { (void)tape.adjoint(c); }, {"adjoint", "constant"});
  refuses<ad::TapeError>([&] { (void)tape.adjoint(Number{}); }, {"constant"});
  CHECK(tape.adjoint(x) == 4);  // the refusals changed nothing
  const TensorVar<> t = ad::Tensor<double>{1, 2};
  refuses<ad::TapeError>([&] { tape.backward(t, ad::Tensor<double>{1, 1}); }, {"backward", "constant"});
  refuses<ad::TapeError>([&] { (void)tape.adjoint(t); }, {"adjoint", "constant"});
  refuses<ad::TapeError>([&] { (void)tape.adjoint(TensorVar<>{}); }, {"constant"});
}

TEST_CASE("a variable recorded after backward has no adjoint") {
  ad::Tape tape;
  const ad::Var x = tape.variable(2.0);
  refuses<ad::TapeError>([&] { (void)tape.adjoint(x); }, {"after the last backward()", "call backward() first"});
  const ad::Var y = x * x;
  tape.backward(y);
  const ad::Var late = y * x;
  const ad::Var late_tensor = tape.variable(ad::Tensor<double>{1});
  refuses<ad::TapeError>([&] { (void)tape.adjoint(late); }, {"after the last backward()"});
  refuses<ad::TapeError>([&] { (void)tape.adjoint(late_tensor); }, {"after the last backward()"});
  CHECK(tape.adjoint(x) == 4);
  tape.backward(late);  // goes on from there
  CHECK(tape.adjoint(x) == 12);
  CHECK(tape.adjoint(y) == 2);
  CHECK(tape.adjoint(late_tensor)(0) == 0);
}

TEST_CASE("backward may run twice, and gives the same") {
  ad::Tape tape;
  const ad::Var x = tape.variable(2.0);
  const ad::Var w = tape.variable(ad::Tensor<double>{1, 2});
  const ad::Var t = exp(w * x);
  const ad::Var y = sum(t * t) * x;
  tape.backward(y);
  const double gx = tape.adjoint(x);
  const auto gw = tape.adjoint(w);
  for (int i = 0; i < 3; ++i) tape.backward(y);
  CHECK(tape.adjoint(x) == gx);
  CHECK(equal(tape.adjoint(w), gw));
  tape.backward(x);
  CHECK(tape.adjoint(x) == 1);
  CHECK(equal(tape.adjoint(w), ad::Tensor<double>{0, 0}));
  CHECK(tape.adjoint(y) == 0);
}

TEST_CASE("several outputs are seeded with weights, constants among them count for nothing") {
  ad::Tape tape;
  const ad::Var x = tape.variable(2.0), a = x * x, b = 5.0 * x;
  tape.backward({a, b, Number(7.0), a}, {1.0, 10.0, 100.0, 2.0});
  CHECK(tape.adjoint(x) == 3 * 4 + 50);
  tape.backward(std::vector<Number>{}, {});
  CHECK(tape.adjoint(x) == 0);
  const std::vector<Number> ys{a, b};
  refuses<ad::ShapeError>([&] { tape.backward(ys, {1.0}); }, {"2 outputs but 1 weights"});
  tape.backward(ys, {1.0, 0.0});
  {
    ad::Tape other;
    const ad::Var foreign = other.variable(1.0);
    refuses<ad::TapeError>([&] { tape.backward({a, foreign}, {1.0, 1.0}); }, {"another tape"});
    CHECK(tape.adjoint(x) == 4);  // nothing had changed
  }
  const ad::Var t = tape.variable(ad::Tensor<double>{1, 2}), z = t * x;
  tape.backward(z, ad::Tensor<double>{3, 5});
  CHECK(tape.adjoint(x) == 13);
  CHECK(equal(tape.adjoint(t), ad::Tensor<double>{6, 10}));
  refuses<ad::ShapeError>([&] { tape.backward(z, ad::Tensor<double>{{3, 5}}); }, {"shape (2,)", "weights (1, 2)"});
}

TEST_CASE("one output may have a weight; a constant has none, but counts for nothing among several") {
  ad::Tape tape;
  const ad::Var x = tape.variable(2.0);
  tape.backward(ad::Var(x * x), 3.0);
  CHECK(tape.adjoint(x) == 12);
  refuses<ad::TapeError>([&] { tape.backward(Number(7.0), 1.0); }, {"the argument is a constant"});
  refuses<ad::TapeError>([&] { tape.backward(std::vector<Number>{7.0, 8.0}, {1.0, 2.0}); }, {"the argument is a constant"});
  tape.backward(std::vector<Number>{7.0, x * x}, {1.0, 2.0});
  CHECK(tape.adjoint(x) == 8);
  {
    ad::Tape other;
    const ad::Var foreign = other.variable(1.0);
    refuses<ad::TapeError>([&] { tape.backward(foreign, 1.0); }, {"another tape"});
  }
}

TEST_CASE("variables and adjoints of many numbers at once") {
  ad::Tape tape;
  const ad::Var before = tape.variable(1.0);
  const std::vector<ad::Var<double>> xs = tape.variables(std::vector<double>{2, 3, 5});
  tape.backward(ad::Var(xs[0] * xs[1] + before));
  CHECK(tape.adjoints(xs) == std::vector<double>{3, 2, 0});
  CHECK(tape.adjoint(before) == 1);
  CHECK(tape.statistics().statements == 5);

  std::vector<ad::Var<double>> into(7);
  std::vector<double> gradient(1);
  for (int round = 0; round < 3; ++round) {
    tape.clear();
    tape.variables(std::array{1.0f, 4.0f}, into);
    REQUIRE(into.size() == 2);
    CHECK(into[1].value() == 4);
    tape.backward(ad::Var(into[0] * into[1]));
    tape.adjoints(into, gradient);
    CHECK(gradient == std::vector<double>{4, 1});
  }
  refuses<ad::TapeError>([&] { (void)tape.adjoints(xs); }, {"forgotten"});
  refuses<ad::TapeError>([&] { (void)tape.adjoints({Number(1.0)}); }, {"constant"});
  CHECK(tape.variables(std::vector<double>{}).empty());
  struct Endless {
    static std::size_t size() { return std::size_t{1} << 40; }
    double operator[](std::size_t) const { return 0; }
  };
  refuses<ad::TapeError>([&] { (void)tape.variables(Endless{}); }, {"statements is the most one tape holds"});

  const std::vector<double> many(100'000, 1.5);  // more than a tape has room for at first
  const auto ones = tape.variables(many);
  Number sum = 0.0;
  for (const auto& x : ones) sum += x * x;
  tape.backward(sum);
  CHECK(tape.adjoints(ones) == std::vector<double>(many.size(), 3.0));
}

TEST_CASE("an expression may be handed to backward as it is") {
  ad::Tape tape;
  const ad::Var x = tape.variable(3.0);
  tape.backward(x * x);
  CHECK(tape.adjoint(x) == 6);
}

TEST_CASE("a tape that recorded nothing") {
  ad::Tape tape;
  refuses<ad::TapeError>([&] { tape.backward(Number{}); }, {"constant"});
  tape.clear();
  tape.rewind(tape.mark());
  tape.backward(std::vector<Number>{}, {});
  CHECK(tape.statistics().statements == 0);
  works(tape);
}

TEST_CASE("variables in a row between statements keep their adjoints, and the statement before them gets its own") {
  ad::Tape tape;
  const ad::Var x = tape.variable(3.0), y = x * x;
  const ad::Var a = tape.variable(2.0), b = tape.variable(5.0), c = tape.variable(7.0), unused = tape.variable(1.0);
  tape.backward(ad::Var(y * a + c));
  CHECK(tape.adjoint(x) == 12);
  CHECK(tape.adjoint(y) == 2);
  CHECK(tape.adjoint(a) == 9);
  CHECK(tape.adjoint(b) == 0);
  CHECK(tape.adjoint(c) == 1);
  CHECK(tape.adjoint(unused) == 0);
}

// ---- stale and foreign ----------------------------------------------------------------------------------------------

TEST_CASE("a variable from before clear is refused wherever it is used") {
  ad::Tape tape;
  Number x = tape.variable(2.0);
  TensorVar<> t = tape.variable(ad::Tensor<double>{1, 2});
  const Number later = x * 2.0;
  tape.clear();
  const ad::Var fresh = tape.variable(1.0);
  const std::size_t statements = tape.statistics().statements;
  refuses<ad::TapeError>([&] { (void)Number(x + 1.0); }, {"forgotten by clear() or rewind()", "tape.variable(), or take its value() before clear()"});
  refuses<ad::TapeError>([&] { (void)Number(fresh * exp(later)); }, {"forgotten"});
  refuses<ad::TapeError>([&] { x *= x; }, {"forgotten"});
  refuses<ad::TapeError>([&] { tape.backward(x); }, {"backward", "forgotten"});
  refuses<ad::TapeError>([&] { (void)tape.adjoint(x); }, {"adjoint", "forgotten"});
  refuses<ad::TapeError>([&] { tape.backward({fresh, later}, {1.0, 1.0}); }, {"forgotten"});
  refuses<ad::TapeError>([&] { (void)(t + 1.0); }, {"add", "forgotten"});
  refuses<ad::TapeError>([&] { (void)(fresh * t); }, {"multiply", "forgotten"});
  refuses<ad::TapeError>([&] { (void)(ad::Tensor<double>{1} * later); }, {"forgotten"});
  refuses<ad::TapeError>([&] { (void)sum(t); }, {"sum", "forgotten"});
  refuses<ad::TapeError>([&] { (void)t.value(); }, {"value", "forgotten"});
  refuses<ad::TapeError>([&] { (void)t.shape(); }, {"shape", "forgotten"});
  refuses<ad::TapeError>([&] { (void)t(0); }, {"element", "forgotten"});
  refuses<ad::TapeError>([&] { (void)concatenate(std::vector{t, t}); }, {"forgotten"});
  refuses<ad::TapeError>([&] { (void)ad::assemble(std::vector{fresh, later}, {2}); }, {"assemble", "forgotten"});
  refuses<ad::TapeError>([&] { tape.backward(t, ad::Tensor<double>{1, 1}); }, {"forgotten"});
  refuses<ad::TapeError>([&] { (void)tape.adjoint(t); }, {"forgotten"});
  refuses<ad::TapeError>([&] { (void)ad::to_dot(later); }, {"to_dot"});
  refuses<ad::TapeError>([&] { (void)ad::to_text(t); }, {"to_text"});
  CHECK(tape.statistics().statements <= statements + 1);  // `fresh` became a tensor before `t` was refused; nothing else was recorded
  CHECK(x.value() == 2);                              // a number is still a number
  x = 5.0;                                            // and the handle can be used for something else
  t = ad::Tensor<double>{4};
  CHECK(sum(t * x).value() == 20);
}

TEST_CASE("a variable of another tape is refused, and its own tape goes on") {
  ad::Tape outer;
  const ad::Var a = outer.variable(2.0);
  const ad::Var s = outer.variable(ad::Tensor<double>{1, 2});
  {
    ad::Tape inner;
    refuses<ad::TapeError>([&] { (void)Number(a * a); }, {"another tape (this one holds nothing yet)"});
    const ad::Var b = inner.variable(3.0);
    const ad::Var t = inner.variable(ad::Tensor<double>{3, 4});
    refuses<ad::TapeError>([&] { (void)Number(a * b); }, {"another tape", "its own tape"});
    refuses<ad::TapeError>([&] { (void)(s * t); }, {"another tape"});
    refuses<ad::TapeError>([&] { (void)(t * a); }, {"another tape"});
    refuses<ad::TapeError>([&] { (void)matmul(s, t); }, {"matmul", "another tape"});
    refuses<ad::TapeError>([&] { (void)outer.adjoint(b); }, {"adjoint", "another tape"});
    refuses<ad::TapeError>([&] { outer.backward(b); }, {"backward", "another tape"});
    refuses<ad::TapeError>([&] { inner.backward(a); }, {"another tape"});
    refuses<ad::TapeError>([&] { (void)inner.adjoint(s); }, {"another tape"});
    refuses<ad::TapeError>([&] { inner.backward(s, ad::Tensor<double>{1, 1}); }, {"another tape"});
    CHECK(s.value()(1) == 2);  // a value can be read while its tape lives
    works_as_the_youngest(inner);
  }
  const ad::Var y = a * sum(s);
  outer.backward(y);
  CHECK(outer.adjoint(a) == 3);
}

TEST_CASE("a variable whose tape has ended is refused, with a tape and without one") {
  Number x;
  TensorVar<> t;
  {
    ad::Tape tape;
    x = tape.variable(1.0);
    t = tape.variable(ad::Tensor<double>{1, 2});
  }
  refuses<ad::TapeError>([&] { (void)Number(x + 1.0); }, {"no tape records on this thread", "ended"});
  refuses<ad::TapeError>([&] { (void)(t + 1.0); }, {"no tape records"});
  refuses<ad::TapeError>([&] { (void)t.value(); }, {"value", "no tape records"});
  ad::Tape tape;
  refuses<ad::TapeError>([&] { (void)Number(x + 1.0); }, {"variable (at place "});
  refuses<ad::TapeError>([&] { (void)(t + 1.0); }, {"variable (at place "});
  refuses<ad::TapeError>([&] { (void)t.value(); }, {"variable (at place "});
  works_as_the_youngest(tape);
}

TEST_CASE("places are never given twice: no number of clears brings a stale variable back") {
  ad::Tape tape;
  std::vector<Number> old;
  for (int i = 0; i < 100; ++i) {
    for (int k = 0; k < 20; ++k) old.push_back(tape.variable(1.0));
    if (i % 2) tape.clear(); else tape.rewind(tape.mark());
  }
  for (int k = 0; k < 5000; ++k) (void)tape.variable(1.0);
  std::size_t refused = 0;
  for (const Number& x : old) {
    try {
      (void)Number(x * 2.0);
    } catch (const ad::TapeError&) {
      ++refused;
    }
  }
  CHECK(refused == old.size());
}

// ---- exceptions and statistics --------------------------------------------------------------------------------------

TEST_CASE("after an exception in the middle of a recording the tape goes on") {
  ad::Tape tape;
  const ad::Var x = tape.variable(2.0);
  const ad::Var t = tape.variable(ad::Tensor<double>{{1, 2}, {3, 4}});
  Number y = x * x;
  const auto fail = [&] {
    const ad::Var inside = exp(t * x);
    (void)matmul(inside, ad::Tensor<double>::ones({3, 3}));
  };
  refuses<ad::ShapeError>(fail, {"matmul: inner sizes differ", "2 != 3"});
  const auto thrower = [&](auto z) -> Number {
    Number u = z[0] * z[1];
    if (u.value() > 0) throw std::runtime_error("mine");
    return u;
  };
  CHECK_THROWS_WITH((void)ad::gradient(thrower, std::vector<double>{1, 2}), "mine");
  y = y * sum(t);
  tape.backward(y);
  CHECK(tape.adjoint(x) == 40);
  CHECK(support::difference(tape.adjoint(t), ad::Tensor<double>{{4, 4}, {4, 4}}) == "");
}

TEST_CASE("statistics count what was recorded, and clear keeps the memory") {
  ad::Tape::release_spare();
  ad::Tape tape;
  CHECK(tape.statistics().bytes == 0);
  const ad::Var x = tape.variable(2.0), y = x * x + x;
  auto s = tape.statistics();
  CHECK(s.statements == 2);
  CHECK(s.nodes == 0);
  const ad::Var t = tape.variable(ad::Tensor<double>{1, 2});
  const ad::Var z = sum(t * y);
  tape.backward(z);
  s = tape.statistics();
  CHECK(s.statements == 6);  // t; y as a tensor; the product; the sum
  CHECK(s.nodes == 3);
  CHECK(s.bytes > 0);
  CHECK(s.reserved >= s.bytes);
  CHECK(s.text().find("6 statements, ") == 0);
  CHECK(s.text().find(" kB reserved") != std::string::npos);
  tape.clear();
  const auto after = tape.statistics();
  CHECK(after.statements == 0);
  CHECK(after.nodes == 0);
  CHECK(after.reserved == s.reserved);
  CHECK(after.high_water == s.bytes);
}

TEST_CASE("a tape grows as it must, and its adjoints with it") {
  ad::Tape tape;
  const ad::Var x = tape.variable(1.0);
  Number y = 0.0;
  for (int i = 0; i < 300'000; ++i) {
    y = y + x * 1e-3;
    if (i % 100'000 == 50) {
      tape.backward(y);
      CHECK(tape.adjoint(x) == about((i + 1) * 1e-3, 1e-9));
    }
  }
  tape.backward(y);
  CHECK(tape.adjoint(x) == about(300, 1e-9));
}

TEST_CASE("numbers and tensors are walked in the one order in which they were recorded") {
  ad::Tape tape;
  const ad::Var x = tape.variable(0.5);
  Number a = x;
  double value = 0.5, slope = 1;
  for (int i = 0; i < 20; ++i) {
    const ad::Var t = ad::Tensor<double>{1, 2} * a;  // number → tensor → number, in a chain
    a = sin(sum(t)) + t(1) * 0.1;
    const double u = 3 * value;
    slope *= 3 * std::cos(u) + 0.2;
    value = std::sin(u) + 0.2 * value;
  }
  CHECK(a.value() == about(value));
  tape.backward(a);
  CHECK(tape.adjoint(x) == about(slope, 1e-9));
}

// ---- infinities -----------------------------------------------------------------------------------------------------

TEST_CASE("an adjoint of 0 stays 0 across an infinite slope") {
  ad::Tape tape;
  const ad::Var x = tape.variable(0.0), unused = sqrt(x), y = x * 2.0;
  tape.backward(y);
  CHECK(tape.adjoint(x) == 2);
  const ad::Var z = x * 3.0 + unused * 0.0;
  tape.backward(z);
  CHECK(tape.adjoint(x) == 3);
  tape.backward(unused);
  CHECK(tape.adjoint(x) == support::infinity);
}

TEST_CASE("a NaN goes all the way back") {
  ad::Tape tape;
  const ad::Var x = tape.variable(-1.0), other = tape.variable(2.0), bad = log(x), y = bad * bad + other;
  CHECK(std::isnan(y.value()));
  tape.backward(y);
  CHECK(std::isnan(tape.adjoint(x)));
  CHECK(tape.adjoint(other) == 1);
}

TEST_CASE("the high-water mark stays over clear()") {
  ad::Tape tape;
  tape.variables(std::vector<double>(1000));
  tape.clear();
  const std::size_t most = tape.statistics().high_water;
  tape.variable(1.0);
  tape.clear();
  CHECK(tape.statistics().high_water == most);
}

TEST_CASE("the high-water mark knows the adjoints of eight rows of a Jacobian") {
  ad::Tape tape;
  const auto x = tape.variables(std::vector<double>(10, 1.0));
  std::vector<ad::Var<double>> y;
  for (const auto& one : x) y.push_back(one * one);
  (void)tape.jacobian(y, x);
  CHECK(tape.statistics().high_water >= 20 * 8 * sizeof(double));
}

TEST_CASE("statistics count tensors, and nothing of the tape whose memory is used again") {
  ad::Tape::release_spare();
  { ad::Tape large; large.variables(std::vector<double>(10'000)); }
  ad::Tape tape;
  const ad::Var x = tape.variable(ad::Tensor<double>::ones({1000})), y = x * x;
  const auto now = tape.statistics();
  CHECK(now.bytes >= 8000);
  CHECK(now.bytes < 30'000);
  CHECK(now.high_water == now.bytes);
  { ad::Tape nothing; CHECK(nothing.statistics().reserved < 8000); }
  CHECK(now.reserved >= now.bytes);
}

TEST_CASE("what is reserved counts the memory of tensors") {
  ad::Tape tape;
  const ad::Var x = tape.variable(ad::Tensor<double>::ones({100'000})), y = x * x;
  CHECK(tape.statistics().reserved >= 800'000);
}
