// Schedules of momentum and batches in the C interface.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "lindmft/lindmft.h"
#include "lindmft/problem.hpp"
#include "lindmft/solve.hpp"

namespace {

using Handle = std::unique_ptr<lindmft_problem, decltype(&lindmft_problem_free)>;

int set(const Handle& p, const char* field, const std::vector<double>& values) {
  return lindmft_problem_set_doubles(p.get(), field, values.data(), values.size());
}

TEST(CInterfaceSchedules, AreLists) {
  const Handle p(lindmft_problem_new(), &lindmft_problem_free);
  lindmft::Problem same;
  same.data.mode = lindmft::DataMode::one_pass;
  same.data.alpha = 0.5;
  same.data.alphas = {0.5, 2.0, 1.0};
  same.optimizer.momentum = {0.0, 0.5, 0.9};
  ASSERT_EQ(lindmft_problem_set_string(p.get(), "data.kind", "one_pass"), LINDMFT_OK);
  ASSERT_EQ(set(p, "data.alpha", same.data.alphas), LINDMFT_OK);
  ASSERT_EQ(set(p, "optimizer.momentum", same.optimizer.momentum), LINDMFT_OK);
  lindmft_result* made = nullptr;
  ASSERT_EQ(lindmft_solve(p.get(), 3, nullptr, &made), LINDMFT_OK) << lindmft_last_error();
  const std::unique_ptr<lindmft_result, decltype(&lindmft_result_free)> result(made, &lindmft_result_free);
  std::vector<double> losses(3);
  ASSERT_EQ(lindmft_result_copy(result.get(), "test_loss", losses.data(), losses.size()), LINDMFT_OK);
  EXPECT_EQ(losses, lindmft::solve(same, 3).test_loss);
  EXPECT_EQ(lindmft_problem_check(p.get(), 4), LINDMFT_INVALID_ARGUMENT);
}

TEST(CInterfaceSchedules, AreReplacedByNumbers) {
  const Handle p(lindmft_problem_new(), &lindmft_problem_free);
  ASSERT_EQ(set(p, "data.alpha", {0.5, 2.0}), LINDMFT_OK);
  ASSERT_EQ(set(p, "optimizer.momentum", {0.1, 0.2}), LINDMFT_OK);
  ASSERT_EQ(lindmft_problem_set_double(p.get(), "data.alpha", 0.5), LINDMFT_OK);
  ASSERT_EQ(lindmft_problem_set_double(p.get(), "optimizer.momentum", 0.5), LINDMFT_OK);
  EXPECT_EQ(lindmft_problem_check(p.get(), 4), LINDMFT_OK) << lindmft_last_error();
  const double none = 0.0;
  EXPECT_EQ(lindmft_problem_set_doubles(p.get(), "data.alpha", &none, 0), LINDMFT_INVALID_ARGUMENT);
  EXPECT_EQ(std::string(lindmft_last_error()),
            "data.alpha must be a number or a list with at least one entry, got an empty list");
}

}  // namespace
