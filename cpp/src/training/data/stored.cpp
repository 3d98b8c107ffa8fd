#include "training/data/stored.hpp"

#include <string>
#include <utility>
#include <vector>

#include "support/refusals.hpp"
#include "training/weights/block_products.hpp"
#include "training/weights/loops.hpp"

namespace lindmft::training {
namespace {

using support::require;

template <class T>
PaddedRows<T> rows(const Matrix& matrix) {
  PaddedRows<T> out(matrix.rows(), matrix.cols());
  for (int i = 0; i < matrix.rows(); ++i) {
    for (int k = 0; k < matrix.cols(); ++k) out.row(i)[k] = static_cast<T>(matrix(i, k));
  }
  return out;
}

template <class T>
PaddedRows<T> columns(const Matrix& matrix) {
  PaddedRows<T> out(matrix.cols(), matrix.rows());
  for (int i = 0; i < matrix.rows(); ++i) {
    for (int k = 0; k < matrix.cols(); ++k) out.row(k)[i] = static_cast<T>(matrix(i, k));
  }
  return out;
}

template <class T>
std::shared_ptr<const StoredSamples<T>> copied(const GivenSamples& given) {
  return std::make_shared<const StoredSamples<T>>(StoredSamples<T>{
      rows<T>(given.inputs), columns<T>(given.labels), rows<T>(given.test_inputs), columns<T>(given.test_labels)});
}

std::string text(int number) { return std::to_string(number); }

void require_shapes(const Matrix& inputs, const Matrix& labels, const std::string& name, int dim, int outputs) {
  require(!inputs.empty(), name + "inputs", "a matrix with a row for each sample", "an empty one");
  require(inputs.cols() == dim, "dim", "the number of inputs of the given samples (" + text(inputs.cols()) + ")", dim);
  require(labels.rows() == inputs.rows(), name + "labels", "a row for each sample (" + text(inputs.rows()) + ")",
          labels.rows());
  require(labels.cols() == outputs, name + "labels", "a column for each output of the problem (" + text(outputs) + ")",
          labels.cols());
}

}  // namespace

Stored stored(const GivenSamples& given, Precision precision) {
  if (precision == Precision::float32) return {.doubles = {}, .floats = copied<float>(given)};
  return {.doubles = copied<double>(given), .floats = {}};
}

double stored_bytes(const GivenSamples& given, double scalar) {
  const double outputs = given.labels.cols();
  return padded_bytes(given.inputs.rows(), given.inputs.cols(), scalar) +
         padded_bytes(given.test_inputs.rows(), given.test_inputs.cols(), scalar) +
         padded_bytes(outputs, given.inputs.rows(), scalar) + padded_bytes(outputs, given.test_inputs.rows(), scalar);
}

Problem on_samples(const Problem& problem, const GivenSamples& given, int dim) {
  const int count = outputs(problem.data);
  if (problem.data.mode == DataMode::one_pass || problem.data.mode == DataMode::population)
    throw BadInput::conflict("samples", "this data.kind", "its samples are never used again",
                             "Use 'full_batch', 'multi_pass' or 'epochs'");
  require_shapes(given.inputs, given.labels, "samples.", dim, count);
  require_shapes(given.test_inputs, given.test_labels, "samples.test_", dim, count);
  Problem out = problem;
  const bool trace_class = problem.data.spectrum.trace_class;
  out.data = {.mode = problem.data.mode,
              .alpha = problem.data.alpha,
              .batch_fraction = problem.data.batch_fraction,
              .batches = problem.data.batches,
              .spectrum = {.eigenvalues = {1.0},
                           .target_power = {0.0},
                           .weights = {trace_class ? static_cast<double>(dim) : 1.0},
                           .trace_class = trace_class,
                           .targets = std::vector<double>(static_cast<std::size_t>(count))}};
  return out;
}

template <class T>
void HeldOut<T>::losses(Rows<const T> s, std::span<double> out) {
  forward_products<T>(samples_->test_inputs.view(), s, residuals_.view(), threads_);
  for (int r = 0; r < s.rows; ++r) {
    T* delta = residuals_.row(r);
    const std::ptrdiff_t width = residuals_.view().width();
    scale_and_add(delta, T{1}, samples_->test_labels.row(r % outputs_), T{1}, width);
    out[static_cast<std::size_t>(r)] = dot(delta, delta, width) / residuals_.cols();
  }
}

template class HeldOut<double>;
template class HeldOut<float>;

}  // namespace lindmft::training
