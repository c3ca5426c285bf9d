// What an optimizer keeps for the parameters of one net, and how it is saved. Start reading at `NetState`.
#pragma once
#include "io.hpp"
#include <algorithm>
#include <cmath>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

namespace autodiff::inline v1::nn::detail {

/// Nothing is there to step by: says why.
template <class M> [[noreturn, gnu::noinline, gnu::cold]] void refuse_unreached(const char* optimizer, const M& model) {
  bool empty = true, used_up = false;
  for_each_parameter(model, [&](const auto& p) { p.require_nothing_lost(), empty = false, used_up = used_up || p.used_up(); });
  if (empty) refuse_empty_model(optimizer);
  if (used_up)
    throw Error(text("{}: a step has used up the gradient of this net: call tape.backward(cost) before each step; of two optimizers each steps a part "
        "of the net", {optimizer}));
  throw Error(text("{}: no parameter of this net has an adjoint: before each step call tape.backward(cost), on a cost of this net's "
      "output, and do not clear or rewind the tape in between, nor give the net other numbers", {optimizer}));
}

/// Does a float hold this factor? A smaller one would be denormal there, or 0.
inline bool fits_a_float(double factor) { return factor > 1e-30; }

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
  NetState(const NetState& other) : kept_(other.kept_) {}  ///< for a copy of the net, which has other parameters: it learns them at its first step
  NetState(NetState&& other) noexcept { *this = std::move(other); }
  NetState& operator=(const NetState& other) { return *this = NetState(other); }
  NetState& operator=(NetState&& other) noexcept {
    kept_ = std::exchange(other.kept_, {}), net_ = std::exchange(other.net_, 0);
    return *this;
  }

  /// Throws Error if no backward() came after the net was recorded.
  template <class M> static void require_walked(const char* optimizer, const M& model) {
    for_each_parameter(model, [&](const auto& p) { require_numbers(optimizer, p); });
    if (!is_walked(model)) refuse_unreached(optimizer, model);
  }
  /// Makes room for a net that has not been stepped yet, and knows it from now on.
  template <class M> void make_room(const M& model, int moments) {
    for_each_parameter(model, [&]<class T>(const Parameter<T>& p) {
      net_ = identity_of(net_, p);
      kept_.push_back(Moments<T>{moments > 0 ? Tensor<T>::zeros(p.shape()) : Tensor<T>(), moments > 1 ? Tensor<T>::zeros(p.shape()) : Tensor<T>()});
    });
  }
  /// Makes room on the first step, checks on every other; throws before anything has changed.
  template <class M> void bind(const char* optimizer, const M& model, int moments) {
    if (net_ == 0) require_walked(optimizer, model);  // or it would know a net that it has never stepped
    if (kept_.empty()) {
      NetState fresh;
      fresh.make_room(model, moments);  // may throw
      *this = std::move(fresh);
    }
    net_ = checked(optimizer, model);
  }
  /// The identity of the net; throws ShapeError or Error if it is another one than was bound.
  template <class M> std::uint64_t checked(const char* optimizer, const M& model) const {
    std::size_t i = 0;
    bool same_parameters = true;
    std::uint64_t net = 0;
    for_each_parameter(model, [&]<class T>(const Parameter<T>& p) {
      net = identity_of(net, p);
      const Moments<T>* const one = i < kept_.size() ? std::get_if<Moments<T>>(&kept_[i]) : nullptr;
      same_parameters = same_parameters && one;
      if (same_parameters && one->first.shape() != p.shape())
        throw ShapeError(text("{}: parameter {} has shape {}, and had {} when this optimizer first saw its net; make an optimizer for "
            "each net", {optimizer, i, p.shape().text(), one->first.shape().text()}));
      ++i;
    });
    if (i == 0) refuse_empty_model(optimizer);
    if (!same_parameters || i != kept_.size())
      throw Error(text("{}: this net has {} parameters, and the one that this optimizer first saw had {} or other number types; make an "
          "optimizer for each net", {optimizer, i, kept_.size()}));
    if (net_ != 0 && net != net_)
      throw Error(text(
          "{}: this is another net than the one that this optimizer is for, whose momentum it keeps, or a layer of it is another; make an "
          "optimizer for each net, and where numbers are put back, copy them: net = best", {optimizer}));
    return net;
  }
  /// The identity of a net's parameters so far, and this one.
  template <class T>
  static std::uint64_t identity_of(std::uint64_t before, const Parameter<T>& p) { return before * 0x9E3779B97F4A7C15u + p.identity(); }
  /// What is kept for parameter i, as checked() has counted them.
  template <class T> Moments<T>& of(std::size_t i) { return std::get<Moments<T>>(kept_[i]); }

  /// What is kept for the net's parameters as entries of a file: "first.0.weight", "second.0.weight", "powers.0.weight" …
  template <class M> std::vector<Entry> entries(const char* optimizer, const M& model, int moments) {
    std::vector<Entry> all;
    std::size_t i = 0;
    for_each_named_parameter(model, [&]<class T>(const std::string& name, const Parameter<T>& p) {
      require_numbers(optimizer, p);
      Moments<T>& one = of<T>(i++);
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
    if (kept_.empty()) state.make_room(model, moments); else checked(optimizer, model);
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
    for (const auto& one : state.kept_) std::visit(check, one);
    *this = std::move(state);
  }
  /// scale · g, in memory of the optimizer; where the scale is 1, g.
  template <class T> const T* scaled(const T* g, std::size_t n, double scale) { return scale == 1 ? g : multiplied(g, n, scale); }
  template <class T> [[gnu::noinline, gnu::cold]] const T* multiplied(const T* g, std::size_t n, double scale) {
    Tensor<T>& room = std::get<Tensor<T>>(room_);
    if (room.size() < n) room = Tensor<T>::uninitialized(Shape({n}));
    T* const to = room.mutable_data();
    if (fits_a_float(scale)) kernels<T>().axpy(static_cast<T>(scale), g, to, n, false);
    else std::transform(g, g + n, to, [scale](T x) { return static_cast<T>(scale * static_cast<double>(x)); });
    return room.data();
  }

 private:
  std::vector<std::variant<Moments<float>, Moments<double>>> kept_;  ///< for each parameter in turn
  std::uint64_t net_ = 0;                                            ///< made of its parameters' identities; 0: not known yet
  std::tuple<Tensor<float>, Tensor<double>> room_;
};

}  // namespace autodiff::inline v1::nn::detail
