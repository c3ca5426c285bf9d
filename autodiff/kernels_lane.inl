// Private to the kernels, read once per instruction set (kernels_targets.inl). A SIMD vector that behaves as a number, so that the formula
// `1 - y * y` of a rule is itself the kernel. Its elementary functions: kernels_lane_math.inl.
//
// No masked loads anywhere: memory may be read one vector past its end, so a tail is a full load whose surplus lanes are ignored.
// (Besides, Highway 1.0.3's MaskedLoad reads a full vector on SSE4.)

/// The result of a comparison: true or false in each lane.
template <class T> struct Truth {
  using M = hn::Mask<hn::ScalableTag<T>>;
  M m;
  friend HWY_ATTR HWY_INLINE Truth operator&&(Truth a, Truth b) { return {hn::And(a.m, b.m)}; }
  friend HWY_ATTR HWY_INLINE Truth operator||(Truth a, Truth b) { return {hn::Or(a.m, b.m)}; }
  friend HWY_ATTR HWY_INLINE Truth operator!(Truth a) { return {hn::Not(a.m)}; }
  HWY_INLINE bool nowhere() const { return hn::AllFalse(hn::ScalableTag<T>(), m); }
};

template <class T> struct Lane {
  using D = hn::ScalableTag<T>;
  using V = hn::Vec<D>;
  V v;

  HWY_INLINE Lane() = default;
  HWY_INLINE Lane(V vector) : v(vector) {}
  template <class C> requires std::is_arithmetic_v<C>
  HWY_INLINE Lane(C c) : v(hn::Set(D(), static_cast<T>(c))) {}  // implicit: lets formulas say 1 - y

  static constexpr std::size_t size = HWY_LANES(T);
  static HWY_INLINE Lane load(const T* p) { return hn::LoadU(D(), p); }
  /// The first n; `rest` in the others.
  static HWY_INLINE Lane load_or(const T* p, std::size_t n, T rest) {
    if (n >= size) return load(p);
    return hn::IfThenElse(hn::FirstN(D(), n), hn::LoadU(D(), p), hn::Set(D(), rest));
  }
  HWY_INLINE void store(T* p) const { hn::StoreU(v, D(), p); }
  /// The first n only.
  HWY_INLINE void store(T* p, std::size_t n) const {
    if (n >= size) return store(p);
#if HWY_TARGET <= HWY_AVX2
    hn::BlendedStore(v, hn::FirstN(D(), n), D(), p);
#else  // no masked store in hardware: what Highway does instead also writes the neighbours, which other threads may own
    HWY_ALIGN T all[size];
    hn::Store(v, D(), all);
    for (std::size_t i = 0; i < n; ++i) p[i] = all[i];
#endif
  }

  friend HWY_ATTR HWY_INLINE Lane operator+(Lane a, Lane b) { return hn::Add(a.v, b.v); }
  friend HWY_ATTR HWY_INLINE Lane operator-(Lane a, Lane b) { return hn::Sub(a.v, b.v); }
  friend HWY_ATTR HWY_INLINE Lane operator*(Lane a, Lane b) { return hn::Mul(a.v, b.v); }
  friend HWY_ATTR HWY_INLINE Lane operator/(Lane a, Lane b) { return hn::Div(a.v, b.v); }
  friend HWY_ATTR HWY_INLINE Lane operator-(Lane a) { return hn::Neg(a.v); }
  HWY_INLINE Lane& operator+=(Lane b) { return *this = *this + b; }

  friend HWY_ATTR HWY_INLINE Truth<T> operator>(Lane a, Lane b) { return {hn::Gt(a.v, b.v)}; }
  friend HWY_ATTR HWY_INLINE Truth<T> operator<(Lane a, Lane b) { return {hn::Lt(a.v, b.v)}; }
  friend HWY_ATTR HWY_INLINE Truth<T> operator>=(Lane a, Lane b) { return {hn::Ge(a.v, b.v)}; }
  friend HWY_ATTR HWY_INLINE Truth<T> operator<=(Lane a, Lane b) { return {hn::Le(a.v, b.v)}; }
  friend HWY_ATTR HWY_INLINE Truth<T> operator==(Lane a, Lane b) { return {hn::Eq(a.v, b.v)}; }
#if HWY_TARGET <= HWY_AVX3  // Highway 1.0.3's Ne is false for NaN on AVX2 and AVX-512
  friend HWY_ATTR HWY_INLINE Truth<T> operator!=(Lane a, Lane b) {
    if constexpr (sizeof(T) == 4) return {{_mm512_cmp_ps_mask(a.v.raw, b.v.raw, _CMP_NEQ_UQ)}};
    else return {{_mm512_cmp_pd_mask(a.v.raw, b.v.raw, _CMP_NEQ_UQ)}};
  }
#else
  friend HWY_ATTR HWY_INLINE Truth<T> operator!=(Lane a, Lane b) { return {hn::Not(hn::Eq(a.v, b.v))}; }
#endif
  friend HWY_ATTR HWY_INLINE Lane select(Truth<T> c, Lane a, Lane b) { return hn::IfThenElse(c.m, a.v, b.v); }
  friend HWY_ATTR HWY_INLINE Lane select_or_zero(Truth<T> c, Lane a) { return hn::IfThenElseZero(c.m, a.v); }
  static HWY_INLINE Truth<T> first(std::size_t n) { return {hn::FirstN(D(), n)}; }

  friend HWY_ATTR HWY_INLINE Lane fma(Lane a, Lane b, Lane c) { return hn::MulAdd(a.v, b.v, c.v); }
  friend HWY_ATTR HWY_INLINE Lane abs(Lane a) { return hn::Abs(a.v); }
  friend HWY_ATTR HWY_INLINE Lane sqrt(Lane a) { return hn::Sqrt(a.v); }
  friend HWY_ATTR HWY_INLINE Lane copysign(Lane a, Lane sign) { return hn::CopySign(a.v, sign.v); }
  // As std::max and std::min do it, also with NaN and ±0: the first operand unless the second is beyond it.
#if HWY_ARCH_X86 && HWY_TARGET != HWY_SCALAR  // one instruction: b beyond a ? b : a
  friend HWY_ATTR HWY_INLINE Lane max(Lane a, Lane b) { return hn::Max(b.v, a.v); }
  friend HWY_ATTR HWY_INLINE Lane min(Lane a, Lane b) { return hn::Min(b.v, a.v); }
#else
  friend HWY_ATTR HWY_INLINE Lane max(Lane a, Lane b) { return hn::IfThenElse(hn::Lt(a.v, b.v), b.v, a.v); }
  friend HWY_ATTR HWY_INLINE Lane min(Lane a, Lane b) { return hn::IfThenElse(hn::Lt(b.v, a.v), b.v, a.v); }
#endif

  friend HWY_ATTR HWY_INLINE T sum(Lane a) { return hn::GetLane(hn::SumOfLanes(D(), a.v)); }
  friend HWY_ATTR HWY_INLINE T largest(Lane a) { return hn::GetLane(hn::MaxOfLanes(D(), a.v)); }
};
