// Parameters: tensors to be learned, on one recording after another; updates in place never change what was recorded.
#include "support.hpp"
#include <algorithm>
#include <memory>
#include <optional>
#include <thread>

using ad::Parameter;
using ad::Tensor;
using support::about;
using support::difference;
using support::refuses;

namespace {
/// One step of gradient descent by hand.
void descend(Parameter<double>& p, double rate) {
  const double* const g = p.adjoint();
  REQUIRE(g != nullptr);
  const std::vector<double> slope(g, g + p.size());
  double* const x = p.update();
  for (std::size_t i = 0; i < p.size(); ++i) x[i] -= rate * slope[i];
}
}  // namespace

TEST_CASE("a parameter learns, one recording after another") {
  Parameter<double> p(Tensor<double>{3, -2});
  ad::Tape tape;
  for (int step = 0; step < 60; ++step) {
    tape.clear();
    const ad::Var cost = sum(square(p.var() - Tensor<double>{1, 5}));
    CHECK(p.adjoint() == nullptr);
    tape.backward(cost);
    descend(p, 0.25);
    CHECK(p.adjoint() == nullptr);  // used up
  }
  CHECK(difference(p.value(), Tensor<double>{1, 5}) == "");
}

TEST_CASE("a parameter learns on a new tape each step, and on tapes that live side by side") {
  Parameter<double> p(Tensor<double>{3, -2});
  for (int step = 0; step < 60; ++step) {
    ad::Tape tape;
    tape.backward(sum(square(p.var() - 1.0)));
    descend(p, 0.25);
  }
  CHECK(difference(p.value(), Tensor<double>{1, 1}) == "");
  ad::Tape first;
  const ad::Var two = sum(p.var() * 2.0);
  for (int i = 0; i < 500; ++i) first.backward(two);
  CHECK(p.adjoint()[0] == 2);
  descend(p, 0);
  {
    ad::Tape second;  // its walks backwards have numbers of their own, which first's last one is no part of
    const ad::Var three = sum(p.var() * 3.0);
    for (int i = 0; i < 1000; ++i) {
      second.backward(three);
      REQUIRE(p.adjoint() != nullptr);
      CHECK(p.adjoint()[1] == 3);
    }
    descend(p, 0);
  }
  first.clear();
  first.backward(sum(p.var() * 4.0));
  REQUIRE(p.adjoint() != nullptr);
  CHECK(p.adjoint()[0] == 4);
}

TEST_CASE("used several times in one recording, it stands on the tape once") {
  Parameter<double> p(Tensor<double>{2, 3});
  ad::Tape tape;
  const ad::Var y = sum(p.var() * p.var() + p.var());
  CHECK(p.var().place() == p.var().place());
  tape.backward(y);
  CHECK(p.adjoint()[0] == 5);
  CHECK(difference(tape.adjoint(p.var()), Tensor<double>{5, 7}) == "");
}

TEST_CASE("used on tapes in turn, it stands once on each") {
  Parameter<double> p(Tensor<double>{2, 3});
  ad::Tape outer;
  const ad::Var one = sum(p.var());
  const auto inner_slope = [&] {
    ad::Tape inner;
    const ad::Var five = sum(p.var() * 5.0);
    double slope = 0;
    {
      const auto on = outer.record();
      const ad::Var seven = sum(p.var() * 7.0);
      outer.backward(one + seven);
      CHECK(outer.adjoint(p)(0) == 8);
    }
    inner.backward(five + sum(p.var() * 6.0));
    slope = inner.adjoint(p)(0);
    CHECK(outer.adjoint(p)(0) == 8);
    return slope;
  };
  CHECK(inner_slope() == 11);
  CHECK(inner_slope() == 11);
  const ad::Var ten = sum(p.var() * 10.0);
  outer.backward(one + ten);
  CHECK(outer.adjoint(p)(1) == 11);
  const auto mark = outer.mark();
  { const ad::Tape inner; (void)p.var(); }
  outer.rewind(mark);
  const ad::Var twice = sum(p.var()) + ten;
  outer.backward(twice);
  CHECK(outer.adjoint(p)(1) == 11);
}

TEST_CASE("an update takes the adjoint of the walk that reached it, also if another tape used it later, and spoils both recordings") {
  Parameter<double> p(Tensor<double>{2, 3});
  ad::Tape first;
  const ad::Var two = sum(square(p.var()));
  first.backward(two);
  ad::Tape second;
  const ad::Var three = sum(square(p.var()) * 3.0);
  REQUIRE(p.adjoint() != nullptr);
  CHECK(p.adjoint()[0] == 4);
  descend(p, 1);
  CHECK(p.adjoint() == nullptr);
  refuses<ad::TapeError>([&] { first.backward(two); }, {"updated in place"});
  refuses<ad::TapeError>([&] { second.backward(three); }, {"updated in place"});
  second.clear();
  refuses<ad::TapeError>([&] { first.backward(two); }, {"updated in place"});
  second.backward(sum(p.var()));
  CHECK(p.adjoint()[0] == 1);
}

TEST_CASE("a rewind leaves the old numbers of a parameter to what still stands, and gives back the others") {
  const auto trash = [] {
    std::vector<Tensor<double>> many(50, Tensor<double>{-1, -1});
    for (auto& t : many) t[0] = -2;
    return many;
  };
  Parameter<double> p(Tensor<double>{1, 2});
  ad::Tape tape;
  const ad::Var v = p.var();
  const ad::Var y = sum(v * v);
  const auto mark = tape.mark();
  p.assign(Tensor<double>{100, 200});
  for (int i = 0; i < 3; ++i) {
    (void)p.var();
    p.assign(Tensor<double>{100, 200});
    CHECK(ad::detail::active<double>->nodes.replaced.size() == 2);
    tape.rewind(mark);
    CHECK(ad::detail::active<double>->nodes.replaced.size() == 1);
  }
  const auto more = trash();
  CHECK(difference(v.value(), Tensor<double>{1, 2}) == "");
  tape.backward(y);
  CHECK(difference(tape.adjoint(v), Tensor<double>{2, 4}) == "");

  tape.clear();
  const ad::Var w = p.var();
  const auto later = tape.mark();
  {
    const Tensor<double> kept = p.value();
    p.update()[0] = 7;  // the numbers move away
  }
  tape.rewind(later);
  const auto still_more = trash();
  CHECK(difference(w.value(), Tensor<double>{7, 200}) == "");
}

TEST_CASE("other numbers by assign: every tape keeps the old ones that it has recorded") {
  Parameter<double> p(Tensor<double>{1, 2});
  ad::Tape first;
  const ad::Var v = p.var();
  const ad::Var y = sum(v * v);
  ad::Tape second;
  const ad::Var w = p.var();
  const ad::Var z = sum(w * w);
  p.assign(Tensor<double>{100, 200});
  const ad::Var later = sum(p.var());
  std::vector<Tensor<double>> trash(20, Tensor<double>{-1, -1});
  for (auto& t : trash) t[0] = -2;
  second.backward(z + later);
  CHECK(difference(second.adjoint(w), Tensor<double>{2, 4}) == "");
  CHECK(difference(second.adjoint(p), Tensor<double>{1, 1}) == "");
  const auto on = first.record();
  first.backward(y + sum(p.var()));
  CHECK(difference(first.adjoint(v), Tensor<double>{2, 4}) == "");
  CHECK(difference(first.adjoint(p), Tensor<double>{1, 1}) == "");
  CHECK(difference(v.value(), Tensor<double>{1, 2}) == "");
}

TEST_CASE("the adjoint of a parameter that a tape has not used is refused") {
  const Parameter<double> p(Tensor<double>{1, 2}), q(Tensor<double>{{1, 2}});
  ad::Tape tape;
  tape.backward(sum(p.var()));
  refuses<ad::TapeError>([&] { (void)tape.adjoint(q); }, {"adjoint", "(1, 2)", "not been used on this tape"});
  ad::Tape other;
  CHECK(tape.adjoint(p)(0) == 1);
  refuses<ad::TapeError>([&] { (void)other.adjoint(p); }, {"not been used on this tape"});
  tape.clear();
  refuses<ad::TapeError>([&] { (void)tape.adjoint(p); }, {"not been used on this tape since it was made, cleared, or assigned to"});
}

TEST_CASE("after an update the old recording cannot be walked backwards again") {
  Parameter<double> p(Tensor<double>{1, 2});
  ad::Tape tape;
  const ad::Var y = sum(square(p.var()));
  tape.backward(y);
  tape.backward(y);  // before the update: as often as one likes
  p.update()[0] = 10;
  refuses<ad::TapeError>([&] { tape.backward(y); }, {"backward", "updated in place", "clear()"});
  refuses<ad::TapeError>([&] { tape.backward({y}, {1.0}); }, {"updated in place"});
  tape.clear();
  const ad::Var z = sum(square(p.var()));
  tape.backward(z);
  CHECK(p.adjoint()[0] == 20);
}

TEST_CASE("updates after rewind: only what is still recorded counts") {
  Parameter<double> p(Tensor<double>{1, 2}), early(Tensor<double>{1, 1});
  ad::Tape tape;
  const ad::Var x = tape.variable(Tensor<double>{1, 1});
  const auto mark = tape.mark();
  for (int step = 0; step < 3; ++step) {
    tape.rewind(mark);
    tape.backward(sum(p.var() * x));
    descend(p, 1);
  }
  CHECK(difference(p.value(), Tensor<double>{-2, -1}) == "");
  tape.rewind(mark);
  (void)early.var();
  const auto later = tape.mark();
  tape.backward(sum(early.var() * p.var()));
  early.update()[0] = 5;
  p.update()[0] = 5;
  tape.rewind(later);  // p has gone, early has not
  const ad::Var y = sum(p.var() * x);
  refuses<ad::TapeError>([&] { tape.backward(y); }, {"updated in place"});
}

TEST_CASE("other numbers by assign: what was recorded keeps the old ones") {
  Parameter<double> p(Tensor<double>{1, 2});
  ad::Tape tape;
  const ad::Var v = p.var();
  const ad::Var y = sum(v * v);
  p.assign(Tensor<double>{100, 200});
  std::vector<Tensor<double>> trash(20, Tensor<double>{-1, -1});
  for (auto& t : trash) t[0] = -2;
  tape.backward(y);
  CHECK(difference(tape.adjoint(v), Tensor<double>{2, 4}) == "");
  CHECK(difference(v.value(), Tensor<double>{1, 2}) == "");
  CHECK(p.adjoint() == nullptr);
  CHECK(difference(p.var().value(), Tensor<double>{100, 200}) == "");
  refuses<ad::ShapeError>([&] { p.assign(Tensor<double>{1, 2, 3}); }, {"assign: numbers of shape (3,) for a parameter of shape (2,)"});
}

TEST_CASE("a parameter's value that the caller keeps does not change with it") {
  Parameter<double> p(Tensor<double>{1, 2});
  const Tensor<double> kept = p.value();
  ad::Tape tape;
  const ad::Var v = p.var();
  const ad::Var y = sum(v * v);
  tape.backward(y);
  p.update()[0] = 50;  // shared with `kept`: the numbers move away
  CHECK(kept(0) == 1);
  CHECK(p.value()(0) == 50);
  CHECK(difference(v.value(), p.value()) == "");  // as where nobody keeps them
  CHECK(sum(p.var()).value() == 52);
  refuses<ad::TapeError>([&] { tape.backward(y); }, {"updated in place"});
  Tensor<double> given{7, 8};
  Parameter<double> q(given);
  given[0] = 0;
  CHECK(q.value()(0) == 7);
}

TEST_CASE("a parameter made of a view of rows is updated in a block of its own") {
  ad::Parameter<float> p(Tensor<float>{{1, 2, 3}, {4, 5, 6}}.rows(1, 2));
  ad::Tape tape;
  tape.backward(sum(square(p.var())));
  CHECK(p.descend(0.5));
  CHECK(reinterpret_cast<std::uintptr_t>(p.value().data()) % 64 == 0);
  CHECK(difference(p.value(), Tensor<float>{{0, 0, 0}}) == "");
}

TEST_CASE("copies are deep, moves keep the place, and a parameter may end before its recording") {
  ad::Tape tape;
  ad::Var<Tensor<double>> v;
  {
    Parameter<double> p(Tensor<double>{1, 2});
    Parameter<double> copy = p;
    copy.update()[0] = 9;
    CHECK(p.value()(0) == 1);
    v = p.var();
    Parameter<double> moved = std::move(p);
    CHECK(moved.var().place() == v.place());
    CHECK(p.size() == 0);  // NOLINT: empty, and usable
    p = moved;
    CHECK(p.var().place() != v.place());
    p = std::move(moved);
    Parameter<double>& self = p;
    p = self;
    CHECK(p.value()(1) == 2);
  }
  const ad::Var y = sum(v * v);
  tape.backward(y);
  CHECK(difference(tape.adjoint(v), Tensor<double>{2, 4}) == "");
}

TEST_CASE("a parameter outlives its tape") {
  Parameter<double> p(Tensor<double>{1, 2});
  { ad::Tape tape; tape.backward(sum(p.var())); }
  CHECK(p.adjoint() == nullptr);
  CHECK(p.var().place() == 0);  // no tape: a constant
  p.update()[0] = 4;
  CHECK(sum(p.var()).value() == 6);
}

TEST_CASE("two tapes in turn keep one parameter without piling it up") {
  Parameter<double> p(Tensor<double>{1, 2});
  ad::Tape a, b;
  for (int i = 0; i < 100; ++i) {
    a.clear();
    for (ad::Tape* tape : {&a, &b, &a}) {
      const auto on = tape->record();
      if (tape == &b) b.clear();
      tape->backward(sum(p.var()));
      CHECK(p.adjoint()[0] == 1);
      CHECK(ad::detail::active<double>->nodes.shared.size() <= 3);
    }
  }
}

namespace {
/// What the parameters of a tape should be, kept beside it: y = Σ c · Σ p² over all uses.
struct Model {
  struct Use { std::size_t parameter, standing; double factor; };
  struct Standing { std::size_t number, made_at; double value; };  ///< made_at: how many uses there were
  ad::Tape tape;
  support::Number y = 0.0;
  std::vector<Use> uses;
  std::optional<Standing> standing[2];
  std::vector<std::size_t> spoiled;  ///< made_at of standings whose numbers have changed
  bool fresh[2] = {false, false};   ///< reached by the last walk backwards, and not used for an update …
  double walked[2] = {0, 0};        ///< … with this slope
  std::size_t walked_at[2] = {0, 0};  ///< number of that walk among all, if it stood there then
  struct Marked { ad::Tape::Mark mark; support::Number y; std::size_t uses; };
  std::vector<Marked> marks;

  void forget(std::size_t left) {
    uses.resize(left);
    std::erase_if(spoiled, [&](std::size_t at) { return at >= left; });
    for (int p = 0; p < 2; ++p) {
      if (standing[p] && standing[p]->made_at >= left) standing[p].reset();
      fresh[p] = false, walked_at[p] = 0;
    }
  }
  /// ∂y/∂p, each component.
  double slope(std::size_t p) const {
    double slope = 0;
    for (const Use& use : uses) if (use.parameter == p && use.standing == standing[p]->number) slope += use.factor * 2 * standing[p]->value;
    return slope;
  }
};
}  // namespace

TEST_CASE("parameters on three tapes in any order: random uses, marks, updates and assignments agree with a model") {
  std::uint64_t state = 7;
  const auto below = [&state](std::size_t n) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return static_cast<std::size_t>(state >> 33) % n;
  };
  std::size_t standings = 0, walks = 0, refused = 0;
  for (int round = 0; round < 40; ++round) {
    Parameter<double> ps[2] = {Parameter<double>(Tensor<double>{1, 1}), Parameter<double>(Tensor<double>{2, 2})};
    std::vector<std::unique_ptr<Model>> models;
    for (int i = 0; i < 3; ++i) models.push_back(std::make_unique<Model>());
    for (int step = 0; step < 200; ++step) {
      std::unique_ptr<Model>& chosen = models[below(3)];
      Model& m = *chosen;
      const std::size_t p = below(2);
      const double number = 1 + static_cast<double>(below(1000)) / 8;
      switch (below(12)) {
        default: {
          const auto on = m.tape.record();
          if (!m.standing[p]) m.standing[p] = {standings++, m.uses.size(), ps[p].value()(0)};
          m.uses.push_back({p, m.standing[p]->number, number});
          m.y += sum(square(ps[p].var())) * number;
          break;
        }
        case 0: m.tape.clear(), m.y = 0.0, m.marks.clear(), m.forget(0); break;
        case 1: m.marks.push_back({m.tape.mark(), m.y, m.uses.size()}); break;
        case 2:
          if (m.marks.empty()) break;
          m.marks.resize(below(m.marks.size()) + 1);
          m.tape.rewind(m.marks.back().mark), m.y = m.marks.back().y, m.forget(m.marks.back().uses);
          break;
        case 3:
          for (const auto& each : models) each->standing[p].reset(), each->fresh[p] = false, each->walked_at[p] = 0;
          ps[p].assign(Tensor<double>{number, number});
          break;
        case 4: {  // an update takes the adjoint of the tape walked last, and spoils what every tape has recorded
          const double* const g = ps[p].adjoint();
          const Model& last = **std::max_element(models.begin(), models.end(),
              [p](const auto& a, const auto& b) { return a->walked_at[p] < b->walked_at[p]; });
          REQUIRE((g != nullptr) == (last.walked_at[p] > 0 && last.fresh[p]));
          if (g) CHECK(g[1] == about(last.walked[p]));
          for (const auto& each : models) each->fresh[p] = false;  // spoiled, they are not walked again
          double* const x = ps[p].update();
          x[0] = x[1] = number;
          for (const auto& each : models) if (each->standing[p]) each->spoiled.push_back(each->standing[p]->made_at);
          break;
        }
        case 5: chosen = std::make_unique<Model>(); break;
        case 6: case 7:
          if (m.uses.empty()) break;
          if (!m.spoiled.empty()) {
            refuses<ad::TapeError>([&] { m.tape.backward(m.y); }, {"updated in place"});
            ++refused;
            break;
          }
          m.tape.backward(m.y);
          for (std::size_t q = 0; q < 2; ++q) {
            m.fresh[q] = m.standing[q].has_value();
            m.walked_at[q] = m.fresh[q] ? walks + 1 : 0;
            if (m.standing[q]) CHECK(m.tape.adjoint(ps[q])(0) == about(m.walked[q] = m.slope(q)));
            else refuses<ad::TapeError>([&] { (void)m.tape.adjoint(ps[q]); }, {"not been used on this tape"});
          }
          ++walks;
      }
    }
  }
  CHECK(walks > 300);
  CHECK(refused > 100);
}

TEST_CASE("without a tape, threads compute with one parameter at once") {
  const Parameter<double> p(Tensor<double>::ones({64}));
  std::vector<std::thread> threads;
  std::vector<int> right(4);
  for (std::size_t i = 0; i < right.size(); ++i)
    threads.emplace_back([&, i] { for (int k = 0; k < 300; ++k) right[i] += sum(p.var() * 2.0).value() == 128; });
  for (auto& t : threads) t.join();
  for (const int r : right) CHECK(r == 300);
}

TEST_CASE("parameters after their tape has ended on another thread are constants again") {
  Parameter<double> p(Tensor<double>{1, 2});
  auto tape = std::make_unique<ad::Tape>();
  (void)p.var();
  std::thread([&] { tape.reset(); }).join();
  CHECK(sum(p.var() * 2.0).value() == 6);
  CHECK(!ad::detail::records());
}

TEST_CASE("of several walks that reached a parameter, the last one counts, whichever tape used it last") {
  Parameter<double> p(Tensor<double>{10});
  ad::Tape outer;
  const ad::Var c = sum(p.var()) * 3.0;
  ad::Tape inner;
  const ad::Var d = sum(p.var()) * 5.0;
  inner.backward(d), outer.backward(c);
  REQUIRE(p.adjoint());
  CHECK(p.adjoint()[0] == 3);
  outer.backward(c), inner.backward(d);
  CHECK(p.adjoint()[0] == 5);
}

TEST_CASE("plain descent with a product takes that of the walk that counts, though the parameter stands on two tapes") {
  for (const bool walk_both : {true, false}) {
    ad::Parameter<double> w(Tensor<double>::full({40, 40}, 2));
    const auto layer = [&](double x) { return sum(ad::layer(Tensor<double>::full({5, 40}, x), w, Tensor<double>::zeros({40}))); };
    ad::Tape first;
    const ad::Var c1 = layer(1);
    if (walk_both) first.backward(c1);
    ad::Tape second;
    const ad::Var c2 = layer(10);
    second.backward(c2);
    CHECK(w.descend(1));
    CHECK(difference(w.value(), Tensor<double>::full({40, 40}, 2 - 50)) == "");
  }
}

TEST_CASE("what was moved from is known as such, its copies too, until it is given numbers again") {
  Parameter<double> p(Tensor<double>{1, 2});
  CHECK(!p.moved_from());
  const Parameter<double> q = std::move(p);
  Parameter<double> copy = p;  // NOLINT: that is what is tested
  CHECK(p.moved_from());
  CHECK(copy.moved_from());
  CHECK(!q.moved_from());
  copy = q;
  CHECK(!copy.moved_from());
  CHECK(copy.size() == 2);
}

TEST_CASE("the latest of several outputs says what a walk passed") {
  ad::Parameter<double> p(Tensor<double>{1});
  ad::Tape tape;
  const ad::Var x = tape.variable(1.0), early = x * 2;
  const ad::Var late = relu(sum(p.var()) - 100);
  tape.backward({late, early}, {1, 1});
  CHECK(p.walked());
}

TEST_CASE("a walk of another tape, of the same number, does not count") {
  ad::Parameter<double> p(Tensor<double>{1});
  ad::Tape a, b;
  {
    const auto here = a.record();
    const ad::Var cost = sum(p.var());
    a.backward(cost);
    a.clear(), a.clear();
  }
  const ad::Var off = relu(sum(p.var()) - 100);
  b.backward(off);
  CHECK(!p.reached());
}

TEST_CASE("a parameter that was moved from, and is filled again, is another one") {
  ad::Parameter<double> a(Tensor<double>{1}), b = std::move(a);
  a = ad::Parameter<double>(Tensor<double>{2});
  CHECK(a.identity() != b.identity());
  ad::Parameter<double> c = std::move(a);
  const ad::Parameter<double> full(Tensor<double>{2});
  a = full;
  CHECK(a.identity() != c.identity());
}

TEST_CASE("the value of a parameter's variable follows an update in place") {
  ad::Parameter<double> p(Tensor<double>{1});
  ad::Tape tape;
  const ad::Var v = p.var();
  CHECK(v.value()[0] == 1);
  const ad::Var cost = sum(v);
  tape.backward(cost);
  p.descend(0.5);
  CHECK(v.value()[0] == 0.5);
}

TEST_CASE("a walk from a tensor has passed what it does not reach") {
  ad::Parameter<double> p(Tensor<double>{1});
  ad::Tape tape;
  const ad::Var off = relu(sum(p.var()) - 100);
  const ad::Var y = tape.variable(Tensor<double>{1, 2}) * off;
  tape.backward(y, {1, 1});
  CHECK(p.walked());
}

TEST_CASE("a tape with parameters is not walked by a thread that does not have it in its list") {
  const Parameter<double> p(Tensor<double>{1, 2});
  ad::Tape tape;
  const ad::Var y = sum(p.var());
  std::thread([&] { CHECK_THROWS_AS(tape.backward(y), ad::TapeError); }).join();
}
