// Optimizers: a step over the parameters that the last backward() reached. Only what a parameter needs besides its gradient is kept here,
// for the one net that the optimizer steps; a copy of an optimizer keeps it for a copy of the net.
#pragma once
#include "io.hpp"
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace autodiff::inline v1::nn {

namespace detail {

struct Range { double low, high; bool low_too, high_too; };
inline void check_option(const char* optimizer, const char* option, double value, Range range) {
  const bool good = (range.low_too ? value >= range.low : value > range.low) && (range.high_too ? value <= range.high : value < range.high);
  if (!good) throw Error(text("{}: {} is {}; it must be {} {} and {} {}",
      {optimizer, option, value, range.low_too ? "at least" : "above", range.low, range.high_too ? "at most" : "below", range.high}));
}
constexpr Range rates{0, 1e30, true, true}, fractions{0, 1, true, false}, positive{0, 1e30, false, true};

[[noreturn]] inline void refuse_unreached(const char* optimizer) {
  throw Error(text("{}: no parameter of this net has an adjoint: before each step call tape.backward(cost), on a cost of this net's "
      "output, and do not clear the tape in between, nor give the net other numbers", {optimizer}));
}

/// What an optimizer keeps for one parameter.
template <class T> struct Moments {
  Tensor<T> first, second;
  double powers[2] = {1, 1};  ///< beta1ᵗ and beta2ᵗ after t steps of this parameter
};

/// What an optimizer keeps for all parameters of a net, in their order, and which net that is: it is known by its
/// parameters, so that it may move, and may be assigned to.
class NetState {
 public:
  NetState() = default;
  NetState(const NetState& other) : floats_(other.floats_), doubles_(other.doubles_), kinds_(other.kinds_) {}
  NetState(NetState&& other) noexcept { *this = std::move(other); }
  NetState& operator=(const NetState& other) { return *this = NetState(other); }
  NetState& operator=(NetState&& other) noexcept {
    floats_ = std::exchange(other.floats_, {}), doubles_ = std::exchange(other.doubles_, {}), kinds_ = std::exchange(other.kinds_, {});
    net_ = std::exchange(other.net_, 0);
    return *this;
  }

  /// Throws Error if no backward() came after the net was recorded.
  template <class M> static void require_walked(const char* optimizer, const M& model) {
    bool empty = true;
    for_each_parameter(model, [&](const auto& p) {
      require_numbers(optimizer, p);
      empty = false;
    });
    if (empty) refuse_empty_model(optimizer);
    if (!is_walked(model)) refuse_unreached(optimizer);
  }
  /// Makes room for a net that has not been stepped yet, and knows it from now on.
  template <class M> void make_room(const M& model, int moments) {
    for_each_parameter(model, [&]<class T>(const Parameter<T>& p) {
      net_ = identity_of(net_, p);
      list<T>().push_back({moments > 0 ? Tensor<T>::zeros(p.shape()) : Tensor<T>(), moments > 1 ? Tensor<T>::zeros(p.shape()) : Tensor<T>()});
      kinds_.push_back(std::same_as<T, float>);
    });
  }
  /// Makes room on the first step, checks on every other; throws before anything has changed.
  template <class M> void bind(const char* optimizer, const M& model, int moments) {
    if (net_ == 0) require_walked(optimizer, model);  // or it would know a net that it has never stepped
    if (kinds_.empty()) make_room(model, moments);
    net_ = checked(optimizer, model);
  }
  /// The identity of the net; throws ShapeError or Error if it is another one than was bound.
  template <class M> std::uint64_t checked(const char* optimizer, const M& model) const {
    std::size_t i = 0;
    Numbering number;
    bool same_parameters = true;
    std::uint64_t net = 0;
    for_each_parameter(model, [&]<class T>(const Parameter<T>& p) {
      const std::size_t at = number.next<T>();
      net = identity_of(net, p);
      same_parameters = same_parameters && i < kinds_.size() && kinds_[i] == std::same_as<T, float>;
      if (same_parameters && list<T>()[at].first.shape() != p.shape())
        throw ShapeError(text("{}: parameter {} has shape {}, and had {} when this optimizer first saw its net; make an optimizer for "
            "each net", {optimizer, i, p.shape().text(), list<T>()[at].first.shape().text()}));
      ++i;
    });
    if (i == 0) refuse_empty_model(optimizer);
    if (!same_parameters || i != kinds_.size())
      throw Error(text("{}: this net has {} parameters, and the one that this optimizer first saw had {} or other number types; make an "
          "optimizer for each net", {optimizer, i, kinds_.size()}));
    if (net_ != 0 && net != net_)
      throw Error(text(
          "{}: this is another net than the one that this optimizer is for, whose momentum it keeps, or a layer of it is another; make an "
          "optimizer for each net, and where numbers are put back, copy them: net = best", {optimizer}));
    return net;
  }
  /// The identity of a net's parameters so far, and this one.
  template <class T>
  static std::uint64_t identity_of(std::uint64_t before, const Parameter<T>& p) { return before * 0x9E3779B97F4A7C15u + p.identity(); }
  template <class T> std::vector<Moments<T>>& list() {
    if constexpr (std::same_as<T, float>) return floats_; else return doubles_;
  }
  template <class T> const std::vector<Moments<T>>& list() const { return const_cast<NetState*>(this)->list<T>(); }

  /// What is kept for the net's parameters as entries of a file: "first.0.weight", "second.0.weight", "powers.0.weight" …
  template <class M> std::vector<Entry> entries(const char* optimizer, const M& model, int moments) {
    std::vector<Entry> all;
    Numbering number;
    for_each_named_parameter(model, [&]<class T>(const std::string& name, const Parameter<T>& p) {
      require_numbers(optimizer, p);
      Moments<T>& one = list<T>()[number.next<T>()];
      const auto add = [&](const char* what, const Shape& shape, bool is_float, void* numbers) {
        all.push_back({what + name, shape, is_float, numbers, numbers});
      };
      add("first.", one.first.shape(), std::same_as<T, float>, one.first.mutable_data());
      if (moments > 1) {
        add("second.", one.second.shape(), std::same_as<T, float>, one.second.mutable_data());
        add("powers.", Shape({2}), false, one.powers);
      }
    });
    if (all.empty()) refuse_empty_model(optimizer);
    return all;
  }
  template <class M> void save(const char* optimizer, const M& model, int moments, const std::string& path) const {
    NetState state = *this;
    if (kinds_.empty()) state.make_room(model, moments); else checked(optimizer, model);
    write_file(path, state.entries(optimizer, model, moments));
  }
  template <class M> void load(const char* optimizer, const M& model, int moments, const std::string& path) {
    NetState state;
    state.make_room(model, moments);
    read_file(path, state.entries(optimizer, model, moments));
    const auto check = [&](const auto& one) {
      const auto fits = [](double p) { return p >= 0 && p <= 1; };
      const bool moments_fit = std::all_of(one.first.begin(), one.first.end(), [](auto m) { return std::isfinite(m); }) &&
                               std::all_of(one.second.begin(), one.second.end(), [](auto m) { return m >= 0 && std::isfinite(m); });
      if (!moments_fit || !fits(one.powers[0]) || !fits(one.powers[1]))
        throw FileError(text(
            "load {}: a moment is not finite, a mean of squares is negative, or a power is outside of 0 to 1: the training had overflowed "
            "before it was saved, or the file is damaged; begin with a new {}", {path, optimizer}));
    };
    for (const auto& one : state.floats_) check(one);
    for (const auto& one : state.doubles_) check(one);
    *this = std::move(state);
  }
  /// scale · g, in memory of the optimizer; where the scale is 1, g.
  template <class T> const T* scaled(const T* g, std::size_t n, double scale) { return scale == 1 ? g : multiplied(g, n, scale); }
  template <class T> [[gnu::noinline, gnu::cold]] const T* multiplied(const T* g, std::size_t n, double scale) {
    Tensor<T>& room = std::get<Tensor<T>>(room_);
    if (room.size() < n) room = Tensor<T>::uninitialized(Shape({n}));
    std::transform(g, g + n, room.mutable_data(),
        [scale](T x) { return static_cast<T>(scale * static_cast<double>(x)); });  // the scale may be no float
    return room.data();
  }

 private:
  std::vector<Moments<float>> floats_;
  std::vector<Moments<double>> doubles_;
  std::vector<unsigned char> kinds_;  ///< of each parameter in turn: is it of float?
  std::uint64_t net_ = 0;             ///< made of its parameters' identities; 0: not known yet
  std::tuple<Tensor<float>, Tensor<double>> room_;
};

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

/// most / √Σg² over all parameters, 1 if that is more. Two passes: the squares of large gradients overflow.
template <class M> [[gnu::noinline, gnu::cold]] double needed_clip_factor(const char* optimizer, M& model, double most) {
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
  if (largest == 0) return 1;
  each_number([&](double g) { sum += (g / largest) * (g / largest); });
  return std::min(1.0, most / largest / std::sqrt(sum));
}
/// What the gradient is multiplied with, so that its length over all parameters, √Σg², is `most` at most; 1 for a `most` of 0, which allows any.
/// Throws Error for a length that is not finite.
template <class M> double clip_factor(const char* optimizer, M& model, double most) {
  return most == 0 ? 1 : needed_clip_factor(optimizer, model, most);
}

/// Calls step(parameter, its number among those of its type), which returns whether the last backward() reached it; throws Error if no backward()
/// came after they were recorded. (One whose slopes are 0, of a hinge that is off, reaches nothing, and nothing is wrong.)
template <class M, class F> void step_each(const char* optimizer, M& model, const F& step) {
  bool reached = false;
  Numbering number;
  for_each_parameter(model, [&]<class T>(Parameter<T>& p) {
    if (step(p, number.next<T>())) reached = true;
    else require_numbers(optimizer, p), reached = reached || p.walked();
  });
  if (!reached) refuse_unreached(optimizer);
}

}  // namespace detail

// ---- gradient descent --------------------------------------------------------------------------------------------------

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
  explicit Sgd(SgdOptions options = {}) : options_(options), bare_(options.momentum == 0 && options.weight_decay == 0 && options.clip_norm == 0) {
    set_learning_rate(options.learning_rate);
    detail::check_option("sgd", "momentum", options.momentum, detail::fractions);
    detail::check_option("sgd", "weight_decay", options.weight_decay, detail::rates);
    detail::check_option("sgd", "clip_norm", options.clip_norm, detail::rates);
    if (options.nesterov && options.momentum == 0)
      throw Error("sgd: nesterov looks ahead along the momentum, and that is 0; give .momentum, 0.9 for instance");
  }
  const SgdOptions& options() const { return options_; }
  double learning_rate() const { return options_.learning_rate; }
  /// For the steps from now on; throws as the constructor does.
  void set_learning_rate(double rate) {
    detail::check_option("sgd", "learning_rate", rate, detail::rates);
    options_.learning_rate = rate;
  }

  /// Writes the momentum of this net, for a training that is to go on just there (but for what Dropout drops); the options are not in the file, nor
  /// is the net (nn::save). Throws Error without momentum, for another net, and FileError.
  template <class M> void save(const M& model, const std::string& path) const { state_.save("sgd", model, moments(), path); }
  /// Reads it, for this net. Throws FileError, and Error without momentum, for a net that is empty or was moved from; nothing has changed then.
  template <class M> void load(const M& model, const std::string& path) { state_.load("sgd", model, moments(), path), started_ = true; }

  /// Moves every parameter that the last backward() reached, and uses up its adjoint. (A parameter behind a number whose slope is 0, as of
  /// relu(sum(x) - 1), a hinge that is off, is not reached and stays as it is, momentum or not; behind a tensor of zeros, sum(relu(x - 1)), it is.)
  /// Throws Error if there was no backward(), for a net that is empty, was moved from or has never been given numbers, for a gradient that is not
  /// finite where clip_norm is set, and, with momentum, for another net than before.
  template <class M> void step(M& model) {
    if (!started_) [[unlikely]] detail::require_initialized("sgd", model);
    if (bare_) {
      detail::step_each("sgd", model, [rate = options_.learning_rate](auto& p, std::size_t) { return p.descend(rate); });
      started_ = true;
      return;
    }
    const SgdNumbers numbers{options_.learning_rate, options_.momentum, options_.weight_decay, options_.nesterov};
    const bool keeps = options_.momentum != 0;
    const double scale = detail::clip_factor("sgd", model, options_.clip_norm);
    if (keeps) state_.bind("sgd", model, 1);
    detail::step_each("sgd", model, [&]<class T>(Parameter<T>& p, std::size_t i) {
      const auto here = p.reached();
      if (!here) return false;
      const T* const g = state_.scaled(here.adjoint(), p.size(), scale);
      kernels<T>().sgd(here.update(), g, keeps ? state_.list<T>()[i].first.mutable_data() : nullptr, numbers, p.size());
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
  bool bare_;  ///< w −= learning_rate · gradient, and nothing else
  detail::NetState state_;
  bool started_ = false;
};

// ---- Adam --------------------------------------------------------------------------------------------------------------

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
    detail::check_option("adam", "beta1", options.beta1, detail::fractions);
    detail::check_option("adam", "beta2", options.beta2, detail::fractions);
    detail::check_option("adam", "epsilon", options.epsilon, detail::positive);
    detail::check_option("adam", "weight_decay", options.weight_decay, detail::rates);
    detail::check_option("adam", "clip_norm", options.clip_norm, detail::rates);
  }
  const AdamOptions& options() const { return options_; }
  double learning_rate() const { return options_.learning_rate; }
  /// For the steps from now on; throws as the constructor does.
  void set_learning_rate(double rate) {
    detail::check_option("adam", "learning_rate", rate, detail::rates);
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
      detail::Moments<T>& state = state_.list<T>()[i];
      state.powers[0] *= options_.beta1, state.powers[1] *= options_.beta2;
      T* const w = here.update();
      const T decay = static_cast<T>(-options_.learning_rate * options_.weight_decay);
      if (decay != 0) kernels<T>().axpy(decay, w, w, p.size(), true);
      kernels<T>().adam(w, g, state.first.mutable_data(), state.second.mutable_data(),
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
