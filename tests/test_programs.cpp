// Random programs: one and the same program of a hundred operations is run backwards, forwards, and by finite differences, and over Duals for
// the second derivative. Operations are chosen so that values stay tame; what is tested is every mode against every other.
#include "support.hpp"

using ad::Shape;
using ad::Tensor;
using support::about;
using support::difference;
using support::Random;

namespace {

/// A program of numbers, drawn from its seed: each step takes two results from before.
struct ScalarProgram {
  std::uint64_t seed;
  template <class X> auto operator()(const X& x) const {
    using T = std::decay_t<decltype(x[0])>;
    using ad::sigmoid, ad::softplus;  // for double, to which std has no such functions
    Random random(seed);
    std::vector<T> v(x.begin(), x.end());
    for (int step = 0; step < 100; ++step) {
      const T a = v[random.below(v.size())], b = v[random.below(v.size())];
      const double c = random(-1, 1);
      switch (random.below(14)) {
        case 0: v.push_back(a * b + c); break;
        case 1: v.push_back(sin(a) * cos(b)); break;
        case 2: v.push_back(tanh(a * c - b)); break;
        case 3: v.push_back(a / (1.5 + b * b)); break;
        case 4: v.push_back(exp(-a * a) + b * c); break;
        case 5: v.push_back(sqrt(a * a + 0.5) - log(b * b + 1.0)); break;
        case 6: v.push_back(a - b * 0.5); break;
        case 7: v.push_back(sigmoid(a) * softplus(b * 0.3)); break;
        case 8: v.push_back(pow(a * a + 0.3, c)); break;
        case 9: v.push_back(atan2(a, 1.0 + b * b)); break;
        case 10: v.push_back(a > b + 0.01 ? T(a * c) : T(b * c)); break;  // a branch
        case 11: { T s = 0.0; for (int i = 0; i < 5; ++i) s += a * (c / (i + 1)) * b; v.push_back(sin(s)); break; }
        case 12: { T t = a; t *= t; t -= b; t /= 2; v.push_back(tanh(t)); break; }
        default: v.push_back(fma(a, c, b) * 0.5 + 2 - 1 / (2 + cos(a)));
      }
      v.back() = tanh(v.back() * 0.7);
    }
    T y = 0.0;
    for (const T& r : v) y = y * 0.9 + r;
    return y;
  }
};

/// A program of (3, 3) tensors, rows, columns and numbers, all mixed.
struct TensorProgram {
  std::uint64_t seed;
  bool numbers = true;  ///< lets numbers of the tape take part
  template <class X> auto operator()(const X& x) const {
    using T = typename std::decay_t<decltype(ad::plain(x))>::Number;
    Random random(seed);
    using V = std::decay_t<decltype(ad::detail::stored(x + x))>;
    std::vector<V> v{V(x), V(x * T(0.5))};
    for (int step = 0; step < 25; ++step) {
      const V a = v[random.below(v.size())], b = v[random.below(v.size())];
      const auto c = random.tensor<T>({3}, -1, 1), column = random.tensor<T>({3, 1}, -1, 1), square_matrix = random.tensor<T>({3, 3}, -1, 1);
      switch (random.below(16)) {
        case 0: v.push_back(a * b + c); break;
        case 1: v.push_back(matmul(a, b) * T(0.3)); break;
        case 2: v.push_back(tanh(matmul(a, square_matrix) + c)); break;
        case 3: v.push_back(transpose(a) - b * column); break;
        case 4: v.push_back(softmax(a) + log_softmax(b, 0) * T(0.1)); break;
        case 5: v.push_back(a / (b * b + T(1.5))); break;
        case 6: v.push_back(a - mean(b, ad::Axis(1).keep())); break;
        case 7: v.push_back(reshape(gather(reshape(a, {9}), {8, 0, 0, 3, -4, 2, 1, 7, 6}), {3, 3}) + b); break;
        case 8: v.push_back(slice(concatenate(std::vector<V>{a, b}, 1), 1, 1, 6, 2) * T(0.5)); break;
        case 9: v.push_back(sin(a) * sum(b, 0) * T(0.4)); break;
        case 10: v.push_back(logsumexp(stack(std::vector<V>{a, b}), 0)); break;
        case 11: v.push_back(select(ad::plain(a) > ad::plain(b) + T(0.02), a * T(0.5), b)); break;
        case 12: v.push_back(sigmoid(a) * broadcast_to(sum(b, ad::Axis(0).keep()), {3, 3})); break;
        case 13: v.push_back(numbers ? V(a * (sum(b) * 0.1)) : a); break;
        case 14: v.push_back(numbers ? V(b * tanh(a(1, 2)) + norm(a + T(2))) : b); break;
        default: v.push_back(matmul(a, slice(b, 0, 0, 3)) * column);
      }
      v.back() = V(tanh(v.back() * T(0.6)));
    }
    V y = v[0];
    for (const V& r : v) y = V(y * T(0.8) + r);
    return sum(y * y);
  }
};

}  // namespace

TEST_CASE("random programs of numbers: backwards, forwards, finite differences and second derivatives agree") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    Random random(1000 + seed);
    const auto x = random.numbers(4, -1, 1), v = random.numbers(4, -1, 1);
    const ScalarProgram f{seed};
    const auto [value, g] = ad::value_and_gradient(f, x);
    CHECK(value == about(f(x), 1e-13));
    double along = 0;
    for (std::size_t i = 0; i < 4; ++i) along += g[i] * v[i];
    CHECK(ad::jvp(f, x, v) == about(along, 1e-11));
    std::vector<double> up = x, down = x;
    const double h = 1e-6;
    for (std::size_t i = 0; i < 4; ++i) up[i] += h * v[i], down[i] -= h * v[i];
    CHECK((f(up) - f(down)) / (2 * h) == about(along, 1e-6));
    const auto hv = ad::hvp(f, x, v), g_up = ad::gradient(f, up), g_down = ad::gradient(f, down);
    for (std::size_t i = 0; i < 4; ++i) CHECK(hv[i] == about((g_up[i] - g_down[i]) / (2 * h), 1e-5));
    // forward over forward gives vᵀHv
    double curvature = 0;
    for (std::size_t i = 0; i < 4; ++i) curvature += v[i] * hv[i];
    const auto line = [&](const auto& t) {
      using T = std::decay_t<decltype(t)>;
      std::vector<T> z;
      for (std::size_t i = 0; i < 4; ++i) z.push_back(T(x[i] + v[i] * t));
      return f(z);
    };
    CHECK(ad::derivative([&](const auto& t) { return ad::derivative(line, t); }, 0.0) == about(curvature, 1e-10));
  }
}

TEST_CASE("random programs of numbers on one tape, cleared and rewound, give the same as on tapes of their own") {
  ad::Tape tape;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    const auto x = Random(seed).numbers(4, -1, 1);
    const auto expected = ad::gradient(ScalarProgram{seed}, x);
    if (seed % 3 == 0) tape.clear();
    std::vector<support::Number> v;
    for (const double xi : x) v.push_back(tape.variable(xi));
    const auto mark = tape.mark();
    for (int round = 0; round < 3; ++round) {
      (void)ScalarProgram{seed + 100}(v);
      if (round) tape.rewind(mark);
      const support::Number y = ScalarProgram{seed}(v);
      tape.backward(y);
      for (std::size_t i = 0; i < 4; ++i)
        CHECK(tape.adjoint(v[i]) == about(expected[i]));  // what stood before a rewind is recorded unmerged: rounded otherwise
    }
  }
}

TEST_CASE("random programs of tensors and numbers: every mode against every other") {
  for (std::uint64_t seed = 1; seed <= 40; ++seed)
    support::verify("program " + std::to_string(seed), TensorProgram{seed}, Random(seed).tensor({3, 3}, -1, 1));
}

TEST_CASE("random programs of tensors in float follow those in double") {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    const auto x = Random(seed).tensor({3, 3}, -1, 1);
    CHECK(difference(ad::gradient(TensorProgram{seed}, x.as<float>()), ad::gradient(TensorProgram{seed}, x), 1e-2) == "");
  }
}

TEST_CASE("random programs of tensors on one tape, rewound again and again, give the same bits each time") {
  ad::Tape tape;
  const ad::Var x = tape.variable(Random(5).tensor({3, 3}, -1, 1));
  const auto mark = tape.mark();
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    const auto expected = ad::gradient(TensorProgram{seed}, x.value());
    for (int round = 0; round < 2; ++round) {
      tape.rewind(mark);
      const ad::Var y = TensorProgram{seed}(x);
      tape.backward(y);
      CHECK(equal(tape.adjoint(x), expected));
    }
  }
}
