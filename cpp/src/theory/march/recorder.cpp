#include "theory/march/recorder.hpp"

#include <algorithm>
#include <cmath>
#include <sstream>

#include "lindmft/errors.hpp"
#include "support/divergence.hpp"

namespace lindmft::theory {
namespace {

// Growth of the loss above which a row that cannot be resolved counts as diverged.
constexpr double kRunaway = 10.0;
// Violation of the chain identity, relative to its largest term, that no correct panel has: 1e-6 is the most otherwise.
constexpr double kUnsound = 1e-4;
// Smallest scale of the identity's terms; where nothing is learned they are rounding errors.
constexpr double kSmallestChain = 1e-6;

/// The loss from which on a run has diverged; start: the test loss at the start.
double divergence_limit(double start) { return support::kDivergence * std::max(1.0, start); }

}  // namespace

Recorder::Recorder(MarchContext& context)
    : context_(context),
      network_(context.network),
      data_(context.data),
      options_(context.options),
      solution_(context.solution),
      recorded_(context.options.from) {
  solution_.feature_norm.resize(static_cast<std::size_t>(network_.layers()));
  solution_.gradient_norm.resize(static_cast<std::size_t>(network_.layers()));
  if (options_.modes) {
    solution_.mode_loss.resize(static_cast<std::size_t>(data_.modes()));
    solution_.mode_learned.resize(static_cast<std::size_t>(data_.modes()));
  }
  if (outputs() == 1) return;
  solution_.test_loss_by_output.resize(static_cast<std::size_t>(outputs()));
  solution_.train_loss_by_output.resize(static_cast<std::size_t>(outputs()));
}

/// A loss below zero by more than rounding. Steps may have amplified rounding errors, which the caller finds out;
/// panels have not converged.
void Recorder::refuse_negative(int node, const Losses& losses, bool every_step) {
  std::ostringstream message;
  message << "the " << (losses.test <= losses.train ? "test" : "train") << " loss at step " << context_.grid.time(node)
          << " is negative (" << std::min(losses.test, losses.train)
          << "), so the sweeps did not converge; lower optimizer.lr, or use more depth_nodes where they are given";
  negative_ = message.str();
  if (!every_step) throw NotConverged(negative_);
}

/// Whether a loss is below zero by more than rounding; start: the test loss at the start.
bool Recorder::negative(const Losses& losses, double start) const {
  return std::min(losses.test, losses.train) < -options_.rounding * std::max(1.0, start);
}

bool Recorder::diverged(int node, const Losses& losses, const Losses* of_outputs, bool every_step) {
  const double start = solution_.test_loss.empty() ? losses.test : solution_.test_loss.front();
  for (int c = 0; c < outputs(); ++c) {
    if (!negative(of_outputs[c], start)) continue;
    refuse_negative(node, of_outputs[c], every_step);
    return true;
  }
  const double limit = divergence_limit(start);
  bool fine = losses.test < limit && losses.train < limit;  // false for nan
  for (int l = 1; l <= network_.layers(); ++l) {
    fine = fine && std::isfinite(norm(&NetworkSide::feature_norm, l, node)) &&
           std::isfinite(norm(&NetworkSide::gradient_norm, l, node));
  }
  return !fine;
}

bool Recorder::runaway() const {
  const std::vector<double>& loss = solution_.test_loss;
  if (loss.empty()) return false;
  // Relative to a loss of zero every growth is infinite; the scale is then 1, the loss of a target of norm 1.
  return loss.back() > kRunaway * (loss.front() > 0.0 ? loss.front() : 1.0);
}

void Recorder::check_chain(int node, int end) {
  const ChainTerm other = data_.chain(node, end, network_.field());
  largest_chain_ = std::max(largest_chain_, other.scale);
  for (const ChainTerm& layer : network_.chain(node)) {
    largest_chain_ = std::max(largest_chain_, layer.scale);
    chain_spread_ = std::max(chain_spread_, std::abs(layer.value - other.value));
  }
}

/// Finishes the panel's rows and returns their losses.
std::vector<Losses> Recorder::finished(Panel panel) {
  context_.changes.reset(panel.size());
  const PanelTime time = context_.grid.committed(panel);
  const Sweep pass{time, context_.algebra, context_.scratch, context_.changes, options_.responses_final};
  network_.finish(pass, data_.field());
  return data_.losses(pass, network_.field());
}

bool Recorder::sound(Panel panel) {
  for (const Losses& losses : finished(panel)) {
    if (recorded_ > 0 && negative(losses, solution_.test_loss.front())) return false;
  }
  double largest = std::max(largest_chain_, kSmallestChain);
  double spread = 0.0;
  for (int node = panel.begin; node < panel.end; ++node) {
    const ChainTerm other = data_.chain(node, panel.end, network_.field());
    largest = std::max(largest, other.scale);
    for (const ChainTerm& layer : network_.chain(node)) spread = std::max(spread, std::abs(layer.value - other.value));
  }
  return spread < kUnsound * largest;
}

bool Recorder::record(Panel panel, bool every_step) {
  const std::vector<Losses> losses = finished(panel);
  for (int node = panel.begin; node < panel.end; node += outputs()) {
    const Losses* of_outputs = &losses[static_cast<std::size_t>(node - panel.begin)];
    Losses at = *of_outputs;
    for (int c = 1; c < outputs(); ++c) at += of_outputs[c];
    if (diverged(node, at, of_outputs, every_step)) {
      solution_.diverged_at = static_cast<int>(context_.grid.time(node));
      return false;
    }
    double depth_error = 0.0;
    for (int c = 0; c < outputs(); ++c) depth_error = std::max(depth_error, network_.depth_error(node + c));
    if (depth_error > options_.depth_tolerance) {
      resolved_ = runaway();
      if (resolved_) solution_.diverged_at = static_cast<int>(context_.grid.time(node));
      return false;
    }
    solution_.stats.depth_error = std::max(solution_.stats.depth_error, depth_error);
    append(node, at, of_outputs);
    if (options_.modes) append_modes(node);
    for (int row = node; row < node + outputs() && !options_.responses_final; ++row)
      check_chain(row, std::max(node + outputs(), context_.map.end_of(row)));
  }
  recorded_ = panel.end;
  return true;
}

double Recorder::norm(double (NetworkSide::*of)(int, int) const, int layer, int node) const {
  double sum = 0.0;
  for (int c = 0; c < outputs(); ++c) sum += (network_.*of)(layer, node + c);
  return sum;
}

void Recorder::append(int node, const Losses& losses, const Losses* of_outputs) {
  for (std::size_t c = 0; c < solution_.test_loss_by_output.size(); ++c) {
    solution_.test_loss_by_output[c].push_back(of_outputs[c].test);
    solution_.train_loss_by_output[c].push_back(of_outputs[c].train);
  }
  Observed now{context_.grid.time(node), losses, {}, {}};
  add_norms(now, node);
  append(now);
}

void Recorder::add_norms(Observed& at, int node) const {
  for (int l = 1; l <= network_.layers(); ++l) {
    at.feature_norm.push_back(norm(&NetworkSide::feature_norm, l, node));
    at.gradient_norm.push_back(norm(&NetworkSide::gradient_norm, l, node));
  }
}

void Recorder::append(const Observed& at) {
  solution_.time.push_back(at.time);
  solution_.test_loss.push_back(at.losses.test);
  solution_.train_loss.push_back(at.losses.train);
  solution_.term_target.push_back(at.losses.term_target);
  solution_.term_init.push_back(at.losses.term_init);
  solution_.term_data.push_back(at.losses.term_data);
  if (options_.second_target) solution_.first_task_loss.push_back(at.losses.first_task);
  for (std::size_t l = 0; l < at.feature_norm.size(); ++l) {
    solution_.feature_norm[l].push_back(at.feature_norm[l]);
    solution_.gradient_norm[l].push_back(at.gradient_norm[l]);
  }
}

Observed Recorder::observe(int row, double time) {
  context_.changes.reset(1);
  const Panel panel{row, row + 1};
  const PanelTime at = context_.grid.committed(panel);
  const Sweep pass{at, context_.algebra, context_.scratch, context_.changes};
  network_.finish(pass, data_.field());
  Observed out{time, data_.losses(pass, network_.field()).front(), {}, {}};
  add_norms(out, row);
  check_chain(row, row + 1);
  return out;
}

bool Recorder::fine(const Observed& at) const {
  const double limit = divergence_limit(solution_.test_loss.front());
  bool fine = at.losses.test < limit && at.losses.train < limit;
  for (std::size_t l = 0; l < at.feature_norm.size(); ++l)
    fine = fine && std::isfinite(at.feature_norm[l]) && std::isfinite(at.gradient_norm[l]);
  return fine && !negative(at.losses, solution_.test_loss.front());
}

/// The learning curves of the modes at one time, summed over outputs.
void Recorder::append_modes(int node) {
  for (int k = 0; k < data_.modes(); ++k) {
    ModeRow sum;
    for (int c = 0; c < outputs(); ++c) {
      const ModeRow row = data_.mode_row(k, node + c);
      sum.loss += row.loss;
      sum.left += row.left;
      sum.target += row.target;
    }
    const auto mode = static_cast<std::size_t>(k);
    solution_.mode_loss[mode].push_back(sum.loss);
    solution_.mode_learned[mode].push_back(sum.target > 0.0 ? 1.0 - sum.left / sum.target : 0.0);
  }
}

/// The largest term of the chain identity at the nodes of the run that this one continues. Towards the end of learning
/// the terms become small but their rounding errors do not, so the residual is relative to the largest term of the
/// whole run. (The terms of the network are not kept for these nodes; those of the data side are as large.)
double Recorder::earlier_chain() const {
  double largest = 0.0;
  for (int node = context_.grid.condensed(); node < options_.from; ++node)
    largest = std::max(largest,
                       data_.chain(node, std::max(block_end(node), context_.map.end_of(node)), network_.field()).scale);
  return largest;
}

Marched Recorder::finish() {
  largest_chain_ = std::max(largest_chain_, earlier_chain());
  solution_.stats.nodes = static_cast<int>(solution_.time.size());
  if (solution_.stats.active_nodes == 0) solution_.stats.active_nodes = solution_.stats.nodes;
  solution_.stats.flops += context_.algebra.flops();
  solution_.stats.chain_residual =
      std::max(solution_.stats.chain_residual, chain_spread_ / std::max(largest_chain_, kSmallestChain));
  return {solution_.stats.nodes, resolved_, negative_};
}

}  // namespace lindmft::theory
