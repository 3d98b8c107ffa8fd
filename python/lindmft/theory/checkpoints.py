"""Long computations in segments, each saved with its state: a killed one resumes."""

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path as FilePath
from typing import Any

import numpy as np

from lindmft._internal.types import Callback, Path
from lindmft._internal.validation import conflict, integer, refuse
from lindmft.results.dense_output import extended
from lindmft.results.observables import FUNCTIONS
from lindmft.results.solution import Solution
from lindmft.theory.resume import check_resumable, check_same_computation, covered, to_core
from lindmft.theory.run import Run
from lindmft.theory.start import checked_start

FIRST_STOP = {"adaptive": 1000.0, "flow": 1.0}
FEWEST_STEPS = 100


def solve_with_checkpoints(
    run: Run, path: Path, every: int | None, progress: Callback | None
) -> Solution:
    """Solve in segments, from where the file ends if there is one."""
    stops = _stops(run, every)
    segment = run.with_options(save=(), spectrum_at=(), keep_state=True)
    solution = _resumed(run, path) if FilePath(path).exists() else None
    for stop in stops:
        if solution is not None and (solution.diverged_at is not None or stop <= covered(solution)):
            continue
        last = stop == run.end
        part = replace(segment, end=stop)
        if last:
            asked = {name: run.options.get(name, ()) for name in ("save", "spectrum_at")}
            part = part.with_options(**asked)
        if solution is not None and run.problem.network.depth == np.inf:
            part = part.with_options(depth_nodes=len(solution.depth))
        start = None if solution is None else to_core(solution)
        solution = part.solve(_of_the_whole(progress, run), start)
        solution.save(path)
    assert solution is not None  # the last stop is the end
    behind = bool(solution.channels) and covered(solution) < run.end
    if solution.diverged_at is None or not (behind or _missing(run, solution)):
        return _finished(run, solution)
    # The other channels have only come to the end of a segment, and segments save no functions.
    solution = run.solve(progress)
    solution.save(path)
    return solution


def checked_every(value: Any, run: Run) -> int | None:
    """The number of steps between checkpoints, or None for the default."""
    if value is None:
        return None
    if not run.counted:
        conflict(
            "checkpoint_every",
            "a coarse grid",
            "its segments end at powers of ten",
            "Leave checkpoint_every out",
        )
    every = integer(value, "checkpoint_every")
    if every < 1:
        refuse("checkpoint_every", "at least 1", value)
    return every


def _stops(run: Run, every: int | None) -> Iterator[float]:
    """Yield the ends of segments: multiples of ``every``, or powers of ten, and the end."""
    if run.counted:
        length = every or max(FEWEST_STEPS, int(run.end) // 10)
        yield from range(length, int(run.end), length)
    else:
        stop = FIRST_STOP[run.grid]
        while stop < run.end:
            yield stop
            stop *= 10
    yield run.end


def _of_the_whole(progress: Callback | None, run: Run) -> Callback | None:
    """Report steps of the whole run, not of a segment; coarse grids count fractions."""
    if progress is None or not run.counted:
        return progress
    callback = progress
    return lambda done, _total: callback(done, int(run.end))


def _resumed(run: Run, path: Path) -> Solution:
    """Return the file's solution; a ``ValueError`` says why this run cannot resume from it."""
    name = f"the checkpoint {path}"
    solution = checked_start(Solution.load(path), name)
    check_same_computation(run, solution, name)
    if covered(solution) > run.end:
        refuse(run.extent, f"at least the {covered(solution):g} of {name}", run.end)
    if solution.diverged_at is None and covered(solution) < run.end:
        check_resumable(solution, name)
    else:
        for field, what in _missing(run, solution).items():
            refuse(field, f"among what {name} kept, which is finished", what)
    return solution


def _missing(run: Run, solution: Solution) -> dict[str, Any]:
    """Return what the run asks for and the solution does not have, by the name of the option."""
    save: tuple[str, ...] = run.options.get("save", ())
    functions = [name for name in (FUNCTIONS if "all" in save else save) if not solution.has(name)]
    found: dict[str, Any] = {"save": functions} if functions else {}
    times = run.options.get("spectrum_at", ())
    if not times:
        return found
    parts = solution.channels or (solution,)
    spectra = [part.spectrum for part in parts if part.has("spectrum")]
    if not spectra or any(tuple(spectrum.time) != times for spectrum in spectra):
        return found | {"spectrum_at": times}
    steps = run.core_options().lanczos
    return found if spectra[0].lanczos == steps else found | {"lanczos": steps}


def _finished(run: Run, solution: Solution) -> Solution:
    """Return the solution as a single call gives it: up to the end, with a state only if kept."""
    if covered(solution) < run.end:
        solution = _extended(solution, run)
    return run.lightened(solution)


def _extended(solution: Solution, run: Run) -> Solution:
    """Return a diverged solution with inf up to the end: at every step, or the last one only."""
    first, last = math.floor(covered(solution)), int(run.last_time)
    more = np.arange(first, last + 1.0) if run.counted else np.array([float(last)])
    longer: Solution = extended(solution, more)
    return longer
