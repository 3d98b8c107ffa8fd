#include "theory/data/mode_batch.hpp"

#include <algorithm>
#include <array>

#include "linalg/block_solve.hpp"
#include "linalg/skinny.hpp"
#include "support/interruption.hpp"
#include "theory/data/mode_lanes.hpp"

namespace lindmft::theory {

using linalg::ConstView;
using linalg::View;
using namespace mode_lanes;

namespace {

constexpr int kSums = 4;      // number of sums: two moments, two congruences
constexpr int kBuffers = 3;   // number of chunk buffers: for F; for F A, later the congruence; for F B
constexpr int kWorkers = 32;  // largest number of parts into which lanes are divided

// Number of rows of all modes of a chunk: enough to share a product, and few enough for the second-level cache. With
// more than kLongHistory nodes it is kLongChunkRows.
constexpr int kChunkRows = 128;
constexpr int kLongChunkRows = 64;
constexpr int kLongHistory = 256;

// Number of operations below which threads on a busy machine cost more time than they save.
constexpr double kParallelWork = 4e7;

}  // namespace

ModeOperator::ModeOperator(int nodes, int lanes, int dense)
    : dense_(dense), X_(nodes, nodes), transposed_(nodes, nodes) {
  if (dense == 0) return;
  inverses_ = Matrix(dense * nodes, lanes);
  ends_.assign(static_cast<std::size_t>(nodes), 0);
}

double ModeOperator::bytes(int nodes, int lanes, int dense) {
  return 8.0 * nodes * (2.0 * nodes + 1.0 * dense * lanes);
}

void ModeOperator::set(ConstView rows, Panel panel) {
  for (int i = 0; i < rows.rows; ++i) {
    const int t = panel.begin + i;
    std::copy_n(rows.row(i), rows.cols, X_.row(t));
    for (int s = 0; s < rows.cols; ++s) transposed_(s, t) = rows(i, s);
    // A longer panel that was rejected may have left entries, which a map of longer blocks would read.
    const int reach = std::min(X_.cols(), t + std::max(dense_, kBlock));
    for (int s = rows.cols; s < reach; ++s) X_(t, s) = transposed_(s, t) = 0.0;
  }
}

void ModeOperator::restore(Panel rows) {
  const int end = std::min(rows.end, X_.rows());
  for (int t = rows.begin; t < end; ++t) {
    for (int s = 0; s < end; ++s) transposed_(s, t) = X_(t, s);
  }
  inverted_ = std::min(inverted_, rows.begin);
}

/// The arguments of run(), for the workers.
struct ModeBatch::Job {
  ModeOperator& X;
  const Sources& sources;
  const PanelMap& map;
  Panel panel;
};

/// Computes the sums over one part of the modes.
class ModeBatch::Worker {
 public:
  Worker(ModeBatch& batch, const Job& job, int index);
  void run();

 private:
  struct Block {
    int begin, end;
  };
  [[nodiscard]] bool dense() const { return !job_.X.inverses_.empty(); }
  [[nodiscard]] Block block_from(int begin) const;
  [[nodiscard]] Block block_before(int end) const;
  void begin_chunk(int first, int count);
  void invert(Block block);
  void set_identity(View part, int begin) const;
  [[nodiscard]] ConstView inverse(Block block) const;
  [[nodiscard]] ConstView diagonal(Block block) const;
  void resolve();
  void multiply();
  void congruence();
  void add_terms();
  [[nodiscard]] View lines(int buffer, int begin, int end) const {
    return {chunks_[buffer] + static_cast<std::ptrdiff_t>(begin) * rows_, end - begin, rows_, rows_};
  }

  ModeBatch& batch_;
  const Job& job_;
  int p_, b_;
  int begin_, end_;                 // lanes of this worker
  int first_ = 0, count_ = 0;       // lanes of the chunk
  int rows_ = 0;                    // p count: rows of all modes of the chunk
  double rows_of_modes_ = 0.0;      // the same without lanes that have no mode
  std::array<View, kSums> sums_{};  // p x b
  std::array<double*, kBuffers> chunks_{};
  double *lambda_, *w1_, *w2_, *at_, *by_A_, *by_B_;  // lines of a chunk's lanes
  Terms* terms_;
  double& flops_;
};

ModeBatch::Worker::Worker(ModeBatch& batch, const Job& job, int index)
    : batch_(batch),
      job_(job),
      p_(job.panel.size()),
      b_(job.panel.end),
      begin_(batch.lanes() / kLanes * index / batch.workers_ * kLanes),
      end_(batch.lanes() / kLanes * (index + 1) / batch.workers_ * kLanes),
      terms_(batch.worker_terms_.data() + static_cast<std::ptrdiff_t>(index) * p_),
      flops_(batch.worker_flops_[static_cast<std::size_t>(index)]) {
  double* next = batch.buffers_.data() + index * batch.per_worker_;
  for (View& sum : sums_) {
    sum = {next, p_, b_, batch.ld_};
    next += static_cast<std::ptrdiff_t>(p_) * batch.ld_;
    std::fill(sum.data, next, 0.0);
  }
  const std::ptrdiff_t line = static_cast<std::ptrdiff_t>(p_) * batch.chunk_;
  for (double*& chunk : chunks_) {
    chunk = next;
    next += line * b_;
  }
  for (double** of : {&lambda_, &w1_, &w2_, &at_, &by_A_, &by_B_}) {
    *of = next;
    next += line;
  }
}

void ModeBatch::Worker::run() {
  for (int first = begin_; first < end_; first += batch_.chunk_) {
    begin_chunk(first, std::min(batch_.chunk_, end_ - first));
    resolve();
    multiply();
    congruence();
    add_terms();
  }
}

void ModeBatch::Worker::begin_chunk(int first, int count) {
  first_ = first;
  count_ = count;
  rows_ = p_ * count;
  rows_of_modes_ = p_ * std::min(count, batch_.modes() - first);
  for (int k = 0; k < count; ++k) {  // lanes without a mode have weight zero
    const auto mode = static_cast<std::size_t>(first + k);
    const bool idle = first + k >= batch_.modes();
    const double lambda = idle ? 0.0 : batch_.lambda_[mode];
    w1_[k] = idle ? 0.0 : batch_.weight_[mode] * lambda;
    w2_[k] = w1_[k] * lambda;
    for (int i = 0; i < p_; ++i) lambda_[i * count + k] = lambda;
  }
  for (double* line : {at_, by_A_, by_B_}) std::fill_n(line, rows_, 0.0);
  if (!dense()) return;
  for (int t = 0; t < b_;) {
    const Block block = block_from(t);
    if (block.end > job_.X.inverted_ || block.end != job_.X.ends_[static_cast<std::size_t>(t)]) invert(block);
    t = block.end;
  }
}

/// The block of times that is solved together: a panel for dense blocks, otherwise kBlock times.
ModeBatch::Worker::Block ModeBatch::Worker::block_from(int begin) const {
  return {begin, dense() ? std::min(b_, job_.map.end_of(begin)) : std::min(b_, begin + kBlock)};
}

ModeBatch::Worker::Block ModeBatch::Worker::block_before(int end) const {
  return {dense() ? job_.map.begin_of(end - 1) : (end - 1) / kBlock * kBlock, end};
}

void ModeBatch::Worker::invert(Block block) {
  const int most = job_.X.dense_;
  const int q = block.end - block.begin;
  std::vector<double> system(static_cast<std::size_t>(q * q)), inverse(system.size());
  for (int k = 0; k < count_; ++k) {
    const View s{system.data(), q, q, q};
    const View x{inverse.data(), q, q, q};
    for (int i = 0; i < q; ++i) {
      for (int j = 0; j < q; ++j) {
        const double one = i == j ? 1.0 : 0.0;
        s(i, j) = one + lambda_[k] * job_.X.X_(block.begin + i, block.begin + j);
        x(i, j) = one;
      }
    }
    linalg::solve_block(s, x);
    for (int i = 0; i < q; ++i) {
      for (int j = 0; j < q; ++j) job_.X.inverses_(most * (block.begin + i) + j, first_ + k) = x(i, j);
    }
  }
}

/// Writes the rows e of the identity, for the times from `begin` on.
void ModeBatch::Worker::set_identity(View part, int begin) const {
  std::fill_n(part.data, static_cast<std::ptrdiff_t>(part.rows) * rows_, 0.0);
  for (int i = 0; i < p_; ++i) {
    const int line = job_.panel.begin + i - begin;
    if (line >= 0 && line < part.rows) std::fill_n(part.row(line) + i * count_, count_, 1.0);
  }
}

ConstView ModeBatch::Worker::inverse(Block block) const {
  const int most = job_.X.dense_;
  return linalg::leading(job_.X.inverses_, most * block.end, first_ + count_)
      .block(most * block.begin, first_, most * (block.end - block.begin), count_);
}

ConstView ModeBatch::Worker::diagonal(Block block) const {
  const int q = block.end - block.begin;
  return linalg::leading(job_.X.X_, block.end, block.end).block(block.begin, block.begin, q, q);
}

/// Solves f (I + lambda X) = e, and sums f.
void ModeBatch::Worker::resolve() {
  for (int end = b_; end > 0;) {
    const Block block = block_before(end);
    const int q = end - block.begin;
    const View part = lines(0, block.begin, end);
    const bool zero = end <= job_.panel.begin;  // e
    support::interruption_point(1.0 * q * b_ * rows_);
    if (!zero) set_identity(part, block.begin);
    const View known = lines(1, block.begin, end);
    linalg::skinny_product(known, linalg::leading(job_.X.transposed_, end, b_).block(block.begin, end, q, b_ - end),
                           lines(0, end, b_), 1.0, 0.0);
    flops_ += 2.0 * q * (b_ - end) * rows_of_modes_;
    if (dense()) {
      subtract(part, known, lambda_, zero);
      times_inverse(part, inverse(block), job_.X.dense_, false, count_);
    } else {
      solve_back(part, known, lambda_, diagonal(block), zero);
    }
    end = block.begin;
  }
  const View f = lines(0, 0, b_);
  add_moments(sums_[0], sums_[1], f, w1_, w2_, count_);
  if (!job_.sources.power) return;
  if (!batch_.patterns_.empty()) {
    const Matrix& all = batch_.patterns_;
    const ConstView patterns = linalg::leading(all, all.rows(), first_ + count_).block(0, first_, all.rows(), count_);
    for (int s = 0; s < b_; ++s)
      add_patterned_line(at_, f, s, patterns, batch_.classes_(s),
                         job_.sources.targets == nullptr ? 1.0 : job_.sources.targets[s]);
  } else if (job_.sources.targets == nullptr) {
    add_lines(at_, f);
  } else {
    add_weighted_lines(at_, f, job_.sources.targets);
  }
  for (int i = 0; i < p_; ++i) {
    double* kept = batch_.targets_.row(job_.panel.begin + i) + first_;
    std::copy_n(at_ + i * count_, count_, kept);
    for (int k = 0; k < count_; ++k)
      at_[i * count_ + k] *= first_ + k < batch_.modes() ? batch_.power_[static_cast<std::size_t>(first_ + k)] : 0.0;
  }
}

/// z = f (A + lambda B), and the terms of A and B on the diagonal.
void ModeBatch::Worker::multiply() {
  const View f = lines(0, 0, b_);
  const View z = lines(1, 0, b_);
  const auto times = [&](View out, const Matrix& m) {
    support::interruption_point(1.0 * b_ * b_ * rows_);
    linalg::gemm(out, linalg::leading(m, b_, b_), f, linalg::Transpose::no, job_.sources.scale, 0.0);
    flops_ += 2.0 * b_ * b_ * rows_of_modes_;
  };
  if (job_.sources.A != nullptr) {
    times(z, *job_.sources.A);
  } else {
    std::fill_n(z.data, static_cast<std::ptrdiff_t>(b_) * rows_, 0.0);
  }
  if (job_.sources.B != nullptr) {
    times(lines(2, 0, b_), *job_.sources.B);
    join(z, lines(2, 0, b_), f, lambda_, by_A_, by_B_);
  } else if (job_.sources.A != nullptr && (job_.sources.power || job_.sources.by_mode != nullptr)) {
    add_dots(z, f, by_A_);
  }
}

/// Solves y (I + lambda X)^T = z in place, and sums y.
void ModeBatch::Worker::congruence() {
  const bool zero = job_.sources.A == nullptr && job_.sources.B == nullptr;
  for (int begin = 0; begin < b_ && !zero;) {
    const Block block = block_from(begin);
    const int q = block.end - begin;
    support::interruption_point(1.0 * q * b_ * rows_);
    const View part = lines(1, begin, block.end);
    const View known = lines(2, begin, block.end);
    linalg::skinny_product(known, linalg::leading(job_.X.X_, block.end, begin).block(begin, 0, q, begin),
                           lines(1, 0, begin), 1.0, 0.0);
    flops_ += 2.0 * q * begin * rows_of_modes_;
    if (dense()) {
      subtract(part, known, lambda_, false);
      times_inverse(part, inverse(block), job_.X.dense_, true, count_);
    } else {
      solve_forward(part, known, lambda_, diagonal(block));
    }
    begin = block.end;
  }
  const ConstView target = linalg::leading(batch_.targets_, b_, first_ + count_).block(0, first_, b_, count_);
  add_congruences(sums_[2], sums_[3], lines(1, 0, b_), target, at_, w1_, w2_, count_);
}

void ModeBatch::Worker::add_terms() {
  for (int i = 0; i < p_; ++i) {
    const int t = job_.panel.begin + i;
    double* at = at_ + i * count_;
    for (int k = 0; k < count_ && job_.sources.power; ++k) at[k] *= batch_.targets_(t, first_ + k);
    for (int k = 0; k < count_ && job_.sources.by_mode != nullptr; ++k)
      (*job_.sources.by_mode)(t, first_ + k) = w1_[k] * (at[k] + by_A_[i * count_ + k] + by_B_[i * count_ + k]);
    if (!job_.sources.power) continue;
    terms_[i].target += weighted(at, w1_, count_);
    terms_[i].A += weighted(by_A_ + i * count_, w1_, count_);
    terms_[i].B += weighted(by_B_ + i * count_, w1_, count_);
  }
}

ModeBatch::ModeBatch(const Spectrum& spectrum, RowClasses classes, int nodes, int threads)
    : threads_(threads),
      lambda_(spectrum.eigenvalues),
      power_(spectrum.target_power),
      weight_(spectrum.weights),
      classes_(classes),
      targets_(nodes, padded(static_cast<int>(spectrum.eigenvalues.size()))) {
  const int count = spectrum.targets.empty() ? 1 : classes.count();
  for (OutputSums& left : left_) left = output_sums(count, nodes);
  if (spectrum.targets.empty()) return;
  power_.assign(lambda_.size(), 1.0);
  patterns_ = Matrix(count, lanes());
  for (int k = 0; k < modes(); ++k) {
    for (int c = 0; c < count; ++c) patterns_(c, k) = spectrum.targets[static_cast<std::size_t>(k * count + c)];
  }
}

double ModeBatch::bytes(int modes, int nodes, int rows) {
  const double worker = rows * (kSums * (nodes + 8.0) + kChunkRows / rows * (kBuffers * nodes + 6.0));
  return 8.0 * (nodes * (padded(modes) + 2.0) + 1.5 * std::min(padded(modes) / kLanes, kWorkers) * worker);
}

std::vector<double> ModeBatch::target(int mode) const {
  std::vector<double> out(static_cast<std::size_t>(targets_.rows()));
  for (int t = 0; t < targets_.rows(); ++t) out[static_cast<std::size_t>(t)] = targets_(t, mode);
  return out;
}

void ModeBatch::set_target(int mode, const std::vector<double>& values) {
  for (int t = 0; t < targets_.rows(); ++t) targets_(t, mode) = values[static_cast<std::size_t>(t)];
}

double ModeBatch::work(Panel panel) const { return 6.0 * modes() * panel.size() * panel.end * panel.end; }

ConstView ModeBatch::sum(int which) const {
  return {buffers_.data() + static_cast<std::ptrdiff_t>(which) * panel_.size() * ld_, panel_.size(), panel_.end, ld_};
}

/// Chooses the parts and allocates their buffers. Both depend only on sizes.
void ModeBatch::prepare(Panel panel) {
  panel_ = panel;
  const int p = panel.size();
  const int rows = panel.end > kLongHistory ? kLongChunkRows : kChunkRows;
  const int vectors = lanes() / kLanes;
  chunk_ = std::max(1, std::min(rows / p / kLanes, vectors)) * kLanes;
  const int chunks = (lanes() + chunk_ - 1) / chunk_;
  workers_ = std::min(work(panel) > kParallelWork ? vectors : chunks, kWorkers);
  ld_ = padded(panel.end);
  per_worker_ = static_cast<std::ptrdiff_t>(p) * (kSums * ld_ + chunk_ * (kBuffers * panel.end + 6));
  const std::size_t needed = static_cast<std::size_t>(workers_) * static_cast<std::size_t>(per_worker_);
  // Half as much again, so that allocation is rare while the run grows.
  if (buffers_.size() < needed) buffers_.resize(needed + needed / 2);
  worker_terms_.assign(static_cast<std::size_t>(workers_) * static_cast<std::size_t>(p), {});
  worker_flops_.assign(static_cast<std::size_t>(workers_), 0.0);
}

void ModeBatch::add_up(Panel panel, bool keep) {
  const int p = panel.size();
  terms_.assign(static_cast<std::size_t>(p), {});
  for (int w = 0; w < workers_; ++w) {
    flops_ += worker_flops_[static_cast<std::size_t>(w)];
    for (int i = 0; i < p; ++i) {
      const Terms& from = worker_terms_[static_cast<std::size_t>(w * p + i)];
      Terms& to = terms_[static_cast<std::size_t>(i)];
      to.target += from.target;
      to.A += from.A;
      to.B += from.B;
    }
    if (w > 0) add(buffers_.data(), buffers_.data() + w * per_worker_, static_cast<std::ptrdiff_t>(kSums) * p * ld_);
  }
  for (int t = panel.begin; t < panel.end && keep; ++t) {
    for (std::size_t c = 0; c < left_[0].size(); ++c) {
      double sum[2] = {};
      for (int k = 0; k < modes(); ++k) {
        const auto mode = static_cast<std::size_t>(k);
        const double power = patterns_.empty() ? power_[mode] : patterns_(static_cast<int>(c), k);
        const double share = weight_[mode] * lambda_[mode] * power * targets_(t, k);
        sum[0] += share;
        sum[1] += share * lambda_[mode];
      }
      for (int power = 0; power < 2; ++power) left_[power][c][static_cast<std::size_t>(t)] = sum[power];
    }
  }
}

void ModeBatch::run(ModeOperator& X, const Sources& sources, const PanelMap& map, Panel panel) {
  prepare(panel);
  X.inverted_ = std::min(X.inverted_, panel.begin);
  const Job job{X, sources, map, panel};
  const auto work_on = [&](int w) { Worker(*this, job, w).run(); };
  if (threads_ > 1 && workers_ > 1 && work(panel) > kParallelWork) {
    support::SharedWork shared;
#ifdef _OPENMP
#pragma omp parallel for schedule(dynamic) num_threads(threads_)
#endif
    for (int w = 0; w < workers_; ++w) shared.run([&] { work_on(w); });
    shared.rethrow();
  } else {
    for (int w = 0; w < workers_; ++w) work_on(w);
  }
  X.inverted_ = panel.begin;
  for (int t = 0; t < panel.begin && !X.ends_.empty();) {
    int& end = X.ends_[static_cast<std::size_t>(t)];
    end = std::min(panel.end, map.end_of(t));
    t = end;
  }
  add_up(panel, sources.power);
}

}  // namespace lindmft::theory
