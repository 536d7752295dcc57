// Runs the fact named on the command line, or all of them. `--vectors FILE` comes before the name.
#include "check.h"
#include "vectors.h"

const char* vectors_path = "tests/vectors/rf12.txt";

int main(int count, char** words) {
  int at = 1;
  if (at + 1 < count && std::strcmp(words[at], "--vectors") == 0) {
    vectors_path = words[at + 1];
    at += 2;
  }
  int run = 0;
  for (Test* test = Test::first(); test != nullptr; test = test->next) {
    if (at < count && std::strcmp(words[at], test->name) != 0) continue;
    test->run();
    ++run;
  }
  std::printf("%d facts hold\n", run);
  return run == 0;
}
