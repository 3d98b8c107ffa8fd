"""Searches over learning rates that advance together, so that one call solves for all of them.

A search is a generator. It yields the rates that it needs, receives the runs at these rates, and
returns its result. A single search would use one core only.
"""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

import numpy as np

from lindmft._core import NotConverged
from lindmft._internal.refusals import BadInput, within
from lindmft._internal.types import Array
from lindmft._internal.validation import integer, refuse
from lindmft.problem.problem import Problem
from lindmft.results.solution import Solution
from lindmft.theory.many import solve_many

Run: TypeAlias = Solution | NotConverged
Result = TypeVar("Result")
Search: TypeAlias = Generator[Sequence[float], Sequence[Run], Result]

OF_SCHEDULES = "Rates are the largest of the schedule that act within the steps."


@dataclass(frozen=True)
class Rates:
    """One problem at different learning rates, for a number of steps.

    The rate of a schedule is the largest of those that act; the schedule is multiplied as a whole.
    """

    problem: Problem
    steps: int

    @property
    def start(self) -> float:
        """The problem's own rate; 1 if it is zero."""
        return float(np.max(self._acting)) or 1.0

    @property
    def _acting(self) -> Array:
        """The rates that act within the steps; the last loss is that before the last update."""
        rates = self.problem.optimizer.lr
        return np.asarray(rates[: self.steps - 1] if isinstance(rates, tuple) else rates, float)

    def at(self, lr: float) -> Problem:
        """Return the problem at this rate."""
        schedule = self.schedule(lr)
        return self.problem.replace(**{"optimizer.lr": lr if schedule is None else schedule})

    def schedule(self, lr: float) -> tuple[float, ...] | None:
        """Return the schedule multiplied so that this is its largest rate, or None without one."""
        rates = self.problem.optimizer.lr
        if not isinstance(rates, tuple):
            return None
        largest = float(self._acting.max())
        if largest == 0:
            refuse("optimizer.lr", f"a schedule with a rate above 0 {self.scope}", rates)
        return tuple(float(rate) for rate in np.asarray(rates, float) * (lr / largest))

    @property
    def scope(self) -> str:
        """The entries of a schedule that act, in words."""
        return f"in its first {self.steps - 1} entries, which act within {self.steps} steps"


def checked_steps(steps: Any) -> int:
    """Return the number of steps of a run as an int; fewer than two have no update."""
    count = integer(steps, "steps")
    if count < 2:
        refuse("steps", "at least 2", steps)
    return count


def run_searches(
    searches: Sequence[tuple[Rates, Search[Result]]],
    options: Mapping[str, Any],
    names: Sequence[str] = (),
) -> list[Result]:
    """Return the results of all searches; the runs of one round are solved together.

    A search that finds nothing ends all of them, with its name in the error.
    """
    results: dict[int, Result] = {}
    wanted: dict[int, Sequence[float]] = {}
    seen: dict[int, Sequence[Run] | None] = dict.fromkeys(range(len(searches)))
    while seen:
        wanted.clear()
        for i, runs in seen.items():
            try:
                wanted[i] = searches[i][1].send(runs)  # type: ignore[arg-type]
            except StopIteration as end:
                results[i] = end.value
            except ValueError as error:
                raise ValueError(f"{names[i]}: {error}" if names else str(error)) from error
        asked = {i: (searches[i][0], rates) for i, rates in wanted.items()}
        seen = _solved(asked, options, names)
    return [results[i] for i in range(len(searches))]


def _solved(
    wanted: Mapping[int, tuple[Rates, Sequence[float]]],
    options: Mapping[str, Any],
    names: Sequence[str],
) -> dict[int, Sequence[Run] | None]:
    """The runs of each search, from one call for each number of steps."""
    found: dict[int, Sequence[Run] | None] = {}
    for steps in {rates.steps for rates, _ in wanted.values()}:
        mine = {i: entry for i, entry in wanted.items() if entry[0].steps == steps}
        problems = [rates.at(lr) for rates, values in mine.values() for lr in values]
        try:
            runs = iter(solve_many(problems, steps, errors="return", **options))
        except BadInput as error:
            owners = [i for i, (_, values) in mine.items() for _ in values]
            raise _named(error, owners, names) from error
        for i, (_, values) in mine.items():
            found[i] = [_run(next(runs)) for _ in values]
    return found


def _named(error: BadInput, owners: Sequence[int], names: Sequence[str]) -> BadInput:
    """Put the name of a search in the place of the index of the problem that ``solve_many`` saw."""
    if error.index is None:
        return error
    name = names[owners[error.index]] if names else ""
    return within(error, before=f"{name}: " if name else "")


def _run(result: Solution | Exception) -> Run:
    """Return what a search can judge, a solution or ``NotConverged``; raise other errors."""
    if isinstance(result, Solution | NotConverged):
        return result
    raise result
