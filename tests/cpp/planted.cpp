// Deliberate faults: sanitizers, which report nothing in the tests, must report these.
#include <cstddef>
#include <cstdio>
#include <limits>
#include <memory>
#include <string_view>
#include <vector>

namespace {

// The value is read at run time, so that the compiler cannot find the fault.
volatile int size = 100;

int overflow() {
  std::vector<int> v(static_cast<std::size_t>(size));
  return v.data()[size];
}

int leak() {
  auto* lost = new std::vector<int>(static_cast<std::size_t>(size));
  return lost->front();
}

int undefined() { return std::numeric_limits<int>::max() - 99 + size; }

int uninitialized() {
  const std::unique_ptr<int[]> v(new int[static_cast<std::size_t>(size)]);
  const bool positive = v[static_cast<std::size_t>(size / 2)] > 0;
  std::puts(positive ? "positive" : "not positive");
  return 0;
}

// All threads of a parallel loop add to the same variable.
int race() {
  int sum = 0;
#pragma omp parallel for num_threads(2)
  for (int i = 0; i < 100000; ++i) sum = sum + i % size;
  return sum;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view fault = argc == 2 ? argv[1] : "";
  int result = -1;
  if (fault == "overflow") result = overflow();
  if (fault == "leak") result = leak();
  if (fault == "undefined") result = undefined();
  if (fault == "uninitialized") result = uninitialized();
  if (fault == "race") result = race();
  if (result == -1) std::puts("usage: lindmft_planted overflow|leak|undefined|uninitialized|race");
  std::printf("ran to its end: %d\n", result);
  return 0;
}
