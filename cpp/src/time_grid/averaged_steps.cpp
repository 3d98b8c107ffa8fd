#include "time_grid/averaged_steps.hpp"

namespace lindmft {

void AveragedSteps::next() {
  const double share = shares_[static_cast<std::size_t>(time_)];
  row_.resize(static_cast<std::size_t>(time_));
  K_.resize(row_.size());
  double decay = 0.0;
  propagator_.next(row_.data(), decay);
  for (std::size_t s = 0; s < row_.size(); ++s) K_[s] += share * (row_[s] - K_[s]);
  decay_ += share * (decay - decay_);
  ++time_;
}

}  // namespace lindmft
