"""Sweeps: theory and training over grids of problems, with a store that survives interruptions.

dataset = lm.sweep(
    problem,
    {"network.width": [0.5, 1, 2], "optimizer.lr": np.geomspace(0.01, 0.2, 16)},
    steps=100,
    run=("solve", "train"),
    store="widths.zarr",
)
dataset.theory_test_loss.isel(time=-1).plot(x="lr", hue="width")
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path as FilePath
from time import perf_counter
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np

from lindmft._internal.memory import require_memory
from lindmft._internal.options import options_like, with_defaults
from lindmft._internal.types import Callback, Number, Numbers, Path
from lindmft._internal.validation import bytes_or_default, conflict, file_path, flag
from lindmft.problem.axes import Axes, short
from lindmft.problem.problem import Problem, as_problem
from lindmft.problem.scales import warn_of_sizes_among
from lindmft.progress import reporting
from lindmft.results.dataset import check_sweep
from lindmft.sweeps.contents import open_group, read_group
from lindmft.sweeps.engines import engine_maker
from lindmft.sweeps.loop import carry_out, outcome, unfinished
from lindmft.sweeps.options import SweepOptions
from lindmft.sweeps.plan import make_plan
from lindmft.sweeps.reuse import find_earlier, reuse_advice
from lindmft.sweeps.stages import DIVERGED, DONE, FAILED, PENDING, UNTRAINABLE
from lindmft.sweeps.store import open_store
from lindmft.theory.solve import solve
from lindmft.training.train import train

if TYPE_CHECKING:
    from concurrent.futures import Executor

    import xarray as xr

__all__ = ["open_sweep", "sweep", "sweep_summary"]

SHOWN = 10
"""Maximum number of failures that a summary lists."""


@options_like(SweepOptions, solve, train)
def sweep(
    problem: Problem | Mapping[str, Any],
    axes: Axes,
    steps: int | None = None,
    *,
    run: str | Iterable[str] = "solve",
    time: float | None = None,
    times: int | str | Numbers | Number | None = None,
    observables: str | Iterable[str] = ("test_loss", "train_loss"),
    store: Path | None = None,
    engine: "str | Executor | Any" = "threads",
    threads: int | None = None,
    memory_limit: float | None = None,
    progress: bool | Callback | None = None,
    retry_failed: bool = False,
    reuse: Path | None = None,
    **options: Unpack[SweepOptions],
) -> "xr.Dataset":
    """Solve and train every problem of a grid, and return a labelled dataset.

    Parameters
    ----------
    problem
        The problem that the points vary: a ``Problem`` or its dictionary form.
    axes
        Paths into the problem, each with the values it takes, as in ``Problem.vary``. Paths in a
        tuple move together: ``{("network.depth", "optimizer.lr"): [(2, 0.1), (4, 0.05)]}``. Values
        in a dictionary have labels: ``{"optimizer.lr": {"constant": 0.1, "decay": rates}}``.
    steps
        n, the number of steps of every run: t = 0 .. n - 1.
    run
        "solve", "train", or both; or "flow", gradient flow up to ``time`` instead of steps.
    time
        The end of "flow", in units of learning rate times steps.
    times
        The times that are kept: a list, "last", or their largest number; they are then evenly
        spaced on a logarithmic axis, with the first and the last. None: at most 200.
    observables
        The series that are kept: of ``Solution`` "test_loss", "train_loss", "term_target",
        "term_init", "term_data", "feature_norm", "gradient_norm", "kernel_scale", "kernel_target"
        and "kernel_gradient", and with ``average`` "average_loss"; training has the losses and
        norms among them.
    store
        A folder, made if it is not there: a Zarr store (format 3), written during the sweep. The
        same call continues with what is missing, also after the process was killed. None: in
        memory.
    engine
        "threads" of this process; "processes"; "dask", a local cluster; the address of a Dask
        scheduler ("tcp://host:8786"), or a ``distributed.Client``; or any
        ``concurrent.futures.Executor`` whose workers have lindmft.
    threads
        With "threads", the threads of all blocks together; with "processes" and "dask", the number
        of workers with one thread each; None: the allowed physical cores. With other engines, the
        threads of each task; None: 1.
    memory_limit
        Bytes that the engine "threads" may take; None: four fifths of the free memory each time.
    progress
        None, True for a progress bar (rate and time left; quiet in logs), or a callable
        ``(done, total)`` that counts points; one that is solved and trained counts twice.
    retry_failed
        Compute the blocks with failed points again, for example on a machine with more memory.
    reuse
        An earlier store, which is only read. Points of the same problem are copied from it, if it
        was made with the same steps, times, observables and options, by a version of lindmft with
        the same numbers (all of 0.1 and 0.2); axes and seeds may differ. Only the rest is computed.
    **options
        ``SweepOptions``. Options of the theory are as in ``solve`` and ``flow``, those of the
        training as in ``train``. Every point has the same networks, so that points differ by their
        problems and not by chance. Points of infinite width or depth are not trained.

    Returns
    -------
    xarray.Dataset
        Dimensions: one for each axis, then ``seed`` (training), ``layer`` (norms) and ``time``.
        Arrays ``theory_test_loss``, ``training_test_loss`` and so on; ``theory_status`` and
        ``training_status``, 1 done, 2 diverged, 3 failed, 4 cannot be trained;
        ``theory_diverged_at`` and ``training_diverged_at``, a step or -1. Past a divergence values
        are inf: diverged points are results. A value is nan where it does not exist: layers beyond
        a network's depth, kernels along vectors that are zero, points that failed or cannot be
        trained. The attributes hold the whole configuration, versions, failures (``errors``), why
        points cannot be trained (``untrainable``), and what was copied (``reused``).

    Raises
    ------
    ValueError
        Bad input, found before any work: a path or value that makes no problem, with the point; a
        store of another sweep, with the differences; a grid of which no point can be trained.
    FileNotFoundError
        If there is no store at ``reuse``.
    RuntimeError
        Workers were lost repeatedly; finished blocks stay in the store. Also if a script starts
        "processes" without the guard ``if __name__ == "__main__":``.
    ImportError
        If xarray and zarr 3 are not installed (``pip install 'lindmft[sweep]'``), or
        ``distributed`` for Dask.

    Notes
    -----
    Points are computed in blocks of up to a second of work (a point that takes longer is a block),
    and stored block by block. If the process is killed, finished blocks stay, and the others are
    computed again. Blocks are the same on every engine and machine, so that results are equal to
    the last bit. Points that fail (no convergence, memory) do not end the sweep: ``sweep_summary``
    lists them, and only ``retry_failed`` computes them again. Reused values of the theory are equal
    to the last bit to computed ones (on machines with the same instruction set), and those of
    training up to rounding, because networks share products within blocks.

    With "processes", the script that calls needs the guard ``if __name__ == "__main__":``.

    Sweeps like those of Bordelon and Pehlevan (2025), figures 2, 5 and 7. Every point is computed
    by ``solve``, ``flow`` and ``train_many``.

    Examples
    --------
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(depth=2), lm.FullBatch(alpha=2.0, noise=0.3), lm.SGD(lr=0.1))
    >>> axes = {"network.width": [0.5, 2.0], "optimizer.lr": [0.05, 0.1, 0.2]}
    >>> dataset = lm.sweep(problem, axes, steps=20)
    >>> dataset.theory_test_loss.sel(width=2.0).isel(time=-1).round(2).values
    array([0.2 , 0.11, 0.11])
    """
    given = with_defaults(sweep, options)
    arguments = {
        "run": run,
        "steps": steps,
        "time": time,
        "times": times,
        "observables": observables,
        **{name: given[name] for name in SweepOptions.__annotations__},
    }
    bytes_or_default(memory_limit)
    place = None if store is None else file_path(store, "store")
    again = flag(retry_failed, "retry_failed")
    source = _source(reuse, place)
    start, make_engine = perf_counter(), engine_maker(engine, threads, memory_limit)
    plan = make_plan(as_problem(problem), axes, arguments)
    warn_of_sizes_among(plan.problems, plan.label_of)
    with reporting(progress, "sweep", unit="point") as report:
        require_memory(plan.bytes, "the dataset of the sweep")
        earlier = None if source is None else find_earlier(source, plan)
        kept = open_store(plan, place, lambda: reuse_advice(place, plan) if place else "")
        # A store that was begun by another version may have other blocks.
        kept.earlier = None if earlier is None else replace(earlier, plan=kept.plan)
        items, tally = unfinished(kept, report, retry=again)
        if items:
            carry_out(kept, make_engine(len(items)), items, tally)
    dataset = kept.dataset()
    return dataset.assign_attrs(outcome(tally, perf_counter() - start))


def _source(reuse: Path | None, store: FilePath | None) -> FilePath | None:
    """Return the path of the earlier store."""
    if reuse is None:
        return None
    source = file_path(reuse, "reuse")
    if store is not None and source.resolve() == store.resolve():
        conflict(
            "reuse",
            "the same folder as store",
            "the earlier store is only read",
            "Give the new store another name",
        )
    return source


def open_sweep(store: Path) -> "xr.Dataset":
    """Read the dataset of a store, finished or not; missing points have status 0.

    ``xarray.open_zarr(store)`` reads the same without loading it, with labels as attributes.

    Parameters
    ----------
    store
        The folder that ``sweep`` wrote.

    Returns
    -------
    xarray.Dataset
        As ``sweep`` returns it.

    Raises
    ------
    FileNotFoundError
        If the folder does not exist.
    ValueError
        If it is no store of a sweep, or one of a newer version.

    Examples
    --------
    >>> import tempfile
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(), lm.FullBatch(alpha=2.0), lm.SGD(lr=0.1))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     kept = lm.sweep(problem, {"data.alpha": [1, 2]}, steps=5, store=f"{folder}/a.zarr")
    ...     lm.open_sweep(f"{folder}/a.zarr").equals(kept)
    True
    """
    return read_group(open_group(file_path(store, "store")))


def sweep_summary(dataset: "xr.Dataset") -> str:
    """Summarize a sweep in a few lines: how many points are done, diverged, failed or missing.

    Failures are listed, with the points that cannot be trained, the points that were copied from an
    earlier store, and the time.

    Parameters
    ----------
    dataset
        The result of ``sweep`` or ``open_sweep``.

    Returns
    -------
    str
        The lines, to be printed.

    Raises
    ------
    ValueError
        If ``dataset`` is anything else.

    Examples
    --------
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(), lm.FullBatch(alpha=2.0), lm.SGD(lr=0.1))
    >>> dataset = lm.sweep(problem, {"optimizer.lr": [0.1, 0.2, 30]}, steps=20)
    >>> print(lm.sweep_summary(dataset).splitlines()[0])
    theory: 3 points, 2 done, 1 diverged
    """
    check_sweep(dataset)
    runs = [run for run in ("theory", "training") if f"{run}_status" in dataset]
    lines = [f"{run}: {_counts(dataset[f'{run}_status'].values)}" for run in runs]
    reasons = json.loads(dataset.attrs.get("untrainable", "{}"))
    lines += [f"cannot be trained: {n} points, {reason}" for reason, n in reasons.items()]
    lines += [_reused(found) for found in json.loads(dataset.attrs.get("reused", "[]"))]
    failures = json.loads(dataset.attrs.get("errors", "[]"))
    for failure in failures[:SHOWN]:
        where = ", ".join(f"{name}={short(value)}" for name, value in failure["point"].items())
        lines.append(f"failed: {failure['run']} at {where}: {failure['error']}")
    if len(failures) > SHOWN:
        lines.append(f"... and {len(failures) - SHOWN} more failed")
    if "seconds" in dataset.attrs:
        lines.append(_effort(dataset.attrs))
    return "\n".join(lines)


def _counts(states: "np.ndarray[Any, Any]") -> str:
    named = {
        "done": DONE,
        "diverged": DIVERGED,
        "failed": FAILED,
        "cannot be trained": UNTRAINABLE,
        "missing": PENDING,
    }
    found = {name: int((states == state).sum()) for name, state in named.items()}
    shown = [f"{count} {name}" for name, count in found.items() if count or name == "done"]
    return ", ".join([f"{states.size} points", *shown])


def _reused(found: Mapping[str, Any]) -> str:
    """Describe values that were copied from an earlier store."""
    what = "" if found["seeds"] is None else f"{found['seeds']} seeds at "
    return (
        f"reused: {what}{found['points']} points of {found['run']}, from {found['store']} "
        f"(lindmft {found['lindmft']})"
    )


def _effort(attrs: Mapping[str, Any]) -> str:
    computed, seconds = attrs["points_computed"], attrs["seconds"]
    rate = f" ({computed / seconds:.3g} a second)" if computed and seconds > 0 else ""
    found = f", {attrs['points_found']} found in the store" if attrs["points_found"] else ""
    copied = f", {attrs['points_reused']} reused" if attrs.get("points_reused") else ""
    return f"{computed} computed in {seconds:.1f} s{rate}{found}{copied}"
