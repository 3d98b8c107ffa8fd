#include "lindmft/config.hpp"
#include "lindmft/errors.hpp"
#include "register.hpp"

namespace py = pybind11;
using namespace py::literals;

namespace lindmft::bindings {

py::object bad_input(const BadInput& error) {
  const py::object make = py::module_::import("lindmft._internal.refusals").attr("BadInput");
  return make(error.reason(), "field"_a = error.field(), "allowed"_a = error.allowed(), "got"_a = error.got(),
              "index"_a = error.index());
}

void register_config(py::module_& module) {
  py::register_local_exception<NotConverged>(module, "NotConverged", PyExc_RuntimeError);
  py::register_local_exception_translator([](std::exception_ptr error) {
    try {
      if (error) std::rethrow_exception(error);
    } catch (const BadInput& e) {
      const py::object raised = bad_input(e);
      PyErr_SetObject(py::type::handle_of(raised).ptr(), raised.ptr());
    } catch (const MemoryLimit& e) {
      PyErr_SetString(PyExc_MemoryError, e.what());
    } catch (const Interrupted& e) {
      PyErr_SetString(PyExc_KeyboardInterrupt, e.what());
    }
  });

  module.attr("__version__") = version();
  module.def(
      "config",
      [] {
        const Config c = config();
        py::dict out;
        out["version"] = c.version;
        out["compiler"] = c.compiler;
        out["build_type"] = c.build_type;
        out["blas"] = c.blas;
        out["openmp"] = c.openmp;
        out["instruction_set"] = c.instruction_set;
        out["cores"] = c.cores;
        out["threads"] = c.threads;
        return out;
      },
      "Version, compiler, BLAS, OpenMP, instruction set in use, allowed cores and default number of threads.");
  module.def(
      "error_table",
      [] {
        py::list out;
        for (const ErrorKind& kind : error_table())
          out.append(py::make_tuple(kind.name, kind.cpp_type, kind.python_type, kind.meaning));
        return out;
      },
      "Every way a call can fail: (name, C++ type, Python type, meaning).");
}

}  // namespace lindmft::bindings
