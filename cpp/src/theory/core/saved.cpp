#include "theory/core/saved.hpp"

#include <algorithm>
#include <functional>
#include <type_traits>
#include <utility>

#include "lindmft/solve.hpp"
#include "support/refusals.hpp"

namespace lindmft::theory {
namespace {

struct Function {
  std::string name;
  bool layered;  // a matrix for each layer
};

const std::vector<Function>& functions() {
  static const std::vector<Function> all = [] {
    std::vector<Function> found;
    const TwoTimeFunctions none;
    TwoTimeFunctions::for_each(
        [&]<class Values>(const char* name, const Values& /*values*/) {
          found.push_back({name, std::is_same_v<Values, std::vector<Matrix>>});
        },
        none);
    return found;
  }();
  return all;
}

}  // namespace

Saved::Saved(const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    if (name == "all") {
      names_.clear();
      for (const Function& function : functions()) names_.push_back(function.name);
      continue;
    }
    if (std::ranges::find(functions(), name, &Function::name) == functions().end()) {
      std::string allowed = "'all'";
      for (const Function& function : functions()) allowed += ", '" + function.name + "'";
      support::refuse("save", "among " + allowed, "'" + name + "'");
    }
    names_.push_back(name);
  }
}

bool Saved::has(std::string_view name) const { return std::find(names_.begin(), names_.end(), name) != names_.end(); }

double Saved::bytes(double layers, int n) const {
  double count = 0.0;
  for (const std::string& name : names_)
    count += std::ranges::find(functions(), name, &Function::name)->layered ? layers + 1.0 : 1.0;
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
