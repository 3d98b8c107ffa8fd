// The C interface: the numbers of the C++ one to the last bit, and a status with a message for all that can go wrong.
#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "lindmft/errors.hpp"
#include "lindmft/lindmft.h"
#include "lindmft/solve.hpp"
#include "lindmft/train.hpp"

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

struct Free {
  void operator()(lindmft_problem* p) const { lindmft_problem_free(p); }
  void operator()(lindmft_options* o) const { lindmft_options_free(o); }
  void operator()(lindmft_result* r) const { lindmft_result_free(r); }
};
using ProblemHandle = std::unique_ptr<lindmft_problem, Free>;
using OptionsHandle = std::unique_ptr<lindmft_options, Free>;
using ResultHandle = std::unique_ptr<lindmft_result, Free>;

/// A problem, and the same one in C++.
lindmft::Problem example() {
  lindmft::Problem p;
  p.network = {.depth = 2, .width = {0.75, 1.5}, .gamma0 = 0.8, .init_scale = {1.1, 0.9, 0.0}, .centered = true};
  p.data = {.mode = lindmft::DataMode::multi_pass,
            .alpha = 1.5,
            .batch_fraction = 0.5,
            .noise = 0.3,
            .spectrum = {.eigenvalues = {1.5, 0.5}, .target_power = {0.5, 1.5}, .weights = {0.5, 0.5}}};
  p.optimizer = {.lr = {0.05}, .momentum = {0.5}, .nesterov = true, .weight_decay = 0.01, .layer_lr = {1.0, 2.0, 0.5}};
  return p;
}

void set(const ProblemHandle& p, const char* field, double value) {
  ASSERT_EQ(lindmft_problem_set_double(p.get(), field, value), LINDMFT_OK) << lindmft_last_error();
}
void set(const ProblemHandle& p, const char* field, const std::vector<double>& values) {
  ASSERT_EQ(lindmft_problem_set_doubles(p.get(), field, values.data(), values.size()), LINDMFT_OK)
      << lindmft_last_error();
}
void set(const ProblemHandle& p, const char* field, const char* value) {
  ASSERT_EQ(lindmft_problem_set_string(p.get(), field, value), LINDMFT_OK) << lindmft_last_error();
}

ProblemHandle example_handle() {
  ProblemHandle p(lindmft_problem_new());
  set(p, "network.kind", "mlp");
  set(p, "network.depth", 2);
  set(p, "network.width", {0.75, 1.5});
  set(p, "network.gamma0", 0.8);
  set(p, "network.init_scale", {1.1, 0.9, 0.0});
  set(p, "network.centered", 1);
  set(p, "network.zero_readout", 0.0);
  set(p, "data.kind", "multi_pass");
  set(p, "data.alpha", 1.5);
  set(p, "data.batch_fraction", 0.5);
  set(p, "data.noise", 0.3);
  set(p, "data.spectrum.eigenvalues", {1.5, 0.5});
  set(p, "data.spectrum.target_power", {0.5, 1.5});
  set(p, "data.spectrum.weights", {0.5, 0.5});
  set(p, "optimizer.lr", 0.05);
  set(p, "optimizer.momentum", 0.5);
  set(p, "optimizer.nesterov", 1);
  set(p, "optimizer.weight_decay", 0.01);
  set(p, "optimizer.layer_lr", {1.0, 2.0, 0.5});
  return p;
}

ProblemHandle simple_handle() {
  ProblemHandle p(lindmft_problem_new());
  set(p, "data.alpha", 2.0);
  return p;
}

OptionsHandle options(const std::vector<std::pair<const char*, double>>& numbers) {
  OptionsHandle o(lindmft_options_new());
  for (const auto& [name, value] : numbers)
    EXPECT_EQ(lindmft_options_set_double(o.get(), name, value), LINDMFT_OK) << lindmft_last_error();
  return o;
}

ResultHandle solved(const ProblemHandle& p, int steps, const OptionsHandle& o = nullptr) {
  lindmft_result* result = nullptr;
  EXPECT_EQ(lindmft_solve(p.get(), steps, o.get(), &result), LINDMFT_OK) << lindmft_last_error();
  return ResultHandle(result);
}

ResultHandle trained(const ProblemHandle& p, int steps, const OptionsHandle& o = nullptr) {
  const std::array<std::uint64_t, 2> seeds{3, 5};
  lindmft_result* result = nullptr;
  EXPECT_EQ(lindmft_train(p.get(), steps, 16, seeds.data(), seeds.size(), o.get(), &result), LINDMFT_OK)
      << lindmft_last_error();
  return ResultHandle(result);
}

using Shape = std::vector<std::size_t>;

Shape shape(const ResultHandle& result, const char* name) {
  std::array<std::size_t, 3> sizes{};
  std::size_t rank = 0;
  EXPECT_EQ(lindmft_result_shape(result.get(), name, &rank, sizes.data()), LINDMFT_OK) << lindmft_last_error();
  for (std::size_t i = rank; i < 3; ++i) EXPECT_EQ(sizes[i], 1U);
  return {sizes.begin(), sizes.begin() + static_cast<std::ptrdiff_t>(rank)};
}

std::vector<double> values(const ResultHandle& result, const char* name) {
  std::size_t count = 1;
  for (const std::size_t n : shape(result, name)) count *= n;
  std::vector<double> out(count);
  EXPECT_EQ(lindmft_result_copy(result.get(), name, out.data(), count), LINDMFT_OK) << lindmft_last_error();
  return out;
}

std::vector<double> flat(const std::vector<lindmft::Matrix>& matrices) {
  std::vector<double> out;
  for (const lindmft::Matrix& m : matrices) out.insert(out.end(), m.data(), m.data() + m.bytes() / sizeof(double));
  return out;
}
std::vector<double> flat(const lindmft::Matrix& m) { return {m.data(), m.data() + m.bytes() / sizeof(double)}; }

/// Failed as expected, with this message.
void expect_failure(int status, int expected, const std::string& message) {
  EXPECT_EQ(status, expected);
  EXPECT_EQ(lindmft_last_error(), message);
}
void expect_refused(int status, const std::string& message) {
  expect_failure(status, LINDMFT_INVALID_ARGUMENT, message);
}

TEST(CInterface, TheoryIsThatOfCpp) {
  const OptionsHandle o = options({{"threads", 1}, {"replicas", 1}, {"kernels", 1}, {"modes", 1}});
  ASSERT_EQ(lindmft_options_set_string(o.get(), "save", "C_v, C_h"), LINDMFT_OK);
  const ResultHandle result = solved(example_handle(), 12, o);

  lindmft::SolveOptions same;
  same.threads = 1;
  same.save = {"C_v", "C_h"};
  same.replicas = same.kernels = same.modes = true;
  const lindmft::Solution expected = lindmft::solve(example(), 12, same);
  EXPECT_EQ(values(result, "time"), expected.time);
  EXPECT_EQ(values(result, "test_loss"), expected.test_loss);
  EXPECT_EQ(values(result, "train_loss"), expected.train_loss);
  EXPECT_EQ(values(result, "term_init"), expected.term_init);
  EXPECT_EQ(values(result, "C_v"), flat(expected.functions.C_v));
  EXPECT_EQ(values(result, "C_h"), flat(expected.functions.C_h));
  EXPECT_EQ(shape(result, "C_h"), (Shape{3, 12, 12}));
  EXPECT_EQ(shape(result, "feature_norm"), (Shape{2, 12}));
  EXPECT_EQ(values(result, "replicas.shared_data"), expected.replicas.shared_data);
  EXPECT_EQ(values(result, "kernels.gradient"), expected.kernels.gradient);
  EXPECT_EQ(shape(result, "mode_loss"), (Shape{expected.mode_loss.size(), 12}));
  EXPECT_EQ(shape(result, "mode_learned"), (Shape{expected.mode_loss.size(), 12}));
  EXPECT_EQ(values(result, "irreducible"), std::vector<double>{expected.irreducible});
  EXPECT_EQ(values(result, "diverged_at"), std::vector<double>{-1});
  EXPECT_EQ(values(result, "stats.sweeps"), std::vector<double>{1.0 * expected.stats.sweeps});
}

TEST(CInterface, SpectrumOfTheHessianIsThatOfCpp) {
  const OptionsHandle o = options({{"threads", 1}, {"lanczos", 6}});
  ASSERT_EQ(lindmft_options_set_string(o.get(), "spectrum_at", "0, 5,11"), LINDMFT_OK);
  const ResultHandle result = solved(example_handle(), 12, o);

  lindmft::SolveOptions same;
  same.threads = 1;
  same.lanczos = 6;
  same.spectrum_at = {0.0, 5.0, 11.0};
  const lindmft::HessianSpectrum expected = lindmft::solve(example(), 12, same).spectrum;
  EXPECT_EQ(values(result, "spectrum_time"), expected.time);
  EXPECT_EQ(values(result, "sharpness"), expected.sharpness);
  EXPECT_EQ(values(result, "bulk_edge"), expected.bulk_edge);
  EXPECT_EQ(shape(result, "target_ritz"), (Shape{3, 6}));

  const std::string known = "spectrum_at must be numbers with commas between them, got ";
  expect_refused(lindmft_options_set_string(o.get(), "spectrum_at", "0,x"), known + "'0,x'");
  expect_refused(lindmft_options_set_string(o.get(), "spectrum_at", "0,,5"), known + "'0,,5'");
  expect_refused(lindmft_options_set_double(o.get(), "spectrum_at", kNan), known + "nan");
}

TEST(CInterface, TrainingIsThatOfCpp) {
  const OptionsHandle o = options({{"threads", 1}, {"updates", 1}, {"modes", 1}, {"noise_draw", 4294967295.0}});
  ASSERT_EQ(lindmft_options_set_string(o.get(), "precision", "float32"), LINDMFT_OK);
  const ResultHandle result = trained(example_handle(), 9, o);

  lindmft::TrainOptions same;
  same.threads = 1;
  same.dim = 16;
  same.seeds = {3, 5};
  same.updates = same.modes = true;
  same.noise_draw = {4294967295};
  same.precision = lindmft::Precision::float32;
  const lindmft::Ensemble expected = lindmft::train(example(), 9, same);
  EXPECT_EQ(values(result, "test_loss"), flat(expected.test_loss));
  EXPECT_EQ(values(result, "train_loss"), flat(expected.train_loss));
  EXPECT_EQ(shape(result, "test_loss"), (Shape{2, 9}));
  EXPECT_EQ(values(result, "feature_update"), flat(expected.feature_update));
  EXPECT_EQ(shape(result, "feature_update"), (Shape{2, 2, 9}));
  EXPECT_EQ(values(result, "mode_learned"), flat(expected.mode_learned));
  EXPECT_EQ(values(result, "widths"), (std::vector<double>{12, 24}));
  EXPECT_EQ(values(result, "samples"), std::vector<double>{24});
  EXPECT_EQ(values(result, "diverged_at"), (std::vector<double>{-1, -1}));
}

TEST(CInterface, FlowIsThatOfCpp) {
  const ProblemHandle p(lindmft_problem_new());
  set(p, "network.kind", "resnet");
  set(p, "network.depth", 2);
  set(p, "network.branch_scaling", "constant");
  set(p, "network.parameterization", "ntk");
  set(p, "data.kind", "population");
  lindmft_result* result = nullptr;
  ASSERT_EQ(lindmft_flow(p.get(), 2.0, options({{"rtol", 1e-4}}).get(), &result), LINDMFT_OK) << lindmft_last_error();
  const ResultHandle owner(result);

  lindmft::Problem same;
  same.network.kind = lindmft::Architecture::resnet;
  same.network.depth = 2;
  same.network.branch_scaling = lindmft::BranchScaling::constant;
  same.network.parameterization = lindmft::Parameterization::ntk;
  same.data.mode = lindmft::DataMode::population;
  lindmft::SolveOptions coarse;
  coarse.rtol = 1e-4;
  const lindmft::Solution expected = lindmft::flow(same, 2.0, coarse);
  EXPECT_EQ(values(owner, "test_loss"), expected.test_loss);
  EXPECT_EQ(values(owner, "time"), expected.time);
  EXPECT_EQ(values(owner, "panels").size(), expected.panels.size());
}

TEST(CInterface, InfiniteDepthHasNodes) {
  const ProblemHandle p = simple_handle();
  set(p, "network.kind", "resnet");
  set(p, "network.depth", kInfinity);
  const ResultHandle result = solved(p, 3, options({{"depth_nodes", 4}}));
  lindmft::Problem same;
  same.network.kind = lindmft::Architecture::resnet;
  same.network.depth = lindmft::kInfiniteDepth;
  same.data.alpha = 2.0;
  lindmft::SolveOptions nodes;
  nodes.depth_nodes = 4;
  const lindmft::Solution expected = lindmft::solve(same, 3, nodes);
  EXPECT_EQ(values(result, "depth"), expected.depth);
  EXPECT_EQ(shape(result, "feature_norm"), (Shape{4, 3}));
  EXPECT_EQ(values(result, "test_loss"), expected.test_loss);
}

TEST(CInterface, ChannelsHaveTheirOwnNames) {
  const ProblemHandle p = simple_handle();
  set(p, "data.targets", {1.0, 0.5, 1.0});
  const OptionsHandle o = options({});
  ASSERT_EQ(lindmft_options_set_string(o.get(), "save", "C_v"), LINDMFT_OK);
  const ResultHandle result = solved(p, 6, o);
  EXPECT_EQ(values(result, "channel"), (std::vector<double>{0, 1, 0}));
  EXPECT_EQ(shape(result, "channels[1].C_v"), (Shape{6, 6}));
  EXPECT_EQ(shape(result, "test_loss_by_output"), (Shape{3, 6}));
}

TEST(CInterface, NamesAreListed) {
  const ResultHandle result = solved(simple_handle(), 3);
  std::vector<std::string> names;
  for (std::size_t i = 0; lindmft_result_name(result.get(), i) != nullptr; ++i) {
    names.emplace_back(lindmft_result_name(result.get(), i));
    EXPECT_FALSE(values(result, names.back().c_str()).empty());
  }
  EXPECT_EQ(names.front(), "time");
  EXPECT_GT(names.size(), 20U);
  EXPECT_EQ(lindmft_result_name(result.get(), names.size()), nullptr);
  EXPECT_EQ(lindmft_result_name(nullptr, 0), nullptr);
}

TEST(CInterface, DivergenceIsAResult) {
  const ProblemHandle p = simple_handle();
  set(p, "network.depth", 3);
  set(p, "optimizer.lr", 3.0);
  for (const ResultHandle& result : {solved(p, 60), trained(p, 60)}) {
    const double at = values(result, "diverged_at").front();
    ASSERT_GT(at, 0);
    EXPECT_EQ(values(result, "test_loss")[static_cast<std::size_t>(at) + 1], kInfinity);
  }
}

TEST(CInterface, BadFieldsAreRefused) {
  const ProblemHandle p = simple_handle();
  const auto number = [&](const char* field, double value) {
    return lindmft_problem_set_double(p.get(), field, value);
  };
  const auto word = [&](const char* field, const char* value) {
    return lindmft_problem_set_string(p.get(), field, value);
  };
  const auto list = [&](const char* field, const std::vector<double>& entries) {
    return lindmft_problem_set_doubles(p.get(), field, entries.data(), entries.size());
  };
  expect_refused(number("network.gamma0", kNan), "network.gamma0 must be a number, got nan");
  expect_refused(number("network.depth", 1.5), "network.depth must be a whole number or inf, got 1.5");
  expect_refused(number("network.depth", -kInfinity), "network.depth must be a whole number or inf, got -inf");
  expect_refused(number("network.depth", 2147483647.0),
                 "network.depth must be less than 2^31 - 1, or inf, got 2.14748e+09");
  expect_refused(number("network.centered", 2), "network.centered must be 0 or 1, got 2");
  expect_refused(number("network.width", kNan), "network.width must be a number or a list of numbers, got nan");
  expect_refused(number("network.kind", 3), "network.kind must be one of 'mlp', 'resnet', got 3");
  expect_refused(word("network.kind", "cnn"), "network.kind must be one of 'mlp', 'resnet', got 'cnn'");
  expect_refused(word("data.noise", "loud"), "data.noise must be a number, got 'loud'");
  expect_refused(word("data.kind", nullptr), "data.kind is missing: it is a null pointer");
  expect_refused(list("optimizer.lr", {0.1, kNan}), "optimizer.lr[1] must be a number, got nan");
  expect_refused(list("data.noise", {1, 2}), "data.noise must be a number, got a list of 2 numbers");
  expect_refused(number("data.alpha", kNan), "data.alpha must be a number or a list of numbers, got nan");
  expect_refused(lindmft_problem_set_doubles(p.get(), "optimizer.lr", nullptr, 3),
                 "values is missing: it is a null pointer");
  const double one = 1.0;
  expect_refused(lindmft_problem_set_doubles(p.get(), "optimizer.lr", &one, static_cast<std::size_t>(-1)),
                 "count must be less than 2^31, got 18446744073709551615");
  expect_refused(number(nullptr, 1), "field is missing: it is a null pointer");
  expect_refused(lindmft_problem_set_double(nullptr, "data.alpha", 1), "problem is missing: it is a null pointer");
  // Nothing of it was taken.
  EXPECT_EQ(lindmft_problem_check(p.get(), 0), LINDMFT_OK);
}

TEST(CInterface, TheAmountOfDataHasNoDefault) {
  const ProblemHandle p(lindmft_problem_new());
  const char* missing =
      "data.alpha is missing: give the amount of data as a ratio to D, or infinity for the population";
  expect_refused(lindmft_problem_check(p.get(), 0), missing);
  lindmft_result* result = nullptr;
  expect_refused(lindmft_solve(p.get(), 3, nullptr, &result), missing);
  expect_refused(lindmft_flow(p.get(), 1.0, nullptr, &result), missing);
  const std::uint64_t seed = 0;
  expect_refused(lindmft_train(p.get(), 3, 16, &seed, 1, nullptr, &result), missing);
  EXPECT_EQ(result, nullptr);
  set(p, "data.alpha", kInfinity);
  const ResultHandle unlimited = solved(p, 3);
  const ProblemHandle other(lindmft_problem_new());
  set(other, "data.kind", "population");
  EXPECT_EQ(values(solved(other, 3), "test_loss"), values(unlimited, "test_loss"));
}

TEST(CInterface, UnknownNamesAreRefusedWithThoseKnown) {
  const ProblemHandle p = simple_handle();
  EXPECT_EQ(lindmft_problem_set_double(p.get(), "network.gama0", 1), LINDMFT_INVALID_ARGUMENT);
  const std::string message = lindmft_last_error();
  EXPECT_EQ(message.find("field must be one of network.kind, network.depth, "), 0U) << message;
  EXPECT_NE(message.find(", got 'network.gama0'"), std::string::npos) << message;
  const std::string endless(100000, '\n');
  EXPECT_EQ(lindmft_problem_set_double(p.get(), endless.c_str(), 1), LINDMFT_INVALID_ARGUMENT);
  EXPECT_TRUE(std::string(lindmft_last_error()).ends_with("got '" + std::string(60, '?') + "...'"));
  const ResultHandle result = solved(p, 3);
  EXPECT_EQ(lindmft_result_copy(result.get(), "C_v", nullptr, 0), LINDMFT_INVALID_ARGUMENT);  // not saved
  EXPECT_TRUE(std::string(lindmft_last_error()).starts_with("name must be one of time, test_loss, "));
}

TEST(CInterface, BadProblemsAreRefusedAsInCpp) {
  const ProblemHandle p = simple_handle();
  set(p, "network.depth", -3);
  const std::string message = "network.depth must be at least 1, got -3";
  lindmft_result* result = nullptr;
  const std::uint64_t seed = 1;
  expect_refused(lindmft_problem_check(p.get(), 0), message);
  expect_refused(lindmft_solve(p.get(), 5, nullptr, &result), message);
  expect_refused(lindmft_flow(p.get(), 1.0, nullptr, &result), message);
  expect_refused(lindmft_train(p.get(), 5, 8, &seed, 1, nullptr, &result), message);
  EXPECT_EQ(result, nullptr);
}

TEST(CInterface, BadArgumentsAreRefused) {
  const ProblemHandle p = simple_handle();
  const std::uint64_t seed = 1;
  lindmft_result* result = nullptr;
  lindmft_problem* none = nullptr;
  expect_refused(lindmft_problem_check(p.get(), -1), "steps must be at least 0, got -1");
  expect_refused(lindmft_problem_check(none, 0), "problem is missing: it is a null pointer");
  expect_refused(lindmft_solve(none, 5, nullptr, &result), "problem is missing: it is a null pointer");
  expect_refused(lindmft_solve(p.get(), 5, nullptr, nullptr), "result is missing: it is a null pointer");
  expect_refused(lindmft_solve(p.get(), 0, nullptr, &result), "steps must be at least 1, got 0");
  expect_refused(lindmft_flow(p.get(), kNan, nullptr, &result), "time must be positive and finite, got nan");
  expect_refused(lindmft_train(p.get(), 5, -8, &seed, 1, nullptr, &result), "dim must be at least 1, got -8");
  expect_refused(lindmft_train(p.get(), -5, 8, &seed, 1, nullptr, &result), "steps must be at least 1, got -5");
  expect_refused(lindmft_train(p.get(), 5, 8, nullptr, 1, nullptr, &result), "seeds is missing: it is a null pointer");
  expect_refused(lindmft_train(p.get(), 5, 8, nullptr, 0, nullptr, &result),
                 "seeds must be a list with at least one entry, got an empty list");
  expect_refused(lindmft_train(p.get(), 5, 8, &seed, static_cast<std::size_t>(-1), nullptr, &result),
                 "n_seeds must be less than 2^31, got 18446744073709551615");
}

TEST(CInterface, BadOptionsAreRefused) {
  const OptionsHandle o = options({});
  const auto number = [&](const char* name, double value) { return lindmft_options_set_double(o.get(), name, value); };
  expect_refused(number("threads", -1), "threads must be a whole number from 1 to 4096, or 0 for the default, got -1");
  expect_refused(number("memory_limit", kNan),
                 "memory_limit must be a positive number of bytes, or 0 for four fifths of the free memory, got nan");
  expect_refused(number("noise_draw", 4294967296.0),
                 "noise_draw must be a whole number from 0 to 2^32 - 1, got 4.29497e+09");
  expect_refused(number("save", 1), "save must be words with commas between them, got 1");
  expect_refused(lindmft_options_set_string(o.get(), "grid", "fine"),
                 "grid must be one of 'exact', 'adaptive', got 'fine'");
  expect_refused(lindmft_options_set_double(nullptr, "threads", 1), "options is missing: it is a null pointer");
  expect_refused(lindmft_options_set_progress(nullptr, nullptr, nullptr), "options is missing: it is a null pointer");

  const ProblemHandle p = simple_handle();
  lindmft_result* result = nullptr;
  expect_refused(number("threads", 5000),
                 "threads must be a whole number from 1 to 4096, or 0 for the default, got 5000");
  ASSERT_EQ(number("threads", 1), LINDMFT_OK);
  ASSERT_EQ(lindmft_options_set_string(o.get(), "save", "C_v,"), LINDMFT_OK);
  EXPECT_EQ(lindmft_solve(p.get(), 5, o.get(), &result), LINDMFT_OK);  // a comma at the end is no word
  lindmft_result_free(result);
  ASSERT_EQ(lindmft_options_set_string(o.get(), "save", "C_v,,C_w"), LINDMFT_OK);
  expect_refused(lindmft_solve(p.get(), 5, o.get(), &result),
                 "save must be among 'all', 'C_h', 'C_g', 'R_hr', 'R_gu', 'C_v', 'C_delta', 'R_delta', got ''");
}

TEST(CInterface, EveryOptionIsListedAndCanBeSet) {
  const std::string list = std::string("\n") + lindmft_options_list();
  const OptionsHandle o = options({});
  const auto check = [&](const lindmft::Option& option, auto /*member*/) {
    if ((option.calls & lindmft::kInC) == 0) return;
    EXPECT_NE(list.find(std::string("\n") + option.name + ": "), std::string::npos) << option.name;
    const bool number =
        lindmft_options_set_double(o.get(), option.name, option.least > 0 ? option.least : 1) == LINDMFT_OK;
    const bool word = lindmft_options_set_string(o.get(), option.name, "exact") == LINDMFT_OK ||
                      lindmft_options_set_string(o.get(), option.name, "float32") == LINDMFT_OK ||
                      lindmft_options_set_string(o.get(), option.name, "shared") == LINDMFT_OK ||
                      lindmft_options_set_string(o.get(), option.name, "steps") == LINDMFT_OK;
    EXPECT_TRUE(number || word) << option.name;
  };
  lindmft::SolveOptions::for_each(check);
  lindmft::TrainOptions::for_each(check);
}

TEST(CInterface, OptionsOfOtherCallsAreRefused) {
  const ProblemHandle p = simple_handle();
  const std::uint64_t seed = 1;
  lindmft_result* result = nullptr;
  expect_refused(lindmft_solve(p.get(), 5, options({{"updates", 1}}).get(), &result),
                 "updates is not an option of lindmft_solve");
  expect_refused(lindmft_flow(p.get(), 1.0, options({{"kernels", 1}}).get(), &result),
                 "kernels is not an option of lindmft_flow");
  expect_refused(lindmft_train(p.get(), 5, 8, &seed, 1, options({{"rtol", 1e-3}}).get(), &result),
                 "rtol is not an option of lindmft_train");
}

TEST(CInterface, CopiesHaveTheRightSize) {
  const ResultHandle result = solved(simple_handle(), 5);
  std::vector<double> loss(6, -1.0);
  std::size_t rank = 0;
  std::array<std::size_t, 3> sizes{};
  const auto copy = [&](std::size_t count) {
    return lindmft_result_copy(result.get(), "test_loss", loss.data(), count);
  };
  expect_refused(copy(4), "count must be 5, the size of test_loss, got 4");
  expect_refused(copy(6), "count must be 5, the size of test_loss, got 6");
  EXPECT_EQ(loss, std::vector<double>(6, -1.0));
  expect_refused(lindmft_result_copy(result.get(), "time", nullptr, 5), "values is missing: it is a null pointer");
  expect_refused(lindmft_result_copy(nullptr, "time", loss.data(), 5), "result is missing: it is a null pointer");
  expect_refused(lindmft_result_copy(result.get(), nullptr, loss.data(), 5), "name is missing: it is a null pointer");
  expect_refused(lindmft_result_shape(result.get(), "time", nullptr, sizes.data()),
                 "rank is missing: it is a null pointer");
  expect_refused(lindmft_result_shape(result.get(), "time", &rank, nullptr), "shape is missing: it is a null pointer");
}

TEST(CInterface, MemoryIsRefusedBeforeItIsTaken) {
  lindmft_result* result = nullptr;
  const OptionsHandle o = options({{"memory_limit", 1000}});
  EXPECT_EQ(lindmft_solve(simple_handle().get(), 100, o.get(), &result), LINDMFT_MEMORY_LIMIT);
  EXPECT_NE(std::string(lindmft_last_error()).find("may take 9.31e-07 GiB (1000 bytes)"), std::string::npos)
      << lindmft_last_error();
}

struct Calls {
  int left = 0;
  int last_total = 0;
};

TEST(CInterface, ProgressIsReportedAndCanStop) {
  const auto callback = [](int /*done*/, int total, void* user) {
    auto& calls = *static_cast<Calls*>(user);
    calls.last_total = total;
    return calls.left-- == 0 ? 1 : 0;
  };
  const OptionsHandle o = options({});
  Calls calls{.left = -1};
  ASSERT_EQ(lindmft_options_set_progress(o.get(), callback, &calls), LINDMFT_OK);
  EXPECT_EQ(values(solved(simple_handle(), 20, o), "test_loss").size(), 20U);
  EXPECT_EQ(calls.last_total, 20);
  calls.left = 0;
  lindmft_result* result = nullptr;
  EXPECT_EQ(lindmft_solve(simple_handle().get(), 20, o.get(), &result), LINDMFT_INTERRUPTED);
  EXPECT_FALSE(std::string(lindmft_last_error()).empty());
  ASSERT_EQ(lindmft_options_set_progress(o.get(), nullptr, nullptr), LINDMFT_OK);
  EXPECT_EQ(values(solved(simple_handle(), 20, o), "time").size(), 20U);
}

TEST(CInterface, NoExceptionLeaves) {
  const OptionsHandle o = options({});
  lindmft_result* result = nullptr;
  ASSERT_EQ(lindmft_options_set_progress(o.get(), [](int, int, void*) -> int { throw 7; }, nullptr), LINDMFT_OK);
  expect_failure(lindmft_solve(simple_handle().get(), 20, o.get(), &result), LINDMFT_INTERNAL_ERROR,
                 "an exception of unknown type");
}

TEST(CInterface, ErrorsBelongToTheirThread) {
  expect_refused(lindmft_problem_set_double(nullptr, "data.alpha", 1), "problem is missing: it is a null pointer");
  std::string before;
  std::thread other([&] {
    before = lindmft_last_error();
    lindmft_options_set_double(nullptr, "threads", 1);
  });
  other.join();
  EXPECT_EQ(before, "");
  EXPECT_STREQ(lindmft_last_error(), "problem is missing: it is a null pointer");
}

TEST(CInterface, StatusesAreThoseOfTheTableOfErrors) {
  std::vector<std::string> names;
  for (const lindmft::ErrorKind& kind : lindmft::error_table()) names.emplace_back(kind.status);
  EXPECT_EQ(names, (std::vector<std::string>{"LINDMFT_INVALID_ARGUMENT", "LINDMFT_MEMORY_LIMIT",
                                             "LINDMFT_NOT_CONVERGED", "LINDMFT_INTERRUPTED"}));
  EXPECT_STREQ(lindmft_version(), LINDMFT_VERSION);
}

TEST(CInterface, NullIsFreed) {
  lindmft_problem_free(nullptr);
  lindmft_options_free(nullptr);
  lindmft_result_free(nullptr);
}

}  // namespace
