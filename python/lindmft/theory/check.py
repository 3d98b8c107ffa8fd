"""Checks of a computation of the theory, without computing: ``check_solve`` and ``check_flow``."""

from collections.abc import Mapping
from typing import Any, Unpack

from lindmft import _core
from lindmft._internal.options import options_like, with_defaults
from lindmft._internal.validation import check_progress, choice
from lindmft.problem.problem import Problem, Problems, as_problem, listed_problems
from lindmft.theory.many import ANY
from lindmft.theory.options import FlowOptions, SolveOptions
from lindmft.theory.run import checked_run
from lindmft.theory.solve import flow, solve

__all__ = ["check_flow", "check_solve"]


@options_like(SolveOptions, solve)
def check_solve(
    problem: Problem | Mapping[str, Any] | Problems, steps: int, **options: Unpack[SolveOptions]
) -> None:
    """Refuse everything that ``solve`` or ``solve_many`` would refuse, without solving.

    Parameters
    ----------
    problem
        A ``Problem`` or its dictionary form, or any iterable of them.
    steps
        As in ``solve``.
    **options
        ``SolveOptions``: each as in ``solve``.

    Raises
    ------
    ValueError
        Bad input: a ``BadInput``, of a list of problems with the ``index`` of the first bad one.

    Notes
    -----
    Memory is not checked: see ``estimate_memory``. Theory sections 3, 9 and 10.

    Examples
    --------
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(), lm.FullBatch(alpha=2.0), lm.SGD(lr=0.1))
    >>> lm.check_solve(problem, 100, grid="adaptive", rtol=1e-3)
    >>> try:
    ...     lm.check_solve(problem, 100, grid="adaptive", rtol=1.0)
    ... except lm.BadInput as error:
    ...     print(error)
    rtol must be between 1e-11 and 0.1, got 1.0
    """
    given = with_defaults(check_solve, options)
    _check(problem, choice("exact", "adaptive")(given["grid"], "grid"), steps, given)


@options_like(FlowOptions, flow)
def check_flow(
    problem: Problem | Mapping[str, Any] | Problems, time: float, **options: Unpack[FlowOptions]
) -> None:
    """Refuse everything that ``flow`` or ``flow_many`` would refuse, without solving.

    Parameters
    ----------
    problem
        A ``Problem`` or its dictionary form, or any iterable of them.
    time
        As in ``flow``.
    **options
        ``FlowOptions``: each as in ``flow``.

    Raises
    ------
    ValueError
        As in ``check_solve``.

    Notes
    -----
    Theory section 9.

    Examples
    --------
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(), lm.FullBatch(alpha=2.0), lm.SGD(lr=0.1, momentum=0.9))
    >>> try:
    ...     lm.check_flow([problem], time=10.0)
    ... except lm.BadInput as error:
    ...     print(error.index, error.field)
    0 optimizer.momentum
    """
    _check(problem, "flow", time, with_defaults(check_flow, options))


def _check(problem: Any, grid: str, end: Any, given: Mapping[str, Any]) -> None:
    check_progress(given["progress"])
    single = isinstance(problem, Problem | Mapping)
    problems = [as_problem(problem)] if single else listed_problems(problem)
    run = checked_run(problems[0] if problems else ANY, grid, end, given)
    cores = [one.as_core() for one in problems]
    checked: Any = cores[0] if single else cores
    if grid == "flow":
        _core.check_flow(checked, run.end, run.core_options())
    else:
        _core.check_solve(checked, int(run.end), run.core_options())
