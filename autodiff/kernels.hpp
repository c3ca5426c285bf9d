// Floor 1. Loops over memory: one table of function pointers per number type, filled for the best instruction set of this machine when
// it is first asked for. Start reading at `Kernels`; the rows for rules are made from the lists at the end of rules.inl, in their order.
//
// Memory: an *output* is a block of its own: it starts on 64 bytes and may be written to a multiple of 64 bytes; an *input* may be read 64
// bytes past its end and need not be aligned. Tensors and the arena promise both, so elementwise loops have no tail. Where a row is marked
// "exactly", nothing past the last number is written, and the output may stand anywhere.
// An output may be one of the inputs where both are walked in step (y == x in a map), else they must not overlap.
//
// `add`: adjoints are added to what the output holds, else written over it (nothing is ever filled with zeros first).
// An adjoint of exactly 0 contributes 0, whatever the slope is: 0 · ∞ is 0 on the way back. (Products multiply what stands there.)
// Digits do not depend on the number of threads; they do depend, in the last places, on the instruction set.
#pragma once
#include "rules.hpp"
#include "shape.hpp"
#include <array>
#include <cstddef>
#include <cstdint>

namespace autodiff::inline v1 {

/// c (m, n) = a (m, k) · b (k, n). a and b have a step per row and per column, so a transpose is two steps exchanged.
template <class T> struct Product {
  std::size_t m, n, k;
  const T* a; std::size_t a_row, a_col;
  const T* b; std::size_t b_row, b_col;
  T* c;                      ///< its rows follow each other: the row step is n
  const T* start = nullptr;  ///< a row of n numbers that every row of c starts from (a bias), or null
  bool add = false;          ///< c += instead of c = (then `start` is not used)
  T scale = 1;               ///< with add: c += scale · (a·b). With −rate, a weight gradient is the step of gradient descent itself
  bool block = true;         ///< c is a block of its own; false where it is a part of one (a batch), which is then written exactly
};

/// y = act(x·w + bias) for x (m, k), w (k, n), bias (n) or null, y (m, n): what a layer does …
template <class T> struct Affine {
  std::size_t m, n, k;
  const T *x, *w, *bias;
  T* y;
};
/// … and its adjoints. Null: not wanted.
template <class T> struct AffineAdjoints {
  const T* gy;               ///< of y, (m, n)
  T* gz;                     ///< scratch, (m, n): y's adjoint before the activation; null, not used, for Identity
  T *gx, *gw, *gbias;
  bool add_x, add_w, add_bias;
};

/// Operands that are one number, used throughout (`tensor * 2`).
struct Repeats { bool a = false, b = false; };

/// The walk of a two-operand rule over a result: sizes, and the steps of a and b along each (0 repeats). Last axis fastest.
struct Broadcast {
  std::size_t axes = 0;
  std::array<std::size_t, Shape::most_axes> size{}, a{}, b{};
  /// One more axis behind the last. Merges it into the last where both operands go on in step, so that most walks end up with one or two.
  constexpr void append(std::size_t n, std::size_t a_step, std::size_t b_step) {
    if (axes > 0 && a[axes - 1] == a_step * n && b[axes - 1] == b_step * n) size[axes - 1] *= n, a[axes - 1] = a_step, b[axes - 1] = b_step;
    else size[axes] = n, a[axes] = a_step, b[axes++] = b_step;
  }
};

/// An array seen as (outer, n, inner): the axis of n numbers in the middle is the one worked on.
struct Along { std::size_t outer, n, inner; };

struct SgdFactors { double rate, momentum = 0, weight_decay = 0; bool nesterov = false; };
struct AdamFactors { double rate, beta1, beta2, epsilon, unbias1, unbias2; };  ///< unbias = 1 − betaᵗ at step t

template <class T> struct Kernels {
  const char* target;  ///< the instruction set's name

  // ── rules: one entry for each in UnaryRules, BinaryRules ──
  using Map = void (*)(const T* x, T* y, std::size_t n);
  using Pullback = void (*)(const T* x, const T* y, const T* g, T* gx, std::size_t n, bool add);
  using Zip = void (*)(const T* a, const T* b, Repeats, T* y, std::size_t n);
  using ZipPullback = void (*)(const T* a, const T* b, Repeats, const T* y, const T* g, T* gx, std::size_t n, bool add);
  template <class F> using Unary = std::array<F, UnaryRules::size>;
  template <class F> using Binary = std::array<F, BinaryRules::size>;

  Unary<Map> map;                         ///< y = value(x)
  Unary<Pullback> pullback;               ///< gx (+)= g · slope(x, y)
  Binary<Zip> zip;                        ///< y = value(a, b); one flat length: other walks through `broadcast` below
  Binary<ZipPullback> pullback_a;         ///< ga (+)= g · left(a, b, y): n numbers also where a repeats (sum them back)
  Binary<ZipPullback> pullback_b;         ///< gb (+)= g · right(a, b, y)
  std::array<Zip, Comparisons::size> compare;  ///< y = 1 where it holds, else 0
  void (*broadcast)(Zip, const Broadcast&, const T* a, const T* b, T* y);
  void (*broadcast_pullback)(ZipPullback, const Broadcast&, const T* a, const T* b, const T* y, const T* g, T* gx, bool add);  ///< gx in y's shape
  void (*sum_back)(const Broadcast&, const T* full, bool second, T* gx, bool add);  ///< gx (+)= full, in y's shape, summed over
                                                                                    ///< the axes along which a (second: b) repeats

  // ── products ──
  void (*product)(const Product<T>&);
  Unary<void (*)(const Affine<T>&)> layer;                                           ///< with the rule as activation, Identity for none;
                                                                                     ///< null unless row.from_result
  Unary<void (*)(const Affine<T>&, const AffineAdjoints<T>&)> layer_pullback;        ///< needs y, w, x; not bias
  void (*transpose)(const T* x, T* y, std::size_t m, std::size_t n);                 ///< y (n, m) = x (m, n)ᵀ, exactly

  // ── reductions, in one fixed order ──
  double (*sum)(const T* x, std::size_t n);
  double (*dot)(const T* a, const T* b, std::size_t n);
  void (*sum_along)(const T* x, T* y, const Along&, bool add);                              ///< y(o, i) (+)= Σⱼ x(o, j, i)
  void (*spread_along)(const T* g, T* gx, const Along&, bool add);                          ///< gx(o, j, i) (+)= g(o, i): the pullback of a sum
  /// y(o, i) = maxⱼ x(o, j, i), index(o, i) the first such j (null: not wanted). A NaN is larger than all. n ≥ 1. Exactly.
  void (*max_along)(const T* x, T* y, std::int64_t* index, const Along&);
  void (*min_along)(const T* x, T* y, std::int64_t* index, const Along&);                   ///< likewise; a NaN is smaller than all
  void (*extreme_pullback)(const T* x, const T* y, const T* g, T* gx, const Along&, bool add);  ///< of both: ties share g equally. Exactly

  // ── rows of n numbers; each shifted by its largest, so that nothing overflows ──
  void (*softmax)(const T* x, T* y, std::size_t m, std::size_t n);                   ///< y = eˣ / Σ eˣ
  void (*softmax_pullback)(const T* y, const T* g, T* gx, std::size_t m, std::size_t n, bool add);      ///< gx (+)= y · (g − Σ g·y)
  void (*log_softmax)(const T* x, T* y, std::size_t m, std::size_t n);               ///< y = x − log Σ eˣ
  void (*log_softmax_pullback)(const T* y, const T* g, T* gx, std::size_t m, std::size_t n, bool add);  ///< gx (+)= g − eʸ · Σ g
  void (*logsumexp)(const T* x, T* y, T* softmax, std::size_t m, std::size_t n);     ///< y(i) = log Σⱼ eˣ; softmax (m, n) or null
  void (*logsumexp_pullback)(const T* softmax, const T* g, T* gx, std::size_t m, std::size_t n, bool add);  ///< gx(i, j) (+)= g(i) · softmax(i, j)

  // ── vectors ──
  void (*fill)(T value, T* y, std::size_t n, bool add);                              ///< y (+)= value
  void (*axpy)(T alpha, const T* x, T* y, std::size_t n, bool add);                  ///< y (+)= alpha · x
  void (*select)(const T* mask, const T* a, const T* b, Repeats, T* y, std::size_t n);                  ///< y = mask ≠ 0 ? a : b
  void (*select_pullback)(const T* mask, bool second, const T* g, T* gx, std::size_t n, bool add);      ///< gx (+)= g where a (second: b) was taken

  // ── costs: the value, and in g (null: not wanted) its gradient with respect to x ──
  double (*softmax_cross_entropy)(const T* x, const std::int32_t* label, T* g, std::size_t m, std::size_t n);  ///< mean over rows of
                                                                                                               ///< −log softmax(x)[label]
  double (*logistic_cross_entropy)(const T* x, const T* target, T* g, std::size_t n);  ///< mean of −t log σ(x) − (1 − t) log(1 − σ(x))
  double (*squared_error)(const T* x, const T* target, T* g, std::size_t n, double scale);  ///< scale · Σ (x − t)²

  // ── optimizers, on flat blocks ──
  /// s = g + weight_decay·w;  v = momentum·v + s (v null: none);  w −= rate · (nesterov ? s + momentum·v : v)
  void (*sgd)(T* w, const T* g, T* v, const SgdFactors&, std::size_t n);
  /// m = β₁m + (1 − β₁)g;  v = β₂v + (1 − β₂)g²;  w −= rate · (m / unbias1) / (√(v / unbias2) + epsilon)
  void (*adam)(T* w, const T* g, T* m, T* v, const AdamFactors&, std::size_t n);
};

namespace detail {
// Null until first asked for: constant-initialised, so no order of start-up matters.
extern constinit const Kernels<float>* float_kernels;
extern constinit const Kernels<double>* double_kernels;
/// Chooses for both.
void choose_kernels() noexcept;
template <class T> inline constexpr const Kernels<T>** kernels_in_use = nullptr;
template <> inline constexpr const Kernels<float>** kernels_in_use<float> = &float_kernels;
template <> inline constexpr const Kernels<double>** kernels_in_use<double> = &double_kernels;
}  // namespace detail

/// The table in use, for T = float or double.
template <class T> [[gnu::always_inline]] inline const Kernels<T>& kernels() {
  if (const Kernels<T>* table = __atomic_load_n(detail::kernels_in_use<T>, __ATOMIC_ACQUIRE)) [[likely]] return *table;
  detail::choose_kernels();
  return *__atomic_load_n(detail::kernels_in_use<T>, __ATOMIC_ACQUIRE);
}

/// For tests: the instruction sets this machine can run, best first, by name; and to use one of them (null: the best) from now on.
/// Throws Error for a name that is not among them. Not while another thread is inside a kernel whose result must not mix digits.
std::size_t selectable_targets(const char** names, std::size_t room);
void select_target(const char* name);

}  // namespace autodiff::inline v1
