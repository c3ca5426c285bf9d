// Floor 5. Jacobians most of whose entries are zero: of residuals, of stencils and time steps, where each output depends on few of the inputs.
#pragma once
#include "grad.hpp"
#include <initializer_list>

namespace autodiff::inline v1 {

/// A matrix of which the entries that may differ from zero are kept, row by row: those of row i are number starts[i] to starts[i + 1] − 1, and entry
/// k has the value values[k] in column columns[k]; in a row the columns ascend. (Compressed rows, CSR; `Eigen::Map<const Eigen::SparseMatrix<double,
/// Eigen::RowMajor>>(m.row_count, m.column_count, m.entries(), m.starts.data(), m.columns.data(), m.values.data())` sees it without a copy.)
struct SparseMatrix {
  int row_count = 0, column_count = 0;
  std::vector<int> starts{0}, columns;
  std::vector<double> values;

  int entries() const { return static_cast<int>(values.size()); }
  /// All of it, zeros too: shape (row_count, column_count).
  Tensor<double> dense() const;
  /// J·v and Jᵀ·w. Throw ShapeError unless v has a number for each column, w for each row.
  std::vector<double> times(const std::vector<double>& v) const;
  std::vector<double> transposed_times(const std::vector<double>& w) const;
};

namespace detail {
SparseMatrix sparse_jacobian(const Record<double>& tape, const std::vector<Id>& ys, const std::vector<Id>& xs);
}

template <class Scalar>
SparseMatrix BasicTape<Scalar>::sparse_jacobian(std::span<const Var<Scalar>> ys, std::span<const Var<Scalar>> xs) const
    requires std::same_as<Scalar, double> {
  return detail::sparse_jacobian(held(), output_ids(ys, "sparse_jacobian"), input_ids(xs, "sparse_jacobian"));
}
template <class Scalar>
SparseMatrix BasicTape<Scalar>::sparse_jacobian(const std::vector<Var<Scalar>>& ys, const std::vector<Var<Scalar>>& xs) const
    requires std::same_as<Scalar, double> {
  return sparse_jacobian(std::span<const Var<Scalar>>(ys), std::span<const Var<Scalar>>(xs));
}

/// J = ∂Fᵢ/∂xⱼ of shape (m, n) for F from n numbers to m, as the entries that the recording of F can reach: F is recorded once, and from each output
/// a walk back goes over what that depends on, and over nothing else. (1000 outputs of five inputs each, out of 1000: 80 µs, jacobian() takes 2300;
/// `rows` in bench/scalar_gbench.) Which entries there are follows from the recording, not from the numbers: one whose derivative happens to be 0 is
/// among them. Throws TapeError where an output depends on an operation on tensors that was recorded after the first number that entered one.
template <class F, detail::Vector X> SparseMatrix sparse_jacobian(const F& f, const X& x) {
  static_assert(std::same_as<detail::ElementOf<X>, double>, "a sparse Jacobian is taken at plain numbers; inside of another derivative use jacobian");
  detail::Taped<double> at(x);
  const auto y = detail::all_numbers<double>(at.result_of("sparse_jacobian", f));
  return at.tape.sparse_jacobian(y, at.x);
}
template <class F> SparseMatrix sparse_jacobian(const F& f, std::initializer_list<double> x) { return sparse_jacobian(f, std::vector<double>(x)); }

}  // namespace autodiff::inline v1
