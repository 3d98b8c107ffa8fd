// Schur bases of small matrices, and functions of upper triangular ones.
#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

#include "linalg/schur.hpp"

namespace lindmft::linalg {
namespace {

enum class Kind { full, tiny, nilpotent, zero };

std::vector<double> example(int n, Kind kind) {
  std::mt19937 random(static_cast<unsigned>(n));
  std::normal_distribution<double> normal;
  std::vector<double> a(static_cast<std::size_t>(n * n));
  for (int i = 0; i < n; ++i) {
    for (int j = 0; j < n; ++j) {
      const double x = normal(random);
      if (kind == Kind::full) a[static_cast<std::size_t>(i * n + j)] = x;
      if (kind == Kind::tiny) a[static_cast<std::size_t>(i * n + j)] = 1e-9 * x;
      if (kind == Kind::nilpotent && j < i) a[static_cast<std::size_t>(i * n + j)] = x;
    }
  }
  return a;
}

double largest(const Small& m) {
  double out = 0.0;
  for (int i = 0; i < m.size(); ++i) {
    for (int j = 0; j < m.size(); ++j) out = std::max(out, std::abs(m(i, j)));
  }
  return out;
}

Small adjoint(const Small& m) {
  Small out(m.size());
  for (int i = 0; i < m.size(); ++i) {
    for (int j = 0; j < m.size(); ++j) out(i, j) = std::conj(m(j, i));
  }
  return out;
}

TEST(Schur, BasisIsUnitaryAndTriangular) {
  for (const int n : {1, 2, 3, 6, 8, 10}) {
    for (const Kind kind : {Kind::full, Kind::tiny, Kind::nilpotent, Kind::zero}) {
      const std::vector<double> a = example(n, kind);
      const Schur schur(ConstView(a.data(), n, n, n));
      Small original(n);
      for (int i = 0; i < n; ++i) {
        for (int j = 0; j < n; ++j) {
          original(i, j) = a[static_cast<std::size_t>(i * n + j)];
          if (j < i) {
            EXPECT_EQ(schur.T(i, j), 0.0);
          }
        }
      }
      const Small back = schur.U * schur.T * adjoint(schur.U);
      EXPECT_LE(largest(combine(1.0, back, -1.0, original)), 1e-14 * (n + 4) * largest(original));
      EXPECT_LE(largest(combine(1.0, schur.U * adjoint(schur.U), -1.0, Small(n, 1.0))), 1e-14 * n);
    }
  }
}

TEST(Schur, RootSquaredAndInverseTimes) {
  for (const int n : {1, 5, 8}) {
    const std::vector<double> a = example(n, Kind::full);
    Small t = Schur(ConstView(a.data(), n, n, n)).T;
    for (int i = 0; i < n; ++i) t(i, i) += 4.0;
    const Small root = triangular_root(t);
    for (int i = 0; i < n; ++i) EXPECT_GE(root(i, i).real(), 0.0);
    EXPECT_LE(largest(combine(1.0, root * root, -1.0, t)), 1e-13 * largest(t));
    EXPECT_LE(largest(combine(1.0, triangular_inverse(t) * t, -1.0, Small(n, 1.0))), 1e-12);
  }
}

TEST(Schur, RowsAreSolvedForWithPivots) {
  Small s(3);
  s(0, 1) = 2.0;
  s(1, 0) = Complex(0.0, 1.0);
  s(1, 2) = 3.0;
  s(2, 2) = 1.0;
  std::vector<Complex> x{1.0, Complex(2.0, -1.0), 3.0};
  std::vector<Complex> y(3);
  for (int j = 0; j < 3; ++j) {
    for (int i = 0; i < 3; ++i) y[static_cast<std::size_t>(j)] += x[static_cast<std::size_t>(i)] * s(i, j);
  }
  solve_row(s, y.data());
  for (std::size_t i = 0; i < 3; ++i) EXPECT_LE(std::abs(y[i] - x[i]), 1e-14);
}

}  // namespace
}  // namespace lindmft::linalg
