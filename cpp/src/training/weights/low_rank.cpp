#include "training/weights/low_rank.hpp"

#include <algorithm>

#include "training/weights/block_products.hpp"
#include "training/weights/loops.hpp"

namespace lindmft::training {

template <class T>
LowRank<T>::LowRank(int rows, int cols, int capacity, int outputs)
    : outputs_(outputs), g_(capacity * outputs, rows), h_(capacity * outputs, cols), share_(capacity * outputs) {}

template <class T>
void LowRank<T>::push(Rows<const T> g, Rows<const T> h) {
  for (int c = 0; c < outputs_; ++c, ++pairs_) {
    std::copy_n(g.row(c), g.width(), g_.row(pairs_));
    std::copy_n(h.row(c), h.width(), h_.row(pairs_));
  }
}

template <class T>
void LowRank<T>::persist(Archive& archive) {
  pairs_ = archive.count(pairs_, g_.rows());
  archive.rows(g_, pairs_);
  archive.rows(h_, pairs_);
}

template <class T>
void LowRank<T>::add(std::span<const double> c, double scale, Rows<const T> onto, const T* x, Rows<const T> from,
                     T* out) {
  if (pairs_ == 0) return;
  forward_product(onto.middle(0, pairs_), x, T{1}, share_.data());
  for (int p = 0; p < pairs_; ++p) share_[p] *= coefficient(c, scale, p);
  backward_product(from.middle(0, pairs_), share_.data(), T{1}, T{1}, out);
}

template <class T>
void LowRank<T>::add_backward(std::span<const double> c, double scale, const T* g, T* out) {
  add(c, scale, g_.view(), g, h_.view(), out);
}

template <class T>
void LowRank<T>::add_forward(std::span<const double> c, double scale, const T* h, T* out) {
  add(c, scale, h_.view(), h, g_.view(), out);
}

template <class T>
void LowRank<T>::add_to(std::span<const double> c, double scale, T keep, Rows<T> w, int threads) {
  PaddedRows<T> scaled(pairs_, g_.cols());
  for (int p = 0; p < pairs_; ++p) {
    const T factor = coefficient(c, scale, p);
    std::transform(g_.row(p), g_.row(p) + g_.view().width(), scaled.row(p), [=](T x) { return factor * x; });
  }
  add_products<T>(scaled.view(), h_.view(), keep, w, threads);
}

template class LowRank<double>;
template class LowRank<float>;

}  // namespace lindmft::training
