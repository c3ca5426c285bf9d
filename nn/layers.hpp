// Layers: callables from a tensor to a tensor. One row of the input is one sample. A layer that learns holds its Parameters as fields.
// All work on Tensor, Var<Tensor> and, in forward mode, on Duals of either.
//
// While no tape records, a net computes values only and writes nothing, so any number of threads may run one net. What a net returns is a
// Var<Tensor> either way: a constant if nothing was recorded.
//
// A layer of one's own: a struct with a const operator(); see `Activation`, or `Dropout` for one that is an operation of its own.
#pragma once
#include "module.hpp"
#include "random.hpp"
#include <cstdint>

namespace autodiff::inline v1::nn {

namespace detail {

using autodiff::detail::NumberIn, autodiff::detail::records;

template <class I> std::size_t checked_size(const char* what, I n) {
  if (!(n > 0)) throw ShapeError(text("linear: {} {}; give at least 1", {n, what}));
  return static_cast<std::size_t>(n);
}

}  // namespace detail

// ---- a layer of weights ---------------------------------------------------------------------------------------------

/// x·weight + bias, for x (…, inputs) → (…, outputs). `Linear(2, 3)` is of float. Weights are zero until initialize() or load().
template <std::floating_point T = float> struct Linear {
  using Number = T;
  Parameter<T> weight;  ///< (inputs, outputs)
  Parameter<T> bias;    ///< (outputs)

  /// Throws ShapeError for sizes less than 1.
  template <std::integral I, std::integral O> Linear(I inputs, O outputs)
      : weight(Shape({detail::checked_size("inputs", inputs), detail::checked_size("outputs", outputs)})),
        bias(Shape({weight.shape()[1]})) {}

  std::size_t inputs() const { return weight.shape()[0]; }
  std::size_t outputs() const { return weight.shape()[1]; }

  static constexpr const char* field_names[] = {"weight", "bias"};
  auto fields() { return std::tie(weight, bias); }

  /// Throws ShapeError if x has another number of columns than `inputs`.
  template <AnyTensor X> auto operator()(const X& x) const { return with<autodiff::Identity>(x); }
  /// The layer and the activation behind it in one operation: what Sequential makes of the two.
  template <class Rule, AnyTensor X> auto with(const X& x) const {
    constexpr bool same = std::same_as<T, detail::NumberIn<X>>;
    static_assert(same, "a net of float takes tensors of float, one of double tensors of double: convert with .as<float>(), or use Linear<double>");
    if constexpr (same) return layer<Rule>(x, weight, bias); else return x;  // so that the static_assert is the only error
  }
  /// The values alone, while nothing records.
  template <class Rule> Tensor<T> values(const Tensor<T>& x) const { return layer<Rule>(x, weight.value(), bias.value()); }
};

// ---- activations ----------------------------------------------------------------------------------------------------

/// A rule on every number: `Activation<MyRule>` makes a layer of your own rule.
template <class R> struct Activation {
  using Rule = R;
  template <AnyTensor X> auto operator()(const X& x) const { return apply<R>(x); }
};
using Sigmoid = Activation<autodiff::Sigmoid>;
using Tanh = Activation<autodiff::Tanh>;
using Relu = Activation<autodiff::Relu>;
using Gelu = Activation<autodiff::Gelu>;
using Silu = Activation<autodiff::Silu>;
using Softplus = Activation<autodiff::Softplus>;

/// eˣ / Σ eˣ along the last axis. Not before `cross_entropy`, which takes logits.
struct Softmax {
  template <AnyTensor X> auto operator()(const X& x) const { return softmax(x); }
};

namespace detail {
// What Sequential may take apart is of exactly these types: a class derived from one has a call of its own.
template <class X> constexpr bool is_linear = false;
template <class T> constexpr bool is_linear<Linear<T>> = true;
template <class X> constexpr bool is_activation = false;
template <class R> constexpr bool is_activation<Activation<R>> = true;
}  // namespace detail

// ---- dropout --------------------------------------------------------------------------------------------------------

namespace detail {
inline thread_local constinit int dropouts_off = 0;
}
/// While it lives, Dropout lets everything pass on this thread, although a tape records: for the gradient of a trained net.
class NoDropout {
 public:
  NoDropout() { ++detail::dropouts_off; }
  ~NoDropout() { --detail::dropouts_off; }
  NoDropout(const NoDropout&) = delete;
  NoDropout& operator=(const NoDropout&) = delete;
};

/// While a tape records, each number becomes 0 with probability `rate`, else it is divided by 1 − rate, so that its mean stays. While none
/// records, and under autodiff::Pause or NoDropout, everything passes unchanged: there is no training mode to forget. The choice follows
/// from the seed, the number of uses before, and the place on the tape: the same program drops the same numbers on every machine.
class Dropout {
 public:
  /// Throws Error unless 0 ≤ rate < 1.
  explicit Dropout(double rate, std::uint64_t seed = 0) : rate_(rate), seed_(seed) {
    if (!(rate >= 0 && rate < 1))
      throw Error(detail::text("dropout: the rate is {}; give the share of numbers to drop, 0 <= rate < 1", {rate}));
  }
  double rate() const { return rate_; }

  template <AnyTensor X> auto operator()(const X& x) const {
    using T = detail::NumberIn<X>;
    using Y = std::remove_cvref_t<decltype(drop<T>(x))>;
    if (rate_ == 0 || detail::dropouts_off || !detail::records()) return Y(x);
    return drop<T>(x);
  }

 private:
  double rate_;
  std::uint64_t seed_;
  mutable std::uint64_t uses_ = 0;  ///< changes only while a tape records, which is for one thread at a time

  /// 0 or 1/(1 − rate), n times.
  template <class T> void fill(T* mask, std::size_t n) const {
    const auto limit = static_cast<std::uint64_t>(rate_ * 0x1p53);
    const auto kept = static_cast<T>(1 / (1 - rate_));
    ++autodiff::detail::random_draws;
    Random random(Random::mixed(Random(seed_).bits() + ++uses_) + autodiff::detail::active<double>->count());
    const T choices[] = {kept, T(0)};  // no branch, which nobody could foresee: a quarter of the time
    for (std::size_t i = 0; i < n; ++i) mask[i] = choices[(random.bits() >> 11) < limit];
  }
  /// x times a mask, which lies in the tape's memory: nothing is allocated after the first step.
  template <class T, TensorLike X> auto drop(const X& x) const {
    namespace ops = autodiff::detail;
    const ops::TensorOperand<T> in(x, "dropout");
    T* const mask = ops::active<double>->nodes.template numbers<T>(in->shape.count());
    fill(mask, in->shape.count());
    const auto forward = [&](T* y) { ops::zip<Multiply>(in->data, mask, {}, y, in->shape.count()); };
    const auto pullback = [mask](const ops::Pull<T>& p) {
      const std::size_t n = p.out().shape.count();
      if (const auto to = p.to(0)) ops::zip_pullback<Multiply, false>(p.in(0).data, mask, {}, p.out().data, p.adjoint(), to.data, n, to.add);
    };
    return ops::record<ops::ResultOf<T, X>>("dropout", in->shape, forward, pullback, in);
  }
  template <class T, DualTensor X> auto drop(const X& x) const {
    Tensor<T> mask = Tensor<T>::uninitialized(x.shape());
    fill(mask.mutable_data(), mask.size());
    return autodiff::detail::stored(x * mask);
  }
};

// ---- one after the other --------------------------------------------------------------------------------------------

/// Layers one after the other: Sequential{Linear(2, 3), Sigmoid{}, Linear(3, 1)}. Whatever is called with a tensor is a layer, another
/// Sequential too. A Linear and the activation behind it become one operation if the slope follows from the result
/// (`from_result` in its row, rules.inl).
template <class... Layers> struct Sequential {
  std::tuple<Layers...> layers;  ///< std::get<0>(net.layers).weight

  Sequential(Layers... l) : layers(std::move(l)...) {}
  auto& fields() { return layers; }

  template <AnyTensor X> auto operator()(const X& x) const {
    if constexpr (DualTensor<X>) return run<0>(x);
    else {
      using T = typename X::Number;
      using Y = std::remove_cvref_t<decltype(as_var(run<0>(std::declval<const Var<Tensor<T>>&>())))>;
      if constexpr (autodiff::detail::is_tensor<X>) if (!detail::records()) return Y(run<0, Want::values>(x));
      return Y(run<0>(x));
    }
  }

 private:
  template <std::size_t i> using Layer = std::tuple_element_t<i, std::tuple<Layers..., void, void>>;
  /// Layers i and i + 1 have a form in one operation.
  template <std::size_t i> static consteval bool pairs() {
    if constexpr (detail::is_linear<Layer<i>> && detail::is_activation<Layer<i + 1>>) {
      using Rule = typename Layer<i + 1>::Rule;
      if constexpr (contains<Rule>(UnaryRules{})) return Rule::row.from_result; else return false;
    } else return false;
  }
  template <class Y> static auto as_var(const Y& y) {
    if constexpr (autodiff::detail::is_tensor<Y>) return Var<Y>(y); else return y;
  }

  /// Values: nothing records, and what comes out of a Linear stays a plain tensor.
  enum class Want { variables, values };
  /// Layers i, i + 1, … of x.
  template <std::size_t i, Want want = Want::variables, class X> auto run(const X& x) const {
    if constexpr (i == sizeof...(Layers)) return x;
    else if constexpr (pairs<i>()) return run<i + 2, want>(linear<want, typename Layer<i + 1>::Rule>(std::get<i>(layers), x));
    else if constexpr (detail::is_linear<Layer<i>>) return run<i + 1, want>(linear<want, autodiff::Identity>(std::get<i>(layers), x));
    else return run<i + 1, want>(std::get<i>(layers)(x));
  }
  template <Want want, class Rule, class T, class X> static auto linear(const Linear<T>& l, const X& x) {
    if constexpr (want == Want::values && autodiff::detail::is_tensor<X>) return l.template values<Rule>(x);
    else return l.template with<Rule>(x);
  }
};

}  // namespace autodiff::inline v1::nn
