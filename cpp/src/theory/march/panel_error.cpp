#include "theory/march/panel_error.hpp"

#include <algorithm>
#include <cmath>

#include "theory/core/panel_state.hpp"

namespace lindmft::theory {
namespace {

// The ratio of the error to the jump, which is the difference at the row before the panel between the polynomial of
// degree p - 1 through the p nodes and the solution. At the nodes the error is that of collocation, one order smaller;
// between the nodes it is that of the polynomial that also goes through the row before.
constexpr double kJump = 0.2;

/// The error of the rows of one output.
double error_of(int output, const Matrix& C, const PanelGrid& grid, const Tolerance& tolerance, int outputs) {
  const int begin = grid.panel().begin * outputs;
  const int before = begin - outputs + output;
  const std::vector<double> back = grid.polynomials().at(0.0);
  const double start = C(output, output);
  const double floor = tolerance.absolute * (start == 0.0 ? 1.0 : start);

  std::vector<double> variance;
  double least = std::abs(C(before, before));
  for (int t = begin + output; t < grid.panel().end * outputs; t += outputs) {
    variance.push_back(C(t, t));
    least = std::min(least, std::abs(C(t, t)));
  }
  double jump = -C(before, before);
  for (std::size_t i = 0; i < variance.size(); ++i) jump += back[i] * variance[i];
  const auto allowed = [&](double size) {
    const double error = tolerance.relative * size + floor;
    return error > 0.0 ? error : kNoVariance;
  };
  double worst = kJump * std::abs(jump) / allowed(least);

  for (int s = 0; s < begin; ++s) {
    double off = -C(before, s);
    for (std::size_t i = 0; i < back.size(); ++i) off += back[i] * C(begin + static_cast<int>(i) * outputs + output, s);
    const double size = std::sqrt(least * std::abs(C(s, s)));
    worst = std::max(worst, kJump * std::abs(off) / allowed(size));
  }
  return worst;
}

}  // namespace

double panel_error(const Matrix& C, const PanelGrid& grid, const Tolerance& tolerance, int outputs) {
  if (grid.panel().begin == 0) return 0.0;
  double worst = 0.0;
  for (int c = 0; c < outputs; ++c) worst = std::max(worst, error_of(c, C, grid, tolerance, outputs));
  return worst;
}

}  // namespace lindmft::theory
