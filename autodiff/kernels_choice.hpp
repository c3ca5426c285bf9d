// Private to the kernels: which instruction sets there are, and how kernels.cpp, which chooses among them, reaches the tables of kernels_float.cpp
// and kernels_double.cpp. To be included before Highway.
#pragma once
#include "kernels.hpp"

// AVX-512 ("AVX3"), AVX2 with FMA, SSE4, NEON, and plain numbers for what is older (or foreign). Left out are
//   - SSSE3 and AVX3_DL, which differ little from their neighbours, and each costs compile time. (Highway 1.0.3 by itself does not compile for
//     -march=native where that implies the second.)
//   - SSE2, bit 14, as Highway names it from 1.0.4 on: ceil(-0.5) loses its sign there
//   - SVE and RISC-V's RVV, whose vectors have no size that the compiler knows, so that no Lane can hold one
#ifndef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_AVX3_DL | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV | 1LL << 14)
#define HWY_BROKEN_EMU128 1  // the plain target is HWY_SCALAR with every compiler
#endif

namespace autodiff::inline v1::detail {

/// The table of the best of these targets (Highway's bits), if it was compiled.
template <class T> const Kernels<T>* table_of(std::int64_t targets);
template <> const Kernels<float>* table_of<float>(std::int64_t targets);
template <> const Kernels<double>* table_of<double>(std::int64_t targets);

/// The targets that were compiled, as Highway's bits.
std::int64_t compiled_targets();

}  // namespace autodiff::inline v1::detail
