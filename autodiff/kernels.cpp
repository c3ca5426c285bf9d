// Floor 1. Chooses the instruction set: the best this machine has, when the first kernel is asked for.
#include "kernels.hpp"
#include "error.hpp"
#include "kernels_choice.hpp"
#include <hwy/targets.h>
#include <cstring>
#include <string>

namespace autodiff::inline v1 {

namespace detail {

constinit const Kernels<float>* float_kernels = nullptr;
constinit const Kernels<double>* double_kernels = nullptr;

namespace {
std::int64_t runnable() { return hwy::SupportedTargets() & compiled_targets(); }
void use(std::int64_t targets) {
  __atomic_store_n(&float_kernels, table_of<float>(targets), __ATOMIC_RELEASE);
  __atomic_store_n(&double_kernels, table_of<double>(targets), __ATOMIC_RELEASE);
}
}  // namespace

// Threads that come here together do the same and store the same.
void choose_kernels() noexcept { use(runnable()); }

}  // namespace detail

std::size_t selectable_targets(const char** names, std::size_t room) {
  std::size_t n = 0;
  for (std::int64_t rest = detail::runnable(); rest != 0; rest &= rest - 1, ++n)  // the lowest bit is the best
    if (n < room) names[n] = hwy::TargetName(rest & -rest);
  return n;
}

void select_target(const char* name) {
  if (!name) return detail::use(detail::runnable());
  std::string known;
  for (std::int64_t rest = detail::runnable(); rest != 0; rest &= rest - 1) {
    const char* const target = hwy::TargetName(rest & -rest);
    if (std::strcmp(target, name) == 0) return detail::use(rest & -rest);
    known += std::string(known.empty() ? "" : ", ") + target;
  }
  throw Error(detail::text("select_target: no \"{}\" on this machine; there is {}", {name, known}));
}

}  // namespace autodiff::inline v1
