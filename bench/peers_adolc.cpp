// ADOL-C enters twice: with a tape recorded anew for each gradient, as every other tape here (`trace_on` keeps what one walk back needs); and with
// one recorded once, which is run again at each point: that holds as long as no branch would go another way. (Not bundle adjustment, where each
// observation is a function of its own.)
#include "suite.hpp"
#include <utility>
#ifdef BENCH_ADOLC
#include <adolc/adolc.h>
inline adouble erfc(const badouble& a) { return 1 - erf(a); }   // it has erf only
#endif

namespace bench {

#ifdef BENCH_ADOLC
namespace {

constexpr const char *anew = "ADOL-C", *once = "ADOL-C, recorded once";
constexpr short tape = 1, tape_once = 2;

template <class Problem> void record(const Problem& problem, short tag, int keep = 0) {
  double value = 0;
  trace_on(tag, keep);
  {
    std::vector<adouble> x(problem.x.size());
    for (std::size_t i = 0; i < x.size(); ++i) x[i] <<= problem.x[i];
    auto y = problem(x);
    if constexpr (requires { y.size(); }) for (adouble& one : y) one >>= value;
    else y >>= value;
  }
  trace_off();
}

/// All columns, forwards over the recording.
void columns(const HandTracking& ht, short tag, std::vector<double>& out) {
  const std::size_t n = ht.x.size(), rows = ht.rows(), columns = ht.columns();
  std::vector<double> values(rows), seeds(n * columns), tangents(rows * columns);
  std::vector<double*> seed_rows(n), tangent_rows(rows);
  for (std::size_t j = 0; j < columns; ++j) {
    const auto direction = ht.direction(j);
    for (std::size_t i = 0; i < n; ++i) seeds[i * columns + j] = direction[i];
  }
  for (std::size_t i = 0; i < n; ++i) seed_rows[i] = &seeds[i * columns];
  for (std::size_t i = 0; i < rows; ++i) tangent_rows[i] = &tangents[i * columns];
  fov_forward(tag, static_cast<int>(rows), static_cast<int>(n), static_cast<int>(columns), ht.x.data(), seed_rows.data(), values.data(),
              tangent_rows.data());
  for (std::size_t j = 0; j < columns; ++j)
    for (std::size_t i = 0; i < rows; ++i) out[j * rows + i] = tangents[i * columns + j];
}

/// Calls `record` the first time.
template <class Record, class Use> Derivative recorded_once(Record record, Use use) {
  return [record, use, recorded = false](std::vector<double>& out) mutable {
    if (!std::exchange(recorded, true)) record();
    use(out);
  };
}

}  // namespace

void enter_adolc(Suite& suite) {
  // Long recordings go to files in the current directory: they leave with the suite.
  const std::shared_ptr<void> files(nullptr, [](void*) { for (const short tag : {tape, tape_once}) removeTape(tag, ADOLC_REMOVE_COMPLETELY); });
  suite.problems.each([&](auto& problem) {
    auto& entries = suite.at(problem.name).entries;
    const int n = static_cast<int>(problem.x.size());
    entries.push_back({anew, [&problem, n, files](std::vector<double>& out) {
      record(problem, tape, 1);
      double weight = 1;
      reverse(tape, 1, n, 0, &weight, out.data());
    }});
    entries.push_back({once, recorded_once([&problem] { record(problem, tape_once); },
                                           [&problem, n](std::vector<double>& out) { gradient(tape_once, n, problem.x.data(), out.data()); })});
  });
  BundleAdjustment& ba = suite.bundle_adjustment;
  suite.at(ba.name).entries.push_back({anew, [&ba](std::vector<double>& out) {
    constexpr std::size_t m = BundleAdjustment::locals;
    for (std::size_t i = 0; i < ba.p; ++i) {
      auto local = ba.local(i);
      double value = 0, row_weight[m];
      trace_on(tape, 1);
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
      double unit[3][3] = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}, *units[] = {unit[0], unit[1], unit[2]};
      fov_reverse(tape, 3, static_cast<int>(m), 3, units, rows);
      out[2 * m * ba.p + i] = row_weight[m - 1];
    }
  }});
  HandTracking& ht = suite.hand_tracking;
  suite.at(ht.name).entries.push_back({anew, [&ht](std::vector<double>& out) {
    record(ht, tape);
    columns(ht, tape, out);
  }});
  suite.at(ht.name).entries.push_back(
      {once, recorded_once([&ht] { record(ht, tape_once); }, [&ht](std::vector<double>& out) { columns(ht, tape_once, out); })});
}
#else
void enter_adolc(Suite&) {}
#endif

}  // namespace bench
