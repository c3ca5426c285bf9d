// The kernels, number by number, on every instruction set this machine can run, float and double, against plain loops: each listed rule within the
// bound that its row states, broadcasting, nothing written past what is allowed; and all kernels' digits on any number of threads.
#include "kernel_support.hpp"
#include "autodiff/pool.hpp"

using namespace kernel_support;

namespace {

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
  static const std::vector<T> x{T(0), -T(0), T(1), T(-1), T(0.5), T(-0.5), T(1.5), T(2.5), T(-2.5),
                                L::infinity(), -L::infinity(), L::quiet_NaN(), L::denorm_min(), -L::denorm_min(),
                                L::min(), -L::min(), L::min() / 2, L::max(), L::lowest(), L::epsilon(),
                                1 - L::epsilon() / 2, 1 + L::epsilon(), T(88.72), T(88.73), T(-88), T(-103.5), T(709.7),
                                T(709.8), T(-745), T(-746), T(-1000), T(1e10), T(-1e10), T(39000), T(1e6), T(19), T(21), T(-40)};
  return x;
}

/// Same kind of result: both NaN, the same infinity, or finite and close. The last digits of what is lost below the normal numbers are not asked for.
template <class T> bool alike(T got, T expected, double bound) {
  if (std::isnan(expected) || std::isnan(got)) return std::isnan(expected) && std::isnan(got);
  if (std::isinf(expected) || std::isinf(got)) return got == expected;
  return ulps(got, expected) <= bound || std::abs(got - expected) <= std::numeric_limits<T>::min();
}

}  // namespace

TEST_CASE("each rule of one argument is on lanes what it is on numbers, within the bound of its row") {
  everywhere([]<class T> {
    each_rule(ad::UnaryRules(), []<class R>(R) {
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
    each_rule(ad::UnaryRules(), []<class R>(R) {
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

TEST_CASE("the cosine of 0 is 1, so that its floor is") {
  everywhere([]<class T> {
    Block<T> x(1, T(0)), y(1);
    ad::kernels<T>().map[ad::index_in<ad::Cos>(ad::UnaryRules())](x.data(), y.data(), 1);
    CHECK(y[0] == 1);
  });
}

TEST_CASE("the pullback of a rule is g times its slope, added or written, and 0 where g is 0") {
  everywhere([]<class T> {
    each_rule(ad::UnaryRules(), []<class R>(R) {
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
          const double size = std::abs(static_cast<double>(g[i])) * (std::abs(static_cast<double>(slope)) + 0.1) +
              std::abs(static_cast<double>(before[i])) + std::numeric_limits<T>::min();
          CHECK((std::abs(static_cast<double>(gx[i]) - static_cast<double>(expected)) <= 64 * std::numeric_limits<T>::epsilon() * size ||
              gx[i] == expected || (std::isnan(gx[i]) && std::isnan(expected))));
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
    each_rule(ad::BinaryRules(), []<class R>(R) {
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
            const T p = a[repeats.a ? 0 : i], q = b[repeats.b ? 0 : i],
                slope = static_cast<T>(second ? static_cast<T>(R::right(p, q, y[i])) : static_cast<T>(R::left(p, q, y[i])));
            const T expected = (add ? before[i] : T(0)) + (g[i] == 0 ? T(0) : g[i] * slope);
            const double size = std::abs(static_cast<double>(g[i]) * static_cast<double>(slope)) +
                std::abs(static_cast<double>(before[i])) + std::numeric_limits<T>::min();
            INFO("a = ", static_cast<double>(p), " b = ", static_cast<double>(q));
            CHECK((std::abs(static_cast<double>(gx[i]) - static_cast<double>(expected)) <= 16 * std::numeric_limits<T>::epsilon() * size ||
                gx[i] == expected || (std::isnan(gx[i]) && std::isnan(expected))));
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
    constexpr std::size_t square = ad::index_in<ad::Square>(ad::UnaryRules()),
        lgamma = ad::index_in<ad::Lgamma>(ad::UnaryRules()), times = ad::index_in<ad::Multiply>(ad::BinaryRules());
    for (const std::size_t n : lengths) {
      const Block<T> x = random_block<T>(n), b = random_block<T>(n);
      Block<T> y(n), z(n), s(n), f(n), w(x), l(n), u(x);
      k.map[square](x.data(), y.data(), n);
      k.map[lgamma](x.data(), l.data(), n);
      k.zip[times](x.data(), b.data(), {}, z.data(), n);
      k.fill(T(3), f.data(), n, false), k.fill(T(1), f.data(), n, true);
      k.axpy(T(2), b.data(), w.data(), n, true), k.axpy(T(2), b.data(), s.data(), n, false);
      k.map[square](u.data(), u.data(), n);  // in place
      for (const Block<T>* block : {&y, &z, &s, &f, &w, &l, &u}) CHECK(block->intact());
      for (std::size_t i = 0; i < n; ++i) {
        CHECK(y[i] == x[i] * x[i]);
        CHECK(u[i] == y[i]);
        CHECK(z[i] == x[i] * b[i]);
        CHECK(f[i] == 4);
        CHECK(near<T>(w[i], x[i] + 2 * b[i]));
        CHECK(s[i] == 2 * b[i]);
      }
    }
  });
}

TEST_CASE("comparisons are what C++ says of numbers, of NaN and of both zeros") {
  everywhere([]<class T> {
    const T special[] = {0, -T(0), 1, -1, static_cast<T>(infinity), static_cast<T>(-infinity), static_cast<T>(not_a_number)};
    for (const std::size_t n : lengths)
      for (const ad::Repeats r : {ad::Repeats{}, {true, false}, {false, true}, {true, true}}) {
        Block<T> a(n), b(n), y(n);
        for (std::size_t i = 0; i < n; ++i) a[i] = special[dice()() % 7], b[i] = special[dice()() % 7];
        const auto agrees = [&]<class Holds>(Holds) {
          ad::kernels<T>().compare[ad::index_in<Holds>(ad::Comparisons())](a.data(), b.data(), r, y.data(), n);
          CHECK(y.intact());
          for (std::size_t i = 0; i < n; ++i) CHECK(y[i] == T(Holds::holds(a[r.a ? 0 : i], b[r.b ? 0 : i])));
        };
        agrees(ad::Less()), agrees(ad::LessEqual()), agrees(ad::Equal()), agrees(ad::NotEqual());
      }
  });
}

TEST_CASE("select takes one or the other, and its pullback hands the adjoint to the one taken") {
  everywhere([]<class T> {
    const auto& k = ad::kernels<T>();
    for (const std::size_t n : lengths) {
      const Block<T> a = random_block<T>(n), b = random_block<T>(n), g = random_block<T>(n);
      Block<T> mask = random_block<T>(n);
      for (std::size_t i = 0; i < n; ++i) mask[i] = mask[i] > 0 ? T(i % 3) : i % 5 == 0 ? -T(0) : std::numeric_limits<T>::quiet_NaN();
      const auto taken = [&](std::size_t i) { return mask[i] != 0; };
      for (const ad::Repeats r : {ad::Repeats{}, {true, false}, {false, true}, {true, true}}) {
        Block<T> y(n);
        k.select(mask.data(), a.data(), b.data(), r, y.data(), n);
        CHECK(y.intact());
        for (std::size_t i = 0; i < n; ++i) CHECK(y[i] == (taken(i) ? a[r.a ? 0 : i] : b[r.b ? 0 : i]));
      }
      for (const bool second : {false, true}) {
        Block<T> written(n), added(a);
        k.select_pullback(mask.data(), second, g.data(), written.data(), n, false),
            k.select_pullback(mask.data(), second, g.data(), added.data(), n, true);
        CHECK((written.intact() && added.intact()));
        for (std::size_t i = 0; i < n; ++i) {
          CHECK(written[i] == (taken(i) != second ? g[i] : T(0)));
          CHECK(added[i] == a[i] + written[i]);
        }
      }
    }
  });
}

TEST_CASE("broadcast walks give what plain nested loops give, and sum_back sums over what repeats") {
  struct Case { std::vector<std::size_t> size, a, b; };
  const std::vector<Case> cases{
      {{5, 7}, {7, 1}, {0, 1}}, {{5, 7}, {7, 1}, {1, 0}}, {{5, 7}, {0, 1}, {1, 0}}, {{64, 10}, {10, 1}, {0, 1}},
      {{3, 1000}, {1000, 1}, {0, 1}}, {{3, 3000}, {3000, 1}, {0, 1}}, {{300, 48}, {48, 1}, {0, 1}},
      {{4096, 3}, {3, 1}, {1, 0}}, {{2, 3, 4}, {12, 4, 1}, {4, 0, 1}}, {{2, 3, 4}, {0, 4, 1}, {4, 0, 1}},
      {{2, 3, 4, 5}, {0, 5, 0, 1}, {4, 0, 1, 0}}, {{1, 1}, {0, 0}, {0, 0}}, {{6}, {1}, {0}},
      {{6}, {0}, {0}}, {{0, 4}, {4, 1}, {0, 1}}, {{4, 0}, {0, 1}, {0, 1}},
      {{2, 3, 2, 3, 2, 3}, {4, 0, 2, 0, 1, 0}, {0, 9, 0, 3, 0, 1}}, {{50, 40, 30}, {40, 1, 0}, {0, 30, 1}}, {{7, 5}, {1, 7}, {5, 1}}};
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
        for (std::size_t i = c.size.size(), rest = e; i-- > 0; rest /= c.size[i])
          from_a += rest % c.size[i] * c.a[i], from_b += rest % c.size[i] * c.b[i];
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

TEST_CASE("the digits are the same on one, two and three threads") {
  const auto everything = []<class T>(std::vector<Block<T>>& out, std::vector<double>& numbers) {
    const auto& k = ad::kernels<T>();
    dice().seed(99);
    const std::size_t m = 130, n = 150, inner = 170, big = 70000;
    const Block<T> a = random_block<T>(m * inner), b = random_block<T>(inner * n), bias = random_block<T>(n),
        gy = random_block<T>(m * n), x = random_block<T>(big), y = random_block<T>(big, 0.1, 1);
    const auto block = [&](std::size_t size) -> Block<T>& { return out.emplace_back(size); };
    out.reserve(40);
    Block<T>&c = block(m * n), &t = block(n * m), &gz = block(m * n), &gx = block(m * inner), &gw = block(inner * n), &gb = block(n);
    const ad::Affine<T> layer{m, n, inner, a.data(), b.data(), bias.data(), c.data()};
    constexpr std::size_t sigmoid = ad::index_in<ad::Sigmoid>(ad::UnaryRules()), times = ad::index_in<ad::Multiply>(ad::BinaryRules());
    k.layer[sigmoid](layer), k.layer_pullback[sigmoid](layer, {gy.data(), gz.data(), gx.data(), gw.data(), gb.data(), false, false, false});
    k.product({.m = n, .n = m, .k = inner, .a = b.data(), .a_row = 1, .a_col = n, .b = a.data(), .b_row = 1, .b_col = inner, .c = t.data()});
    k.product({.m = 1, .n = 300, .k = 200, .a = x.data(), .a_row = 0, .a_col = 1, .b = y.data(), .b_row = 1, .b_col = 200, .c = block(300).data()});
    k.product({.m = 1, .n = 1000, .k = 65, .a = x.data(), .a_row = 0, .a_col = 1, .b = y.data(), .b_row = 1000, .b_col = 1, .c = block(1000).data()});
    k.product({.m = 60, .n = 65, .k = 1060, .a = x.data(), .a_row = 1060, .a_col = 1, .b = y.data(), .b_row = 65, .b_col = 1,
               .c = block(60 * 65).data(), .add = true, .scale = T(-0.5)});
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

TEST_CASE("sine and cosine stay within ±1, also at multiples of π/2") {
  everywhere([]<class T> {
    const std::size_t n = 4000;
    Block<T> x(n), s(n), c(n);
    for (std::size_t i = 0; i < n; ++i)
      x[i] = static_cast<T>((static_cast<double>(i % 128) - 64) * 1.5707963267948966 + (i < 128 ? 0 : uniform(-1e-3, 1e-3)));
    ad::kernels<T>().map[ad::index_in<ad::Sin>(ad::UnaryRules{})](x.data(), s.data(), n);
    ad::kernels<T>().map[ad::index_in<ad::Cos>(ad::UnaryRules{})](x.data(), c.data(), n);
    for (std::size_t i = 0; i < n; ++i) {
      CHECK(std::abs(s[i]) <= 1);
      CHECK(std::abs(c[i]) <= 1);
    }
  });
}

TEST_CASE("work that threads share gives the same numbers, and adds to what is there") {
  const std::size_t n = 50'000;
  auto x = ad::Tensor<double>::uninitialized({n}), w = x;
  for (std::size_t i = 0; i < n; ++i) x[i] = std::sin(static_cast<double>(i)), w[i] = std::cos(static_cast<double>(i));
  const auto f = [&](const auto& t) { return sum(t) + sum(tanh(t)) + sum(t * w / (2 + t)) + sum(w / (3 + t)); };
  const auto bias = [](const auto& b) { const auto t = ad::Tensor<double>::ones({200, 300}) * b; return sum(square(t + b)) + sum(b); };
  const auto b = ad::Tensor<double>::full({300}, 0.5);
  const ad::Tensor<double> g = ad::gradient(f, x), less = x < w, gb = ad::gradient(bias, b);
  ad::set_threads(3);
  CHECK(equal(ad::gradient(f, x), g));
  CHECK(equal(x < w, less));
  CHECK(equal(ad::gradient(bias, b), gb));
  ad::set_threads(1);
}

TEST_CASE("a short row on the left of many") {
  auto x = ad::Tensor<double>::uninitialized({3000, 3});
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<double>(i);
  const ad::Tensor<double> y = ad::Tensor<double>{1, 2, 3} - x;
  for (std::size_t i = 0; i < x.size(); ++i) REQUIRE(y[i] == static_cast<double>(i % 3 + 1) - static_cast<double>(i));
}

TEST_CASE("logarithms at the ends of their domains") {
  CHECK(log(ad::Tensor<double>{0, 1})[0] == -HUGE_VAL);
  CHECK(log(ad::Tensor<float>{0, 1})[0] == -HUGE_VALF);
  CHECK(log1p(ad::Tensor<double>{-1, 1})[0] == -HUGE_VAL);
  {
    CHECK(std::signbit(log1p(ad::Tensor<double>{-0.0, 1}).data()[0]));
    CHECK(std::signbit(log1p(ad::Tensor<float>{-0.0f, 1}).data()[0]));
  }
}

TEST_CASE("operands that repeat after different periods are told apart") {
  everywhere([]<class T> {
    ad::Broadcast walk;
    walk.append(100, 0, 0), walk.append(5, 7, 0), walk.append(7, 1, 1);
    Block<T> a(35), b(7), y(3500);
    for (std::size_t i = 0; i < a.size(); ++i) a[i] = static_cast<T>(i);
    for (std::size_t i = 0; i < b.size(); ++i) b[i] = 0;
    const auto& k = ad::kernels<T>();
    k.broadcast(k.zip[ad::index_in<ad::Add>(ad::BinaryRules{})], walk, a.data(), b.data(), y.data());
    for (std::size_t i = 0; i < y.size(); ++i) CHECK(y[i] == static_cast<T>(i % 35));
  });
}
