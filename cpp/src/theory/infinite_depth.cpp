#include "theory/infinite_depth.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <sstream>

#include "linalg/anderson.hpp"
#include "linalg/extrapolate.hpp"
#include "linalg/rows.hpp"
#include "theory/kernel.hpp"
#include "theory/passage.hpp"

namespace lindmft::theory {

using linalg::ConstView;
using linalg::View;

namespace {

// Of a row that is solved for alone:
constexpr int kMemory = 30;              // earlier iterates of the accelerator
constexpr int kMostIterations = 300;
constexpr double kTolerance = 1e-12;     // relative change that ends the iteration
constexpr double kAccepted = 1e-9;       // a change that will not get smaller is rounding below this

ConstView rows_of(const Matrix& m, Panel panel) {
  return linalg::leading(m, panel.end, panel.end).block(panel.begin, 0, panel.size(), panel.end);
}

}  // namespace

InfiniteDepth::Direction::Direction(int nodes, int rows)
    : kernel(nodes, nodes), branch(nodes, nodes), turn(nodes, nodes), d_kernel(rows, nodes), d_source(rows, nodes) {}

InfiniteDepth::InfiniteDepth(const Problem& problem, int nodes, int rows, int depth_nodes)
    : scales_(scales(problem)),
      branch_sq_(scales_.branch * scales_.branch),
      grid_(depth_nodes),
      R_gu1_(nodes, nodes) {
  for (int j = 0; j < depth_nodes; ++j) nodes_.emplace_back(nodes, rows);
}

double InfiniteDepth::bytes(int nodes, int rows, int depth_nodes) {
  const double direction = 8.0 * nodes * (3.0 * nodes + 2.0 * rows);
  return depth_nodes * (Crossing::bytes(nodes, rows) + 2.0 * direction) + 8.0 * nodes * (nodes + 1.0);
}

void InfiniteDepth::guess(Panel panel, bool responses_final) {
  for (Node& node : nodes_) {
    node.at.guess(panel, responses_final);
    linalg::guess_symmetric(node.at.g.C, panel);
    linalg::guess_symmetric(node.at.S_b, panel);
    if (responses_final) continue;
    for (Direction* my : {&node.forward, &node.backward}) {
      linalg::guess_causal(my->kernel, panel);
      linalg::guess_causal(my->branch, panel);
      linalg::clear_rows(my->turn, panel);
    }
  }
}

// With T = gamma0^2 E Bhat, forward (backward mirrored):
//     E'   = beta0^2 (T E + Ahat)
//     S_a' = beta0^2 (D_w C_h D_w + gamma0^2 E D_w C_g D_w E^T + T S_a + (T S_a)^T)
// `near` is C_h, `far` is C_g.
void InfiniteDepth::derivatives(const Sweep& sweep, Direction& my, const Matrix& opposite, const Matrix& S,
                                const Matrix& near, const Matrix& far) {
  const Panel panel = sweep.time.panel;
  const int p = panel.size();
  const int b = panel.end;
  const View left = sweep.scratch(0, p, b);
  if (!sweep.responses_final) {
    sweep.algebra.times_causal(left, rows_of(my.kernel, panel), opposite, scales_.gamma0_sq);
    linalg::replace_rows(my.turn, panel, left, sweep.changes);
    const View d_kernel = linalg::leading(my.d_kernel, p, b);
    sweep.algebra.times_causal(d_kernel, left, my.kernel, branch_sq_);
    for (int i = 0; i < p; ++i) {
      const double* branch = my.branch.row(panel.begin + i);
      for (int s = 0; s < b; ++s) d_kernel(i, s) += branch_sq_ * branch[s];
    }
  }
  const View d_source = linalg::leading(my.d_source, p, b);
  sweep.algebra.times_symmetric(d_source, rows_of(my.turn, panel), S, branch_sq_);
  sweep.algebra.times_transposed(d_source, rows_of(S, panel), my.turn, branch_sq_, 1.0);
  if (scales_.gamma0_sq > 0.0) {
    const View decayed = sweep.scratch(1, p, b);
    decayed_rows(decayed, my.kernel, sweep.time);
    sweep.algebra.times_symmetric(left, decayed, far, branch_sq_ * scales_.gamma0_sq);
    times_decay(left, sweep.time);
    sweep.algebra.times_transposed(d_source, left, my.kernel, 1.0, 1.0);
  }
  add_decayed(d_source, sweep.time, near, branch_sq_);
}

// One step of a fixed-point iteration in depth. E' contains beta0^2 D_w E D_w and S' beta0^2 D_w S D_w: with that part
// solved for exactly (up to d(s) / d(t)), what remains to be iterated vanishes with gamma0.
void InfiniteDepth::integrate(const Sweep& sweep, bool ahead) {
  const Panel panel = sweep.time.panel;
  const int b = panel.end;
  const int m = grid_.size();
  const int end = ahead ? 0 : m - 1;
  const auto my = [&](int j) -> Direction& {
    Node& node = nodes_[static_cast<std::size_t>(j)];
    return ahead ? node.forward : node.backward;
  };
  const auto source = [&](int j) -> Matrix& {
    Node& node = nodes_[static_cast<std::size_t>(j)];
    return ahead ? node.at.S_a : node.at.S_b;
  };
  std::vector<DepthPropagator> propagators;
  std::vector<std::size_t> which;  // of a row of the panel
  for (int t = panel.begin; t < panel.end; ++t) {
    const double d = sweep.time.decay[t];
    const double linear = branch_sq_ * d * d;
    if (t == panel.begin || d != sweep.time.decay[t - 1])
      propagators.emplace_back(ahead ? grid_.from_start() : grid_.to_end(), linear);
    which.push_back(propagators.size() - 1);
    for (int j = 0; j < m; ++j) {
      double* d_kernel = my(j).d_kernel.row(t - panel.begin);
      double* d_source = my(j).d_source.row(t - panel.begin);
      for (int s = 0; s < b; ++s) {
        d_kernel[s] -= linear * my(j).kernel(t, s);
        d_source[s] -= linear * source(j)(t, s);
      }
    }
  }
  const View rows = sweep.scratch(0, panel.size(), b);
  const auto update = [&](int j, const Matrix& at_end, auto derivative) {
    for (int i = 0; i < panel.size(); ++i) {
      const DepthPropagator& step = propagators[which[static_cast<std::size_t>(i)]];
      const double* first = at_end.row(panel.begin + i);
      for (int s = 0; s < b; ++s) rows(i, s) = step.start[static_cast<std::size_t>(j)] * first[s];
      for (int k = 0; k < m; ++k) {
        const double weight = step.step(j, k);
        const double* from = derivative(k).row(i);
        for (int s = 0; s < b; ++s) rows(i, s) += weight * from[s];
      }
    }
  };
  for (int j = 0; j < m; ++j) {
    if (j == end) continue;
    if (!sweep.responses_final) {
      update(j, my(end).kernel, [&](int k) -> Matrix& { return my(k).d_kernel; });
      linalg::replace_rows(my(j).kernel, panel, rows, sweep.changes);
    }
    update(j, source(end), [&](int k) -> Matrix& { return my(k).d_source; });
    linalg::replace_symmetric(source(j), panel, rows, sweep.changes);
  }
}

// Correlations and responses of h (ahead) or g where they meet, and the branch that follows from them.
void InfiniteDepth::meet(const Sweep& sweep, Node& node, bool ahead) {
  const Panel panel = sweep.time.panel;
  LinearProcess& x = ahead ? node.at.h : node.at.g;
  LinearProcess& partner = ahead ? node.at.g : node.at.h;
  Direction& my = ahead ? node.forward : node.backward;
  if (!sweep.responses_final) {
    x.set_kernel(sweep, rows_of(my.kernel, panel), partner, scales_.gamma0_sq);
    x.respond(sweep, partner, scales_.gamma0_sq);
  }
  if (ahead) {
    node.at.correlate_h(sweep, scales_.gamma0_sq);
  } else {
    node.at.correlate_g(sweep, scales_.gamma0_sq);
  }
  if (sweep.responses_final) return;
  const View rows = sweep.scratch(0, panel.size(), panel.end);
  branch_rows(rows, sweep.time, x.cross, x.C, scales_.lr[1], 1.0);
  linalg::replace_rows(my.branch, panel, rows, sweep.changes);
}

// One pass over the equations of a direction.
void InfiniteDepth::improve(const Sweep& sweep, bool ahead) {
  for (Node& node : nodes_) {
    if (ahead) {
      derivatives(sweep, node.forward, node.backward.branch, node.at.S_a, node.at.h.C, node.at.g.C);
    } else {
      derivatives(sweep, node.backward, node.forward.branch, node.at.S_b, node.at.g.C, node.at.h.C);
    }
  }
  integrate(sweep, ahead);
  for (Node& node : nodes_) meet(sweep, node, ahead);
}

/// Row t of everything that the equations of a direction determine.
std::vector<double*> InfiniteDepth::unknown_rows(int t, bool ahead) {
  std::vector<double*> rows;
  for (Node& node : nodes_) {
    Direction& my = ahead ? node.forward : node.backward;
    rows.push_back(my.kernel.row(t));
    rows.push_back(my.branch.row(t));
    rows.push_back((ahead ? node.at.S_a : node.at.S_b).row(t));
    rows.push_back((ahead ? node.at.h.C : node.at.g.C).row(t));
  }
  return rows;
}

// The equations of a single row are linear (but for the variances at equal times) and strongly coupled where training
// is about to diverge: there, plain iteration does not converge.
void InfiniteDepth::solve_row(const Sweep& sweep, bool ahead) {
  const int t = sweep.time.panel.begin;
  const std::vector<double*> rows = unknown_rows(t, ahead);
  const std::size_t n = static_cast<std::size_t>(t) + 1;
  std::vector<double> x(rows.size() * n), g(x.size()), scale(rows.size(), 1.0);
  linalg::Anderson accelerated(kMemory);
  linalg::RowChanges changes;
  const Sweep inner{sweep.time, sweep.algebra, sweep.scratch, changes, sweep.responses_final};
  const auto read = [&](std::vector<double>& out) {
    for (std::size_t r = 0; r < rows.size(); ++r)
      std::transform(rows[r], rows[r] + n, out.begin() + static_cast<std::ptrdiff_t>(r * n), [&](double y) { return y / scale[r]; });
  };
  double change = 0.0;
  for (int i = 0; i < kMostIterations; ++i) {
    read(x);
    changes.reset(1);
    improve(inner, ahead);
    change = changes[0];
    if (change < kTolerance || !std::isfinite(change)) break;
    if (i == 0) {
      for (std::size_t r = 0; r < rows.size(); ++r) {
        for (std::size_t s = 0; s < n; ++s) scale[r] = std::max(s == 0 ? 1e-300 : scale[r], std::abs(rows[r][s]));
      }
      read(x);
      continue;
    }
    read(g);
    x = accelerated.next(x, g);
    for (std::size_t r = 0; r < rows.size(); ++r)
      for (std::size_t s = 0; s < n; ++s) rows[r][s] = scale[r] * x[r * n + s];
    for (Node& node : nodes_) {
      linalg::mirror(ahead ? node.at.S_a : node.at.S_b, sweep.time.panel);
      linalg::mirror(ahead ? node.at.h.C : node.at.g.C, sweep.time.panel);
    }
  }
  failure_.clear();
  if (change < kAccepted) return;
  sweep.changes.note(0, std::numeric_limits<double>::infinity());
  std::ostringstream message;
  message << "step " << t << " did not converge in depth: after " << kMostIterations << " iterations it still changes by "
          << change << " (wanted " << kTolerance << "); lower network.branch or optimizer.lr, or use a finite depth";
  failure_ = message.str();
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
  if (panel.size() == 1) {
    solve_row(sweep, false);
  } else {
    improve(sweep, false);
  }
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
  if (panel.size() == 1) {
    solve_row(sweep, true);
  } else {
    improve(sweep, true);
  }
}

void InfiniteDepth::finish(const Sweep& sweep, const DataField& /*data*/) {
  const Panel panel = sweep.time.panel;
  decay_.assign(sweep.time.decay, sweep.time.decay + panel.end);
  for (int t = panel.begin; t < panel.end; ++t) note_error(t);
}

void InfiniteDepth::note_error(int t) {
  std::vector<double> C_h, C_g;
  for (const Node& node : nodes_) {
    C_h.push_back(node.at.h.C(t, t));
    C_g.push_back(node.at.g.C(t, t));
  }
  for (const auto* profile : {&C_h, &C_g}) depth_error_ = std::max(depth_error_, grid_.last_coefficient(*profile));
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

// Responses per unit of depth, R_hr / beta0 and R_gu / beta0 of a vanishing branch.
void InfiniteDepth::release(TwoTimeFunctions& out, const Saved& saved) {
  for (Node& node : nodes_) {
    if (saved.has("C_h")) out.C_h.push_back(saved.take(node.at.h.C));
    if (saved.has("C_g")) out.C_g.push_back(saved.take(node.at.g.C));
    if (saved.has("R_hr")) out.R_hr.push_back(saved.take(node.at.h.cross, scales_.gamma0, decay_));
    if (saved.has("R_gu")) out.R_gu.push_back(saved.take(node.at.g.cross, scales_.gamma0, decay_));
  }
}

}  // namespace lindmft::theory
