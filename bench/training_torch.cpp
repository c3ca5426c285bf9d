// libtorch as a contestant: a shared module, loaded only when asked for. The loop is the one of its documentation: zero_grad, a
// cost, backward, step.
#include <torch/torch.h>
#include <utility>
#include "training.hpp"

namespace training {

namespace {

class Torch final : public Trainer {
 public:
  Torch(const Problem& problem, const Data& data) : problem_(problem) {
    torch::set_num_threads(static_cast<int>(problem.threads));
    const auto n = signed_size(problem.samples);
    inputs_ = torch::from_blob(const_cast<float*>(data.inputs), {n, signed_size(problem.sizes.front())});
    if (problem.logistic()) targets_ = torch::from_blob(const_cast<float*>(data.targets), {n, 1});
    else targets_ = torch::from_blob(const_cast<int*>(data.labels), {n}, torch::kInt32).to(torch::kInt64);
  }

  void reset(const Parameters& initial) override {
    torch::NoGradGuard off;
    net_ = torch::nn::Sequential();
    for (std::size_t l = 0; l < initial.size(); ++l) {
      const Layer& from = initial[l];
      torch::nn::Linear linear(signed_size(from.in), signed_size(from.out));
      linear->weight.copy_(torch::from_blob(const_cast<float*>(from.weight.data()), {signed_size(from.in), signed_size(from.out)}).t());
      linear->bias.copy_(torch::from_blob(const_cast<float*>(from.bias.data()), {signed_size(from.out)}));
      net_->push_back(linear);
      if (l + 1 < initial.size()) net_->push_back(torch::nn::Sigmoid());
    }
    if (problem_.optimizer == Optimizer::sgd)
      optimizer_ = std::make_unique<torch::optim::SGD>(net_->parameters(), torch::optim::SGDOptions(problem_.rate));
    else
      optimizer_ = std::make_unique<torch::optim::Adam>(
          net_->parameters(), torch::optim::AdamOptions(problem_.rate).betas({adam_beta1, adam_beta2}).eps(adam_epsilon));
  }

  double train(std::size_t epochs) override {
    torch::Tensor cost;
    for (std::size_t e = 0; e < epochs; ++e)
      for (std::size_t begin = 0; begin < problem_.samples; begin += problem_.batch) {
        const auto end = std::min(begin + problem_.batch, problem_.samples);
        const bool whole = end - begin == problem_.samples;
        const auto x = whole ? inputs_ : inputs_.slice(0, signed_size(begin), signed_size(end)),
                   t = whole ? targets_ : targets_.slice(0, signed_size(begin), signed_size(end));
        net_->zero_grad(/*set_to_none=*/true);
        const auto logits = net_->forward(x);
        cost = problem_.logistic() ? torch::binary_cross_entropy_with_logits(logits, t) : torch::cross_entropy_loss(logits, t);
        cost.backward();
        optimizer_->step();
      }
    return cost.item<double>();
  }

  Parameters parameters() const override {
    Parameters all;
    const auto p = net_->parameters();
    for (std::size_t l = 0; l + 1 < p.size(); l += 2) {
      const auto weight = p[l].detach().t().contiguous(), bias = p[l + 1].detach();
      all.push_back({static_cast<std::size_t>(weight.size(0)), static_cast<std::size_t>(weight.size(1)), numbers(weight), numbers(bias)});
    }
    return all;
  }

 private:
  static std::int64_t signed_size(std::size_t n) { return static_cast<std::int64_t>(n); }
  static std::vector<float> numbers(const torch::Tensor& t) { return {t.data_ptr<float>(), t.data_ptr<float>() + t.numel()}; }

  Problem problem_;
  torch::Tensor inputs_, targets_;
  torch::nn::Sequential net_;
  std::unique_ptr<torch::optim::Optimizer> optimizer_;
};

class TorchChain final : public Chain {
 public:
  TorchChain(Operation op, std::size_t n)
      : op_(op), x_(torch::full({static_cast<std::int64_t>(n)}, start)), c_(torch::full({static_cast<std::int64_t>(n)}, other)),
        seed_(torch::full({}, seed(op))) {
    torch::set_num_threads(1);
    x_.requires_grad_(true);
  }

  Outcome run(std::size_t rounds) override {
    torch::Tensor total;
    for (std::size_t r = 0; r < rounds; ++r) {
      x_.mutable_grad().reset();
      torch::Tensor y = x_;
      for (std::size_t k = 0; k < length; ++k) y = next(y);
      total = y.sum();
      total.backward(seed_);
    }
    return {total.item<double>(), x_.grad().sum().item<double>()};
  }

 private:
  torch::Tensor next(const torch::Tensor& x) const {
    switch (op_) {
      case Operation::add: return x + c_;
      case Operation::multiply: return x * c_;
      case Operation::sigmoid: return x.sigmoid();
      case Operation::tanh: break;
    }
    return x.tanh();
  }

  Operation op_;
  torch::Tensor x_, c_, seed_;
};

}  // namespace

}  // namespace training

extern "C" const training::Maker training_contestant{
    "libtorch",
    [](const training::Problem& p, const training::Data& d) -> std::unique_ptr<training::Trainer> {
      return std::make_unique<training::Torch>(p, d);
    },
    [](training::Operation op, std::size_t n) -> std::unique_ptr<training::Chain> {
      return std::make_unique<training::TorchChain>(op, n);
    }};
