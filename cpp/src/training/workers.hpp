// Networks are trained by the workers that every list of independent jobs has.
#pragma once

#include "support/workers.hpp"

namespace lindmft::training {

using support::Workers;

}  // namespace lindmft::training
