// How the examples keep their word: what they print is compared with what was published, and the first figure that is not reproduced
// ends the program with status 1.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <type_traits>

/// At the end: what was printed must have been written, too.
inline const struct AtTheEnd {
  ~AtTheEnd() {
    if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return;
    std::perror("the output could not be written");
    std::_Exit(1);
  }
} at_the_end;

/// Ends the program with status 1 if what it promises does not hold.
inline void claim(bool holds, const std::string& promise) {
  if (holds) return;
  std::fflush(stdout);
  std::fprintf(stderr, "does not hold: %s\n", promise.c_str());
  std::exit(1);
}

/// The label, 32 letters wide.
inline std::string padded(std::string label) {
  const auto letters = std::count_if(label.begin(), label.end(), [](char c) { return (c & 0xC0) != 0x80; });  // of UTF-8
  if (letters < 32) label.append(static_cast<std::size_t>(32 - letters), ' ');
  return label;
}

/// Prints the value with the digits that the published figure has, and claims that they are the same: up to half a unit of the last
/// digit, or `slack`, where the tutorial's own figures rest on rounded ones; 1e-12 of a figure is left to the compiler.
inline void show(const std::string& label, double value, const std::string& published, double slack = 0) {
  const auto point = published.find('.');
  const int digits = point == std::string::npos ? 0 : static_cast<int>(published.size() - point - 1);
  const double figure = std::stod(published);
  std::printf("  %s %.*f\n", padded(label).c_str(), digits, value);
  claim(std::abs(value - figure) <= std::max({0.5000001 * std::pow(10, -digits), slack, 1e-12 * std::abs(figure)}),
        label + ": " + std::to_string(value) + " to " + std::to_string(digits) + " digits is not the published " + published);
}

/// The same for all numbers of a tensor, published with so many digits behind the point.
template <class Tensor>
void show(const std::string& label, const Tensor& values, const std::type_identity_t<Tensor>& published, int digits) {
  claim(values.shape() == published.shape(), label + ": the shape is the published one");
  std::printf("  %s ", padded(label).c_str());
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::printf("%s%.*f", i ? ", " : "", std::min(digits, 9), values[i]);
    claim(std::abs(values[i] - published[i]) <= 0.5000001 * std::pow(10, -digits) + 1e-12 * std::abs(published[i]),
          label + ": number " + std::to_string(i) + " is " + std::to_string(values[i]) + ", published " + std::to_string(published[i]));
  }
  std::printf("\n");
}
