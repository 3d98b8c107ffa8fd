#include <chrono>
#include <memory>

#include "register.hpp"

namespace py = pybind11;

namespace lindmft::bindings {

py::array_t<double> to_numpy(Matrix&& matrix) {
  const py::ssize_t rows = matrix.rows();
  const py::ssize_t cols = matrix.cols();
  auto owned = std::make_unique<Matrix>(std::move(matrix));
  const double* data = owned->data();
  const py::capsule owner(owned.release(), [](void* p) { delete static_cast<Matrix*>(p); });
  return py::array_t<double>({rows, cols}, data, owner);
}

py::list to_list(std::vector<Matrix>&& matrices) {
  py::list out;
  for (Matrix& matrix : matrices) out.append(to_numpy(std::move(matrix)));
  return out;
}

py::array_t<double> to_numpy(const std::vector<double>& values) {
  return py::array_t<double>(static_cast<py::ssize_t>(values.size()), values.data());
}

py::array_t<double> to_numpy(const std::vector<std::vector<double>>& rows) {
  const auto cols = static_cast<py::ssize_t>(rows.empty() ? 0 : rows.front().size());
  py::array_t<double> out({static_cast<py::ssize_t>(rows.size()), cols});
  for (std::size_t i = 0; i < rows.size(); ++i)
    std::copy(rows[i].begin(), rows[i].end(), out.mutable_data(static_cast<py::ssize_t>(i), 0));
  return out;
}

Progress to_progress(const py::object& callback, double interval) {
  using Clock = std::chrono::steady_clock;
  // The core copies and destroys the function without the GIL, where no reference count of Python may change. Copies
  // share the callback, and the caller's own copy destroys it.
  const auto shared = std::make_shared<const py::object>(callback.is_none() ? py::object() : callback);
  return [shared, interval, last = Clock::now()](int done, int total) mutable {
    const auto now = Clock::now();
    if (done < total && std::chrono::duration<double>(now - last).count() < interval) return true;
    last = now;
    const py::gil_scoped_acquire gil;
    if (PyErr_CheckSignals() != 0) throw py::error_already_set();
    if (*shared) (*shared)(done, total);
    return true;
  };
}

}  // namespace lindmft::bindings

PYBIND11_MODULE(_core, module) {
  module.doc() = "The compiled core of lindmft: theory and experiment on plain arrays.";
  lindmft::bindings::register_config(module);
  lindmft::bindings::register_limits(module);
  lindmft::bindings::register_problem(module);
  lindmft::bindings::register_options(module);
  lindmft::bindings::register_solve(module);
  lindmft::bindings::register_train(module);
}
