// Eigen enters with its (unsupported) AutoDiffScalar: a value and K tangents, forward mode, expression templates.
#include "peers_forward.hpp"
#ifdef BENCH_EIGEN
#include <Eigen/Core>
#include <unsupported/Eigen/AutoDiff>
#endif

namespace bench {

#ifdef BENCH_EIGEN
namespace {
template <int K> struct Scalars {
  using Number = Eigen::AutoDiffScalar<Eigen::Matrix<double, K, 1>>;
  static Number make(double value) { return Number(value); }
  static void seed(Number& a, int k) { a.derivatives()[k] = 1; }
  static double tangent(const Number& a, int k) { return a.derivatives()[k]; }
};
}  // namespace
void enter_eigen(Suite& suite) { enter_forward<Scalars>(suite, "Eigen AutoDiffScalar"); }
#else
void enter_eigen(Suite&) {}
#endif

}  // namespace bench
