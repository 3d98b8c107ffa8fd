// Divides work into parts for several threads. The division never depends on the number of threads where it could
// change a sum.
#pragma once

#include <algorithm>
#include <cstddef>

#include "support/interruption.hpp"

namespace lindmft::training {

/// Calls part(i) once for every i < parts. An exception in one part also ends the others.
template <class Part>
void for_each_part(int parts, int threads, Part part) {
#ifdef _OPENMP
  if (threads > 1 && parts > 1) {
    support::SharedWork shared;
#pragma omp parallel for schedule(static) num_threads(std::min(threads, parts))
    for (int i = 0; i < parts; ++i) shared.run([&] { part(i); });
    shared.rethrow();
    return;
  }
#else
  static_cast<void>(threads);
#endif
  // A parallel region, even one of a single thread, would take longer than a step of a small network.
  for (int i = 0; i < parts; ++i) part(i);
}

/// The indices first .. first + count - 1.
struct Interval {
  int first;
  int count;
};

/// Part `i` of `parts` of [0, size), in whole units except at the end.
inline Interval interval(int size, int parts, int unit, int i) {
  const int units = (size + unit - 1) / unit;
  const auto edge = [&](int k) {
    return static_cast<int>(std::min<std::ptrdiff_t>(size, static_cast<std::ptrdiff_t>(units) * k / parts * unit));
  };
  return {edge(i), edge(i + 1) - edge(i)};
}

/// The largest number of parts of at least `least` in `size`, but at least 1 and at most `most`.
inline int parts_of(double size, double least, int most) {
  return static_cast<int>(std::clamp(size / least, 1.0, static_cast<double>(most)));
}

}  // namespace lindmft::training
