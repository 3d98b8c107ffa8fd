// A second target in the place of the first from some step on (theory.md section 18). The target of a mode is then a
// vector times a function of time with two values, so that equal inner products are those of two kinds of modes: in the
// fraction (1 + overlap) / 2 of every mode the second target points along the first, in the rest against it.
#pragma once

#include <limits>

#include "lindmft/problem.hpp"

namespace lindmft::theory {

/// The class of a row by its source: its output c, or C + c from the first row of the second target on.
struct RowClasses {
  int outputs = 1;
  int switch_row = std::numeric_limits<int>::max();

  explicit RowClasses(int outputs_of_rows = 1) : outputs(outputs_of_rows) {}
  explicit RowClasses(const Data& data);
  [[nodiscard]] bool switches() const { return switch_row != std::numeric_limits<int>::max(); }
  [[nodiscard]] int count() const { return switches() ? 2 * outputs : outputs; }
  [[nodiscard]] int operator()(int row) const { return row % outputs + (row < switch_row ? 0 : outputs); }
};

/// The number of modes of which staged() makes the spectrum.
[[nodiscard]] int staged_modes(const Data& data);

/// The spectrum with a target for every class of rows, modes x count(), in `targets`; unchanged without a second one.
[[nodiscard]] Spectrum staged(const Data& data);

}  // namespace lindmft::theory
