// Runs every test, or those whose name contains the first argument.
#include "test.h"

int main(int argc, char** argv) {
  int ran = 0, failed = 0;
  for (const test::Case& c : test::cases()) {
    if (argc > 1 && std::string(c.name).find(argv[1]) == std::string::npos) continue;
    test::failures = 0;
    try {
      c.body();
    } catch (const std::exception& e) {
      test::fail(c.name, 0, std::string("raised: ") + e.what());
    }
    ++ran;
    if (test::failures) {
      ++failed;
      std::cerr << "FAILED: " << c.name << "\n";
    }
  }
  std::cout << "C++: " << ran - failed << " passed, " << failed << " failed\n";
  return failed || !ran;
}
