// Several outputs. Independent channels are solved one after the other and added up; outputs that share modes are
// solved together, as a single channel.
#pragma once

#include <cstddef>
#include <vector>

#include "lindmft/solve.hpp"
#include "theory/horizon.hpp"

namespace lindmft::theory {

/// Whether outputs share modes (theory.md section 16): their targets are given mode by mode.
[[nodiscard]] bool share_modes(const Data& data);

/// The norms of the channels: a single 1 for outputs that share modes.
[[nodiscard]] std::vector<double> channel_norms(const Data& data);

/// The problem of one channel: a single output whose target is that of the spectrum, times a norm; or outputs that
/// share modes, with their targets by mode.
[[nodiscard]] Problem channel_problem(const Problem& problem, double norm);

/// The number of channels that are solved: channels of equal norms count once.
[[nodiscard]] std::size_t distinct_targets(const Problem& problem);

/// Solves every channel (theory.md section 8) and adds them up.
[[nodiscard]] Solution solve_outputs(const Problem& problem, const Horizon& horizon, const SolveOptions& options);

}  // namespace lindmft::theory
