// The parameters of a model as one vector, for what knows nothing of nets: L-BFGS, trust regions, evolution.
//
//     std::vector<double> w = nn::flatten(net);                    // a point …
//     nn::unflatten(net, w);                                       // … and back
//     tape.clear();
//     ad::Var cost = nn::mse(net(x), y);
//     tape.backward(cost);
//     std::vector<double> g = nn::flat_gradient(net);              // dcost/dw …
//     nn::set_flat_gradient(tape, net, g);                         // … and back, for the next step
//
// A parameter that two layers share stands there once.
#pragma once
#include "module.hpp"
#include <algorithm>
#include <utility>
#include <vector>

namespace autodiff::inline v1::nn {

namespace detail {
/// give(parameter, its numbers as a tensor) for each, from one vector of all of them. Throws ShapeError unless there are parameter_count(model).
template <class M, class F> void hand_out(const char* where, M& model, const std::vector<double>& numbers, const F& give) {
  for_each_parameter(model, [&](const auto& p) { require_numbers(where, p); });
  if (numbers.size() != parameter_count(model))
    throw ShapeError(
        text("{}: {} numbers for a model of {}; give one for each, in the order of flatten()", {where, numbers.size(), parameter_count(model)}));
  const double* from = numbers.data();
  for_each_parameter_once(model, [&](auto& p) {
    using T = typename std::remove_cvref_t<decltype(p)>::Number;
    Tensor<T> values = Tensor<T>::uninitialized(p.shape());
    std::transform(from, from + p.size(), values.mutable_data(), [](double x) { return static_cast<T>(x); });
    from += p.size();
    give(p, std::move(values));
  });
}
}  // namespace detail

/// The numbers of all parameters, in the order of for_each_parameter. Throws Error for a model of which a part was moved away.
template <class M> std::vector<double> flatten(const M& model) {
  std::vector<double> all;
  all.reserve(parameter_count(model));
  detail::for_each_parameter_once(model, [&](const auto& p) {
    detail::require_numbers("flatten", p);
    all.insert(all.end(), p.value().begin(), p.value().end());
  });
  return all;
}

/// Gives them to the parameters; those of float are rounded. As assign() does, it takes the parameters off the tapes, so read adjoints first. Throws
/// ShapeError unless there are parameter_count(model) of them, Error for a model of which a part was moved away; nothing has changed then.
template <class M> void unflatten(M& model, const std::vector<double>& numbers) {
  detail::hand_out("unflatten", model, numbers, [](auto& p, auto values) { p.assign(std::move(values)); });
}

/// dy/dp for all of them after backward(y), in that order; 0 for a parameter that y does not depend on. Throws Error if no backward() came after they
/// were recorded, and after a step, which uses them up.
template <class M> std::vector<double> flat_gradient(const M& model) {
  std::vector<double> all;
  all.reserve(parameter_count(model));
  detail::for_each_parameter_once(model, [&](const auto& p) {
    detail::require_numbers("flat_gradient", p);
    if (p.used_up()) throw Error("flat_gradient: a step has used up the gradient of a part of this model; read it before the step");
    const auto here = p.reached();
    if (here) all.insert(all.end(), here.adjoint(), here.adjoint() + p.size());
    else all.insert(all.end(), p.size(), 0.0);
  });
  if (all.empty()) detail::refuse_empty_model("flat_gradient");
  if (!detail::is_walked(model))
    throw Error("flat_gradient: no parameter of this model has an adjoint; call tape.backward(cost) first, and read the gradient before a step");
  return all;
}

/// Gives these numbers to the next step as the gradient: one that was averaged over threads, or came from elsewhere. It is done by walking back a
/// cost Σ gᵢwᵢ on the tape, which must record; clear() it first, or what was recorded is walked too. Every parameter counts as reached then: weight
/// decay and momentum move it, too. Throws as backward() and unflatten() do.
template <class M> void set_flat_gradient(Tape& tape, const M& model, const std::vector<double>& gradient) {
  if (parameter_count(model) == 0) detail::refuse_empty_model("set_flat_gradient");
  Var<double> cost = 0.0;
  detail::hand_out("set_flat_gradient", model, gradient, [&cost](const auto& p, const auto& g) { cost += dot(p.var(), g); });
  tape.backward(cost);
}

}  // namespace autodiff::inline v1::nn
