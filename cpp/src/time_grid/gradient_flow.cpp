#include "time_grid/gradient_flow.hpp"

#include <algorithm>
#include <cmath>

namespace lindmft {
namespace {

constexpr int kExtraPoints = 8;  // further points of the quadrature, for the exponential over one decay time
// Number of decay times after which the exponential is negligible in double precision.
constexpr double kForgotten = 40.0;

}  // namespace

GradientFlow::GradientFlow(const Problem& problem, double time, int capacity, int order)
    : PanelGrid(capacity, order),
      time_(time),
      weight_decay_(problem.optimizer.weight_decay),
      init_scale_(init_unit(problem.network)),
      radau_(radau_nodes(order)),
      rule_(gauss_rule(order / 2 + (weight_decay_ > 0.0 ? kExtraPoints : 1))) {}

std::vector<double> GradientFlow::positions(double& length) const {
  if (edges().back() > 0) return radau_;
  length = 0.0;
  return {1.0};
}

/// The integral of exp(-weight_decay (x - s)) l_j(s) over s from 0 to x (in time), for every polynomial l_j.
std::vector<double> GradientFlow::integrals(double x) const {
  std::vector<double> out(static_cast<std::size_t>(polynomials().size()));
  const double times = weight_decay_ * x * length();
  const double share = times > kForgotten ? kForgotten / times : 1.0;  // fraction of the interval that is not forgotten
  const int pieces = 1 + static_cast<int>(share * times);
  const double piece = share * x / pieces;
  for (int k = 0; k < pieces; ++k) {
    for (std::size_t q = 0; q < rule_.nodes.size(); ++q) {
      const double back = (k + rule_.nodes[q]) * piece;
      const double weight = rule_.weights[q] * piece * length() * std::exp(-weight_decay_ * back * length());
      const std::vector<double> l = polynomials().at(x - back);
      for (std::size_t j = 0; j < out.size(); ++j) out[j] += weight * l[j];
    }
  }
  return out;
}

void GradientFlow::fill(Matrix& K, double* decay) {
  const int first = panel().begin;
  for (int i = 0; i < panel().size(); ++i) {
    decay[i] = init_scale_ * std::exp(-weight_decay_ * time(first + i));
    respond(polynomials().nodes()[static_cast<std::size_t>(i)], K.row(i));
  }
}

/// The response of a weight at position x of the panel.
void GradientFlow::respond(double x, double* K) const {
  const double left = std::exp(-weight_decay_ * x * length());
  K = std::transform(history_.begin(), history_.end(), K, [&](double h) { return left * h; });
  const std::vector<double> own = integrals(x);
  std::copy(own.begin(), own.end(), K);
}

void GradientFlow::weights(double time, double* K, double& decay) const {
  decay = init_scale_ * std::exp(-weight_decay_ * time);
  respond(length() > 0.0 ? (time - begin()) / length() : 1.0, K);
}

void GradientFlow::keep() {
  const double left = std::exp(-weight_decay_ * length());
  for (double& h : history_) h *= left;
  const std::vector<double> own = integrals(1.0);
  history_.insert(history_.end(), own.begin(), own.end());
}

}  // namespace lindmft
