#include "theory/core/memory_kernel.hpp"

namespace lindmft::theory {

void kernel_rows(linalg::View out, const PanelTime& time, const Matrix* R, const Matrix* C, Scales::Array array,
                 double scale, Pass pass) {
  const double weight = scale * array.lr;
  const int a = time.panel.begin;
  const int b = time.panel.end;
  for (int i = 0; i < out.rows; ++i) {
    double* to = out.row(i);
    const double* K = time.K.row(i);
    if (C == nullptr) {
      const double g = a + i < time.networks() ? 1.0 : 0.0;  // the readout's own g; a passed vector has none
      for (int s = 0; s < b; ++s) to[s] = g * weight * K[s];
      for (int s = 0; s < b && time.unit != nullptr; ++s) to[s] *= time.unit[s];
      for (int s = 0; s < b && time.outputs > 1; ++s) to[s] *= time.same_output(a + i, s) ? 1.0 : 0.0;
    } else {
      const double* c = C->row(a + i);
      for (int s = 0; s < b; ++s) to[s] = weight * K[s] * c[s];
    }
    if (R == nullptr) continue;
    const double d = scale * array.start * time.decay[a + i];
    const double* r = R->row(a + i);
    for (int s = 0; s < b; ++s) to[s] += d * r[s];
  }
  if (pass == Pass::backward) add_frozen(out, time, C, weight);
}

void add_frozen(linalg::View rows, const PanelTime& time, const Matrix* C, double weight) {
  if (time.frozen == nullptr) return;
  const FrozenRows& frozen = *time.frozen;
  for (int i = 0; i < rows.rows; ++i) {
    const int t = time.panel.begin + i;
    if (frozen.is_start(t)) continue;
    const int weights = frozen.start(t);
    const double kappa = C == nullptr ? 1.0 : (*C)(weights, weights);
    rows(i, frozen.before(t)) += weight * frozen.chain(t).step * kappa;
  }
}

void times_decay(linalg::View rows, const PanelTime& time) {
  for (int i = 0; i < rows.rows; ++i) {
    for (int s = 0; s < rows.cols; ++s) rows(i, s) *= time.decay[s];
  }
}

void decayed_rows(linalg::View out, const Matrix& m, const PanelTime& time) {
  for (int i = 0; i < out.rows; ++i) {
    const double* from = m.row(time.panel.begin + i);
    for (int s = 0; s < out.cols; ++s) out(i, s) = from[s] * time.decay[s];
  }
}

void add_identity(linalg::View rows, Panel panel) {
  for (int i = 0; i < rows.rows; ++i) rows(i, panel.begin + i) += 1.0;
}

void add_decay(linalg::View rows, const PanelTime& time) {
  for (int i = 0; i < rows.rows; ++i) rows(i, time.panel.begin + i) += time.decay[time.panel.begin + i];
}

}  // namespace lindmft::theory
