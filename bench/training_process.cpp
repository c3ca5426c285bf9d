// posix_spawn, a pipe and waitpid.
#include "training_process.hpp"
#include <array>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>
#include "harness.hpp"

namespace training {

Finished run_program(const std::vector<std::string>& arguments) {
  Finished done;
  std::array<int, 2> pipe_ends;
  if (pipe2(pipe_ends.data(), O_CLOEXEC) != 0) return done;
  std::vector<char*> argv;
  for (const std::string& a : arguments) argv.push_back(const_cast<char*>(a.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, pipe_ends[1], STDOUT_FILENO);
  pid_t child = 0;
  const double start = bench::now();
  const bool started = posix_spawnp(&child, argv[0], &actions, nullptr, argv.data(), environ) == 0;
  posix_spawn_file_actions_destroy(&actions);
  close(pipe_ends[1]);
  if (started) {
    std::array<char, 4096> buffer;
    for (ssize_t n; (n = read(pipe_ends[0], buffer.data(), buffer.size())) > 0;)
      done.output.append(buffer.data(), static_cast<std::size_t>(n));
    int status = 0;
    waitpid(child, &status, 0);
    done.seconds = bench::now() - start;
    done.ok = WIFEXITED(status) && WEXITSTATUS(status) == 0;
  }
  close(pipe_ends[0]);
  return done;
}

}  // namespace training
