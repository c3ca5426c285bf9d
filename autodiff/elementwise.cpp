// Floor 3. Broadcasting: which shape two operands give, and how each is walked.
#include "elementwise.hpp"

namespace autodiff::inline v1::detail {

Shape broadcast_shape(const char* name, const Shape& a, const Shape& b) {
  const std::size_t axes = std::max(a.axes(), b.axes());
  Shape shape;
  for (std::size_t i = 0; i < axes; ++i) {  // from the last axis backwards they are aligned: missing ones stand in front
    const std::size_t missing_a = axes - a.axes(), missing_b = axes - b.axes();
    const std::size_t p = i < missing_a ? 1 : a[i - missing_a], q = i < missing_b ? 1 : b[i - missing_b];
    if (p != q && p != 1 && q != 1)
      throw ShapeError(text(
          "{}: shapes {} and {} do not fit: along axis {} of the result one has {}, the other {}; sizes must be equal, or one of them 1",
          {name, a.text(), b.text(), i, p, q}));
    shape.append(p == 1 ? q : p);
  }
  return shape;
}

Broadcast broadcast_walk(const Shape& y, const Shape& a, const Shape& b) {
  const auto step = [&y](const Shape& x, std::size_t axis) -> std::size_t {
    const std::size_t missing = y.axes() - x.axes();
    return axis < missing || x[axis - missing] == 1 ? 0 : x.inside(axis - missing);
  };
  Broadcast walk;
  for (std::size_t i = 0; i < y.axes(); ++i)
    if (y[i] != 1) walk.append(y[i], step(a, i), step(b, i));
  if (walk.axes == 0) walk.append(1, 0, 0);
  return walk;
}

}  // namespace autodiff::inline v1::detail
