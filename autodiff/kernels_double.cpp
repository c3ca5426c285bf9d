// Floor 1. The kernels for double. Compile with -O3 (at -O2 register tiles spill); it needs no -march: each instruction set is switched on
// where it is needed.
#define AUTODIFF_NUMBER double
#include "kernels_targets.inl"

#if HWY_ONCE
namespace autodiff::inline v1 {

HWY_EXPORT(table);

const Kernels<double>* detail::double_table(std::int64_t targets) {
  hwy::GetChosenTarget().Update(targets);
  const auto* const chosen = static_cast<const Kernels<double>*>(HWY_DYNAMIC_DISPATCH(table)());
  hwy::GetChosenTarget().DeInit();  // it is the whole program's: a user's own kernels choose anew
  return chosen;
}

}  // namespace autodiff::inline v1
#endif
