// Floor 2. The memory of a tape: buffers that grow, and an arena. Both keep what they have, so that after the first step of a
// training loop nothing is allocated. Everything in them is moved by bytes and forgotten without a destructor.
#pragma once
#include "error.hpp"
#include "tensor.hpp"
#include <cstddef>
#include <type_traits>
#include <utility>

namespace autodiff::inline v1::detail {

/// So many bytes before and behind a buffer are its own as well: recording and walking back prefetch beyond what is in use. Where there is no memory,
/// or none that was ever written, the processor looks each such address up in vain. (XOR in lanes 0.75 of the hand-written time -> 0.53, poly
/// 9.0 -> 8.4.)
constexpr std::size_t margin = 4096;
/// Memory of `bytes`, in place of `old` and with its content; throws TapeError that says how much was asked for.
void* reallocate(void* old, std::size_t old_bytes, std::size_t bytes);
void release(void* memory, std::size_t bytes);  ///< what reallocate gave

/// Memory that grows.
template <class T> class Buffer {
  static_assert(std::is_trivially_destructible_v<T>);
  T* data_ = nullptr;
  std::size_t capacity_ = 0;

 public:
  constexpr Buffer() = default;
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  constexpr ~Buffer() { if (data_) release(static_cast<void*>(data_), capacity_ * sizeof(T)); }
  T* data() const { return data_; }
  std::size_t capacity() const { return capacity_; }
  void grow(std::size_t capacity) {
    data_ = static_cast<T*>(reallocate(static_cast<void*>(data_), capacity_ * sizeof(T), capacity * sizeof(T)));
    capacity_ = capacity;
  }
  /// The same, but what it holds is lost: no copy of that, and never room for both.
  void renew(std::size_t capacity) {
    if (data_) release(static_cast<void*>(std::exchange(data_, nullptr)), std::exchange(capacity_, 0) * sizeof(T));
    grow(capacity);
  }
};

/// A buffer that is filled from the front.
template <class T> class Stack {
  Buffer<T> buffer_;
  std::size_t size_ = 0;

 public:
  constexpr Stack() = default;
  std::size_t size() const { return size_; }
  std::size_t capacity() const { return buffer_.capacity(); }
  T& operator[](std::size_t i) { return buffer_.data()[i]; }
  const T& operator[](std::size_t i) const { return buffer_.data()[i]; }
  T* begin() { return buffer_.data(); }
  T* end() { return buffer_.data() + size_; }
  [[gnu::always_inline]] T& push(const T& x) { return append() = x; }
  /// One more, to be written to.
  [[gnu::always_inline]] T& append() {
    if (size_ == buffer_.capacity()) [[unlikely]] buffer_.grow(size_ < 8 ? 16 : 2 * size_);
    return buffer_.data()[size_++];
  }
  void truncate(std::size_t size) { size_ = size; }
};

/// Memory by moving a pointer, in pieces of 64 bytes. What lies behind a piece is the next one, so only the end of a block needs
/// the 64 bytes that the law of memory (tensor.hpp) wants to be readable.
class Arena {
  struct Block { char* memory; std::size_t size; };
  Stack<Block> blocks_;
  std::size_t current_ = 0, before_ = 0;  ///< the block in use, and what the blocks before it hold
  char *begin_ = nullptr, *next_ = nullptr, *end_ = nullptr;  ///< of that block: where it begins, what is free, where that ends

 public:
  struct Position { std::size_t block = 0, offset = 0; };

  constexpr Arena() = default;
  constexpr ~Arena() { if (next_) free_blocks(); }
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  [[gnu::always_inline]] void* take(std::size_t bytes) {
    bytes = padded(bytes);
    if (static_cast<std::size_t>(end_ - next_) < bytes) [[unlikely]] next_block(bytes);
    return std::exchange(next_, next_ + bytes);
  }
  Position position() const { return {current_, static_cast<std::size_t>(next_ - begin_)}; }
  void rewind(Position to) {
    if (current_ != to.block) use(to.block);
    next_ = begin_ + to.offset;
  }
  std::size_t used() const { return before_ + static_cast<std::size_t>(next_ - begin_); }
  std::size_t capacity() const;

 private:
  void free_blocks();
  void use(std::size_t index);
  void next_block(std::size_t bytes);
};

}  // namespace autodiff::inline v1::detail
