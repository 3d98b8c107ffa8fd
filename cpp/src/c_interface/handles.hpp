// What the handles of lindmft/lindmft.h point to.
#pragma once

#include <cstddef>
#include <deque>
#include <span>
#include <string>
#include <vector>

#include "lindmft/lindmft.h"
#include "lindmft/options.hpp"
#include "lindmft/problem.hpp"
#include "lindmft/solve.hpp"
#include "lindmft/train.hpp"

struct lindmft_problem {
  lindmft::Problem problem;
};

struct lindmft_options {
  lindmft::SolveOptions solve;
  lindmft::TrainOptions train;
  lindmft_progress progress = nullptr;
  void* user = nullptr;
  std::vector<lindmft::Option> given;  ///< those that were set
};

namespace lindmft::c_interface {

/// An array of a result, whose entries lie in one or several blocks.
struct Array {
  std::string name;
  std::vector<std::size_t> shape;
  std::vector<std::span<const double>> blocks;
};

}  // namespace lindmft::c_interface

struct lindmft_result {
  explicit lindmft_result(lindmft::Solution&& from);
  explicit lindmft_result(lindmft::Ensemble&& from);
  lindmft_result(const lindmft_result&) = delete;
  lindmft_result& operator=(const lindmft_result&) = delete;

  lindmft::Solution solution;
  lindmft::Ensemble ensemble;
  std::deque<std::vector<double>> converted;  ///< what the result has as integers
  std::vector<lindmft::c_interface::Array> arrays;
};
