// Sacado enters, with its reverse mode (Rad) and its forward mode (SFad).
#include "peers_forward.hpp"
#ifdef BENCH_SACADO
#include <Sacado.hpp>
namespace Sacado::Rad {                                 // it has no erfc; ADf1 is its way to add a function of one argument
inline ADvar<double> erfc(const ADvari<double>& a) { return ADf1(std::erfc(a.Val), -1.1283791670955126 * std::exp(-a.Val * a.Val), a); }
}  // namespace Sacado::Rad
#endif

namespace bench {

#ifdef BENCH_SACADO
namespace {
template <int K> struct Fads {
  using Number = Sacado::Fad::SFad<double, K>;
  static Number make(double value) { return Number(value); }
  static void seed(Number& a, int k) { a.fastAccessDx(k) = 1; }
  static double tangent(const Number& a, int k) { return a.dx(k); }
};
}  // namespace
void enter_sacado(Suite& suite) {
  using Var = Sacado::Rad::ADvar<double>;
  suite.problems.each([&](auto& problem) {
    suite.at(problem.name).entries.push_back({"Sacado Rad", [&problem](std::vector<double>& out) {
      std::vector<Var> x(problem.x.begin(), problem.x.end());
      Var y = problem(x);
      Var::Outvar_Gradcomp(y);
      for (std::size_t i = 0; i < x.size(); ++i) out[i] = x[i].adj();
    }});
  });
  enter_forward<Fads>(suite, "Sacado SFad");
}
#else
void enter_sacado(Suite&) {}
#endif

}  // namespace bench
