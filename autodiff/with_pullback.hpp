// Floor 4. An operation of one's own with the pullback of one's own: what a library computes that knows nothing of tapes (a solver, a simulation), or
// what has a pullback that is cheaper than the tape's. Elementary functions want less: a rule (rules.hpp), and apply<Rule>(x).
#pragma once
#include "reduce.hpp"
#include <tuple>
#include <utility>

namespace autodiff::inline v1 {

namespace detail {

/// While it lives, a walk backwards has called a function of the user's, who knows of no walk: the tape says that it is full, so that whatever would be
/// recorded asks grow(), which refuses, as clear(), rewind() and backward() do.
class Walking {
  Record<double>& tape_;
  char* const last_;

 public:
  explicit Walking(Record<double>& tape) : tape_(tape), last_(tape.last) { tape.walking = true, tape.close(); }
  ~Walking() { tape_.walking = false, tape_.last = nan_traps ? tape_.arguments.data() : last_; }
  Walking(const Walking&) = delete;
  Walking& operator=(const Walking&) = delete;
};

/// A function that a tape keeps until it forgets the recording.
template <class F> struct KeptFunction : Shared {
  F f;
  explicit KeptFunction(const F& function) : Shared([](Shared* self) { delete static_cast<KeptFunction*>(self); }), f(function) {}

  auto operator()(Record<double>& walked, const auto& adjoint) const {
    const Walking walking(walked);
    return f(adjoint);
  }
  static const KeptFunction* on_recorder(const F& function) {
    auto* const kept = new KeptFunction(function);
    const struct Release { Shared& kept; ~Release() { kept.release(); } } release{*kept};
    recorder<double>().nodes.keep(*kept);
    return kept;
  }
};

template <class T> void add_adjoint(const Pull<T>& p, int operand, const Tensor<T>& adjoint) {
  const Shape& shape = p.in(operand).shape;
  if (adjoint.shape() != shape)
    throw ShapeError(text("{}: its pullback gives operand {} an adjoint of shape {}; give it the operand's shape, {}",
        {p.node.name, operand + 1, adjoint.shape().text(), shape.text()}));
  if (const auto to = p.to(operand)) kernels<T>().axpy(T(1), adjoint.data(), to.data, shape.count(), to.add);
}
/// What a pullback returned: a tensor for the one operand, or one for each, in a tuple.
template <std::size_t count, class T, class G> void add_adjoints(const Pull<T>& p, const G& adjoints) {
  if constexpr (std::same_as<G, Tensor<T>>) {
    static_assert(count == 1, "with_pullback: of several operands the pullback returns a std::tuple, the adjoint of each");
    add_adjoint<T>(p, 0, adjoints);
  } else if constexpr (!requires { std::tuple_size<G>::value; }) {
    static_assert(sizeof(G) == 0, "with_pullback: the pullback returns a plain tensor of the operands' number type, or a std::tuple of such: "
                                  "of a captured variable take the value(), of a number make a Tensor");
  } else {
    static_assert(std::tuple_size_v<G> == count, "with_pullback: the pullback returns the adjoint of each operand, no more and no less");
    [&]<int... i>(std::integer_sequence<int, i...>) { (add_adjoint<T>(p, i, std::get<i>(adjoints)), ...); }
    (std::make_integer_sequence<int, static_cast<int>(count)>());
  }
}

}  // namespace detail

/// y, which you have computed from x…, recorded as an operation on these, up to three tensors of y's number type: y is a tensor, or a number.
/// `pullback(g)` gets the adjoint of y, a tensor of its shape or a number, and returns the adjoint of x, of its shape; of several x a std::tuple of
/// theirs. It is copied, and runs at each backward() that reaches y; what it captures by reference must live until then, and of variables it captures
/// their value(): it computes with plain numbers. `name` is for errors and to_dot, and must live as long. Backwards only: forward mode, second
/// derivatives too, do not compile. If none of x is recorded, neither is y. Throws ShapeError from backward() for an adjoint of another shape.
///
///     // y = A⁻¹b by Eigen:  b̄ = A⁻ᵀȳ,  Ā = −b̄·yᵀ
///     ad::Var y = ad::with_pullback("solve", solution, [A = A.value(), solution](const auto& g) {
///       const ad::Tensor<double> b = solve(transpose(A), g);
///       return std::tuple(-matmul(reshape(b, {b.size(), 1}), reshape(solution, {1, b.size()})), b);
///     }, A, b);
template <class Y, class Pullback, TensorLike... X> auto with_pullback(const char* name, const Y& y, const Pullback& pullback, const X&... x) {
  static_assert(sizeof...(X) >= 1 && sizeof...(X) <= 3, "with_pullback: an operation has one to three operands; concatenate more");
  using T = detail::NumberOfAny<X...>;
  static_assert((std::same_as<T, typename X::Number> && ...) && (Arithmetic<Y> || std::same_as<Y, Tensor<T>>),
      "with_pullback: the result is a number or a plain tensor, of the number type of its operands: take .value(), or convert with .as<double>()");
  const auto recorded = [&](const auto&... in) {
    const auto* const kept = (in.recorded() || ...) ? detail::KeptFunction<Pullback>::on_recorder(pullback) : nullptr;
    if constexpr (Arithmetic<Y>)
      return detail::plain_if_all_are<X...>(detail::record_number<T>(name, [&] { return static_cast<double>(y); },
          [kept](const detail::Pull<T>& p) { detail::add_adjoints<sizeof...(X)>(p, (*kept)(p.tape, p.number_adjoint())); }, in...));
    else
      return detail::record<detail::ResultOf<T, X...>>(name, y.shape(), [&](T* out) { std::copy_n(y.data(), y.size(), out); },
          [kept](const detail::Pull<T>& p) {
        const Shape& shape = p.out().shape;
        detail::add_adjoints<sizeof...(X)>(p, (*kept)(p.tape, Tensor<T>::from(std::span<const T>(p.adjoint(), shape.count()), shape)));
      }, in...);
  };
  return recorded(detail::TensorOperand<T>(x, name)...);
}
template <class Y, class Pullback, class... X> requires(!(TensorLike<X> && ...) && (AnyTensor<X> && ...))
auto with_pullback(const char*, const Y& y, const Pullback&, const X&...) {
  static_assert(sizeof(Y) == 0, "with_pullback runs backwards only: no jvp, and no second derivative, goes through it");
  return y;
}

}  // namespace autodiff::inline v1
