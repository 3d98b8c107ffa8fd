// The state of the solver: everything it has computed about the past, from which it can resume later.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "lindmft/solve.hpp"

namespace lindmft::theory {

/// Called with the name and the values of everything that a side keeps: functions of two times, and of one.
struct StateVisitor {
  std::function<void(const std::string& name, Matrix& function)> function;
  std::function<void(const std::string& name, std::vector<double>& series)> series;
};

class NetworkSide;
class DataSide;

/// Copies the first `rows` rows of everything into solution.state.
void keep_state(NetworkSide& network, DataSide& data, int rows, Solution& solution);

/// Restores the state and the series; throws std::invalid_argument if something is missing or of another size.
/// outputs: the number of rows of each time
void restore_state(NetworkSide& network, DataSide& data, const Solution& from, int outputs, Solution& solution);

}  // namespace lindmft::theory
