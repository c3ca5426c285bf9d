// Costs: one number from what a net returned and what it should have. The first argument is a Var<Tensor> (the result is a Var<double> to
// walk back from), a Tensor (a double) or a Dual; the target is a Tensor of the same shape, or a Var<Tensor>, which then gets an adjoint
// too. Every cost is a mean, so that the learning rate does not depend on the number of samples.
//
// From the outputs of a net to the cost:      a number each        mse, half_mse
//                                             yes or no            binary_cross_entropy_with_logits, on a net without a last Sigmoid;
//                                                                  binary_cross_entropy, on one with it
//                                             one of n classes     cross_entropy, on a net without a last Softmax
// The forms from logits are exact where the others run out of digits: a float sigmoid is 1 from 17 on, and its slope 0. (cross_entropy resolves
// the probability of the right class to the last place of 1: of a row that is right to within that, cost and slope are 0.)
//
// NaN among the outputs passes into the cost. Wrong shapes throw ShapeError, targets and probabilities outside of 0 … 1 throw Error.
#pragma once
#include "layers.hpp"
#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

namespace autodiff::inline v1::nn {

namespace detail {

template <class X, class Target> consteval bool have_one_number_type() {
  if constexpr (AnyTensor<Target>) return std::same_as<NumberIn<X>, NumberIn<Target>>; else return false;
}
template <class X, class Target> constexpr void require_one_number_type() {
  static_assert(have_one_number_type<X, Target>(),
      "outputs and targets must be tensors of one number type: convert with .as<float>() or .as<double>()");
}
[[noreturn]] inline void refuse_probability(const char* where, const char* what, std::size_t i, double p, const char* way_out) {
  throw Error(text("{}: {} {} is {}, outside of 0 to 1{}", {where, what, i, p, way_out}));
}
/// All within 0 … 1; NaN is not.
template <class T> void require_targets(const char* where, const Tensor<T>& target) {
  const T* const t = target.data();
  const std::size_t n = target.size();
  bool good = true;
  for (std::size_t i = 0; i < n; ++i) good &= (t[i] >= 0) & (t[i] <= 1);  // no branch: this is vectorized
  if (good) [[likely]] return;
  for (std::size_t i = 0; i < n; ++i)
    if (!(t[i] >= 0 && t[i] <= 1)) refuse_probability(where, "target", i, static_cast<double>(t[i]), "; a target is a probability");
}
/// NaN passes.
template <class T> void require_probabilities(const char* where, const T* h, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i)
    if (h[i] < 0 || h[i] > 1)
      refuse_probability(where, "output", i, static_cast<double>(h[i]),
                         "; end the net with a Sigmoid, or use binary_cross_entropy_with_logits");
}

/// Mean of −t log h − (1 − t) log(1 − h), and in g its gradient (h − t) / (h(1 − h)) / n, of which a factor cancels where t is 0 or 1. Logarithms are
/// taken of the smallest normal number m at least, and the gradient's denominator is 1000 m at least, so that it stays finite also when the cost has a
/// factor; g times the sigmoid's slope h(1 − h) gives (h − t)/n again wherever that is 1000 m at least.
template <class T> double binary_cross_entropy(const T* h, const T* t, T* g, std::size_t n) {
  constexpr double least = static_cast<double>(std::numeric_limits<T>::min());
  const double share = 1 / static_cast<double>(n);
  double total = 0, surplus = 0;
  const auto add = [&](double x) {  // with what rounding has added too much (Kahan 1965): else a million numbers lose two digits
    const double before = total;
    total += x - surplus;
    surplus = (total - before) - (x - surplus);
  };
  for (std::size_t i = 0; i < n; ++i) {
    const double p = static_cast<double>(h[i]), q = 1 - p, y = static_cast<double>(t[i]);
    if (y != 0) add(-y * std::log(std::max(p, least)));
    if (y != 1) add((y - 1) * (p < 0.5 ? std::log1p(-p) : std::log(std::max(q, least))));
    const double rise = y == 0 ? 1 : y == 1 ? -1 : p - y, over = y == 0 ? q : y == 1 ? p : p * q;
    if (g) g[i] = static_cast<T>(rise * share / std::max(over, 1000 * least));
  }
  return total * share;
}

/// A list of integers that is no list of int.
template <class L> concept OtherLabels = !std::convertible_to<const L&, std::span<const int>> && !AnyTensor<L> && requires(const L& labels) {
  { *std::data(labels) } -> std::convertible_to<long long>;
  requires std::integral<std::remove_cvref_t<decltype(*std::data(labels))>>;
  std::size(labels);
};
[[noreturn]] inline void refuse_labels_as_numbers(const Shape& target) {
  throw ShapeError(text("cross_entropy: the targets have shape {}, one number for each row; give labels as a std::vector<int>, or a distribution for "
                        "each row", {target.text()}));
}
template <std::integral I> int class_number(I label, std::size_t row) {
  if (label < I(0) || static_cast<unsigned long long>(label) > std::numeric_limits<int>::max())
    throw ShapeError(text("cross_entropy: label {} of row {} is no class number; give 0 to N - 1", {label, row}));
  return static_cast<int>(label);
}

}  // namespace detail

/// Mean of (output − target)² over all numbers.
template <AnyTensor X, class Target = Tensor<detail::NumberIn<X>>> auto mse(const X& output, const Target& target) {
  detail::require_one_number_type<X, Target>();
  return squared_error(output, target, 1 / static_cast<double>(target.size()), "mse");
}

/// Half of it: the slope is (output − target) / n, without a 2.
template <AnyTensor X, class Target = Tensor<detail::NumberIn<X>>> auto half_mse(const X& output, const Target& target) {
  detail::require_one_number_type<X, Target>();
  return squared_error(output, target, 0.5 / static_cast<double>(target.size()), "half_mse");
}

/// Mean of −t log h − (1 − t) log(1 − h), for probabilities h (a net that ends with a Sigmoid) and targets t in 0 … 1. Where h is exactly 0
/// or 1 and should not be, the logarithm is taken of the smallest normal number m: the cost is finite, 708 (87 for float), and so is its
/// slope. (With targets that are variables, and in forward mode, the slope there is 1/m, which a factor of 4 makes infinite.)
template <AnyTensor X, class Target = Tensor<detail::NumberIn<X>>> auto binary_cross_entropy(const X& probability, const Target& target) {
  using T = detail::NumberIn<X>;
  constexpr const char* where = "binary_cross_entropy";
  detail::require_one_number_type<X, Target>();
  autodiff::detail::require_same_shape(where, probability.shape(), target.shape());
  detail::require_targets<T>(where, plain(target));
  if constexpr (TensorLike<X> && autodiff::detail::is_tensor<Target>) {
    const autodiff::detail::TensorOperand<T> h(probability, where);
    detail::require_probabilities(where, h->data, h->shape.count());
    const auto cost = [&](T* g) { return detail::binary_cross_entropy(h->data, target.data(), g, target.size()); };
    return autodiff::detail::plain_if_all_are<X>(autodiff::detail::cost_with_gradient<T>(where, h, cost));
  } else {
    const auto h = plain(probability);
    detail::require_probabilities(where, h.data(), h.size());
    constexpr double least = static_cast<double>(std::numeric_limits<T>::min());
    const auto log_q = select(h < T(0.5), log1p(-probability), log(1 - probability + least));
    return autodiff::detail::stored(-mean(target * log(probability + least) + (1 - target) * log_q));
  }
}

/// The same from logits x, h = σ(x): mean of t·softplus(−x) + (1 − t)·softplus(x), which overflows for no finite x; its slope is (σ(x) − t) / n. The
/// logits must be finite: at ±∞ the cost is NaN, even where the answer is right.
template <AnyTensor X, class Target = Tensor<detail::NumberIn<X>>>
auto binary_cross_entropy_with_logits(const X& logits, const Target& target) {
  constexpr const char* where = "binary_cross_entropy_with_logits";
  detail::require_one_number_type<X, Target>();
  detail::require_targets<detail::NumberIn<X>>(where, plain(target));
  return logistic_cross_entropy(logits, target, where);
}

/// Mean over the rows of −log softmax(x)[label], for logits x (…, N) and one label, 0 … N − 1, for each row. Throws ShapeError for other labels.
template <AnyTensor X> auto cross_entropy(const X& logits, std::span<const int> labels) {
  return softmax_cross_entropy(logits, labels, "cross_entropy");
}

/// Labels of another integer type, a std::vector of bytes say. In braces, whole numbers are labels.
template <AnyTensor X, detail::OtherLabels L> auto cross_entropy(const X& logits, const L& labels) {
  std::vector<int> numbers;
  for (const auto label : labels) numbers.push_back(detail::class_number(label, numbers.size()));
  return softmax_cross_entropy(logits, std::span<const int>(numbers), "cross_entropy");
}
template <AnyTensor X, std::integral I>
auto cross_entropy(const X& logits, std::initializer_list<I> labels) { return cross_entropy(logits, std::vector<I>(labels)); }

/// Mean over the rows of −Σ t log softmax(x), from finite logits x, for targets t that are a distribution in each row; throws Error where they
/// are none.
template <AnyTensor X, AnyTensor Target = Tensor<detail::NumberIn<X>>> auto cross_entropy(const X& logits, const Target& target) {
  using T = detail::NumberIn<X>;
  constexpr const char* where = "cross_entropy";
  detail::require_one_number_type<X, Target>();
  if (target.shape().axes() + 1 == logits.shape().axes()) detail::refuse_labels_as_numbers(target.shape());
  autodiff::detail::require_same_shape(where, logits.shape(), target.shape());
  const Tensor<T> t = plain(target);
  detail::require_targets(where, t);
  for (std::size_t i = 0, m = t.shape().rows(), n = t.shape().columns(); i < m; ++i) {
    double sum = 0;
    for (std::size_t j = 0; j < n; ++j) sum += static_cast<double>(t.data()[i * n + j]);
    if (!(std::abs(sum - 1) < 1e-3))
      throw Error(detail::text("cross_entropy: row {} of the targets sums to {}; each row is a distribution and sums to 1 "
                               "(for class numbers pass a std::vector<int>)", {i, sum}));
  }
  return autodiff::detail::stored(dot(log_softmax(logits), target) * (-1.0 / static_cast<double>(t.shape().rows())));
}

}  // namespace autodiff::inline v1::nn
