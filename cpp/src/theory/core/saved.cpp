#include "theory/core/saved.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <utility>

#include "support/refusals.hpp"

namespace lindmft::theory {
namespace {

constexpr std::array<const char*, 7> kFunctions{"C_h", "C_g", "R_hr", "R_gu", "C_v", "C_delta", "R_delta"};

}  // namespace

Saved::Saved(const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    if (name == "all") {
      names_.assign(kFunctions.begin(), kFunctions.end());
      continue;
    }
    if (std::find(kFunctions.begin(), kFunctions.end(), name) == kFunctions.end()) {
      std::string allowed = "'all'";
      for (const char* function : kFunctions) allowed += std::string(", '") + function + "'";
      support::refuse("save", "among " + allowed, "'" + name + "'");
    }
    names_.push_back(name);
  }
}

bool Saved::has(std::string_view name) const { return std::find(names_.begin(), names_.end(), name) != names_.end(); }

double Saved::bytes(double layers, int n) const {
  double count = 0.0;
  for (const std::string& name : names_) {
    const bool layered = name == "C_h" || name == "C_g" || name == "R_hr" || name == "R_gu";
    count += layered ? layers + 1.0 : 1.0;
  }
  return 8.0 * count * n * n;
}

Matrix Saved::take(Matrix& m, double scale) const {
  Matrix out = m.rows() == valid_ && !keep_ ? std::move(m) : Matrix(valid_, valid_);
  for (int i = 0; i < valid_; ++i) {
    if (!m.empty()) std::copy_n(m.row(i), valid_, out.row(i));
    if (scale != 1.0) std::transform(out.row(i), out.row(i) + valid_, out.row(i), [&](double x) { return scale * x; });
  }
  return out;
}

Matrix Saved::take(Matrix& m, double scale, const std::vector<double>& columns) const {
  Matrix out = take(m, scale);
  for (int i = 0; i < valid_; ++i)
    std::transform(out.row(i), out.row(i) + valid_, columns.begin(), out.row(i), std::multiplies<>());
  return out;
}

}  // namespace lindmft::theory
