// Floor 5. Derivatives of a function, no tape in sight. f is any generic callable: it receives its point with the numbers replaced by ones
// that carry derivatives, a Dual or a Var in place of a number, a std::vector of them in place of a vector, a Var<Tensor> in place of a Tensor.
//
// A vector reaches f as a std::vector, whatever held it. A driver differentiates at whatever number its point is made of. At a point of Vars or
// Duals, inside of another derivative, the result is again such a number, so derivatives of derivatives need nothing special. At a tensor of a
// recording use recorded_gradient or jvp (jacobian.hpp).
#pragma once
#include "reduce.hpp"
#include <algorithm>
#include <array>
#include <cstdint>
#include <span>

namespace autodiff::inline v1 {

namespace detail {

[[noreturn]] void refuse_outer(const char* where);
void require_no_parameters(const char* where);
[[noreturn]] void refuse_sizes(const char* where, const char* what, const std::string& expected, const std::string& given);

template <class F, class T> struct TagOf {};               ///< which derivative a Dual belongs to
template <class X> struct NumberType { using type = X; };  ///< the number that a point computes with
template <Arithmetic X> struct NumberType<X> { using type = double; };
template <Expression E> struct NumberType<E> { using type = Var<typename E::Scalar>; };
template <class X> using NumberTypeOf = typename NumberType<std::remove_cvref_t<X>>::type;

template <class X> concept Number = !AnyTensor<X> && (Arithmetic<X> || Differentiable<X>);
template <class X> concept Vector = !Number<X> && !AnyTensor<X> && requires(const X& x) { x[0]; { x.size() } -> std::convertible_to<std::size_t>; };
template <Vector X> using ElementOf = NumberTypeOf<decltype(std::declval<const X&>()[0])>;
template <class X> concept Point = Number<X> || Vector<X> || is_tensor<X>;
template <class X> std::size_t size_of(const X& x) { if constexpr (Number<X>) return 1; else return static_cast<std::size_t>(x.size()); }
/// Its i-th number, or the only one.
template <class X>
double number_of(const X& x, std::size_t i) { if constexpr (Arithmetic<X>) return static_cast<double>(x); else return static_cast<double>(x[i]); }
/// x as an S; where it rests on more than S can hold, a variable of an outer tape beside a point of doubles, as it is.
template <class S, class X> auto as(const X& x) { if constexpr (std::convertible_to<X, S>) return static_cast<S>(x); else return stored(x); }

/// f(x), the function at its point.
template <class F, class X> auto at(const F& f, const X& x) {
  constexpr bool takes = std::invocable<const F&, const X&>;
  static_assert(takes, "f is called with numbers that carry derivatives, and must take them: write [](const auto& x) { … }, or a template");
  if constexpr (takes) {
    constexpr bool gives = !std::is_void_v<std::invoke_result_t<const F&, const X&>>;
    static_assert(gives, "f returns nothing: let it return its result");
    if constexpr (gives) return f(x); else return 0.0;
  } else return 0.0;
}
/// Is a derivative to be taken inside of a recording? Then what f uses of that must not be lost: a variable of the outer tape is refused by itself,
/// but a parameter would stand on the inner tape as if it were its own.
class Inside {
  bool recording_ = records();
 public:
  /// f(x), on the driver's tape, which records now. Throws TapeError if a parameter was used there.
  auto result_of(const char* where, const auto& f, const auto& x) const {
    auto y = at(f, x);
    if (recording_) [[unlikely]] require_no_parameters(where);
    return y;
  }
};
/// Adjoints with respect to Σ wᵢ yᵢ; all are 0 if every y is a constant, which the tape itself refuses.
template <class S> void walk_back_from(BasicTape<S>& tape, std::span<const Var<S>> ys, std::span<const S> weights) {
  const bool constant = std::all_of(ys.begin(), ys.end(), [](const Var<S>& y) { return y.place() == 0; });
  tape.backward(ys.first(constant ? 0 : ys.size()), weights.first(constant ? 0 : weights.size()));
}
template <class S> void walk_back_from(BasicTape<S>& tape, const Var<S>& y) {
  if (y.place() != 0) tape.backward(y); else tape.backward(std::span<const Var<S>>(), std::span<const S>());
}
inline thread_local constinit std::uint64_t random_draws = 0;  ///< of Dropout on this thread so far
/// run(), of functions that run again later, and must do the same then.
auto repeatable(const char* where, const auto& run) {
  const std::uint64_t before = random_draws;
  auto result = run();
  if (random_draws != before)
    throw Error(text("{}: the function runs twice, and would drop other numbers the second time: let an nn::NoDropout live meanwhile", {where}));
  return result;
}
/// The numbers of a point. A thread keeps their memory for its next call: malloc gives large blocks back to the system, and touching new pages costs
/// as much as the work on them (gradient_batch of Rosenbrock and Speelpenning, 1000 variables, eight points a call: 1.8 and 2.8 times the time).
template <class T> struct Workspace {
  std::vector<T> x;

  Workspace() { if (!gone) x.swap(kept()); }
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;
  ~Workspace() { if (!gone && x.capacity() * sizeof x[0] <= most_kept) x.swap(kept()); }

 private:
  static constexpr std::size_t most_kept = std::size_t{1} << 22;  ///< bytes: no thread sits on more for a call that may never come
  static inline thread_local constinit bool gone = false;         ///< is the memory? What is static, and ends after it, may still differentiate
  static std::vector<T>& kept() {
    struct Memory {
      std::vector<T> x;
      ~Memory() { gone = true; }
    };
    static thread_local Memory memory;
    return memory.x;
  }
};

/// A tape, and the components of a point as its variables.
template <class S> struct Taped : Workspace<Var<S>> {
  Inside inside;
  BasicTape<S> tape;
  explicit Taped(const auto& point) { tape.variables(point, this->x); }
  /// What f returns there. (Tapes over other numbers than double hold no parameters.)
  auto result_of(const char* where, const auto& f) const {
    if constexpr (std::same_as<S, double>) return inside.result_of(where, f, this->x); else return at(f, this->x);
  }
  std::vector<S> adjoints() const { return tape.adjoints(this->x); }
  /// ∇y for each of the outputs, one walk back for each.
  std::vector<std::vector<S>> gradients(const std::vector<Var<S>>& ys) {
    std::vector<std::vector<S>> rows;
    for (const Var<S>& y : ys) {
      walk_back_from(tape, y);
      rows.push_back(adjoints());
    }
    return rows;
  }
};
/// The same for a tensor.
template <class T> struct TapedTensor {
  Inside inside;
  Tape tape;
  Var<Tensor<T>> x;
  explicit TapedTensor(const Tensor<T>& point) : x(tape.variable(point)) {}
  auto result_of(const char* where, const auto& f) const { return inside.result_of(where, f, x); }
};
/// f of one number as a function of a vector, and the number as that vector.
template <class F> auto of_vector(const F& f) { return [&f](const auto& x) { return f(x[0]); }; }
template <Number X> std::array<NumberTypeOf<X>, 1> as_vector(const X& x) { return {NumberTypeOf<X>(x)}; }

/// What a function returned, which must be one number. (Of several the first, so that the static_assert is the only error.)
template <class Y> const auto& only(const Y& y) {
  static_assert(!Vector<Y>, "a gradient needs a function of one number: sum what it returns, or use jacobian or vjp");
  if constexpr (Vector<Y>) return y[0]; else return y;
}
/// The one number that a function returned, as a Var<S>: a constant where it depends on nothing.
template <class S, class Y> Var<S> one_number(const char* where, const Y& y) {
  static_assert(AnyTensor<Y> || Vector<Y> || std::constructible_from<Var<S>, const Y&>,
      "f returns a number that rests on variables of an outer derivative, which this point of plain numbers cannot carry: make the point of numbers "
      "of their type, or use derivative or jvp");
  if constexpr (AnyTensor<Y>) {
    if (plain(y).size() != 1)
      throw ShapeError(
          text("{}: f returned a tensor of shape {}, a scalar is needed; sum it, or use jacobian or vjp", {where, plain(y).shape().text()}));
    return sum(y);
  } else return Var<S>(only(y));
}
/// What a function returned, as a list of Var<S>.
template <class S, class Y> std::vector<Var<S>> all_numbers(const Y& y) {
  std::vector<Var<S>> numbers;
  if constexpr (is_tensor_var<Y>) {
    const auto flat = reshape(y, Shape({y.size()}));
    for (std::size_t i = 0; i < y.size(); ++i) numbers.push_back(flat(i));
  } else if constexpr (Vector<Y> || is_tensor<Y>) {
    for (std::size_t i = 0; i < size_of(y); ++i) numbers.push_back(Var<S>(y[i]));
  } else numbers.push_back(Var<S>(y));
  return numbers;
}
inline void require_size(const char* where, const char* what, std::size_t expected, std::size_t given) {
  if (expected != given) refuse_sizes(where, what, std::to_string(expected) + " components", std::to_string(given));
}
inline void require_shape(const char* where, const char* what, const Shape& expected, const Shape& given) {
  if (expected != given) refuse_sizes(where, what, "shape " + expected.text(), given.text());
}

/// A point of Duals: x + v ε.
template <class Tag, class S, class X, class V> auto dual_point(const char* where, const X& x, const V& v) {
  const std::size_t n = size_of(x);
  require_size(where, "the direction", n, size_of(v));
  std::vector<Dual<S, Tag>> point;
  point.reserve(n);
  for (std::size_t i = 0; i < n; ++i) point.emplace_back(static_cast<S>(x[i]), static_cast<S>(v[i]));
  return point;
}
template <class Tag, AnyTensor X> auto dual_point(const char* where, const X& x, const X& v) {
  require_shape(where, "the direction", x.shape(), v.shape());
  return Dual<X, Tag>(x, v);
}
/// The numbers of x, which must not rest on a variable: its part of the derivative would be lost.
template <class X> auto numbers_of(const char* where, const X& x) {
  if constexpr (requires { x.place(); }) {
    if (x.place() != 0) refuse_outer(where);
    return x.value();
  } else return x;
}

/// part(y) as an S for the number y that a function returned, or of each in a vector.
template <class S, class Y> auto parts(const Y& y, const auto& part) {
  if constexpr (Vector<Y>) {
    std::vector<decltype(as<S>(part(y[0])))> all;
    for (std::size_t i = 0; i < size_of(y); ++i) all.push_back(as<S>(part(y[i])));
    return all;
  } else return as<S>(part(y));
}
template <class Tag, class S, class Y> auto tangents(const Y& y) { return parts<S>(y, [](const auto& one) { return tangent<Tag>(one); }); }
template <class Tag, class S, class Y> auto primals(const Y& y) { return parts<S>(y, [](const auto& one) { return primal<Tag>(one); }); }

/// Rows of numbers as a matrix; rows of other numbers as they are.
template <class S> auto matrix(const std::vector<std::vector<S>>& rows, std::size_t columns) {
  if constexpr (std::same_as<S, double>) {
    Tensor<double> m = Tensor<double>::uninitialized(Shape({rows.size(), columns}));
    double* to = m.mutable_data();
    for (const auto& row : rows) to = std::copy(row.begin(), row.end(), to);
    return m;
  } else return rows;
}

}  // namespace detail

// ---- functions of one number ----------------------------------------------------------------------------------------

/// f′(x) for a function of one number; f may return several numbers (a std::vector), then so does this. Forward mode.
template <class F, detail::Number X, Nothing... None> auto derivative(const F& f, const X& x, None...) {
  using T = detail::NumberTypeOf<X>;
  using Tag = detail::TagOf<F, T>;
  const auto y = detail::at(f, Dual<T, Tag>(T(x), T(1)));
  return detail::tangents<Tag, T>(y);
}

// ---- gradients ------------------------------------------------------------------------------------------------------

/// What value_and_gradient returns: `auto [value, grad] = …`.
template <class Value, class Gradient> struct ValueAndGradient { Value value; Gradient gradient; };
template <class Value, class Gradient> ValueAndGradient(Value, Gradient) -> ValueAndGradient<Value, Gradient>;

namespace detail {
template <class F, Vector X> auto value_and_gradient(const char* where, const F& f, const X& x) {
  using S = ElementOf<X>;
  Taped<S> at(x);
  const Var<S> y = one_number<S>(where, at.result_of(where, f));
  walk_back_from(at.tape, y);
  return ValueAndGradient{y.value(), at.adjoints()};
}
template <class F, class T> auto value_and_gradient(const char* where, const F& f, const Tensor<T>& x) {
  TapedTensor<T> at(x);
  const Var<double> y = one_number<double>(where, at.result_of(where, f));
  walk_back_from(at.tape, y);
  return ValueAndGradient{y.value(), at.tape.adjoint(at.x)};
}
template <class F, Number X> auto value_and_gradient(const char*, const F& f, const X& x) {
  using T = NumberTypeOf<X>;
  using Tag = TagOf<F, T>;
  const auto result = at(f, Dual<T, Tag>(T(x), T(1)));
  const auto& y = only(result);
  if constexpr (Arithmetic<std::remove_cvref_t<decltype(y)>>) return ValueAndGradient{T(y), T(0)};
  else return ValueAndGradient{as<T>(primal<Tag>(y)), as<T>(tangent<Tag>(y))};
}
}  // namespace detail

/// f(x) and ∇f(x), in one run of f and one walk backwards, or for a number x by forward mode. The gradient has the shape of x; it is zero for a
/// constant function. Throws ShapeError if f returns a tensor of more than one number; and where a tape records, as all drivers that walk
/// backwards, TapeError if f uses a parameter, whose share in the result would be lost: jvp keeps it.
template <class F, detail::Point X, Nothing... None> auto value_and_gradient(const F& f, const X& x, None...) {
  return detail::value_and_gradient("value_and_gradient", f, x);
}
template <class F> auto value_and_gradient(const F& f, std::initializer_list<double> x) { return value_and_gradient(f, std::vector<double>(x)); }
/// ∇f(x).
template <class F, detail::Point X, Nothing... None> auto gradient(const F& f, const X& x, None...) {
  return detail::value_and_gradient("gradient", f, x).gradient;
}
template <class F> std::vector<double> gradient(const F& f, std::initializer_list<double> x) { return gradient(f, std::vector<double>(x)); }
namespace detail {
/// At a tensor of a recording: the result would be none of that recording.
template <class T> void refuse_recorded_point(const Var<Tensor<T>>&) {
  static_assert(sizeof(T) == 0,
      "no gradient is taken at a tensor of a recording: use recorded_gradient(f, x), or jvp(f, x, v), which are recorded; at the "
      "point x.value() it is a constant, and what it depends on is lost");
}
}  // namespace detail
template <class F, class T> auto value_and_gradient(const F&, const Var<Tensor<T>>& x) {
  detail::refuse_recorded_point(x);
  return ValueAndGradient{0.0, 0.0};
}
template <class F, class T> auto gradient(const F& f, const Var<Tensor<T>>& x) { return value_and_gradient(f, x).gradient; }

// ---- second derivatives ---------------------------------------------------------------------------------------------

/// What gradient_and_hvp returns: `auto [grad, product] = …`.
template <class X> struct GradientAndHvp { X gradient, hvp; };
namespace detail {
template <class F, Vector X, class V> auto gradient_and_hvp(const char* where, const F& f, const X& x, const V& v) {
  using S = ElementOf<X>;
  using Tag = TagOf<F, S>;
  GradientAndHvp<std::vector<S>> both;
  for (const Dual<S, Tag>& g : value_and_gradient(where, f, dual_point<Tag, S>(where, x, v)).gradient)
    both.gradient.push_back(g.value()), both.hvp.push_back(g.tangent());
  return both;
}
template <class F, class T> Tensor<T> hvp(const char* where, const F& f, const Tensor<T>& x, const Tensor<T>& v) {
  using Tag = TagOf<F, Tensor<T>>;
  TapedTensor<T> at(x);
  const auto slope = tangent<Tag>(at.result_of(where, [&](const auto& point) {
    return detail::at(f, dual_point<Tag>(where, point, Var<Tensor<T>>(v)));
  }));
  walk_back_from(at.tape, one_number<double>(where, slope));
  return at.tape.adjoint(at.x);
}
}  // namespace detail

/// H·v, the derivative of ∇f along v. For a vector: forward over reverse, on a tape over Duals. For a tensor: reverse over forward, which
/// where a slope is infinite gives NaN.
/// v is what x is: a vector, a Tensor of the same numbers, or braces beside braces. Throws ShapeError unless it has x's size and f returns one number.
template <class F, detail::Vector X, class V, Nothing... None> auto hvp(const F& f, const X& x, const V& v, None...) {
  return detail::gradient_and_hvp("hvp", f, x, v).hvp;
}
template <class F, class T> Tensor<T> hvp(const F& f, const Tensor<T>& x, const Tensor<T>& v) { return detail::hvp("hvp", f, x, v); }
template <class F, class T, class V> void hvp(const F&, const Var<Tensor<T>>& x, const V&) { detail::refuse_recorded_point(x); }
template <class F>
auto hvp(const F& f, std::initializer_list<double> x, std::initializer_list<double> v) {
  return hvp(f, std::vector<double>(x), std::vector<double>(v));
}

template <class F, detail::Number X, detail::Number V, Nothing... None> auto hvp(const F& f, const X& x, const V& v, None...) {
  return detail::stored(derivative([&f](const auto& at) { return derivative(f, at); }, x) * v);
}

/// ∇f and H·v, both of x's shape, in one run of f (and for a tensor two walks back), as Newton's method wants them. Throws as hvp does.
template <class F, detail::Vector X, class V> auto gradient_and_hvp(const F& f, const X& x, const V& v) {
  return detail::gradient_and_hvp("gradient_and_hvp", f, x, v);
}
template <class F, class T> GradientAndHvp<Tensor<T>> gradient_and_hvp(const F& f, const Tensor<T>& x, const Tensor<T>& v) {
  using Tag = detail::TagOf<F, Tensor<T>>;
  detail::TapedTensor<T> at(x);
  const auto y = at.result_of("gradient_and_hvp", [&](const auto& point) {
    return detail::at(f, detail::dual_point<Tag>("gradient_and_hvp", point, Var<Tensor<T>>(v)));
  });
  const auto walked = [&](const auto& number) {
    detail::walk_back_from(at.tape, detail::one_number<double>("gradient_and_hvp", number));
    return at.tape.adjoint(at.x);
  };
  return {walked(detail::primal<Tag>(y)), walked(detail::tangent<Tag>(y))};
}
template <class F> auto gradient_and_hvp(const F& f, std::initializer_list<double> x, std::initializer_list<double> v) {
  return gradient_and_hvp(f, std::vector<double>(x), std::vector<double>(v));
}
template <class F, detail::Number X, detail::Number V> auto gradient_and_hvp(const F& f, const X& x, const V& v) {
  const auto [slope, bend] = value_and_gradient([&f](const auto& at) { return derivative(f, at); }, x);
  using Y = std::remove_cvref_t<decltype(detail::stored(bend * v))>;
  return GradientAndHvp<Y>{Y(slope), detail::stored(bend * v)};
}

/// ∇f at a tensor that has a tangent v of an outer derivative: its tangent is H·v. Throws TapeError if either rests on a variable of a tape.
template <class F, class T, class Tag> requires(DualTensor<Dual<T, Tag>> && TensorLike<T>) auto gradient(const F& f, const Dual<T, Tag>& x) {
  const auto both = gradient_and_hvp(f, detail::numbers_of("gradient", x.value()), detail::numbers_of("gradient", x.tangent()));
  return Dual<T, Tag>(T(both.gradient), T(both.hvp));
}

namespace detail {
/// H, eight products with unit vectors to a recording, in which each number has eight tangents beside it: of 100 variables 89 µs instead of 313, with
/// AVX-512 57 (`rows` in bench/scalar_gbench). False if a number of it is infinite or NaN: what is
/// so in one row may be so in all eight.
template <class F, class X> bool hessian_by_eights(const F& f, const X& x, double* h) {
  using Eight = Batch<double, 8>;
  using D = Dual<double, TagOf<F, Eight>, Eight>;
  const std::size_t n = size_of(x);
  BasicTape<D> tape;
  std::vector<D> point(n);
  std::vector<Var<D>> at;
  Eight all(0.0);  // 0 unless a number is infinite or NaN: then NaN
  for (std::size_t first = 0; first < n; first += Eight::size) {
    const std::size_t rows = std::min(Eight::size, n - first);
    for (std::size_t i = 0; i < n; ++i) {
      Eight unit(0.0);
      if (i >= first && i - first < rows) unit.set(i - first, 1);
      point[i] = D(static_cast<double>(x[i]), unit);
    }
    tape.clear();
    tape.variables(point, at);
    walk_back_from(tape, one_number<D>("hessian", detail::at(f, std::as_const(at))));
    for (std::size_t i = 0; i < n; ++i) {
      const Eight column = tape.adjoint(at[i]).tangent();
      all += column - column;
      for (std::size_t row = 0; row < rows; ++row) h[(first + row) * n + i] = column[row];
    }
  }
  return all.total() == 0;
}
}  // namespace detail

/// H: Tensor<double> of shape (n, n), a vector of rows where x is of Vars or Duals; the products with all unit vectors. For a tensor x, its n numbers
/// row by row. f runs once for each eight numbers of a vector, again for each if a derivative is infinite or NaN; once for each of a tensor. Throws as
/// hvp does, and Error if f is of a tensor and drops numbers (nn::Dropout), which would be others in each run.
template <class F, detail::Vector X, Nothing... None> auto hessian(const F& f, const X& x, None...) {
  using S = detail::ElementOf<X>;
  const std::size_t n = detail::size_of(x);
  if constexpr (std::same_as<S, double>) if (n > 1 && !detail::nan_traps) {  // a NaN between the rows of eight is no mistake of f's
    Tensor<double> h = Tensor<double>::uninitialized(Shape({n, n}));
    if (detail::hessian_by_eights(f, x, h.mutable_data())) return h;
  }
  std::vector<std::vector<S>> rows;
  std::vector<S> unit(n, S(0));
  for (std::size_t i = 0; i < n; ++i) {
    unit[i] = S(1);
    rows.push_back(detail::gradient_and_hvp("hessian", f, x, unit).hvp);
    unit[i] = S(0);
  }
  return detail::matrix(rows, n);
}
template <class F, class T> Tensor<double> hessian(const F& f, const Tensor<T>& x) {
  const auto rows = detail::repeatable("hessian", [&] {
    std::vector<std::vector<double>> products;
    for (std::size_t i = 0; i < x.size(); ++i) {
      Tensor<T> unit = Tensor<T>::zeros(x.shape());
      unit[i] = T(1);
      const Tensor<T> row = detail::hvp("hessian", f, x, unit);
      products.emplace_back(row.begin(), row.end());
    }
    return products;
  });
  return detail::matrix(rows, x.size());
}
template <class F> Tensor<double> hessian(const F& f, std::initializer_list<double> x) { return hessian(f, std::vector<double>(x)); }
template <class F, detail::Number X, Nothing... None> auto hessian(const F& f, const X& x, None...) {
  using S = detail::NumberTypeOf<X>;
  return detail::matrix(std::vector<std::vector<S>>{{hvp(f, x, 1.0)}}, 1);
}

}  // namespace autodiff::inline v1
