// The scalar suite under Google Benchmark, for ordinary use: `scalar_gbench --benchmark_filter=gmm/`. The report is scalar.cpp.
#include "suite.hpp"
#include <benchmark/benchmark.h>

namespace {

template <class Work> void add(const std::string& name, Work work) {
  benchmark::RegisterBenchmark(name.c_str(), [work](benchmark::State& state) mutable {
    for (auto _ : state) {
      work();
      benchmark::ClobberMemory();
    }
  });
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  bench::Suite suite;
  bench::add_cases(suite);
  bench::enter_library(suite);
  bench::enter_lanes(suite);
  bench::enter_adolc(suite), bench::enter_sacado(suite), bench::enter_eigen(suite), bench::enter_ceres(suite);
  for (const bench::Case& c : suite.cases) {
    if (c.function) add(c.problem + "/function", c.function);
    auto derivative = [&c](const bench::Derivative& d) { return [&d, out = std::vector<double>(c.derivatives)]() mutable { d(out); }; };
    add(c.problem + "/hand-written", derivative(c.hand));
    for (const bench::Entry& entry : c.entries) add(c.problem + "/" + entry.contestant, derivative(entry.derivative));
  }
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
