// Sums over modes of resolvents and of congruences with them, compared with dense matrices mode by mode; and spectra
// whose modes are parts of one mode.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>
#include <vector>

#include "lindmft/solve.hpp"
#include "theory/data/mode_batch.hpp"

namespace lindmft {
namespace {

using linalg::View;
using theory::ModeBatch;
using theory::ModeOperator;

constexpr int kNodes = 57;

Spectrum spectrum(int modes) {
  Spectrum s;
  s.eigenvalues.clear();
  s.target_power.clear();
  s.weights.clear();
  for (int k = 0; k < modes; ++k) {
    s.eigenvalues.push_back(0.2 + 1.8 * k / modes);
    s.target_power.push_back(1.1 + std::cos(k));
    s.weights.push_back(1.0 / modes);
  }
  return s;
}

Matrix random(std::mt19937& numbers, double scale) {
  Matrix m(kNodes, kNodes);
  std::uniform_real_distribution<double> uniform(-scale, scale);
  for (int t = 0; t < kNodes; ++t) {
    for (int s = 0; s < kNodes; ++s) m(t, s) = uniform(numbers);
  }
  return m;
}

Matrix symmetric(std::mt19937& numbers) {
  Matrix m = random(numbers, 1.0);
  for (int t = 0; t < kNodes; ++t) {
    for (int s = 0; s < t; ++s) m(s, t) = m(t, s);
  }
  return m;
}

/// Panels of `rows` nodes; the last one may be shorter.
PanelMap panels(int rows) {
  PanelMap map(kNodes);
  for (int begin = 0; begin < kNodes; begin += rows) map.set({begin, std::min(kNodes, begin + rows)});
  return map;
}

/// Zero above the diagonal blocks; if they are not dense, also on and above the diagonal.
Matrix causal(std::mt19937& numbers, const PanelMap& map, bool dense) {
  Matrix X = random(numbers, 0.1);
  for (int t = 0; t < kNodes; ++t) {
    for (int s = dense ? map.end_of(t) : t; s < kNodes; ++s) X(t, s) = 0.0;
  }
  return X;
}

/// (I + lambda X)^-1 by Gauss-Jordan elimination.
Matrix resolvent(const Matrix& X, double lambda) {
  Matrix a(kNodes, kNodes), inverse(kNodes, kNodes);
  for (int t = 0; t < kNodes; ++t) {
    for (int s = 0; s < kNodes; ++s) a(t, s) = lambda * X(t, s);
    a(t, t) += 1.0;
    inverse(t, t) = 1.0;
  }
  for (int k = 0; k < kNodes; ++k) {
    const double pivot = a(k, k);
    for (int s = 0; s < kNodes; ++s) {
      a(k, s) /= pivot;
      inverse(k, s) /= pivot;
    }
    for (int t = 0; t < kNodes; ++t) {
      const double factor = t == k ? 0.0 : a(t, k);
      for (int s = 0; s < kNodes && factor != 0.0; ++s) {
        a(t, s) -= factor * a(k, s);
        inverse(t, s) -= factor * inverse(k, s);
      }
    }
  }
  return inverse;
}

Matrix product(const Matrix& a, const Matrix& b, bool transposed) {
  Matrix out(kNodes, kNodes);
  for (int t = 0; t < kNodes; ++t) {
    for (int s = 0; s < kNodes; ++s) {
      for (int r = 0; r < kNodes; ++r) out(t, s) += a(t, r) * (transposed ? b(s, r) : b(r, s));
    }
  }
  return out;
}

/// The sums of a batch, computed with dense matrices mode by mode.
struct Expected {
  Matrix moment[2], congruence[2], A_part, B_part, target_part;
  Expected(const Spectrum& spectrum, const Matrix& X, const Matrix* A, const Matrix* B, double scale, bool power) {
    for (Matrix* m : {&moment[0], &moment[1], &congruence[0], &congruence[1], &A_part, &B_part, &target_part})
      *m = Matrix(kNodes, kNodes);
    for (std::size_t k = 0; k < spectrum.eigenvalues.size(); ++k) {
      const double lambda = spectrum.eigenvalues[k];
      const double w = spectrum.weights[k] * lambda;
      const Matrix F = resolvent(X, lambda);
      const Matrix FA = A != nullptr ? product(product(F, *A, false), F, true) : Matrix(kNodes, kNodes);
      const Matrix FB = B != nullptr ? product(product(F, *B, false), F, true) : Matrix(kNodes, kNodes);
      for (int t = 0; t < kNodes; ++t) {
        for (int s = 0; s < kNodes; ++s) {
          double at_t = 0.0, at_s = 0.0;
          for (int r = 0; r < kNodes; ++r) {
            at_t += F(t, r);
            at_s += F(s, r);
          }
          const double target = power ? spectrum.target_power[k] * at_t * at_s : 0.0;
          const double sum = scale * (FA(t, s) + lambda * FB(t, s)) + target;
          for (int i = 0; i < 2; ++i) {
            moment[i](t, s) += w * (i == 0 ? 1.0 : lambda) * F(t, s);
            congruence[i](t, s) += w * (i == 0 ? 1.0 : lambda) * sum;
          }
          A_part(t, s) += w * scale * FA(t, s);
          B_part(t, s) += w * scale * lambda * FB(t, s);
          target_part(t, s) += w * target;
        }
      }
    }
  }
};

void expect_rows(linalg::ConstView rows, const Matrix& expected, Panel panel) {
  for (int i = 0; i < panel.size(); ++i) {
    for (int s = 0; s < panel.end; ++s)
      EXPECT_NEAR(rows(i, s), expected(panel.begin + i, s), 1e-11 * (1.0 + std::abs(expected(panel.begin + i, s))));
  }
}

/// Compares the batch's rows with the expected ones, panel by panel.
void expect_march(int modes, int rows, bool dense, bool with_A, bool with_B, bool power) {
  std::mt19937 numbers(7);
  const PanelMap map = panels(rows);
  const Matrix X = causal(numbers, map, dense);
  const Matrix A = symmetric(numbers), B = symmetric(numbers);
  const Matrix* a = with_A ? &A : nullptr;
  const Matrix* b = with_B ? &B : nullptr;
  const Spectrum modes_of = spectrum(modes);
  const Expected expected(modes_of, X, a, b, 0.7, power);
  ModeBatch batch(modes_of, theory::RowClasses(), kNodes, 1);
  ModeOperator X_of(kNodes, batch.lanes(), dense ? rows : 0);
  Matrix by_mode(kNodes, batch.lanes());
  for (int begin = 0; begin < kNodes; begin += rows) {
    const Panel panel{begin, map.end_of(begin)};
    X_of.set(linalg::leading(X, panel.end, panel.end).block(begin, 0, panel.size(), panel.end), panel);
    for (int again = 0; again < 2; ++again)  // twice, as in sweeps
      batch.run(X_of, {a, b, 0.7, power, nullptr, &by_mode}, map, panel);
    for (const int w : {1, 2}) {
      expect_rows(batch.moment(w), expected.moment[w - 1], panel);
      expect_rows(batch.congruence(w), expected.congruence[w - 1], panel);
    }
    for (int t = panel.begin; t < panel.end; ++t) {
      const double sum = std::accumulate(by_mode.row(t), by_mode.row(t) + batch.lanes(), 0.0);
      EXPECT_NEAR(sum, expected.congruence[0](t, t), 1e-11 * (1.0 + std::abs(expected.congruence[0](t, t))));
    }
    for (int i = 0; i < panel.size() && power; ++i) {
      const int t = begin + i;
      EXPECT_NEAR(batch.terms(i).target, expected.target_part(t, t),
                  1e-11 * (1.0 + std::abs(expected.target_part(t, t))));
      EXPECT_NEAR(batch.terms(i).A, expected.A_part(t, t), 1e-11 * (1.0 + std::abs(expected.A_part(t, t))));
      EXPECT_NEAR(batch.terms(i).B, expected.B_part(t, t), 1e-11 * (1.0 + std::abs(expected.B_part(t, t))));
    }
  }
  EXPECT_GT(batch.flops(), 0.0);
}

TEST(ModeBatch, SumsAreThoseOfDenseMatrices) {
  for (const int modes : {2, 8, 19}) {
    for (const int rows : {1, 4, 8}) {
      for (const bool dense : {false, true}) expect_march(modes, rows, dense, true, true, true);
    }
  }
}

TEST(ModeBatch, SourcesMayBeMissing) {
  for (const bool dense : {false, true}) {
    expect_march(5, 4, dense, false, true, true);
    expect_march(5, 4, dense, true, false, true);
    expect_march(5, 4, dense, true, false, false);
    expect_march(5, 4, dense, false, false, true);
  }
}

TEST(ModeBatch, WindowsNeedNotEndWhereBlocksDo) {  // with exact steps a window moves by one row
  std::mt19937 numbers(3);
  const Matrix X = causal(numbers, panels(1), false);
  const Matrix A = symmetric(numbers);
  const Spectrum modes = spectrum(11);
  const Expected expected(modes, X, &A, nullptr, 1.0, true);
  ModeBatch batch(modes, theory::RowClasses(), kNodes, 1);
  ModeOperator X_of(kNodes, batch.lanes(), false);
  for (int begin = 0; begin < kNodes; ++begin) {
    const Panel panel{begin, std::min(kNodes, begin + 5)};
    X_of.set(linalg::leading(X, panel.end, panel.end).block(begin, 0, panel.size(), panel.end), panel);
    batch.run(X_of, {&A, nullptr, 1.0, true}, panels(1), panel);
    expect_rows(batch.congruence(1), expected.congruence[0], panel);
    expect_rows(batch.moment(2), expected.moment[1], panel);
  }
}

Problem many_modes(int modes) {
  Problem p;
  p.network = {.depth = 2, .width = {0.75}, .gamma0 = 0.8};
  p.data = {.mode = DataMode::full_batch, .alpha = 1.5, .noise = 0.3, .spectrum = spectrum(modes)};
  p.optimizer.lr = {0.05};
  return p;
}

TEST(ManyModes, HaveTheSameBitsWhateverTheThreads) {
  const Problem p = many_modes(301);  // from about the sixtieth step on, enough work for several threads
  const Solution one = solve(p, 90, {.threads = 1, .save = {}, .progress = {}});
  for (const int threads : {2, 3}) {
    const Solution other = solve(p, 90, {.threads = threads, .save = {}, .progress = {}});
    EXPECT_EQ(one.test_loss, other.test_loss);
    EXPECT_EQ(one.train_loss, other.train_loss);
    EXPECT_EQ(one.term_data, other.term_data);
    EXPECT_EQ(one.gradient_norm, other.gradient_norm);
    EXPECT_EQ(one.stats.flops, other.stats.flops);
  }
}

/// A mode that is divided into several modes gives the same results.
TEST(ManyModes, MayBeOneModeInParts) {
  Problem whole = many_modes(2);
  for (const DataMode mode : {DataMode::full_batch, DataMode::multi_pass, DataMode::one_pass, DataMode::population}) {
    whole.data.mode = mode;
    whole.data.alpha = mode == DataMode::population ? std::numeric_limits<double>::infinity() : 1.5;
    whole.data.batch_fraction = mode == DataMode::multi_pass ? 0.5 : 1.0;
    Problem parts = whole;
    Spectrum& s = parts.data.spectrum;
    s = {};
    s.eigenvalues.clear();
    s.target_power.clear();
    s.weights.clear();
    for (std::size_t k = 0; k < 2; ++k) {
      for (int i = 0; i < 40; ++i) {
        s.eigenvalues.push_back(whole.data.spectrum.eigenvalues[k]);
        s.target_power.push_back(whole.data.spectrum.target_power[k]);
        s.weights.push_back(whole.data.spectrum.weights[k] / 40);
      }
    }
    const bool smooth = mode == DataMode::full_batch || mode == DataMode::population;
    for (const Grid grid : {Grid::exact, Grid::adaptive}) {
      if (grid == Grid::adaptive && !smooth) continue;
      SolveOptions options{.grid = grid, .save = {}, .replicas = true, .progress = {}};
      const int steps = grid == Grid::exact ? 40 : 1000;
      const Solution a = solve(whole, steps, options);
      const Solution b = solve(parts, steps, options);
      ASSERT_EQ(a.time, b.time);
      for (std::size_t t = 0; t < a.time.size(); ++t) {
        EXPECT_NEAR(a.test_loss[t], b.test_loss[t], 1e-10 * a.test_loss[0]);
        EXPECT_NEAR(a.train_loss[t], b.train_loss[t], 1e-10 * a.train_loss[0]);
        EXPECT_NEAR(a.replicas.shared_init[t], b.replicas.shared_init[t], 1e-10 * a.test_loss[0]);
        const double sum = b.term_target[t] + b.term_init[t] + b.term_data[t];
        EXPECT_NEAR(sum, b.test_loss[t], 1e-12 * b.test_loss[0]);
      }
    }
  }
}

TEST(ManyModes, TakeMemoryInProportionToTheNodes) {
  const double few = estimate_solve_memory(many_modes(100), 1000);
  const double many = estimate_solve_memory(many_modes(1100), 1000);
  EXPECT_LT((many - few) / 1000, 8.0 * 1000 * 20) << "bytes a mode";
}

TEST(ManyModes, GoOnFromAState) {
  const Problem p = many_modes(21);
  for (const Grid grid : {Grid::exact, Grid::adaptive}) {
    SolveOptions options{.grid = grid, .save = {}, .keep_state = true, .progress = {}};
    const Solution part = solve(p, grid == Grid::exact ? 30 : 300, options);
    options.continue_from = &part;
    const int steps = grid == Grid::exact ? 50 : 900;
    const Solution longer = solve(p, steps, options);
    const Solution whole = solve(p, steps, {.grid = grid, .save = {}, .progress = {}});
    EXPECT_NEAR(longer.test_loss.back(), whole.test_loss.back(), (grid == Grid::exact ? 1e-12 : 1e-6) * 2.0);
    EXPECT_LT(longer.stats.chain_residual, grid == Grid::exact ? 1e-11 : options.rtol);
  }
}

}  // namespace
}  // namespace lindmft
