// Groups the problems of train_many() whose networks share initial weights and inputs, so that they are trained
// together.
#pragma once

#include <vector>

#include "training/run/plan.hpp"

namespace lindmft::training {

/// Adds the plan's members to the group with which they share initial weights and inputs, or to a new group.
void add_to_groups(Plan plan, std::vector<Plan>& groups);

}  // namespace lindmft::training
