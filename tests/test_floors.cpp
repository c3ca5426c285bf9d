// The layout, kept: every include points down the floors, nn sees autodiff through its door only, public headers bring
// neither third-party headers nor macros, and no file is forgotten. The map of the floors is the comment of the two doors,
// autodiff/autodiff.hpp and nn/nn.hpp: lines of a floor's number and its files, e.g. `//  2  tape.hpp  record, backward`.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;
using Tree = std::map<std::string, std::string>;  // path from the project's root → text
using Complaints = std::vector<std::string>;

const std::string door = "autodiff/autodiff.hpp";
const std::string nn_door = "nn/nn.hpp";

std::string folder(const std::string& path) { return path.substr(0, path.find('/')); }

std::vector<std::string> matches(const std::string& text, const std::regex& pattern, std::size_t group = 1) {
  std::vector<std::string> found;
  for (auto it = std::sregex_iterator(text.begin(), text.end(), pattern); it != std::sregex_iterator(); ++it) found.push_back((*it)[group]);
  return found;
}

std::string read(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

Tree read_library(const fs::path& root) {
  Tree tree;
  for (const char* top : {"autodiff", "nn"}) {
    if (!fs::exists(root / top)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(root / top)) {
      const std::string kind = entry.path().extension();
      if (kind == ".hpp" || kind == ".cpp" || kind == ".inl") tree[fs::relative(entry.path(), root)] = read(entry.path());
    }
  }
  return tree;
}

/// What a file includes; own files by their path from the root.
std::vector<std::string> includes(const Tree& tree, const std::string& path) {
  std::vector<std::string> found;
  for (std::string name : matches(tree.at(path), std::regex(R"((?:^|\n)[ \t]*#[ \t]*include[ \t]*[<"]([^>"\n]+)[>"])"))) {
    const std::string beside = fs::path(path).parent_path() / name;
    found.push_back(tree.contains(beside) ? beside : name);
  }
  return found;
}

/// Each file's floor, from the comment at the top of the two doors. A file that is not named there stands with the one whose name
/// it continues: tape.inl with tape.hpp, kernels_float.cpp with kernels.hpp.
std::map<std::string, int> floors(const Tree& tree) {
  std::map<std::string, int> named;  // by path without extension
  for (const std::string& map : {door, nn_door}) {
    if (!tree.contains(map)) continue;
    std::istringstream lines(tree.at(map));
    std::string line;
    int number = -1;
    while (std::getline(lines, line) && (line.starts_with("//") || line.empty())) {
      std::smatch part;
      if (std::regex_search(line, part, std::regex(R"(^//+\s+(\d)\s)"))) number = std::stoi(part[1]);
      else if (!std::regex_search(line, std::regex(R"(^//+\s+\w+\.(hpp|cpp|inl)\b)"))) number = -1;  // prose
      if (number < 0) continue;
      for (const std::string& stem : matches(line, std::regex(R"((\w+)\.(?:hpp|cpp|inl)\b)"))) named.try_emplace(folder(map) + "/" + stem, number);
    }
    named[map.substr(0, map.find('.'))] = 100;
  }
  std::map<std::string, int> floor;
  for (const auto& [path, text] : tree) {
    std::string stem = path.substr(0, path.find('.'));
    while (!named.contains(stem) && stem.find('_') != std::string::npos) stem.resize(stem.rfind('_'));
    if (named.contains(stem)) floor[path] = named.at(stem);
  }
  return floor;
}

/// What a program that includes the doors reads.
std::set<std::string> public_files(const Tree& tree) {
  std::set<std::string> seen;
  std::vector<std::string> next{door, nn_door};
  while (!next.empty()) {
    const std::string path = next.back();
    next.pop_back();
    if (!tree.contains(path) || !seen.insert(path).second) continue;
    for (const std::string& name : includes(tree, path)) next.push_back(name);
  }
  return seen;
}

Complaints on_no_floor(const Tree& tree) {
  Complaints found;
  const auto floor = floors(tree);
  for (const auto& [path, text] : tree) {
    if (!floor.contains(path)) found.push_back(path + " stands on no floor of the map in " + (folder(path) == "nn" ? nn_door : door));
  }
  return found;
}

Complaints pointing_up(const Tree& tree) {
  Complaints found;
  const auto floor = floors(tree);
  for (const auto& [path, text] : tree) {
    for (const std::string& name : includes(tree, path)) {
      if (folder(path) != folder(name) || !floor.contains(path) || !floor.contains(name)) continue;
      if (floor.at(name) > floor.at(path)) {
        found.push_back(path + " (floor " + std::to_string(floor.at(path)) +
            ") includes " + name + " (floor " + std::to_string(floor.at(name)) + ")");
      }
    }
  }
  return found;
}

Complaints past_the_door(const Tree& tree) {
  Complaints found;
  for (const auto& [path, text] : tree) {
    for (const std::string& name : includes(tree, path)) {
      const bool reaches_in = folder(path) == "nn" && folder(name) == "autodiff" && name != door;
      const bool turns_round = folder(path) == "autodiff" && folder(name) == "nn";
      if (reaches_in || turns_round) found.push_back(path + " includes " + name);
    }
  }
  return found;
}

Complaints foreign_includes(const Tree& tree) {
  Complaints found;
  for (const std::string& path : public_files(tree)) {
    for (const std::string& name : includes(tree, path)) {
      const bool standard = std::regex_match(name, std::regex("[a-z_0-9]+"));
      const bool heavy = name == "iostream" || name == "functional" || name == "memory" || name == "regex" || name == "thread";
      if (!tree.contains(name) && (!standard || heavy)) found.push_back(path + " includes <" + name + ">");
    }
  }
  return found;
}

Complaints macros(const Tree& tree) {
  Complaints found;
  for (const std::string& path : public_files(tree)) {
    for (const std::string& name : matches(tree.at(path), std::regex(R"((?:^|\n)[ \t]*#[ \t]*define[ \t]+(\w+))"))) {
      found.push_back(path + " defines " + name);
    }
  }
  return found;
}

std::string lines(const Complaints& complaints) {
  std::string text;
  for (const std::string& complaint : complaints) text += complaint + "\n";
  return text;
}

const fs::path root = AUTODIFF_SOURCE_DIR;
const Tree library = read_library(root);
// A small library in which everything is right, for the checks of the checks.
const Tree example{
    {"autodiff/autodiff.hpp",
     "// The door.\n//  1  var.hpp  variables\n//     kernels.hpp\n//  0  shape.hpp\n// Read var.hpp.\n#include \"autodiff/var.hpp\"\n"},
    {"autodiff/var.hpp", "#include <autodiff/shape.hpp>\n"},
    {"autodiff/var.cpp", "#include \"autodiff/var.hpp\"\n#include <fmt/format.h>\n#define LOCAL\n"},
    {"autodiff/kernels_float.inl", "\n"},
    {"autodiff/shape.hpp", "#include <vector>\n"},
    {"nn/nn.hpp", "// 0 io.hpp\n#include <nn/io.hpp>\n"},
    {"nn/io.hpp", "#include <autodiff/autodiff.hpp>\n"},
};

Tree with(std::string path, std::string text) {
  Tree changed = example;
  changed[path] += text;
  return changed;
}

}  // namespace

TEST_CASE("every file of the library stands on a floor of the map") { CHECK(lines(on_no_floor(library)) == ""); }
TEST_CASE("the README has every header on its floor") {
  const std::string readme = read(root / "README.md");
  const auto floor = floors(library);
  for (const std::string& path : public_files(library)) {
    if (folder(path) != "autodiff" || !path.ends_with(".hpp") || path == door) continue;
    std::ostringstream row, name;
    row << "\n| " << floor.at(path) << " |";
    name << '`' << path.substr(std::string("autodiff/").size()) << '`';
    const std::size_t begin = readme.find(row.str());
    REQUIRE(begin != std::string::npos);
    CHECK_MESSAGE(readme.substr(begin, readme.find('\n', begin + 1) - begin).find(name.str()) != std::string::npos, path);
  }
}
TEST_CASE("every include points down the floors") { CHECK(lines(pointing_up(library)) == ""); }
TEST_CASE("nn sees autodiff only through its door, and autodiff does not see nn") { CHECK(lines(past_the_door(library)) == ""); }
TEST_CASE("a public header includes nothing from third parties and none of the heavy standard headers") {
  CHECK(public_files(library).size() > 10);
  CHECK(lines(foreign_includes(library)) == "");
}
TEST_CASE("a public header defines no macro") { CHECK(lines(macros(library)) == ""); }

TEST_CASE("the layout's checks see what they look for") {
  const auto floor = floors(example);
  CHECK(floor.at("autodiff/var.hpp") == 1);
  CHECK(floor.at("autodiff/kernels_float.inl") == 1);
  CHECK(floor.at("autodiff/shape.hpp") == 0);
  for (const auto& check : {on_no_floor, pointing_up, past_the_door, foreign_includes, macros}) CHECK(lines(check(example)) == "");

  CHECK(lines(on_no_floor(with("nn/new.hpp", ""))) == "nn/new.hpp stands on no floor of the map in nn/nn.hpp\n");
  CHECK(lines(pointing_up(with("autodiff/shape.hpp", "#include \"var.hpp\"\n"))) ==
      "autodiff/shape.hpp (floor 0) includes autodiff/var.hpp (floor 1)\n");
  CHECK(lines(pointing_up(with("autodiff/var.cpp", "# include <autodiff/autodiff.hpp>"))) ==
      "autodiff/var.cpp (floor 1) includes autodiff/autodiff.hpp (floor 100)\n");
  CHECK(lines(past_the_door(with("nn/io.hpp", "#include <autodiff/var.hpp>\n"))) == "nn/io.hpp includes autodiff/var.hpp\n");
  CHECK(lines(past_the_door(with("autodiff/var.cpp", "#include <nn/io.hpp>\n"))) == "autodiff/var.cpp includes nn/io.hpp\n");
  CHECK(lines(foreign_includes(with("autodiff/shape.hpp", "#include <fmt/core.h>\n#include <iostream>\n"))) ==
        "autodiff/shape.hpp includes <fmt/core.h>\nautodiff/shape.hpp includes <iostream>\n");
  CHECK(lines(macros(with("nn/io.hpp", "  #  define TWICE(x) x x\n"))) == "nn/io.hpp defines TWICE\n");
}

TEST_CASE("every source file, test, example, benchmark and case that must not compile is in its meson.build") {
  const auto forgotten = [](const char* where, const char* build, const char* prefix, bool with_folder) {
    Complaints found;
    const std::string text = read(root / build);
    if (!fs::exists(root / where)) return found;
    for (const auto& entry : fs::directory_iterator(root / where)) {
      const std::string stem = entry.path().stem();
      if (entry.path().extension() != ".cpp" || !stem.starts_with(prefix)) continue;
      const std::string file = (with_folder ? std::string(where) + "/" : "'") + stem + ".cpp'",
          name = "'" + stem.substr(std::string(prefix).size()) + "'";
      const bool named = !with_folder && text.find(name) != std::string::npos;  // where a list of names makes programs or tests
      if (!named && text.find(file) == std::string::npos) found.push_back(std::string(where) + "/" + stem + ".cpp is not in " + build);
    }
    return found;
  };
  CHECK(lines(forgotten("autodiff", "meson.build", "", true)) == "");
  CHECK(lines(forgotten("nn", "meson.build", "", true)) == "");
  CHECK(lines(forgotten("examples", "examples/meson.build", "", false)) == "");
  CHECK(lines(forgotten("bench", "bench/meson.build", "", false)) == "");
  CHECK(lines(forgotten("tests", "tests/meson.build", "test_", false)) == "");
  CHECK(lines(forgotten("tests/must_not_compile", "tests/meson.build", "", false)) == "");
}

TEST_CASE("meson.build installs the headers that the doors lead to, and no others") {
  const std::string text = read(root / "meson.build");
  const std::string installed = text.substr(std::min(text.size(), text.find("install_headers(")));
  for (const auto& file : library) {  // no structured binding: INFO captures, and clang 14 cannot capture one
    const std::string& path = file.first;
    if (path.ends_with(".cpp")) continue;
    INFO(path);
    CHECK((installed.find("'" + path + "'") != std::string::npos) == public_files(library).contains(path));
  }
}
