// Coarse segments at the front of a march (theory.md section 19): where all functions are smooth over many coming
// steps, only a few of these steps are computed, and functions are polynomials between them.
#pragma once

#include <vector>

#include "theory/march/coarse_rows.hpp"
#include "theory/march/condensation.hpp"
#include "theory/march/recorder.hpp"

namespace lindmft::theory {

/// Marches coarse segments.
class CoarseFront {
 public:
  /// All arguments must outlive the object.
  CoarseFront(const Condensation& past, MarchContext& context, Recorder& recorder);

  /// Whether the next steps may be a coarse segment.
  [[nodiscard]] bool due() const;
  /// Whether no single steps are in work, so that a segment can begin.
  [[nodiscard]] bool ready() const { return grid_.settled(); }
  /// Makes a coarse segment final and records its steps. Returns the number of rows that were added; 0 if functions are
  /// not smooth enough.
  int march();

 private:
  [[nodiscard]] int least() const;
  [[nodiscard]] int longest() const;
  [[nodiscard]] bool attempt(int length);
  [[nodiscard]] bool smooth_rates(const CoarseBlock& block) const;
  void place(const CoarsePart* part);
  [[nodiscard]] bool compute(const CoarsePart* part, int count);
  [[nodiscard]] bool converge(const CoarseBlock& block);
  [[nodiscard]] bool accurate(const CoarseBlock& block);
  [[nodiscard]] bool observe(const CoarseBlock& block);
  void commit(const CoarseBlock& block);
  void refuse();

  CondensedSteps& grid_;
  MarchContext& context_;
  Recorder& recorder_;
  CoarseRows rows_;
  int order_;                   // nodes of a segment
  double tolerance_;            // error of functions, relative to their size
  double length_;               // length of the next segment
  int next_;                    // the number of steps from which on a segment is tried
  int last_ = 0;                // the number of steps when a segment was accepted last
  int refused_ = 0;             // attempts in vain since then
  double estimate_ = 0.0;       // error of the current segment; 0 if it was not estimated
  bool smooth_rates_ = true;    // whether the rates of the current segment are those of polynomials
  CoarseRates rates_;           // rates of the current segment
  std::vector<Observed> seen_;  // recorded values at the nodes of the current segment
};

}  // namespace lindmft::theory
