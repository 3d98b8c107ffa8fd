// Results as dictionaries of arrays, and solutions back from them.
#pragma once

#include <pybind11/pybind11.h>

#include "lindmft/sharpness.hpp"
#include "lindmft/solve.hpp"
#include "lindmft/train.hpp"

namespace lindmft::bindings {

/// The arrays that are not empty, under the names of HessianSpectrum::for_each.
pybind11::dict to_dict(HessianSpectrum&& spectrum);
pybind11::dict to_dict(Solution&& solution);
pybind11::dict to_dict(Ensemble&& ensemble);
pybind11::dict to_dict(ReplicaEnsemble&& ensemble);

/// The solution that to_dict was given, as far as the solver needs it to resume.
Solution from_dict(const pybind11::dict& dict);

}  // namespace lindmft::bindings
