// One seed of an ensemble, from its initial weights to its last step.
#pragma once

#include <functional>

#include "lindmft/train.hpp"
#include "training/plan.hpp"

namespace lindmft::training {

/// Told of steps done; false: stop.
using Advance = std::function<bool(int)>;

/// An ensemble with room for the plan's results.
[[nodiscard]] Ensemble allocate(const Plan& plan);
[[nodiscard]] ReplicaEnsemble allocate_replicas(const Plan& plan);

/// Train seed `index` and write its rows. `advance` is told of every step done, and stops the run by returning false.
void simulate(const Plan& plan, int index, Ensemble& out, const Advance& advance);
void simulate(const Plan& plan, int index, ReplicaEnsemble& out, const Advance& advance);

}  // namespace lindmft::training
