// Floor 0. Special functions the standard library lacks, or has with a catch. For double; the rules call them.
#pragma once

namespace autodiff::inline v1 {

/// ψ(x) = Γ'(x)/Γ(x), to about 1e-14 of its value for x > 0, and of max(1, |ψ|) for x < 0, where it has zeros between the poles.
/// Poles: −∞ at +0, +∞ at −0, NaN at −1, −2, … and −∞. ψ(+∞) = +∞.
double digamma(double x);

/// ψ⁽ⁿ⁾(x), the n-th derivative of digamma; polygamma(0, x) is digamma(x), n < 0 gives NaN. To about 1e-14 of its value, except for even n
/// halfway between two poles below 0: what they contribute cancels there, and the error is relative to that.
/// Poles: for odd n +∞ at 0, −1, −2, …; for even n −∞ at +0, +∞ at −0, NaN at −1, −2, …. ψ⁽ⁿ⁾(+∞) = 0 for n > 0.
double polygamma(int n, double x);

namespace detail {
/// log |Γ(x)| as std::lgamma, but safe in threads: that one writes the sign of Γ into a global.
double log_gamma(double x);
}  // namespace detail

}  // namespace autodiff::inline v1
