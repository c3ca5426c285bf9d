// NanTrap: the statement that computes the first NaN throws, on the way forward and on the way back, and nothing else does.
#include "support.hpp"
#include <nn/nn.hpp>
#include <optional>

using support::infinity;
using support::not_a_number;
using support::Number;
using support::refuses;
using support::works;

TEST_CASE("the first NaN among numbers throws where it is computed") {
  ad::Tape tape;
  const ad::Var x = tape.variable(-1.0), y = tape.variable(infinity);
  const ad::NanTrap trap;
  const ad::Var fine = x * x + 1;
  refuses<ad::Error>([&] { (void)Number(log(x)); }, {"recording: statement #4 is NaN, computed from #1", "domain"});
  refuses<ad::Error>([&] { (void)Number(y - y); }, {"statement #4 is NaN, computed from #2, #2", "inf - inf"});
  refuses<ad::Error>([&] { (void)Number(fine * not_a_number); }, {"statement #4 is NaN, computed from #3 (whose slope is NaN)", "constant"});
  tape.backward(fine);
  CHECK(tape.adjoint(x) == -2);
}

TEST_CASE("without a trap NaN is recorded, and a trap that has ended does nothing") {
  ad::Tape tape;
  const ad::Var x = tape.variable(-1.0);
  { const ad::NanTrap outer; const ad::NanTrap inner; }
  const ad::Var y = log(x) + x;
  CHECK(std::isnan(y.value()));
  works(tape);
}

TEST_CASE("a long recording under a trap gives what it gives without one") {
  const auto f = []<class V>(const V& x) {  // the tape grows several times
    typename V::value_type s = 0.0;
    for (int i = 0; i < 20000; ++i) s = sin(s + x[0]) * x[1] + 0.1 * s;
    return s;
  };
  const std::vector<double> x{0.3, 0.4};
  const auto expected = ad::gradient(f, x);
  const ad::NanTrap trap;
  CHECK(support::difference(ad::gradient(f, x), expected) == "");  // one variable twice in a statement: its slopes are not added up before
  ad::Tape tape;
  const auto xs = tape.variables(x);
  const auto mark = tape.mark();
  for (int i = 0; i < 3; ++i) {
    tape.rewind(mark);
    const ad::Var y = f(xs);
    tape.backward(y);
    CHECK(support::difference(tape.adjoints(xs), expected) == "");
  }
}

TEST_CASE("every tape of the thread is watched: those of drivers, of before, and resumed ones") {
  const std::vector<double> x{-1.0};
  const auto f = [](const auto& v) { return sqrt(v[0]) * 2; };
  ad::Tape outer;
  const ad::Var a = outer.variable(-1.0);
  ad::Tape inner;
  const ad::NanTrap trap;
  refuses<ad::Error>([&] { (void)ad::gradient(f, x); }, {"recording: statement #2 is NaN"});
  refuses<ad::Error>([&] { (void)ad::hvp(f, x, x); }, {"recording: statement #2 is NaN"});
  refuses<ad::Error>([&] { (void)ad::gradient_batch(f, std::vector{std::vector{1.0}, std::vector{-1.0}}); }, {"recording: statement #2 is NaN"});
  const auto on = outer.record();
  refuses<ad::Error>([&] { (void)Number(log(a)); }, {"recording: statement #2 is NaN"});
  works(outer);
}

TEST_CASE("the first NaN among tensors throws, with the operation, the position and where it was before") {
  ad::Tape tape;
  const ad::Var x = tape.variable(ad::Tensor<double>{{1, -1}, {2, 3}});
  const ad::Var w = tape.variable(ad::Tensor<float>{1, -1});
  const ad::NanTrap trap;
  refuses<ad::Error>([&] { (void)log(x); }, {"log: number [1] of the result (2, 2) is NaN", "no operand holds NaN", "domain", "statement #3"});
  refuses<ad::Error>([&] { (void)log(w); }, {"log: number [1] of the result (2,) is NaN"});
  refuses<ad::Error>([&] { (void)(x * ad::Tensor<double>{not_a_number, 1}); }, {"number [0] of operand 2, a constant of shape (2,), is NaN already"});
  refuses<ad::Error>([&] { (void)sum(x * infinity - x * infinity); }, {"subtract", "inf - inf"});
  refuses<ad::Error>([&] { (void)ad::concatenate(std::vector{x, ad::Var(ad::Tensor<double>{{0, not_a_number}})}); },
      {"concatenate: number [5] of the result (3, 2) is NaN", "number [1] of operand 2"});
  refuses<ad::Error>([&] { (void)ad::norm(x * ad::Tensor<double>{{1, 1}, {1, not_a_number}}); }, {"number [3]"});
  works(tape);
}

TEST_CASE("NaN that begins on the way back throws, with the operation that hands it out") {
  ad::Tape tape;
  const ad::Var x = tape.variable(ad::Tensor<double>{0, 1});
  const ad::NanTrap trap;
  const ad::Var root = sqrt(x);
  const ad::Var twice = sum(root) - sum(root);  // the slope of sqrt at 0 is infinite, what is handed to it is 1 - 1
  tape.backward(twice);
  CHECK(tape.adjoint(x)(0) == 0);
  const ad::Var apart = sum(sqrt(x)) - sum(sqrt(x));  // inf - inf
  refuses<ad::Error>([&] { tape.backward(apart); }, {"backward: sqrt", "hands NaN to its operand 1, a variable of shape (2,)"});
  tape.clear();
  const ad::Var v = tape.variable(0.0);
  const ad::Var p = sqrt(v), q = sqrt(v), difference = p - q;
  refuses<ad::Error>([&] { tape.backward(difference); }, {"backward: the adjoint of statement #1 is NaN", "infinite"});
}

TEST_CASE("a net trains under a trap with the same digits") {
  namespace nn = ad::nn;
  const auto train = [](bool trapped) {
    nn::Sequential net{nn::Linear(40, 50), nn::Tanh{}, nn::Linear(50, 3)};  // the first layer defers its adjoint
    nn::initialize(net, 3);
    support::Random random(5);
    const auto x = random.tensor<float>({8, 40}), t = random.tensor<float>({8, 3});
    std::optional<ad::NanTrap> trap;
    if (trapped) trap.emplace();
    nn::Sgd optimizer{{.learning_rate = 0.1}};
    ad::Tape tape;
    double last = 0;
    for (int step = 0; step < 20; ++step) {
      tape.clear();
      const ad::Var cost = nn::mse(net(x), t);
      tape.backward(cost);
      optimizer.step(net);
      last = cost.value();
    }
    return last;
  };
  CHECK(train(true) == train(false));
}

TEST_CASE("a walk that was stopped leaves no adjoints, and nothing to step by") {
  namespace nn = ad::nn;
  nn::Linear<double> line(1, 1);
  nn::Sgd optimizer{{.learning_rate = 0.1}};
  ad::Tape tape;
  const ad::NanTrap trap;
  const ad::Var x = tape.variable(ad::Tensor<double>{0.0});
  const ad::Var q = tape.variable(3.0);
  const ad::Var wrong = sum(sqrt(x) - sqrt(x)) + q * q + sum(line(ad::Tensor<double>{{1}}));
  refuses<ad::Error>([&] { tape.backward(wrong); }, {"hands NaN"});
  refuses<ad::TapeError>([&] { (void)tape.adjoint(q); }, {"call backward() first"});
  CHECK_THROWS_AS(optimizer.step(line), ad::Error);
  const ad::Var right = q * q;
  tape.backward(right);
  CHECK(tape.adjoint(q) == 6);
}

TEST_CASE("Jacobians and large weights are looked at, and Hessians raise no false alarm") {
  const auto roots = []<class V>(const V& x) {
    using T = typename V::value_type;
    const T r = sqrt(x[0]), s = sqrt(x[0]);
    return std::vector<T>{r - s, 2 * (r - s)};
  };
  const std::vector<double> at{0.0, 3.0};
  const ad::NanTrap trap;
  refuses<ad::Error>([&] { (void)ad::jacobian(roots, {0.0}); }, {"the adjoint of statement #1 is NaN"});
  CHECK(ad::to_text(ad::hessian([]<class V>(const V& x) {
    const typename V::value_type r = sqrt(x[0]);
    (void)r;
    return x[1] * x[1];
  }, at)) == "[[0, 0], [0, 2]]");
  for (const std::size_t n : {3u, 64u}) {
    const ad::Parameter<double> w(ad::Tensor<double>::zeros({n, n}));
    ad::Tape tape;
    const ad::Var cost = sum(sqrt(matmul(ad::Tensor<double>::zeros({2, n}), w.var())));
    refuses<ad::Error>([&] { tape.backward(cost); }, {"matmul", "hands NaN to its operand 2, a parameter"});
  }
}

TEST_CASE("a trap that has ended looks no more") {
  ad::Tape tape;
  const ad::Var x = tape.variable(ad::Tensor<double>{0});
  ad::Var<double> cost;
  {
    const ad::NanTrap trap;
    cost = sum(sqrt(x)) - sum(sqrt(x));
  }
  CHECK_NOTHROW(tape.backward(cost));
  CHECK(std::isnan(tape.adjoint(x)[0]));
}

TEST_CASE("an inner trap does not end the outer") {
  ad::Tape tape;
  const ad::Var x = tape.variable(-1.0);
  const ad::NanTrap outer;
  { const ad::NanTrap inner; }
  ad::Var<double> y;
  CHECK_THROWS_AS(y = log(x), ad::Error);
}

TEST_CASE("a trap looks at the adjoints of a Jacobian") {
  const ad::NanTrap trap;
  ad::Tape tape;
  const ad::Var x = tape.variable(0.0);
  std::vector<ad::Var<double>> ys;
  for (int i = 0; i < 8; ++i) {
    const ad::Var a = sqrt(x), b = sqrt(x);
    ys.push_back(a - b);
  }
  refuses<ad::Error>([&] { (void)tape.jacobian(ys, std::vector{x}); }, {"the adjoint of statement #1 is NaN"});
}

TEST_CASE("a trap looks at adjoints that would be put off") {
  const ad::NanTrap trap;
  const ad::Parameter<double> w(ad::Tensor<double>::ones({1000, 1}));
  ad::Tape tape;
  const ad::Var y = matmul(ad::Tensor<double>::full({2, 1000}, HUGE_VAL), w.var());
  const ad::Var cost = sum(ad::with_pullback("mine", ad::Tensor<double>{{0}, {0}}, [](const auto&) { return ad::Tensor<double>{{1}, {-1}}; }, y));
  refuses<ad::Error>([&] { tape.backward(cost); }, {"hands NaN to its operand 2, a parameter"});
}

TEST_CASE("a walk that the trap has stopped leaves no adjoints, not those of the walk before either") {
  ad::Tape tape;
  const ad::Var x = tape.variable(0.0), y = x * 2.0, w = sqrt(x) * x;
  tape.backward(y);
  {
    const ad::NanTrap trap;
    CHECK_THROWS_AS(tape.backward(w), ad::Error);
  }
  CHECK_THROWS_AS((void)tape.adjoint(x), ad::TapeError);
}
