// A layer fused with an activation whose slope cannot be told from its result.
// error: this rule's slope needs its argument: apply it to the result of layer<Identity>
#include <autodiff/autodiff.hpp>
namespace ad = autodiff;
int main() {
  const ad::Tensor<double> x{{1, 2}}, w{{1}, {2}}, bias{1};
#ifdef OK
  return gelu(ad::layer(x, w, bias)).size() != 1;
#else
  return ad::layer<ad::Gelu>(x, w, bias).size() != 1;
#endif
}
