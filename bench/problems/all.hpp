// Every problem with one result, in the order of the tables: write a visitor once, and it meets them all.
#pragma once
#include "determinant.hpp"
#include "gmm.hpp"
#include "lstm.hpp"
#include "models.hpp"
#include "ode.hpp"
#include "pde.hpp"
#include "small.hpp"

namespace bench {

/// The problems whose derivative is a gradient.
struct Problems {
  Hello hello;
  Poly poly;
  Speelpenning speelpenning;
  Rosenbrock rosenbrock;
  Gmm gmm;
  LaxWendroff lax_wendroff;
  Burgers burgers;
  Xor xor_;
  Lstm lstm;
  BlackScholes black_scholes;
  KMeans k_means;
  Determinant determinant;
  LogSumExp log_sum_exp;
  LeastSquares least_squares;
  Ode ode;

  void each(auto&& visit) {
    visit(hello), visit(poly), visit(speelpenning), visit(rosenbrock), visit(gmm), visit(lax_wendroff), visit(burgers), visit(xor_),
        visit(lstm);
    visit(black_scholes), visit(k_means), visit(determinant), visit(log_sum_exp), visit(least_squares), visit(ode);
  }
};

/// Sizes for tests: seconds, not minutes, also for finite differences.
inline Problems small_problems() {
  return {Hello{}, Poly(20), Speelpenning(20), Rosenbrock(20), Gmm(3, 4, 10), LaxWendroff(20, 10), Burgers(20, 10), Xor{}, Lstm(2, 8, 5),
          BlackScholes(4), KMeans(30, 3, 2), Determinant(4), LogSumExp(20), LeastSquares(20, 5), Ode(4, 10)};
}

}  // namespace bench
