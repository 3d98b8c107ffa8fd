#include "theory/tangent_kernel.hpp"

#include <algorithm>
#include <limits>
#include <string>

#include "lindmft/errors.hpp"
#include "time_grid/exact_steps.hpp"

namespace lindmft::theory {
namespace {

/// Value of the kernel where the direction does not exist.
constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();

/// The functions of the data side, in which one row can be replaced by that of another vector.
class Probe {
 public:
  Probe(const DataField& data, int nodes) : data_(data), C_h0_(nodes, nodes), R_hr0_(nodes, nodes) {
    for (int t = 0; t < nodes; ++t) {
      std::copy_n(data.C_h0->row(t), nodes, C_h0_.row(t));
      std::copy_n(data.R_hr0->row(t), nodes, R_hr0_.row(t));
    }
  }

  [[nodiscard]] DataField field() const { return {&C_h0_, &R_hr0_}; }

  /// Puts a fixed vector x in the place of u(t), given <x u(s)> and |x|^2.
  void place(int t, const std::vector<double>& overlap, double size) {
    for (int s = 0; s < t; ++s) C_h0_(t, s) = C_h0_(s, t) = overlap[static_cast<std::size_t>(s)];
    C_h0_(t, t) = size;
    std::fill_n(R_hr0_.row(t), t + 1, 0.0);
  }

  /// Puts u(t) back.
  void restore(int t) {
    for (int s = 0; s <= t; ++s) C_h0_(t, s) = C_h0_(s, t) = (*data_.C_h0)(t, s);
    std::copy_n(data_.R_hr0->row(t), t + 1, R_hr0_.row(t));
  }

 private:
  DataField data_;
  Matrix C_h0_, R_hr0_;
};

}  // namespace

void add_kernels(const Problem& problem, int nodes, NetworkSide& network, const DataSide& data,
                 const MarchOptions& options, Solution& solution) {
  ExactSteps grid(problem, nodes, 1);
  PanelMap map(nodes);
  linalg::PanelAlgebra algebra(map, options.threads);
  Scratch scratch(1, nodes);
  linalg::RowChanges changes;
  Probe probe(data.field(), nodes);
  const std::vector<double> target = data.target_overlap(nodes);
  const std::vector<double> nothing(static_cast<std::size_t>(nodes));
  const auto commit = [&](Panel row) {
    grid.commit(row);
    if (options.progress && !options.progress(row.end, nodes))
      throw Interrupted("solve was interrupted while computing kernels");
  };
  for (int t = 0; t < nodes; ++t) {
    const Panel row{t, t + 1};
    map.set(row);
    changes.reset(1);
    const PanelTime time = grid.propose(row);
    if (t > 0 && data.nothing_learned(time, t)) {  // the weights are the initial ones
      for (auto* series : {&solution.kernels.scale, &solution.kernels.target}) series->push_back(series->front());
      solution.kernels.gradient.push_back(kMissing);
      commit(row);
      continue;
    }
    const Sweep sweep{time, algebra, scratch, changes};
    const auto check = [&] {
      if (const std::string why = network.failure(); !why.empty()) throw NotConverged("kernels: " + why);
    };
    const auto forward = [&] {
      network.forward(sweep, probe.field());
      check();
      network.finish(sweep, probe.field());
      return network.tangent_kernel(t, t, probe.field());
    };
    network.backward(sweep, probe.field());
    check();
    probe.place(t, nothing, 1.0);
    solution.kernels.scale.push_back(forward());
    probe.place(t, target, data.target_size());
    solution.kernels.target.push_back(
        data.target_size() >= std::numeric_limits<double>::min() ? forward() / data.target_size() : kMissing);
    probe.restore(t);
    const double size = probe.field().C_h0->row(t)[t];
    const double own = forward();  // this also restores the row
    solution.kernels.gradient.push_back(size > data.least_gradient(t, network.field()) ? own / size : kMissing);
    commit(row);
  }
  solution.stats.flops += algebra.flops();
}

}  // namespace lindmft::theory
