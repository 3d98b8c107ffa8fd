"""The plan of a sweep: checked arguments, the grid of problems, and how it is cut into blocks."""

import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from lindmft import _core
from lindmft._internal.refusals import BadInput, within
from lindmft._internal.validation import (
    choice,
    conflict,
    integer,
    is_iterable,
    missing,
    one_of,
    positive,
    refuse,
    suggestion,
    tuple_of_names,
)
from lindmft.problem.averages import to_table
from lindmft.problem.axes import Axis, changes, label, points, read_axes
from lindmft.problem.problem import Problem
from lindmft.problem.schema import spell_inf
from lindmft.results.dense_output import requested_times
from lindmft.results.observables import KERNELS, NORMS
from lindmft.results.statistics import checked_dtype
from lindmft.sweeps import chunks
from lindmft.sweeps.stages import OF_THEORY, OF_TRAINING, Stage, Theory, Training, untrainable
from lindmft.theory.check import check_flow, check_solve
from lindmft.theory.options import AccuracyOptions, checked_options
from lindmft.training.finite import default_dim
from lindmft.training.options import NetworkOptions
from lindmft.training.seeds import seed_list
from lindmft.training.train import check_train

RUNS = ("solve", "flow", "train")
MOST_TIMES = 200
FIRST_FLOW_TIME = 1e-2


@dataclass(frozen=True)
class Plan:
    """Everything that a sweep computes, in checked values.

    ``chunk`` has for each stage the number of points of a block along every axis. ``configuration``
    contains everything that the numbers depend on, for files.
    """

    problem: Problem
    axes: tuple[Axis, ...]
    problems: tuple[Problem, ...]
    stages: tuple[Stage, ...]
    chunk: dict[str, tuple[int, ...]]
    times: tuple[float, ...]
    seeds: tuple[int, ...]
    configuration: dict[str, Any]

    @cached_property
    def shape(self) -> tuple[int, ...]:
        """Number of points along every axis."""
        return tuple(len(axis) for axis in self.axes)

    @cached_property
    def _grid(self) -> np.ndarray[Any, Any]:
        """Index in ``problems`` of every point."""
        return np.arange(len(self.problems)).reshape(self.shape)

    @property
    def dimensions(self) -> tuple[str, ...]:
        """Names of the axes."""
        return tuple(axis.name for axis in self.axes)

    @property
    def flow(self) -> bool:
        """Whether time is that of gradient flow."""
        return "flow" in self.configuration["run"]

    def stage(self, name: str) -> Stage:
        """Return the stage of this name."""
        return next(stage for stage in self.stages if stage.name == name)

    def blocks(self, stage: str) -> list[tuple[int, ...]]:
        """Return the indices of all blocks of a stage."""
        return list(chunks.blocks(self.shape, self.chunk[stage]))

    def marks(self, stage: str) -> tuple[int, ...]:
        """Return the number of blocks along every axis."""
        sizes = zip(self.shape, self.chunk[stage], strict=True)
        return tuple(math.ceil(n / size) for n, size in sizes)

    def region(self, stage: str, block: tuple[int, ...]) -> tuple[slice, ...]:
        """Return the points of a block along every axis."""
        return chunks.region(block, self.shape, self.chunk[stage])

    def of_block(self, stage: str, block: tuple[int, ...]) -> list[Problem]:
        """Return the problems of a block, the last axis fastest."""
        return [self.problems[i] for i in self._grid[self.region(stage, block)].reshape(-1)]

    def size(self, stage: str, block: tuple[int, ...]) -> int:
        """Return the number of points of a block."""
        return math.prod(part.stop - part.start for part in self.region(stage, block))

    @property
    def bytes(self) -> float:
        """Memory of all arrays of the results."""
        each = sum(
            math.prod(stage.sizes[dim] for dim in variable.dims) * np.dtype(variable.dtype).itemsize
            for stage in self.stages
            for variable in stage.variables().values()
        )
        return float(len(self.problems) * each)

    def label_of(self, index: int) -> str:
        """Return the same text for a problem by its index."""
        return self.label(tuple(int(i) for i in np.unravel_index(index, self.shape)))

    def label(self, point: tuple[int, ...]) -> str:
        """Return a short text for a point: "width=2.0, lr=0.1"."""
        return label(self.axes, point)


def make_plan(problem: Problem, axes: Any, arguments: dict[str, Any]) -> Plan:
    """Return a checked plan; bad values are a ``ValueError`` that names them."""
    grid, run = read_axes(axes), _runs(arguments["run"])
    if not grid:
        refuse("axes", "a dictionary of at least one path with its values", axes)
    problems = tuple(problem._at(changes(grid, point)) for point in points(grid))
    _check_all(arguments)
    end, times = _extent(run, arguments)
    wanted = _observables(arguments["observables"], run)
    _check_average(arguments["average"], wanted, run)
    layers = _layers(problems, wanted)
    _check_outputs(problems, wanted)
    seeds = seed_list(arguments["seeds"], arguments["seed"]) if "train" in run else ()
    stages: list[Stage] = []
    with _naming_points(grid):
        if run != ("train",):
            kept = {"times": times, "observables": wanted, "layers": layers}
            stages.append(_theory(problems, run, end, kept, arguments))
        if "train" in run:
            names = tuple(name for name in wanted if name in OF_TRAINING)
            kept = {"times": times, "observables": names, "layers": layers}
            trained = _only_trainable(problems)
            _check_dimensions(trained, arguments["dim"])
            stages.append(_training(trained, int(end), kept, tuple(seeds), arguments))
    chunk = {stage.name: _chunk(stage, grid, problems) for stage in stages}
    configuration = {
        "problem": spell_inf(problem.to_dict()),
        "axes": {axis.name: axis.to_dict() for axis in grid},
        "order": [axis.name for axis in grid],
        "run": list(run),
        "time" if "flow" in run else "steps": end,
        "times": list(times),
        "observables": list(wanted),
        **_of_stages(stages),
        "lindmft": _core.__version__,
    }
    return Plan(problem, grid, problems, tuple(stages), chunk, times, tuple(seeds), configuration)


def _check_all(arguments: dict[str, Any]) -> None:
    """Refuse bad values of arguments that this run does not use, too."""
    choice("exact", "adaptive")(arguments["grid"], "grid")
    checked_options(arguments)
    if arguments["dim"] is not None:
        integer(arguments["dim"], "dim")
    seed_list(arguments["seeds"], arguments["seed"])
    checked_dtype(arguments["dtype"])


@contextmanager
def _naming_points(axes: tuple[Axis, ...]) -> Iterator[None]:
    """Say where on the grid it is that a list of problems is refused for one of them."""
    try:
        yield
    except BadInput as error:
        if error.index is None:
            raise
        point = list(points(axes))[error.index]
        raise within(error, after=f" (at {label(axes, point)})") from error


def _of_stages(stages: Iterable[Stage]) -> dict[str, Any]:
    """Return the options of each stage that its numbers depend on."""
    found: dict[str, Any] = {}
    for stage in stages:
        if isinstance(stage, Theory):
            found |= {"grid": stage.grid, **_plain(stage.options)}
        if isinstance(stage, Training):
            found |= {"dim": stage.dim, "seeds": list(stage.seeds), "dtype": stage.dtype}
            found |= _plain(stage.options)
    return found


def _plain(options: dict[str, Any]) -> dict[str, Any]:
    """Return options as files have them."""
    average = options.get("average")
    return options if average is None else options | {"average": to_table(average)}


def _of_average(arguments: dict[str, Any]) -> dict[str, Any]:
    average = arguments["average"]
    return {} if average is None else {"average": average}


def _runs(run: Any) -> tuple[str, ...]:
    allowed = "'solve', 'train', both, or 'flow'"
    chosen = tuple(choice(*RUNS)(name, "run") for name in tuple_of_names(run, "run", allowed))
    if not chosen or len(set(chosen)) < len(chosen) or {"solve", "flow"} <= set(chosen):
        refuse("run", allowed, run)
    if "flow" in chosen and "train" in chosen:
        refuse("run", "'flow' alone: networks are trained in steps", run)
    return tuple(name for name in RUNS if name in chosen)


def _extent(run: tuple[str, ...], arguments: dict[str, Any]) -> tuple[float, tuple[float, ...]]:
    """Return the end of the runs, and the times that are kept."""
    needed, other = ("time", "steps") if "flow" in run else ("steps", "time")
    if arguments[needed] is None:
        extent = "the time at which it ends" if "flow" in run else "the number of steps"
        missing(needed, f"run={run[0]!r} needs {extent}")
    if arguments[other] is not None:
        conflict(other, f"run={run[0]!r}", f"it ends at {needed}", f"Give only {needed}")
    flow = needed == "time"
    end = positive(arguments["time"], "time") if flow else integer(arguments["steps"], "steps")
    if end < 1 and not flow:
        refuse("steps", "at least 1", end)
    last = end if flow else end - 1
    given = arguments["times"]
    times = _spread(last, MOST_TIMES if given is None else given, flow=flow)
    if times is None:
        times = requested_times(given, last, whole=not flow, field="times")
    return end, tuple(float(time) if flow else int(time) for time in times)


def _spread(last: float, given: Any, *, flow: bool) -> Any:
    """Return all steps if they are few, else times even on a logarithmic axis; None for a list."""
    if isinstance(given, str):
        choice("last")(given, "times")
        return [last]
    if is_iterable(given):
        return None
    most = integer(given, "times")
    if most < 2:
        refuse("times", "a number from 2 on, a list of times, or 'last'", given)
    if flow:
        first = min(FIRST_FLOW_TIME, last / 100)
        return [0.0, *np.geomspace(first, last, most - 1)[:-1], last]
    if last < most:
        return range(int(last) + 1)
    between = np.geomspace(1, last, most - 1)[:-1].round()
    return np.unique([0.0, *between, last])


def _observables(given: Any, run: tuple[str, ...]) -> tuple[str, ...]:
    names = tuple_of_names(given, "observables", "a name or a list of names")
    known = OF_TRAINING if run == ("train",) else OF_THEORY
    for name in names:
        if name not in known:
            only = " of training" if run == ("train",) else ""
            allowed = f"observables{only}: {one_of(known)}"
            raise ValueError(
                f"observables must be {allowed}, got {name!r}{suggestion(name, known)}"
            )
    if not names or len(set(names)) < len(names):
        refuse("observables", "at least one name, each once", given)
    if "flow" in run and set(names) & set(KERNELS):
        kernels = " and ".join(name for name in names if name in KERNELS)
        conflict(
            f"observables={kernels}",
            "run='flow'",
            "kernels are computed by steps",
            "Leave them out, or choose run='solve'",
        )
    return names


def _check_average(average: Any, observables: tuple[str, ...], run: tuple[str, ...]) -> None:
    """Refuse an average whose loss is not kept, and its loss without an average."""
    if average is None:
        if "average_loss" in observables:
            missing("average", "observables=average_loss needs an average, such as lm.EMA(0.99)")
    elif "flow" in run:
        why = "an average is over the weights of every step"
        conflict("average", "run='flow'", why, "Leave it out, or choose run='solve'")
    elif "average_loss" not in observables:
        why = "its loss would not be kept"
        conflict("average", "these observables", why, "Add 'average_loss' to observables")


def _check_outputs(problems: Iterable[Problem], observables: Iterable[str]) -> None:
    """Refuse kernels if there are several outputs: they belong to the channels."""
    if set(observables) & set(KERNELS) and any(p.data.outputs > 1 for p in problems):
        allowed = f"without {one_of(KERNELS)} where there are several targets"
        refuse("observables", allowed, tuple(observables))


def _layers(problems: Iterable[Problem], observables: Iterable[str]) -> int:
    """Return the depth of the deepest network if norms are kept, else 0."""
    if not set(observables) & set(NORMS):
        return 0
    depths = {float(problem.network.depth) for problem in problems}
    if math.inf in depths:
        refuse("observables", f"without {one_of(NORMS)} at infinite depth", tuple(observables))
    return int(max(depths))


def _only_trainable(problems: tuple[Problem, ...]) -> tuple[Problem, ...]:
    """Put small finite networks in the place of those that cannot be trained.

    Checks of the list then keep its indices. If no problem can be trained, the list stays as it is,
    and the checks refuse it.
    """
    if all(untrainable(problem) for problem in problems):
        return problems
    return tuple(_finite(one) if untrainable(one) else one for one in problems)


def _finite(problem: Problem) -> Problem:
    """Return a problem with the same data and optimizer, and one unit in each of two layers."""
    size = "width" if problem.network.hidden is None else "hidden"
    changes: dict[str, Any] = {f"network.{size}": 1, "network.gamma0": 1.0}
    if math.isinf(float(problem.network.depth)):
        changes["network.depth"] = 2  # three learning rates by layer, as at infinite depth
    return problem.replace(**changes)


def _check_dimensions(problems: Iterable[Problem], dim: Any) -> None:
    """Refuse problems of different input dimensions if none is given for all networks."""
    if dim is not None:
        return
    sizes = sorted({default_dim(problem) for problem in problems})
    if len(sizes) > 1:
        missing(
            "dim",
            "the networks of a sweep have one input dimension, but those of its problems differ "
            f"({', '.join(map(str, sizes))}). Give dim, or make one sweep for each of them",
        )


def _theory(
    problems: tuple[Problem, ...],
    run: tuple[str, ...],
    end: float,
    kept: dict[str, Any],
    arguments: dict[str, Any],
) -> Theory:
    grid = "flow" if "flow" in run else choice("exact", "adaptive")(arguments["grid"], "grid")
    options: Any = {name: arguments[name] for name in AccuracyOptions.__annotations__}
    options |= _of_average(arguments)
    kernels = bool(set(kept["observables"]) & set(KERNELS))
    if grid == "flow":
        check_flow(problems, end, **options)
    else:
        check_solve(problems, int(end), grid=grid, kernels=kernels, **options)
    return Theory(grid=grid, end=end, options=options, **kept)


def _training(
    problems: tuple[Problem, ...],
    steps: int,
    kept: dict[str, Any],
    seeds: tuple[int, ...],
    arguments: dict[str, Any],
) -> Training:
    dim, dtype = arguments["dim"], arguments["dtype"]
    own = ("dim", "seeds", "seed", "dtype")
    rest: Any = {n: arguments[n] for n in NetworkOptions.__annotations__ if n not in own}
    rest |= _of_average(arguments)
    check_train(problems, steps, dim=dim, seeds=seeds, dtype=dtype, **rest)
    size = default_dim(problems[0]) if dim is None else integer(dim, "dim")
    kind = checked_dtype(dtype)
    return Training(steps=steps, dim=size, seeds=seeds, dtype=kind, options=rest, **kept)


def _chunk(stage: Stage, axes: tuple[Axis, ...], problems: tuple[Problem, ...]) -> tuple[int, ...]:
    """Return the number of points of a block along every axis."""
    lengths = [len(axis) for axis in axes]
    if isinstance(stage, Theory):
        costs = [chunks.theory_seconds(p, stage.end, stage.grid) for p in problems]
        return chunks.theory_chunk(lengths, float(np.mean(costs)))
    assert isinstance(stage, Training)
    networks = len(stage.seeds)
    trained = _only_trainable(problems)
    costs = [chunks.training_seconds(p, stage.steps, stage.dim, networks) for p in trained]
    sharing = [chunks.shares(axis.paths) for axis in axes]
    return chunks.training_chunk(lengths, float(np.mean(costs)), sharing)
