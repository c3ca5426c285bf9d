// Costs with their gradients, and optimizers, on every instruction set this machine can run, against plain loops in long double.
#include "kernel_support.hpp"

using namespace kernel_support;

TEST_CASE("costs and their gradients agree with long double loops, and cost the same without a gradient") {
  struct Size { std::size_t m, n; };
  everywhere([]<class T> {
    const auto& k = ad::kernels<T>();
    const double bound = 100 * std::numeric_limits<T>::epsilon();
    for (const Size s : {Size{1, 1}, {4, 3}, {3, 7}, {16, 10}, {17, 10}, {40, 16}, {5, 17}, {3, 100}}) for (const double scale : {1.0, 50.0}) {
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
          CHECK(std::abs(g[i * s.n + j] -
              static_cast<double>(std::exp(static_cast<long double>(x[i * s.n + j])) / z - (j == right)) / static_cast<double>(s.m)) <= bound);
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

TEST_CASE("the logistic cost has its digits where it is small") {
  everywhere([]<class T> {
    for (double v = 0; v < 80; v += 0.0625) {  // t = 1: what is left is log(1 + e^−v)
      const T x = static_cast<T>(v), t = 1;
      Block<T> logits(1, x), target(1, t);
      INFO("logit ", v);
      CHECK(ulps(static_cast<T>(ad::kernels<T>().logistic_cross_entropy(logits.data(), target.data(), nullptr, 1)),
          std::log1p(std::exp(-static_cast<long double>(x)))) <= 3);
    }
    for (const T x : {T(30), T(1e4), T(-30), T(-1e4)}) {  // t near 1, or near 0: x·t takes nothing away from x
      const T t = x > 0 ? 1 - std::numeric_limits<T>::epsilon() * 4 : std::numeric_limits<T>::epsilon() * 4;
      Block<T> logits(1, x), target(1, t);
      INFO("logit ", x);
      const auto v = static_cast<long double>(x), s = static_cast<long double>(t);
      CHECK(ulps(static_cast<T>(ad::kernels<T>().logistic_cross_entropy(logits.data(), target.data(), nullptr, 1)),
          v * ((x > 0) - s) + std::log1p(std::exp(-std::abs(v)))) <= 3);
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
      k.adam(w.data(), g.data(), m.data(), v.data(),
          {.rate = 0.01, .beta1 = 0.9, .beta2 = 0.99, .epsilon = 1e-8, .unbias1 = 0.19, .unbias2 = 0.02}, n);
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

TEST_CASE("Adam takes a gradient whose square is out of range as long as its share of it is not") {
  everywhere([]<class T> {
    const T huge = std::sqrt(std::numeric_limits<T>::max()) * 2;
    Block<T> w = random_block<T>(1), g = w, m = w, v = w;
    w[0] = 1, g[0] = huge, m[0] = v[0] = 0;
    ad::kernels<T>().adam(w.data(), g.data(), m.data(), v.data(),
        {.rate = 0.01, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8, .unbias1 = 0.1, .unbias2 = 0.001}, 1);
    CHECK(near<T>(w[0], 0.99, 8));
  });
}
