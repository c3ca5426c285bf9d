// Floor 4. The shapes of structured operations: which fit, what they give, and how the numbers are walked.
#include "ops.hpp"
#include <fmt/format.h>
#include <fmt/ranges.h>  // join, from fmt 11 on

namespace autodiff::inline v1::detail {

MatmulPlan plan_matmul(const Shape& a, const Shape& b) {
  if (a.axes() == 0 || b.axes() == 0)
    throw ShapeError(text("matmul: {} x {}: a number has no rows or columns; multiply it by *", {a.text(), b.text()}));
  MatmulPlan plan{};
  const bool row = a.axes() == 1, column = b.axes() == 1;
  plan.m = row ? 1 : a[a.axes() - 2];
  plan.k = a[a.axes() - 1];
  plan.n = column ? 1 : b[b.axes() - 1];
  const std::size_t inner = column ? b[0] : b[b.axes() - 2];
  if (plan.k != inner) throw ShapeError(text("matmul: inner sizes differ: {} x {}: {} != {}", {a.text(), b.text(), plan.k, inner}));

  Shape batch_a, batch_b;
  for (std::size_t i = 0; i + 2 < a.axes(); ++i) batch_a.append(a[i]);
  for (std::size_t i = 0; i + 2 < b.axes(); ++i) batch_b.append(b[i]);
  if (batch_b.count() == 1 && batch_b.axes() <= batch_a.axes()) {  // (…, M, K) · (K, N): one product of all rows
    plan.shape = batch_a;
    if (!row) plan.shape.append(plan.m);
    plan.m *= batch_a.count();
  } else {
    try {
      plan.shape = broadcast_shape("matmul", batch_a, batch_b);
    } catch (const ShapeError&) {
      throw ShapeError(text("matmul: {} x {}: the axes before the last two do not fit: {} and {}; give equal sizes, or 1",
          {a.text(), b.text(), batch_a.text(), batch_b.text()}));
    }
    plan.batch = broadcast_walk(plan.shape, batch_a, batch_b);
    for (std::size_t i = 0; i < plan.batch.axes; ++i) plan.batch.a[i] *= plan.m * plan.k, plan.batch.b[i] *= plan.k * plan.n;
    if (!row) plan.shape.append(plan.m);
  }
  if (!column) plan.shape.append(plan.n);
  return plan;
}

Moves transposing(const Shape& x, std::span<const std::size_t> order) {
  Moves moves;
  std::array<bool, Shape::most_axes> seen{};
  bool valid = order.size() == x.axes();
  for (std::size_t i = 0; valid && i < order.size(); ++i) {
    valid = order[i] < x.axes() && !std::exchange(seen[order[i]], true);
    if (!valid) break;
    moves.shape.append(x[order[i]]);
    moves.step[i] = static_cast<std::ptrdiff_t>(x.inside(order[i]));
  }
  if (!valid)
    throw ShapeError(
        fmt::format("transpose: the order ({}) for shape {}: name each of its {} axes once", fmt::join(order, ", "), x.text(), x.axes()));
  return moves;
}
Shape transposed(const Shape& x) {
  const std::size_t axes = x.axes();
  if (axes < 2) throw ShapeError(text("transpose: shape {} has no two axes to exchange; reshape it to a row or a column first", {x.text()}));
  Shape y;
  for (std::size_t i = 0; i + 2 < axes; ++i) y.append(x[i]);
  y.append(x[axes - 1]);
  y.append(x[axes - 2]);
  return y;
}
std::optional<Matrices> as_transpose(const Shape& x, std::span<const std::size_t> order) {
  const std::size_t axes = order.size();
  std::size_t first = 0;
  while (first < axes && order[first] == first) ++first;
  if (first == axes) return {};
  const std::size_t second = order[first], columns = axes - second;  // axes first … second − 1 and second … change places, each in its own order
  for (std::size_t i = first; i < axes; ++i)
    if (order[i] != (i < first + columns ? i - first + second : i - columns)) return {};
  std::size_t rows = 1;
  for (std::size_t i = first; i < second; ++i) rows *= x[i];
  return Matrices{x.outside(first), rows, x.inside(second - 1)};
}
Moves slicing(const Shape& x, Axis axis, std::ptrdiff_t begin, std::ptrdiff_t end, std::ptrdiff_t step) {
  const std::size_t along = x.axis(axis, "slice");
  if (step == 0) throw ShapeError("slice: a step of 0 never arrives; use 1, or a negative step to go backwards");
  const auto n = static_cast<std::ptrdiff_t>(x[along]);
  step = std::clamp(step, -n - 1, n + 1);  // a longer one takes the first entry only, too; and nothing overflows
  const std::ptrdiff_t low = step > 0 ? 0 : -1, high = step > 0 ? n : n - 1;
  const auto within = [&](std::ptrdiff_t at) { return std::clamp<std::ptrdiff_t>(at < 0 ? at + n : at, low, high); };
  const std::ptrdiff_t from = within(begin), to = within(end);
  const std::ptrdiff_t count = step > 0 ? (to - from + step - 1) / step : (from - to - step - 1) / -step;
  Moves moves;
  moves.shape = x.with(along, static_cast<std::size_t>(std::max<std::ptrdiff_t>(count, 0)));
  for (std::size_t i = 0; i < x.axes(); ++i) moves.step[i] = static_cast<std::ptrdiff_t>(x.inside(i));
  if (moves.shape.count()) moves.start = static_cast<std::size_t>(from) * x.inside(along);
  moves.step[along] *= step;
  return moves;
}
Moves broadcasting(const Shape& x, const Shape& to) {
  Moves moves;
  moves.shape = to;
  bool fits = x.axes() <= to.axes();
  for (std::size_t i = 0, missing = to.axes() - x.axes(); fits && i < x.axes(); ++i) {
    fits = x[i] == 1 || x[i] == to[i + missing];
    moves.step[i + missing] = x[i] == 1 ? 0 : static_cast<std::ptrdiff_t>(x.inside(i));
  }
  if (!fits) throw ShapeError(text("broadcast_to: {} cannot become {}: sizes must be equal, or 1 in the operand", {x.text(), to.text()}));
  return moves;
}

std::vector<std::size_t> entries(const Shape& x, std::size_t axis, std::span<const std::ptrdiff_t> index) {
  std::vector<std::size_t> result;
  result.reserve(index.size());
  const auto n = static_cast<std::ptrdiff_t>(x[axis]);
  for (const std::ptrdiff_t i : index) {
    if (i < -n || i >= n)
      throw ShapeError(text("gather: entry {} along axis {} of shape {}, which has {} entries; count from 0, or from the end with -1",
          {i, axis, x.text(), n}));
    result.push_back(static_cast<std::size_t>(i < 0 ? i + n : i));
  }
  return result;
}

}  // namespace autodiff::inline v1::detail
