// A tape moves; a copy of it would give every variable two homes.
// error: deleted
#include <autodiff/autodiff.hpp>
int main() {
  autodiff::Tape tape;
  autodiff::Tape moved = std::move(tape);
#ifndef OK
  autodiff::Tape copy = moved;
#endif
}
