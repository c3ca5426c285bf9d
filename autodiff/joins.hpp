// Floor 4. Several become one, and one several: concatenate, stack and split tensors, assemble numbers into a tensor. In every mode, as in ops.hpp.
#pragma once
#include "ops.hpp"

namespace autodiff::inline v1 {

namespace detail {

[[noreturn]] void refuse_count(std::size_t numbers, const Shape& shape);
Shape concatenated(std::span<const Shape> parts, Axis axis, std::size_t& along);
void require_stackable(const std::vector<Shape>& parts);

/// Parts one after the other along `along`; `shape` is the result's.
template <class T, TensorLike X> X concatenate(const char* name, std::span<const X> parts, const Shape& shape, std::size_t along) {
  const std::size_t inner = shape.inside(along), row = shape[along] * inner, count = parts.size();
  const std::size_t outer = row != 0 ? shape.outside(along) : 0;  // nothing to move: no loop over what may be huge
  bool recorded = false;
  for (const X& x : parts) if constexpr (is_tensor_var<X>) recorded = recorded || x.cell(name).place != 0;
  Record<double>& tape = *active<double>;
  CellBase** const cells = recorded ? tape.nodes.numbers<CellBase*>(count) : nullptr;
  for (std::size_t i = 0; recorded && i < count; ++i) cells[i] = TensorOperand<T>(parts[i], name).on(tape);
  const auto forward = [&](T* y) {
    for (const X& x : parts) {
      const TensorOperand<T> part(x, name);
      const std::size_t width = outer ? part->shape.count() / outer : 0;
      for (std::size_t o = 0; o < outer; ++o) std::copy_n(part->data + o * width, width, y + o * row);
      y += width;
    }
  };
  if constexpr (!is_tensor<X>) if (recorded) return record_many<T>(name, shape, forward, [cells, count, outer, row](const Pull<T>& p) {
    const T* g = p.adjoint();
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t width = outer ? cells[i]->shape.count() / outer : 0;
      if (const auto to = p.to(static_cast<Cell<T>&>(*cells[i])))
        for (std::size_t o = 0; o < outer; ++o)
          for (std::size_t j = 0; j < width; ++j) to.data[o * width + j] = g[o * row + j] + (to.add ? to.data[o * width + j] : T(0));
      g += width;
    }
  }, {cells, count, nullptr, 0});
  return computed<T>(shape, forward);
}

template <TensorLike X> std::vector<Shape> shapes_of(std::span<const X> parts) {
  std::vector<Shape> shapes;
  for (const X& x : parts) shapes.push_back(x.shape());
  return shapes;
}

}  // namespace detail

/// Parts one after the other along an axis; all other sizes must be equal. Throws ShapeError for none, or where they differ.
template <TensorLike X> X concatenate(const std::vector<X>& parts, Axis axis = 0) {
  std::size_t along = 0;
  const Shape shape = detail::concatenated(detail::shapes_of(std::span<const X>(parts)), axis, along);
  return detail::concatenate<typename X::Number>("concatenate", std::span<const X>(parts), shape, along);
}
/// Parts of one shape side by side along a new axis in front: n of (A, B) → (n, A, B). Throws ShapeError for none, or where they differ.
template <TensorLike X> X stack(const std::vector<X>& parts) {
  detail::require_stackable(detail::shapes_of(std::span<const X>(parts)));
  std::vector<X> rows;
  for (const X& x : parts) {
    Shape shape{1};
    for (const std::size_t size : x.shape()) shape.append(size);
    rows.push_back(reshape(x, shape));
  }
  return concatenate(rows, 0);
}
namespace detail {
template <class T, class Tag, class F> auto push_parts(const std::vector<Dual<T, Tag>>& parts, const F& f) {
  std::vector<T> values, tangents;
  for (const auto& x : parts) values.push_back(x.value()), tangents.push_back(x.tangent());
  return Dual<decltype(f(values)), Tag>(f(values), f(tangents));
}
}  // namespace detail
template <class T, class Tag> requires DualTensor<Dual<T, Tag>> auto concatenate(const std::vector<Dual<T, Tag>>& parts, Axis axis = 0) {
  return detail::push_parts(parts, [&](const auto& t) { return concatenate(t, axis); });
}
template <class T, class Tag> requires DualTensor<Dual<T, Tag>> auto stack(const std::vector<Dual<T, Tag>>& parts) {
  return detail::push_parts(parts, [](const auto& t) { return stack(t); });
}

/// Numbers on a tape as a tensor of that shape, row by row: the way from scalar code to tensor code. Throws ShapeError
/// if their number is not the shape's.
template <std::floating_point T = double> Var<Tensor<T>> assemble(std::span<const Var<double>> numbers, const Shape& shape) {
  if (numbers.size() != shape.count()) detail::refuse_count(numbers.size(), shape);
  detail::Record<double>& tape = detail::recorder<double>();
  Id any = 0;
  for (const auto& x : numbers) any |= tape.id_of(x.place(), "assemble");
  const auto fill = [&](T* to) { for (const auto& x : numbers) *to++ = static_cast<T>(x.value()); };
  if (any == 0) return detail::computed<T>(shape, fill);
  Id* const ids = tape.nodes.numbers<Id>(numbers.size());
  for (std::size_t i = 0; i < numbers.size(); ++i) ids[i] = tape.id_of(numbers[i].place(), "assemble");
  return detail::record_many<T>("assemble", shape, fill, [ids](const detail::Pull<T>& p) {
    for (std::size_t i = 0; i < p.out().shape.count(); ++i)
      if (ids[i] != 0) p.tape.adjoints.data()[ids[i]] += static_cast<double>(p.adjoint()[i]);
  }, {nullptr, 0, ids, numbers.size()});
}
template <std::floating_point T = double> Var<Tensor<T>> assemble(const std::vector<Var<double>>& numbers, const Shape& shape) {
  return assemble<T>(std::span<const Var<double>>(numbers), shape);
}
/// The same of plain numbers, and forwards.
template <std::floating_point T = double> Tensor<T> assemble(const std::vector<double>& numbers, const Shape& shape) {
  if (numbers.size() != shape.count()) detail::refuse_count(numbers.size(), shape);
  return detail::computed<T>(shape, [&](T* to) { for (const double x : numbers) *to++ = static_cast<T>(x); });
}
template <std::floating_point T = double, class U, class Tag> requires(!DualTensor<Dual<U, Tag>>)
auto assemble(const std::vector<Dual<U, Tag>>& numbers, const Shape& shape) {
  return detail::push_parts(numbers, [&](const auto& t) { return assemble<T>(t, shape); });
}
/// As a vector: n numbers → (n,).
inline Var<Tensor<double>> stack(const std::vector<Var<double>>& numbers) { return assemble(numbers, Shape({numbers.size()})); }
template <class X> requires(!AnyTensor<X>) auto stack(const std::vector<X>& numbers) { return assemble(numbers, Shape({numbers.size()})); }
/// Both in braces, which must name the namespace: ad::concatenate({a, b}, 1), ad::stack({a, b}). Constants may stand beside variables there, and in
/// forward mode if they are made of the variable's type: decltype(a)(constant).
template <class X> auto concatenate(std::initializer_list<X> parts, Axis axis = 0) { return concatenate(std::vector<X>(parts), axis); }
template <class X> auto stack(std::initializer_list<X> parts) { return stack(std::vector<X>(parts)); }
inline auto concatenate(std::initializer_list<Var<Tensor<float>>> parts, Axis axis = 0) { return concatenate(std::vector(parts), axis); }
inline auto concatenate(std::initializer_list<Var<Tensor<double>>> parts, Axis axis = 0) { return concatenate(std::vector(parts), axis); }
inline auto stack(std::initializer_list<Var<Tensor<float>>> parts) { return stack(std::vector(parts)); }
inline auto stack(std::initializer_list<Var<Tensor<double>>> parts) { return stack(std::vector(parts)); }

/// (…, N, …) → `parts` of (…, N/parts, …), along an axis: `const auto gates = split(h, 4, 1)`. Throws ShapeError unless `parts` divides N.
template <AnyTensor X> std::vector<X> split(const X& x, std::size_t parts, Axis axis = 0) {
  const Shape shape = x.shape();
  const std::size_t along = shape.axis(axis, "split"), size = shape[along];
  if (parts == 0) throw ShapeError(detail::text("split: 0 parts of shape {}; give at least 1", {shape.text()}));
  if (size % parts != 0)
    throw ShapeError(detail::text("split: axis {} of shape {} has {} entries, which are not {} equal parts; give a number that divides {}",
        {along, shape.text(), size, parts, size}));
  const auto each = static_cast<std::ptrdiff_t>(size / parts);
  std::vector<X> all;
  for (std::size_t i = 0; i < parts; ++i)
    all.push_back(slice(x, axis, static_cast<std::ptrdiff_t>(i) * each, static_cast<std::ptrdiff_t>(i + 1) * each));
  return all;
}

}  // namespace autodiff::inline v1
