"""Networks that share initial weights or data: ensembling, and the exact bias-variance split.

Four overlaps (1/D) sum_k lambda_k v_k^a v_k^b of the discrepancies of two networks a and b say it
all, by what the two share: everything (the test loss), the initial weights, the data set, nothing.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from lindmft import _core, _netcdf
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
from lindmft._finite import finite
from lindmft._gate import bytes_or_default, integer, number, refuse, threads_or_default
from lindmft._provenance import provenance
from lindmft._schema import brief
from lindmft._seeds import seed_list
from lindmft._types import Array, Callback, Mask, Path
from lindmft.problem import Problem, as_problem
from lindmft.progress import reporting

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["ReplicaEnsemble", "ReplicaSeries", "Replicas", "train_replicas"]

OVERLAPS = ("test_loss", "shared_init", "shared_data", "independent")


@dataclass(frozen=True, eq=False)
class Replicas:
    """The four overlaps of the discrepancies of two networks, by what the networks share.

    Parameters
    ----------
    test_loss
        (..., n), everything: the test loss of one network, excess over the irreducible sigma^2.
    shared_init
        (..., n), the initial weights; the data sets are independent.
    shared_data
        (..., n), the data set with its noise and batches; the initial weights are independent.
    independent
        (..., n), nothing but the target.

    Notes
    -----
    Theory section 3, replicas (beyond the paper). Where a series is inf (past a divergence), so is
    everything made of it.

    Examples
    --------
    >>> import numpy as np
    >>> from lindmft.replicas import Replicas
    >>> overlaps = (np.array([x]) for x in (0.47, 0.16, 0.26, 0.07))
    >>> replicas = Replicas(*overlaps)
    >>> replicas.ensemble_loss(k_init=10).round(3)
    array([0.281])
    >>> replicas.variance_data.round(3)
    array([0.19])
    """

    test_loss: Array
    shared_init: Array
    shared_data: Array
    independent: Array

    def ensemble_loss(self, k_init: float = 1, k_data: float = 1) -> Array:
        """Test loss (..., n) of the prediction averaged over k_init x k_data networks.

        Parameters
        ----------
        k_init, k_data
            Initializations and data sets, every pair of them trained; ``inf`` is allowed.

        Raises
        ------
        ValueError
            If one of them is no whole number of at least 1, nor inf.
        """
        init = 1.0 / _count(k_init, "k_init")
        data = 1.0 / _count(k_data, "k_data")
        pairs = {
            "test_loss": init * data,
            "shared_init": init * (1.0 - data),
            "shared_data": (1.0 - init) * data,
            "independent": (1.0 - init) * (1.0 - data),
        }
        # Terms that do not count are left out: 0 times inf is not 0.
        terms = [share * getattr(self, name) for name, share in pairs.items() if share > 0.0]
        total: Array = sum(terms[1:], start=terms[0])
        return total

    @property
    def bias(self) -> Array:
        """(..., n), what infinitely many networks on infinitely many data sets still get wrong."""
        return self.independent

    @property
    def variance_init(self) -> Array:
        """(..., n), the variance due to the initial weights alone."""
        return _or_inf(self.shared_init, -self.independent)

    @property
    def variance_data(self) -> Array:
        """(..., n), the variance due to the data alone."""
        return _or_inf(self.shared_data, -self.independent)

    @property
    def variance_interaction(self) -> Array:
        """(..., n), the variance due to initial weights and data together: the rest."""
        return _or_inf(self.test_loss, -self.shared_init, -self.shared_data, self.independent)


@dataclass(frozen=True, eq=False)
class ReplicaSeries:
    """One number per time: a mean over seeds, or its standard error.

    Attributes
    ----------
    test_loss, averaged_loss
        (n,).
    shared_init, shared_data, independent
        (n,), or None where k_init or k_data leave no such pair.

    Notes
    -----
    Units and meaning are those of ``ReplicaEnsemble``. Theory section 3, replicas.

    Examples
    --------
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(), lm.FullBatch(alpha=2.0), lm.SGD(lr=0.1))
    >>> series = lm.train_replicas(problem, 20, dim=32, seeds=3, k_init=2, k_data=1).mean()
    >>> series.shared_data.shape, series.shared_init
    ((20,), None)
    """

    test_loss: Array
    shared_init: Array | None
    shared_data: Array | None
    independent: Array | None
    averaged_loss: Array


@dataclass(frozen=True, eq=False, repr=False)
class ReplicaEnsemble:
    """Overlaps of finite-size networks, k_init initializations times k_data data sets a seed.

    Attributes
    ----------
    problem
        What was trained.
    dim, widths, samples
        The sizes: D, the hidden widths (N_1 .. N_L), and P (of one pass: the batch; of the
        population: 0).
    k_init, k_data
        Initializations and data sets of a seed; every pair is a network.
    seeds
        One target, with its own initializations and data sets, for each.
    time
        (n,), in steps.
    test_loss
        (seed, n), the mean over the seed's networks.
    shared_init, shared_data, independent
        (seed, n), the mean overlap of two different networks that share the initial weights, the
        data, or neither; None where k_init or k_data leave no such pair.
    averaged_loss
        (seed, n), the test loss of the prediction averaged over all networks of the seed.
    diverged_at
        For each seed the first step at which the loss of one of its networks passes 1e12 times the
        larger of 1 and its start, or None. Entries from there on are inf.
    stats
        The work it took.
    provenance
        Versions, libraries, threads and time of the computation.
    dtype
        "float64" or "float32": the precision of weights, data and signals.

    Notes
    -----
    Theory section 3, replicas. With several outputs, sums over them.

    Examples
    --------
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(), lm.FullBatch(alpha=2.0), lm.SGD(lr=0.1))
    >>> runs = lm.train_replicas(problem, 20, dim=32, seeds=3, k_init=2, k_data=2)
    >>> runs.independent.shape, runs.replicas.bias.shape, runs.mean().test_loss.shape
    ((3, 20), (3, 20), (20,))
    >>> bool((runs.sem().test_loss > 0).all()), runs.to_xarray().test_loss.dims
    (True, ('seed', 'time'))
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     runs.save(f"{folder}/replicas.nc")
    ...     lm.ReplicaEnsemble.load(f"{folder}/replicas.nc").k_init
    2
    """

    problem: Problem
    dim: int
    widths: tuple[int, ...]
    samples: int
    k_init: int
    k_data: int
    seeds: tuple[int, ...]
    time: Array
    test_loss: Array
    shared_init: Array | None
    shared_data: Array | None
    independent: Array | None
    averaged_loss: Array
    diverged_at: tuple[int | None, ...]
    stats: TrainStats
    provenance: Mapping[str, str]
    dtype: str = DOUBLE

    @property
    def irreducible(self) -> float:
        """C sigma^2 (C outputs), to be added to losses for those on noisy labels."""
        return self.problem.data.irreducible

    @property
    def used(self) -> Mask:
        """(seed,), the seeds in ``mean``: those that did not diverge, or all if all did."""
        return used(self.diverged_at)

    @property
    def replicas(self) -> Replicas:
        """The four overlaps, (seed, n), ready for ensembles of other sizes and variances.

        Raises
        ------
        ValueError
            If one of them is missing: k_init and k_data must both be at least 2.
        """
        for name in ("k_init", "k_data"):
            if getattr(self, name) < 2:
                refuse(name, "at least 2 for all four overlaps", getattr(self, name))
        return Replicas(**{name: getattr(self, name) for name in OVERLAPS})

    def mean(self) -> ReplicaSeries:
        """The mean over seeds; seeds that diverged are left out, unless all did."""
        return self._reduce(mean)

    def sem(self) -> ReplicaSeries:
        """The standard error of ``mean``: inf (unknown) for one seed and past a divergence."""
        return self._reduce(standard_error)

    @property
    def status(self) -> str:
        """One sentence: what came out, and what to do about it if it is not what was wanted."""
        what = f"groups of {self.k_init} x {self.k_data} networks"
        return status(self.diverged_at, len(self.time), what)

    def __repr__(self) -> str:
        sizes = f"D = {self.dim}, widths {self.widths}, {self.samples} samples"
        return f"<ReplicaEnsemble of {brief(self.problem)}\n {self.status}\n {sizes}>"

    def to_xarray(self) -> "xr.Dataset":
        """The same as an ``xarray.Dataset``, the problem and the provenance as attributes.

        Dimensions are ``seed``, ``time`` and ``layer`` (of the widths). Needs xarray.
        """
        from lindmft._dataset import replicas_to_dataset

        return replicas_to_dataset(self)

    def save(self, path: Path) -> None:
        """Write a NetCDF4 file to ``path``, replacing one there only once the new one is complete.

        Needs xarray and h5netcdf.
        """
        _netcdf.write(self.to_xarray(), path)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read the file at ``path`` that ``save`` wrote.

        Raises
        ------
        ValueError
            If the file is damaged, of another kind, or written by a newer version of the format.
        """
        from lindmft._reading import replicas_from_dataset

        with _netcdf.reading(path, _netcdf.REPLICAS) as dataset:
            return cls(**replicas_from_dataset(dataset))

    def _reduce(self, statistic: Statistic) -> ReplicaSeries:
        return ReplicaSeries(**reduced(self, (*OVERLAPS, "averaged_loss"), statistic))


def train_replicas(
    problem: Problem | Mapping[str, Any],
    steps: int,
    *,
    dim: int | None = None,
    seeds: int | Sequence[int] = 8,
    seed: int = 0,
    k_init: int = 2,
    k_data: int = 2,
    threads: int | None = None,
    memory_limit: float | None = None,
    progress: bool | Callback | None = None,
    dtype: str = DOUBLE,
) -> ReplicaEnsemble:
    """Train k_init initializations on k_data data sets, every pair of them, for each seed.

    The target is the seed's. Networks on the same data see the same samples, label noise and
    batches. The first network of a seed is the one that ``train`` trains.

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
        The number of such groups of networks, or a list of their seeds.
    seed
        The first seed, if ``seeds`` is a number: seed, seed + 1, ...
    k_init, k_data
        Initializations and data sets, 1 to 256 of each.
    threads
        Threads to use; None: the allowed physical cores. Results do not depend on it.
    memory_limit
        Bytes the call may take; None: four fifths of the free memory.
    progress
        None, True for a progress bar, or a callable ``(done, total)``; see ``lindmft.progress``.
    dtype
        "float64" or "float32", as in ``train``.

    Returns
    -------
    ReplicaEnsemble
        The four overlaps of every seed, and ``replicas`` for bias and variances.

    Raises
    ------
    ValueError
        Bad input; the message names the field.
    MemoryError
        Refused before allocating; see ``estimate_train_memory``.

    Notes
    -----
    Theory section 3, replicas. The networks of a seed march together: memory for all of them at
    once, on one thread.

    Examples
    --------
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(), lm.FullBatch(alpha=2.0), lm.SGD(lr=0.1))
    >>> runs = lm.train_replicas(problem, 10, dim=32, seeds=2, k_init=3, k_data=1)
    >>> runs.shared_data.shape, runs.shared_init is None
    ((2, 10), True)
    """
    problem = as_problem(problem)
    core, size = finite(problem, dim)
    with reporting(progress, "train") as callback:
        result = _core.train_replicas(
            core,
            integer(steps, "steps"),
            dim=size,
            seeds=seed_list(seeds, seed),
            k_init=integer(k_init, "k_init"),
            k_data=integer(k_data, "k_data"),
            threads=threads_or_default(threads),
            memory_limit=bytes_or_default(memory_limit),
            progress=callback,
            single_precision=single_precision(dtype),
        )
    fields = common_fields(result)
    return ReplicaEnsemble(
        problem=problem, provenance=provenance(fields["stats"].threads), **fields
    )


def _count(value: float, field: str) -> float:
    allowed = "a whole number of at least 1, or inf"
    result = number(value, field, allowed)
    if not result >= 1 or (math.isfinite(result) and not result.is_integer()):
        refuse(field, allowed, value)
    return result


def _or_inf(*terms: Array) -> Array:
    """The sum, but inf where terms are infinite."""
    with np.errstate(invalid="ignore"):
        total: Array = np.sum(np.broadcast_arrays(*terms), axis=0)
    return np.where(np.isfinite(total), total, np.inf)
