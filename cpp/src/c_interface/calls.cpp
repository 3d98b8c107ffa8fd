// The computations.
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>

#include "c_interface/fields.hpp"
#include "c_interface/guard.hpp"
#include "c_interface/handles.hpp"
#include "c_interface/options.hpp"

using namespace lindmft::c_interface;

namespace {

/// compute(problem) into *result, which is null if that fails.
template <class Compute>
int computed(const lindmft_problem* problem, lindmft_result** result, Compute compute) {
  return guarded([&] {
    not_null(result, "result") = nullptr;
    *result = new lindmft_result(compute(not_null(problem, "problem").problem));
  });
}

}  // namespace

extern "C" {

int lindmft_solve(const lindmft_problem* problem, int steps, const lindmft_options* options, lindmft_result** result) {
  return computed(problem, result,
                  [&](const lindmft::Problem& p) { return lindmft::solve(p, steps, solve_options(options)); });
}

int lindmft_flow(const lindmft_problem* problem, double time, const lindmft_options* options, lindmft_result** result) {
  return computed(problem, result,
                  [&](const lindmft::Problem& p) { return lindmft::flow(p, time, flow_options(options)); });
}

int lindmft_train(const lindmft_problem* problem, int steps, int dim, const uint64_t* seeds, size_t n_seeds,
                  const lindmft_options* options, lindmft_result** result) {
  return computed(problem, result, [&](const lindmft::Problem& p) {
    lindmft::TrainOptions mine = train_options(options);
    mine.dim = dim;
    if (n_seeds != 0) static_cast<void>(not_null(seeds, "seeds"));
    if (n_seeds > static_cast<std::size_t>(std::numeric_limits<int>::max()))
      refuse("n_seeds", "less than 2^31", std::to_string(n_seeds));
    mine.seeds.assign(seeds, seeds + n_seeds);
    return lindmft::train(p, steps, mine);
  });
}
}
