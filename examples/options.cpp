// Apart from the examples because CLI11 takes longer to compile than they do.
#include "options.hpp"
#include <CLI/CLI.hpp>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <sstream>

namespace {

void parse(CLI::App& app, int argc, char** argv) {
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    std::exit(app.exit(error));
  }
}

/// NaN where the text is no number.
double number(const std::string& text) {
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  return *end == 0 && end != text.c_str() ? value : std::nan("");
}

}  // namespace

void no_options(int argc, char** argv, const std::string& what_it_does) {
  CLI::App app{what_it_does};
  parse(app, argc, argv);
}

std::string picture_directory(int argc, char** argv, const std::string& what_it_does) {
  CLI::App app{what_it_does};
  std::string directory = "pictures";
  app.add_option("--pictures", directory, "where the pictures go")->capture_default_str();
  parse(app, argc, argv);
  return directory;
}

std::string above_0(const std::string& text) {
  const double value = number(text);
  return value > 0 && std::isfinite(value) ? "" : "must be a number above 0, not " + text;
}

std::string seed_number(const std::string& text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? "" : "must be a whole number from 0 to 2^64 - 1, not " + text;
}

std::function<std::string(const std::string&)> from_to(double low, double high) {
  return [low, high](const std::string& text) {
    const double value = number(text);
    std::ostringstream wrong;
    if (!(value >= low && value <= high)) wrong << "must be a number from " << low << " to " << high << ", not " << text;
    return wrong.str();
  };
}
