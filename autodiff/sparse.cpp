// Floor 5. The walks back of a sparse Jacobian. A tape is read from its end; to step over what an output does not depend on, each statement's place
// in the stream of arguments is looked up first. Then the statements that wait for their turn are kept in a heap, the latest on top: when one is
// taken, all that uses it has been walked, and its adjoint is complete.
#include "sparse.hpp"
#include <fmt/format.h>
#include <algorithm>
#include <limits>
#include <numeric>
#include <queue>

namespace autodiff::inline v1 {

namespace detail {
namespace {

/// The columns, sorted by the id of their input: those of input id begin at first[id] in `order`; `none` for what is no input.
struct Columns {
  static constexpr std::size_t none = std::numeric_limits<std::size_t>::max();
  std::vector<std::size_t> order, first;
  Columns(const std::vector<Id>& xs, std::size_t statements) : order(xs.size()), first(statements, none) {
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t i, std::size_t j) { return xs[i] < xs[j]; });
    for (std::size_t k = order.size(); k-- > 0;) first[xs[order[k]]] = k;
  }
};

/// The first statement at which numbers of the tape enter a tensor: no input is behind a node before it. If none do, an id that no statement has.
Id first_entry(const Nodes<double>& nodes) {
  for (std::size_t i = 0; i < nodes.list.size(); ++i)
    if (nodes.list[i].more_operands && nodes.list[i].more_operands->number_count > 0) return nodes.list[i].id;
  return ~Id{0};
}
void require_no_node(const Nodes<double>& nodes, Id id, std::size_t output) {
  const auto* const begin = &nodes.list[0];
  const auto* const node = std::lower_bound(begin, begin + nodes.list.size(), id, [](const Node& n, Id i) { return n.id < i; });
  if (node != begin + nodes.list.size() && node->id == id)
    throw TapeError(fmt::format(
        "sparse_jacobian: output {} depends on {}(), an operation on tensors (statement #{}), whose numbers are not told apart; compute it with "
        "numbers, or use jacobian()", output, node->name, id));
}

}  // namespace

SparseMatrix sparse_jacobian(const Record<double>& tape, const std::vector<Id>& ys, const std::vector<Id>& xs) {
  const std::size_t statements = tape.count();
  const Id entry = first_entry(tape.nodes);
  const std::vector<const char*> ends = tape.ends();
  const Columns columns(xs, statements);
  std::vector<double> adjoint(statements, 0.0);
  std::vector<std::size_t> reached_for(statements, 0);  // the last row whose walk reached it, counted from 1
  std::priority_queue<Id> waiting;
  std::vector<std::pair<std::size_t, double>> row;

  constexpr auto most = static_cast<std::size_t>(std::numeric_limits<int>::max());
  if (std::max(ys.size(), xs.size()) > most)
    throw TapeError(fmt::format("sparse_jacobian: {} outputs of {} inputs are more than an int counts; take a part of them at a time", ys.size(),
                                xs.size()));
  const Id least = xs.empty() ? std::numeric_limits<Id>::max() : *std::min_element(xs.begin(), xs.end());  // what is earlier depends on no input

  SparseMatrix m{static_cast<int>(ys.size()), static_cast<int>(xs.size()), {0}, {}, {}};
  for (std::size_t i = 0; i < ys.size(); ++i) {
    const auto add = [&](Id to, double part) {
      if (to < least) return;
      adjoint[to] += part;
      if (std::exchange(reached_for[to], i + 1) == i + 1) return;
      waiting.push(to);
    };
    if (ys[i] != 0) add(ys[i], 1);
    row.clear();
    while (!waiting.empty()) {
      const Id id = waiting.top();
      waiting.pop();
      const double w = std::exchange(adjoint[id], 0.0);
      if (nan_traps && holds_nan(w)) refuse_nan_adjoint(id);
      for (std::size_t k = columns.first[id]; k < xs.size() && xs[columns.order[k]] == id; ++k) row.emplace_back(columns.order[k], w);
      if (id == least) continue;
      const char* a = ends[id];
      const bool gave = give_back<double>(a, w, [&](Id to, double part) { add(to, w == 0 ? 0 : part); });  // 0 · ∞ is 0 on the way back
      if (!gave && id >= entry) require_no_node(tape.nodes, id, i);
    }
    std::sort(row.begin(), row.end());
    for (const auto& [column, value] : row) m.columns.push_back(static_cast<int>(column)), m.values.push_back(value);
    if (m.values.size() > most)
      throw TapeError(fmt::format("sparse_jacobian: {} entries in the first {} of {} rows are more than an int counts; take fewer rows at a time",
          m.values.size(), i + 1, ys.size()));
    m.starts.push_back(m.entries());
  }
  return m;
}

}  // namespace detail

namespace {
/// f(i, j, k): entry k is in row i and column j.
void each_entry(const SparseMatrix& m, const auto& f) {
  for (std::size_t i = 0; i + 1 < m.starts.size(); ++i)
    for (auto k = static_cast<std::size_t>(m.starts[i]); k < static_cast<std::size_t>(m.starts[i + 1]); ++k)
      f(i, static_cast<std::size_t>(m.columns[k]), k);
}
void require_length(const char* where, const SparseMatrix& m, int expected, std::size_t given, const char* each) {
  if (static_cast<std::size_t>(expected) != given)
    throw ShapeError(
        fmt::format("{}: a vector of {} numbers for a matrix of {} x {}; give one for each {}", where, given, m.row_count, m.column_count, each));
}
}  // namespace

Tensor<double> SparseMatrix::dense() const {
  const auto n = static_cast<std::size_t>(column_count);
  Tensor<double> all = Tensor<double>::zeros(Shape({static_cast<std::size_t>(row_count), n}));
  each_entry(*this, [&, to = all.mutable_data()](std::size_t i, std::size_t j, std::size_t k) { to[i * n + j] = values[k]; });
  return all;
}
std::vector<double> SparseMatrix::times(const std::vector<double>& v) const {
  require_length("times", *this, column_count, v.size(), "column");
  std::vector<double> y(static_cast<std::size_t>(row_count), 0.0);
  each_entry(*this, [&](std::size_t i, std::size_t j, std::size_t k) { y[i] += values[k] * v[j]; });
  return y;
}
std::vector<double> SparseMatrix::transposed_times(const std::vector<double>& w) const {
  require_length("transposed_times", *this, row_count, w.size(), "row");
  std::vector<double> y(static_cast<std::size_t>(column_count), 0.0);
  each_entry(*this, [&](std::size_t i, std::size_t j, std::size_t k) { y[j] += values[k] * w[i]; });
  return y;
}

}  // namespace autodiff::inline v1
