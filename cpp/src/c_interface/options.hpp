// The options of a handle, as solving and training take them.
#pragma once

#include "lindmft/lindmft.h"
#include "lindmft/solve.hpp"
#include "lindmft/train.hpp"

namespace lindmft::c_interface {

/// Each throws BadInput if an option was set that the call does not know. Null: the defaults.
[[nodiscard]] SolveOptions solve_options(const lindmft_options* options);
[[nodiscard]] SolveOptions flow_options(const lindmft_options* options);
[[nodiscard]] TrainOptions train_options(const lindmft_options* options);

}  // namespace lindmft::c_interface
