// Exact steps: for all sequences of proposed, shrunk and committed panels, the rows of K and d are those of the
// propagator.
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "time_grid/exact_steps.hpp"

namespace lindmft {
namespace {

constexpr int kSteps = 30;
constexpr int kMost = 8;

Problem example() {
  Problem problem;
  problem.network.init_scale = {1.1};
  problem.optimizer = {.lr = {}, .momentum = {0.7}, .nesterov = true, .weight_decay = 0.3, .layer_lr = {}};
  for (int t = 0; t < kSteps; ++t) problem.optimizer.lr.push_back(0.05 + 0.01 * (t % 5));
  return problem;
}

/// The sizes that a march proposes, one after the other, and the number of rows that it commits after the last of them.
struct Attempt {
  std::vector<int> proposals;
  int committed;
};

class Rows {
 public:
  Rows() : K_(kSteps, kSteps), decay_(kSteps) {
    Propagator propagator(example());
    for (int t = 0; t < kSteps; ++t) propagator.next(K_.row(t), decay_[static_cast<std::size_t>(t)]);
  }

  void expect(const PanelTime& time) const {
    ASSERT_EQ(time.K.rows, time.panel.size());
    ASSERT_EQ(time.K.cols, time.panel.end);
    for (int i = 0; i < time.panel.size(); ++i) {
      const int t = time.panel.begin + i;
      for (int s = 0; s < time.panel.end; ++s) ASSERT_EQ(time.K(i, s), K_(t, s)) << "K(" << t << ", " << s << ")";
    }
    expect_decay(time);
  }
  void expect_decay(const PanelTime& time) const {
    for (int t = 0; t < time.panel.end; ++t) ASSERT_EQ(time.decay[t], decay_[static_cast<std::size_t>(t)]);
  }

 private:
  Matrix K_;
  std::vector<double> decay_;
};

/// Repeats the attempts until all steps are committed.
void march(const std::vector<Attempt>& attempts) {
  ExactSteps grid(example(), kSteps, kMost);
  const Rows rows;
  int begin = 0;
  for (std::size_t i = 0; begin < kSteps; ++i) {
    const Attempt& attempt = attempts[i % attempts.size()];
    for (const int size : attempt.proposals) rows.expect(grid.propose({begin, std::min(kSteps, begin + size)}));
    const int end = std::min(kSteps, begin + attempt.committed);
    grid.commit({begin, end});
    const PanelTime again = grid.committed({begin, end});
    EXPECT_EQ(again.panel.begin, begin);
    EXPECT_EQ(again.panel.end, end);
    rows.expect_decay(again);
    begin = end;
  }
}

TEST(ExactSteps, OneByOne) { march({{{1}, 1}}); }
TEST(ExactSteps, LargestPanels) { march({{{kMost}, kMost}}); }
TEST(ExactSteps, GrowingPanels) { march({{{1}, 1}, {{2}, 2}, {{4}, 4}, {{kMost}, kMost}}); }
TEST(ExactSteps, ShrinkingPanels) { march({{{kMost, 4, 2}, 2}, {{kMost, 3}, 3}, {{1}, 1}}); }
TEST(ExactSteps, ShrinkingToOneAndGrowingAgain) { march({{{kMost, 4, 2, 1}, 1}, {{2}, 2}, {{4, 2, 6}, 6}}); }
TEST(ExactSteps, CommittingTheFrontOfAProposal) { march({{{kMost}, 3}, {{kMost, 5}, 1}, {{kMost}, kMost}}); }

TEST(ExactSteps, EveryStepIsANode) {
  const ExactSteps grid(example(), kSteps, kMost);
  EXPECT_EQ(grid.nodes(), kSteps);
  for (int node = 0; node < kSteps; ++node) EXPECT_EQ(grid.time(node), node);
}

}  // namespace
}  // namespace lindmft
