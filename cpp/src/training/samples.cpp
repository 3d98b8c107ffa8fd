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

  double gradient(int /*t*/, const PaddedVector& s, PaddedVector& q) override {
    std::ranges::copy(s.span(), q.span().begin());
    return dot(s, s) + sigma_ * sigma_;
  }

 private:
  double sigma_;
};

/// P samples drawn once. A step keeps each with probability `fraction` and divides by it; the loss is over all of them.
class FixedSamples : public Samples {
 public:
  FixedSamples(const Data& data, int dim, int count, std::uint64_t seed)
      : fraction_(data.batch_fraction),
        selection_{seed, kSelectionArray},
        z_(count, dim),
        noise_(count),
        kept_(count, 1.0) {
    fill_rows({seed, kInputArray}, 0, count, z_);
    fill_noise({seed, kNoiseArray}, 0, count, data.noise, noise_);
  }

  double gradient(int t, const PaddedVector& s, PaddedVector& q) override {
    if (fraction_ < 1.0) select(t);
    std::ranges::fill(q.span(), 0.0);
    const double loss = accumulate_gradient(z_, z_.rows(), s, noise_, kept_, q);
    multiply(q, 1.0 / z_.rows());
    return loss / z_.rows();
  }

 private:
  void select(int t) {
    fill_uniforms(selection_, static_cast<std::uint64_t>(t) * static_cast<std::uint64_t>(kept_.size()), kept_.span());
    for (double& x : kept_.span()) x = x < fraction_ ? 1.0 / fraction_ : 0.0;
  }

  double fraction_;
  Stream selection_;
  PaddedMatrix z_;      // P x D  white inputs
  PaddedVector noise_;  // P      sigma eps
  PaddedVector kept_;   // P      1 / fraction for the samples of this step, 0 for the others
};

/// A fresh batch every step, drawn and used a block of rows at a time.
class FreshSamples : public Samples {
 public:
  FreshSamples(const Data& data, int dim, int count, std::uint64_t seed)
      : count_(count),
        sigma_(data.noise),
        seed_(seed),
        z_(block_rows(dim, count), dim),
        noise_(z_.rows()),
        kept_(z_.rows(), 1.0) {}

  double gradient(int t, const PaddedVector& s, PaddedVector& q) override {
    std::ranges::fill(q.span(), 0.0);
    double loss = 0.0;
    for (int first = 0; first < count_; first += z_.rows()) {
      const int rows = std::min(z_.rows(), count_ - first);
      const std::uint64_t at =
          static_cast<std::uint64_t>(t) * static_cast<std::uint64_t>(count_) + static_cast<std::uint64_t>(first);
      fill_rows({seed_, kInputArray}, at, rows, z_);
      fill_noise({seed_, kNoiseArray}, at, rows, sigma_, noise_);
      loss += accumulate_gradient(z_, rows, s, noise_, kept_, q);
    }
    multiply(q, 1.0 / count_);
    return loss / count_;
  }

 private:
  int count_;
  double sigma_;
  std::uint64_t seed_;
  PaddedMatrix z_;      // block x D  white inputs
  PaddedVector noise_;  // block      sigma eps
  PaddedVector kept_;   // block      ones: every sample counts
};

}  // namespace

std::unique_ptr<Samples> make_samples(const Data& data, int dim, int count, std::uint64_t seed) {
  if (count == 0) return std::make_unique<Population>(data.noise);
  if (data.mode == DataMode::one_pass) return std::make_unique<FreshSamples>(data, dim, count, seed);
  return std::make_unique<FixedSamples>(data, dim, count, seed);
}

double samples_bytes(const Data& data, int dim, double count) {
  if (count == 0.0) return 0.0;
  const double rows = data.mode == DataMode::one_pass ? block_rows(dim, count) : count;
  return padded_bytes(rows, dim) + 2.0 * padded_bytes(rows);
}

}  // namespace lindmft::training
