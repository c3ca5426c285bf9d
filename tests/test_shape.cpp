// Shapes: sizes, axes counted from both ends, and what is refused.
#include "support.hpp"

using ad::Shape;
using support::refuses;

TEST_CASE("a shape is written as NumPy writes it") {
  CHECK(Shape{}.text() == "()");
  CHECK(Shape({3}).text() == "(3,)");
  CHECK(Shape({2, 3}).text() == "(2, 3)");
  CHECK(Shape({0, 4294967295}).text() == "(0, 4294967295)");
}

TEST_CASE("a shape counts its numbers, and is a matrix of its last axis by all others") {
  struct { Shape shape; std::size_t axes, count, rows, columns; } const rows[] = {
      {{}, 0, 1, 1, 1}, {{5}, 1, 5, 1, 5}, {{0}, 1, 0, 1, 0}, {{2, 3}, 2, 6, 2, 3},
      {{2, 3, 4}, 3, 24, 6, 4}, {{2, 0, 4}, 3, 0, 0, 4}, {{1, 1, 1, 1, 1, 1}, 6, 1, 1, 1}};
  for (const auto& row : rows) {
    CAPTURE(row.shape.text());
    CHECK(row.shape.axes() == row.axes);
    CHECK(row.shape.count() == row.count);
    CHECK(row.shape.rows() == row.rows);
    CHECK(row.shape.columns() == row.columns);
  }
}

TEST_CASE("sizes of any integer type make the same shape") {
  const int i = 2;
  const long l = 2;
  const std::size_t s = 2;
  const unsigned char c = 2;
  CHECK(Shape({i, i}) == Shape({s, s}));
  CHECK(Shape({l, l}) == Shape({c, c}));
  CHECK(Shape({s, 2}) == Shape({2, 2}));
  CHECK(Shape({2, 3}) != Shape({3, 2}));
  CHECK(Shape({2}) != Shape({2, 1}));
  CHECK(Shape({2}) != Shape({2, 0}));
  CHECK(Shape{} != Shape({1}));
}

TEST_CASE("axes count from the start or from the end") {
  const Shape s({2, 3, 4});
  CHECK(s.axis(0, "here") == 0);
  CHECK(s.axis(-1, "here") == 2);
  CHECK(s.axis(-3, "here") == 0);
  refuses<ad::ShapeError>([&] { (void)s.axis(3, "here"); }, {"here: axis 3 of shape (2, 3, 4): it has 3 axes"});
  refuses<ad::ShapeError>([&] { (void)s.axis(-4, "here"); }, {"axis -4"});
  refuses<ad::ShapeError>([&] { (void)s.axis(std::numeric_limits<std::ptrdiff_t>::min(), "here"); }, {"axis -9223372036854775808"});
  refuses<ad::ShapeError>([&] { (void)s.axis(std::numeric_limits<std::ptrdiff_t>::max(), "here"); }, {"here: an axis out of range of shape (2, 3, 4)"});
  refuses<ad::ShapeError>([] { (void)Shape{}.axis(-1, "here"); }, {"it has 0 axes"});
}

TEST_CASE("a shape with an axis taken out, or with another size there") {
  const Shape s({2, 3, 4});
  CHECK(s.without(1) == Shape({2, 4}));
  CHECK(s.with(1, 1) == Shape({2, 1, 4}));
  CHECK(s.outside(1) == 2);
  CHECK(s.inside(1) == 4);
  CHECK(s.inside(2) == 1);
  CHECK(Shape({3}).without(0) == Shape{});
}

TEST_CASE("what is no shape is refused with the numbers") {
  refuses<ad::ShapeError>([] { (void)Shape({1, 1, 1, 1, 1, 1, 1}); }, {"(1, 1, 1, 1, 1, 1)", "at most 6"});
  refuses<ad::ShapeError>([] { (void)Shape({3, -2}); }, {"size -2 is negative"});
  refuses<ad::ShapeError>([] { (void)Shape({4294967296}); }, {"an axis of 4294967296 numbers", "at most 4294967295"});
  refuses<ad::ShapeError>([] { (void)Shape({2, 3})[2]; }, {"axis 2 of (2, 3): it has 2"});
  refuses<ad::ShapeError>([] { (void)Shape({1 << 30, 1 << 30}); }, {"(1073741824,) times 1073741824"});
  refuses<ad::ShapeError>([] { (void)Shape({65536, 65536, 65536, 65536}); }, {"(65536, 65536)", "memory"});  // 2⁶⁴ would wrap round to 0
  refuses<ad::ShapeError>([] { (void)Shape({std::numeric_limits<std::size_t>::max()}); }, {"18446744073709551615"});
}

TEST_CASE("a count that would wrap around to 0 is refused") {
  refuses<ad::ShapeError>([] { (void)Shape({1 << 24, 1 << 23, 1 << 17}); }, {"more than memory can hold"});
}
