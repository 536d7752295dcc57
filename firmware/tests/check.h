// The smallest test frame that does: named facts, and a comparison that shows both sides.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <cstring>

struct Test {
  const char* name;
  const char* fact;
  void (*run)();
  Test* next;
  static Test*& first() {
    static Test* first = nullptr;
    return first;
  }
  Test(const char* name, const char* fact, void (*run)()) : name(name), fact(fact), run(run), next(first()) {
    first() = this;
  }
};

#define TEST(name, fact)                        \
  static void name();                           \
  static Test name##_test(#name, fact, &name);  \
  static void name()

inline void checkEqual(long long expected, long long actual, const char* what, const char* file, int line) {
  if (expected == actual) return;
  std::fprintf(stderr, "%s:%d: %s: expected %lld, got %lld\n", file, line, what, expected, actual);
  std::exit(1);
}

inline void checkText(const char* expected, const char* actual, const char* file, int line) {
  if (std::strcmp(expected, actual) == 0) return;
  std::fprintf(stderr, "%s:%d: expected\n%s\ngot\n%s\n", file, line, expected, actual);
  std::exit(1);
}

#define EQUAL(expected, actual) checkEqual((expected), (actual), #actual, __FILE__, __LINE__)
#define CHECK(condition) checkEqual(1, !!(condition), #condition, __FILE__, __LINE__)
#define TEXT(expected, actual) checkText((expected), (actual), __FILE__, __LINE__)
