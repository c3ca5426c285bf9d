// The vocabulary of the training benchmark: what is trained (Problem, Data, Parameters), who trains it (Trainer), and the chain
// of tiny operations (Chain). Every contestant is one translation unit that implements Trainer and Chain and includes nothing of
// the others; timing and checking are done once, for all, by training_race.cpp. Plain types only: libtorch and dlib live in shared
// modules of their own (training_torch.cpp, training_dlib.cpp), loaded where they were built and are asked for.
#pragma once
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace training {

enum class Optimizer { sgd, adam };

/// Fully connected layers with a sigmoid between them. One output: logistic cross-entropy; several: softmax cross-entropy of labels.
struct Problem {
  std::string name;                ///< "b 64-32-10": the letter is that of --parts, and the goals are looked up by the name
  std::vector<std::size_t> sizes;  ///< 64, 32, 10
  std::size_t samples, batch;      ///< the last batch of an epoch may be smaller
  std::size_t epochs = 1;          ///< in one timed run
  Optimizer optimizer = Optimizer::sgd;
  double rate = 0.1;
  double tolerance = 1e-5;  ///< costs may differ by this, relatively, and weights by 10 times this of the way they went:
                            ///  float sums in another order
  unsigned threads = 1;

  bool logistic() const { return sizes.back() == 1; }
  std::size_t steps() const { return epochs * ((samples + batch - 1) / batch); }
};

constexpr double adam_beta1 = 0.9, adam_beta2 = 0.999, adam_epsilon = 1e-8;

/// Someone else's memory: inputs (samples, sizes.front()), and targets in {0, 1} or labels.
struct Data {
  const float* inputs;
  const float* targets;
  const int* labels;
};

/// weight (in, out), row by row, and bias (out): a layer computes x·weight + bias.
struct Layer {
  std::size_t in, out;
  std::vector<float> weight, bias;
};
using Parameters = std::vector<Layer>;

/// One implementation of one problem. `reset` and `parameters` are never timed.
class Trainer {
 public:
  virtual ~Trainer() = default;
  virtual void reset(const Parameters& initial) = 0;  ///< forget all training, optimizer's memory included
  virtual double train(std::size_t epochs) = 0;       ///< the cost of the last batch, before its update
  virtual Parameters parameters() const = 0;
};

enum class Operation { add, multiply, sigmoid, tanh };

/// x ← f(x) a hundred times over n floats that start at 0.3 (add, multiply: with a constant tensor of 0.9), then the sum, then
/// backward to the first x: one round. An operation's result is kept, as a tape keeps it.
class Chain {
 public:
  static constexpr std::size_t length = 100;
  static constexpr float start = 0.3f, other = 0.9f;
  /// What goes backward from the sum. A hundred slopes of sigmoid, 0.22 each, of 1 would end at 0, by way of denormal numbers.
  static constexpr float seed(Operation op) { return op == Operation::sigmoid ? 1e30f : 1; }
  struct Outcome { double sum, slopes; };      ///< Σ y, Σ seed · dy/dx
  virtual ~Chain() = default;
  virtual Outcome run(std::size_t rounds) = 0;  ///< of the last round
};

/// A contestant's door. Modules export it as `training_contestant` with C linkage.
struct Maker {
  const char* name;
  std::unique_ptr<Trainer> (*trainer)(const Problem&, const Data&);
  std::unique_ptr<Chain> (*chain)(Operation, std::size_t n);  ///< null: has no such thing
};

}  // namespace training
