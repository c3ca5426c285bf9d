// Private to the kernels: how kernels.cpp, which chooses the instruction set, reaches the tables of kernels_float.cpp and kernels_double.cpp.
#pragma once
#include "kernels.hpp"

namespace autodiff::inline v1::detail {

/// The table of the best of these targets (Highway's bits), if it was compiled.
const Kernels<float>* float_table(std::int64_t targets);
const Kernels<double>* double_table(std::int64_t targets);

/// The targets that were compiled, as Highway's bits.
std::int64_t compiled_targets();

}  // namespace autodiff::inline v1::detail
