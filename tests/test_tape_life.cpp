// The life of tapes: they nest like scopes, move, and end in any order, on any thread; what is left always works.
#include "support.hpp"
#include <atomic>
#include <memory>
#include <optional>
#include <thread>

using support::Number;
using support::refuses;
using support::works;
using support::works_as_the_youngest;

TEST_CASE("the youngest tape records, and an older one while record() of it lives") {
  ad::Tape outer;
  ad::Tape inner;
  const ad::Var a = outer.variable(2.0), b = inner.variable(3.0);
  refuses<ad::TapeError>([&] { (void)Number(a * a); }, {"another tape"});
  {
    const auto on = outer.record();
    const ad::Var y = a * a;
    refuses<ad::TapeError>([&] { (void)Number(b * b); }, {"another tape"});
    {
      const auto again = inner.record();
      const ad::Var z = b * b;
      inner.backward(z);
      {
        const auto thrice = outer.record();
        const ad::Var z2 = y * a;
        outer.backward(z2);
      }
      (void)Number(z * b);
    }
    (void)Number(y * a);
  }
  (void)Number(b * b);
  CHECK(outer.adjoint(a) == 12);
  CHECK(inner.adjoint(b) == 6);
}

TEST_CASE("tapes end in any order") {
  for (const auto& order : std::vector<std::vector<std::size_t>>{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}}) {
    std::vector<std::unique_ptr<ad::Tape>> tapes;
    for (int i = 0; i < 3; ++i) tapes.push_back(std::make_unique<ad::Tape>());
    for (const std::size_t ended : order) {
      for (auto& tape : tapes) if (tape) works(*tape);
      tapes[ended].reset();
      for (auto it = tapes.rbegin(); it != tapes.rend(); ++it)
        if (*it) { works_as_the_youngest(**it); break; }
    }
  }
  CHECK(ad::detail::active<double> == &ad::detail::idle<double>);
}

TEST_CASE("a tape may move, with its variables, in a vector too") {
  ad::Tape tape;
  const ad::Var x = tape.variable(2.0);
  const ad::Var t = tape.variable(ad::Tensor<double>{1, 2});
  ad::Tape moved = std::move(tape);
  const ad::Var y = x * sum(t * x);
  moved.backward(y);
  CHECK(moved.adjoint(x) == 12);
  ad::Tape assigned;
  assigned = std::move(moved);
  CHECK(assigned.adjoint(x) == 12);
  ad::Tape& self = assigned;
  assigned = std::move(self);
  CHECK(assigned.adjoint(x) == 12);
  works(assigned);

  std::vector<ad::Tape> tapes(3);
  std::vector<Number> xs;
  for (auto& each : tapes) xs.push_back(each.variable(1.0 + static_cast<double>(xs.size())));
  for (int i = 0; i < 20; ++i) tapes.emplace_back();  // moves them all
  for (std::size_t i = 0; i < xs.size(); ++i) {
    const auto on = tapes[i].record();
    const ad::Var z = xs[i] * xs[i];
    tapes[i].backward(z);
    CHECK(tapes[i].adjoint(xs[i]) == 2 * xs[i].value());
  }
  tapes.erase(tapes.begin() + 1);
  CHECK(tapes[1].adjoint(xs[2]) == 6);
  std::swap(tapes[0], tapes[1]);
  CHECK(tapes[0].adjoint(xs[2]) == 6);
  tapes.clear();
  const auto on = assigned.record();
  works_as_the_youngest(assigned);
}

TEST_CASE("a tape that takes another's recording ends its own") {
  ad::Tape tape, other;
  const ad::Var theirs = other.variable(2.0), square = theirs * theirs;
  ad::Var<double> ours;
  {
    const auto on = tape.record();
    ours = tape.variable(1.0);
  }
  tape = std::move(other);
  refuses<ad::TapeError>([&] { (void)other.variable(1.0); }, {"moved from"});
  refuses<ad::TapeError>([&] { (void)tape.adjoint(ours); }, {"adjoint"});
  tape.backward(square);
  CHECK(tape.adjoint(theirs) == 4);
  ad::Tape& itself = tape;
  tape = std::move(itself);
  tape.backward(square);
  CHECK(tape.adjoint(theirs) == 4);
}
TEST_CASE("a tape that was moved from refuses to work, and can be given another") {
  ad::Tape tape;
  ad::Tape moved = std::move(tape);
  const ad::Var x = moved.variable(1.0);
  // NOLINTBEGIN: used after the move on purpose
  refuses<ad::TapeError>([&] { (void)tape.variable(1.0); }, {"moved from"});
  refuses<ad::TapeError>([&] { (void)tape.variable(ad::Tensor<double>{1}); }, {"moved from"});
  refuses<ad::TapeError>([&] { tape.backward(x); }, {"moved from"});
  refuses<ad::TapeError>([&] { tape.backward({x}, {1.0}); }, {"moved from"});
  refuses<ad::TapeError>([&] { (void)tape.adjoint(x); }, {"moved from"});
  refuses<ad::TapeError>([&] { tape.clear(); }, {"moved from"});
  refuses<ad::TapeError>([&] { (void)tape.mark(); }, {"moved from"});
  refuses<ad::TapeError>([&] { tape.rewind({}); }, {"moved from"});
  refuses<ad::TapeError>([&] { (void)tape.statistics(); }, {"moved from"});
  refuses<ad::TapeError>([&] { const auto on = tape.record(); }, {"moved from"});
  // NOLINTEND
  tape = ad::Tape();
  works_as_the_youngest(tape);
}

TEST_CASE("record() may outlive its tape") {
  ad::Tape outer;
  {
    auto tape = std::make_unique<ad::Tape>();
    const ad::Var x = tape->variable(2.0);
    std::unique_ptr<ad::Tape::Recording> on(new ad::Tape::Recording(tape->record()));
    tape.reset();
    refuses<ad::TapeError>([&] { (void)Number(x * x); }, {"variable (at place "});
    works_as_the_youngest(outer);  // records already, although `on` lives
    on.reset();
    refuses<ad::TapeError>([&] { (void)Number(x * x); }, {"variable (at place "});
  }
  works_as_the_youngest(outer);
}

TEST_CASE("record() on another thread may outlive its tape: it records no more") {
  auto tape = std::make_unique<ad::Tape>();
  const ad::Var x = tape->variable(2.0);
  std::atomic<int> stage{0};
  std::thread other([&] {
    const auto on = tape->record();
    stage = 1;
    while (stage != 2) std::this_thread::yield();
    refuses<ad::TapeError>([&] { (void)Number(x * x); }, {"no tape records on this thread: its tape has ended"});
  });
  while (stage != 1) std::this_thread::yield();
  tape.reset();
  stage = 2;
  other.join();
  ad::Tape next;
  works(next);
}

TEST_CASE("record() may end before an older record()") {
  ad::Tape a, b;
  std::unique_ptr<ad::Tape::Recording> first(new ad::Tape::Recording(a.record())), second(new ad::Tape::Recording(b.record()));
  first.reset();
  works_as_the_youngest(b);
  second.reset();
  works_as_the_youngest(b);
}

TEST_CASE("a tape may end on another thread; this thread's next tape records") {
  for (int round = 0; round < 3; ++round) {
    auto tape = std::make_unique<ad::Tape>();
    const ad::Var x = tape->variable(2.0);
    const ad::Var t = tape->variable(ad::Tensor<double>{1, 2});
    tape->rewind(tape->mark());
    std::thread([&] { tape.reset(); }).join();
    refuses<ad::TapeError>([&] { (void)(t + 1.0); }, {"no tape records"});
    refuses<ad::TapeError>([&] { (void)Number(x * x); }, {"no tape records"});
    refuses<ad::TapeError>([&] { (void)t.value(); }, {"no tape records"});
    ad::Tape one, two, three;  // one of them lives where the ended one did
    works_as_the_youngest(three);
    works(two);
    works(one);
  }
}

TEST_CASE("a tape that ended on another thread uncovers the one below it, whatever comes first") {
  ad::Tape below;
  const ad::Var x = below.variable(3.0);
  const ad::Var t = below.variable(ad::Tensor<double>{1, 2});
  const ad::Parameter<double> p(ad::Tensor<double>{4, 5});
  const auto slope_of = [&](const auto& f) {
    auto tape = std::make_unique<ad::Tape>();
    std::thread([&] { tape.reset(); }).join();
    below.backward(Number(f()));
    return below.adjoint(x);
  };
  CHECK(slope_of([&] { return x * x; }) == 6);
  CHECK(slope_of([&] { return x * t(1); }) == 2);
  CHECK(slope_of([&] { return sum(t) * x; }) == 3);
  CHECK(slope_of([&] { return sum(x * ad::Tensor<double>{1, 1}); }) == 2);
  CHECK(slope_of([&] { return sum(ad::assemble(std::vector<Number>{x, x}, {2})); }) == 2);
  CHECK(slope_of([&] { return sum(p.var()) * x; }) == 9);
  CHECK(below.adjoint(p)(0) == 3);
}

TEST_CASE("a tape may end on another thread while it records on both") {
  ad::Tape below;
  std::optional<ad::Tape> tape(std::in_place);
  const ad::Var x = tape->variable(2.0);
  const auto on = tape->record();
  ad::Tape above;
  const auto again = tape->record();
  std::thread([&] {
    std::unique_ptr<ad::Tape::Recording> there(new ad::Tape::Recording(tape->record()));
    const ad::Var y = x * x;
    tape->backward(y);
    CHECK(tape->adjoint(x) == 4);
    tape.reset();
    refuses<ad::TapeError>([&] { (void)Number(x * x); }, {"no tape records"});
    there.reset();
    ad::Tape mine;
    works_as_the_youngest(mine);
  }).join();
  works_as_the_youngest(above);
  refuses<ad::TapeError>([&] { (void)Number(x * x); }, {"variable (at place "});
  works(below);
}

TEST_CASE("a tape made on a thread that has ended goes on here") {
  std::optional<ad::Tape> tape;
  Number x;
  std::thread([&] {
    tape.emplace();
    x = tape->variable(2.0);
    x *= x;
  }).join();
  {
    const auto on = tape->record();
    const ad::Var y = x * 3.0;
    tape->backward(y);
    CHECK(tape->adjoint(x) == 3);
  }
  tape.reset();
  ad::Tape one, two;
  works_as_the_youngest(two);
  works(one);
}

TEST_CASE("every thread has its own tapes") {
  std::vector<std::thread> threads;
  std::vector<double> slopes(4);
  const ad::Tensor<double> shared = ad::Tensor<double>::ones({50});  // a constant of all of them
  for (std::size_t i = 0; i < slopes.size(); ++i)
    threads.emplace_back([&, i] {
      for (int k = 0; k < 50; ++k) {
        ad::Tape tape;
        const ad::Var x = tape.variable(static_cast<double>(i));
        Number y = 0.0;
        for (int j = 0; j < 100; ++j) y += x * x;
        const ad::Var t = tape.variable(shared);
        y += sum(t * shared * x);
        tape.backward(y);
        slopes[i] = tape.adjoint(x);
      }
    });
  for (auto& t : threads) t.join();
  for (std::size_t i = 0; i < slopes.size(); ++i) CHECK(slopes[i] == 200 * static_cast<double>(i) + 50);
}

TEST_CASE("a variable of another thread's tape is refused") {
  ad::Tape tape;
  const ad::Var x = tape.variable(2.0);
  const ad::Var t = tape.variable(ad::Tensor<double>{1, 2});
  std::thread([&] {
    refuses<ad::TapeError>([&] { (void)Number(x * x); }, {"no tape records on this thread", "another thread"});
    refuses<ad::TapeError>([&] { (void)t.value(); }, {"no tape records"});
    ad::Tape mine;
    refuses<ad::TapeError>([&] { (void)Number(x * x); }, {"variable (at place "});
    refuses<ad::TapeError>([&] { (void)exp(t); }, {"variable (at place "});
    works_as_the_youngest(mine);
  }).join();
}

TEST_CASE("what an ended tape held serves the next one, also when it is large, until it is given back") {
  ad::Tape::release_spare();
  const auto fresh = [] { return ad::Tape().statistics().reserved; };
  CHECK(fresh() < 100'000);
  {
    ad::Tape tape;
    Number x = tape.variable(1.0), y = x;
    while (tape.statistics().bytes < 80'000'000)
      for (int i = 0; i < 100'000; ++i) y = y * x;
    tape.backward(y);
  }
  CHECK(fresh() > 80'000'000);
  ad::Tape::release_spare();
  CHECK(fresh() < 100'000);
}

TEST_CASE("what tapes over other numbers held is given back too, and counts") {
  using D = ad::Dual<double>;
  const auto fresh = [] { return ad::BasicTape<D>().statistics().reserved; };
  const auto fill = [] { ad::BasicTape<D> tape; (void)tape.variables(std::vector<D>(100'000)); };
  ad::Tape::release_spare();
  fill();
  CHECK(fresh() > 1'000'000);
  const std::size_t kept = ad::detail::SpareMemory::of_this_thread().bytes;
  CHECK(kept > 1'000'000);
  { ad::Tape tape; }
  CHECK(ad::detail::SpareMemory::of_this_thread().bytes >= kept);
  ad::Tape::release_spare();
  CHECK(fresh() < 1'000'000);
  fill();
  {  // more than all kinds may keep: the others go
    ad::Tape tape;
    ad::detail::active<double>->arguments.grow(std::size_t{500} << 20);
  }
  CHECK(fresh() > 1'000'000);
  {
    ad::Tape tape;
    ad::detail::active<double>->arguments.grow((std::size_t{512} << 20) - 100);
  }
  CHECK(fresh() < 1'000'000);
  ad::Tape::release_spare();
  CHECK(ad::detail::SpareMemory::of_this_thread().bytes == 0);
}

TEST_CASE("a tape refuses more statements than its ids can name, also after a clear() of one whose arguments took gigabytes") {
  using ad::detail::most_statements;
  ad::Tape tape;
  auto& record = *ad::detail::active<double>;
  const auto pretend = [&](std::size_t statements) {  // recorded, without arguments
    record.place += statements;
    record.last = record.next;
  };
  pretend(most_statements - 3);
  const ad::Var x = tape.variable(1.0), y = x * 2.0;
  refuses<ad::TapeError>([&] { (void)Number(y * y); }, {"statements is the most one tape holds"});
  refuses<ad::TapeError>([&] { (void)tape.variable(1.0); }, {"statements is the most one tape holds"});
  refuses<ad::TapeError>([&] { (void)tape.variables(std::vector{1.0, 2.0}); }, {"statements is the most one tape holds"});
  tape.clear();
  works_as_the_youngest(tape);
  if (AUTODIFF_SANITIZED) return;  // it would write to what is only reserved here
  record.arguments.grow(std::size_t{3} << 30);
  record.next = record.arguments.data();
  pretend(1000);
  (void)tape.variable(1.0);
  record.next += std::size_t{1} << 30;  // what 1000 statements of many arguments might take
  record.last = record.next;
  (void)tape.variable(1.0);
  tape.clear();
  (void)tape.variable(1.0);
  CHECK(static_cast<std::size_t>(record.last - record.next) / sizeof(ad::detail::Word<double>) <= most_statements);
  works_as_the_youngest(tape);
  ad::Tape::release_spare();
}

TEST_CASE("nothing is recorded while a Pause lives") {
  ad::Parameter<double> p(ad::Tensor<double>{1, 2});
  ad::Tape tape;
  const ad::Var x = tape.variable(2.0);
  {
    const ad::Pause pause;
    CHECK(!ad::detail::records());
    CHECK(p.var().place() == 0);
    CHECK(sum(p.var() * 3.0).value() == 9);
    refuses<ad::TapeError>([&] { (void)ad::Var<double>(x * x); }, {"no tape records"});
    { const ad::Pause again; }
    ad::Tape inner;  // younger than the pause: it records
    CHECK(p.var().place() != 0);
  }
  CHECK(ad::detail::records());
  for (int i = 0; i < 10; ++i) { const ad::Pause pause; }
  ad::Tape one, two;
  const ad::Var y = two.variable(3.0);
  two.backward(y * y);
  CHECK(two.adjoint(y) == 6);
}
