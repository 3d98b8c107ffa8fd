#include "training/weights/method.hpp"

#include <algorithm>
#include <cmath>

namespace lindmft::training {
namespace {

// Rates of one core (Zen 4). The rate of a GEMM was measured with bench/bench_train.cpp, including the factors. The
// rates of caches and memory are estimates with which the methods have the measured order (dim 64 to 2048, 50 to 2000
// steps). Only ratios matter.
constexpr double kGemmRate = 2.6e10;     // operations a second of a GEMM with few rows, in double
constexpr double kCacheBytes = 1 << 20;  // size of the second-level cache
constexpr double kLastBytes = 24 << 20;  // size of the third-level cache
constexpr double kCacheRate = 1.0e11;    // bytes a second from the second-level cache
constexpr double kLastRate = 6.0e10;     // bytes a second from the third-level cache
constexpr double kMemoryRate = 1.6e10;   // bytes a second from memory

double stream_rate(double working_set) {
  return working_set <= kCacheBytes ? kCacheRate : working_set <= kLastBytes ? kLastRate : kMemoryRate;
}

double gemm_rate(const Shape& shape) { return kGemmRate * 8.0 / shape.scalar; }

/// Sums over the weight arrays.
struct Arrays {
  double entries = 0.0;  // N_{l+1} N_l
  double edges = 0.0;    // N_{l+1} + N_l
};

Arrays arrays(const Shape& shape) {
  Arrays sum;
  for (std::size_t l = 0; l + 1 < shape.sizes.size(); ++l) {
    const double rows = shape.sizes[l + 1];
    const double cols = shape.sizes[l];
    sum.entries += rows * cols;
    sum.edges += rows + cols;
  }
  return sum;
}

/// Number of steps since the last fold, on average over the run.
double mean_age(int steps, const Schedule& s) {
  if (!s.folds) return 0.5 * (steps - 1);
  const int whole = steps / s.capacity;
  const int rest = steps % s.capacity;
  return (0.5 * whole * s.capacity * (s.capacity - 1.0) + 0.5 * rest * (rest - 1.0)) / steps;
}

/// Number of folds in the run.
double folds(int steps, const Schedule& s) { return s.folds ? (steps - 1) / s.capacity : 0; }

/// The cost of the arrays: a forward and a backward product for every network and output, and the updates.
struct ArrayWork {
  double products;  // operations of products with arrays, and of folding
  double factors;   // operations with factors
  double array_bytes;
  double factor_bytes;
};

ArrayWork array_work(const Shape& shape, const Schedule& s) {
  const auto [entries, edges] = arrays(shape);
  const double vectors = static_cast<double>(shape.networks) * shape.outputs;
  const double steps = shape.steps;
  const double kept = shape.momentum ? 2.0 : 1.0;  // arrays of a network: weights and buffers
  if (s.method == Method::in_place) {
    const double touched = shape.momentum ? 5.0 : 3.0;  // weights are read twice, the buffer once, and both are written
    const double further = 4.0 * (shape.outputs - 1.0);
    return {steps * (4.0 + 2.0 * kept) * entries * vectors, 0.0,
            steps * (touched + further) * shape.scalar * entries * shape.networks, 0.0};
  }
  const double age = mean_age(shape.steps, s);
  const double read = s.folds ? kept : 1.0;
  const double bases = s.method == Method::shared ? 1.0 : shape.networks;
  const double fold_steps = folds(shape.steps, s) * kept;
  return {steps * 4.0 * read * entries * vectors + fold_steps * 2.0 * entries * vectors * s.capacity,
          steps * 4.0 * age * shape.outputs * edges * vectors,
          (steps * 2.0 * read + fold_steps * 2.0) * shape.scalar * entries * bases,
          steps * 2.0 * age * shape.outputs * shape.scalar * edges * vectors};
}

/// Bytes that every step reads again.
double working_set(const Shape& shape, const Schedule& s) {
  const auto [entries, edges] = arrays(shape);
  const double kept = shape.momentum && (s.method == Method::in_place || s.folds) ? 2.0 : 1.0;
  const double bases = s.method == Method::shared ? 1.0 : shape.networks;
  const double factors = s.method == Method::in_place ? 0.0 : mean_age(shape.steps, s) * shape.outputs * edges;
  return shape.scalar *
         (kept * bases * entries + shape.networks * factors + static_cast<double>(shape.samples) * shape.sizes.front());
}

/// Seconds on one core, without the passes over data, which are the same for all methods.
double seconds(const Shape& shape, const Schedule& s) {
  const ArrayWork w = array_work(shape, s);
  const double rate = stream_rate(working_set(shape, s));
  const double factors = w.factor_bytes / rate;
  if (s.method == Method::in_place) return w.array_bytes / rate;
  const bool gemm = s.method == Method::shared || shape.outputs > 1;
  if (gemm) return std::max(w.products / gemm_rate(shape), w.array_bytes / rate) + factors;
  const double folding =
      folds(shape.steps, s) * s.capacity * 2.0 * arrays(shape).entries * shape.networks * (shape.momentum ? 2.0 : 1.0);
  return w.array_bytes / rate + folding / gemm_rate(shape) + factors;
}

/// The interval at which the cost of reading factors in each step equals the cost of folding, which reads and writes
/// the weights.
int fold_interval(const Shape& shape) {
  const auto [entries, edges] = arrays(shape);
  const double best = std::sqrt(2.0 * entries / edges);
  return std::clamp(static_cast<int>(best), 8, 64);
}

}  // namespace

std::string name(Method method) {
  switch (method) {
    case Method::shared:
      return "shared";
    case Method::factored:
      return "factored";
    case Method::in_place:
      return "in_place";
    case Method::automatic:
      break;
  }
  return "automatic";
}

Work work(const Shape& shape, const Schedule& schedule) {
  const ArrayWork w = array_work(shape, schedule);
  const double inputs = static_cast<double>(shape.samples) * shape.sizes.front() * shape.steps;
  const double vectors = static_cast<double>(shape.networks) * shape.outputs;
  return {w.products + w.factors + 4.0 * inputs * vectors, w.array_bytes + w.factor_bytes + shape.scalar * inputs};
}

Schedule schedule_of(const Shape& shape, Method method) {
  if (method == Method::in_place) return {};
  const int steps = std::max(1, shape.steps - 1);  // updates
  if (method == Method::shared) return {.method = method, .capacity = steps, .folds = false};
  const int interval = fold_interval(shape);
  // Up to three intervals without a fold cost little more, and with momentum much less.
  if (steps <= 3 * interval) return {.method = method, .capacity = steps, .folds = false};
  return {.method = method, .capacity = interval, .folds = true};
}

Schedule choose(const Shape& shape) {
  Schedule best = schedule_of(shape, Method::in_place);
  double least = seconds(shape, best);
  for (const Method method : {Method::factored, Method::shared}) {
    if (method == Method::shared && shape.networks == 1) continue;
    const Schedule s = schedule_of(shape, method);
    // Factors avoid writing weights, which is cheap in a cache; there, measured passes in place are faster.
    if (method == Method::factored && working_set(shape, s) <= kLastBytes) continue;
    const double time = seconds(shape, s);
    if (time < least) {
      least = time;
      best = s;
    }
  }
  return best;
}

}  // namespace lindmft::training
