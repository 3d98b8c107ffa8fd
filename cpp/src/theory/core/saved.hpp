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
  /// Bytes of all of them: for layers l = 1 .. `layers` (and h^0), n x n each.
  [[nodiscard]] double bytes(double layers, int n) const;

  /// Nodes that are valid: functions leave as valid x valid matrices.
  void trim(int valid) { valid_ = valid; }
  /// Copies matrices instead of moving them: the solver still needs them.
  void keep() { keep_ = true; }
  /// Moves a matrix out, scaled; copies only if it must be trimmed or kept.
  [[nodiscard]] Matrix take(Matrix& m, double scale = 1.0) const;
  /// The same, with column s also multiplied by columns[s].
  [[nodiscard]] Matrix take(Matrix& m, double scale, const std::vector<double>& columns) const;

 private:
  std::vector<std::string> names_;
  int valid_ = 0;
  bool keep_ = false;
};

}  // namespace lindmft::theory
