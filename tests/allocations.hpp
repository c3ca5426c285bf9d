// Counts what the test program allocates, so that a test can say that a training step allocates nothing.
#pragma once
#include <cstddef>

/// Allocations of this thread so far. allocations.cpp replaces malloc and its like, or, where a sanitizer has done so, operator new alone.
std::size_t allocations();
/// Is malloc counted?
extern const bool malloc_is_counted;
/// While it lives, the n-th allocation from now on fails, and with it all that follow; counted from 0.
struct ShortMemory {
  explicit ShortMemory(std::size_t n);
  ~ShortMemory();
};
/// While it lives, aligned memory is full of denormal numbers, where malloc is counted.
struct DenormalMemory {
  DenormalMemory();
  ~DenormalMemory();
};
