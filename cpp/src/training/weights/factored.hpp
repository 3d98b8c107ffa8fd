// Weights as a base plus the updates of each network since then, stored as factors (theory.md section 11). Either all
// networks share the base, which is their initial weights, and products are one GEMM for all of them. Or each network
// has a base, into which its factors are folded when there are many; a step then reads the weights twice and rarely
// writes them.
#pragma once

#include <utility>

#include "training/weights/block_products.hpp"
#include "training/weights/loops.hpp"
#include "training/weights/low_rank.hpp"
#include "training/weights/parts.hpp"
#include "training/weights/weight_array.hpp"

namespace lindmft::training {

/// Bytes of `pairs` pairs of factors.
inline double factor_bytes(double rows, double cols, double pairs, double scalar) {
  return padded_bytes(pairs, rows, scalar) + padded_bytes(pairs, cols, scalar) + padded_bytes(1.0, pairs, scalar);
}

/// The weights of one layer as bases and factors.
template <class T>
class FactoredArray : public WeightArray<T> {
 public:
  FactoredArray(const ArraySetup& setup, const std::vector<TrainedNetwork>& networks, std::vector<ArrayScale> scales,
                const DrawRow<T>& draw)
      : setup_(setup), networks_(networks), scales_(std::move(scales)) {
    const std::size_t bases = shared() ? 1 : networks.size();
    bases_.reserve(bases);  // avoids a copy: the bases may take most of the memory
    bases_.emplace_back(setup.rows, setup.cols);
    for_each_part(setup.rows, setup.threads, [&](int i) { draw(i, bases_.front().span(i)); });
    for (std::size_t b = 1; b < bases; ++b) {
      support::interruption_point(static_cast<double>(setup.rows) * setup.cols);
      bases_.push_back(bases_.front());
    }
    if (!shared()) {
      for (std::size_t b = 0; b < bases; ++b) scale_rows(bases_[b].view(), static_cast<T>(scales_[b].start));
    }
    learned_.reserve(networks.size());  // avoids a copy of zeros, which would touch every page
    for (std::size_t k = 0; k < networks.size(); ++k)
      learned_.emplace_back(setup.rows, setup.cols, setup.schedule.capacity, setup.outputs);
  }

  void backward(Rows<const T> g, Rows<T> out) override {
    const auto product = [](const PaddedRows<T>& w, Rows<const T> x, Rows<T> y, int threads) {
      backward_products(w.view(), x, T{}, y, threads);
    };
    multiply(product, &LowRank<T>::add_backward, g, out);
  }

  void forward(Rows<const T> h, Rows<T> out) override {
    const auto product = [](const PaddedRows<T>& w, Rows<const T> x, Rows<T> y, int threads) {
      forward_products(w.view(), x, y, threads);
    };
    multiply(product, &LowRank<T>::add_forward, h, out);
  }

  void forward_and_update(int /*t*/, Rows<const T> h, Rows<T> out, Rows<const T> g) override {
    forward(h, out);
    for (int k = 0; k < count(); ++k) {
      if (network(k).active) learned_[static_cast<std::size_t>(k)].push(own(g, k), own(h, k));
    }
  }

  void fold() override {
    if (buffers_.empty() && any_momentum()) add_buffers();
    for_each_network([&](int k, int threads) {
      if (network(k).active) fold(static_cast<std::size_t>(k), threads);
    });
  }

  /// Without folds the base is not written: it is the initial weights, which are drawn again.
  void persist(Archive& archive) override {
    if (archive.count(buffers_.empty() ? 0 : 1, any_momentum() ? 1 : 0) > 0 && buffers_.empty()) add_buffers();
    if (setup_.schedule.folds) {
      for (PaddedRows<T>& x : bases_) archive.rows(x);
    }
    for (PaddedRows<T>& x : buffers_) archive.rows(x);
    for (LowRank<T>& x : learned_) x.persist(archive);
  }

  [[nodiscard]] PaddedRows<T> weights(int network) override {
    const auto k = static_cast<std::size_t>(network);
    PaddedRows<T> w = bases_[bases_.size() == 1 ? 0 : k];
    const Combination& now = networks_[k].coefficients.weight();
    LowRank<T> learned = learned_[k];
    learned.add_to(now.gains, gradient_scale(k), static_cast<T>(start(k) * now.base), w.view(), 1);
    if (!buffers_.empty()) add_matrix(w.view(), T{1}, buffers_[k].view(), static_cast<T>(now.buffer));
    return w;
  }

 private:
  using AddLearned = void (LowRank<T>::*)(std::span<const double>, double, const T*, T*);

  [[nodiscard]] int count() const { return static_cast<int>(networks_.size()); }
  [[nodiscard]] const TrainedNetwork& network(int k) const { return networks_[static_cast<std::size_t>(k)]; }
  [[nodiscard]] Rows<const T> own(Rows<const T> x, int k) const { return x.middle(k * setup_.outputs, setup_.outputs); }
  [[nodiscard]] double gradient_scale(std::size_t k) const { return scales_[k].rank_one * scales_[k].multiplier; }
  [[nodiscard]] bool shared() const { return setup_.schedule.method == Method::shared; }
  /// The factor of a shared base in the initial weights of a network; other bases contain it.
  [[nodiscard]] double start(std::size_t k) const { return shared() ? scales_[k].start : 1.0; }
  [[nodiscard]] bool any_momentum() const {
    for (const TrainedNetwork& one : networks_) {
      if (has_momentum(one.optimizer)) return true;
    }
    return false;
  }

  void add_buffers() {
    buffers_.reserve(bases_.size());
    for (std::size_t b = 0; b < bases_.size(); ++b) buffers_.emplace_back(setup_.rows, setup_.cols);
  }

  /// Calls call(k, threads) for every network: several networks in parallel, or a single one with all threads.
  template <class Call>
  void for_each_network(Call call) {
    if (count() == 1) {
      call(0, setup_.threads);
    } else {
      for_each_part(count(), setup_.threads, [&](int k) { call(k, 1); });
    }
  }

  /// out = scale (base W + buffer B + learned) x
  template <class Product>
  void multiply(Product product, AddLearned add_learned, Rows<const T> x, Rows<T> out) {
    if (buffers_.empty()) {
      times_bases(product, bases_, x, out);
    } else {  // products with the bases and with the buffers
      if (buffer_products_.rows() != x.rows || buffer_products_.cols() != out.cols)
        buffer_products_ = PaddedRows<T>(x.rows, out.cols);
      times_bases(product, bases_, x, out);
      times_bases(product, buffers_, x, buffer_products_.view());
    }
    for_each_part(count(), setup_.threads, [&](int k) {
      if (network(k).active) finish(static_cast<std::size_t>(k), add_learned, x, out);
    });
  }

  template <class Product>
  void times_bases(Product product, const std::vector<PaddedRows<T>>& bases, Rows<const T> x, Rows<T> out) {
    if (bases.size() == 1) {
      product(bases.front(), x, out, setup_.threads);
      return;
    }
    for_each_part(count(), setup_.threads, [&](int k) {
      if (!network(k).active) return;
      const int first = k * setup_.outputs;
      support::interruption_point(static_cast<double>(setup_.rows) * setup_.cols * setup_.outputs);
      product(bases[static_cast<std::size_t>(k)], own(x, k), out.middle(first, setup_.outputs), 1);
    });
  }

  void finish(std::size_t k, AddLearned add_learned, Rows<const T> x, Rows<T> out) {
    support::interruption_point(static_cast<double>(setup_.rows + setup_.cols) * setup_.outputs);
    const Combination& now = networks_[k].coefficients.weight();
    const double scale = scales_[k].product;
    const int first = static_cast<int>(k) * setup_.outputs;
    for (int c = first; c < first + setup_.outputs; ++c) {
      const T* buffered = buffers_.empty() ? out.row(c) : buffer_products_.row(c);
      const double share = buffers_.empty() ? 0.0 : now.buffer;
      scale_and_add(out.row(c), static_cast<T>(scale * start(k) * now.base), buffered, static_cast<T>(scale * share),
                    out.width());
      (learned_[k].*add_learned)(now.gains, scale * gradient_scale(k), x.row(c), out.row(c));
    }
  }

  /// Computes weights and buffers from the base, the buffers and the factors. Both results need the old base and
  /// buffers.
  void fold(std::size_t k, int threads) {
    const Combination& weight = networks_[k].coefficients.weight();
    const Combination& velocity = networks_[k].coefficients.velocity();
    const double scale = gradient_scale(k);
    const Rows<T> w = bases_[k].view();
    if (!buffers_.empty()) {
      const Rows<T> b = buffers_[k].view();
      for_each_part(w.rows, threads, [&](int i) { mix_row(weight, velocity, w.row(i), b.row(i), w.width()); });
      learned_[k].add_to(velocity.gains, scale, T{1}, b, threads);
      learned_[k].add_to(weight.gains, scale, T{1}, w, threads);
    } else {
      learned_[k].add_to(weight.gains, scale, static_cast<T>(weight.base), w, threads);
    }
    learned_[k].clear();
  }

  static void mix_row(const Combination& weight, const Combination& velocity, T* w, T* b, std::ptrdiff_t width) {
    for (std::ptrdiff_t i = 0; i < width; ++i) {
      const T old = w[i];
      w[i] = static_cast<T>(weight.base) * old + static_cast<T>(weight.buffer) * b[i];
      b[i] = static_cast<T>(velocity.base) * old + static_cast<T>(velocity.buffer) * b[i];
    }
  }

  static void scale_rows(Rows<T> x, T factor) {
    for (int i = 0; i < x.rows && factor != T{1}; ++i) scale_and_add(x.row(i), factor, x.row(i), T{}, x.width());
  }

  static void add_matrix(Rows<T> x, T a, Rows<T> y, T b) {
    for (int i = 0; i < x.rows; ++i) scale_and_add(x.row(i), a, y.row(i), b, x.width());
  }

  ArraySetup setup_;
  const std::vector<TrainedNetwork>& networks_;
  std::vector<ArrayScale> scales_;      // K
  std::vector<PaddedRows<T>> bases_;    // one or K arrays of N_{l+1} x N_l
  std::vector<PaddedRows<T>> buffers_;  // the same shape  momentum at the last fold; empty without or before one
  std::vector<LowRank<T>> learned_;     // K
  PaddedRows<T> buffer_products_;       // products with the momentum buffers
};

}  // namespace lindmft::training
