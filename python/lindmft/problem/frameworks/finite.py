"""Finite sizes, batches and learning rates of the loop that solves a problem."""

import math
from typing import Any

import numpy as np

from lindmft._internal.validation import refuse
from lindmft.problem.data import Data, Epochs, MultiPass, OnePass
from lindmft.problem.frameworks.layers import Sizes
from lindmft.problem.network import widths
from lindmft.problem.optimizer import SGD
from lindmft.problem.problem import Problem

__all__ = ["batches_of", "rate_and_schedule", "samples_of", "sizes_of"]


def sizes_of(problem: Problem, inputs: int) -> Sizes:
    """Return the sizes of networks with D inputs, rounded as in ``train``."""
    network, trace_class = problem.network, problem.data.spectrum.trace_class
    if network.depth == math.inf:
        refuse("network.depth", "finite in a training loop", network.depth)
    units = np.broadcast_to(widths(network), int(network.depth))
    if not np.isfinite(units).all():
        name = "network.width" if network.hidden is None else "network.hidden"
        refuse(name, "finite in a training loop", math.inf)
    if network.gamma0 == 0:
        refuse("network.gamma0", "positive in a training loop (0 is a limit)", network.gamma0)
    unit = 1 if trace_class else inputs
    return Sizes(inputs, tuple(_rounded(nu * unit) for nu in units.tolist()), trace_class)


def batches_of(data: Data, sizes: Sizes, order: str) -> tuple[int | None, int | None, str]:
    """Return the numbers of samples and of those in a batch, and the order of batches.

    ``order`` is that of random batches.
    """
    amount = _amount(data) * sizes.unit
    if not math.isfinite(amount):
        allowed = "a kind of data with finitely many samples (OnePass has large batches)"
        refuse("data", allowed, data)
    if isinstance(data, OnePass):
        return None, _rounded(amount), "shuffled"
    if isinstance(data, Epochs):
        batch = _rounded(amount / (data.batches or 1))
        return batch * (data.batches or 1), batch, "shuffled"
    samples = _rounded(amount)
    if isinstance(data, MultiPass):
        return samples, _random_batch(data.batch_fraction, samples, order), order
    return samples, None, "shuffled"


def samples_of(data: Data, sizes: Sizes) -> int:
    """Return the number of samples, or that in a fresh batch; 0 of the population."""
    amount = _amount(data) * sizes.unit
    return _rounded(amount) if math.isfinite(amount) else 0


def rate_and_schedule(optimizer: SGD) -> tuple[float, tuple[float, ...] | None]:
    """Return the largest learning rate, and the factors of it in every step."""
    if not isinstance(optimizer.lr, tuple):
        return float(optimizer.lr), None  # type: ignore[arg-type]  # a number, once it is checked
    largest = max(optimizer.lr)
    if largest == 0:
        refuse("optimizer.lr", "positive in some step", optimizer.lr)
    return largest, tuple(lr / largest for lr in optimizer.lr)


def _random_batch(fraction: float, samples: int, order: str) -> int:
    """Return the batch whose gradients have the variance of a random fraction of the samples."""
    if order == "subsets":
        return _rounded(fraction * samples)
    if fraction == 1:
        refuse("data.batch_fraction", "below 1 in batches with replacement", fraction)
    return _rounded(samples * fraction / (1 - fraction))


def _amount(data: Any) -> float:
    """Return the ratio or number of samples, or that in a batch."""
    names = ("alpha", "samples", "batch")
    found = [value for name in names if (value := getattr(data, name, None)) is not None]
    return float(found[0]) if found else math.inf


def _rounded(size: float) -> int:
    return max(1, round(size))
