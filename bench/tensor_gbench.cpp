// Operations on tensors under Google Benchmark: what one costs on plain tensors (`/values`), recorded and walked back (`/gradient`), and forwards
// (`/jvp`), on 256 × 256 floats: `tensor_gbench --benchmark_filter=gelu`. What costs of a gradient take: `--benchmark_filter=penalty`; Jacobians:
// `--benchmark_filter=jacobian`; the products of layers: `--benchmark_filter=layer`; reductions of short rows: `--benchmark_filter=rows`; and
// operations on a few numbers: `--benchmark_filter=small`.
#include <autodiff/kernels.hpp>
#include <benchmark/benchmark.h>
#include <memory>
#include <nn/nn.hpp>
#include <string>
#include <vector>

namespace ad = autodiff;
namespace nn = autodiff::nn;

namespace {

using Tensor = ad::Tensor<float>;

template <class Work> void add(const std::string& name, Work work, int numbers = 256 * 256) {
  benchmark::RegisterBenchmark(name.c_str(), [=](benchmark::State& state) mutable {
    for (auto _ : state) work();
    state.SetItemsProcessed(state.iterations() * numbers);
  });
}

template <class F> void add_operation(const std::string& name, F f) {
  nn::Random random(1);
  const Tensor x = nn::normal({256, 256}, random), v = nn::normal({256, 256}, random);
  add(name + "/values", [=] { benchmark::DoNotOptimize(f(x).data()); });
  add(name + "/gradient", [=, tape = std::make_shared<ad::Tape>()] {
    const auto on = tape->record();
    tape->clear();
    const ad::Var t = tape->variable(x);
    tape->backward(ad::Var<Tensor>(f(t)), v);
    benchmark::DoNotOptimize(tape->adjoint(t).data());
  });
  add(name + "/jvp", [=] { benchmark::DoNotOptimize(ad::jvp(f, x, v).data()); });
}

/// The mean of (|∇ₓ net| − 1)² over 64 rows of 8: by cost_of_gradient, and by a jvp for each of the 8 directions.
void add_penalties() {
  nn::Sequential net{nn::Linear(8, 64), nn::Tanh{}, nn::Linear(64, 64), nn::Tanh{}, nn::Linear(64, 1)};
  nn::initialize(net, 1);
  nn::Random random(2);
  const Tensor x = nn::normal({64, 8}, random);
  const auto walked = [tape = std::make_shared<ad::Tape>()](const auto& cost) {
    const auto on = tape->record();
    tape->clear();
    const ad::Var y = cost();
    tape->backward(y);
  };
  add("penalty/cost_of_gradient", [=] {
    walked([&] {
      return ad::cost_of_gradient([](const auto& g) { return mean(square(norm(g, ad::Axis(1)) - 1)); },
          [&](const auto& t) { return sum(net(t)); }, ad::Var(x));
    });
  });
  add("penalty/jvps", [=] {
    walked([&] {
      ad::Var squares = ad::Var(Tensor::zeros({64, 1}));
      for (std::size_t i = 0; i < 8; ++i) {
        Tensor unit = Tensor::zeros({64, 8});
        for (std::size_t row = 0; row < 64; ++row) unit(row, i) = 1;
        squares += square(jvp(net, ad::Var(x), unit));
      }
      return mean(square(sqrt(squares) - 1));
    });
  });
}

/// A fit of 4 parameters to 2000 numbers: walked back for each residual, and forwards for each parameter.
void add_jacobians() {
  nn::Random random(4);
  const auto t = nn::uniform<double>({2000}, random), p = nn::normal<double>({4}, random);
  const auto residuals = [t](const auto& of) {
    const auto part = [&of](int i) { return slice(of, 0, i, i + 1); };
    return part(0) * exp(part(1) * t) + part(2) * t + part(3);
  };
  add("jacobian, 2000 x 4/backwards", [=] { benchmark::DoNotOptimize(ad::jacobian(residuals, p).data()); }, 8000);
  add("jacobian, 2000 x 4/forwards", [=] { benchmark::DoNotOptimize(ad::jacobian_forwards(residuals, p).data()); }, 8000);
}

/// Many short rows: the lengths of vectors in space, the largest of ten classes.
void add_rows() {
  nn::Random random(6);
  const Tensor x = nn::normal({10'000, 3}, random), logits = nn::normal({3000, 10}, random);
  add("rows/sum of 3", [=] { benchmark::DoNotOptimize(sum(x, 1).data()); }, 30'000);
  add("rows/norm of 3", [=] { benchmark::DoNotOptimize(norm(x, 1).data()); }, 30'000);
  add("rows/argmax of 10", [=] { benchmark::DoNotOptimize(argmax(logits, 1).data()); }, 30'000);
}

/// The three products of a layer of m samples, k inputs and n outputs; items are multiply–adds.
void add_layer(std::size_t m, std::size_t k, std::size_t n) {
  nn::Random random(5);
  const Tensor x = nn::normal({m, k}, random), w = nn::normal({k, n}, random), g = nn::normal({m, n}, random);
  const auto add_product = [&](const char* what, const Tensor& to, const ad::Product<float>& product) {
    const std::string name = "layer/" + std::to_string(m) + " x " + std::to_string(k) + " x " + std::to_string(n) + "/" + what;
    add(name, [p = product, x, w, g, to = Tensor(to)]() mutable {
      p.c = to.mutable_data();
      ad::kernels<float>().product(p);
    }, static_cast<int>(m * k * n));
  };
  add_product("forwards", Tensor::zeros({m, n}),   // x·w
      {.m = m, .n = n, .k = k, .a = x.data(), .a_row = k, .a_col = 1, .b = w.data(), .b_row = n, .b_col = 1, .c = nullptr});
  add_product("of inputs", Tensor::zeros({m, k}),  // g·wᵀ
      {.m = m, .n = k, .k = n, .a = g.data(), .a_row = n, .a_col = 1, .b = w.data(), .b_row = 1, .b_col = n, .c = nullptr});
  add_product("of weights", Tensor::zeros({k, n}),  // to −= rate · xᵀ·g
      {.m = k, .n = n, .k = m, .a = x.data(), .a_row = 1, .a_col = k, .b = g.data(), .b_row = n, .b_col = 1, .c = nullptr,
       .add = true, .scale = -1e-6f});
}

/// Where arithmetic takes less time than what stands around it: eight numbers, a product of 4×2 and 2×3, the net of every tutorial.
void add_small() {
  nn::Random random(3);
  const Tensor a = nn::normal({4, 2}, random), b = nn::normal({2, 3}, random);
  nn::Sequential net{nn::Linear(2, 3), nn::Sigmoid{}, nn::Linear(3, 1)};
  nn::initialize(net, 1);
  const auto add_values = [](const std::string& name, int numbers, const auto& f) {
    add("small/" + name + "/values", [=] { benchmark::DoNotOptimize(f()); }, numbers);
  };
  add_values("add", 8, [=] { return (a + a).data(); });
  add_values("matmul", 12, [=] { return matmul(a, b).data(); });
  add_values("transpose", 8, [=] { return transpose(a).data(); });
  add_values("times a number", 8, [=] { return (a * 1.5f).data(); });
  add_values("plus a row", 8, [=, row = nn::normal({2}, random)] { return (a + row).data(); });
  add_values("net", 4, [=] { const ad::Pause pause; return net(a).size(); });
  add("small/matmul/recorded", [=, tape = std::make_shared<ad::Tape>()] {
    const auto on = tape->record();
    tape->clear();
    benchmark::DoNotOptimize(matmul(tape->variable(a), tape->variable(b)).place());
  }, 12);
}

}  // namespace

int main(int argc, char** argv) {
  add_operation("relu", [](const auto& x) { return relu(x); });
  add_operation("tanh", [](const auto& x) { return tanh(x); });
  add_operation("gelu", [](const auto& x) { return gelu(x); });
  add_operation("erf", [](const auto& x) { return erf(x); });
  add_operation("product", [](const auto& x) { return x * x; });
  add_operation("expression", [](const auto& x) { const auto h = tanh(x * 1.5 + 0.1); return h * h - exp(-h); });
  add_operation("transpose", [](const auto& x) { return transpose(x); });
  add_operation("transpose by order", [](const auto& x) { return transpose(x, {1, 0}); });
  const Tensor large = Tensor::ones({1000, 1000});
  add("transpose/1000 x 1000/values", [large] { benchmark::DoNotOptimize(transpose(large).data()); }, 1'000'000);
  add_operation("broadcast_to a column", [](const auto& x) { return broadcast_to(slice(x, 1, 0, 1), x.shape()); });
  add_operation("pow 4", [](const auto& x) { return pow(x, 4); });
  add_operation("gather columns", [](const auto& x) {
    std::vector<int> order(256);
    for (int i = 0; i < 256; ++i) order[static_cast<std::size_t>(i)] = 255 - i;
    return gather(x, order, 1);
  });
  add_operation("select", [](const auto& x) { return select(ad::plain(x) > 0.0f, x, -1e9f); });
  add_operation("softmax", [](const auto& x) { return softmax(x); });
  add_operation("matmul", [](const auto& x) { return matmul(x, x); });
  add_jacobians();
  add_penalties();
  add_small();
  add_rows();
  add_layer(32, 64, 32), add_layer(64, 784, 128), add_layer(128, 512, 512), add_layer(128, 784, 512), add_layer(32, 2048, 2048), add_layer(8, 2048, 2048);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
}
