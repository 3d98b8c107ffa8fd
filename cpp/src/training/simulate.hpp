// One seed of an ensemble, from its initial weights to its last step.
#pragma once

#include <functional>

#include "lindmft/train.hpp"
#include "training/plan.hpp"

namespace lindmft::training {

/// An ensemble with room for the plan's results.
[[nodiscard]] Ensemble allocate(const Plan& plan, const TrainOptions& options);

/// Train network `index` and write its rows. `advance` is told of every step done, and stops the run by returning
/// false.
void simulate(const Plan& plan, int index, Ensemble& out, const std::function<bool(int)>& advance);

}  // namespace lindmft::training
