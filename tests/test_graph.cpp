// Pictures of a recording: what a result was computed from, nothing else, and what is refused.
#include "support.hpp"

using ad::Tensor;
using support::Number;
using support::refuses;
using support::TensorVar;

namespace {
std::size_t count(const std::string& text, const std::string& word) {
  std::size_t n = 0;
  for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + word.size())) ++n;
  return n;
}
bool has(const std::string& text, const std::string& word) { return count(text, word) > 0; }
}  // namespace

TEST_CASE("the lines of a scalar recording carry the slopes") {
  ad::Tape tape;
  const ad::Var x = tape.variable(2.0), y = tape.variable(3.0), unused = tape.variable(4.0), u = x * y, z = u * 2.0 + x;
  CHECK(ad::to_text(z) == "#1 = variable\n#2 = variable\n#4 = 3 * #1 + 2 * #2\n#5 = 1 * #1 + 2 * #4\n");
  CHECK(ad::to_text(unused) == "#3 = variable\n");
  CHECK(!has(ad::to_dot(z), "n3"));
  CHECK(has(ad::to_text(x * z), "#6 = 14 * #1 + 2 * #5"));
  CHECK(has(ad::to_dot(x * z), "n5 -> n7"));
}

TEST_CASE("the picture of numbers and tensors is Graphviz text") {
  ad::Tape tape;
  const Tensor<double> X = Tensor<double>::ones({4, 2});
  const ad::Var w = tape.variable(Tensor<double>::ones({2, 3}));
  const ad::Var k = tape.variable(2.0);
  const ad::Var cost = mean(square(matmul(X, w) * k - 0.5)) + k;
  const std::string dot = ad::to_dot(cost), text = ad::to_text(cost);
  CHECK(dot.find("digraph {") == 0);
  CHECK(dot.substr(dot.size() - 2) == "}\n");
  CHECK(count(dot, "{") == count(dot, "}"));
  CHECK(has(dot, "matmul\\n(4, 3)"));
  CHECK(has(dot, "constant\\n(4, 2)"));
  CHECK(has(dot, "(2, 3)"));
  CHECK(count(dot, "variable") == 2);
  CHECK(has(text, "matmul(constant (4, 2), #1)  (4, 3)"));
  CHECK(has(text, "number(#2)"));
  CHECK(has(text, "sum(#"));
}

TEST_CASE("a name with quotes stays between its own") {
  ad::Tape tape;
  const ad::Var x = tape.variable(Tensor<double>{1, 2});
  const ad::Var y = ad::with_pullback("solve \"A\\b\"", x.value(), [](const auto& g) { return g; }, x);
  CHECK(has(ad::to_dot(y), R"x([label="solve \"A\\b\"\n(2,)")x"));
}

TEST_CASE("operands beyond three are drawn, too") {
  ad::Tape tape;
  const ad::Var a = tape.variable(Tensor<double>{1}), b = tape.variable(Tensor<double>{2, 3});
  const ad::Var x = tape.variable(1.0), y = tape.variable(2.0);
  const ad::Var joined = concatenate(std::vector<TensorVar<>>{a, b, Tensor<double>{4}, ad::assemble(std::vector<Number>{x, y}, {2})});
  const std::string text = ad::to_text(joined);
  CHECK(has(text, "concatenate(#1, #2, constant (1,), #5)  (6,)"));
  CHECK(has(text, "assemble(#3, #4)  (2,)"));
  CHECK(count(ad::to_dot(joined), "->") == 6);
  CHECK(has(text, "#2 = variable  (2,)"));  // its shape is known from that one use
}

TEST_CASE("constants, strangers, forgotten variables and enormous recordings are refused") {
  ad::Tape tape;
  Number x = tape.variable(2.0);
  refuses<ad::TapeError>([] { (void)ad::to_dot(Number(3.0)); }, {"to_dot", "constant"});
  refuses<ad::TapeError>([] { (void)ad::to_text(TensorVar<>(Tensor<double>{1})); }, {"to_text", "constant", "to_text(y.value())"});
  Number y = x;
  for (int i = 0; i < 3000; ++i) y = y * 1.0;
  refuses<ad::TapeError>([&] { (void)ad::to_dot(y); }, {"to_dot: more than 2000 statements", "most_statements"});
  CHECK(count(ad::to_text(y, {.most_statements = 4000}), "\n") == 3001);
  {
    ad::Tape inner;
    CHECK(has(ad::to_text(x), "#1 = variable"));  // its tape is alive, if not the youngest
  }
  tape.clear();
  refuses<ad::TapeError>([&] { (void)ad::to_dot(x); }, {"to_dot", "forgotten"});
}

TEST_CASE("a variable that is a tensor, drawn alone, shows its shape") {
  ad::Tape tape;
  const ad::Var x = tape.variable(Tensor<double>{{1, 2}});
  CHECK(has(ad::to_text(x), "#1 = variable  (1, 2)"));
  CHECK(has(ad::to_dot(x), "shape=box"));
}

TEST_CASE("to_text without a tape at all is refused") {
  Number lost;
  { ad::Tape tape; lost = tape.variable(1.0); }
  refuses<ad::TapeError>([&] { (void)ad::to_text(lost); }, {"to_text", "no tape records"});
}

TEST_CASE("as many statements as allowed are drawn, and not one more") {
  ad::Tape tape;
  const ad::Var x = tape.variable(2.0), y = x * x;
  CHECK_NOTHROW(to_text(y, {.most_statements = 2}));
  CHECK_THROWS_AS(to_text(y, {.most_statements = 1}), ad::TapeError);
}

TEST_CASE("tensors are boxes, numbers ellipses, and variables filled") {
  ad::Tape tape;
  const ad::Var t = tape.variable(Tensor<double>{1, 2}), u = tanh(t);
  const ad::Var s = sum(u), y = s * s;
  const std::string text = to_dot(y);
  CHECK(text.find("n2 [label=\"tanh\\n(2,)\", shape=box];") != std::string::npos);
  CHECK(text.find("n4 [label=\"#4\", shape=ellipse];") != std::string::npos);
  CHECK(text.find("n1 [label=\"variable\\n(2,)\", shape=box, style=filled") != std::string::npos);
}
