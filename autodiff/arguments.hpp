// Floor 2. How a tape stores the arguments of a statement: `Leaves` writes them, `give_back` reads them, from the end.
//
// An argument is a slope and behind it a *word*, the id of its variable. Slopes of ±1 that the type of an expression guarantees (Exactly,
// rules.hpp) are not stored; nor is the number of arguments. The *form* of a statement says which: it is in the three bits above the id of
// its last word, which is read first.
//
//     x · y · z         s x†  s y  s z          stored: all slopes are                      † the first argument of its statement
//     a − b + c         −b†  a  c               units: none is; − the slope is −1
//     sum + x           sum  s x                unit_and_stored
//     sum + x · y       sum  s x  s y           unit_and_two_stored
//     a variable        (0)                     none: there are no arguments
//
// From four variables on all slopes are stored, and equal variables share an argument.
// What is rare, 1 − x or x · y − z, stores its slopes of ±1 too: that takes 8 bytes more, and no more time than a form for it.
//
// One branch by the form costs less than one for each argument: those are often mispredicted. (Slopes of ±1 left out: GMM −15 % of its time,
// Speelpenning −7 %; a branch per argument instead: +20 % on GMM; a jump table of eight forms: +25 % on Burgers, backwards.)
#pragma once
#include "rules.hpp"
#include <cstdint>

namespace autodiff::inline v1 {

using Place = std::uint64_t;  ///< where in the program's life a variable was recorded; 0 is a constant
using Id = std::uint32_t;     ///< where on its tape

namespace detail {

constexpr Place moved_away = 1;  ///< of a variable that was moved from: no tape gives it
constexpr int id_width = 29;
constexpr Id id_mask = (Id{1} << id_width) - 1;
constexpr Id first_argument = Id{1} << 31;  ///< on the first word of the forms `stored` and `units`
constexpr Id minus = Id{1} << 29;           ///< on a word of the form `units`: the slope is −1; never on the last, whose bits say the form
constexpr Id with_units = Id{1} << 30;      ///< on the last word: the form is another than `stored`
enum class Form : Id { stored = 0, units = 2, unit_and_stored = 3, unit_and_two_stored = 6, none = 7 };
constexpr Id last_word(Form form, Id id) { return static_cast<Id>(form) << id_width | id; }

/// How a slope is stored: as a Slope; as a Plain; as a Slope of zeros and ones, of which 0 times an adjoint of ∞ is 0.
enum class SlopeKind : Id { full, plain, mask };
/// What lies behind a slope.
template <class Scalar> struct alignas(Scalar) Word { Id bits; SlopeKind kind; };
template <class Scalar> struct Slope { Scalar slope; };
/// On a tape over something else than double, a slope that is a plain number (Batch: one for all lanes) is stored as such.
template <class Scalar> struct alignas(Scalar) alignas(double) Plain { double slope; };
/// 12 bytes an argument instead of 16: tapes are written and read at the speed of memory.
template <> struct [[gnu::packed]] Word<double> { Id bits; };
template <> struct [[gnu::packed]] Slope<double> { double slope; };
template <class Scalar> constexpr std::size_t argument_bytes = sizeof(Slope<Scalar>) + sizeof(Word<Scalar>);  ///< of one argument

/// How many bytes ahead of where a tape is written, or read on the way back, memory is prefetched. What the processor foresees by itself is not
/// enough for tapes that leave its caches: GMM with 60 MB took 1.6 times as long without, forwards and backwards; smaller tapes notice nothing.
constexpr std::ptrdiff_t prefetch_distance = 4096;
template <int write>
[[gnu::always_inline]] inline void prefetch(const void* memory, std::ptrdiff_t offset) {
  __builtin_prefetch(static_cast<const char*>(memory) + offset, write);
}

// ---- writing --------------------------------------------------------------------------------------------------------
// Each byte is written and read as one type, none of them char: so the compiler knows that the tape's own variables stay as they are.

template <class Scalar> [[gnu::always_inline]] inline void put_word(char*& at, Id bits, SlopeKind kind = SlopeKind::full) {
  auto* const w = reinterpret_cast<Word<Scalar>*>(at);
  w->bits = bits;
  if constexpr (requires { w->kind; }) w->kind = kind;
  at += sizeof(Word<Scalar>);
}
template <class Scalar> [[gnu::always_inline]] inline void put(char*& at, Id word, const Scalar& slope) {
  if constexpr (sizeof(Scalar) > sizeof(double)) prefetch<1>(at, prefetch_distance);
  reinterpret_cast<Slope<Scalar>*>(at)->slope = slope;
  at += sizeof(Slope<Scalar>);
  put_word<Scalar>(at, word);
}
template <class Scalar> requires(!Arithmetic<Scalar>) [[gnu::always_inline]] inline void put(char*& at, Id word, double slope) {
  reinterpret_cast<Plain<Scalar>*>(at)->slope = slope;
  at += sizeof(Plain<Scalar>);
  put_word<Scalar>(at, word, SlopeKind::plain);
}
/// The slopes of the statement that ends here are masks.
template <class Scalar> void mark_masks(char* end) {
  auto* w = reinterpret_cast<Word<Scalar>*>(end) - 1;
  for (w->kind = SlopeKind::mask; !(w->bits & first_argument); w->kind = SlopeKind::mask)
    w = reinterpret_cast<Word<Scalar>*>(reinterpret_cast<Slope<Scalar>*>(w) - 1) - 1;
}

/// A slope that waits to be written: of the tape's type, or a plain number.
template <class Scalar> class Waiting {
  Scalar slope_;
  double plain_ = 0;
  bool is_plain_ = false;

 public:
  Waiting() = default;
  [[gnu::always_inline]] Waiting(const Scalar& slope) : slope_(slope) {}
  [[gnu::always_inline]] Waiting(double plain) : plain_(plain), is_plain_(true) {}
  template <int i> [[gnu::always_inline]] Waiting(Exactly<i>) : Waiting(double{i}) {}
  [[gnu::always_inline]] void operator+=(const Waiting& other) {
    if (is_plain_ && other.is_plain_) plain_ += other.plain_;
    else *this = Waiting(Scalar(value() + other.value()));
  }
  [[gnu::always_inline]] Scalar value() const { return is_plain_ ? Scalar(plain_) : slope_; }
  [[gnu::always_inline]] void put(char*& at, Id word) const {
    if (is_plain_) detail::put<Scalar>(at, word, plain_); else detail::put<Scalar>(at, word, slope_);
  }
};
template <Arithmetic Scalar> class Waiting<Scalar> {
  Scalar slope_;

 public:
  Waiting() = default;
  [[gnu::always_inline]] Waiting(Scalar slope) : slope_(slope) {}
  template <int i> [[gnu::always_inline]] Waiting(Exactly<i>) : slope_(i) {}
  [[gnu::always_inline]] void operator+=(const Waiting& other) { slope_ += other.slope_; }
  [[gnu::always_inline]] Scalar value() const { return slope_; }
  [[gnu::always_inline]] void put(char*& at, Id word) const { detail::put<Scalar>(at, word, slope_); }
};

/// Collects the leaves of an expression and writes them as a statement. n is a constant, so loops and form vanish when compiled.
template <class Scalar, std::size_t n> struct Leaves {
  Id ones[n], minus_ones[n], stored[n];  ///< the ids, by what is known of their slopes
  Waiting<Scalar> slopes[n];             ///< of `stored`
  std::size_t one_count = 0, minus_count = 0, stored_count = 0;

  /// The ids are zeroed only where g++ does not see that none is read unwritten, and would warn: for scalars other than double. (For doubles too:
  /// least squares in bench/scalar +12 %, in another program nothing.)
  [[gnu::always_inline]] Leaves() {
    if constexpr (!Arithmetic<Scalar>) for (std::size_t i = 0; i < n; ++i) ones[i] = minus_ones[i] = stored[i] = 0;
  }
  [[gnu::always_inline]] void operator()(Id id, Exactly<1>) { ones[one_count++] = id; }
  [[gnu::always_inline]] void operator()(Id id, Exactly<-1>) { minus_ones[minus_count++] = id; }
  [[gnu::always_inline]] void operator()(Id id, const auto& slope) {
    stored[stored_count] = id;
    slopes[stored_count++] = slope;
  }
  [[gnu::always_inline]] Form form() const {
    if (one_count == 1 && minus_count == 0 && stored_count == 1) return Form::unit_and_stored;
    if (one_count == 1 && minus_count == 0 && stored_count == 2) return Form::unit_and_two_stored;
    return stored_count == 0 && one_count > 0 && one_count + minus_count > 1 ? Form::units : Form::stored;
  }
  [[gnu::always_inline]] void write(char*& at) const {
    const Form form = this->form();
    const bool chained = form == Form::units || form == Form::stored;
    std::size_t i = 0;
    const auto word = [&](Id id, Id sign) __attribute__((always_inline)) {
      const Id mark = (i == n - 1 ? last_word(form, 0) : sign) | (chained && i == 0 ? first_argument : 0);
      ++i;
      return id | mark;
    };
    for (std::size_t k = 0; k < minus_count; ++k)
      if (form == Form::stored) Waiting<Scalar>(Exactly<-1>{}).put(at, word(minus_ones[k], 0)); else put_word<Scalar>(at, word(minus_ones[k], minus));
    for (std::size_t k = 0; k < one_count; ++k)
      if (form == Form::stored) Waiting<Scalar>(Exactly<1>{}).put(at, word(ones[k], 0)); else put_word<Scalar>(at, word(ones[k], 0));
    for (std::size_t k = 0; k < stored_count; ++k) slopes[k].put(at, word(stored[k], 0));
  }
};
/// In a longer expression equal variables share an argument: it often names one twice.
template <class Scalar, std::size_t n> requires(n >= 4) struct Leaves<Scalar, n> {
  Id ids[n];
  Waiting<Scalar> slopes[n];
  std::size_t k = 0;

  [[gnu::always_inline]] void operator()(Id id, const Waiting<Scalar>& slope) {
    ids[k] = id;
    slopes[k++] = slope;
  }
  [[gnu::always_inline]] void write(char*& at) {
    bool merged[n]{};
#pragma GCC unroll 16
    for (std::size_t q = 1; q < n; ++q)
#pragma GCC unroll 16
      for (std::size_t r = 0; r < q; ++r)
        if (!merged[q] && ids[r] == ids[q]) { slopes[r] += slopes[q]; merged[q] = true; }
    Id mark = first_argument;
#pragma GCC unroll 16
    for (std::size_t q = n - 1; q > 0; --q)
      if (!merged[q]) {
        slopes[q].put(at, ids[q] | mark);
        mark = 0;
      }
    slopes[0].put(at, ids[0] | mark);
  }
};

// ---- reading --------------------------------------------------------------------------------------------------------

template <class Scalar> [[gnu::always_inline]] inline Word<Scalar> take_word(const char*& at) {
  at -= sizeof(Word<Scalar>);
  return *reinterpret_cast<const Word<Scalar>*>(at);
}
/// The slope before a word, times an adjoint w.
template <class Scalar, class W> [[gnu::always_inline]] inline W take_part(const char*& at, [[maybe_unused]] Word<Scalar> word, const W& w) {
  if constexpr (requires { word.kind; })
    if (word.kind == SlopeKind::plain) {
      at -= sizeof(Plain<Scalar>);
      return W(reinterpret_cast<const Plain<Scalar>*>(at)->slope * w);
    }
  at -= sizeof(Slope<Scalar>);
  if constexpr (sizeof(Scalar) > sizeof(double)) prefetch<0>(at, -prefetch_distance);
  const Scalar slope = reinterpret_cast<const Slope<Scalar>*>(at)->slope;
  if constexpr (!std::is_same_v<W, Scalar>) return w.scaled(slope);
  else {
    if constexpr (requires { Scalar::size; }) if (word.kind == SlopeKind::mask) return select(slope == Scalar(0), W(0), w);
    return W(slope * w);
  }
}

/// Steps back over variables, which give nothing, but not beyond `stop`.
template <class Scalar> [[gnu::always_inline]] inline void pass_variables(const char*& statement_end, std::size_t& statement, std::size_t stop) {
  const auto is_variable = [](const char* end) { return reinterpret_cast<const Word<Scalar>*>(end)[-1].bits == last_word(Form::none, 0); };
  for (; statement > stop && is_variable(statement_end); --statement) statement_end -= sizeof(Word<Scalar>);
}

/// Steps back over a statement: give(id, slope · w) for each argument, the last first; false if there is none: it is a variable. w is the adjoint of
/// the statement: a Scalar, or several adjoints side by side.
/// Inside a chain only the first word is marked, so one that is at most `id_mask` is an id as it stands and is not masked; two stored slopes, the
/// usual case, take the straight path. (−8 % of the way back over fourteen problems.)
template <class Scalar, class W> [[gnu::always_inline]] inline bool give_back(const char*& statement_end, const W& w, const auto& give) {
  const char* at = statement_end;
  prefetch<0>(at, -prefetch_distance);
  Word<Scalar> word = take_word<Scalar>(at);
  const auto give_stored = [&](Id id) __attribute__((always_inline)) {
    const W part = take_part(at, word, w);
    give(id, part);
  };
  if (!(word.bits & with_units)) {
    if (word.bits <= id_mask) [[likely]] {
      give_stored(word.bits);
      word = take_word<Scalar>(at);
      while (word.bits <= id_mask) [[unlikely]] {
        give_stored(word.bits);
        word = take_word<Scalar>(at);
      }
    }
    give_stored(word.bits & id_mask);
  } else switch (static_cast<Form>(word.bits >> id_width)) {
    case Form::units:
      give(word.bits & id_mask, w);
      do {
        word = take_word<Scalar>(at);
        if (word.bits <= id_mask) give(word.bits, w);
        else give(word.bits & id_mask, word.bits & minus ? W(-w) : w);
      } while (!(word.bits & first_argument));
      break;
    case Form::unit_and_two_stored:
      give_stored(word.bits & id_mask);
      word = take_word<Scalar>(at);
      give_stored(word.bits);
      give(take_word<Scalar>(at).bits, w);
      break;
    case Form::unit_and_stored:
      give_stored(word.bits & id_mask);
      give(take_word<Scalar>(at).bits, w);
      break;
    default:
      statement_end = at;
      return false;
  }
  statement_end = at;
  return true;
}

}  // namespace detail
}  // namespace autodiff::inline v1
