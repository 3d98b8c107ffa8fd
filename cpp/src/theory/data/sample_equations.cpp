#include "theory/data/sample_equations.hpp"

#include <algorithm>

namespace lindmft::theory {

using linalg::Complex;
using linalg::ConstView;
using linalg::Small;
using linalg::View;

namespace {

using Row = std::vector<Complex>;

/// The function r (see the header) of an upper triangular matrix.
Small response_of(const Small& x, double a) {
  const Small one(x.size(), 1.0);
  const Small b = combine(a, one, 1.0 - a, x);
  const Small root = linalg::triangular_root(combine(1.0, b * b, 4.0 * a * a, x));
  return combine(2.0 * a, linalg::triangular_inverse(combine(1.0, b, 1.0, root)), 0.0, one);
}

/// U^* rows.
std::vector<Row> to_basis(const Small& U, ConstView rows) {
  std::vector<Row> out(static_cast<std::size_t>(rows.rows), Row(static_cast<std::size_t>(rows.cols)));
  for (int i = 0; i < rows.rows; ++i) {
    for (int k = 0; k < rows.rows; ++k) {
      const Complex u = std::conj(U(k, i));
      const double* from = rows.row(k);
      Row& to = out[static_cast<std::size_t>(i)];
      for (int s = 0; s < rows.cols; ++s) to[static_cast<std::size_t>(s)] += u * from[s];
    }
  }
  return out;
}

/// out = U rows, whose imaginary part vanishes.
void from_basis(View out, const Small& U, const std::vector<Row>& rows) {
  for (int i = 0; i < out.rows; ++i) {
    std::fill_n(out.row(i), out.cols, 0.0);
    for (int k = 0; k < out.rows; ++k) {
      const Complex u = U(i, k);
      const Row& from = rows[static_cast<std::size_t>(k)];
      for (int s = 0; s < out.cols; ++s) {
        const Complex y = from[static_cast<std::size_t>(s)];
        out(i, s) += u.real() * y.real() - u.imag() * y.imag();
      }
    }
  }
}

/// Row i of t rows, t upper triangular, without the term of t's diagonal.
Row above_diagonal(const Small& t, const std::vector<Row>& rows, int i, int cols) {
  Row z(static_cast<std::size_t>(cols));
  for (int j = i + 1; j < t.size(); ++j) {
    const Complex weight = t(i, j);
    const Row& from = rows[static_cast<std::size_t>(j)];
    for (std::size_t s = 0; s < z.size(); ++s) z[s] += weight * from[s];
  }
  return z;
}

/// Real and imaginary parts in separate rows, so that products with real matrices are simple loops.
struct Parts {
  explicit Parts(int n) : re(static_cast<std::size_t>(n)), im(static_cast<std::size_t>(n)) {}
  std::vector<double> re, im;
};

/// Solves  y (a + m H) = rhs - z H  for one row y, H block lower triangular: from the last panel to the first.
void solve_response(Row& y, const Row& z, double a, Complex m, const Matrix& H, const PanelMap& map) {
  const int n = static_cast<int>(y.size());
  Parts sum(n);  // known rows times H
  for (int end = n; end > 0;) {
    const int begin = map.begin_of(end - 1);
    const int p = end - begin;
    Small system(p, a);
    Complex* x = y.data() + begin;
    for (int j = 0; j < p; ++j) {
      x[j] -= Complex(sum.re[static_cast<std::size_t>(begin + j)], sum.im[static_cast<std::size_t>(begin + j)]);
      for (int i = 0; i < p; ++i) {
        const double h = H(begin + i, begin + j);
        system(i, j) += m * h;
        x[j] -= z[static_cast<std::size_t>(begin + i)] * h;
      }
    }
    linalg::solve_row(system, x);
    for (int i = 0; i < p; ++i) {
      const Complex s = m * x[i] + z[static_cast<std::size_t>(begin + i)];
      const double* row = H.row(begin + i);
      for (int c = 0; c < begin; ++c) {
        sum.re[static_cast<std::size_t>(c)] += s.real() * row[c];
        sum.im[static_cast<std::size_t>(c)] += s.imag() * row[c];
      }
    }
    end = begin;
  }
}

/// Solves  y - a (w y + z) W^T = rhs  for one row y, W = I - R: from the first panel to the last.
void solve_correlation(Row& y, const Row& z, double a, Complex w, const Matrix& R, const PanelMap& map) {
  const int n = static_cast<int>(y.size());
  Parts known(n);  // w y + z
  for (int begin = 0; begin < n;) {
    const int end = map.end_of(begin);
    const int p = end - begin;
    Small system(p, 1.0);
    Complex* x = y.data() + begin;
    for (int j = 0; j < p; ++j) {
      const double* row = R.row(begin + j);
      double re = 0.0, im = 0.0;
      for (int c = 0; c < begin; ++c) {
        re -= row[c] * known.re[static_cast<std::size_t>(c)];
        im -= row[c] * known.im[static_cast<std::size_t>(c)];
      }
      x[j] += a * Complex(re, im);
      for (int i = 0; i < p; ++i) {
        const double entry = (i == j ? 1.0 : 0.0) - row[begin + i];
        system(i, j) -= a * w * entry;
        x[j] += a * z[static_cast<std::size_t>(begin + i)] * entry;
      }
    }
    linalg::solve_row(system, x);
    for (int i = 0; i < p; ++i) {
      const Complex s = w * x[i] + z[static_cast<std::size_t>(begin + i)];
      known.re[static_cast<std::size_t>(begin + i)] = s.real();
      known.im[static_cast<std::size_t>(begin + i)] = s.imag();
    }
    begin = end;
  }
}

/// Solves  C - a W C W^* = F  in place, W upper triangular: from the last entry to the first.
void solve_block(Small& C, const Small& W, double a) {
  const int p = C.size();
  for (int i = p - 1; i >= 0; --i) {
    for (int j = p - 1; j >= 0; --j) {
      Complex sum = C(i, j);
      for (int k = i; k < p; ++k) {
        for (int l = j; l < p; ++l) {
          if (k != i || l != j) sum += a * W(i, k) * C(k, l) * std::conj(W(j, l));
        }
      }
      C(i, j) = sum / (1.0 - a * W(i, i) * std::conj(W(j, j)));
    }
  }
}

/// The adjoint m^*.
Small adjoint(const Small& m) {
  Small out(m.size());
  for (int i = 0; i < m.size(); ++i) {
    for (int j = 0; j < m.size(); ++j) out(i, j) = std::conj(m(j, i));
  }
  return out;
}

ConstView block_of(ConstView x, Panel panel) { return x.block(0, panel.begin, panel.size(), panel.size()); }

}  // namespace

SampleEquations::SampleEquations(double a, ConstView x, const Sweep& sweep)
    : a_(a),
      panel_(sweep.time.panel),
      schur_(block_of(x, panel_)),
      R_(response_of(schur_.T, a)),
      W_(combine(1.0, Small(panel_.size(), 1.0), -1.0, R_)) {}

// The panel's rows of a R X R + (a + (1 - a) X) R = a are linear in the columns of R before the panel. Times H they are
//     a R_ph + M R_ph H_hh = -(a R_pp + 1 - a) X_ph R_hh H_hh,   M = (a R_pp + 1 - a) X_pp.
void SampleEquations::response(View out, ConstView x, const Matrix& R, const Matrix& H, const Sweep& sweep) const {
  const int p = panel_.size();
  const int h = panel_.begin;
  const Small factor = combine(a_, R_, 1.0 - a_, Small(p, 1.0));
  const Small M = factor * schur_.T;
  if (h > 0) {
    const View XR = sweep.scratch(Buffer::left, p, h);
    const View rhs = sweep.scratch(Buffer::extra, p, h);
    sweep.algebra.times_history(XR, x.block(0, 0, p, h), R, h);
    sweep.algebra.times_history(rhs, XR, H, h, -1.0);
    const std::vector<Row> given = to_basis(schur_.U, rhs);
    std::vector<Row> rows(static_cast<std::size_t>(p));
    for (int i = p - 1; i >= 0; --i) {
      Row& row = rows[static_cast<std::size_t>(i)];
      row = above_diagonal(factor, given, i, h);
      for (std::size_t s = 0; s < row.size(); ++s) row[s] += factor(i, i) * given[static_cast<std::size_t>(i)][s];
      solve_response(row, above_diagonal(M, rows, i, h), a_, M(i, i), H, sweep.algebra.map());
    }
    from_basis(out.block(0, 0, p, h), schur_.U, rows);
  }
  const Small block = schur_.U * R_ * adjoint(schur_.U);
  for (int i = 0; i < p; ++i) {
    for (int j = 0; j < p; ++j) out(i, h + j) = block(i, j).real();
  }
}

void SampleEquations::correlation(View out, ConstView F, const Matrix& R, const Matrix& C_e, const Sweep& sweep) const {
  const int p = panel_.size();
  const int h = panel_.begin;
  const Small to = adjoint(schur_.U);
  Small block(p);
  for (int i = 0; i < p; ++i) {
    for (int j = 0; j < p; ++j) block(i, j) = F(i, h + j);
  }
  if (h > 0) {
    // W_ph C_hh W^T, of which W_ph = -R_ph.
    const ConstView R_ph = linalg::leading(R, panel_.end, h).block(h, 0, p, h);
    const View left = sweep.scratch(Buffer::left, p, h);
    const View rhs = sweep.scratch(Buffer::extra, p, h);
    sweep.algebra.times_symmetric(left, R_ph, C_e, -1.0);
    sweep.algebra.times_transposed(rhs, left, R, -a_);
    for (int i = 0; i < p; ++i) {
      for (int s = 0; s < h; ++s) rhs(i, s) += F(i, s) + a_ * left(i, s);
    }
    std::vector<Row> rows = to_basis(schur_.U, rhs);
    for (int i = p - 1; i >= 0; --i) {
      solve_correlation(rows[static_cast<std::size_t>(i)], above_diagonal(W_, rows, i, h), a_, W_(i, i), R,
                        sweep.algebra.map());
    }
    const View C_ph = out.block(0, 0, p, h);
    from_basis(C_ph, schur_.U, rows);
    // The panel's own columns: F + a (W_ph C_hp W_pp^T + W_ph C_hh W_ph^T + W_pp C_ph W_ph^T).
    Small cross(p), square(p);
    for (int i = 0; i < p; ++i) {
      for (int j = 0; j < p; ++j) {
        double c = 0.0, q = 0.0;
        for (int s = 0; s < h; ++s) {
          c -= R_ph(i, s) * C_ph(j, s);
          q -= left(i, s) * R_ph(j, s);
        }
        cross(i, j) = c;
        square(i, j) = q;
      }
    }
    Small W(p, 1.0);
    for (int i = 0; i < p; ++i) {
      for (int j = 0; j < p; ++j) W(i, j) -= R(h + i, h + j);
    }
    const Small half = cross * adjoint(W);
    block = combine(1.0, block, a_, combine(1.0, combine(1.0, half, 1.0, adjoint(half)), 1.0, square));
  }
  Small C = to * block * schur_.U;
  solve_block(C, W_, a_);
  const Small solved = schur_.U * C * to;
  for (int i = 0; i < p; ++i) {
    for (int j = 0; j < p; ++j) out(i, h + j) = solved(i, j).real();
  }
}

}  // namespace lindmft::theory
