"""Advice on exact solves that take too much memory or time."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from lindmft.problem.problem import Problem

EXACT_ONLY = "epochs"
"""The kind of data that adaptive grids cannot solve."""
MANY_STEPS = 2000
"""Steps from which a coarse grid has far fewer nodes."""
ADVICE = 'grid="adaptive" solves as many steps on a few hundred nodes'


def coarse_advice(problems: Iterable[Problem], grid: str, steps: float, *, kernels: bool) -> str:
    """Return the advice to use a coarse grid, or an empty text where it would not help."""
    fits = all(problem.data.kind != EXACT_ONLY for problem in problems)
    return ADVICE if grid == "exact" and fits and not kernels and steps >= MANY_STEPS else ""


@contextmanager
def advising(
    problems: Iterable[Problem], grid: str, steps: float, *, kernels: bool
) -> Iterator[None]:
    """Add to a ``MemoryError`` that a coarse grid takes less, where one can be used."""
    try:
        yield
    except MemoryError as error:
        advice = coarse_advice(problems, grid, steps, kernels=kernels)
        if not advice:
            raise
        raise MemoryError(f"{error}; {advice}") from error
