#include "theory/march/condensation.hpp"

#include <algorithm>
#include <cmath>

#include "linalg/rows.hpp"

namespace lindmft::theory {
namespace {

constexpr double kMostRatio = 3.0;  // largest ratio of the lengths of two segments that are merged
constexpr int kGroup = 8;           // steps that are a block of products
constexpr double kGap = 1.0;
// The part of a row that polynomials may miss, relative to the root of the tolerance. Errors are products of what they
// miss of two functions, and therefore proportional to its square.
constexpr double kMissed = 0.01;

}  // namespace

Smoothness smoothness(double rtol) {
  const int order = rtol >= 1e-5 ? 8 : rtol >= 1e-7 ? 10 : kMostSegmentNodes;
  return {order, kMissed * std::sqrt(rtol), kGap, rtol};
}

double Condensation::error_estimate() const { return std::pow(missed_ / kMissed, 2); }

Condensation::Condensation(CondensedSteps& grid, NetworkSide& network, DataSide& data, Smoothness smoothness,
                           int outputs)
    : grid_(grid),
      network_(network),
      data_(data),
      smoothness_(smoothness),
      outputs_(outputs),
      next_(4 * smoothness.order) {
  const auto ignore = [](const std::string& /*name*/, std::vector<double>& /*series*/) {};
  const auto collect = [&](const std::string& /*name*/, Matrix& m) {
    if (!m.empty()) functions_.push_back(&m);
  };
  network_.visit({collect, ignore, ignore});
  data_.visit({collect, ignore, ignore});
}

/// The condensed segments, followed by segments of `order` single steps, as far as all of their steps are final.
std::vector<Segment> Condensation::present() const {
  std::vector<Segment> all = grid_.segments();
  if (all.empty()) all.push_back(all_steps(0, 1));  // the start is never condensed: a centered predictor refers to it
  const int order = smoothness_.order;
  for (int begin = static_cast<int>(all.back().end); begin + order <= grid_.done(); begin += order)
    all.push_back(all_steps(begin, begin + order));
  return all;
}

int Condensation::run(int rows) {
  next_ = grid_.done() + 2 * smoothness_.order;
  const std::vector<Segment> all = present();
  std::vector<Segment> left{all.front()};
  std::vector<Merge> merges;
  int node = all.front().size();
  for (std::size_t m = 1; m < all.size(); ++m) {
    const int begin = node;
    node += all[m].size();
    if (m + 1 == all.size() || !admissible(all, m, begin)) {
      left.push_back(all[m]);
      continue;
    }
    left.push_back(gauss_segment(all[m].begin, all[m + 1].end, smoothness_.order));
    node += all[m + 1].size();
    ++m;
    merges.push_back({begin, std::move(Q_)});
  }
  while (left.size() > 1 && left.back().exact()) left.pop_back();
  if (merges.empty()) return 0;
  const Merges all_merges(std::move(merges));
  const std::vector<double> before = grid_.unit();
  grid_.condense(std::move(left), all_merges, rows / outputs_);
  apply(all_merges, before, rows);
  return all_merges.removed() * outputs_;
}

/// Whether segments m and m + 1 may be merged; begin: the first node of segment m. Sets Q_.
bool Condensation::admissible(const std::vector<Segment>& segments, std::size_t m, int begin) {
  const Segment& first = segments[m];
  const Segment& second = segments[m + 1];
  const double ratio = second.length() / first.length();
  if (ratio > kMostRatio || ratio < 1.0 / kMostRatio) return false;
  if (grid_.done() - second.end < smoothness_.gap * (second.end - first.begin)) return false;
  const Segment merged = gauss_segment(first.begin, second.end, smoothness_.order);
  Q_ = projection(first, second, merged);
  double missed = this->missed(grid_.last_row().data(), 1, merged, begin);
  const int last = grid_.committed_nodes() - 1;
  for (const Matrix* function : functions_) {
    if (missed > smoothness_.tolerance) return false;
    for (const int node : {last, last - 1})
      missed = std::max(missed, this->missed(function->row(node * outputs_), outputs_, merged, begin));
  }
  if (!(missed <= smoothness_.tolerance)) return false;
  missed_ = std::max(missed_, missed);
  return true;
}

namespace {

/// The size of what a projection misses of a vector.
double remainder(const Matrix& Q, const double* x, int stride) {
  std::vector<double> rest(static_cast<std::size_t>(Q.rows()));
  for (int i = 0; i < Q.rows(); ++i) rest[static_cast<std::size_t>(i)] = x[i * stride];
  for (int j = 0; j < Q.cols(); ++j) {
    double coefficient = 0.0;
    for (int i = 0; i < Q.rows(); ++i) coefficient += Q(i, j) * x[i * stride];
    for (int i = 0; i < Q.rows(); ++i) rest[static_cast<std::size_t>(i)] -= coefficient * Q(i, j);
  }
  return std::sqrt(linalg::dot(rest.data(), rest.data(), Q.rows()));
}

}  // namespace

/// The part that the polynomials of a merged segment miss of a row, in the columns of any output. The row is compared
/// with its largest value, or with its mean over as many steps if that is smaller: what is summed over all the past
/// must be accurate where it is small, too.
double Condensation::missed(const double* row, int outputs, const Segment& merged, int begin) const {
  const double length = merged.length();
  double worst = 0.0;
  for (int c = 0; c < outputs; ++c) {
    double largest = 0.0;
    double sum = 0.0;
    for (int s = 0; s < grid_.committed_nodes(); ++s) {
      const double unit = grid_.unit()[static_cast<std::size_t>(s)];
      const double size = std::abs(row[s * outputs + c]);
      largest = std::max(largest, size / unit);
      sum += size * unit;
    }
    const double size = std::sqrt(length) * std::min(largest, sum / length);
    const double rest = remainder(Q_, row + begin * outputs + c, outputs);
    if (rest > 0.0) worst = std::max(worst, rest / size);
  }
  return worst;
}

void Condensation::apply(const Merges& merges, const std::vector<double>& before, int rows) {
  const auto function = [&](const std::string& /*name*/, Matrix& m) {
    if (!m.empty()) merges.apply(m, rows, outputs_);
  };
  const auto series = [&](const std::string& /*name*/, std::vector<double>& x) {
    merges.apply(x.data(), rows, outputs_);
  };
  const auto factors = [&](const std::string& /*name*/, std::vector<double>& x) {
    merges.apply_to_values(x.data(), rows, outputs_, before, grid_.unit());
  };
  network_.visit({function, series, factors});
  data_.visit({function, series, factors});
}

void Condensation::group(PanelMap& map) const {
  int node = 0;
  for (const Segment& segment : grid_.segments()) {
    map.set({node * outputs_, (node + segment.size()) * outputs_});
    node += segment.size();
  }
  const int final = grid_.committed_nodes();
  for (; node < final; node += kGroup) map.set({node * outputs_, std::min(node + kGroup, final) * outputs_});
}

}  // namespace lindmft::theory
