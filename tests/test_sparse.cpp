// Sparse Jacobians: the entries of the dense one, and their pattern; what is refused.
#include "support.hpp"

using ad::Tensor;
using support::about;
using support::Number;
using support::refuses;

namespace {

/// Each output depends on its three neighbours.
const auto stencil = []<class V>(const V& x) {
  using T = typename V::value_type;
  std::vector<T> y;
  for (std::size_t i = 1; i + 1 < x.size(); ++i) {
    const T slope = x[i + 1] - x[i - 1];
    y.push_back(x[i] * x[i] - 0.5 * slope * x[i] + sin(slope));
  }
  return y;
};

void check_same(const ad::SparseMatrix& sparse, const Tensor<double>& dense) {
  REQUIRE(sparse.dense().shape() == dense.shape());
  const Tensor<double> all = sparse.dense();
  for (std::size_t i = 0; i < dense.size(); ++i) CHECK(all[i] == about(dense[i]));
}

}  // namespace

TEST_CASE("a stencil has three entries in a row, in ascending columns") {
  const std::vector<double> x = support::Random(3).numbers(50);
  const ad::SparseMatrix j = ad::sparse_jacobian(stencil, x);
  CHECK(j.row_count == 48);
  CHECK(j.column_count == 50);
  CHECK(j.entries() == 3 * 48);
  REQUIRE(j.starts.size() == 49);
  for (int i = 0; i < 48; ++i)
    for (int k = 0; k < 3; ++k) CHECK(j.columns[static_cast<std::size_t>(j.starts[static_cast<std::size_t>(i)] + k)] == i + k);
  check_same(j, ad::jacobian(stencil, x));
}

TEST_CASE("a sparse matrix multiplies vectors from both sides") {
  const ad::SparseMatrix m{2, 3, {0, 2, 3}, {0, 2, 1}, {1, 2, 3}};
  CHECK(m.times({1, 10, 100}) == std::vector<double>{201, 30});
  CHECK(m.transposed_times({1, 10}) == std::vector<double>{1, 30, 2});
  CHECK(equal(m.dense(), Tensor<double>{{1, 0, 2}, {0, 3, 0}}));
  refuses<ad::ShapeError>([&] { (void)m.times({1, 2}); }, {"times: a vector of 2 numbers for a matrix of 2 x 3; give one for each column"});
  refuses<ad::ShapeError>([&] { (void)m.transposed_times({1, 2, 3}); },
                          {"transposed_times: a vector of 3 numbers for a matrix of 2 x 3; give one for each row"});
}

TEST_CASE("random recordings agree with the dense Jacobian") {
  for (unsigned seed = 1; seed <= 30; ++seed) {
    support::Random random(seed);
    ad::Tape tape;
    const std::vector<Number> xs = tape.variables(random.numbers(12));
    std::vector<Number> all = xs, ys;
    for (int k = 0; k < 60; ++k) {
      const Number &a = all[random.below(all.size())], &b = all[random.below(all.size())], &c = all[random.below(all.size())];
      switch (random.below(5)) {
        case 0: all.push_back(a * b - c); break;
        case 1: all.push_back(a + b); break;
        case 2: all.push_back(sin(a)); break;
        case 3: all.push_back(a * b + c * a + exp(-b) * 0.5); break;
        default: all.push_back(b - a); break;
      }
    }
    for (int k = 0; k < 9; ++k) ys.push_back(all[random.below(all.size())]);
    const Tensor<double> dense = tape.jacobian(ys, xs);
    check_same(tape.sparse_jacobian(ys, xs), dense);
  }
}

TEST_CASE("a dense Jacobian of many outputs and few inputs is taken forwards, with the same entries") {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    support::Random random(seed);
    ad::Tape tape;
    const std::vector<Number> variables = tape.variables(random.numbers(9));
    std::vector<Number> all = variables;
    for (int k = 0; k < 80; ++k) {
      const Number &a = all[random.below(all.size())], &b = all[random.below(all.size())];
      all.push_back(k % 3 == 0 ? a * b + 0.3 : k % 3 == 1 ? Number(sin(a) - b) : a + b);
    }
    const std::vector<Number> ys(all.end() - 70, all.end()), xs{all[0], all[3], all[3], all[12], all[8]};  // one twice, one a result
    const Tensor<double> dense = tape.jacobian(ys, seed % 2 ? xs : variables);
    check_same(tape.sparse_jacobian(ys, seed % 2 ? xs : variables), dense);
  }
  const auto roots = []<class V>(const V& x) {
    using T = typename V::value_type;
    std::vector<T> y;
    for (int i = 0; i < 40; ++i) {
      const T root = sqrt(x[0]);
      y.push_back(i % 2 ? T(root * x[1] + i * x[1]) : x[1] + i);
    }
    return y;
  };
  const Tensor<double> j = ad::jacobian(roots, {0.0, 0.0});  // the root's slope is ∞, and 0 · ∞ is 0 on the way back
  for (std::size_t i = 0; i < 40; ++i) {
    CHECK(j(i, 0) == 0);
    CHECK(j(i, 1) == (i % 2 ? static_cast<double>(i) : 1));
  }
}

TEST_CASE("the pattern follows from the recording, not from the numbers") {
  const auto f = []<class V>(const V& x) { return std::vector<typename V::value_type>{x[0] * x[1], x[2] * x[2]}; };
  const ad::SparseMatrix j = ad::sparse_jacobian(f, {0.0, 0.0, 0.0});
  CHECK(j.columns == std::vector{0, 1, 2});
  CHECK(j.values == std::vector{0.0, 0.0, 0.0});
}

TEST_CASE("outputs may be inputs, constants and the same; inputs may be results and the same") {
  ad::Tape tape;
  const Number x = tape.variable(2.0), y = tape.variable(3.0), xy = x * y, z = xy * xy;
  const ad::SparseMatrix j = tape.sparse_jacobian({x, Number(5.0), z, z}, {xy, x, x});
  CHECK(j.starts == std::vector{0, 2, 2, 5, 8});
  CHECK(j.columns == std::vector{1, 2, 0, 1, 2, 0, 1, 2});
  CHECK(j.values == std::vector{1.0, 1.0, 12.0, 36.0, 36.0, 12.0, 36.0, 36.0});
  CHECK(ad::sparse_jacobian([](const auto&) { return std::vector<double>{1, 2}; }, {1.0}).starts == std::vector{0, 0, 0});
  CHECK(ad::sparse_jacobian([](const auto&) { return std::vector<double>(); }, {1.0}).starts == std::vector{0});
}

TEST_CASE("it leaves the adjoints of the last walk alone, and sees what a rewind has left") {
  ad::Tape tape;
  const Number x = tape.variable(2.0), y = x * x;
  const auto mark = tape.mark();
  (void)Number(y * y);
  tape.rewind(mark);
  const Number z = 3 * y;
  tape.backward(z);
  CHECK(tape.sparse_jacobian({z}, {x, y}).values == std::vector{12.0, 3.0});
  CHECK(tape.adjoint(x) == 12);
}

TEST_CASE("0 times an infinite slope is 0, and a NaN is trapped") {
  const auto f = []<class V>(const V& x) {
    const typename V::value_type root = sqrt(x[0]), none = root * x[1];
    return std::vector<typename V::value_type>{none};
  };
  CHECK(ad::sparse_jacobian(f, {0.0, 0.0}).values == std::vector{0.0, 0.0});
  const ad::NanTrap trap;
  ad::Tape tape;
  const Number x = tape.variable(0.0), y = sqrt(x), z = y - 2 * y;
  CHECK(tape.sparse_jacobian({z}, {x}).values == std::vector{-support::infinity});
  const Number again = sqrt(x), difference = y - again;
  refuses<ad::Error>([&] { (void)tape.sparse_jacobian({difference}, {x}); }, {"the adjoint of statement #1 is NaN"});
}

TEST_CASE("a factor that comes from tensors alone is a number like any other") {
  ad::Tape tape;
  const auto xs = tape.variables(std::vector<double>{1, 2});
  const ad::Var t = tape.variable(Tensor<double>{1, 2});
  const ad::Var s = sum(t);
  check_same(tape.sparse_jacobian({Number(xs[0] * s), Number(xs[1] * xs[1] * s)}, xs), Tensor<double>{{3, 0}, {0, 12}});
}

TEST_CASE("tensors are refused where an output depends on them, and strangers") {
  ad::Tape tape;
  const ad::Var w = tape.variable(Tensor<double>{1, 2});
  const Number x = tape.variable(2.0), s = sum(w * x), y = x * x;
  CHECK(tape.sparse_jacobian({y}, {x}).values == std::vector{4.0});
  refuses<ad::TapeError>([&] { (void)tape.sparse_jacobian({y, y + s}, {x}); },
      {"sparse_jacobian: output 1 depends on sum(), an operation on tensors"});
  CHECK(tape.sparse_jacobian({Number(3 * s)}, {s}).values == std::vector{3.0});  // no input is earlier than that
  refuses<ad::TapeError>([&] { (void)tape.sparse_jacobian({y}, {Number(1.0)}); }, {"sparse_jacobian: the argument is a constant"});
  ad::Tape other;
  const Number stranger = other.variable(1.0);
  refuses<ad::TapeError>([&] { (void)tape.sparse_jacobian({stranger}, {x}); }, {"sparse_jacobian: this variable"});
}

TEST_CASE("tensors that no input enters do not stop a sparse Jacobian") {
  ad::Tape tape;
  const ad::Var x = tape.variable(2.0);
  const ad::Var t = tape.variable(Tensor<double>{1, 2});
  const ad::Var y = x * sum(ad::concatenate({t, t}));
  CHECK(tape.sparse_jacobian(std::vector{y}, std::vector{x}).values == std::vector<double>{6});
}

TEST_CASE("nor do those that numbers before the inputs entered") {
  ad::Tape tape;
  const ad::Var a = tape.variable(2.0);
  const ad::Var s = sum(ad::stack({a, a}));
  const ad::Var x = tape.variable(3.0);
  const ad::Var y = s * x;
  CHECK(tape.sparse_jacobian(std::vector{y}, std::vector{x}).values == std::vector<double>{4});
}
