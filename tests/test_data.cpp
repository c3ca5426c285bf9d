// Minibatches: every row once in an epoch, in an order that follows from the seed.
#include "support.hpp"
#include <nn/nn.hpp>
#include <algorithm>

namespace nn = ad::nn;

namespace {
std::vector<std::size_t> order_of(const nn::Batches& batches) {
  std::vector<std::size_t> all;
  for (const auto& rows : batches) all.insert(all.end(), rows.begin(), rows.end());
  return all;
}
}  // namespace

TEST_CASE("batches hold every row once, the last those that remain") {
  for (const std::size_t n : {1u, 7u, 8u, 9u, 100u})
    for (const std::size_t size : {1u, 4u, 8u, 200u}) {
      nn::Batches batches(n, size, 3);
      CHECK(batches.size() == (n + size - 1) / size);
      std::vector<std::size_t> natural(n);
      for (std::size_t i = 0; i < n; ++i) natural[i] = i;
      CHECK(order_of(batches) == natural);
      for (int epoch = 0; epoch < 3; ++epoch) {
        batches.shuffle();
        std::size_t k = 0;
        for (const auto& rows : batches) CHECK(rows.size() == (++k < batches.size() ? size : n - (batches.size() - 1) * size));
        std::vector<std::size_t> all = order_of(batches);
        std::sort(all.begin(), all.end());
        CHECK(all == natural);
      }
    }
}

TEST_CASE("the order follows from the seed, and is another in each epoch") {
  nn::Batches one(10, 3, 7), same(10, 3, 7), other(10, 3, 8);
  one.shuffle(), same.shuffle(), other.shuffle();
  const auto first = order_of(one);
  CHECK(first == order_of(same));
  CHECK(first != order_of(other));
  CHECK(first == std::vector<std::size_t>{8, 1, 5, 9, 0, 4, 3, 2, 6, 7});
  one.shuffle();
  CHECK(order_of(one) != first);
}

TEST_CASE("more samples than an axis holds are refused, a wrapped count among them") {
  CHECK_THROWS_WITH_AS(nn::Batches(std::size_t{0} - 1, 32, 1),
      doctest::Contains("batches: 18446744073709551615 samples; 4294967295 is the most"), ad::Error);
}

TEST_CASE("every order is equally likely") {
  std::vector<int> seen(27);
  for (std::uint64_t seed = 0; seed < 6000; ++seed) {
    nn::Batches batches(3, 2, seed);  // a new one each time: shuffled again and again, any shuffle mixes in the end
    batches.shuffle();
    const auto order = order_of(batches);
    ++seen[9 * order[0] + 3 * order[1] + order[2]];
  }
  int orders = 0;
  for (const int times : seen) {
    if (times == 0) continue;
    ++orders;
    CHECK(std::abs(times - 1000) < 150);
  }
  CHECK(orders == 6);
}

TEST_CASE("a net learns from shuffled batches and their labels") {
  ad::Tensor<float> X = ad::Tensor<float>::zeros({90, 2});
  std::vector<int> labels;
  support::Random random(5);
  for (std::size_t i = 0; i < 90; ++i) {
    labels.push_back(static_cast<int>(i % 3));
    X(i, 0) = static_cast<float>(random(-0.3, 0.3) + (i % 3 == 1)), X(i, 1) = static_cast<float>(random(-0.3, 0.3) + (i % 3 == 2));
  }
  nn::Sequential net{nn::Linear(2, 3)};
  nn::initialize(net, 1);
  nn::Sgd optimizer{{.learning_rate = 1}};
  nn::Batches batches(X.shape()[0], 32, 1);
  ad::Tape tape;
  for (int epoch = 0; epoch < 30; ++epoch) {
    batches.shuffle();
    for (const auto& rows : batches) {
      tape.clear();
      ad::Var cost = nn::cross_entropy(net(gather(X, rows)), nn::gather(labels, rows));
      tape.backward(cost);
      optimizer.step(net);
    }
  }
  const ad::Pause pause;
  CHECK(nn::cross_entropy(net(X), labels).value() < 0.3);
}

TEST_CASE("no samples, empty batches and rows that are not there are refused") {
  CHECK_THROWS_WITH_AS(nn::Batches(0, 4, 1), "batches: 0 samples in batches of 4; give at least 1 of each", ad::Error);
  CHECK_THROWS_WITH_AS(nn::Batches(4, -1, 1), "batches: 4 samples in batches of -1; give at least 1 of each", ad::Error);
  CHECK_THROWS_WITH_AS((void)nn::gather(std::vector{1, 2}, {0, 2}), "gather: row 2 of 2 labels; rows count from 0", ad::ShapeError);
}
