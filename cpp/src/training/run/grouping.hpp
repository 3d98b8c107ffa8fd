// Which problems can ride together in train_many(): those whose networks share initial weights and inputs.
#pragma once

#include <vector>

#include "training/run/plan.hpp"

namespace lindmft::training {

/// Put the plan's members into the group that they can ride with, or into one of their own.
void add_to_groups(Plan plan, std::vector<Plan>& groups);

}  // namespace lindmft::training
