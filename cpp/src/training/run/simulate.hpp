// Trains one seed of a plan, from its initial weights to its last step.
#pragma once

#include <functional>
#include <vector>

#include "lindmft/train.hpp"
#include "training/run/plan.hpp"

namespace lindmft::training {

/// Reports that steps were done, counted for every member of the plan; returns false to stop.
using Advance = std::function<bool(int)>;

/// An ensemble, or replicas, with room for the results of a member.
[[nodiscard]] Ensemble allocate(const Plan& plan, const Member& member);
[[nodiscard]] ReplicaEnsemble allocate_replicas(const Plan& plan);

/// Trains seed `index` and writes its rows, those of every member into the ensemble of the member's index. `advance` is
/// called after every step, and stops the run by returning false. Returns the number of steps done; training ends early
/// when all networks have diverged.
int simulate(const Plan& plan, int index, std::vector<Ensemble>& out, const Advance& advance);
int simulate(const Plan& plan, int index, ReplicaEnsemble& out, const Advance& advance);

}  // namespace lindmft::training
