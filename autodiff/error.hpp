// Floor 0. What can go wrong, as exceptions. Every text says where, what, the numbers, and the way out where the numbers do not show it:
// `matmul: inner sizes differ: (2, 3) x (4, 5): 3 != 4`. Exceptions are for users' mistakes; our own are the tests' business.
#pragma once
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <iosfwd>
#include <stdexcept>
#include <string>
#include <string_view>

namespace autodiff::inline v1 {

/// The root of everything this library throws but std::bad_alloc.
struct Error : std::runtime_error { using std::runtime_error::runtime_error; };
/// Sizes that do not fit together, or an index outside of its axis.
struct ShapeError : Error { using Error::Error; };
/// A variable that is not on the tape it is used with, or a tape that cannot do what it is asked for.
struct TapeError : Error { using Error::Error; };

namespace detail {

/// One piece of an error text: a word or a number. (Formatting proper lives in error.cpp, out of every user's compile time.)
class Piece {
 public:
  enum class Kind : unsigned char { words, integer, natural, real };
  Piece(const char* text) : kind(Kind::words), words(text) {}
  Piece(std::string_view text) : kind(Kind::words), words(text) {}
  Piece(const std::string& text) : kind(Kind::words), words(text) {}
  template <std::signed_integral I> Piece(I number) : kind(Kind::integer), integer(number) {}
  template <std::unsigned_integral I> Piece(I number) : kind(Kind::natural), natural(number) {}
  template <std::floating_point F> Piece(F number) : kind(Kind::real), real(static_cast<double>(number)) {}

  Kind kind;
  union {
    std::string_view words;
    std::int64_t integer;
    std::uint64_t natural;
    double real;  ///< printed with as many digits as tell it from its neighbours
  };
};

/// A stream whose header has been included, so that ours need not include it.
template <class Stream> concept Writes = requires(Stream& out) { out << 1.0; };

/// x as it is printed: NaN without a sign, which on x86 every new one has.
constexpr double printed(double x) { return x == x ? x : __builtin_nan(""); }
/// `format` with each {} replaced by the next piece.
std::string text(std::string_view format, std::initializer_list<Piece> pieces);

}  // namespace detail
}  // namespace autodiff::inline v1
