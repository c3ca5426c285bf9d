// What training costs beside time: memory while training (c), and for a hello-world trainer its size with the libraries it loads,
// its compile time and its start-up time. Each is measured on a process of its own.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fmt/core.h>
#include <fstream>
#include <iterator>
#include <sstream>
#include "training_parts.hpp"
#include "training_process.hpp"

namespace training {

namespace {

namespace fs = std::filesystem;

/// What the tables call an entrant.
std::string called(const std::string& name) { return name == "engine" ? "autodiff" : name == "hand" ? "hand-written" : name; }

/// A line "VmHWM:  123 kB" of this process's status, in bytes.
double status_bytes(const std::string& key) {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with(key + ":")) return std::stod(line.substr(key.size() + 1)) * 1024;
  return 0;
}

std::string megabytes(double bytes) { return bytes < 0.1e6 ? bench::show(bytes / 1e3) + " kB" : bench::show(bytes / 1e6) + " MB"; }

struct Size {
  double program = 0, libraries = 0;  ///< bytes; libraries beyond those of C and C++ that every program loads
  std::size_t count = 0;
};

Size program_size(const std::string& program) {
  Size size;
  const fs::path stripped = fs::temp_directory_path() / fmt::format("training-stripped-{}", static_cast<long>(bench::now() * 1e6));
  if (run_program({"strip", "-o", stripped.string(), program}).ok) size.program = static_cast<double>(fs::file_size(stripped));
  fs::remove(stripped);
  std::istringstream lines(run_program({"ldd", program}).output);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t at = line.find("=> /");
    if (at == std::string::npos) continue;
    const fs::path file = line.substr(at + 3, line.find(" (") - at - 3);
    const std::string name = file.filename().string();
    constexpr const char* common[] = {"libc.so", "libm.so", "libstdc++.so", "libgcc_s.so", "libpthread.so", "libdl.so", "librt.so"};
    if (std::any_of(std::begin(common), std::end(common), [&](const char* c) { return name.starts_with(c); })) continue;
    size.libraries += static_cast<double>(fs::file_size(file));
    ++size.count;
  }
  return size;
}

struct Hello {
  const char *name, *file, *flags;
};
constexpr Hello hellos[] = {{"engine", "training_hello_engine", "-std=c++20 -I" TRAINING_SOURCE},
                            {"libtorch", "training_hello_torch", "-std=c++17 -I/usr/include/torch/csrc/api/include"},
                            {"dlib", "training_hello_dlib", "-std=c++17"}};

/// Seconds to compile (not link) the hello-world trainer with -O2, or 0 where it can't be. The second time counts: its headers are in memory.
double compile_time(const Hello& hello) {
  const char* const compiler = std::getenv("CXX");
  std::istringstream words(fmt::format("{} {} -O2 -c -o /dev/null", compiler && *compiler ? compiler : "c++", hello.flags));
  std::vector<std::string> command{std::istream_iterator<std::string>(words), {}};
  command.push_back(fmt::format("{}/bench/{}.cpp", TRAINING_SOURCE, hello.file));
  (void)run_program(command);
  const Finished f = run_program(command);
  return f.ok ? f.seconds : 0;
}

}  // namespace

void print_memory(const std::string& contestant, bool quick) {
  const Problem problem = problems(quick)[2];
  const Samples samples = make_samples(problem);
  const Parameters initial = initial_parameters(problem, 1);
  std::ofstream("/proc/self/clear_refs") << 5;  // the peak from here on
  const double data = static_cast<double>(problem.samples * problem.sizes.front() * sizeof(float) + problem.samples * sizeof(int));
  std::vector<std::string> missing;
  const auto all = entrants({contestant}, missing);
  if (all.empty()) throw std::runtime_error(missing.empty() ? contestant + " is no contestant" : missing.front());
  const auto trainer = all.front().trainer(problem, samples);
  const double loaded = status_bytes("VmRSS");
  trainer->reset(initial);
  trainer->train(1);
  const double peak = status_bytes("VmHWM");
  fmt::print("{}\n", nlohmann::json{{"data", data}, {"peak", peak}, {"above_data", peak - data}, {"by_training", peak - loaded}}.dump());
}

Part measure_footprint(const Plan& plan) {
  Part part;
  std::vector<std::vector<std::string>> memory{{"memory, (c) SGD", "peak", "peak without the samples", "grown while training"}};
  for (const std::string& name : plan.with) {
    std::vector<std::string> command{fs::read_symlink("/proc/self/exe").string(), "--measure-memory", name};
    if (plan.quick) command.push_back("--quick");
    const Finished f = run_program(command);
    if (!f.ok) {
      fmt::print(stderr, "memory of {}: not measured, it is not installed or stopped\n", called(name));
      continue;
    }
    const auto json = nlohmann::json::parse(f.output);
    memory.push_back({called(name), megabytes(json["peak"]), megabytes(json["above_data"]), megabytes(json["by_training"])});
    part.json["memory"][name] = json;
  }
  std::vector<std::vector<std::string>> rows{
      {"hello-world trainer", "program, stripped", "libraries it loads", "compile, -O2", "start-up"}};
  for (const Hello& hello : hellos) {
    if (std::find(plan.with.begin(), plan.with.end(), hello.name) == plan.with.end()) continue;
    const std::string program = program_folder() + "/" + hello.file;
    if (!fs::exists(program)) continue;
    const Size size = program_size(program);
    std::vector<double> starts;
    for (int i = 0; i < (plan.quick ? 5 : 15); ++i) {
      const Finished f = run_program({program, "0"});
      if (!f.ok) part.failures.push_back(program + " does not run");
      starts.push_back(f.seconds);
    }
    const bool compiles = std::find(plan.compile_too.begin(), plan.compile_too.end(), hello.name) != plan.compile_too.end();
    const double compile = compiles ? compile_time(hello) : 0;
    rows.push_back({called(hello.name), megabytes(size.program), fmt::format("{} ({})", megabytes(size.libraries), size.count),
                    compile > 0 ? bench::duration(compile) : "–", bench::duration(bench::spread(starts).median)});
    part.json["hello"][hello.name] = {{"program_bytes", size.program},
                                      {"library_bytes", size.libraries},
                                      {"libraries", size.count},
                                      {"compile_seconds", compile},
                                      {"start_seconds", bench::to_json(bench::spread(starts))}};
  }
  part.markdown = "## Footprint\n\n" + bench::markdown(memory) + "\nOne epoch in a process of its own, its libraries included.\n\n" +
                  bench::markdown(rows) +
                  "\nLibraries: all shared libraries that the program loads, beyond those of C and C++ (their number). Start-up: the "
                  "program run for 0 epochs.\n";
  return part;
}

}  // namespace training
