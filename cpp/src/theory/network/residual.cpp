#include "theory/network/residual.hpp"

#include <cmath>

#include "linalg/rows.hpp"
#include "theory/core/memory_kernel.hpp"

namespace lindmft::theory {

using linalg::View;

Residual::Residual(const Problem& problem, int nodes, int rows)
    : scales_(scales(problem)), branch_sq_(scales_.branch * scales_.branch), R_gu1_(nodes, nodes) {
  const int depth = problem.network.depth;
  for (int l = 1; l <= depth; ++l) layers_.emplace_back(nodes, rows);
  for (int l = 1; l < depth; ++l) branches_.emplace_back(nodes);
}

double Residual::bytes(const Problem& problem, int nodes, int rows) {
  const double depth = problem.network.depth;
  return depth * Crossing::bytes(nodes, rows) + (depth - 1.0) * 2.0 * Passage::bytes(nodes) + 8.0 * nodes * nodes;
}

void Residual::guess(const linalg::Guess& guess, bool responses_final) {
  for (Crossing& layer : layers_) layer.guess(guess, responses_final);
  if (guess.before.size() > 0) linalg::guess_symmetric(layer(1).g.C, guess);
  if (responses_final) return;
  for (Branch& branch : branches_) {
    branch.forward.guess(guess);
    branch.backward.clear(guess.panel);  // a sweep begins with it
  }
  linalg::guess_causal(R_gu1_, growing(guess));
}

std::vector<Carried> Residual::carried() {
  std::vector<Carried> functions;
  for (int l = 1; l <= layers(); ++l) {
    functions.push_back({&layer(l).S_a, true});
    if (l == layers()) break;
    functions.push_back({&layer(l).h.C, true});
    functions.push_back({&branch(l).forward.branch, false});
    functions.push_back({&branch(l).forward.cross, false});
  }
  return functions;
}

std::vector<Watched> Residual::watched() const {
  std::vector<Watched> functions;
  for (const Crossing& layer : layers_) functions.push_back({&layer.g.C, false});
  for (int l = 1; l < layers(); ++l) functions.push_back({&layer(l).h.C, true});
  return functions;
}

void Residual::visit(const StateVisitor& visitor) {
  for (int l = 1; l <= layers(); ++l) {
    layer(l).visit(std::to_string(l), visitor);
    if (l == layers()) break;
    branch(l).forward.visit("forward" + std::to_string(l), visitor);
    branch(l).backward.visit("backward" + std::to_string(l), visitor);
  }
  visitor.function("R_gu1", R_gu1_);
}

// E_1 = D_w R_hr^0 + c_0 K * C_h^0; the others are the outgoing kernels of the branch before.
View Residual::forward_kernel(int l, const Sweep& sweep, const DataField& data) {
  const Panel panel = sweep.time.panel;
  const View E = sweep.scratch(Buffer::kernel, panel.size(), panel.end);
  if (l == 1) {
    kernel_rows(E, sweep.time, data.R_hr0, data.C_h0, scales_.arrays.front(), 1.0, Pass::forward);
  } else {
    branch(l - 1).forward.outgoing_kernel(E, panel);
  }
  return E;
}

// F_L = c_L K; the others are the outgoing kernels of the branch after.
View Residual::backward_kernel(int l, const Sweep& sweep) {
  const Panel panel = sweep.time.panel;
  const View F = sweep.scratch(Buffer::kernel, panel.size(), panel.end);
  if (l == layers()) {
    kernel_rows(F, sweep.time, nullptr, nullptr, scales_.arrays.back(), 1.0, Pass::backward);
  } else {
    branch(l).backward.outgoing_kernel(F, panel);
  }
  return F;
}

// Passes branch l backward, from layer l + 1, whose rows are done, to layer l.
void Residual::cross_backward(int l, const Sweep& sweep) {
  const double gamma0_sq = scales_.gamma0_sq;
  Crossing& from = layer(l + 1);
  Passage& passage = branch(l).backward;
  if (!sweep.responses_final) {
    const View F = backward_kernel(l + 1, sweep);
    passage.set_branch(sweep, from.g.cross, from.g.C, array(l), branch_sq_, Pass::backward);
    passage.respond(sweep, F, branch(l).forward.branch, gamma0_sq);
  }
  passage.correlate(sweep, from.S_b, from.g.C, layer(l).h.C, array(l).start * branch_sq_, gamma0_sq, layer(l).S_b);
}

void Residual::cross_forward(int l, const Sweep& sweep, const DataField& data) {
  const double gamma0_sq = scales_.gamma0_sq;
  Crossing& from = layer(l);
  Passage& passage = branch(l).forward;
  if (!sweep.responses_final) {
    const View E = forward_kernel(l, sweep, data);
    passage.set_branch(sweep, from.h.cross, from.h.C, array(l), branch_sq_, Pass::forward);
    passage.respond(sweep, E, branch(l).backward.branch, gamma0_sq);
  }
  passage.correlate(sweep, from.S_a, from.h.C, layer(l + 1).g.C, array(l).start * branch_sq_, gamma0_sq,
                    layer(l + 1).S_a);
}

// The window has moved since the last sweep, so the forward kernels are set again.
void Residual::backward(const Sweep& sweep, const DataField& data) {
  const double gamma0_sq = scales_.gamma0_sq;
  for (int l = 1; l <= layers() && !sweep.responses_final; ++l) {
    layer(l).h.set_kernel(sweep, forward_kernel(l, sweep, data), layer(l).g, gamma0_sq);
  }
  for (int l = layers(); l >= 1; --l) {
    if (l == layers()) {
      last_source_rows(layer(l).S_b, sweep, scales_.arrays.back().start);
    } else {
      cross_backward(l, sweep);
    }
    Crossing& my = layer(l);
    if (!sweep.responses_final) {
      my.g.set_kernel(sweep, backward_kernel(l, sweep), my.h, gamma0_sq);
      my.g.respond(sweep, my.h, gamma0_sq);
    }
    my.correlate_g(sweep, gamma0_sq);
  }
  if (sweep.responses_final) return;
  // R_gu^1 = (I - F_1 E_1)^-1 F_1 D_w
  const Panel panel = sweep.time.panel;
  const View rows = sweep.scratch(Buffer::rows, panel.size(), panel.end);
  decayed_rows(rows, layer(1).g.cross, sweep.time);
  linalg::replace_rows(R_gu1_, panel, rows, sweep.changes);
}

void Residual::forward(const Sweep& sweep, const DataField& data) {
  const double gamma0_sq = scales_.gamma0_sq;
  for (int l = 1; l <= layers(); ++l) {
    if (l == 1) {
      first_source_rows(layer(l).S_a, sweep, data, scales_.arrays.front().start);
    } else {
      cross_forward(l - 1, sweep, data);
    }
    Crossing& my = layer(l);
    if (!sweep.responses_final) {
      my.h.set_kernel(sweep, forward_kernel(l, sweep, data), my.g, gamma0_sq);
      my.h.respond(sweep, my.g, gamma0_sq);
    }
    if (l < layers()) my.correlate_h(sweep, gamma0_sq);
  }
}

// The correlation of the last hidden layer is needed only for the results.
void Residual::finish(const Sweep& sweep, const DataField& /*data*/) {
  layers_.back().correlate_h(sweep, scales_.gamma0_sq);
  decay_.assign(sweep.time.decay, sweep.time.decay + sweep.time.panel.end);
}

double Residual::tangent_kernel(int node, int weights, const DataField& data) const {
  double sum = scales_.arrays.front().lr * layer(1).g.C(weights, weights) * (*data.C_h0)(node, node);
  for (int l = 1; l < layers(); ++l) {
    const double C_g = layer(l + 1).g.C(weights, weights);
    sum += array(l).lr * branch_sq_ * C_g * layer(l).h.C(node, node);
  }
  return sum + scales_.arrays.back().lr * layers_.back().h.C(node, node);
}

// g^l = (I + b W^T) g^{l+1} and h^{l+1} = (I + b W) h^l: <g^l h^l> is the same in every layer.
std::vector<ChainTerm> Residual::chain(int node) const {
  std::vector<ChainTerm> terms;
  for (const Crossing& layer : layers_) terms.push_back(layer.h.with_partner(node));
  return terms;
}

// R_hr^l = b (I - E F)^-1 E D_w and R_gu^{l+1} = b (I - F E)^-1 F D_w; the sources at the ends (r^L of the readout, u^1
// of the input) have no factor b.
void Residual::release(TwoTimeFunctions& out, const Saved& saved) {
  for (int l = 1; l <= layers(); ++l) {
    Crossing& my = layer(l);
    const double forward = scales_.gamma0 * (l == layers() ? 1.0 : scales_.branch) * std::sqrt(array(l).start);
    const double backward = scales_.gamma0 * (l == 1 ? 1.0 : scales_.branch) * std::sqrt(array(l - 1).start);
    if (saved.has("C_h")) out.C_h.push_back(saved.take(my.h.C));
    if (saved.has("C_g")) out.C_g.push_back(saved.take(my.g.C));
    if (saved.has("R_hr")) out.R_hr.push_back(saved.take(my.h.cross, forward, decay_));
    if (saved.has("R_gu")) out.R_gu.push_back(saved.take(my.g.cross, backward, decay_));
  }
}

}  // namespace lindmft::theory
