// The passes over big arrays. A step reads every weight twice and writes it once, and reads every sample once:
// the product of a row and its update share one visit, and so do a sample's prediction and its share of the gradient.
// These fused passes take 0.5 to 0.8 of the time of BLAS (dgemv and dger, or two dgemv), in every cache and in memory.
//
// Sums run in a fixed order, eight lanes at a time. Vectors are as long as the padded row or column count they meet
// (padded.hpp), with zeros there.
#pragma once

#include "training/padded.hpp"
#include "training/sgd.hpp"

namespace lindmft::training {

/// sum_i x_i y_i
double dot(const PaddedVector& x, const PaddedVector& y);

/// out = scale w^T g
void backward_product(const PaddedMatrix& w, const PaddedVector& g, double scale, PaddedVector& out);

/// out = scale w h
void forward_product(const PaddedMatrix& w, const PaddedVector& h, double scale, PaddedVector& out);

/// out = scale w h, and then one step of w without momentum along the gradient G = rank_one g h^T
void forward_step(PaddedMatrix& w, const PaddedVector& h, double scale, PaddedVector& out, const PaddedVector& g,
                  double rank_one, const LinearStep& step);

/// The same with the momentum buffer of w
void forward_step(PaddedMatrix& w, PaddedMatrix& buffer, const PaddedVector& h, double scale, PaddedVector& out,
                  const PaddedVector& g, double rank_one, const LinearStep& step);

/// w += factor g h^T
void add_outer(PaddedMatrix& w, const PaddedVector& g, const PaddedVector& h, double factor);

/// A vector of weights and its buffer, one step along G = scale h
void vector_step(PaddedVector& w, PaddedVector& buffer, const PaddedVector& h, double scale, const LinearStep& step);

/// The first `rows` samples of z, with residuals Delta_r = noise_r + z_r . v: u += sum_r kept_r Delta_r z_r. Returns
/// sum_r Delta_r^2. Rows beyond, up to a whole group, must be zero, and so must their noise.
double accumulate_gradient(const PaddedMatrix& z, int rows, const PaddedVector& v, const PaddedVector& noise,
                           const PaddedVector& kept, PaddedVector& u);

}  // namespace lindmft::training
