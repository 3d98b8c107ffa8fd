"""Does the learning rate that is best at one size serve at another? Transfer tables and scores."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lindmft._internal.display import field_table
from lindmft._internal.optional import optional
from lindmft._internal.types import Array, Mask, Numbers
from lindmft._internal.validation import integer, number, refuse, tuple_of_numbers
from lindmft.analysis.rates import Goal, OptimalRate, optimum
from lindmft.analysis.searches.accuracy import resolved
from lindmft.analysis.searches.search import Rates, run_searches
from lindmft.analysis.sizes.fixed_fields import cautions
from lindmft.analysis.sizes.parameterizations import common_factor
from lindmft.analysis.sizes.scalings import (
    AS_GIVEN,
    BRANCHES,
    PARAMETERIZATIONS,
    Rule,
    Scalings,
    read_scalings,
)
from lindmft.analysis.stability import edge
from lindmft.problem.axes import MEANINGS, short
from lindmft.problem.problem import Problem, as_problem
from lindmft.problem.scales import warn_of_widths
from lindmft.problem.schema import to_json_line
from lindmft.results.netcdf import TRANSFER
from lindmft.results.solution import Solution
from lindmft.theory.many import solve_many

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["Transfer", "transfer"]


RAW = (
    "raw lr: of every layer in a loop on the weights of nn.Linear without biases, for 0.5 * mse; "
    "half of it with nn.MSELoss."
)


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
        (S, m), the best rate at every size, and its loss after ``steps`` steps, or the accuracy of
        the solver where that is larger.
    plateau
        (S, m, 2), the lowest and the highest rate tried whose losses are at the accuracy of the
        solver: between them the best rate is not determined, and ``lr`` is in the middle. Both
        are ``lr`` where it is determined.
    raw_lr
        By the name of each scaling in which one raw learning rate serves all layers of a PyTorch
        model, (m,): the best one, in a training loop on the weights of ``nn.Linear`` without
        biases, for the loss ``0.5 * mse``; half of it with ``nn.MSELoss``.
    edge
        (S, m), the largest stable rate: "bounded" in the words of ``largest_stable_lr``.
    carried
        (S, m, m): the loss at size j with the rate that is best at size i, in row i; inf where it
        diverges. Its diagonal is ``loss``.
    base
        The index of the size at which one would tune.
    solves
        Runs of all searches together.
    cautions
        Sentences on fields that most training loops choose by the size, and that stay fixed here.

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
    plateau: Array
    raw_lr: Mapping[str, Array]
    cautions: tuple[str, ...] = ()

    @property
    def determined(self) -> Mask:
        """(S, m), whether the best rate is determined: its loss is above the solver's accuracy."""
        found: Mask = self.plateau[..., 0] == self.plateau[..., 1]
        return found

    _repr_html_ = field_table

    @property
    def given_up(self) -> Array:
        """(S, m), log10 of how many times larger the loss is with the base's rate than the best.

        0 at the base, and everywhere where transfer is perfect; inf where it diverges.
        """
        carried = self.carried[:, self.base]
        logs = np.full(carried.shape, np.inf)
        known = np.isfinite(carried) & (self.loss > 0)
        # A difference of logarithms does not overflow.
        logs[known] = np.maximum(np.log10(carried[known]) - np.log10(self.loss[known]), 0.0)
        return logs

    @property
    def score(self) -> Array:
        """(S,), the mean of ``given_up`` over the other sizes: orders of magnitude of the loss.

        0 is perfect transfer; inf: at some size the base's rate diverges. Where best losses are at
        the accuracy of the solver (see ``determined``), the true score may be larger.
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
        """A table for each scaling, and sentences on which of them transfers, and on cautions."""
        name = self.path.rpartition(".")[2]
        lines = [f"{self.steps} steps, tuned at {name} = {short(self.sizes[self.base])}"]
        for s, scaling in enumerate(self.scalings):
            least = "" if self.determined[s].all() else " or more"
            lines.append(f"{scaling}: loss given up, in powers of ten: {self.score[s]:.3g}{least}")
            lines += self._table(s, name)
        if self.raw_lr:
            lines.append(RAW)
        return "\n".join([*lines, self.verdict, *self.cautions])

    def _table(self, s: int, name: str) -> list[str]:
        """The lines of one scaling; raw rates where there is one for all layers."""
        raw = self.raw_lr.get(self.scalings[s])
        columns = {
            "best lr": [f"{lr:.4g}" for lr in self.lr[s]],
            "raw lr": None if raw is None else [f"{lr:.4g}" for lr in raw],
            "stable up to": [f"{lr:.4g}" for lr in self.edge[s]],
            "best loss": [f"{loss:.3g}" for loss in self.loss[s]],
            "with base lr": [f"{loss:.3g}" for loss in self.carried[s, self.base]],
        }
        columns = {name: [short(size) for size in self.sizes], **columns}
        shown = {title: values for title, values in columns.items() if values is not None}
        spaces = [max(10, len(title) + 2) for title in shown]
        rows = [list(shown), *zip(*shown.values(), strict=True)]
        return ["".join(f"{x:>{n}}" for x, n in zip(row, spaces, strict=True)) for row in rows]

    @property
    def verdict(self) -> str:
        """A sentence on how far the best rate moves, and one on rates that are not determined."""
        name = self.path.rpartition(".")[2]
        said = [f"{self.drift[s]:.3g} in {label}" for s, label in enumerate(self.scalings)]
        text = (
            f"Over these values of {name} the best learning rate moves by a factor "
            f"{', '.join(said)}."
        )
        vague = [
            f"between {low:.3g} and {high:.3g} at {name} = {short(self.sizes[i])} in {label}"
            for s, label in enumerate(self.scalings)
            for i, (low, high) in enumerate(self.plateau[s])
            if not self.determined[s, i]
        ]
        if vague:
            text += (
                " But several rates reach the solver's accuracy, and the best one is not determined"
                f" {'; '.join(vague)}: take fewer steps."
            )
        return text

    def __repr__(self) -> str:
        return f"<Transfer: {self.verdict}>"

    def to_xarray(self) -> "xr.Dataset":
        """The same as a dataset of dimensions ``scaling``, the size, and where it was tuned."""
        name = self.path.rpartition(".")[2]
        arrays = {
            "lr": (("scaling", name), self.lr, "best learning rate"),
            "loss": (("scaling", name), self.loss, f"{self.objective} at the best learning rate"),
            "edge": (
                ("scaling", name),
                self.edge,
                "largest stable learning rate (bounded)",
            ),
            "given_up": (("scaling", name), self.given_up, "log10 of the loss given up"),
            "carried": (("scaling", "tuned_at", name), self.carried, "loss with a carried rate"),
            "determined": (
                ("scaling", name),
                self.determined,
                "whether the best rate is determined",
            ),
        }
        coords: dict[str, Any] = {"scaling": list(self.scalings), name: self.sizes}
        coords |= {"tuned_at": self.sizes}
        if self.raw_lr:
            raw = np.array(list(self.raw_lr.values()))
            arrays["raw_lr"] = (("raw_scaling", name), raw, "best raw rate of all layers, 0.5 mse")
            coords["raw_scaling"] = list(self.raw_lr)
        dataset: xr.Dataset = optional("xarray", "io").Dataset(
            {
                key: (dims, values, {"long_name": text, "units": "1"})
                for key, (dims, values, text) in arrays.items()
            },
            coords,
            {
                "format": TRANSFER,
                "format_version": 1,
                "cautions": " ".join(self.cautions),
                "problem": to_json_line(self.problem),
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
        What is compared. Names of built-in scalings, in a list: "muP", "NTK", "PyTorch",
        "standard", "1/sqrt(depth)", "constant"; see Notes. Or a dictionary of your own: by name, a
        built-in name, or the changes to the problem, paths and values as in ``Problem.replace``,
        or a function from the size (a whole one as an int) to such changes. None: "muP" and "NTK"
        for widths; "1/sqrt(depth)" and "constant" for the depth of a residual network; else the
        problem as it is.
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

    Warns
    -----
    ScalingWarning
        A field that most training loops choose by the size, such as ``layer_lr``, stays fixed.
    SizeWarning
        Widths look like numbers of hidden units where ratios are meant.

    Notes
    -----
    Bordelon and Pehlevan (2025), section 4 and figures 2, 5 and 8. All searches advance together,
    on all cores.

    "muP" and "NTK" set the parameterization, "1/sqrt(depth)" and "constant" the scaling of
    branches. "PyTorch" is the default initialization of ``nn.Linear`` (variance 1 / (3 fan-in))
    with one raw learning rate for all layers, "standard" the same with variance 1 / fan-in; there
    lr is that raw rate for the loss ``0.5 * mse``, and ``layer_lr`` follows the widths (theory
    sections 2 and 8). What is carried over to other sizes is lr.

    Examples
    --------
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(depth=3, gamma0=4), lm.FullBatch(alpha=4.0), lm.SGD(lr=0.03))
    >>> table = lm.transfer(problem, "network.width", [1, 2, 8], steps=40)
    >>> table.lr.round(3)
    array([[0.04 , 0.04 , 0.04 ],
           [0.04 , 0.06 , 0.114]])
    >>> table.drift.round(1)
    array([1. , 2.9])
    >>> table = lm.transfer(problem, "network.width", [1, 4], steps=40, scalings=["PyTorch"])
    >>> table.raw_lr["PyTorch"].round(2)  # wider networks need smaller raw rates
    array([0.39, 0.3 ])
    """
    problem, values = as_problem(problem), _sizes(sizes)
    chosen = _scalings(problem, path, scalings)
    grid = [[rule.at(problem, {path: size}) for size in values] for rule in chosen.values()]
    at = _base(base, values)
    goal, steps = Goal.checked(objective, rtol, max_solves), integer(steps, "steps")
    if steps < 2:
        refuse("steps", "at least 2", steps)
    changed = {name: rule.changes(problem, {path: values[0]}) for name, rule in chosen.items()}
    told = cautions(problem, path, changed)
    if path == "network.width":
        warn_of_widths(problem, values)
    rates = [Rates(one, steps) for row in grid for one in row]
    names = [f"{name}, {path} = {short(size)}" for name in chosen for size in values]
    best = run_searches([(one, optimum(one, goal)) for one in rates], options, names)
    # Each edge is looked for from the optimum on, below which runs are stable.
    tuned = [Rates(one.at(found.lr), steps) for one, found in zip(rates, best, strict=True)]
    precision = 1 + goal.rtol
    edges = run_searches([(one, edge(one, "bounded", precision)) for one in tuned], options, names)
    shape = (len(chosen), len(values))
    lr = np.reshape([found.lr for found in best], shape)
    return Transfer(
        problem=problem,
        path=path,
        steps=steps,
        objective=objective,
        scalings=tuple(chosen),
        sizes=np.array(values),
        lr=lr,
        loss=np.reshape([found.loss for found in best], shape),
        edge=np.reshape([found.lr for found in edges], shape),
        carried=_carried(rates, best, goal, shape, options),
        base=at,
        solves=sum(found.solves for found in best) + sum(found.solves for found in edges),
        plateau=np.reshape([found.plateau for found in best], (*shape, 2)),
        raw_lr=_raw(tuple(chosen), grid, lr),
        cautions=told,
    )


def _raw(names: Sequence[str], grid: Sequence[Sequence[Problem]], lr: Array) -> dict[str, Array]:
    """Best raw rates in the scalings in which, at every size, one rate serves all layers."""
    found = {}
    for name, row, rates in zip(names, grid, lr, strict=True):
        factors = [common_factor(one) for one in row]
        known = [factor for factor in factors if factor is not None]
        if len(known) == len(row):
            found[name] = rates * np.array(known)
    return found


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
        losses[place] = resolved(run, goal.objective) if isinstance(run, Solution) else np.inf
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


def _scalings(problem: Problem, path: Any, given: Any) -> dict[str, Rule]:
    if not isinstance(path, str) or path == "optimizer.lr":
        refuse("path", "the path of a number in the problem's dictionary, but the rate", path)
    if given is None:
        given = AS_GIVEN
        if path in ("network.width", "network.hidden"):
            given = PARAMETERIZATIONS
        elif path == "network.depth" and problem.network.kind == "resnet":
            given = BRANCHES
    return read_scalings(given, path)
