"""Many problems of the theory in one call: ``solve_many`` and ``flow_many``."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Literal, TypedDict, Unpack, overload

from lindmft import _core
from lindmft._internal.types import Callback
from lindmft._internal.validation import choice
from lindmft.problem.data import Population
from lindmft.problem.network import MLP
from lindmft.problem.optimizer import SGD
from lindmft.problem.problem import Problem, Problems, listed_problems
from lindmft.problem.scales import warn_of_sizes_among
from lindmft.progress import reporting_work
from lindmft.results.solution import Solution
from lindmft.theory.advice import advising
from lindmft.theory.run import Run, checked_run, from_core

__all__ = ["flow_many", "solve_many"]

ANY = Problem(MLP(), Population(), SGD(lr=0.1))
"""Stands in an empty list, so that other arguments are checked there, too."""


class _Options(TypedDict, total=False):
    rtol: float | None
    atol: float | None
    save: Iterable[str] | str
    replicas: bool
    depth_nodes: int | None
    keep_state: bool
    threads: int | None
    memory_limit: float | None
    progress: bool | Callback | None


class _SolveOptions(_Options, total=False):
    grid: str
    kernels: bool


@overload
def solve_many(
    problems: Problems,
    steps: int,
    *,
    errors: Literal["raise"] = "raise",
    **options: Unpack[_SolveOptions],
) -> list[Solution]: ...
@overload
def solve_many(
    problems: Problems, steps: int, *, errors: str, **options: Unpack[_SolveOptions]
) -> list[Solution | Exception]: ...
def solve_many(
    problems: Problems,
    steps: int,
    *,
    grid: str = "exact",
    rtol: float | None = None,
    atol: float | None = None,
    save: Iterable[str] | str = (),
    replicas: bool = False,
    kernels: bool = False,
    depth_nodes: int | None = None,
    keep_state: bool = False,
    threads: int | None = None,
    memory_limit: float | None = None,
    progress: bool | Callback | None = None,
    errors: str = "raise",
) -> list[Solution] | list[Solution | Exception]:
    """Solve the theory of many problems, several at a time, each on one thread.

    Parameters
    ----------
    problems
        Problems or their dictionary forms, in any iterable; ``Problem.vary`` makes grids of them.
    steps, grid, rtol, atol, save, replicas, kernels, depth_nodes
        As in ``solve``, the same for all problems.
    keep_state
        Keep with every solution what ``continue_from`` needs.
    threads
        Problems solved at the same time; None: as many as there are allowed physical cores.
    memory_limit
        Bytes the call may take, all results included; None: four fifths of the free memory. Where
        it asks for that, fewer problems than ``threads`` are in flight.
    progress
        As in ``solve``; counts the steps of all problems, on the adaptive grid a thousand parts of
        each.
    errors
        What to do where a problem fails once it is being solved. "raise": raise the error of the
        first such problem, and give the others up. "return": go on; the exception stands in the
        place of the solution.

    Returns
    -------
    list of Solution
        In the order of the problems: to the last bit what ``solve`` gives for each.

    Raises
    ------
    ValueError
        Bad input, found before any work; ``problems[3]: ...`` where it is that of one problem.
    MemoryError
        All results together, and one problem in flight, take more memory than allowed.
    NotConverged
        As in ``solve``, with the index of the problem.

    Notes
    -----
    Divergence is a result, as in ``solve``: see ``Solution.diverged_at``. Theory sections 3, 9 and
    10.

    Examples
    --------
    Loss against learning rate, at two widths:

    >>> import numpy as np
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(depth=2), lm.FullBatch(alpha=2.0, noise=0.3), lm.SGD(lr=0.1))
    >>> axes = {"network.width": [0.5, 2.0], "optimizer.lr": [0.05, 0.1, 0.2]}
    >>> curves = lm.solve_many(problem.vary(axes), steps=20)
    >>> np.reshape([curve.test_loss[-1] for curve in curves], (2, 3)).round(2)
    array([[0.53, 0.34, 0.78],
           [0.2 , 0.11, 0.11]])
    """
    choice("exact", "adaptive")(grid, "grid")
    options = {
        "rtol": rtol,
        "atol": atol,
        "save": save,
        "replicas": replicas,
        "kernels": kernels,
        "depth_nodes": depth_nodes,
        "keep_state": keep_state,
        "threads": threads,
        "memory_limit": memory_limit,
    }
    listed = listed_problems(problems)
    warn_of_sizes_among(listed, "problems[{}]".format)
    return _carry_out(listed, grid, steps, options, progress, errors)


@overload
def flow_many(
    problems: Problems,
    time: float,
    *,
    errors: Literal["raise"] = "raise",
    **options: Unpack[_Options],
) -> list[Solution]: ...
@overload
def flow_many(
    problems: Problems, time: float, *, errors: str, **options: Unpack[_Options]
) -> list[Solution | Exception]: ...
def flow_many(
    problems: Problems,
    time: float,
    *,
    rtol: float | None = None,
    atol: float | None = None,
    save: Iterable[str] | str = (),
    replicas: bool = False,
    depth_nodes: int | None = None,
    keep_state: bool = False,
    threads: int | None = None,
    memory_limit: float | None = None,
    progress: bool | Callback | None = None,
    errors: str = "raise",
) -> list[Solution] | list[Solution | Exception]:
    """Solve the gradient flow of many problems, as ``solve_many`` does their steps.

    Parameters
    ----------
    problems, keep_state, threads, memory_limit, progress, errors
        As in ``solve_many``.
    time, rtol, atol, save, replicas, depth_nodes
        As in ``flow``, the same for all problems.

    Returns
    -------
    list of Solution
        In the order of the problems: to the last bit what ``flow`` gives for each.

    Raises
    ------
    ValueError, MemoryError, NotConverged
        As in ``solve_many``.

    Notes
    -----
    Theory section 9.

    Examples
    --------
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(), lm.FullBatch(alpha=2.0, noise=0.3), lm.SGD(lr=0.1))
    >>> flows = lm.flow_many(problem.vary({"data.alpha": [2.0, 4.0]}), time=1e4)
    >>> [float(flow.test_loss[-1].round(4)) for flow in flows]  # noise^2 / (alpha - 1)
    [0.09, 0.03]
    """
    options = {
        "rtol": rtol,
        "atol": atol,
        "save": save,
        "replicas": replicas,
        "kernels": False,
        "depth_nodes": depth_nodes,
        "keep_state": keep_state,
        "threads": threads,
        "memory_limit": memory_limit,
    }
    listed = listed_problems(problems)
    warn_of_sizes_among(listed, "problems[{}]".format)
    return _carry_out(listed, "flow", time, options, progress, errors)


def _carry_out(
    listed: list[Problem],
    grid: str,
    end: Any,
    options: dict[str, Any],
    progress: bool | Callback | None,
    errors: Any,
) -> list[Any]:
    choice("raise", "return")(errors, "errors")
    checked = checked_run(listed[0] if listed else ANY, grid, end, options)
    runs = [replace(checked, problem=problem) for problem in listed]
    cost = checked.cost(problems=max(1, len(listed)))
    label = "flow_many" if grid == "flow" else "solve_many"
    with reporting_work(progress, label, cost) as callback:
        results = _compute(checked, listed, callback, errors == "return")
    return [
        result if isinstance(result, Exception) else from_core(run, result)
        for run, result in zip(runs, results, strict=True)
    ]


def check_many(problems: Iterable[Problem], grid: str, end: float, options: dict[str, Any]) -> None:
    """Refuse what ``solve_many`` (grid "flow": ``flow_many``) would refuse, without solving."""
    rest: dict[str, Any] = {"save": (), "replicas": False, "keep_state": False, "threads": 1}
    try:
        # All input is checked before memory is: with a single byte it goes no further.
        _carry_out(list(problems), grid, end, rest | options | {"memory_limit": 1}, None, "raise")
    except MemoryError:
        return


def _compute(run: Run, problems: list[Problem], progress: Callback | None, keep: bool) -> list[Any]:
    core = [problem.as_core() for problem in problems]
    options = run.core_options(progress) | {"return_errors": keep}
    if run.grid == "flow":
        return _core.flow_many(core, run.end, **options)
    with advising(problems, run.grid, run.end, kernels=run.kernels):
        return _core.solve_many(core, int(run.end), grid=run.core_grid, **options)
