// One seed of a plan, from its initial weights to its last step.
#pragma once

#include <functional>
#include <vector>

#include "lindmft/train.hpp"
#include "training/run/plan.hpp"

namespace lindmft::training {

/// Told of steps done, one for every member of the plan; false: stop.
using Advance = std::function<bool(int)>;

/// An ensemble with room for the results of a member.
[[nodiscard]] Ensemble allocate(const Plan& plan, const Member& member);
[[nodiscard]] ReplicaEnsemble allocate_replicas(const Plan& plan);

/// Train seed `index` and write its rows, of every member into the ensemble of its place. `advance` is told of every
/// step done, and stops the run by returning false. Returns the steps that were done until all had diverged.
int simulate(const Plan& plan, int index, std::vector<Ensemble>& out, const Advance& advance);
int simulate(const Plan& plan, int index, ReplicaEnsemble& out, const Advance& advance);

}  // namespace lindmft::training
