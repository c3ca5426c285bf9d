// bench/run since COMMIT: what became of the scalar suite's times since a commit. Two programs (one_version.cpp), the library of then and of now, work in
// turns on one processor, so that half a per cent over all shows. One problem may move by a tenth merely because the linker put its code elsewhere,
// which `bench/run since HEAD` of a clean tree does not show: that shows noise. Start reading at `main`.
#include "harness.hpp"
#include <array>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <fmt/core.h>
#include <sched.h>
#include <spawn.h>
#include <stdexcept>
#include <unistd.h>

namespace {

using namespace bench;

/// A running one_version.cpp.
class Version {
  std::FILE *ask_, *answers_;

 public:
  std::vector<std::string> problems{};

  explicit Version(const char* program) {
    std::array<int, 2> in, out;
    if (pipe2(in.data(), O_CLOEXEC) != 0 || pipe2(out.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
    std::array<char*, 2> arguments{const_cast<char*>(program), nullptr};
    pid_t child;
    if (posix_spawn(&child, program, &actions, nullptr, arguments.data(), environ) != 0)
      throw std::runtime_error(fmt::format("{} does not start", program));
    posix_spawn_file_actions_destroy(&actions);
    close(in[0]), close(out[1]);
    ask_ = fdopen(in[1], "w"), answers_ = fdopen(out[0], "r");
    for (std::string line; !(line = answer()).empty();) problems.push_back(line);
  }
  Version(const Version&) = delete;
  Version& operator=(const Version&) = delete;
  ~Version() { std::fclose(ask_), std::fclose(answers_); }

  double seconds(std::size_t problem, std::size_t work, long calls) {
    fmt::print(ask_, "{} {} {}\n", problem, work, calls);
    std::fflush(ask_);
    return std::stod(answer());
  }

 private:
  std::string answer() {
    std::array<char, 256> line;
    if (!std::fgets(line.data(), line.size(), answers_)) throw std::runtime_error("a version of the library has ended");
    std::string text = line.data();
    text.pop_back();
    return text;
  }
};

/// All that this process starts runs on the processor it is on now.
void stay_on_one_processor() {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(static_cast<std::size_t>(sched_getcpu()), &one);
  sched_setaffinity(0, sizeof one, &one);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc < 3 || argc > 4) throw std::runtime_error("usage: versions THEN NOW [rounds]; bench/run since COMMIT builds both and calls this");
    char* end = nullptr;
    const long rounds = argc > 3 ? std::strtol(argv[3], &end, 10) : 31;
    if ((end && *end != 0) || rounds < 1 || rounds > 1000)
      throw std::runtime_error(fmt::format("rounds: a whole number from 1 to 1000 is needed, not '{}'", argv[3]));
    std::signal(SIGPIPE, SIG_IGN);  // a version that has ended is an error, with words
    stay_on_one_processor();
    Version then(argv[1]), now(argv[2]);
    if (then.problems != now.problems) throw std::runtime_error("the two versions do not know the same problems");
    std::vector<std::vector<std::string>> table{{"now ÷ then (quartiles)", "a gradient then", "gradient", "eight in lanes", "function without a tape"}};
    std::array<double, 3> logs{};
    for (std::size_t p = 0; p < then.problems.size(); ++p) {
      std::vector<std::string> row{then.problems[p], ""};
      for (const std::size_t work : {0, 1, 2}) {
        constexpr double slice = 2e-3;
        now.seconds(p, work, 1);
        long calls = 1;
        double took = then.seconds(p, work, calls);
        while (took < slice / 4 && calls < 1L << 30) took = then.seconds(p, work, calls *= 4);
        calls = std::max(1L, std::lround(static_cast<double>(calls) * slice / took));
        const auto contestant = [&](const char* name, Version& version) {
          return Contestant{name, [&version, p, work, calls] { return version.seconds(p, work, calls) / static_cast<double>(calls); }};
        };
        const std::vector<Result> results = race({contestant("then", then), contestant("now", now)}, static_cast<int>(rounds));
        const Spread change = ratio(results[1], results[0]);
        if (work == 0) row[1] = duration(results[0].seconds().median);
        row.push_back(fmt::format("{:.3f} ({:.3f}–{:.3f})", change.median, change.low, change.high));
        logs[work] += std::log(change.median);
      }
      table.push_back(row);
      fmt::print(stderr, "{} …\n", then.problems[p]);
    }
    const auto mean = [&](double sum) { return fmt::format("{:.3f}", std::exp(sum / static_cast<double>(then.problems.size()))); };
    table.push_back({"all (geometric mean)", "", mean(logs[0]), mean(logs[1]), mean(logs[2])});
    fmt::print("{}\n", markdown(table));
  } catch (const std::exception& e) {
    fmt::print(stderr, "since: {}\n", e.what());
    return 1;
  }
}
