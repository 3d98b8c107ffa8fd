// What the handles of lindmft/lindmft.h point to.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lindmft/lindmft.h"
#include "lindmft/problem.hpp"
#include "lindmft/solve.hpp"
#include "lindmft/train.hpp"

struct lindmft_problem {
  lindmft::Problem problem;
};

struct lindmft_options {
  int threads = 0;
  double memory_limit = 0.0;
  bool kernels = false;
  std::vector<std::string> save;
  bool replicas = false;
  int depth_nodes = 0;
  double rtol = lindmft::SolveOptions{}.rtol;
  double atol = lindmft::SolveOptions{}.atol;
  lindmft::Grid grid = lindmft::Grid::exact;
  bool updates = false;
  std::uint32_t noise_draw = 0;
  lindmft::Precision precision = lindmft::Precision::float64;
  lindmft_progress progress = nullptr;
  void* user = nullptr;
  std::vector<std::string_view> given;  ///< names of the options that were set
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
