// Minibatches: all rows of the samples once in each epoch, in an order that is drawn anew, and is the same on every machine.
//
//     nn::Batches batches(X.shape()[0], 32, /*seed*/ 1);
//     for (int epoch = 0; epoch < 20; ++epoch) {
//       batches.shuffle();
//       for (const auto& rows : batches) {
//         tape.clear();
//         ad::Var cost = nn::cross_entropy(net(gather(X, rows)), nn::gather(labels, rows));
//         …
#pragma once
#include "random.hpp"
#include <autodiff/autodiff.hpp>
#include <algorithm>
#include <concepts>
#include <cstddef>
#include <vector>

namespace autodiff::inline v1::nn {

/// The numbers 0 … samples − 1 in batches of `batch_size`, of which the last may be smaller; in their natural order until the first shuffle().
class Batches {
  std::vector<std::vector<std::size_t>> batches_;
  Random random_;

 public:
  /// Throws Error unless there are 1 to 2³² − 1 samples, and `batch_size` is at least 1.
  template <std::integral N, std::integral S> Batches(N samples, S batch_size, std::uint64_t seed) : random_(seed) {
    if (!(samples > 0) || !(batch_size > 0))
      throw Error(autodiff::detail::text("batches: {} samples in batches of {}; give at least 1 of each", {samples, batch_size}));
    if (static_cast<unsigned long long>(samples) > Shape::most_along_axis)
      throw Error(autodiff::detail::text("batches: {} samples; {} is the most that an axis holds: was a negative count made unsigned?",
          {samples, Shape::most_along_axis}));
    const auto all = static_cast<std::size_t>(samples), most = static_cast<std::size_t>(batch_size);
    for (std::size_t i = 0; i < all; ++i) {
      if (i % most == 0) batches_.emplace_back().reserve(std::min(most, all - i));
      batches_.back().push_back(i);
    }
  }

  /// Draws another order, all equally likely.
  void shuffle() {
    const std::size_t most = batches_.front().size();
    const auto at = [&](std::size_t i) -> std::size_t& { return batches_[i / most][i % most]; };
    for (std::size_t n = (batches_.size() - 1) * most + batches_.back().size(); n > 1; --n) std::swap(at(n - 1), at(random_.below(n)));
  }

  /// How many batches there are.
  std::size_t size() const { return batches_.size(); }
  /// Each is a std::vector<std::size_t>, as gather() takes it.
  auto begin() const { return batches_.begin(); }
  auto end() const { return batches_.end(); }
};

/// labels[rows[0]], labels[rows[1]] …: what gather() is to tensors. Throws ShapeError for a row that is not there.
template <class T> std::vector<T> gather(const std::vector<T>& labels, const std::vector<std::size_t>& rows) {
  std::vector<T> some;
  some.reserve(rows.size());
  for (const std::size_t row : rows) {
    if (row >= labels.size()) throw ShapeError(autodiff::detail::text("gather: row {} of {} labels; rows count from 0", {row, labels.size()}));
    some.push_back(labels[row]);
  }
  return some;
}

}  // namespace autodiff::inline v1::nn
