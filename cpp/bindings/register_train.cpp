#include "lindmft/train.hpp"
#include "register.hpp"
#include "result_dicts.hpp"

namespace py = pybind11;
using namespace py::literals;

namespace lindmft::bindings {
namespace {

template <class Options>
Options options(int dim, std::vector<std::uint64_t> seeds, int threads, bool single_precision,
                double memory_limit = 0.0) {
  Options out;
  out.precision = single_precision ? Precision::float32 : Precision::float64;
  out.dim = dim;
  out.seeds = std::move(seeds);
  out.threads = threads;
  out.memory_limit = memory_limit;
  return out;
}

py::dict train_to_dict(const Problem& problem, int steps, int dim, std::vector<std::uint64_t> seeds, int threads,
                       double memory_limit, const py::object& progress, bool kernels, bool updates,
                       std::uint32_t noise_draw, bool single_precision, int stop, bool keep_state,
                       std::vector<std::string> start) {
  auto opts = options<TrainOptions>(dim, std::move(seeds), threads, single_precision, memory_limit);
  opts.stop = stop;
  opts.keep_state = keep_state;
  opts.start = std::move(start);
  opts.kernels = kernels;
  opts.updates = updates;
  opts.noise_draw = noise_draw;
  opts.progress = to_progress(progress);
  Ensemble ensemble;
  {
    const py::gil_scoped_release release;
    ensemble = train(problem, steps, opts);
  }
  return to_dict(std::move(ensemble));
}

py::list train_many_to_list(const std::vector<Problem>& problems, int steps, int dim, std::vector<std::uint64_t> seeds,
                            int threads, double memory_limit, const py::object& progress, bool updates,
                            std::vector<std::uint32_t> noise_draws, bool single_precision) {
  auto opts = options<TrainManyOptions>(dim, std::move(seeds), threads, single_precision, memory_limit);
  opts.updates = updates;
  opts.noise_draws = std::move(noise_draws);
  opts.progress = to_progress(progress);
  std::vector<Ensemble> ensembles;
  {
    const py::gil_scoped_release release;
    ensembles = train_many(problems, steps, opts);
  }
  py::list out;
  for (Ensemble& ensemble : ensembles) out.append(to_dict(std::move(ensemble)));
  return out;
}

py::dict replicas_to_dict(const Problem& problem, int steps, int dim, std::vector<std::uint64_t> seeds, int k_init,
                          int k_data, int threads, double memory_limit, const py::object& progress,
                          bool single_precision) {
  auto opts = options<ReplicaOptions>(dim, std::move(seeds), threads, single_precision, memory_limit);
  opts.k_init = k_init;
  opts.k_data = k_data;
  opts.progress = to_progress(progress);
  ReplicaEnsemble ensemble;
  {
    const py::gil_scoped_release release;
    ensemble = train_replicas(problem, steps, opts);
  }
  return to_dict(std::move(ensemble));
}

double train_memory(const Problem& problem, int steps, int dim, std::vector<std::uint64_t> seeds, int threads,
                    bool kernels, bool updates, bool single_precision) {
  auto opts = options<TrainOptions>(dim, std::move(seeds), threads, single_precision);
  opts.kernels = kernels;
  opts.updates = updates;
  return estimate_train_memory(problem, steps, opts);
}

double train_many_memory(const std::vector<Problem>& problems, int steps, int dim, std::vector<std::uint64_t> seeds,
                         int threads, bool updates, bool single_precision) {
  auto opts = options<TrainManyOptions>(dim, std::move(seeds), threads, single_precision);
  opts.updates = updates;
  return estimate_train_many_memory(problems, steps, opts);
}

double replicas_memory(const Problem& problem, int steps, int dim, std::vector<std::uint64_t> seeds, int k_init,
                       int k_data, int threads, bool single_precision) {
  auto opts = options<ReplicaOptions>(dim, std::move(seeds), threads, single_precision);
  opts.k_init = k_init;
  opts.k_data = k_data;
  return estimate_replicas_memory(problem, steps, opts);
}

}  // namespace

void register_train(py::module_& module) {
  module.def("train", &train_to_dict, "problem"_a, "steps"_a, py::kw_only(), "dim"_a, "seeds"_a, "threads"_a = 0,
             "memory_limit"_a = 0.0, "progress"_a = py::none(), "kernels"_a = false, "updates"_a = false,
             "noise_draw"_a = 0, "single_precision"_a = false, "stop"_a = 0, "keep_state"_a = false,
             "start"_a = std::vector<std::string>(), "Train finite-size networks; see lindmft.train.");
  module.def("train_many", &train_many_to_list, "problems"_a, "steps"_a, py::kw_only(), "dim"_a, "seeds"_a,
             "threads"_a = 0, "memory_limit"_a = 0.0, "progress"_a = py::none(), "updates"_a = false,
             "noise_draws"_a = std::vector<std::uint32_t>{0}, "single_precision"_a = false,
             "Train the networks of many problems; see lindmft.train_many.");
  module.def("train_replicas", &replicas_to_dict, "problem"_a, "steps"_a, py::kw_only(), "dim"_a, "seeds"_a, "k_init"_a,
             "k_data"_a, "threads"_a = 0, "memory_limit"_a = 0.0, "progress"_a = py::none(),
             "single_precision"_a = false,
             "Train crossed initializations and data sets; see lindmft.training.train_replicas.");
  module.def("estimate_train_memory", &train_memory, "problem"_a, "steps"_a, py::kw_only(), "dim"_a, "seeds"_a,
             "threads"_a = 0, "kernels"_a = false, "updates"_a = false, "single_precision"_a = false,
             "Bytes that train takes at its peak.");
  module.def("estimate_train_many_memory", &train_many_memory, "problems"_a, "steps"_a, py::kw_only(), "dim"_a,
             "seeds"_a, "threads"_a = 0, "updates"_a = false, "single_precision"_a = false,
             "Bytes that train_many takes at its peak.");
  module.def("estimate_replicas_memory", &replicas_memory, "problem"_a, "steps"_a, py::kw_only(), "dim"_a, "seeds"_a,
             "k_init"_a, "k_data"_a, "threads"_a = 0, "single_precision"_a = false,
             "Bytes that train_replicas takes at its peak.");
}

}  // namespace lindmft::bindings
