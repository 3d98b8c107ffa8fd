// Table of contents of the compiled module, and what its parts share.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "lindmft/errors.hpp"
#include "lindmft/matrix.hpp"
#include "lindmft/progress.hpp"

namespace lindmft::bindings {

void register_config(pybind11::module_& module);
void register_limits(pybind11::module_& module);
void register_options(pybind11::module_& module);
void register_problem(pybind11::module_& module);
void register_solve(pybind11::module_& module);
void register_train(pybind11::module_& module);

/// A NumPy array that owns the matrix's storage: nothing is copied.
pybind11::array_t<double> to_numpy(Matrix&& matrix);
pybind11::array_t<double> to_numpy(const std::vector<double>& values);
/// A list of such arrays.
pybind11::list to_list(std::vector<Matrix>&& matrices);
/// rows of equal length -> 2-D array
pybind11::array_t<double> to_numpy(const std::vector<std::vector<double>>& rows);

/// The Python exception lindmft.BadInput with the same attributes.
pybind11::object bad_input(const BadInput& error);

/// Takes the GIL, lets Python handle signals (Ctrl-C raises KeyboardInterrupt through the call) and reports to the
/// callback, None or a callable (done, total). Both happen at most every `interval` seconds.
Progress to_progress(const pybind11::object& callback, double interval = 0.05);

}  // namespace lindmft::bindings
