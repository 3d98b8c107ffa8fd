// The limits that the system reports, compared with bounds that hold on every machine.
#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <string>
#include <thread>

#if defined(__linux__) || defined(__APPLE__)
#include <sys/wait.h>
#include <unistd.h>
#endif

#include "support/platform.hpp"

namespace lindmft::support {
namespace {

constexpr double kMegabyte = 1024.0 * 1024.0;

TEST(Platform, SaysHowMuchMemoryIsLeft) {
  const double left = left_on_machine();
#if defined(__linux__) || defined(__APPLE__)
  EXPECT_TRUE(std::isfinite(left));
  EXPECT_LT(left, 1e9 * kMegabyte);
#endif
  EXPECT_GT(left, kMegabyte);
  EXPECT_GT(left_of_addresses(), kMegabyte);
}

TEST(Platform, CoresAreAtMostTheProcessors) {
  EXPECT_GE(cores_of_affinity(), 1);
  EXPECT_LE(cores_of_affinity(), static_cast<int>(std::thread::hardware_concurrency()));
}

TEST(Platform, CachesHaveASensibleSize) {
  EXPECT_GE(last_level_caches(), 0.0);
  EXPECT_LT(last_level_caches(), 1e6 * kMegabyte);
}

TEST(Platform, InstructionSetIsOneOfTheClones) {
#ifdef LINDMFT_HAS_CLONES
  const std::set<std::string> known = {"x86-64-v4", "x86-64-v3", "baseline"};
#else
  const std::set<std::string> known = {"baseline"};
#endif
  EXPECT_TRUE(known.contains(instruction_set())) << instruction_set();
}

#if defined(__linux__) || defined(__APPLE__)
bool in_child = false;

TEST(Platform, HandlersAreCalledInChildrenAlone) {
  after_fork([] { in_child = true; });
  const pid_t child = fork();
  if (child == 0) _exit(in_child ? 7 : 8);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 7);
  EXPECT_FALSE(in_child);
}
#endif

}  // namespace
}  // namespace lindmft::support
