// The state of the solver: everything it has computed about the past, from which it can resume later.
#pragma once

#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "linalg/panel.hpp"
#include "lindmft/solve.hpp"

namespace lindmft::theory {

/// Called with the name and the values of everything that a side keeps: functions of two times; functions of one time
/// on which rows act; and factors or results, one number for each time.
struct StateVisitor {
  std::function<void(const std::string& name, Matrix& function)> function;
  std::function<void(const std::string& name, std::vector<double>& series)> series;
  std::function<void(const std::string& name, std::vector<double>& factors)> factors;
  /// The rows that the calls may change; columns from the last one on are not in use.
  Panel changed{0, std::numeric_limits<int>::max()};
};

class NetworkSide;
class DataSide;

/// The name of what a condensed past keeps to be continued.
inline constexpr const char* kCondensedState = "condensed_steps";

/// Copies the first `rows` rows of everything into solution.state.
void keep_state(NetworkSide& network, DataSide& data, int rows, Solution& solution);

/// Restores the state and the series; throws std::invalid_argument if something is missing or of another size.
/// rows: the number of rows that are kept; outputs: the number of rows of each time
void restore_state(NetworkSide& network, DataSide& data, const Solution& from, int rows, int outputs,
                   Solution& solution);

/// A part of the state that was kept; throws std::invalid_argument if it is missing.
[[nodiscard]] const Matrix& kept_state(const Solution& from, const std::string& name);

}  // namespace lindmft::theory
