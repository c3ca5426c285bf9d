// Floor 5. Pictures of a recording: first the statements that a result depends on are collected, then written out.
#include "graph.hpp"
#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <set>

namespace autodiff::inline v1::detail {
namespace {

struct Statement {
  std::string operation;                          ///< "" for a number's arithmetic
  std::string shape;                              ///< "" for a number
  struct Operand { Id from; std::string text; };  ///< 0: a constant, and its shape; else a variable, and the slope in it where that is known
  std::vector<Operand> operands;
};

/// The statements that `place` depends on, by id.
std::map<Id, Statement> collect(const Drawn& y, const GraphOptions& options, const char* where) {
  const Place place = y.place;
  const Record<double>* tape = place == 0 ? active<double> : holder_of<double>(place);
  if (!tape) tape = active<double>;
  const Id last = tape->id_of(place, where);
  if (last == 0)
    throw TapeError(fmt::format("{}: this is a constant, of which nothing is recorded; its numbers are y.value(), as text to_text(y.value())", where));

  const auto& nodes = tape->nodes.list;  // in the order of their ids
  const auto id_of = [&](const CellBase* cell) { return cell->place ? tape->id_of(cell->place, where) : Id{0}; };

  std::map<Id, Statement> found;
  std::set<Id> wanted{last};
  const char* a = tape->next;
  std::size_t nodes_left = nodes.size();
  for (Id id = tape->count(); --id > 0;) {  // backwards, as the walk goes: the arguments are read from the end
    const Node* const node = nodes_left > 0 && nodes[nodes_left - 1].id == id ? &nodes[--nodes_left] : nullptr;
    const bool draws = wanted.count(id) > 0;
    std::vector<std::pair<Id, double>> arguments;
    give_back<double>(a, 1.0, [&](Id from, double slope) { if (draws) arguments.emplace_back(from, slope); });
    if (!draws) continue;
    std::reverse(arguments.begin(), arguments.end());
    if (found.size() == options.most_statements)
      throw TapeError(text("{}: more than {} statements; draw a smaller recording, or raise most_statements", {where, options.most_statements}));
    Statement& s = found[id];
    const auto depend = [&](Id from, std::string label) {
      s.operands.push_back({from, std::move(label)});
      wanted.insert(from);
    };
    if (node) {
      const Node& n = *node;
      s.operation = n.name;
      if (n.out) s.shape = n.out->shape.text();
      for_each_operand(n, [&](const CellBase& cell) {
        if (const Id from = id_of(&cell)) depend(from, ""); else s.operands.push_back({0, cell.shape.text()});
      });
      if (n.more_operands) {
        for (std::size_t i = 0; i < n.more_operands->number_count; ++i) if (n.more_operands->numbers[i]) depend(n.more_operands->numbers[i], "");
      }
      continue;
    }
    for (const auto& [from, slope] : arguments) depend(from, fmt::format("{:.4g}", slope));
  }
  // A variable that is a tensor has no node of its own: its shape is known where it is used, and of y.
  found[last].shape = y.shape;
  for (std::size_t i = 0; i < nodes.size(); ++i)
    for_each_operand(nodes[i], [&](const CellBase& cell) {
      if (const auto s = found.find(id_of(&cell)); s != found.end() && s->second.shape.empty()) s->second.shape = cell.shape.text();
    });
  return found;
}

/// For between quotes: names come from users, too.
std::string escaped(const std::string& name) {
  std::string out;
  for (const char c : name) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

}  // namespace

std::string to_dot(const Drawn& y, const GraphOptions& options) {
  std::string out =
      "digraph {\n  rankdir=LR;\n  node [fontname=\"Helvetica\", fontsize=11];\n  edge [fontname=\"Helvetica\", fontsize=9, color=\"#666666\"];\n";
  for (const auto& [id, s] : collect(y, options, "to_dot")) {
    const bool variable = s.operands.empty() && s.operation.empty();
    const std::string label = (variable ? std::string("variable") : escaped(s.operation)) +
        (s.operation.empty() && !variable ? "" : s.shape.empty() ? "" : "\\n") + s.shape;
    out += fmt::format("  n{} [label=\"{}{}\", shape={}{}];\n", id, label,
                       label.empty() ? fmt::format("#{}", id) : "", s.shape.empty() ? "ellipse" : "box",
                       variable ? ", style=filled, fillcolor=\"#dbe9f6\"" : "");
    for (std::size_t i = 0; i < s.operands.size(); ++i) {
      const auto& [from, text] = s.operands[i];
      if (from == 0) out += fmt::format("  c{0}_{1} [label=\"constant\\n{2}\", shape=box, style=dashed];\n  c{0}_{1} -> n{0};\n", id, i, text);
      else out += fmt::format("  n{} -> n{}{};\n", from, id, text.empty() ? "" : fmt::format(" [label=\"{}\"]", text));
    }
  }
  return out + "}\n";
}

std::string to_text(const Drawn& y, const GraphOptions& options) {
  std::string out;
  for (const auto& [id, s] : collect(y, options, "to_text")) {
    out += fmt::format("#{} = ", id);
    if (s.operation.empty()) {
      if (s.operands.empty()) out += "variable";
      for (std::size_t i = 0; i < s.operands.size(); ++i) out += fmt::format("{}{} * #{}", i ? " + " : "", s.operands[i].text, s.operands[i].from);
    } else {
      out += s.operation + "(";
      for (std::size_t i = 0; i < s.operands.size(); ++i) {
        const auto& [from, text] = s.operands[i];
        out += (i ? ", " : "") + (from == 0 ? "constant " + text : fmt::format("#{}", from));
      }
      out += ")";
    }
    out += s.shape.empty() ? "\n" : fmt::format("  {}\n", s.shape);
  }
  return out;
}

}  // namespace autodiff::inline v1::detail
