// How the weights of a run are kept and multiplied, chosen by a model of what each way costs.
#pragma once

#include <string>
#include <vector>

#include "lindmft/train.hpp"

namespace lindmft::training {

using Method = TrainMethod;

[[nodiscard]] std::string name(Method method);

struct Schedule {
  Method method = Method::in_place;
  int capacity = 0;    ///< steps for which there is room among the factors
  bool folds = false;  ///< factors are folded into the weights when there is no room left
};

/// What the cost of a run depends on.
struct Shape {
  std::vector<int> sizes;  ///< D, N_1 .. N_L
  int samples;             ///< that a step reads
  int networks;            ///< with the same initial weights
  int outputs;
  int steps;
  bool momentum;
  double scalar;  ///< bytes of a number
};

/// Counted operations, and bytes that a run moves if no array stays in a cache from one pass to the next. Vectors, and
/// the drawing of random numbers, are not counted.
struct Work {
  double operations = 0.0;
  double bytes = 0.0;
};

[[nodiscard]] Work work(const Shape& shape, const Schedule& schedule);

/// The schedule of a method, and the one that should take the least time.
[[nodiscard]] Schedule schedule_of(const Shape& shape, Method method);
[[nodiscard]] Schedule choose(const Shape& shape);

}  // namespace lindmft::training
