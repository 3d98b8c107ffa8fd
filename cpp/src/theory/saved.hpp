// Which two-time functions the caller keeps, and how they leave the solver.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lindmft/matrix.hpp"

namespace lindmft::theory {

class Saved {
 public:
  /// Throws std::invalid_argument for a name that is not a two-time function.
  explicit Saved(const std::vector<std::string>& names);

  [[nodiscard]] bool has(std::string_view name) const;
  [[nodiscard]] bool any() const { return !names_.empty(); }

  /// Nodes that are valid: functions leave as valid x valid matrices.
  void trim(int valid) { valid_ = valid; }
  /// Moves a matrix out, scaled; copies only if it must be trimmed.
  [[nodiscard]] Matrix take(Matrix& m, double scale = 1.0) const;
  /// The same, with column s also multiplied by columns[s].
  [[nodiscard]] Matrix take(Matrix& m, double scale, const std::vector<double>& columns) const;

 private:
  std::vector<std::string> names_;
  int valid_ = 0;
};

}  // namespace lindmft::theory
