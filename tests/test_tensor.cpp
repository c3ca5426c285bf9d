// Tensors without derivatives: braces, indices, numbers shared until written, and the law of memory.
#include "support.hpp"
#include <thread>

using ad::Shape;
using ad::Tensor;
using support::difference;
using support::refuses;

TEST_CASE("braces are values, never sizes") {
  CHECK(Tensor<double>{0, 1}.shape() == Shape({2}));
  CHECK(Tensor<double>{5}.shape() == Shape({1}));
  CHECK(Tensor<double>{{0}, {1}}.shape() == Shape({2, 1}));
  CHECK(Tensor<double>{{7}}.shape() == Shape({1, 1}));
  CHECK(Tensor<double>{{1, 2, 3}}.shape() == Shape({1, 3}));
  CHECK(Tensor<double>{{0, 0}, {0, 1}, {1, 0}, {1, 1}}.shape() == Shape({4, 2}));
  CHECK(Tensor<double>{{{1}, {2}}, {{3}, {4}}, {{5}, {6}}}.shape() == Shape({3, 2, 1}));
  CHECK(Tensor<double>{}.shape() == Shape({0}));
  const int i = 3;
  const float f = 0.5f;
  const Tensor<double> mixed{i, f, 2L, 'a', true};
  CHECK(mixed.shape() == Shape({5}));
  CHECK(mixed(0) == 3);
  CHECK(mixed(1) == 0.5);
  CHECK(mixed(3) == 97);
  CHECK(Tensor<double>{{i, 2}, {f, i}}(1, 1) == 3);  // no narrowing
  CHECK(Tensor<double>{{{3}}}.shape() == Shape({1, 1, 1}));
  const std::vector<Tensor<double>> list{{1, 2}, {{3}, {4}}};
  CHECK(list[1].shape() == Shape({2, 1}));
  CHECK(Tensor<float>{{0.1f, 2}}(0, 0) == 0.1f);
}

TEST_CASE("ragged braces are refused") {
  refuses<ad::ShapeError>([] { Tensor<double>{{1, 2}, {3}}; }, {"tensor: row 1 has 1 numbers, the first 2"});
  refuses<ad::ShapeError>([] { Tensor<double>{{{1, 2}}, {{3, 4}, {5, 6}}}; }, {"tensor: layer 1 has 2 rows, the first 1"});
  refuses<ad::ShapeError>([] { Tensor<double>{{{1, 2}, {3, 4}}, {{5}, {6, 7}}}; }, {"tensor: row 0 has 1 numbers, the first 2"});
}

TEST_CASE("tensors by name: zeros, ones, full, from") {
  CHECK(difference(Tensor<double>::zeros({2, 2}), Tensor<double>{{0, 0}, {0, 0}}) == "");
  CHECK(difference(Tensor<double>::ones({2}), Tensor<double>{1, 1}) == "");
  CHECK(difference(Tensor<float>::full({1, 2}, 2.5f), Tensor<float>{{2.5f, 2.5f}}) == "");
  CHECK(Tensor<double>::full({}, 3).item() == 3);
  CHECK(Tensor<double>::zeros({2, 0, 3}).size() == 0);
  CHECK(difference(Tensor<double>::from(std::vector<int>{1, 2, 3, 4}, {2, 2}), Tensor<double>{{1, 2}, {3, 4}}) == "");
  CHECK(difference(Tensor<float>::from({1, 2}, {2, 1}), Tensor<float>{{1}, {2}}) == "");
  refuses<ad::ShapeError>([] { (void)Tensor<double>::from(std::vector<double>{1, 2, 3}, {2, 2}); }, {"from: 3 values", "(2, 2)", "takes 4"});
}

TEST_CASE("an index must name one number") {
  Tensor<double> t{{1, 2, 3}, {4, 5, 6}};
  const Tensor<double>& c = t;
  CHECK(t(1, 2) == 6);
  CHECK(c(std::size_t{1}, 0L) == 4);
  CHECK(t[5] == 6);
  t(0, 1) = 20;
  t[2] = 30;
  CHECK(c(0, 1) == 20);
  CHECK(c(0, 2) == 30);
  refuses<ad::ShapeError>([&] { (void)c(2, 0); }, {"index (2, 0)", "(2, 3)"});
  refuses<ad::ShapeError>([&] { (void)c(0, 3); }, {"index (0, 3)"});
  refuses<ad::ShapeError>([&] { (void)c(-1, 0); }, {"index (-1, 0)"});
  refuses<ad::ShapeError>([&] { (void)c(1); }, {"index (1)", "one position for each axis"});
  refuses<ad::ShapeError>([&] { (void)c(0, 0, 0); }, {"index (0, 0, 0)"});
  refuses<ad::ShapeError>([&] { (void)c(); }, {"index ()"});
  refuses<ad::ShapeError>([&] { t(0, 3) = 1; }, {"index (0, 3)"});
  refuses<ad::ShapeError>([&] { (void)c[6]; }, {"no number [6] in shape (2, 3), which has 6"});
  refuses<ad::ShapeError>([&] { t[6] = 1; }, {"no number [6]"});
  refuses<ad::ShapeError>([] { (void)Tensor<double>{}(0); }, {"index (0)", "(0,)"});
  CHECK(Tensor<double>::full({}, 4)() == 4);
}

TEST_CASE("the only number of a tensor of one") {
  CHECK(Tensor<double>{{{3}}}.item() == 3);
  refuses<ad::ShapeError>([] { (void)Tensor<double>{1, 2}.item(); }, {"item", "(2,)", "2 numbers"});
  refuses<ad::ShapeError>([] { (void)Tensor<double>{}.item(); }, {"0 numbers"});
}

TEST_CASE("copies share their numbers until one is written to") {
  Tensor<double> a{1, 2, 3};
  const Tensor<double> b = a;
  CHECK(a.data() == b.data());
  a(1) = 20;
  CHECK(a.data() != b.data());
  CHECK(b(1) == 2);
  CHECK(a(1) == 20);
  const double* const alone = a.data();
  a(2) = 30;  // shared with nobody: written in place
  CHECK(a.data() == alone);
  const Tensor<double> c = a.clone();
  CHECK(c.data() != a.data());
}

TEST_CASE("reading through a const tensor never makes a copy") {
  const Tensor<double> a{1, 2, 3};
  const Tensor<double> b = a;
  (void)b(0), (void)b[1], (void)*b.begin(), (void)b.data();
  CHECK(a.data() == b.data());
}

TEST_CASE("rows and other shapes share the numbers, and stay what they were") {
  Tensor<double> a{{1, 2}, {3, 4}, {5, 6}};
  const Tensor<double> rows = a.rows(1, 3), flat = a.reshaped({6});
  CHECK(rows.data() == a.data() + 2);
  CHECK(flat.data() == a.data());
  a(1, 0) = 30;
  CHECK(difference(rows, Tensor<double>{{3, 4}, {5, 6}}) == "");
  CHECK(flat(2) == 3);
  Tensor<double> writable = a.rows(2, 3);
  writable(0, 0) = 50;
  CHECK(a(2, 0) == 5);
  CHECK(a.rows(1, 1).shape() == Shape({0, 2}));
  CHECK(a.rows(3, 3).size() == 0);
  refuses<ad::ShapeError>([] { (void)Tensor<double>::full({}, 1).rows(0, 0); }, {"rows: shape () is one number"});
  CHECK(Tensor<double>{1, 2, 3}.rows(1, 2).item() == 2);
  refuses<ad::ShapeError>([&] { (void)a.rows(2, 4); }, {"rows: 2 to 4", "(3, 2)"});
  refuses<ad::ShapeError>([&] { (void)a.rows(2, 1); }, {"rows: 2 to 1 of shape (3, 2); the first axis has 3, give 0 <= begin <= end <= 3"});
  refuses<ad::ShapeError>([&] { (void)a.rows(static_cast<std::size_t>(-2), 1); }, {"rows: -2 to 1 of shape (3, 2)"});
  refuses<ad::ShapeError>([] { (void)Tensor<double>::full({}, 1).rows(0, 1); }, {"()"});
  refuses<ad::ShapeError>([&] { (void)a.reshaped({4}); }, {"reshape: (3, 2) to (4,)", "6 numbers cannot become 4"});
}

TEST_CASE("a tensor that was moved from is empty and can be used again") {
  Tensor<double> a{1, 2};
  Tensor<double> b = std::move(a);
  CHECK(b(1) == 2);
  CHECK(a.shape() == Shape({0}));  // NOLINT: looked at on purpose
  CHECK(a.begin() == a.end());
  CHECK(sum(a) == 0);
  CHECK((a * 2.0).size() == 0);
  CHECK(a.mutable_data() == nullptr);
  a = b;
  CHECK(a(0) == 1);
  swap(a, b);
  std::swap(a, b);
  Tensor<double>& alias = a;
  a = alias;
  a = std::move(alias);
  CHECK(a(1) == 2);
}

TEST_CASE("equal asks for one shape and the same numbers; operators compare number by number") {
  const Tensor<double> a{1, 2, support::not_a_number};
  CHECK(equal(Tensor<double>{1, 2}, Tensor<double>{1, 2}));
  CHECK(!equal(Tensor<double>{1, 2}, Tensor<double>{{1, 2}}));
  CHECK(!equal(a, a));  // NaN
  CHECK(equal(a == a, Tensor<double>{1, 1, 0}));
  CHECK(equal(a != a, Tensor<double>{0, 0, 1}));
  CHECK(equal(a < 2.0, Tensor<double>{1, 0, 0}));
  CHECK(equal(2 <= a, Tensor<double>{0, 1, 0}));
  CHECK(equal(Tensor<float>{1, 2} >= Tensor<float>{{1}, {2}}, Tensor<float>{{1, 1}, {0, 1}}));
  CHECK(equal(Tensor<float>{1, 2} > 1, Tensor<float>{0, 1}));
}

TEST_CASE("float and double convert by name") {
  const Tensor<double> d{0.1, 1e300};
  const auto f = d.as<float>();
  CHECK(f(0) == 0.1f);
  CHECK(std::isinf(f(1)));
  CHECK(f.as<double>()(0) == static_cast<double>(0.1f));
  CHECK(Tensor<float>{}.as<double>().shape() == Shape({0}));
}

TEST_CASE("the text of a tensor") {
  CHECK(to_text(Tensor<double>{{0, 1}, {2, 3.5}}) == "[[0, 1], [2, 3.5]]");
  CHECK(to_text(Tensor<float>::full({}, 2)) == "2");
  CHECK(to_text(Tensor<double>{}) == "[]");
  CHECK(to_text(Tensor<double>::zeros({2, 0})) == "[[], []]");
}

TEST_CASE("blocks start on 64 bytes and may be read 64 bytes past their end") {
  for (const std::size_t n : {0u, 1u, 7u, 8u, 9u, 100u}) {
    Tensor<double> t = Tensor<double>::ones({n});
    CHECK(reinterpret_cast<std::uintptr_t>(t.data()) % 64 == 0);
    std::vector<char> copy(n * sizeof(double) + 64);
    std::memcpy(copy.data(), t.data(), copy.size());  // ASan sees to it
    CHECK(t.clone().size() == n);
  }
}

TEST_CASE("operators and functions of plain tensors give plain tensors") {
  const Tensor<double> a{{1, 2}, {3, 4}};
  static_assert(std::is_same_v<decltype(exp(a * 2.0 + a)), Tensor<double>>);
  static_assert(std::is_same_v<decltype(sum(a)), double>);
  static_assert(std::is_same_v<decltype(matmul(a, a)), Tensor<double>>);
  CHECK(difference(a + Tensor<double>{10, 20}, Tensor<double>{{11, 22}, {13, 24}}) == "");
  CHECK(difference(1 - a, Tensor<double>{{0, -1}, {-2, -3}}) == "");
  CHECK(difference(-a / a, Tensor<double>{{-1, -1}, {-1, -1}}) == "");
}

TEST_CASE("threads may copy, read and let go of one tensor's numbers at the same time") {
  const Tensor<double> shared = Tensor<double>::ones({1000});
  std::vector<std::thread> threads;
  std::vector<double> sums(4);
  for (std::size_t i = 0; i < sums.size(); ++i)
    threads.emplace_back([&, i] {
      for (int k = 0; k < 2000; ++k) {
        Tensor<double> mine = shared;
        if (k % 100 == 0) mine[0] = 2;  // a copy of its own
        sums[i] += mine[0] - 1;
      }
    });
  for (auto& t : threads) t.join();
  for (const double s : sums) CHECK(s == 20);
  CHECK(shared[0] == 1);
}

TEST_CASE("a view of rows is not written to, although nobody shares it any more: kernels want blocks of their own") {
  Tensor<double> all{{1, 2, 3}, {4, 5, 6}};
  Tensor<double> view = all.rows(1, 2);
  all = Tensor<double>();
  CHECK(!view.writable());
  const double* const before = view.data();
  view(0, 0) = 40;
  CHECK(view.data() != before);
  CHECK(reinterpret_cast<std::uintptr_t>(view.data()) % 64 == 0);
  CHECK(difference(view, Tensor<double>{{40, 5, 6}}) == "");
  CHECK(view.writable());
}

TEST_CASE("freed tensors of any size serve the next ones, with zeros behind them, and are given back") {
  ad::Tape::release_spare();
  for (const std::size_t n : {1u, 2u, 9u, 1000u, 4097u, 3'000'000u})
    for (int round = 0; round < 3; ++round) {
      std::vector<Tensor<float>> all(12, Tensor<float>());
      for (auto& t : all) t = Tensor<float>::full({n}, 7);
      for (const auto& t : all) {
        CHECK(reinterpret_cast<std::uintptr_t>(t.data()) % 64 == 0);
        const float* const end = t.data() + n;
        CHECK(std::all_of(end, end + 16, [](float x) { return x == 0; }));
        CHECK(sum(t) == 7.0 * static_cast<double>(n));
      }
    }
  if (!AUTODIFF_SANITIZED) {
    const float* before;
    { const auto t = Tensor<float>::full({1000}, 1); before = t.data(); }
    CHECK(Tensor<float>::full({1000}, 2).data() == before);
    { std::vector<Tensor<float>> many; for (int i = 0; i < 9; ++i) many.push_back(Tensor<float>::zeros({2'000'000})); }  // as much as is kept
    { const auto t = Tensor<float>::full({3'000'000}, 1); before = t.data(); }
    CHECK(Tensor<float>::full({3'000'000}, 2).data() == before);  // another size takes their place
  }
  std::thread([elsewhere = Tensor<float>::full({5000}, 1)]() mutable { elsewhere = Tensor<float>(); }).join();  // freed where it was not made
  ad::Tape::release_spare();
}

TEST_CASE("a tensor too large for the machine is an error that says how large") {
  if (AUTODIFF_SANITIZED) return;  // a sanitizer ends the program at such a size
  refuses<ad::Error>([] { (void)Tensor<double>::uninitialized(Shape({1 << 23, 1 << 23})); }, {"tensor: it needs 562949953421312 bytes"});
}

TEST_CASE("NaN is printed without a sign") {
  const double zero = 0;
  CHECK(ad::to_text(ad::Tensor<double>{zero / zero, -(zero / zero)}) == "[nan, nan]");
}
