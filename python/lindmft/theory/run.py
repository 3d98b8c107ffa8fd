"""A computation of the theory: its problem, grid and end, and its options."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lindmft import _core
from lindmft._internal.cost import (
    COARSE,
    CONDENSED,
    EXACT,
    OF_AVERAGE,
    OF_KERNELS,
    OF_REPLICAS,
    Cost,
    likely_depth,
)
from lindmft._internal.options import check_spectrum
from lindmft._internal.provenance import provenance
from lindmft._internal.types import Callback, SolveDict
from lindmft._internal.validation import conflict, integer, number
from lindmft.problem.averages import shares
from lindmft.problem.outputs import channel
from lindmft.problem.problem import Problem
from lindmft.results.assembly import observables_from
from lindmft.results.modes import by_mode
from lindmft.results.solution import Solution
from lindmft.results.solve_stats import SolveStats
from lindmft.results.spectrum import spectrum_from
from lindmft.results.state import SMALL, State
from lindmft.theory.advice import advising, coarse_advice
from lindmft.theory.options import checked_options


@dataclass(frozen=True)
class Run:
    """A problem with the grid, the end and the options of its solution, in checked values.

    ``end`` is the number of steps, or the last time of gradient flow; ``options`` has the values
    that were given, by name.
    """

    problem: Problem
    grid: str
    end: float
    options: Mapping[str, Any]

    def with_options(self, **options: Any) -> "Run":
        """Return the same computation with other values of these options."""
        return replace(self, options={**self.options, **options})

    @property
    def last_time(self) -> float:
        """The last time of the result."""
        return self.end if self.grid == "flow" else self.end - 1

    @property
    def extent(self) -> str:
        """The argument that sets the end, for messages."""
        return "time" if self.grid == "flow" else "steps"

    @property
    def counted(self) -> bool:
        """Whether every step has a row: exact steps, and adaptive ones with random batches."""
        return self.grid == "exact" or (self.grid == "adaptive" and self.problem.data.condensable)

    @property
    def all_times(self) -> str | None:
        """The option that needs all times at once, so that the run cannot be resumed."""
        names = ("replicas", "kernels", "modes", "average")
        return next((name for name in names if self.options.get(name)), None)

    @property
    def tolerances(self) -> dict[str, float | None]:
        """Tolerances of a coarse grid; None on an exact one."""
        if self.grid == "exact":
            return {"rtol": None, "atol": None}
        options = self.core_options()
        return {"rtol": options.rtol, "atol": options.atol}

    def solve(
        self, progress: Callback | None, continue_from: dict[str, Any] | None = None
    ) -> Solution:
        """Solve from the start, or from where a result (in the compiled module's form) ends."""
        return self.lightened(from_core(self, self._compute(progress, continue_from)))

    def _compute(self, progress: Callback | None, start: dict[str, Any] | None) -> SolveDict:
        core, options = self.problem.as_core(), self.core_options()
        if self.grid == "flow":
            return _core.flow(core, self.end, options, continue_from=start, progress=progress)
        with self.advising([self.problem]):
            steps = int(self.end)
            return _core.solve(core, steps, options, continue_from=start, progress=progress)

    def advising(self, problems: list[Problem]) -> Any:
        """Add advice to errors about memory."""
        kernels = bool(self.options.get("kernels"))
        return advising(problems, self.grid, self.end, kernels=kernels)

    def cost(self, problems: int = 0) -> Cost:
        """Return how the work grows with the steps, for this problem or for several in parallel."""
        counted = self.counted
        power = EXACT if self.grid == "exact" else CONDENSED if counted else COARSE
        if problems:
            threads = self.options.get("threads") or _core.config()["threads"]
            return Cost(power, problems / threads, counted=counted)
        norms = self.problem.data.channel_norms
        after = {"kernels": OF_KERNELS, "replicas": OF_REPLICAS, "average": OF_AVERAGE}
        kernels = bool(self.options.get("kernels"))
        advice = coarse_advice([self.problem], self.grid, self.end, kernels=kernels)
        extra = "kernels" if kernels else self.all_times
        return Cost(power, len(set(norms)), after.get(extra or "", 0.0), counted, advice)

    def core_options(self) -> _core.SolveOptions:
        """Return the options as the compiled module takes them."""
        average = self.options.get("average")
        parts = () if average is None else shares(average, int(self.end))
        changed = {"keep_state": self.wants_state(), "average": parts}
        return _core.SolveOptions(**{**self.options, **changed})

    def wants_state(self) -> bool:
        """Whether to ask for a state: only where it may turn out small, unless told."""
        keep: bool | None = self.options.get("keep_state")
        if keep is not None:
            return keep
        if self.all_times:
            return False
        arrays = 4 * (likely_depth(float(self.problem.network.depth)) + 1)
        return self.grid != "exact" or 8 * arrays * self.end**2 <= SMALL

    def lightened(self, solution: Solution) -> Solution:
        """Return the solution without a state that was not asked for, unless it is small."""
        keep = self.options.get("keep_state")
        large = solution.state_bytes > SMALL
        if keep or (keep is None and not large):
            return solution
        lighter = tuple(replace(channel, state=State()) for channel in solution.channels)
        return replace(solution, state=State(), channels=lighter)


def checked_run(problem: Problem, grid: str, end: Any, given: Mapping[str, Any]) -> Run:
    """Return a ``Run`` from what a user gave; bad values are a ``BadInput`` that names them.

    ``given`` may have more entries than options: all arguments of the call.
    """
    end = number(end, "time") if grid == "flow" else integer(end, "steps")
    for name in ("rtol", "atol") if grid == "exact" else ():
        if given.get(name) is not None:
            conflict(
                name,
                "an exact grid",
                "only coarse grids have an error to be bounded",
                f"Leave {name} out, or use grid='adaptive' or flow",
            )
    options = checked_options(given)
    check_spectrum(options, steps=grid != "flow")
    run = Run(problem, grid, end, options)
    if options.get("keep_state") and run.all_times:
        conflict(
            "keep_state",
            run.all_times,
            "a solution with them cannot be resumed",
            "Leave one of them out",
        )
    return run


def from_core(run: Run, result: SolveDict) -> Solution:
    """Return the compiled module's result as a ``Solution``."""
    named = {"series", "functions", "spectrum", "channel"}
    fields: dict[str, Any] = {name: value for name, value in result.items() if name not in named}
    arrays = by_mode(run.problem, result["series"]) | result["functions"]
    fields |= observables_from(arrays, in_channels=bool(result["channel"]))
    fields |= {"stats": SolveStats(**result["stats"]), "state": State(result["state"])}
    fields["spectrum"] = spectrum_from(result["spectrum"])
    fields |= {"grid": run.grid, "panels": np.array(result["panels"], int)}
    fields |= run.tolerances | {"average": run.options.get("average")}
    distinct = [from_core(_channel_run(run, c), r) for c, r in _distinct(result)]
    fields["channels"] = tuple(distinct[c] for c in result["channel"])
    origin = provenance(fields["stats"].threads)
    return Solution(problem=run.problem, provenance=origin, **fields)


def _distinct(result: SolveDict) -> list[tuple[int, SolveDict]]:
    """Return the results of the distinct channels, each with the first target that has it."""
    return [(result["channel"].index(i), one) for i, one in enumerate(result["channels"])]


def _channel_run(run: Run, number: int) -> Run:
    return replace(run, problem=run.problem.replace(data=channel(run.problem.data, number)))
