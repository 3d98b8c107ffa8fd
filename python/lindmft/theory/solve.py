"""The infinite-size theory: ``solve`` for steps, ``flow`` for gradient flow.

Time is counted in optimizer steps, in gradient flow in learning rate times steps; an entry at t is
before the update of step t.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Unpack

from lindmft import _core
from lindmft._internal.files import check_folder
from lindmft._internal.options import options_like, with_defaults
from lindmft._internal.types import Array, Callback, Number, Numbers, Path
from lindmft._internal.validation import check_progress, choice, conflict, file_path
from lindmft.problem.averages import Average
from lindmft.problem.problem import Problem, as_problem
from lindmft.problem.scales import warn_of_sizes
from lindmft.progress import reporting_work
from lindmft.results.dense_output import requested_times
from lindmft.results.layers import Layers
from lindmft.results.observables import FUNCTIONS, LAYERED, NORMS
from lindmft.results.places import check_suffix
from lindmft.results.solution import Solution
from lindmft.results.solve_stats import SolveStats
from lindmft.results.stability import warn_of_instability
from lindmft.theory.checkpoints import checked_every, solve_with_checkpoints
from lindmft.theory.options import SolveOptions
from lindmft.theory.resume import continued
from lindmft.theory.run import Run, checked_run
from lindmft.theory.start import checked_start

__all__ = [
    "FUNCTIONS",
    "LAYERED",
    "NORMS",
    "Layers",
    "Solution",
    "SolveStats",
    "estimate_memory",
    "flow",
    "solve",
]


def solve(
    problem: Problem | Mapping[str, Any],
    steps: int,
    *,
    grid: str = "exact",
    rtol: float | None = None,
    atol: float | None = None,
    beyond_edge: str = "branch",
    saveat: Number | Numbers | None = None,
    save: Iterable[str] | str = (),
    replicas: bool = False,
    kernels: bool = False,
    modes: bool = False,
    average: Average | None = None,
    spectrum_at: Number | Numbers | None = None,
    lanczos: int | None = None,
    depth_nodes: int | None = None,
    continue_from: Solution | None = None,
    keep_state: bool | None = None,
    checkpoint: Path | None = None,
    checkpoint_every: int | None = None,
    threads: int | None = None,
    memory_limit: float | None = None,
    progress: bool | Callback | None = None,
) -> Solution:
    """Solve the theory for ``steps`` steps.

    Parameters
    ----------
    problem
        A ``Problem``, or its dictionary form.
    steps
        The number of steps: times run from 0 to steps - 1.
    grid
        "exact": every step has its row. "adaptive": a few hundred nodes among the steps, up to
        1e8 of them. With the random batches of one pass and multi pass, every step is solved, and
        the past of each is condensed to a few hundred numbers: 1e4 steps take seconds. Not for
        shuffled epochs.
    rtol, atol
        On the adaptive grid: relative error allowed in the losses, and absolute error in units of a
        function's value at the start, which counts for losses that fall to zero. None: 1e-6 and
        1e-10, or those of ``continue_from``. Exact grids have no such error and refuse both.
    beyond_edge
        On the adaptive grid, what to do where a mode becomes unstable that the grid does not
        follow (``Solution.unstable_at``). "branch": continue as if nothing disturbed the mode.
        "steps": from there on every step is a node, if at most 4000 steps are left.
    saveat
        Times at which to return the solution, ``Solution.at``; None: all steps or nodes.
    save
        Names of the two-time functions to keep (``FUNCTIONS``), or "all". Each n x n array takes
        8 n^2 bytes; the layered ones, that much per layer.
    replicas
        Also solve for pairs of networks that share initial weights, data or neither:
        ``Solution.replicas`` and ``Solution.ensemble_loss``.
    kernels
        Also compute the neural tangent kernel: ``Solution.kernel_scale``, ``kernel_target``,
        ``kernel_gradient`` and ``kernel_alignment``.
    modes
        Also give the learning curve of each mode of the spectrum: ``Solution.mode_loss`` and
        ``mode_learned``.
    average
        Also compute the test loss of averaged weights, ``Solution.average_loss``: ``lm.EMA``,
        ``lm.TailAverage`` or ``lm.CheckpointAverage``. Exact grids.
    spectrum_at
        A step, or a list of steps, before whose updates to compute the spectrum of the Hessian:
        ``Solution.spectrum``. None: none.
    lanczos
        Steps of Lanczos' method for each spectrum, 2 to 64; None: 24. More steps resolve more of
        it.
    depth_nodes
        At infinite depth, the number of collocation nodes in depth, 2 to 64; None: as many as an
        error estimate asks for.
    continue_from
        A shorter ``Solution`` of the same problem and grid that kept its state; the result covers
        all times from 0. On exact grids a schedule of learning rates may be a longer one.
    keep_state
        Keep what ``continue_from`` needs; None: if it takes at most 64 MiB.
    checkpoint
        A file to save to after each segment of the computation, with its state; its name ends in
        .nc, .nc4, .h5, .hdf5 or in nothing. If it exists, the computation is continued from it.
    checkpoint_every
        Steps of a segment on exact grids; None: a tenth of all, at least 100. On coarse grids
        segments end at powers of ten.
    threads
        Threads to use; None: the allowed physical cores. The result does not depend on it.
    memory_limit
        Bytes the call may take; None: four fifths of the free memory.
    progress
        None, True for a progress bar, or a callable ``(done, total)``; see ``lindmft.progress``.

    Returns
    -------
    Solution
        Losses, norms and what else was asked for, at n steps or nodes.

    Raises
    ------
    ValueError
        Bad input; the message names the field. Also a solution or checkpoint that cannot be
        resumed; the message says what differs.
    MemoryError
        It would take more memory than allowed, refused before it is allocated. See
        ``estimate_memory``; infinite depth may need more, for nodes that it adds.
    NotConverged
        A step did not converge, or its profiles over depth are not resolved; the message says
        where, and what to change.

    Notes
    -----
    Divergence is a result, not an error: see ``Solution.diverged_at``. Cost grows like L n^3,
    memory like L n^2 in the number n of steps or nodes. Theory sections 3, 9 and 10.

    Examples
    --------
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(), lm.FullBatch(alpha=2.0, noise=0.3), lm.SGD(lr=0.1))
    >>> lm.solve(problem, steps=3).test_loss.round(4).tolist()
    [2.0, 1.2284, 0.9347]
    >>> float(lm.solve(problem, steps=10**8, grid="adaptive").test_loss[-1].round(4))
    0.09
    """
    run, start = _checked(problem, choice("exact", "adaptive")(grid, "grid"), steps, locals())
    return _carry_out(run, saveat, start, checkpoint, checkpoint_every, progress)


def flow(
    problem: Problem | Mapping[str, Any],
    time: float,
    *,
    rtol: float | None = None,
    atol: float | None = None,
    saveat: Number | Numbers | None = None,
    save: Iterable[str] | str = (),
    replicas: bool = False,
    modes: bool = False,
    spectrum_at: Number | Numbers | None = None,
    lanczos: int | None = None,
    depth_nodes: int | None = None,
    continue_from: Solution | None = None,
    keep_state: bool | None = None,
    checkpoint: Path | None = None,
    threads: int | None = None,
    memory_limit: float | None = None,
    progress: bool | Callback | None = None,
) -> Solution:
    """Solve gradient flow, the limit of small learning rates, from 0 to ``time``.

    Parameters
    ----------
    problem
        A ``Problem``, or its dictionary form: full batch or population, without momentum. Its
        learning rate plays no role; multipliers per layer and weight decay do.
    time
        The last time, in units of learning rate times steps.
    rtol, atol
        Relative error allowed in the losses, and absolute error in units of a function's value at
        the start, which counts for losses that fall to zero. None: 1e-6 and 1e-10, or those of
        ``continue_from``.
    saveat
        Times at which to return the solution, ``Solution.at``; None: the solver's nodes.
    save, replicas, modes, lanczos, depth_nodes, continue_from, keep_state, threads, memory_limit
        As in ``solve``.
    spectrum_at
        As in ``solve``; times need not be whole.
    checkpoint
        As in ``solve``; segments end at powers of ten.
    progress
        As in ``solve``.

    Returns
    -------
    Solution
        At the solver's nodes or at ``saveat``; its times are learning rate times steps.

    Raises
    ------
    ValueError, MemoryError, NotConverged
        As in ``solve``.

    Notes
    -----
    Theory section 9. At small learning rates ``solve`` agrees with it at time = lr x steps up to
    terms of order lr.

    Examples
    --------
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(), lm.FullBatch(alpha=2.0, noise=0.3), lm.SGD(lr=0.1))
    >>> lm.flow(problem, time=1e6, saveat=[0.0, 0.5, 1e6]).test_loss.round(4).tolist()
    [2.0, 0.595, 0.09]
    """
    run, start = _checked(problem, "flow", time, locals())
    return _carry_out(run, saveat, start, checkpoint, None, progress)


@options_like(SolveOptions, solve)
def estimate_memory(
    problem: Problem | Mapping[str, Any], steps: int, **options: Unpack[SolveOptions]
) -> float:
    """Bytes that ``solve`` on an exact grid with the same arguments takes at its peak.

    At infinite depth without ``depth_nodes``: for the number of nodes that it tries first.

    Parameters
    ----------
    problem, steps
        As in ``solve``.
    **options
        ``SolveOptions``: each as in ``solve``.

    Returns
    -------
    float
        Bytes.

    Raises
    ------
    ValueError
        Bad input; the message names the field. Also ``grid="adaptive"``: such a grid takes as many
        nodes as it needs.

    Notes
    -----
    Theory section 10: all rows before the one being solved are kept, of order L n^2 numbers.

    Examples
    --------
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(), lm.Population(), lm.SGD(lr=0.1))
    >>> lm.estimate_memory(problem, steps=1000) < 1e9
    True
    """
    given = with_defaults(estimate_memory, options)
    check_progress(given["progress"])
    choice("exact")(given["grid"], "grid")
    run = checked_run(as_problem(problem), "exact", steps, given)
    return _core.estimate_solve_memory(run.problem.as_core(), int(run.end), run.core_options())


def _checked(
    problem: Any, grid: str, end: Any, given: Mapping[str, Any]
) -> tuple[Run, Solution | None]:
    """Return the computation and its start, from all arguments of a call."""
    earlier = given["continue_from"]
    start = None if earlier is None else checked_start(earlier)
    run = checked_run(as_problem(problem), grid, end, {**given, **_tolerances(grid, given, start)})
    warn_of_sizes(run.problem)
    return run, start


def _carry_out(
    run: Run,
    saveat: Any,
    earlier: Solution | None,
    checkpoint: Path | None,
    checkpoint_every: Any,
    progress: bool | Callback | None,
) -> Solution:
    every = _checked_checkpoint(run, checkpoint, checkpoint_every, earlier)
    times = _checked_saveat(run, saveat)
    start = None
    if earlier is not None:
        run, start = continued(run, earlier)
    label = "flow" if run.grid == "flow" else "solve"
    with reporting_work(progress, label, run.cost()) as callback:
        if checkpoint is not None:
            solution = solve_with_checkpoints(run, checkpoint, every, callback)
        else:
            solution = run.solve(callback, start)
    warn_of_instability(solution)
    return solution if times is None else solution.at(times)


def _tolerances(grid: str, given: Mapping[str, Any], start: Solution | None) -> dict[str, Any]:
    """Return what was given, else the tolerances that the start was solved to."""
    tolerances = {name: given[name] for name in ("rtol", "atol")}
    if start is not None and start.grid == grid:
        found = {name: getattr(start, name) for name in tolerances}
        tolerances = {name: found[name] if v is None else v for name, v in tolerances.items()}
    return tolerances


def _checked_checkpoint(run: Run, checkpoint: Any, every: Any, start: Any) -> int | None:
    if checkpoint is None:
        if every is not None:
            conflict(
                "checkpoint_every",
                "checkpoint=None",
                "it says how often a checkpoint is saved",
                "Give checkpoint a file, or leave checkpoint_every out",
            )
        return None
    file = file_path(checkpoint, "checkpoint")
    if start is not None:
        conflict(
            "continue_from",
            "checkpoint",
            "an existing checkpoint is resumed automatically",
            "Leave one of them out",
        )
    check_suffix(file, "checkpoint")
    check_folder(file)
    if run.all_times:
        conflict(
            "checkpoint",
            run.all_times,
            "a solution with them cannot be resumed",
            "Leave one of them out",
        )
    return checked_every(every, run)


def _checked_saveat(run: Run, saveat: Any) -> Array | None:
    """Return the times, checked before the work, so that a mistake does not cost it."""
    if saveat is None:
        return None
    if run.options.get("keep_state"):
        conflict(
            "keep_state",
            "saveat",
            "a solution at chosen times cannot be resumed",
            "Leave one of them out",
        )
    return requested_times(saveat, run.last_time, whole=run.grid != "flow", field="saveat")
