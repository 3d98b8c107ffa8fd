#include "theory/data/frozen_vectors.hpp"

#include <algorithm>

namespace lindmft::theory {

using linalg::View;

void FrozenVectors::extend(const PanelTime& time) {
  const FrozenRows& frozen = *time.frozen;
  if (time.panel.begin == frozen.begin) {
    begin_ = frozen.begin;
    P_.clear();
    targets_.assign(static_cast<std::size_t>(begin_), 1.0);
  }
  P_.resize(static_cast<std::size_t>(time.panel.begin - begin_));  // a panel may be swept several times
  targets_.resize(static_cast<std::size_t>(time.panel.begin));
  for (int t = time.panel.begin; t < time.panel.end; ++t) {
    std::vector<double> row(static_cast<std::size_t>(t - begin_ + 1));
    row.back() = 1.0;
    const FrozenRows::Chain& chain = frozen.chain(t);
    const auto add = [&](int from, double factor) {
      for (int s = begin_; s <= from; ++s) row[static_cast<std::size_t>(s - begin_)] += factor * P(from, s);
    };
    if (frozen.level(t) > 0) add(frozen.before(t), chain.first);
    if (frozen.level(t) > 1) add(frozen.before(frozen.before(t)), chain.second);
    targets_.push_back(chain.target ? row[static_cast<std::size_t>(frozen.start(t) - begin_)] : 0.0);
    P_.push_back(std::move(row));
  }
}

void FrozenVectors::add_earlier_rows(View rows, const PanelTime& time, const Matrix& m) const {
  const FrozenRows& frozen = *time.frozen;
  for (int i = 0; i < rows.rows; ++i) {
    const int t = time.panel.begin + i;
    const FrozenRows::Chain& chain = frozen.chain(t);
    if (frozen.is_start(t)) std::fill_n(rows.row(i), rows.cols, 0.0);
    for (int s = 0; s < rows.cols && frozen.level(t) > 0; ++s) rows(i, s) += chain.first * m(frozen.before(t), s);
    for (int s = 0; s < rows.cols && frozen.level(t) > 1; ++s)
      rows(i, s) += chain.second * m(frozen.before(frozen.before(t)), s);
  }
}

void FrozenVectors::source_rows(View rows, const PanelTime& time, const Matrix& C_g1, double scale, bool centered) {
  const FrozenRows& frozen = *time.frozen;
  const double* d = time.decay;
  // The covariance at rows t and s that comes from the initial weights, before the recurrence.
  const auto initial = [&](int t, int s) {
    if (frozen.is_start(t) || frozen.is_start(s)) return 0.0;
    const double at_start = centered && !frozen.is_vector(s) ? d[0] * C_g1(t, 0) : 0.0;
    return scale * d[t] * (d[s] * C_g1(t, s) - at_start);
  };
  const auto known = [&](int t, int s) -> double& {
    return sources_[static_cast<std::size_t>(std::max(t, s) - begin_)][static_cast<std::size_t>(std::min(t, s))];
  };
  sources_.resize(static_cast<std::size_t>(time.panel.end - begin_));
  for (int i = 0; i < rows.rows; ++i) {
    const int t = time.panel.begin + i;
    const FrozenRows::Chain& chain = frozen.chain(t);
    sources_[static_cast<std::size_t>(t - begin_)].assign(static_cast<std::size_t>(t + 1), 0.0);
    std::fill_n(rows.row(i), rows.cols, 0.0);
    for (int s = 0; s <= t; ++s) {
      double sum = frozen.is_vector(s) ? 0.0 : initial(t, s);
      for (int b = begin_; b <= s && frozen.is_vector(s); ++b) sum += initial(t, b) * P(s, b);
      if (frozen.level(t) > 0) sum += chain.first * known(frozen.before(t), s);
      if (frozen.level(t) > 1) sum += chain.second * known(frozen.before(frozen.before(t)), s);
      if (frozen.is_start(t) && !chain.target && s == t) sum = 1.0;
      known(t, s) = rows(i, s) = sum;
      if (s >= time.panel.begin) rows(s - time.panel.begin, t) = sum;
    }
  }
}

void FrozenVectors::times_sources(View rows, const PanelTime& time) const {
  const FrozenRows& frozen = *time.frozen;
  for (int i = 0; i < rows.rows; ++i) {
    for (int s = begin_; s < rows.cols; ++s) {
      double sum = 0.0;
      for (int t = s; t < rows.cols && !frozen.is_start(s); ++t) sum += rows(i, t) * P(t, s);
      rows(i, s) = sum;
    }
  }
}

void FrozenVectors::add_targets(std::vector<double>& sums, const Matrix& m, const PanelTime& time) const {
  for (int t = time.panel.begin; t < time.panel.end; ++t) {
    for (int s = begin_; s < time.panel.end; ++s)
      sums[static_cast<std::size_t>(t)] += targets_[static_cast<std::size_t>(s)] * m(t, s);
  }
}

}  // namespace lindmft::theory
