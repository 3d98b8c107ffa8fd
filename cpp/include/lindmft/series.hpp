// The description of a series, for code that treats all series of a result in the same way.
//
// Solution, Ensemble and ReplicaEnsemble list their series once, in a static member function for_each_series(). It
// calls f(series, values...) with the values of one result, or of several results side by side. Whatever copies, adds,
// extends or names series goes through this function, so that a new series is declared in one header.
#pragma once

namespace lindmft {

struct Series {
  /// The part of the computation that gives a series its values.
  enum class Part {
    always,    ///< nothing: every result has it
    outputs,   ///< an array for each output
    replicas,  ///< SolveOptions::replicas, or pairs of networks of the kind
    kernels,   ///< SolveOptions::kernels, TrainOptions::kernels
    updates,   ///< TrainOptions::updates
    modes,     ///< SolveOptions::modes, TrainOptions::modes: an array for each mode
    switched,  ///< Data::switch_at
    average    ///< SolveOptions::average, TrainOptions::average
  };

  const char* name;  ///< in Python, in files and in sweeps
  Part part = Part::always;
  const char* path = name;  ///< in the C interface
  bool has_sign = false;    ///< whether values may be negative

  /// Whether the series of a solution is the sum over its channels. Kernels are those of the channels.
  [[nodiscard]] constexpr bool adds_up() const {
    return part == Part::always || part == Part::replicas || part == Part::switched || part == Part::average;
  }
  /// Whether the sum over channels has the series, so that those of channels are needed at the same times.
  [[nodiscard]] constexpr bool of_channels() const { return adds_up() || part == Part::modes; }
};

}  // namespace lindmft
