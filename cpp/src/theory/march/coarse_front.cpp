#include "theory/march/coarse_front.hpp"

#include <algorithm>
#include <cmath>

namespace lindmft::theory {
namespace {

constexpr int kFirst = 8;              // the first coarse segment comes after this many segments of single steps
constexpr double kLeastSteps = 10.0;   // steps for each node below which single steps take less time
constexpr double kMostFraction = 0.5;  // largest length, in units of all earlier steps
constexpr double kGrowth = 2.0;        // largest ratio of the lengths of consecutive segments
constexpr double kCaution = 0.8;       // the next length, in units of that which would just be accurate enough
constexpr double kLeastRatio = 0.2;    // smallest factor by which a segment is shortened
constexpr double kMostRatio = 0.7;     // largest
constexpr int kMostSweeps = 25;
constexpr int kSlowSweeps = 4;       // after as many sweeps, changes must become smaller
constexpr double kConverged = 0.02;  // change of a sweep that is small enough, relative to the tolerance
constexpr double kExplosion = 1e100;
constexpr double kPause = 0.25;  // steps until the next attempt, relative to those since the last success

}  // namespace

CoarseFront::CoarseFront(const Condensation& past, MarchContext& context, Recorder& recorder)
    : grid_(past.grid()),
      context_(context),
      recorder_(recorder),
      rows_(grid_, context.network, context.data),
      order_(past.limits().order),
      tolerance_(past.limits().rtol),
      length_(least()),
      next_(kFirst * order_) {}

int CoarseFront::least() const { return static_cast<int>(kLeastSteps * order_); }

/// The largest number of steps of a segment that begins now.
int CoarseFront::longest() const {
  return static_cast<int>(std::min(1.0 * grid_.left(), kMostFraction * grid_.done()));
}

bool CoarseFront::due() const {
  return grid_.done() >= next_ && longest() >= least() && grid_.committed_nodes() + order_ + 2 <= grid_.nodes();
}

int CoarseFront::march() {
  int length = std::min(static_cast<int>(length_), longest());
  while (length >= least()) {
    estimate_ = 0.0;
    const bool done = attempt(length);
    double factor = done ? kGrowth : kMostRatio;
    if (estimate_ > 0.0)
      factor = std::min(factor, kCaution * std::pow(estimate_ / tolerance_, -1.0 / order_));
    else if (!done)
      factor = 0.5;
    length_ = std::max(kLeastRatio, factor) * length;
    if (done) {
      length_ = std::max(length_, 1.0 * least());
      return order_;
    }
    ++context_.solution.stats.rejected_panels;
    length = static_cast<int>(length_);
  }
  refuse();
  return 0;
}

/// Plans the next attempt: soon if only the rates were not smooth, otherwise after a longer and longer time.
void CoarseFront::refuse() {
  grid_.look_back();
  length_ = least();
  const double pause = smooth_rates_ ? kPause * ++refused_ * (grid_.done() - last_) : 0.0;
  next_ = grid_.done() + std::max(least(), static_cast<int>(pause));
}

bool CoarseFront::attempt(int length) {
  const CoarseBlock block(length, order_);
  rates_ = grid_.rates(length);
  smooth_rates_ = smooth_rates(block);
  if (!smooth_rates_) return false;
  place(nullptr);
  if (!compute(nullptr, 0)) return false;
  rows_.begin(block);
  estimate_ = rows_.roughness();
  if (!(estimate_ <= tolerance_)) return false;
  estimate_ = 0.0;
  if (!converge(block) || !accurate(block) || !observe(block)) return false;
  commit(block);
  return true;
}

/// Whether the rates of all steps are those of the polynomials through the nodes.
bool CoarseFront::smooth_rates(const CoarseBlock& block) const {
  for (const std::vector<double>* x : {&rates_.rate, &rates_.decay}) {
    double largest = 0.0;
    double off = 0.0;
    for (std::size_t t = 0; t < x->size(); ++t) {
      const std::vector<double> l = block.at(static_cast<double>(t));
      double value = 0.0;
      for (int m = 0; m < order_; ++m)
        value += l[static_cast<std::size_t>(m)] * (*x)[static_cast<std::size_t>(block.step(m))];
      largest = std::max(largest, std::abs((*x)[t]));
      off = std::max(off, std::abs(value - (*x)[t]));
    }
    if (!(off <= tolerance_ * largest)) return false;
  }
  return true;
}

/// Writes the steps of a part to the rows after the committed ones, as a block of products.
void CoarseFront::place(const CoarsePart* part) {
  const int first = grid_.committed_nodes();
  const int row = first + (part == nullptr ? 0 : part->basis.size());
  context_.map.set({first, row});
  context_.map.set({row, row + 1});
  rows_.place(part);
}

/// Computes the row `count` steps after the committed ones, after those of a part; false if it is not finite.
bool CoarseFront::compute(const CoarsePart* part, int count) {
  context_.sweep(grid_.look_ahead(part, count, rates_));
  return context_.changes[0] < kExplosion;
}

/// Computes the rows of all nodes, one after the other, until they no longer change.
bool CoarseFront::converge(const CoarseBlock& block) {
  double before = HUGE_VAL;
  for (int sweep = 0; sweep < kMostSweeps; ++sweep) {
    double change = 0.0;
    for (int m = 0; m < order_; ++m) {
      place(&block.part(m));
      if (!compute(&block.part(m), block.step(m))) return false;
      change = std::max(change, rows_.read(m));
    }
    if (change < kConverged * tolerance_) return true;
    if (sweep >= kSlowSweeps && !(change < before)) return false;
    before = change;
  }
  return false;
}

/// Compares the polynomials with exact rows at both ends of the segment.
bool CoarseFront::accurate(const CoarseBlock& block) {
  place(nullptr);
  if (!compute(nullptr, 0)) return false;
  estimate_ = rows_.error(0, nullptr);
  const CoarsePart& all = block.part(order_);
  place(&all);
  if (!compute(&all, block.length())) return false;
  estimate_ = std::max(estimate_, rows_.error(block.length(), &all));
  return estimate_ <= tolerance_;
}

/// Computes all nodes once more and observes them; false if a number cannot be recorded.
bool CoarseFront::observe(const CoarseBlock& block) {
  seen_.clear();
  for (int m = 0; m < order_; ++m) {
    const CoarsePart& part = block.part(m);
    place(&part);
    if (!compute(&part, block.step(m))) return false;
    static_cast<void>(rows_.read(m));
    seen_.push_back(recorder_.observe(grid_.committed_nodes() + part.basis.size(), grid_.done() + block.step(m)));
    if (!recorder_.fine(seen_.back())) return false;
  }
  return true;
}

namespace {

/// sum_m weights[m] at[m]
Observed combine(const std::vector<Observed>& at, const std::vector<double>& weights, double time) {
  const std::size_t layers = at.front().feature_norm.size();
  Observed out{time, {}, std::vector<double>(layers), std::vector<double>(layers)};
  for (std::size_t m = 0; m < at.size(); ++m) {
    const double w = weights[m];
    const Losses& x = at[m].losses;
    out.losses +=
        Losses{w * x.test, w * x.train, w * x.term_target, w * x.term_init, w * x.term_data, w * x.first_task};
    for (std::size_t l = 0; l < layers; ++l) {
      out.feature_norm[l] += w * at[m].feature_norm[l];
      out.gradient_norm[l] += w * at[m].gradient_norm[l];
    }
  }
  return out;
}

}  // namespace

/// Makes the segment final, and records all of its steps.
void CoarseFront::commit(const CoarseBlock& block) {
  for (int t = 0; t < block.length(); ++t) recorder_.append(combine(seen_, block.at(t), grid_.done() + t));
  place(&block.part(order_));
  grid_.commit(block, rates_, order_);
  recorder_.rows_added(order_);
  last_ = grid_.done();
  refused_ = 0;
  SolveStats& stats = context_.solution.stats;
  stats.error_estimate = std::max(stats.error_estimate, estimate_);
}

}  // namespace lindmft::theory
