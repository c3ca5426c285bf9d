// Floor 4. The shapes of joins: which fit, and what they give.
#include "joins.hpp"

namespace autodiff::inline v1::detail {

void require_stackable(const std::vector<Shape>& parts) {
  if (parts.empty()) throw ShapeError("stack: no parts; give at least one");
  if (parts[0].axes() == Shape::most_axes)
    throw ShapeError(text("stack: parts of shape {} leave no room for another axis: {} is the most; concatenate them",
        {parts[0].text(), Shape::most_axes}));
  for (std::size_t i = 0; i < parts.size(); ++i)
    if (parts[i] != parts[0])
      throw ShapeError(text("stack: part 0 has shape {}, part {} {}: give parts of one shape", {parts[0].text(), i, parts[i].text()}));
}

void refuse_count(std::size_t numbers, const Shape& shape) {
  throw ShapeError(text("assemble: {} numbers for shape {}, which takes {}", {numbers, shape.text(), shape.count()}));
}

Shape concatenated(std::span<const Shape> parts, Axis axis, std::size_t& along) {
  if (parts.empty()) throw ShapeError("concatenate: no parts; give at least one");
  along = parts[0].axis(axis, "concatenate");
  std::size_t size = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const Shape& part = parts[i];
    if (part.axes() != parts[0].axes() || part.with(along, 0) != parts[0].with(along, 0))
      throw ShapeError(text("concatenate: part 0 of shape {} and part {} of {} do not fit along axis {}: all other sizes must be equal",
          {parts[0].text(), i, part.text(), along}));
    size += part[along];
  }
  return parts[0].with(along, size);
}

}  // namespace autodiff::inline v1::detail
