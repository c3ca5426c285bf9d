// check_gradient of a model: are the layers and operations that somebody wrote right?
#pragma once
#include "flat.hpp"
#include <concepts>
#include <cstddef>
#include <variant>
#include <vector>

namespace autodiff::inline v1::nn {

namespace detail {
/// Gives a model its numbers back in the end.
template <class M> class Restore {
  M& model_;
  std::vector<std::variant<Tensor<float>, Tensor<double>>> numbers_;

 public:
  explicit Restore(M& model) : model_(model) {
    for_each_parameter(model, [&](const auto& p) { numbers_.push_back(p.value()); });
  }
  ~Restore() {
    std::size_t i = 0;
    for_each_parameter(model_, [&]<class T>(Parameter<T>& p) {
      const Tensor<T>* const before = i < numbers_.size() ? std::get_if<Tensor<T>>(&numbers_[i]) : nullptr;
      if (before && before->shape() == p.shape()) p.assign(*before);  // a cost() may have made it another model
      ++i;
    });
  }
  Restore(const Restore&) = delete;
  Restore& operator=(const Restore&) = delete;
};
}  // namespace detail

/// Compares the adjoints of the model's parameters with finite differences of cost(), which runs the model and returns one number: are the layers and
/// operations that you wrote right? At most `most` numbers are tried (at least one), evenly spread; the model is left as it was, but off the
/// tapes. Returns the report, whose components are numbered as in flatten(); throws GradientError where they disagree, Error for a cost
/// that does not use this model, or is not the same twice, as through Dropout: let an nn::NoDropout live.
///     nn::check_gradient(net, [&] { return nn::mse(net(x), y); });
template <class M, class F> requires std::invocable<const F&>
GradientReport check_gradient(M& model, const F& cost, CheckOptions options = {}, std::size_t most = 200) {
  most = std::max<std::size_t>(1, most);
  const std::vector<double> at = flatten(model);
  bool in_float = false;
  for_each_parameter(model, [&]<class T>(const Parameter<T>&) { in_float = in_float || std::same_as<T, float>; });
  const Pause pause;
  std::vector<double> gradient(at.size(), 0.0);
  {
    Tape tape;
    const Var<double> y =
        autodiff::detail::repeatable("check_gradient", [&] { return autodiff::detail::one_number<double>("check_gradient", cost()); });
    if (y.place() != 0) tape.backward(y);
    if (y.place() == 0 || !detail::is_walked(model))
      throw Error("check_gradient: cost() does not use this model; let it take the net by reference: [&]");
    gradient = flat_gradient(model);
  }
  const auto cost_at = [&](const std::vector<Var<double>>& numbers) {
    std::vector<double> values;
    for (const auto& x : numbers) values.push_back(x.value());
    unflatten(model, values);
    return cost();
  };
  const detail::Restore<M> restore(model);
  const std::size_t stride = std::max<std::size_t>(1, (at.size() + most - 1) / most);
  return autodiff::detail::check(cost_at, gradient, gradient, false, at, options, in_float, stride);
}

}  // namespace autodiff::inline v1::nn
