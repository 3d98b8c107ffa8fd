// Separate weights and momentum buffers for every network, updated in place by the fused passes of loops.hpp, one
// network after the other.
#pragma once

#include <utility>

#include "training/weights/loops.hpp"
#include "training/weights/parts.hpp"
#include "training/weights/sgd.hpp"
#include "training/weights/weight_array.hpp"

namespace lindmft::training {

/// The weights of one layer as separate arrays for each network.
template <class T>
class InPlaceArray : public WeightArray<T> {
 public:
  InPlaceArray(const ArraySetup& setup, const std::vector<TrainedNetwork>& networks, std::vector<ArrayScale> scales,
               const DrawRow<T>& draw)
      : setup_(setup), networks_(networks), scales_(std::move(scales)) {
    for (const TrainedNetwork& network : networks) {
      weights_.emplace_back(setup.rows, setup.cols);
      buffers_.emplace_back(has_momentum(network.optimizer) ? PaddedRows<T>(setup.rows, setup.cols) : PaddedRows<T>());
    }
    for_each_part(setup.rows, setup.threads, [&](int i) { draw_row(i, draw); });
  }

  void backward(Rows<const T> g, Rows<T> out) override {
    for_each_piece(setup_.cols, [&](int k, Interval piece) {
      for (int c = k * setup_.outputs; c < (k + 1) * setup_.outputs; ++c)
        backward_product(view(k).columns(piece.first, piece.count), g.row(c), scale(k), T{}, out.row(c) + piece.first);
    });
  }

  void forward(Rows<const T> h, Rows<T> out) override {
    for_each_piece(setup_.rows, [&](int k, Interval piece) { product(k, 0, piece, h, out); });
  }

  void forward_and_update(int t, Rows<const T> h, Rows<T> out, Rows<const T> g) override {
    for_each_piece(setup_.rows, [&](int k, Interval piece) { step(t, k, piece, h, out, g); });
  }

  void persist(Archive& archive) override {
    for (auto* list : {&weights_, &buffers_}) {
      for (PaddedRows<T>& x : *list) archive.rows(x);
    }
  }

  [[nodiscard]] PaddedRows<T> weights(int network) override { return weights_[static_cast<std::size_t>(network)]; }
  void move_average(int network, double share, Rows<T> average) override { this->mix(average, view(network), share); }

 private:
  void draw_row(int i, const DrawRow<T>& draw) {
    draw(i, weights_.front().span(i));
    for (std::size_t k = weights_.size(); k-- > 0;) {
      support::interruption_point(setup_.cols);
      for (int j = 0; j < setup_.cols; ++j)
        weights_[k].row(i)[j] = static_cast<T>(scales_[k].start * networks_[k].init_scale * weights_.front().row(i)[j]);
    }
  }

  /// Calls piece(k, interval) for every active network and every piece of its `size` rows or columns. Sums do not
  /// depend on the division into pieces. Pieces are used for threads if there is only one network, and for
  /// interruptions.
  template <class Piece>
  void for_each_piece(int size, Piece piece) {
    const int count = static_cast<int>(networks_.size());
    constexpr double kLeastEntries = 1 << 16;
    constexpr double kMostEntries = 1 << 26;
    const double entries = static_cast<double>(setup_.rows) * setup_.cols;
    const int of_threads = count > 1 ? 1 : parts_of(entries, kLeastEntries, setup_.threads);
    const int pieces = of_threads * static_cast<int>(1.0 + entries / of_threads / kMostEntries);
    for_each_part(count * pieces, setup_.threads, [&](int i) {
      const int k = i / pieces;
      if (!networks_[static_cast<std::size_t>(k)].active) return;
      support::interruption_point(entries / pieces * setup_.outputs);
      piece(k, interval(size, pieces, static_cast<int>(kLanes<T>), i % pieces));
    });
  }

  /// Forward products of network k for its outputs from number `first` on.
  void product(int k, int first, Interval piece, Rows<const T> h, Rows<T> out) {
    const int end = (k + 1) * setup_.outputs;
    for (int c = k * setup_.outputs + first; c < end; ++c)
      forward_product<T>(view(k).middle(piece.first, piece.count), h.row(c), scale(k), out.row(c) + piece.first);
  }

  /// The forward products and the update of network k. All products use the array before its update. The pass of the
  /// first output also does the update with that output's gradient; since a step is linear in the gradient, the
  /// gradients of the other outputs are added afterwards.
  void step(int t, int k, Interval piece, Rows<const T> h, Rows<T> out, Rows<const T> g) {
    product(k, 1, piece, h, out);
    const auto at = static_cast<std::size_t>(k);
    const ArrayScale& scales = scales_[at];
    const LinearStep step = linear_step(networks_[at].optimizer, t, scales.multiplier);
    const Rows<T> w = weights_[at].view().middle(piece.first, piece.count);
    const bool momentum = !buffers_[at].empty();
    const Rows<T> buffer = momentum ? buffers_[at].view().middle(piece.first, piece.count) : w;
    const int own = k * setup_.outputs;
    T* product = out.row(own) + piece.first;
    const T* factor = g.row(own) + piece.first;
    if (momentum) {
      forward_step(w, buffer, h.row(own), scale(k), product, factor, scales.rank_one, step);
    } else {
      forward_step(w, h.row(own), scale(k), product, factor, scales.rank_one, step);
    }
    for (int c = own + 1; c < own + setup_.outputs; ++c) {
      factor = g.row(c) + piece.first;
      add_outer(w, factor, h.row(c), static_cast<T>(step.gain * scales.rank_one));
      if (momentum) add_outer(buffer, factor, h.row(c), static_cast<T>(step.feed * scales.rank_one));
    }
  }

  [[nodiscard]] Rows<const T> view(int k) const { return weights_[static_cast<std::size_t>(k)].view(); }
  [[nodiscard]] T scale(int k) const { return static_cast<T>(scales_[static_cast<std::size_t>(k)].product); }

  ArraySetup setup_;
  const std::vector<TrainedNetwork>& networks_;
  std::vector<ArrayScale> scales_;      // K
  std::vector<PaddedRows<T>> weights_;  // K of N_{l+1} x N_l
  std::vector<PaddedRows<T>> buffers_;  // the same shape  momentum buffers; empty without momentum
};

}  // namespace lindmft::training
