// Floor 4. What fused operations refuse.
#include "fused.hpp"

namespace autodiff::inline v1::detail {

void refuse_layer_shapes(const Shape& x, const Shape& w, const Shape& bias) {
  if (w == Shape({0}))
    throw ShapeError("linear: the weights have shape (0,), as what was moved from; use the net that they were moved to, or give (inputs, outputs)");
  if (w.axes() != 2) throw ShapeError(text("linear: the weights have shape {}; they take two axes, (inputs, outputs)", {w.text()}));
  if (x.axes() == 0) throw ShapeError(text("linear: the input has shape (), one number; give it an axis of {}", {w[0]}));
  if (x.columns() != w[0])
    throw ShapeError(text("linear: inner sizes differ: {} x {}: {} != {}", {x.text(), w.text(), x.columns(), w[0]}));
  throw ShapeError(text("linear: the bias has shape {}; {} outputs take ({},)", {bias.text(), w[1], w[1]}));
}
void refuse_shapes(const char* where, const Shape& x, const Shape& target) {
  if (x == target) throw ShapeError(text("{}: no numbers to compare: both have shape {}", {where, x.text()}));
  throw ShapeError(text("{}: outputs {} against targets {}: give them one shape", {where, x.text(), target.text()}));
}
void require_labels(const char* where, const Shape& logits, std::span<const std::int32_t> labels) {
  if (logits.axes() == 0)
    throw ShapeError(text("{}: the logits have shape (), one number; give them a row of N for each label, shape (M, N)", {where}));
  if (logits.columns() == 0) throw ShapeError(text("{}: the logits {} have no classes; give a column for each", {where, logits.text()}));
  if (logits.rows() == 0 && labels.empty())
    throw ShapeError(text("{}: no rows to compare: the logits have shape {}", {where, logits.text()}));
  if (logits.rows() != labels.size() || labels.empty())
    throw ShapeError(text("{}: logits {} have {} rows, but there are {} labels; give one for each row",
        {where, logits.text(), logits.rows(), labels.size()}));
  const auto n = static_cast<std::int64_t>(logits.columns());
  for (std::size_t i = 0; i < labels.size(); ++i)
    if (labels[i] < 0 || labels[i] >= n) throw ShapeError(text("{}: label {} of row {} is outside of 0 to {}", {where, labels[i], i, n - 1}));
}

}  // namespace autodiff::inline v1::detail
