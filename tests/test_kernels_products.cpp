// Products, layers with their adjoints, and transposition, on every instruction set this machine can run, against plain loops.
#include "kernel_support.hpp"

using namespace kernel_support;

namespace {

struct Size { std::size_t m, n, k; };

/// form 1: a is transposed; 2: b; 3: both; 4: no step is 1. mode 1: from a row; 2: added; 3: times −1/2 and added, where no row is used.
template <class T> void check_product(const Size& s, int form, int mode, bool block) {
  INFO("(", s.m, ", ", s.k, ") x (", s.k, ", ", s.n, ") form ", form, " mode ", mode);
  const std::size_t gap = form == 4 ? 3 : 1;
  const std::size_t a_row = form == 1 || form == 3 ? 1 : s.k * gap, a_col = form == 1 || form == 3 ? s.m : gap,
      b_row = form == 2 || form == 3 ? 1 : s.n * gap, b_col = form == 2 || form == 3 ? s.k : gap;
  const Block<T> a = random_block<T>(s.m * s.k * gap), b = random_block<T>(s.k * s.n * gap),
      start = random_block<T>(s.n), before = random_block<T>(s.m * s.n);
  Block<T> c(before);
  ad::kernels<T>().product({.m = s.m, .n = s.n, .k = s.k, .a = a.data(), .a_row = a_row, .a_col = a_col,
                            .b = b.data(), .b_row = b_row, .b_col = b_col,
                            .c = c.data(), .start = mode == 1 || mode == 3 ? start.data() : nullptr,
                            .add = mode >= 2, .scale = mode == 3 ? T(-0.5) : T(1), .block = block});
  CHECK(c.intact());
  if (!block) CHECK(c.exact());
  std::vector<double> expected(s.m * s.n);
  for (std::size_t i = 0; i < s.m; ++i) for (std::size_t j = 0; j < s.n; ++j) {
    double sum = mode == 1 ? start[j] : mode >= 2 ? before[i * s.n + j] : T(0);
    for (std::size_t k = 0; k < s.k; ++k)
      sum += (mode == 3 ? -0.5 : 1.0) * static_cast<double>(a[i * a_row + k * a_col]) * static_cast<double>(b[k * b_row + j * b_col]);
    expected[i * s.n + j] = sum;
  }
  CHECK(worst(c, expected) <= 4 + static_cast<double>(s.k) / 2);
}

}  // namespace

TEST_CASE("products agree with plain loops for all transposes, tails, starts and adds, and write exactly c") {
  const Size sizes[] = {{1, 1, 1}, {4, 3, 2}, {4, 1, 3}, {2, 2, 2}, {3, 5, 4}, {1, 7, 9}, {7, 1, 9}, {1, 200, 33},
                        {200, 1, 33}, {5, 16, 8}, {8, 48, 5}, {9, 49, 17}, {17, 33, 40}, {16, 24, 16}, {35, 100, 20}, {70, 210, 31},
                        {130, 50, 70}, {70, 30, 600}, {44, 100, 20}, {0, 3, 2}, {3, 0, 2}, {3, 2, 0}, {1, 5, 0}, {5, 1, 0}};
  everywhere([&]<class T> {
    for (const Size& s : sizes) for (int form = 0; form < 5; ++form) for (int mode = 0; mode < 4; ++mode)
      for (const bool block : {true, false}) check_product<T>(s, form, mode, block);
  });
}

TEST_CASE("products with a long inner size, of few rows and of many") {
  everywhere([]<class T> {
    for (const Size& s : {Size{3, 40, 1030}, {33, 110, 1600}, {129, 20, 1024}, {3, 5, 8200}})
      for (const int form : {0, 1, 2}) for (const int mode : {1, 3}) check_product<T>(s, form, mode, form == 0);
  });
}

TEST_CASE("the sum of very many products keeps its digits, in products of every kind") {
  everywhere([]<class T> {
    constexpr std::size_t k = 150'000;
    const std::vector<T> numbers(9 * k + 64, T(0.3));  // kernels read past the end
    const double exact = static_cast<double>(numbers[0]) * static_cast<double>(numbers[0]) * static_cast<double>(k);
    for (const Size& s : {Size{4, 5, k}, {9, 1, k}, {1, 9, k}})
      for (const int form : {0, 1, 2}) {
        Block<T> c(s.m * s.n);
        const bool a_turned = form == 1, b_turned = form == 2;
        ad::kernels<T>().product({.m = s.m, .n = s.n, .k = k, .a = numbers.data(), .a_row = a_turned ? 1 : k, .a_col = a_turned ? s.m : 1,
                                  .b = numbers.data(), .b_row = b_turned ? 1 : s.n, .b_col = b_turned ? k : 1, .c = c.data(), .block = false});
        for (const T y : std::span(c.data(), c.size())) REQUIRE(std::abs(static_cast<double>(y) / exact - 1) <= 400 * std::numeric_limits<T>::epsilon());
      }
  });
}

TEST_CASE("a layer and its adjoints agree with the formulas, with and without activation") {
  everywhere([]<class T> {
    const auto check = []<class R>(const Size& s, bool bias, bool add) {
      constexpr bool activated = !std::is_same_v<R, ad::Identity>;
      constexpr std::size_t r = ad::index_in<R>(ad::UnaryRules());
      const auto& k = ad::kernels<T>();
      INFO(std::string(R::row.name), " (", s.m, ", ", s.k, ") x (", s.k, ", ", s.n, ")");
      const Block<T> x = random_block<T>(s.m * s.k), w = random_block<T>(s.k * s.n), b = random_block<T>(s.n), gy = random_block<T>(s.m * s.n);
      Block<T> y(s.m * s.n), gz(s.m * s.n), gx = random_block<T>(s.m * s.k), gw = random_block<T>(s.k * s.n), gb = random_block<T>(s.n);
      std::vector<double> ey(y.size()), ex(gx.data(), gx.data() + gx.size()),
          ew(gw.data(), gw.data() + gw.size()), eb(gb.data(), gb.data() + gb.size());
      if (!add) for (auto* e : {&ex, &ew, &eb}) std::fill(e->begin(), e->end(), 0.0);
      const ad::Affine<T> layer{s.m, s.n, s.k, x.data(), w.data(), bias ? b.data() : nullptr, y.data()};
      const ad::AffineAdjoints<T> adjoints{gy.data(), activated ? gz.data() : nullptr, gx.data(), gw.data(), gb.data(), add, add, add};
      k.layer[r](layer), k.layer_pullback[r](layer, adjoints);
      for (std::size_t i = 0; i < s.m; ++i) for (std::size_t j = 0; j < s.n; ++j) {
        double z = bias ? b[j] : T(0);
        for (std::size_t l = 0; l < s.k; ++l) z += static_cast<double>(x[i * s.k + l]) * static_cast<double>(w[l * s.n + j]);
        const double value = R::value(z), g = static_cast<double>(gy[i * s.n + j]) * static_cast<double>(R::slope(value, value));
        ey[i * s.n + j] = value, eb[j] += g;
        for (std::size_t l = 0; l < s.k; ++l)
          ex[i * s.k + l] += g * static_cast<double>(w[l * s.n + j]), ew[l * s.n + j] += g * static_cast<double>(x[i * s.k + l]);
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
        check.template operator()<ad::Sigmoid>(s, true, add);
        check.template operator()<ad::Tanh>(s, false, add);
        check.template operator()<ad::Identity>(s, true, add);
      }
    each_rule(ad::UnaryRules(), []<class R>(R) {
      CHECK((ad::kernels<T>().layer[ad::index_in<R>(ad::UnaryRules())] != nullptr) == R::row.from_result);
    });
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
