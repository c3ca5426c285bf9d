// The test program's main: doctest, and a last line `N passed, M failed` that counts test cases, which tests/run adds up.
// A sanitizer must see the signals itself, to report them; without one, doctest names the test case that crashed.
#if defined(__SANITIZE_ADDRESS__)
#define DOCTEST_CONFIG_NO_POSIX_SIGNALS
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define DOCTEST_CONFIG_NO_POSIX_SIGNALS
#endif
#endif
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <cstdio>

namespace {

unsigned passed = 0;
unsigned failed = 0;
bool crashed = false;

/// Counts; prints the line in main's place when a crash ends the run.
struct Total : doctest::IReporter {
  explicit Total(const doctest::ContextOptions&) {}
  void test_case_exception(const doctest::TestCaseException& e) override { crashed = e.is_crash; }
  void test_run_end(const doctest::TestRunStats& stats) override {
    failed = stats.numTestCasesFailed;
    passed = stats.numTestCasesPassingFilters - failed;
    if (crashed) print();
  }
  static void print() {
    std::printf("%u passed, %u failed\n", passed, failed);
    std::fflush(stdout);
  }
  void report_query(const doctest::QueryData&) override {}
  void test_run_start() override {}
  void test_case_start(const doctest::TestCaseData&) override {}
  void test_case_reenter(const doctest::TestCaseData&) override {}
  void test_case_end(const doctest::CurrentTestCaseStats&) override {}
  void subcase_start(const doctest::SubcaseSignature&) override {}
  void subcase_end() override {}
  void log_assert(const doctest::AssertData&) override {}
  void log_message(const doctest::MessageData&) override {}
  void test_case_skipped(const doctest::TestCaseData&) override {}
};

REGISTER_LISTENER("total", 1, Total);

}  // namespace

int main(int argc, char** argv) {
  doctest::Context context(argc, argv);
  const int status = context.run();
  if (context.shouldExit()) return status;  // --help and its like
  if (passed + failed == 0) std::puts("no test case matches the filters");
  Total::print();
  return passed + failed == 0 ? 1 : status;
}
