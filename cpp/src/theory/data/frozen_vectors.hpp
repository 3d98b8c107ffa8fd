// The sources of the vectors in frozen rows (time_grid/frozen_rows.hpp) on the data side. With the recurrence
//     v_{k+1} = -step N S v_k + first v_k + second v_{k-1},
// every vector is a combination of what the frozen rows of its chain give, v = P (s - Bt u): P is lower triangular with
// ones on the diagonal. The equations of the data side keep their form, with P Bt and P s in place of Bt and s.
#pragma once

#include <vector>

#include "linalg/view.hpp"
#include "lindmft/matrix.hpp"
#include "time_grid/panel_time.hpp"

namespace lindmft::theory {

/// P, and its action on the rows of a panel.
class FrozenVectors {
 public:
  /// Adds the panel's rows to P. The first panel of level 0 starts anew.
  void extend(const PanelTime& time);

  /// rows += first and second times the rows of m on the levels before: the panel's rows of P m.
  void add_earlier_rows(linalg::View rows, const PanelTime& time, const Matrix& m) const;
  /// The panel's rows of P s s^T P^T: what initial weights give, scale D_w C_g^1 D_w, and random start vectors. (Of
  /// nodes of training minus the values at the start, if centered.)
  void source_rows(linalg::View rows, const PanelTime& time, const Matrix& C_g1, double scale, bool centered);
  /// rows <- rows P, without the columns of start vectors, to which initial weights do not contribute.
  void times_sources(linalg::View rows, const PanelTime& time) const;
  /// sums[t] += the part in the unit target of row t of m, from the columns of frozen rows.
  void add_targets(std::vector<double>& sums, const Matrix& m, const PanelTime& time) const;
  /// The part of every row's vector in a unit target: 1 at nodes of training.
  [[nodiscard]] const std::vector<double>& targets() const { return targets_; }

 private:
  [[nodiscard]] double P(int row, int column) const {
    return P_[static_cast<std::size_t>(row - begin_)][static_cast<std::size_t>(column - begin_)];
  }

  int begin_ = 0;
  std::vector<std::vector<double>> P_;        // its rows, up to the diagonal
  std::vector<std::vector<double>> sources_;  // rows of P s s^T P^T, up to the diagonal
  std::vector<double> targets_;               // panel.end
};

}  // namespace lindmft::theory
