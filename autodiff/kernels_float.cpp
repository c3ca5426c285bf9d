// Floor 1. The kernels for float. Compile with -O3 (at -O2 register tiles spill); it needs no -march: each instruction set is switched on
// where it is needed.
#define AUTODIFF_NUMBER float
#include "kernels_targets.inl"

#if HWY_ONCE
namespace autodiff::inline v1 {

HWY_EXPORT(table);

const Kernels<float>* detail::float_table(std::int64_t targets) {
  hwy::GetChosenTarget().Update(targets);
  const auto* const chosen = static_cast<const Kernels<float>*>(HWY_DYNAMIC_DISPATCH(table)());
  hwy::GetChosenTarget().DeInit();  // it is the whole program's: a user's own kernels choose anew
  return chosen;
}

std::int64_t detail::compiled_targets() { return HWY_TARGETS; }

}  // namespace autodiff::inline v1
#endif
