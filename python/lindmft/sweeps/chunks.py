"""Cutting a grid of points into blocks: rectangles, each about a second of work.

The guesses of cost are by counted operations and never by measurement: blocks must be the same
wherever and whenever a sweep is started, as trained networks that share products do so by block.
"""

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence

from lindmft.problem.network import widths
from lindmft.problem.problem import Problem

SECONDS = 1.0
"""Of work a block at most, where it has several points."""
BLOCKS = 16
"""That a small sweep has at least, if a block then still takes ``LEAST_SECONDS``."""
LEAST_SECONDS = 0.1
MEMBERS = 32
"""Networks with the same weights that a block has at least: then products run at full speed."""
SHARING = (
    "optimizer",
    "network.gamma0",
    "network.parameterization",
    "network.init_scale",
    "network.centered",
    "network.branch",
    "network.branch_scaling",
    "data.noise",
)
"""What networks with the same initial weights and inputs may differ in."""
LIKELY_NODES = 16


def blocks(lengths: Sequence[int], tile: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """Their positions, the last axis fastest."""
    return itertools.product(*(range(math.ceil(n / t)) for n, t in zip(lengths, tile, strict=True)))


def region(block: Sequence[int], lengths: Sequence[int], tile: Sequence[int]) -> tuple[slice, ...]:
    """The points of a block along every axis."""
    return tuple(
        slice(b * t, min((b + 1) * t, n)) for b, n, t in zip(block, lengths, tile, strict=True)
    )


def theory_tile(lengths: Sequence[int], seconds: float) -> tuple[int, ...]:
    """Of points that take so many seconds each."""
    return _tile(lengths, reversed(range(len(lengths))), _wanted(lengths, seconds))


def training_tile(
    lengths: Sequence[int], seconds: float, sharing: Sequence[bool]
) -> tuple[int, ...]:
    """The same, along axes on which networks share their weights first."""
    order = sorted(range(len(lengths)), key=lambda i: (not sharing[i], -i))
    return _tile(lengths, order, max(_wanted(lengths, seconds), MEMBERS))


def shares(paths: Iterable[str]) -> bool:
    """Whether networks that differ in these alone have the same weights and inputs."""
    return all(any(f"{path}.".startswith(f"{start}.") for start in SHARING) for path in paths)


def theory_seconds(problem: Problem, steps: float, grid: str) -> float:
    """On one thread: n^3 for every layer on an exact grid, fractions of a second on others."""
    depth = float(problem.network.depth)
    layers = (depth if math.isfinite(depth) else LIKELY_NODES) + 1
    if grid == "exact":
        return 1e-4 + 7e-10 * layers * min(steps, 1e6) ** 3
    return 0.03 * layers


def training_seconds(problem: Problem, steps: int, dim: int, networks: int) -> float:
    """On one thread: drawing the weights, and two products with each array a step."""
    network, data = problem.network, problem.data
    scale = dim if network.hidden is None else 1  # else sizes are counts, not multiples of dim
    units = scale * max(widths(network))
    counts = (getattr(data, name, None) for name in ("alpha", "samples", "batch"))
    samples = scale * next((count for count in counts if count is not None), 1.0)
    weights = units * dim + (float(network.depth) - 1) * units**2 + dim * samples
    return networks * weights * (1e-8 + 4e-10 * steps)


def _wanted(lengths: Sequence[int], seconds: float) -> int:
    """Points a block."""
    total = seconds * math.prod(lengths)
    target = min(SECONDS, max(LEAST_SECONDS, total / BLOCKS))
    return max(1, int(target / max(seconds, 1e-9)))


def _tile(lengths: Sequence[int], order: Iterable[int], points: int) -> tuple[int, ...]:
    """About so many points, whole along one axis before it grows along the next."""
    tile = [1] * len(lengths)
    for i in order:
        pieces = math.ceil(lengths[i] / points)
        tile[i] = math.ceil(lengths[i] / pieces)  # of nearly equal size
        if pieces > 1:
            break
        points = max(1, points // lengths[i])
    return tuple(tile)
