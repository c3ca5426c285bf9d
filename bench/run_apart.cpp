// fork, a pipe and waitpid.
#include "run_apart.hpp"
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <fmt/core.h>
#include <new>
#include <stdexcept>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace bench {

namespace {

[[noreturn]] void refuse(const char* what) { throw std::runtime_error(fmt::format("{}: {}", what, std::strerror(errno))); }

/// {"result": …} or {"error": "…"}.
std::vector<std::uint8_t> answer(const std::filesystem::path& folder, const std::function<nlohmann::json()>& work) {
  try {
    std::filesystem::current_path(folder);
    return nlohmann::json::to_cbor({{"result", work()}});
  } catch (const std::bad_alloc&) {
    return nlohmann::json::to_cbor({{"error", "not enough memory; take a smaller one"}});
  } catch (const std::exception& e) {
    return nlohmann::json::to_cbor({{"error", e.what()}});
  }
}

}  // namespace

nlohmann::json run_apart(const std::filesystem::path& folder, const std::function<nlohmann::json()>& work) {
  std::array<int, 2> ends;
  if (pipe2(ends.data(), O_CLOEXEC) != 0) refuse("pipe");
  std::fflush(nullptr);                                 // or the child prints it, too
  const pid_t child = fork();
  if (child < 0) refuse("fork");
  if (child == 0) {
    const std::vector<std::uint8_t> bytes = answer(folder, work);
    for (std::size_t sent = 0; sent < bytes.size();) {
      const ssize_t n = write(ends[1], bytes.data() + sent, bytes.size() - sent);
      if (n < 0) _exit(1);
      sent += static_cast<std::size_t>(n);
    }
    _exit(0);
  }
  close(ends[1]);
  std::vector<std::uint8_t> bytes;
  std::array<std::uint8_t, 4096> buffer;
  for (ssize_t n; (n = read(ends[0], buffer.data(), buffer.size())) > 0;) bytes.insert(bytes.end(), buffer.begin(), buffer.begin() + n);
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFSIGNALED(status)) throw std::runtime_error(fmt::format("stopped by signal {} ({})", WTERMSIG(status), strsignal(WTERMSIG(status))));
  if (WEXITSTATUS(status) != 0 || bytes.empty()) throw std::runtime_error("ended without a result");
  nlohmann::json json = nlohmann::json::from_cbor(bytes);
  if (json.contains("error")) throw std::runtime_error(json["error"].get<std::string>());
  return std::move(json["result"]);
}

}  // namespace bench
