#include "lindmft/limits.hpp"
#include "register.hpp"

namespace py = pybind11;
using namespace py::literals;

namespace lindmft::bindings {
namespace {

py::dict to_dict(const Rates& rates) {
  py::dict out;
  out["one"] = rates.one;
  out["all"] = rates.all;
  return out;
}

py::dict limits_to_dict(int threads, double seconds) {
  MachineLimits limits;
  {
    const Progress signals = to_progress(py::none());
    const py::gil_scoped_release release;
    limits = machine_limits(threads, seconds, signals);
  }
  py::dict out;
  out["gemm"] = to_dict(limits.gemm);
  out["triad"] = to_dict(limits.triad);
  out["update"] = to_dict(limits.update);
  out["read"] = to_dict(limits.read);
  out["array_bytes"] = limits.array_bytes;
  out["threads"] = limits.threads;
  out["cores"] = limits.cores;
  out["blas"] = limits.blas;
  out["instruction_set"] = limits.instruction_set;
  return out;
}

}  // namespace

void register_limits(py::module_& module) {
  module.def("free_memory", &free_memory, "Bytes that the process may still take.");
  module.def("machine_limits", &limits_to_dict, py::kw_only(), "threads"_a = 0, "seconds"_a = 2.0,
             "Operations a second of matrix products and bytes a second of memory, measured on one thread and on all.");
}

}  // namespace lindmft::bindings
