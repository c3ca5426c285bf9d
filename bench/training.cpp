// The training benchmark: small nets trained by the engine through its public API, by loops written by hand for that one net, by
// libtorch and by dlib. Same samples, same weights to start from, same cost in the end, or the program fails. Start reading at
// training.hpp for the vocabulary; the parts of the report are training_{epochs,chains,threads,scaling,footprint}.cpp.
#include <algorithm>
#include <CLI/CLI.hpp>
#include <cblas.h>
#include <cstdlib>
#include <fmt/core.h>
#include <optional>
#include <string_view>
#include <unistd.h>
#include "training_parts.hpp"

namespace {

/// Everybody's BLAS and OpenMP run one thread. They read this when they are loaded, so the program starts itself anew.
void one_thread_each(char** argv) {
  const auto is_one = [](const char* name) { const char* value = std::getenv(name); return value && std::string_view(value) == "1"; };
  if (is_one("OPENBLAS_NUM_THREADS") && is_one("OMP_NUM_THREADS")) return;
  setenv("OPENBLAS_NUM_THREADS", "1", 1);
  setenv("OMP_NUM_THREADS", "1", 1);
  execv("/proc/self/exe", argv);
}

/// What the command line asks for.
struct Wanted {
  training::Plan plan;
  std::vector<std::string> parts{"a", "b", "c", "d", "e", "threads", "scaling", "footprint"};
  std::string memory_of, clock = "cpu";
  std::filesystem::path output = "bench-results";

  bool part(const char* name) const { return std::find(parts.begin(), parts.end(), name) != parts.end(); }
};

/// Reads the command line; the program's status if that is all there is to do.
std::optional<int> read(int argc, char** argv, Wanted& wanted) {
  CLI::App app{"Training: the engine against hand-written loops, libtorch and dlib"};
  app.add_option("--parts", wanted.parts, "of a b c d e threads scaling footprint")
      ->delimiter(',')
      ->check(CLI::IsMember(wanted.parts))
      ->capture_default_str();
  training::Plan& plan = wanted.plan;
  plan.with = {"hand", "engine", "libtorch", "dlib"};
  app.add_option("--with", plan.with, "contestants, of hand engine libtorch dlib")
      ->delimiter(',')
      ->check(CLI::IsMember(plan.with))
      ->capture_default_str();
  CLI::Option* repetitions =
      app.add_option("-r,--repetitions", plan.repetitions, "rounds of each race (15; quick: 5)")->check(CLI::Range(1, 1000));
  app.add_option("-t,--threads", plan.threads, "threads to compare with one")->check(CLI::Range(2, 256))->capture_default_str();
  app.add_option("--clock", wanted.clock, "of one-threaded races: cpu (this process's time) or wall")
      ->check(CLI::IsMember({"cpu", "wall"}))
      ->capture_default_str();
  app.add_option("-o,--out", wanted.output, "folder for training.md, training.json and the pictures")->take_last()->capture_default_str();
  app.add_flag("-q,--quick", plan.quick, "about a minute: fewer samples and rounds; peers' compile time left out");
  app.add_option("--measure-memory", wanted.memory_of, "print the memory of this contestant alone, as JSON")->group("");
  CLI11_PARSE(app, argc, argv);
  if (plan.quick && repetitions->empty()) plan.repetitions = 5;
  if (plan.quick) plan.compile_too = {"engine"};
  if (wanted.clock == "wall") plan.clock = bench::Clock::wall;
  return {};
}

int report(Wanted& wanted) {
  training::Plan& plan = wanted.plan;
  bench::try_folder(wanted.output);
  std::vector<std::string> missing;
  plan.entrants = training::entrants(plan.with, missing);

  std::string text = fmt::format("# Training{}\n\n{} (flags: of the hand-written loops; all else -O3). {} rounds in turns; one thread each, {}.\n\n",
      plan.quick ? ", quick" : "", bench::machine_line(), plan.repetitions,
      plan.clock == bench::Clock::wall ? "wall clock" : "processor time of the process");
  nlohmann::json json{
      {"machine", bench::machine()}, {"quick", plan.quick}, {"repetitions", plan.repetitions}, {"clock", wanted.clock}, {"missing", missing}};
  for (const std::string& m : missing) text += m + "\n\n";
  fmt::print("{}", text);
  std::vector<std::string> failures;
  std::vector<bench::Chart> charts;
  const auto add = [&](const char* name, const training::Part& part) {
    fmt::print("{}\n", part.markdown);
    std::fflush(stdout);
    text += part.markdown + "\n";
    json[name] = part.json;
    charts.insert(charts.end(), part.charts.begin(), part.charts.end());
    failures.insert(failures.end(), part.failures.begin(), part.failures.end());
  };
  std::string letters;
  for (const char* l : {"a", "b", "c", "d"}) if (wanted.part(l)) letters += l;
  if (!letters.empty()) add("epochs", measure_epochs(plan, letters));
  if (wanted.part("e")) add("chains", measure_chains(plan));
  if (wanted.part("threads")) add("threads", measure_threads(plan));
  if (wanted.part("scaling")) add("scaling", measure_scaling(plan));
  if (wanted.part("footprint")) add("footprint", measure_footprint(plan));

  json["failures"] = failures;
  if (!failures.empty()) text += "## Not the same work\n\n";
  for (const std::string& f : failures) text += "- " + f + "\n";
  bench::write_report(wanted.output, "training", text, json, charts);
  for (const std::string& f : failures) fmt::print(stderr, "not the same work: {}\n", f);
  return failures.empty() ? 0 : 1;
}

int run(int argc, char** argv) {
  Wanted wanted;
  if (const auto status = read(argc, argv, wanted)) return *status;
  openblas_set_num_threads(1);
  if (!wanted.memory_of.empty()) {
    training::print_memory(wanted.memory_of, wanted.plan.quick);
    return 0;
  }
  return report(wanted);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    one_thread_each(argv);
    return run(argc, argv);
  } catch (const std::exception& e) {
    fmt::print(stderr, "training: {}\n", e.what());
    return 2;
  }
}
