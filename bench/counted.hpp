// A number that counts: what one evaluation of a function costs in operations, whatever computes them.
#pragma once
#include <cmath>
#include <cstddef>

namespace bench {

struct Counted {
  static inline std::size_t operations = 0;
  double value = 0;
  Counted() = default;
  Counted(double v) : value(v) {}
  Counted& operator+=(const Counted& b) { return ++operations, value += b.value, *this; }
  Counted& operator-=(const Counted& b) { return ++operations, value -= b.value, *this; }
  Counted& operator*=(const Counted& b) { return ++operations, value *= b.value, *this; }
  Counted& operator/=(const Counted& b) { return ++operations, value /= b.value, *this; }
  friend Counted operator+(Counted a, const Counted& b) { return a += b; }
  friend Counted operator-(Counted a, const Counted& b) { return a -= b; }
  friend Counted operator*(Counted a, const Counted& b) { return a *= b; }
  friend Counted operator/(Counted a, const Counted& b) { return a /= b; }
  friend Counted operator-(const Counted& a) { return ++operations, Counted(-a.value); }
  friend bool operator<(const Counted& a, const Counted& b) { return a.value < b.value; }
  friend bool operator>(const Counted& a, const Counted& b) { return a.value > b.value; }
  friend Counted exp(const Counted& a) { return ++operations, Counted(std::exp(a.value)); }
  friend Counted log(const Counted& a) { return ++operations, Counted(std::log(a.value)); }
  friend Counted sqrt(const Counted& a) { return ++operations, Counted(std::sqrt(a.value)); }
  friend Counted tanh(const Counted& a) { return ++operations, Counted(std::tanh(a.value)); }
  friend Counted erfc(const Counted& a) { return ++operations, Counted(std::erfc(a.value)); }
  friend Counted sin(const Counted& a) { return ++operations, Counted(std::sin(a.value)); }
  friend Counted cos(const Counted& a) { return ++operations, Counted(std::cos(a.value)); }
};

}  // namespace bench
