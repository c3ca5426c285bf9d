// Optimizers: a step over the parameters that the last backward() reached. Only what a parameter needs besides its gradient is kept, for the one
// net that the optimizer steps (net_state.hpp); a copy of an optimizer keeps it for a copy of the net.
#pragma once
#include "net_state.hpp"
#include <algorithm>
#include <cmath>
#include <limits>

namespace autodiff::inline v1::nn {

namespace detail {

struct Range { double low, high; bool low_too, high_too; };
inline void require_option(const char* optimizer, const char* option, double value, Range range) {
  const bool good = (range.low_too ? value >= range.low : value > range.low) && (range.high_too ? value <= range.high : value < range.high);
  if (!good) throw Error(text("{}: {} is {}; it must be {} {} and {} {}",
      {optimizer, option, value, range.low_too ? "at least" : "above", range.low, range.high_too ? "at most" : "below", range.high}));
}
constexpr Range rates{0, 1e30, true, true}, fractions{0, 1, true, false}, positive{0, 1e30, false, true};

/// Throws Error for a net that was never given numbers: two weight matrices or more, all zero, some of whose gradients
/// are zero too. It could not learn.
template <class M> void require_initialized(const char* optimizer, M& model) {
  std::size_t matrices = 0, dead = 0;
  bool zero = true;
  for_each_parameter_once(model, [&]<class T>(Parameter<T>& p) {
    require_numbers(optimizer, p);
    const auto all_zero = [n = p.size()](const T* x) {
      for (std::size_t i = 0; i < n; ++i) if (x[i] != 0) return false;
      return true;
    };
    if (p.shape().axes() < 2) return;
    ++matrices;
    zero = zero && all_zero(p.value().data());
    if (zero && p.adjoint()) dead += all_zero(p.adjoint());
  });
  if (matrices > 1 && zero && dead)
    throw Error(text("{}: all weights of this net are zero, and so is the gradient of {} of its {} matrices: it cannot learn; call "
        "nn::initialize(net, seed) first", {optimizer, dead, matrices}));
}

/// most / √Σg² over all parameters, where that or a gradient is out of a double's range. Two passes: the squares overflow, and perhaps their root.
template <class M> [[gnu::noinline, gnu::cold]] double clip_factor_out_of_range(const char* optimizer, M& model, double most) {
  double largest = 0, sum = 0;
  const auto each_number = [&](const auto& f) {
    for_each_parameter_once(model, [&]<class T>(Parameter<T>& p) {
      if (const auto here = p.reached()) for (const T* g = here.adjoint(), *end = g + p.size(); g != end; ++g) f(std::abs(static_cast<double>(*g)));
    });
  };
  each_number([&](double g) { if (!(g <= largest) && largest == largest) largest = g; });  // a NaN stays
  if (!(largest <= std::numeric_limits<double>::max()))
    throw Error(text("{}: the gradient holds {}, and cannot be shortened to clip_norm {}; an ad::NanTrap finds where that came from",
        {optimizer, largest, most}));
  each_number([&](double g) { sum += (g / largest) * (g / largest); });
  return std::min(1.0, most / largest / std::sqrt(sum));
}
/// What the gradient is multiplied with, so that its length over all parameters, √Σg², is `most` at most; 1 for a `most` of 0, which allows any.
/// Throws Error for a length that is not finite. (It has the digits of float where a parameter is one of float.)
template <class M> double clip_factor(const char* optimizer, M& model, double most) {
  if (most == 0) return 1;
  double length = 0;
  for_each_parameter_once(model, [&]<class T>(Parameter<T>& p) {
    if (const auto here = p.reached()) length = std::hypot(length, autodiff::detail::length(here.adjoint(), p.size()));
  });
  if (length == 0) return 1;
  return std::isfinite(length) ? std::min(1.0, most / length) : clip_factor_out_of_range(optimizer, model, most);
}

/// Calls step(parameter, its number), which returns whether the last backward() reached it; throws Error if no backward()
/// came after they were recorded (one whose slopes are 0, of a hinge that is off, reaches nothing, and nothing is wrong), TapeError if one that did
/// was replaced by another.
template <class M, class F> void step_each(const char* optimizer, M& model, const F& step) {
  bool reached = false;
  std::size_t i = 0;
  for_each_parameter(model, [&]<class T>(Parameter<T>& p) {
    if (step(p, i++)) reached = true;
    else require_numbers(optimizer, p), p.require_nothing_lost(), reached = reached || p.walked();
  });
  if (!reached) refuse_unreached(optimizer, model);
}

}  // namespace detail

// ---- gradient descent -----------------------------------------------------------------------------------------------

/// How Sgd steps.
struct SgdOptions {
  double learning_rate = 0.01;
  double momentum = 0;      ///< 0 … 1: the share of the last step that goes into this one
  bool nesterov = false;    ///< look ahead along the momentum
  double weight_decay = 0;  ///< added to the gradient, times the parameter
  double clip_norm = 0;     ///< the gradient of all parameters together is shortened to this length, √Σg², where it is longer; 0: never
};

/// s = gradient + weight_decay·w;  v = momentum·v + s;  w −= learning_rate · (nesterov ? s + momentum·v : v)
class Sgd {
 public:
  /// Throws Error for options that make no sense: negative, above 1e30 or NaN, a momentum of 1 or more, nesterov without momentum.
  explicit Sgd(SgdOptions options = {}) : options_(options), bare_(options.momentum == 0 && options.weight_decay == 0) {
    set_learning_rate(options.learning_rate);
    detail::require_option("sgd", "momentum", options.momentum, detail::fractions);
    detail::require_option("sgd", "weight_decay", options.weight_decay, detail::rates);
    detail::require_option("sgd", "clip_norm", options.clip_norm, detail::rates);
    if (options.nesterov && options.momentum == 0)
      throw Error("sgd: nesterov looks ahead along the momentum, and that is 0; give .momentum, 0.9 for instance");
  }
  const SgdOptions& options() const { return options_; }
  double learning_rate() const { return options_.learning_rate; }
  /// For the steps from now on; throws as the constructor does.
  void set_learning_rate(double rate) {
    detail::require_option("sgd", "learning_rate", rate, detail::rates);
    options_.learning_rate = rate;
  }

  /// Writes the momentum of this net, for a training that is to go on just there (but for what Dropout drops); the options are not in the file, nor
  /// is the net (nn::save). Throws Error without momentum, for another net, and FileError.
  template <class M> void save(const M& model, const std::string& path) const { state_.save("sgd", model, moments(), path); }
  /// Reads it, for this net. Throws FileError, and Error without momentum, for a net that is empty or was moved from; nothing has changed then.
  template <class M> void load(const M& model, const std::string& path) { state_.load("sgd", model, moments(), path), started_ = true; }

  /// Moves every parameter that the last backward() reached, and uses up its adjoint. (A parameter behind a number whose slope is 0, as of
  /// relu(sum(x) - 1), a hinge that is off, is not reached and stays as it is, momentum or not; behind a tensor of zeros, sum(relu(x - 1)), it is.)
  /// Throws Error if there was no backward(), for a net that is empty, was moved from or has never been given numbers
  /// (whose weight matrices, two or more, are all zero, and one of them has a zero gradient; not asked after load()), for a gradient that is not
  /// finite where clip_norm is set, and, with momentum, for another net than before; TapeError if an earlier backward(), from another output of the
  /// same recording, was for nothing: nobody used its adjoints, and the last one replaced them.
  template <class M> void step(M& model) {
    if (!started_) [[unlikely]] detail::require_initialized("sgd", model);
    const double scale = detail::clip_factor("sgd", model, options_.clip_norm), rate = options_.learning_rate * scale;
    if (bare_ && (scale == 1 || detail::fits_a_float(rate))) {
      detail::step_each("sgd", model, [rate](auto& p, std::size_t) { return p.descend(rate); });
      started_ = true;
      return;
    }
    const SgdFactors numbers{options_.learning_rate, options_.momentum, options_.weight_decay, options_.nesterov};
    const bool keeps = options_.momentum != 0;
    if (keeps) state_.bind("sgd", model, 1);
    detail::step_each("sgd", model, [&]<class T>(Parameter<T>& p, std::size_t i) {
      const auto here = p.reached();
      if (!here) return false;
      const T* const g = state_.scaled(here.adjoint(), p.size(), scale);
      kernels<T>().sgd(here.update(), g, keeps ? state_.of<T>(i).first.mutable_data() : nullptr, numbers, p.size());
      return true;
    });
    started_ = true;
  }

 private:
  int moments() const {
    if (options_.momentum == 0)
      throw Error("sgd: without momentum it keeps nothing that could be saved or loaded; give .momentum, or save the net alone");
    return 1;
  }
  SgdOptions options_;
  bool bare_;  ///< w −= learning_rate · gradient, clipped or not, and nothing else
  detail::NetState state_;
  bool started_ = false;
};

// ---- Adam -----------------------------------------------------------------------------------------------------------

/// How Adam steps.
struct AdamOptions {
  double learning_rate = 1e-3;
  double beta1 = 0.9;       ///< 0 … 1: memory of the mean gradient
  double beta2 = 0.999;     ///< 0 … 1: memory of the mean squared gradient
  double epsilon = 1e-8;    ///< > 0
  double weight_decay = 0;  ///< decoupled: w −= learning_rate · weight_decay · w, apart from the gradient (AdamW)
  double clip_norm = 0;     ///< as in SgdOptions
};

/// m = β₁m + (1 − β₁)g;  v = β₂v + (1 − β₂)g²;  w −= learning_rate · (m / (1 − β₁ᵗ)) / (√(v / (1 − β₂ᵗ)) + epsilon)
/// t counts the steps of each parameter.
class Adam {
 public:
  /// Throws Error for options that make no sense: negative, above 1e30 or NaN, a beta of 1 or more, an epsilon of 0.
  explicit Adam(AdamOptions options = {}) : options_(options) {
    set_learning_rate(options.learning_rate);
    detail::require_option("adam", "beta1", options.beta1, detail::fractions);
    detail::require_option("adam", "beta2", options.beta2, detail::fractions);
    detail::require_option("adam", "epsilon", options.epsilon, detail::positive);
    detail::require_option("adam", "weight_decay", options.weight_decay, detail::rates);
    detail::require_option("adam", "clip_norm", options.clip_norm, detail::rates);
  }
  const AdamOptions& options() const { return options_; }
  double learning_rate() const { return options_.learning_rate; }
  /// For the steps from now on; throws as the constructor does.
  void set_learning_rate(double rate) {
    detail::require_option("adam", "learning_rate", rate, detail::rates);
    options_.learning_rate = rate;
  }

  /// Writes the moments of this net's gradients, for a training that is to go on just there (but for what Dropout drops); the options are not in the
  /// file, nor is the net (nn::save). Throws Error for another net, and FileError.
  template <class M> void save(const M& model, const std::string& path) const { state_.save("adam", model, 2, path); }
  /// Reads them, for this net. Throws FileError, and Error for a net that is empty or was moved from; nothing has changed then.
  template <class M> void load(const M& model, const std::string& path) { state_.load("adam", model, 2, path), started_ = true; }

  /// Moves every parameter that the last backward() reached, and uses up its adjoint; what is not reached stays, and what is thrown is thrown as by
  /// Sgd. Throws Error for another net than before.
  template <class M> void step(M& model) {
    if (!started_) [[unlikely]] detail::require_initialized("adam", model);
    const double scale = detail::clip_factor("adam", model, options_.clip_norm);
    state_.bind("adam", model, 2);
    detail::step_each("adam", model, [&]<class T>(Parameter<T>& p, std::size_t i) {
      const auto here = p.reached();
      if (!here) return false;
      const T* const g = state_.scaled(here.adjoint(), p.size(), scale);
      detail::Moments<T>& state = state_.of<T>(i);
      T *const m = state.first.mutable_data(), *const v = state.second.mutable_data(), *const w = here.update();  // these may throw
      state.powers[0] *= options_.beta1, state.powers[1] *= options_.beta2;
      const T decay = static_cast<T>(-options_.learning_rate * options_.weight_decay);
      if (decay != 0) kernels<T>().axpy(decay, w, w, p.size(), true);
      kernels<T>().adam(w, g, m, v,
                        {options_.learning_rate, options_.beta1, options_.beta2, options_.epsilon, 1 - state.powers[0], 1 - state.powers[1]},
                        p.size());
      return true;
    });
    started_ = true;
  }

 private:
  AdamOptions options_;
  detail::NetState state_;
  bool started_ = false;
};

}  // namespace autodiff::inline v1::nn
