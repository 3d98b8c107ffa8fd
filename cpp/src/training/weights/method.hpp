// The methods of storing and multiplying the weights of a run, and a model of their cost that chooses one.
#pragma once

#include <string>
#include <vector>

#include "lindmft/train.hpp"

namespace lindmft::training {

using Method = TrainMethod;

/// The name of a method in the public interface.
[[nodiscard]] std::string name(Method method);

/// A method with its parameters.
struct Schedule {
  Method method = Method::in_place;
  int capacity = 0;    ///< largest number of steps that are stored as factors
  bool folds = false;  ///< whether factors are folded into the weights when `capacity` is reached
};

/// The sizes on which the cost of a run depends.
struct Shape {
  std::vector<int> sizes;  ///< D, N_1 .. N_L
  int samples;             ///< number of samples that a step reads
  int networks;            ///< number of networks with the same initial weights
  int outputs;
  int steps;
  bool momentum;
  double scalar;  ///< bytes of one number
};

/// Number of operations of a run, and of bytes that it moves if no array stays in a cache between passes. Vectors and
/// the drawing of random numbers are not counted.
struct Work {
  double operations = 0.0;
  double bytes = 0.0;
};

/// The work of a run with this schedule.
[[nodiscard]] Work work(const Shape& shape, const Schedule& schedule);

/// The schedule of a method.
[[nodiscard]] Schedule schedule_of(const Shape& shape, Method method);
/// The schedule that should take the least time.
[[nodiscard]] Schedule choose(const Shape& shape);

}  // namespace lindmft::training
