#include "theory/averaged_weights.hpp"

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "lindmft/errors.hpp"
#include "theory/spectrum/frozen_weights.hpp"
#include "time_grid/averaged_steps.hpp"

namespace lindmft::theory {
namespace {

/// The passes over rows that follow the nodes of training. Such rows have no effect on others, so that one backward
/// pass and one update of the data side make any number of them exact.
class AveragedRows {
 public:
  AveragedRows(const Problem& problem, const std::vector<double>& shares, int nodes, NetworkSide& network,
               DataSide& data, const MarchOptions& marching)
      : network_(network),
        data_(data),
        outputs_(marching.outputs),
        rows_(marching.largest_panel),
        first_(nodes * outputs_),
        average_(problem, shares),
        map_(first_ + rows_),
        algebra_(map_, marching.threads),
        scratch_(rows_, first_ + rows_),
        K_(rows_, first_ + rows_),
        decay_(static_cast<std::size_t>(first_ + rows_)) {
    const std::vector<double> decay = decay_at_steps(problem, nodes);
    for (int row = 0; row < first_; ++row)
      decay_[static_cast<std::size_t>(row)] = decay[static_cast<std::size_t>(row / outputs_)];
    for (int row = 0; row < first_ + rows_; ++row) map_.set({row, row + 1});
  }

  /// Appends the losses of the next times, as many as there is room for.
  void next(int most, std::vector<double>& losses);
  [[nodiscard]] double flops() const { return algebra_.flops(); }

 private:
  void set_time(int row);
  [[nodiscard]] std::vector<Losses> losses_of(Panel panel);

  NetworkSide& network_;
  DataSide& data_;
  int outputs_, rows_, first_;
  AveragedSteps average_;
  PanelMap map_;
  linalg::PanelAlgebra algebra_;
  Scratch scratch_;
  linalg::RowChanges changes_;
  Matrix K_;
  std::vector<double> decay_;
};

/// Writes the next time to the rows of its outputs, from `row` on.
void AveragedRows::set_time(int row) {
  average_.next();
  for (int c = 0; c < outputs_; ++c) {
    double* to = K_.row(row + c);
    for (int s = 0; s < first_; ++s) to[s] = average_.K(s / outputs_);
    decay_[static_cast<std::size_t>(first_ + row + c)] = average_.decay();
  }
}

std::vector<Losses> AveragedRows::losses_of(Panel panel) {
  data_.guess({panel}, false);
  network_.guess({panel}, false);
  changes_.reset(panel.size());
  const auto K = linalg::leading(std::as_const(K_), panel.end - first_, panel.end)
                     .block(panel.begin - first_, 0, panel.size(), panel.end);
  const Sweep sweep{{panel, K, decay_.data(), nullptr, outputs_}, algebra_, scratch_, changes_};
  network_.backward(sweep, data_.field());
  if (const std::string why = network_.failure(); !why.empty()) throw NotConverged("average: " + why);
  data_.update(sweep, network_.field());
  return data_.losses(sweep, network_.field());
}

void AveragedRows::next(int most, std::vector<double>& losses) {
  const int times = std::min(most, rows_ / outputs_);
  for (int i = 0; i < times; ++i) set_time(i * outputs_);
  const int rows = times * outputs_;
  const int together = network_.exact_first_row(rows) ? rows : 1;
  std::vector<double> found;
  for (int row = 0; row < rows; row += together) {
    for (const Losses& one : losses_of({first_ + row, first_ + row + together})) found.push_back(one.test);
  }
  for (auto at = found.begin(); at != found.end(); at += outputs_)
    losses.push_back(std::max(0.0, std::accumulate(at, at + outputs_, 0.0)));  // it may be zero up to rounding
}

}  // namespace

void add_average(const Problem& problem, const std::vector<double>& shares, int nodes, NetworkSide& network,
                 DataSide& data, const MarchOptions& marching, Solution& solution) {
  AveragedRows rows(problem, shares, nodes, network, data, marching);
  std::vector<double>& losses = solution.average_loss;
  while (static_cast<int>(losses.size()) < nodes) {
    rows.next(nodes - static_cast<int>(losses.size()), losses);
    if (marching.progress && !marching.progress(static_cast<int>(losses.size()), nodes))
      throw Interrupted("solve was interrupted while computing losses of averaged weights");
  }
  solution.stats.flops += rows.flops();
}

}  // namespace lindmft::theory
