#include "theory/horizon.hpp"

#include <algorithm>
#include <sstream>
#include <string>

namespace lindmft::theory {

Horizon exact_steps(double steps) { return {Horizon::Kind::exact_steps, steps, static_cast<int>(steps)}; }

Horizon shorter(const Horizon& horizon, int steps) {
  const double end = std::min(horizon.end, static_cast<double>(steps));
  if (horizon.condensed()) return {horizon.kind, end, std::min(horizon.nodes, static_cast<int>(end))};
  return horizon.coarse() ? Horizon{horizon.kind, end, horizon.nodes} : exact_steps(end);
}

std::string describe(const Horizon& horizon) {
  std::ostringstream text;
  if (horizon.kind == Horizon::Kind::gradient_flow) {
    text << "gradient flow on " << horizon.nodes << " nodes";
  } else {
    text << "solve of " << horizon.steps() << " steps";
    if (horizon.coarse()) text << " on " << horizon.nodes << " nodes";
  }
  return text.str();
}

}  // namespace lindmft::theory
