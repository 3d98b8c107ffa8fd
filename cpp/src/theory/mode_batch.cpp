#include "theory/mode_batch.hpp"

#include <algorithm>

#include "linalg/block_solve.hpp"
#include "linalg/skinny.hpp"
#include "support/simd.hpp"

namespace lindmft::theory {

using linalg::ConstView;
using linalg::View;

namespace {

constexpr int kChunk = 8;             // modes whose rows are multiplied together
constexpr int kWorkers = 32;          // parts that modes are shared out in, at most,
constexpr int kFewWorkers = 8;        // and if there are so many
constexpr int kTile = 48;             // columns, as in linalg/causal.cpp
constexpr int kLanes = 8;             // of sums along a row, which are taken in one fixed order
constexpr int kSums = 4;              // two moments, two congruences
constexpr int kTallRows = 24;         // from which packing the shared factor repays
constexpr double kParallelWork = 4e7; // operations below which threads gain less than they lose

double total(const double (&lanes)[kLanes]) {
  return ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) + ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]));
}

/// A row of F goes to its place and into the two moments; returns its sum.
LINDMFT_CLONES double keep_row(double* to, const double* from, double* first, double* second, double w1, double w2,
                               int n) {
  double lanes[kLanes] = {};
  int s = 0;
  for (; s + kLanes <= n; s += kLanes) {
    for (int j = 0; j < kLanes; ++j) {
      const double f = from[s + j];
      to[s + j] = f;
      first[s + j] += w1 * f;
      second[s + j] += w2 * f;
      lanes[j] += f;
    }
  }
  for (; s < n; ++s) {
    to[s] = from[s];
    first[s] += w1 * from[s];
    second[s] += w2 * from[s];
    lanes[0] += from[s];
  }
  return total(lanes);
}

/// left += lambda other; by_left = left . f before, by_other = lambda other . f
struct Dots {
  double by_left, by_other;
};

LINDMFT_CLONES Dots join(double* left, const double* other, const double* f, double lambda, int n) {
  double a[kLanes] = {};
  double b[kLanes] = {};
  int s = 0;
  for (; s + kLanes <= n; s += kLanes) {
    for (int j = 0; j < kLanes; ++j) {
      const double x = left[s + j];
      const double y = lambda * other[s + j];
      a[j] += x * f[s + j];
      b[j] += y * f[s + j];
      left[s + j] = x + y;
    }
  }
  for (; s < n; ++s) {
    const double y = lambda * other[s];
    a[0] += left[s] * f[s];
    b[0] += y * f[s];
    left[s] += y;
  }
  return {total(a), total(b)};
}

LINDMFT_CLONES double dot(const double* x, const double* y, int n) {
  double lanes[kLanes] = {};
  int s = 0;
  for (; s + kLanes <= n; s += kLanes) {
    for (int j = 0; j < kLanes; ++j) lanes[j] += x[s + j] * y[s + j];
  }
  for (; s < n; ++s) lanes[0] += x[s] * y[s];
  return total(lanes);
}

/// first and second += w (y + t target)
LINDMFT_CLONES void add_congruence(double* first, double* second, const double* y, const double* target, double t,
                                   double w1, double w2, int n) {
  for (int s = 0; s < n; ++s) {
    const double c = y[s] + t * target[s];
    first[s] += w1 * c;
    second[s] += w2 * c;
  }
}

LINDMFT_CLONES void add_row(double* to, const double* from, int n) {
  for (int s = 0; s < n; ++s) to[s] += from[s];
}

int padded(int n) { return (n + kLanes - 1) / kLanes * kLanes; }

/// Rows of a b x b symmetric matrix's product with rows x.
void times_shared(View out, ConstView x, const Matrix& a, double scale) {
  const ConstView block = linalg::leading(a, out.cols, out.cols);
  if (out.rows >= kTallRows) return linalg::gemm(out, x, block, linalg::Transpose::no, scale, 0.0);
  linalg::skinny_product(out, x, block, scale, 0.0);
}

}  // namespace

/// One thread's share of the modes.
struct ModeBatch::Worker {
  const ModeTask& task;
  const PanelMap& map;
  Panel panel;
  View sums[kSums];
  View rows, left, other;  // of a chunk
  View y;
  View system;
  Terms* terms;
  double flops = 0.0;

  [[nodiscard]] View of(View chunk, int i) const { return chunk.block(i * panel.size(), 0, panel.size(), panel.end); }
  void resolve(Mode& mode, View out);
  void keep(Mode& mode, View from);
  void chunk(Mode* modes, int count);
  void join_sources(const Mode& mode, int i);
  void congruence(const Mode& mode, int i);
};

// Rows of F = I - lambda X F: the history's part, and the rest solved within the panel.
void ModeBatch::Worker::resolve(Mode& mode, View out) {
  const int p = panel.size();
  const int b = panel.end;
  const ConstView x(task.x, p, b, task.x_ld);
  const Matrix& F = mode.*task.function;
  for (int begin = 0; begin < b; begin += kTile) {
    const int end = std::min(b, begin + kTile);
    const int first = map.begin_of(begin);  // rows above are zero in these columns
    const int count = std::max(0, panel.begin - first);
    linalg::skinny_product(out.block(0, begin, p, end - begin), x.block(0, first, p, count),
                           linalg::leading(F, b, b).block(first, begin, count, end - begin), -mode.lambda, 0.0);
    flops += 2.0 * p * count * (end - begin);
  }
  for (int i = 0; i < p; ++i) {
    out(i, panel.begin + i) += 1.0;
    for (int j = 0; j < p; ++j) system(i, j) = (i == j ? 1.0 : 0.0) + mode.lambda * x(i, panel.begin + j);
  }
  linalg::solve_block(system, out);
}

void ModeBatch::Worker::keep(Mode& mode, View from) {
  const double w1 = mode.weight * mode.lambda;
  Matrix& F = mode.*task.function;
  for (int i = 0; i < panel.size(); ++i) {
    const int t = panel.begin + i;
    const double sum =
        keep_row(F.row(t), from.row(i), sums[0].row(i), sums[1].row(i), w1, w1 * mode.lambda, panel.end);
    if (task.target) mode.target[static_cast<std::size_t>(t)] = sum;
  }
}

/// left = F (A + lambda B), of which the diagonals of F A F^T and lambda F B F^T are noted.
void ModeBatch::Worker::join_sources(const Mode& mode, int i) {
  const View F = of(rows, i);
  const View FA = of(left, i);
  const View FB = of(other, i);
  const double w = mode.weight * mode.lambda;
  for (int j = 0; j < panel.size(); ++j) {
    Terms& at = terms[j];
    const double target = mode.target[static_cast<std::size_t>(panel.begin + j)];
    if (task.target) at.target += w * mode.power * target * target;
    if (task.B != nullptr) {
      const Dots dots = join(FA.row(j), FB.row(j), F.row(j), mode.lambda, panel.end);
      at.A += w * dots.by_left;
      at.B += w * dots.by_other;
    } else if (task.A != nullptr && task.target) {
      at.A += w * dot(FA.row(j), F.row(j), panel.end);
    }
  }
}

void ModeBatch::Worker::congruence(const Mode& mode, int i) {
  const int p = panel.size();
  const int b = panel.end;
  const Matrix& F = mode.*task.function;
  const View l = of(left, i);
  if (task.A != nullptr || task.B != nullptr) {
    for (int begin = 0; begin < b; begin += kTile) {
      const int end = std::min(b, begin + kTile);
      const int last = std::min(b, map.end_of(end - 1));  // columns beyond are zero in these rows
      linalg::skinny_product_transposed(y.block(0, begin, p, end - begin), l.block(0, 0, p, last),
                                        linalg::leading(F, b, b).block(begin, 0, end - begin, last), 1.0, 0.0);
      flops += 2.0 * p * last * (end - begin);
    }
  } else {
    for (int j = 0; j < p; ++j) std::fill_n(y.row(j), b, 0.0);
  }
  const double w1 = mode.weight * mode.lambda;
  for (int j = 0; j < p; ++j) {
    const double t = task.target ? mode.power * mode.target[static_cast<std::size_t>(panel.begin + j)] : 0.0;
    add_congruence(sums[2].row(j), sums[3].row(j), y.row(j), mode.target.data(), t, w1, w1 * mode.lambda, b);
  }
}

void ModeBatch::Worker::chunk(Mode* modes, int count) {
  const int p = panel.size();
  const int b = panel.end;
  for (int i = 0; i < count; ++i) {
    const View F = of(rows, i);
    if (task.x != nullptr) {
      resolve(modes[i], F);
      keep(modes[i], F);
    } else {
      for (int j = 0; j < p; ++j) std::copy_n((modes[i].*task.function).row(panel.begin + j), b, F.row(j));
    }
  }
  const View all = rows.block(0, 0, count * p, b);
  const View all_left = left.block(0, 0, count * p, b);
  if (task.A != nullptr) {
    times_shared(all_left, all, *task.A, task.scale);
  } else if (task.B != nullptr) {
    for (int j = 0; j < all_left.rows; ++j) std::fill_n(all_left.row(j), b, 0.0);
  }
  if (task.B != nullptr) times_shared(other.block(0, 0, count * p, b), all, *task.B, task.scale);
  flops += 2.0 * count * p * b * b * ((task.A != nullptr ? 1.0 : 0.0) + (task.B != nullptr ? 1.0 : 0.0));
  for (int i = 0; i < count; ++i) {
    join_sources(modes[i], i);
    congruence(modes[i], i);
  }
}

/// Parts with whole chunks, or where there is work enough to share, with about equal ones.
int ModeBatch::workers(Panel panel) const {
  const int modes = static_cast<int>(modes_->size());
  const int chunks = (modes + kChunk - 1) / kChunk;
  return std::min({kWorkers, modes, work(panel) > kParallelWork ? std::max(kFewWorkers, chunks) : chunks});
}

double ModeBatch::work(Panel panel) const {
  return 6.0 * static_cast<double>(modes_->size()) * panel.size() * panel.end * panel.end;
}

double ModeBatch::bytes(int modes, int nodes, int rows) {
  return 8.0 * std::min(modes, kWorkers) * rows * (padded(nodes) * (3.0 * kChunk + kSums + 1.0) + rows);
}

/// Buffers for a panel of p rows and b columns: they grow with the run, by so much that this is rare.
void ModeBatch::prepare(Panel panel) {
  const int p = panel.size();
  const auto count = static_cast<std::size_t>(workers(panel));
  ld_ = padded(panel.end);
  per_worker_ = static_cast<std::ptrdiff_t>(p) * (static_cast<std::ptrdiff_t>(ld_) * (3 * kChunk + kSums + 1) + p);
  per_worker_ = (per_worker_ + kLanes - 1) / kLanes * kLanes;
  const std::size_t needed = count * static_cast<std::size_t>(per_worker_);
  if (buffers_.size() < needed) buffers_.resize(needed + needed / 2);
  worker_terms_.assign(count * static_cast<std::size_t>(p), {});
  worker_flops_.assign(count, 0.0);
}

ConstView ModeBatch::sum(int which) const {
  const std::ptrdiff_t p = panel_.size();
  return {buffers_.data() + which * p * ld_, panel_.size(), panel_.end, ld_};
}

void ModeBatch::run_worker(int worker, const ModeTask& task, const PanelMap& map, Panel panel) {
  const int p = panel.size();
  const int b = panel.end;
  double* next = buffers_.data() + worker * per_worker_;
  const auto take = [&](int rows) {
    const View view{next, rows, b, ld_};
    next += static_cast<std::ptrdiff_t>(rows) * ld_;
    return view;
  };
  Worker w{task, map, panel, {}, {}, {}, {}, {}, {}, worker_terms_.data() + worker * p};
  for (View& sum : w.sums) {
    sum = take(p);
    std::fill_n(sum.data, static_cast<std::ptrdiff_t>(p) * ld_, 0.0);
  }
  w.rows = take(kChunk * p);
  w.left = take(kChunk * p);
  w.other = take(kChunk * p);
  w.y = take(p);
  w.system = {next, p, p, p};
  const int modes = static_cast<int>(modes_->size());
  const int count = static_cast<int>(worker_flops_.size());
  const int end = modes * (worker + 1) / count;
  for (int k = modes * worker / count; k < end; k += kChunk)
    w.chunk(modes_->data() + k, std::min(kChunk, end - k));
  worker_flops_[static_cast<std::size_t>(worker)] = w.flops;
}

void ModeBatch::add_up(int p) {
  const auto count = static_cast<std::ptrdiff_t>(worker_flops_.size());
  terms_.assign(static_cast<std::size_t>(p), {});
  for (std::ptrdiff_t w = 0; w < count; ++w) {
    flops_ += worker_flops_[static_cast<std::size_t>(w)];
    for (int j = 0; j < p; ++j) {
      const Terms& from = worker_terms_[static_cast<std::size_t>(w * p + j)];
      Terms& to = terms_[static_cast<std::size_t>(j)];
      to.target += from.target;
      to.A += from.A;
      to.B += from.B;
    }
    if (w > 0) add_row(buffers_.data(), buffers_.data() + w * per_worker_, kSums * p * ld_);
  }
}

void ModeBatch::run(const ModeTask& task, const PanelMap& map, Panel panel) {
  panel_ = panel;
  prepare(panel);
  const int count = static_cast<int>(worker_flops_.size());
  if (threads_ > 1 && count > 1 && work(panel) > kParallelWork) {
#ifdef _OPENMP
#pragma omp parallel for schedule(dynamic) num_threads(threads_)
#endif
    for (int w = 0; w < count; ++w) run_worker(w, task, map, panel);
  } else {
    for (int w = 0; w < count; ++w) run_worker(w, task, map, panel);
  }
  add_up(panel.size());
}

}  // namespace lindmft::theory
