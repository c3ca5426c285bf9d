// Private to the kernels: everything that is compiled once per instruction set. kernels_float.cpp and kernels_double.cpp include this file with
// AUTODIFF_NUMBER defined; Highway's foreach_target then reads it again for each target, and with it the .inl files below, rules.inl among
// them: a template belongs to the instruction set in force where it is written.
#include "kernels_choice.hpp"
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "autodiff/kernels_targets.inl"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
#include <hwy/contrib/math/math-inl.h>
#include <algorithm>
#include <cmath>
#include <concepts>
#include <limits>
#include <new>
#include <numeric>
#include <type_traits>
#include <utility>
#include "pool.hpp"

HWY_BEFORE_NAMESPACE();
namespace autodiff::inline v1 {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#include "kernels_lane.inl"
#include "kernels_lane_math.inl"
#include "rules.inl"
#include "kernels_elementwise.inl"
#include "kernels_transpose.inl"
#include "kernels_reductions.inl"
#include "kernels_broadcast.inl"
#include "kernels_softmax.inl"
#include "kernels_products.inl"
#include "kernels_small_products.inl"
#include "kernels_layers.inl"
#include "kernels_training.inl"

template <class Rule, class T> constexpr auto layer_of() -> void (*)(const Affine<T>&) {
  if constexpr (Rule::row.from_result) return &affine<Rule, T>;
  else return nullptr;
}
template <class Rule, class T> constexpr auto layer_pullback_of() -> void (*)(const Affine<T>&, const AffineAdjoints<T>&) {
  if constexpr (Rule::row.from_result) return &affine_pullback<Rule, T>;
  else return nullptr;
}

template <class T, class... U, class... B, class... C> constexpr Kernels<T> make_table(List<U...>, List<B...>, List<C...>) {
  return {.target = hwy::TargetName(HWY_TARGET),
          .map = {&map<U, T>...},
          .pullback = {&pullback<U, T>...},
          .zip = {&zip<B, T>...},
          .pullback_a = {&zip_pullback<B, false, T>...},
          .pullback_b = {&zip_pullback<B, true, T>...},
          .compare = {&compare<C, T>...},
          .broadcast = &broadcast<T>,
          .broadcast_pullback = &broadcast_pullback<T>,
          .sum_back = &sum_back<T>,
          .product = &product<T>,
          .layer = {layer_of<U, T>()...},
          .layer_pullback = {layer_pullback_of<U, T>()...},
          .transpose = &transpose<T>,
          .sum = &sum_of<T>,
          .dot = &dot<T>,
          .sum_along = &sum_along<T>,
          .spread_along = &spread_along<T>,
          .max_along = &extreme_along<true, T>,
          .min_along = &extreme_along<false, T>,
          .extreme_pullback = &extreme_pullback<T>,
          .softmax = &softmax<T>,
          .softmax_pullback = &softmax_pullback<T>,
          .log_softmax = &log_softmax<T>,
          .log_softmax_pullback = &log_softmax_pullback<T>,
          .logsumexp = &logsumexp<T>,
          .logsumexp_pullback = &logsumexp_pullback<T>,
          .fill = &fill<T>,
          .axpy = &axpy<T>,
          .select = &select<T>,
          .select_pullback = &select_pullback<T>,
          .softmax_cross_entropy = &softmax_cross_entropy<T>,
          .logistic_cross_entropy = &logistic_cross_entropy<T>,
          .squared_error = &squared_error<T>,
          .sgd = &sgd<T>,
          .adam = &adam<T>};
}

/// The table of this number type and instruction set. (void: Highway chooses among functions of one type, of float or of double.)
static const void* table() {
  static const Kernels<AUTODIFF_NUMBER> kernels = make_table<AUTODIFF_NUMBER>(UnaryRules(), BinaryRules(), Comparisons());
  return &kernels;
}

}  // namespace HWY_NAMESPACE
}  // namespace autodiff::inline v1
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace autodiff::inline v1 {

HWY_EXPORT(table);

template <> const Kernels<AUTODIFF_NUMBER>* detail::table_of<AUTODIFF_NUMBER>(std::int64_t targets) {
  hwy::GetChosenTarget().Update(targets);
  const auto* const chosen = static_cast<const Kernels<AUTODIFF_NUMBER>*>(HWY_DYNAMIC_DISPATCH(table)());
  hwy::GetChosenTarget().DeInit();  // it is the whole program's: a user's own kernels choose anew
  return chosen;
}

}  // namespace autodiff::inline v1
#endif
