// The kernels on every instruction set this machine can run, float and double, against plain loops: each listed rule within the bound that its
// row states, broadcasting, products, reductions, costs, optimizers; nothing written past what is allowed; the same digits on any number of threads.
#include "autodiff/kernels.hpp"
#include "autodiff/error.hpp"
#include "autodiff/pool.hpp"
#include <doctest/doctest.h>
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <map>
#include <new>
#include <random>
#include <string>
#include <vector>

namespace ad = autodiff;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity(), not_a_number = std::numeric_limits<double>::quiet_NaN();

/// A block as tensors have it: starts on 64 bytes, may be written to a multiple of 64, read 64 further. Behind that stand canaries.
template <class T> class Block {
 public:
  explicit Block(std::size_t n, T value = T(0)) : n_(n), room_((n * sizeof(T) + 63) / 64 * 64 / sizeof(T)), data_(static_cast<T*>(::operator new((room_ + 64) * sizeof(T), std::align_val_t(64)))) {
    std::fill_n(data_, room_, T(0.125));
    std::fill_n(data_ + room_, 64, canary);
    std::fill_n(data_, n, value);
  }
  Block(const Block& o) : Block(o.n_) { std::copy_n(o.data_, n_, data_); }
  Block& operator=(const Block&) = delete;
  ~Block() { ::operator delete(data_, std::align_val_t(64)); }
  T* data() { return data_; }
  const T* data() const { return data_; }
  std::size_t size() const { return n_; }
  T& operator[](std::size_t i) { return data_[i]; }
  const T& operator[](std::size_t i) const { return data_[i]; }
  /// Nothing was written past the allowed end.
  bool intact() const { return std::all_of(data_ + room_, data_ + room_ + 64, [](T x) { return x == canary; }); }
  /// Nothing was written past the last number.
  bool exact() const { return intact() && std::all_of(data_ + n_, data_ + room_, [](T x) { return x == T(0.125); }); }
  bool operator==(const Block& o) const { return n_ == o.n_ && std::memcmp(data_, o.data_, n_ * sizeof(T)) == 0; }

 private:
  static constexpr T canary = T(-12345);
  std::size_t n_, room_;
  T* data_;
};

std::mt19937& dice() { static std::mt19937 dice(7); return dice; }
double uniform(double low, double high) { return low + (high - low) * (static_cast<double>(dice()()) / 4294967296.0); }
template <class T> Block<T> random_block(std::size_t n, double low = -1, double high = 1) {
  Block<T> b(n);
  for (std::size_t i = 0; i < n; ++i) b[i] = static_cast<T>(uniform(low, high));
  return b;
}

/// Distance in units of the last place of the expected number (of the smallest normal number at least).
template <class T> double ulps(T got, long double expected) {
  if (std::isnan(got) && std::isnan(expected)) return 0;
  const T rounded = static_cast<T>(expected);
  if (got == rounded) return 0;
  if (!std::isfinite(got) || !std::isfinite(rounded)) return infinity;
  int exponent;
  std::frexp(std::max(std::abs(rounded), std::numeric_limits<T>::min()), &exponent);
  return static_cast<double>(std::abs(static_cast<long double>(got) - expected) / std::ldexp(1.0L, exponent - std::numeric_limits<T>::digits));
}
/// Close, for sums of n terms of size 1 or so.
template <class T> bool near(double got, double expected, double terms = 1) {
  return std::abs(got - expected) <= std::numeric_limits<T>::epsilon() * 4 * std::sqrt(terms + 4) * (1 + std::abs(expected)) || (std::isnan(got) && std::isnan(expected)) || got == expected;
}
template <class T> double worst(const Block<T>& got, const std::vector<double>& expected) {
  double most = 0;
  for (std::size_t i = 0; i < got.size(); ++i) most = std::max(most, std::abs(static_cast<double>(got[i]) - expected[i]) / (1 + std::abs(expected[i])));
  return most / std::numeric_limits<T>::epsilon();
}

/// f<T>() on every target for both number types.
template <class F> void everywhere(const F& f) {
  const char* names[16];
  const std::size_t n = ad::selectable_targets(names, 16);
  REQUIRE(n >= 1);
  for (std::size_t i = 0; i < n; ++i) {
    ad::select_target(names[i]);
    INFO("target ", std::string(names[i]));
    CHECK(std::string(ad::kernels<float>().target) == names[i]);
    { INFO("float"); f.template operator()<float>(); }
    { INFO("double"); f.template operator()<double>(); }
  }
  ad::select_target(nullptr);
}

template <class... R, class F> void each_rule(ad::List<R...>, const F& f) { (f.template operator()<R>(), ...); }

const std::size_t lengths[] = {0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 100, 1000};

/// Arguments all over an interval, both ends, more of them where it is narrow around 0.
template <class T> Block<T> arguments(ad::Interval in, std::size_t n) {
  Block<T> x(n);
  const double high = std::min(in.high, sizeof(T) == 4 ? 1e30 : in.high);
  for (std::size_t i = 0; i < n; ++i) {
    double v = i == 0 ? in.low : i == 1 ? high : uniform(in.low, high);
    if (i % 3 == 2) v = std::copysign(std::exp(uniform(-12, std::log(std::max({1e-5, high, -in.low})))), v);
    x[i] = static_cast<T>(std::clamp(v, in.low, high));
  }
  return x;
}

template <class T> const std::vector<T>& extremes() {
  using L = std::numeric_limits<T>;
  static const std::vector<T> x{T(0), -T(0), T(1), T(-1), T(0.5), T(-0.5), T(1.5), T(2.5), T(-2.5), L::infinity(), -L::infinity(), L::quiet_NaN(), L::denorm_min(), -L::denorm_min(),
                                L::min(), -L::min(), L::min() / 2, L::max(), L::lowest(), L::epsilon(), 1 - L::epsilon() / 2, 1 + L::epsilon(), T(88.72), T(88.73), T(-88), T(-103.5), T(709.7),
                                T(709.8), T(-745), T(-746), T(-1000), T(1e10), T(-1e10), T(39000), T(1e6), T(19), T(21), T(-40)};
  return x;
}

/// Same kind of result: both NaN, the same infinity, or finite and close. The last digits of what is lost below the normal numbers are not asked for.
template <class T> bool alike(T got, T expected, double bound) {
  if (std::isnan(expected) || std::isnan(got)) return std::isnan(expected) && std::isnan(got);
  if (std::isinf(expected) || std::isinf(got)) return got == expected || (std::abs(expected) > std::numeric_limits<T>::max() * T(0.999) || std::abs(got) > std::numeric_limits<T>::max() * T(0.999));
  return ulps(got, expected) <= bound || std::abs(got - expected) <= std::numeric_limits<T>::min();
}

}  // namespace

TEST_CASE("each rule of one argument is on lanes what it is on numbers, within the bound of its row") {
  everywhere([]<class T> {
    each_rule(ad::UnaryRules(), []<class R> {
      INFO(std::string(R::row.name));
      constexpr std::size_t r = ad::index_in<R>(ad::UnaryRules());
      // A float rule is judged by the double one, a double one by itself: two bounds apart at most.
      const Block<T> x = arguments<T>(R::row.domain, 600);
      Block<T> y(x.size());
      ad::kernels<T>().map[r](x.data(), y.data(), x.size());
      double most = 0;
      T at = 0;
      for (std::size_t i = 0; i < x.size(); ++i) {
        const T scalar = R::value(x[i]);
        const double exact = R::value(static_cast<double>(x[i])), off = sizeof(T) == 4 ? ulps(y[i], exact) : ulps(y[i], scalar);
        if (std::abs(exact) >= std::numeric_limits<T>::min() && std::abs(exact) <= std::numeric_limits<T>::max() && off > most) most = off, at = x[i];
      }
      INFO("worst at ", static_cast<double>(at));
      CHECK(most <= R::row.max_ulp * (sizeof(T) == 4 ? 1 : 2) + 0.5);
    });
  });
}

TEST_CASE("at the extremes a rule on lanes gives the number, the infinity or the NaN that it gives on numbers") {
  everywhere([]<class T> {
    each_rule(ad::UnaryRules(), []<class R> {
      INFO(std::string(R::row.name));
      constexpr std::size_t r = ad::index_in<R>(ad::UnaryRules());
      for (const T x : extremes<T>()) {
        Block<T> in(1, x), y(1), g(1, T(1)), gx(1);
        ad::kernels<T>().map[r](in.data(), y.data(), 1);
        const T expected = R::value(x);
        INFO("x = ", static_cast<double>(x), ": ", static_cast<double>(y[0]), " and on numbers ", static_cast<double>(expected));
        CHECK(alike(y[0], expected, 2 * R::row.max_ulp + 16));
        if (expected == 0) CHECK(std::signbit(y[0]) == std::signbit(expected));
      }
    });
  });
}

TEST_CASE("the pullback of a rule is g times its slope, added or written, and 0 where g is 0") {
  everywhere([]<class T> {
    each_rule(ad::UnaryRules(), []<class R> {
      INFO(std::string(R::row.name));
      constexpr std::size_t r = ad::index_in<R>(ad::UnaryRules());
      for (const bool add : {false, true}) {
        const Block<T> x = arguments<T>(R::row.domain, 100), g = random_block<T>(100), before = random_block<T>(100);
        Block<T> y(100), gx(before);
        ad::kernels<T>().map[r](x.data(), y.data(), 100);
        ad::kernels<T>().pullback[r](x.data(), y.data(), g.data(), gx.data(), 100, add);
        CHECK(gx.intact());
        for (std::size_t i = 0; i < 100; ++i) {
          const T slope = static_cast<T>(R::slope(x[i], y[i])), expected = (add ? before[i] : T(0)) + g[i] * slope;
          INFO("x = ", static_cast<double>(x[i]), " slope ", static_cast<double>(slope));
          // 1 - y * y, fused or not, differs by one place of 1
          const double size = std::abs(static_cast<double>(g[i])) * (std::abs(static_cast<double>(slope)) + 0.1) + std::abs(static_cast<double>(before[i])) + std::numeric_limits<T>::min();
          CHECK((std::abs(static_cast<double>(gx[i]) - static_cast<double>(expected)) <= 64 * std::numeric_limits<T>::epsilon() * size || gx[i] == expected || (std::isnan(gx[i]) && std::isnan(expected))));
        }
      }
      for (const T x : extremes<T>()) {  // a slope of ∞ or NaN times an adjoint of 0
        Block<T> in(1, x), y(1, R::value(x)), g(1, T(0)), gx(1, T(3));
        ad::kernels<T>().pullback[r](in.data(), y.data(), g.data(), gx.data(), 1, true);
        CHECK(gx[0] == T(3));
        ad::kernels<T>().pullback[r](in.data(), y.data(), g.data(), gx.data(), 1, false);
        CHECK(gx[0] == T(0));
      }
    });
    constexpr std::size_t r = ad::index_in<ad::Square>(ad::UnaryRules());
    Block<T> x(1, T(1)), g(1, T(not_a_number)), gx(1);
    ad::kernels<T>().pullback[r](x.data(), x.data(), g.data(), gx.data(), 1, false);
    CHECK(std::isnan(gx[0]));  // a NaN adjoint is not lost
  });
}

TEST_CASE("rules of two arguments and their pullbacks agree with the scalar rule, also where an operand repeats") {
  everywhere([]<class T> {
    each_rule(ad::BinaryRules(), []<class R> {
      INFO(std::string(R::row.name));
      constexpr std::size_t r = ad::index_in<R>(ad::BinaryRules());
      for (const ad::Repeats repeats : {ad::Repeats{}, ad::Repeats{true, false}, ad::Repeats{false, true}, ad::Repeats{true, true}}) {
        const std::size_t n = 100;
        const Block<T> a = arguments<T>(R::row.domain, n), b = arguments<T>(R::row.right, n), g = random_block<T>(n), before = random_block<T>(n);
        Block<T> y(n);
        ad::kernels<T>().zip[r](a.data(), b.data(), repeats, y.data(), n);
        CHECK(y.intact());
        for (std::size_t i = 0; i < n; ++i) CHECK(ulps(y[i], R::value(a[repeats.a ? 0 : i], b[repeats.b ? 0 : i])) <= 2 * R::row.max_ulp);
        for (const bool second : {false, true}) for (const bool add : {false, true}) {
          Block<T> gx(before);
          (second ? ad::kernels<T>().pullback_b : ad::kernels<T>().pullback_a)[r](a.data(), b.data(), repeats, y.data(), g.data(), gx.data(), n, add);
          CHECK(gx.intact());
          for (std::size_t i = 0; i < n; ++i) {
            const T p = a[repeats.a ? 0 : i], q = b[repeats.b ? 0 : i], slope = static_cast<T>(second ? static_cast<T>(R::right(p, q, y[i])) : static_cast<T>(R::left(p, q, y[i])));
            const T expected = (add ? before[i] : T(0)) + (g[i] == 0 ? T(0) : g[i] * slope);
            const double size = std::abs(static_cast<double>(g[i]) * static_cast<double>(slope)) + std::abs(static_cast<double>(before[i])) + std::numeric_limits<T>::min();
            INFO("a = ", static_cast<double>(p), " b = ", static_cast<double>(q));
            CHECK((std::abs(static_cast<double>(gx[i]) - static_cast<double>(expected)) <= 16 * std::numeric_limits<T>::epsilon() * size || gx[i] == expected || (std::isnan(gx[i]) && std::isnan(expected))));
          }
        }
      }
      for (const T p : extremes<T>()) for (const T q : {T(0), -T(0), T(2), T(infinity), T(not_a_number), T(-1)}) {
        Block<T> a(1, p), b(1, q), y(1), g(1, T(0)), gx(1, T(7));
        ad::kernels<T>().zip[r](a.data(), b.data(), {}, y.data(), 1);
        INFO("a = ", static_cast<double>(p), " b = ", static_cast<double>(q));
        CHECK(alike(y[0], R::value(p, q), 2 * R::row.max_ulp));
        ad::kernels<T>().pullback_a[r](a.data(), b.data(), {}, y.data(), g.data(), gx.data(), 1, true);
        CHECK(gx[0] == T(7));
      }
    });
  });
}

TEST_CASE("elementwise kernels of every length write what they should and nothing past the last vector") {
  everywhere([]<class T> {
    const auto& k = ad::kernels<T>();
    constexpr std::size_t square = ad::index_in<ad::Square>(ad::UnaryRules()), lgamma = ad::index_in<ad::Lgamma>(ad::UnaryRules()), times = ad::index_in<ad::Multiply>(ad::BinaryRules());
    for (const std::size_t n : lengths) {
      const Block<T> x = random_block<T>(n), b = random_block<T>(n);
      Block<T> y(n), z(n), s(n), f(n), w(x), a(x), l(n), u(x);
      k.map[square](x.data(), y.data(), n);
      k.map[lgamma](x.data(), l.data(), n);
      k.zip[times](x.data(), b.data(), {}, z.data(), n);
      k.fill(T(3), f.data(), n, false), k.fill(T(1), f.data(), n, true);
      k.axpy(T(2), b.data(), w.data(), n, true), k.axpy(T(2), b.data(), s.data(), n, false);
      k.multiply(T(3), x.data(), b.data(), a.data(), n, true);
      k.map[square](u.data(), u.data(), n);  // in place
      for (const Block<T>* block : {&y, &z, &s, &f, &w, &a, &l, &u}) CHECK(block->intact());
      for (std::size_t i = 0; i < n; ++i) {
        CHECK(y[i] == x[i] * x[i]);
        CHECK(u[i] == y[i]);
        CHECK(z[i] == x[i] * b[i]);
        CHECK(f[i] == 4);
        CHECK(near<T>(w[i], x[i] + 2 * b[i]));
        CHECK(s[i] == 2 * b[i]);
        CHECK(near<T>(a[i], x[i] + 3 * x[i] * b[i]));
      }
    }
  });
}

TEST_CASE("broadcast walks give what plain nested loops give, and sum_back sums over what repeats") {
  struct Case { std::vector<std::size_t> size, a, b; };
  const std::vector<Case> cases{
      {{5, 7}, {7, 1}, {0, 1}}, {{5, 7}, {7, 1}, {1, 0}}, {{5, 7}, {0, 1}, {1, 0}}, {{64, 10}, {10, 1}, {0, 1}}, {{3, 1000}, {1000, 1}, {0, 1}}, {{3, 3000}, {3000, 1}, {0, 1}}, {{300, 48}, {48, 1}, {0, 1}},
      {{4096, 3}, {3, 1}, {1, 0}}, {{2, 3, 4}, {12, 4, 1}, {4, 0, 1}}, {{2, 3, 4}, {0, 4, 1}, {4, 0, 1}}, {{2, 3, 4, 5}, {0, 5, 0, 1}, {4, 0, 1, 0}}, {{1, 1}, {0, 0}, {0, 0}}, {{6}, {1}, {0}},
      {{6}, {0}, {0}}, {{0, 4}, {4, 1}, {0, 1}}, {{4, 0}, {0, 1}, {0, 1}}, {{2, 3, 2, 3, 2, 3}, {4, 0, 2, 0, 1, 0}, {0, 9, 0, 3, 0, 1}}, {{50, 40, 30}, {40, 1, 0}, {0, 30, 1}}, {{7, 5}, {1, 7}, {5, 1}}};
  everywhere([&]<class T> {
    const auto& k = ad::kernels<T>();
    constexpr std::size_t minus = ad::index_in<ad::Subtract>(ad::BinaryRules()), times = ad::index_in<ad::Multiply>(ad::BinaryRules());
    for (const Case& c : cases) {
      INFO("axes ", c.size.size(), " first ", c.size[0], " last ", c.size.back());
      ad::Broadcast walk;
      std::size_t n = 1, room_a = 1, room_b = 1;
      for (std::size_t i = 0; i < c.size.size(); ++i) {
        walk.append(c.size[i], c.a[i], c.b[i]);
        n *= c.size[i];
        if (c.size[i]) room_a += (c.size[i] - 1) * c.a[i], room_b += (c.size[i] - 1) * c.b[i];
      }
      const Block<T> a = random_block<T>(room_a), b = random_block<T>(room_b), g = random_block<T>(n);
      Block<T> y(n), ga(n, T(1));
      k.broadcast(k.zip[minus], walk, a.data(), b.data(), y.data());
      k.broadcast_pullback(k.pullback_a[times], walk, a.data(), b.data(), y.data(), g.data(), ga.data(), true);
      CHECK(y.intact());
      CHECK(ga.intact());
      std::vector<double> back_a(room_a), back_b(room_b);
      for (std::size_t e = 0; e < n; ++e) {
        std::size_t from_a = 0, from_b = 0;
        for (std::size_t i = c.size.size(), rest = e; i-- > 0; rest /= c.size[i]) from_a += rest % c.size[i] * c.a[i], from_b += rest % c.size[i] * c.b[i];
        REQUIRE(y[e] == a[from_a] - b[from_b]);
        REQUIRE(near<T>(ga[e], 1 + g[e] * b[from_b]));
        back_a[from_a] += g[e], back_b[from_b] += g[e];
      }
      if (c.size == std::vector<std::size_t>{7, 5}) continue;  // a transposed view is no operand that repeats
      for (const bool add : {false, true}) {
        Block<T> sa(n || !walk.axes ? room_a : 0, T(1)), sb(n ? room_b : 0, T(1));
        if (n) k.sum_back(walk, g.data(), false, sa.data(), add), k.sum_back(walk, g.data(), true, sb.data(), add);
        CHECK(sa.exact());
        CHECK(sb.exact());
        for (std::size_t i = 0; i < sa.size(); ++i) CHECK(near<T>(sa[i], back_a[i] + add, static_cast<double>(n)));
        for (std::size_t i = 0; i < sb.size(); ++i) CHECK(near<T>(sb[i], back_b[i] + add, static_cast<double>(n)));
      }
    }
    ad::Broadcast empty;  // nothing to sum: zeros
    empty.append(0, 3, 0), empty.append(3, 1, 1);
    Block<T> gx(3, T(5));
    k.sum_back(empty, gx.data(), true, gx.data(), false);
    CHECK(gx[0] == 0);
    CHECK(gx[2] == 0);
  });
}

TEST_CASE("products agree with plain loops for all transposes, tails, starts and adds, and write exactly c") {
  struct Size { std::size_t m, n, k; };
  const Size sizes[] = {{1, 1, 1}, {4, 3, 2}, {4, 1, 3}, {2, 2, 2}, {3, 5, 4}, {1, 7, 9}, {7, 1, 9}, {1, 200, 33}, {200, 1, 33}, {5, 16, 8}, {8, 48, 5}, {9, 49, 17}, {17, 33, 40}, {16, 24, 16}, {35, 100, 20}, {70, 210, 31},
                        {130, 50, 70}, {70, 30, 600}, {0, 3, 2}, {3, 0, 2}, {3, 2, 0}, {1, 5, 0}, {5, 1, 0}};
  everywhere([&]<class T> {
    for (const Size& s : sizes) for (int form = 0; form < 5; ++form) for (int mode = 0; mode < 4; ++mode) for (const bool block : {true, false}) {
      INFO("(", s.m, ", ", s.k, ") x (", s.k, ", ", s.n, ") form ", form, " mode ", mode);
      const std::size_t gap = form == 4 ? 3 : 1;  // form 4: neither step is 1
      const std::size_t a_row = form == 1 || form == 3 ? 1 : s.k * gap, a_col = form == 1 || form == 3 ? s.m : gap, b_row = form == 2 || form == 3 ? 1 : s.n * gap, b_col = form == 2 || form == 3 ? s.k : gap;
      const Block<T> a = random_block<T>(s.m * s.k * gap), b = random_block<T>(s.k * s.n * gap), start = random_block<T>(s.n), before = random_block<T>(s.m * s.n);
      Block<T> c(before);
      ad::kernels<T>().product({.m = s.m, .n = s.n, .k = s.k, .a = a.data(), .a_row = a_row, .a_col = a_col, .b = b.data(), .b_row = b_row, .b_col = b_col,
                                .c = c.data(), .start = mode == 1 ? start.data() : nullptr, .add = mode >= 2, .scale = mode == 3 ? T(-0.5) : T(1), .block = block});
      CHECK(c.intact());
      if (!block) CHECK(c.exact());
      std::vector<double> expected(s.m * s.n);
      for (std::size_t i = 0; i < s.m; ++i) for (std::size_t j = 0; j < s.n; ++j) {
        double sum = mode == 1 ? start[j] : mode >= 2 ? before[i * s.n + j] : T(0);
        for (std::size_t k = 0; k < s.k; ++k) sum += (mode == 3 ? -0.5 : 1.0) * static_cast<double>(a[i * a_row + k * a_col]) * static_cast<double>(b[k * b_row + j * b_col]);
        expected[i * s.n + j] = sum;
      }
      CHECK(worst(c, expected) <= 4 + static_cast<double>(s.k) / 2);
    }
  });
}

TEST_CASE("a layer and its adjoints agree with the formulas, with and without activation") {
  struct Size { std::size_t m, n, k; };
  everywhere([]<class T> {
    const auto check = []<class R>(const Size& s, bool with_rule, bool bias, bool add) {
      constexpr std::size_t r = ad::index_in<R>(ad::UnaryRules());
      const auto& k = ad::kernels<T>();
      INFO(std::string(R::row.name), " (", s.m, ", ", s.k, ") x (", s.k, ", ", s.n, ")");
      const Block<T> x = random_block<T>(s.m * s.k), w = random_block<T>(s.k * s.n), b = random_block<T>(s.n), gy = random_block<T>(s.m * s.n);
      Block<T> y(s.m * s.n), gz(s.m * s.n), gx = random_block<T>(s.m * s.k), gw = random_block<T>(s.k * s.n), gb = random_block<T>(s.n);
      std::vector<double> ey(y.size()), ex(gx.data(), gx.data() + gx.size()), ew(gw.data(), gw.data() + gw.size()), eb(gb.data(), gb.data() + gb.size());
      if (!add) for (auto* e : {&ex, &ew, &eb}) std::fill(e->begin(), e->end(), 0.0);
      const ad::Affine<T> layer{s.m, s.n, s.k, x.data(), w.data(), bias ? b.data() : nullptr, y.data()};
      const ad::AffineAdjoints<T> adjoints{gy.data(), with_rule ? gz.data() : nullptr, gx.data(), gw.data(), gb.data(), add, add, add};
      if (with_rule) k.layer[r](layer), k.layer_pullback[r](layer, adjoints);
      else k.affine(layer), k.affine_pullback(layer, adjoints);
      for (std::size_t i = 0; i < s.m; ++i) for (std::size_t j = 0; j < s.n; ++j) {
        double z = bias ? b[j] : T(0);
        for (std::size_t l = 0; l < s.k; ++l) z += static_cast<double>(x[i * s.k + l]) * static_cast<double>(w[l * s.n + j]);
        const double value = with_rule ? R::value(z) : z, g = static_cast<double>(gy[i * s.n + j]) * (with_rule ? static_cast<double>(R::slope(value, value)) : 1.0);
        ey[i * s.n + j] = value, eb[j] += g;
        for (std::size_t l = 0; l < s.k; ++l) ex[i * s.k + l] += g * static_cast<double>(w[l * s.n + j]), ew[l * s.n + j] += g * static_cast<double>(x[i * s.k + l]);
      }
      const double bound = 16 + static_cast<double>(s.k + s.m + s.n);
      CHECK(worst(y, ey) <= bound);
      CHECK(worst(gx, ex) <= bound);
      CHECK(worst(gw, ew) <= bound);
      CHECK(worst(gb, eb) <= bound);
      for (const Block<T>* block : {&y, &gx, &gw, &gb}) CHECK(block->intact());
    };
    for (const Size s : {Size{4, 3, 2}, {4, 1, 3}, {3, 4, 4}, {2, 8, 1}, {1, 1, 1}, {2, 2, 2}, {1, 10, 30}, {40, 1, 30}, {33, 20, 17}, {70, 100, 9}})
      for (const bool add : {false, true}) {
        check.template operator()<ad::Sigmoid>(s, true, true, add);
        check.template operator()<ad::Tanh>(s, true, false, add);
        check.template operator()<ad::Sigmoid>(s, false, true, add);
      }
    each_rule(ad::UnaryRules(), []<class R> { CHECK((ad::kernels<T>().layer[ad::index_in<R>(ad::UnaryRules())] != nullptr) == R::row.from_result); });
  });
}

TEST_CASE("transposing moves every number, exactly") {
  everywhere([]<class T> {
    for (const std::size_t m : {0u, 1u, 3u, 4u, 5u, 33u, 70u}) for (const std::size_t n : {0u, 1u, 2u, 7u, 8u, 31u, 100u}) {
      const Block<T> x = random_block<T>(m * n);
      Block<T> y(m * n);
      ad::kernels<T>().transpose(x.data(), y.data(), m, n);
      CHECK(y.exact());
      for (std::size_t i = 0; i < m; ++i) for (std::size_t j = 0; j < n; ++j) REQUIRE(y[j * m + i] == x[i * n + j]);
    }
  });
}

TEST_CASE("sums, dots, and sums along an axis agree with long double loops") {
  everywhere([]<class T> {
    const auto& k = ad::kernels<T>();
    for (const std::size_t n : {0u, 1u, 7u, 16u, 17u, 63u, 100u, 5000u, 70001u}) {
      const Block<T> x = random_block<T>(n, 0, 1), y = random_block<T>(n);
      long double sum = 0, dot = 0;
      for (std::size_t i = 0; i < n; ++i) sum += x[i], dot += static_cast<long double>(x[i]) * y[i];
      CHECK(std::abs(k.sum(x.data(), n) - static_cast<double>(sum)) <= 8 * std::numeric_limits<T>::epsilon() * (1 + static_cast<double>(sum)));
      CHECK(std::abs(k.dot(x.data(), y.data(), n) - static_cast<double>(dot)) <= 8 * std::numeric_limits<T>::epsilon() * (1 + static_cast<double>(sum)));
    }
    for (const ad::Along s : {ad::Along{1, 5, 1}, {1, 1, 1}, {3, 4, 5}, {2, 300, 33}, {40, 6, 1}, {1, 9, 70}, {4, 1, 9}, {2, 0, 3}, {0, 2, 3}, {2, 3, 0}, {5, 70, 1}})
      for (const bool add : {false, true}) {
        const std::size_t inner = s.outer * s.inner;
        const Block<T> x = random_block<T>(inner * s.n), g = random_block<T>(inner);
        Block<T> y(inner, T(1)), gx(inner * s.n, T(1));
        k.sum_along(x.data(), y.data(), s, add);
        k.spread_along(T(2), g.data(), gx.data(), s, add);
        CHECK(y.exact());
        CHECK(gx.intact());
        for (std::size_t o = 0; o < s.outer; ++o) for (std::size_t i = 0; i < s.inner; ++i) {
          double sum = add;
          for (std::size_t j = 0; j < s.n; ++j) {
            sum += x[(o * s.n + j) * s.inner + i];
            CHECK(near<T>(gx[(o * s.n + j) * s.inner + i], add + 2 * g[o * s.inner + i]));
          }
          CHECK(near<T>(y[o * s.inner + i], sum, static_cast<double>(s.n)));
        }
      }
  });
}

TEST_CASE("the largest and the smallest along an axis: value, first place, NaN before all, and ties that share the adjoint") {
  everywhere([]<class T> {
    const auto& k = ad::kernels<T>();
    for (const ad::Along s : {ad::Along{1, 5, 1}, {1, 1, 1}, {3, 4, 5}, {2, 50, 33}, {40, 6, 1}, {3, 100, 1}, {1, 9, 70}})
      for (const bool nans : {false, true}) for (const bool largest : {false, true}) for (const bool add : {false, true}) {
        const std::size_t inner = s.outer * s.inner;
        Block<T> x(inner * s.n), y(inner), gx(inner * s.n, T(1));
        const Block<T> g = random_block<T>(inner);
        for (std::size_t i = 0; i < x.size(); ++i) x[i] = nans && dice()() % 20 == 0 ? T(not_a_number) : static_cast<T>(dice()() % 7);
        std::vector<std::int64_t> index(inner);
        (largest ? k.max_along : k.min_along)(x.data(), y.data(), index.data(), s);
        k.extreme_pullback(x.data(), y.data(), g.data(), gx.data(), s, add);
        CHECK(y.exact());
        CHECK(gx.exact());
        const auto same = [](T p, T q) { return p == q || (p != p && q != q); };
        for (std::size_t o = 0; o < s.outer; ++o) for (std::size_t i = 0; i < s.inner; ++i) {
          const auto at = [&](std::size_t j) { return (o * s.n + j) * s.inner + i; };
          std::size_t first = 0, ties = 0;
          for (std::size_t j = 1; j < s.n; ++j) {
            const T best = x[at(first)], one = x[at(j)];
            if (best == best && (one != one || (largest ? one > best : one < best))) first = j;
          }
          for (std::size_t j = 0; j < s.n; ++j) ties += same(x[at(j)], x[at(first)]);
          CHECK(same(y[o * s.inner + i], x[at(first)]));
          CHECK(index[o * s.inner + i] == static_cast<std::int64_t>(first));
          for (std::size_t j = 0; j < s.n; ++j)
            CHECK(near<T>(gx[at(j)], add + (same(x[at(j)], x[at(first)]) ? g[o * s.inner + i] / static_cast<double>(ties) : 0.0)));
        }
      }
  });
}

TEST_CASE("softmax, log_softmax and logsumexp over rows and their pullbacks agree with long double loops") {
  struct Size { std::size_t m, n; };
  everywhere([]<class T> {
    const auto& k = ad::kernels<T>();
    for (const Size s : {Size{1, 1}, {4, 3}, {5, 10}, {3, 16}, {3, 17}, {2, 40}, {6, 100}, {0, 3}}) for (const double shift : {0.0, 1000.0, -1000.0}) {
      Block<T> x = random_block<T>(s.m * s.n, -4, 4), soft(x.size()), logs(x.size()), kept(x.size()), lse(s.m), ga(x.size(), T(1)), gb(x.size(), T(1)), gc(x.size(), T(1));
      for (std::size_t i = 0; i < x.size(); ++i) x[i] += static_cast<T>(shift);
      const Block<T> g = random_block<T>(x.size()), gl = random_block<T>(s.m);
      k.softmax(x.data(), soft.data(), s.m, s.n), k.log_softmax(x.data(), logs.data(), s.m, s.n), k.logsumexp(x.data(), lse.data(), kept.data(), s.m, s.n);
      k.softmax_pullback(soft.data(), g.data(), ga.data(), s.m, s.n, true), k.log_softmax_pullback(logs.data(), g.data(), gb.data(), s.m, s.n, false);
      k.logsumexp_pullback(kept.data(), gl.data(), gc.data(), s.m, s.n, true);
      for (const Block<T>* block : {&soft, &logs, &kept, &lse, &ga, &gb, &gc}) CHECK(block->intact());
      const double bound = 200 * std::numeric_limits<T>::epsilon();
      for (std::size_t i = 0; i < s.m; ++i) {
        long double z = 0, gs = 0, gy = 0;
        for (std::size_t j = 0; j < s.n; ++j) z += std::exp(static_cast<long double>(x[i * s.n + j]) - static_cast<long double>(shift));
        const auto p = [&](std::size_t j) { return static_cast<double>(std::exp(static_cast<long double>(x[i * s.n + j]) - static_cast<long double>(shift)) / z); };
        for (std::size_t j = 0; j < s.n; ++j) gs += g[i * s.n + j], gy += g[i * s.n + j] * p(j);
        CHECK(std::abs(lse[i] - static_cast<double>(std::log(z)) - shift) <= bound * (1 + std::abs(shift)));
        for (std::size_t j = 0; j < s.n; ++j) {
          const std::size_t e = i * s.n + j;
          CHECK(std::abs(soft[e] - p(j)) <= bound);
          CHECK(kept[e] == soft[e]);
          CHECK(std::abs(logs[e] - std::log(p(j))) <= bound * 10);
          CHECK(std::abs(ga[e] - (1 + p(j) * (static_cast<double>(g[e]) - static_cast<double>(gy)))) <= bound);
          CHECK(std::abs(gb[e] - (static_cast<double>(g[e]) - p(j) * static_cast<double>(gs))) <= bound * 10);
          CHECK(std::abs(gc[e] - (1 + static_cast<double>(gl[i]) * p(j))) <= bound);
        }
      }
    }
    Block<T> x(2, T(-infinity)), lse(1);
    k.logsumexp(x.data(), lse.data(), nullptr, 1, 2);
    CHECK(lse[0] == T(-infinity));
    x[0] = T(infinity);
    k.logsumexp(x.data(), lse.data(), nullptr, 1, 2);
    CHECK(lse[0] == T(infinity));
  });
}

TEST_CASE("costs and their gradients agree with long double loops, and cost the same without a gradient") {
  struct Size { std::size_t m, n; };
  everywhere([]<class T> {
    const auto& k = ad::kernels<T>();
    const double bound = 100 * std::numeric_limits<T>::epsilon();
    for (const Size s : {Size{1, 1}, {4, 3}, {16, 10}, {17, 10}, {40, 16}, {5, 17}, {3, 100}}) for (const double scale : {1.0, 50.0}) {
      const Block<T> x = random_block<T>(s.m * s.n, -4 * scale, 4 * scale);
      std::vector<std::int32_t> label(s.m);
      for (auto& l : label) l = static_cast<std::int32_t>(dice()() % s.n);
      Block<T> g(x.size());
      const double cost = k.softmax_cross_entropy(x.data(), label.data(), g.data(), s.m, s.n);
      CHECK(cost == k.softmax_cross_entropy(x.data(), label.data(), nullptr, s.m, s.n));
      CHECK(g.intact());
      long double total = 0;
      for (std::size_t i = 0; i < s.m; ++i) {
        long double z = 0;
        for (std::size_t j = 0; j < s.n; ++j) z += std::exp(static_cast<long double>(x[i * s.n + j]));
        const auto right = static_cast<std::size_t>(label[i]);
        total += std::log(z) - x[i * s.n + right];
        for (std::size_t j = 0; j < s.n; ++j)
          CHECK(std::abs(g[i * s.n + j] - static_cast<double>(std::exp(static_cast<long double>(x[i * s.n + j])) / z - (j == right)) / static_cast<double>(s.m)) <= bound);
      }
      CHECK(std::abs(cost - static_cast<double>(total) / static_cast<double>(s.m)) <= bound * scale);
    }
    for (const std::size_t n : {1u, 4u, 16u, 17u, 1000u}) for (const double scale : {2.0, 200.0}) {
      const Block<T> x = random_block<T>(n, -scale, scale), t = random_block<T>(n, 0, 1);
      Block<T> g(n), h(n);
      const double cost = k.logistic_cross_entropy(x.data(), t.data(), g.data(), n), squares = k.squared_error(x.data(), t.data(), h.data(), n, 0.5);
      CHECK(cost == k.logistic_cross_entropy(x.data(), t.data(), nullptr, n));
      CHECK(squares == k.squared_error(x.data(), t.data(), nullptr, n, 0.5));
      CHECK(g.intact());
      CHECK(h.intact());
      long double total = 0, sum = 0;
      for (std::size_t i = 0; i < n; ++i) {
        const long double v = x[i], target = t[i], s = 1 / (1 + std::exp(-v));
        total += std::max(v, 0.0L) - v * target + std::log1p(std::exp(-std::abs(v)));
        sum += (v - target) * (v - target) / 2;
        CHECK(std::abs(g[i] - static_cast<double>((s - target) / static_cast<long double>(n))) <= bound);
        CHECK(near<T>(h[i], static_cast<double>(v - target)));
      }
      CHECK(std::abs(cost - static_cast<double>(total) / static_cast<double>(n)) <= bound * scale);
      CHECK(std::abs(squares - static_cast<double>(sum)) <= bound * (1 + static_cast<double>(sum)));
    }
  });
}

TEST_CASE("optimizers take the step that their formulas say") {
  everywhere([]<class T> {
    const auto& k = ad::kernels<T>();
    for (const std::size_t n : {0u, 1u, 16u, 17u, 100u}) {
      for (const bool moving : {false, true}) for (const bool nesterov : {false, true}) for (const double decay : {0.0, 0.1}) {
        const Block<T> w0 = random_block<T>(n), g = random_block<T>(n), v0 = random_block<T>(n);
        Block<T> w(w0), v(v0);
        k.sgd(w.data(), g.data(), moving ? v.data() : nullptr, {.rate = 0.1, .momentum = 0.9, .weight_decay = decay, .nesterov = nesterov}, n);
        CHECK(w.intact());
        CHECK(v.intact());
        for (std::size_t i = 0; i < n; ++i) {
          const double s = g[i] + decay * w0[i], speed = moving ? 0.9 * v0[i] + s : s, step = moving && nesterov ? s + 0.9 * speed : speed;
          CHECK(near<T>(w[i], w0[i] - 0.1 * step));
          if (moving) CHECK(near<T>(v[i], speed));
        }
      }
      const Block<T> w0 = random_block<T>(n), g = random_block<T>(n), m0 = random_block<T>(n), v0 = random_block<T>(n, 0.01, 1);
      Block<T> w(w0), m(m0), v(v0);
      k.adam(w.data(), g.data(), m.data(), v.data(), {.rate = 0.01, .beta1 = 0.9, .beta2 = 0.99, .epsilon = 1e-8, .unbias1 = 0.19, .unbias2 = 0.02}, n);
      for (const Block<T>* block : {&w, &m, &v}) CHECK(block->intact());
      for (std::size_t i = 0; i < n; ++i) {
        const double mi = 0.9 * m0[i] + 0.1 * g[i], vi = 0.99 * v0[i] + 0.01 * g[i] * g[i];
        CHECK(near<T>(m[i], mi));
        CHECK(near<T>(v[i], vi));
        CHECK(near<T>(w[i], w0[i] - 0.01 * (mi / 0.19) / (std::sqrt(vi / 0.02) + 1e-8), 8));
      }
    }
  });
}

TEST_CASE("the digits are the same on one, two and three threads") {
  const auto everything = []<class T>(std::vector<Block<T>>& out, std::vector<double>& numbers) {
    const auto& k = ad::kernels<T>();
    dice().seed(99);
    const std::size_t m = 130, n = 150, inner = 170, big = 70000;
    const Block<T> a = random_block<T>(m * inner), b = random_block<T>(inner * n), bias = random_block<T>(n), gy = random_block<T>(m * n), x = random_block<T>(big), y = random_block<T>(big, 0.1, 1);
    const auto block = [&](std::size_t size) -> Block<T>& { return out.emplace_back(size); };
    out.reserve(40);
    Block<T>&c = block(m * n), &t = block(n * m), &gz = block(m * n), &gx = block(m * inner), &gw = block(inner * n), &gb = block(n);
    const ad::Affine<T> layer{m, n, inner, a.data(), b.data(), bias.data(), c.data()};
    constexpr std::size_t sigmoid = ad::index_in<ad::Sigmoid>(ad::UnaryRules()), times = ad::index_in<ad::Multiply>(ad::BinaryRules());
    k.layer[sigmoid](layer), k.layer_pullback[sigmoid](layer, {gy.data(), gz.data(), gx.data(), gw.data(), gb.data(), false, false, false});
    k.product({.m = n, .n = m, .k = inner, .a = b.data(), .a_row = 1, .a_col = n, .b = a.data(), .b_row = 1, .b_col = inner, .c = t.data()});
    k.product({.m = 1, .n = 300, .k = 200, .a = x.data(), .a_row = 0, .a_col = 1, .b = y.data(), .b_row = 1, .b_col = 200, .c = block(300).data()});
    k.product({.m = 1, .n = 1000, .k = 65, .a = x.data(), .a_row = 0, .a_col = 1, .b = y.data(), .b_row = 1000, .b_col = 1, .c = block(1000).data()});
    k.map[sigmoid](x.data(), block(big).data(), big);
    k.pullback[sigmoid](x.data(), y.data(), x.data(), block(big).data(), big, false);
    k.zip[times](x.data(), y.data(), {false, true}, block(big).data(), big);
    ad::Broadcast walk;
    walk.append(7000, 10, 0), walk.append(10, 1, 1);
    k.broadcast(k.zip[times], walk, x.data(), y.data(), block(big).data());
    k.sum_back(walk, x.data(), true, block(10).data(), false);
    k.sum_along(x.data(), block(1000).data(), {1, 70, 1000}, false);
    k.sum_along(x.data(), block(700).data(), {700, 100, 1}, false);
    Block<T>& s = block(big);
    k.softmax(x.data(), s.data(), 700, 100);
    k.log_softmax_pullback(s.data(), x.data(), block(big).data(), 700, 100, false);
    k.transpose(x.data(), block(big).data(), 700, 100);
    std::vector<std::int32_t> label(700, 3);
    numbers = {k.sum(x.data(), big), k.dot(x.data(), y.data(), big), k.softmax_cross_entropy(x.data(), label.data(), block(big).data(), 700, 100),
               k.logistic_cross_entropy(x.data(), y.data(), block(big).data(), big), k.squared_error(x.data(), y.data(), nullptr, big, 1)};
    Block<T>&w = block(big), &v = block(big), &w2 = block(big);
    k.sgd(w.data(), x.data(), v.data(), {.rate = 0.1, .momentum = 0.9}, big);
    k.adam(w2.data(), x.data(), v.data(), w.data(), {0.1, 0.9, 0.99, 1, 0.1, 0.1}, big);
  };
  everywhere([&]<class T> {
    std::vector<Block<T>> one;
    std::vector<double> one_numbers;
    everything(one, one_numbers);
    for (const unsigned threads : {2u, 3u}) {
      ad::set_threads(threads);
      std::vector<Block<T>> many;
      std::vector<double> numbers;
      everything(many, numbers);
      ad::set_threads(1);
      REQUIRE(many.size() == one.size());
      for (std::size_t i = 0; i < one.size(); ++i) { INFO("block ", i); CHECK(many[i] == one[i]); CHECK(many[i].intact()); }
      CHECK(numbers == one_numbers);
    }
  });
}

TEST_CASE("a target that this machine does not have is an error that names those it has") {
  CHECK_THROWS_AS(ad::select_target("MMX"), ad::Error);
  ad::select_target(nullptr);
  const char* best;
  CHECK(ad::selectable_targets(&best, 1) >= 1);
  CHECK(std::string(ad::kernels<double>().target) == best);
}
