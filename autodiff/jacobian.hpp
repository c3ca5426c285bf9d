// Floor 5. Jacobians of a function, and products with them: jvp from the right, forwards, vjp from the left, backwards; and costs of a gradient,
// which are made of both. Points and functions are those of grad.hpp.
#pragma once
#include "preaccumulate.hpp"
#include "with_pullback.hpp"

namespace autodiff::inline v1 {

// ---- products with the Jacobian -------------------------------------------------------------------------------------

/// What value_and_jvp returns: `auto [value, tangent] = …`.
template <class Value, class Tangent> struct ValueAndTangent { Value value; Tangent tangent; };
template <class Value, class Tangent> ValueAndTangent(Value, Tangent) -> ValueAndTangent<Value, Tangent>;

namespace detail {

/// What a run forwards gives: the tangent, and the value where it is wanted.
template <bool with_value> auto pushed(const auto& value, const auto& tangent) {
  if constexpr (with_value) return ValueAndTangent{value(), tangent()}; else return tangent();
}
template <bool with_value, class F, Vector X, class V> auto push(const F& f, const X& x, const V& v) {
  using S = ElementOf<X>;
  using Tag = detail::TagOf<F, S>;
  const auto y = at(f, dual_point<Tag, S>("jvp", x, v));
  return pushed<with_value>([&] { return primals<Tag, S>(y); }, [&] { return tangents<Tag, S>(y); });
}
template <bool with_value, class F, class X, class V> requires((is_tensor_var<X> || DualTensor<X>) && std::convertible_to<V, X>)
auto push(const F& f, const X& x, const V& v) {
  using Tag = detail::TagOf<F, X>;
  const auto y = at(f, dual_point<Tag>("jvp", x, X(v)));
  using Y = std::remove_cvref_t<decltype(y)>;
  if constexpr (DualTensor<Y>) return pushed<with_value>([&] { return primal<Tag>(y); }, [&] { return tangent<Tag>(y); });
  else if constexpr (TensorLike<Y>) {
    using Constant = Var<Tensor<typename Y::Number>>;
    return pushed<with_value>([&] { return Constant(y); }, [&] { return Constant(Tensor<typename Y::Number>::zeros(y.shape())); });
  } else return pushed<with_value>([&] { return primals<Tag, Var<double>>(y); }, [&] { return tangents<Tag, Var<double>>(y); });
}
template <bool with_value, class F, class T> auto push(const F& f, const Tensor<T>& x, const Tensor<T>& v) {
  const auto y = push<with_value>(f, Var<Tensor<T>>(x), v);
  const auto numbers = [](const auto& one) {
    if constexpr (Vector<std::remove_cvref_t<decltype(one)>>) {
      std::vector<double> all;
      for (const auto& number : one) all.push_back(numbers_of("jvp", number));
      return all;
    } else return numbers_of("jvp", one);
  };
  if constexpr (with_value) return ValueAndTangent{numbers(y.value), numbers(y.tangent)}; else return numbers(y);
}
template <bool with_value, class F, Number X, Number V> auto push(const F& f, const X& x, const V& v) {
  using T = NumberTypeOf<X>;
  using Tag = detail::TagOf<F, T>;
  const auto y = at(f, Dual<T, Tag>(T(x), T(1)));  // not v, which may rest on more than x does
  return pushed<with_value>([&] { return primals<Tag, T>(y); },
      [&] { return parts<T>(y, [&](const auto& one) { return scaled(tangent<Tag>(one), v); }); });
}

}  // namespace detail

/// J·v, the derivative of F along v, in one run of F forwards. A number, std::vector or Tensor, as F returns. Throws
/// ShapeError unless v has x's size.
///   - If x is a Var<Tensor>, a variable of a tape, so is the result: a Var<Tensor>, or a Var<double>. Likewise if it belongs to an outer derivative:
///     second derivatives along directions, uₓₓ say.
///   - At plain numbers it is plain, unless it rests on variables of a tape besides: then it is a Var of that tape; at a plain Tensor that is a
///     TapeError.
/// v is what x is: a vector beside a vector, braces beside braces, and beside a Tensor one of the same shape and numbers.
template <class F, class X, class V, Nothing... None> requires requires(const F& f, const X& x, const V& v) { detail::push<false>(f, x, v); }
auto jvp(const F& f, const X& x, const V& v, None...) { return detail::push<false>(f, x, v); }
template <class F>
auto jvp(const F& f, std::initializer_list<double> x, std::initializer_list<double> v) {
  return jvp(f, std::vector<double>(x), std::vector<double>(v));
}
/// The same and F(x), in the same run.
template <class F, class X, class V> requires requires(const F& f, const X& x, const V& v) { detail::push<true>(f, x, v); }
auto value_and_jvp(const F& f, const X& x, const V& v) { return detail::push<true>(f, x, v); }
template <class F> auto value_and_jvp(const F& f, std::initializer_list<double> x, std::initializer_list<double> v) {
  return value_and_jvp(f, std::vector<double>(x), std::vector<double>(v));
}

/// Jᵀ·u, the gradient of Σ uᵢFᵢ, in one walk backwards; of the shape of x. Throws ShapeError unless u has the size of what F returns;
/// u is a Tensor where that is one.
template <class F, detail::Vector X, class U, Nothing... None> auto vjp(const F& f, const X& x, const U& u, None...) {
  using S = detail::ElementOf<X>;
  detail::Taped<S> at(x);
  const auto y = detail::all_numbers<S>(at.result_of("vjp", f));
  std::vector<S> weights;
  if constexpr (detail::Number<U>) weights = {S(u)}; else for (std::size_t i = 0; i < detail::size_of(u); ++i) weights.push_back(S(u[i]));
  detail::require_size("vjp", "the weights", y.size(), weights.size());
  detail::walk_back_from<S>(at.tape, y, weights);
  return at.adjoints();
}
template <class F, class T, class U> auto vjp(const F& f, const Tensor<T>& x, const U& u) {
  detail::TapedTensor<T> at(x);
  const auto y = at.result_of("vjp", f);
  using Y = std::remove_cvref_t<decltype(y)>;
  if constexpr (TensorLike<Y>) {
    detail::require_shape("vjp", "the weights", y.shape(), u.shape());
    const Var<double> weighted = dot(y, u);
    detail::walk_back_from(at.tape, weighted);
  } else if constexpr (detail::Vector<Y>) {
    const auto outputs = detail::all_numbers<double>(y);
    detail::require_size("vjp", "the weights", outputs.size(), detail::size_of(u));
    std::vector<double> weights;
    for (std::size_t i = 0; i < outputs.size(); ++i) weights.push_back(static_cast<double>(u[i]));
    detail::walk_back_from<double>(at.tape, outputs, weights);
  } else {
    const Var<double> output = y;
    const double weight = static_cast<double>(u);
    detail::walk_back_from<double>(at.tape, std::span(&output, 1), std::span(&weight, 1));
  }
  return at.tape.adjoint(at.x);
}

template <class F, class T, class U> void vjp(const F&, const Var<Tensor<T>>& x, const U&) { detail::refuse_recorded_point(x); }
template <class F>
auto vjp(const F& f, std::initializer_list<double> x, std::initializer_list<double> u) {
  return vjp(f, std::vector<double>(x), std::vector<double>(u));
}
template <class F, detail::Number X, class U, Nothing... None> auto vjp(const F& f, const X& x, const U& u, None...) {
  return vjp(detail::of_vector(f), detail::as_vector(x), u)[0];
}

namespace detail {
template <class S> std::vector<S> values_of(const std::vector<Var<S>>& numbers) {
  std::vector<S> values;
  for (const Var<S>& number : numbers) values.push_back(number.value());
  return values;
}
}  // namespace detail

/// What value_and_jacobian returns: `auto [value, jacobian] = …`.
template <class Value = std::vector<double>, class Jacobian = Tensor<double>> struct ValueAndJacobian { Value value; Jacobian jacobian; };
template <class Value, class Jacobian> ValueAndJacobian(Value, Jacobian) -> ValueAndJacobian<Value, Jacobian>;
/// F(x), its numbers row by row in a vector, and J as jacobian gives it, from one run of F. Throws TapeError as value_and_gradient does.
template <class F, detail::Vector X> auto value_and_jacobian(const F& f, const X& x) {
  using S = detail::ElementOf<X>;
  detail::Taped<S> at(x);
  const auto y = detail::all_numbers<S>(at.result_of("jacobian", f));
  if constexpr (std::same_as<S, double>) return ValueAndJacobian{detail::values_of(y), at.tape.jacobian(y, at.x)};
  else return ValueAndJacobian{detail::values_of(y), at.gradients(y)};
}
template <class F, class T> auto value_and_jacobian(const F& f, const Tensor<T>& x) {
  detail::TapedTensor<T> at(x);
  const auto y = at.result_of("jacobian", f);
  using Y = std::remove_cvref_t<decltype(y)>;
  std::vector<double> value;
  std::vector<std::vector<double>> rows;
  const auto walked = [&] { const Tensor<T> g = at.tape.adjoint(at.x); rows.emplace_back(g.begin(), g.end()); };
  if constexpr (TensorLike<Y>) {
    const auto& numbers = plain(y);
    value.assign(numbers.begin(), numbers.end());
  }
  if constexpr (detail::is_tensor_var<Y>) {
    for (std::size_t i = 0; i < y.size() && y.place() != 0; ++i) {
      auto unit = Tensor<typename Y::Number>::zeros(y.shape());
      unit[i] = 1;
      at.tape.backward(y, unit);
      walked();
    }
  } else if constexpr (!detail::is_tensor<Y>) {
    const auto components = detail::all_numbers<double>(y);
    value = detail::values_of(components);
    for (const Var<double>& component : components) {
      detail::walk_back_from(at.tape, component);
      walked();
    }
  }
  const bool constant = rows.empty();
  return ValueAndJacobian{value, constant ? Tensor<double>::zeros(Shape({value.size(), x.size()})) : detail::matrix(rows, x.size())};
}
template <class F> auto value_and_jacobian(const F& f, std::initializer_list<double> x) { return value_and_jacobian(f, std::vector<double>(x)); }
template <class F, detail::Number X> auto value_and_jacobian(const F& f, const X& x) {
  return value_and_jacobian(detail::of_vector(f), detail::as_vector(x));
}
/// J, a row for each output, a column for each component of x: Tensor<double> of shape (m, n); a vector of rows where x is of Vars or Duals. Recorded
/// once; numbers are walked backwards for eight rows at a time, or forwards for eight columns where that is less (1000 outputs of 4
/// components: 16 µs, 820 backwards), tensors backwards for each row. Where most entries are 0, sparse_jacobian (sparse.hpp) is quicker.
template <class F, detail::Point X, Nothing... None> auto jacobian(const F& f, const X& x, None...) { return value_and_jacobian(f, x).jacobian; }
template <class F, class T> void jacobian(const F&, const Var<Tensor<T>>& x) { detail::refuse_recorded_point(x); }
template <class F> Tensor<double> jacobian(const F& f, std::initializer_list<double> x) { return jacobian(f, std::vector<double>(x)); }

// ---- gradients inside of a recording --------------------------------------------------------------------------------

/// φ(∇f(x)), recorded: a cost of a gradient, for instance its distance from measured forces, or a penalty on its length. f maps a tensor to one
/// number, φ a tensor of x's shape; both may use parameters. f runs once on a tape of its own, for g = ∇f(x), and once forwards along w = ∇φ(g),
/// because d φ(∇f) = d (w·∇f) for a constant w: two runs however many numbers x has, where jvp would take one for each. So f and φ must be the same
/// both times (Error if they run through Dropout); the result can be walked back, and not differentiated twice. Throws ShapeError if f or φ returns
/// more than one number, TapeError if one of them uses variables of a tape beside x.
template <class Phi, class F, class T> Var<double> cost_of_gradient(const Phi& phi, const F& f, const Var<Tensor<T>>& x) {
  const auto aside = [](const auto& function, const auto& point) {
    const Pause pause;
    return detail::value_and_gradient("cost_of_gradient", function, point).gradient;
  };
  const Tensor<T> g = detail::repeatable("cost_of_gradient", [&] { return aside(f, x.value()); });
  const Var<double> value = detail::one_number<double>("cost_of_gradient", phi(Var<Tensor<T>>(g)));
  const Tensor<T> w = detail::repeatable("cost_of_gradient", [&] { return aside(phi, g); });
  const Var<double> along = detail::one_number<double>("cost_of_gradient", jvp(f, x, w));
  return detail::statement<double>("cost_of_gradient", value.value(), std::array{value, along}, {1.0, 1.0});
}

/// ∇f(x), recorded: an operation whose pullback is u → H·u, in one run of f for each walk backwards. For gradients through steps of a descent,
/// x − rate · ∇f(x): of a validation cost in the rate, or in where the descent began (examples/learning_rate.cpp). f maps a tensor to one number, and
/// is called again by backward(): a copy of it is kept, and what it captures by reference must live until then. It must use no variables and no
/// parameters beside x, whose share would be lost (TapeError), nor Dropout (Error). The result can be walked back, and not differentiated twice.
template <class F, class T> Var<Tensor<T>> recorded_gradient(const F& f, const Var<Tensor<T>>& x) {
  const Tensor<T> g = detail::repeatable("recorded_gradient",
      [&] { return detail::value_and_gradient("recorded_gradient", f, x.value()).gradient; });
  if (x.place() == 0) return g;
  return with_pullback("gradient", g, [f, at = x.value()](const Tensor<T>& u) { return hvp(f, at, u); }, x);
}

}  // namespace autodiff::inline v1
