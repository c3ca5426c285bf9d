// Floor 2. Where the memory of a tape comes from.
#include "arena.hpp"
#include <fmt/format.h>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <sys/mman.h>

namespace autodiff::inline v1::detail {

/// Memory of this size and more asks for pages of 2 MB: in a virtual machine, where each missed address translation is looked up twice, walks over
/// small pages cost up to half as much again (GMM, Burgers in bench/scalar).
constexpr std::size_t huge_page = std::size_t{1} << 21, large = 2 * huge_page;
constexpr std::size_t small_page = 4096;
constexpr std::align_val_t page{small_page};  ///< where blocks of an arena begin

namespace {
constexpr std::size_t rounded(std::size_t bytes, std::size_t unit) { return (bytes + unit - 1) / unit * unit; }
/// The whole of a large buffer, which is a mapping of its own; of a small one 0.
constexpr std::size_t mapped(std::size_t bytes) { return bytes < large ? 0 : rounded(margin + bytes + margin, huge_page); }

/// A mapping of `size` bytes that begins on a page of 2 MB, where `old`, if there is one, has moved to; null, and `old` is as it was, if the system
/// has no room. Pages move, numbers do not: nothing is copied, and each page is cleared once. (The first gradient of GMM 75 -> 35 ms, of Burgers 20
/// -> 14, in lanes 109 -> 46; after that they take 20, 5 and 23.)
char* remap(char* old, std::size_t old_size, std::size_t size) {
  void* const room = mmap(nullptr, size + huge_page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (room == MAP_FAILED) return nullptr;
  const std::size_t before = (huge_page - reinterpret_cast<std::uintptr_t>(room) % huge_page) % huge_page;
  char* const begin = static_cast<char*>(room) + before;
  if (before > 0) munmap(room, before);
  if (before < huge_page) munmap(begin + size, huge_page - before);
  void* const moved = old ? mremap(old, old_size, size, MREMAP_MAYMOVE | MREMAP_FIXED, begin)
                          : mmap(begin, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  if (moved == MAP_FAILED) {
    munmap(begin, size);
    return nullptr;
  }
  madvise(begin, size, MADV_HUGEPAGE);
  return begin;
}
}  // namespace

/// It begins on a line of the cache: eight adjoints side by side are one. (Rosenbrock in lanes −8 %, for a copy where realloc had none.)
void* reallocate(void* old, std::size_t old_bytes, std::size_t bytes) {
  const std::size_t size = mapped(bytes), old_size = old ? mapped(old_bytes) : 0, whole = margin + bytes + margin;
  const bool moves = size > 0 && old_size > 0;
  char* const begin = size > 0 ? remap(moves ? static_cast<char*>(old) - margin : nullptr, old_size, size)
                               : static_cast<char*>(std::aligned_alloc(alignment, rounded(whole, alignment)));
  if (!begin)
    throw TapeError(fmt::format(
        "tape: it needs {} bytes in one piece, and the system has no such memory; record less at a time, or rewind() parts of it", bytes));
  // Each page is written once: of a large buffer the first, of which a recording that ends before the last uses enough others.
  const std::size_t touched = size > 0 ? 1 : whole;
  for (std::size_t i = 0; i < touched; i += small_page) begin[i] = 0;
  begin[touched - 1] = 0;
  if (old && !moves) {
    std::memcpy(begin + margin, old, std::min(old_bytes, bytes));
    release(old, old_bytes);
  }
  return begin + margin;
}
void release(void* memory, std::size_t bytes) {
  char* const begin = static_cast<char*>(memory) - margin;
  if (const std::size_t size = mapped(bytes)) munmap(begin, size); else std::free(begin);
}

void Arena::free_blocks() {
  for (const Block& b : blocks_) ::operator delete(b.memory, page);
}
void Arena::use(std::size_t index) {
  current_ = index;
  before_ = 0;
  for (std::size_t i = 0; i < index; ++i) before_ += blocks_[i].size;
  begin_ = next_ = blocks_[index].memory;
  end_ = begin_ + blocks_[index].size - alignment;
}
void Arena::next_block(std::size_t bytes) {
  while (next_ && current_ + 1 < blocks_.size()) {
    use(current_ + 1);
    if (static_cast<std::size_t>(end_ - next_) >= bytes) return;
  }
  std::size_t size = blocks_.size() ? 2 * blocks_[blocks_.size() - 1].size : std::size_t{1} << 16;
  while (size < bytes + alignment) size *= 2;
  blocks_.push({nullptr, 0});  // first: it may throw
  void* memory = ::operator new(size, page, std::nothrow);
  if (!memory) {
    blocks_.truncate(blocks_.size() - 1);
    throw TapeError(fmt::format("tape: its tensors need {} bytes more than the {} they have, and the system has no such memory; "
                                "record less at a time, or rewind() parts of it", size, capacity()));
  }
  blocks_[blocks_.size() - 1] = {static_cast<char*>(memory), size};
  use(blocks_.size() - 1);
}
std::size_t Arena::capacity() const {
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < blocks_.size(); ++i) bytes += blocks_[i].size;
  return bytes;
}

}  // namespace autodiff::inline v1::detail
