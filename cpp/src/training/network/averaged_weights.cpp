#include "training/network/averaged_weights.hpp"

#include "training/weights/loops.hpp"

namespace lindmft::training {

template <class T>
AveragedWeights<T>::AveragedWeights(const std::vector<int>& sizes, int networks, int readouts)
    : arrays_(static_cast<std::size_t>(networks)), readouts_(readouts, sizes.back()) {
  for (std::vector<PaddedRows<T>>& own : arrays_) {
    for (std::size_t l = 0; l + 1 < sizes.size(); ++l) own.emplace_back(sizes[l + 1], sizes[l]);
  }
}

template <class T>
void AveragedWeights<T>::move(int network, double share, const std::vector<std::unique_ptr<WeightArray<T>>>& arrays) {
  std::vector<PaddedRows<T>>& own = arrays_[static_cast<std::size_t>(network)];
  for (std::size_t l = 0; l < own.size(); ++l) arrays[l]->move_average(network, share, own[l].view());
}

template <class T>
void AveragedWeights<T>::move_readout(int row, double share, const T* readout) {
  scale_and_add(readouts_.row(row), static_cast<T>(1.0 - share), readout, static_cast<T>(share),
                readouts_.view().width());
}

template <class T>
void AveragedWeights<T>::backward(int network, std::size_t l, T scale, const T* g, T* out) const {
  backward_product(arrays_[static_cast<std::size_t>(network)][l].view(), g, scale, T{}, out);
}

template <class T>
void AveragedWeights<T>::persist(Archive& archive) {
  for (std::vector<PaddedRows<T>>& own : arrays_) {
    for (PaddedRows<T>& w : own) archive.rows(w);
  }
  archive.rows(readouts_);
}

template <class T>
double AveragedWeights<T>::bytes(const std::vector<int>& sizes, double networks, double outputs, double scalar) {
  double sum = padded_bytes(networks * outputs, sizes.back(), scalar);
  for (std::size_t l = 0; l + 1 < sizes.size(); ++l) sum += networks * padded_bytes(sizes[l + 1], sizes[l], scalar);
  return sum;
}

template class AveragedWeights<double>;
template class AveragedWeights<float>;

}  // namespace lindmft::training
