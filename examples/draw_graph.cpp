// Shows: what a tape has recorded, as text and as a picture. The cost of a small net, tensors first, then numbers.
#include <autodiff/autodiff.hpp>

#include "figures.hpp"
#include "pictures.hpp"
namespace ad = autodiff;
using Tensor = ad::Tensor<double>;

int main(int argc, char** argv) {
  const std::string directory = picture_directory(argc, argv, "Draws what a tape has recorded, with Graphviz");

  const Tensor inputs{{0, 0}, {0, 1}, {1, 0}, {1, 1}}, targets{0, 1, 1, 1};
  ad::Tape tape;
  const ad::Var weights = tape.variable(Tensor{1, 2});
  const ad::Var bias = tape.variable(-0.5), decay = tape.variable(0.01);

  const ad::Var outputs = sigmoid(matmul(inputs, weights) + bias);
  const ad::Var error = mean(square(outputs - targets));
  const ad::Var cost = error + decay * sum(square(weights));
  tape.backward(cost);

  // An arrow from a number carries the slope that was recorded for it; an expression of numbers is one statement, however long.
  std::printf("%s", ad::to_text(cost).c_str());
  std::printf("\n∂cost/∂weights = %s\n", ad::to_text(tape.adjoint(weights)).c_str());
  std::printf("∂cost/∂decay = %g, the sum of squares\n", tape.adjoint(decay));
  const std::string graph = ad::to_dot(cost);
  for (const char* operation : {"matmul", "sigmoid", "square", "sum"})
    claim(graph.find(operation) != std::string::npos, std::string(operation) + " is in the graph");
  claim(tape.adjoint(decay) == 5, "the slope beside decay is 1² + 2²");
  pictures::graphviz(directory, "graph", graph);
}
/* Expected output (of a long figure, the last digit may differ):
#1 = variable  (2,)
#2 = variable
#3 = variable
#4 = matmul(constant (4, 2), #1)  (4,)
#5 = number(#2)  ()
#6 = add(#4, #5)  (4,)
#7 = sigmoid(#6)  (4,)
#8 = subtract(#7, constant (4,))  (4,)
#9 = square(#8)  (4,)
#10 = sum(#9)
#11 = 0.25 * #10
#12 = square(#1)  (2,)
#13 = sum(#12)
#14 = 1 * #11 + 5 * #3 + 0.01 * #13

∂cost/∂weights = [-0.0270207, 0.023737]
∂cost/∂decay = 5, the sum of squares
picture: pictures/graph.png
*/
