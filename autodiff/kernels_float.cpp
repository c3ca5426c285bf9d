// Floor 1. The kernels for float. Compile with -O3 (at -O2 register tiles spill); it needs no -march: each instruction set is switched on
// where it is needed.
#define AUTODIFF_NUMBER float
#include "kernels_targets.inl"

#if HWY_ONCE
std::int64_t autodiff::detail::compiled_targets() { return HWY_TARGETS; }
#endif
