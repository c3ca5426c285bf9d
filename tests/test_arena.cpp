// The memory of a tape: buffers and stacks that keep what they held, an arena that hands out the same memory again.
#include "support.hpp"
#include <cstring>
#include <sys/mman.h>

using ad::detail::Arena;
using ad::detail::Buffer;
using ad::detail::Stack;

TEST_CASE("a buffer keeps its content when it grows, also across the size where huge pages begin") {
  Buffer<std::uint64_t> buffer;
  std::size_t filled = 0;
  for (std::size_t capacity = 10; capacity <= 4'000'000; capacity *= 7) {
    buffer.grow(capacity);
    REQUIRE(buffer.capacity() == capacity);
    bool same = true;
    for (std::size_t i = 0; i < filled; ++i) same = same && buffer.data()[i] == 3 * i;
    CHECK(same);
    for (; filled < capacity; ++filled) buffer.data()[filled] = 3 * filled;
  }
}

TEST_CASE("a buffer owns memory before and behind it, for what is prefetched, and has touched each page of it") {
  using ad::detail::margin;
  Buffer<char> buffer;
  for (const std::size_t capacity : {100u, 300'000u, 9'000'000u}) {
    buffer.renew(capacity);
    const auto first = (reinterpret_cast<std::uintptr_t>(buffer.data()) - margin) / 4096;
    const auto last = (reinterpret_cast<std::uintptr_t>(buffer.data()) + (capacity < 1'000'000 ? capacity + margin : 0) - 1) / 4096;
    std::vector<unsigned char> resident(last - first + 1, 0);
    REQUIRE(mincore(reinterpret_cast<void*>(first * 4096), 4096 * resident.size(), resident.data()) == 0);
    for (const unsigned char page : resident) CHECK((page & 1) == 1);
    std::memset(buffer.data() - margin, 1, margin);
    std::memset(buffer.data() + capacity, 1, margin);
    buffer.grow(2 * capacity);
  }
  CHECK(buffer.capacity() == 18'000'000);
}

TEST_CASE("a large buffer that grows keeps its content, and all of it where the system has no room") {
  Buffer<std::uint64_t> buffer;
  std::size_t filled = 0;
  const auto kept = [&] {
    for (std::size_t i = 0; i < filled; ++i) if (buffer.data()[i] != 7 * i) return false;
    return true;
  };
  for (const std::size_t capacity : {1'000u, 600'000u, 700'000u, 1'500'000u}) {
    buffer.grow(capacity);
    CHECK(kept());
    for (; filled < capacity; ++filled) buffer.data()[filled] = 7 * filled;
    support::refuses<ad::TapeError>([&] { buffer.grow(std::size_t{1} << 50); }, {"9007199254740992 bytes in one piece"});
    CHECK(buffer.capacity() == capacity);
    CHECK(kept());
  }
  buffer.grow(1'000);
  filled = 1'000;
  CHECK(kept());
}

TEST_CASE("a stack grows by pushing, and forgets without giving memory back") {
  Stack<int> stack;
  CHECK(stack.begin() == stack.end());
  for (int i = 0; i < 1000; ++i) CHECK(stack.push(i) == i);
  CHECK(stack.size() == 1000);
  const std::size_t capacity = stack.capacity();
  stack.truncate(10);
  CHECK(stack.size() == 10);
  CHECK(stack.capacity() == capacity);
  CHECK(*(stack.end() - 1) == 9);
  CHECK(stack.push(-1) == -1);
  CHECK(stack[10] == -1);
}

TEST_CASE("an arena hands out pieces that start on 64 bytes and do not overlap") {
  Arena arena;
  support::Random random;
  std::vector<std::pair<char*, std::size_t>> pieces;
  for (int i = 0; i < 2000; ++i) {
    const std::size_t bytes = random.below(i % 100 == 0 ? 300'000 : 500);
    char* const p = static_cast<char*>(arena.take(bytes));
    CHECK(reinterpret_cast<std::uintptr_t>(p) % 64 == 0);
    if (bytes) std::memset(p, i & 0x7f, bytes);
    pieces.emplace_back(p, bytes);
  }
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    bool own = true;
    for (std::size_t k = 0; k < pieces[i].second; ++k) own = own && pieces[i].first[k] == static_cast<char>(i & 0x7f);
    CHECK(own);
  }
}

TEST_CASE("64 bytes behind the last piece of a block can be read") {
  Arena arena;
  for (int i = 0; i < 3000; ++i) {
    std::memset(arena.take(64), 1, 64);
    CHECK(arena.capacity() >= arena.used() + 64);
  }
  char* const large = static_cast<char*>(arena.take(1 << 20));
  CHECK(arena.capacity() >= arena.used() + 64);
  char behind[64];
  std::memcpy(behind, large + (1 << 20), 64);  // ASan sees to it
}

TEST_CASE("an arena that was rewound hands out the same memory and takes no more") {
  Arena arena;
  CHECK(arena.used() == 0);
  const auto start = arena.position();
  void* const first = arena.take(100);
  const auto middle = arena.position();
  const std::size_t used = arena.used();
  CHECK(used == 128);
  std::vector<void*> before;
  for (int i = 0; i < 50; ++i) before.push_back(arena.take(10'000));  // several blocks
  const std::size_t capacity = arena.capacity();
  for (int round = 0; round < 5; ++round) {
    arena.rewind(middle);
    CHECK(arena.used() == used);
    for (void* const p : before) CHECK(arena.take(10'000) == p);
  }
  CHECK(arena.capacity() == capacity);
  arena.rewind(start);
  CHECK(arena.used() == 0);
  CHECK(arena.take(1) == first);
  CHECK(arena.capacity() == capacity);
}

TEST_CASE("an arena finds room in a later block for what the next one cannot hold") {
  Arena arena;
  const auto start = arena.position();
  (void)arena.take(1 << 10);
  (void)arena.take(1 << 17);
  (void)arena.take(1 << 21);
  const std::size_t capacity = arena.capacity();
  arena.rewind(start);
  std::memset(arena.take(1 << 21), 0, 1 << 21);  // skips two blocks
  CHECK(arena.capacity() == capacity);
}

TEST_CASE("memory that the system does not have is an error that says how much") {
  if (AUTODIFF_SANITIZED) return;  // a sanitizer ends the program at such a size
  Arena arena;
  support::refuses<ad::TapeError>([&] { (void)arena.take(std::size_t{1} << 50); }, {"tape: its tensors need", "bytes"});
  CHECK(arena.take(64) != nullptr);
  Buffer<double> buffer;
  buffer.grow(4);
  buffer.data()[3] = 7;
  support::refuses<ad::TapeError>([&] { buffer.grow(std::size_t{1} << 50); }, {"tape: it needs 9007199254740992 bytes", "rewind"});
  CHECK(buffer.capacity() == 4);
  CHECK(buffer.data()[3] == 7);
}

TEST_CASE("what is used counts all blocks") {
  ad::detail::Arena arena;
  arena.take(40'000), arena.take(40'000), arena.take(40'000);
  CHECK(arena.used() >= 120'000);
}
