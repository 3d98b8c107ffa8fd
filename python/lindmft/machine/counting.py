"""Work of training counted from its sizes: operations, and bytes that must come from memory.

A step takes two products with each array: backward and forward with the weights, errors and
gradient with the samples (theory sections 2 and 11). Additions and multiplications count one each.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise

from lindmft.results.statistics import TrainStats

DOUBLE = 8


def weights(dim: int, widths: Sequence[int]) -> int:
    """Entries of the weight arrays that are matrices: sum of N_l N_{l+1}, N_0 = D."""
    return sum(a * b for a, b in pairwise((dim, *widths)))


def step_operations(dim: int, widths: Sequence[int], samples: int) -> float:
    """Of one step of one network, but for the update: 4 (P D + sum N_l N_{l+1})."""
    return 4.0 * (samples * dim + weights(dim, widths))


def factored_operations(dim: int, widths: Sequence[int], samples: int, steps: int) -> float:
    """Of ``steps`` steps with the initial weights and the factors of all updates since.

    The update of step s is g h^T: a later product with W(t) takes 2 (N_l + N_{l+1}) operations for
    each s < t.
    """
    ends = sum(a + b for a, b in pairwise((dim, *widths)))
    pairs = steps * (steps - 1) / 2
    return steps * step_operations(dim, widths, samples) + 4.0 * ends * pairs


def updated_operations(dim: int, widths: Sequence[int], samples: int, steps: int) -> float:
    """Of ``steps`` steps that add each update to the weights."""
    return steps * (step_operations(dim, widths, samples) + 2.0 * weights(dim, widths))


def least_operations(dim: int, widths: Sequence[int], samples: int, steps: int) -> float:
    """Of the way that counts fewer."""
    size = (dim, widths, samples, steps)
    return min(factored_operations(*size), updated_operations(*size))


def counted_operations(stats: Iterable[TrainStats], least: float) -> float:
    """As training itself counts them; ``least`` in a version that does not."""
    return sum(getattr(each, "operations", 0.0) for each in stats) or least


def counted_bytes(stats: Iterable[TrainStats], least: float) -> float:
    """As training itself counts them; ``least`` in a version that does not."""
    return sum(getattr(each, "bytes_moved", 0.0) for each in stats) or least


def method(stats: TrainStats) -> str:
    """How training kept the weights; in place in a version that does not say."""
    return str(getattr(stats, "method", "in_place"))


def step_bytes(dim: int, widths: Sequence[int], samples: int) -> float:
    """To and from memory in one step, updates in place, of a network that no cache holds.

    Weights are read once backward, and read and written once forward with the update; samples are
    read once, for errors and gradient together.
    """
    return DOUBLE * (3.0 * weights(dim, widths) + samples * dim)
