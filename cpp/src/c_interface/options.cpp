#include "c_interface/options.hpp"

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "c_interface/fields.hpp"
#include "c_interface/guard.hpp"
#include "c_interface/handles.hpp"

namespace lindmft::c_interface {
namespace {

using Options = lindmft_options;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kLargestInt = std::numeric_limits<int>::max();
constexpr double kLargestDraw = std::numeric_limits<std::uint32_t>::max();

const Choices<Options> kGrids{
    {"exact", [](Options& o) { o.grid = Grid::exact; }},
    {"adaptive", [](Options& o) { o.grid = Grid::adaptive; }},
};
const Choices<Options> kPrecisions{
    {"float64", [](Options& o) { o.precision = Precision::float64; }},
    {"float32", [](Options& o) { o.precision = Precision::float32; }},
};

const std::vector<Field<Options>> kFields{
    {"threads", Whole<Options>{[](Options& o, double x) { o.threads = static_cast<int>(x); }, 0.0, kLargestInt,
                               "a whole number, 0 for the allowed cores"}},
    {"memory_limit", Whole<Options>{[](Options& o, double x) { o.memory_limit = x; }, 0.0, kInfinity,
                                    "a whole number of bytes, 0 for four fifths of the free memory"}},
    {"kernels", Flag<Options>([](Options& o) -> bool& { return o.kernels; })},
    {"save", Words<Options>([](Options& o) -> std::vector<std::string>& { return o.save; })},
    {"replicas", Flag<Options>([](Options& o) -> bool& { return o.replicas; })},
    {"depth_nodes", Whole<Options>{[](Options& o, double x) { o.depth_nodes = static_cast<int>(x); }, 0.0, kLargestInt,
                                   "a whole number, 0 for as many as needed"}},
    {"rtol", Number<Options>([](Options& o) -> double& { return o.rtol; })},
    {"atol", Number<Options>([](Options& o) -> double& { return o.atol; })},
    {"grid", kGrids},
    {"updates", Flag<Options>([](Options& o) -> bool& { return o.updates; })},
    {"noise_draw", Whole<Options>{[](Options& o, double x) { o.noise_draw = static_cast<std::uint32_t>(x); }, 0.0,
                                  kLargestDraw, "a whole number from 0 to 2^32 - 1"}},
    {"precision", kPrecisions},
};

template <class Value>
int set_option(lindmft_options* handle, const char* name, Value value) {
  return guarded([&] {
    Options& options = not_null(handle, "options");
    const Field<Options>& field = find(kFields, "name", name);
    options.given.reserve(options.given.size() + 1);  // nothing may fail once the option is set
    set(field, options, value);
    options.given.emplace_back(field.name);
  });
}

void refuse_given(const Options& options, std::initializer_list<std::string_view> names, const std::string& call) {
  for (const std::string_view name : options.given) {
    if (std::ranges::find(names, name) != names.end())
      refuse(std::string(name), "left out of " + call + ", which does not know it", "a value");
  }
}

Progress progress(const Options& options) {
  if (options.progress == nullptr) return {};
  return [callback = options.progress, user = options.user](int done, int total) {
    return callback(done, total, user) == 0;
  };
}

SolveOptions theory_options(const Options& given) {
  SolveOptions options;
  options.grid = given.grid;
  options.rtol = given.rtol;
  options.atol = given.atol;
  options.threads = given.threads;
  options.memory_limit = given.memory_limit;
  options.save = given.save;
  options.depth_nodes = given.depth_nodes;
  options.replicas = given.replicas;
  options.kernels = given.kernels;
  options.progress = progress(given);
  return options;
}

}  // namespace

SolveOptions solve_options(const lindmft_options* options) {
  if (options == nullptr) return {};
  refuse_given(*options, {"updates", "noise_draw", "precision"}, "lindmft_solve");
  return theory_options(*options);
}

SolveOptions flow_options(const lindmft_options* options) {
  if (options == nullptr) return {};
  refuse_given(*options, {"grid", "kernels", "updates", "noise_draw", "precision"}, "lindmft_flow");
  return theory_options(*options);
}

TrainOptions train_options(const lindmft_options* options) {
  TrainOptions out;
  if (options == nullptr) return out;
  refuse_given(*options, {"save", "replicas", "depth_nodes", "rtol", "atol", "grid"}, "lindmft_train");
  out.threads = options->threads;
  out.memory_limit = options->memory_limit;
  out.progress = progress(*options);
  out.kernels = options->kernels;
  out.updates = options->updates;
  out.noise_draw = options->noise_draw;
  out.precision = options->precision;
  return out;
}

}  // namespace lindmft::c_interface

using namespace lindmft::c_interface;

extern "C" {

lindmft_options* lindmft_options_new(void) {
  lindmft_options* made = nullptr;
  guarded([&] { made = new lindmft_options; });
  return made;
}

void lindmft_options_free(lindmft_options* options) { delete options; }

int lindmft_options_set_double(lindmft_options* options, const char* name, double value) {
  return set_option(options, name, value);
}

int lindmft_options_set_string(lindmft_options* options, const char* name, const char* value) {
  return set_option(options, name, value);
}

int lindmft_options_set_progress(lindmft_options* options, lindmft_progress progress, void* user) {
  return guarded([&] {
    lindmft_options& target = not_null(options, "options");
    target.progress = progress;
    target.user = user;
  });
}
}
