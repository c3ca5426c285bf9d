// The harness behind harness.hpp: rounds, medians, tables, JSON, pictures.
#include "harness.hpp"
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fmt/core.h>
#include <fstream>
#include <numeric>
#include <random>
#include <sstream>
#include <stdexcept>
#include <string_view>
#include <system_error>

namespace bench {

namespace {

/// The value below which a share p of the sorted sample lies, between neighbours linearly.
double quantile(const std::vector<double>& sorted, double p) {
  const double at = p * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(at);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (at - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

/// How many columns a UTF-8 text takes: continuation bytes take none.
std::size_t columns(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string processor() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  return "unknown processor";
}

std::string quoted(const std::string& text) {
  std::string r = "\"";
  for (char c : text) r += c == '"' ? '\'' : c;
  return r + "\"";
}

const char* const style =
    "set terminal svg size 1100,480 dynamic background rgb 'white' font 'sans,13'\n"
    "set key outside top center horizontal\nset grid ytics lc rgb '#dddddd'\nset border 3\nset tics nomirror\n"
    "colours = '#1b6ca8 #2a9d8f #8ecae6 #e76f51 #f4a261 #6a4c93 #c3a6d8 #333333 #999999 #b8860b'\n"  // gnuplot's own come again after eight
    "do for [i=1:10] { set linetype i lc rgb word(colours, i) }\nset linetype cycle 10\n";

struct Script {
  std::string data, commands;
};

Script bars(const Chart& chart) {
  std::string data = "group";
  for (const auto& s : chart.series) data.append(" ").append(quoted(s));
  data += "\n";
  for (std::size_t g = 0; g < chart.groups.size(); ++g) {
    data += quoted(chart.groups[g]);
    for (const auto& row : chart.values) data += std::isfinite(row.at(g)) ? fmt::format(" {:.6g}", row[g]) : " NaN";
    data += "\n";
  }
  std::string gp =
      "set style data histogram\nset style histogram clustered gap 1\nset style fill solid 0.9 noborder\nset boxwidth 0.9\nset xtics "
      "rotate by -30 noenhanced\n";
  gp += "set logscale y\n";
  gp += "set arrow from graph 0, first 1 to graph 1, first 1 nohead front lc rgb '#444444'\n";  // as fast as by hand
  gp += fmt::format("plot for [i=2:{}] '{}.dat' using i:xtic(1) title columnheader(i)\n", chart.series.size() + 1, chart.name);
  return {data, gp};
}

Script lines(const Chart& chart) {
  std::string data;
  for (std::size_t s = 0; s < chart.series.size(); ++s) {
    data += fmt::format("# {}\n", chart.series[s]);
    for (std::size_t i = 0; i < chart.values[s].size(); ++i)
      data += fmt::format("{:.6g} {:.6g}\n", chart.x.at(s).at(i), chart.values[s][i]);
    data += "\n\n";                                     // two empty lines end one of gnuplot's indexed sets
  }
  std::string gp = "set logscale xy\n";
  gp += fmt::format("set xlabel {}\nplot ", quoted(chart.x_label));
  for (std::size_t s = 0; s < chart.series.size(); ++s)
    gp += fmt::format("{}'{}.dat' index {} with linespoints lw 2 pt 7 ps 0.5 title {}", s ? ", " : "", chart.name, s,
                      quoted(chart.series[s]));
  return {data, gp + "\n"};
}

/// Returns why there is no picture, or nothing.
std::string draw(const std::filesystem::path& folder, const Chart& chart) {
  const std::filesystem::path picture = folder / (chart.name + ".svg"), script = folder / (chart.name + ".gp");
  const Script parts = chart.x.empty() ? bars(chart) : lines(chart);
  write_text(folder / (chart.name + ".dat"), parts.data);
  write_text(script, fmt::format("{}set output '{}.svg'\nset title {}\nset ylabel {}\n{}", style, chart.name, quoted(chart.title),
                                 quoted(chart.y_label), parts.commands));
  std::error_code none;
  std::filesystem::remove(picture, none);               // of an earlier run
  if (std::system("command -v gnuplot >/dev/null 2>&1") != 0)
    return fmt::format("gnuplot is not installed (apt-get install gnuplot-nox); with it, `gnuplot {}.gp` in that folder draws it", chart.name);
  std::string in_quotes;                                // for the shell
  for (const char c : std::filesystem::absolute(folder).string()) in_quotes += c == '\'' ? std::string("'\\''") : std::string(1, c);
  const bool accepted = std::system(fmt::format("cd '{}' && gnuplot {}.gp", in_quotes, chart.name).c_str()) == 0;
  if (!accepted || !(std::filesystem::file_size(picture, none) > 0) || none) return fmt::format("gnuplot failed on {}", script.string());
  return "";
}

[[noreturn]] void refuse(const std::filesystem::path& file, const char* what, int error) {
  throw std::runtime_error(fmt::format("{}: cannot be {}: {}", file.string(), what, std::strerror(error)));
}

}  // namespace

double now(Clock clock) {
  std::timespec t{};
  clock_gettime(clock == Clock::wall ? CLOCK_MONOTONIC : clock == Clock::thread ? CLOCK_THREAD_CPUTIME_ID : CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

Spread spread(std::vector<double> samples) {
  if (samples.empty()) return {};
  std::sort(samples.begin(), samples.end());
  return {quantile(samples, 0.5), quantile(samples, 0.25), quantile(samples, 0.75)};
}

std::vector<Result> race(const std::vector<Contestant>& contestants, int repetitions) {
  std::vector<Result> results;
  for (const Contestant& c : contestants) {
    results.push_back({c.name, {}});
    c.run();
  }
  std::vector<std::size_t> order(contestants.size());
  std::iota(order.begin(), order.end(), 0);
  std::mt19937 random;
  for (int round = 0; round < repetitions; ++round) {
    std::shuffle(order.begin(), order.end(), random);
    for (const std::size_t turn : order) results[turn].samples.push_back(contestants[turn].run());
  }
  return results;
}

Spread ratio(const Result& a, const Result& b) {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < std::min(a.samples.size(), b.samples.size()); ++i) ratios.push_back(a.samples[i] / b.samples[i]);
  return spread(std::move(ratios));
}

// ---- verification ----------------------------------------------------------------------------------------------------

double distance(const std::vector<double>& expected, const std::vector<double>& got) {
  for (const double a : expected)
    if (!std::isfinite(a))
      throw std::runtime_error(fmt::format("the hand-written derivative is not finite ({}); take another input", a));
  double scale = 0, worst = 0;
  for (const double a : expected) scale = std::max(scale, std::abs(a));
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double apart = std::abs(got[i] - expected[i]);
    if (!(apart <= worst)) worst = apart;               // a NaN is kept
    if (std::isnan(worst)) return worst;
  }
  return worst == 0 ? 0 : worst / scale;
}
void verify(const std::string& contestant, const std::vector<double>& hand, const std::vector<double>& got) {
  constexpr double most = 1e-12;
  const double apart = distance(hand, got);
  if (!(apart <= most))
    throw std::runtime_error(
        fmt::format("the derivative of {} is {:.2g} away from the hand-written one (relative to its largest number); at most {:.0e} is "
                    "right, so no time is printed",
                    contestant, apart, most));
}

// ---- text -----------------------------------------------------------------------------------------------------------

std::string show(double number) {
  if (!std::isfinite(number)) return "–";
  const double size = std::abs(number);
  if (size == 0) return "0";
  const int decimals = std::clamp(2 - static_cast<int>(std::floor(std::log10(size))), 0, 8);
  return fmt::format("{:.{}f}", number, decimals);
}

std::string show(const Spread& s) { return fmt::format("{} ({}–{})", show(s.median), show(s.low), show(s.high)); }

std::string duration(double seconds) {
  if (seconds < 1e-6) return show(seconds * 1e9) + " ns";
  if (seconds < 1e-3) return show(seconds * 1e6) + " µs";
  if (seconds < 1) return show(seconds * 1e3) + " ms";
  return show(seconds) + " s";
}

std::string markdown(const std::vector<std::vector<std::string>>& rows) {
  if (rows.empty()) return {};
  std::vector<std::size_t> width(rows.front().size(), 3);
  for (const auto& row : rows)
    for (std::size_t c = 0; c < std::min(row.size(), width.size()); ++c) width[c] = std::max(width[c], columns(row[c]));
  std::string text;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    for (std::size_t c = 0; c < width.size(); ++c) {
      const std::string cell = c < rows[r].size() ? rows[r][c] : "";
      const std::string pad(width[c] - columns(cell), ' ');
      text += c == 0 ? fmt::format("| {}{}", cell, pad) : fmt::format(" | {}{}", pad, cell);      // names to the left, numbers to the right
    }
    text += " |\n";
    if (r > 0) continue;
    for (std::size_t c = 0; c < width.size(); ++c) {
      const std::string dashes(width[c] + 1, '-');
      text += c == 0 ? fmt::format("|:{}", dashes) : fmt::format("|{}:", dashes);
    }
    text += "|\n";
  }
  return text;
}

// ---- files ----------------------------------------------------------------------------------------------------------

nlohmann::json to_json(const Spread& s) { return {{"median", s.median}, {"low", s.low}, {"high", s.high}}; }
nlohmann::json to_json(const Result& r) { return {{"name", r.name}, {"seconds", to_json(r.seconds())}, {"best", r.best()}}; }
Spread spread_from(const nlohmann::json& json) { return {json.at("median"), json.at("low"), json.at("high")}; }

nlohmann::json machine() {
  const std::time_t t = std::time(nullptr);
  char date[32] = "";
  std::strftime(date, sizeof date, "%Y-%m-%d", std::gmtime(&t));
#ifdef BENCH_FLAGS
  const std::string flags = BENCH_FLAGS;
#else
  const std::string flags = "unknown flags";
#endif
#if defined(__clang__)
  const std::string compiler = "clang++ " __clang_version__;
#else
  const std::string compiler = "g++ " __VERSION__;
#endif
  return {{"processor", processor()}, {"compiler", compiler}, {"flags", flags}, {"date", date}};
}

std::string machine_line() {
  const nlohmann::json m = machine();
  return fmt::format("{}, {}, {}, {}", m["processor"].get<std::string>(), m["compiler"].get<std::string>(), m["flags"].get<std::string>(),
                     m["date"].get<std::string>());
}

void write_text(const std::filesystem::path& file, const std::string& text) {
  const std::filesystem::path whole = file.string() + ".part";   // renamed when it is whole: no half file takes a good one's place
  errno = 0;
  std::ofstream out(whole);
  std::error_code failed;
  if (!(out << text).flush()) failed.assign(errno ? errno : EIO, std::generic_category());
  out.close();
  if (!failed) std::filesystem::rename(whole, file, failed);
  if (!failed) return;
  std::error_code ignored;
  std::filesystem::remove(whole, ignored);
  refuse(file, "written", failed.value());
}

std::string read_text(const std::filesystem::path& file) {
  errno = 0;
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();                  // a folder opens, and fails here
  if (errno != 0) refuse(file, "read", errno);
  return text.str();
}

nlohmann::json read_json(const std::filesystem::path& file) {
  try {
    return nlohmann::json::parse(read_text(file));
  } catch (const nlohmann::json::exception& e) {
    throw std::runtime_error(fmt::format("{}: is not JSON: {}", file.string(), e.what()));
  }
}

// ---- reports --------------------------------------------------------------------------------------------------------

void try_folder(const std::filesystem::path& folder) {
  std::error_code failed;
  std::filesystem::create_directories(folder, failed);
  if (failed) refuse(folder, "made", failed.value());
  const std::filesystem::path trial = folder / "trial";
  write_text(trial, "");
  std::filesystem::remove(trial);
}

void write_report(const std::filesystem::path& folder, const std::string& name, const std::string& text, const nlohmann::json& json,
                  const std::vector<Chart>& charts) {
  write_text(folder / (name + ".md"), text);
  write_text(folder / (name + ".json"), json.dump(1) + "\n");
  std::string written = fmt::format("{0}.md, {0}.json", name), missing;
  for (const Chart& chart : charts) {
    const std::string why = draw(folder, chart);
    if (why.empty()) written += fmt::format(", {}.svg", chart.name);
    else missing += fmt::format("Not drawn: {}.svg: {}\n", chart.name, why);
  }
  fmt::print("\nWritten into {}: {}\n{}", folder.string(), written, missing);
}

}  // namespace bench
