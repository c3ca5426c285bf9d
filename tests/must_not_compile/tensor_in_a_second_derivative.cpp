// A function of a vector computes with a tensor, and its second derivative is taken on a tape that holds none.
// error: a tensor meets a number of a second derivative or of lanes, whose tape holds no tensors: differentiate at a Tensor instead of a vector
#include <autodiff/autodiff.hpp>
namespace ad = autodiff;
int main() {
  const ad::Tensor<double> data{1, 2, 3};
  const auto f = [&](const auto& p) { return sum(exp(data * p[0]) - p[1]); };
  (void)ad::gradient(f, {0.1, 0.2});
  (void)ad::hessian(f, ad::Tensor<double>{0.1, 0.2});
#ifndef OK
  (void)ad::hessian(f, {0.1, 0.2});
#endif
}
