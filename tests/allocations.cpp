// The allocations of the whole test program, counted.
#include "allocations.hpp"
#include "sanitized.hpp"
#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace {
thread_local constinit std::size_t calls = 0;
thread_local constinit std::size_t fails_at = ~std::size_t{0};
thread_local constinit bool denormal = false;
/// Counts one more; false if it must fail.
bool granted() { return calls++ < fails_at; }
}  // namespace

std::size_t allocations() { return calls; }
ShortMemory::ShortMemory(std::size_t n) { fails_at = calls + n; }
ShortMemory::~ShortMemory() { fails_at = ~std::size_t{0}; }
DenormalMemory::DenormalMemory() { denormal = true; }
DenormalMemory::~DenormalMemory() { denormal = false; }

#if !AUTODIFF_SANITIZED && defined(__GLIBC__)
const bool malloc_is_counted = true;

namespace {
void* filled(void* memory, std::size_t bytes) {
  if (memory && denormal) std::fill_n(static_cast<std::uint32_t*>(memory), bytes / 4, 1u);
  return memory;
}
}  // namespace
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);
void* malloc(std::size_t n) noexcept { return granted() ? __libc_malloc(n) : nullptr; }
void* calloc(std::size_t n, std::size_t size) noexcept { return granted() ? __libc_calloc(n, size) : nullptr; }
void* realloc(void* p, std::size_t n) noexcept { return granted() ? __libc_realloc(p, n) : nullptr; }
void* memalign(std::size_t alignment, std::size_t n) noexcept { return granted() ? __libc_memalign(alignment, n) : nullptr; }
void* aligned_alloc(std::size_t alignment, std::size_t n) noexcept { return granted() ? filled(__libc_memalign(alignment, n), n) : nullptr; }
int posix_memalign(void** p, std::size_t alignment, std::size_t n) noexcept {
  *p = granted() ? __libc_memalign(alignment, n) : nullptr;
  return *p ? 0 : ENOMEM;
}
}

#else
const bool malloc_is_counted = false;

// The forms for arrays call these, or a sanitizer's own.
namespace {
void* counted(std::size_t bytes, std::size_t alignment) {
  if (!granted()) return nullptr;
  return std::aligned_alloc(alignment, (bytes + alignment) / alignment * alignment);
}
void* or_throw(void* memory) {
  if (!memory) throw std::bad_alloc();
  return memory;
}
}  // namespace
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
#endif
