"""Cutting a grid of points into blocks: rectangles, each about a second of work.

A block is stored as one chunk of every array; ``chunk`` is its number of points along every axis.
Costs are estimated from counted operations and never measured. Blocks must be the same on every
machine, because networks that share products share them within their block.
"""

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence

from lindmft._internal.cost import likely_depth
from lindmft.problem.network import widths
from lindmft.problem.problem import Problem
from lindmft.problem.sizes import amount

SECONDS = 1.0
"""Target upper bound on the seconds of work in a block of several points."""
BLOCKS = 16
"""Minimum number of blocks in a small sweep, unless blocks would fall below ``LEAST_SECONDS``."""
LEAST_SECONDS = 0.1
"""Seconds of work below which blocks are not divided further."""
MEMBERS = 32
"""Minimum number of networks with shared weights in a block, so that products run at full speed."""
SHARING = (
    "optimizer",
    "network.gamma0",
    "network.parameterization",
    "network.init_scale",
    "network.centered",
    "network.zero_readout",
    "network.branch",
    "network.branch_scaling",
    "data.noise",
)
"""Paths in which networks with the same initial weights and inputs may differ."""


def blocks(lengths: Sequence[int], chunk: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """Return the indices of all blocks, the last axis fastest."""
    counts = (math.ceil(n / size) for n, size in zip(lengths, chunk, strict=True))
    return itertools.product(*map(range, counts))


def region(block: Sequence[int], lengths: Sequence[int], chunk: Sequence[int]) -> tuple[slice, ...]:
    """Return the points of a block along every axis."""
    return tuple(
        slice(i * size, min((i + 1) * size, n))
        for i, n, size in zip(block, lengths, chunk, strict=True)
    )


def theory_chunk(lengths: Sequence[int], seconds: float) -> tuple[int, ...]:
    """Return the chunk for points of the theory that take ``seconds`` each."""
    return _chunk(lengths, reversed(range(len(lengths))), _wanted(lengths, seconds))


def training_chunk(
    lengths: Sequence[int], seconds: float, sharing: Sequence[bool]
) -> tuple[int, ...]:
    """Return the chunk for training: it grows first along axes on which networks share weights."""
    order = sorted(range(len(lengths)), key=lambda i: (not sharing[i], -i))
    return _chunk(lengths, order, max(_wanted(lengths, seconds), MEMBERS))


def shares(paths: Iterable[str]) -> bool:
    """Whether networks that differ only in these paths have the same weights and inputs."""
    return all(any(f"{path}.".startswith(f"{start}.") for start in SHARING) for path in paths)


def theory_seconds(problem: Problem, steps: float, grid: str) -> float:
    """Estimate the seconds of one solve on one thread: n^3 operations a layer on an exact grid."""
    layers = likely_depth(float(problem.network.depth)) + 1
    if grid == "exact":
        return 1e-4 + 7e-10 * layers * min(steps, 1e6) ** 3
    return 0.03 * layers


def training_seconds(problem: Problem, steps: int, dim: int, networks: int) -> float:
    """Estimate the seconds of training: weights drawn, and two products with each array a step."""
    network, data = problem.network, problem.data
    scale = dim if network.hidden is None else 1  # else sizes are counts, not multiples of dim
    units = scale * max(widths(network))
    samples = scale * amount(data)
    weights = units * dim + (float(network.depth) - 1) * units**2 + dim * samples
    return networks * weights * (1e-8 + 4e-10 * steps)


def _wanted(lengths: Sequence[int], seconds: float) -> int:
    """Return the number of points that a block should have."""
    total = seconds * math.prod(lengths)
    target = min(SECONDS, max(LEAST_SECONDS, total / BLOCKS))
    return max(1, int(target / max(seconds, 1e-9)))


def _chunk(lengths: Sequence[int], order: Iterable[int], points: int) -> tuple[int, ...]:
    """Return a chunk of about ``points`` points: whole along one axis before the next one grows."""
    chunk = [1] * len(lengths)
    for i in order:
        pieces = math.ceil(lengths[i] / points)
        chunk[i] = math.ceil(lengths[i] / pieces)  # blocks of nearly equal size
        if pieces > 1:
            break
        points = max(1, points // lengths[i])
    return tuple(chunk)
