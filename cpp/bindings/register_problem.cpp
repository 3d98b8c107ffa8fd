#include <pybind11/native_enum.h>

#include "lindmft/problem.hpp"
#include "lindmft/sharpness.hpp"
#include "register.hpp"

namespace py = pybind11;
using namespace py::literals;

namespace lindmft::bindings {

void register_problem(py::module_& module) {
  py::native_enum<Architecture>(module, "Architecture", "enum.Enum")
      .value("mlp", Architecture::mlp)
      .value("resnet", Architecture::resnet)
      .finalize();
  py::native_enum<BranchScaling>(module, "BranchScaling", "enum.Enum")
      .value("depth", BranchScaling::depth)
      .value("constant", BranchScaling::constant)
      .finalize();
  module.attr("INFINITE_DEPTH") = kInfiniteDepth;
  py::native_enum<Parameterization>(module, "Parameterization", "enum.Enum")
      .value("mup", Parameterization::mup)
      .value("ntk", Parameterization::ntk)
      .finalize();
  py::native_enum<DataMode>(module, "DataMode", "enum.Enum")
      .value("full_batch", DataMode::full_batch)
      .value("multi_pass", DataMode::multi_pass)
      .value("one_pass", DataMode::one_pass)
      .value("population", DataMode::population)
      .value("epochs", DataMode::epochs)
      .finalize();

  py::class_<Network>(module, "Network")
      .def(py::init<Architecture, int, std::vector<double>, double, Parameterization, std::vector<double>, bool, double,
                    BranchScaling, bool>(),
           py::kw_only(), "kind"_a, "depth"_a, "width"_a, "gamma0"_a, "parameterization"_a, "init_scale"_a,
           "centered"_a, "branch"_a = 1.0, "branch_scaling"_a = BranchScaling::depth, "zero_readout"_a = false);
  py::class_<Spectrum>(module, "Spectrum")
      .def(py::init<std::vector<double>, std::vector<double>, std::vector<double>, bool, std::vector<double>>(),
           py::kw_only(), "eigenvalues"_a, "target_power"_a, "weights"_a, "trace_class"_a = false,
           "targets"_a = std::vector<double>{});
  py::class_<Data>(module, "Data")
      .def(py::init<DataMode, double, std::vector<double>, double, int, double, Spectrum, std::vector<double>,
                    std::vector<double>, std::vector<double>, int, double, double>(),
           py::kw_only(), "mode"_a, "alpha"_a, "alphas"_a = std::vector<double>{}, "batch_fraction"_a = 1.0,
           "batches"_a = 1, "noise"_a, "spectrum"_a, "targets"_a = std::vector<double>{1.0},
           "rotation"_a = std::vector<double>{}, "noise_factor"_a = std::vector<double>{}, "switch_at"_a = 0,
           "switch_overlap"_a = 0.0, "switch_strength"_a = 1.0)
      .def_property_readonly("irreducible", &noise_variance);
  py::class_<Optimizer>(module, "Optimizer")
      .def(py::init<std::vector<double>, std::vector<double>, bool, double, std::vector<double>>(), py::kw_only(),
           "lr"_a, "momentum"_a, "nesterov"_a, "weight_decay"_a, "layer_lr"_a);
  py::class_<Problem>(module, "Problem")
      .def(py::init<Network, Data, Optimizer>(), py::kw_only(), "network"_a, "data"_a, "optimizer"_a);

  module.def("validate", py::overload_cast<const Network&>(&validate), "network"_a);
  module.def("validate", py::overload_cast<const Data&>(&validate), "data"_a);
  module.def("validate", py::overload_cast<const Optimizer&>(&validate), "optimizer"_a);
  module.def("condensable", &condensable, "data"_a);
  module.def("validate", py::overload_cast<const Problem&, int>(&validate), "problem"_a, "steps"_a = 0,
             "Raises ValueError naming the field, the value and what is allowed.");
  module.def("stability_threshold", &stability_threshold, "optimizer"_a, "step"_a = 0,
             "See lindmft.stability_threshold.");
}

}  // namespace lindmft::bindings
