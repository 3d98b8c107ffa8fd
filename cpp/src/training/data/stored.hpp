// Samples that the caller gives, in the place of random ones: stored once in the networks' precision, for all seeds.
#pragma once

#include <memory>
#include <span>

#include "lindmft/train.hpp"
#include "training/weights/padded.hpp"

namespace lindmft::training {

/// Given samples in padded rows.
template <class T>
struct StoredSamples {
  PaddedRows<T> inputs;       // P x D
  PaddedRows<T> labels;       // C x P
  PaddedRows<T> test_inputs;  // P' x D
  PaddedRows<T> test_labels;  // C x P'
};

/// The samples of a call, in the precision that its networks have.
struct Stored {
  std::shared_ptr<const StoredSamples<double>> doubles;
  std::shared_ptr<const StoredSamples<float>> floats;

  template <class T>
  [[nodiscard]] const std::shared_ptr<const StoredSamples<T>>& get() const {
    if constexpr (sizeof(T) == sizeof(double)) {
      return doubles;
    } else {
      return floats;
    }
  }
};

/// Copies the samples.
[[nodiscard]] Stored stored(const GivenSamples& given, Precision precision);
/// Bytes of the copy.
[[nodiscard]] double stored_bytes(const GivenSamples& given, double scalar);

/// The problem with the data that replace a spectrum and a target where samples are given: the coordinates of the
/// inputs are modes of unit variance without a target, and the labels take the place of the noise. Throws BadInput if
/// the samples do not fit the problem, or `dim`.
[[nodiscard]] Problem on_samples(const Problem& problem, const GivenSamples& given, int dim);

/// The mean squared error on held-out samples.
template <class T>
class HeldOut {
 public:
  /// `outputs` of each network, of which there are `networks`.
  HeldOut(std::shared_ptr<const StoredSamples<T>> samples, int outputs, int networks, int threads)
      : samples_(std::move(samples)),
        outputs_(outputs),
        threads_(threads),
        residuals_(networks * outputs, samples_->test_inputs.rows()) {}

  /// Computes the loss of every row from s, as Samples::gradient does.
  void losses(Rows<const T> s, std::span<double> out);

 private:
  std::shared_ptr<const StoredSamples<T>> samples_;
  int outputs_;
  int threads_;
  PaddedRows<T> residuals_;  // R x P'
};

}  // namespace lindmft::training
