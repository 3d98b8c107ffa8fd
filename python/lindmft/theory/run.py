"""A computation of the theory: how far, on which grid, how accurately, with what kept."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lindmft import _core
from lindmft._internal.cost import COARSE, EXACT, OF_KERNELS, OF_REPLICAS, Cost, likely_depth
from lindmft._internal.provenance import provenance
from lindmft._internal.types import Callback, SolveDict
from lindmft._internal.validation import (
    bytes_or_default,
    flag,
    integer,
    number,
    refuse,
    threads_or_default,
    tuple_of_names,
)
from lindmft.problem.problem import Problem
from lindmft.problem.targets import channels
from lindmft.results.layers import Layers
from lindmft.results.observables import LAYERED
from lindmft.results.replicas import Replicas
from lindmft.results.solution import Solution
from lindmft.results.solve_stats import SolveStats
from lindmft.results.state import SMALL, State
from lindmft.theory.advice import advising, coarse_advice

RTOL, ATOL = 1e-6, 1e-10


@dataclass(frozen=True)
class Run:
    """What to solve, in checked values.

    ``end`` is the number of steps, or the time that gradient flow goes to; ``threads``,
    ``memory_limit`` and ``depth_nodes`` are 0 where the compiled module decides.
    """

    problem: Problem
    grid: str
    end: float
    rtol: float | None
    atol: float | None
    save: tuple[str, ...]
    replicas: bool
    kernels: bool
    depth_nodes: int
    threads: int
    memory_limit: float
    keep_state: bool | None

    @property
    def last_time(self) -> float:
        """The last time of the result."""
        return self.end if self.grid == "flow" else self.end - 1

    @property
    def extent(self) -> str:
        """The argument that says how far, for messages."""
        return "time" if self.grid == "flow" else "steps"

    def solve(
        self, progress: Callback | None, continue_from: dict[str, Any] | None = None
    ) -> Solution:
        """From the start, or from where a result (in the compiled module's form) ends."""
        return self.lightened(from_core(self, self._compute(progress, continue_from)))

    def _compute(self, progress: Callback | None, start: dict[str, Any] | None) -> SolveDict:
        options = self.core_options(progress) | {"continue_from": start}
        core = self.problem.as_core()
        if self.grid == "flow":
            return _core.flow(core, self.end, **options)
        with advising([self.problem], self.grid, self.end, kernels=self.kernels):
            return _core.solve(core, int(self.end), grid=self.core_grid, **options)

    def cost(self, problems: int = 0) -> Cost:
        """How the work grows with the steps: of this problem, or of several beside each other."""
        exact = self.grid == "exact"
        power = EXACT if exact else COARSE
        if problems:
            threads = self.threads or _core.config()["threads"]
            return Cost(power, problems / threads, counted=exact)
        norms, _ = channels(self.problem.data.targets)
        after = OF_KERNELS if self.kernels else OF_REPLICAS if self.replicas else 0.0
        advice = coarse_advice([self.problem], self.grid, self.end, kernels=self.kernels)
        return Cost(power, len(set(norms.tolist())), after, exact, advice)

    @property
    def core_grid(self) -> _core.Grid:
        """Of steps."""
        return _core.Grid[self.grid]

    def core_options(self, progress: Callback | None) -> dict[str, Any]:
        """Keyword arguments of the compiled module's calls, for one problem and for many."""
        options: dict[str, Any] = {
            "keep_state": self.wants_state(),
            "save": self.save,
            "depth_nodes": self.depth_nodes,
            "replicas": self.replicas,
            "kernels": self.kernels,
            "threads": self.threads,
            "memory_limit": self.memory_limit,
            "progress": progress,
        }
        if self.grid != "exact":
            options |= {"rtol": self.rtol, "atol": self.atol}
        return options

    def wants_state(self) -> bool:
        """Whether to ask for a state: only where it may turn out small, unless told."""
        if self.keep_state is not None:
            return self.keep_state
        if self.replicas or self.kernels:
            return False
        arrays = 4 * (likely_depth(float(self.problem.network.depth)) + 1)
        return self.grid != "exact" or 8 * arrays * self.end**2 <= SMALL

    def lightened(self, solution: Solution) -> Solution:
        """Without a state that was not asked for: refused, or left to its size and large."""
        large = solution.state_bytes > SMALL
        if self.keep_state or (self.keep_state is None and not large):
            return solution
        lighter = tuple(replace(channel, state=State()) for channel in solution.channels)
        return replace(solution, state=State(), channels=lighter)


def checked_run(problem: Problem, grid: str, end: Any, options: dict[str, Any]) -> Run:
    """A ``Run`` from what a user gave; bad values are a ``ValueError`` that names them."""
    run = Run(
        problem=problem,
        grid=grid,
        end=number(end, "time") if grid == "flow" else integer(end, "steps"),
        rtol=_tolerance(options["rtol"], "rtol", RTOL, grid),
        atol=_tolerance(options["atol"], "atol", ATOL, grid),
        save=tuple_of_names(options["save"], "save", "names of two-time functions"),
        replicas=flag(options["replicas"], "replicas"),
        kernels=flag(options["kernels"], "kernels"),
        depth_nodes=nodes_or_default(options["depth_nodes"]),
        threads=threads_or_default(options["threads"]),
        memory_limit=bytes_or_default(options["memory_limit"]),
        keep_state=_flag_or_none(options["keep_state"], "keep_state"),
    )
    if run.keep_state and (run.replicas or run.kernels):
        refuse("keep_state", "left out with replicas and kernels: they cannot go on", True)
    return run


def from_core(run: Run, result: SolveDict) -> Solution:
    """The compiled module's result as a ``Solution``."""
    fields: dict[str, Any] = {**result, **result["functions"]}
    for name in ("functions", "channel", "kernels"):
        del fields[name]
    several = bool(result["channel"])
    fields |= {name: Layers(name, fields.get(name, ()), in_channels=several) for name in LAYERED}
    fields |= {f"kernel_{name}": array for name, array in (result["kernels"] or {}).items()}
    fields |= {"stats": SolveStats(**result["stats"]), "state": State(result.get("state"))}
    fields |= {"grid": run.grid, "panels": np.array(result["panels"], int)}
    fields |= {"rtol": run.rtol, "atol": run.atol}
    if result["replicas"] is not None:
        fields["replicas"] = Replicas(test_loss=result["test_loss"], **result["replicas"])
    distinct = [from_core(_channel_run(run, c), r) for c, r in _distinct(result)]
    fields["channels"] = tuple(distinct[c] for c in result["channel"])
    origin = provenance(fields["stats"].threads)
    return Solution(problem=run.problem, provenance=origin, **fields)


def _distinct(result: SolveDict) -> list[tuple[int, SolveDict]]:
    """Results of the distinct channels, each with the first target that has it."""
    return [(result["channel"].index(i), one) for i, one in enumerate(result["channels"])]


def _channel_run(run: Run, channel: int) -> Run:
    norms, _ = channels(run.problem.data.targets)
    return replace(run, problem=run.problem.replace(**{"data.targets": [float(norms[channel])]}))


def _tolerance(value: Any, field: str, default: float, grid: str) -> float | None:
    if grid == "exact":
        if value is not None:
            refuse(field, "left out on exact grids (it is for grid='adaptive' and flow)", value)
        return None
    return default if value is None else number(value, field)


def _flag_or_none(value: Any, field: str) -> bool | None:
    return None if value is None else flag(value, field)


def nodes_or_default(value: Any) -> int:
    """Depth nodes for the compiled module, where 0 is the default (None here)."""
    if value is None:
        return 0
    nodes = integer(value, "depth_nodes")
    if nodes < 2:
        refuse("depth_nodes", "between 2 and 64", value)
    return nodes
