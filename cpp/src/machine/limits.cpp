#include "lindmft/limits.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "linalg/blas.hpp"
#include "lindmft/errors.hpp"
#include "support/interruption.hpp"
#include "support/memory.hpp"
#include "support/platform.hpp"
#include "support/refusals.hpp"
#include "support/threads.hpp"

namespace lindmft {
namespace {

constexpr int kRepetitions = 5;
constexpr int kGemmSize = 1024;
constexpr double kSmallestArray = 64.0 * 1024 * 1024;
constexpr double kCaches = 4.0;        // size of an array in units of all last-level caches
constexpr double kMemoryShare = 0.25;  // fraction of the free memory that all arrays may take
constexpr int kArrays = 3;             // arrays in a product, and in a triad
constexpr int kMeasurements = 8;       // four rates, each on one thread and on all
constexpr double kRepetition = 1e9;    // operations of a repetition, roughly

using Clock = std::chrono::steady_clock;

double since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

/// Calls work(0) .. work(threads - 1) in parallel; every call of this function runs work(i) on the same thread.
template <class Work>
void together(int threads, Work work) {
#ifdef _OPENMP
#pragma omp parallel for num_threads(threads) schedule(static, 1) if (threads > 1)
#endif
  for (int i = 0; i < threads; ++i) work(i);
}

/// The shortest time of a repetition; the first one, which warms up, is not counted.
template <class Work>
double best_of(int threads, double seconds, Work work) {
  together(threads, work);
  double best = std::numeric_limits<double>::infinity();
  const auto start = Clock::now();
  for (int i = 0; i < kRepetitions || since(start) < seconds; ++i) {
    const auto begin = Clock::now();
    together(threads, work);
    best = std::min(best, since(begin));
    support::interruption_point(kRepetition);
  }
  return best;
}

double gemm_rate(int threads, double seconds) {
  constexpr std::size_t kEntries = static_cast<std::size_t>(kGemmSize) * kGemmSize;
  constexpr std::size_t kOperands = kArrays * kEntries;
  support::require_memory(static_cast<double>(threads) * kOperands * sizeof(double), 0.0, "measuring limits");
  const auto operands = std::make_unique_for_overwrite<double[]>(static_cast<std::size_t>(threads) * kOperands);
  const auto own = [&](int i) { return operands.get() + static_cast<std::size_t>(i) * kOperands; };
  together(threads, [&](int i) { std::fill_n(own(i), kOperands, 0.5); });
  const double taken = best_of(threads, seconds, [&](int i) {
    double* a = own(i);
    const auto square = [&](double* at) { return linalg::View{at, kGemmSize, kGemmSize, kGemmSize}; };
    linalg::gemm(square(a), square(a + kEntries), square(a + 2 * kEntries), linalg::Transpose::no, 1.0, 0.0);
  });
  return threads * 2.0 * std::pow(kGemmSize, 3) / taken;
}

LINDMFT_CLONES void triad(std::size_t n, const double* b, const double* c, double* a) {
  for (std::size_t i = 0; i < n; ++i) a[i] = b[i] + 0.75 * c[i];
}

LINDMFT_CLONES void scale(std::size_t n, double* a) {
  for (std::size_t i = 0; i < n; ++i) a[i] *= 1.0000001;
}

/// The sum of an array, in enough partial sums that loads do not wait for additions.
LINDMFT_CLONES double total(std::size_t n, const double* a) {
  constexpr std::size_t kSums = 64;
  std::array<double, kSums> sums{};
  for (std::size_t i = 0; i + kSums <= n; i += kSums) {
    for (std::size_t j = 0; j < kSums; ++j) sums[j] += a[i + j];
  }
  double sum = 0.0;
  for (const double s : sums) sum += s;
  return sum;
}

std::size_t array_entries() {
  const double wanted = std::max(kSmallestArray, kCaches * support::last_level_caches());
  const double bytes = std::min(wanted, kMemoryShare / kArrays * support::free_memory());
  return static_cast<std::size_t>(bytes / sizeof(double));
}

/// Three long arrays. Each thread writes its part first and then works on it, so that the part lies in memory near it.
class Streams {
 public:
  explicit Streams(int threads)
      : threads_(threads), entries_(array_entries()), sums_(static_cast<std::size_t>(threads)) {
    for (auto& array : arrays_) array = std::make_unique_for_overwrite<double[]>(entries_);
    together(threads_, [&](int i) {
      for (auto& array : arrays_) std::fill_n(array.get() + begin(i), end(i) - begin(i), 1.0);
    });
  }

  [[nodiscard]] double bytes() const { return static_cast<double>(entries_ * sizeof(double)); }

  double triad_rate(double seconds) {
    return rate(3, seconds, [&](int i) { triad(end(i) - begin(i), at(1, i), at(2, i), at(0, i)); });
  }
  double update_rate(double seconds) {
    return rate(2, seconds, [&](int i) { scale(end(i) - begin(i), at(1, i)); });
  }
  double read_rate(double seconds) {
    return rate(1, seconds, [&](int i) { sums_[static_cast<std::size_t>(i)] = total(end(i) - begin(i), at(2, i)); });
  }

 private:
  [[nodiscard]] std::size_t begin(int i) const {
    return entries_ * static_cast<std::size_t>(i) / static_cast<std::size_t>(threads_);
  }
  [[nodiscard]] std::size_t end(int i) const { return begin(i + 1); }
  double* at(std::size_t array, int i) { return arrays_[array].get() + begin(i); }

  template <class Work>
  double rate(int passes, double seconds, Work work) {
    return passes * bytes() / best_of(threads_, seconds, work);
  }

  int threads_;
  std::size_t entries_;
  std::array<std::unique_ptr<double[]>, kArrays> arrays_;
  std::vector<double> sums_;  // stored, so that the compiler cannot remove the sums
};

struct StreamRates {
  double triad, update, read, bytes;
};

StreamRates stream_rates(int threads, double seconds) {
  Streams streams(threads);
  return {streams.triad_rate(seconds), streams.update_rate(seconds), streams.read_rate(seconds), streams.bytes()};
}

}  // namespace

double free_memory() { return support::free_memory(); }

MachineLimits machine_limits(int threads, double seconds, const Progress& progress) {
  support::require(seconds > 0.0 && std::isfinite(seconds), "seconds", "a positive number", seconds);
  const support::Interruptible interruptible([&] {
    if (progress && !progress(0, 1)) throw Interrupted("measuring limits was interrupted");
  });
  MachineLimits limits;
  limits.threads = support::resolve_threads(threads);
  limits.cores = support::allowed_cores();
  limits.blas = linalg::blas_description();
  limits.instruction_set = support::instruction_set();
  const double share = seconds / kMeasurements;
  const StreamRates one = stream_rates(1, share);
  const StreamRates all = limits.threads > 1 ? stream_rates(limits.threads, share) : one;
  limits.triad = {one.triad, all.triad};
  limits.update = {one.update, all.update};
  limits.read = {one.read, all.read};
  limits.array_bytes = one.bytes;
  limits.gemm.one = gemm_rate(1, share);
  limits.gemm.all = limits.threads > 1 ? gemm_rate(limits.threads, share) : limits.gemm.one;
  return limits;
}

}  // namespace lindmft
