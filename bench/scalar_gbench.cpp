// The scalar suite under Google Benchmark, for ordinary use: `scalar_gbench --benchmark_filter=gmm/`. The report is scalar.cpp. Besides, whole
// matrices of derivatives, eight rows at a time as the library takes them, row by row, and sparse: `--benchmark_filter=rows`; and statements with
// constants, and after a rewind: `--benchmark_filter=statements`.
#include "harness.hpp"
#include "suite.hpp"
#include <autodiff/autodiff.hpp>
#include <benchmark/benchmark.h>
#include <memory>

namespace {

template <class Work> void add(const std::string& name, Work work) {
  benchmark::RegisterBenchmark(name.c_str(), [work](benchmark::State& state) mutable {
    for (auto _ : state) {
      work();
      benchmark::ClobberMemory();
    }
  });
}

void add_hessians() {
  const auto bowl = [](const auto& x) {
    using T = bench::NumberOf<decltype(x)>;
    T s(0.0);
    for (std::size_t i = 0; i + 1 < x.size(); ++i) {
      const T a = x[i + 1] - x[i] * x[i], b = 1.0 - x[i];
      s += 100.0 * a * a + b * b + exp(-x[i] * x[i + 1]);
    }
    return s;
  };
  const std::vector<double> x = bench::Random(1).uniforms(100);
  add("hessian, 100 variables/eight rows", [=] { bench::keep(autodiff::hessian(bowl, x)); });
  add("hessian, 100 variables/single rows", [=, unit = std::vector<double>(x.size(), 0.0)]() mutable {
    for (std::size_t i = 0; i < x.size(); ++i) {
      unit[i] = 1;
      bench::keep(autodiff::hvp(bowl, x, unit));
      unit[i] = 0;
    }
  });
}

void add_jacobians() {
  const auto waves = [](const auto& x) {
    using T = bench::NumberOf<decltype(x)>;
    std::vector<T> y;
    for (int k = 0; k < 100; ++k) {
      T s(0.0);
      for (std::size_t i = 0; i + 1 < x.size(); ++i) s += sin(x[i]) * x[i + 1] * (0.1 * k + 1.0);
      y.push_back(s * s);
    }
    return y;
  };
  const std::vector<double> few = bench::Random(1).uniforms(20);
  add("jacobian, 100 x 20/eight rows", [=] { bench::keep(autodiff::jacobian(waves, few)); });
  add("jacobian, 100 x 20/single rows", [=] {
    autodiff::Tape tape;
    const auto v = tape.variables(few);
    for (const auto& y : waves(v)) {
      tape.backward(y);
      bench::keep(tape.adjoints(v));
    }
  });
}

/// More rows than columns, and so few rows that they are walked back one by one.
void add_narrow_jacobians() {
  const auto fit = [](const auto& p) {
    using T = bench::NumberOf<decltype(p)>;
    std::vector<T> y;
    for (int i = 0; i < 1000; ++i) y.push_back(p[0] * exp(-p[1] * (0.01 * i)) + p[2] * (0.01 * i) + p[3]);
    return y;
  };
  const std::vector<double> four{1, 2, 3, 4};
  add("jacobian, 1000 x 4/columns instead of rows", [=] { bench::keep(autodiff::jacobian(fit, four)); });
  add("jacobian, 1000 x 4/eight rows", [=, tape = std::make_shared<autodiff::Tape>()] {
    const auto on = tape->record();
    tape->clear();
    const auto v = tape->variables(four);
    const auto y = fit(v);
    for (std::size_t i = 0; i < y.size(); i += 8)
      bench::keep(tape->jacobian(std::vector(y.begin() + static_cast<std::ptrdiff_t>(i), y.begin() + static_cast<std::ptrdiff_t>(i) + 8), v));
  });
  struct Recording { autodiff::Tape tape; std::vector<autodiff::Var<double>> v, y; };
  const auto r = std::make_shared<Recording>();
  r->v = r->tape.variables(four);
  r->y = r->v;
  for (std::size_t i = 0; i < 2000; ++i) r->y.push_back(r->y[i] * r->y[i + 3] + 0.5 * sin(r->y[i + 1]));
  for (const std::ptrdiff_t m : {2, 3, 4, 8})
    add("jacobian, " + std::to_string(m) + " x 4 of 2000 statements/rows",
        [r, last = std::vector(r->y.end() - m, r->y.end())] { bench::keep(r->tape.jacobian(last, r->v)); });
}

void add_sparse_jacobians() {
  const auto residuals = [](const auto& v) {  // each of five neighbours
    using T = bench::NumberOf<decltype(v)>;
    std::vector<T> y;
    for (std::size_t i = 2; i + 2 < v.size(); ++i) {
      const T slope = v[i + 1] - v[i - 1], bend = v[i - 2] - 2.0 * v[i] + v[i + 2];
      y.push_back(exp(-slope * slope) + 0.5 * bend * v[i]);
    }
    return y;
  };
  const std::vector<double> many = bench::Random(2).uniforms(1000);
  add("jacobian, 996 x 1000 with five entries in a row/sparse rows", [=] { bench::keep(autodiff::sparse_jacobian(residuals, many)); });
  add("jacobian, 996 x 1000 with five entries in a row/all rows", [=] { bench::keep(autodiff::jacobian(residuals, many)); });
}

/// What constants among the variables, and variables from before a rewind(), cost: 250 statements, recorded and walked backwards.
void add_statements() {
  using Number = autodiff::Var<double>;
  struct Recording { autodiff::Tape tape; std::vector<Number> x; };
  const auto path = [](const auto& x) {
    Number s = x[0];
    for (int i = 0; i < 250; ++i) s += s * (x[2] * 0.004 + x[1] * 0.0012 * (i * 7 % 11 - 5));
    return s;
  };
  const auto chain = [](const auto& x, const Number& c) {
    Number s = x[0];
    for (int i = 0; i < 250; ++i) s = s * c + x[1];
    return s;
  };
  const std::vector<double> at{1, 0.05, 0.2};
  const auto cleared = [at](const auto& f) {
    return [f, at, r = std::make_shared<Recording>()] {
      const auto on = r->tape.record();
      r->tape.clear();
      r->tape.variables(at, r->x);
      r->tape.backward(f(r->x));
      bench::keep(r->tape.adjoint(r->x[0]));
    };
  };
  add("250 statements/after clear()", cleared(path));
  const auto r = std::make_shared<Recording>();
  r->x = r->tape.variables(at);
  add("250 statements/after rewind()", [r, path, mark = r->tape.mark()] {
    const auto on = r->tape.record();
    r->tape.backward(path(r->x));
    bench::keep(r->tape.adjoint(r->x[0]));
    r->tape.rewind(mark);
  });
  add("250 statements/two variables", cleared([chain](const auto& x) { return chain(x, x[2]); }));
  add("250 statements/a constant among them", cleared([chain](const auto& x) { return chain(x, Number(0.5)); }));
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  bench::Suite suite;
  bench::add_cases(suite);
  bench::enter_library(suite);
  bench::enter_forwards(suite);
  bench::enter_lanes(suite);
  bench::enter_adolc(suite), bench::enter_sacado(suite), bench::enter_eigen(suite), bench::enter_ceres(suite);
  for (const bench::Case& c : suite.cases) {
    if (c.function) add(c.problem + "/function", c.function);
    auto derivative = [&c](const bench::Derivative& d) { return [&d, out = std::vector<double>(c.derivatives)]() mutable { d(out); }; };
    add(c.problem + "/hand-written", derivative(c.hand));
    for (const bench::Entry& entry : c.entries) add(c.problem + "/" + entry.contestant, derivative(entry.derivative));
  }
  add_hessians();
  add_jacobians();
  add_narrow_jacobians();
  add_sparse_jacobians();
  add_statements();
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
