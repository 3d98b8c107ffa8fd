"""The optimal learning rate by training time and schedule."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lindmft._internal.display import field_table, short_repr
from lindmft._internal.optional import optional
from lindmft._internal.types import Array, Mask, Numbers
from lindmft._internal.validation import integer, is_list, one_of, refuse, tuple_of_numbers
from lindmft.analysis.rates import Goal, optimum
from lindmft.analysis.searches.search import Rates, run_searches
from lindmft.problem.problem import Problem, as_problem
from lindmft.problem.schedules import schedule
from lindmft.problem.schema import to_json_line

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["SCHEDULES", "OptimumOverTime", "optimum_over_time"]

Shape = Callable[[int], Sequence[float]]

SCHEDULES: Mapping[str, Shape] = {
    "constant": lambda steps: schedule("constant", steps),
    "linear decay": lambda steps: schedule("linear", steps),
    "cosine decay": lambda steps: schedule("cosine", steps),
    "warm-up, cosine": lambda steps: schedule("cosine", steps, warmup=0.1),
    "warm-up": lambda steps: schedule("constant", steps, warmup=0.1),
}
"""Schedules by name: functions from a number of steps to rates with peak 1."""
USUAL = ("constant", "linear decay", "cosine decay", "warm-up, cosine")
"""Names of the schedules that are compared by default."""


@dataclass(frozen=True, eq=False)
class OptimumOverTime:
    """Best learning rates by schedule and number of steps.

    Attributes
    ----------
    problem, objective
        The arguments of the call.
    schedules
        (S,), names of the schedules.
    steps
        (m,), numbers of steps.
    lr, loss
        (S, m), the best peak of the schedule (its largest rate that acts within the run), and the
        loss at the last step with it.
    solves
        The number of runs of all searches together.
    determined
        (S, m), whether the best rate is determined. Where it is not, several rates reach the
        accuracy of the solver, and ``lr`` is in their middle.

    Notes
    -----
    Theory section 7, which is exact for every schedule; the paper names them as open.

    Examples
    --------
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(depth=2), lm.FullBatch(alpha=4.0, noise=0.5), lm.SGD(lr=0.1))
    >>> found = lm.optimum_over_time(problem, [10, 20], schedules=["constant"])
    >>> found.lr.shape, found.to_xarray().loss.dims
    ((1, 2), ('schedule', 'steps'))
    >>> print(found.summary().splitlines()[0])
    best lr (peak), by number of steps
    """

    problem: Problem
    objective: str
    schedules: tuple[str, ...]
    steps: NDArray[np.int_]
    lr: Array
    loss: Array
    solves: int
    determined: Mask

    __repr__ = short_repr
    _repr_html_ = field_table

    def summary(self) -> str:
        """A table of rates and a table of losses."""
        width = max(len(name) for name in self.schedules) + 2
        head = " " * width + "".join(f"{steps:>11}" for steps in self.steps)
        lines = []
        for title, table in (("best lr (peak)", self.lr), (self.objective, self.loss)):
            lines += [f"{title}, by number of steps", head]
            lines += [
                f"{name:<{width}}" + "".join(f"{value:>11.4g}" for value in row)
                for name, row in zip(self.schedules, table, strict=True)
            ]
        vague = [
            f"{self.steps[j]} steps ({self.schedules[i]})" for i, j in np.argwhere(~self.determined)
        ]
        if vague:
            lines.append(
                "Several rates reach the solver's accuracy: the best one is not determined after "
                f"{', '.join(vague)}."
            )
        return "\n".join(lines)

    def to_xarray(self) -> "xr.Dataset":
        """Return the same as a dataset with the dimensions ``schedule`` and ``steps``."""
        dims = ("schedule", "steps")
        dataset: xr.Dataset = optional("xarray", "io").Dataset(
            {
                "lr": (dims, self.lr, {"long_name": "best peak learning rate", "units": "1"}),
                "loss": (dims, self.loss, {"long_name": f"{self.objective} there", "units": "1"}),
            },
            {"schedule": list(self.schedules), "steps": self.steps},
            {"problem": to_json_line(self.problem)},
        )
        return dataset


def optimum_over_time(
    problem: Problem | Mapping[str, Any],
    steps: Numbers,
    *,
    schedules: Sequence[str] | Mapping[str, Shape] = USUAL,
    rtol: float = 0.01,
    objective: str = "test_loss",
    max_solves: int = 25,
    **options: Any,
) -> OptimumOverTime:
    """Find the best learning rate for several training times and several schedules.

    What looks like a failure of transfer is often the effect of training time: a longer run, or
    another schedule, has another best rate at the same size.

    Parameters
    ----------
    problem
        A ``Problem`` or its dictionary form; searches start at the largest entry of its rate.
    steps
        Numbers of steps. Each is a separate run, because a schedule ends with its run.
    schedules
        Some of the names "constant", "linear decay", "cosine decay", "warm-up" (a tenth of the
        steps, then constant) and "warm-up, cosine"; or a dictionary from names to functions that
        take a number of steps and return as many rates with peak 1.
    rtol, objective, max_solves
        As in ``optimal_lr``, for every search.
    options
        Passed on to ``solve_many``.

    Returns
    -------
    OptimumOverTime
        The best rates and their losses, with ``summary()``.

    Raises
    ------
    ValueError
        If an argument is not allowed (the message names the field), or there is no minimum, as in
        ``optimal_lr``.

    Notes
    -----
    Theory section 7, which is exact for every schedule; the paper names them as open.

    Examples
    --------
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(depth=2), lm.FullBatch(alpha=4.0, noise=0.5), lm.SGD(lr=0.1))
    >>> found = lm.optimum_over_time(problem, [10, 40], schedules=["constant", "linear decay"])
    >>> bool((found.lr[1] > found.lr[0]).all())  # a rate that decays may start higher
    True
    """
    problem, counts = as_problem(problem), _counts(steps)
    shapes = _shapes(schedules)
    goal = Goal.checked(objective, rtol, max_solves)
    start = Rates(problem, 2).start
    rates = [
        Rates(problem.replace(**{"optimizer.lr": _scaled(name, shape, n, start)}), n)
        for name, shape in shapes.items()
        for n in counts
    ]
    names = [f"{name}, {n} steps" for name in shapes for n in counts]
    best = run_searches([(one, optimum(one, goal)) for one in rates], options, names)
    shape = (len(shapes), len(counts))
    return OptimumOverTime(
        problem=problem,
        objective=objective,
        schedules=tuple(shapes),
        steps=np.array(counts),
        lr=np.reshape([found.lr for found in best], shape),
        loss=np.reshape([found.loss for found in best], shape),
        solves=sum(found.solves for found in best),
        determined=np.reshape([found.determined for found in best], shape),
    )


def _scaled(name: str, shape: Shape, steps: int, start: float) -> list[float]:
    rates = tuple_of_numbers(shape(steps), f"schedules[{name!r}]", f"{steps} rates")
    if len(rates) != steps or not max(rates) > 0:
        refuse(f"schedules[{name!r}]", f"{steps} rates for {steps} steps, some above 0", rates)
    return [rate * start / max(rates) for rate in rates]


def _counts(steps: Any) -> list[int]:
    if not is_list(steps) or not len(steps):
        refuse("steps", "a list of numbers of steps", steps)
    counts = [integer(value, f"steps[{i}]") for i, value in enumerate(steps)]
    if min(counts) < 2 or len(set(counts)) < len(counts):
        refuse("steps", "whole numbers from 2 on that differ", steps)
    return counts


def _shapes(given: Any) -> Mapping[str, Shape]:
    if isinstance(given, Mapping) and given and all(callable(shape) for shape in given.values()):
        return {str(name): shape for name, shape in given.items()}
    names = list(given) if isinstance(given, Sequence) and not isinstance(given, str) else [given]
    known = [name for name in names if isinstance(name, str) and name in SCHEDULES]
    if not names or known != names or len(set(names)) < len(names):
        refuse("schedules", f"names out of {one_of(SCHEDULES)}, or functions by name", given)
    return {name: SCHEDULES[name] for name in names}
