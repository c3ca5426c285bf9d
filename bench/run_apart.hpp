// Work in a process of its own: what one case leaves behind does not slow the next (ADOL-C sizes its arrays by the largest recording that the
// process ever made: bundle adjustment took 3.5 times as long after Burgers), and what crashes does not take the report with it.
#pragma once
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>

namespace bench {

/// What `work` returns, run in a child process whose current folder is `folder`. Throws std::runtime_error with the text of what it threw, or
/// with the signal that stopped it.
nlohmann::json run_apart(const std::filesystem::path& folder, const std::function<nlohmann::json()>& work);

}  // namespace bench
