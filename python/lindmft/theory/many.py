"""Many problems of the theory in one call: ``solve_many`` and ``flow_many``."""

from dataclasses import replace
from typing import Any, Literal, Unpack, overload

from lindmft import _core
from lindmft._internal.options import options_like, with_defaults
from lindmft._internal.types import Callback
from lindmft._internal.validation import choice
from lindmft.problem.data import Population
from lindmft.problem.network import MLP
from lindmft.problem.optimizer import SGD
from lindmft.problem.problem import Problem, Problems, listed_problems
from lindmft.problem.scales import warn_of_sizes_among
from lindmft.progress import reporting_work
from lindmft.results.solution import Solution
from lindmft.results.stability import warn_of_instability_among
from lindmft.theory.options import FlowOptions, SolveOptions
from lindmft.theory.run import Run, checked_run, from_core
from lindmft.theory.solve import flow, solve

__all__ = ["flow_many", "solve_many"]

ANY = Problem(MLP(), Population(), SGD(lr=0.1))
"""A problem for an empty list, so that the other arguments are checked there, too."""


@overload
def solve_many(
    problems: Problems,
    steps: int,
    *,
    errors: Literal["raise"] = "raise",
    **options: Unpack[SolveOptions],
) -> list[Solution]: ...
@overload
def solve_many(
    problems: Problems, steps: int, *, errors: str, **options: Unpack[SolveOptions]
) -> list[Solution | Exception]: ...
@options_like(SolveOptions, solve, keep_state=False)
def solve_many(
    problems: Problems, steps: int, *, errors: str = "raise", **options: Unpack[SolveOptions]
) -> list[Solution] | list[Solution | Exception]:
    """Solve the theory of many problems, several at a time, each on one thread.

    Parameters
    ----------
    problems
        Problems or their dictionary forms, in any iterable; ``Problem.vary`` makes grids of them.
    steps
        As in ``solve``, the same for all problems.
    errors
        What to do if a problem fails while it is being solved. "raise": raise the error of the
        first such problem, and drop the others. "return": solve the others, and return the
        exception in the place of the solution.
    **options
        ``SolveOptions``, the same for all problems: each as in ``solve``, except for these.
        ``keep_state`` is False by default. ``threads`` is the number of problems that are solved at
        the same time. ``memory_limit`` includes all results; fewer problems than ``threads`` are in
        flight where more do not fit. ``progress`` counts the steps of all problems, on the adaptive
        grid a thousand parts of each.

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
    given = with_defaults(solve_many, options)
    grid = choice("exact", "adaptive")(given["grid"], "grid")
    listed = listed_problems(problems)
    warn_of_sizes_among(listed, "problems[{}]".format)
    return _carry_out(listed, grid, steps, given, errors)


@overload
def flow_many(
    problems: Problems,
    time: float,
    *,
    errors: Literal["raise"] = "raise",
    **options: Unpack[FlowOptions],
) -> list[Solution]: ...
@overload
def flow_many(
    problems: Problems, time: float, *, errors: str, **options: Unpack[FlowOptions]
) -> list[Solution | Exception]: ...
@options_like(FlowOptions, flow, keep_state=False)
def flow_many(
    problems: Problems, time: float, *, errors: str = "raise", **options: Unpack[FlowOptions]
) -> list[Solution] | list[Solution | Exception]:
    """Solve the gradient flow of many problems, as ``solve_many`` does their steps.

    Parameters
    ----------
    problems, errors
        As in ``solve_many``.
    time
        As in ``flow``, the same for all problems.
    **options
        ``FlowOptions``, the same for all problems: each as in ``flow``, and those that concern many
        problems as in ``solve_many``.

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
    given = with_defaults(flow_many, options)
    listed = listed_problems(problems)
    warn_of_sizes_among(listed, "problems[{}]".format)
    return _carry_out(listed, "flow", time, given, errors)


def _carry_out(
    listed: list[Problem], grid: str, end: Any, given: dict[str, Any], errors: Any
) -> list[Any]:
    choice("raise", "return")(errors, "errors")
    checked = checked_run(listed[0] if listed else ANY, grid, end, given)
    runs = [replace(checked, problem=problem) for problem in listed]
    cost = checked.cost(problems=max(1, len(listed)))
    label = "flow_many" if grid == "flow" else "solve_many"
    with reporting_work(given["progress"], label, cost) as callback:
        results = _compute(checked, listed, callback, errors == "return")
    found = [
        result if isinstance(result, Exception) else from_core(run, result)
        for run, result in zip(runs, results, strict=True)
    ]
    warn_of_instability_among(found)
    return found


def _compute(run: Run, problems: list[Problem], progress: Callback | None, keep: bool) -> list[Any]:
    core, options = [problem.as_core() for problem in problems], run.core_options()
    if run.grid == "flow":
        return _core.flow_many(core, run.end, options, return_errors=keep, progress=progress)
    with run.advising(problems):
        steps = int(run.end)
        return _core.solve_many(core, steps, options, return_errors=keep, progress=progress)
