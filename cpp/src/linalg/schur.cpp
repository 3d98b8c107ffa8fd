#include "linalg/schur.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace lindmft::linalg {
namespace {

constexpr int kMostSteps = 60;        // largest number of QR steps for one eigenvalue
constexpr int kExceptional = 11;      // every eleventh step has another shift, in case the iteration repeats itself
constexpr double kNegligible = 1e-3;  // fraction of the largest entry whose rounding error counts as zero

/// The rotation [c s; -conj(s) c] that takes (a, b) to (r, 0).
struct Rotation {
  double c = 1.0;
  Complex s = 0.0;

  Rotation(Complex a, Complex b) {
    if (std::abs(b) == 0.0) return;
    if (std::abs(a) == 0.0) {
      c = 0.0;
      s = std::conj(b) / std::abs(b);
      return;
    }
    const double size = std::hypot(std::abs(a), std::abs(b));
    c = std::abs(a) / size;
    s = a / std::abs(a) * std::conj(b) / size;
  }
};

/// Rotates rows i and i + 1 of m, from column `first` on.
void rotate_rows(Small& m, int i, const Rotation& g, int first) {
  for (int j = first; j < m.size(); ++j) {
    const Complex a = m(i, j);
    const Complex b = m(i + 1, j);
    m(i, j) = g.c * a + g.s * b;
    m(i + 1, j) = -std::conj(g.s) * a + g.c * b;
  }
}

/// Rotates columns i and i + 1 of m down to row `last`, by the adjoint from the right.
void rotate_columns(Small& m, int i, const Rotation& g, int last) {
  for (int k = 0; k <= last; ++k) {
    const Complex a = m(k, i);
    const Complex b = m(k, i + 1);
    m(k, i) = g.c * a + std::conj(g.s) * b;
    m(k, i + 1) = -g.s * a + g.c * b;
  }
}

/// Makes T zero below the first subdiagonal and collects the rotations in U.
void to_hessenberg(Small& T, Small& U) {
  const int n = T.size();
  for (int j = 0; j + 2 < n; ++j) {
    for (int i = n - 2; i > j; --i) {
      const Rotation g(T(i, j), T(i + 1, j));
      rotate_rows(T, i, g, j);
      T(i + 1, j) = 0.0;
      rotate_columns(T, i, g, n - 1);
      rotate_columns(U, i, g, n - 1);
    }
  }
}

/// The eigenvalue of the 2 x 2 block that ends at `last` which is closer to its last entry.
Complex shift(const Small& T, int last) {
  const Complex a = T(last - 1, last - 1), b = T(last - 1, last), c = T(last, last - 1), d = T(last, last);
  const Complex half = 0.5 * (a - d);
  const Complex root = std::sqrt(half * half + b * c);
  const Complex larger = std::abs(half + root) > std::abs(half - root) ? half + root : half - root;
  return std::abs(larger) == 0.0 ? d : d - b * c / larger;
}

void qr_step(Small& T, Small& U, int first, int last, Complex mu) {
  std::vector<Rotation> rotations;
  for (int i = first; i <= last; ++i) T(i, i) -= mu;
  for (int i = first; i < last; ++i) {
    rotations.emplace_back(T(i, i), T(i + 1, i));
    rotate_rows(T, i, rotations.back(), i);
    T(i + 1, i) = 0.0;
  }
  for (int i = first; i < last; ++i) {
    const Rotation& g = rotations[static_cast<std::size_t>(i - first)];
    rotate_columns(T, i, g, i + 1);
    rotate_columns(U, i, g, T.size() - 1);
  }
  for (int i = first; i <= last; ++i) T(i, i) += mu;
}

}  // namespace

Small operator*(const Small& a, const Small& b) {
  const int n = a.size();
  Small out(n);
  for (int i = 0; i < n; ++i) {
    for (int k = 0; k < n; ++k) {
      for (int j = 0; j < n; ++j) out(i, j) += a(i, k) * b(k, j);
    }
  }
  return out;
}

Small combine(Complex x, const Small& a, Complex y, const Small& b) {
  Small out(a.size());
  for (int i = 0; i < a.size(); ++i) {
    for (int j = 0; j < a.size(); ++j) out(i, j) = x * a(i, j) + y * b(i, j);
  }
  return out;
}

Schur::Schur(ConstView a) : U(a.rows, 1.0), T(a.rows) {
  double largest = 0.0;
  for (int i = 0; i < a.rows; ++i) {
    for (int j = 0; j < a.cols; ++j) {
      T(i, j) = a(i, j);
      largest = std::max(largest, std::abs(a(i, j)));
    }
  }
  to_hessenberg(T, U);
  const double epsilon = std::numeric_limits<double>::epsilon();
  const auto small = [&](int i) {
    const double near = std::abs(T(i, i)) + std::abs(T(i + 1, i + 1));
    return std::abs(T(i + 1, i)) <= epsilon * std::max(near, kNegligible * largest);
  };
  int steps = 0;
  for (int last = a.rows - 1; last > 0;) {
    if (small(last - 1) || steps > kMostSteps) {
      T(last, last - 1) = 0.0;
      --last;
      steps = 0;
      continue;
    }
    int first = last - 1;
    while (first > 0 && !small(first - 1)) --first;
    if (first > 0) T(first, first - 1) = 0.0;
    ++steps;
    const bool exceptional = steps % kExceptional == 0;
    qr_step(T, U, first, last, exceptional ? T(last, last) + std::abs(T(last, last - 1)) : shift(T, last));
  }
}

Small triangular_inverse(const Small& t) {
  const int n = t.size();
  Small out(n);
  for (int j = n - 1; j >= 0; --j) {
    out(j, j) = 1.0 / t(j, j);
    for (int i = j - 1; i >= 0; --i) {
      Complex sum = 0.0;
      for (int k = i + 1; k <= j; ++k) sum += t(i, k) * out(k, j);
      out(i, j) = -sum / t(i, i);
    }
  }
  return out;
}

// The algorithm of Bjorck and Hammarling, one superdiagonal after the other.
Small triangular_root(const Small& t) {
  const int n = t.size();
  Small out(n);
  for (int i = 0; i < n; ++i) out(i, i) = std::sqrt(t(i, i));
  for (int d = 1; d < n; ++d) {
    for (int i = 0; i + d < n; ++i) {
      Complex sum = t(i, i + d);
      for (int k = i + 1; k < i + d; ++k) sum -= out(i, k) * out(k, i + d);
      out(i, i + d) = sum / (out(i, i) + out(i + d, i + d));
    }
  }
  return out;
}

// Gaussian elimination by columns.
void solve_row(Small& s, Complex* x) {
  const int n = s.size();
  for (int k = 0; k < n; ++k) {
    int best = k;
    for (int j = k + 1; j < n; ++j) {
      if (std::norm(s(k, j)) > std::norm(s(k, best))) best = j;
    }
    if (best != k) {
      for (int i = k; i < n; ++i) std::swap(s(i, k), s(i, best));
      std::swap(x[k], x[best]);
    }
    const Complex inverse = 1.0 / s(k, k);
    for (int j = k + 1; j < n; ++j) {
      const Complex factor = s(k, j) * inverse;
      for (int i = k; i < n; ++i) s(i, j) -= factor * s(i, k);
      x[j] -= factor * x[k];
    }
  }
  for (int k = n - 1; k >= 0; --k) {
    for (int i = k + 1; i < n; ++i) x[k] -= s(i, k) * x[i];
    x[k] /= s(k, k);
  }
}

}  // namespace lindmft::linalg
