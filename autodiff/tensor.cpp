// Floor 0. The memory of tensors, and their text.
#include "tensor.hpp"
#include <cstdlib>
#include <fmt/format.h>
#include <new>

namespace autodiff::inline v1 {

detail::Storage* detail::Storage::allocate(std::size_t bytes) {
  void* memory = ::operator new(alignment + padded(bytes) + alignment, std::align_val_t(alignment), std::nothrow);
  if (!memory) throw Error(text("tensor: it needs {} bytes, and the system has no such memory; work on a part at a time", {bytes}));
  // What is read past the numbers is 0: memory that held pointers reads as denormal floats, and each costs Intel's machines 150 cycles.
  std::memset(static_cast<char*>(memory) + alignment + bytes, 0, padded(bytes) - bytes + alignment);
  return new (memory) Storage;
}
void detail::Storage::free(Storage* storage) { ::operator delete(storage, std::align_val_t(alignment)); }

void detail::refuse_index(const Shape& shape, std::initializer_list<std::size_t> index) {
  const std::vector<std::ptrdiff_t> positions(index.begin(), index.end());  // negative ones as they were given
  throw ShapeError(fmt::format("tensor: index ({}) is outside of shape {}; give one position for each axis, counted from 0", fmt::join(positions, ", "), shape.text()));
}

namespace {

template <class T> void write(std::string& out, const Tensor<T>& tensor, std::size_t axis, std::size_t& next) {
  if (axis == tensor.shape().axes()) {
    fmt::format_to(std::back_inserter(out), "{:.6g}", tensor.data()[next++]);
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
