// The loops of mode_batch.cpp over many modes, eight modes in a vector. Rows of a chunk of modes are stored as columns,
// called lanes: row i of mode k is lane i chunk + k, and a line contains all lanes at one time. `lambda` is a line of
// the modes' eigenvalues; known, f, y and z are lines of several times.
#pragma once

#include <cstddef>

#include "linalg/blas.hpp"

namespace lindmft::theory::mode_lanes {

constexpr int kLanes = 8;        // number of modes in a vector
constexpr int kBlock = 8;        // number of times that are solved together if X is strictly lower triangular
constexpr int kDenseRows = 160;  // largest number of rows of a dense block

/// Block of f with  f = e - lambda (known + f X),  X strictly lower triangular; f contains e, or e is zero.
void solve_back(linalg::View f, linalg::ConstView known, const double* lambda, linalg::ConstView X, bool zero);
/// Block of y with  y = z - lambda (known + y X^T),  X strictly lower triangular; y contains z.
void solve_forward(linalg::View y, linalg::ConstView known, const double* lambda, linalg::ConstView X);
/// rows <- rows F, or rows F^T, of a dense block; entry (i, j) of F is line stride i + j of `inverse`.
void times_inverse(linalg::View rows, linalg::ConstView inverse, int stride, bool transposed, int chunk);
/// out = e - lambda known, where out contains e, or e is zero
void subtract(linalg::View out, linalg::ConstView known, const double* lambda, bool zero);

/// sums += f, over times
void add_lines(double* sums, linalg::ConstView f);
/// sums += weights f, with one weight for each time
void add_weighted_lines(double* sums, linalg::ConstView f, const double* weights);
/// sums += weight times line s of f times a pattern, which has one number for each mode of a chunk
void add_patterned_line(double* sums, linalg::ConstView f, int s, linalg::ConstView patterns, int which, double weight);
/// first(i, s) and second(i, s) += sums over modes of w f
void add_moments(linalg::View first, linalg::View second, linalg::ConstView f, const double* w1, const double* w2,
                 int chunk);
/// The same for y + at target, where `at` is a line of the rows and target has lines of all times.
void add_congruences(linalg::View first, linalg::View second, linalg::ConstView y, linalg::ConstView target,
                     const double* at, const double* w1, const double* w2, int chunk);
/// by_a += a . f, by_b += lambda b . f, lane by lane, and a += lambda b
void join(linalg::View a, linalg::ConstView b, linalg::ConstView f, const double* lambda, double* by_a, double* by_b);
/// by_a += a . f
void add_dots(linalg::ConstView a, linalg::ConstView f, double* by_a);
/// x . w
double weighted(const double* x, const double* w, int n);
/// to += from, for n numbers
void add(double* to, const double* from, std::ptrdiff_t n);

}  // namespace lindmft::theory::mode_lanes
