"""Finite-size networks: ``train``, ``train_many``, and their result.

Time is counted in optimizer steps; an entry at t is before the update of step t.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from lindmft import _core, _files
from lindmft._ensemble import (
    DOUBLE,
    Statistic,
    TrainStats,
    common_fields,
    mean,
    reduced,
    single_precision,
    standard_error,
    status,
    used,
)
from lindmft._finite import DIM, default_dim, finite
from lindmft._gate import bytes_or_default, flag, integer, refuse, threads_or_default
from lindmft._provenance import provenance
from lindmft._schema import brief
from lindmft._seeds import seed_list
from lindmft._types import Array, Callback, Mask, Path, TrainDict
from lindmft.problem import Problem, Problems, as_problem, listed_problems
from lindmft.progress import reporting
from lindmft.replicas import ReplicaEnsemble, train_replicas

if TYPE_CHECKING:
    import xarray as xr

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

BY_OUTPUT = ("test_loss_by_output", "train_loss_by_output")
LISTED = (*BY_OUTPUT, "feature_norm", "gradient_norm")
KERNELS = ("kernel_gradient", "kernel_target", "kernel_scale")


@dataclass(frozen=True, eq=False)
class Series:
    """One number per time for every observable: a mean over networks, or its standard error.

    ``test_loss`` and ``train_loss`` are (n,), ``test_loss_by_output`` and ``train_loss_by_output``
    (C, n), ``feature_norm`` and ``gradient_norm`` (L, n), and ``kernel_gradient``,
    ``kernel_target`` and ``kernel_scale`` (n,) or None.
    """

    test_loss: Array
    train_loss: Array
    test_loss_by_output: Array
    train_loss_by_output: Array
    feature_norm: Array
    gradient_norm: Array
    kernel_gradient: Array | None
    kernel_target: Array | None
    kernel_scale: Array | None


@dataclass(frozen=True, eq=False, repr=False)
class Ensemble:
    """The training of several finite-size networks at the times t = 0 .. n - 1.

    Attributes
    ----------
    problem
        What was trained.
    dim, widths, samples
        The sizes: D, the hidden widths (N_1 .. N_L), and P (of one pass: the batch; of the
        population: 0).
    seeds
        One network, with its own weights, data and noise, for each.
    time
        (n,), in steps.
    test_loss, train_loss
        (seed, n): the excess over the irreducible sigma^2, and the loss on all samples (in one
        pass, on the fresh batch). With several outputs, totals over them.
    test_loss_by_output, train_loss_by_output
        (seed, C, n), the terms of those totals.
    feature_norm, gradient_norm
        (seed, L, n), |h^l|^2 / N_l and |g^l|^2 / N_l for l = 1 .. L; with several outputs, sums
        over them.
    chain_residual
        (seed, n), relative violation of an identity that exact arithmetic keeps: a self-check.
    diverged_at
        For each seed the first step whose loss passes 1e12 times the larger of 1 and its start, or
        None. Entries from there on are inf.
    stats
        The work it took.
    provenance
        Versions, libraries, threads and time of the computation.
    dtype
        "float64" or "float32": the precision of weights, data and signals. Observables are doubles.
    noise_draw
        Which draw of the label noise.
    kernel_gradient, kernel_target, kernel_scale
        (seed, n), or None unless asked for: Rayleigh quotients x . K x / x . x of the predictor's
        neural tangent kernel K (D x D: a small step of gradient descent moves w_hat by eta K u, u
        the data gradient), for x = u, for x = Lambda w*, and for one random direction a seed, so
        that the mean of ``kernel_scale`` is that of Tr K / D. 0 where x = 0.

    Notes
    -----
    Theory sections 1, 2, 4, 8 and 11. Means differ from the theory by order 1 / D.

    Examples
    --------
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(depth=2), lm.FullBatch(alpha=2.0), lm.SGD(lr=0.1))
    >>> runs = lm.train(problem, steps=20, dim=64, seeds=4)
    >>> runs.test_loss.shape, runs.feature_norm.shape, runs.mean().test_loss.shape
    ((4, 20), (4, 2, 20), (20,))
    """

    problem: Problem
    dim: int
    widths: tuple[int, ...]
    samples: int
    seeds: tuple[int, ...]
    time: Array
    test_loss: Array
    train_loss: Array
    test_loss_by_output: Array
    train_loss_by_output: Array
    feature_norm: Array
    gradient_norm: Array
    chain_residual: Array
    diverged_at: tuple[int | None, ...]
    stats: TrainStats
    provenance: Mapping[str, str]
    kernel_gradient: Array | None = None
    kernel_target: Array | None = None
    kernel_scale: Array | None = None
    dtype: str = DOUBLE
    noise_draw: int = 0

    @property
    def irreducible(self) -> float:
        """C sigma^2 (C outputs), to be added to ``test_loss`` for the loss on noisy labels."""
        return self.problem.data.irreducible

    @property
    def used(self) -> Mask:
        """(seed,), the networks in ``mean``: those that did not diverge, or all if all did."""
        return used(self.diverged_at)

    def mean(self) -> Series:
        """The mean over networks.

        Networks that diverged are left out at every time: what remains is a mean over the stable
        ones, as ``status`` says. If all diverged, all are used, and entries are inf from the first
        divergence on.
        """
        return self._reduce(mean)

    def sem(self) -> Series:
        """The standard error of ``mean``: inf (unknown) for one network and past a divergence."""
        return self._reduce(standard_error)

    @property
    def status(self) -> str:
        """One sentence: what came out, and what to do about it if it is not what was wanted."""
        return status(self.diverged_at, len(self.time), "networks")

    def __repr__(self) -> str:
        sizes = f"D = {self.dim}, widths {self.widths}, {self.samples} samples"
        return f"<Ensemble of {brief(self.problem)}\n {self.status}\n {sizes}>"

    def to_xarray(self) -> "xr.Dataset":
        """The same as an ``xarray.Dataset`` of dimensions ``seed``, ``layer`` (1 .. L), ``time``.

        The problem and the provenance are attributes. Needs xarray.
        """
        from lindmft._dataset import ensemble_to_dataset

        return ensemble_to_dataset(self)

    def save(self, path: Path) -> None:
        """Write a NetCDF4 file, replacing one that is there only once the new one is complete.

        Needs xarray and h5netcdf. The file carries the problem, the provenance and a format
        version.
        """
        _files.write(self.to_xarray(), path)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a file that ``save`` wrote.

        Raises
        ------
        ValueError
            If the file is damaged, is no ensemble, or was written by a newer version of the format.
        """
        from lindmft._dataset import ensemble_from_dataset

        with _files.reading(path, _files.ENSEMBLE) as dataset:
            return cls(**ensemble_from_dataset(dataset))

    def _reduce(self, statistic: Statistic) -> Series:
        return Series(**reduced(self, ("test_loss", "train_loss", *LISTED, *KERNELS), statistic))


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
    noise_draw: int = 0,
    dtype: str = DOUBLE,
) -> Ensemble:
    """Train finite-size networks, one for each seed, for ``steps`` steps.

    Parameters
    ----------
    problem
        A ``Problem`` of finite width and depth and positive gamma0, or its dictionary form.
    steps
        n, the number of times t = 0 .. n - 1.
    dim
        D, the input dimension; widths are round(width D), samples round(alpha D). None: 256. With a
        trace-class spectrum the number of leading modes that are kept, each as it is: the tail is
        dropped. None: all of them, of a power law at most the first 1024.
    seeds
        The number of networks, or a list of their seeds.
    seed
        The first seed, if ``seeds`` is a number: seed, seed + 1, ...
    threads
        Threads to use; None: the allowed physical cores. A seed's trajectory does not depend on it.
    memory_limit
        Bytes the call may take; None: four fifths of the free memory.
    progress
        None, True for a progress bar, or a callable ``(done, total)``; see ``lindmft.progress``.
    kernels
        Also record the neural tangent kernel's ``kernel_gradient``, ``kernel_target`` and
        ``kernel_scale``, at the cost of two more forward passes a step. One target only.
    noise_draw
        Which independent draw of the label noise, on the same weights and inputs: 0, 1, ...
    dtype
        "float64", or "float32" for weights, data and signals in single precision: the same random
        numbers, rounded, and half the memory. Observables are doubles either way.

    Raises
    ------
    ValueError
        Bad input; the message names the field.
    MemoryError
        Refused before allocating; see ``estimate_train_memory``.

    Notes
    -----
    A step costs P D + sum N_l N_{l+1} operations for each output. How weights are kept depends on
    sizes and steps (``stats.method``), and the last bits with it. Theory sections 2, 4, 8 and 11.

    Examples
    --------
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(), lm.OnePass(alpha=0.5), lm.SGD(lr=0.1))
    >>> lm.train(problem, steps=10, dim=32, seeds=[3, 5]).seeds
    (3, 5)
    """
    problem = as_problem(problem)
    core, size = finite(problem, dim)
    with reporting(progress, "train") as callback:
        result = _core.train(
            core,
            integer(steps, "steps"),
            dim=size,
            seeds=seed_list(seeds, seed),
            threads=threads_or_default(threads),
            memory_limit=bytes_or_default(memory_limit),
            progress=callback,
            kernels=flag(kernels, "kernels"),
            noise_draw=_draw(noise_draw, "noise_draw"),
            single_precision=single_precision(dtype),
        )
    return _ensemble(problem, result)


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
    steps, dim, seeds, seed, threads, progress, dtype
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
    core, size = _all_finite(listed, dim)
    steps = integer(steps, "steps")
    options: dict[str, Any] = {
        "dim": size,
        "seeds": seed_list(seeds, seed),
        "threads": threads_or_default(threads),
        "memory_limit": bytes_or_default(memory_limit),
        "noise_draws": _draws(noise_draw, len(listed)),
        "single_precision": single_precision(dtype),
    }
    if not listed:
        return []
    with reporting(progress, "train_many") as callback:
        results = _core.train_many(core, steps, progress=callback, **options)
    return [_ensemble(problem, result) for problem, result in zip(listed, results, strict=True)]


def estimate_train_memory(
    problem: Problem | Mapping[str, Any] | Problems,
    steps: int,
    *,
    dim: int | None = None,
    seeds: int | Sequence[int] = 8,
    threads: int | None = None,
    kernels: bool = False,
    k_init: int | None = None,
    k_data: int | None = None,
    dtype: str = DOUBLE,
) -> float:
    """Bytes that ``train`` with the same arguments takes at its peak.

    Or ``train_replicas``, if ``k_init`` or ``k_data`` is given (the other one is then 2, as it is
    there); or ``train_many``, of a list of problems, if that much is free: with less it trains
    fewer networks at a time.

    Raises
    ------
    ValueError
        Bad input; the message names the field.

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
    if single is None and crossed:
        refuse("k_init and k_data", "left out for many problems", (k_init, k_data))
    if single is None:
        cores, size = _all_finite(listed_problems(problem), dim)
        return _core.estimate_train_many_memory(cores, steps, dim=size, **common)
    core, size = finite(single, dim)
    if not crossed:
        return _core.estimate_train_memory(core, steps, dim=size, kernels=extra, **common)
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
    if not isinstance(value, Sequence | np.ndarray) or isinstance(value, str):
        return [_draw(value, "noise_draw")]
    if len(value) != count:
        refuse("noise_draw", f"one number, or one for each of the {count} problems", value)
    return [_draw(entry, f"noise_draw[{i}]") for i, entry in enumerate(value)]


def _ensemble(problem: Problem, result: TrainDict) -> Ensemble:
    fields = common_fields(result)
    fields |= {name: np.stack(fields[name], axis=1) for name in LISTED}
    return Ensemble(problem=problem, provenance=provenance(fields["stats"].threads), **fields)
