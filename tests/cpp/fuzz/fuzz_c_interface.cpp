// Calls of the C interface from random bytes: fields and options are set to arbitrary values, then a small computation
// runs. For every input there must be no crash, no NaN in a result, and a message for every failure.
//
//   cmake --preset fuzz && cmake --build --preset fuzz
//   build/fuzz/tests/cpp/fuzz/fuzz_c_interface -max_total_time=900 -max_len=256 corpus tests/cpp/fuzz/found
#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "lindmft/lindmft.h"

namespace {

using Clock = std::chrono::steady_clock;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr std::chrono::seconds kPatience{2};
constexpr double kMemory = 1 << 24;

constexpr std::array kFields{"network.kind",
                             "network.depth",
                             "network.width",
                             "network.hidden",
                             "network.gamma0",
                             "network.parameterization",
                             "network.init_scale",
                             "network.centered",
                             "network.zero_readout",
                             "network.branch",
                             "network.branch_scaling",
                             "data.kind",
                             "data.alpha",
                             "data.samples",
                             "data.batch",
                             "data.batch_fraction",
                             "data.noise",
                             "data.spectrum.eigenvalues",
                             "data.spectrum.target_power",
                             "data.spectrum.weights",
                             "data.spectrum.trace_class",
                             "data.targets",
                             "data.rotation",
                             "data.switch_at",
                             "data.switch_overlap",
                             "data.switch_strength",
                             "optimizer.lr",
                             "optimizer.momentum",
                             "optimizer.nesterov",
                             "optimizer.weight_decay",
                             "optimizer.layer_lr"};
constexpr std::array kOptions{"threads", "memory_limit", "kernels", "save",       "replicas",  "depth_nodes", "rtol",
                              "atol",    "grid",         "updates", "noise_draw", "precision", "modes"};
constexpr std::array kWords{"mlp",        "resnet",     "mup",      "ntk",        "depth",         "constant",
                            "full_batch", "multi_pass", "one_pass", "population", "exact",         "adaptive",
                            "float64",    "float32",    "all",      "C_v,C_h",    "R_gu, R_delta", ","};
constexpr std::array kNumbers{
    0.0,          1.0,          2.0,       3.0,        0.5,
    0.1,          0.25,         -1.0,      -0.0,       1e-3,
    1e3,          1e-6,         1e6,       0.9,        0.99,
    1e-300,       1e300,        1e154,     5e-324,     65536.0,
    2147483647.0, 4294967296.0, kInfinity, -kInfinity, std::numeric_limits<double>::quiet_NaN()};

[[noreturn]] void fail(const char* what, const std::string& detail) {
  std::fprintf(stderr, "%s: %s\n", what, detail.c_str());
  std::abort();
}

class Bytes {
 public:
  Bytes(const std::uint8_t* data, std::size_t size) : data_(data), left_(size) {}

  [[nodiscard]] bool empty() const { return left_ == 0; }

  std::uint8_t byte() {
    if (left_ == 0) return 0;
    --left_;
    return *data_++;
  }

  int up_to(int most) { return byte() % (most + 1); }

  template <std::size_t n, class T>
  T one_of(const std::array<T, n>& known) {
    return known[byte() % n];
  }

  double number() {
    const std::uint8_t how = byte();
    if (how < 160) return one_of(kNumbers);
    if (how < 240) return byte() / 64.0;
    std::array<std::uint8_t, sizeof(double)> raw{};
    for (std::uint8_t& b : raw) b = byte();
    double value = 0.0;
    std::memcpy(&value, raw.data(), sizeof value);
    return value;
  }

  std::vector<double> numbers() {
    std::vector<double> out(static_cast<std::size_t>(up_to(6)));
    for (double& value : out) value = number();
    return out;
  }

  /// A key, usually a known one.
  template <std::size_t n>
  std::string word(const std::array<const char*, n>& known) {
    if (byte() < 248) return one_of(known);
    std::string out(static_cast<std::size_t>(up_to(12)), ' ');
    for (char& c : out) c = static_cast<char>(byte());
    return out;
  }

 private:
  const std::uint8_t* data_;
  std::size_t left_;
};

/// Checks that a status is documented, and that there is a message if the call failed.
bool good(int status) {
  if (status == LINDMFT_OK) return true;
  if (status < LINDMFT_OK || status >= LINDMFT_INTERNAL_ERROR) fail("status", lindmft_last_error());
  if (std::strlen(lindmft_last_error()) < 10) fail("message", lindmft_last_error());
  return false;
}

void set_field(Bytes& in, lindmft_problem* problem) {
  const std::string field = in.word(kFields);
  const int how = in.up_to(8);
  if (how < 4) {
    good(lindmft_problem_set_double(problem, field.c_str(), in.number()));
  } else if (how < 6) {
    const std::vector<double> values = in.numbers();
    good(lindmft_problem_set_doubles(problem, field.c_str(), values.data(), values.size()));
  } else {
    good(lindmft_problem_set_string(problem, field.c_str(), how == 8 ? nullptr : in.word(kWords).c_str()));
  }
}

void set_option(Bytes& in, lindmft_options* options) {
  const std::string name = in.word(kOptions);
  if (in.up_to(1) == 0) {
    good(lindmft_options_set_double(options, name.c_str(), in.number()));
  } else {
    good(lindmft_options_set_string(options, name.c_str(), in.word(kWords).c_str()));
  }
}

void look_at(const lindmft_result* result) {
  for (std::size_t i = 0; lindmft_result_name(result, i) != nullptr; ++i) {
    const char* name = lindmft_result_name(result, i);
    std::size_t rank = 0;
    std::array<std::size_t, 3> shape{};
    if (!good(lindmft_result_shape(result, name, &rank, shape.data())) || rank > 3) fail("shape of", name);
    std::vector<double> values(shape[0] * shape[1] * shape[2]);
    if (!good(lindmft_result_copy(result, name, values.data(), values.size()))) fail("copy of", name);
    const std::string_view field(name);
    const bool may_be_missing = field.ends_with("kernels.target") || field.ends_with("kernels.gradient");
    for (const double value : values) {
      if (std::isnan(value) && !may_be_missing) fail("NaN in", name);
    }
    if (good(lindmft_result_copy(result, name, values.data(), values.size() + 1))) fail("count of", name);
  }
}

/// The progress callback that stops a computation soon, or when it takes too long.
struct Stop {
  int calls_left;
  Clock::time_point late = Clock::now() + kPatience;

  static int ask(int done, int total, void* user) {
    auto& stop = *static_cast<Stop*>(user);
    if (done < 0 || done > total) fail("progress", std::to_string(done) + " of " + std::to_string(total));
    return stop.calls_left-- == 0 || Clock::now() > stop.late ? 1 : 0;
  }
};

int compute(Bytes& in, const lindmft_problem* problem, const lindmft_options* options, lindmft_result** result) {
  constexpr std::array kTimes{1.0, 10.0, 1e-3, 0.0, -1.0, kInfinity, std::numeric_limits<double>::quiet_NaN()};
  const int steps = in.up_to(5) - 1;
  switch (in.up_to(2)) {
    case 0:
      return lindmft_solve(problem, steps, options, result);
    case 1:
      return lindmft_flow(problem, in.one_of(kTimes), options, result);
    default: {
      const int dim = in.up_to(9) - 1;
      const std::array<std::uint64_t, 2> seeds{in.byte(), in.byte()};
      return lindmft_train(problem, steps, dim, seeds.data(), static_cast<std::size_t>(in.up_to(2)), options, result);
    }
  }
}

/// Reports at the end how many inputs were problems that could be computed.
struct Tally {
  long inputs = 0;
  long results = 0;
  Tally() = default;
  Tally(const Tally&) = delete;
  Tally& operator=(const Tally&) = delete;
  ~Tally() { std::fprintf(stderr, "%ld inputs, %ld of them with a result\n", inputs, results); }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Tally tally;
  ++tally.inputs;
  Bytes in(data, size);
  lindmft_problem* problem = lindmft_problem_new();
  lindmft_options* options = lindmft_options_new();
  Stop stop{in.up_to(15) == 0 ? in.up_to(3) : -1};
  std::array<std::uint8_t, 6> last{};
  for (std::uint8_t& b : last) b = in.byte();
  good(lindmft_problem_set_double(problem, "data.alpha", kInfinity));  // it has no default
  for (int left = in.up_to(12); left > 0 && !in.empty(); --left)
    in.up_to(5) == 0 ? set_option(in, options) : set_field(in, problem);
  // The computation is small and on one thread, independent of the input.
  good(lindmft_options_set_double(options, "threads", 1.0));
  good(lindmft_options_set_double(options, "memory_limit", kMemory));
  good(lindmft_options_set_progress(options, &Stop::ask, &stop));
  good(lindmft_problem_check(problem, last[0] % 4));

  lindmft_result* result = nullptr;
  Bytes how(last.data(), last.size());
  if (good(compute(how, problem, options, &result))) {
    ++tally.results;
    look_at(result);
  } else if (result != nullptr) {
    fail("result after", lindmft_last_error());
  }
  lindmft_result_free(result);
  lindmft_options_free(options);
  lindmft_problem_free(problem);
  return 0;
}
