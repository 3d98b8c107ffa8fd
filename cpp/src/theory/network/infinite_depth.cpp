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

constexpr double kNothing = 1e-9;      // variances above it are larger than rounding errors
constexpr double kFromNothing = 1e-5;  // the same of variances that are zero at the start: of differences that cancel
// Of a row that is solved for alone:
constexpr int kMemory = 30;  // earlier iterates of the accelerator
constexpr int kMostIterations = 300;
constexpr int kAttempts = 4;
constexpr int kMostSettling = 40;    // iterations of a panel
constexpr double kSmallUnit = 1e-5;  // see panel_march.cpp
constexpr double kOutgrown = 1e3;    // in units of their own
constexpr int kMostUnits = 10;
constexpr double kShrunk = 10.0;      // of units, after which digits are missing
constexpr double kTolerance = 1e-12;  // relative change that ends the iteration
constexpr double kCancelled = 1e-6;   // unit of the rounding error that terms of size 1 leave when they cancel
constexpr double kAccepted = 1e-9;    // a change that will not get smaller is rounding below this

/// Largest difference; infinite or not a number where an entry is.
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

/// Depth propagators of the rows of a panel: their linear part is beta0^2 d(t)^2.
class RowPropagators {
 public:
  RowPropagators(const Matrix& integral, const PanelTime& time, double branch_sq) : panel_(time.panel) {
    for (int t = panel_.begin; t < panel_.end; ++t) {
      const double linear = branch_sq * time.decay[t] * time.decay[t];
      if (linear_.empty() || linear != linear_.back()) propagators_.emplace_back(integral, linear);
      linear_.push_back(linear);
      which_.push_back(propagators_.size() - 1);
    }
  }

  /// The derivative's rows without the linear part of what they are derivatives of.
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
  std::vector<std::size_t> which_;  // of a row
  std::vector<double> linear_;      // of a row
};

}  // namespace

InfiniteDepth::Direction::Direction(int nodes, int rows)
    : kernel(nodes, nodes), branch(nodes, nodes), turn(nodes, nodes), d_kernel(rows, nodes), d_source(rows, nodes) {}

InfiniteDepth::InfiniteDepth(const Problem& problem, int nodes, int rows, int depth_nodes)
    : scales_(scales(problem)), branch_sq_(scales_.branch * scales_.branch), grid_(depth_nodes), R_gu1_(nodes, nodes) {
  for (int j = 0; j < depth_nodes; ++j) nodes_.emplace_back(nodes, rows);
}

double InfiniteDepth::bytes(int nodes, int rows, int depth_nodes) {
  const double direction = 8.0 * nodes * (3.0 * nodes + 2.0 * rows);
  return depth_nodes * (Crossing::bytes(nodes, rows) + 2.0 * direction) + 8.0 * nodes * (nodes + 1.0);
}

void InfiniteDepth::guess(const linalg::Guess& guess, bool responses_final) {
  for (Node& node : nodes_) {
    node.at.guess(guess, responses_final);
    linalg::guess_symmetric(node.at.g.C, guess);
    linalg::guess_symmetric(node.at.S_b, guess);
    if (responses_final) continue;
    for (Direction* my : {&node.forward, &node.backward}) {
      linalg::guess_causal(my->kernel, my == &node.forward ? guess : growing(guess));
      linalg::guess_causal(my->branch, my == &node.forward ? guess : growing(guess));
      linalg::clear_rows(my->turn, guess.panel);
    }
  }
  if (!responses_final) linalg::guess_causal(R_gu1_, growing(guess));
}

// Depth is implicit: everything.
std::vector<Carried> InfiniteDepth::carried() {
  std::vector<Carried> functions;
  for (Node& node : nodes_) {
    for (Matrix* m : {&node.at.S_a, &node.at.S_b, &node.at.h.C, &node.at.g.C}) functions.push_back({m, true});
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
    functions.push_back({&node.at.g.C, false});
    functions.push_back({&node.at.h.C, true});
  }
  return functions;
}

void InfiniteDepth::visit(const StateVisitor& visitor) {
  for (std::size_t j = 0; j < nodes_.size(); ++j) {
    const std::string name = std::to_string(j);
    nodes_[j].at.visit(name, visitor);
    for (Direction* my : {&nodes_[j].forward, &nodes_[j].backward}) {
      const std::string prefix = (my == &nodes_[j].forward ? "forward" : "backward") + name;
      visitor.function(prefix + ".kernel", my->kernel);
      visitor.function(prefix + ".branch", my->branch);
      visitor.function(prefix + ".turn", my->turn);
    }
  }
  visitor.function("R_gu1", R_gu1_);
}

InfiniteDepth::Going InfiniteDepth::going(Node& node, bool ahead) {
  Crossing& at = node.at;
  if (ahead) return {node.forward, node.backward.branch, at.S_a, at.S_b, at.h, at.g};
  return {node.backward, node.forward.branch, at.S_b, at.S_a, at.g, at.h};
}

// With T = gamma0^2 E Bhat, forward (backward mirrored):
//     E'   = beta0^2 (T E + Ahat)
//     S_a' = beta0^2 (D_w C_h D_w + gamma0^2 E D_w C_g D_w E^T + T S_a + (T S_a)^T)
void InfiniteDepth::derivatives(const Sweep& sweep, const Going& at) {
  const Panel panel = sweep.time.panel;
  const int p = panel.size();
  const int b = panel.end;
  Direction& my = at.my;
  const View left = sweep.scratch(0, p, b);
  if (!sweep.responses_final) {
    sweep.algebra.times_causal(left, rows_of(my.kernel, panel), at.opposite, scales_.gamma0_sq);
    linalg::replace_rows(my.turn, panel, left, sweep.changes);
    const View d_kernel = linalg::leading(my.d_kernel, p, b);
    sweep.algebra.times_causal(d_kernel, left, my.kernel, branch_sq_);
    add(d_kernel, rows_of(my.branch, panel), branch_sq_);
  }
  const View d_source = linalg::leading(my.d_source, p, b);
  sweep.algebra.times_symmetric(d_source, rows_of(my.turn, panel), at.S, branch_sq_);
  sweep.algebra.times_transposed(d_source, rows_of(at.S, panel), my.turn, branch_sq_, 1.0);
  if (scales_.gamma0_sq > 0.0) {
    const View decayed = sweep.scratch(1, p, b);
    decayed_rows(decayed, my.kernel, sweep.time);
    sweep.algebra.times_symmetric(left, decayed, at.partner.C, branch_sq_ * scales_.gamma0_sq);
    times_decay(left, sweep.time);
    sweep.algebra.times_transposed(d_source, left, my.kernel, 1.0, 1.0);
  }
  add_decayed(d_source, sweep.time, at.x.C, branch_sq_);
}

// One step of a fixed-point iteration in depth. E' contains beta0^2 D_w E D_w and S' beta0^2 D_w S D_w: with that part
// solved for exactly (up to d(s) / d(t)), what remains to be iterated vanishes with gamma0.
void InfiniteDepth::integrate(const Sweep& sweep, bool ahead) {
  const Panel panel = sweep.time.panel;
  const RowPropagators propagators(ahead ? grid_.from_start() : grid_.to_end(), sweep.time, branch_sq_);
  std::vector<const Matrix*> d_kernel, d_source;
  for (Node& node : nodes_) {
    const Going at = going(node, ahead);
    propagators.remove_linear(at.my.d_kernel, at.my.kernel);
    propagators.remove_linear(at.my.d_source, at.S);
    d_kernel.push_back(&at.my.d_kernel);
    d_source.push_back(&at.my.d_source);
  }
  const int end = ahead ? 0 : grid_.size() - 1;
  const Going start = going(nodes_[static_cast<std::size_t>(end)], ahead);
  const View rows = sweep.scratch(0, panel.size(), panel.end);
  for (int j = 0; j < grid_.size(); ++j) {
    if (j == end) continue;
    const Going at = going(nodes_[static_cast<std::size_t>(j)], ahead);
    if (!sweep.responses_final) {
      propagators.rows(rows, j, start.my.kernel, d_kernel);
      linalg::replace_rows(at.my.kernel, panel, rows, sweep.changes);
    }
    propagators.rows(rows, j, start.S, d_source);
    linalg::replace_symmetric(at.S, panel, rows, sweep.changes);
  }
}

// Responses and correlations where the two directions meet, and the branch that follows from them.
void InfiniteDepth::meet(const Sweep& sweep, const Going& at) {
  const Panel panel = sweep.time.panel;
  const double gamma0_sq = scales_.gamma0_sq;
  if (!sweep.responses_final) {
    at.x.set_kernel(sweep, rows_of(at.my.kernel, panel), at.partner, gamma0_sq);
    at.x.respond(sweep, at.partner, gamma0_sq);
  }
  at.x.correlate(sweep, at.partner, {&at.S, 1.0}, {&at.S_partner, 1.0}, gamma0_sq);
  if (sweep.responses_final) return;
  const View rows = sweep.scratch(0, panel.size(), panel.end);
  branch_rows(rows, sweep.time, at.x.cross, at.x.C, scales_.lr[1], 1.0);
  linalg::replace_rows(at.my.branch, panel, rows, sweep.changes);
}

// One pass over the equations of a direction.
void InfiniteDepth::improve(const Sweep& sweep, bool ahead) {
  for (Node& node : nodes_) derivatives(sweep, going(node, ahead));
  integrate(sweep, ahead);
  for (Node& node : nodes_) meet(sweep, going(node, ahead));
}

/// Row t of everything that the equations of a direction determine, one after the other, each in units of its own.
/// Variances at equal times are left out: they follow from the rest, and are quadratic in it.
class InfiniteDepth::RowState {
 public:
  RowState(InfiniteDepth& network, int t, bool ahead) : t_(t) {
    for (Node& node : network.nodes_) {
      const Going at = network.going(node, ahead);
      for (Matrix* m : {&at.my.kernel, &at.my.branch}) functions_.push_back({m, false, t + 1, 1.0, {}, {}});
      for (Matrix* m : {&at.S, &at.x.C}) functions_.push_back({m, true, t, 1.0, &at.my.kernel, &at.S_partner});
    }
  }

  /// The units from now on: the largest entries of this row and the one before, which need not be zero if this one is;
  /// of correlations also the variance at the start, since late rows may be the small difference of large terms.
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
    const Matrix* kernel;  // of correlations: E and S_b (backward: F and S_a)
    const Matrix* source;
  };

  /// The scale of a correlation that is zero at the start: the rounding error of terms E S_b E^T that cancel, times a
  /// margin.
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

// Fixed-point iteration of a single row, accelerated: the equations are linear (but for the variances at equal times)
// and strongly coupled where training is about to diverge; there, plain iteration does not converge. Returns the last
// change.
double InfiniteDepth::iterate(const Sweep& sweep, bool ahead, RowState& state) {
  linalg::Anderson accelerated(kMemory);
  double change = 0.0;
  double least = std::numeric_limits<double>::infinity();
  int in_vain = 0;   // iterations that did not make it smaller
  int outgrown = 0;  // times that units had become too small
  bool fresh = true;
  for (int i = 0; i < kMostIterations; ++i) {
    if (fresh) {  // the accelerator needs units that stay
      state.rescale();
      accelerated = linalg::Anderson(kMemory);
    }
    const std::vector<double> x = state.read();
    improve(sweep, ahead);
    const std::vector<double> g = state.read();
    change = distance(x, g);
    if (change < kTolerance || !std::isfinite(change)) break;
    in_vain = change < least ? 0 : in_vain + 1;
    least = std::min(least, change);
    if (change < kAccepted && in_vain > 2) break;
    // What was zero may turn out not to be, after an iteration or some.
    fresh = i == 0 || (largest(g) > kOutgrown && ++outgrown < kMostUnits);
    if (!fresh) state.write(accelerated.next(x, g));
  }
  return change;
}

void InfiniteDepth::solve_row(const Sweep& sweep, bool ahead) {
  const int t = sweep.time.panel.begin;
  RowState state(*this, t, ahead);
  linalg::RowChanges changes;  // of no interest: what the iterations go through
  changes.reset(1);
  const Sweep inner{sweep.time, sweep.algebra, sweep.scratch, changes, sweep.responses_final};
  double change = 0.0;
  // A wild start makes the units too large for what comes out: once more, in units of that.
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    change = iterate(inner, ahead, state);
    if (!(change < kAccepted) || state.rescale() < kShrunk) break;
  }
  // The variances at equal times.
  improve(inner, ahead);
  improve(inner, ahead);
  failure_.clear();
  if (change < kAccepted) return;
  sweep.changes.note(0, std::numeric_limits<double>::infinity());
  std::ostringstream message;
  message << "step " << t << " did not converge in depth: after " << kMostIterations
          << " iterations it still changes by " << change << " (wanted " << kTolerance
          << "); lower network.branch or optimizer.lr, or use a finite depth";
  failure_ = message.str();
}

/// Iterates a direction to the relative change that the sweep asks for, rows of a panel together.
void InfiniteDepth::settle(const Sweep& sweep, bool ahead) {
  std::vector<Carried> functions;
  for (Node& node : nodes_) {
    const Going at = going(node, ahead);
    for (Matrix* m : {&at.my.kernel, &at.my.branch}) functions.push_back({m, false});
    for (Matrix* m : {&at.S, &at.x.C}) functions.push_back({m, true});
  }
  PanelState state(std::move(functions), sweep.time.panel);
  linalg::Anderson accelerated(kMemory);
  std::vector<double> x, g;
  for (int i = 0; i < kMostSettling; ++i) {
    state.read(x);
    improve(sweep, ahead);
    state.read(g);
    const double change = distance(x, g);
    if (i > 0 && !(change > sweep.settle)) return;
    if (i == 0) {
      state.rescale(kSmallUnit);
    } else {
      state.write(accelerated.next(x, g));
    }
  }
}

void InfiniteDepth::pass(const Sweep& sweep, bool ahead) {
  if (sweep.time.panel.size() == 1) return solve_row(sweep, ahead);
  if (sweep.settle > 0.0) return settle(sweep, ahead);
  improve(sweep, ahead);
}

void InfiniteDepth::backward(const Sweep& sweep, const DataField& /*data*/) {
  const Panel panel = sweep.time.panel;
  Node& last = nodes_.back();
  last_source_rows(last.at.S_b, sweep);
  if (!sweep.responses_final) {
    const View F = sweep.scratch(0, panel.size(), panel.end);
    kernel_rows(F, sweep.time, nullptr, nullptr, scales_.lr.back(), 1.0);
    linalg::replace_rows(last.backward.kernel, panel, F, sweep.changes);
    // The window has moved since the last sweep, so the forward kernels are taken in anew.
    for (Node& node : nodes_) {
      node.at.h.set_kernel(sweep, rows_of(node.forward.kernel, panel), node.at.g, scales_.gamma0_sq);
    }
  }
  pass(sweep, false);
  if (sweep.responses_final) return;
  const View rows = sweep.scratch(0, panel.size(), panel.end);
  decayed_rows(rows, nodes_.front().at.g.cross, sweep.time);
  linalg::replace_rows(R_gu1_, panel, rows, sweep.changes);
}

void InfiniteDepth::forward(const Sweep& sweep, const DataField& data) {
  const Panel panel = sweep.time.panel;
  Node& first = nodes_.front();
  first_source_rows(first.at.S_a, sweep, data);
  if (!sweep.responses_final) {
    const View E = sweep.scratch(0, panel.size(), panel.end);
    kernel_rows(E, sweep.time, data.R_hr0, data.C_h0, scales_.lr.front(), 1.0);
    linalg::replace_rows(first.forward.kernel, panel, E, sweep.changes);
  }
  pass(sweep, true);
}

void InfiniteDepth::finish(const Sweep& sweep, const DataField& /*data*/) {
  decay_.assign(sweep.time.decay, sweep.time.decay + sweep.time.panel.end);
}

// Relative to the larger of the variances now and at the start, since late ones may be the small difference of large
// terms; and all are rounding where there is nothing to learn.
double InfiniteDepth::depth_error(int node) const {
  std::vector<double> C_h, C_g;
  double start_h = nodes_.front().at.h.C(0, 0) > 0.0 ? kNothing : kFromNothing;
  double start_g = kNothing;
  for (const Node& depth : nodes_) {
    C_h.push_back(depth.at.h.C(node, node));
    C_g.push_back(depth.at.g.C(node, node));
    start_h = std::max(start_h, depth.at.h.C(0, 0));
    start_g = std::max(start_g, depth.at.g.C(0, 0));
  }
  return std::max(grid_.last_coefficient(C_h, start_h), grid_.last_coefficient(C_g, start_g));
}

double InfiniteDepth::kernel(int node, const DataField& data) const {
  double sum = scales_.lr.front() * nodes_.front().at.g.C(node, node) * (*data.C_h0)(node, node);
  for (int j = 0; j < grid_.size(); ++j) {
    const Crossing& at = nodes_[static_cast<std::size_t>(j)].at;
    sum += scales_.lr[1] * branch_sq_ * grid_.weights()[j] * at.g.C(node, node) * at.h.C(node, node);
  }
  return sum + scales_.lr.back() * nodes_.back().at.h.C(node, node);
}

std::vector<ChainTerm> InfiniteDepth::chain(int node) const {
  std::vector<ChainTerm> terms;
  for (const Node& depth : nodes_) terms.push_back(depth.at.h.with_partner(node));
  return terms;
}

// Responses divided by the vanishing factor b of a branch.
void InfiniteDepth::release(TwoTimeFunctions& out, const Saved& saved) {
  for (Node& node : nodes_) {
    if (saved.has("C_h")) out.C_h.push_back(saved.take(node.at.h.C));
    if (saved.has("C_g")) out.C_g.push_back(saved.take(node.at.g.C));
    if (saved.has("R_hr")) out.R_hr.push_back(saved.take(node.at.h.cross, scales_.gamma0, decay_));
    if (saved.has("R_gu")) out.R_gu.push_back(saved.take(node.at.g.cross, scales_.gamma0, decay_));
  }
}

}  // namespace lindmft::theory
