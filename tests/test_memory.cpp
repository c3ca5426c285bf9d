// Memory: after the first step of a loop nothing is allocated, however it is asked for; long recordings walk back in a loop, not on the stack.
#include "allocations.hpp"
#include "folder.hpp"
#include "support.hpp"
#include <nn/nn.hpp>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <thread>
#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

using ad::Parameter;
using ad::Tensor;
using support::about;
using support::Number;

namespace {
/// Allocations of `step` when it has run some times before.
template <class F> std::size_t allocations(const F& step) {
  for (int i = 0; i < 3; ++i) step();
  const std::size_t before = ::allocations();
  for (int i = 0; i < 20; ++i) step();
  return ::allocations() - before;
}
/// f() while memory is there for n allocations; false if that was too little, which an exception said.
template <class F> bool done_with(std::size_t n, const F& f) {
  try {
    const ShortMemory none(n);
    f();
    return true;
  } catch (const ad::Error&) {
  } catch (const std::bad_alloc&) {
  }
  return false;
}
}  // namespace

TEST_CASE("the counter counts: new, malloc, aligned memory, tensors") {
  const std::size_t before = ::allocations();
  int* volatile number = new int(3);  // volatile: a compiler may leave out an allocation that nobody looks at
  delete number;
  void* volatile memory = std::malloc(10);
  std::free(memory);
  memory = std::aligned_alloc(64, 64);
  std::free(memory);
  ad::Tape::release_spare();  // what freed tensors have left
  { const Tensor<double> t{1, 2}; }
  CHECK(::allocations() - before >= (malloc_is_counted ? 4 : 1));
}

TEST_CASE("wherever memory runs short, an exception says so, and afterwards all goes on as if nothing had been") {
  namespace nn = ad::nn;
  const support::Folder folder;
  const std::string path = folder / "net";
  const auto start = [] {
    nn::Sequential net{nn::Linear<double>(2, 3), nn::Tanh{}, nn::Linear<double>(3, 1)};
    nn::initialize(net, 1);
    return net;
  };
  using Net = decltype(start());
  const Tensor<double> x{{1, 2}, {3, 4}}, y{{0}, {1}};
  struct Work {
    const Tensor<double>&x, &y;
    const std::string& path;
    Net net;
    nn::Adam adam{};
    ad::Tape tape{};
    double operator()() {
      const auto beginning = tape.mark();
      std::vector<ad::Var<Tensor<double>>> kept;
      ad::Var<double> sum = 0.0, number = tape.variable(0.5);
      for (int i = 0; i < 40; ++i) {
        kept.push_back(tape.variable(Tensor<double>::full({3}, i)) * number);
        sum = sum + number * sin(number) + kept.back().value()(0) * kept.back()[0];
      }
      tape.rewind(beginning);
      tape.clear();
      const ad::Var<double> cost = nn::mse(net(x), y) + ad::gradient([](const auto& p) { return p[0] * p[1]; }, {1.0, 2.0})[0];
      tape.backward(cost);
      adam.step(net);
      nn::save(net, path);
      net.layers = Net(net).layers;
      return cost.value();
    }
  };
  const double expected = Work{x, y, path, start()}();
  CHECK_THROWS_AS(Number(ad::Var<double>() + [] { ad::Tape gone; return gone.variable(1.0); }()), ad::TapeError);  // so that no thread_local is new
  std::size_t failed = 0;
  for (std::size_t n = 0;; ++n) {
    ad::Tape::release_spare();
    Work work{x, y, path, start()};
    if (done_with(n, [&] { (void)work(); })) break;
    ++failed;
    work.tape.clear();
    work.net = start();
    work.adam = nn::Adam();
    REQUIRE(work() == expected);
  }
  CHECK(failed > 50);
}

TEST_CASE("a value for whose copy memory was short is there after a rewind") {
  bool done = false;
  for (std::size_t n = 0; !done; ++n) {
    ad::Tape::release_spare();  // so that the new tape has none
    ad::Tape tape;
    const ad::Var x = tape.variable(Tensor<double>{16});
    std::vector<ad::Var<Tensor<double>>> y;
    for (int i = 0; i < 40; ++i) y.push_back(x * 2.0);
    const auto mark = tape.mark();
    done = done_with(n, [&] { for (const auto& one : y) (void)one.value(); });
    tape.rewind(mark);
    for (int i = 0; i < 40; ++i) (void)ad::Var<Tensor<double>>(x + Tensor<double>::full({8}, 3.25));  // into the memory that is free now
    for (const auto& one : y) REQUIRE(one.value()[0] == 32);
  }
}

TEST_CASE("after the first step, recording numbers and walking back allocates nothing") {
  ad::Tape tape;
  const std::vector<double> points(1000, 0.5);
  CHECK(allocations([&] {
    tape.clear();
    const ad::Var x = tape.variable(2.0);
    Number y = 0.0;
    for (const double p : points) y += sin(x * p) * exp(-y * 0.01);
    tape.backward(y);
    (void)tape.adjoint(x);
  }) == 0);
}

TEST_CASE("after the first step, a new tape for each step allocates nothing") {
  const Tensor<double> a{1, 2};
  CHECK(allocations([&] {
    ad::Tape tape;
    const ad::Var x = tape.variable(2.0);
    tape.backward(sum(exp(tape.variable(a) * x)) * x);
  }) == 0);
}

TEST_CASE("after the first step, gradients into vectors of before allocate nothing, one by one or in batches") {
  const auto f = [](const auto& x) { return x[0] * exp(x[1]) + x[2]; };
  std::vector<std::vector<double>> points(11, {1, 2, 3}), gradients;
  CHECK(allocations([&] { ad::gradient_batch(f, points, gradients); }) == 0);
  ad::Tape tape;
  std::vector<Number> x;
  std::vector<double> gradient;
  CHECK(allocations([&] {
    tape.clear();
    tape.variables(points[0], x);
    tape.backward(Number(f(x)), 1.0);
    tape.adjoints(x, gradient);
  }) == 0);
  for (std::size_t i = 0; i < gradient.size(); ++i) CHECK(gradients[0][i] == about(gradient[i]));
}

TEST_CASE("after the first step, training with parameters, layers and costs allocates nothing") {
  support::Random random(3);
  Parameter<float> w1(random.tensor<float>({8, 16}, -1, 1)), b1(random.tensor<float>({16}, -1, 1)),
      w2(random.tensor<float>({16, 4}, -1, 1)), b2(random.tensor<float>({4}, -1, 1));
  const auto x = random.tensor<float>({32, 8}, -1, 1);
  std::vector<std::int32_t> labels(32);
  for (std::size_t i = 0; i < 32; ++i) labels[i] = static_cast<std::int32_t>(i % 4);
  ad::Tape tape;
  double first = 0, last = 0;
  const auto step = [&] {
    tape.clear();
    const ad::Var h = ad::layer<ad::Tanh>(x, w1, b1);
    const ad::Var cost = ad::softmax_cross_entropy(ad::layer(h, w2, b2), labels);
    tape.backward(cost);
    for (auto* p : {&w1, &b1, &w2, &b2}) {
      const float* const g = p->adjoint();
      float* const to = p->update();
      for (std::size_t i = 0; i < p->size(); ++i) to[i] -= 0.1f * g[i];
    }
    if (first == 0) first = cost.value();
    last = cost.value();
  };
  CHECK(allocations(step) == 0);
  CHECK(last < first);
}

TEST_CASE("after the first step, every kind of tensor operation allocates nothing") {
  support::Random random(4);
  const auto a = random.tensor({3, 4}), c = random.tensor({4});
  ad::Tape tape;
  const auto step = [&] {
    tape.clear();
    const ad::Var x = tape.variable(a);
    const ad::Var k = tape.variable(2.0);
    const ad::Var y = exp(x * c + 1.0) / (x * k + x * x);
    const ad::Var z = softmax(matmul(y, transpose(x)) + sum(x, 1)) - max(y, ad::Axis(1)) + mean(y, ad::Axis(0).keep())(0, 1);
    const ad::Var cost = sum(z * z) + dot(y, x) + norm(y) + logsumexp(x) + max(y) + sum(slice(reshape(y, {4, 3}), 1, 0, 2)) + mean(square(z));
    tape.backward(cost);
  };
  CHECK(allocations(step) == 0);
}

TEST_CASE("a loop of walks back over one recording allocates nothing for the adjoints it asks for, but where it keeps them") {
  ad::Tape tape;
  const ad::Var x = tape.variable(Tensor<double>{1, 2}), y = square(x);
  std::vector<Tensor<double>> kept;
  kept.reserve(100);
  double weight = 0;
  const auto walk = [&] {
    weight += 1;
    tape.backward(sum(y), weight);
    const Tensor<double> g = tape.adjoint(x);
    if (g.data()[1] != 4 * weight) throw 0;
    return g;
  };
  CHECK(allocations([&] {
    const auto mark = tape.mark();
    (void)walk();
    tape.rewind(mark);
  }) <= 20);  // rewind() gives back what was handed out
  const ad::Var total = sum(y);
  CHECK(allocations([&] { tape.backward(total); (void)tape.adjoint(x); }) == 0);
  for (int i = 0; i < 5; ++i) kept.push_back(walk());
  for (std::size_t i = 0; i < 5; ++i) CHECK(kept[i].data()[1] == 4 * (weight - 4 + static_cast<double>(i)));
}

TEST_CASE("a constant that every recording uses is written to in place between them, and copied while one has it") {
  Tensor<double> x{1, 2};
  ad::Tape tape;
  CHECK(allocations([&] {
    tape.clear();
    x(0) += 1;  // the tape still keeps it: for the next recording, which sees what is written
    const ad::Var w = tape.variable(3.0);
    const ad::Var y = sum(x * w);
    tape.backward(y);
    if (tape.adjoint(w) != x.data()[0] + x.data()[1]) throw 0;
  }) == 0);
  const double* const here = x.data();
  const double before = x.data()[0];
  const ad::Var w = tape.variable(3.0);
  const ad::Var y = sum(x * w);  // from here on, a recording has it
  x(0) = -1000;
  CHECK(x.data() != here);
  tape.backward(y);
  CHECK(tape.adjoint(w) == before + x.data()[1]);
}

TEST_CASE("what one tape keeps idle, another may be using: then a writer gets a copy") {
  Tensor<double> x{1, 2};
  ad::Tape user;
  const ad::Var k = user.variable(1.0), y = sum(x * k);
  ad::Tape idler;
  (void)sum(x * idler.variable(1.0));
  idler.clear();
  CHECK(x.storage()->idle);
  x(0) = -1000;
  const auto on = user.record();
  user.backward(y);
  CHECK(user.adjoint(k) == 3);
}

TEST_CASE("a constant that recordings no longer use is given back at the clear() after the next") {
  const auto owners_of = [](const Tensor<double>& x) { return x.storage()->owners; };
  const Tensor<double> x{1, 2};
  ad::Tape tape;
  const auto use = [&] { (void)sum(x * tape.variable(1.0)); };
  use();
  use();
  CHECK(owners_of(x) == 2);
  tape.clear();
  use();
  CHECK(owners_of(x) == 2);
  tape.clear();
  CHECK(owners_of(x) == 2);  // idle
  CHECK(!x.storage()->shared());
  tape.clear();
  CHECK(owners_of(x) == 1);
  { ad::Tape other; (void)sum(x * other.variable(1.0)); other.clear(); }
  CHECK(owners_of(x) == 1);
}

TEST_CASE("per-sample rewinding allocates nothing, and its memory does not grow") {
  ad::Tape tape;
  const ad::Var w = tape.variable(Tensor<double>{1, 2, 3, 4});
  const ad::Var s = tape.variable(0.5);
  const auto mark = tape.mark();
  const Tensor<double> x{1, 2, 3, 4};
  const auto step = [&] {
    tape.rewind(mark);
    const ad::Var y = sum(exp(w * x * 0.1) * s) * s;
    tape.backward(y);
  };
  CHECK(allocations(step) == 0);
  const auto reserved = tape.statistics().reserved;
  for (int i = 0; i < 100'000; ++i) step();
  CHECK(tape.statistics().reserved == reserved);
  CHECK(tape.adjoint(w).size() == 4);
}

TEST_CASE("walking back again and again over one recording does not grow") {
  ad::Tape tape;
  const ad::Var w = tape.variable(Tensor<double>{1, 2, 3, 4});
  const ad::Var y = ad::squared_error(w, Tensor<double>{0, 0, 0, 0}, 1) + sum(w * w) + ad::squared_error(w * 2.0, Tensor<double>{0, 0, 0, 0}, 1);
  CHECK(allocations([&] { tape.backward(y); }) == 0);
  const auto used = tape.statistics().bytes;
  for (int i = 0; i < 10'000; ++i) tape.backward(y);
  CHECK(tape.statistics().bytes == used);
}

TEST_CASE("what a walk back took is no longer counted after clear(), nor for the next tape") {
  for (int i = 0; i < 2; ++i) {
    ad::Tape tape;
    CHECK(tape.statistics().bytes == 0);
    const ad::Var x = tape.variable(Tensor<double>::ones({1000}));
    tape.backward(sum(exp(x)));
    CHECK(tape.statistics().bytes > 16'000);
    tape.clear();
    CHECK(tape.statistics().bytes == 0);
  }
}

TEST_CASE("a chain of ten million steps walks back") {
  ad::Tape tape;
  const ad::Var x = tape.variable(1.0);
  Number y = x;
  for (int i = 0; i < 10'000'000; ++i) y = y * 0.9999999 + 1e-9;
  tape.backward(y);
  CHECK(tape.adjoint(x) == about(std::pow(0.9999999, 1e7), 1e-6));
  CHECK(tape.statistics().statements == 10'000'001);
}

TEST_CASE("a chain of three hundred thousand tensor operations walks back") {
  ad::Tape tape;
  const ad::Var x = tape.variable(Tensor<double>{1, 2});
  ad::Var<Tensor<double>> y = x;
  for (int i = 0; i < 300'000; ++i) y = y * 0.99999;
  tape.backward(sum(y));
  CHECK(tape.adjoint(x)(1) == about(std::pow(0.99999, 3e5), 1e-6));
}

TEST_CASE("a million tapes come and go") {
  for (int i = 0; i < 1'000'000; ++i) {
    ad::Tape tape;
    const ad::Var x = tape.variable(3.0);
    if (i % 100'000 == 0) {
      tape.backward(x * x);
      CHECK(tape.adjoint(x) == 6);
    }
  }
}

TEST_CASE("tapes that end on another thread give their memory back") {
  for (int i = 0; i < 50; ++i) {
    auto tape = std::make_unique<ad::Tape>();
    const ad::Var x = tape->variable(Tensor<double>::ones({10'000}));
    tape->backward(sum(exp(x)));
    const auto keep = tape->adjoint(x);
    std::thread([&] { tape.reset(); }).join();
    CHECK(keep[9'999] == about(std::exp(1.0)));
  }  // LeakSanitizer sees the rest
}

#if defined(__SSE2__)
TEST_CASE("what lies behind a tensor's numbers is never computed with as a denormal number, which takes Intel's machines 150 cycles" *
    doctest::skip(!malloc_is_counted)) {
  constexpr unsigned met = 0x02, exceptions = 0x3f;  // the processor's flags: an operand was denormal; all of them
  const auto meets = [](const auto& f) {
    _mm_setcsr(_mm_getcsr() & ~exceptions);
    f();
    return (_mm_getcsr() & met) != 0;
  };
  CHECK(meets([] { volatile float x = 1e-40f; x = x * 2; }));
  const DenormalMemory denormal;
  CHECK_FALSE(meets([] {
    ad::Tape tape;
    const ad::Var x = tape.variable(Tensor<float>{0.3f});
    ad::Var<Tensor<float>> y = x;
    for (int i = 0; i < 50; ++i) y = tanh(y);
    tape.backward(sum(y));
  }));
  for (const int width : {30, 32}) {  // rows that end inside of a vector, or do not
    namespace nn = ad::nn;
    const auto x = Tensor<float>::full({32, 64}, 0.25f);
    const std::vector<int> labels(32, 3);
    nn::Sequential net{nn::Linear(64, width), nn::Sigmoid{}, nn::Linear(width, 10)};
    nn::initialize(net, 1);
    CHECK_FALSE(meets([&] {
      ad::Tape tape;
      tape.backward(nn::cross_entropy(net(x), labels));
    }));
  }
}
#endif

TEST_CASE("gradient() allocates its result and nothing else, also inside of another one") {
  const auto sum_of_squares = [](const auto& x) {
    std::remove_cvref_t<decltype(x[0])> y = 0.0;
    for (const auto& one : x) y += one * one;
    return y;
  };
  const std::vector<double> x(5'000, 0.5);
  CHECK(allocations([&] { CHECK(ad::gradient(sum_of_squares, x)[7] == 1); }) == 20);
  const auto nested = [&](const auto& v) { return ad::gradient(sum_of_squares, v)[3] * v[0]; };  // 2 x₃ x₀
  CHECK(allocations([&] { CHECK(ad::gradient(nested, x)[0] == 1); }) == 40);
}

TEST_CASE("copies of values are given back by clear()") {
  ad::Tape tape;
  std::size_t before = 0;
  for (int step = 0; step < 30; ++step) {
    if (step == 10) before = allocations();
    tape.clear();
    const ad::Var x = tape.variable(Tensor<double>{1, 2});
    const ad::Var y = exp(x);
    (void)y.value();
  }
  if (malloc_is_counted) CHECK(allocations() - before == 0);
}

TEST_CASE("clear() gives back numbers that a parameter has given up") {
  ad::Parameter<double> p(Tensor<double>{1});
  ad::Tape tape;
  std::size_t before = 0;
  for (int step = 0; step < 30; ++step) {
    if (step == 10) before = allocations();
    tape.clear();
    (void)sum(p.var());
    p.assign(Tensor<double>::full({1}, step));
  }
  if (malloc_is_counted) CHECK(allocations() - before == 0);
}

TEST_CASE("release_spare gives back the memory of tensors, too") {
  { const auto t = Tensor<double>::zeros({1000}); }
  ad::Tape::release_spare();
  const std::size_t before = allocations();
  const auto t = Tensor<double>::zeros({1000});
  if (malloc_is_counted) CHECK(allocations() > before);
}

TEST_CASE("a walk backwards for which memory was short leaves no adjoints") {
  ad::Tape::release_spare();
  ad::Tape tape;
  const ad::Var x = tape.variable(Tensor<double>::ones({100'000})), y = x * 2.0;
  const Tensor<double> weights = Tensor<double>::ones({100'000});
  std::size_t failed = 0;
  for (; !done_with(failed, [&] { tape.backward(y, weights); }); ++failed)
    support::refuses<ad::TapeError>([&] { (void)tape.adjoint(x); }, {"adjoint", "an exception stopped it"});
  CHECK(failed > 1);
  CHECK(tape.adjoint(x)[7] == 2);
}

TEST_CASE("an optimizer for whose moments memory was short has seen no net yet") {
  namespace nn = ad::nn;
  nn::Sequential net{nn::Linear<double>(200, 3), nn::Tanh{}, nn::Linear<double>(3, 200)};
  nn::initialize(net, 1);
  const Tensor<double> x = Tensor<double>::ones({2, 200});
  ad::Tape tape;
  nn::Adam adam;
  std::size_t failed = 0;
  for (bool done = false; !done; failed += !done) {
    tape.clear();
    tape.backward(nn::mse(net(x), x));
    ad::Tape::release_spare();
    done = done_with(failed, [&] { adam.step(net); });
  }
  if (malloc_is_counted) CHECK(failed > 0);
}

TEST_CASE("a walk for which memory was short does the next one no harm") {
  ad::Tape tape;
  { const ad::Var x = tape.variable(1.0); const ad::Var y = x * 2.0; tape.backward(y); }
  tape.clear();
  ad::Var x = tape.variable(1.0), y = x;
  for (int i = 0; i < 100'000; ++i) y = y * 1.0000001;
  if (malloc_is_counted) {  // else it cannot be short
    const ShortMemory none(0);
    CHECK_THROWS(tape.backward(y));
  }
  tape.clear();
  x = tape.variable(1.0), y = x * 2.0;
  tape.backward(y);
  CHECK(tape.adjoint(x) == 2);
}

TEST_CASE("a thread does not sit on the memory of a very large gradient") {
  const std::vector<double> large(600'000, 1.0), small(1000, 1.0);
  const auto allocated = [](const auto& x) {
    const auto f = [](const auto& v) { return v[0] * v[1]; };
    for (int i = 0; i < 2; ++i) (void)ad::gradient(f, x);
    const std::size_t before = ::allocations();
    (void)ad::gradient(f, x);
    return ::allocations() - before;
  };
  CHECK(allocated(large) > allocated(small));
}
