// Floor 2. Where the memory of a tape comes from.
#include "arena.hpp"
#include <fmt/format.h>
#include <cstdlib>
#include <new>
#include <sys/mman.h>

namespace autodiff::inline v1::detail {

/// Memory of this size and more asks for pages of 2 MB: in a virtual machine, where each missed address translation is looked up twice, walks over
/// small pages cost up to half as much again (GMM, Burgers in bench/scalar).
constexpr std::size_t huge_page = std::size_t{1} << 21, large = 2 * huge_page;
constexpr std::size_t small_page = 4096;
constexpr std::align_val_t page{small_page};  ///< where blocks of an arena begin

static void advise_huge(void* memory, std::size_t bytes) { madvise(memory, bytes / huge_page * huge_page, MADV_HUGEPAGE); }

/// It begins on a line of the cache: eight adjoints side by side are one. (Rosenbrock in lanes −8 %, for a copy where realloc had none.)
void* reallocate(void* old, std::size_t old_bytes, std::size_t bytes) {
  const std::size_t unit = bytes < large ? alignment : huge_page, whole = margin + bytes + margin;
  char* const begin = static_cast<char*>(std::aligned_alloc(unit, (whole + unit - 1) / unit * unit));
  if (!begin)
    throw TapeError(fmt::format(
        "tape: it needs {} bytes in one piece, and the system has no such memory; record less at a time, or rewind() parts of it", bytes));
  if (unit == huge_page) advise_huge(begin, whole);
  // Each page is written once: of a large buffer the first, of which a recording that ends before the last uses enough others.
  const std::size_t touched = bytes < large ? whole : 1;
  for (std::size_t i = 0; i < touched; i += small_page) begin[i] = 0;
  begin[touched - 1] = 0;
  char* const memory = begin + margin;
  if (old) {
    std::memcpy(memory, old, std::min(old_bytes, bytes));
    release(old);
  }
  return memory;
}
void release(void* memory) { std::free(static_cast<char*>(memory) - margin); }

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
