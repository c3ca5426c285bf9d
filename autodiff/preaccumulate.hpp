// Floor 5. preaccumulate: a part of a recording that keeps only its slopes.
#pragma once
#include "grad.hpp"

namespace autodiff::inline v1 {

/// f(x) as one statement for each number that f returns, whatever f does inside: it is recorded on a tape of its own and walked backwards at
/// once; what goes onto the tape that records are its slopes ∂f/∂xᵢ, 12 bytes each. For long computations from few variables: they take next to no
/// memory. It costs 0.1 to 0.2 µs a call and a walk back for each number that f returns: of one number from some hundred operations it takes a tenth
/// more time than without, of a few operations several times as much.
///     cost += preaccumulate([&](const auto& w) { return error(w, sample); }, weights);     // for each sample
/// x: a std::vector, std::array or span of Vars; f returns a number or a std::vector of numbers, and so does this. What f needs of variables it
/// must take from x: any other, caught by reference, is a TapeError. Nothing is recorded where no variable is among x. An argument whose slope is 0
/// is left out, so the entries of a sparse_jacobian over such statements may change with the numbers.
template <class F, detail::Vector X> requires std::same_as<detail::ElementOf<X>, Var<typename detail::ElementOf<X>::Scalar>>
auto preaccumulate(const F& f, const X& x) {
  using S = typename detail::ElementOf<X>::Scalar;
  using Y = std::remove_cvref_t<decltype(f(std::declval<const std::vector<Var<S>>&>()))>;
  static_assert(!AnyTensor<Y>, "preaccumulate: f returns a tensor; let it return its numbers, a number or a std::vector of them");
  std::vector<Var<S>> ys;
  std::vector<std::vector<S>> slopes;  // a row for each
  {
    std::vector<S> point;
    point.reserve(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) point.push_back(x[i].value());
    detail::Taped<S> at(point);
    ys = detail::all_numbers<S>(at.result_of("preaccumulate", f));
    slopes = at.gradients(ys);
  }
  std::vector<Var<S>> results;
  results.reserve(ys.size());
  for (std::size_t i = 0; i < ys.size(); ++i)
    results.push_back(ys[i].place() == 0 ? Var<S>(ys[i].value()) : detail::statement<S>("preaccumulate", ys[i].value(), x, slopes[i]));
  if constexpr (detail::Vector<Y>) return results; else return results.front();
}

}  // namespace autodiff::inline v1
