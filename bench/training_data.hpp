// The data that all contestants train on, made from a seed: no download, the same numbers on every machine with IEEE arithmetic
// (up to the last bit of expf). And the judge: the cost of given parameters, in double and plain loops, used for everyone.
#pragma once
#include <cstdint>
#include "training.hpp"

namespace training {

/// Pictures that look like digits to a net: each of ten classes is three soft strokes on a side × side grid; a sample is its
/// class's picture moved by up to two pixels each way (one on grids below 16 × 16), brightened or dimmed, with noise; values in [0, 1], most of
/// them 0. `inputs` (samples, side²) and `labels` are written. `side²` = 784 stands for MNIST, 64 for scikit-learn's digits. A width that is no
/// square gets uniform noise instead (the scaling plot: only time matters there).
void make_digits(std::size_t samples, std::size_t width, std::uint64_t seed, float* inputs, int* labels);

/// Mean cost over the first `samples` samples.
double cost_of(const Problem& problem, const Data& data, const Parameters& parameters, std::size_t samples);

/// How far apart two trainings of the same start ended, over the way that the first went: Euclidean norms of all parameters.
double distance(const Parameters& start, const Parameters& first, const Parameters& second);

}  // namespace training
