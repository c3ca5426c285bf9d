// Parameters are found from the fields.
#include <doctest/doctest.h>
#include <nn/nn.hpp>
#include <array>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace ad = autodiff;
namespace nn = autodiff::nn;

namespace {

using Line = nn::Linear<float>;

template <class M> std::vector<std::string> names(const M& model) {
  std::vector<std::string> all;
  nn::for_each_named_parameter(model, [&](const std::string& name, const auto&) { all.push_back(name); });
  return all;
}
using Names = std::vector<std::string>;

struct Two { Line hidden{2, 3}, output{3, 1}; };
struct Mixed {
  int epochs = 3;
  std::string note = "a";
  Line first;
  std::vector<Line> many;
  double rate = 0.5;
  std::array<Line, 2> pair{Line(2, 2), Line(2, 2)};
  std::tuple<Line, int> tuple{Line(1, 1), 4};
  std::optional<Line> maybe, none;
  std::map<std::string, Line> named;
  std::vector<double> history;
  ad::Tensor<float> table;
  std::filesystem::path file{};
  std::array<int, 3> sizes{};
  std::string_view view{};
  nn::Sequential<Line, nn::Sigmoid> chain{Line(2, 2), nn::Sigmoid{}};
};
struct Named {
  Two both;
  Line last{1, 1};
  static constexpr const char* field_names[] = {"both", "last"};
};
class Private {
  Line a_{2, 1};
  ad::Parameter<double> scale_{ad::Tensor<double>{1, 2}};
  std::function<int(int)> opaque_ = [](int i) { return i; };
 public:
  auto fields() { return std::tie(a_, scale_); }
};
struct WithArray { int before; Line blocks[2]; float numbers[3]; Line last; };
struct Sixteen { Line a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p; };
struct Tree { Line node{1, 1}; std::vector<Tree> children{}; };
struct Holding { std::unique_ptr<Line> owned; std::variant<int, Line> either; };
struct Around { std::mt19937 random; std::mutex lock; Line line{1, 1}; auto fields() { return std::tie(line); } };
struct Renamed : nn::Sequential<Line, nn::Tanh> { using Sequential::Sequential; };
template <class M> struct Mixin { auto fields() { return static_cast<M*>(this)->parts(); } };
struct Mixed2 : Mixin<Mixed2> {
  Line a{2, 3};
  auto parts() { return std::tie(a); }
};
struct Keyed { std::map<std::string_view, Line> named; std::multimap<std::string, Line> several; };
class Scaled : public Line {
  ad::Parameter<float> gain_{ad::Tensor<float>{10}};
 public:
  Scaled() : Line(2, 2) {}
  static constexpr const char* field_names[] = {"weight", "bias", "gain"};
  auto fields() { return std::tie(weight, bias, gain_); }
};
struct Weight { ad::Parameter<double> w{ad::Tensor<double>{0.3}}; };

}  // namespace

TEST_CASE("a struct of layers is a model, and its parameters are named by position") {
  CHECK(names(Two{}) == Names{"0.weight", "0.bias", "1.weight", "1.bias"});
  CHECK(nn::parameter_count(Two{}) == 6 + 3 + 3 + 1);
  CHECK(names(Line(2, 3)) == Names{"weight", "bias"});
  CHECK(names(nn::Sequential{Line(2, 3), nn::Tanh{}, Line(3, 1)}) == Names{"0.weight", "0.bias", "2.weight", "2.bias"});
  CHECK(names(nn::Sequential{nn::Sequential{Line(2, 3), nn::Tanh{}}, Line(3, 1)}) == Names{"0.0.weight", "0.0.bias", "1.weight", "1.bias"});
}
TEST_CASE("a field that is a number of the tape's or of forward mode is a constant, and counted as one") {
  struct WithConstants {
    ad::Var<double> first = 2.0;
    Line layer{2, 3};
    ad::Dual<double> dual = 3.0;
    ad::Var<double> last = 4.0;
  };
  CHECK(names(WithConstants()) == Names{"1.weight", "1.bias"});
}

TEST_CASE("a struct names its fields if it likes") {
  CHECK(names(Named{}) == Names{"both.0.weight", "both.0.bias", "both.1.weight", "both.1.bias", "last.weight", "last.bias"});
}
TEST_CASE("a lone parameter is a model") {
  const ad::Parameter<float> p(ad::Tensor<float>{1, 2, 3});
  CHECK(names(p) == Names{"parameter"});
  CHECK(nn::parameter_count(p) == 3);
}
TEST_CASE("fields that are no layers are passed by, and containers are looked into") {
  Mixed model{.first = Line(2, 2), .many = {Line(1, 1), Line(1, 1)}, .maybe = Line(1, 1), .none = {}, .named = {{"x", Line(1, 1)}},
      .history = {}, .table = ad::Tensor<float>{1, 2}};
  CHECK(names(model) == Names{"2.weight", "2.bias", "3.0.weight", "3.0.bias", "3.1.weight", "3.1.bias", "5.0.weight", "5.0.bias",
      "5.1.weight", "5.1.bias", "6.0.weight", "6.0.bias",
                              "7.weight", "7.bias", "9.x.weight", "9.x.bias", "15.0.weight", "15.0.bias"});
}
TEST_CASE("a class with private fields gives fields()") {
  Private model;
  CHECK(names(model) == Names{"0.weight", "0.bias", "1"});
  CHECK(nn::parameter_count(model) == 5);
  CHECK(nn::parameter_count(Around{}) == 2);
}
TEST_CASE("an array among the fields shifts nothing") {
  WithArray model{1, {Line(1, 2), Line(2, 1)}, {1, 2, 3}, Line(3, 3)};
  CHECK(names(model) == Names{"1.0.weight", "1.0.bias", "1.1.weight", "1.1.bias", "3.weight", "3.bias"});
  CHECK(nn::parameter_count(model) == 4 + 3 + 12);
}
TEST_CASE("sixteen fields are counted, layers have no default") {
  const Line l(1, 1);
  CHECK(nn::parameter_count(Sixteen{l, l, l, l, l, l, l, l, l, l, l, l, l, l, l, l}) == 32);
}
TEST_CASE("a struct may hold its own kind") {
  Tree tree;
  tree.children.resize(2);
  tree.children[1].children.resize(1);
  CHECK(nn::parameter_count(tree) == 8);
}
TEST_CASE("what a unique_ptr or a variant holds is found") {
  Holding model;
  CHECK(nn::parameter_count(model) == 0);
  CHECK_THROWS_WITH_AS(nn::initialize(model, 1), "initialize: this model holds no parameters: its containers are empty", ad::Error);
  model.owned = std::make_unique<Line>(2, 2);
  model.either = Line(1, 1);
  CHECK(names(model) == Names{"0.weight", "0.bias", "1.weight", "1.bias"});
}
TEST_CASE("a variant that an exception left without a value holds nothing") {
  struct Throws { operator Line() const { throw 1; } };
  Holding model;
  CHECK_THROWS_AS(model.either.emplace<Line>(Throws()), int);
  REQUIRE(model.either.valueless_by_exception());
  CHECK(nn::parameter_count(model) == 0);
}
TEST_CASE("what holds no parameter is no model") {
  static_assert(nn::Model<Two> && nn::Model<const Two> && nn::Model<Weight>);
  static_assert(!nn::Model<nn::Sigmoid> && !nn::Model<nn::Sequential<nn::Sigmoid>> && !nn::Model<std::vector<int>> && !nn::Model<int*>
      && !nn::Model<nn::Dropout>);
  CHECK(nn::parameter_count(nn::Sigmoid{}) == 0);
}
TEST_CASE("what only refers to a layer is seen, to be refused") {
  static_assert(nn::Model<Line*> && nn::Model<std::shared_ptr<Line>> && nn::Model<std::span<Line>>
      && nn::Model<std::reference_wrapper<Line>>);
  static_assert(!nn::Model<const char*> && !nn::Model<std::shared_ptr<int>> && !nn::Model<std::span<const int>>
      && !nn::Model<std::reference_wrapper<int>> && !nn::Model<void*>);
  static_assert(nn::detail::kind_of<std::span<Line>>() == nn::detail::Kind::pointer
      && nn::detail::kind_of<std::reference_wrapper<Line>>() == nn::detail::Kind::pointer);
}
TEST_CASE("copying a net copies it") {
  Two net;
  nn::initialize(net, 1);
  const Two copy = net;
  const float before = copy.hidden.weight.value()(0, 0);
  net.hidden.weight.assign(ad::Tensor<float>::full({2, 3}, 7));
  CHECK(copy.hidden.weight.value()(0, 0) == before);
  net.output.weight.update()[0] = 9;
  CHECK(copy.output.weight.value()(0, 0) != 9);
  net = copy;
  CHECK(equal(net.hidden.weight.value(), copy.hidden.weight.value()));
  net.hidden.weight.update()[0] = 9;
  CHECK(copy.hidden.weight.value()(0, 0) == before);
}
TEST_CASE("a const net shows its parameters, a net that is not const lets them be changed") {
  Two net;
  nn::for_each_parameter(net, [](auto& p) { p.assign(std::remove_cvref_t<decltype(p.value())>::ones(p.shape())); });
  float sum = 0;
  nn::for_each_parameter(std::as_const(net), [&](const ad::Parameter<float>& p) { for (const float x : p.value()) sum += x; });
  CHECK(sum == 13);
}
TEST_CASE("a class derived from a layer brings fields of its own, or adds none") {
  CHECK(names(Renamed(Line(2, 3), nn::Tanh{})) == Names{"0.weight", "0.bias"});
  CHECK(names(Scaled{}) == Names{"weight", "bias", "gain"});
}
TEST_CASE("fields() may come from a base that asks the class itself, keys of any text name layers, those of a multimap do not") {
  CHECK(names(Mixed2{}) == Names{"0.weight", "0.bias"});
  Keyed model;
  model.named.emplace("x", Line(1, 1));
  model.several.emplace("a", Line(1, 1)), model.several.emplace("a", Line(1, 1));
  CHECK(names(model) == Names{"0.x.weight", "0.x.bias", "1.0.1.weight", "1.0.1.bias", "1.1.1.weight", "1.1.1.bias"});
}

namespace {
struct Tied {
  ad::Parameter<double> a{ad::Tensor<double>{1}}, b{ad::Tensor<double>{2}};
  auto fields() { return std::tie(b, a, b); }
};
}  // namespace
TEST_CASE("a shared parameter counts once, also where it was made after others") {
  const Tied tied;
  CHECK(nn::parameter_count(tied) == 2);
}
