// The check of SolveOptions::average and TrainOptions::average, which mean the same.
#pragma once

#include <cstddef>
#include <vector>

#include "support/refusals.hpp"

namespace lindmft::support {

/// Refuses shares that are no shares of an average over the steps; none at all are allowed.
inline void check_average(const std::vector<double>& shares, int steps) {
  require(shares.empty() || shares.size() == static_cast<std::size_t>(steps), "average",
          "one share for each of " + text(steps) + " steps", shares.size());
  for (const double share : shares) require(share >= 0.0 && share <= 1.0, "average", "shares from 0 to 1", share);
  if (!shares.empty()) require(shares.front() == 1.0, "average", "shares of which the first is 1", shares.front());
}

}  // namespace lindmft::support
