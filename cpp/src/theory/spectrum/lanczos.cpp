#include "theory/spectrum/lanczos.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "lindmft/errors.hpp"

namespace lindmft::theory {
namespace {

// The method has ended where the next entry beside the diagonal, squared, is below this fraction of the first diagonal
// entry squared: the start vector has a part in no more eigenvalues.
constexpr double kEnded = 1e-12;
constexpr double kConverged = 1e-12;  // change of the rows of an implicit side that ends its iteration
constexpr double kAccepted = 1e-8;    // change that is accepted where it does not become smaller
constexpr int kMostPasses = 200;

}  // namespace

std::vector<LanczosResult> Lanczos::run(const std::vector<FrozenWeights>& weights, int steps) {
  frozen_ = {sides_.nodes, {}};
  for (std::size_t i = 0; i < weights.size(); ++i) {
    frozen_.chains.push_back({true});
    frozen_.chains.push_back({false});
  }
  decay_.assign(sides_.decay.begin(), sides_.decay.begin() + sides_.nodes);
  norm_.assign(frozen_.chains.size(), 0.0);
  ended_.assign(frozen_.chains.size(), false);
  std::vector<LanczosResult> results(frozen_.chains.size());
  for (int level = 0; level < steps; ++level) {
    sweep_level(weights, level);
    advance(level, results);
    if (std::ranges::all_of(ended_, [](bool e) { return e; })) break;
  }
  return results;
}

/// Computes the rows of a level: together where causality makes them exact at once, otherwise one by one.
void Lanczos::sweep_level(const std::vector<FrozenWeights>& weights, int level) {
  const int count = frozen_.count();
  const int begin = frozen_.begin + level * count;
  for (int c = 0; c < count; ++c) decay_.push_back(weights[static_cast<std::size_t>(c / 2)].decay);
  const int together = sides_.network.exact_first_row(count) ? count : 1;
  for (int t = begin; t < begin + count; t += together) sweep(weights, {t, t + together});
}

void Lanczos::sweep(const std::vector<FrozenWeights>& weights, Panel panel) {
  Matrix K(panel.size(), panel.end);
  for (int t = panel.begin; t < panel.end; ++t) {
    const auto chain = static_cast<std::size_t>((t - frozen_.begin) % frozen_.count());
    const std::vector<double>& row = weights[chain / 2].K;
    std::copy_n(row.begin(), std::min<std::size_t>(row.size(), static_cast<std::size_t>(sides_.nodes)),
                K.row(t - panel.begin));
  }
  for (int t = panel.begin; t < panel.end; ++t) map_.set({t, t + 1});
  sides_.data.guess({panel}, false);
  sides_.network.guess({panel}, false);
  pass({panel, linalg::leading(std::as_const(K), panel.size(), panel.end), decay_.data(), &frozen_});
}

void Lanczos::pass(const PanelTime& time) {
  const bool exact = sides_.data.exact_first_row();
  double change = std::numeric_limits<double>::infinity();
  for (int i = 0; i < kMostPasses; ++i) {
    changes_.reset(time.panel.size());
    const Sweep sweep{time, algebra_, scratch_, changes_};
    sides_.network.backward(sweep, sides_.data.field());
    sides_.data.update(sweep, sides_.network.field());
    sides_.network.forward(sweep, sides_.data.field());
    const double before = change;
    change = 0.0;
    for (int row = 0; row < changes_.rows(); ++row) change = std::max(change, changes_[row]);
    const bool settled = change < kConverged || (i > 2 && change < kAccepted && change >= before);
    if (!exact && !settled && i + 1 < kMostPasses) continue;
    if (const std::string why = sides_.network.failure(); !why.empty()) throw NotConverged("spectrum: " + why);
    if (!exact && change > kAccepted)
      throw NotConverged("spectrum: the passes through frozen weights did not converge; use exact steps");
    sides_.network.finish(sweep, sides_.data.field());
    return;
  }
}

/// Reads the entries of the Jacobi matrices from the level, and chooses the factors of the next one.
void Lanczos::advance(int level, std::vector<LanczosResult>& results) {
  for (int c = 0; c < frozen_.count(); ++c) {
    const auto at = static_cast<std::size_t>(c);
    FrozenRows::Chain& chain = frozen_.chains[at];
    const int t = frozen_.begin + level * frozen_.count() + c;
    hessian::Jacobi& matrix = results[at].matrix;
    if (ended_[at]) continue;
    const double norm = sides_.data.alignment(t, t + 1);
    const double entry = sides_.network.tangent_kernel(t, frozen_.start(t), sides_.data.field()) / norm;
    const double beside_sq = level == 0 ? 0.0 : norm / (chain.step * chain.step * norm_[at]);
    if (!std::isfinite(entry) || (level > 0 && !(beside_sq > kEnded * matrix.diagonal[0] * matrix.diagonal[0]))) {
      ended_[at] = true;
      results[at].next = 0.0;
      chain = {chain.target};  // further rows are zero
      continue;
    }
    matrix.diagonal.push_back(entry);
    if (level > 0) matrix.beside.push_back(std::sqrt(beside_sq));
    const double beside = level > 0 ? matrix.beside.back() : 0.0;
    results[at].next = beside;
    // Factors keep the vectors at about the same length.
    const double step = 1.0 / (level > 0 ? beside : entry);
    const double second = level > 0 ? norm / (chain.step * norm_[at]) : 0.0;
    chain = {chain.target, step, step * entry, -step * second};
    norm_[at] = norm;
  }
}

}  // namespace lindmft::theory
