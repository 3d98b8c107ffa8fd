#include "lindmft/train.hpp"
#include "register.hpp"

namespace py = pybind11;
using namespace py::literals;

namespace lindmft::bindings {
namespace {

py::dict to_dict(Ensemble&& ensemble) {
  py::dict out;
  out["dim"] = ensemble.dim;
  out["samples"] = ensemble.samples;
  out["widths"] = ensemble.widths;
  out["seeds"] = ensemble.seeds;
  out["time"] = to_numpy(ensemble.time);
  out["test_loss"] = to_numpy(std::move(ensemble.test_loss));
  out["train_loss"] = to_numpy(std::move(ensemble.train_loss));
  out["feature_norm"] = to_list(std::move(ensemble.feature_norm));
  out["gradient_norm"] = to_list(std::move(ensemble.gradient_norm));
  out["chain_residual"] = to_numpy(std::move(ensemble.chain_residual));
  out["diverged_at"] = ensemble.diverged_at;
  py::dict stats;
  stats["seconds"] = ensemble.stats.seconds;
  stats["threads"] = ensemble.stats.threads;
  stats["instruction_set"] = ensemble.stats.instruction_set;
  out["stats"] = stats;
  return out;
}

TrainOptions options(int dim, std::vector<std::uint64_t> seeds, int threads, double memory_limit) {
  TrainOptions out;
  out.dim = dim;
  out.seeds = std::move(seeds);
  out.threads = threads;
  out.memory_limit = memory_limit;
  return out;
}

py::dict train_to_dict(const Problem& problem, int steps, int dim, std::vector<std::uint64_t> seeds, int threads,
                       double memory_limit, const py::object& progress) {
  TrainOptions opts = options(dim, std::move(seeds), threads, memory_limit);
  opts.progress = to_progress(progress);
  Ensemble ensemble;
  {
    const py::gil_scoped_release release;
    ensemble = train(problem, steps, opts);
  }
  return to_dict(std::move(ensemble));
}

}  // namespace

void register_train(py::module_& module) {
  module.def("train", &train_to_dict, "problem"_a, "steps"_a, py::kw_only(), "dim"_a, "seeds"_a, "threads"_a = 0,
             "memory_limit"_a = 0.0, "progress"_a = py::none(), "Train finite-size networks; see lindmft.train.");
  module.def(
      "estimate_train_memory",
      [](const Problem& problem, int steps, int dim, std::vector<std::uint64_t> seeds, int threads) {
        return estimate_train_memory(problem, steps, options(dim, std::move(seeds), threads, 0.0));
      },
      "problem"_a, "steps"_a, py::kw_only(), "dim"_a, "seeds"_a, "threads"_a = 0,
      "Bytes that train takes at its peak.");
}

}  // namespace lindmft::bindings
