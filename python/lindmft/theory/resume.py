"""Resuming a solution: the checks that it fits, and its form for the compiled module."""

from dataclasses import asdict
from typing import Any

import numpy as np

from lindmft._internal.difference import first_difference
from lindmft._internal.validation import conflict, describe, refuse
from lindmft.results.observables import resumed
from lindmft.results.solution import Solution
from lindmft.results.state import STATE_VERSION
from lindmft.theory.run import Run

SCHEDULES = {"optimizer": ("lr", "momentum"), "data": ("alpha", "batch")}
"""Fields that may have an entry for each step, by the tables of a problem."""


def continued(run: Run, start: Solution) -> tuple[Run, dict[str, Any]]:
    """Return the run with the options of ``start``, and ``start`` in the compiled module's form.

    A ``ValueError`` says why it cannot be resumed.
    """
    check_same_computation(run, start, "continue_from")
    if not run.end > covered(start):
        refuse(run.extent, f"more than the {covered(start):g} of continue_from", run.end)
    check_resumable(start, "continue_from")
    if run.problem.network.depth == np.inf:
        run = run.with_options(depth_nodes=len(start.depth))
    return run, to_core(start)


def covered(solution: Solution) -> float:
    """Return the steps or the time that a solution covers."""
    last = float(solution.time[-1])
    return last if solution.grid == "flow" else last + 1


def check_same_computation(run: Run, start: Solution, name: str) -> None:
    """Refuse a start from another problem or grid, or to other tolerances."""
    if run.all_times:
        conflict(
            name,
            run.all_times,
            "a solution with them cannot be resumed",
            "Leave one of them out",
        )
    if start.grid != run.grid:
        refuse("grid", f"that of {name} ({start.grid!r})", run.grid)
    for field, mine in run.tolerances.items():
        theirs = getattr(start, field)
        if mine != theirs:
            refuse(field, f"that of {name} ({theirs!r})", mine)
    if difference := first_difference(*_tables(run, start)):
        field, mine, theirs = difference
        refuse(field, f"that of {name} ({describe(theirs)})", mine)
    nodes = len(start.depth)
    asked = run.options.get("depth_nodes", nodes)
    if run.problem.network.depth == np.inf and asked != nodes:
        refuse("depth_nodes", f"that of {name} ({nodes})", asked)


def check_resumable(start: Solution, name: str) -> None:
    """Refuse a start that has diverged or has no state to resume from."""
    if start.diverged_at is not None:
        refuse(name, "a solution that did not diverge", f"diverged at step {start.diverged_at}")
    parts = start.channels or (start,)
    if not all(part.state for part in parts):
        refuse(
            name,
            "a solution that kept its state (solve(..., keep_state=True) keeps one of any size, "
            "and save(...) writes it to the file)",
            start.state,
        )
    for version in {part.state.version for part in parts} - {STATE_VERSION}:
        raise ValueError(
            f"{name} must have a state of version {STATE_VERSION}, got version {version}: its "
            "results stay readable, but another version of lindmft cannot resume from it"
        )


def to_core(solution: Solution) -> dict[str, Any]:
    """Return a start in the form of the compiled module's results, in which it takes one."""
    norms = solution.problem.data.channel_norms if solution.channels else ()
    kinds = list(dict.fromkeys(norms))
    distinct = [solution.channels[norms.index(norm)] for norm in kinds]
    return {
        "time": solution.time,
        "depth": solution.depth,
        "series": {one.name: getattr(solution, one.name) for one in resumed(solution)},
        "panels": solution.panels.tolist(),
        "diverged_at": solution.diverged_at,
        "unstable_at": solution.unstable_at,
        "predictable_until": solution.predictable_until,
        "stats": asdict(solution.stats),
        "state": dict(solution.state),
        "channels": [to_core(channel) for channel in distinct],
        "channel": [kinds.index(norm) for norm in norms],
    }


def _tables(run: Run, start: Solution) -> tuple[dict[str, Any], dict[str, Any]]:
    """Both problems as dictionaries, rates where they matter, schedules as far as used."""
    mine, theirs = run.problem.to_dict(), start.problem.to_dict()
    if run.grid == "flow":
        del mine["optimizer"]["lr"], theirs["optimizer"]["lr"]
    elif run.counted:
        done = len(start.time)
        for tables in (mine, theirs):
            for table, names in SCHEDULES.items():
                used = {name: _schedule(tables[table].get(name), done) for name in names}
                tables[table] |= used
    return mine, theirs


def _schedule(given: Any, steps: int) -> Any:
    """The entries of the first steps; of a constant one, that entry."""
    entries = given[:steps] if isinstance(given, list) else [given]
    return entries[0] if len(set(entries)) == 1 else entries
