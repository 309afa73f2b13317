// A test is TEST("what holds") { CHECK(...); }. main.cpp runs them all.
#pragma once

#include <cmath>
#include <functional>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "core/error.h"

namespace test {

struct Case {
  const char* name;
  void (*body)();
};

inline std::vector<Case>& cases() {
  static std::vector<Case> all;
  return all;
}
inline int failures = 0;

struct Register {
  Register(const char* name, void (*body)()) { cases().push_back({name, body}); }
};

inline void fail(const char* file, int line, const std::string& what) {
  ++failures;
  std::cerr << file << ":" << line << ": " << what << "\n";
}

template <class A, class B>
void check_equal(const A& a, const B& b, const char* text, const char* file, int line) {
  if (a == b) return;
  std::ostringstream s;
  s << text << ": " << a << " != " << b;
  fail(file, line, s.str());
}

inline void check_near(double a, double b, double tolerance, const char* file, int line) {
  if (std::abs(a - b) <= tolerance * (1 + std::abs(b))) return;
  fail(file, line, std::to_string(a) + " is not near " + std::to_string(b));
}

// The action must raise an Error of this kind whose message contains `part`.
inline void check_raises(veem::ErrorKind kind, const std::string& part,
                         const std::function<void()>& action, const char* file, int line) {
  try {
    action();
    fail(file, line, "raised nothing, expected: " + part);
  } catch (const veem::Error& e) {
    if (e.kind != kind) fail(file, line, std::string("wrong kind of error: ") + e.what());
    if (std::string(e.what()).find(part) == std::string::npos)
      fail(file, line, "'" + part + "' is not in: " + e.what());
  }
}

}  // namespace test

#define TEST_JOIN(a, b) a##b
#define TEST_NAMED(id, name)                                               \
  static void TEST_JOIN(test_, id)();                                      \
  static test::Register TEST_JOIN(added_, id)(name, TEST_JOIN(test_, id)); \
  static void TEST_JOIN(test_, id)()
#define TEST(name) TEST_NAMED(__LINE__, name)

#define CHECK(...) \
  if (!(__VA_ARGS__)) test::fail(__FILE__, __LINE__, #__VA_ARGS__)
#define CHECK_EQUAL(a, b) test::check_equal(a, b, #a, __FILE__, __LINE__)
#define CHECK_NEAR(a, b, tolerance) test::check_near(a, b, tolerance, __FILE__, __LINE__)
#define CHECK_RAISES(kind, part, ...) \
  test::check_raises(veem::ErrorKind::kind, part, [&] { __VA_ARGS__; }, __FILE__, __LINE__)
