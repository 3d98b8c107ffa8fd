#include "hessian/jacobi.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>

namespace lindmft::hessian {
namespace {

constexpr int kMostSteps = 60;      // QL steps for one eigenvalue; two or three are usual
constexpr double kSettled = 0.02;   // variation of the last entries, relative to the edge, that counts as settled
constexpr std::size_t kTail = 3;    // the last 1/kTail of the entries is looked at
constexpr std::size_t kFewest = 3;  // number of bounds of Gershgorin's theorem that are looked at, at least
constexpr double kRounding = 1e-6;  // relative error of an entry, by rounding, at which the method is ended

/// Diagonalizes by implicit QL steps with Wilkinson's shift; `first` and `last` are rows of the eigenvectors.
class Diagonalization {
 public:
  explicit Diagonalization(const Jacobi& matrix)
      : d(matrix.diagonal), first(d.size(), 0.0), last(d.size(), 0.0), e_(matrix.beside) {
    e_.resize(d.size(), 0.0);
    first.front() = 1.0;
    last.back() = 1.0;
    for (std::size_t l = 0; l < d.size(); ++l) find(l);
  }

  std::vector<double> d, first, last;

 private:
  void find(std::size_t l) {
    for (int step = 0; step < kMostSteps; ++step) {
      const std::size_t m = block_end(l);
      if (m == l) return;
      sweep(l, m);
    }
  }

  [[nodiscard]] std::size_t block_end(std::size_t l) const {
    std::size_t m = l;
    while (m + 1 < d.size()) {
      const double scale = std::abs(d[m]) + std::abs(d[m + 1]);
      if (std::abs(e_[m]) <= std::numeric_limits<double>::epsilon() * scale) break;
      ++m;
    }
    return m;
  }

  /// One QL step on the block l .. m.
  void sweep(std::size_t l, std::size_t m) {
    double g = (d[l + 1] - d[l]) / (2.0 * e_[l]);
    g = d[m] - d[l] + e_[l] / (g + std::copysign(std::hypot(g, 1.0), g));
    double s = 1.0, c = 1.0, p = 0.0;
    for (std::size_t i = m; i-- > l;) {
      const double f = s * e_[i];
      const double b = c * e_[i];
      const double r = std::hypot(f, g);
      e_[i + 1] = r;
      if (r == 0.0) {
        d[i + 1] -= p;
        e_[m] = 0.0;
        return;
      }
      s = f / r;
      c = g / r;
      g = d[i + 1] - p;
      const double t = (d[i] - g) * s + 2.0 * c * b;
      p = s * t;
      d[i + 1] = g + p;
      g = c * t - b;
      for (std::vector<double>* row : {&first, &last}) {
        const double z = (*row)[i + 1];
        (*row)[i + 1] = s * (*row)[i] + c * z;
        (*row)[i] = c * (*row)[i] - s * z;
      }
    }
    d[l] -= p;
    e_[l] = g;
    e_[m] = 0.0;
  }

  std::vector<double> e_;
};

}  // namespace

Ritz ritz(const Jacobi& matrix, double next) {
  const Diagonalization found(matrix);
  std::vector<std::size_t> order(found.d.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, [&](std::size_t i, std::size_t j) { return found.d[i] > found.d[j]; });
  Ritz out;
  for (const std::size_t i : order) {
    out.values.push_back(found.d[i]);
    out.weights.push_back(found.first[i] * found.first[i]);
  }
  out.residual = std::abs(next * found.last[order.front()]);
  return out;
}

std::size_t accurate_entries(const Jacobi& matrix, double at) {
  const double most = std::sqrt(kRounding / std::numeric_limits<double>::epsilon());
  double before = 0.0, now = 1.0;
  for (std::size_t k = 0; k + 1 < matrix.diagonal.size(); ++k) {
    const double back = k > 0 ? matrix.beside[k - 1] : 0.0;
    const double next = ((at - matrix.diagonal[k]) * now - back * before) / matrix.beside[k];
    before = now;
    now = next;
    if (!(std::abs(now) < most)) return k + 1;
  }
  return matrix.diagonal.size();
}

Estimate upper_edge(const Jacobi& matrix, const Ritz& values) {
  const std::size_t n = matrix.diagonal.size();
  const double largest = values.values.front();
  if (matrix.beside.size() < kTail + 1) return {largest, values.residual};
  const std::size_t from = n - 1 - std::max(kFewest, n / kTail - 1);
  double low = std::numeric_limits<double>::infinity();
  double high = 0.0;
  for (std::size_t k = from; k + 1 < n; ++k) {
    const double bound = 0.5 * (matrix.diagonal[k] + matrix.diagonal[k + 1]) + 2.0 * matrix.beside[k];
    low = std::min(low, bound);
    high = std::max(high, bound);
  }
  const double last = 0.5 * (matrix.diagonal[n - 2] + matrix.diagonal[n - 1]) + 2.0 * matrix.beside[n - 2];
  if (high - low < kSettled * high) return {std::max(last, largest), high - low};
  return {largest, std::max(high - largest, values.residual)};
}

}  // namespace lindmft::hessian
