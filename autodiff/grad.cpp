// Floor 5. What the drivers refuse.
#include "grad.hpp"
#include <fmt/format.h>

namespace autodiff::inline v1::detail {

void refuse_outer(const char* where) {
  throw TapeError(fmt::format("{}: f uses variables of a tape beside its point, and their part would be lost in plain numbers; give the point as a "
                              "Var of that tape, or ad::Var(x), to keep them", where));
}
void require_no_parameters(const char* where) {
  if (const CellBase* const cell = first_parameter(active<double>->nodes.list))
    throw TapeError(fmt::format(
        "{}: f uses a parameter of shape {} inside of a recording, and its part of the derivative would be lost; use jvp at ad::Var(x), which "
        "keeps it, or say that none is wanted: p.value() is a constant, and while an ad::Pause lives all are", where, cell->shape.text()));
}
void refuse_sizes(const char* where, const char* what, const std::string& expected, const std::string& given) {
  throw ShapeError(fmt::format("{}: {} must have {}, not {}", where, what, expected, given));
}

}  // namespace autodiff::inline v1::detail
