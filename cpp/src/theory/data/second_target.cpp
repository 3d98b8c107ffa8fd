#include "theory/data/second_target.hpp"

#include <array>
#include <cmath>
#include <numeric>

namespace lindmft::theory {

RowClasses::RowClasses(const Data& data) : RowClasses(lindmft::outputs(data)) {
  if (!has_second_target(data)) return;
  constexpr int kLast = std::numeric_limits<int>::max() - 1;
  switch_row = data.switch_at > kLast / outputs ? kLast : data.switch_at * outputs;
}

int staged_modes(const Data& data) {
  const auto modes = static_cast<int>(data.spectrum.eigenvalues.size());
  return has_second_target(data) && std::abs(data.switch_overlap) < 1.0 ? 2 * modes : modes;
}

Spectrum staged(const Data& data) {
  const Spectrum& given = data.spectrum;
  if (!has_second_target(data)) return given;
  Spectrum out;
  out.trace_class = given.trace_class;
  out.eigenvalues.clear();
  out.target_power.clear();
  out.weights.clear();
  const auto count = static_cast<std::size_t>(outputs(data));
  for (const double sign : std::array{1.0, -1.0}) {
    const double fraction = 0.5 * (1.0 + sign * data.switch_overlap);
    for (std::size_t k = 0; k < given.eigenvalues.size() && fraction > 0.0; ++k) {
      const std::vector<double> first =
          given.targets.empty() ? std::vector{std::sqrt(given.target_power[k])}
                                : std::vector(given.targets.begin() + static_cast<std::ptrdiff_t>(k * count),
                                              given.targets.begin() + static_cast<std::ptrdiff_t>((k + 1) * count));
      out.eigenvalues.push_back(given.eigenvalues[k]);
      out.weights.push_back(fraction * given.weights[k]);
      out.target_power.push_back(given.target_power[k]);
      for (const double w : first) out.targets.push_back(w);
      for (const double w : first) out.targets.push_back(sign * data.switch_strength * w);
    }
  }
  return out;
}

}  // namespace lindmft::theory
