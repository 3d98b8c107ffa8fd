#include "time_grid/condensed_steps.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace lindmft {

CondensedSteps::CondensedSteps(const Problem& problem, int steps, int capacity, int most)
    : steps_(steps),
      capacity_(capacity),
      unit_(static_cast<std::size_t>(capacity), 1.0),
      decay_(static_cast<std::size_t>(capacity)),
      stepper_(problem.optimizer),
      start_{init_unit(problem.network), 0.0},
      K_(most, capacity) {}

double CondensedSteps::time(int node) const {
  if (node >= condensed_) return done_ + node - first_;
  int before = 0;
  for (const Segment& segment : segments_) {
    if (node < before + segment.size()) return segment.nodes[static_cast<std::size_t>(node - before)];
    before += segment.size();
  }
  return 0.0;
}

/// Steps all weights to the row of a step.
void CondensedSteps::advance(int step) {
  if (step > 0 && !arrived_) {
    for (Weight& weight : impulse_) stepper_.step(weight, 0.0, step - 1);
    impulse_.push_back({0.0, 0.0});
    stepper_.step(impulse_.back(), 1.0, step - 1);
    stepper_.step(start_, 0.0, step - 1);
  }
  arrived_ = false;
}

PanelTime CondensedSteps::propose(Panel panel) {
  for (; ready_ < panel.end; ++ready_) {
    const int step = done_ + ready_ - first_;
    advance(step);
    double* row = K_.row(ready_ - first_);
    std::fill_n(row, capacity_, 0.0);
    for (std::size_t s = 0; s < impulse_.size(); ++s) row[s] = impulse_[s].value;
    decay_[static_cast<std::size_t>(ready_)] = start_.value;
  }
  PanelTime time{panel, linalg::leading(std::as_const(K_), panel.size(), panel.end), decay_.data()};
  time.unit = unit_.data();
  time.skipped = done_ - first_;
  return time;
}

void CondensedSteps::commit(Panel panel) {
  last_.assign(K_.row(panel.end - 1 - first_), K_.row(panel.end - 1 - first_) + panel.end);
  for (int node = panel.end; node < ready_; ++node)
    std::copy_n(K_.row(node - first_), capacity_, K_.row(node - panel.end));
  done_ += panel.end - first_;
  first_ = panel.end;
}

PanelTime CondensedSteps::committed(Panel panel) const {
  PanelTime time{panel, {nullptr, 0, 0, 0}, decay_.data()};
  time.unit = unit_.data();
  time.skipped = done_ - first_;
  return time;
}

CoarseRates CondensedSteps::rates(int length) const {
  CoarseRates out;
  Weight start{1.0, 0.0};
  for (int t = 0; t < length; ++t) {
    Weight impulse{0.0, 0.0};
    stepper_.step(impulse, 1.0, done_ + t);
    out.decay.push_back(start.value);
    stepper_.step(start, 0.0, done_ + t);
    out.rate.push_back(impulse.value / start.value);
  }
  out.decay.push_back(start.value);
  return out;
}

/// Units, decays and rates at the nodes of a part of a coarse segment; rates are in the first row of K_.
void CondensedSteps::place(const CoarsePart& part, const CoarseRates& rates) {
  for (int a = 0; a < part.basis.size(); ++a) {
    double rate = 0.0;
    double decay = 0.0;
    for (int m = 0; m < part.values.cols(); ++m) {
      const auto step = static_cast<std::size_t>(part.steps[static_cast<std::size_t>(m)]);
      rate += part.values(a, m) * rates.rate[step];
      decay += part.values(a, m) * rates.decay[step];
    }
    const auto node = static_cast<std::size_t>(first_ + a);
    unit_[node] = part.basis.unit[static_cast<std::size_t>(a)];
    decay_[node] = start_.value * decay;
    K_(0, first_ + a) = rate;
  }
}

PanelTime CondensedSteps::look_ahead(const CoarsePart* part, int count, const CoarseRates& rates) {
  if (!arrived_) {
    advance(done_);
    arrived_ = true;
  }
  const double decay = rates.decay[static_cast<std::size_t>(count)];
  for (int s = 0; s < first_; ++s) K_(0, s) = impulse_[static_cast<std::size_t>(s)].value * decay;
  int row = first_;
  if (part != nullptr) {
    place(*part, rates);
    row += part->basis.size();
    for (int s = first_; s < row; ++s) K_(0, s) *= decay;
  }
  K_(0, row) = 0.0;
  unit_[static_cast<std::size_t>(row)] = 1.0;
  decay_[static_cast<std::size_t>(row)] = start_.value * decay;
  const Panel panel{row, row + 1};
  PanelTime time{panel, linalg::leading(std::as_const(K_), 1, panel.end), decay_.data()};
  time.unit = unit_.data();
  time.skipped = done_ + count - row;
  return time;
}

void CondensedSteps::look_back() { std::fill(unit_.begin() + first_, unit_.end(), 1.0); }

void CondensedSteps::commit(const CoarseBlock& block, const CoarseRates& rates, int most) {
  const CoarsePart& part = block.part(block.order());
  place(part, rates);
  const double decay = rates.decay.back();
  for (Weight& weight : impulse_) weight.value *= decay;
  for (int a = 0; a < part.basis.size(); ++a) impulse_.push_back({K_(0, first_ + a) * decay, 0.0});
  start_.value *= decay;
  std::vector<Segment> segments = std::move(segments_);
  if (segments.empty()) segments.push_back(all_steps(0, 1));
  const auto begin = static_cast<int>(segments.back().end);
  const int groups = (done_ - begin + most - 1) / most;
  for (int k = 0; k < groups; ++k)
    segments.push_back(all_steps(begin + (done_ - begin) * k / groups, begin + (done_ - begin) * (k + 1) / groups));
  segments.push_back(gauss_segment(done_, done_ + block.length(), block.order()));
  set_segments(std::move(segments));
  first_ += part.basis.size();
  ready_ = first_;
  done_ += block.length();
  last_.clear();
  for (const Weight& weight : impulse_) last_.push_back(weight.value);
}

int CondensedSteps::evaluation(double time, std::vector<double>& coefficients) const {
  int node = 0;
  for (const Segment& segment : segments_) {
    if (time < segment.end && !segment.exact()) {
      std::vector<double> nodes;
      for (const double y : segment.nodes) nodes.push_back((y - segment.begin) / segment.length());
      coefficients = Lagrange(std::move(nodes)).at((time - segment.begin) / segment.length());
      for (std::size_t j = 0; j < coefficients.size(); ++j) coefficients[j] /= segment.unit[j];
      return node;
    }
    if (time < segment.end) break;
    node += segment.size();
  }
  const double begin = this->time(node);
  const int before = std::clamp(static_cast<int>(std::floor(time - begin)), 0, std::max(0, first_ - node - 2));
  const double right = std::clamp(time - begin - before, 0.0, 1.0);
  coefficients = {1.0 - right, right};
  return node + before;
}

std::vector<double> CondensedSteps::last_row() const {
  std::vector<double> row = last_;
  for (std::size_t s = 0; s < row.size(); ++s) row[s] *= unit_[s];
  return row;
}

void CondensedSteps::condense(std::vector<Segment> segments, const Merges& merges, int rows) {
  const std::vector<double> before = unit_;
  set_segments(std::move(segments));
  rows = std::max(rows, ready_);
  const auto values = [&](double* x, int count) { merges.apply_to_values(x, count, 1, before, unit_); };
  for (int i = 0; i < ready_ - first_; ++i) values(K_.row(i), rows);
  values(decay_.data(), rows);
  values(last_.data(), static_cast<int>(last_.size()));
  last_.resize(last_.size() - static_cast<std::size_t>(merges.removed()));
  std::vector<double> value, velocity;
  for (const Weight& weight : impulse_) {
    value.push_back(weight.value);
    velocity.push_back(weight.velocity);
  }
  for (std::vector<double>* x : {&value, &velocity}) values(x->data(), static_cast<int>(x->size()));
  impulse_.resize(impulse_.size() - static_cast<std::size_t>(merges.removed()));
  for (std::size_t s = 0; s < impulse_.size(); ++s) impulse_[s] = {value[s], velocity[s]};
  first_ -= merges.removed();
  ready_ -= merges.removed();
}

void CondensedSteps::set_segments(std::vector<Segment> segments) {
  segments_ = std::move(segments);
  std::ranges::fill(unit_, 1.0);
  condensed_ = 0;
  for (const Segment& segment : segments_) {
    std::ranges::copy(segment.unit, unit_.begin() + condensed_);
    condensed_ += segment.size();
  }
}

// Rows: K, the velocities and d at the committed nodes; the numbers of segments and steps, and the initial weight; and
// the segments.
Matrix CondensedSteps::state() const {
  const auto count = static_cast<int>(segments_.size());
  Matrix out(4 + count, std::max(first_, 5));
  for (int s = 0; s < first_; ++s) {
    const auto node = static_cast<std::size_t>(s);
    const bool known = node < impulse_.size();
    out(0, s) = known ? impulse_[node].value : 0.0;
    out(1, s) = known ? impulse_[node].velocity : 0.0;
    out(2, s) = decay_[node];
  }
  std::ranges::copy(std::array{1.0 * first_, 1.0 * done_, start_.value, start_.velocity, arrived_ ? 1.0 : 0.0},
                    out.row(3));
  for (int k = 0; k < count; ++k) {
    const Segment& segment = segments_[static_cast<std::size_t>(k)];
    std::ranges::copy(std::array{segment.begin, segment.end, 1.0 * segment.size()}, out.row(4 + k));
  }
  return out;
}

void CondensedSteps::restore(const Matrix& state) {
  first_ = ready_ = static_cast<int>(state(3, 0));
  done_ = static_cast<int>(state(3, 1));
  start_ = {state(3, 2), state(3, 3)};
  arrived_ = state.cols() > 4 && state(3, 4) != 0.0;
  impulse_.clear();
  for (int s = 0; s < first_ - (arrived_ ? 0 : 1); ++s) impulse_.push_back({state(0, s), state(1, s)});
  std::copy_n(state.row(2), first_, decay_.begin());
  last_.assign(state.row(0), state.row(0) + first_);
  std::vector<Segment> segments;
  for (int k = 4; k < state.rows(); ++k) {
    const double* row = state.row(k);
    const bool exact = row[2] == row[1] - row[0];
    segments.push_back(exact ? all_steps(static_cast<int>(row[0]), static_cast<int>(row[1]))
                             : gauss_segment(row[0], row[1], static_cast<int>(row[2])));
  }
  set_segments(std::move(segments));
}

}  // namespace lindmft
