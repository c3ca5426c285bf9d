// Objects that end after the library's own memory of a thread, because they were there first: a static one, and one of a thread. What they compute
// while they end is right, and leaks nothing (the sanitizers see to that).
#include <autodiff/autodiff.hpp>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

namespace ad = autodiff;

namespace {

void require(bool right, const char* what) {
  if (right) return;
  std::fprintf(stderr, "late: %s is wrong\n", what);
  std::_Exit(1);
}
[[gnu::noinline]] double slope_while_resumed() {
  ad::Tape tape;
  const ad::Var x = tape.variable(3.0);
  {
    const auto on = tape.record();
    const ad::Var y = x * x;
    tape.backward(y);
  }
  return tape.adjoint(x);
}
[[gnu::noinline]] void write_over_the_stack() {
  volatile char junk[4096];
  for (auto& c : junk) c = 0x41;
}

struct Last {
  ad::Tensor<float> a = ad::Tensor<float>::ones({64, 300}), b = ad::Tensor<float>::ones({300, 300});

  void compute() const {
    for (int i = 0; i < 3; ++i) {
      require(slope_while_resumed() == 6, "a slope");
      write_over_the_stack();
      require(ad::gradient([](const auto& x) { return x[0] * x[0]; }, std::vector<double>(1000, 3.0))[0] == 6, "a gradient");
      require(matmul(a, transpose(b))(1, 5) == 300 && matmul(a, b)(1, 5) == 300, "a product");
    }
  }
  ~Last() { compute(); }
};
const Last last;
thread_local const Last last_of_thread;

}  // namespace

int main() {
  last.compute();
  for (int i = 0; i < 3; ++i) std::thread([] { last_of_thread.compute(); }).join();
}
