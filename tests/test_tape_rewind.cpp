// mark() and rewind(): what stood before the mark still stands, and what came after it is gone, memory and all.
#include "support.hpp"

using support::about;
using support::Number;
using support::refuses;
using support::TensorVar;


TEST_CASE("rewind forgets what came after the mark, and keeps what stood before it") {
  ad::Tape tape;
  const ad::Var w = tape.variable(2.0), w2 = w * w;
  const auto mark = tape.mark();
  Number old;
  double total = 0;
  for (int s = 0; s < 5; ++s) {
    tape.rewind(mark);
    const ad::Var x = tape.variable(s), y = w2 * x + w;
    if (s) refuses<ad::TapeError>([&] { (void)Number(y + old); }, {"forgotten"});
    tape.backward(y);
    total += tape.adjoint(w);
    CHECK(tape.adjoint(x) == 4);
    CHECK(tape.statistics().statements == 4);
    old = y;
  }
  CHECK(total == 4 * 10 + 5);
  tape.rewind(mark);
  refuses<ad::TapeError>([&] { (void)tape.adjoint(w); }, {"call backward() first"});
}

TEST_CASE("marks nest: going back to an outer one after an inner one keeps what stood before both") {
  ad::Tape tape;
  const ad::Var a = tape.variable(2.0);
  const ad::Var s = tape.variable(ad::Tensor<double>{1, 3});
  const auto outer = tape.mark();
  const ad::Var b = a * a;
  const ad::Var t = s * b;
  const auto inner = tape.mark();
  for (int round = 0; round < 3; ++round) {
    const ad::Var c = b * sum(t);
    tape.backward(c);
    CHECK(tape.adjoint(a) == 16 * 8);  // of (1 + 3)·a⁴
    tape.rewind(inner);
  }
  for (int round = 0; round < 3; ++round) {
    tape.rewind(outer);
    refuses<ad::TapeError>([&] { (void)Number(b + 1.0); }, {"forgotten"});
    refuses<ad::TapeError>([&] { (void)(t + 1.0); }, {"forgotten"});
    const ad::Var y = a * sum(s);
    tape.backward(y);
    CHECK(tape.adjoint(a) == 4);
    CHECK(support::difference(tape.adjoint(s), ad::Tensor<double>{2, 2}) == "");
  }
}

TEST_CASE("random marks and rewinds leave exactly what stood before") {
  support::Random random(7);
  ad::Tape tape;
  struct Level { ad::Tape::Mark mark; std::size_t numbers; };
  std::vector<Number> numbers, gone;
  std::vector<Level> levels;
  for (int step = 0; step < 3000; ++step) {
    const auto choice = random.below(10);
    if (choice < 6 || levels.empty()) {
      numbers.push_back(numbers.empty() || choice == 0 ? Number(tape.variable(random()))
          : Number(numbers[random.below(numbers.size())] * 0.5 + numbers.back()));
    } else if (choice < 8) {
      levels.push_back({tape.mark(), numbers.size()});
    } else {
      const std::size_t to = random.below(levels.size());
      tape.rewind(levels[to].mark);
      gone.assign(numbers.begin() + static_cast<std::ptrdiff_t>(levels[to].numbers), numbers.end());
      numbers.resize(levels[to].numbers);
      levels.resize(to + random.below(2));  // the mark itself may be used again
      for (const Number& x : gone) CHECK_THROWS_AS((void)Number(x + 1.0), ad::TapeError);
    }
    if (levels.empty()) levels.push_back({tape.mark(), numbers.size()});
    if (step % 100 == 0 && !numbers.empty()) {
      const auto here = tape.mark();
      Number y = 0.0;
      for (const Number& x : numbers) y += x;
      tape.backward(y);
      CHECK(tape.adjoint(numbers.back()) == 1);
      tape.rewind(here);
    }
  }
}

TEST_CASE("a tensor from before the mark has its adjoint in memory of its own after each rewind") {
  ad::Tape tape;
  const ad::Var w = tape.variable(ad::Tensor<double>{1, 2, 3});
  const auto mark = tape.mark();
  for (int length = 0; length < 12; ++length) {  // longer and longer: results lie where adjoints lay before
    tape.rewind(mark);
    TensorVar<> y = exp(w * 0.1);
    for (int i = 0; i < length; ++i) y = y * w;
    const ad::Var cost = sum(w * y);
    tape.backward(cost);
    const auto g = tape.adjoint(w);
    for (std::size_t i = 0; i < 3; ++i) {
      const double x = static_cast<double>(i + 1), n = length + 1;  // d/dx xⁿ·e^(x/10)
      CHECK(g[i] == about((n / x + 0.1) * std::pow(x, n) * std::exp(0.1 * x)));
    }
  }
}

TEST_CASE("a value asked for before a rewind and after it is the same") {
  ad::Tape tape;
  const ad::Var w = tape.variable(ad::Tensor<double>{1, 2});
  const ad::Var y = w * w;
  const auto mark = tape.mark();
  for (int i = 0; i < 5; ++i) {
    CHECK(equal(y.value(), ad::Tensor<double>{1, 4}));
    tape.backward(sum(y * y));
    CHECK(equal(tape.adjoint(y), ad::Tensor<double>{2, 8}));
    tape.rewind(mark);
    for (int k = 0; k <= i; ++k) (void)exp(w).value();
  }
  CHECK(equal(y.value(), ad::Tensor<double>{1, 4}));
}

TEST_CASE("values and adjoints outlive rewind, clear and the tape") {
  ad::Tensor<double> value, adjoint, early;
  {
    ad::Tape tape;
    const ad::Var w = tape.variable(ad::Tensor<double>{1, 2});
    const auto mark = tape.mark();
    const ad::Var y = w * w;
    early = y.value();
    tape.backward(sum(y));
    adjoint = tape.adjoint(w);
    tape.rewind(mark);
    for (int i = 0; i < 5; ++i) (void)exp(w);
    CHECK(equal(early, ad::Tensor<double>{1, 4}));
    const ad::Var z = w * 3.0;
    value = z.value();
    tape.clear();
    const ad::Var other = tape.variable(ad::Tensor<double>{9, 9});
    (void)exp(other);
    CHECK(equal(value, ad::Tensor<double>{3, 6}));
  }
  ad::Tape tape;
  (void)exp(tape.variable(ad::Tensor<double>{5, 5}));
  CHECK(equal(early, ad::Tensor<double>{1, 4}));
  CHECK(equal(value, ad::Tensor<double>{3, 6}));
  CHECK(equal(adjoint, ad::Tensor<double>{2, 4}));
  value(0) = 8;  // and are the caller's own
  CHECK(value(0) == 8);
}

TEST_CASE("a mark that does not fit is refused, and nothing is forgotten") {
  ad::Tape tape;
  const ad::Var a = tape.variable(2.0);
  const auto low = tape.mark();
  (void)Number(a * a);
  const auto high = tape.mark();
  tape.rewind(low);
  refuses<ad::TapeError>([&] { tape.rewind(high); }, {"rewind", "is gone"});
  for (int i = 0; i < 5; ++i) (void)Number(a * 2.0);
  refuses<ad::TapeError>([&] { tape.rewind(high); }, {"is gone"});
  tape.clear();
  refuses<ad::TapeError>([&] { tape.rewind(low); }, {"is gone", "clear()"});

  const ad::Var x = tape.variable(3.0);
  {
    ad::Tape other;
    refuses<ad::TapeError>([&] { tape.rewind(other.mark()); }, {"another tape"});  // even of an empty one
    (void)other.variable(1.0);
    refuses<ad::TapeError>([&] { tape.rewind(other.mark()); }, {"another tape"});
  }
  const ad::Var y = x * x;
  tape.backward(y);
  CHECK(tape.adjoint(x) == 6);
  tape.rewind({});  // the mark of an empty tape forgets all
  CHECK(tape.statistics().statements == 0);
}

TEST_CASE("a mark of a tape that has ended is no mark of the next, though it lives where that did") {
  ad::Tape::Mark mark;
  { ad::Tape tape; mark = tape.mark(); }
  ad::Tape tape;
  const ad::Var x = tape.variable(2.0);
  refuses<ad::TapeError>([&] { tape.rewind(mark); }, {"made on another tape"});
  tape.backward(x * x);
  CHECK(tape.adjoint(x) == 4);
}

TEST_CASE("variables from before any of many rewinds are told apart") {
  ad::Tape tape;
  std::vector<ad::Var<double>> stands{tape.variable(1.0)}, gone;
  for (int i = 0; i < 300; ++i) {
    const auto mark = tape.mark();
    gone.push_back(stands.back() * 2.0);
    tape.rewind(mark);
    stands.push_back(stands.back() * 1.01);
  }
  tape.backward(stands.back());
  for (std::size_t i = 0; i < stands.size(); ++i) CHECK(tape.adjoint(stands[i]) == support::about(std::pow(1.01, 300 - static_cast<double>(i))));
  for (const auto& x : gone) refuses<ad::TapeError>([&] { (void)tape.adjoint(x); }, {"forgotten"});
}

namespace {
/// A program of 40 statements from two to six leaves, among them constants in any place. `between(k)` is called before statement k.
template <class T> T mixed_program(unsigned seed, const std::vector<T>& x, const auto& between) {
  support::Random random(seed);
  std::vector<T> all = x;
  for (int i = 0; i < 3; ++i) all.push_back(T(random()));  // constants
  for (int k = 0; k < 40; ++k) {
    between(k);
    const T &a = all[random.below(all.size())], &b = all[random.below(all.size())],
        &c = all[random.below(all.size())], &d = all[random.below(all.size())];
    switch (random.below(6)) {
      case 0: all.push_back(a * b); break;
      case 1: all.push_back(a + b); break;
      case 2: all.push_back(a - b * c); break;
      case 3: all.push_back(sin(a) * b + c - d); break;
      case 4: all.push_back(a * b * c * d * 0.3 - a + 2 * b); break;
      default: all.push_back(T(random() - 0.5)); break;
    }
  }
  T sum = all.back();
  for (std::size_t i = 0; i < all.size(); i += 3) sum += 0.1 * all[i];
  return sum;
}
}  // namespace

TEST_CASE("statements mix constants, new variables and those that rewinds have left") {
  for (unsigned seed = 1; seed <= 60; ++seed) {
    const std::vector<double> x = support::Random(seed).numbers(4);
    ad::Tape tape;
    const std::vector<Number> xs = tape.variables(x);
    const auto rewinds = [&](int k) {
      const unsigned times = seed % 4;  // at statements 0, 10, 20: none, one base, several
      if (k % 10 != 0 || static_cast<unsigned>(k) / 10 >= times) return;
      const auto mark = tape.mark();
      const Number junk = xs[0] * xs[1] + 1.0;
      (void)Number(junk * junk);
      tape.rewind(mark);
    };
    const Number y = mixed_program<Number>(seed, xs, rewinds);
    tape.backward(y);
    const auto f = [seed]<class V>(const V& at) {
      using T = typename V::value_type;
      return mixed_program<T>(seed, at, [](int) {});
    };
    for (std::size_t i = 0; i < x.size(); ++i) {
      std::vector<double> unit(x.size());
      unit[i] = 1;
      CAPTURE(seed);
      CHECK(tape.adjoint(xs[i]) == about(ad::jvp(f, x, unit)));
    }
  }
}

TEST_CASE("a constant takes no argument, and a stranger among constants is refused") {
  ad::Tape tape;
  const Number c = 0.5, x = tape.variable(2.0);
  const auto arguments = [&](const auto& f) {
    const std::size_t before = tape.statistics().arguments;
    (void)Number(f());
    return tape.statistics().arguments - before;
  };
  CHECK(arguments([&] { return x * c + c; }) == 1);
  CHECK(arguments([&] { return c * c - c * x * c + x; }) == 2);
  CHECK(arguments([&] { return c * c + c; }) == 0);
  ad::Tape other;
  const Number stranger = other.variable(1.0);
  const auto on = tape.record();
  refuses<ad::TapeError>([&] { (void)Number(stranger * c + x); }, {"belongs to another tape"});
  refuses<ad::TapeError>([&] { (void)Number(c * c * c * c * stranger + x); }, {"belongs to another tape"});
}

TEST_CASE("a mark of an empty tape outlives clear()") {
  ad::Tape tape;
  const auto mark = tape.mark();
  tape.variable(1.0);
  tape.clear();
  CHECK_NOTHROW(tape.rewind(mark));
}
