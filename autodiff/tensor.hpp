// Floor 0. Tensor<T>: numbers with a shape, no derivative. Row-major; T is float or double.
//
// Copies share their numbers until one of them is written to (copy on write), so passing and keeping tensors by value copies no
// numbers, and what a tape has recorded never changes. The promise is kept by `mutable_data`, through which every write goes; a
// reference or pointer obtained for writing is good until the tensor is next copied. (On a tensor that is not const,
// t(i, j) and t[k] are such references.)
//
// The law of memory, on which the kernels rely: a block of numbers starts on 64 bytes, may be read 64 bytes past its end, and
// may be written up to a multiple of 64 bytes. A view of rows may start anywhere; one that does not start its block
// is never written to: who writes to it gets numbers of its own.
#pragma once
#include "shape.hpp"
#include <algorithm>
#include <array>
#include <concepts>
#include <cstring>
#include <span>
#include <utility>
#include <vector>

namespace autodiff::inline v1 {

namespace detail {

constexpr std::size_t alignment = 64;
constexpr std::size_t padded(std::size_t bytes) { return (bytes + alignment - 1) / alignment * alignment; }

/// The head of a block of numbers on the heap, which follow 64 bytes behind it.
struct Storage {
  std::uint32_t owners = 1;   ///< tensors and tapes; atomic by the builtins (<atomic> costs every user 0.2 s of compile time)
  std::uint64_t kept_by = 0;  ///< the recording that already keeps it (nodes.hpp), to keep it only once; atomic: threads share constants
  bool idle = false;          ///< one owner is a tape that keeps it only in case its next recording uses it too; atomic
  std::uint32_t size_class = 0;  ///< in tensor.cpp

  void* numbers() { return reinterpret_cast<char*>(this) + alignment; }
  void retain() { __atomic_fetch_add(&owners, 1, __ATOMIC_RELAXED); }
  /// Would somebody else see what one owner writes?
  [[gnu::always_inline]] bool shared() const {
    const std::uint32_t n = __atomic_load_n(&owners, __ATOMIC_ACQUIRE);
    return n != 1 && !(n == 2 && __atomic_load_n(&idle, __ATOMIC_RELAXED));
  }
  void release() { if (__atomic_sub_fetch(&owners, 1, __ATOMIC_ACQ_REL) == 0) free(this); }

  /// Room for `bytes` of numbers, padded as the law of memory asks; throws Error, with the size, where there is none.
  static Storage* allocate(std::size_t bytes);
  static void free(Storage* storage);
  /// Gives back what this thread has kept of freed blocks for its next tensors.
  static void release_spare();
};

/// A number in braces, of any type. {0} converts to it as well as to a row of one: where both are possible ({{0}, {1}}, {{{1}, {2}}}),
/// overload resolution takes the deeper constructor: the other one is a template, or needs a conversion through this class.
struct BraceNumber {
  template <class X> requires std::is_arithmetic_v<X> constexpr BraceNumber(X x) : value(static_cast<double>(x)) {}
  double value;
};

[[noreturn]] void refuse_index(const Shape& shape, std::initializer_list<std::size_t> index);
[[noreturn]] void refuse_number(const Shape& shape, std::size_t k);
/// k, which must be the place of one of the numbers, counted row by row.
inline std::size_t checked_number(std::size_t k, const Shape& shape) {
  if (k >= shape.count()) [[unlikely]] refuse_number(shape, k);
  return k;
}
/// Which number, counted row by row, stands at one position for each axis; throws ShapeError if that is outside of the shape.
inline std::size_t number_at(const Shape& shape, std::initializer_list<std::size_t> index) {
  std::size_t at = 0, axis = 0;
  bool inside = index.size() == shape.axes();
  for (const std::size_t i : index) {
    if (!inside || i >= shape[axis]) [[unlikely]] refuse_index(shape, index);
    at = at * shape[axis++] + i;
  }
  if (!inside) [[unlikely]] refuse_index(shape, index);
  return at;
}
[[noreturn]] void refuse_reshape(const Shape& from, const Shape& to);
[[noreturn]] void refuse_length(const char* what, std::ptrdiff_t number, std::size_t has, const char* of, std::size_t first_has);

}  // namespace detail

/// Numbers of float or double in a shape, row by row. Copies share them until one is written to.
template <std::floating_point T> class Tensor {
 public:
  using Number = T;
  using Operand = void;  ///< obeys the rules: exp(t), a * b … (elementwise.hpp)
  template <class U> using Braces = std::initializer_list<U>;

  Tensor() : shape_({0}) {}                                   ///< no numbers, shape (0,)
  /// Numbers in braces: a vector, a matrix, or three axes. Throws ShapeError unless all rows have one length.
  template <int = 0>
  Tensor(Braces<detail::BraceNumber> numbers) : Tensor(Shape({numbers.size()})) {
    for (T* to = data_; const auto& x : numbers) *to++ = static_cast<T>(x.value);
  }
  Tensor(Braces<Braces<detail::BraceNumber>> rows) : Tensor(Shape({rows.size(), rows.size() ? rows.begin()->size() : 0})) {
    for (T* to = data_; const auto& row : rows) {
      if (row.size() != shape_[1]) detail::refuse_length("row", &row - rows.begin(), row.size(), "numbers", shape_[1]);
      for (const auto& x : row) *to++ = static_cast<T>(x.value);
    }
  }
  Tensor(Braces<Braces<Braces<T>>> layers)
      : Tensor(Shape({layers.size(), layers.size() ? layers.begin()->size() : 0,
          layers.size() && layers.begin()->size() ? layers.begin()->begin()->size() : 0})) {
    T* to = data_;
    for (const auto& layer : layers) {
      if (layer.size() != shape_[1]) detail::refuse_length("layer", &layer - layers.begin(), layer.size(), "rows", shape_[1]);
      for (const auto& row : layer) {
        if (row.size() != shape_[2]) detail::refuse_length("row", &row - layer.begin(), row.size(), "numbers", shape_[2]);
        to = std::copy(row.begin(), row.end(), to);
      }
    }
  }

  /// A tensor of that shape, all of whose numbers are 0, 1 or `value`.
  static Tensor zeros(const Shape& shape) { return full(shape, T(0)); }
  static Tensor ones(const Shape& shape) { return full(shape, T(1)); }
  static Tensor full(const Shape& shape, T value) { Tensor t(shape); std::fill_n(t.data_, t.size(), value); return t; }
  /// The values, row by row, in that shape. Throws ShapeError if their number is not the shape's.
  template <class U, std::size_t n> requires std::is_arithmetic_v<U> static Tensor from(std::span<U, n> values, const Shape& shape) {
    if (values.size() != shape.count())
      throw ShapeError(detail::text("from: {} values for shape {}, which takes {}", {values.size(), shape.text(), shape.count()}));
    Tensor t(shape);
    std::transform(values.begin(), values.end(), t.data_, [](U x) { return static_cast<T>(x); });
    return t;
  }
  template <class U> static Tensor from(const std::vector<U>& values, const Shape& shape) { return from(std::span<const U>(values), shape); }
  template <class U, std::size_t n>
  static Tensor from(const std::array<U, n>& values, const Shape& shape) { return from(std::span<const U>(values), shape); }
  static Tensor from(Braces<T> values, const Shape& shape) { return from(std::span<const T>(values.begin(), values.size()), shape); }
  /// Room for numbers yet to be written: their values are arbitrary.
  static Tensor uninitialized(const Shape& shape) { return Tensor(shape); }
  /// The numbers at `data`, a part of `storage`, which they share.
  static Tensor sharing(const Shape& shape, const T* data, detail::Storage* storage) {
    Tensor t;
    t.shape_ = shape, t.data_ = const_cast<T*>(data), t.storage_ = storage;
    if (storage) storage->retain();
    return t;
  }

  Tensor(const Tensor& other) : shape_(other.shape_), data_(other.data_), storage_(other.storage_) { if (storage_) storage_->retain(); }
  Tensor(Tensor&& other) noexcept
      : shape_(std::exchange(other.shape_, Shape({0}))),
        data_(std::exchange(other.data_, nullptr)), storage_(std::exchange(other.storage_, nullptr)) {}
  Tensor& operator=(const Tensor& other) { return *this = Tensor(other); }
  Tensor& operator=(Tensor&& other) noexcept { swap(*this, other); return *this; }
  template <class V> requires requires(const V& v) { v.place(), v.value(); } void operator=(const V&) {
    static_assert(sizeof(V) == 0, "what is recorded is no Tensor, which holds numbers alone: make this an ad::Var, or take .value() of that");
  }
  ~Tensor() { if (storage_) storage_->release(); }
  friend void swap(Tensor& a, Tensor& b) noexcept { std::swap(a.shape_, b.shape_), std::swap(a.data_, b.data_), std::swap(a.storage_, b.storage_); }

  const Shape& shape() const { return shape_; }
  std::size_t size() const { return shape_.count(); }

  const T* data() const { return data_; }
  /// May the numbers be written in place? Not if somebody else would see it, nor in the middle of a block.
  [[gnu::always_inline]] bool writable() const {
    return !storage_ || (!storage_->shared() && static_cast<const void*>(data_) == storage_->numbers());
  }
  /// The numbers, for writing: from here on this tensor shares them with nobody.
  [[gnu::always_inline]] T* mutable_data() {
    if (!writable()) [[unlikely]] *this = clone();
    return data_;
  }
  const T* begin() const { return data_; }
  const T* end() const { return data_ + size(); }

  /// t(i, j): the number there. Throws ShapeError if there is none. On a tensor that is not const it is a reference for writing, before which shared
  /// numbers are copied; to read without a copy, or what other threads use too, take a const tensor or data(). The reference, as a pointer from
  /// mutable_data(), is good until the tensor is next copied, or used in a recording, which share its numbers: take a new one then.
  template <std::integral... I> T operator()(I... index) const { return data_[detail::number_at(shape_, {static_cast<std::size_t>(index)...})]; }
  template <std::integral... I> T& operator()(I... index) {
    const std::size_t at = detail::number_at(shape_, {static_cast<std::size_t>(index)...});
    return mutable_data()[at];
  }
  /// t[k]: the k-th number, row by row; likewise.
  T operator[](std::size_t k) const { return data_[detail::checked_number(k, shape_)]; }
  T& operator[](std::size_t k) { const std::size_t at = detail::checked_number(k, shape_); return mutable_data()[at]; }
  /// The only number of a tensor of one. Throws ShapeError if it holds more or less.
  T item() const {
    if (size() != 1) throw ShapeError(detail::text("item: shape {} holds {} numbers, not one; name one by its indices", {shape_.text(), size()}));
    return data_[0];
  }

  /// Rows begin … end − 1 along the first axis, (N, …) → (end − begin, …); shares the numbers. Throws ShapeError where they are not there.
  Tensor rows(std::size_t begin, std::size_t end) const {
    if (shape_.axes() == 0) throw ShapeError("rows: shape () is one number, and has no rows; reshape it to (1,) first");
    const std::size_t n = shape_[0];
    if (begin > end || end > n)
      throw ShapeError(detail::text("rows: {} to {} of shape {}; the first axis has {}, give 0 <= begin <= end <= {}",
          {static_cast<std::ptrdiff_t>(begin), static_cast<std::ptrdiff_t>(end), shape_.text(), n, n}));
    Tensor t(*this);
    t.shape_ = shape_.with(0, end - begin);
    t.data_ += begin * shape_.inside(0);
    return t;
  }
  /// The same numbers in another shape; shares them. Throws ShapeError if that takes another number of them.
  Tensor reshaped(const Shape& shape) const {
    if (shape.count() != size()) detail::refuse_reshape(shape_, shape);
    Tensor t(*this);
    t.shape_ = shape;
    return t;
  }
  /// A copy that shares nothing.
  Tensor clone() const { Tensor t(shape_); if (size()) std::memcpy(t.data_, data_, size() * sizeof(T)); return t; }
  /// The same numbers as another type.
  template <std::floating_point U> Tensor<U> as() const { return Tensor<U>::from(std::span<const T>(data_, size()), shape_); }

  /// Same shape, same numbers. (a == b compares number by number, as all operators do.)
  friend bool equal(const Tensor& a, const Tensor& b) { return a.shape_ == b.shape_ && std::equal(a.begin(), a.end(), b.begin()); }

  detail::Storage* storage() const { return storage_; }

 private:
  explicit Tensor(const Shape& shape) : shape_(shape), storage_(detail::Storage::allocate(shape.count() * sizeof(T))) {
    data_ = static_cast<T*>(storage_->numbers());
  }

  Shape shape_;
  T* data_ = nullptr;
  detail::Storage* storage_ = nullptr;
};

/// "[[0, 1], [2, 3]]".
std::string to_text(const Tensor<float>& tensor);
std::string to_text(const Tensor<double>& tensor);
/// `out << tensor` writes that.
template <class Traits, class T> requires detail::Writes<std::basic_ostream<char, Traits>>
std::basic_ostream<char, Traits>& operator<<(std::basic_ostream<char, Traits>& out, const Tensor<T>& tensor) { return out << to_text(tensor); }

}  // namespace autodiff::inline v1
