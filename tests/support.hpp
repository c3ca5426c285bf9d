// What the tests share: random numbers that are the same in every run, nearness, errors judged by their text, and `verify`, which
// holds every way to differentiate a function of a tensor against the others.
#pragma once
#include "sanitized.hpp"
#include <autodiff/autodiff.hpp>
#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <exception>
#include <functional>
#include <initializer_list>
#include <iomanip>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

namespace ad = autodiff;

namespace support {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

using Number = ad::Var<double>;
template <class T = double> using TensorVar = ad::Var<ad::Tensor<T>>;

/// SplitMix64: the same numbers on every machine.
class Random {
  std::uint64_t state_;

 public:
  explicit Random(std::uint64_t seed = 1) : state_(seed) {}
  std::uint64_t bits() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  std::size_t below(std::size_t n) { return static_cast<std::size_t>(bits() % n); }
  double operator()(double low = 0.2, double high = 1.5) { return low + (high - low) * static_cast<double>(bits() >> 11) * 0x1p-53; }
  std::vector<double> numbers(std::size_t n, double low = 0.2, double high = 1.5) {
    std::vector<double> x(n);
    for (double& xi : x) xi = (*this)(low, high);
    return x;
  }
  template <class T = double> ad::Tensor<T> tensor(const ad::Shape& shape, double low = 0.2, double high = 1.5) {
    return ad::Tensor<T>::from(numbers(shape.count(), low, high), shape);
  }
};

/// `some({2, 3})`: a tensor of random numbers, others at each call.
struct RandomTensors {
  Random random;
  ad::Tensor<double> operator()(const ad::Shape& shape) { return random.tensor(shape); }
};

/// f(Rule{}) for each rule of a list.
/// Would `{1, 2}` become one T, as in std::vector<T>{{1, 2}}?
template <class T> concept TakesTwo = requires(void (*f)(T)) { f({1, 2}); };
template <class F, class... Rules> void each_rule(ad::List<Rules...>, F f) { (f(Rules{}), ...); }

/// `CHECK(x == about(3.0))`: to 1e-12 of the larger of 1 and the number, unless another tolerance is given.
inline doctest::Approx about(double x, double tolerance = 1e-12) { return doctest::Approx(x).epsilon(tolerance); }

/// "" if both have one shape and nearly the same numbers (NaN equals NaN), else where they differ first.
template <class T, class U> std::string difference(const ad::Tensor<T>& a, const ad::Tensor<U>& b, double tolerance = 1e-12) {
  if (a.shape() != b.shape()) return a.shape().text() + " against " + b.shape().text();
  for (std::size_t i = 0; i < a.size(); ++i) {
    const auto p = static_cast<double>(a[i]), q = static_cast<double>(b[i]);
    if (p == q || (std::isnan(p) && std::isnan(q))) continue;
    if (!std::isfinite(p) || !std::isfinite(q) || !(std::abs(p - q) <= tolerance * std::max({1.0, std::abs(p), std::abs(q)}))) {
      std::ostringstream text;
      text << std::setprecision(17) << "number " << i << ": " << p << " against " << q;
      return text.str();
    }
  }
  return "";
}
inline std::string difference(const std::vector<double>& a, const std::vector<double>& b, double tolerance = 1e-12) {
  return difference(ad::Tensor<double>::from(a, ad::Shape({a.size()})), ad::Tensor<double>::from(b, ad::Shape({b.size()})), tolerance);
}

/// The text of an error has all these words in it.
[[gnu::noinline]] inline void says(const char* what, std::initializer_list<const char*> words, int line) {
  CAPTURE(line);
  for (const char* word : words) {
    CAPTURE(word);
    CHECK_MESSAGE(std::string(what).find(word) != std::string::npos, what);
  }
}
[[gnu::noinline]] inline void does_not_refuse(const char* instead, int line) {
  CAPTURE(line);
  FAIL_CHECK(std::string(instead));
}

/// f must throw an E whose text has all these words in it.
template <class E, class F> void refuses(F&& f, std::initializer_list<const char*> words, int line = __builtin_LINE()) {
  try {
    f();
  } catch (const E& e) {
    return says(e.what(), words, line);
  } catch (const std::exception& e) {
    return does_not_refuse(e.what(), line);
  }
  does_not_refuse("no error", line);
}

/// y = a·a on `tape` has the slope 2a: does the tape work?
inline void works(ad::Tape& tape) {
  const auto on = tape.record();
  const ad::Var a = tape.variable(3.0);
  const ad::Var y = a * a;
  tape.backward(y);
  CHECK(tape.adjoint(a) == 6);
}
inline void works_as_the_youngest(ad::Tape& tape) {
  const ad::Var a = tape.variable(3.0);
  const ad::Var t = tape.variable(ad::Tensor<double>{1, 2});
  const ad::Var y = sum(t * a) * a;
  tape.backward(y);
  CHECK(tape.adjoint(a) == 18);
  CHECK(tape.adjoint(t)(1) == 9);
}

/// A direction to differentiate along, of no special kind.
template <class T> ad::Tensor<T> direction(const ad::Shape& shape) {
  auto v = ad::Tensor<T>::zeros(shape);
  for (std::size_t i = 0; i < v.size(); ++i) v[i] = static_cast<T>(0.3 + 0.1 * static_cast<double>(i % 7) - 0.05 * static_cast<double>(i % 11));
  return v;
}

/// The ways to differentiate one function of a tensor: `verify` without its type, which is compiled once.
template <class T> struct Ways {
  using Tensor = ad::Tensor<T>;
  std::function<void(const Tensor& x)> check;
  std::function<Tensor(const Tensor& x)> gradient;
  std::function<T(const Tensor& x, const Tensor& v)> jvp;
  std::function<Tensor(const Tensor& x, const Tensor& v)> hvp;
};
template <class T> [[gnu::noinline]] void agree(const std::string& name, const Ways<T>& ways, const ad::Tensor<T>& x) {
  constexpr bool is_float = std::is_same_v<T, float>;
  std::string error, second;  // "" where all is well
  double forward = 0, backward = 0;
  try {
    ways.check(x);
    const auto v = direction<T>(x.shape());
    forward = static_cast<double>(ways.jvp(x, v)), backward = static_cast<double>(ad::dot(ways.gradient(x), v));
    const double h = is_float ? 1e-2 : 1e-5;
    const auto up = ways.gradient(ad::Tensor<T>(x + v * h)), down = ways.gradient(ad::Tensor<T>(x - v * h));
    second = difference(ways.hvp(x, v), ad::Tensor<T>((up - down) / (2 * h)), is_float ? 5e-2 : 1e-5);
  } catch (const ad::Error& e) {
    error = e.what();
  }
  const auto shape = x.shape().text();
  CAPTURE(name);
  CAPTURE(shape);
  CHECK(error == "");
  CHECK(forward == about(backward, is_float ? 1e-4 : 1e-9));
  CHECK(second == "");
}

/// A function of a tensor, to one number, differentiated in every way: backwards against finite differences, forwards against backwards, the
/// Hessian's product against differences of gradients.
template <class F, class T> void verify(const std::string& name, const F& f, const ad::Tensor<T>& x) {
  using Tensor = ad::Tensor<T>;
  agree<T>(name,
    {[&](const Tensor& at) { ad::check_gradient(f, at); }, [&](const Tensor& at) { return ad::gradient(f, at); },
      [&](const Tensor& at, const Tensor& v) { return ad::jvp(f, at, v); }, [&](const Tensor& at, const Tensor& v) { return ad::hvp(f, at, v); }},
    x);
}

}  // namespace support
