// Private to the kernels, read once per instruction set (kernels_targets.inl). Elementary functions of lanes. The exponential and what rests on it
// are ours: one instruction scales by 2ⁿ on AVX-512, and NaN, ±∞ and overflow need no repair. The others are Highway's polynomials, good to a few
// ULP where they hold, and around them what they leave out: ±∞, NaN, the ends of the domain, arguments too large for a short reduction.
// The bounds in rules.inl are measured on these (tests/test_kernels.cpp).

template <class T> constexpr T infinity = std::numeric_limits<T>::infinity();
template <class T> constexpr T not_a_number = std::numeric_limits<T>::quiet_NaN();
/// f of each number, one by one.
template <class T, class F> HWY_INLINE Lane<T> each(Lane<T> x, F f) {
  HWY_ALIGN T all[Lane<T>::size];
  x.store(all);
  for (T& number : all) number = f(number);
  return Lane<T>::load(all);
}

// ---- rounding -------------------------------------------------------------------------------------------------------

#if HWY_TARGET == HWY_SCALAR
template <class T> HWY_INLINE Lane<T> floor(Lane<T> x) { return std::floor(x.v.raw); }
template <class T> HWY_INLINE Lane<T> ceil(Lane<T> x) { return std::ceil(x.v.raw); }
template <class T> HWY_INLINE Lane<T> trunc(Lane<T> x) { return std::trunc(x.v.raw); }
#else
template <class T> HWY_INLINE Lane<T> floor(Lane<T> x) { return hn::Floor(x.v); }
template <class T> HWY_INLINE Lane<T> ceil(Lane<T> x) { return hn::Ceil(x.v); }
template <class T> HWY_INLINE Lane<T> trunc(Lane<T> x) { return hn::Trunc(x.v); }
#endif
/// Halves go away from 0, as std::round does.
template <class T> HWY_INLINE Lane<T> round(Lane<T> x) {
  const Lane<T> t = trunc(x);
  return copysign(select(abs(x - t) >= Lane<T>(0.5), abs(t) + 1, abs(t)), x);
}

// ---- exponentials ---------------------------------------------------------------------------------------------------

/// 1.5 · 2^(digits − 1): x + it − it is x rounded to a whole number, and x + it has that number in its lowest bits.
template <class T> constexpr T rounding_bias = T(1.5) * static_cast<T>(std::uint64_t{1} << (std::numeric_limits<T>::digits - 1));

/// y · 2ⁿ for whole n, rounded once, where `is`; else 0. (Lanes that are off cost nothing, while 2⁻¹⁵⁰ would cost a trap into microcode.)
template <class T> HWY_INLINE Lane<T> scale(Truth<T> is, Lane<T> y, Lane<T> n) {
#if HWY_TARGET <= HWY_AVX3
  if constexpr (sizeof(T) == 4) return hn::Vec<hn::ScalableTag<T>>{_mm512_maskz_scalef_ps(is.m.raw, y.v.raw, n.v.raw)};
  else return hn::Vec<hn::ScalableTag<T>>{_mm512_maskz_scalef_pd(is.m.raw, y.v.raw, n.v.raw)};
#else  // in two steps, since 2ⁿ itself may be out of range
  constexpr int digits = std::numeric_limits<T>::digits - 1, bias = std::numeric_limits<T>::max_exponent - 1;
  constexpr T round = rounding_bias<T>;
  const auto power = [](Lane<T> k) HWY_ATTR -> Lane<T> {
    const hn::RebindToSigned<hn::ScalableTag<T>> whole;
    return hn::BitCast(hn::ScalableTag<T>(), hn::ShiftLeft<digits>(hn::BitCast(whole, (k + Lane<T>(round + T(bias))).v)));
  };
  n = select_or_zero(is, n);
  const Lane<T> half = (n * Lane<T>(0.5) + Lane<T>(round)) - Lane<T>(round);
  return select_or_zero(is, y * power(half) * power(n - half));
#endif
}

/// eˣ = (1 + p) · 2ⁿ with |x − n log 2| ≤ log 2 / 2 and p = r + r²·q(r): q by Chebyshev's interpolation, its error 0.1 ULP of eˣ.
template <class T> struct Reduced {
  Lane<T> n, p;
  explicit HWY_INLINE Reduced(Lane<T> x) {
    using X = Lane<T>;
    constexpr T round = rounding_bias<T>;
    n = fma(x, X(1.4426950408889634074), X(round)) - X(round);
    if constexpr (sizeof(T) == 4) {
      const X r = fma(n, X(2.1219444005469058277e-4), fma(n, X(-0.693359375), x)), r2 = r * r;
      p = fma(fma(fma(X(0.0013926213466332443), r2, fma(X(0.0083632029715758550), r, X(0.041666554437685939))),
          r2, fma(X(0.16666576845976394), r, X(0.5))), r2, r);
    } else {
      const X r = fma(n, X(-1.2996506893889888371e-8), fma(n, X(-0.6931471675634384), x)), r2 = r * r, r4 = r2 * r2;
      const X q01 = fma(X(0.16666666666666667456), r, X(0.50000000000000010262)),
          q23 = fma(X(0.0083333333333300513464), r, X(0.041666666666623991516));
      const X q45 = fma(X(0.00019841269863105968748), r, X(0.0013888888917281793308)),
          q67 = fma(X(2.7557268378684192873e-6), r, X(0.000024801521190217727651));
      const X q89 = fma(X(2.5100424157005066788e-8), r, X(2.7620138719973995569e-7));
      p = fma(fma(fma(q89, r4, fma(q67, r2, q45)), r4, fma(q23, r2, q01)), r2, r);
    }
  }
};

/// Below this eˣ is 0, …
template <class T> constexpr T exp_low = sizeof(T) == 4 ? T(-104) : T(-746);
/// … and from this on ∞; min lets a NaN through.
template <class T> constexpr T exp_high = sizeof(T) == 4 ? T(89) : T(710);

template <class T> HWY_INLINE Lane<T> exp(Lane<T> x) {
  const Reduced<T> e(min(x, Lane<T>(exp_high<T>)));
  return scale(!(x < Lane<T>(exp_low<T>)), 1 + e.p, e.n);
}
template <class T> HWY_INLINE Lane<T> expm1(Lane<T> x) {
  const Reduced<T> e(min(x, Lane<T>(exp_high<T>)));
  const Lane<T> y = scale(!(x < Lane<T>(exp_low<T>)), 1 + e.p, e.n) - 1;
  return select(x == Lane<T>(0), x, select(e.n == Lane<T>(0), e.p, y));  // −0 stays
}
/// E/(E + 2) for E = e^(2|x|) − 1; from 2|x| = 40 on that is 1.
template <class T> HWY_INLINE Lane<T> tanh(Lane<T> x) {
  const Reduced<T> e(min(abs(x) + abs(x), Lane<T>(40)));
  const Lane<T> s = scale(x == x, Lane<T>(1), e.n), y = fma(s, e.p, s - 1);
  return copysign(y / (y + 2), x);
}

template <class T> HWY_INLINE Lane<T> sinh(Lane<T> x) {
  const Lane<T> e = expm1(min(abs(x), Lane<T>(20))), half = exp(abs(x) * Lane<T>(0.5));
  const Lane<T> near = Lane<T>(0.5) * (e + e / (e + 1)), far = half * Lane<T>(0.5) * half;  // eˣ overflows before sinh does
  return copysign(select(abs(x) < Lane<T>(20), near, far), x);
}
template <class T> HWY_INLINE Lane<T> cosh(Lane<T> x) {
  const Lane<T> half = exp(abs(x) * Lane<T>(0.5)), whole = exp(min(abs(x), Lane<T>(20)));
  return select(abs(x) < Lane<T>(20), Lane<T>(0.5) * (whole + 1 / whole), half * Lane<T>(0.5) * half);
}

// ---- the error function ---------------------------------------------------------------------------------------------

/// Σ c[i] xⁱ
template <class T, std::size_t n> HWY_INLINE Lane<T> polynomial(const T (&c)[n], Lane<T> x) {
  Lane<T> y(c[n - 1]);
  [&]<std::size_t... i>(std::index_sequence<i...>) HWY_ATTR { ((y = fma(y, x, Lane<T>(c[n - 2 - i]))), ...); }(std::make_index_sequence<n - 1>());
  return y;
}
/// e^(−x²) to all digits, although x² has twice as many as fit: x² = h + l.
template <class T> HWY_INLINE Lane<T> exp_minus_square(Lane<T> x) {
#if HWY_TARGET <= HWY_AVX2
  const Lane<T> h = x * x, l = fma(x, x, -h), e = exp(-h);
  return fma(-l, e, e);
#else  // no fused multiply–add: h is the square of x to sixteenths
  const Lane<T> sixteenths = round(x * Lane<T>(16)) * Lane<T>(1.0 / 16);
  return exp(-(sixteenths * sixteenths)) * exp((sixteenths - x) * (sixteenths + x));
#endif
}
/// erf x for |x| ≤ 1, as x + x·p(x²): p by Chebyshev's interpolation, its error below 0.1 ULP.
template <class T> HWY_INLINE Lane<T> erf_near(Lane<T> x) {
  if constexpr (sizeof(T) == 4) {
    constexpr T p[] = {0.128379166f, -0.376126267f, 0.112835947f, -0.026854212f, 0.00518908742f, -0.000801686429f, 7.87587506e-5f};
    return fma(x, polynomial(p, x * x), x);
  } else {
    constexpr T p[] = {0.12837916709551257, -0.3761263890318354, 0.11283791670945006, -0.02686617064323777, 0.0052239776071164227,
                       -0.00085483259753896921, 0.00012055294904839708, -1.492473690741966e-5, 1.6447424703317362e-6, -1.6208483801871706e-7,
                       1.3720064546777686e-8, -7.7958988270021422e-10};
    return fma(x, polynomial(p, x * x), x);
  }
}
/// erfc x for x in 0.5 … 28, where it is 0: e^(−x²)·f(q)/(1 + 2x) with q = (x − k)/(x + k), in which f is smooth all the way (Shepherd and
/// Laframboise, Chebyshev approximation of (1 + 2x) exp(x²) erfc x, 1981); f by Chebyshev's interpolation, its error 0.1 to 0.3 ULP.
template <class T> HWY_INLINE Lane<T> erfc_far(Lane<T> x) {
  using X = Lane<T>;
  const auto of = [x](const auto& f, T k) HWY_ATTR { return exp_minus_square(x) * (polynomial(f, (x - X(k)) / (x + X(k))) / fma(X(2), x, X(1))); };
  if constexpr (sizeof(T) == 4) {
    constexpr T f[] = {1.27697839f, -0.0927639028f, -0.166031526f, 0.164053104f, -0.0542032075f, -0.00804248141f,
                       0.00863181807f, 0.00126266341f, -0.00124907664f, -0.000350061971f, 3.29297882e-05f};
    return of(f, T(2));
  } else {
    constexpr T f[] = {1.2329951186255526, -0.13962111684056289, 0.015379652102620741, 0.068097054254737319, -0.10103906603635213,
                       0.09373283499679412, -0.066330365811529388, 0.037167515562492863, -0.016197734059115006, 0.005031969755895426,
                       -0.00075777334141333, -0.00019925550755614952, 0.00015062224394830299, -2.4403169244974074e-05, -1.1224789135154701e-05,
                       5.7178872846321855e-06, 3.0135049944875397e-07, -8.3516196886968469e-07, 6.2707271571983109e-08, 1.1534943745754157e-07,
                       -7.7154186144178302e-09, -1.3670989863347383e-08, -1.8206098680308682e-09};
    return of(f, T(4));
  }
}
template <class T> HWY_INLINE Lane<T> erf(Lane<T> x) {
  const Lane<T> a = abs(x), far = 1 - erfc_far(min(a, Lane<T>(28)));
  return select(a < Lane<T>(1), erf_near(x), copysign(far, x));
}
template <class T> HWY_INLINE Lane<T> erfc(Lane<T> x) {
  const Lane<T> a = abs(x), far = erfc_far(min(a, Lane<T>(28)));
  return select(a < Lane<T>(0.5), 1 - erf_near(x), select(x < Lane<T>(0), 2 - far, far));
}

// ---- logarithms -----------------------------------------------------------------------------------------------------

/// y, and what Highway's logarithms give wrong: at `pole` −∞, below it NaN, ∞ and NaN as they are.
template <class T> HWY_INLINE Lane<T> with_ends(Lane<T> x, Lane<T> y, T pole) {
  const Truth<T> inside = x > Lane<T>(pole) && x < Lane<T>(infinity<T>);
  if ((!inside).nowhere()) [[likely]] return y;
  return select(inside, y, select(x == Lane<T>(pole), Lane<T>(-infinity<T>), select(x < Lane<T>(pole), Lane<T>(not_a_number<T>), x)));
}
template <class T> HWY_INLINE Lane<T> log(Lane<T> x) { return with_ends(x, Lane<T>(hn::Log(hn::ScalableTag<T>(), x.v)), T(0)); }
template <class T> HWY_INLINE Lane<T> log2(Lane<T> x) { return with_ends(x, Lane<T>(hn::Log2(hn::ScalableTag<T>(), x.v)), T(0)); }
template <class T> HWY_INLINE Lane<T> log10(Lane<T> x) { return with_ends(x, Lane<T>(hn::Log10(hn::ScalableTag<T>(), x.v)), T(0)); }
template <class T>
HWY_INLINE Lane<T> log1p(Lane<T> x) { return with_ends(x, select(x == Lane<T>(0), x, Lane<T>(hn::Log1p(hn::ScalableTag<T>(), x.v))), T(-1)); }

/// log(1 + x) for x in 0 … 1, where there are no ends to mend: in float x + x²·p(x), p by Chebyshev's interpolation of log(1 + x)/x, its error
/// 0.1 ULP; no division, a third of the latency.
template <class T> HWY_INLINE Lane<T> log1p_of_fraction(Lane<T> x) {
  using X = Lane<T>;
  if constexpr (sizeof(T) == 4) {
    const X x2 = x * x, x4 = x2 * x2;
    const X p01 = fma(X(0.33329710498909654), x, X(-0.49999892648062794)), p23 = fma(X(0.1966327425703815), x, X(-0.24951616262817627));
    const X p45 = fma(X(0.10543623795455226), x, X(-0.15269667074153756)), p67 = fma(X(0.019542527264495183), x, X(-0.05637361283377445));
    const X low = fma(p23, x2, p01), high = fma(X(-0.003176057019500076), x4, fma(p67, x2, p45));
    return fma(fma(high, x4, low), x2, x);
  } else return hn::Log1p(hn::ScalableTag<T>(), x.v);
}

// ---- circular and inverse -------------------------------------------------------------------------------------------

template <class T> HWY_INLINE Lane<T> asin(Lane<T> x) { return hn::Asin(hn::ScalableTag<T>(), x.v); }
template <class T> HWY_INLINE Lane<T> acos(Lane<T> x) { return hn::Acos(hn::ScalableTag<T>(), x.v); }
template <class T> HWY_INLINE Lane<T> atan(Lane<T> x) { return hn::Atan(hn::ScalableTag<T>(), x.v); }
template <class T> HWY_INLINE Lane<T> asinh(Lane<T> x) {
  return select(abs(x) < Lane<T>(infinity<T>), Lane<T>(hn::Asinh(hn::ScalableTag<T>(), x.v)), x);
}
template <class T> HWY_INLINE Lane<T> acosh(Lane<T> x) {
  return select(x >= Lane<T>(1) && x < Lane<T>(infinity<T>),
      Lane<T>(hn::Acosh(hn::ScalableTag<T>(), x.v)), select(x < Lane<T>(1), Lane<T>(not_a_number<T>), x));
}
template <class T> HWY_INLINE Lane<T> atanh(Lane<T> x) {
  const Lane<T> a = abs(x);
  return copysign(Lane<T>(0.5), x) * log1p((a + a) / (1 - a));
}

/// Highway reduces arguments up to 39 000; what is larger, and ∞, goes through the scalar function.
template <class T> constexpr T short_reduction = 39000;
template <class T, class F> HWY_INLINE Lane<T> with_far(Lane<T> x, Lane<T> near, const F& scalar) {  // no lane depends on its neighbours
  const auto far = abs(x) > Lane<T>(short_reduction<T>);
  if (far.nowhere()) [[likely]] return near;
  return select(far, each(x, scalar), near);
}
/// Within ±1: in float Highway's are 1 + 2⁻²³ here and there, and √(1 − y²) would be NaN.
template <class T> HWY_INLINE Lane<T> within_one(Lane<T> y) {
  if constexpr (sizeof(T) == 4) return min(max(y, Lane<T>(-1)), Lane<T>(1)); else return y;
}
template <class T> HWY_INLINE Lane<T> sin(Lane<T> x) {
  const Lane<T> near = select(x == Lane<T>(0), x, within_one(Lane<T>(hn::Sin(hn::ScalableTag<T>(), x.v))));  // −0 stays
  return with_far(x, near, [](T number) { return std::sin(number); });
}
template <class T> HWY_INLINE Lane<T> cos(Lane<T> x) {
  const Lane<T> near = select(x == Lane<T>(0), Lane<T>(1),
      within_one(Lane<T>(hn::Cos(hn::ScalableTag<T>(), x.v))));  // Highway's cos 0 is below 1 in double
  return with_far(x, near, [](T number) { return std::cos(number); });
}
