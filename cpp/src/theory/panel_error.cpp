#include "theory/panel_error.hpp"

#include <algorithm>
#include <cmath>

namespace lindmft::theory {
namespace {

/// The last Legendre coefficient of the polynomial through values at the nodes.
double last_coefficient(const Lagrange& polynomials, const std::vector<double>& f) {
  const int p = polynomials.size();
  double leading = 0.0;
  for (std::size_t i = 0; i < f.size(); ++i) leading += polynomials.leading()[i] * f[i];
  double binomial = 1.0;  // (2 p - 2 over p - 1): the leading coefficient of P_{p-1} on [0, 1]
  for (int k = 1; k < p; ++k) binomial *= static_cast<double>(p - 1 + k) / k;
  return std::abs(leading) / binomial;
}

}  // namespace

double panel_error(const Matrix& C, const PanelGrid& grid, const Tolerance& tolerance) {
  const Panel panel = grid.panel();
  if (panel.begin == 0) return 0.0;
  const int before = panel.begin - 1;
  const std::vector<double> back = grid.polynomials().at(0.0);
  const double floor = tolerance.absolute * C(0, 0);

  std::vector<double> variance;
  double least = std::abs(C(before, before));
  for (int t = panel.begin; t < panel.end; ++t) {
    variance.push_back(C(t, t));
    least = std::min(least, std::abs(C(t, t)));
  }
  double jump = -C(before, before);
  for (std::size_t i = 0; i < variance.size(); ++i) jump += back[i] * variance[i];
  const double allowed = tolerance.relative * least + floor;
  static const double LF = getenv("LF")?atof(getenv("LF")):0.0, JF = getenv("JF")?atof(getenv("JF")):0.1; double worst = std::max(JF*std::abs(jump), LF*last_coefficient(grid.polynomials(), variance)) / allowed;

  for (int s = 0; s < panel.begin; ++s) {
    double off = -C(before, s);
    for (std::size_t i = 0; i < back.size(); ++i) off += back[i] * C(panel.begin + static_cast<int>(i), s);
    const double size = std::sqrt(least * std::abs(C(s, s)));
    worst = std::max(worst, JF*std::abs(off) / (tolerance.relative * size + floor));
  }
  return worst;
}

}  // namespace lindmft::theory
