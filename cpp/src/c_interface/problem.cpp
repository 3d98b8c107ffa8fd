#include "lindmft/problem.hpp"

#include <limits>
#include <new>
#include <span>
#include <vector>

#include "c_interface/fields.hpp"
#include "c_interface/guard.hpp"
#include "c_interface/handles.hpp"
#include "lindmft/lindmft.h"

namespace lindmft::c_interface {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kLongestList = std::numeric_limits<int>::max();

void put_depth(Problem& p, double depth) {
  // A finite depth as large as kInfiniteDepth would be taken for it.
  if (depth != kInfinity && depth >= kInfiniteDepth) refuse("network.depth", "less than 2^31 - 1, or inf", text(depth));
  p.network.depth = depth == kInfinity ? kInfiniteDepth : static_cast<int>(depth);
}

const Choices<Problem> kNetworks{
    {"mlp", [](Problem& p) { p.network.kind = Architecture::mlp; }},
    {"resnet", [](Problem& p) { p.network.kind = Architecture::resnet; }},
};
const Choices<Problem> kParameterizations{
    {"mup", [](Problem& p) { p.network.parameterization = Parameterization::mup; }},
    {"ntk", [](Problem& p) { p.network.parameterization = Parameterization::ntk; }},
};
const Choices<Problem> kBranchScalings{
    {"depth", [](Problem& p) { p.network.branch_scaling = BranchScaling::depth; }},
    {"constant", [](Problem& p) { p.network.branch_scaling = BranchScaling::constant; }},
};
const Choices<Problem> kData{
    {"full_batch", [](Problem& p) { p.data.mode = DataMode::full_batch; }},
    {"multi_pass", [](Problem& p) { p.data.mode = DataMode::multi_pass; }},
    {"one_pass", [](Problem& p) { p.data.mode = DataMode::one_pass; }},
    {"population", [](Problem& p) { p.data.mode = DataMode::population; }},
    {"epochs", [](Problem& p) { p.data.mode = DataMode::epochs; }},
};

void put_amount(Problem& p, std::span<const double> values) {
  p.data.alpha = values.front();
  p.data.alphas.clear();
  if (values.size() > 1) p.data.alphas.assign(values.begin(), values.end());
}
constexpr Schedule<Problem> kAmount{put_amount};
constexpr Numbers<Problem> kWidth = [](Problem& p) -> std::vector<double>& { return p.network.width; };

const std::vector<Field<Problem>> kFields{
    {"network.kind", kNetworks},
    {"network.depth", Whole<Problem>{put_depth, -kLongestList, kInfinity, "a whole number or inf"}},
    {"network.width", kWidth},
    {"network.hidden", kWidth},
    {"network.gamma0", Number<Problem>([](Problem& p) -> double& { return p.network.gamma0; })},
    {"network.parameterization", kParameterizations},
    {"network.init_scale", Numbers<Problem>([](Problem& p) -> std::vector<double>& { return p.network.init_scale; })},
    {"network.centered", Flag<Problem>([](Problem& p) -> bool& { return p.network.centered; })},
    {"network.zero_readout", Flag<Problem>([](Problem& p) -> bool& { return p.network.zero_readout; })},
    {"network.branch", Number<Problem>([](Problem& p) -> double& { return p.network.branch; })},
    {"network.branch_scaling", kBranchScalings},
    {"data.kind", kData},
    {"data.alpha", kAmount},
    {"data.samples", kAmount},
    {"data.batch", kAmount},
    {"data.batch_fraction", Number<Problem>([](Problem& p) -> double& { return p.data.batch_fraction; })},
    {"data.batches", Whole<Problem>{[](Problem& p, double n) { p.data.batches = static_cast<int>(n); }, 1, kLongestList,
                                    "a whole number of at least 1"}},
    {"data.noise", Number<Problem>([](Problem& p) -> double& { return p.data.noise; })},
    {"data.spectrum.eigenvalues",
     Numbers<Problem>([](Problem& p) -> std::vector<double>& { return p.data.spectrum.eigenvalues; })},
    {"data.spectrum.target_power",
     Numbers<Problem>([](Problem& p) -> std::vector<double>& { return p.data.spectrum.target_power; })},
    {"data.spectrum.weights",
     Numbers<Problem>([](Problem& p) -> std::vector<double>& { return p.data.spectrum.weights; })},
    {"data.spectrum.trace_class", Flag<Problem>([](Problem& p) -> bool& { return p.data.spectrum.trace_class; })},
    {"data.spectrum.targets",
     Numbers<Problem>([](Problem& p) -> std::vector<double>& { return p.data.spectrum.targets; })},
    {"data.noise_factor", Numbers<Problem>([](Problem& p) -> std::vector<double>& { return p.data.noise_factor; })},
    {"data.targets", Numbers<Problem>([](Problem& p) -> std::vector<double>& { return p.data.targets; })},
    {"data.rotation", Numbers<Problem>([](Problem& p) -> std::vector<double>& { return p.data.rotation; })},
    {"data.switch_at", Whole<Problem>{[](Problem& p, double n) { p.data.switch_at = static_cast<int>(n); }, 0,
                                      kLongestList, "a whole number of at least 0"}},
    {"data.switch_overlap", Number<Problem>([](Problem& p) -> double& { return p.data.switch_overlap; })},
    {"data.switch_strength", Number<Problem>([](Problem& p) -> double& { return p.data.switch_strength; })},
    {"optimizer.lr", Numbers<Problem>([](Problem& p) -> std::vector<double>& { return p.optimizer.lr; })},
    {"optimizer.momentum", Numbers<Problem>([](Problem& p) -> std::vector<double>& { return p.optimizer.momentum; })},
    {"optimizer.nesterov", Flag<Problem>([](Problem& p) -> bool& { return p.optimizer.nesterov; })},
    {"optimizer.weight_decay", Number<Problem>([](Problem& p) -> double& { return p.optimizer.weight_decay; })},
    {"optimizer.layer_lr", Numbers<Problem>([](Problem& p) -> std::vector<double>& { return p.optimizer.layer_lr; })},
};

template <class Value>
int set_field(lindmft_problem* handle, const char* name, Value value) {
  return guarded([&] {
    Problem& problem = not_null(handle, "problem").problem;
    set(find(kFields, "field", name), problem, value);
  });
}

}  // namespace
}  // namespace lindmft::c_interface

using namespace lindmft::c_interface;

extern "C" {

lindmft_problem* lindmft_problem_new(void) {
  lindmft_problem* made = nullptr;
  guarded([&] { made = new lindmft_problem; });
  return made;
}

void lindmft_problem_free(lindmft_problem* problem) { delete problem; }

int lindmft_problem_set_double(lindmft_problem* problem, const char* field, double value) {
  return set_field(problem, field, value);
}

int lindmft_problem_set_string(lindmft_problem* problem, const char* field, const char* value) {
  return set_field(problem, field, value);
}

int lindmft_problem_set_doubles(lindmft_problem* problem, const char* field, const double* values, size_t count) {
  return guarded([&] {
    lindmft::Problem& target = not_null(problem, "problem").problem;
    const auto& found = find(kFields, "field", field);
    if (count != 0) static_cast<void>(not_null(values, "values"));
    if (static_cast<double>(count) > kLongestList) refuse("count", "less than 2^31", std::to_string(count));
    set(found, target, std::span<const double>(values, count));
  });
}

int lindmft_problem_check(const lindmft_problem* problem, int steps) {
  return guarded([&] {
    const lindmft::Problem& checked = not_null(problem, "problem").problem;
    if (steps < 0) refuse("steps", "at least 0", std::to_string(steps));
    lindmft::validate(checked, steps);
  });
}
}
