#include "theory/network/infinite_depth.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <sstream>

#include "linalg/anderson.hpp"
#include "linalg/extrapolate.hpp"
#include "linalg/rows.hpp"
#include "theory/core/memory_kernel.hpp"
#include "theory/core/panel_rows.hpp"
#include "theory/core/panel_state.hpp"
#include "theory/network/passage.hpp"

namespace lindmft::theory {

using linalg::ConstView;
using linalg::View;

namespace {

// Scales below which variances are rounding errors, for variances that are positive or zero at the start. The latter
// are differences of terms that cancel.
constexpr double kNothing = 1e-9;
constexpr double kFromNothing = 1e-5;

constexpr int kMemory = 30;               // number of earlier iterates that the accelerator combines
constexpr int kMostPanelIterations = 40;  // largest number of iterations of a panel
constexpr double kSmallUnit = 1e-5;       // smallest unit of a variance, relative to the variance at the start

// Limits of the iteration of a single row.
constexpr int kMostIterations = 300;  // largest number of iterations in one attempt
constexpr int kAttempts = 4;          // largest number of attempts
constexpr int kMostUnits = 10;        // how often the units may be set again in one attempt
constexpr double kOutgrown = 1e3;     // value in units above which the units are set again
constexpr double kShrunk = 10.0;      // factor by which a unit shrank above which digits are missing
constexpr double kTolerance = 1e-12;  // relative change that ends the iteration
constexpr double kCancelled = 1e-6;   // rounding error that terms of size 1 leave when they cancel, with a margin
constexpr double kAccepted = 1e-9;    // a change below this that does not get smaller is a rounding error

/// The largest difference; infinite or not a number if an entry is.
double distance(const std::vector<double>& x, const std::vector<double>& y) {
  double largest = 0.0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double off = std::abs(x[i] - y[i]);
    if (!(off <= largest)) largest = off;
  }
  return largest;
}

double largest(const std::vector<double>& x) {
  double out = 0.0;
  for (const double value : x) out = std::max(out, std::abs(value));
  return out;
}

/// Depth propagators of the rows of a panel, whose linear part is beta0^2 d(t)^2 (start_sq: beta0^2, times the variance
/// of the branches' initial weights).
class RowPropagators {
 public:
  RowPropagators(const Matrix& integral, const PanelTime& time, double start_sq) : panel_(time.panel) {
    for (int t = panel_.begin; t < panel_.end; ++t) {
      const double linear = start_sq * time.decay[t] * time.decay[t];
      if (linear_.empty() || linear != linear_.back()) propagators_.emplace_back(integral, linear);
      linear_.push_back(linear);
      which_.push_back(propagators_.size() - 1);
    }
  }

  /// Subtracts the linear part from the rows of a derivative; `of` is the function that it is the derivative of.
  void remove_linear(Matrix& derivative, const Matrix& of) const {
    for (int i = 0; i < panel_.size(); ++i) {
      double* rows = derivative.row(i);
      const double* x = of.row(panel_.begin + i);
      const double linear = linear_[static_cast<std::size_t>(i)];
      for (int s = 0; s < panel_.end; ++s) rows[s] -= linear * x[s];
    }
  }

  /// The panel's rows at depth node j, from those at the end and the derivatives at all nodes.
  void rows(View out, int j, const Matrix& at_end, const std::vector<const Matrix*>& derivatives) const {
    for (int i = 0; i < panel_.size(); ++i) {
      const DepthPropagator& step = propagators_[which_[static_cast<std::size_t>(i)]];
      const double* end = at_end.row(panel_.begin + i);
      for (int s = 0; s < panel_.end; ++s) out(i, s) = step.start[static_cast<std::size_t>(j)] * end[s];
      for (std::size_t k = 0; k < derivatives.size(); ++k) {
        const double weight = step.step(j, static_cast<int>(k));
        const double* from = derivatives[k]->row(i);
        for (int s = 0; s < panel_.end; ++s) out(i, s) += weight * from[s];
      }
    }
  }

 private:
  Panel panel_;
  std::vector<DepthPropagator> propagators_;
  std::vector<std::size_t> which_;  // p   index of each row's propagator
  std::vector<double> linear_;      // p   linear part of each row
};

}  // namespace

InfiniteDepth::Direction::Direction(int nodes, int rows)
    : kernel(nodes, nodes),
      branch(nodes, nodes),
      round_trip(nodes, nodes),
      d_kernel(rows, nodes),
      d_source(rows, nodes) {}

InfiniteDepth::InfiniteDepth(const Problem& problem, int nodes, int rows, int depth_nodes)
    : scales_(scales(problem)),
      branch_sq_(scales_.branch * scales_.branch),
      start_sq_(scales_.arrays[1].start * branch_sq_),
      grid_(depth_nodes),
      R_gu1_(nodes, nodes) {
  for (int j = 0; j < depth_nodes; ++j) nodes_.emplace_back(nodes, rows);
}

double InfiniteDepth::bytes(int nodes, int rows, int depth_nodes) {
  const double direction = 8.0 * nodes * (3.0 * nodes + 2.0 * rows);
  return depth_nodes * (Crossing::bytes(nodes, rows) + 2.0 * direction) + 8.0 * nodes * (nodes + 1.0);
}

void InfiniteDepth::guess(const linalg::Guess& guess, bool responses_final) {
  for (Node& node : nodes_) {
    node.crossing.guess(guess, responses_final);
    linalg::guess_symmetric(node.crossing.g.C, guess);
    linalg::guess_symmetric(node.crossing.S_b, guess);
    if (responses_final) continue;
    for (Direction* my : {&node.forward, &node.backward}) {
      linalg::guess_causal(my->kernel, my == &node.forward ? guess : growing(guess));
      linalg::guess_causal(my->branch, my == &node.forward ? guess : growing(guess));
      linalg::clear_rows(my->round_trip, guess.panel);
    }
  }
  if (!responses_final) linalg::guess_causal(R_gu1_, growing(guess));
}

// Depth is implicit, so that all functions have to converge.
std::vector<Carried> InfiniteDepth::carried() {
  std::vector<Carried> functions;
  for (Node& node : nodes_) {
    for (Matrix* m : {&node.crossing.S_a, &node.crossing.S_b, &node.crossing.h.C, &node.crossing.g.C})
      functions.push_back({m, true});
    for (Direction* my : {&node.forward, &node.backward}) {
      functions.push_back({&my->kernel, false});
      functions.push_back({&my->branch, false});
    }
  }
  return functions;
}

std::vector<Watched> InfiniteDepth::watched() const {
  std::vector<Watched> functions;
  for (const Node& node : nodes_) {
    functions.push_back({&node.crossing.g.C, false});
    functions.push_back({&node.crossing.h.C, true});
  }
  return functions;
}

void InfiniteDepth::visit(const StateVisitor& visitor) {
  for (std::size_t j = 0; j < nodes_.size(); ++j) {
    const std::string name = std::to_string(j);
    nodes_[j].crossing.visit(name, visitor);
    for (Direction* my : {&nodes_[j].forward, &nodes_[j].backward}) {
      const std::string prefix = (my == &nodes_[j].forward ? "forward" : "backward") + name;
      visitor.function(prefix + ".kernel", my->kernel);
      visitor.function(prefix + ".branch", my->branch);
      visitor.function(prefix + ".turn", my->round_trip);
    }
  }
  visitor.function("R_gu1", R_gu1_);
}

InfiniteDepth::DirectionView InfiniteDepth::direction(Node& node, bool is_forward) {
  Crossing& x = node.crossing;
  if (is_forward) return {node.forward, node.backward.branch, x.S_a, x.S_b, x.h, x.g, Pass::forward};
  return {node.backward, node.forward.branch, x.S_b, x.S_a, x.g, x.h, Pass::backward};
}

// The derivatives in depth. With T = gamma0^2 E Bhat, forward (and backward with the roles exchanged):
//     E'   = beta0^2 (T E + Ahat)
//     S_a' = beta0^2 (D_w C_h D_w + gamma0^2 E D_w C_g D_w E^T + T S_a + (T S_a)^T)
void InfiniteDepth::derivatives(const Sweep& sweep, const DirectionView& view) {
  const Panel panel = sweep.time.panel;
  const int p = panel.size();
  const int b = panel.end;
  Direction& my = view.my;
  const View left = sweep.scratch(Buffer::left, p, b);
  if (!sweep.responses_final) {
    sweep.algebra.times_causal(left, rows_of(my.kernel, panel), view.opposite, scales_.gamma0_sq);
    linalg::replace_rows(my.round_trip, panel, left, sweep.changes);
    const View d_kernel = linalg::leading(my.d_kernel, p, b);
    sweep.algebra.times_causal(d_kernel, left, my.kernel, branch_sq_);
    add(d_kernel, rows_of(my.branch, panel), branch_sq_);
  }
  const View d_source = linalg::leading(my.d_source, p, b);
  sweep.algebra.times_symmetric(d_source, rows_of(my.round_trip, panel), view.S, branch_sq_);
  sweep.algebra.times_transposed(d_source, rows_of(view.S, panel), my.round_trip, branch_sq_, 1.0);
  if (scales_.gamma0_sq > 0.0) {
    const View decayed = sweep.scratch(Buffer::extra, p, b);
    decayed_rows(decayed, my.kernel, sweep.time);
    sweep.algebra.times_symmetric(left, decayed, view.partner.C, start_sq_ * scales_.gamma0_sq);
    times_decay(left, sweep.time);
    sweep.algebra.times_transposed(d_source, left, my.kernel, 1.0, 1.0);
  }
  add_decayed(d_source, sweep.time, view.x.C, start_sq_);
}

// One step of a fixed-point iteration in depth. E' contains beta0^2 D_w E D_w and S' contains beta0^2 D_w S D_w. This
// part is solved exactly (up to d(s) / d(t)), and the part that is iterated vanishes with gamma0.
void InfiniteDepth::integrate(const Sweep& sweep, bool is_forward) {
  const Panel panel = sweep.time.panel;
  const RowPropagators propagators(is_forward ? grid_.from_start() : grid_.to_end(), sweep.time, start_sq_);
  std::vector<const Matrix*> d_kernel, d_source;
  for (Node& node : nodes_) {
    const DirectionView at = direction(node, is_forward);
    propagators.remove_linear(at.my.d_kernel, at.my.kernel);
    propagators.remove_linear(at.my.d_source, at.S);
    d_kernel.push_back(&at.my.d_kernel);
    d_source.push_back(&at.my.d_source);
  }
  const int end = is_forward ? 0 : grid_.size() - 1;
  const DirectionView start = direction(nodes_[static_cast<std::size_t>(end)], is_forward);
  const View rows = sweep.scratch(Buffer::rows, panel.size(), panel.end);
  for (int j = 0; j < grid_.size(); ++j) {
    if (j == end) continue;
    const DirectionView at = direction(nodes_[static_cast<std::size_t>(j)], is_forward);
    if (!sweep.responses_final) {
      propagators.rows(rows, j, start.my.kernel, d_kernel);
      linalg::replace_rows(at.my.kernel, panel, rows, sweep.changes);
    }
    propagators.rows(rows, j, start.S, d_source);
    linalg::replace_symmetric(at.S, panel, rows, sweep.changes);
  }
}

// Couples the two directions at one depth: responses and correlations, and the branch that follows from them.
void InfiniteDepth::couple_directions(const Sweep& sweep, const DirectionView& view) {
  const Panel panel = sweep.time.panel;
  const double gamma0_sq = scales_.gamma0_sq;
  if (!sweep.responses_final) {
    view.x.set_kernel(sweep, rows_of(view.my.kernel, panel), view.partner, gamma0_sq);
    view.x.respond(sweep, view.partner, gamma0_sq);
  }
  view.x.correlate(sweep, view.partner, {&view.S, 1.0}, {&view.S_partner, 1.0}, gamma0_sq);
  if (sweep.responses_final) return;
  const View rows = sweep.scratch(Buffer::rows, panel.size(), panel.end);
  branch_rows(rows, sweep.time, view.x.cross, view.x.C, scales_.arrays[1], 1.0, view.pass);
  linalg::replace_rows(view.my.branch, panel, rows, sweep.changes);
}

// One pass over the equations of a direction.
void InfiniteDepth::sweep_direction(const Sweep& sweep, bool is_forward) {
  for (Node& node : nodes_) derivatives(sweep, direction(node, is_forward));
  integrate(sweep, is_forward);
  for (Node& node : nodes_) couple_directions(sweep, direction(node, is_forward));
}

/// Row t of all functions that the equations of a direction determine, as one vector, each function in suitable units.
/// Variances at equal times are omitted: they follow from the other entries, and are quadratic in them.
class InfiniteDepth::RowState {
 public:
  RowState(InfiniteDepth& network, int t, bool is_forward) : t_(t) {
    for (Node& node : network.nodes_) {
      const DirectionView at = network.direction(node, is_forward);
      for (Matrix* m : {&at.my.kernel, &at.my.branch}) functions_.push_back({m, false, t + 1, 1.0, {}, {}});
      for (Matrix* m : {&at.S, &at.x.C}) functions_.push_back({m, true, t, 1.0, &at.my.kernel, &at.S_partner});
    }
  }

  /// Sets the units: the largest entries of this row and the one before, which may be nonzero where this one is zero;
  /// for correlations at least the variance at the start, since late rows may be small differences of large terms.
  /// Returns the largest factor by which a unit shrank.
  double rescale() {
    double shrunk = 0.0;
    for (Function& f : functions_) {
      const double before = f.scale;
      f.scale = f.symmetric ? std::max(1e-300, (*f.m)(0, 0)) : 1e-300;
      if (f.symmetric && (*f.m)(0, 0) == 0.0) f.scale = std::max(kNoVariance, least_variance(f));
      for (int t = std::max(0, t_ - 1); t <= t_; ++t) {
        for (int s = 0; s < f.end; ++s) f.scale = std::max(f.scale, std::abs((*f.m)(t, s)));
      }
      shrunk = std::max(shrunk, before / f.scale);
    }
    return shrunk;
  }

  [[nodiscard]] std::vector<double> read() const {
    std::vector<double> x;
    for (const Function& f : functions_) {
      for (int s = 0; s < f.end; ++s) x.push_back((*f.m)(t_, s) / f.scale);
    }
    return x;
  }

  void write(const std::vector<double>& x) {
    std::size_t i = 0;
    for (Function& f : functions_) {
      for (int s = 0; s < f.end; ++s) (*f.m)(t_, s) = f.scale * x[i++];
      if (f.symmetric) linalg::mirror(*f.m, {t_, t_ + 1});
    }
  }

 private:
  struct Function {
    Matrix* m;
    bool symmetric;
    int end;  // columns
    double scale;
    const Matrix* kernel;  // for correlations: E (backward: F)
    const Matrix* source;  // for correlations: S_b (backward: S_a)
  };

  /// The smallest unit of a correlation that is zero at the start: the rounding error of terms E S_b E^T that cancel,
  /// with a margin.
  [[nodiscard]] double least_variance(const Function& f) const {
    double size = 0.0;
    for (int t = std::max(0, t_ - 1); t <= t_; ++t) {
      for (int s = 0; s <= t_; ++s) size = std::max(size, std::abs((*f.kernel)(t, s)));
    }
    return kCancelled * size * size * (*f.source)(0, 0);
  }

  int t_;
  std::vector<Function> functions_;
};

// Accelerated fixed-point iteration of a single row. The equations are linear (except for the variances at equal
// times), and they are strongly coupled where training is about to diverge, so that the plain iteration does not
// converge there. Returns the last change.
double InfiniteDepth::iterate_row(const Sweep& sweep, bool is_forward, RowState& state) {
  linalg::Anderson accelerated(kMemory);
  double change = 0.0;
  // Consecutive iterations that did not make the change smaller.
  double least = std::numeric_limits<double>::infinity();
  int in_vain = 0;
  int outgrown = 0;  // how often the units had become too small
  bool fresh = true;
  for (int i = 0; i < kMostIterations; ++i) {
    if (fresh) {  // the accelerator needs constant units
      state.rescale();
      accelerated = linalg::Anderson(kMemory);
    }
    const std::vector<double> x = state.read();
    sweep_direction(sweep, is_forward);
    const std::vector<double> g = state.read();
    change = distance(x, g);
    if (change < kTolerance || !std::isfinite(change)) break;
    in_vain = change < least ? 0 : in_vain + 1;
    least = std::min(least, change);
    if (change < kAccepted && in_vain > 2) break;
    // A function that was zero at first may become nonzero after one or several iterations.
    fresh = i == 0 || (largest(g) > kOutgrown && ++outgrown < kMostUnits);
    if (!fresh) state.write(accelerated.next(x, g));
  }
  return change;
}

void InfiniteDepth::solve_row(const Sweep& sweep, bool is_forward) {
  const int t = sweep.time.panel.begin;
  RowState state(*this, t, is_forward);
  linalg::RowChanges changes;  // changes during the iterations, which are not needed
  changes.reset(1);
  const Sweep inner{sweep.time, sweep.algebra, sweep.scratch, changes, sweep.responses_final};
  double change = 0.0;
  // After a bad first guess the units may be too large for the result; then the iteration is repeated in units of the
  // result.
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    change = iterate_row(inner, is_forward, state);
    if (!(change < kAccepted) || state.rescale() < kShrunk) break;
  }
  // Two more passes give the variances at equal times.
  sweep_direction(inner, is_forward);
  sweep_direction(inner, is_forward);
  failure_.clear();
  if (change < kAccepted) return;
  sweep.changes.note(0, std::numeric_limits<double>::infinity());
  std::ostringstream message;
  message << "step " << t << " did not converge in depth: after " << kMostIterations
          << " iterations it still changes by " << change << " (wanted " << kTolerance
          << "); lower network.branch or optimizer.lr, or use a finite depth";
  failure_ = message.str();
}

/// Iterates the panel's rows of a direction until their relative change is below the sweep's inner tolerance.
void InfiniteDepth::iterate_panel(const Sweep& sweep, bool is_forward) {
  std::vector<Carried> functions;
  for (Node& node : nodes_) {
    const DirectionView at = direction(node, is_forward);
    for (Matrix* m : {&at.my.kernel, &at.my.branch}) functions.push_back({m, false});
    for (Matrix* m : {&at.S, &at.x.C}) functions.push_back({m, true});
  }
  PanelState state(std::move(functions), sweep.time.panel);
  linalg::Anderson accelerated(kMemory);
  std::vector<double> x, g;
  for (int i = 0; i < kMostPanelIterations; ++i) {
    state.read(x);
    sweep_direction(sweep, is_forward);
    state.read(g);
    const double change = distance(x, g);
    if (i > 0 && !(change > sweep.inner_tolerance)) return;
    if (i == 0) {
      state.rescale(kSmallUnit);
    } else {
      state.write(accelerated.next(x, g));
    }
  }
}

void InfiniteDepth::solve_direction(const Sweep& sweep, bool is_forward) {
  if (sweep.time.panel.size() == 1) return solve_row(sweep, is_forward);
  if (sweep.inner_tolerance > 0.0) return iterate_panel(sweep, is_forward);
  sweep_direction(sweep, is_forward);
}

void InfiniteDepth::backward(const Sweep& sweep, const DataField& /*data*/) {
  const Panel panel = sweep.time.panel;
  Node& last = nodes_.back();
  last_source_rows(last.crossing.S_b, sweep, scales_.arrays.back().start);
  if (!sweep.responses_final) {
    const View F = sweep.scratch(Buffer::rows, panel.size(), panel.end);
    kernel_rows(F, sweep.time, nullptr, nullptr, scales_.arrays.back(), 1.0, Pass::backward);
    linalg::replace_rows(last.backward.kernel, panel, F, sweep.changes);
    // The window has moved since the last sweep, so the forward kernels are set again.
    for (Node& node : nodes_) {
      node.crossing.h.set_kernel(sweep, rows_of(node.forward.kernel, panel), node.crossing.g, scales_.gamma0_sq);
    }
  }
  solve_direction(sweep, false);
  if (sweep.responses_final) return;
  const View rows = sweep.scratch(Buffer::rows, panel.size(), panel.end);
  decayed_rows(rows, nodes_.front().crossing.g.cross, sweep.time);
  linalg::replace_rows(R_gu1_, panel, rows, sweep.changes);
}

void InfiniteDepth::forward(const Sweep& sweep, const DataField& data) {
  const Panel panel = sweep.time.panel;
  Node& first = nodes_.front();
  first_source_rows(first.crossing.S_a, sweep, data, scales_.arrays.front().start);
  if (!sweep.responses_final) {
    const View E = sweep.scratch(Buffer::rows, panel.size(), panel.end);
    kernel_rows(E, sweep.time, data.R_hr0, data.C_h0, scales_.arrays.front(), 1.0, Pass::forward);
    linalg::replace_rows(first.forward.kernel, panel, E, sweep.changes);
  }
  solve_direction(sweep, true);
}

void InfiniteDepth::finish(const Sweep& sweep, const DataField& /*data*/) {
  decay_.assign(sweep.time.decay, sweep.time.decay + sweep.time.panel.end);
}

// The error is relative to the larger of the variances now and at the start, since late variances may be small
// differences of large terms; where nothing is learned, all variances are rounding errors.
double InfiniteDepth::depth_error(int node) const {
  std::vector<double> C_h, C_g;
  double start_h = nodes_.front().crossing.h.C(0, 0) > 0.0 ? kNothing : kFromNothing;
  double start_g = kNothing;
  for (const Node& depth : nodes_) {
    C_h.push_back(depth.crossing.h.C(node, node));
    C_g.push_back(depth.crossing.g.C(node, node));
    start_h = std::max(start_h, depth.crossing.h.C(0, 0));
    start_g = std::max(start_g, depth.crossing.g.C(0, 0));
  }
  return std::max(grid_.last_coefficient(C_h, start_h), grid_.last_coefficient(C_g, start_g));
}

double InfiniteDepth::tangent_kernel(int node, int weights, const DataField& data) const {
  double sum = scales_.arrays.front().lr * nodes_.front().crossing.g.C(weights, weights) * (*data.C_h0)(node, node);
  for (int j = 0; j < grid_.size(); ++j) {
    const Crossing& at = nodes_[static_cast<std::size_t>(j)].crossing;
    sum += scales_.arrays[1].lr * branch_sq_ * grid_.weights()[j] * at.g.C(weights, weights) * at.h.C(node, node);
  }
  return sum + scales_.arrays.back().lr * nodes_.back().crossing.h.C(node, node);
}

std::vector<ChainTerm> InfiniteDepth::chain(int node) const {
  std::vector<ChainTerm> terms;
  for (const Node& depth : nodes_) terms.push_back(depth.crossing.h.with_partner(node));
  return terms;
}

// The responses are those to sources of branches, at both ends, too, divided by the vanishing factor b.
void InfiniteDepth::release(TwoTimeFunctions& out, const Saved& saved) {
  const double scale = scales_.gamma0 * std::sqrt(scales_.arrays[1].start);
  for (Node& node : nodes_) {
    if (saved.has("C_h")) out.C_h.push_back(saved.take(node.crossing.h.C));
    if (saved.has("C_g")) out.C_g.push_back(saved.take(node.crossing.g.C));
    if (saved.has("R_hr")) out.R_hr.push_back(saved.take(node.crossing.h.cross, scale, decay_));
    if (saved.has("R_gu")) out.R_gu.push_back(saved.take(node.crossing.g.cross, scale, decay_));
  }
}

}  // namespace lindmft::theory
