#include "training/data/samples.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <utility>

#include "training/random/arrays.hpp"
#include "training/random/normals.hpp"
#include "training/weights/block_products.hpp"
#include "training/weights/loops.hpp"
#include "training/weights/parts.hpp"

namespace lindmft::training {
namespace {

constexpr int kRowGroup = 4;               // number of samples that the fused pass processes together
constexpr int kLeastRows = 16;             // smallest number of rows of a block with which a GEMM is efficient
constexpr double kBlockEntries = 1 << 15;  // number of inputs in a block: 256 KiB fit the second-level cache
constexpr double kPartEntries = 1 << 18;   // number of inputs of a step for which a further thread saves time
constexpr int kMostParts = 16;             // largest number of parts of a step

/// The division of a step's samples into parts for threads, each of which is processed in blocks of rows.
struct Cut {
  int parts;
  int block;  // rows
};

Cut cut(int dim, int count) {
  const int block = static_cast<int>(round_up(static_cast<int>(kBlockEntries) / dim, kRowGroup));
  return {parts_of(static_cast<double>(count) * dim, kPartEntries, kMostParts),
          std::min(count, std::max(kLeastRows, block))};
}

/// The population gradient, which is the limit of infinitely many samples.
template <class T>
class Population : public Samples<T> {
 public:
  Population(const std::vector<Labels>& labels, int outputs) : labels_(labels), outputs_(outputs) {}

  void gradient(int /*t*/, Rows<const T> s, Rows<T> q, std::span<double> losses) override {
    for (int r = 0; r < s.rows; ++r) {
      std::copy_n(s.row(r), s.width(), q.row(r));
      const Labels& labels = labels_[static_cast<std::size_t>(r / outputs_)];
      losses[static_cast<std::size_t>(r)] =
          dot(s.row(r), s.row(r), s.width()) + labels.variance(r % outputs_, outputs_);
    }
  }

 private:
  std::vector<Labels> labels_;
  int outputs_;
};

/// The label noise of every network and output, drawn once if several networks have the same noise.
template <class T>
class Noise {
 public:
  Noise(std::vector<Labels> labels, int outputs, DataSet origin, int capacity)
      : labels_(std::move(labels)), outputs_(outputs), origin_(origin), values_(rows(), capacity) {}

  /// Draws the noise of `count` samples from number `first` on.
  void draw(std::uint64_t first, int count) {
    std::map<std::pair<std::uint32_t, int>, int> drawn;  // (draw, output) -> row
    for (int r = 0; r < rows(); ++r) {
      const std::uint32_t number = label(r).draw;
      const auto [found, fresh] = drawn.emplace(std::pair{number, r % outputs_}, r);
      const auto used = values_.span(r).first(static_cast<std::size_t>(count));
      if (fresh) {
        fill_normals({origin_.seed, array_of(kNoiseArray, origin_.replica, r % outputs_), number}, first, used);
      } else {
        std::copy_n(values_.row(found->second), count, used.begin());
      }
    }
    for (int first_row = 0; first_row < rows(); first_row += outputs_) {
      if (label(first_row).factor.empty()) {
        scale(first_row, count);
      } else {
        mix(first_row, count);
      }
    }
  }

  [[nodiscard]] const T* row(int r) const { return values_.row(r); }

 private:
  [[nodiscard]] int rows() const { return static_cast<int>(labels_.size()) * outputs_; }
  [[nodiscard]] const Labels& label(int r) const { return labels_[static_cast<std::size_t>(r / outputs_)]; }

  /// Multiplies the normal numbers of a network's outputs by the standard deviation.
  void scale(int first_row, int count) {
    const T sigma = static_cast<T>(label(first_row).sigma);
    for (int r = first_row; r < first_row + outputs_; ++r) {
      for (T& e : values_.span(r).first(static_cast<std::size_t>(count))) e *= sigma;
    }
  }

  /// Multiplies the normal numbers of each sample, one for each of a network's outputs, by the factor of the
  /// covariance.
  void mix(int first_row, int count) {
    const double* factor = label(first_row).factor.data();
    std::vector<double> normals(static_cast<std::size_t>(outputs_));
    for (int i = 0; i < count; ++i) {
      for (int c = 0; c < outputs_; ++c) normals[static_cast<std::size_t>(c)] = values_.row(first_row + c)[i];
      for (int c = 0; c < outputs_; ++c)
        values_.row(first_row + c)[i] =
            static_cast<T>(std::inner_product(normals.begin(), normals.end(), factor + c * outputs_, 0.0));
    }
  }

  std::vector<Labels> labels_;
  int outputs_;
  DataSet origin_;
  PaddedRows<T> values_;  // K C x samples  sigma eps
};

/// The buffers for one part of a step: separate sums, and residuals.
template <class T>
struct PartBuffers {
  PaddedRows<T> q;             // R x D; unused for the first part, which adds to the result directly
  PaddedRows<T> residuals;     // R x block; empty for one vector
  std::vector<double> losses;  // R
};

/// The gradient from samples in parts and blocks. Derived classes provide the blocks.
template <class T>
class SampledGradient : public Samples<T> {
 public:
  SampledGradient(int dim, int count, int vectors, int threads)
      : count_(count), cut_(cut(dim, count)), threads_(threads), part_buffers_(static_cast<std::size_t>(cut_.parts)) {
    for (std::size_t p = 0; p < part_buffers_.size(); ++p) {
      if (p > 0) part_buffers_[p].q = PaddedRows<T>(vectors, dim);
      if (vectors > 1) part_buffers_[p].residuals = PaddedRows<T>(vectors, cut_.block);
      part_buffers_[p].losses.resize(static_cast<std::size_t>(vectors));
    }
  }

  void gradient(int t, Rows<const T> s, Rows<T> q, std::span<double> losses) override {
    prepare(t);
    count_ = size_of_step(t);
    for_each_part(cut_.parts, threads_, [&](int p) {
      PartBuffers<T>& buffers = part_buffers_[static_cast<std::size_t>(p)];
      add_part(t, p, s, p == 0 ? q : buffers.q.view(), buffers);
    });
    for (int r = 0; r < s.rows; ++r) collect(r, q, losses[static_cast<std::size_t>(r)]);
  }

 protected:
  struct Block {
    Rows<const T> z;
    const T* kept;
  };

  virtual void prepare(int /*t*/) {}
  /// Number of samples of step t.
  [[nodiscard]] virtual int size_of_step(int /*t*/) const { return count_; }
  /// `count` samples of step t from number `first` on, and the factors of their gradients. Afterwards noise() is their
  /// noise.
  virtual Block block(int t, int part, int first, int count) = 0;
  [[nodiscard]] virtual const T* noise(int part, int row, int first) const = 0;

  [[nodiscard]] Cut shape() const { return cut_; }
  [[nodiscard]] int threads() const { return threads_; }

 private:
  void add_part(int t, int part, Rows<const T> s, Rows<T> q, PartBuffers<T>& buffers) {
    for (int r = 0; r < q.rows; ++r) std::fill_n(q.row(r), q.width(), T{});
    std::ranges::fill(buffers.losses, 0.0);
    const auto [begin, size] = interval(count_, cut_.parts, kRowGroup, part);
    for (int first = begin; first < begin + size; first += cut_.block) {
      const Block b = block(t, part, first, std::min(cut_.block, begin + size - first));
      support::interruption_point(static_cast<double>(b.z.rows) * s.cols * s.rows);
      if (s.rows == 1) {
        buffers.losses[0] += accumulate_gradient(b.z, s.data, noise(part, 0, first), b.kept, q.data);
      } else {
        add_block(b, part, first, s, q, buffers);
      }
    }
  }

  void add_block(const Block& b, int part, int first, Rows<const T> s, Rows<T> q, PartBuffers<T>& buffers) {
    const int rows = b.z.rows;
    Rows<T> residuals = buffers.residuals.view();
    residuals.cols = rows;
    forward_products(b.z, s, residuals, 1);
    for (int r = 0; r < s.rows; ++r) {
      T* delta = residuals.row(r);
      const T* e = noise(part, r, first);
      for (int i = 0; i < rows; ++i) delta[i] += e[i];
      std::fill_n(delta + rows, residuals.width() - rows, T{});
      buffers.losses[static_cast<std::size_t>(r)] += dot(delta, delta, residuals.width());
      for (int i = 0; i < rows; ++i) delta[i] *= b.kept[i];
    }
    backward_products<T>(b.z, residuals, T{1}, q, 1);
  }

  /// Sums over parts, always in the same order.
  void collect(int r, Rows<T> q, double& loss) {
    loss = part_buffers_.front().losses[static_cast<std::size_t>(r)];
    const T scale = static_cast<T>(1.0 / count_);
    for (std::size_t p = 1; p < part_buffers_.size(); ++p) {
      loss += part_buffers_[p].losses[static_cast<std::size_t>(r)];
      scale_and_add(q.row(r), T{1}, part_buffers_[p].q.row(r), T{1}, q.width());
    }
    loss /= count_;
    scale_and_add(q.row(r), scale, q.row(r), T{}, q.width());
  }

  int count_;  // number of samples in this step
  Cut cut_;
  int threads_;
  std::vector<PartBuffers<T>> part_buffers_;
};

template <class T>
void draw_inputs(DataSet origin, std::uint64_t first, Rows<T> z) {
  const Stream stream{origin.seed, array_of(kInputArray, origin.replica)};
  const auto cols = static_cast<std::uint64_t>(z.cols);
  for (int i = 0; i < z.rows; ++i) fill_normals(stream, (first + static_cast<std::uint64_t>(i)) * cols, z.span(i));
}

/// Decides which of P samples a step uses.
template <class T>
class Selection {
 public:
  Selection(const Data& data, int count, DataSet origin)
      : fraction_(data.batch_fraction),
        batches_(data.batches),
        stream_{origin.seed, array_of(kSelectionArray, origin.replica)},
        factors_(count, T{1}) {}

  /// The factor of each sample's gradient in step t: 0 for those that are not in the batch.
  const T* factors(int t) {
    if (batches_ > 1) {
      select_batch(t);
    } else if (fraction_ < 1.0) {
      select_fraction(t);
    }
    return factors_.data();
  }

 private:
  /// Each sample with probability `fraction`.
  void select_fraction(int t) {
    draw(t);
    for (int i = 0; i < factors_.size(); ++i)
      factors_[i] = static_cast<T>(uniforms_[static_cast<std::size_t>(i)] < fraction_ ? 1.0 / fraction_ : 0.0);
  }

  /// One of the batches of an epoch, whose sizes differ by at most one sample. Samples of an epoch are in the order of
  /// uniform numbers, which depend on nothing but the epoch: training can resume in the middle of it.
  void select_batch(int t) {
    const int count = factors_.size();
    if (order_.empty() || t / batches_ != epoch_) {
      epoch_ = t / batches_;
      draw(epoch_);
      order_.resize(static_cast<std::size_t>(count));
      std::iota(order_.begin(), order_.end(), 0);
      std::ranges::sort(order_, {}, [&](int i) { return std::pair{uniforms_[static_cast<std::size_t>(i)], i}; });
    }
    const auto [first, size] = interval(count, batches_, 1, t % batches_);
    std::ranges::fill(factors_.span(), T{});
    for (int i = first; i < first + size; ++i)
      factors_[order_[static_cast<std::size_t>(i)]] = static_cast<T>(static_cast<double>(count) / size);
  }

  /// Uniform numbers in double for all precisions, because rounded numbers could select other samples.
  void draw(int number) {
    uniforms_.resize(static_cast<std::size_t>(factors_.size()));
    fill_uniforms(stream_, static_cast<std::uint64_t>(number) * static_cast<std::uint64_t>(factors_.size()),
                  std::span(uniforms_));
  }

  double fraction_;
  int batches_;
  Stream stream_;
  Padded<T> factors_;             // P
  std::vector<double> uniforms_;  // P  of the last draw
  std::vector<int> order_;        // P  the samples of the epoch
  int epoch_ = 0;
};

/// P samples that are drawn once. A step uses all or some of them; the loss is the mean over all samples.
template <class T>
class FixedSamples : public SampledGradient<T> {
 public:
  FixedSamples(const Data& data, int dim, int count, DataSet origin, const std::vector<Labels>& labels, int threads)
      : SampledGradient<T>(dim, count, static_cast<int>(labels.size()) * outputs(data), threads),
        selection_(data, count, origin),
        z_(count, dim),
        noise_(labels, outputs(data), origin, count) {
    const int parts = this->shape().parts;
    for_each_part(parts, threads, [&](int p) {
      const auto [first, rows] = interval(count, parts, kRowGroup, p);
      draw_inputs(origin, static_cast<std::uint64_t>(first), z_.view().middle(first, rows));
    });
    noise_.draw(0, count);
  }

  [[nodiscard]] int factor_rows(int /*dim*/) const override { return z_.rows(); }
  void factor_forward(Rows<const T> s, Rows<T> f) override {
    forward_products<T>(z_.view(), s, f, this->threads());
    divide(f);
  }
  void factor_backward(Rows<const T> f, Rows<T> q) override {
    backward_products<T>(z_.view(), f, T{}, q, this->threads());
    divide(q);
  }

 protected:
  void prepare(int t) override { kept_ = selection_.factors(t); }

  typename SampledGradient<T>::Block block(int /*t*/, int /*part*/, int first, int count) override {
    return {std::as_const(z_).view().middle(first, count), kept_ + first};
  }
  [[nodiscard]] const T* noise(int /*part*/, int row, int first) const override { return noise_.row(row) + first; }

 private:
  /// Divides the rows by sqrt(P).
  void divide(Rows<T> x) const {
    const auto scale = static_cast<T>(1.0 / std::sqrt(static_cast<double>(z_.rows())));
    for (int r = 0; r < x.rows; ++r) scale_and_add(x.row(r), scale, x.row(r), T{}, x.width());
  }

  Selection<T> selection_;
  PaddedRows<T> z_;  // P x D   white inputs
  Noise<T> noise_;
  const T* kept_ = nullptr;  // P  factors of the gradients in this step
};

/// Samples that the caller gave, with labels in the place of the noise: their coordinates are modes without a target.
template <class T>
class OwnSamples : public SampledGradient<T> {
 public:
  OwnSamples(const Data& data, std::shared_ptr<const StoredSamples<T>> samples, DataSet origin, int networks,
             int threads)
      : SampledGradient<T>(samples->inputs.cols(), samples->inputs.rows(), networks * outputs(data), threads),
        selection_(data, samples->inputs.rows(), origin),
        samples_(std::move(samples)) {}

 protected:
  void prepare(int t) override { kept_ = selection_.factors(t); }
  typename SampledGradient<T>::Block block(int /*t*/, int /*part*/, int first, int count) override {
    return {samples_->inputs.view().middle(first, count), kept_ + first};
  }
  [[nodiscard]] const T* noise(int /*part*/, int row, int first) const override {
    return samples_->labels.row(row % samples_->labels.rows()) + first;
  }

 private:
  Selection<T> selection_;
  std::shared_ptr<const StoredSamples<T>> samples_;
  const T* kept_ = nullptr;  // P  factors of the gradients in this step
};

/// A new batch in every step, drawn and used in blocks of rows.
template <class T>
class FreshSamples : public SampledGradient<T> {
 public:
  FreshSamples(const Data& data, int dim, int count, DataSet origin, const std::vector<Labels>& labels, int threads,
               std::vector<int> batches)
      : SampledGradient<T>(dim, count, static_cast<int>(labels.size()) * outputs(data), threads),
        origin_(origin),
        most_(count),
        batches_(std::move(batches)),
        kept_(this->shape().block, T{1}) {
    const auto [parts, rows] = this->shape();
    z_.assign(static_cast<std::size_t>(parts), PaddedRows<T>(rows, dim));
    noise_.assign(static_cast<std::size_t>(parts), Noise<T>(labels, outputs(data), origin, rows));
    starts_.resize(batches_.size());
    std::exclusive_scan(batches_.begin(), batches_.end(), starts_.begin(), std::uint64_t{0});
  }

 protected:
  typename SampledGradient<T>::Block block(int t, int part, int first, int count) override {
    const std::uint64_t at = start(t) + static_cast<std::uint64_t>(first);
    const Rows<T> z = z_[static_cast<std::size_t>(part)].view().middle(0, count);
    draw_inputs(origin_, at, z);
    noise_[static_cast<std::size_t>(part)].draw(at, count);
    return {z, kept_.data()};
  }
  [[nodiscard]] const T* noise(int part, int row, int /*first*/) const override {
    return noise_[static_cast<std::size_t>(part)].row(row);
  }
  [[nodiscard]] int size_of_step(int t) const override {
    return batches_.empty() ? most_ : batches_[static_cast<std::size_t>(t)];
  }

 private:
  /// Number of samples of earlier steps.
  [[nodiscard]] std::uint64_t start(int t) const {
    if (!batches_.empty()) return starts_[static_cast<std::size_t>(t)];
    return static_cast<std::uint64_t>(t) * static_cast<std::uint64_t>(most_);
  }

  DataSet origin_;
  int most_;                           // samples of the largest batch
  std::vector<int> batches_;           // samples of every step; empty: most_
  std::vector<std::uint64_t> starts_;  // samples before every step
  std::vector<PaddedRows<T>> z_;       // a part's block x D  white inputs
  std::vector<Noise<T>> noise_;        // one for each part, for its block of samples
  Padded<T> kept_;                     // block  ones: every sample is used
};

}  // namespace

template <class T>
std::unique_ptr<Samples<T>> make_samples(const Data& data, int dim, int count, DataSet origin,
                                         const std::vector<Labels>& labels, int threads, std::vector<int> batches) {
  if (count == 0) return std::make_unique<Population<T>>(labels, outputs(data));
  if (data.mode == DataMode::one_pass)
    return std::make_unique<FreshSamples<T>>(data, dim, count, origin, labels, threads, std::move(batches));
  return std::make_unique<FixedSamples<T>>(data, dim, count, origin, labels, threads);
}

template <class T>
std::unique_ptr<Samples<T>> make_samples(const Data& data, std::shared_ptr<const StoredSamples<T>> samples,
                                         DataSet origin, int networks, int threads) {
  return std::make_unique<OwnSamples<T>>(data, std::move(samples), origin, networks, threads);
}

template std::unique_ptr<Samples<double>> make_samples(const Data&, std::shared_ptr<const StoredSamples<double>>,
                                                       DataSet, int, int);
template std::unique_ptr<Samples<float>> make_samples(const Data&, std::shared_ptr<const StoredSamples<float>>, DataSet,
                                                      int, int);
template std::unique_ptr<Samples<double>> make_samples(const Data&, int, int, DataSet, const std::vector<Labels>&, int,
                                                       std::vector<int>);
template std::unique_ptr<Samples<float>> make_samples(const Data&, int, int, DataSet, const std::vector<Labels>&, int,
                                                      std::vector<int>);

double samples_bytes(const Data& data, int dim, int count, int networks, double scalar, bool given) {
  if (count == 0) return 0.0;
  const auto [parts, block] = cut(dim, count);
  const bool fresh = data.mode == DataMode::one_pass;
  const double stored = fresh ? static_cast<double>(parts) * block : given ? 0.0 : count;
  const double vectors = static_cast<double>(networks) * outputs(data);
  const double residuals = vectors > 1.0 ? parts * padded_bytes(vectors, block, scalar) : 0.0;
  const bool selects = data.mode == DataMode::multi_pass || data.mode == DataMode::epochs;
  const double selection = selects ? (sizeof(double) + sizeof(int)) * static_cast<double>(count) : 0.0;
  return padded_bytes(stored, dim, scalar) + (vectors + 1.0) * (scalar * stored + 2.0 * kCacheLine) + residuals +
         selection + (parts - 1.0) * padded_bytes(vectors, dim, scalar);
}

}  // namespace lindmft::training
