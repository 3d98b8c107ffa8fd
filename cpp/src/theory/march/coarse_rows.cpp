#include "theory/march/coarse_rows.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include "theory/march/condensation.hpp"

namespace lindmft::theory {
namespace {

/// out = x m
void combine(double* out, const double* x, const Matrix& m) {
  std::fill_n(out, m.cols(), 0.0);
  for (int k = 0; k < m.rows(); ++k) {
    const double* row = m.row(k);
    for (int c = 0; c < m.cols(); ++c) out[c] += x[k] * row[c];
  }
}

}  // namespace

CoarseRows::CoarseRows(const CondensedSteps& grid, NetworkSide& network, DataSide& data)
    : grid_(grid), network_(network), data_(data) {
  const StateVisitor visitor{
      [&](const std::string& /*name*/, Matrix& m) {
        if (!m.empty()) functions_.push_back({&m});
      },
      [&](const std::string& /*name*/, std::vector<double>& /*x*/) { lines_.push_back({true}); },
      [&](const std::string& /*name*/, std::vector<double>& /*x*/) { lines_.push_back({false}); }};
  network.visit(visitor);
  data.visit(visitor);
}

/// Calls f(line, its values) for all functions of one time, which some sides make for the visit. changed: the rows of
/// functions that have been changed, and of which f changes values
template <class F>
void CoarseRows::for_each_line(Panel changed, F&& f) {
  std::size_t i = 0;
  const auto next = [&](const std::string& /*name*/, std::vector<double>& x) { f(lines_[i++], x); };
  const StateVisitor visitor{[](const std::string& /*name*/, Matrix& /*m*/) {}, next, next, changed};
  network_.visit(visitor);
  data_.visit(visitor);
}

CoarseRows::Evaluation CoarseRows::evaluation(double time) const {
  Evaluation out;
  out.node = grid_.evaluation(time, out.coefficients);
  return out;
}

void CoarseRows::begin(const CoarseBlock& block) {
  block_ = &block;
  const int first = grid_.committed_nodes();
  const int p = block.order();
  earlier_.clear();
  for (int j = 1; j <= CoarseBlock::kHistory; ++j)
    earlier_.push_back(evaluation(grid_.done() - j * block.history_stride()));
  for (Function& f : functions_) {
    measure(f);
    f.history = Matrix(p, first);
    f.lower = Matrix(p, p);
    f.diagonal.assign(static_cast<std::size_t>(p), (*f.m)(first, first));
    for (int m = 0; m < p; ++m) std::copy_n(f.m->row(first), first, f.history.row(m));
  }
  for (int m = 0; m < p; ++m) {
    for (int c = 0; c < p; ++c) {
      const double lag = block.step(m) * (1.0 - block.positions()[static_cast<std::size_t>(c)]) + 0.5;
      const Evaluation at = evaluation(grid_.done() - lag);
      for (Function& f : functions_) f.lower(m, c) = at.of(f.m->row(first));
    }
  }
  for_each_line({first, first}, [&](Line& line, const std::vector<double>& x) {
    line.at.assign(static_cast<std::size_t>(p), x[static_cast<std::size_t>(first)]);
  });
}

double CoarseRows::roughness() const {
  const int p = block_->order();
  const int begin = grid_.done() - block_->length();
  std::vector<Evaluation> nodes;
  for (int m = 0; m < p; ++m) nodes.push_back(evaluation(begin + block_->step(m)));
  double worst = 0.0;
  for (const int step : {0, block_->length() - 1}) {
    const std::vector<double> l = block_->at(step);
    const Evaluation at = evaluation(begin + step);
    for (const Function& f : functions_) {
      const double* row = f.m->row(grid_.committed_nodes());
      double missed = at.of(row);
      for (int m = 0; m < p; ++m) missed -= l[static_cast<std::size_t>(m)] * nodes[static_cast<std::size_t>(m)].of(row);
      if (missed != 0.0) worst = std::max(worst, std::abs(missed) / f.size);
    }
  }
  return worst;
}

/// Notes from the row after the committed ones whether a function is symmetric, and its size: the row's largest value,
/// or its mean over as many steps as the segment has if that is smaller.
void CoarseRows::measure(Function& f) const {
  const int row = grid_.committed_nodes();
  f.symmetric = false;
  double largest = std::abs((*f.m)(row, row));
  double sum = largest;
  for (int s = 0; s < row; ++s) {
    f.symmetric = f.symmetric || (*f.m)(s, row) != 0.0;
    const double unit = grid_.unit()[static_cast<std::size_t>(s)];
    const double size = std::abs((*f.m)(row, s));
    largest = std::max(largest, size / unit);
    sum += size * unit;
  }
  f.size = std::min(largest, sum / block_->length());
}

void CoarseRows::place(const CoarsePart* part) {
  const int first = grid_.committed_nodes();
  const int q = part == nullptr ? 0 : part->basis.size();
  const int row = first + q;
  for (const Function& f : functions_) {
    for (int j = first; j <= row; ++j) std::fill_n(f.m->row(j), row + 1, 0.0);
    if (part != nullptr) {
      place(f, *part);
    } else {
      for (int s = 0; s < first; ++s) (*f.m)(s, row) = 0.0;
    }
  }
  for_each_line({first, row + 1}, [&](const Line& line, std::vector<double>& x) {
    x[static_cast<std::size_t>(row)] = 0.0;
    for (int a = 0; a < q; ++a)
      x[static_cast<std::size_t>(first + a)] =
          linalg::dot((line.coefficients ? part->from_nodes : part->values).row(a), line.at.data(), block_->order());
  });
}

void CoarseRows::place(const Function& f, const CoarsePart& part) const {
  const int first = grid_.committed_nodes();
  const int q = part.basis.size();
  Matrix& m = *f.m;
  for (int a = 0; a < q; ++a) {
    double* row = m.row(first + a);
    for (int k = 0; k < block_->order(); ++k) {
      const double weight = part.from_nodes(a, k);
      const double* from = f.history.row(k);
      for (int s = 0; s < first; ++s) row[s] += weight * from[s];
    }
  }
  place_block(f, part);
  if (!f.symmetric) return;
  for (int s = 0; s < first; ++s) {
    for (int a = 0; a < q; ++a) m(s, first + a) = m(first + a, s);
  }
}

/// The part's own rows and columns: what is below the diagonal, its transpose if the function is symmetric, and the
/// diagonal.
void CoarseRows::place_block(const Function& f, const CoarsePart& part) const {
  const int first = grid_.committed_nodes();
  const int q = part.basis.size();
  Matrix& m = *f.m;
  std::array<double, kMostSegmentNodes> lower{};
  std::array<double, kMostSegmentNodes> acted{};
  for (int g = 0; g < part.rows.rows(); ++g) {
    combine(lower.data(), part.rows.row(g), f.lower);
    combine(acted.data(), lower.data(), part.action[static_cast<std::size_t>(g)]);
    for (int a = 0; a < q; ++a) {
      double* row = m.row(first + a) + first;
      const double weight = part.project(a, g);
      for (int b = 0; b < q; ++b) row[b] += weight * acted[static_cast<std::size_t>(b)];
    }
  }
  for (int a = 0; a < q && f.symmetric; ++a) {
    for (int b = 0; b <= a; ++b) {
      const double sum = m(first + a, first + b) + m(first + b, first + a);
      m(first + a, first + b) = sum;
      m(first + b, first + a) = sum;
    }
  }
  for (int a = 0; a < q; ++a) {
    for (int b = 0; b < q; ++b)
      m(first + a, first + b) += linalg::dot(part.diagonal.row(a * q + b), f.diagonal.data(), block_->order());
  }
}

/// The value of a row below the diagonal at position c.
double CoarseRows::lower(const CoarsePart& part, const double* row, int c) const {
  double value = linalg::dot(part.decode.row(c), row + grid_.committed_nodes(), part.basis.size());
  for (int j = 0; j < part.decode_history.cols(); ++j)
    value += part.decode_history(c, j) * earlier_[static_cast<std::size_t>(j)].of(row);
  return value;
}

double CoarseRows::read(int m) {
  const CoarsePart& part = block_->part(m);
  const int first = grid_.committed_nodes();
  const int row = first + part.basis.size();
  const auto node = static_cast<std::size_t>(m);
  double worst = 0.0;
  for (Function& f : functions_) {
    double change = 0.0;
    const auto set = [&](double& to, double value, double unit) {
      change = std::max(change, std::abs(value - to) / unit);
      to = value;
    };
    const double* from = f.m->row(row);
    double* history = f.history.row(m);
    for (int s = 0; s < first; ++s) set(history[s], from[s], grid_.unit()[static_cast<std::size_t>(s)]);
    for (int c = 0; c < block_->order(); ++c) set(f.lower(m, c), lower(part, from, c), 1.0);
    set(f.diagonal[node], from[row], 1.0);
    if (change > 0.0) worst = std::max(worst, change / f.size);
  }
  for_each_line({row + 1, row + 1},
                [&](Line& line, const std::vector<double>& x) { line.at[node] = x[static_cast<std::size_t>(row)]; });
  return worst;
}

double CoarseRows::error(int time, const CoarsePart* part) const {
  const int first = grid_.committed_nodes();
  const int row = first + (part == nullptr ? 0 : part->basis.size());
  const int p = block_->order();
  const std::vector<double> l = block_->at(time);
  std::vector<double> values(static_cast<std::size_t>(first));
  std::array<double, kMostSegmentNodes> below{};
  double worst = 0.0;
  for (const Function& f : functions_) {
    const double* computed = f.m->row(row);
    combine(values.data(), l.data(), f.history);
    double off = std::abs(linalg::dot(l.data(), f.diagonal.data(), p) - computed[row]);
    for (std::size_t s = 0; s < values.size(); ++s)
      off = std::max(off, std::abs(values[s] - computed[s]) / grid_.unit()[s]);
    if (part != nullptr) combine(below.data(), l.data(), f.lower);
    for (int c = 0; c < p && part != nullptr; ++c)
      off = std::max(off, std::abs(below[static_cast<std::size_t>(c)] - lower(*part, computed, c)));
    if (off > 0.0) worst = std::max(worst, off / f.size);
  }
  return worst;
}

}  // namespace lindmft::theory
