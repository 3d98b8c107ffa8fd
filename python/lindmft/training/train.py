"""Training finite-size networks: ``train`` and ``train_many``.

Time is counted in optimizer steps; an entry at t is before the update of step t.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from lindmft import _core
from lindmft._internal.types import Callback, Path, TrainDict
from lindmft._internal.validation import (
    bytes_or_default,
    flag,
    integer,
    is_list,
    refuse,
    threads_or_default,
)
from lindmft.problem.problem import Problem, Problems, as_problem, listed_problems
from lindmft.problem.scales import warn_of_sizes, warn_of_sizes_among
from lindmft.progress import reporting
from lindmft.results.ensemble import Ensemble, Series, ensemble_from_core
from lindmft.results.replica_ensemble import ReplicaEnsemble
from lindmft.results.statistics import DOUBLE, SINGLE, TrainStats, single_precision
from lindmft.training.checkpoints import (
    SMALL,
    Training,
    checked_checkpoint,
    train_with_checkpoints,
)
from lindmft.training.finite import DIM, default_dim, finite
from lindmft.training.replicas import train_replicas
from lindmft.training.seeds import seed_list

__all__ = [
    "Ensemble",
    "ReplicaEnsemble",
    "Series",
    "TrainStats",
    "estimate_train_memory",
    "train",
    "train_many",
    "train_replicas",
]


def train(
    problem: Problem | Mapping[str, Any],
    steps: int,
    *,
    dim: int | None = None,
    seeds: int | Sequence[int] = 8,
    seed: int = 0,
    threads: int | None = None,
    memory_limit: float | None = None,
    progress: bool | Callback | None = None,
    kernels: bool = False,
    updates: bool = False,
    noise_draw: int = 0,
    dtype: str = DOUBLE,
    checkpoint: Path | None = None,
    checkpoint_every: int | None = None,
) -> Ensemble:
    """Train finite-size networks, one for each seed, for ``steps`` steps.

    Parameters
    ----------
    problem
        A ``Problem`` of finite width and depth and positive gamma0, or its dictionary form.
    steps
        n, the number of times t = 0 .. n - 1.
    dim
        D, the input dimension; widths are round(width D), samples round(alpha D). None:
        ``data.inputs``, or 256. With a trace-class spectrum the number of leading modes that are
        kept, each as it is: the tail is dropped. None: all of them, of a power law at most the
        first 1024.
    seeds
        The number of networks, or a list of their seeds.
    seed
        Which stream of networks, if ``seeds`` is a number: 0, 1, ... Different streams share no
        network, weight or sample; network k of stream s has the seed ``2**32 s + k``. The same
        seed in another call gives the same random numbers.
    threads
        Threads to use; None: the allowed physical cores. A seed's trajectory does not depend on it.
    memory_limit
        Bytes the call may take; None: four fifths of the free memory.
    progress
        None, True for a progress bar, or a callable ``(done, total)``; see ``lindmft.progress``.
    kernels
        Also record the neural tangent kernel's ``kernel_gradient``, ``kernel_target`` and
        ``kernel_scale``, at the cost of two more forward passes a step. One target only.
    updates
        Also record ``feature_update`` and ``gradient_update``: how far h^l and g^l have moved since
        initialization.
    noise_draw
        Which independent draw of the label noise, on the same weights and inputs: 0, 1, ...
    dtype
        "float64", or "float32" for weights, data and signals in single precision: the same random
        numbers, rounded, and half the memory. Observables are doubles either way.
    checkpoint
        A file to save to after each segment of the computation. If it exists, the computation
        resumes from it; it must be of the same problem, steps, dim, seeds, dtype and records. Once
        all is done, it is the file of the ensemble.
    checkpoint_every
        Steps of a segment; None: a tenth of all, at least 100, and segments that took less than ten
        times as long as a save are not saved.

    Returns
    -------
    Ensemble
        Losses and norms of every network at every step, with ``mean`` and ``sem``.

    Raises
    ------
    ValueError
        Bad input; the message names the field. Also a checkpoint that cannot be resumed, found
        before any work.
    MemoryError
        Refused before allocating; see ``estimate_train_memory``.

    Notes
    -----
    A step costs P D + sum N_l N_{l+1} operations for each output. How weights are kept depends on
    sizes and steps (``stats.method``), and the last bits with it. Theory sections 2, 4, 8 and 11.

    With a checkpoint, networks are trained in blocks: as many as there are threads, or as fit into
    64 MiB. The file holds the series of all networks, and of the block in progress the weights,
    with momentum twice. A resumed call gives bit for bit what an uninterrupted one gives, with
    checkpoints or without, on any number of threads; on a machine with other instruction sets, up
    to rounding.

    Examples
    --------
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(), lm.OnePass(alpha=0.5), lm.SGD(lr=0.1))
    >>> lm.train(problem, steps=10, dim=32, seeds=[3, 5]).seeds
    (3, 5)
    """
    problem = as_problem(problem)
    core, size = finite(problem, dim)
    count, single = integer(steps, "steps"), single_precision(dtype)
    file, every = checked_checkpoint(checkpoint, checkpoint_every)
    listed = seed_list(seeds, seed)
    options: dict[str, Any] = {
        "dim": size,
        "threads": threads_or_default(threads),
        "memory_limit": bytes_or_default(memory_limit),
        "kernels": flag(kernels, "kernels"),
        "updates": flag(updates, "updates"),
        "noise_draw": _draw(noise_draw, "noise_draw"),
        "single_precision": single,
    }
    warn_of_sizes(problem)
    with reporting(progress, "train") as callback:
        if file is None:
            result = _core.train(core, count, seeds=listed, progress=callback, **options)
            return ensemble_from_core(problem, result)
        training = Training(
            problem,
            count,
            size,
            [int(one) for one in listed],
            _block(core, count, options),
            SINGLE if single else DOUBLE,
            options["noise_draw"],
            options["kernels"],
            options["updates"],
            partial(_segment, core, count, options),
        )
        return train_with_checkpoints(training, file, every, callback)


def _block(core: _core.Problem, steps: int, options: dict[str, Any]) -> int:
    """Networks between whose steps a checkpoint may be: one a thread, or more if they are small."""
    names = ("dim", "kernels", "updates", "single_precision")
    chosen = {name: options[name] for name in names}
    bytes_of_one = _core.estimate_train_memory(core, steps, seeds=[0], threads=1, **chosen)
    return max(options["threads"] or _core.config()["threads"], int(SMALL / bytes_of_one))


def _segment(
    core: _core.Problem,
    steps: int,
    options: dict[str, Any],
    seeds: list[int],
    stop: int,
    start: list[bytes],
    progress: Callback | None,
) -> TrainDict:
    """Train these networks up to a step, from their states."""
    run: dict[str, Any] = {"stop": stop, "keep_state": True, "start": start, "progress": progress}
    return _core.train(core, steps, seeds=seeds, **run, **options)


def train_many(
    problems: Problems,
    steps: int,
    *,
    dim: int | None = None,
    seeds: int | Sequence[int] = 8,
    seed: int = 0,
    threads: int | None = None,
    memory_limit: float | None = None,
    progress: bool | Callback | None = None,
    updates: bool = False,
    noise_draw: int | Sequence[int] = 0,
    dtype: str = DOUBLE,
) -> list[Ensemble]:
    """Train the networks of many problems, those with the same weights and data together.

    Problems whose networks have the same initial weights and inputs, seed by seed, share them: each
    array is multiplied with the signals of all of them in one product, which is many times faster
    than one problem after the other. They may differ in the optimizer, gamma0, parameterization,
    init_scale, centering, branches and label noise. Others are trained beside them.

    Parameters
    ----------
    problems
        Problems or their dictionary forms, in any iterable; ``Problem.vary`` makes grids of them.
    steps, dim, seeds, seed, threads, progress, updates, dtype
        As in ``train``, the same for all problems.
    memory_limit
        Bytes the call may take; None: four fifths of the free memory. Where it asks for that, fewer
        networks are trained at a time.
    noise_draw
        As in ``train``: a number for all problems, or a list of one a problem.

    Returns
    -------
    list of Ensemble
        In the order of the problems: up to rounding what ``train`` gives for each. To the last bit
        the same on any number of threads.

    Raises
    ------
    ValueError
        Bad input, found before any work; ``problems[3]: ...`` where it is that of one problem.
    MemoryError
        Not even one network fits into the memory allowed; see ``estimate_train_memory``.

    Notes
    -----
    Networks that diverge end alone: ``Ensemble.diverged_at``. Theory section 11.

    Examples
    --------
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(), lm.FullBatch(alpha=2.0), lm.SGD(lr=0.1))
    >>> runs = lm.train_many(problem.vary({"optimizer.lr": [0.05, 0.1]}), 20, dim=64, seeds=4)
    >>> [float(run.mean().test_loss[-1].round(1)) for run in runs], runs[0].stats.method
    ([0.4, 0.2], 'shared')
    """
    listed = listed_problems(problems)
    warn_of_sizes_among(listed, "problems[{}]".format)
    core, size = _all_finite(listed, dim)
    steps = integer(steps, "steps")
    options: dict[str, Any] = {
        "dim": size,
        "seeds": seed_list(seeds, seed),
        "threads": threads_or_default(threads),
        "memory_limit": bytes_or_default(memory_limit),
        "updates": flag(updates, "updates"),
        "noise_draws": _draws(noise_draw, len(listed)),
        "single_precision": single_precision(dtype),
    }
    if not listed:
        return []
    with reporting(progress, "train_many") as callback:
        results = _core.train_many(core, steps, progress=callback, **options)
    return [
        ensemble_from_core(problem, result) for problem, result in zip(listed, results, strict=True)
    ]


def estimate_train_memory(
    problem: Problem | Mapping[str, Any] | Problems,
    steps: int,
    *,
    dim: int | None = None,
    seeds: int | Sequence[int] = 8,
    threads: int | None = None,
    kernels: bool = False,
    updates: bool = False,
    k_init: int | None = None,
    k_data: int | None = None,
    dtype: str = DOUBLE,
) -> float:
    """Bytes that ``train`` with the same arguments takes at its peak.

    Or ``train_replicas``, if ``k_init`` or ``k_data`` is given (the other one is then 2, as it is
    there); or ``train_many``, of a list of problems, if that much is free: with less it trains
    fewer networks at a time.

    Parameters
    ----------
    problem, steps, dim, seeds, threads, kernels, updates, dtype
        As in ``train``; a list of problems as in ``train_many``.
    k_init, k_data
        As in ``train_replicas``.

    Returns
    -------
    float
        Bytes.

    Raises
    ------
    ValueError
        Bad input; the message names the field.

    Notes
    -----
    Theory section 11: weights, or the initial ones and a factor a step; and P x D samples. With a
    checkpoint, twice the size of the states that it holds comes on top.

    Examples
    --------
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(), lm.Population(), lm.SGD(lr=0.1))
    >>> lm.estimate_train_memory(problem, steps=100, dim=100) < 1e9
    True
    """
    single = as_problem(problem) if isinstance(problem, Problem | Mapping) else None
    common: dict[str, Any] = {
        "seeds": seed_list(seeds, 0),
        "threads": threads_or_default(threads),
        "single_precision": single_precision(dtype),
    }
    steps, extra = integer(steps, "steps"), flag(kernels, "kernels")
    crossed = k_init is not None or k_data is not None
    if extra and (single is None or crossed):
        refuse("kernels", f"left out for {'replicas' if crossed else 'many problems'}", kernels)
    moved = flag(updates, "updates")
    if moved and crossed:
        refuse("updates", "left out for replicas", updates)
    if single is None and crossed:
        refuse("k_init and k_data", "left out for many problems", (k_init, k_data))
    if single is None:
        cores, size = _all_finite(listed_problems(problem), dim)
        return _core.estimate_train_many_memory(cores, steps, dim=size, updates=moved, **common)
    core, size = finite(single, dim)
    if not crossed:
        return _core.estimate_train_memory(
            core, steps, dim=size, kernels=extra, updates=moved, **common
        )
    return _core.estimate_replicas_memory(
        core,
        steps,
        dim=size,
        k_init=integer(2 if k_init is None else k_init, "k_init"),
        k_data=integer(2 if k_data is None else k_data, "k_data"),
        **common,
    )


def _all_finite(problems: list[Problem], dim: int | None) -> tuple[list[_core.Problem], int]:
    """The compiled module's values, and the dimension that all problems have."""
    if dim is None:
        sizes = sorted({default_dim(problem) for problem in problems})
        if len(sizes) > 1:
            refuse("dim", f"given where problems differ in it (by default {sizes})", dim)
        dim = sizes[0] if sizes else DIM
    core = []
    for i, problem in enumerate(problems):
        try:
            core.append(finite(problem, dim)[0])
        except ValueError as error:
            raise ValueError(f"problems[{i}]: {error}") from error
    return core, integer(dim, "dim")


def _draw(value: Any, field: str) -> int:
    draw = integer(value, field)
    if draw < 0:
        refuse(field, "0, 1, ...", value)
    return draw


def _draws(value: Any, count: int) -> list[int]:
    """One for all problems, or one a problem."""
    if not is_list(value):
        return [_draw(value, "noise_draw")]
    if len(value) != count:
        refuse("noise_draw", f"one number, or one for each of the {count} problems", value)
    return [_draw(entry, f"noise_draw[{i}]") for i, entry in enumerate(value)]
