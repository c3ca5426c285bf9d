// Floor 0. The formatting of error texts, by {fmt}.
#include "error.hpp"
#include <fmt/args.h>
#include <fmt/format.h>

namespace autodiff::inline v1::detail {

std::string text(std::string_view format, std::initializer_list<Piece> pieces) {
  fmt::dynamic_format_arg_store<fmt::format_context> store;
  for (const Piece& piece : pieces) switch (piece.kind) {
    case Piece::Kind::words: store.push_back(fmt::string_view(piece.words.data(), piece.words.size())); break;
    case Piece::Kind::integer: store.push_back(piece.integer); break;
    case Piece::Kind::natural: store.push_back(piece.natural); break;
    case Piece::Kind::real: store.push_back(printed(piece.real)); break;
  }
  return fmt::vformat(fmt::string_view(format.data(), format.size()), store);
}

}  // namespace autodiff::inline v1::detail
