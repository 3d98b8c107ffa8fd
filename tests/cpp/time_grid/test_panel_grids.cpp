// Coarse grids: K of a panel is the response of the optimizer to the polynomials through its nodes, step by step or in
// the limit of gradient flow.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <vector>

#include "optimizer/propagator.hpp"
#include "time_grid/adaptive_steps.hpp"
#include "time_grid/gradient_flow.hpp"

namespace lindmft {
namespace {

Problem with(const Optimizer& optimizer) {
  Problem p;
  p.network.init_scale = {1.3};
  p.optimizer = optimizer;
  return p;
}

/// Commits panels of these lengths and returns the last one's rows of K applied to f at the nodes.
std::vector<double> apply(PanelGrid& grid, const std::vector<double>& lengths, const std::function<double(double)>& f,
                          std::vector<double>* decay = nullptr) {
  std::vector<double> out;
  for (std::size_t k = 0; k < lengths.size(); ++k) {
    grid.place(lengths[k]);
    const Panel panel = grid.panel();
    const PanelTime time = grid.propose(panel);
    out.clear();
    for (int i = 0; i < panel.size(); ++i) {
      double sum = 0.0;
      for (int s = 0; s < panel.end; ++s) sum += time.K(i, s) * f(grid.time(s));
      out.push_back(sum);
      if (decay != nullptr && k + 1 == lengths.size()) decay->push_back(time.decay[panel.begin + i]);
    }
    if (k + 1 < lengths.size()) grid.commit(panel);
  }
  return out;
}

class AdaptiveStepsOptimizers : public testing::TestWithParam<Optimizer> {};

TEST_P(AdaptiveStepsOptimizers, KnowEveryStepOfAPolynomialGradient) {
  const Problem problem = with(GetParam());
  const auto gradient = [](double t) { return 1.0 - 0.01 * t + 1e-5 * t * t; };
  const int steps = 400;
  AdaptiveSteps grid(problem, steps, 200, 8);
  std::vector<double> decay;
  const std::vector<double> coarse = apply(grid, {8, 20, 50, 123, 190}, gradient, &decay);

  Propagator propagator(problem);
  std::vector<double> row(static_cast<std::size_t>(steps)), exact(static_cast<std::size_t>(steps)), d(exact);
  for (int t = 0; t < steps; ++t) {
    propagator.next(row.data(), d[static_cast<std::size_t>(t)]);
    for (int s = 0; s < t; ++s) exact[static_cast<std::size_t>(t)] += row[static_cast<std::size_t>(s)] * gradient(s);
  }
  const Panel panel = grid.panel();
  ASSERT_EQ(panel.size(), 8);
  EXPECT_EQ(grid.time(panel.end - 1), 390.0);
  for (int i = 0; i < panel.size(); ++i) {
    const auto t = static_cast<std::size_t>(grid.time(panel.begin + i));
    EXPECT_NEAR(coarse[static_cast<std::size_t>(i)], exact[t], 1e-11 * std::abs(exact[t]));
    EXPECT_NEAR(decay[static_cast<std::size_t>(i)], d[t], 1e-12);
  }
}

std::vector<double> schedule() {
  std::vector<double> lr;
  for (int t = 0; t < 400; ++t) lr.push_back(0.1 / (1.0 + 0.01 * t));
  return lr;
}

INSTANTIATE_TEST_SUITE_P(
    Optimizers, AdaptiveStepsOptimizers,
    testing::Values(Optimizer{.lr = {0.1}, .layer_lr = {}}, Optimizer{.lr = {0.1}, .momentum = {0.9}, .layer_lr = {}},
                    Optimizer{.lr = {0.1}, .momentum = {0.7}, .nesterov = true, .weight_decay = 0.02, .layer_lr = {}},
                    Optimizer{.lr = schedule(), .momentum = {0.5}, .layer_lr = {}},
                    Optimizer{.lr = {0.1}, .momentum = schedule(), .weight_decay = 0.02, .layer_lr = {}}));

TEST(PanelGrids, GradientFlowIntegratesAndForgets) {
  for (const double decay_rate : {0.0, 0.03, 5.0}) {
    GradientFlow grid(with({.lr = {0.1}, .weight_decay = decay_rate, .layer_lr = {}}), 1e3, 100, 8);
    const auto gradient = [](double t) { return 1.0 + 0.002 * t; };
    std::vector<double> decay;
    const std::vector<double> coarse = apply(grid, {0.0, 2.0, 10.0, 100.0}, gradient, &decay);
    const Panel panel = grid.panel();
    for (int i = 0; i < panel.size(); ++i) {
      const double t = grid.time(panel.begin + i);
      const double left = std::exp(-decay_rate * t);
      double exact = t + 0.001 * t * t;
      if (decay_rate > 0.0) {
        const double b = 0.002 / decay_rate;
        exact = (1.0 - b) / decay_rate * (1.0 - left) + b * t;  // w' = 1 + 0.002 t - decay_rate w
      }
      EXPECT_NEAR(coarse[static_cast<std::size_t>(i)], exact, 1e-11 * exact) << decay_rate << " " << t;
      EXPECT_NEAR(decay[static_cast<std::size_t>(i)], 1.3 * left, 1e-14);
    }
  }
}

/// The sum of the response at a time to a gradient at the nodes, and the decay.
struct Response {
  double sum, decay;
};

Response weights_at(const PanelGrid& grid, double time, const std::function<double(double)>& gradient) {
  std::vector<double> K(static_cast<std::size_t>(grid.panel().end), 0.0);
  Response out{0.0, 1.0};
  grid.weights(time, K.data(), out.decay);
  for (int s = 0; s < grid.panel().end; ++s) out.sum += K[static_cast<std::size_t>(s)] * gradient(grid.time(s));
  return out;
}

/// The weights at a node are the row of K there, entry by entry.
void expect_rows(PanelGrid& grid, const std::vector<double>& lengths) {
  for (const double length : lengths) {
    grid.place(length);
    const Panel panel = grid.panel();
    const PanelTime time = grid.propose(panel);
    for (int i = 0; i < panel.size(); ++i) {
      std::vector<double> K(static_cast<std::size_t>(panel.end), 0.0);
      double decay = 1.0;
      grid.weights(grid.time(panel.begin + i), K.data(), decay);
      for (int s = 0; s < panel.end; ++s)
        EXPECT_NEAR(K[static_cast<std::size_t>(s)], time.K(i, s), 1e-13 * (1.0 + std::abs(time.K(i, s))));
      EXPECT_NEAR(decay, time.decay[panel.begin + i], 1e-14);
    }
    grid.commit(panel);
  }
}

TEST_P(AdaptiveStepsOptimizers, HaveWeightsAtAnyStep) {
  const Problem problem = with(GetParam());
  const auto gradient = [](double t) { return 1.0 - 0.01 * t + 1e-5 * t * t; };
  constexpr int kSteps = 391;
  Propagator propagator(problem);
  std::vector<Response> exact;
  std::vector<double> row(kSteps);
  for (int t = 0; t < kSteps; ++t) {
    Response at{0.0, 0.0};
    propagator.next(row.data(), at.decay);
    for (int s = 0; s < t; ++s) at.sum += row[static_cast<std::size_t>(s)] * gradient(s);
    exact.push_back(at);
  }
  AdaptiveSteps grid(problem, 400, 200, 8);
  for (const double length : {8.0, 20.0, 50.0, 123.0, 190.0}) {
    grid.place(length);
    static_cast<void>(grid.propose(grid.panel()));
    for (double t = grid.begin(); t < grid.begin() + grid.length() && t < kSteps; t += 1.0) {
      const Response found = weights_at(grid, t, gradient);
      const Response& expected = exact[static_cast<std::size_t>(t)];
      EXPECT_NEAR(found.sum, expected.sum, 1e-11 * (1.0 + std::abs(expected.sum))) << t;
      EXPECT_NEAR(found.decay, expected.decay, 1e-12) << t;
    }
    grid.commit(grid.panel());
  }
}

TEST_P(AdaptiveStepsOptimizers, HaveTheRowsOfKAtNodes) {
  AdaptiveSteps grid(with(GetParam()), 400, 200, 8);
  expect_rows(grid, {8, 20, 50, 123, 190});
}

TEST(PanelGrids, GradientFlowHasWeightsAtAnyTime) {
  for (const double decay_rate : {0.0, 0.03}) {
    const Problem problem = with({.lr = {0.1}, .weight_decay = decay_rate, .layer_lr = {}});
    GradientFlow rows(problem, 1e3, 100, 8);
    expect_rows(rows, {0.0, 2.0, 10.0, 100.0});
    GradientFlow grid(problem, 1e3, 100, 8);
    for (const double length : {0.0, 2.0, 10.0, 100.0}) {
      grid.place(length);
      static_cast<void>(grid.propose(grid.panel()));
      for (const double x : {0.0, 0.3, 0.77, 1.0}) {
        const double t = grid.begin() + x * length;
        const double left = std::exp(-decay_rate * t);
        const double expected = decay_rate > 0.0 ? (1.0 - left) / decay_rate : t;
        const Response found = weights_at(grid, t, [](double) { return 1.0; });
        EXPECT_NEAR(found.sum, expected, 1e-11 * (1.0 + expected)) << decay_rate << ' ' << t;
        EXPECT_NEAR(found.decay, 1.3 * left, 1e-13) << t;
      }
      grid.commit(grid.panel());
    }
  }
}

TEST(PanelGrids, NodesAreStepsAndShortPanelsAreExact) {
  AdaptiveSteps grid(with({.lr = {0.1}, .layer_lr = {}}), 1000, 200, 8);
  for (const double length : {3.0, 8.0, 9.0, 11.5, 40.0}) {
    grid.place(length);
    const Panel panel = grid.panel();
    EXPECT_EQ(grid.exact(), length <= 8.0);
    double last = grid.begin() - 1.0;
    for (int node = panel.begin; node < panel.end; ++node) {
      EXPECT_EQ(grid.time(node), std::round(grid.time(node)));
      EXPECT_GT(grid.time(node), last);
      last = grid.time(node);
    }
    EXPECT_EQ(last, grid.begin() + std::floor(length) - 1.0);
    grid.commit(panel);
  }
  grid.place(1e9);
  EXPECT_EQ(grid.time(grid.panel().end - 1), 999.0);  // the end of time
}

TEST(PanelGrids, RestoredPanelsAreTheSame) {
  const Problem problem = with({.lr = {0.1}, .momentum = {0.4}, .layer_lr = {}});
  AdaptiveSteps first(problem, 1000, 200, 8), second(problem, 1000, 200, 8);
  std::vector<double> time;
  for (const double length : {8.0, 17.0, 40.0}) {
    first.place(length);
    first.commit(first.panel());
  }
  for (int node = 0; node < first.edges().back(); ++node) time.push_back(first.time(node));
  second.restore(first.edges(), time);
  first.place(90.0);
  second.place(90.0);
  const PanelTime a = first.propose(first.panel());
  const PanelTime b = second.propose(second.panel());
  for (int i = 0; i < first.panel().size(); ++i) {
    for (int s = 0; s < first.panel().end; ++s) EXPECT_EQ(a.K(i, s), b.K(i, s));
  }
}

}  // namespace
}  // namespace lindmft
