// Floor 1. The kernels for double. Compile with -O3 (at -O2 register tiles spill); it needs no -march: each instruction set is switched on
// where it is needed.
#define AUTODIFF_NUMBER double
#include "kernels_targets.inl"
