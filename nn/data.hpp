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
#include <numeric>
#include <utility>
#include <vector>

namespace autodiff::inline v1::nn {

/// The numbers 0 … samples − 1 in batches of `batch_size`, of which the last may be smaller; in their natural order until the first shuffle().
class Batches {
  std::vector<std::size_t> order_;                 ///< all of them …
  std::vector<std::vector<std::size_t>> batches_;  ///< … as they are dealt out
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
    order_.resize(all);
    std::iota(order_.begin(), order_.end(), std::size_t{0});
    for (std::size_t i = 0; i < all; i += std::min(most, all - i)) batches_.emplace_back(std::min(most, all - i));
    deal();
  }

  /// Draws another order, all equally likely.
  void shuffle() {
    for (std::size_t n = order_.size(); n > 1; --n) std::swap(order_[n - 1], order_[random_.below(n)]);
    deal();
  }

  /// How many batches there are.
  std::size_t size() const { return batches_.size(); }
  /// Each is a std::vector<std::size_t>, as gather() takes it.
  auto begin() const { return batches_.begin(); }
  auto end() const { return batches_.end(); }

 private:
  void deal() {
    const std::size_t* next = order_.data();
    for (auto& batch : batches_) std::copy_n(next, batch.size(), batch.begin()), next += batch.size();
  }
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
