// Floor 0. The memory of tensors, and their text.
#include "tensor.hpp"
#include <bit>
#include <fmt/format.h>
#include <fmt/ranges.h>  // join, from fmt 11 on
#include <new>

namespace autodiff::inline v1 {

namespace detail {

namespace {

// Freed blocks, for this thread's next tensors: their pages are warm. malloc gives large ones back to the system, and the first touch
// of each new page costs more than what is written there (tanh(x·1.5 + 0.1) and three more on 1024 × 128 floats: 1130 µs without, 77
// with). Blocks come in classes of size, four to an octave: any block of a class serves any tensor of it. What a thread keeps is
// limited; AddressSanitizer is to see each block freed.
#if defined(__SANITIZE_ADDRESS__)
constexpr bool keeps = false;
#elif defined(__has_feature)
constexpr bool keeps = !__has_feature(address_sanitizer);
#else
constexpr bool keeps = true;
#endif
constexpr std::size_t classes = 4 * 20, most_of_a_class = 8,
    most_spare_bytes = std::size_t{64} << 20;  // the last class is of 64 MB; what is larger is not kept

/// Classes 4k … 4k + 3 are of 5, 6, 7 and 8 quarters of 2ᵏ · 64 bytes.
constexpr std::size_t class_bytes(std::size_t size_class) { return (5 + size_class % 4) << (size_class / 4) << 4; }
constexpr std::size_t class_of(std::size_t bytes) {
  const std::size_t quarters = (std::max<std::size_t>(bytes, 65) - 1) >> 4, octave = static_cast<std::size_t>(std::bit_width(quarters)) - 3;
  return 4 * octave + (quarters >> octave) - 4;
}
static_assert(class_of(80) == 0 && class_of(81) == 1 && class_of(128) == 3 && class_of(129) == 4 && class_bytes(4) == 160);
static_assert(class_bytes(classes - 1) == most_spare_bytes);

struct Spare {
  std::size_t bytes = 0;
  std::array<std::uint8_t, classes> count{};
  std::array<std::array<Storage*, most_of_a_class>, classes> blocks{};

  void release() {
    for (std::size_t size_class = 0; size_class < classes; ++size_class)
      while (count[size_class] > 0) ::operator delete(blocks[size_class][--count[size_class]], std::align_val_t(alignment));
    bytes = 0;
  }
};
thread_local constinit Spare spare;
thread_local constinit bool gone = false;  ///< this thread is ending; what it frees from now on is not kept
struct AtTheEnd { ~AtTheEnd() { gone = true, spare.release(); } };

}  // namespace

Storage* Storage::allocate(std::size_t bytes) {
  std::size_t needed = alignment + padded(bytes) + alignment;
  const std::size_t size_class = class_of(needed);
  void* memory = nullptr;
  if (size_class < classes && spare.count[size_class] > 0) {
    memory = spare.blocks[size_class][--spare.count[size_class]];
    spare.bytes -= class_bytes(size_class);
  } else {
    if (keeps && size_class < classes) needed = class_bytes(size_class);
    memory = ::operator new(needed, std::align_val_t(alignment), std::nothrow);
    if (!memory) throw Error(text("tensor: it needs {} bytes, and the system has no such memory; work on a part at a time", {bytes}));
  }
  // What is read past the numbers is 0: memory that held pointers reads as denormal floats, and each costs Intel's machines 150 cycles.
  std::memset(static_cast<char*>(memory) + alignment + bytes, 0, padded(bytes) - bytes + alignment);
  Storage* const storage = new (memory) Storage;
  storage->size_class = static_cast<std::uint32_t>(size_class);
  return storage;
}
void Storage::free(Storage* storage) {
  const std::size_t size_class = storage->size_class;
  if (!keeps || gone || size_class >= classes || spare.count[size_class] == most_of_a_class)
    return ::operator delete(storage, std::align_val_t(alignment));
  if (spare.bytes + class_bytes(size_class) > most_spare_bytes) spare.release();  // mostly of sizes that nobody asks for any more
  static thread_local AtTheEnd at_the_end;
  (void)at_the_end;
  spare.bytes += class_bytes(size_class);
  spare.blocks[size_class][spare.count[size_class]++] = storage;
}
void Storage::release_spare() { spare.release(); }

}  // namespace detail

void detail::refuse_index(const Shape& shape, std::initializer_list<std::size_t> index) {
  const std::vector<std::ptrdiff_t> positions(index.begin(), index.end());  // negative ones as they were given
  throw ShapeError(fmt::format("tensor: index ({}) is outside of shape {}; give one position for each axis, counted from 0 "
                               "(braces hold numbers; for a shape: zeros({{2, 3}}))",
      fmt::join(positions, ", "), shape.text()));
}
void detail::refuse_number(const Shape& shape, std::size_t k) {
  throw ShapeError(text("tensor: there is no number [{}] in shape {}, which has {}; count from 0, row by row", {static_cast<std::ptrdiff_t>(k),
      shape.text(), shape.count()}));
}
void detail::refuse_reshape(const Shape& from, const Shape& to) {
  throw ShapeError(text("reshape: {} to {}: {} numbers cannot become {}", {from.text(), to.text(), from.count(), to.count()}));
}
void detail::refuse_length(const char* what, std::ptrdiff_t number, std::size_t has, const char* of, std::size_t first_has) {
  throw ShapeError(text("tensor: {} {} has {} {}, the first {}; give each the same", {what, number, has, of, first_has}));
}

namespace {

template <class T> void write(std::string& out, const Tensor<T>& tensor, std::size_t axis, std::size_t& next) {
  if (axis == tensor.shape().axes()) {
    fmt::format_to(std::back_inserter(out), "{:.6g}", detail::printed(static_cast<double>(tensor.data()[next++])));
    return;
  }
  out += '[';
  for (std::size_t i = 0; i < tensor.shape()[axis]; ++i) {
    if (i) out += ", ";
    write(out, tensor, axis + 1, next);
  }
  out += ']';
}
template <class T> std::string written(const Tensor<T>& tensor) {
  std::string out;
  std::size_t next = 0;
  write(out, tensor, 0, next);
  return out;
}

}  // namespace

std::string to_text(const Tensor<float>& tensor) { return written(tensor); }
std::string to_text(const Tensor<double>& tensor) { return written(tensor); }

}  // namespace autodiff::inline v1
