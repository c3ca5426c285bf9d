// How pictures come about: a script and the program that draws it. Apart from the examples, so that it is compiled once.
#include "pictures.hpp"
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

namespace pictures {
namespace {

[[noreturn]] void give_up(const std::string& why) {
  std::fflush(stdout);
  std::fprintf(stderr, "no picture: %s\n", why.c_str());
  std::exit(1);
}

/// Writes directory/script, runs `command` there, and says which picture it made. Without the program the script is what remains.
void draw(const std::string& directory, const std::string& script, const std::string& text, const std::string& picture,
          const std::string& program, const std::string& arguments, const std::string& package) {
  std::error_code failed;
  std::filesystem::create_directories(directory, failed);
  if (failed) give_up("cannot make the directory " + directory + ": " + failed.message());
  const auto path = std::filesystem::path(directory);
  if (!(std::ofstream(path / script) << text << std::flush)) give_up("cannot write " + (path / script).string());

  std::filesystem::remove(path / picture, failed);  // of an earlier run
  std::fflush(stdout);
  if (std::system(("command -v " + program + " > /dev/null 2>&1").c_str()) != 0) {
    std::printf("no picture: %s is not installed (Debian package %s); with it, `%s %s` in %s draws it\n", program.c_str(), package.c_str(),
                program.c_str(), arguments.c_str(), directory.c_str());
    return;
  }
  std::string quoted;  // for the shell
  for (const char c : std::filesystem::absolute(path).string()) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  if (std::system(("cd '" + quoted + "' && " + program + " " + arguments).c_str()) != 0)
    give_up(program + " did not accept " + (path / script).string());
  std::ifstream png(path / picture);  // gnuplot does not say that the disk is full
  if (std::string(std::istreambuf_iterator<char>(png), {}).find("IEND") == std::string::npos)
    give_up(program + " could not write " + (path / picture).string());
  std::printf("picture: %s\n", (path / picture).string().c_str());
}

}  // namespace

void gnuplot(const std::string& directory, const std::string& name, int width, int height, const std::vector<Table>& tables,
             const std::string& commands) {
  std::ostringstream script;
  script.precision(9);
  script << "set terminal pngcairo size " << width << "," << height << " font 'DejaVu Sans,11' background rgb 'white'\n"
         << "set output '" << name << ".png'\n"
         << "set encoding utf8\n"
         << "set key noautotitle\n"
         << "set border 3 lc rgb '#707070'\n"
         << "set tics nomirror textcolor rgb '#404040'\n"
         << "set grid lc rgb '#e4e4e4' lt 1 lw 1\n"
         << "blue = 0x1f5fa8; orange = 0xe06c00; grey = 0x808080; dark = 0x303030; pale = 0xb8cde6\n\n";
  for (const Table& table : tables) {
    script << "$" << table.name << " << END\n";
    for (const auto& row : table.rows) {
      for (const double number : row) script << number << ' ';
      script << '\n';
    }
    script << "END\n\n";
  }
  draw(directory, name + ".gnuplot", script.str() + commands + "\n", name + ".png", "gnuplot", name + ".gnuplot", "gnuplot-nox");
}

void graphviz(const std::string& directory, const std::string& name, const std::string& dot) {
  draw(directory, name + ".dot", dot, name + ".png", "dot", "-Tpng -Gdpi=120 -o " + name + ".png " + name + ".dot", "graphviz");
}

}  // namespace pictures
