"""Does the learning rate that is best at one size serve at another? Transfer tables and scores."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lindmft._internal.optional import optional
from lindmft._internal.types import Array, Numbers
from lindmft._internal.validation import describe, integer, number, refuse, tuple_of_numbers
from lindmft.analysis.rates import Goal, OptimalRate, optimum
from lindmft.analysis.scalings import (
    AS_GIVEN,
    BRANCHES,
    PARAMETERIZATIONS,
    Scalings,
    read_scalings,
)
from lindmft.analysis.search import Rates, run_searches
from lindmft.analysis.stability import edge
from lindmft.problem.axes import MEANINGS, short
from lindmft.problem.problem import Problem, as_problem
from lindmft.problem.schema import spell_inf
from lindmft.results.solution import Solution
from lindmft.theory.many import solve_many

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["Transfer", "transfer"]


@dataclass(frozen=True, eq=False)
class Transfer:
    """Optimal learning rates by size, and what it costs to carry one over to other sizes.

    Attributes
    ----------
    problem, path, steps, objective
        As asked; ``path`` is what is varied, such as "network.width".
    scalings
        (S,) names.
    sizes
        (m,) values of the path, as given.
    lr, loss
        (S, m), the best rate at every size, and its loss after ``steps`` steps.
    edge
        (S, m), the largest rate that was found not to diverge within the steps.
    carried
        (S, m, m): the loss at size j with the rate that is best at size i, in row i; inf where it
        diverges. Its diagonal is ``loss``.
    base
        The index of the size at which one would tune.
    solves
        Runs of all searches together.

    Notes
    -----
    Bordelon and Pehlevan (2025), figures 2 and 5: loss against learning rate by size.

    Examples
    --------
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(depth=2, gamma0=2), lm.FullBatch(alpha=4.0), lm.SGD(lr=0.05))
    >>> table = lm.transfer(problem, "network.width", [1, 4], steps=20)
    >>> table.lr.shape, bool((table.score[0] < table.score[1]))
    ((2, 2), True)
    >>> print(table.summary().splitlines()[0])
    20 steps, tuned at width = 1
    >>> table.to_xarray().lr.dims
    ('scaling', 'width')
    """

    problem: Problem
    path: str
    steps: int
    objective: str
    scalings: tuple[str, ...]
    sizes: Array
    lr: Array
    loss: Array
    edge: Array
    carried: Array
    base: int
    solves: int

    @property
    def given_up(self) -> Array:
        """(S, m), log10 of how many times larger the loss is with the base's rate than the best.

        0 at the base, and everywhere where transfer is perfect; inf where it diverges.
        """
        carried = self.carried[:, self.base]
        ratio = np.full(carried.shape, np.inf)
        np.divide(carried, self.loss, out=ratio, where=np.isfinite(carried) & (self.loss > 0))
        logs: Array = np.log10(np.maximum(ratio, 1.0))
        return logs

    @property
    def score(self) -> Array:
        """(S,), the mean of ``given_up`` over the other sizes: orders of magnitude of the loss.

        0 is perfect transfer; inf: at some size the base's rate diverges.
        """
        others = np.arange(len(self.sizes)) != self.base
        scores: Array = self.given_up[:, others].mean(axis=1)
        return scores

    @property
    def drift(self) -> Array:
        """(S,), the largest ratio of two of the best rates."""
        ratios: Array = self.lr.max(axis=1) / self.lr.min(axis=1)
        return ratios

    def summary(self) -> str:
        """A table for each scaling, and a sentence on which of them transfers."""
        name = self.path.rpartition(".")[2]
        head = f"{name:>10}{'best lr':>11}{'largest lr':>12}{'best loss':>12}{'with base lr':>14}"
        lines = [f"{self.steps} steps, tuned at {name} = {short(self.sizes[self.base])}"]
        for s, scaling in enumerate(self.scalings):
            lines += [f"{scaling}: loss given up, in powers of ten: {self.score[s]:.3g}", head]
            lines += [
                f"{short(size):>10}{self.lr[s, i]:>11.4g}{self.edge[s, i]:>12.4g}"
                f"{self.loss[s, i]:>12.3g}{self.carried[s, self.base, i]:>14.3g}"
                for i, size in enumerate(self.sizes)
            ]
        return "\n".join([*lines, self.verdict])

    @property
    def verdict(self) -> str:
        """One sentence."""
        name = self.path.rpartition(".")[2]
        said = [f"{self.drift[s]:.3g} in {label}" for s, label in enumerate(self.scalings)]
        return f"Over these {name}s the best learning rate moves by a factor {', '.join(said)}."

    def __repr__(self) -> str:
        return f"<Transfer: {self.verdict}>"

    def to_xarray(self) -> "xr.Dataset":
        """The same as a dataset of dimensions ``scaling``, the size, and where it was tuned."""
        name = self.path.rpartition(".")[2]
        arrays = {
            "lr": (("scaling", name), self.lr, "best learning rate"),
            "loss": (("scaling", name), self.loss, f"{self.objective} at the best learning rate"),
            "edge": (("scaling", name), self.edge, "largest learning rate that does not diverge"),
            "given_up": (("scaling", name), self.given_up, "log10 of the loss given up"),
            "carried": (("scaling", "tuned_at", name), self.carried, "loss with a carried rate"),
        }
        dataset: xr.Dataset = optional("xarray", "io").Dataset(
            {
                key: (dims, values, {"long_name": text, "units": "1"})
                for key, (dims, values, text) in arrays.items()
            },
            {"scaling": list(self.scalings), name: self.sizes, "tuned_at": self.sizes},
            {
                "problem": json.dumps(spell_inf(self.problem.to_dict())),
                "path": self.path,
                "steps": self.steps,
                "base": float(self.sizes[self.base]),
            },
        )
        dataset[name].attrs = {"long_name": MEANINGS.get(self.path, self.path), "units": "1"}
        return dataset


def transfer(
    problem: Problem | Mapping[str, Any],
    path: str,
    sizes: Numbers,
    steps: int,
    *,
    scalings: Scalings | None = None,
    base: float | None = None,
    rtol: float = 0.01,
    objective: str = "test_loss",
    max_solves: int = 25,
    **options: Any,
) -> Transfer:
    """How the best learning rate moves with a size, and the loss that carrying it over gives up.

    Parameters
    ----------
    problem
        A ``Problem`` or its dictionary form; searches start at its learning rate.
    path
        What is varied: "network.width", "network.hidden", "network.depth" or any other number.
    sizes
        Its values, at least two.
    steps
        n of every run; losses are those at t = n - 1.
    scalings
        By name, what each changes in the problem, as in ``Problem.replace``. None: muP and NTK
        parameterization for widths; branches of 1/sqrt(depth) and constant ones for the depth of a
        residual network; else the problem as it is.
    base
        The size at which one would tune; None: the first.
    rtol, objective, max_solves
        As in ``optimal_lr``, for every search.
    options
        Passed on to ``solve_many``, such as ``grid`` and ``threads``.

    Returns
    -------
    Transfer
        Best and largest rates, the table of losses, a score for each scaling, and ``summary()``.

    Raises
    ------
    ValueError
        Bad input, with the field; or no minimum, as in ``optimal_lr``.

    Notes
    -----
    Bordelon and Pehlevan (2025), section 4 and figures 2, 5 and 8. All searches advance together,
    on all cores.

    Examples
    --------
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(depth=3, gamma0=4), lm.FullBatch(alpha=4.0), lm.SGD(lr=0.03))
    >>> table = lm.transfer(problem, "network.width", [1, 2, 8], steps=40)
    >>> table.lr.round(3)
    array([[0.04 , 0.04 , 0.04 ],
           [0.04 , 0.06 , 0.115]])
    >>> table.drift.round(1)
    array([1. , 2.9])
    """
    problem, values = as_problem(problem), _sizes(sizes)
    chosen = _scalings(problem, path, scalings)
    grid = [[_at(problem, change, path, size) for size in values] for change in chosen.values()]
    at = _base(base, values)
    goal, steps = Goal.checked(objective, rtol, max_solves), integer(steps, "steps")
    if steps < 2:
        refuse("steps", "at least 2", steps)
    rates = [Rates(one, steps) for row in grid for one in row]
    names = [f"{name}, {path} = {short(size)}" for name in chosen for size in values]
    best = run_searches([(one, optimum(one, goal)) for one in rates], options, names)
    # Each edge is looked for from the optimum on, below which nothing diverges.
    tuned = [Rates(one.at(found.lr), steps) for one, found in zip(rates, best, strict=True)]
    precision = 1 + goal.rtol
    edges = run_searches([(one, edge(one, "finite", precision)) for one in tuned], options, names)
    shape = (len(chosen), len(values))
    return Transfer(
        problem=problem,
        path=path,
        steps=steps,
        objective=objective,
        scalings=tuple(chosen),
        sizes=np.array(values),
        lr=np.reshape([found.lr for found in best], shape),
        loss=np.reshape([found.loss for found in best], shape),
        edge=np.reshape([found.lr for found in edges], shape),
        carried=_carried(rates, best, goal, shape, options),
        base=at,
        solves=sum(found.solves for found in best) + sum(found.solves for found in edges),
    )


def _carried(
    rates: Sequence[Rates],
    best: Sequence[OptimalRate],
    goal: Goal,
    shape: tuple[int, int],
    options: Mapping[str, Any],
) -> Array:
    """Losses with the rates of other sizes; those with a size's own are known."""
    scalings, sizes = shape
    losses = np.empty((scalings, sizes, sizes))
    where, problems = [], []
    for s, i, j in np.ndindex(losses.shape):
        tuned = best[s * sizes + i]
        if i == j:
            losses[s, i, j] = tuned.loss
        else:
            where.append((s, i, j))
            problems.append(rates[s * sizes + j].at(tuned.lr))
    runs = solve_many(problems, rates[0].steps, errors="return", **options)
    for place, run in zip(where, runs, strict=True):
        # What the solver cannot follow is far beyond the edge of stability.
        losses[place] = getattr(run, goal.objective)[-1] if isinstance(run, Solution) else np.inf
    return losses


def _sizes(given: Any) -> tuple[float, ...]:
    values = tuple_of_numbers(given, "sizes")
    if len(values) < 2 or len(set(values)) < len(values):
        refuse("sizes", "at least two numbers that differ", given)
    return values


def _base(given: Any, values: tuple[float, ...]) -> int:
    if given is None:
        return 0
    base = number(given, "base")
    if base not in values:
        refuse("base", f"one of the sizes {values}", given)
    return values.index(base)


def _scalings(problem: Problem, path: Any, given: Any) -> Scalings:
    if not isinstance(path, str) or path == "optimizer.lr":
        refuse("path", "the path of a number in the problem's dictionary, but the rate", path)
    if given is None:
        residual = problem.network.kind == "resnet"
        if path in ("network.width", "network.hidden"):
            return PARAMETERIZATIONS
        return BRANCHES if path == "network.depth" and residual else AS_GIVEN
    return read_scalings(given, path)


def _at(problem: Problem, change: Mapping[str, Any], path: str, size: float) -> Problem:
    try:
        return problem.replace(**{**change, path: size})
    except ValueError as error:
        raise ValueError(f"{error} (at {path} = {describe(size)})") from error
