// Combinations of initializations and data sets: which random arrays are shared, and the averaged loss as a sum of
// overlaps.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "lindmft/errors.hpp"
#include "lindmft/train.hpp"
#include "training/data/samples.hpp"
#include "training/network/network.hpp"
#include "training/weights/loops.hpp"

namespace lindmft {
namespace {

constexpr int kSteps = 12;

Problem example(DataMode mode) {
  Problem p;
  p.network = {.depth = 2, .width = {0.75}, .gamma0 = 0.8};
  p.data = {.mode = mode, .alpha = 1.5, .noise = 0.3, .spectrum = {}};
  if (mode == DataMode::multi_pass) p.data.batch_fraction = 0.5;
  p.optimizer.lr = {0.05};
  return p;
}

std::vector<Problem> examples() {
  std::vector<Problem> problems;
  for (const DataMode mode : {DataMode::full_batch, DataMode::multi_pass, DataMode::one_pass})
    problems.push_back(example(mode));
  Problem& epochs = problems.emplace_back(example(DataMode::epochs));
  epochs.data.batches = 4;
  Problem& last = problems.emplace_back(example(DataMode::full_batch));
  last.network = {.kind = Architecture::resnet, .depth = 3, .width = {0.6}, .gamma0 = 0.7, .centered = true};
  last.data.targets = {1.0, 0.6};
  last.data.rotation = {0.8, 0.6, -0.6, 0.8};
  last.optimizer.momentum = {0.4};
  return problems;
}

TEST(TrainReplicas, OneOfEachIsTrainBitForBit) {
  for (const Problem& problem : examples()) {
    const Ensemble one = train(problem, kSteps, {.dim = 21, .seeds = {3, 4}, .threads = 1});
    const ReplicaEnsemble same =
        train_replicas(problem, kSteps, {.k_init = 1, .k_data = 1, .dim = 21, .seeds = {3, 4}, .threads = 1});
    for (int i = 0; i < 2; ++i) {
      for (int t = 0; t < kSteps; ++t) {
        EXPECT_EQ(same.test_loss(i, t), one.test_loss(i, t));
        EXPECT_EQ(same.averaged_loss(i, t), one.test_loss(i, t));
      }
    }
    EXPECT_TRUE(same.shared_init.empty() && same.shared_data.empty() && same.independent.empty());
    EXPECT_EQ(same.diverged_at, one.diverged_at);
  }
}

TEST(TrainReplicas, OverlapsMakeTheAveragedLoss) {
  for (const Problem& problem : examples()) {
    const ReplicaEnsemble e = train_replicas(problem, kSteps, {.k_init = 3, .k_data = 2, .dim = 21, .seeds = {3, 4}});
    const double init = 1.0 / 3.0;
    const double data = 1.0 / 2.0;
    for (int i = 0; i < 2; ++i) {
      for (int t = 0; t < kSteps; ++t) {
        const double sum = init * data * e.test_loss(i, t) + init * (1.0 - data) * e.shared_init(i, t) +
                           (1.0 - init) * data * e.shared_data(i, t) +
                           (1.0 - init) * (1.0 - data) * e.independent(i, t);
        EXPECT_NEAR(e.averaged_loss(i, t), sum, 1e-13 * e.test_loss(i, t));
        EXPECT_LT(e.averaged_loss(i, t), e.test_loss(i, t));
      }
    }
  }
}

TEST(TrainReplicas, KindsWithoutPairsAreEmpty) {
  const Problem problem = example(DataMode::full_batch);
  const ReplicaEnsemble inits = train_replicas(problem, 3, {.k_init = 3, .k_data = 1, .dim = 16});
  EXPECT_TRUE(inits.shared_init.empty() && inits.independent.empty());
  EXPECT_EQ(inits.shared_data.cols(), 3);
  const ReplicaEnsemble sets = train_replicas(problem, 3, {.k_init = 1, .k_data = 3, .dim = 16});
  EXPECT_TRUE(sets.shared_data.empty() && sets.independent.empty());
  EXPECT_EQ(sets.shared_init.cols(), 3);
}

/// Without one source of randomness, networks that share all other sources are identical.
TEST(TrainReplicas, NetworksThatShareAllThatCountsAreTheSame) {
  Problem population = example(DataMode::population);
  population.data.alpha = std::numeric_limits<double>::infinity();
  const TrainOptions options{.k_init = 2, .k_data = 2, .dim = 20, .seeds = {5}};
  const ReplicaEnsemble no_data = train_replicas(population, kSteps, options);
  for (int t = 0; t < kSteps; ++t) {
    EXPECT_DOUBLE_EQ(no_data.shared_init(0, t), no_data.test_loss(0, t));
    EXPECT_DOUBLE_EQ(no_data.independent(0, t), no_data.shared_data(0, t));
    EXPECT_LT(no_data.shared_data(0, t), 0.9 * no_data.test_loss(0, t));
  }
  Problem wide = example(DataMode::multi_pass);  // lazy and wide: the initial weights have almost no effect
  wide.network = {.depth = 1, .width = {150.0}, .gamma0 = 0.3, .centered = true};
  const ReplicaEnsemble no_init = train_replicas(wide, kSteps, options);
  for (int t = 1; t < kSteps; ++t) {
    EXPECT_NEAR(no_init.shared_data(0, t), no_init.test_loss(0, t), 0.03 * no_init.test_loss(0, t));
    EXPECT_NEAR(no_init.independent(0, t), no_init.shared_init(0, t), 0.03 * no_init.test_loss(0, t));
  }
  EXPECT_LT(no_init.shared_init(0, kSteps - 1), 0.9 * no_init.test_loss(0, kSteps - 1));
}

/// Separate tests of the random streams, most of which have little effect on overlaps.
TEST(TrainReplicas, InitializationsShareNoWeights) {
  Problem problem = example(DataMode::full_batch);
  problem.data.targets = {1.0, 1.0};
  const training::Schedule in_place{.method = TrainMethod::in_place};
  training::Networks<double> first({problem}, {16, 12, 12}, {5, 0}, in_place, 1);
  training::Networks<double> second({problem}, {16, 12, 12}, {5, 1}, in_place, 1);
  for (training::Networks<double>* network : {&first, &second}) network->backward();
  EXPECT_NE(first.gradient_norm(0, 2), second.gradient_norm(0, 2)) << "readouts";
  for (training::Networks<double>* network : {&first, &second}) {
    std::fill_n(network->input(), 16, 1.0);
    network->forward();
  }
  EXPECT_NE(first.feature_norm(0, 1), second.feature_norm(0, 1)) << "input weights";
}

/// One data set with several networks, which have the outputs of the data.
class Meeting {
 public:
  Meeting(const Data& data, int count, int replica, int networks = 1)
      : s(networks * outputs(data), 3),
        q(s),
        losses(static_cast<std::size_t>(s.rows())),
        samples_(training::make_samples<double>(data, 3, count, {5, replica},
                                                std::vector<training::Labels>(networks, {data.noise}), 1)) {}
  void gradient(int t) { samples_->gradient(t, s.view(), q.view(), losses); }

  training::PaddedMatrix s;
  training::PaddedMatrix q;
  std::vector<double> losses;

 private:
  std::unique_ptr<training::Samples<double>> samples_;
};

/// Mean of Delta^2 for residuals z . s + sigma eps of a data set, s = scale (1, 1, ...).
double loss_of(const Data& data, int replica, double scale) {
  Meeting m(data, 4, replica);
  for (double& s : m.s.span(0)) s = scale;
  m.gradient(0);
  return m.losses.front();
}

/// The steps among the first 200 that keep none of 4 samples.
std::vector<int> empty_steps(const Data& data, int replica) {
  Meeting m(data, 4, replica);
  std::vector<int> out;
  for (int t = 0; t < 200; ++t) {
    m.gradient(t);
    if (training::dot(m.q.row(0), m.q.row(0), 8) == 0.0) out.push_back(t);
  }
  return out;
}

TEST(TrainReplicas, DataSetsShareNoNumbers) {
  for (const DataMode mode : {DataMode::full_batch, DataMode::multi_pass, DataMode::one_pass}) {
    Data data = example(mode).data;
    EXPECT_NE(loss_of(data, 0, 0.0), loss_of(data, 1, 0.0)) << "noise";
    data.noise = 0.0;
    EXPECT_NE(loss_of(data, 0, 1.0), loss_of(data, 1, 1.0)) << "inputs";
  }
  const Data data = example(DataMode::multi_pass).data;
  EXPECT_GT(empty_steps(data, 0).size(), 3U);
  EXPECT_NE(empty_steps(data, 0), empty_steps(data, 1)) << "choice among the samples";
}

/// The sum of the gradients of an epoch's batches is that of all samples; the batches differ between epochs.
TEST(TrainReplicas, EpochsVisitEverySampleOnce) {
  Data data = example(DataMode::full_batch).data;
  Meeting all(data, 12, 0);
  for (double& s : all.s.span(0)) s = 0.7;
  all.gradient(0);
  data.mode = DataMode::epochs;
  data.batches = 4;
  Meeting m(data, 12, 0);
  m.s = all.s;
  std::vector<double> first;  // gradients of the first coordinate
  for (int epoch = 0; epoch < 3; ++epoch) {
    double sum[3] = {};
    for (int t = 4 * epoch; t < 4 * epoch + 4; ++t) {
      m.gradient(t);
      EXPECT_DOUBLE_EQ(m.losses.front(), all.losses.front()) << "over all samples";
      for (int k = 0; k < 3; ++k) sum[k] += m.q.row(0)[k] / 4.0;
      EXPECT_EQ(std::ranges::count(first, m.q.row(0)[0]), 0) << "a new batch at step " << t;
      first.push_back(m.q.row(0)[0]);
    }
    for (int k = 0; k < 3; ++k) EXPECT_NEAR(sum[k], all.q.row(0)[k], 1e-14) << "epoch " << epoch;
  }
  m.gradient(1);
  EXPECT_EQ(m.q.row(0)[0], first[1]) << "steps in any order";
}

TEST(TrainReplicas, NetworksOnTheSameDataSeeTheSame) {
  for (const DataMode mode : {DataMode::full_batch, DataMode::multi_pass, DataMode::one_pass}) {
    Data data = example(mode).data;
    data.targets = {1.0, 1.0};
    Meeting m(data, 9, 0, 2);  // two networks of two outputs
    m.gradient(2);
    EXPECT_DOUBLE_EQ(m.losses[0], m.losses[2]);
    EXPECT_DOUBLE_EQ(m.losses[1], m.losses[3]);
    EXPECT_NE(m.losses[0], m.losses[1]) << "noise is an output's own";
    for (int k = 0; k < 3; ++k) EXPECT_DOUBLE_EQ(m.q.row(0)[k], m.q.row(2)[k]);
  }
}

/// theory.md section 3, replicas: the reference at t = 19.
TEST(TrainReplicas, OverlapsAreThoseOfTheory) {
  Problem p;
  p.network = {.depth = 2, .width = {0.7}, .gamma0 = 1.0};
  p.data = {.mode = DataMode::full_batch, .alpha = 1.5, .noise = 0.5, .spectrum = {}};
  p.optimizer.lr = {0.08};
  std::vector<std::uint64_t> seeds(24);
  for (std::size_t i = 0; i < seeds.size(); ++i) seeds[i] = i;
  const ReplicaEnsemble e = train_replicas(p, 20, {.k_init = 2, .k_data = 2, .dim = 100, .seeds = seeds});
  const auto expect_mean = [&](const Matrix& m, double expected) {
    double sum = 0.0;
    double squares = 0.0;
    for (int i = 0; i < m.rows(); ++i) {
      sum += m(i, 19);
      squares += m(i, 19) * m(i, 19);
    }
    const double mean = sum / m.rows();
    const double error = std::sqrt((squares / m.rows() - mean * mean) / (m.rows() - 1));
    EXPECT_NEAR(mean, expected, 4.0 * error + 0.5 / 100.0);
    EXPECT_LT(error, 0.02);
  };
  expect_mean(e.test_loss, 0.4662);
  expect_mean(e.shared_init, 0.1638);
  expect_mean(e.shared_data, 0.2633);
  expect_mean(e.independent, 0.0690);
}

TEST(TrainReplicas, SameBitsWhateverTheThreads) {
  TrainOptions options{.dim = 16, .seeds = {1, 2, 3}, .threads = 1};
  const ReplicaEnsemble one = train_replicas(example(DataMode::multi_pass), kSteps, options);
  options.threads = 2;
  const ReplicaEnsemble two = train_replicas(example(DataMode::multi_pass), kSteps, options);
  for (int i = 0; i < 3; ++i) {
    for (int t = 0; t < kSteps; ++t) EXPECT_EQ(one.independent(i, t), two.independent(i, t));
  }
}

TEST(TrainReplicas, DivergesWithAnyOfItsNetworks) {
  Problem p = example(DataMode::full_batch);
  p.optimizer.lr = {3.0};
  const ReplicaEnsemble e = train_replicas(p, 40, {.dim = 30, .seeds = {1, 2}});
  for (int i = 0; i < 2; ++i) {
    const int lost = e.diverged_at[static_cast<std::size_t>(i)];
    ASSERT_GT(lost, 0);
    for (const Matrix* m : {&e.test_loss, &e.shared_init, &e.shared_data, &e.independent, &e.averaged_loss}) {
      for (int t = 0; t < 40; ++t) EXPECT_EQ(std::isinf((*m)(i, t)), t >= lost);
    }
  }
}

TEST(TrainReplicas, OneUnstableNetworkIsEnough) {
  Problem p = example(DataMode::full_batch);
  p.optimizer.lr = {0.32};
  TrainOptions options{.k_init = 3, .k_data = 3, .dim = 12, .seeds = {}};
  for (std::uint64_t seed = 0; seed < 30; ++seed) options.seeds.push_back(seed);
  const Ensemble first = train(p, 60, {.dim = 12, .seeds = options.seeds});
  const ReplicaEnsemble all = train_replicas(p, 60, options);
  int lost_by_others = 0;
  for (std::size_t i = 0; i < options.seeds.size(); ++i) {
    if (first.diverged_at[i] < 0) {
      lost_by_others += all.diverged_at[i] >= 0 ? 1 : 0;
    } else {
      EXPECT_GE(all.diverged_at[i], 0);
      EXPECT_LE(all.diverged_at[i], first.diverged_at[i]);
    }
  }
  EXPECT_GT(lost_by_others, 0);
}

TEST(TrainReplicas, MemoryCountsDataSets) {
  Problem p = example(DataMode::full_batch);
  p.data.alpha = 15.0;
  TrainOptions options{.k_init = 1, .k_data = 1, .dim = 100, .seeds = {1}, .threads = 1};
  const double one = estimate_replicas_memory(p, 10, options);
  options.k_data = 2;
  EXPECT_GT(estimate_replicas_memory(p, 10, options), one + 8.0 * 1500 * 100);
}

TEST(TrainReplicas, AsksForMemoryFirst) {
  const Problem p = example(DataMode::full_batch);
  TrainOptions options{.k_init = 3, .k_data = 2, .dim = 100, .seeds = {1}, .threads = 1, .memory_limit = 1e5};
  const double weights = 8.0 * (75 * 100 + 75 * 75 + 75);
  const double inputs = 8.0 * 150 * 100;
  const double needed = estimate_replicas_memory(p, 10, options);
  EXPECT_GT(needed, 6.0 * weights + 2.0 * inputs);
  EXPECT_LT(needed, 1.25 * (6.0 * weights + 2.0 * inputs));
  EXPECT_THROW(static_cast<void>(train_replicas(p, 10, options)), MemoryLimit);
}

TEST(TrainReplicas, RefusesBadCounts) {
  const auto refusal = [](const TrainOptions& options) -> std::string {
    try {
      static_cast<void>(train_replicas(example(DataMode::full_batch), 5, options));
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
    return "no std::invalid_argument";
  };
  EXPECT_EQ(refusal({.k_init = 0, .dim = 16}), "k_init must be from 1 to 256, got 0");
  EXPECT_EQ(refusal({.k_data = 257, .dim = 16}), "k_data must be from 1 to 256, got 257");
}

}  // namespace
}  // namespace lindmft
