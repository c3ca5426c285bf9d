// Ceres enters with its Jets: a value and K tangents, forward mode.
#include "peers_forward.hpp"
#ifdef BENCH_CERES
#include <ceres/jet.h>
#endif

namespace bench {

#ifdef BENCH_CERES
namespace {
template <int K> struct Jets {
  using Number = ceres::Jet<double, K>;
  static Number make(double value) { return Number(value); }
  static void seed(Number& a, int k) { a.v[k] = 1; }
  static double tangent(const Number& a, int k) { return a.v[k]; }
};
}  // namespace
void enter_ceres(Suite& suite) { enter_forward<Jets>(suite, "Ceres Jet"); }
#else
void enter_ceres(Suite&) {}
#endif

}  // namespace bench
