// A folder with files such as the system shows of control groups.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace lindmft::support {

class Groups : public testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directories(root_); }
  void TearDown() override { std::filesystem::remove_all(root_); }

  std::filesystem::path write(const std::string& name, const std::string& text) {
    const std::filesystem::path path = root_ / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
    return path;
  }

  static std::string folder() {
    const testing::TestInfo& test = *testing::UnitTest::GetInstance()->current_test_info();
    return std::string("lindmft-") + test.test_suite_name() + "-" + test.name();
  }

  std::filesystem::path root_ = std::filesystem::temp_directory_path() / folder();
};

}  // namespace lindmft::support
