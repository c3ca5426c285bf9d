// Sums, extremes and softmax, on every instruction set this machine can run, against plain loops in long double.
#include "kernel_support.hpp"

using namespace kernel_support;

TEST_CASE("sums, dots, and sums along an axis agree with long double loops") {
  everywhere([]<class T> {
    const auto& k = ad::kernels<T>();
    for (const std::size_t n : {0u, 1u, 7u, 16u, 17u, 63u, 100u, 5000u, 70001u}) {
      const Block<T> x = random_block<T>(n, 0, 1), y = random_block<T>(n);
      long double sum = 0, dot = 0;
      for (std::size_t i = 0; i < n; ++i) sum += x[i], dot += static_cast<long double>(x[i]) * y[i];
      CHECK(std::abs(k.sum(x.data(), n) - static_cast<double>(sum)) <= 8 * std::numeric_limits<T>::epsilon() * (1 + static_cast<double>(sum)));
      CHECK(std::abs(k.dot(x.data(), y.data(), n) - static_cast<double>(dot)) <=
          8 * std::numeric_limits<T>::epsilon() * (1 + static_cast<double>(sum)));
    }
    for (const ad::Along s : {ad::Along{1, 5, 1}, {1, 1, 1}, {3, 4, 5}, {2, 300, 33},
        {40, 6, 1}, {35, 3, 1}, {35, 20, 1}, {17, 31, 1}, {20, 0, 1}, {1, 9, 70}, {4, 1, 9}, {2, 0, 3}, {0, 2, 3}, {2, 3, 0}, {5, 70, 1}})
      for (const bool add : {false, true}) {
        const std::size_t inner = s.outer * s.inner;
        const Block<T> x = random_block<T>(inner * s.n), g = random_block<T>(inner);
        Block<T> y(inner, T(1)), gx(inner * s.n, T(1));
        k.sum_along(x.data(), y.data(), s, add);
        k.spread_along(g.data(), gx.data(), s, add);
        CHECK(y.exact());
        CHECK(gx.intact());
        for (std::size_t o = 0; o < s.outer; ++o) for (std::size_t i = 0; i < s.inner; ++i) {
          double sum = add;
          for (std::size_t j = 0; j < s.n; ++j) {
            sum += x[(o * s.n + j) * s.inner + i];
            CHECK(near<T>(gx[(o * s.n + j) * s.inner + i], add + g[o * s.inner + i]));
          }
          CHECK(near<T>(y[o * s.inner + i], sum, static_cast<double>(s.n)));
        }
      }
  });
}

TEST_CASE("the sum of a row is the same to the last digit wherever the row stands") {
  everywhere([]<class T> {
    for (const std::size_t n : {3u, 7u, 20u, 40u}) {
      constexpr std::size_t m = 37;
      const Block<T> row = random_block<T>(n);
      Block<T> x(m * n), y(m);
      for (std::size_t i = 0; i < x.size(); ++i) x[i] = row[i % n];
      ad::kernels<T>().sum_along(x.data(), y.data(), {m, n, 1}, false);
      for (std::size_t i = 0; i < m; ++i) CHECK(y[i] == y[0]);
    }
  });
}

TEST_CASE("the largest and the smallest along an axis: value, first place, NaN before all, and ties that share the adjoint") {
  everywhere([]<class T> {
    const auto& k = ad::kernels<T>();
    for (const ad::Along s : {ad::Along{1, 5, 1}, {1, 1, 1}, {3, 4, 5}, {2, 50, 33}, {40, 6, 1}, {35, 20, 1}, {17, 1, 1}, {3, 100, 1}, {1, 9, 70}})
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
    for (const Size s : {Size{1, 1}, {4, 3}, {3, 7}, {5, 10}, {3, 16}, {3, 17}, {2, 40}, {6, 100}, {0, 3}})
    for (const double shift : {0.0, 1000.0, -1000.0}) {
      Block<T> x = random_block<T>(s.m * s.n, -4, 4), soft(x.size()), logs(x.size()),
          kept(x.size()), lse(s.m), ga(x.size(), T(1)), gb(x.size(), T(1)), gc(x.size(), T(1));
      for (std::size_t i = 0; i < x.size(); ++i) x[i] += static_cast<T>(shift);
      const Block<T> g = random_block<T>(x.size()), gl = random_block<T>(s.m);
      k.softmax(x.data(), soft.data(), s.m, s.n), k.log_softmax(x.data(), logs.data(), s.m, s.n),
          k.logsumexp(x.data(), lse.data(), kept.data(), s.m, s.n);
      k.softmax_pullback(soft.data(), g.data(), ga.data(), s.m, s.n, true), k.log_softmax_pullback(logs.data(), g.data(), gb.data(), s.m, s.n, false);
      k.logsumexp_pullback(kept.data(), gl.data(), gc.data(), s.m, s.n, true);
      for (const Block<T>* block : {&soft, &logs, &kept, &lse, &ga, &gb, &gc}) CHECK(block->intact());
      const double bound = 200 * std::numeric_limits<T>::epsilon();
      for (std::size_t i = 0; i < s.m; ++i) {
        long double z = 0, gs = 0, gy = 0;
        for (std::size_t j = 0; j < s.n; ++j) z += std::exp(static_cast<long double>(x[i * s.n + j]) - static_cast<long double>(shift));
        const auto p = [&](std::size_t j) {
          return static_cast<double>(std::exp(static_cast<long double>(x[i * s.n + j]) - static_cast<long double>(shift)) / z);
        };
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
