#include "training/network/network.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "problem/scales.hpp"
#include "training/random/arrays.hpp"
#include "training/random/normals.hpp"
#include "training/weights/loops.hpp"
#include "training/weights/parts.hpp"
#include "training/weights/sgd.hpp"

namespace lindmft::training {
namespace {

std::uint32_t weight_array(std::size_t l) { return kFirstWeightArray + static_cast<std::uint32_t>(l); }

template <class T>
std::vector<PaddedRows<T>> layers(int rows, const std::vector<int>& sizes) {
  std::vector<PaddedRows<T>> out;
  for (const int size : sizes) out.emplace_back(rows, size);
  return out;
}

/// (largest - smallest) / size of the sums g^l . h^l over layers.
template <class T>
double spread_of_products(const std::vector<PaddedRows<T>>& g, const std::vector<PaddedRows<T>>& h, int row) {
  double least = 0.0;
  double most = 0.0;
  double size = 0.0;
  for (std::size_t l = 0; l < h.size(); ++l) {
    const std::ptrdiff_t width = h[l].view().width();
    const double sum = dot(g[l].row(row), h[l].row(row), width);
    least = l == 0 ? sum : std::min(least, sum);
    most = l == 0 ? sum : std::max(most, sum);
    if (std::isnan(sum)) return sum;
    size = std::max(size, dot_of_sizes(g[l].row(row), h[l].row(row), width));
  }
  return size > 0.0 ? (most - least) / size : 0.0;
}

}  // namespace

template <class T>
Networks<T>::Networks(const std::vector<Problem>& problems, const std::vector<int>& sizes, Initialization origin,
                      const Schedule& schedule, int threads)
    : outputs_(outputs(problems.front().data)),
      residual_(problems.front().network.kind == Architecture::resnet),
      schedule_(schedule),
      threads_(threads) {
  for (const Problem& p : problems) {
    const Scales s = scales(p);
    const double start = init_unit(p.network);
    networks_.push_back({.optimizer = p.optimizer, .init_scale = start, .coefficients = {p.optimizer, start}});
    scales_.push_back({.gamma0 = s.gamma0, .branch = s.branch, .arrays = s.arrays, .centered = p.network.centered});
  }
  for (std::size_t l = 0; l + 1 < sizes.size(); ++l) {
    std::vector<ArrayScale> of_array;
    for (const Scale& s : scales_) {
      const double product = (skips(l) ? s.branch : 1.0) / std::sqrt(static_cast<double>(sizes[l]));
      of_array.push_back({product, s.gamma0 * product, s.arrays[l].lr, std::sqrt(s.arrays[l].start)});
    }
    const Stream stream{origin.seed, array_of(weight_array(l), origin.replica)};
    const auto cols = static_cast<std::uint64_t>(sizes[l]);
    const DrawRow<T> draw = [=](int i, std::span<T> out) {
      fill_normals(stream, static_cast<std::uint64_t>(i) * cols, out);
    };
    const ArraySetup setup{sizes[l + 1], sizes[l], outputs_, schedule, threads};
    arrays_.push_back(make_weight_array<T>(setup, networks_, std::move(of_array), draw));
  }
  const int rows = count() * outputs_;
  readout_ = PaddedRows<T>(rows, sizes.back());
  readout_buffer_ = readout_;
  h_ = layers<T>(rows, sizes);
  g_ = h_;
  draw_readouts(origin);
}

template <class T>
void Networks<T>::draw_readouts(Initialization origin) {
  for (int c = 0; c < outputs_; ++c) {
    fill_normals({origin.seed, array_of(weight_array(arrays_.size()), origin.replica, c)}, 0, readout_.span(c));
  }
  for (int k = count() - 1; k >= 0; --k) {
    const auto at = static_cast<std::size_t>(k);
    const double start = std::sqrt(scales_[at].arrays.back().start) * networks_[at].init_scale;
    for (int c = 0; c < outputs_; ++c) {
      for (int i = 0; i < readout_.cols(); ++i) readout_.row(row(k, c))[i] = static_cast<T>(start * readout_.row(c)[i]);
    }
  }
}

template <class T>
void Networks<T>::add_skip(std::size_t l, const PaddedRows<T>& from, PaddedRows<T>& to) const {
  if (!skips(l)) return;
  for (int r = 0; r < to.rows(); ++r) scale_and_add(to.row(r), T{1}, from.row(r), T{1}, to.view().width());
}

template <class T>
void Networks<T>::backward() {
  for (int r = 0; r < readout_.rows(); ++r) std::ranges::copy(readout_.span(r), g_.back().row(r));
  for (std::size_t l = arrays_.size(); l-- > 0;) {
    arrays_[l]->backward(g_[l + 1].view(), g_[l].view());
    add_skip(l, g_[l + 1], g_[l]);
  }
}

template <class T>
void Networks<T>::predictor(int network, int output, T* w_hat) {
  const PaddedRows<T>& g = g_.front();
  const int at = row(network, output);
  scaled_predictor(network, g.row(at), w_hat);
  if (!scales_[static_cast<std::size_t>(network)].centered) return;
  if (initial_.empty()) initial_ = PaddedRows<T>(g.rows(), g.cols());
  if (networks_[static_cast<std::size_t>(network)].steps == 0) std::copy_n(w_hat, g.view().width(), initial_.row(at));
  scale_and_add(w_hat, T{1}, initial_.row(at), T{-1}, g.view().width());
}

/// w_hat = sqrt(D) / (gamma0 N_L) W^0^T g^1
template <class T>
void Networks<T>::scaled_predictor(int network, const T* g0, T* w_hat) const {
  const PaddedRows<T>& g = g_.front();
  const double scale = g.cols() / (scales_[static_cast<std::size_t>(network)].gamma0 * readout_.cols());
  std::copy_n(g0, g.view().width(), w_hat);
  scale_and_add(w_hat, static_cast<T>(scale), w_hat, T{}, g.view().width());
}

template <class T>
void Networks<T>::move_average(double share) {
  if (!average_) make_average();
  for_each_part(count(), threads_, [&](int k) {
    if (!networks_[static_cast<std::size_t>(k)].active) return;
    average_->move(k, share, arrays_);
    for (int c = 0; c < outputs_; ++c) average_->move_readout(row(k, c), share, readout_.row(row(k, c)));
  });
}

template <class T>
void Networks<T>::make_average() {
  std::vector<int> sizes;
  for (const PaddedRows<T>& h : h_) sizes.push_back(h.cols());
  average_ = std::make_unique<AveragedWeights<T>>(sizes, count(), readout_.rows());
  make_room(average_g_);
}

template <class T>
void Networks<T>::average_predictor(int network, int output, T* w_hat) {
  const int at = row(network, output);
  const Scale& s = scales_[static_cast<std::size_t>(network)];
  std::ranges::copy(average_->readouts().span(at), average_g_.back().row(at));
  for (std::size_t l = arrays_.size(); l-- > 0;) {
    const PaddedRows<T>& g = average_g_[l + 1];
    PaddedRows<T>& out = average_g_[l];
    const double scale = (skips(l) ? s.branch : 1.0) / std::sqrt(static_cast<double>(out.cols()));
    average_->backward(network, l, static_cast<T>(scale), g.row(at), out.row(at));
    if (skips(l)) scale_and_add(out.row(at), T{1}, g.row(at), T{1}, out.view().width());
  }
  scaled_predictor(network, average_g_.front().row(at), w_hat);
  if (s.centered) scale_and_add(w_hat, T{1}, initial_.row(at), T{-1}, initial_.view().width());
}

template <class T>
void Networks<T>::forward() {
  for (std::size_t l = 0; l < arrays_.size(); ++l) {
    arrays_[l]->forward(h_[l].view(), h_[l + 1].view());
    add_skip(l, h_[l], h_[l + 1]);
  }
}

template <class T>
void Networks<T>::forward_and_update(int t) {
  for (std::size_t l = 0; l < arrays_.size(); ++l) {
    arrays_[l]->forward_and_update(t, h_[l].view(), h_[l + 1].view(), g_[l + 1].view());
    add_skip(l, h_[l], h_[l + 1]);
  }
  for (int k = 0; k < count(); ++k) {
    if (networks_[static_cast<std::size_t>(k)].active) update_readout(k, t);
  }
  fold_if_full();
}

template <class T>
void Networks<T>::update_readout(int network, int t) {
  const auto at = static_cast<std::size_t>(network);
  TrainedNetwork& own = networks_[at];
  const LinearStep step = linear_step(own.optimizer, t, scales_[at].arrays.back().lr);
  for (int c = 0; c < outputs_; ++c) {
    const int r = row(network, c);
    vector_step(readout_.row(r), readout_buffer_.row(r), h_.back().row(r), scales_[at].gamma0, step,
                readout_.view().width());
  }
  ++own.steps;
  if (schedule_.method != Method::in_place) own.coefficients.step(t);
}

template <class T>
void Networks<T>::fold_if_full() {
  if (!schedule_.folds || ++age_ < schedule_.capacity) return;
  age_ = 0;
  for (const auto& array : arrays_) array->fold();
  for (TrainedNetwork& one : networks_) one.coefficients.fold();
}

template <class T>
void Networks<T>::persist(Archive& archive) {
  archive.value(age_);
  for (TrainedNetwork& one : networks_) {
    archive.value(one.active);
    archive.value(one.steps);
    one.coefficients.persist(archive, schedule_.capacity);
  }
  for (const auto& array : arrays_) array->persist(archive);
  archive.rows(readout_);
  archive.rows(readout_buffer_);
  if (archive.count(initial_.empty() ? 0 : 1, 1) > 0 && initial_.empty())
    initial_ = PaddedRows<T>(g_.front().rows(), g_.front().cols());
  archive.rows(initial_);
  if (archive.count(first_h_.empty() ? 0 : 1, 1) > 0 && first_h_.empty()) start_updates();
  for (Layers* list : {&first_h_, &first_g_}) {
    for (PaddedRows<T>& x : *list) archive.rows(x);
  }
}

template <class T>
void Networks<T>::persist_average(Archive& archive) {
  if (archive.count(average_ ? 1 : 0, 1) == 0) return;
  if (!average_) make_average();
  average_->persist(archive);
}

template <class T>
void Networks<T>::drop(int network) {
  networks_[static_cast<std::size_t>(network)].active = false;
  for (int c = 0; c < outputs_; ++c) {
    const int r = row(network, c);
    std::ranges::fill(readout_.span(r), T{});
    for (Layers* list : {&h_, &g_}) {
      for (PaddedRows<T>& x : *list) std::ranges::fill(x.span(r), T{});
    }
  }
}

template <class T>
double Networks<T>::norm(int network, const PaddedRows<T>& x) const {
  double sum = 0.0;
  for (int c = 0; c < outputs_; ++c) {
    const T* r = x.row(row(network, c));
    sum += dot(r, r, x.view().width());
  }
  return sum / x.cols();
}

template <class T>
double Networks<T>::feature_norm(int network, int l) const {
  return norm(network, h_[static_cast<std::size_t>(l)]);
}

template <class T>
double Networks<T>::gradient_norm(int network, int l) const {
  return norm(network, g_[static_cast<std::size_t>(l)]);
}

template <class T>
void Networks<T>::start_updates() {
  first_h_.assign(h_.begin() + 1, h_.end());
  first_g_.assign(g_.begin() + 1, g_.end());
}

template <class T>
double Networks<T>::distance(int network, const PaddedRows<T>& x, const PaddedRows<T>& from) const {
  double sum = 0.0;
  for (int c = 0; c < outputs_; ++c) {
    const int r = row(network, c);
    sum += squared_distance(x.row(r), from.row(r), x.view().width());
  }
  return sum / x.cols();
}

template <class T>
double Networks<T>::feature_update(int network, int l) const {
  const auto at = static_cast<std::size_t>(l);
  return distance(network, h_[at], first_h_[at - 1]);
}

template <class T>
double Networks<T>::gradient_update(int network, int l) const {
  const auto at = static_cast<std::size_t>(l);
  return distance(network, g_[at], first_g_[at - 1]);
}

template <class T>
double Networks<T>::chain_residual(int network) const {
  double largest = 0.0;
  for (int c = 0; c < outputs_; ++c) {
    const double spread = spread_of_products(g_, h_, row(network, c));
    if (std::isnan(spread)) return spread;
    largest = std::max(largest, spread);
  }
  return largest;
}

template <class T>
std::vector<double> Networks<T>::kernel_quotients(const Padded<T>& x) {
  make_room(probe_);
  for (int r = 0; r < probe_.front().rows(); ++r) std::ranges::copy(x.span(), probe_.front().row(r));
  pass_probe();
  std::vector<double> out;
  for (int k = 0; k < count(); ++k) out.push_back(kernel_quotient(k, probe_));
  return out;
}

/// The forward pass of the vectors in probe_.front().
template <class T>
void Networks<T>::pass_probe() {
  for (std::size_t l = 0; l < arrays_.size(); ++l) {
    arrays_[l]->forward(probe_[l].view(), probe_[l + 1].view());
    add_skip(l, probe_[l], probe_[l + 1]);
  }
}

// A step changes array l by eta c_l gamma0 b_l / sqrt(N_l) g^{l+1} h_u^l^T and the response to x, sqrt(D) / (gamma0
// N_L) w^L . h_x^L, by sqrt(D) / (gamma0 N_L) b_l / sqrt(N_l) g^{l+1} . dW^l h_x^l for that: in total by eta x . NTK u
// / sqrt(D), with NTK = D / N_L sum_l c_l b_l^2 |g^{l+1}|^2 / N_l h_x^l . h_u^l; the readout is array L, with 1 for
// |g|^2.

/// The factor of h_x^l . h_u^l / N_l in NTK / D.
template <class T>
double Networks<T>::kernel_share(int network, std::size_t l) const {
  const Scale& s = scales_[static_cast<std::size_t>(network)];
  if (l == arrays_.size()) return s.arrays.back().lr;
  const double branch = skips(l) ? s.branch : 1.0;
  const double growth = static_cast<double>(g_[l + 1].cols()) / g_.back().cols();
  return s.arrays[l].lr * branch * branch * growth * norm_per_entry(network, g_[l + 1]);
}

/// |x|^2 / N for the row of a network's first output.
template <class T>
double Networks<T>::norm_per_entry(int network, const PaddedRows<T>& x) const {
  const T* r = x.row(row(network, 0));
  return dot(r, r, x.view().width()) / x.cols();
}

template <class T>
double Networks<T>::kernel_quotient(int network, const Layers& h) const {
  // Squares of smaller entries are subnormal and have lost digits.
  constexpr double kSmallest = std::numeric_limits<T>::min();
  const double size = norm_per_entry(network, h.front());
  if (size < std::max(kSmallest * kSmallest, std::numeric_limits<double>::min()))
    return std::numeric_limits<double>::quiet_NaN();
  double sum = kernel_share(network, arrays_.size()) * norm_per_entry(network, h.back());
  for (std::size_t l = 0; l < arrays_.size(); ++l) sum += kernel_share(network, l) * norm_per_entry(network, h[l]);
  const double quotient = sum / size;
  return std::isnan(quotient) ? std::numeric_limits<double>::infinity() : quotient;
}

// NTK x = D sum_l kernel_share(l) / N_l J_l^T J_l x, with J_l x = h_x^l: every layer adds its term to what passes
// backward.
template <class T>
void Networks<T>::kernel_product(Rows<const T> x, Rows<T> out) {
  make_room(probe_);
  make_room(returned_);
  for (int k = 0; k < count(); ++k) std::ranges::copy(x.span(k), probe_.front().row(row(k, 0)));
  pass_probe();
  for (int r = 0; r < returned_.back().rows(); ++r) std::ranges::fill(returned_.back().span(r), T{});
  for (std::size_t l = probe_.size(); l-- > 0;) {
    if (l < arrays_.size()) {
      arrays_[l]->backward(returned_[l + 1].view(), returned_[l].view());
      add_skip(l, returned_[l + 1], returned_[l]);
    }
    for (int k = 0; k < count(); ++k) {
      const int r = row(k, 0);
      const double share = kernel_share(k, l) * probe_.front().cols() / probe_[l].cols();
      scale_and_add(returned_[l].row(r), T{1}, probe_[l].row(r), static_cast<T>(share), probe_[l].view().width());
    }
  }
  for (int k = 0; k < count(); ++k) std::ranges::copy(returned_.front().span(row(k, 0)), out.row(k));
}

/// Allocates the layers of a pass, unless that was done before.
template <class T>
void Networks<T>::make_room(Layers& layers) const {
  if (!layers.empty()) return;
  for (const PaddedRows<T>& h : h_) layers.emplace_back(h.rows(), h.cols());
}

double networks_bytes(const std::vector<int>& sizes, const Schedule& schedule, double networks, double outputs,
                      bool momentum, const Extras& extras, double scalar) {
  const double vectors = networks * outputs;
  const double probe = extras.spectrum ? 2.0 : extras.kernels ? 1.0 : 0.0;
  const double signals = 2.0 + probe;
  double sum = padded_bytes(vectors, sizes.front(), scalar) + padded_bytes(2.0 * vectors, sizes.back(), scalar);
  for (std::size_t l = 0; l < sizes.size(); ++l) {
    const double first = extras.updates && l > 0 ? 2.0 : 0.0;
    sum += padded_bytes((signals + first) * vectors, sizes[l], scalar);
    if (l + 1 < sizes.size())
      sum += weight_array_bytes(schedule, networks, sizes[l + 1], sizes[l], outputs, momentum, scalar);
  }
  if (extras.average) {
    sum += AveragedWeights<double>::bytes(sizes, networks, outputs, scalar);
    for (const int size : sizes) sum += padded_bytes(vectors, size, scalar);
  }
  const double gains = schedule.method == Method::in_place ? 0.0 : 4.0 * sizeof(double) * schedule.capacity;
  return sum + networks * gains;
}

template class Networks<double>;
template class Networks<float>;

}  // namespace lindmft::training
