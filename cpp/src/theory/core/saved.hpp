// The two-time functions that the caller keeps, and how they are moved out of the solver.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lindmft/matrix.hpp"

namespace lindmft::theory {

/// The names of the saved functions, and how to move them.
class Saved {
 public:
  /// Throws BadInput for a name that is not a two-time function.
  explicit Saved(const std::vector<std::string>& names);

  [[nodiscard]] bool has(std::string_view name) const;
  /// Bytes of all of them: n x n each, for layers l = 1 .. `layers` (and h^0).
  [[nodiscard]] double bytes(double layers, int n) const;

  /// Sets the number of valid nodes: functions are returned as valid x valid matrices.
  void trim(int valid) { valid_ = valid; }
  /// Makes take() copy matrices instead of moving them, because the solver still needs them.
  void keep() { keep_ = true; }
  /// Returns a scaled matrix. It is moved, or copied if it must be trimmed or kept.
  [[nodiscard]] Matrix take(Matrix& m, double scale = 1.0) const;
  /// The same, with column s also multiplied by columns[s].
  [[nodiscard]] Matrix take(Matrix& m, double scale, const std::vector<double>& columns) const;

 private:
  std::vector<std::string> names_;
  int valid_ = 0;
  bool keep_ = false;
};

}  // namespace lindmft::theory
