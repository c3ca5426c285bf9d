// Counts what the test program allocates, so that a test can say that a training step allocates nothing.
#pragma once
#include <cstddef>

/// Calls of operator new so far, on all threads. (allocations.cpp replaces it. A tape's own buffers grow by realloc: ask its statistics().)
std::size_t allocations();
