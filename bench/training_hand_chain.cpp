// (e) by hand: a hundred values in one array, forward and backward loops over it; one number by the C library's functions, more
// by the vectors of training_hand.hpp.
#include <cmath>
#include "training.hpp"
#include "training_hand.hpp"

namespace training {

namespace {

/// value(x) and slope(y), on float and on Vec.
template <Operation op> struct Formula {
  static float value(float x) {
    if constexpr (op == Operation::add) return x + Chain::other;
    else if constexpr (op == Operation::multiply) return x * Chain::other;
    else if constexpr (op == Operation::sigmoid) return 1 / (1 + std::exp(-x));
    else return std::tanh(x);
  }
  static hand::Vec value(hand::Vec x) {
    if constexpr (op == Operation::add) return x + Chain::other;
    else if constexpr (op == Operation::multiply) return x * Chain::other;
    else if constexpr (op == Operation::sigmoid) return hand::sigmoid(x);
    else return hand::tanh(x);
  }
  template <class X> static X pull(X g, X y) {
    if constexpr (op == Operation::add) return g;
    else if constexpr (op == Operation::multiply) return g * Chain::other;
    else if constexpr (op == Operation::sigmoid) return g * (y - y * y);
    else return g - g * (y * y);
  }
};

template <Operation op> class ByHand final : public Chain {
 public:
  explicit ByHand(std::size_t n) : n_(n), wide_(n == 1 ? 1 : hand::widened(n)), values_((length + 1) * wide_), gradient_(wide_) {
    for (std::size_t i = 0; i < n; ++i) values_.get()[i] = start;
  }

  Outcome run(std::size_t rounds) override {
    Outcome result{};
    float *values = values_.get(), *g = gradient_.get();
    for (std::size_t r = 0; r < rounds; ++r) {
      float* y = values;
      if (n_ == 1) {
        for (std::size_t k = 0; k < length; ++k) y[k + 1] = Formula<op>::value(y[k]);
        float slope = seed(op);
        for (std::size_t k = length; k > 0; --k) slope = Formula<op>::pull(slope, y[k]);
        g[0] = slope;
      } else {
        for (std::size_t k = 0; k < length; ++k, y += wide_)
          for (std::size_t i = 0; i < wide_; i += hand::lanes) hand::store(y + wide_ + i, Formula<op>::value(hand::load(y + i)));
        for (std::size_t i = 0; i < wide_; ++i) g[i] = seed(op);
        for (std::size_t k = length; k > 0; --k, y -= wide_)
          for (std::size_t i = 0; i < wide_; i += hand::lanes) hand::store(g + i, Formula<op>::pull(hand::load(g + i), hand::load(y + i)));
      }
      result.sum = 0;
      for (std::size_t i = 0; i < n_; ++i) result.sum += static_cast<double>(values[length * wide_ + i]);
      asm volatile("" : : "r"(values), "r"(g) : "memory");  // each round is computed anew
    }
    for (std::size_t i = 0; i < n_; ++i) result.slopes += static_cast<double>(g[i]);
    return result;
  }

 private:
  std::size_t n_, wide_;
  hand::Numbers values_, gradient_;
};

}  // namespace

std::unique_ptr<Chain> make_hand_chain(Operation op, std::size_t n) {
  switch (op) {
    case Operation::add: return std::make_unique<ByHand<Operation::add>>(n);
    case Operation::multiply: return std::make_unique<ByHand<Operation::multiply>>(n);
    case Operation::sigmoid: return std::make_unique<ByHand<Operation::sigmoid>>(n);
    case Operation::tanh: break;
  }
  return std::make_unique<ByHand<Operation::tanh>>(n);
}

}  // namespace training
