#include "time_grid/merge.hpp"

#include <algorithm>
#include <cstddef>

namespace lindmft {

int Merges::removed() const {
  int sum = 0;
  for (const Merge& merge : merges_) sum += merge.Q.rows() - merge.Q.cols();
  return sum;
}

namespace {

/// x Q for the rows of one output, which are `stride` apart; writes the result in their place.
void project(double* from, double* to, int stride, const Matrix& Q, std::vector<double>& coefficients) {
  coefficients.assign(static_cast<std::size_t>(Q.cols()), 0.0);
  for (int i = 0; i < Q.rows(); ++i) {
    const double value = from[i * stride];
    const double* q = Q.row(i);
    for (std::size_t j = 0; j < coefficients.size(); ++j) coefficients[j] += value * q[j];
  }
  for (int j = 0; j < Q.cols(); ++j) to[j * stride] = coefficients[static_cast<std::size_t>(j)];
}

}  // namespace

void Merges::apply(double* x, int rows, int outputs) const {
  int from = 0;
  int to = 0;
  std::vector<double> coefficients;
  const auto move = [&](int end) {
    if (from != to) std::copy(x + from, x + end, x + to);
    to += end - from;
    from = end;
  };
  for (const Merge& merge : merges_) {
    move(merge.begin * outputs);
    for (int c = 0; c < outputs; ++c) project(x + from + c, x + to + c, outputs, merge.Q, coefficients);
    from += merge.Q.rows() * outputs;
    to += merge.Q.cols() * outputs;
  }
  move(rows);
  std::fill(x + to, x + rows, 0.0);
}

void Merges::apply(Matrix& function, int rows, int outputs) const {
  for (int t = 0; t < rows; ++t) apply(function.row(t), rows, outputs);
  const int left = rows - removed() * outputs;
  int from = 0;
  int to = 0;
  Matrix merged;
  const auto move = [&](int end) {
    for (; from < end; ++from, ++to) {
      if (from != to) std::copy_n(function.row(from), left, function.row(to));
    }
  };
  for (const Merge& merge : merges_) {
    move(merge.begin * outputs);
    const Matrix& Q = merge.Q;
    merged = Matrix(Q.cols() * outputs, left);
    for (int j = 0; j < Q.cols(); ++j) {
      for (int i = 0; i < Q.rows(); ++i) {
        for (int c = 0; c < outputs; ++c) {
          const double* row = function.row(from + i * outputs + c);
          double* out = merged.row(j * outputs + c);
          for (int s = 0; s < left; ++s) out[s] += Q(i, j) * row[s];
        }
      }
    }
    from += Q.rows() * outputs;
    for (int j = 0; j < merged.rows(); ++j, ++to) std::copy_n(merged.row(j), left, function.row(to));
  }
  move(rows);
  for (; to < rows; ++to) std::fill_n(function.row(to), rows, 0.0);
}

void Merges::apply_to_values(double* values, int rows, int outputs, const std::vector<double>& before,
                             const std::vector<double>& after) const {
  const double origin = values[0];  // differences from it stay exactly zero where they are zero
  for (int t = 0; t < rows; ++t) values[t] = (values[t] - origin) * before[static_cast<std::size_t>(t / outputs)];
  apply(values, rows, outputs);
  for (int t = 0; t < rows - removed() * outputs; ++t)
    values[t] = origin + values[t] / after[static_cast<std::size_t>(t / outputs)];
}

}  // namespace lindmft
