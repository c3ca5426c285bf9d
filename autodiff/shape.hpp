// Floor 0. The sizes of a tensor along its axes: {} is one number, {3} a vector, {2, 3} a matrix of 2 rows and 3 columns.
#pragma once
#include "error.hpp"
#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <string>
#include <type_traits>

namespace autodiff::inline v1 {

namespace detail {
/// "()", "(2,)", "(2, 3)"
template <class Sizes> constexpr std::string tuple_text(const Sizes& sizes) {
  std::string s = "(";
  std::size_t n = 0;
  for (const auto size : sizes) s += (n++ ? ", " : "") + std::to_string(size);
  return s + (n == 1 ? ",)" : ")");
}
}  // namespace detail

/// An axis, counted from 0, or from the end: −1 is the last. Any integer converts to it. Of the reductions, `sum(x, 1)` drops it from the result, and
/// `sum(x, Axis(1).keep())` leaves it with size 1, so that the result broadcasts against x. For max and min it must be written out:
/// `max(x, Axis(1))`, since `max(x, 1)` compares with 1.
class Axis {
 public:
  template <std::integral I> constexpr Axis(I number) : number_(static_cast<std::ptrdiff_t>(number)) {
    if (std::is_unsigned_v<I> && number_ < 0) number_ = no_axis;
  }
  constexpr Axis keep() const { Axis kept(*this); kept.kept_ = true; return kept; }
  constexpr std::ptrdiff_t number() const { return number_; }
  constexpr bool kept() const { return kept_; }

  static constexpr std::ptrdiff_t no_axis = std::numeric_limits<std::ptrdiff_t>::max();  ///< for what is too large, an unsigned −1 say

 private:
  std::ptrdiff_t number_;
  bool kept_ = false;
};

/// Row-major sizes, at most `most_axes` of them. Throws ShapeError for more axes, a negative size, an axis of 2³² or more, or more
/// than 2⁴⁷ numbers.
class Shape {
 public:
  static constexpr std::size_t most_axes = 6;
  static constexpr std::size_t most_along_axis = 0xffff'ffffu;
  static constexpr std::size_t most_numbers = std::size_t{1} << 47;  ///< what an address space holds, so that counts cannot overflow

  constexpr Shape() = default;
  constexpr Shape(std::initializer_list<std::size_t> sizes) { for (const std::size_t n : sizes) append(n); }
  template <std::integral I> constexpr Shape(std::initializer_list<I> sizes) {
    for (const I n : sizes) {
      if constexpr (std::signed_integral<I>)
        if (n < 0) throw ShapeError(detail::text("shape: the size {} is negative; sizes are not inferred, give each", {n}));
      append(static_cast<std::size_t>(n));
    }
  }

  /// Adds an axis behind the last.
  constexpr void append(std::size_t size) {
    if (axes_ == most_axes) throw ShapeError(detail::text("shape: {} has no room for another axis: at most {} are possible", {text(), most_axes}));
    if (size > most_along_axis)
      throw ShapeError(detail::text("shape: an axis of {} numbers; one takes at most {}, give it more axes", {size, most_along_axis}));
    std::size_t count;
    if (__builtin_mul_overflow(count_, size, &count) || count > most_numbers)  // no division: each costs as much as all the rest
      throw ShapeError(detail::text("shape: {} times {} is more than memory can hold, 2^47 numbers", {text(), size}));
    sizes_[axes_++] = static_cast<std::uint32_t>(size);
    count_ = count;
  }

  constexpr std::size_t axes() const { return axes_; }
  /// How many numbers: the product of the sizes; 1 for {}.
  constexpr std::size_t count() const { return count_; }
  /// The size along an axis, counted from 0. Throws ShapeError if there is none.
  [[gnu::always_inline]] constexpr std::size_t operator[](std::size_t axis) const {
    if (axis >= axes_) [[unlikely]] refuse_axis(axis);
    return sizes_[axis];
  }
  constexpr const std::uint32_t* begin() const { return sizes_.data(); }
  constexpr const std::uint32_t* end() const { return sizes_.data() + axes_; }
  friend constexpr bool operator==(const Shape& a, const Shape& b) {  // unused sizes are 0; two at a time: this is in every operation
    using Pairs = std::array<std::uint64_t, most_axes / 2>;
    const auto p = std::bit_cast<Pairs>(a.sizes_), q = std::bit_cast<Pairs>(b.sizes_);
    std::uint64_t differs = a.axes_ ^ b.axes_;
    for (std::size_t i = 0; i < p.size(); ++i) differs |= p[i] ^ q[i];
    return differs == 0;
  }
  /// (rows, columns), of which the caller knows that they are no more than most_numbers.
  static constexpr Shape matrix(std::size_t rows, std::size_t columns) {
    Shape s;
    s.sizes_[0] = static_cast<std::uint32_t>(rows), s.sizes_[1] = static_cast<std::uint32_t>(columns);
    s.axes_ = 2, s.count_ = rows * columns;
    return s;
  }

  /// Seen as a matrix: the last axis is the columns, all others together the rows; a vector is one row.
  constexpr std::size_t columns() const { return axes_ ? sizes_[axes_ - 1] : 1; }
  constexpr std::size_t rows() const {
    if (axes_ == 2) return sizes_[0];
    std::size_t rows = 1;
    for (std::size_t i = 0; i + 1 < axes_; ++i) rows *= sizes_[i];
    return rows;
  }

  /// The axis counted from 0. Throws ShapeError naming `where` if there is none.
  constexpr std::size_t axis(Axis axis, const char* where) const {
    const auto n = static_cast<std::ptrdiff_t>(axes_), number = axis.number(), from_start = number < 0 ? number + n : number;
    if (number == Axis::no_axis)
      throw ShapeError(detail::text("{}: an axis out of range of shape {}: was a negative number made unsigned?", {where, text()}));
    if (from_start < 0 || from_start >= n)
      throw ShapeError(detail::text("{}: axis {} of shape {}: it has {} axes; count from 0, or from the end with -1", {where, number, text(), n}));
    return static_cast<std::size_t>(from_start);
  }
  /// How many numbers stand before / behind `axis`: the loops around and inside of it.
  constexpr std::size_t outside(std::size_t axis) const { std::size_t n = 1; for (std::size_t i = 0; i < axis; ++i) n *= sizes_[i]; return n; }
  constexpr std::size_t inside(std::size_t axis) const { std::size_t n = 1; for (std::size_t i = axis + 1; i < axes_; ++i) n *= sizes_[i]; return n; }

  /// The same without `axis`, or with size `n` there; the same as it is if it has no such axis.
  constexpr Shape without(std::size_t axis) const { Shape s; for (std::size_t i = 0; i < axes_; ++i) if (i != axis) s.append(sizes_[i]); return s; }
  constexpr Shape with(std::size_t axis, std::size_t n) const {
    Shape s;
    for (std::size_t i = 0; i < axes_; ++i) s.append(i == axis ? n : sizes_[i]);
    return s;
  }

  /// "(2, 3)", as NumPy writes it.
  constexpr std::string text() const { return detail::tuple_text(*this); }

 private:
  [[noreturn, gnu::noinline, gnu::cold]] void refuse_axis(std::size_t axis) const {
    throw ShapeError(detail::text("shape: axis {} of {}: it has {}, counted from 0", {axis, text(), axes_}));
  }

  std::array<std::uint32_t, most_axes> sizes_{};
  std::uint32_t axes_ = 0;
  std::size_t count_ = 1;
};

/// The shape of a matrix of at most most_numbers, which the caller has checked. It becomes a Shape where that is kept: a Shape that is made by single
/// sizes and copied at once waits for each size to reach memory, 6 ns.
struct MatrixShape {
  std::size_t rows, columns;
  constexpr std::size_t count() const { return rows * columns; }
  constexpr operator Shape() const { return Shape::matrix(rows, columns); }
};

}  // namespace autodiff::inline v1
