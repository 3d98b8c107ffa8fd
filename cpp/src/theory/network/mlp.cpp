#include "theory/network/mlp.hpp"

#include <cmath>

#include "linalg/extrapolate.hpp"
#include "theory/core/memory_kernel.hpp"

namespace lindmft::theory {

Mlp::Mlp(const Problem& problem, int nodes, int rows)
    : scales_(scales(problem)), width_(static_cast<std::size_t>(problem.network.depth), 1.0) {
  for (int l = 0; l < problem.network.depth; ++l) layers_.emplace_back(nodes, rows, outputs(problem.data));
  for (std::size_t l = width_.size() - 1; l-- > 0;) width_[l] = width_[l + 1] / scales_.ratio[l + 1];
}

double Mlp::bytes(const Problem& problem, int nodes, int rows) {
  return 2.0 * problem.network.depth * LinearProcess::bytes(nodes, rows);
}

// A sweep begins with g, which needs no guess.
void Mlp::guess(const linalg::Guess& guess, bool responses_final) {
  for (Layer& layer : layers_) {
    linalg::guess_symmetric(layer.h.C, guess);
    if (responses_final) continue;
    layer.h.guess_responses(guess);
    layer.g.clear_responses(guess.panel);
  }
  if (guess.before.size() == 0) return;
  linalg::guess_symmetric(layer(1).g.C, guess);
  if (!responses_final) linalg::guess_causal(layer(1).g.cross, growing(guess));
}

std::vector<Carried> Mlp::carried() {
  std::vector<Carried> functions;
  for (int l = 1; l < layers(); ++l) {
    functions.push_back({&layer(l).h.C, true});
    functions.push_back({&layer(l).h.cross, false});
  }
  return functions;
}

std::vector<Watched> Mlp::watched() const {
  std::vector<Watched> functions;
  for (const Layer& layer : layers_) functions.push_back({&layer.g.C, false});
  for (int l = 1; l < layers(); ++l) functions.push_back({&layer(l).h.C, true});
  return functions;
}

void Mlp::visit(const StateVisitor& visitor) {
  for (int l = 1; l <= layers(); ++l) {
    layer(l).h.visit("h" + std::to_string(l), visitor);
    layer(l).g.visit("g" + std::to_string(l), visitor);
  }
}

Source Mlp::forward_source(int l, const DataField& data) const {
  return {l == 1 ? data.C_h0 : &layer(l - 1).h.C, array(l - 1).start};
}

Source Mlp::backward_source(int l) const {
  if (l == layers()) return {nullptr, array(l).start};
  return {&layer(l + 1).g.C, scales_.ratio[static_cast<std::size_t>(l)] * array(l).start};
}

// B_l = (nu_{l+1} / nu_l) (D_w R_gu^{l+1} + c_l K * C_g^{l+1})
linalg::ConstView Mlp::backward_kernel(int l, const Sweep& sweep) {
  const Panel panel = sweep.time.panel;
  const bool top = l == layers();
  const linalg::View B = sweep.scratch(Buffer::rows, panel.size(), panel.end);
  kernel_rows(B, sweep.time, top ? nullptr : &layer(l + 1).g.cross, top ? nullptr : &layer(l + 1).g.C, array(l),
              scales_.ratio[static_cast<std::size_t>(l)], Pass::backward);
  return B;
}

// A_l = D_w R_hr^{l-1} + c_{l-1} K * C_h^{l-1}
linalg::ConstView Mlp::forward_kernel(int l, const Sweep& sweep, const DataField& data) {
  const Panel panel = sweep.time.panel;
  const linalg::View A = sweep.scratch(Buffer::rows, panel.size(), panel.end);
  kernel_rows(A, sweep.time, l == 1 ? data.R_hr0 : &layer(l - 1).h.cross, l == 1 ? data.C_h0 : &layer(l - 1).h.C,
              array(l - 1), 1.0, Pass::forward);
  return A;
}

// The window has moved since the last sweep, so the forward kernels are set again.
void Mlp::backward(const Sweep& sweep, const DataField& data) {
  for (int l = 1; l <= layers() && !sweep.responses_final; ++l) {
    layer(l).h.set_kernel(sweep, forward_kernel(l, sweep, data), layer(l).g, scales_.gamma0_sq);
  }
  for (int l = layers(); l >= 1; --l) {
    Layer& my = layer(l);
    if (!sweep.responses_final) {
      my.g.set_kernel(sweep, backward_kernel(l, sweep), my.h, scales_.gamma0_sq);
      my.g.respond(sweep, my.h, scales_.gamma0_sq);
    }
    my.g.correlate(sweep, my.h, backward_source(l), forward_source(l, data), scales_.gamma0_sq);
  }
}

void Mlp::correlate_features(int l, const Sweep& sweep, const DataField& data) {
  Layer& my = layer(l);
  my.h.correlate(sweep, my.g, forward_source(l, data), backward_source(l), scales_.gamma0_sq);
}

void Mlp::forward(const Sweep& sweep, const DataField& data) {
  for (int l = 1; l <= layers(); ++l) {
    if (!sweep.responses_final) {
      layer(l).h.set_kernel(sweep, forward_kernel(l, sweep, data), layer(l).g, scales_.gamma0_sq);
      layer(l).h.respond(sweep, layer(l).g, scales_.gamma0_sq);
    }
    if (l < layers()) correlate_features(l, sweep, data);
  }
}

// The correlation of the last hidden layer is needed only for the results.
void Mlp::finish(const Sweep& sweep, const DataField& data) { correlate_features(layers(), sweep, data); }

double Mlp::tangent_kernel(int node, int weights, const DataField& data) const {
  double sum = 0.0;
  for (int l = 0; l <= layers(); ++l) {
    const double C_h = l == 0 ? (*data.C_h0)(node, node) : layer(l).h.C(node, node);
    const double C_g = l == layers() ? 1.0 : width_[static_cast<std::size_t>(l)] * layer(l + 1).g.C(weights, weights);
    sum += array(l).lr * C_g * C_h;
  }
  return sum;
}

std::vector<ChainTerm> Mlp::chain(int node) const {
  std::vector<ChainTerm> terms;
  for (int l = 1; l <= layers(); ++l) {
    const double width = width_[static_cast<std::size_t>(l - 1)];
    const ChainTerm term = layer(l).h.with_partner(node);
    terms.push_back({width * term.value, width * term.scale});
  }
  return terms;
}

void Mlp::release(TwoTimeFunctions& out, const Saved& saved) {
  for (int l = 1; l <= layers(); ++l) {
    Layer& my = layer(l);
    const double forward = scales_.gamma0 * std::sqrt(array(l).start);
    const double backward = scales_.gamma0 * std::sqrt(array(l - 1).start);
    if (saved.has("C_h")) out.C_h.push_back(saved.take(my.h.C));
    if (saved.has("C_g")) out.C_g.push_back(saved.take(my.g.C));
    if (saved.has("R_hr")) out.R_hr.push_back(saved.take(my.h.cross, forward));
    if (saved.has("R_gu")) out.R_gu.push_back(saved.take(my.g.cross, backward));
  }
}

}  // namespace lindmft::theory
