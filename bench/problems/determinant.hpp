// The determinant by Laplace's expansion, as one writes it first: n! products, a deep recursion of small statements.
#pragma once
#include "number.hpp"
#include <algorithm>

namespace bench {

/// det A = Σₖ (−1)ᵏ a₀ₖ det A₀ₖ, A₀ₖ without the first row and column k, and so on down to single numbers: GradBench's "det".
/// Nothing is remembered from one minor to the next; the list of columns can hold those of a matrix of order 16.
/// By hand: the minors in the order met, kept on the way there and taken from the end on the way back. The determinant is linear
/// in each entry, so the adjoint of a minor is the adjoint of the one around it times ± the entry before it.
struct Determinant {
  static constexpr const char* name = "determinant";
  static constexpr bool few_variables = true;  ///< forward-mode peers take part
  std::size_t n;
  std::vector<double> x;                                 ///< the matrix, row after row
  explicit Determinant(std::size_t order = 7) : n(order), x(Random(5).uniforms(order * order, -1, 1)) {}
  std::string size() const { return join(n, " × ", n); }

  template <class V> auto operator()(const V& v) const {
    return expand<NumberOf<V>>(v, Columns{}, n, [](const auto&) {});
  }
  double hand(const std::vector<double>& v, std::vector<double>& g) {
    std::fill(g.begin(), g.end(), 0.0);
    std::size_t count = 0;                              // of minors inside, down to pairs: n + n (n − 1) + … + n!/2
    for (std::size_t left = n, same = 1; left > 2; --left) count += same *= left;
    minors_.resize(count);
    double* end = minors_.data();
    const double y = expand<double, true>(v, Columns{}, n, [&end](double minor) { *end++ = minor; });
    const double* last = end;
    back(v.data(), g.data(), Columns{}, n, 1, last);
    return y;
  }

 private:
  /// The columns of a minor from left to right, four bits for each: to cross one out is a shift of those behind it.
  class Columns {
    std::uint64_t list_ = 0xFEDCBA9876543210u;

   public:
    std::size_t operator[](std::size_t k) const { return (list_ >> 4 * k) & 15; }
    Columns without(std::size_t k) const {
      const std::uint64_t before = (std::uint64_t{1} << 4 * k) - 1;
      Columns rest;
      rest.list_ = (list_ & before) | ((list_ >> 4) & ~before);
      return rest;
    }
  };

  /// The minor of the last `left` rows; those inside it with two rows or more are shown to `keep` as they become known. `pairs`: of two rows at once.
  template <class T, bool pairs = false, class V, class Keep> T expand(const V& v, Columns columns, std::size_t left, const Keep& keep) const {
    const std::size_t row = (n - left) * n;
    if (left == 1) return v[row + columns[0]];
    if constexpr (pairs)
      if (left == 2) {
        const std::size_t a = row + columns[0], b = row + columns[1];
        return v[a] * v[b + n] - v[b] * v[a + n];
      }
    T sum(0.0);
    for (std::size_t k = 0; k < left; ++k) {
      const T minor = expand<T, pairs>(v, columns.without(k), left - 1, keep);
      if (left > 2) keep(minor);
      if (k % 2 == 0) sum += v[row + columns[k]] * minor;
      else sum -= v[row + columns[k]] * minor;
    }
    return sum;
  }
  /// The same walk from its end; `last` stands behind the minor to be taken next.
  void back(const double* v, double* g, Columns columns, std::size_t left, double adjoint, const double*& last) const {
    const std::size_t row = (n - left) * n;
    if (left == 1) {
      g[row + columns[0]] += adjoint;
    } else if (left == 2) {
      const std::size_t a = row + columns[0], b = row + columns[1], c = a + n, d = b + n;
      g[a] += adjoint * v[d];
      g[b] -= adjoint * v[c];
      g[c] -= adjoint * v[b];
      g[d] += adjoint * v[a];
    } else {
      for (std::size_t k = left; k-- > 0;) {
        const std::size_t entry = row + columns[k];
        const double signed_adjoint = k % 2 == 0 ? adjoint : -adjoint;
        g[entry] += signed_adjoint * *--last;
        back(v, g, columns.without(k), left - 1, signed_adjoint * v[entry], last);
      }
    }
  }

  std::vector<double> minors_;
};

}  // namespace bench
