"""Advice on exact solves that take too much memory."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from lindmft.problem.problem import Problem

SMOOTH = ("full_batch", "population")
"""Kinds of data that coarse grids can solve."""
MANY_STEPS = 2000
"""Steps from which a coarse grid has far fewer nodes."""
ADVICE = 'grid="adaptive" solves as many steps on a few hundred nodes'


@contextmanager
def advising(
    problems: Iterable[Problem], grid: str, steps: float, *, kernels: bool
) -> Iterator[None]:
    """Add to a ``MemoryError`` that a coarse grid takes less, where one can be used."""
    try:
        yield
    except MemoryError as error:
        smooth = all(problem.data.kind in SMOOTH for problem in problems)
        if grid != "exact" or not smooth or kernels or steps < MANY_STEPS:
            raise
        raise MemoryError(f"{error}; {ADVICE}") from error
