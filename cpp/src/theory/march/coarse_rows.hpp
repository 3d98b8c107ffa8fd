// The functions of both sides at the nodes of a coarse segment (theory.md section 19). The row of each node is an exact
// row, for which the steps before it in the segment are represented by coefficients.
#pragma once

#include <utility>
#include <vector>

#include "linalg/rows.hpp"
#include "theory/core/sides.hpp"
#include "time_grid/condensed_steps.hpp"

namespace lindmft::theory {

/// All functions at the nodes of one segment after another.
class CoarseRows {
 public:
  /// All arguments must outlive the object.
  CoarseRows(const CondensedSteps& grid, NetworkSide& network, DataSide& data);

  /// Begins a segment; the block must outlive it. The row after the committed ones, an exact row, is the first guess:
  /// it is continued at fixed s before the segment, and at a fixed lag in it.
  void begin(const CoarseBlock& block);
  /// The largest part of this row that polynomials miss on as many steps before the segment, relative to the size of
  /// functions. If it is large, functions are not smooth in the segment either.
  [[nodiscard]] double roughness() const;
  /// Writes the steps of a part, or none, to the rows after the committed ones, and clears the row after them.
  void place(const CoarsePart* part);
  /// Takes node m from the row after those of its part. Returns the largest change of a function, relative to its size.
  double read(int m);
  /// The largest difference between the row after those of a part and the polynomials at its time. It is relative to
  /// the size of each function.
  [[nodiscard]] double error(int time, const CoarsePart* part) const;

 private:
  /// A function of two times.
  struct Function {
    Matrix* m;
    bool symmetric = false;
    Matrix history{};                // p x a   columns of earlier steps
    Matrix lower{};                  // p x p   values at the positions of CoarseBlock
    std::vector<double> diagonal{};  // p
    double size = 0.0;               // errors are relative to this number
  };
  /// A function of one time: its coefficients or values.
  struct Line {
    bool coefficients;
    std::vector<double> at{};  // p
  };
  /// The value of a row at a step, from its coefficients.
  struct Evaluation {
    int node = 0;
    std::vector<double> coefficients{};
    [[nodiscard]] double of(const double* row) const {
      return linalg::dot(coefficients.data(), row + node, static_cast<int>(coefficients.size()));
    }
  };

  [[nodiscard]] Evaluation evaluation(double time) const;
  template <class F>
  void for_each_line(Panel changed, F&& f);
  void measure(Function& function) const;
  void place(const Function& function, const CoarsePart& part) const;
  void place_block(const Function& function, const CoarsePart& part) const;
  [[nodiscard]] double lower(const CoarsePart& part, const double* row, int c) const;

  const CondensedSteps& grid_;
  NetworkSide& network_;
  DataSide& data_;
  const CoarseBlock* block_ = nullptr;
  std::vector<Function> functions_;
  std::vector<Line> lines_;
  std::vector<Evaluation> earlier_;  // at steps before the segment, for nodes with few steps before them
};

}  // namespace lindmft::theory
