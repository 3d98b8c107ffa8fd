#include "theory/network/linear_process.hpp"

#include <algorithm>
#include <cmath>

#include "linalg/block_solve.hpp"
#include "linalg/extrapolate.hpp"
#include "linalg/rows.hpp"
#include "theory/core/memory_kernel.hpp"
#include "theory/core/panel_rows.hpp"

namespace lindmft::theory {

using linalg::ConstView;
using linalg::View;

namespace {

/// left = R C_source on the panel's rows, and C_rows = beta C_rows + weight left R^T, which is skipped if the weight is
/// zero.
void add_correlation(View C_rows, View left, const Sweep& sweep, const Matrix& R, const OutputSums& sums, Source source,
                     double weight, double beta) {
  const Panel panel = sweep.time.panel;
  const int b = panel.end;
  if (source.C != nullptr) {
    sweep.algebra.times_symmetric(left, rows_of(R, panel), *source.C, source.scale);
    if (weight != 0.0) sweep.algebra.times_transposed(C_rows, left, R, weight, beta);
    return;
  }
  for (int i = 0; i < panel.size(); ++i) {
    double* row = C_rows.row(i);
    for (int s = 0; s < b; ++s) row[s] = beta == 0.0 ? 0.0 : beta * row[s];
    for (std::size_t c = 0; c < sums.size(); ++c) {
      const double sum = source.scale * sums[c][static_cast<std::size_t>(panel.begin + i)];
      for (int s = static_cast<int>(c); s < b; s += sweep.time.outputs)
        left(i, s) = sweep.time.unit == nullptr ? sum : sum * sweep.time.unit[s];
      for (int s = 0; s < b; ++s) row[s] += weight * sum * sums[c][static_cast<std::size_t>(s)];
    }
  }
}

}  // namespace

LinearProcess::LinearProcess(int nodes, int rows, SourceFactor d, int outputs)
    : C(nodes, nodes),
      own(nodes, nodes),
      cross(nodes, nodes),
      d_(d),
      own_history_(rows, nodes),
      cross_history_(rows, nodes),
      block_(rows, rows),
      own_sum_(output_sums(outputs, nodes)),
      cross_sum_(own_sum_),
      with_partner_(static_cast<std::size_t>(nodes)) {}

void LinearProcess::guess_responses(const linalg::Guess& guess) {
  linalg::clear_rows(own, guess.panel);
  linalg::guess_causal(cross, guess);
}

void LinearProcess::clear_responses(Panel panel) {
  linalg::clear_rows(own, panel);
  linalg::clear_rows(cross, panel);
}

void LinearProcess::visit(const std::string& prefix, const StateVisitor& visitor) {
  visitor.function(prefix + ".C", C);
  visitor.function(prefix + ".own", own);
  visitor.function(prefix + ".cross", cross);
  visit_sums(prefix + ".own_sum", own_sum_, visitor);
  visit_sums(prefix + ".cross_sum", cross_sum_, visitor);
}

void LinearProcess::set_kernel(const Sweep& sweep, ConstView k, const LinearProcess& partner, double gamma0_sq) {
  const Panel panel = sweep.time.panel;
  const int p = panel.size();
  const int b = panel.end;
  for (int i = 0; i < p; ++i) std::copy_n(k.row(i) + panel.begin, p, block_.row(i));
  sweep.algebra.times_history(linalg::leading(cross_history_, p, b), k, partner.own, panel.begin);
  const View own_rows = linalg::leading(own_history_, p, b);
  sweep.algebra.times_history(own_rows, k, partner.cross, panel.begin, gamma0_sq);
  if (d_ == SourceFactor::decay) {
    add_decay(own_rows, sweep.time);
  } else {
    add_identity(own_rows, sweep.time.panel);
  }
}

void LinearProcess::respond(const Sweep& sweep, const LinearProcess& partner, double gamma0_sq) {
  respond(cross, sweep, cross_history_, partner.own_history_, partner, 1.0, gamma0_sq);
  respond(own, sweep, own_history_, partner.cross_history_, partner, gamma0_sq, gamma0_sq);
  row_sums(own_sum_, own, sweep.time.panel, sweep.time.networks(), sweep.time.unit);
  row_sums(cross_sum_, cross, sweep.time.panel, sweep.time.networks(), sweep.time.unit);
}

// Let k and k' be the blocks of the two kernels within the panel. Eliminating the partner's rows gives
//     (I - gamma0^2 k k') rows = history + coupling k (partner's history).
void LinearProcess::respond(Matrix& response, const Sweep& sweep, const Matrix& history, const Matrix& partner_history,
                            const LinearProcess& partner, double coupling, double gamma0_sq) {
  const Panel panel = sweep.time.panel;
  const int p = panel.size();
  const int b = panel.end;
  const ConstView k = linalg::leading(block_, p, p);
  const View rows = sweep.scratch(Buffer::rows, p, b);
  const View system = sweep.scratch.block(p);
  for (int i = 0; i < p; ++i) {
    std::copy_n(history.row(i), b, rows.row(i));
    std::fill_n(system.row(i), p, 0.0);
    system(i, i) = 1.0;
  }
  linalg::add_block_product(rows, k, linalg::leading(partner_history, p, b), coupling);
  linalg::add_block_product(system, k, linalg::leading(partner.block_, p, p), -gamma0_sq);
  linalg::solve_block(system, rows);
  linalg::replace_rows(response, panel, rows, sweep.changes);
}

void LinearProcess::correlate(const Sweep& sweep, const LinearProcess& partner, Source own_source, Source cross_source,
                              double gamma0_sq) {
  const Panel panel = sweep.time.panel;
  const int b = panel.end;
  const View rows = sweep.scratch(Buffer::rows, panel.size(), b);
  const View own_left = sweep.scratch(Buffer::left, panel.size(), b);     // <x a>
  const View cross_left = sweep.scratch(Buffer::extra, panel.size(), b);  // <x b> / gamma0
  add_correlation(rows, own_left, sweep, own, own_sum_, own_source, 1.0, 0.0);
  add_correlation(rows, cross_left, sweep, cross, cross_sum_, cross_source, gamma0_sq, 1.0);
  for (int i = 0; i < panel.size(); ++i) {
    const int t = panel.begin + i;
    const double by_own = linalg::dot(own_left.row(i), partner.cross.row(t), b);
    const double by_cross = linalg::dot(cross_left.row(i), partner.own.row(t), b);
    with_partner_[static_cast<std::size_t>(t)] = {by_own + by_cross, std::abs(by_own) + std::abs(by_cross)};
  }
  linalg::replace_symmetric(C, panel, rows, sweep.changes);
}

}  // namespace lindmft::theory
