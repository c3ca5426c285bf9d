// Safetensors files. Reading distrusts every byte: what the header says must be exactly what the net expects, before a number is read. Start at
// `write_file` and `read_file`.
#include "io.hpp"
#include <algorithm>
#include <atomic>
#include <bit>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <fmt/ranges.h>  // join, from fmt 11 on
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>

namespace autodiff::inline v1::nn::detail {

static_assert(std::endian::native == std::endian::little, "safetensors files are little-endian: numbers must be swapped here");

namespace {

struct NameTwice { std::string name; };
/// A map whose [], by which only the parser enters names, throws at one that is there already.
template <class Key, class Value, class Less = std::less<Key>, class Allocator = std::allocator<std::pair<const Key, Value>>>
struct NamesOnce : std::map<Key, Value, Less, Allocator> {
  using std::map<Key, Value, Less, Allocator>::map;
  Value& operator[](const Key& name) {
    const auto [at, is_new] = this->try_emplace(name);
    if (!is_new) throw NameTwice{name};
    return at->second;
  }
};
using Json = nlohmann::basic_json<NamesOnce>;

constexpr std::uint64_t longest_header = 100'000'000;  ///< as in the format's own description
constexpr std::size_t length_bytes = 8;
constexpr const char* metadata = "__metadata__";

/// A message that quotes a file, safe to print: a damaged file may hold megabytes, and characters that steer the terminal.
std::string shown(std::string words) {
  constexpr std::size_t most = 1000;
  if (words.size() > most) {
    std::size_t end = most;
    while (end > 0 && (static_cast<unsigned char>(words[end]) & 0xc0) == 0x80) --end;  // not within a character
    words.replace(end, words.npos, "…");
  }
  for (std::size_t i = 0; i < words.size(); ++i) {
    const auto c = static_cast<unsigned char>(words[i]);
    const bool steers = c < ' ' || c == 127 ||
        (c == 0xc2 && i + 1 < words.size() && static_cast<unsigned char>(words[i + 1]) < 0xa0);  // C0, C1 in UTF-8
    if (steers) words.replace(i, c == 0xc2 ? 2 : 1, "?");
  }
  return words;
}

/// Throws FileError: "load net.safetensors: …".
struct Complaint {
  const char* verb;
  const std::string& path;
  [[noreturn]] void operator()(std::string_view format, std::initializer_list<autodiff::detail::Piece> pieces = {}) const {
    throw FileError(std::string(verb) + " " + shown(path) + ": " + shown(text(format, pieces)));
  }
  [[noreturn]] void system(const char* what) const {
    const int code = errno;
    (*this)("{}: {}", {what, std::strerror(code)});
  }
};

void require_name(const Complaint& complain) {
  if (complain.path.empty()) throw FileError(std::string(complain.verb) + ": the path is empty; name a file");
  if (complain.path.find('\0') != std::string::npos) complain("there is a NUL in this path, which would end it");
}

/// An open file, closed at the end.
class File {
  int descriptor_;

 public:
  explicit File(int descriptor) : descriptor_(descriptor) {}
  ~File() { if (descriptor_ >= 0) ::close(descriptor_); }
  File(File&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  File& operator=(File&&) = delete;
  explicit operator bool() const { return descriptor_ >= 0; }
  int get() const { return descriptor_; }
  /// Closes now; false if the system reports a late write error.
  bool close() { return ::close(std::exchange(descriptor_, -1)) == 0; }

  bool write(const void* data, std::size_t bytes) {
    for (const char* from = static_cast<const char*>(data); bytes > 0;) {
      const ssize_t n = ::write(descriptor_, from, std::min(bytes, std::size_t{1} << 30));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return false;
      from += n, bytes -= static_cast<std::size_t>(n);
    }
    return true;
  }
  /// How many bytes came before the end of the file; −1 for an error.
  ssize_t read(void* data, std::size_t bytes) {
    char* to = static_cast<char*>(data);
    while (bytes > 0) {
      const ssize_t n = ::read(descriptor_, to, std::min(bytes, std::size_t{1} << 30));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return -1;
      if (n == 0) break;
      to += n, bytes -= static_cast<std::size_t>(n);
    }
    return to - static_cast<char*>(data);
  }
};

/// Removes a file that was not finished.
struct Unfinished {
  std::string path;
  ~Unfinished() { if (!path.empty()) ::unlink(path.c_str()); }
};

const char* dtype(bool is_float) { return is_float ? "F32" : "F64"; }

/// Entries in the order of the file: doubles first, so that every number is aligned.
std::vector<const Entry*> in_file_order(std::span<const Entry> entries) {
  std::vector<const Entry*> order;
  for (const bool is_float : {false, true})
    for (const Entry& e : entries) if (e.is_float == is_float) order.push_back(&e);
  return order;
}

/// A name as JSON writes it.
std::string quoted(const std::string& name, const Complaint& complain) {
  try {
    return Json(name).dump();
  } catch (const Json::exception& e) {
    complain("a parameter's name is not UTF-8: {}", {e.what()});
  }
}

/// Written as text: the destructor of a nested Json allocates, and where memory is short that would end the program.
std::string header_of(const std::vector<const Entry*>& order, const Complaint& complain) {
  std::string words;
  std::set<std::string_view> names;
  std::size_t at = 0;
  for (const Entry* e : order) {
    if (e->name == metadata)
      complain("a parameter cannot be called \"{}\", which the format keeps for itself; give the field another name", {e->name});
    if (!names.insert(e->name).second) complain("two parameters cannot both be called \"{}\"; give the fields of this model other names", {e->name});
    words += fmt::format(R"({}{}:{{"dtype":"{}","shape":[{}],"data_offsets":[{},{}]}})", words.empty() ? '{' : ',', quoted(e->name, complain),
        dtype(e->is_float), fmt::join(e->shape, ","), at, at + e->bytes());
    at += e->bytes();
  }
  words += words.empty() ? "{}" : "}";
  words.resize((words.size() + 7) / 8 * 8, ' ');  // the numbers begin on 8 bytes
  if (words.size() > longest_header)
    complain("the names of its {} parameters make a header of {} bytes; {} are allowed", {order.size(), words.size(), longest_header});
  return words;
}

// ---- writing --------------------------------------------------------------------------------------------------------

/// Where a link leads to, if it is one, also where nothing is yet: there the file is written, and the link stays.
std::filesystem::path followed(std::filesystem::path path, const Complaint& complain) {
  for (int links = 0; links < 40; ++links) {
    std::error_code failed;
    if (!std::filesystem::is_symlink(path, failed)) return path;
    path = path.parent_path() / std::filesystem::read_symlink(path, failed);  // an absolute one takes the whole place
    if (failed) complain("cannot read where the link leads: {}", {failed.message()});
  }
  complain("this link leads to itself");
}

void require_regular(const struct stat& file, const Complaint& complain) {
  if (!S_ISREG(file.st_mode)) complain(S_ISDIR(file.st_mode) ? "this is a directory; name a file" : "this is not a regular file");
}

}  // namespace

void write_file(const std::string& path, std::span<const Entry> entries) {
  const Complaint complain{"save", path};
  require_name(complain);
  const std::vector<const Entry*> order = in_file_order(entries);
  const std::string header = header_of(order, complain);

  const std::filesystem::path target = followed(path, complain);
  struct stat old {};
  const bool replaces = ::stat(target.c_str(), &old) == 0;
  if (replaces) {
    require_regular(old, complain);
    if (::access(target.c_str(), W_OK) != 0) complain.system("cannot write over the old one");
  }

  // A new file in the same directory, with the permissions of the old one, takes its name when it is complete.
  static std::atomic<unsigned> serial = 0;
  Unfinished unfinished;
  int descriptor = -1;
  do {
    unfinished.path = target.parent_path() / (std::to_string(::getpid()) + "-" + std::to_string(serial++) + ".part");
    descriptor = ::open(unfinished.path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  } while (descriptor < 0 && errno == EEXIST);
  File file(descriptor);
  if (!file) {
    unfinished.path.clear();
    complain.system("cannot create a file there");
  }
  if (replaces && ::fchmod(file.get(), old.st_mode & 07777) != 0)
    complain.system("cannot give the new file the permissions of the old one");

  const std::uint64_t length = header.size();
  bool good = file.write(&length, length_bytes) && file.write(header.data(), header.size());
  for (const Entry* e : order) good = good && file.write(e->numbers, e->bytes());
  if (!good || ::fsync(file.get()) != 0 || !file.close()) complain.system("cannot write it");
  if (::rename(unfinished.path.c_str(), target.c_str()) != 0) complain.system("cannot put the new file in place");
  unfinished.path.clear();

  // The name is on the disk when the directory is; some file systems cannot do that, and then nothing is lost but this certainty.
  const std::string directory = target.has_parent_path() ? target.parent_path().string() : ".";
  if (File folder(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)); folder) ::fsync(folder.get());
}

// ---- reading --------------------------------------------------------------------------------------------------------

namespace {

/// How deep brackets and braces of a JSON text are nested.
std::size_t depth_of(std::string_view words) {
  std::size_t depth = 0, deepest = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const char c = words[i];
    if (quoted && c == '\\') ++i;
    else if (c == '"') quoted = !quoted;
    else if (!quoted && (c == '{' || c == '[')) deepest = std::max(deepest, ++depth);
    else if (!quoted && (c == '}' || c == ']') && depth > 0) --depth;
  }
  return deepest;
}

/// The header, in which no name occurs twice and nothing is nested deeper than the format has it: {"name": {"shape": [ … ]}}.
Json parsed(const std::string& words, const Complaint& complain) {
  if (words.empty() || words[0] != '{') complain("its header does not begin with {{; this is not a safetensors file");
  if (words.find('\0') != std::string::npos) complain("its header holds a byte of 0; it is damaged");
  if (const std::size_t depth = depth_of(words); depth > 3) complain("its header is nested {} deep, and a safetensors header 3 at most", {depth});
  try {
    return Json::parse(words);
  } catch (const NameTwice& e) {
    complain("\"{}\" occurs twice in its header", {e.name});
  } catch (const Json::exception& e) {
    complain("its header is not JSON: {}", {e.what()});
  }
}

/// A list of non-negative whole numbers, or a complaint.
std::vector<std::uint64_t> whole_numbers(const Json& info, const char* key, const std::string& name, const Complaint& complain) {
  const auto it = info.find(key);
  if (it == info.end() || !it->is_array()) complain("\"{}\" has no list \"{}\" in its header", {name, key});
  std::vector<std::uint64_t> numbers;
  for (const Json& n : *it) {
    if (!n.is_number_unsigned())
      complain("\"{}\" of \"{}\" holds {}; whole numbers from 0 on are needed",
        {key, name, n.dump(-1, ' ', false, Json::error_handler_t::replace)});
    numbers.push_back(n.get<std::uint64_t>());
  }
  return numbers;
}

/// What the header says of one parameter must be what the net has; returns where its numbers begin.
std::uint64_t require_entry(const Entry& e, const Json& info, const Complaint& complain) {
  if (!info.is_object()) complain("\"{}\" is not described by an object in its header", {e.name});
  const auto type = info.find("dtype");
  if (type == info.end() || !type->is_string()) complain("\"{}\" has no \"dtype\" in its header", {e.name});
  if (const auto& t = type->get_ref<const std::string&>(); t != dtype(e.is_float))
    complain("\"{}\" is {} in the file and {} ({}) in the net; make the net of the same number type",
        {e.name, t, dtype(e.is_float), e.is_float ? "float" : "double"});
  const std::vector<std::uint64_t> sizes = whole_numbers(info, "shape", e.name, complain);
  const auto transposed = [](const std::vector<std::uint64_t>& a, const Shape& b) {
    return a.size() == 2 && b.axes() == 2 && a[0] == b[1] && a[1] == b[0];
  };
  if (!std::equal(sizes.begin(), sizes.end(), e.shape.begin(), e.shape.end()))
    complain("\"{}\" has shape {} in the file and {} in the net{}", {e.name, autodiff::detail::tuple_text(sizes), e.shape.text(),
        transposed(sizes, e.shape) ? "; PyTorch keeps (outputs, inputs), this library (inputs, outputs): transpose it" : ""});
  const std::vector<std::uint64_t> offsets = whole_numbers(info, "data_offsets", e.name, complain);
  if (offsets.size() != 2 || offsets[0] > offsets[1] || offsets[1] - offsets[0] != e.bytes())
    complain("\"{}\" of shape {} takes {} bytes, but its data_offsets in the file are {}",
        {e.name, e.shape.text(), e.bytes(), autodiff::detail::tuple_text(offsets)});
  return offsets[0];
}

/// A regular file, open at its beginning, and its size.
struct Opened { File file; std::uint64_t size; };
Opened open_regular(const std::string& path, const Complaint& complain) {
  File file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) complain.system("cannot open it");
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) complain.system("cannot look at it");
  require_regular(status, complain);
  return {std::move(file), static_cast<std::uint64_t>(status.st_size)};
}

/// The words of the header, with which the file begins.
std::string read_header(Opened& opened, const Complaint& complain) {
  auto& [file, size] = opened;
  std::uint64_t length = 0;
  if (file.read(&length, length_bytes) != static_cast<ssize_t>(length_bytes))
    complain("it has {} bytes, and a safetensors file has at least 8", {size});
  if (length > longest_header)
    complain("its header should have {} bytes, and {} are the most; this is not a safetensors file", {length, longest_header});
  if (size < length_bytes || length > size - length_bytes)
    complain("its header should have {} bytes, but the file ends after {}; it is truncated, or not a safetensors file",
        {length, size - length_bytes});
  std::string words(length, '\0');
  if (const ssize_t n = file.read(words.data(), length); n < 0) complain.system("cannot read its header");
  else if (n != static_cast<ssize_t>(length)) complain("it ended while its header was read");
  return words;
}

/// The entries that hold numbers, in the order in which those follow the header, `bytes` in all: no more and no less than was asked for.
std::vector<const Entry*> in_order(std::span<const Entry> entries, const Json& header, std::uint64_t bytes, const Complaint& complain) {
  std::map<std::uint64_t, const Entry*> places;
  std::set<std::string_view> known;
  for (const Entry& e : entries) {
    const auto info = header.find(e.name);
    if (info == header.end())
      complain("it holds no \"{}\", which should be there with shape {}; is it the file of another net or optimizer?",
        {e.name, e.shape.text()});
    known.insert(e.name);
    const std::uint64_t at = require_entry(e, *info, complain);
    if (e.bytes() != 0 && !places.emplace(at, &e).second)
      complain("\"{}\" and \"{}\" lie at the same place in the file", {e.name, places[at]->name});
  }
  for (const auto& [name, info] : header.items()) {
    if (name == metadata) {
      if (!info.is_object()) complain("its \"{}\" is not a JSON object", {metadata});
    } else if (!known.contains(name))
      complain("it holds \"{}\", which was not asked for; is it the file of another net or optimizer?", {name});
  }
  std::vector<const Entry*> order;
  std::uint64_t end = 0;
  for (const auto& [begin, e] : places) {
    if (begin != end)
      complain("the numbers of \"{}\" begin at {}, and those before them end at {}: they overlap or leave a gap", {e->name, begin, end});
    end += e->bytes();
    order.push_back(e);
  }
  if (end != bytes) complain("its parameters take {} bytes, but {} follow the header; it is truncated or damaged", {end, bytes});
  return order;
}

}  // namespace

void read_file(const std::string& path, std::span<const Entry> entries) {
  const Complaint complain{"load", path};
  require_name(complain);
  Opened opened = open_regular(path, complain);
  const std::string words = read_header(opened, complain);
  const Json header = parsed(words, complain);
  if (!header.is_object()) complain("its header is not a JSON object");
  for (const Entry* e : in_order(entries, header, opened.size - length_bytes - words.size(), complain))
    if (opened.file.read(e->room, e->bytes()) != static_cast<ssize_t>(e->bytes())) complain("it ended while \"{}\" was read", {e->name});
}

}  // namespace autodiff::inline v1::nn::detail
