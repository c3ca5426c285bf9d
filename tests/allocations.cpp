// Operator new and delete of the whole test program, counted. (The forms for arrays call these, or a sanitizer's own.)
#include "allocations.hpp"
#include <cstdlib>
#include <new>

namespace {
std::size_t count = 0;

void* counted(std::size_t bytes, std::size_t alignment) {
  __atomic_fetch_add(&count, 1, __ATOMIC_RELAXED);
  return std::aligned_alloc(alignment, (bytes + alignment) / alignment * alignment);
}
void* or_throw(void* memory) {
  if (!memory) throw std::bad_alloc();
  return memory;
}
}  // namespace

std::size_t allocations() { return __atomic_load_n(&count, __ATOMIC_RELAXED); }

void* operator new(std::size_t bytes) { return or_throw(counted(bytes, alignof(std::max_align_t))); }
void* operator new(std::size_t bytes, std::align_val_t alignment) { return or_throw(counted(bytes, static_cast<std::size_t>(alignment))); }
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept { return counted(bytes, alignof(std::max_align_t)); }
void* operator new(std::size_t bytes, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  return counted(bytes, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
