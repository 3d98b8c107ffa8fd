// The free memory within the limits of control groups, which containers and batch systems set.
#include <gtest/gtest.h>

#include "groups.hpp"
#include "support/memory.hpp"

namespace lindmft::support {
namespace {

class MemoryGroups : public Groups {};

TEST_F(MemoryGroups, OfVersionTwoCountWithAllAboveThem) {
  const auto listing = write("listing", "0::/batch/job/step\n");
  write("mount/batch/memory.max", "max\n");
  write("mount/batch/job/memory.max", "1000000\n");
  write("mount/batch/job/memory.current", "700000\n");
  write("mount/batch/job/memory.stat", "anon 500000\ninactive_file 150000\nactive_file 50000\n");
  write("mount/batch/job/step/memory.max", "max\n");
  const auto groups = limited_groups(listing, root_ / "mount");
  ASSERT_EQ(groups.size(), 1U);
  EXPECT_DOUBLE_EQ(left_in_group(groups[0]), 450000.0);
}

TEST_F(MemoryGroups, OfVersionOneAreUnderTheirController) {
  const auto listing = write("listing", "5:cpu:/\n4:memory:/job\n0::/\n");
  write("mount/memory/memory.limit_in_bytes", "9223372036854771712\n");
  write("mount/memory/job/memory.limit_in_bytes", "2000\n");
  write("mount/memory/job/memory.usage_in_bytes", "500\n");
  write("mount/memory/job/memory.stat", "inactive_file 7\ntotal_inactive_file 100\n");
  const auto groups = limited_groups(listing, root_ / "mount");
  ASSERT_EQ(groups.size(), 1U);
  EXPECT_DOUBLE_EQ(left_in_group(groups[0]), 1600.0);
}

TEST_F(MemoryGroups, OfAContainerMayBeMountedAtTheTop) {
  const auto listing = write("listing", "0::/docker/0123\n");
  write("mount/memory.max", "4096\n");
  write("mount/memory.current", "8192\n");
  const auto groups = limited_groups(listing, root_ / "mount");
  ASSERT_EQ(groups.size(), 1U);
  EXPECT_DOUBLE_EQ(left_in_group(groups[0]), 0.0);
}

TEST_F(MemoryGroups, WithoutALimitDoNotCount) {
  const auto listing = write("listing", "0::/a\n");
  write("mount/a/memory.max", "max\n");
  EXPECT_TRUE(limited_groups(listing, root_ / "mount").empty());
  EXPECT_TRUE(limited_groups(root_ / "nothing", root_ / "mount").empty());
}

}  // namespace
}  // namespace lindmft::support
