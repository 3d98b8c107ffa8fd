// The description of every option: its name, its meaning, its allowed values, and the calls that know it. The options
// themselves are the members of SolveOptions and TrainOptions, each of which lists its own once, in for_each(). The C
// interface, the Python classes, the checks of values and the messages follow from these lists.
#pragma once

#include <limits>

namespace lindmft {

/// The calls, as bits.
enum Calls : unsigned {
  kSolve = 1,
  kFlow = 2,
  kSolveMany = 4,
  kFlowMany = 8,
  kTrain = 16,
  kTrainMany = 32,
  kTrainReplicas = 64,
  kInC = 128,  ///< the C interface sets it by name
  kTheory = kSolve | kFlow | kSolveMany | kFlowMany,
  kTraining = kTrain | kTrainMany | kTrainReplicas
};

/// One option. A number is allowed between `least` and `most`; where 0 stands for a default, 0 is allowed as well.
struct Option {
  const char* name;
  unsigned calls;            ///< those that know it: a sum of Calls
  const char* meaning;       ///< in one sentence
  const char* allowed = "";  ///< of numbers, the end of the sentence "NAME must be"
  double least = -std::numeric_limits<double>::infinity();
  double most = std::numeric_limits<double>::infinity();
  const char* zero = "";  ///< what 0 stands for, if for a default

  /// False for NaN.
  [[nodiscard]] bool allows(double value) const {
    return (value >= least && value <= most) || (value == 0.0 && *zero != '\0');
  }
};

/// A value of an enumeration, and the word that users write for it.
template <class Value>
struct Word {
  const char* word;
  Value value;
};

/// Options that several kinds of calls know.
constexpr Option option_of_threads(unsigned calls) {
  return {"threads",
          calls | kInC,
          "Threads to use; the result does not depend on it.",
          "a whole number from 1 to 4096",
          1.0,
          4096.0,
          "the default"};
}
constexpr Option option_of_memory(unsigned calls) {
  return {"memory_limit",
          calls | kInC,
          "Bytes that the call may take.",
          "a positive number of bytes",
          std::numeric_limits<double>::denorm_min(),
          std::numeric_limits<double>::infinity(),
          "four fifths of the free memory"};
}

constexpr Option option_of_lanczos(unsigned calls, const char* allowed, double most) {
  return {"lanczos", calls, "Steps of Lanczos' method for the spectrum.", allowed, 2.0, most};
}

}  // namespace lindmft
