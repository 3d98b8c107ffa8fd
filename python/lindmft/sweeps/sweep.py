"""Sweeps: theory and training over grids of problems, in a store that survives, on any engine.

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
from collections.abc import Iterable, Mapping, Sequence
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from lindmft._internal.memory import require_memory
from lindmft._internal.types import Callback, Number, Numbers, Path
from lindmft._internal.validation import bytes_or_default, file_path, flag
from lindmft.problem.axes import Axes, short
from lindmft.problem.problem import Problem, as_problem
from lindmft.progress import reporting
from lindmft.results.dataset import check_sweep
from lindmft.results.statistics import DOUBLE
from lindmft.sweeps.engines import engine_maker
from lindmft.sweeps.loop import carry_out, outcome, unfinished
from lindmft.sweeps.plan import make_plan
from lindmft.sweeps.stages import DIVERGED, DONE, FAILED, PENDING
from lindmft.sweeps.store import open_group, open_store, read_group

if TYPE_CHECKING:
    from concurrent.futures import Executor

    import xarray as xr

__all__ = ["open_sweep", "sweep", "sweep_summary"]

SHOWN = 10
"""Failures that a summary lists."""


def sweep(
    problem: Problem | Mapping[str, Any],
    axes: Axes,
    steps: int | None = None,
    *,
    run: str | Iterable[str] = "solve",
    time: float | None = None,
    times: int | str | Numbers | Number | None = None,
    observables: str | Iterable[str] = ("test_loss", "train_loss"),
    grid: str = "exact",
    rtol: float | None = None,
    atol: float | None = None,
    depth_nodes: int | None = None,
    dim: int | None = None,
    seeds: int | Sequence[int] = 8,
    seed: int = 0,
    dtype: str = DOUBLE,
    store: Path | None = None,
    engine: "str | Executor | Any" = "threads",
    threads: int | None = None,
    memory_limit: float | None = None,
    progress: bool | Callback | None = None,
    retry_failed: bool = False,
) -> "xr.Dataset":
    """Solve and train every problem of a grid; a labelled dataset.

    Parameters
    ----------
    problem
        What the points have in common: a ``Problem`` or its dictionary form.
    axes
        Paths into the problem, each with the values it takes, as in ``Problem.vary``. Paths in a
        tuple move together: ``{("network.depth", "optimizer.lr"): [(2, 0.1), (4, 0.05)]}``. Values
        in a dictionary have labels: ``{"optimizer.lr": {"constant": 0.1, "decay": rates}}``.
    steps
        n, of every run: t = 0 .. n - 1.
    run
        "solve", "train", or both; or "flow", gradient flow up to ``time``, in the place of steps.
    time
        Of "flow" alone: where it ends, in units of learning rate times steps.
    times
        Which times are kept: a list of them, "last", or at most how many, evenly spaced on a
        logarithmic axis with the first and the last. None: 200 at most.
    observables
        Which series are kept: of ``Solution`` "test_loss", "train_loss", "term_target",
        "term_init", "term_data", "feature_norm", "gradient_norm", "kernel_scale", "kernel_target"
        and "kernel_gradient"; training has the losses and norms among them.
    grid, rtol, atol, depth_nodes
        Of the theory, as in ``solve`` and ``flow``.
    dim, seeds, seed, dtype
        Of the training, as in ``train_many``: the same networks at every point, so that points
        differ by their problems and not by chance.
    store
        A folder, made if it is not there: a Zarr store (format 3), written as the sweep goes. The
        same call goes on with what is missing, also after the process was killed. None: in memory.
    engine
        "threads" of this process; "processes"; "dask", a local cluster; the address of a Dask
        scheduler ("tcp://host:8786"), or a ``distributed.Client``; or any
        ``concurrent.futures.Executor``, whose workers have to have lindmft.
    threads
        With "threads", all together; with "processes" and "dask", how many workers of one thread;
        None: the allowed physical cores. With other engines, of each task; None: 1.
    memory_limit
        Bytes that the engine "threads" may take; None: four fifths of the free memory each time.
    progress
        None, True for a progress bar (rate and time left; quiet in logs), or a callable
        ``(done, total)`` that counts points; one that is solved and trained counts twice.
    retry_failed
        Compute the blocks with points that failed once more, on a machine with more memory, say.

    Returns
    -------
    xarray.Dataset
        Dimensions: one an axis, then ``seed`` (training), ``layer`` (norms) and ``time``. Arrays
        ``theory_test_loss``, ``training_test_loss`` and so on; ``theory_status`` and
        ``training_status``, 1 done, 2 diverged, 3 failed; ``theory_diverged_at`` and
        ``training_diverged_at``, a step or -1. Past a divergence values are inf: diverged points
        are results. A value is nan where it does not exist: layers beyond a network's depth,
        kernels along vectors that are zero, points that failed. The attributes hold the whole
        configuration, versions and failures.

    Raises
    ------
    ValueError
        Bad input, found before any work: a path or value that makes no problem, with the point; a
        store of another sweep, with what differs.
    RuntimeError
        Workers were lost again and again; what is finished stays in the store.
    ImportError
        If xarray and zarr are not installed (``pip install 'lindmft[sweep]'``), or ``distributed``
        for Dask.

    Notes
    -----
    Points are computed by blocks of up to a second of work (a point that takes longer is a block),
    and kept block by block: kill the process at any moment, and blocks that are finished stay,
    others are computed again as if never begun. Blocks are the same on every engine and machine,
    so that results are, too, to the last bit. Points that fail (no convergence, memory) do not end
    the sweep; ``sweep_summary`` lists them, and only ``retry_failed`` tries them again.

    On "processes" the module that calls needs the guard ``if __name__ == "__main__":``.

    Sweeps like those of Bordelon and Pehlevan (2025), figures 2, 5 and 7; what a point computes is
    that of ``solve``, ``flow`` and ``train_many``.

    Examples
    --------
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(depth=2), lm.FullBatch(alpha=2.0, noise=0.3), lm.SGD(lr=0.1))
    >>> axes = {"network.width": [0.5, 2.0], "optimizer.lr": [0.05, 0.1, 0.2]}
    >>> dataset = lm.sweep(problem, axes, steps=20)
    >>> dataset.theory_test_loss.sel(width=2.0).isel(time=-1).round(2).values
    array([0.2 , 0.11, 0.11])
    """
    arguments = {
        "run": run,
        "steps": steps,
        "time": time,
        "times": times,
        "observables": observables,
        "grid": grid,
        "rtol": rtol,
        "atol": atol,
        "depth_nodes": depth_nodes,
        "dim": dim,
        "seeds": seeds,
        "seed": seed,
        "dtype": dtype,
    }
    bytes_or_default(memory_limit)
    place = None if store is None else file_path(store, "store")
    again = flag(retry_failed, "retry_failed")
    start, make_engine = perf_counter(), engine_maker(engine, threads, memory_limit)
    with reporting(progress, "sweep", unit="point") as report:
        plan = make_plan(as_problem(problem), axes, arguments)
        require_memory(plan.bytes, "the dataset of the sweep")
        kept = open_store(plan, place)
        items, tally = unfinished(kept, report, retry=again)
        if items:
            carry_out(kept, make_engine(len(items)), items, tally)
    dataset = kept.dataset()
    return dataset.assign_attrs(outcome(tally, perf_counter() - start))


def open_sweep(store: Path) -> "xr.Dataset":
    """The dataset of a store, finished or not; points that are missing have status 0.

    ``xarray.open_zarr(store)`` reads the same without loading it, with labels as attributes.

    Parameters
    ----------
    store
        The folder that was given to ``sweep``.

    Returns
    -------
    xarray.Dataset
        As ``sweep`` returns it.

    Raises
    ------
    FileNotFoundError
        If nothing is there.
    ValueError
        If something else is there, or a store of a newer version.

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
    """A few lines: how many points are done, diverged, failed (and of what), missing; the time.

    Parameters
    ----------
    dataset
        What ``sweep`` or ``open_sweep`` returns.

    Returns
    -------
    str
        To be printed.

    Raises
    ------
    ValueError
        If it is something else.

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
    named = {"done": DONE, "diverged": DIVERGED, "failed": FAILED, "missing": PENDING}
    found = {name: int((states == state).sum()) for name, state in named.items()}
    shown = [f"{count} {name}" for name, count in found.items() if count or name == "done"]
    return ", ".join([f"{states.size} points", *shown])


def _effort(attrs: Mapping[str, Any]) -> str:
    computed, seconds = attrs["points_computed"], attrs["seconds"]
    rate = f" ({computed / seconds:.3g} a second)" if computed and seconds > 0 else ""
    found = f", {attrs['points_found']} found in the store" if attrs["points_found"] else ""
    return f"{computed} computed in {seconds:.1f} s{rate}{found}"
