// Readers of ADBench's text files: numbers between white space or colons, and what is said of a file that is not as it should be.
#include "files.hpp"
#include "../harness.hpp"
#include <fmt/core.h>
#include <new>
#include <stdexcept>
#include <utility>

namespace bench {

namespace {

/// The beginning of a word that an error shows, without what a terminal would obey.
std::string shown(const std::string& word) {
  constexpr std::size_t most = 40;
  std::string text = word.substr(0, most);
  for (char& c : text) if (static_cast<unsigned char>(c) < ' ' || c == 127) c = '?';
  return word.size() > most ? text + "…" : text;
}

/// The words of a file, one after the other.
class Words {
  std::string file_, text_, separators_;
  std::size_t at_ = 0, line_ = 1;

  void skip() {
    for (; at_ < text_.size() && separators_.find(text_[at_]) != std::string::npos; ++at_) line_ += text_[at_] == '\n';
  }

 public:
  explicit Words(const std::filesystem::path& file, const std::string& separators = " \t\r\n")
      : file_(file.string()), text_(read_text(file)), separators_(separators) {}
  [[noreturn]] void refuse(const std::string& what) const { throw std::runtime_error(fmt::format("{}: line {}: {}", file_, line_, what)); }
  bool done() { return skip(), at_ == text_.size(); }
  std::string word(const std::string& what) {
    if (done()) refuse(fmt::format("{} expected, found the end of the file", what));
    const std::size_t end = std::min(text_.find_first_of(separators_, at_), text_.size());
    return text_.substr(std::exchange(at_, end), end - at_);
  }
  double number(const std::string& what) {
    const std::string text = word(what);
    char* end = nullptr;
    const double value = std::strtod(text.c_str(), &end);
    if (*end != 0) refuse(fmt::format("{}: a number expected, found '{}'", what, shown(text)));
    if (!std::isfinite(value)) refuse(fmt::format("{}: a finite number expected, found '{}'", what, shown(text)));
    return value;
  }
  std::size_t count(const std::string& what, std::size_t least, std::size_t most) {
    const double value = number(what);
    if (!(value >= static_cast<double>(least)) || !(value <= static_cast<double>(most)) || value != std::floor(value))
      refuse(fmt::format("{}: a whole number from {} to {} expected, found {}", what, least, most, value));
    return static_cast<std::size_t>(value);
  }
  std::vector<double> numbers(const std::string& what, std::size_t n) {
    std::vector<double> v;
    for (std::size_t i = 0; i < n; ++i) v.push_back(number(fmt::format("{} ({} of {})", what, i + 1, n)));
    return v;
  }
  void end() {
    if (!done()) refuse(fmt::format("the end of the file expected, found '{}'", shown(word(""))));
  }
  std::size_t left() {
    const std::size_t at = at_, line = line_;
    std::size_t n = 0;
    for (; !done(); ++n) word("");
    at_ = at, line_ = line;
    return n;
  }
};

constexpr std::size_t many = 30'000'000;               // ADBench's largest file has 28 987 644 observations

/// 16 numbers, row by row, of which the last four are 0 0 0 1.
HandTracking::Place<double> read_place(Words& in, const std::string& what) {
  const auto m = in.numbers(what, 16);
  HandTracking::Place<double> place;
  for (std::size_t j = 0; j < 4; ++j) place[j] = {m[j], m[4 + j], m[8 + j]};
  return place;
}

void append(std::vector<double>& to, const std::vector<double>& v) { to.insert(to.end(), v.begin(), v.end()); }

/// n times the same, as ADBench's largest files have it.
std::vector<double> repeated(const Words& in, const std::string& what, std::size_t n, const std::vector<double>& one) {
  try {
    std::vector<double> all;
    all.reserve(n * one.size());
    for (std::size_t i = 0; i < n; ++i) append(all, one);
    return all;
  } catch (const std::bad_alloc&) {
    in.refuse(fmt::format("not enough memory for {} {} of {} numbers each", n, what, one.size()));
  }
}

}  // namespace

Gmm read_gmm(const std::filesystem::path& file) {
  Words in(file);
  const std::size_t d = in.count("d", 1, 10'000), k = in.count("K", 1, many), n = in.count("n", 1, many);
  Gmm gmm(1, 1, 1);
  gmm.d = d, gmm.k = k, gmm.n = n;
  gmm.x = in.numbers("alpha", k);
  append(gmm.x, in.numbers("a mean", k * d));
  append(gmm.x, in.numbers("a factor", k * gmm.triangle()));
  if (in.left() == d + 2) gmm.points = repeated(in, "points", n, in.numbers("the point", d));
  else gmm.points = in.numbers("a point", n * d);
  gmm.gamma = in.number("gamma");
  gmm.m = static_cast<int>(in.count("m", 0, 1'000'000));
  in.end();
  return gmm;
}

BundleAdjustment read_bundle_adjustment(const std::filesystem::path& file) {
  Words in(file);
  const std::size_t n = in.count("the number of cameras", 1, many), m = in.count("the number of points", 1, many),
                    p = in.count("the number of observations", 1, many);
  const auto camera = in.numbers("the camera", 11), point = in.numbers("the point", 3), weight = in.numbers("the weight", 1),
             seen = in.numbers("the observation", 2);
  in.end();
  BundleAdjustment ba(1, 1, 1);
  ba.n = n, ba.m = m, ba.p = p;
  ba.cameras = repeated(in, "cameras", n, camera);
  ba.points = repeated(in, "points", m, point);
  ba.weights = repeated(in, "weights", p, weight);
  ba.seen = repeated(in, "observations", p, seen);
  return ba;
}

Lstm read_lstm(const std::filesystem::path& file) {
  Words in(file);
  const std::size_t l = in.count("the number of layers", 1, 1000), c = in.count("the length of the text", 2, many),
                    b = in.count("the number of bits", 1, 10'000);
  Lstm lstm(l, 2, b);
  lstm.length = c;
  lstm.x = in.numbers("a parameter", lstm.variables());
  lstm.state = in.numbers("the state", 2 * l * b);
  lstm.text = in.numbers("the text", c * b);
  in.end();
  return lstm;
}

HandTracking read_hand_tracking(const std::filesystem::path& model, const std::filesystem::path& file) {
  HandTracking hand(0, false, 0);
  const std::string separators = ": \t\r\n";
  hand.parent.clear(), hand.base.clear(), hand.inverse.clear();
  Words bones(model / "bones.txt", separators);
  for (std::size_t b = 0; !bones.done(); ++b) {
    const std::string name = bones.word("a bone's name");
    const double parent = bones.number("a bone's parent");
    if (!(parent >= -1) || !(parent < static_cast<double>(b)))
      bones.refuse(fmt::format("bone {}: its parent must come before it, found {}", name, parent));
    hand.parent.push_back(parent < 0 ? hand.none : static_cast<std::size_t>(parent));
    hand.base.push_back(read_place(bones, "a bone's place"));
    hand.inverse.push_back(read_place(bones, "a bone's inverse"));
  }
  if (hand.parent.size() != hand.bones) bones.refuse(fmt::format("{} bones expected, found {}", hand.bones, hand.parent.size()));
  for (Words vertices(model / "vertices.txt", separators); !vertices.done();) {
    const auto v = vertices.numbers("a vertex", 8);     // place, normal, texture
    hand.vertices.push_back({v[0], v[1], v[2]});
    hand.weights.emplace_back();
    for (std::size_t left = vertices.count("the number of weights", 0, hand.bones); left > 0; --left) {
      const std::size_t bone = vertices.count("a weight's bone", 0, hand.bones - 1);
      hand.weights.back().push_back({bone, vertices.number("a weight")});
    }
  }
  if (hand.vertices.empty()) throw std::runtime_error(fmt::format("{}: no vertices", (model / "vertices.txt").string()));
  const std::size_t last = hand.vertices.size() - 1;
  for (Words triangles(model / "triangles.txt", separators); !triangles.done();) {
    const std::size_t a = triangles.count("a corner", 0, last), b = triangles.count("a corner", 0, last),
                      c = triangles.count("a corner", 0, last);
    hand.triangles.push_back({a, b, c});
  }
  Words in(file);
  const std::size_t n = in.count("the number of points", 1, many);
  in.count("the number of thetas", hand.thetas, hand.thetas);
  const std::size_t simple = 4 * n + hand.thetas, more = 6 * n + hand.thetas, found = in.left();
  const bool complicated = found == more;
  if (found != simple && !complicated)
    in.refuse(fmt::format("{} points need {} more numbers, or {} with two u for each; found {}", n, simple, more, found));
  if (complicated && hand.triangles.empty()) throw std::runtime_error(fmt::format("{}: no triangles", (model / "triangles.txt").string()));
  for (std::size_t i = 0; i < n; ++i) {
    hand.measured.push_back(in.count(complicated ? "a triangle" : "a vertex", 0, complicated ? hand.triangles.size() - 1 : last));
    const auto p = in.numbers("a point", 3);
    hand.points.push_back({p[0], p[1], p[2]});
  }
  const auto us = complicated ? in.numbers("u", 2 * n) : std::vector<double>{};
  hand.x = in.numbers("theta", hand.thetas);
  append(hand.x, us);
  in.end();
  return hand;
}

}  // namespace bench
