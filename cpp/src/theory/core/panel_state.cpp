#include "theory/core/panel_state.hpp"

#include <algorithm>
#include <cmath>

#include "linalg/rows.hpp"

namespace lindmft::theory {
namespace {

constexpr double kTiny = 1e-300;

double largest(const Matrix& m, Panel panel) {
  double out = kTiny;
  for (int t = panel.begin; t < panel.end; ++t) {
    for (int s = 0; s < panel.end; ++s) out = std::max(out, std::abs(m(t, s)));
  }
  return out;
}

/// The largest sum of absolute values in a row, over the first `rows` rows.
double largest_norm(const Matrix& m, int rows) {
  double out = 0.0;
  for (int t = 0; t < rows; ++t) {
    double norm = 0.0;
    for (int s = 0; s < rows; ++s) norm += std::abs(m(t, s));
    out = std::max(out, norm);
  }
  return out;
}

}  // namespace

PanelState::PanelState(std::vector<Carried> functions, Panel panel, int outputs) : panel_(panel), outputs_(outputs) {
  for (const Carried& f : functions) {
    functions_.push_back({f, std::vector<double>(static_cast<std::size_t>(panel.size()), 1.0),
                          std::vector<double>(static_cast<std::size_t>(panel.end), 1.0)});
  }
}

/// The largest variance at the start.
double PanelState::start(const Matrix& m) const {
  double largest = std::abs(m(0, 0));
  for (int c = 1; c < outputs_; ++c) largest = std::max(largest, std::abs(m(c, c)));
  return largest;
}

void PanelState::rescale(double floor, double least_variance) {
  for (Function& f : functions_) {
    const Matrix& m = *f.carried.m;
    if (!f.carried.symmetric) {
      std::fill(f.row.begin(), f.row.end(), std::max(largest(m, panel_), floor * largest_norm(m, panel_.begin)));
      continue;
    }
    const double least = std::max({kTiny, floor * start(m), start(m) == 0.0 ? least_variance : 0.0});
    for (int s = 0; s < panel_.end; ++s)
      f.column[static_cast<std::size_t>(s)] = std::sqrt(std::max(least, std::abs(m(s, s))));
    std::copy(f.column.begin() + panel_.begin, f.column.end(), f.row.begin());
  }
}

bool PanelState::outgrown() const {
  return std::ranges::any_of(functions_, [&](const Function& f) {
    const double unit = f.carried.symmetric ? std::sqrt(kNoVariance) : kTiny;
    return *std::ranges::max_element(f.row) <= unit &&
           largest(*f.carried.m, panel_) > (f.carried.symmetric ? kNoVariance : kTiny);
  });
}

void PanelState::read(std::vector<double>& x) const {
  x.clear();
  for (const Function& f : functions_) {
    for (int i = 0; i < panel_.size(); ++i) {
      const double* row = f.carried.m->row(panel_.begin + i);
      const double unit = f.row[static_cast<std::size_t>(i)];
      for (int s = 0; s < panel_.end; ++s) x.push_back(row[s] / (unit * f.column[static_cast<std::size_t>(s)]));
    }
  }
}

void PanelState::write(const std::vector<double>& x) const {
  auto from = x.begin();
  for (const Function& f : functions_) {
    for (int i = 0; i < panel_.size(); ++i) {
      double* row = f.carried.m->row(panel_.begin + i);
      const double unit = f.row[static_cast<std::size_t>(i)];
      for (int s = 0; s < panel_.end; ++s) row[s] = *from++ * (unit * f.column[static_cast<std::size_t>(s)]);
    }
    if (f.carried.symmetric) linalg::mirror(*f.carried.m, panel_);
  }
}

}  // namespace lindmft::theory
