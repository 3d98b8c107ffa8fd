#include "training/weights/weight_array.hpp"

#include "training/weights/factored.hpp"
#include "training/weights/in_place.hpp"

namespace lindmft::training {

template <class T>
std::unique_ptr<WeightArray<T>> make_weight_array(const ArraySetup& setup, const std::vector<TrainedNetwork>& networks,
                                                  std::vector<ArrayScale> scales, const DrawRow<T>& draw) {
  if (setup.schedule.method == Method::in_place)
    return std::make_unique<InPlaceArray<T>>(setup, networks, std::move(scales), draw);
  return std::make_unique<FactoredArray<T>>(setup, networks, std::move(scales), draw);
}

template std::unique_ptr<WeightArray<double>> make_weight_array(const ArraySetup&, const std::vector<TrainedNetwork>&,
                                                                std::vector<ArrayScale>, const DrawRow<double>&);
template std::unique_ptr<WeightArray<float>> make_weight_array(const ArraySetup&, const std::vector<TrainedNetwork>&,
                                                               std::vector<ArrayScale>, const DrawRow<float>&);

double weight_array_bytes(const Schedule& schedule, double networks, double rows, double cols, double outputs,
                          bool momentum, double scalar) {
  const double matrix = padded_bytes(rows, cols, scalar);
  const double buffered = momentum ? 2.0 * matrix : matrix;
  if (schedule.method == Method::in_place) return networks * buffered;
  const double pairs = schedule.capacity * outputs;
  const double factors = networks * factor_bytes(rows, cols, pairs, scalar);
  if (schedule.method == Method::shared) return matrix + factors;
  if (!schedule.folds) return networks * matrix + factors;
  return networks * buffered + factors + padded_bytes(pairs, rows, scalar) +
         (momentum ? padded_bytes(networks * outputs, rows > cols ? rows : cols, scalar) : 0.0);
}

}  // namespace lindmft::training
