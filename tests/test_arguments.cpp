// How statements are stored: each form is written as short as it should be, and read back as what it was.
#include "support.hpp"

using support::about;
using support::Number;

namespace {

/// What a statement takes on the tape, beside its adjoint: it is recorded, and its gradient compared with dx, dy, dz.
struct Stored {
  ad::Tape tape;
  const Number x = tape.variable(2.0), y = tape.variable(3.0), z = tape.variable(5.0);

  void check(const Number& result, std::size_t bytes, double dx, double dy, double dz, std::size_t bytes_before) {
    CHECK(tape.statistics().bytes - bytes_before == bytes);
    tape.backward(result);
    CHECK(tape.adjoint(x) == about(dx));
    CHECK(tape.adjoint(y) == about(dy));
    CHECK(tape.adjoint(z) == about(dz));
    tape.clear();
  }
};
template <class F> void check(F f, std::size_t bytes, double dx, double dy, double dz) {
  Stored s;
  const std::size_t before = s.tape.statistics().bytes;
  s.check(f(s.x, s.y, s.z), bytes, dx, dy, dz, before);
}
using N = const Number&;

}  // namespace

TEST_CASE("a slope of one or minus one takes no memory, any other eight bytes; each argument four") {
  check([](N x, N, N) -> Number { return x * 7.0; }, 12, 7, 0, 0);
  check([](N x, N y, N) -> Number { return x * y; }, 24, 3, 2, 0);
  check([](N x, N y, N z) -> Number { return x * y * z; }, 36, 15, 10, 6);
  check([](N x, N y, N) -> Number { return x + y; }, 8, 1, 1, 0);
  check([](N x, N y, N) -> Number { return x - y; }, 8, 1, -1, 0);
  check([](N x, N y, N z) -> Number { return x - (y - z); }, 12, 1, -1, 1);
  check([](N x, N y, N z) -> Number { return 1.0 - x - y + z; }, 12, -1, -1, 1);
  check([](N x, N y, N z) -> Number { return x + y + z; }, 12, 1, 1, 1);
  check([](N x, N y, N) -> Number { return x + 7.0 * y; }, 16, 1, 7, 0);
  check([](N x, N y, N) -> Number { return 7.0 * y + x; }, 16, 1, 7, 0);
  check([](N x, N y, N z) -> Number { return x + y * z; }, 28, 1, 5, 3);
  check([](N x, N y, N z) -> Number { return y * z + x; }, 28, 1, 5, 3);
}

TEST_CASE("rare forms store slopes of one and minus one too") {
  check([](N x, N, N) -> Number { return x + 1.0; }, 12, 1, 0, 0);
  check([](N x, N, N) -> Number { return -x; }, 12, -1, 0, 0);
  check([](N x, N y, N) -> Number { return 1.0 - x - y; }, 24, -1, -1, 0);
  check([](N x, N y, N z) -> Number { return 1.0 - x - y - z; }, 36, -1, -1, -1);
  check([](N x, N y, N) -> Number { return 7.0 * x - y; }, 24, 7, -1, 0);
  check([](N x, N y, N z) -> Number { return x * y - z; }, 36, 3, 2, -1);
  check([](N x, N y, N z) -> Number { return x - y + 7.0 * z; }, 36, 1, -1, 7);
  check([](N x, N y, N z) -> Number { return x + y + 7.0 * z; }, 36, 1, 1, 7);
}

TEST_CASE("a variable that is named twice") {
  check([](N x, N, N) -> Number { return x + x; }, 8, 2, 0, 0);
  check([](N x, N, N) -> Number { return x - x; }, 8, 0, 0, 0);
  check([](N x, N y, N) -> Number { return y + x * x; }, 28, 4, 1, 0);
  check([](N x, N, N) -> Number { return x * x * x * x; }, 12, 32, 0, 0);
  check([](N x, N y, N) -> Number { return x + y - x + y; }, 24, 0, 2, 0);
  check([](N x, N y, N z) -> Number { return x * y * z * z + x; }, 36, 76, 50, 60);
}

TEST_CASE("constants and survivors of a rewind go the slow way, and are as right") {
  ad::Tape tape;
  const Number x = tape.variable(2.0), c = 3.0;
  Number y = x - c;
  tape.backward(y);
  CHECK(tape.adjoint(x) == 1);
  const auto mark = tape.mark();
  tape.rewind(mark);
  y = c - x + x * c - (x - c);
  tape.backward(y);
  CHECK(tape.adjoint(x) == about(1));
}

TEST_CASE("on a tape over batches, a slope that all lanes share is one number") {
  using B = ad::Batch<double, 8>;
  ad::BasicTape<B> tape;
  double numbers[8] = {1, 2, 3, 4, 5, 6, 7, 8};
  const ad::Var<B> x = tape.variable(B::from(numbers)), y = tape.variable(B(3.0));
  const auto bytes = [&](const auto& f) {
    const std::size_t before = tape.statistics().bytes;
    [[maybe_unused]] const ad::Var<B> z = f();
    return tape.statistics().bytes - before;
  };
  CHECK(bytes([&] { return x + y; }) == 16);
  CHECK(bytes([&] { return 0.5 * x; }) == 16);
  CHECK(bytes([&] { return 0.5 * (x - 2 * y); }) == 32);
  CHECK(bytes([&] { return x * y; }) == 144);
  CHECK(bytes([&] { return 0.25 * (x + y + 0.5 * (x - y)); }) == 32);  // merged
  const ad::Var<B> z = 0.25 * (x + y + 0.5 * (x - y)) + x * y * 2 - y;
  tape.backward(z);
  for (std::size_t i = 0; i < 8; ++i) {
    CHECK(tape.adjoint(x)[i] == about(0.375 + 6));
    CHECK(tape.adjoint(y)[i] == about(0.125 + 2 * numbers[i] - 1));
  }
}

TEST_CASE("on a tape over variables, plain slopes are not recorded on the outer one") {
  ad::Tape outer;
  const Number x = outer.variable(2.0);
  ad::BasicTape<Number> inner;
  const ad::Var<Number> u = inner.variable(x);
  const auto before = outer.statistics().statements;
  const ad::Var<Number> y = 3.0 * u - u;
  CHECK(outer.statistics().statements == before + 2);  // the value: 3x and 3x − x
  const ad::Var<Number> z = y * u;
  inner.backward(z);
  const Number slope = inner.adjoint(u);               // (2u²)′ = 4u
  CHECK(slope.value() == about(8));
  outer.backward(slope);
  CHECK(outer.adjoint(x) == about(4));
}
