// Floor 4. Fused operations: what a layer or a cost does, in one node. They compute what the compositions beside them say, faster; a Dual runs
// the composition. What fuses what is decided by nn (layers.hpp, loss.hpp); users of autodiff alone may call them too.
#pragma once
#include "parameter.hpp"
#include "reduce.hpp"
#include <cstdint>

namespace autodiff::inline v1 {

// ---- a layer --------------------------------------------------------------------------------------------------------

namespace detail {

/// How weights enter: as they are, or as a parameter, which is put on the tape that records. (Not by way of a Var: XOR net −6 %.)
template <class T, TensorLike X> TensorOperand<T> weights(const X& x) { return {x, "linear"}; }
template <class T> [[gnu::always_inline]] inline TensorOperand<T> weights(const Parameter<T>& p) {
  if (records()) return TensorOperand<T>(p.cell());
  return {p.value(), "linear"};
}
template <class X> const X& beside_dual(const X& x) { return x; }
template <class T> auto beside_dual(const Parameter<T>& p) { return p.var(); }

[[noreturn]] void refuse_layer_shapes(const Shape& x, const Shape& w, const Shape& bias);
inline void require_layer_shapes(const Shape& x, const Shape& w, const Shape& bias) {
  if (w.axes() != 2 || x.axes() == 0 || x.columns() != w[0] || bias.axes() != 1 || bias[0] != w[1]) [[unlikely]] refuse_layer_shapes(x, w, bias);
}

/// One variable stands twice among the operands: all that it gets is added up.
template <class T> [[gnu::noinline, gnu::cold]] void add_up(const Pull<T>& p, Target<T>& gx, Target<T>& gw, Target<T>& gbias) {
  for (int i = 0; Target<T>* const to : {&gx, &gw, &gbias}) {
    const std::size_t n = p.in(i++).shape.count();
    if (*to && !std::exchange(to->add, true)) std::fill_n(to->data, n, T(0));
  }
}

template <class Y, class Rule, class T>
[[gnu::always_inline]] inline Y layer(const TensorOperand<T>& x, const TensorOperand<T>& w, const TensorOperand<T>& bias) {
  constexpr bool bare = std::is_same_v<Rule, Identity>;
  static_assert(contains<Rule>(UnaryRules{}), "layer: a rule of your own has no fused kernel; write apply<Rule>(layer(x, w, bias))");
  constexpr std::size_t row = index_in<Rule>(UnaryRules{});
  constexpr const char* name = bare ? "linear" : Rule::row.name;
  static_assert(Rule::row.from_result, "this rule's slope needs its argument: apply it to the result of layer<Identity>");
  require_layer_shapes(x->shape, w->shape, bias->shape);
  const auto forward = [&](T* y) {
    const Affine<T> affine{x->shape.rows(), w->shape[1], w->shape[0], x->data, w->data, bias->data, y};
    kernels<T>().layer[row](affine);
  };
  const auto pullback = [](const Pull<T>& p) {
    const Affine<T> affine{p.in(0).shape.rows(), p.in(1).shape[1], p.in(1).shape[0], p.in(0).data, p.in(1).data, nullptr, p.out().data};
    const bool deferred = p.may_defer(p.in(1), p.in(0));
    auto gx = p.to(0), gw = deferred ? Target<T>{} : p.to(1), gbias = p.to(2);
    if ((gx && (gx.data == gw.data || gx.data == gbias.data)) || (gw && gw.data == gbias.data)) [[unlikely]] add_up(p, gx, gw, gbias);
    Nodes<double>& nodes = p.tape.nodes;
    const std::size_t results = affine.m * affine.n;
    T* const gz = bare ? nullptr : deferred ? nodes.template numbers<T>(nodes.walk_memory, results) : nodes.template scratch<T>(results);
    const AffineAdjoints<T> adjoints{p.adjoint(), gz, gx.data, gw.data, gbias.data, gx.add, gw.add, gbias.add};
    kernels<T>().layer_pullback[row](affine, adjoints);
    if (deferred) p.defer(p.in(1), affine.x, bare ? p.adjoint() : gz, affine.m);
  };
  if (x->shape.axes() == 2 && x->shape[0] * w->shape[1] <= Shape::most_numbers)
    return record<Y>(name, MatrixShape{x->shape[0], w->shape[1]}, forward, pullback, x, w, bias);
  return record<Y>(name, x->shape.with(x->shape.axes() - 1, w->shape[1]), forward, pullback, x, w, bias);
}

}  // namespace detail

/// Rule(x·w + bias) for x (…, K), w (K, N), bias (N) → (…, N), number by number; a Rule of rules.inl whose slope its result tells (`from_result`).
/// The weights may be parameters. Throws ShapeError for other shapes.
template <class Rule = Identity, TensorLike X, class W, class B> requires(!DualTensor<W> && !DualTensor<B>)
auto layer(const X& x, const W& w, const B& bias) {
  using T = typename X::Number;
  const auto weight = detail::weights<T>(w), offset = detail::weights<T>(bias);
  return detail::layer<detail::ResultOf<T, X, W, B>, Rule, T>({x, "linear"}, weight, offset);
}
template <class Rule = Identity, AnyTensor X, class W, class B> requires(DualTensor<X> || DualTensor<W> || DualTensor<B>)
auto layer(const X& x, const W& w, const B& bias) {
  detail::require_layer_shapes(x.shape(), w.shape(), bias.shape());
  return apply<Rule>(matmul(x, detail::beside_dual(w)) + detail::beside_dual(bias));
}

// ---- costs ----------------------------------------------------------------------------------------------------------

namespace detail {

/// A cost whose forward run gives its gradient too: the way back only scales it; where the seed is 1 and nothing was there before, the
/// gradient kept *is* the adjoint.
template <class T, class Cost>
[[gnu::always_inline]] inline Var<double> cost_with_gradient(const char* name, const TensorOperand<T>& x, const Cost& cost) {
  if (!x.recorded()) return cost(static_cast<T*>(nullptr));
  const std::size_t n = x->shape.count();
  T* const gradient = active<double>->nodes.template numbers<T>(n);
  return record_number<T>(name, [&] { return cost(gradient); }, [gradient](const Pull<T>& p) {
    const double g = p.number_adjoint();
    if (g == 1 && p.alias(p.in(0), gradient)) return;
    const auto to = p.to(0);
    kernels<T>().axpy(static_cast<T>(g), gradient, to.data, p.in(0).shape.count(), to.add);
  }, x);
}

[[noreturn]] void refuse_shapes(const char* where, const Shape& x, const Shape& target);
inline void require_same_shape(const char* where, const Shape& x, const Shape& target) {
  if (x != target || target.count() == 0) [[unlikely]] refuse_shapes(where, x, target);
}
/// Throws ShapeError unless there are M labels for logits (M, N), each in 0 … N − 1.
void require_labels(const char* where, const Shape& logits, std::span<const std::int32_t> labels);

}  // namespace detail

// `where` is the name that errors and pictures of the recording show.

/// Mean over the rows of −log softmax(x)[label], from logits x (…, N) and one label for each row. Throws ShapeError for too many, too few, or
/// labels outside of 0 … N − 1.
template <TensorLike X>
auto softmax_cross_entropy(const X& logits, std::span<const std::int32_t> labels, const char* where = "softmax_cross_entropy") {
  using T = typename X::Number;
  const detail::TensorOperand<T> x(logits, where);
  detail::require_labels(where, x->shape, labels);
  return detail::plain_if_all_are<X>(detail::cost_with_gradient<T>(where, x, [&](T* g) {
    return kernels<T>().softmax_cross_entropy(x->data, labels.data(), g, x->shape.rows(), x->shape.columns());
  }));
}
template <DualTensor X>
auto softmax_cross_entropy(const X& logits, std::span<const std::int32_t> labels, const char* where = "softmax_cross_entropy") {
  const Shape shape = logits.shape();
  detail::require_labels(where, shape, labels);
  std::vector<std::size_t> chosen;  // not a product with ones and zeros: what is not the label may be −∞
  for (std::size_t i = 0; i < labels.size(); ++i) chosen.push_back(i * shape.columns() + static_cast<std::size_t>(labels[i]));
  return detail::stored(-mean(gather(reshape(log_softmax(logits), {shape.count()}), chosen)));
}

/// Mean of −t log σ(x) − (1 − t) log(1 − σ(x)), from logits x and targets t of x's shape: t·softplus(−x) + (1 − t)·softplus(x), which never overflows;
/// of finite logits.
/// Targets may be variables: then, and in forward mode, it is a composition. Throws ShapeError for other shapes, and for no numbers at all.
template <TensorLike X>
auto logistic_cross_entropy(const X& logits, const Tensor<typename X::Number>& target, const char* where = "logistic_cross_entropy") {
  using T = typename X::Number;
  const detail::TensorOperand<T> x(logits, where);
  detail::require_same_shape(where, x->shape, target.shape());
  return detail::plain_if_all_are<X>(detail::cost_with_gradient<T>(where, x, [&](T* g) {
    return kernels<T>().logistic_cross_entropy(x->data, target.data(), g, target.size());
  }));
}
template <AnyTensor X, AnyTensor Target> requires(DualTensor<X> || !detail::is_tensor<Target>)
auto logistic_cross_entropy(const X& logits, const Target& target, const char* where = "logistic_cross_entropy") {
  detail::require_same_shape(where, logits.shape(), target.shape());
  return mean(target * softplus(-logits) + (1 - target) * softplus(logits));  // of what is right, too, the slope keeps its digits
}

/// scale · Σ (x − t)², for targets t of x's shape. Throws ShapeError for other shapes, and for no numbers at all.
template <TensorLike X>
auto squared_error(const X& x, const Tensor<typename X::Number>& target, double scale, const char* where = "squared_error") {
  using T = typename X::Number;
  const detail::TensorOperand<T> in(x, where);
  detail::require_same_shape(where, in->shape, target.shape());
  return detail::plain_if_all_are<X>(detail::cost_with_gradient<T>(where, in, [&](T* g) {
    return kernels<T>().squared_error(in->data, target.data(), g, target.size(), scale);
  }));
}
template <AnyTensor X, AnyTensor Target> requires(DualTensor<X> || !detail::is_tensor<Target>)
auto squared_error(const X& x, const Target& target, double scale, const char* where = "squared_error") {
  detail::require_same_shape(where, x.shape(), target.shape());
  return detail::stored(sum(square(x - target)) * scale);
}

}  // namespace autodiff::inline v1
