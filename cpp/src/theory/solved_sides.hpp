// The spectrum at any times of a solution whose rows are final.
#pragma once

#include <vector>

#include "theory/horizon.hpp"
#include "theory/march/edge_watch.hpp"
#include "theory/spectrum/spectrum.hpp"

namespace lindmft::theory {

/// The two sides with the rows of a solution.
class SolvedSides {
 public:
  /// rows: the largest panel of the two sides, which have room for Lanczos::rows(rows / 2, steps) more rows. All
  /// arguments must outlive the object.
  SolvedSides(const Problem& problem, const Horizon& horizon, NetworkSide& network, DataSide& data, int rows,
              const Solution& solution)
      : problem_(problem), horizon_(horizon), network_(network), data_(data), rows_(rows), solution_(solution) {}

  /// The results of `steps` steps of Lanczos' method, at times in ascending order.
  [[nodiscard]] std::vector<Sharpness> spectrum_at(const std::vector<double>& times, int steps,
                                                   const Progress& progress = {}) const;

 private:
  [[nodiscard]] std::vector<int> valid_panels() const;

  const Problem& problem_;
  const Horizon& horizon_;
  NetworkSide& network_;
  DataSide& data_;
  int rows_;
  const Solution& solution_;
};

/// Rows after the nodes of training that add_spectrum() needs, for panels of at most `rows` rows.
[[nodiscard]] int spectrum_rows(const SolveOptions& options, int rows);

/// Fills solution.spectrum at the times that were asked for. Past a divergence the numbers are infinite.
void add_spectrum(const SolvedSides& solved, const SolveOptions& options, const Progress& progress, Solution& solution);

/// The first step, between two looks, at which the watched threshold is passed.
[[nodiscard]] double first_unstable(const SolvedSides& solved, const EdgeWatch& edge, EdgeWatch::Passed between);

}  // namespace lindmft::theory
