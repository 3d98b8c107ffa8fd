"""The two stages of a sweep: the theory of every point, and the training of its networks.

A stage computes the problems of a block in one call of the core, which shares their common work,
and declares the arrays of the results. Values of a diverged run are inf, as everywhere. A value is
nan where it does not exist: layers beyond a network's depth, points that failed, and points that
cannot be trained.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple, Protocol, TypeAlias

import numpy as np

from lindmft._core import NotConverged
from lindmft._internal.types import Array, Callback
from lindmft.problem.network import widths
from lindmft.problem.problem import Problem
from lindmft.results.ensemble import Ensemble
from lindmft.results.observables import (
    DIRECTIONS,
    ENSEMBLE,
    KERNELS,
    NORMS,
    SOLUTION,
    SQUARES,
    names,
)
from lindmft.results.solution import Solution
from lindmft.theory.many import flow_many, solve_many
from lindmft.training.train import train_many

PENDING, DONE, DIVERGED, FAILED, UNTRAINABLE = range(5)
STATES = ("pending", "done", "diverged", "failed", "untrainable")
"""Names of the states, for the attributes of a status array."""
STAGES = ("theory", "training")
FAILURES = (NotConverged, MemoryError, ValueError, ArithmeticError)
"""Errors that make one point fail; any other error is a bug, and ends the sweep."""
SERIES: dict[str, Any] = {
    "two_time": False,
    "by_output": False,
    "by_mode": False,
    "part": "",
    "kind": SQUARES,
}
"""Conditions on the observables that a sweep can keep."""
OF_THEORY = names(SOLUTION, **SERIES)
OF_TRAINING = (*names(ENSEMBLE, asked="", **SERIES), "average_loss")
NO_STEP = -1
"""The value of ``diverged_at`` for runs that did not diverge."""


class Variable(NamedTuple):
    """Dimensions beyond those of the axes, type, and the value where nothing was computed."""

    dims: tuple[str, ...]
    dtype: type
    fill: float


@dataclass(frozen=True)
class Computed:
    """Results of a block: arrays by name, with the points along the first dimension.

    ``texts`` says by point why it has no values: the error of a point that failed, or the reason
    why it cannot be trained. ``origins`` has the points with values of an earlier store.
    """

    arrays: dict[str, np.ndarray[Any, Any]]
    texts: dict[int, str]
    origins: dict[int, "Origin"] = field(default_factory=dict)

    @property
    def reused(self) -> int:
        """Number of points that were copied as a whole from an earlier store."""
        return sum(origin.seeds is None for origin in self.origins.values())


class Origin(NamedTuple):
    """The earlier store from which values of a point were copied.

    ``lindmft`` has the versions that computed them, ``store`` the name of the store, and ``seeds``
    the number of seeds that were copied; None: all values of the point.
    """

    lindmft: str
    store: str
    seeds: int | None


class Untrainable(Exception):  # noqa: N818 (no error: such points are expected)
    """The result of a point that has no finite networks; the text is the reason."""


class Work(Protocol):
    """Anything that computes the points of a block: a stage, or the rest of a known block."""

    def compute(self, problems: Sequence[Problem], *limits: Any, **named: Any) -> Computed:
        """Compute these points; further arguments as in ``Stage.compute``."""


Many: TypeAlias = Callable[[Sequence[Problem]], list[Any]]


@dataclass(frozen=True, kw_only=True)
class Stage(ABC):
    """Theory or training, with all options; only the problems are given later.

    ``layers`` is the depth of the deepest network, 0 if no observable has a dimension ``layer``.
    """

    times: tuple[float, ...]
    observables: tuple[str, ...]
    layers: int

    name: ClassVar[str]
    """Prefix of the names of its arrays."""
    first: ClassVar[tuple[str, ...]]
    """Dimensions of its arrays that come after those of the axes."""

    @property
    def sizes(self) -> dict[str, int]:
        """Sizes of the dimensions beyond those of the axes."""
        return {"time": len(self.times), "layer": self.layers}

    def variables(self) -> dict[str, Variable]:
        """Return the arrays of this stage by observable."""
        series = {
            name: (*self.first, *(("layer",) if name in NORMS else ()), "time")
            for name in self.observables
        }
        kept = {name: Variable(dims, float, np.nan) for name, dims in series.items()} | {
            "status": Variable((), np.uint8, PENDING),
            "diverged_at": Variable(self.first, np.int64, NO_STEP),
        }
        if set(DIRECTIONS) & set(self.observables):
            kept["undefined"] = Variable((), np.int64, 0)
        return kept

    def compute(
        self,
        problems: Sequence[Problem],
        threads: int | None,
        memory_limit: float | None = None,
        progress: Callback | None = None,
    ) -> Computed:
        """Compute these points, in one call of the core if that does not fail."""
        options = {"threads": threads, "memory_limit": memory_limit, "progress": progress}
        results = _one_by_one(lambda some: self._run(some, options), problems)
        return _gathered(self, results)

    @abstractmethod
    def _run(self, problems: Sequence[Problem], options: dict[str, Any]) -> list[Any]:
        """Return for each problem its result or its error."""

    @abstractmethod
    def read(self, result: Any) -> dict[str, Any]:
        """Return the kept values of a result by the names of the arrays."""


@dataclass(frozen=True, kw_only=True)
class Theory(Stage):
    """The stage of the theory: ``flow_many`` if grid is "flow", else ``solve_many``."""

    grid: str
    end: float
    options: dict[str, Any] = field(default_factory=dict)

    name = "theory"
    first = ()

    def _run(self, problems: Sequence[Problem], options: dict[str, Any]) -> list[Any]:
        common = {**self.options, **options}
        if self.grid == "flow":
            return flow_many(problems, self.end, errors="return", **common)
        kernels = bool(set(KERNELS) & set(self.observables))
        return solve_many(
            problems, int(self.end), grid=self.grid, kernels=kernels, errors="return", **common
        )

    def read(self, result: Solution) -> dict[str, Any]:
        """Return the kept values of a solution."""
        seen, lost = result.at(self.times), result.diverged_at
        found = {
            **{name: getattr(seen, name) for name in self.observables},
            "status": DONE if lost is None else DIVERGED,
            "diverged_at": NO_STEP if lost is None else lost,
        }
        directions = [found[name] for name in DIRECTIONS if name in found]
        return found | ({"undefined": np.isnan(directions).sum()} if directions else {})


@dataclass(frozen=True, kw_only=True)
class Training(Stage):
    """Training by ``train_many``: every point has the same networks, seed by seed."""

    steps: int
    dim: int
    seeds: tuple[int, ...]
    dtype: str
    options: dict[str, Any] = field(default_factory=dict)

    name = "training"
    first = ("seed",)

    @property
    def sizes(self) -> dict[str, int]:
        """Sizes of the dimensions beyond those of the axes."""
        return super().sizes | {"seed": len(self.seeds)}

    def _run(self, problems: Sequence[Problem], options: dict[str, Any]) -> list[Any]:
        reasons = [untrainable(problem) for problem in problems]
        trained = [one for one, reason in zip(problems, reasons, strict=True) if not reason]
        own: dict[str, Any] = {"dim": self.dim, "seeds": self.seeds, "dtype": self.dtype}
        own |= {**self.options, **options}
        runs = iter(train_many(trained, self.steps, **own) if trained else [])
        return [Untrainable(reason) if reason else next(runs) for reason in reasons]

    def read(self, result: Ensemble) -> dict[str, Any]:
        """Return the kept values of an ensemble."""
        lost = np.array([NO_STEP if step is None else step for step in result.diverged_at])
        at = np.array(self.times, int)
        return {
            **{name: getattr(result, name)[..., at] for name in self.observables},
            "status": DONE if (lost == NO_STEP).all() else DIVERGED,
            "diverged_at": lost,
        }


def untrainable(problem: Problem) -> str:
    """Return why no finite networks of a problem exist; an empty text if they do."""
    if math.isinf(float(problem.network.depth)):
        return "network.depth is infinite"
    if any(math.isinf(width) for width in widths(problem.network)):
        return "network.width is infinite"
    return ""


def _one_by_one(many: Many, problems: Sequence[Problem]) -> list[Any]:
    """Compute all in one call; if it fails, each alone, so that errors belong to points."""
    try:
        return many(problems)
    except FAILURES as error:
        if len(problems) == 1:
            return [error]
    return [_one_by_one(many, [problem])[0] for problem in problems]


def _gathered(stage: Stage, results: Sequence[Any]) -> Computed:
    """Collect the arrays of a block from the results of its points."""
    arrays: dict[str, np.ndarray[Any, Any]] = {
        name: np.full((len(results), *(stage.sizes[dim] for dim in dims)), fill, dtype)
        for name, (dims, dtype, fill) in stage.variables().items()
    }
    texts = {}
    for i, result in enumerate(results):
        if isinstance(result, Untrainable):
            arrays["status"][i] = UNTRAINABLE
            texts[i] = str(result)
            continue
        if isinstance(result, Exception):
            arrays["status"][i] = FAILED
            texts[i] = f"{type(result).__name__}: {' '.join(str(result).split())}"
            continue
        for name, value in stage.read(result).items():
            _put(arrays[name][i : i + 1], value)
    return Computed({f"{stage.name}_{name}": array for name, array in arrays.items()}, texts)


def _put(place: Array, value: Any) -> None:
    """Write a value into the first entries of an array: shallow networks have fewer layers."""
    value = np.asarray(value)
    corner: tuple[Any, ...] = (0, *(slice(size) for size in value.shape))
    place[corner] = value
