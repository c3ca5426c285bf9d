// The engine as a contestant, and the samples all contestants share: its tensors own them, the others read the same memory.
#pragma once
#include <autodiff/autodiff.hpp>
#include <cstdint>
#include <vector>
#include "training.hpp"

namespace training {

struct Samples {
  autodiff::Tensor<float> inputs, targets;
  std::vector<int> labels;
  Data view() const { return {inputs.data(), targets.data(), labels.data()}; }
};

Samples make_samples(const Problem& problem);

std::unique_ptr<Trainer> make_engine_trainer(const Problem& problem, const Samples& samples);
std::unique_ptr<Chain> make_engine_chain(Operation op, std::size_t n);

/// What `nn::initialize` makes of the problem's net: everybody starts from it.
Parameters initial_parameters(const Problem& problem, std::uint64_t seed);

}  // namespace training
