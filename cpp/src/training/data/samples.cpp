#include "training/data/samples.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "training/random/arrays.hpp"
#include "training/random/normals.hpp"
#include "training/weights/block_products.hpp"
#include "training/weights/loops.hpp"
#include "training/weights/parts.hpp"

namespace lindmft::training {
namespace {

constexpr int kRowGroup = 4;               // samples that the fused pass takes at a time
constexpr int kLeastRows = 16;             // in a block, so that a GEMM with it is worth its name
constexpr double kBlockEntries = 1 << 15;  // inputs in a block: 256 KiB stay in the second-level cache
constexpr double kPartEntries = 1 << 18;   // inputs of a step that are worth a thread
constexpr int kMostParts = 16;

/// How a step's samples are cut: into parts that threads may take, each treated a block of rows at a time.
struct Cut {
  int parts;
  int block;  // rows
};

Cut cut(int dim, int count) {
  const int block = static_cast<int>(round_up(static_cast<int>(kBlockEntries) / dim, kRowGroup));
  return {parts_of(static_cast<double>(count) * dim, kPartEntries, kMostParts),
          std::min(count, std::max(kLeastRows, block))};
}

/// The limit of infinitely many samples.
template <class T>
class Population : public Samples<T> {
 public:
  Population(const std::vector<Labels>& labels, int outputs) : labels_(labels), outputs_(outputs) {}

  void gradient(int /*t*/, Rows<const T> s, Rows<T> q, std::span<double> losses) override {
    for (int r = 0; r < s.rows; ++r) {
      std::copy_n(s.row(r), s.width(), q.row(r));
      const double sigma = labels_[static_cast<std::size_t>(r / outputs_)].sigma;
      losses[static_cast<std::size_t>(r)] = dot(s.row(r), s.row(r), s.width()) + sigma * sigma;
    }
  }

 private:
  std::vector<Labels> labels_;
  int outputs_;
};

/// The label noise of every network and output, drawn once where several networks see the same.
template <class T>
class Noise {
 public:
  Noise(std::vector<Labels> labels, int outputs, DataSet origin, int capacity)
      : labels_(std::move(labels)), outputs_(outputs), origin_(origin), values_(rows(), capacity) {}

  /// That of samples first .. first + count
  void draw(std::uint64_t first, int count) {
    std::map<std::pair<std::uint32_t, int>, int> drawn;  // draw, output -> row
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
    for (int r = 0; r < rows(); ++r) {
      const T sigma = static_cast<T>(label(r).sigma);
      for (T& e : values_.span(r).first(static_cast<std::size_t>(count))) e *= sigma;
    }
  }

  [[nodiscard]] const T* row(int r) const { return values_.row(r); }

 private:
  [[nodiscard]] int rows() const { return static_cast<int>(labels_.size()) * outputs_; }
  [[nodiscard]] const Labels& label(int r) const { return labels_[static_cast<std::size_t>(r / outputs_)]; }

  std::vector<Labels> labels_;
  int outputs_;
  DataSet origin_;
  PaddedRows<T> values_;  // K C x samples  sigma eps
};

/// What a thread needs to take a part of a step: sums of its own, and residuals.
template <class T>
struct Workplace {
  PaddedRows<T> q;             // R x D; of the first part unused: it adds to the result itself
  PaddedRows<T> residuals;     // R x block; empty for one vector
  std::vector<double> losses;  // R
};

/// The rows of a step, in parts and blocks; where a block comes from is left open.
template <class T>
class SampledGradient : public Samples<T> {
 public:
  SampledGradient(int dim, int count, int vectors, int threads)
      : count_(count), cut_(cut(dim, count)), threads_(threads), places_(static_cast<std::size_t>(cut_.parts)) {
    for (std::size_t p = 0; p < places_.size(); ++p) {
      if (p > 0) places_[p].q = PaddedRows<T>(vectors, dim);
      if (vectors > 1) places_[p].residuals = PaddedRows<T>(vectors, cut_.block);
      places_[p].losses.resize(static_cast<std::size_t>(vectors));
    }
  }

  void gradient(int t, Rows<const T> s, Rows<T> q, std::span<double> losses) override {
    prepare(t);
    for_each_part(cut_.parts, threads_, [&](int p) {
      Workplace<T>& place = places_[static_cast<std::size_t>(p)];
      add_part(t, p, s, p == 0 ? q : place.q.view(), place);
    });
    for (int r = 0; r < s.rows; ++r) collect(r, q, losses[static_cast<std::size_t>(r)]);
  }

 protected:
  struct Block {
    Rows<const T> z;
    const T* kept;
  };

  virtual void prepare(int /*t*/) {}
  /// Samples first .. first + count of step t, and what their gradients are multiplied by; noise() is theirs then.
  virtual Block block(int t, int part, int first, int count) = 0;
  [[nodiscard]] virtual const T* noise(int part, int row, int first) const = 0;

  [[nodiscard]] int count() const { return count_; }
  [[nodiscard]] Cut shape() const { return cut_; }
  [[nodiscard]] int threads() const { return threads_; }

 private:
  void add_part(int t, int part, Rows<const T> s, Rows<T> q, Workplace<T>& place) {
    for (int r = 0; r < q.rows; ++r) std::fill_n(q.row(r), q.width(), T{});
    std::ranges::fill(place.losses, 0.0);
    const auto [begin, size] = interval(count_, cut_.parts, kRowGroup, part);
    for (int first = begin; first < begin + size; first += cut_.block) {
      const Block b = block(t, part, first, std::min(cut_.block, begin + size - first));
      support::interruption_point(static_cast<double>(b.z.rows) * s.cols * s.rows);
      if (s.rows == 1) {
        place.losses[0] += accumulate_gradient(b.z, s.data, noise(part, 0, first), b.kept, q.data);
      } else {
        add_block(b, part, first, s, q, place);
      }
    }
  }

  void add_block(const Block& b, int part, int first, Rows<const T> s, Rows<T> q, Workplace<T>& place) {
    const int rows = b.z.rows;
    Rows<T> residuals = place.residuals.view();
    residuals.cols = rows;
    forward_products(b.z, s, residuals, 1);
    for (int r = 0; r < s.rows; ++r) {
      T* delta = residuals.row(r);
      const T* e = noise(part, r, first);
      for (int i = 0; i < rows; ++i) delta[i] += e[i];
      std::fill_n(delta + rows, residuals.width() - rows, T{});
      place.losses[static_cast<std::size_t>(r)] += dot(delta, delta, residuals.width());
      for (int i = 0; i < rows; ++i) delta[i] *= b.kept[i];
    }
    backward_products<T>(b.z, residuals, T{1}, q, 1);
  }

  /// The sum over parts, always in the same order
  void collect(int r, Rows<T> q, double& loss) {
    loss = places_.front().losses[static_cast<std::size_t>(r)];
    const T scale = static_cast<T>(1.0 / count_);
    for (std::size_t p = 1; p < places_.size(); ++p) {
      loss += places_[p].losses[static_cast<std::size_t>(r)];
      scale_and_add(q.row(r), T{1}, places_[p].q.row(r), T{1}, q.width());
    }
    loss /= count_;
    scale_and_add(q.row(r), scale, q.row(r), T{}, q.width());
  }

  int count_;
  Cut cut_;
  int threads_;
  std::vector<Workplace<T>> places_;
};

template <class T>
void draw_inputs(DataSet origin, std::uint64_t first, Rows<T> z) {
  const Stream stream{origin.seed, array_of(kInputArray, origin.replica)};
  const auto cols = static_cast<std::uint64_t>(z.cols);
  for (int i = 0; i < z.rows; ++i) fill_normals(stream, (first + static_cast<std::uint64_t>(i)) * cols, z.span(i));
}

/// P samples drawn once. A step keeps each with probability `fraction` and divides by it; the loss is over all of them.
template <class T>
class FixedSamples : public SampledGradient<T> {
 public:
  FixedSamples(const Data& data, int dim, int count, DataSet origin, const std::vector<Labels>& labels, int threads)
      : SampledGradient<T>(dim, count, static_cast<int>(labels.size() * data.targets.size()), threads),
        fraction_(data.batch_fraction),
        selection_{origin.seed, array_of(kSelectionArray, origin.replica)},
        z_(count, dim),
        noise_(labels, static_cast<int>(data.targets.size()), origin, count),
        kept_(count, T{1}) {
    const int parts = this->shape().parts;
    for_each_part(parts, threads, [&](int p) {
      const auto [first, rows] = interval(count, parts, kRowGroup, p);
      draw_inputs(origin, static_cast<std::uint64_t>(first), z_.view().middle(first, rows));
    });
    noise_.draw(0, count);
  }

 protected:
  void prepare(int t) override {
    if (fraction_ >= 1.0) return;
    fill_uniforms(selection_, static_cast<std::uint64_t>(t) * static_cast<std::uint64_t>(kept_.size()), uniforms());
    for (int i = 0; i < kept_.size(); ++i)
      kept_[i] = static_cast<T>(uniforms_[static_cast<std::size_t>(i)] < fraction_ ? 1.0 / fraction_ : 0.0);
  }

  typename SampledGradient<T>::Block block(int /*t*/, int /*part*/, int first, int count) override {
    return {std::as_const(z_).view().middle(first, count), kept_.data() + first};
  }
  [[nodiscard]] const T* noise(int /*part*/, int row, int first) const override { return noise_.row(row) + first; }

 private:
  /// In double for all precisions: a rounded number might choose otherwise.
  std::span<double> uniforms() {
    uniforms_.resize(static_cast<std::size_t>(kept_.size()));
    return uniforms_;
  }

  double fraction_;
  Stream selection_;
  PaddedRows<T> z_;  // P x D   white inputs
  Noise<T> noise_;
  Padded<T> kept_;                // P  1 / fraction for the samples of this step, 0 for the others
  std::vector<double> uniforms_;  // P
};

/// A fresh batch every step, drawn and used a block of rows at a time.
template <class T>
class FreshSamples : public SampledGradient<T> {
 public:
  FreshSamples(const Data& data, int dim, int count, DataSet origin, const std::vector<Labels>& labels, int threads)
      : SampledGradient<T>(dim, count, static_cast<int>(labels.size() * data.targets.size()), threads),
        origin_(origin),
        kept_(this->shape().block, T{1}) {
    const auto [parts, rows] = this->shape();
    z_.assign(static_cast<std::size_t>(parts), PaddedRows<T>(rows, dim));
    noise_.assign(static_cast<std::size_t>(parts),
                  Noise<T>(labels, static_cast<int>(data.targets.size()), origin, rows));
  }

 protected:
  typename SampledGradient<T>::Block block(int t, int part, int first, int count) override {
    const std::uint64_t at =
        static_cast<std::uint64_t>(t) * static_cast<std::uint64_t>(this->count()) + static_cast<std::uint64_t>(first);
    const Rows<T> z = z_[static_cast<std::size_t>(part)].view().middle(0, count);
    draw_inputs(origin_, at, z);
    noise_[static_cast<std::size_t>(part)].draw(at, count);
    return {z, kept_.data()};
  }
  [[nodiscard]] const T* noise(int part, int row, int /*first*/) const override {
    return noise_[static_cast<std::size_t>(part)].row(row);
  }

 private:
  DataSet origin_;
  std::vector<PaddedRows<T>> z_;  // a part's block x D  white inputs
  std::vector<Noise<T>> noise_;   // the same
  Padded<T> kept_;                // block  ones: every sample counts
};

}  // namespace

template <class T>
std::unique_ptr<Samples<T>> make_samples(const Data& data, int dim, int count, DataSet origin,
                                         const std::vector<Labels>& labels, int threads) {
  if (count == 0) return std::make_unique<Population<T>>(labels, static_cast<int>(data.targets.size()));
  if (data.mode == DataMode::one_pass)
    return std::make_unique<FreshSamples<T>>(data, dim, count, origin, labels, threads);
  return std::make_unique<FixedSamples<T>>(data, dim, count, origin, labels, threads);
}

template std::unique_ptr<Samples<double>> make_samples(const Data&, int, int, DataSet, const std::vector<Labels>&, int);
template std::unique_ptr<Samples<float>> make_samples(const Data&, int, int, DataSet, const std::vector<Labels>&, int);

double samples_bytes(const Data& data, int dim, int count, int networks, double scalar) {
  if (count == 0) return 0.0;
  const auto [parts, block] = cut(dim, count);
  const bool fresh = data.mode == DataMode::one_pass;
  const double stored = fresh ? static_cast<double>(parts) * block : count;
  const double vectors = networks * static_cast<double>(data.targets.size());
  const double residuals = vectors > 1.0 ? parts * padded_bytes(vectors, block, scalar) : 0.0;
  const double uniforms = data.mode == DataMode::multi_pass ? sizeof(double) * static_cast<double>(count) : 0.0;
  return padded_bytes(stored, dim, scalar) + (vectors + 1.0) * (scalar * stored + 2.0 * kCacheLine) + residuals +
         uniforms + (parts - 1.0) * padded_bytes(vectors, dim, scalar);
}

}  // namespace lindmft::training
