#include "training/samples.hpp"

#include <algorithm>
#include <cmath>

#include "training/arrays.hpp"
#include "training/kernels.hpp"
#include "training/normals.hpp"

namespace lindmft::training {
namespace {

constexpr std::ptrdiff_t kBlockEntries = 1 << 14;  // of fresh inputs at a time: 128 KiB stay in the second-level cache

int block_rows(int dim, double count) {
  const std::ptrdiff_t rows = round_up(std::max<std::ptrdiff_t>(1, kBlockEntries / dim), kRowGroup);
  return static_cast<int>(std::min(static_cast<double>(rows), count));
}

/// Rows first .. first + rows of an array of normals, into the leading rows of z; zero rows up to a whole group.
void fill_rows(Stream stream, std::uint64_t first, int rows, PaddedMatrix& z) {
  const auto cols = static_cast<std::uint64_t>(z.cols());
  for (int i = 0; i < rows; ++i) fill_normals(stream, (first + static_cast<std::uint64_t>(i)) * cols, z.row_span(i));
  for (std::ptrdiff_t i = rows; i < round_up(rows, kRowGroup); ++i) std::ranges::fill(z.row_span(i), 0.0);
}

void fill_noise(Stream stream, std::uint64_t first, int rows, double sigma, PaddedVector& noise) {
  std::ranges::fill(noise.span(), 0.0);
  const auto used = noise.span().first(static_cast<std::size_t>(rows));
  fill_normals(stream, first, used);
  for (double& e : used) e *= sigma;
}

void multiply(PaddedVector& x, double factor) {
  for (double& value : x.span()) value *= factor;
}

/// The limit of infinitely many samples.
class Population : public Samples {
 public:
  explicit Population(double sigma) : sigma_(sigma) {}

  void gradient(int /*t*/, std::span<Errors> errors) override {
    for (Errors& e : errors) {
      std::ranges::copy(e.s.span(), e.q.span().begin());
      e.loss = dot(e.s, e.s) + sigma_ * sigma_;
    }
  }

 private:
  double sigma_;
};

/// P samples drawn once. A step keeps each with probability `fraction` and divides by it; the loss is over all of them.
class FixedSamples : public Samples {
 public:
  FixedSamples(const Data& data, int dim, int count, std::uint64_t seed, int replica)
      : fraction_(data.batch_fraction),
        selection_{seed, array_of(kSelectionArray, replica)},
        z_(count, dim),
        noise_(data.targets.size(), PaddedVector(count)),
        kept_(count, 1.0) {
    fill_rows({seed, array_of(kInputArray, replica)}, 0, count, z_);
    for (std::size_t c = 0; c < noise_.size(); ++c)
      fill_noise({seed, array_of(kNoiseArray, replica, static_cast<int>(c))}, 0, count, data.noise, noise_[c]);
  }

  void gradient(int t, std::span<Errors> errors) override {
    if (fraction_ < 1.0) select(t);
    for (std::size_t i = 0; i < errors.size(); ++i) {
      Errors& e = errors[i];
      std::ranges::fill(e.q.span(), 0.0);
      e.loss = accumulate_gradient(z_, z_.rows(), e.s, noise_[i % noise_.size()], kept_, e.q) / z_.rows();
      multiply(e.q, 1.0 / z_.rows());
    }
  }

 private:
  void select(int t) {
    fill_uniforms(selection_, static_cast<std::uint64_t>(t) * static_cast<std::uint64_t>(kept_.size()), kept_.span());
    for (double& x : kept_.span()) x = x < fraction_ ? 1.0 / fraction_ : 0.0;
  }

  double fraction_;
  Stream selection_;
  PaddedMatrix z_;                   // P x D   white inputs
  std::vector<PaddedVector> noise_;  // C of P  sigma eps
  PaddedVector kept_;                // P       1 / fraction for the samples of this step, 0 for the others
};

/// A fresh batch every step, drawn and used a block of rows at a time.
class FreshSamples : public Samples {
 public:
  FreshSamples(const Data& data, int dim, int count, std::uint64_t seed, int replica)
      : count_(count),
        sigma_(data.noise),
        seed_(seed),
        replica_(replica),
        z_(block_rows(dim, count), dim),
        noise_(data.targets.size(), PaddedVector(z_.rows())),
        kept_(z_.rows(), 1.0) {}

  void gradient(int t, std::span<Errors> errors) override {
    for (Errors& e : errors) {
      std::ranges::fill(e.q.span(), 0.0);
      e.loss = 0.0;
    }
    for (int first = 0; first < count_; first += z_.rows()) {
      const int rows = std::min(z_.rows(), count_ - first);
      draw_block(t, first, rows);
      for (std::size_t i = 0; i < errors.size(); ++i) {
        Errors& e = errors[i];
        e.loss += accumulate_gradient(z_, rows, e.s, noise_[i % noise_.size()], kept_, e.q);
      }
    }
    for (Errors& e : errors) {
      multiply(e.q, 1.0 / count_);
      e.loss /= count_;
    }
  }

 private:
  void draw_block(int t, int first, int rows) {
    const std::uint64_t at =
        static_cast<std::uint64_t>(t) * static_cast<std::uint64_t>(count_) + static_cast<std::uint64_t>(first);
    fill_rows({seed_, array_of(kInputArray, replica_)}, at, rows, z_);
    for (std::size_t c = 0; c < noise_.size(); ++c)
      fill_noise({seed_, array_of(kNoiseArray, replica_, static_cast<int>(c))}, at, rows, sigma_, noise_[c]);
  }

  int count_;
  double sigma_;
  std::uint64_t seed_;
  int replica_;
  PaddedMatrix z_;                   // block x D   white inputs
  std::vector<PaddedVector> noise_;  // C of block  sigma eps
  PaddedVector kept_;                // block       ones: every sample counts
};

}  // namespace

std::unique_ptr<Samples> make_samples(const Data& data, int dim, int count, std::uint64_t seed, int replica) {
  if (count == 0) return std::make_unique<Population>(data.noise);
  if (data.mode == DataMode::one_pass) return std::make_unique<FreshSamples>(data, dim, count, seed, replica);
  return std::make_unique<FixedSamples>(data, dim, count, seed, replica);
}

double samples_bytes(const Data& data, int dim, double count) {
  if (count == 0.0) return 0.0;
  const double rows = data.mode == DataMode::one_pass ? block_rows(dim, count) : count;
  return padded_bytes(rows, dim) + (1.0 + static_cast<double>(data.targets.size())) * padded_bytes(rows);
}

}  // namespace lindmft::training
