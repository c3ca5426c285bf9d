// ADOL-C enters: operator overloading on a tape, recorded anew for each gradient (`trace_on` keeps what one walk back needs).
#include "suite.hpp"
#ifdef BENCH_ADOLC
#include <adolc/adolc.h>
inline adouble erfc(const badouble& a) { return 1 - erf(a); }   // it has erf only
#endif

namespace bench {

#ifdef BENCH_ADOLC
void enter_adolc(Suite& suite) {
  const std::string name = "ADOL-C";
  constexpr short tape = 1;
  // Long recordings go to files in the current directory: they leave with the suite.
  const std::shared_ptr<void> files(nullptr, [](void*) { removeTape(tape, ADOLC_REMOVE_COMPLETELY); });
  suite.problems.each([&](auto& problem) {
    suite.at(problem.name).entries.push_back({name, [&problem, files](std::vector<double>& out) {
      const std::size_t n = problem.x.size();
      double value = 0;
      trace_on(tape, 1);
      {
        std::vector<adouble> x(n);
        for (std::size_t i = 0; i < n; ++i) x[i] <<= problem.x[i];
        adouble y = problem(x);
        y >>= value;
      }
      trace_off();
      double weight = 1;
      reverse(tape, 1, static_cast<int>(n), 0, &weight, out.data());
    }});
  });
  BundleAdjustment& ba = suite.bundle_adjustment;
  suite.at(ba.name).entries.push_back({name, [&ba](std::vector<double>& out) {
    constexpr std::size_t m = BundleAdjustment::locals;
    for (std::size_t i = 0; i < ba.p; ++i) {
      auto local = ba.local(i);
      double value = 0, row_weight[m];
      trace_on(tape);
      {
        std::array<adouble, m> v;
        for (std::size_t j = 0; j < m; ++j) v[j] <<= local[j];
        auto e = ba.error(v, i);
        adouble w = ba.weight_error(v[m - 1]);
        e[0] >>= value;
        e[1] >>= value;
        w >>= value;
      }
      trace_off();
      double* rows[] = {&out[2 * m * i], &out[2 * m * i + m], row_weight};
      jacobian(tape, 3, static_cast<int>(m), local.data(), rows);
      out[2 * m * ba.p + i] = row_weight[m - 1];
    }
  }});
  HandTracking& ht = suite.hand_tracking;
  suite.at(ht.name).entries.push_back({name, [&ht](std::vector<double>& out) {
    const std::size_t n = ht.x.size(), rows = ht.rows(), columns = ht.columns();
    std::vector<double> values(rows);
    trace_on(tape);
    {
      std::vector<adouble> x(n);
      for (std::size_t i = 0; i < n; ++i) x[i] <<= ht.x[i];
      auto errors = ht(x);
      for (std::size_t i = 0; i < rows; ++i) errors[i] >>= values[i];
    }
    trace_off();
    std::vector<double> seeds(n * columns), tangents(rows * columns);
    std::vector<double*> seed_rows(n), tangent_rows(rows);
    for (std::size_t j = 0; j < columns; ++j) {
      const auto direction = ht.direction(j);
      for (std::size_t i = 0; i < n; ++i) seeds[i * columns + j] = direction[i];
    }
    for (std::size_t i = 0; i < n; ++i) seed_rows[i] = &seeds[i * columns];
    for (std::size_t i = 0; i < rows; ++i) tangent_rows[i] = &tangents[i * columns];
    fov_forward(tape, static_cast<int>(rows), static_cast<int>(n), static_cast<int>(columns), ht.x.data(), seed_rows.data(), values.data(),
                tangent_rows.data());
    for (std::size_t j = 0; j < columns; ++j)
      for (std::size_t i = 0; i < rows; ++i) out[j * rows + i] = tangents[i * columns + j];
  }});
}
#else
void enter_adolc(Suite&) {}
#endif

}  // namespace bench
