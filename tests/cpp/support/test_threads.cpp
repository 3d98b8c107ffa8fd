// The default number of threads: CPU quotas of control groups, and the variable LINDMFT_NUM_THREADS.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include "groups.hpp"
#include "lindmft/config.hpp"
#include "support/threads.hpp"

namespace lindmft::support {
namespace {

class CpuGroups : public Groups {
 protected:
  double quota(const std::string& listing) { return cpu_quota(write("listing", listing), root_ / "mount"); }
};

TEST_F(CpuGroups, OfVersionTwoCountWithAllAboveThem) {
  write("mount/pod/cpu.max", "250000 100000\n");
  write("mount/pod/task/cpu.max", "max 100000\n");
  EXPECT_DOUBLE_EQ(quota("0::/pod/task\n"), 2.5);
  write("mount/pod/task/cpu.max", "50000 100000\n");
  EXPECT_DOUBLE_EQ(quota("0::/pod/task\n"), 0.5);
}

TEST_F(CpuGroups, OfVersionOneAreUnderTheirControllers) {
  write("mount/cpu,cpuacct/cpu.cfs_quota_us", "-1\n");
  write("mount/cpu,cpuacct/cpu.cfs_period_us", "100000\n");
  write("mount/cpu,cpuacct/job/cpu.cfs_quota_us", "150000\n");
  write("mount/cpu,cpuacct/job/cpu.cfs_period_us", "50000\n");
  EXPECT_DOUBLE_EQ(quota("5:cpuset:/other\n4:cpu,cpuacct:/job\n"), 3.0);
}

TEST_F(CpuGroups, OfVersionOneMayBeFoundByALinkWithTheNameOfTheController) {
  write("mount/cpu/cpu.cfs_quota_us", "200000\n");
  write("mount/cpu/cpu.cfs_period_us", "100000\n");
  EXPECT_DOUBLE_EQ(quota("4:cpuacct,cpu:/\n"), 2.0);
}

TEST_F(CpuGroups, OfAContainerMayBeMountedAtTheTop) {
  write("mount/cpu.max", "400000 100000\n");
  EXPECT_DOUBLE_EQ(quota("0::/docker/0123\n"), 4.0);
}

TEST_F(CpuGroups, WithoutAQuotaDoNotCount) {
  EXPECT_TRUE(std::isinf(quota("")));
  write("mount/a/cpu.max", "max 100000\n");
  write("mount/memory/cpu.max", "100000 100000\n");
  EXPECT_TRUE(std::isinf(quota("0::/a\n3:memory:/\n")));
  for (const char* broken : {"", "0 0\n", "many\n", "100000\n", "-1 100000\n"}) {
    write("mount/a/cpu.max", broken);
    EXPECT_TRUE(std::isinf(quota("0::/a\n"))) << broken;
  }
}

TEST(Cores, OfAQuotaAreRoundedDownAndAtLeastOne) {
  EXPECT_EQ(cores_within(8, 2.5), 2);
  EXPECT_EQ(cores_within(8, 0.3), 1);
  EXPECT_EQ(cores_within(2, 4.0), 2);
  EXPECT_EQ(cores_within(8, INFINITY), 8);
}

class Variable : public testing::Test {
 protected:
  void SetUp() override { unset(); }
  void TearDown() override { unset(); }
  static void unset() { unsetenv("LINDMFT_NUM_THREADS"); }
  static void set(const char* value) { setenv("LINDMFT_NUM_THREADS", value, 1); }
};

TEST_F(Variable, IsTheDefaultAndGivesWayToAnArgument) {
  const int cores = resolve_threads(0);
  if (config().openmp == "off") GTEST_SKIP() << "one thread without OpenMP";
  set("3");
  EXPECT_EQ(resolve_threads(0), 3);
  EXPECT_EQ(config().threads, 3);
  EXPECT_EQ(resolve_threads(2), 2);
  set("");
  EXPECT_EQ(resolve_threads(0), cores);
}

TEST_F(Variable, IsRefusedByNameIfItIsNoNumberOfThreads) {
  for (const char* bad : {"many", "0", "-1", "4097", "2.0", "2 ", "99999999999"}) {
    set(bad);
    try {
      resolve_threads(2);
      FAIL() << bad;
    } catch (const std::invalid_argument& error) {
      EXPECT_EQ(std::string(error.what()),
                "LINDMFT_NUM_THREADS must be a whole number from 1 to 4096, got '" + std::string(bad) + "'");
    }
  }
}

}  // namespace
}  // namespace lindmft::support
