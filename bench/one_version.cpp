// One version of the library as a program, which bench/versions.cpp runs beside another: it lists the problems of the scalar suite, and then answers
// each `problem work calls` on its input with the seconds that so many calls took. Works are a gradient, eight in SIMD lanes, and the function
// without a tape. A version whose gradient is wrong ends at once.
#include "engine.hpp"
#include "harness.hpp"
#include "problems/all.hpp"
#include <array>
#include <functional>
#include <iostream>
#include <memory>

int main() try {
  using namespace bench;
  Problems problems;
  std::vector<std::array<std::function<void()>, 3>> works;
  problems.each([&](auto& problem) {
    using Problem = std::remove_reference_t<decltype(problem)>;
    works.push_back({[&problem, gradient = std::make_shared<Gradient<Problem>>(problem), out = std::vector<double>(problem.x.size())]() mutable {
                       keep((*gradient)(problem.x, out));
                     },
                     [&problem, points = std::vector<std::vector<double>>(8, problem.x), out = std::vector<std::vector<double>>()]() mutable {
                       autodiff::gradient_batch(problem, points, out);
                     },
                     [&problem, x = std::vector<autodiff::Var<double>>(problem.x.begin(), problem.x.end())] {
                       const autodiff::Pause pause;
                       keep(autodiff::Var<double>(problem(x)).value());
                     }});
    std::vector<double> hand(problem.x.size()), gradient = hand;
    problem.hand(problem.x, hand), Gradient<Problem>(problem)(problem.x, gradient);
    verify(std::string("this version's ") + Problem::name, hand, gradient);
    std::cout << Problem::name << '\n';
  });
  std::cout << std::endl;
  std::size_t problem, work;
  for (long calls; std::cin >> problem >> work >> calls;) {
    const auto& run = works.at(problem).at(work);
    const double start = now(Clock::thread);
    for (long i = 0; i < calls; ++i) run();
    std::cout << now(Clock::thread) - start << std::endl;
  }
} catch (const std::exception& e) {
  std::cerr << e.what() << '\n';
  return 1;
}
