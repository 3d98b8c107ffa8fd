// Everything a solve has found out about the past, to go on from later.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "lindmft/solve.hpp"

namespace lindmft::theory {

/// Is shown all that a side keeps, name by name: functions of two times, and of one.
struct StateVisitor {
  std::function<void(const std::string& name, Matrix& function)> function;
  std::function<void(const std::string& name, std::vector<double>& series)> series;
};

class NetworkSide;
class DataSide;

/// The first `nodes` nodes of everything.
void keep_state(NetworkSide& network, DataSide& data, int nodes, Solution& solution);

/// Puts back what was kept, and the series; throws std::invalid_argument if something is missing or of another size.
void restore_state(NetworkSide& network, DataSide& data, const Solution& from, Solution& solution);

}  // namespace lindmft::theory
