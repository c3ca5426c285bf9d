// Apart from the examples because CLI11 takes longer to compile than they do.
#include "options.hpp"
#include <CLI/CLI.hpp>
#include <cstdlib>

namespace {

void parse(CLI::App& app, int argc, char** argv) {
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    std::exit(app.exit(error));
  }
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
