"""The result of ``edge_of_stability``: a table, and what follows from it in sentences."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from lindmft._internal.display import field_table
from lindmft.analysis.edges.limit import SharpnessLimit
from lindmft.analysis.edges.run import SharpnessRun
from lindmft.problem.axes import short
from lindmft.problem.problem import Problem

__all__ = ["EdgeOfStability"]

HEAD = f"{'lr':>10}{'start':>8}{'largest':>9}{'passes at':>11}{'sharpness':>12}  what the steps do"
Entry = TypeVar("Entry", SharpnessRun, SharpnessLimit)
NAMES = {"mup": "muP", "ntk": "NTK"}


@dataclass(frozen=True, eq=False)
class EdgeOfStability:
    """The sharpness along runs at several learning rates, and where it passes the threshold.

    Attributes
    ----------
    problem
        The problem as given.
    steps, grid
        The number of steps of every run, and their grid: "exact" or "adaptive".
    runs
        The runs, in the order of parameterizations, widths and learning rates: ``SharpnessRun``.
    limits
        For each parameterization and width, the largest learning rate by sharpness:
        ``SharpnessLimit``; empty with ``limits=False``.
    dim
        The input dimension of trained networks; None without them.

    Notes
    -----
    Theory section 15. Sharpness and threshold are those of the theory, which is the limit of large
    networks. Between the times of ``times`` nothing is known.

    Examples
    --------
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(gamma0=2), lm.FullBatch(alpha=4.0), lm.SGD(lr=0.1))
    >>> found = lm.edge_of_stability(problem, 50, lr=[0.2, 0.6])
    >>> [run.passes_at is None for run in found.runs]
    [True, False]
    >>> len(found.table().splitlines())
    3
    >>> found.summary()[:56]
    'Learning rate times sharpness stays at or below the thre'
    """

    problem: Problem
    steps: int
    grid: str
    runs: tuple[SharpnessRun, ...]
    limits: tuple[SharpnessLimit, ...]
    dim: int | None = None

    _repr_html_ = field_table

    @property
    def spread(self) -> dict[str, float]:
        """Distance of the sharpness of different widths, for each parameterization.

        It is the largest ratio, over all times, of the sharpest width to the flattest one at the
        smallest learning rate; 1 if they are equal. Empty with fewer than two widths.
        """
        found = {}
        slowest = min(run.lr for run in self.runs)
        for name in dict.fromkeys(run.parameterization for run in self.runs):
            rows = [r.sharpness for r in self.runs if (r.parameterization, r.lr) == (name, slowest)]
            finite = np.isfinite(rows).all(axis=0)
            if len(rows) > 1 and finite.any():
                shown = np.array(rows)[:, finite]
                found[name] = float((shown.max(axis=0) / shown.min(axis=0)).max())
        return found

    def table(self) -> str:
        """Return a line for each run.

        "start" and "largest" are learning rate times sharpness over the threshold, at the first
        time and at most over the predicted times. "passes at" is the step at which it passes 1,
        with a question mark where the error of the sharpness leaves doubt. "sharpness" is the
        factor by which the sharpness rises.
        """
        several = len({_group(run) for run in self.runs}) > 1
        lines = [HEAD if not several else f"{'':<16}{HEAD}"]
        lines += [f"{_name(run):<16}{_row(run)}" if several else _row(run) for run in self.runs]
        return "\n".join(lines)

    def summary(self) -> str:
        """Return sentences on the rates, on sharpening, on widths, and on what is predicted."""
        said = [*_limits(self.limits, self.steps), *_passing(self.runs)]
        said += [*_sharpening(self.runs), *_widths(self), *_cautions(self)]
        return " ".join(said)

    def __str__(self) -> str:
        return f"{self.table()}\n{self.summary()}"

    def __repr__(self) -> str:
        rates = ", ".join(f"{lr:.4g}" for lr in sorted({run.lr for run in self.runs}))
        return f"<EdgeOfStability of {len(self.runs)} runs of {self.steps} steps: lr {rates}>"


def _group(run: SharpnessRun | SharpnessLimit) -> tuple[str, float]:
    return run.parameterization, run.width


def _name(run: SharpnessRun | SharpnessLimit) -> str:
    return f"{NAMES.get(run.parameterization, run.parameterization)}, width {short(run.width)}"


def _row(run: SharpnessRun) -> str:
    ratio = run.ratio[run.predicted]
    start, largest = (f"{v:.3g}" for v in (ratio[0], ratio.max())) if len(ratio) else ("-", "-")
    if run.passes_at is not None and not (ratio > 1).any():
        largest = "> 1"  # between the last predicted time and the next one
    passes = "-" if run.passes_at is None else f"{run.passes_at:.4g}"
    doubt = "" if run.certain else "?"
    growth = f"x {run.growth:.3g}" if run.sharpens else "no rise"
    return f"{run.lr:>10.4g}{start:>8}{largest:>9}{passes + doubt:>11}{growth:>12}  {run.fate()}"


def _limits(limits: Sequence[SharpnessLimit], steps: int) -> Iterator[str]:
    """Sentences on the largest rates, by sharpness and by losses."""
    for name, mine in _by_name(limits).items():
        several = len(limits) > 1
        start = f"{NAMES.get(name, name)}: learning" if several else "Learning"
        at = f" (widths {_listed(one.width for one in mine)})" if several else ""
        yield (
            f"{start} rate times sharpness stays at or below the threshold in {steps} steps up to "
            f"lr = {_listed(one.lr for one in mine)}{at}."
        )
        losses = [one.by_loss for one in mine if one.by_loss is not None]
        if losses:
            yield f"The training loss stays bounded up to lr = {_listed(x.lr for x in losses)}."
    if any(limit.by_loss and limit.by_loss.lower > limit.upper for limit in limits):
        yield (
            "Between the two rates some steps are unstable, but the loss stays bounded: unstable "
            "steps lead to weights with a smaller sharpness, or grow too slowly to show."
        )


def _passing(runs: Sequence[SharpnessRun]) -> Iterator[str]:
    """Sentences on runs for which it is not certain whether they pass the threshold."""
    doubtful = [run for run in runs if not run.certain]
    for run in doubtful:
        ratio = run.ratio[np.isfinite(run.ratio)]
        largest, error = float(ratio.max()), float(run.ratio_error[run.ratio == ratio.max()][0])
        yield (
            f"At lr = {run.lr:.4g} ({_name(run)}) the largest ratio to the threshold is "
            f"{largest:.5g} with an error of {error:.1g}: whether it passes 1 is not decided. More "
            "steps of Lanczos' method (lanczos) make the error smaller."
        )


def _sharpening(runs: Sequence[SharpnessRun]) -> Iterator[str]:
    """A sentence on progressive sharpening in the runs that never pass the threshold."""
    stable = [run for run in runs if run.passes_at is None]
    rising = [run for run in stable if run.sharpens]
    if rising:
        most = max(rising, key=lambda run: run.growth)
        yield (
            f"Progressive sharpening: in {len(rising)} of {len(stable)} stable runs the sharpness "
            f"rises, at most by the factor {most.growth:.3g} (lr = {most.lr:.4g})."
        )
    elif stable:
        yield "No progressive sharpening: in no stable run the sharpness rises by more than 2 %."


def _widths(found: EdgeOfStability) -> Iterator[str]:
    """Sentences on the dependence on the width, for each parameterization."""
    slowest = [run for run in found.runs if run.lr == min(run.lr for run in found.runs)]
    for name, ratio in found.spread.items():
        mine = _by_name(slowest)[name]
        yield (
            f"{NAMES.get(name, name)}, lr = {mine[0].lr:.4g}, widths "
            f"{_listed(run.width for run in mine)}: the sharpness rises by the factors "
            f"{_listed(run.growth for run in mine)}, and at the same step that of different widths "
            f"differs by up to the factor {ratio:.3g}."
        )


def _by_name(entries: Sequence[Entry]) -> dict[str, list[Entry]]:
    """Return runs or limits by their parameterization."""
    found: dict[str, list[Entry]] = {}
    for entry in entries:
        found.setdefault(entry.parameterization, []).append(entry)
    return found


def _listed(values: Iterable[float]) -> str:
    return ", ".join(f"{value:.4g}" for value in values)


def _cautions(found: EdgeOfStability) -> Iterator[str]:
    if any(run.until is not None for run in found.runs):
        yield (
            "After predictable_until (on coarse grids, after unstable_at) no single curve is the "
            "prediction; the step at which the threshold is passed still is."
        )
    if found.problem.data.random_batches:
        yield (
            "Random batches add noise, which makes steps unstable at smaller learning rates than "
            "the sharpness says."
        )
