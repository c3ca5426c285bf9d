// First numbers of a net. The seed is explicit, and the same seed gives the same digits on every machine (random.hpp says how).
#pragma once
#include "module.hpp"
#include "random.hpp"
#include <cmath>
#include <cstdint>

namespace autodiff::inline v1::nn {

/// How first weights are drawn: with which deviation, from which distribution.
struct Scheme {
  enum class Fan { in, both } fan;
  double variance;         ///< of a weight, times the fan: its inputs, or inputs + outputs
  bool uniform = false;    ///< else normal
  bool biases = false;     ///< drawn like the weights before them; else 0

  /// The same with biases drawn too, as where they are one more row of the weights.
  constexpr Scheme with_biases() const { Scheme s = *this; s.biases = true; return s; }
};
inline constexpr Scheme xavier_normal{.fan = Scheme::Fan::both, .variance = 2};                    ///< √(2/(in + out)) · N(0, 1): for tanh
inline constexpr Scheme xavier_uniform{.fan = Scheme::Fan::both, .variance = 2, .uniform = true};  ///< uniform within ±√(6/(in + out))
inline constexpr Scheme he_normal{.fan = Scheme::Fan::in, .variance = 2};                          ///< √(2/in) · N(0, 1): for relu
inline constexpr Scheme he_uniform{.fan = Scheme::Fan::in, .variance = 2, .uniform = true};        ///< uniform within ±√(6/in)
/// 0.5·√(6/(in + out)) · N(0, 1): that of the tutorial in examples/, which draws biases, too: tutorial.with_biases()
inline constexpr Scheme tutorial{.fan = Scheme::Fan::both, .variance = 1.5};

/// Draws all parameters anew, in the order in which they are found. Those of two axes or more are weights, drawn by the scheme: outputs along
/// the last axis, inputs along all others together (of a stack of matrices that counts too many). Those of fewer are biases, and zero unless the
/// scheme says otherwise. Float gets the digits of double, rounded. Throws Error for a variance outside of 0 … 1e30, for no
/// parameters, and for some that were moved from.
template <class M> void initialize(M& model, std::uint64_t seed, Scheme scheme = xavier_uniform) {
  if (!(scheme.variance >= 0 && scheme.variance <= 1e30))
    throw Error(detail::text("initialize: the scheme's variance is {}; it must be at least 0 and at most 1e+30", {scheme.variance}));
  Random random(seed);
  double deviation = 0;
  std::size_t found = 0;
  for_each_parameter(model, [&]<class T>(Parameter<T>& p) {
    detail::require_numbers("initialize", p);
    const Shape& shape = p.shape();
    const bool weights = shape.axes() >= 2;
    ++found;
    if (weights) {
      const double in = std::max(1.0, static_cast<double>(shape.rows())), out = static_cast<double>(shape.columns());
      deviation = std::sqrt(scheme.variance / (scheme.fan == Scheme::Fan::in ? in : in + out));
    }
    Tensor<T> drawn = Tensor<T>::zeros(shape);
    if (weights || (scheme.biases && deviation > 0)) {
      const double limit = std::sqrt(3.0) * deviation;  // a uniform distribution within ±limit has that deviation
      T* const to = drawn.mutable_data();
      for (std::size_t i = 0; i < shape.count(); ++i) {
        const double draw = scheme.uniform ? (2 * random.uniform() - 1) * limit : random.normal() * deviation;
        to[i] = static_cast<T>(draw);
      }
    }
    p.assign(std::move(drawn));
  });
  if (found == 0) detail::refuse_empty_model("initialize");
}

}  // namespace autodiff::inline v1::nn
