// Numbers that remember, as a stranger would use them: auto, aliases, ternaries, containers, algorithms, every arithmetic type.
#include "support.hpp"
#include <sstream>
#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numeric>
#include <optional>
#include <tuple>

using support::about;
using support::Number;

namespace {

/// dy/dx at x of a function that is given a variable of a tape.
template <class F> double slope(const F& f, double x) {
  ad::Tape tape;
  const ad::Var at = tape.variable(x);
  const Number y = f(at);
  tape.backward(y);
  return tape.adjoint(at);
}

Number by_auto(Number x) {  // a returned chain of expressions over locals that are gone
  auto a = x * 2.0 + 1.0;
  auto b = a * a;
  auto c = exp(b * 0.01) + a;
  return c;
}
auto expression_of_a_local(double factor) {
  return [factor](const Number& x) {
    Number local = x * factor;
    return local * local + 1.0;  // an expression leaves, the local goes
  };
}
Number power(const Number& x, int n) { return n == 0 ? Number(1.0) : x * power(x, n - 1); }

struct Cube {  // a user's own rule
  [[maybe_unused]] static constexpr ad::Row row{.name = "cube", .domain = {-10, 10}, .max_ulp = 1};
  static auto value(const auto& x) { return x * x * x; }
  static auto slope(const auto& x, const auto&) { return 3 * x * x; }
};

struct Point {
  Number x, y;
  Number z = 1.0;
};
Number squared_length(const Point& p) { return p.x * p.x + p.y * p.y + p.z * p.z; }

template <class T> T horner(const std::vector<double>& c, T x) {
  T y = 0.0;
  for (std::size_t i = c.size(); i-- > 0;) y = y * x + c[i];
  return y;
}
template <class T> T largest(std::vector<T> v) {
  T m = v[0];
  for (const T& x : v) m = std::max(m, x);
  return m;
}

}  // namespace

TEST_CASE("the contract's first example") {
  ad::Tape tape;
  ad::Var x = tape.variable(4.0);
  ad::Var y = pow(x, 4) - 3 * pow(x, 3) + 2;
  static_assert(std::is_same_v<decltype(x), ad::Var<double>> && std::is_same_v<decltype(y), ad::Var<double>>);
  tape.backward(y);
  CHECK(y.value() == 66);
  CHECK(tape.adjoint(x) == 112);
}

TEST_CASE("Var{} is 0, and a number is a constant") {
  const Number zero, three = 3.0, four = 4, big = 10'000'000'000L;
  CHECK(zero.value() == 0);
  CHECK(three.value() == 3);
  CHECK((three * four + big).value() == 1e10 + 12);
  CHECK(Number(three * four).place() == 0);
  const ad::Var deduced = 3, from_float = 0.5f, copy = deduced;
  static_assert(std::is_same_v<decltype(deduced), const ad::Var<double>> && std::is_same_v<decltype(from_float), const ad::Var<double>>);
  static_assert(std::is_same_v<decltype(copy), const ad::Var<double>>);
  static_assert(std::is_trivially_copyable_v<Number> && std::is_nothrow_move_constructible_v<Number> && sizeof(Number) == 16);
}

TEST_CASE("auto keeps no reference to anything") {
  CHECK(slope([](auto x) { return by_auto(x); }, 0.5) == about(2 + std::exp(0.04) * 0.08));
  CHECK(slope(expression_of_a_local(3.0), 2.0) == 36);
  CHECK(slope([](Number x) {
    auto f = [](Number a) { return a * a; };
    auto e = f(x);
    auto later = e * x + f(x * 2.0);
    x = 100.0;  // the expressions hold what x was
    return later;
  }, 2.0) == 12 + 16);
}

TEST_CASE("a variable may be overwritten by an expression of itself") {
  CHECK(slope([](Number x) { x = x * x; x = x * x; return x; }, 3.0) == 4 * 27);
  CHECK(slope([](Number x) { x *= x; return x; }, 3.0) == 6);
  CHECK(slope([](Number x) { x += x; x -= 0.5 * x; x /= x * x; return x; }, 2.0) == about(-0.25));
  CHECK(slope([](Number x) { x *= x + 1; return x; }, 3.0) == 7);
  CHECK(slope([](Number x) { x = -x; x = +x; return x; }, 3.0) == -1);
}

TEST_CASE("compound assignment takes numbers of every type") {
  CHECK(slope([](Number x) {
    Number y = x;
    y += 1;
    y -= 2L;
    y *= 3u;
    y /= 2.0f;
    y *= static_cast<unsigned char>(2);
    y += true;
    return y;
  }, 1.0) == 3);
}

TEST_CASE("integers of every width are constants, not truncations") {
  const auto all = [](auto n) {
    CHECK(slope([n](Number x) { return x * n + n; }, 0.25) == 7);
    CHECK(slope([n](Number x) { return n / x; }, 0.5) == -28);
    CHECK(slope([n](Number x) { return pow(x, n); }, 1.0) == 7);
    CHECK(Number(n).value() == 7);
  };
  std::apply([&](auto... n) { (all(n), ...); },
             std::tuple<signed char, unsigned char, short, unsigned short, int, unsigned, long, unsigned long,
                 long long, unsigned long long, float, double, char>{7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7.0f, 7.0, 7});
  CHECK(slope([](Number x) { return 1 / 2 * x + x * (1 / 2.0); }, 3.0) == 0.5);  // C++'s own 1 / 2 is 0
  CHECK(Number(std::numeric_limits<std::uint64_t>::max()).value() == 18446744073709551616.0);
}

TEST_CASE("a constant Var<double> stands beside the numbers of a second derivative and of lanes; a variable is refused") {
  const Number k = 3.0;
  const auto f = [&](const auto& x) { return k * x[0] * x[0] + pow(x[0], k) + x[0] * exp(k * 0.0); };
  CHECK(ad::hessian(f, {2.0})(0, 0) == about(6 + 12));
  CHECK(ad::gradient_batch(f, {{2.0}})[0][0] == about(12 + 12 + 1));
  ad::Tape tape;
  const Number v = tape.variable(3.0);
  support::refuses<ad::TapeError>([&] { (void)ad::hessian([&](const auto& x) { return x[0] * x[0] * v; }, {2.0}); },
      {"a variable of a tape over double"});
}

TEST_CASE("a ternary takes a Var, an expression or a number on either side") {
  const auto branch = [](Number p) {
    const Number q = p * 2.0;
    const ad::Var a = p > 1 ? p * q : q;
    const ad::Var b = p > 1 ? exp(p) : 1.0;
    const ad::Var c = p > 1 ? p : 0.0;
    const ad::Var d = p > 1 ? 0.0 : p * q;
    const ad::Var e = p > 1 ? p * q : 0.0;
    const ad::Var f = p > 1 ? 3 * p * p + exp(p * 0.0) : 0;
    return a + b + c + d + e + f;
  };
  CHECK(slope(branch, 2.0) == about(8 + std::exp(2.0) + 1 + 8 + 12));
  const auto deep = [](const auto& x) { return x[0] > 1 ? x[0] * x[1] * x[1] : 0.0; };
  CHECK(ad::hvp(deep, std::vector<double>{2, 3}, std::vector<double>{1, 0}) == std::vector<double>{0, 6});
  CHECK(slope(branch, 0.5) == about(2 + 2));
}

TEST_CASE("a branch that is not taken leaves nothing behind") {
  CHECK(slope([](Number x) -> Number { if (x > 0) return sqrt(x) * x; return x * 3.0; }, 0.0) == 3);
  CHECK(slope([](Number x) { const ad::Var y = x > 0.0 ? log(x) : 0.0; return y + x; }, -1.0) == 1);
}

TEST_CASE("comparisons look at the values, on either side of a number") {
  ad::Tape tape;
  const ad::Var a = tape.variable(2.0), b = tape.variable(3.0);
  const Number same = 2.0;
  static_assert(std::is_same_v<decltype(a < b), bool>);
  static_assert(!support::TakesTwo<Number> && !support::TakesTwo<support::TensorVar<>> && !support::TakesTwo<ad::Dual<double>>);
  CHECK((a < b && b > a && a <= b && b >= a && a != b && a == same && !(a == b)));
  CHECK((a < 3 && 3 > a && 2 == a && a == 2.0f && 1u <= a && a >= 2));
  CHECK((a * a > b && a * a == b + 1 && exp(a) > 2.0 * b));
  const Number bad = support::not_a_number;
  CHECK((!(bad < a) && !(bad > a) && !(bad == bad) && bad != bad));
  CHECK((isnan(bad) && !isnan(a) && isfinite(a) && isinf(a / 0.0)));
  const std::size_t before = tape.statistics().statements;
  (void)(a < b), (void)(a * b == b);
  CHECK(tape.statistics().statements == before);  // asking records nothing
}

TEST_CASE("std::max, std::min, std::swap, std::sort and their like") {
  ad::Tape tape;
  Number a = tape.variable(2.0), b = tape.variable(5.0);
  const Number a0 = a, b0 = b;
  std::swap(a, b);
  const ad::Var y = a * 10.0 + b;
  tape.backward(y);
  CHECK(tape.adjoint(a0) == 1);
  CHECK(tape.adjoint(b0) == 10);
  const ad::Var z = std::max(a0, b0) * 3.0 + std::min(a0, b0) + std::clamp(a0, Number(0.0), Number(1.0));
  tape.backward(z);
  CHECK(tape.adjoint(b0) == 3);
  CHECK(tape.adjoint(a0) == 1);

  std::vector<Number> v;
  for (const double x : {3.0, 1.0, 2.0}) v.push_back(tape.variable(x));
  const auto was = v;
  std::sort(v.begin(), v.end());
  CHECK(v[0].place() == was[1].place());
  const ad::Var w = v[0] * 1.0 + v[1] * 10.0 + v[2] * 100.0;
  tape.backward(w);
  CHECK(tape.adjoint(was[0]) == 100);
  CHECK(tape.adjoint(was[1]) == 1);
  CHECK(tape.adjoint(was[2]) == 10);
  CHECK(std::max_element(was.begin(), was.end())->place() == was[0].place());
  std::reverse(v.begin(), v.end());
  std::rotate(v.begin(), v.begin() + 1, v.end());
  std::iter_swap(v.begin(), v.begin() + 2);
  CHECK(std::is_sorted(was.begin() + 1, was.end()));
}

TEST_CASE("std::accumulate, inner_product, transform, partial_sum") {
  ad::Tape tape;
  std::vector<Number> v, w;
  for (int i = 1; i <= 4; ++i) v.push_back(tape.variable(i)), w.push_back(tape.variable(10 * i));
  const Number s = std::accumulate(v.begin(), v.end(), Number(0.0));
  const Number p = std::accumulate(v.begin(), v.end(), Number(1.0), [](const Number& a, const Number& b) { return a * b; });
  const Number d = std::inner_product(v.begin(), v.end(), w.begin(), Number(0.0));
  std::vector<Number> e(4), sums(4);
  std::transform(v.begin(), v.end(), e.begin(), [](const Number& x) { return x * x; });
  std::partial_sum(v.begin(), v.end(), sums.begin());
  const Number t = std::reduce(e.begin(), e.end(), Number(0.0));
  tape.backward({s, p, d, t, sums[2]}, {1.0, 100.0, 1000.0, 1e6, 1e9});
  CHECK(tape.adjoint(v[1]) == 1 + 100 * 12 + 1000 * 20 + 1e6 * 4 + 1e9);
  CHECK(tape.adjoint(v[3]) == 1 + 100 * 6 + 1000 * 40 + 1e6 * 8);
  CHECK(tape.adjoint(w[2]) == 3000);
}

TEST_CASE("Vars live in vectors, arrays, maps, optionals, pairs and structs") {
  ad::Tape tape;
  std::vector<Number> grown;
  for (int i = 0; i < 100; ++i) grown.push_back(tape.variable(i));  // reallocates
  const std::vector<Number> zeros(3);
  std::array<Number, 2> array{grown[1], 2.0};
  std::map<std::string, Number> map{{"a", grown[2]}};
  map["b"] += grown[3];
  std::optional<Number> none, some = grown[4];
  none = *some * 2.0;
  auto [first, second] = std::pair(grown[5], grown[6]);
  Point point{grown[7], grown[8]};
  Point copy = point;
  copy.x = copy.x * 2.0;
  const ad::Var y = grown[99] + zeros[0] + array[0] * array[1] + map["a"] +
      map["b"] + *none + first * second + squared_length(point) + squared_length(copy);
  tape.backward(y);
  const double expected[] = {0, 2, 1, 1, 2, 6, 5, 2 * 7 + 8 * 7, 4 * 8};
  for (std::size_t i = 0; i < 9; ++i) CHECK(tape.adjoint(grown[i]) == expected[i]);
  CHECK(tape.adjoint(grown[99]) == 1);
}

TEST_CASE("recursion, const references and values as parameters") {
  CHECK(slope([](const Number& x) { return power(x, 10); }, 1.5) == about(10 * std::pow(1.5, 9)));
  const auto by_value = [](Number x) { x = x * 2.0; return x; };
  CHECK(slope([&](const Number& x) { const Number y = by_value(x); return y * x; }, 3.0) == 12);
}

TEST_CASE("templates run unchanged with T = Var<double>") {
  const std::vector<double> c{1, -2, 0.5, 3};
  CHECK(slope([&](Number x) { return horner<Number>(c, x); }, 2.0) == about(-2 + 2 + 9 * 4));
  CHECK(horner<double>(c, 2.0) == 1 - 4 + 2 + 24);
  CHECK(slope([](Number x) { return largest<Number>({x * 0.5, x * x, 3.0}); }, 2.0) == 4);
}

TEST_CASE("a moved-from Var is still the variable it was") {
  ad::Tape tape;
  Number x = tape.variable(2.0);
  const Number y = std::move(x);
  const ad::Var z = x * y;  // NOLINT
  tape.backward(z);
  CHECK(tape.adjoint(y) == 4);
}

TEST_CASE("long expressions merge equal variables, and are right") {
  ad::Tape tape;
  const ad::Var a = tape.variable(2.0), b = tape.variable(5.0);
  const double k = 3.0;
  const auto arguments = tape.statistics().arguments;
  const ad::Var y = a * b + a * a - b * b * a + exp(a * 0.1) * k;
  CHECK(tape.statistics().arguments == arguments + 2);
  tape.backward(y);
  CHECK(tape.adjoint(a) == about(5 + 4 - 25 + 0.3 * std::exp(0.2)));
  CHECK(tape.adjoint(b) == about(2 - 20));
}

TEST_CASE("expressions of up to seventy leaves are recorded where the memory ends, too") {
  ad::Tape tape;
  std::vector<Number> v;
  for (int i = 0; i < 9; ++i) v.push_back(tape.variable(1.0 + i));
  const auto nine = [&] { return v[0] * v[1] + v[2] * v[3] + v[4] * v[5] + v[6] * v[7] + v[8]; };
  Number y = 0.0;
  for (int i = 0; i < 500; ++i)  // runs over several growths
    y = nine() + nine() * nine() + nine() + nine() + nine() + nine() + y;
  tape.backward(y);
  const double s = 2 + 12 + 30 + 56 + 9, factor = 500 * (5 + 2 * s);
  CHECK(tape.adjoint(v[8]) == about(factor));
  CHECK(tape.adjoint(v[0]) == about(2 * factor));
}

TEST_CASE("a statement of constants and a stranger changes nothing when it is refused") {
  Number stale;
  { ad::Tape gone; stale = gone.variable(1.0); }
  ad::Tape tape;
  const ad::Var x = tape.variable(2.0);
  Number y = x * x;
  const auto before = tape.statistics();
  support::refuses<ad::TapeError>([&] { y = x * 2.0 + stale; }, {"variable (at place "});
  support::refuses<ad::TapeError>([&] { y += stale; }, {"variable (at place "});
  CHECK(tape.statistics().arguments == before.arguments);
  CHECK(y.value() == 4);
  tape.backward(y);
  CHECK(tape.adjoint(x) == 4);
}

TEST_CASE("without a tape, numbers compute and remember nothing") {
  const Number a = 2.0, b = 3.0;
  Number y = exp(a * b) + a / b - 1;
  for (int i = 0; i < 1000; ++i) y += a * b;
  CHECK(y.value() == about(std::exp(6.0) + 2.0 / 3 - 1 + 6000));
  CHECK(y.place() == 0);
}

TEST_CASE("infinite and missing numbers flow as they do in double") {
  const double inf = support::infinity;
  CHECK(std::isnan(slope([](Number x) { return sqrt(x); }, -1.0)));
  CHECK(slope([](Number x) { return sqrt(x); }, 0.0) == inf);
  CHECK(slope([](Number x) { return pow(x, 0); }, 0.0) == 0);
  CHECK(slope([](Number x) { return pow(x, 0.0); }, 0.0) == 0);
  CHECK(slope([](Number x) { return pow(x, 1); }, 0.0) == 1);
  CHECK(slope([](Number x) { return pow(x, 2); }, 0.0) == 0);
  CHECK(slope([](Number x) { return pow(0.0, x); }, 2.0) == 0);
  CHECK(slope([](Number x) { return hypot(x, 0.0); }, 0.0) == 0);
  CHECK(slope([](Number x) { return sigmoid(x); }, -800.0) == 0);
  CHECK(slope([](Number x) { return softplus(x); }, 800.0) == 1);
  CHECK(slope([](Number x) { return x / 0.0; }, 1.0) == inf);
  CHECK(slope([inf](Number x) { return x * inf; }, 1.0) == inf);
  CHECK(slope([](Number x) { return max(x, 1.0); }, 1.0) == 0.5);
  CHECK(slope([](Number x) { return abs(x); }, 0.0) == 0);
  CHECK(slope([](Number x) { return relu(x); }, 0.0) == 0);
  CHECK(slope([](Number x) { const Number y = x * 0.0, root = sqrt(y); return root * 0.0 + x; }, 1.0) == 1);  // 0·∞ between statements
}

TEST_CASE("rules that a user adds obey tapes, too") {
  CHECK(slope([](Number x) { return ad::apply<Cube>(x) * 2.0; }, 2.0) == 24);
  CHECK(ad::derivative([](auto x) { return ad::derivative([](auto z) { return ad::apply<Cube>(z); }, x); }, 2.0) == 12);
}

TEST_CASE("std::numeric_limits of a variable are those of its number") {
  const auto smallest = [](const auto& x) {
    using T = std::decay_t<decltype(x[0])>;
    T least = std::numeric_limits<T>::infinity();
    for (const auto& one : x) if (one < least) least = one;
    return least;
  };
  const std::vector<double> x{3, 2};
  const auto [value, gradient] = ad::value_and_gradient(smallest, x);
  CHECK(value == 2);
  CHECK(gradient == std::vector<double>{0, 1});
  CHECK(ad::jvp(smallest, x, x) == 2);
  CHECK(std::numeric_limits<ad::Var<double>>::epsilon() == std::numeric_limits<double>::epsilon());
  CHECK(std::numeric_limits<ad::Batch<double, 8>>::max() == std::numeric_limits<double>::max());
  const ad::Tape tape;
  const Number a = 3.0;
  const auto overflows = []<class X>(const X& one) { return one > std::numeric_limits<X>::max(); };
  CHECK(!overflows(a * a));  // X is the type of the expression
  CHECK(std::numeric_limits<decltype(exp(-a))>::epsilon() == std::numeric_limits<double>::epsilon());
}

TEST_CASE("what is written of a number is its value") {
  ad::Tape tape;
  const ad::Var x = tape.variable(2.0), y = tape.variable(3.0);
  std::ostringstream out;
  out << x << ' ' << x * y << ' ' << ad::Dual<double>(1.5, 7) << ' ' << ad::Tensor<double>{1, 2} << ' ' << tape.variable(ad::Tensor<float>{3});
  CHECK(out.str() == "2 6 1.5 [1, 2] [3]");
}

TEST_CASE("++ and -- are + 1 and - 1") {
  ad::Tape tape;
  const ad::Var x = tape.variable(2.0);
  Number y = x * x;
  CHECK((y++).value() == 4);
  CHECK((++y).value() == 6);
  CHECK((y--).value() == 6);
  CHECK((--y).value() == 4);
  tape.backward(y * 3.0);
  CHECK(tape.adjoint(x) == 12);
  CHECK(ad::derivative([](auto z) { ++z; z++; --z; z--; return z * z; }, 3.0) == 6);
}

TEST_CASE("an expression may be assigned to one of its type") {
  ad::Tape tape;
  const ad::Var x = tape.variable(2.0), y = tape.variable(3.0);
  auto product = x * y;
  if (x < y) product = y * y;
  tape.backward(product);
  CHECK(tape.adjoint(y) == 6);
  CHECK(tape.adjoint(x) == 0);
  CHECK(tape.adjoints(std::array{x, y}) == std::vector<double>{0, 6});
}

namespace user {
struct Place : ad::Var<double> { using Var::Var; };
std::ostream& operator<<(std::ostream& out, const Place& p) { return out << "place " << p.value(); }
}  // namespace user

TEST_CASE("many adjoints at once may be asked for in braces, and a type of one's own has its own text") {
  ad::Tape tape;
  const std::vector<Number> x = tape.variables(std::vector<double>{2, 3, 4});
  tape.backward(x[0] * x[1] * x[2]);
  CHECK(tape.adjoints({x[0], x[2]}) == std::vector<double>{12, 6});
  CHECK(tape.adjoints({x.begin(), x.begin() + 2}) == std::vector<double>{12, 8});
  CHECK(tape.adjoints({}).empty());
  CHECK(tape.adjoints(std::span<const Number>(x).subspan(1)) == std::vector<double>{8, 6});
  CHECK(tape.jacobian({x[0] * x[1], x[1]}, std::array{x[0], x[1]}).shape() == ad::Shape({2, 2}));
  std::ostringstream out;
  out << user::Place(7.0);
  CHECK(out.str() == "place 7");
}

namespace ported {
template <class T> T sigmoid(const T& x) { using std::exp; return 1 / (1 + exp(-4 * x)); }
template <class T> T relu(const T& x) { return x > 0 ? x : T(0.1 * x); }
template <class T> T square(T x) { return 2 * x * x; }
template <class T> T sign_of(T x) { return x > 0 ? T(3) : T(-3); }
template <class T> int lround(T) { return 777; }
template <class T> T ldexp(const T& x, int n) { return x + n; }
template <class A, class B> auto fdim(const A& a, const B& b) { return a - b; }
template <class T> T model(const T& x) { return sigmoid(x) + relu(T(-x)) + square(x) + sign_of(x); }
template <class F, class T> T derivative(const F& f, const T& x) { return (f(x + 0.5) - f(x - 0.5)) / 1.0; }  // a difference quotient
template <class T> T zero_like(const T& x) { return x * 10; }
template <class T> T differences(const T& x) { return derivative([](const auto& t) { return T(t * t * t); }, x) + zero_like(x); }
template <class T> T others(const T& x) { return lround(x) + ldexp(x, 3) + fdim(x, T(2.0)); }
}  // namespace ported

TEST_CASE("a program's own functions of names that std has not, or has for plain numbers alone, stay its own") {
  CHECK(ported::model(Number(0.5)).value() == ported::model(0.5));
  CHECK(slope([](const auto& x) { return ported::model(x); }, 0.5) == about(4 * 0.10499358540350652 - 0.1 + 2));
  CHECK(ported::others(Number(0.5)).value() == 777 + 3.5 - 1.5);
  CHECK(ad::derivative([](const auto& x) { return ported::differences(x); }, 2.0) == 22);
  ad::Tape tape;
  const Number x = tape.variable(2.0), y = ported::differences(x);
  tape.backward(y);
  CHECK(tape.adjoint(x) == 22);
}

TEST_CASE("whole numbers of a variable: places in a table") {
  const auto table = []<class T>(const T& x) {
    using std::floor, std::lround;
    static constexpr double entries[] = {1, 4, 9, 16};
    const auto i = lround(floor(x));
    const T w = x - static_cast<double>(i);
    return T((1 - w) * entries[i] + w * entries[i + 1]);
  };
  CHECK(table(1.5) == 6.5);
  CHECK(ad::derivative(table, 1.5) == 5);
  CHECK(ad::gradient([&](const auto& x) { return table(x[0]); }, {2.25}) == std::vector<double>{7});
  const Number x = 2.5;
  CHECK((lround(x) == 3 && llround(-x) == -3 && lrint(x) == 2 && llrint(x * 3) == 8));
  CHECK((static_cast<int>(ad::plain(2.7)) == 2 && static_cast<int>(ad::plain(Number(2.7))) == 2));
}

TEST_CASE("ldexp, frexp, modf and fdim are differentiated through") {
  const auto f = [](const auto& x) {
    using T = std::decay_t<decltype(x[0])>;
    using std::fdim, std::frexp, std::ldexp, std::modf;
    T whole;
    int n = 0;
    const T fraction = modf(x[0], &whole), mantissa = frexp(x[1], &n);
    return T(ldexp(x[0] * x[1], 3) + fraction * fraction + mantissa * n + whole + fdim(x[0], x[1]) * fdim(x[1], x[0] + 1));
  };
  for (const std::vector<double>& at : {std::vector<double>{3.25, 5}, {3.25, 2}, {-1.5, 0.3}}) {
    ad::check_gradient(f, at);
    CHECK(ad::value_and_gradient(f, at).value == f(at));
  }
  for (const int n : {1100, 5000, -1100, -5000, 2090, -1, 1, 0})  // 2¹¹⁰⁰ alone is out of range
    for (const double x : {1e-300, 5e-324, 0.0, -3.0, support::infinity}) CHECK(ldexp(Number(x), n).value() == std::ldexp(x, n));
  const double x0 = (1 + 0x1p-15 + 0x1p-52) * 0x1p-1000;
  for (int n = -80; n < -50; ++n) CHECK(ldexp(Number(x0), n).value() == std::ldexp(x0, n));  // rounded once
  Number x = 3.25;
  const Number fraction = modf(x, &x);
  CHECK((fraction.value() == 0.25 && x.value() == 3));
  int n = 7;
  CHECK((frexp(Number(-support::infinity), &n).value() == -support::infinity && n == 0));
}

TEST_CASE("what ported code asks for besides: three sides, signs") {
  const auto f = [](const auto& x) { return hypot(x[0], x[1], 2 * x[2]); };
  CHECK(f(std::vector<Number>{2.0, 3.0, 3.0}).value() == 7);
  const std::vector<double> gradient = ad::gradient(f, std::vector<double>{2, 3, 3});
  CHECK(gradient[0] == about(2.0 / 7));
  CHECK(gradient[2] == about(12.0 / 7));
  const auto three = [](const auto& x) { return hypot(x[0], x[1], x[2]); };
  CHECK(ad::to_text(ad::hessian(three, {0, 0, 2})) == "[[0.5, 0, 0], [0, 0.5, 0], [0, 0, 0]]");  // hypot(0, 0) is a kink, the whole is none
  CHECK(ad::to_text(ad::hessian(three, {0, 2, 0})) == "[[0.5, 0, 0], [0, 0, 0], [0, 0, 0.5]]");
  CHECK(ad::gradient(three, {0, 0, 0}) == std::vector<double>{0, 0, 0});
  CHECK(signbit(Number(-0.0)));
  CHECK(!signbit(Number(1.0)));
}
