// Nets in files: what is written, that a wrong file changes nothing, and that a save which fails leaves the old file whole.
#include <doctest/doctest.h>
#include <nn/nn.hpp>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <map>
#include <string>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>
#include "folder.hpp"

namespace ad = autodiff;
namespace nn = autodiff::nn;
namespace fs = std::filesystem;
using support::bytes_of;
using support::Folder;
using support::write;

namespace {

std::string with_length(const std::string& header, const std::string& data = "") {
  std::string bytes(8, '\0');
  const std::uint64_t n = header.size();
  std::memcpy(bytes.data(), &n, 8);
  return bytes + header + data;
}

struct Net {
  nn::Linear<float> first{2, 2};
  ad::Parameter<double> scale{ad::Tensor<double>{1.5}};
};
struct Twins {
  nn::Linear<float> a{1, 1}, b{1, 1};
  static constexpr const char* field_names[] = {"same", "same"};
};
Net some_net(std::uint64_t seed = 1) {
  Net net;
  nn::initialize(net, seed, nn::xavier_normal.with_biases());
  net.scale.assign({static_cast<double>(seed) + 0.25});
  return net;
}
bool same(const Net& a, const Net& b) {
  return equal(a.first.weight.value(), b.first.weight.value()) && equal(a.first.bias.value(), b.first.bias.value())
      && equal(a.scale.value(), b.scale.value());
}
const std::string header =
    R"({"1":{"dtype":"F64","shape":[1],"data_offsets":[0,8]},"0.weight":{"dtype":"F32","shape":[2,2],"data_offsets":[8,24]},)"
    R"("0.bias":{"dtype":"F32","shape":[2],"data_offsets":[24,32]}})";

/// What the error says of a file in which the type of a parameter is called `name`.
std::string said_of_type(const std::string& name) {
  const Folder folder;
  std::string words = header;
  words.replace(words.find("F32"), 3, name);
  write(folder / "net", with_length(words, std::string(32, 'x')));
  Net net = some_net(1);
  try {
    nn::load(net, folder / "net");
  } catch (const nn::FileError& e) {
    return e.what();
  }
  FAIL_CHECK("no error");
  return "";
}

/// Loading these bytes throws a FileError with that in its text, and changes nothing.
void check_refused(const std::string& bytes, const std::string& why) {
  const Folder folder;
  write(folder / "net", bytes);
  Net net = some_net(3);
  std::string said = "nothing";
  try {
    nn::load(net, folder / "net");
  } catch (const nn::FileError& e) {
    said = e.what();
  }
  INFO(said);
  CHECK(said.starts_with("load " + (folder / "net") + ": "));
  CHECK(said.find(why) != std::string::npos);
  CHECK(same(net, some_net(3)));
}
/// A header that differs from the right one.
void check_header(const std::string& from, const std::string& to, const std::string& why) {
  std::string changed = header;
  changed.replace(changed.find(from), from.size(), to);
  check_refused(with_length(changed, std::string(32, 'x')), why);
}

}  // namespace

TEST_CASE("what is saved is loaded, to the bit") {
  const Folder folder;
  Net net = some_net(1), other = some_net(2);
  net.first.weight.update()[0] = std::numeric_limits<float>::quiet_NaN();
  net.first.weight.update()[1] = -std::numeric_limits<float>::infinity();
  nn::save(net, folder / "net.safetensors");
  nn::load(other, folder / "net.safetensors");
  CHECK(std::memcmp(net.first.weight.value().data(), other.first.weight.value().data(), 16) == 0);
  CHECK(equal(net.scale.value(), other.scale.value()));
  CHECK(folder.files() == 1);
}
TEST_CASE("the file is what safetensors says") {
  const Folder folder;
  const Net net = some_net();
  nn::save(net, folder / "net");
  std::string padded = header;
  padded.resize((header.size() + 7) / 8 * 8, ' ');
  std::string data(32, '\0');
  std::memcpy(data.data(), net.scale.value().data(), 8);
  std::memcpy(data.data() + 8, net.first.weight.value().data(), 16);
  std::memcpy(data.data() + 24, net.first.bias.value().data(), 8);
  CHECK(bytes_of(folder / "net") == with_length(padded, data));
}
TEST_CASE("entries may come in any order, with metadata, as other programs write them") {
  const Folder folder;
  write(folder / "net", with_length(R"({"__metadata__":{"format":"pt"}, "0.bias":{"shape":[2],"dtype":"F32","data_offsets":[0,8]},
     "1":{"dtype":"F64","data_offsets":[24,32],"shape":[1]},
     "0.weight":{"data_offsets":[8,24],"dtype":"F32","shape":[2,2]}})", std::string(32, '\0')));
  Net net = some_net();
  nn::load(net, folder / "net");
  CHECK(equal(net.first.weight.value(), ad::Tensor<float>::zeros({2, 2})));
  CHECK(net.scale.value()[0] == 0);
}
TEST_CASE("a file that is not this net's says what differs") {
  check_header("\"0.bias\"", "\"0.bios\"", "it holds no \"0.bias\", which should be there with shape (2,)");
  check_header("{\"1\"", "{\"9\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]},\"1\"",
      "it holds \"9\", which was not asked for");
  check_header("[2,2]", "[4]", "\"0.weight\" has shape (4,) in the file and (2, 2) in the net");
  check_header("[2,2]", "[2,2,1]", "\"0.weight\" has shape (2, 2, 1) in the file");
  check_header("F64", "F32", "\"1\" is F32 in the file and F64 (double) in the net");
  check_header("F32", "BF16", "\"0.weight\" is BF16 in the file and F32 (float) in the net");
}
TEST_CASE("a damaged header says what is wrong with it") {
  check_header("{\"1\"", "[\"1\"", "does not begin with {");
  check_header("\"F64\"", "64", "\"1\" has no \"dtype\"");
  check_header("\"dtype\":\"F64\",", "", "\"1\" has no \"dtype\"");
  check_header("[1]", "1", "\"1\" has no list \"shape\"");
  check_header("[1]", "[-1]", "\"shape\" of \"1\" holds -1");
  check_header("[1]", "[1.0]", "\"shape\" of \"1\" holds 1.0");
  check_header("[1]", "[99999999999999999999999]", "whole numbers from 0 on are needed");
  check_header("[1]", "[true]", "\"shape\" of \"1\" holds true");
  check_header("[1]", "[[1]]", "nested 4 deep");
  check_header("[1]", std::string(1'000'000, '[') + std::string(1'000'000, ']'), "nested 1000002 deep");
  check_header("[1]", "[\"]]]][[[[\\\"{{{{\"]", "whole numbers from 0 on are needed");
  check_header("[0,8]", "[0,9]", "\"1\" of shape (1,) takes 8 bytes, but its data_offsets in the file are (0, 9)");
  check_header("[0,8]", "[8,0]", "data_offsets in the file are (8, 0)");
  check_header("[0,8]", "[0,8,8]", "data_offsets in the file are (0, 8, 8)");
  check_header("[0,8]", "[18446744073709551608,0]", "data_offsets");
  check_header("[0,8]", "[18446744073709551600,18446744073709551608]", "overlap or leave a gap");
  check_header("[8,24]", "[4,20]", "overlap or leave a gap");
  check_header("[24,32]", "[26,34]", "overlap or leave a gap");
  check_header("[24,32]", "[0,8]", "lie at the same place");
  check_header("{\"1\"", "{\"__metadata__\":3,\"1\"", "\"__metadata__\" is not a JSON object");
  check_header("{\"1\"", "{\"0.bias\":{},\"1\"", "\"0.bias\" occurs twice");
  check_header("[1]", "[1],\"shape\":[1]", "\"shape\" occurs twice");
  check_header("\"0.bias\":{", "\"0.bias\":3,\"x\":{", "\"0.bias\" is not described by an object");
  check_header("\"0.bias\"", "\"0.b\xff\"", "not JSON");
  check_header("}}", "}", "not JSON");
}
TEST_CASE("a file of the wrong length, or no such file, says so") {
  check_refused(with_length(header, std::string(31, 'x')), "its parameters take 32 bytes, but 31 follow the header");
  check_refused(with_length(header, std::string(33, 'x')), "its parameters take 32 bytes, but 33 follow the header");
  check_refused("", "it has 0 bytes, and a safetensors file has at least 8");
  check_refused("1234567", "it has 7 bytes");
  check_refused(std::string(8, '\0'), "does not begin with {");
  check_refused(std::string(100, '\xff'), "its header should have 18446744073709551615 bytes");
  check_refused(std::string("\xff\xff\xff\x03\0\0\0\0{}", 10), "its header should have 67108863 bytes, but the file ends after 2");
  Net net = some_net();
  CHECK_THROWS_WITH_AS(nn::load(net, "/nowhere/net"), "load /nowhere/net: cannot open it: No such file or directory", nn::FileError);
  CHECK_THROWS_WITH_AS(nn::load(net, "/tmp"), "load /tmp: this is a directory; name a file", nn::FileError);
  CHECK_THROWS_WITH_AS(nn::load(net, "/dev/null"), "load /dev/null: this is not a regular file", nn::FileError);
  CHECK_THROWS_WITH_AS(nn::save(net, "/nowhere/net"), "save /nowhere/net: cannot create a file there: No such file or directory",
      nn::FileError);
  CHECK_THROWS_WITH_AS(nn::save(net, "/tmp"), "save /tmp: this is a directory; name a file", nn::FileError);
  CHECK_THROWS_WITH_AS(nn::save(net, "/dev/null"), "save /dev/null: this is not a regular file", nn::FileError);
  CHECK_THROWS_AS(nn::save(net, ""), nn::FileError);
}
TEST_CASE("cut off anywhere, a file is refused and the net untouched") {
  const Folder folder;
  nn::save(some_net(1), folder / "whole");
  const std::string whole = bytes_of(folder / "whole");
  Net net = some_net(3);
  for (std::size_t n = 0; n < whole.size(); ++n) {
    write(folder / "cut", whole.substr(0, n));
    CHECK_THROWS_AS(nn::load(net, folder / "cut"), nn::FileError);
  }
  CHECK(same(net, some_net(3)));
}
TEST_CASE("any byte of the header changed to any other: refused with the net untouched, or a header that says the same") {
  const Folder folder;
  nn::save(some_net(1), folder / "whole");
  const std::string whole = bytes_of(folder / "whole");
  const std::size_t head = whole.size() - 32;
  std::size_t loaded = 0;
  for (std::size_t i = 0; i < head; ++i)
    for (const int flip : {1, 2, 4, 8, 16, 32, 64, 128, 0xff}) {
      std::string bytes = whole;
      bytes[i] = static_cast<char>(bytes[i] ^ flip);
      write(folder / "flipped", bytes);
      Net net = some_net(3);
      bool good = true;
      try {
        nn::load(net, folder / "flipped");
      } catch (const nn::FileError&) {
        good = false;
      }
      loaded += good;
      CHECK(same(net, some_net(good ? 1 : 3)));
    }
  CHECK(loaded < 20);  // spaces at its end that became tabs
}
TEST_CASE("a net is saved through a link, and keeps the permissions of the file it replaces") {
  const Folder folder;
  nn::save(some_net(1), folder / "file");
  fs::permissions(folder / "file", fs::perms::owner_read | fs::perms::owner_write);
  fs::create_symlink("file", folder / "link");
  nn::save(some_net(2), folder / "link");
  CHECK(fs::is_symlink(folder / "link"));
  CHECK(fs::status(folder / "file").permissions() == (fs::perms::owner_read | fs::perms::owner_write));
  Net net = some_net(3);
  nn::load(net, folder / "file");
  CHECK(same(net, some_net(2)));
  CHECK(folder.files() == 2);
}
TEST_CASE("a save for which there is no room says so, and leaves the old file and nothing else") {
  const Folder folder;
  nn::Linear<double> large(100, 100), old(100, 100);
  nn::initialize(old, 1);
  nn::save(old, folder / "net");
  const auto before = std::signal(SIGXFSZ, SIG_IGN);
  rlimit unlimited{};
  getrlimit(RLIMIT_FSIZE, &unlimited);
  const rlimit limit{20'000, unlimited.rlim_max};
  setrlimit(RLIMIT_FSIZE, &limit);
  const std::string text = "save " + (folder / "net") + ": cannot write it: File too large";
  CHECK_THROWS_WITH_AS(nn::save(large, folder / "net"), text.c_str(), nn::FileError);
  setrlimit(RLIMIT_FSIZE, &unlimited);
  std::signal(SIGXFSZ, before);
  CHECK(folder.files() == 1);
  nn::load(large, folder / "net");
  CHECK(equal(large.weight.value(), old.weight.value()));
}
TEST_CASE("a save that is killed half-way leaves the old file whole") {
  const Folder folder;
  nn::Linear<double> net(100, 100);
  nn::initialize(net, 1);
  nn::save(net, folder / "net");
  const std::string whole = bytes_of(folder / "net");
  nn::initialize(net, 2);
  const pid_t child = ::fork();
  if (child == 0) {  // the system kills it when its file reaches the limit
    const rlimit limit{40'000, 40'000}, no_core{0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
    setrlimit(RLIMIT_FSIZE, &limit);
    std::signal(SIGXFSZ, SIG_DFL);
    nn::save(net, folder / "net");
    ::_exit(0);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WIFSIGNALED(status));
  CHECK(bytes_of(folder / "net") == whole);
  CHECK(folder.files() == 2);  // and the part it had written
  nn::save(net, folder / "net");
  CHECK(bytes_of(folder / "net") != whole);
}
TEST_CASE("a directory that cannot be written to says so") {
  if (::geteuid() == 0) return;  // root writes everywhere
  const Folder folder;
  fs::permissions(folder.path, fs::perms::owner_read | fs::perms::owner_exec);
  CHECK_THROWS_AS(nn::save(some_net(), folder / "net"), nn::FileError);
  fs::permissions(folder.path, fs::perms::owner_all);
}
TEST_CASE("two parameters of one name cannot be told apart in a file") {
  const Folder folder;
  CHECK_THROWS_AS(nn::save(Twins{}, folder / "net"), nn::FileError);
  CHECK(folder.files() == 0);
}
TEST_CASE("a link stays, and the file is written where it leads, also where nothing is yet") {
  const Folder folder;
  std::filesystem::create_directory(folder / "runs");
  std::filesystem::create_symlink("runs/first", folder / "latest");
  nn::save(some_net(1), folder / "latest");
  CHECK(std::filesystem::is_symlink(folder / "latest"));
  Net net = some_net(2);
  nn::load(net, folder / "runs/first");
  CHECK(same(net, some_net(1)));
  std::filesystem::create_symlink("self", folder / "self");
  CHECK_THROWS_WITH_AS(nn::save(net, folder / "self"), doctest::Contains("leads to itself"), nn::FileError);
}
TEST_CASE("a name may be as long as the system has it; an empty one is refused") {
  const Folder folder;
  const std::string name(250, 'n');
  nn::save(some_net(1), folder / name);
  Net net = some_net(2);
  nn::load(net, folder / name);
  CHECK(same(net, some_net(1)));
  CHECK_THROWS_WITH_AS(nn::save(net, ""), "save: the path is empty; name a file", nn::FileError);
  CHECK_THROWS_WITH_AS(nn::load(net, ""), "load: the path is empty; name a file", nn::FileError);
  CHECK_THROWS_WITH_AS(nn::save(net, folder / std::string("keep\0.safetensors", 17)),
      doctest::Contains("there is a NUL in this path"), nn::FileError);
  CHECK(!fs::exists(folder / "keep"));
}
TEST_CASE("a header that holds a byte of 0 is damaged") {
  std::string changed = header;
  changed.back() = '\0';
  check_refused(with_length(changed, std::string(32, 'x')), "a byte of 0");
}
TEST_CASE("a map of layers is saved by its keys") {
  struct Heads { std::map<std::string, nn::Linear<float>> heads; };
  const Folder folder;
  Heads net, other;
  net.heads.emplace("left", nn::Linear(1, 1)), net.heads.emplace("right", nn::Linear(1, 1));
  other.heads.emplace("left", nn::Linear(1, 1)), other.heads.emplace("wrong", nn::Linear(1, 1));
  nn::save(net, folder / "net");
  CHECK_NOTHROW(nn::load(net, folder / "net"));
  CHECK_THROWS_WITH_AS(nn::load(other, folder / "net"), doctest::Contains("it holds no \"0.wrong.weight\""), nn::FileError);
  Heads odd;  // also by keys that hold a NUL, a quote, or nothing
  const std::string names[] = {"a", {"a\0b", 3}, "\"", ""};
  for (const std::string& name : names) odd.heads.emplace(name, nn::Linear(1, 1));
  nn::initialize(odd, 1);
  nn::save(odd, folder / "odd");
  const float weight = odd.heads.at(names[1]).weight.value()[0];
  nn::initialize(odd, 2);
  nn::load(odd, folder / "odd");
  CHECK(odd.heads.at(names[1]).weight.value()[0] == weight);
}
TEST_CASE("a net that was moved from is neither saved, loaded nor initialized, and the file stays as it was") {
  const Folder folder;
  Net net = some_net(1);
  nn::save(net, folder / "net");
  const Net other = std::move(net);
  CHECK_THROWS_WITH_AS(nn::save(net, folder / "net"), doctest::Contains("save: a parameter of this model was moved from"), ad::Error);
  CHECK_THROWS_WITH_AS(nn::load(net, folder / "net"), doctest::Contains("load: a parameter of this model was moved from"), ad::Error);
  CHECK_THROWS_AS(nn::initialize(net, 1), ad::Error);
  Net again = some_net(2);
  nn::load(again, folder / "net");
  CHECK(same(again, other));
}
TEST_CASE("training goes on from files as if it had not stopped, to the last digit") {
  const auto learn = [](auto& net, auto& optimizer, int steps) {
    const ad::Tensor<float> x{{0, 0.5f}, {1, -1}}, y{{1}, {0}};
    ad::Tape tape;
    for (int i = 0; i < steps; ++i) {
      tape.clear();
      const ad::Var cost = nn::mse(net(x), y);
      tape.backward(cost);
      optimizer.step(net);
    }
  };
  const auto goes_on = [&](auto make) {
    const Folder folder;
    nn::Sequential net{nn::Linear(2, 3), nn::Tanh{}, nn::Linear(3, 1)}, other = net;
    nn::initialize(net, 1), nn::initialize(other, 2);
    auto optimizer = make(), another = make();
    another.save(other, folder / "nothing yet"), another.load(other, folder / "nothing yet");
    learn(net, optimizer, 5), learn(other, another, 3);
    nn::save(net, folder / "net"), optimizer.save(net, folder / "optimizer");
    learn(net, optimizer, 5);
    nn::load(other, folder / "net"), another.load(other, folder / "optimizer");
    learn(other, another, 5);
    CHECK(equal(std::get<0>(net.layers).weight.value(), std::get<0>(other.layers).weight.value()));
    CHECK(equal(std::get<2>(net.layers).bias.value(), std::get<2>(other.layers).bias.value()));
    nn::Linear wrong(2, 1);
    CHECK_THROWS_AS(optimizer.save(wrong, folder / "wrong"), ad::Error);
    CHECK_THROWS_WITH_AS(another.load(wrong, folder / "optimizer"), doctest::Contains("it holds no \"first.weight\""), nn::FileError);
    CHECK_THROWS_AS(another.load(other, folder / "net"), nn::FileError);
    learn(net, optimizer, 1), learn(other, another, 1);
    CHECK(equal(std::get<0>(net.layers).weight.value(), std::get<0>(other.layers).weight.value()));
  };
  goes_on([] { return nn::Adam{{.learning_rate = 0.05}}; });
  goes_on([] { return nn::Sgd{{.learning_rate = 0.1, .momentum = 0.9}}; });
  const Folder folder;
  CHECK_THROWS_WITH_AS((nn::Sgd{{}}.save(some_net(1), folder / "x")), doctest::Contains("without momentum it keeps nothing"), ad::Error);
}
TEST_CASE("moments that no optimizer can have kept are refused") {
  const Folder folder;
  nn::Linear net(1, 1);
  const std::string path = folder / "adam";
  const nn::Adam optimizer;
  optimizer.save(net, path);
  const std::string good = bytes_of(path);
  std::uint64_t header_size = 0;
  std::memcpy(&header_size, good.data(), 8);
  for (const float bad : {-1.0f, std::numeric_limits<float>::infinity(),
      std::numeric_limits<float>::quiet_NaN()}) {  // the first float is no power: a moment
    int refused = 0;
    for (std::size_t at = 8 + header_size; at + 4 <= good.size(); at += 4) {
      std::string bytes = good;
      std::memcpy(bytes.data() + at, &bad, 4);
      write(path, bytes);
      try {
        nn::Adam().load(net, path);
      } catch (const nn::FileError& e) {
        CHECK(std::string(e.what()).find("a moment is not finite") != std::string::npos);
        ++refused;
      }
    }
    CHECK(refused == (bad == -1 ? 2 : 4) + 8);  // of two parameters: the second moments, or both; and either half of a power
  }
  for (const double bad : {1 / 0.9, -1.0, std::nan("")}) {
    std::string bytes = good;  // somewhere in it stand the powers, 1 and 1, of each of two parameters
    const double one = 1;
    const std::size_t at = bytes.find(std::string(reinterpret_cast<const char*>(&one), 8));
    REQUIRE(at != std::string::npos);
    std::memcpy(bytes.data() + at, &bad, 8);
    write(path, bytes);
    CHECK_THROWS_AS(nn::Adam().load(net, path), nn::FileError);
  }
}

TEST_CASE("an error shows a line of what a file says, however long it is, and nothing that steers a terminal") {
  std::string name;
  for (int i = 0; i < 500'000; ++i) name += "\xc2\x9b";  // C1: a sequence for a terminal begins
  const std::string text = said_of_type(name);
  CHECK(text.find("is ??????") != std::string::npos);
  CHECK(text.size() < 1500);
  CHECK(text.find('\x9b') == std::string::npos);
}

namespace {
struct CalledMetadata {
  ad::Parameter<double> p{ad::Tensor<double>{1}};
  static constexpr const char* field_names[] = {"__metadata__"};
};
}  // namespace

TEST_CASE("a model without parameters is not saved") {
  const Folder folder;
  std::vector<nn::Linear<float>> none;
  CHECK_THROWS_WITH_AS(nn::save(none, folder / "a"), doctest::Contains("holds no parameters"), ad::Error);
}

TEST_CASE("nor loaded") {
  const Folder folder;
  std::vector<nn::Linear<float>> none;
  write(folder / "a", with_length("{}"));
  CHECK_THROWS_WITH_AS(nn::load(none, folder / "a"), doctest::Contains("holds no parameters"), ad::Error);
}

TEST_CASE("no parameter is called __metadata__") {
  const Folder folder;
  CHECK_THROWS_WITH_AS(nn::save(CalledMetadata(), folder / "net"), doctest::Contains("cannot be called \"__metadata__\""), nn::FileError);
}

TEST_CASE("files that an earlier process left behind are in nobody's way") {
  const Folder folder;
  for (int i = 0; i < 2000; ++i) write(folder / (std::to_string(::getpid()) + "-" + std::to_string(i) + ".part"), "");
  CHECK_NOTHROW(nn::save(some_net(1), folder / "net"));
}

TEST_CASE("a transposed weight is called that") {
  check_header("[2,2]", "[2,3]", "shape (2, 3) in the file and (2, 2) in the net");
  const Folder folder;
  nn::Linear net(2, 3), pytorch(3, 2);
  pytorch.bias = net.bias;
  nn::save(pytorch, folder / "net");
  CHECK_THROWS_WITH_AS(nn::load(net, folder / "net"), doctest::Contains("(inputs, outputs): transpose it"), nn::FileError);
}

TEST_CASE("and another is not") {
  const Folder folder;
  nn::Linear net(2, 3), other(3, 5);
  other.bias = net.bias;
  nn::save(other, folder / "net");
  try { nn::load(net, folder / "net"); FAIL("no"); }
  catch (const nn::FileError& e) { CHECK(std::string(e.what()).find("transpose") == std::string::npos); }
}

TEST_CASE("a pipe is no model") {
  const Folder folder;
  REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
  Net net = some_net(1);
  CHECK_THROWS_WITH_AS(nn::load(net, folder / "pipe"), doctest::Contains("not a regular file"), nn::FileError);
}

TEST_CASE("a parameter without numbers is saved and loaded") {
  struct Odd { ad::Parameter<double> none{ad::Shape({0, 2})}, some{ad::Tensor<double>{1}}; } odd;
  const Folder folder;
  nn::save(odd, folder / "net");
  odd.some.assign({2});
  CHECK_NOTHROW(nn::load(odd, folder / "net"));
  CHECK(odd.some.value()[0] == 1);
}

TEST_CASE("what an error quotes of a file is cut between characters") {
  const std::string euro = "\xe2\x82\xac";
  for (std::size_t shift = 0; shift < 3; ++shift) {
    std::string name = std::string(shift, 'a') + "\x7f";
    for (int i = 0; i < 1000; ++i) name += euro;
    const std::string text = said_of_type(name);
    CHECK(text.find('\x7f') == std::string::npos);
    std::size_t at = text.find(euro);
    REQUIRE(at != std::string::npos);
    while (text.compare(at, 3, euro) == 0) at += 3;
    CHECK(text.substr(at) == "\xe2\x80\xa6");
  }
}
