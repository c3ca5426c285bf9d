// A net in a file: safetensors, which Python and others read as well. The file holds, little-endian:
//
//     8 bytes    N, the length of the header
//     N bytes    JSON: {"0.weight": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, …}
//     the rest   the numbers
//
// The names are those of for_each_named_parameter. A Linear's weight is (inputs, outputs) here, the transpose of PyTorch's.
#pragma once
#include "module.hpp"
#include <span>
#include <utility>
#include <variant>
#include <vector>

namespace autodiff::inline v1::nn {

/// A file that cannot be written, or read, or is not this net's. The text begins with what was tried and the file's name.
struct FileError : Error { using Error::Error; };

namespace detail {

/// One parameter as the file sees it.
struct Entry {
  std::string name;
  Shape shape;
  bool is_float;        ///< else double
  const void* numbers;  ///< to be written
  void* room;           ///< to be filled
  std::size_t bytes() const { return shape.count() * (is_float ? sizeof(float) : sizeof(double)); }
};
void write_file(const std::string& path, std::span<const Entry> entries);
void read_file(const std::string& path, std::span<const Entry> entries);

}  // namespace detail

/// Writes all parameters of the net. The file appears complete or not at all: a save that fails, or is killed, leaves an older one as it
/// was (and, if killed, a file `….part` beside it). A link stays, and the file is written where it leads. Throws FileError, and
/// Error for a net that is empty or was moved from.
template <class M> void save(const M& model, const std::string& path) {
  std::vector<detail::Entry> entries;
  for_each_named_parameter(model, [&]<class T>(const std::string& name, const Parameter<T>& p) {
    detail::require_numbers("save", p);
    entries.push_back({name, p.shape(), std::same_as<T, float>, p.value().data(), nullptr});
  });
  if (entries.empty()) detail::refuse_empty_model("save");
  detail::write_file(path, entries);
}

/// Reads all parameters of the net, which must be those in the file: the same names, shapes and number types. Throws FileError, and Error for a net
/// that is empty or was moved from, and has then changed nothing.
template <class M> void load(M& model, const std::string& path) {
  std::vector<detail::Entry> entries;
  std::vector<std::variant<Tensor<float>, Tensor<double>>> read;
  for_each_named_parameter(model, [&]<class T>(const std::string& name, Parameter<T>& p) {
    detail::require_numbers("load", p);
    Tensor<T> t = Tensor<T>::uninitialized(p.shape());
    entries.push_back({name, p.shape(), std::same_as<T, float>, nullptr, t.mutable_data()});
    read.push_back(std::move(t));
  });
  if (entries.empty()) detail::refuse_empty_model("load");
  detail::read_file(path, entries);
  std::size_t i = 0;
  for_each_parameter(model, [&]<class T>(Parameter<T>& p) { p.assign(std::get<Tensor<T>>(std::move(read[i++]))); });
}

}  // namespace autodiff::inline v1::nn
