"""The result of ``train_replicas``: groups of networks that share initial weights or data.

Time is counted in optimizer steps; an entry at t is before the update of step t.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from lindmft._internal.display import field_table, short, short_repr
from lindmft._internal.types import Array, Mask, Path
from lindmft._internal.validation import flag, refuse
from lindmft.problem.problem import Problem
from lindmft.problem.schema import brief
from lindmft.results import netcdf
from lindmft.results.dataset import replicas_to_dataset
from lindmft.results.observables import REPLICA_ENSEMBLE
from lindmft.results.places import result_place
from lindmft.results.reading import replicas_from_dataset
from lindmft.results.replicas import Replicas
from lindmft.results.result import ON_REQUEST, Result, with_requests
from lindmft.results.statistics import (
    DOUBLE,
    Statistic,
    TrainStats,
    mean,
    reduced,
    standard_error,
    status,
    used,
)

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["ReplicaEnsemble", "ReplicaSeries"]


@with_requests
@dataclass(frozen=True, eq=False)
class ReplicaSeries(Result):
    """One number per time: a mean over seeds, or its standard error.

    Attributes
    ----------
    test_loss, averaged_loss
        (n,).
    shared_init, shared_data, independent
        (n,); not there where k_init or k_data leave no such pair.

    Raises
    ------
    NotRequested
        For an observable that the call did not ask for. The message says how to ask for it, and
        ``has`` tells without an error.

    Notes
    -----
    Units and meaning are those of ``ReplicaEnsemble``. Theory section 3, replicas.

    Examples
    --------
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(), lm.FullBatch(alpha=2.0), lm.SGD(lr=0.1))
    >>> series = lm.train_replicas(problem, 20, dim=32, seeds=3, k_init=2, k_data=1).mean()
    >>> series.shared_data.shape, series.has("shared_init")
    ((20,), False)
    """

    test_loss: Array
    averaged_loss: Array
    shared_init: Array = ON_REQUEST
    shared_data: Array = ON_REQUEST
    independent: Array = ON_REQUEST

    observables = REPLICA_ENSEMBLE
    _call = "train_replicas"
    __repr__ = short_repr
    _repr_html_ = field_table


@with_requests
@dataclass(frozen=True, eq=False, repr=False)
class ReplicaEnsemble(Result):
    """Overlaps of finite-size networks: k_init initializations times k_data data sets per seed.

    Attributes
    ----------
    problem
        The problem that was trained.
    dim, widths, samples
        The sizes: D, the hidden widths (N_1 .. N_L), and P (of one pass: the batch; of the
        population: 0).
    k_init, k_data
        Numbers of initializations and data sets of a seed; every pair is a network.
    seeds
        The seed of each group of networks, which have the same target.
    time
        (n,), in steps.
    test_loss
        (seed, n), the mean over the seed's networks.
    shared_init, shared_data, independent
        (seed, n), the mean overlap of two different networks that share the initial weights, the
        data, or neither; not there where k_init or k_data leave no such pair.
    averaged_loss
        (seed, n), the test loss of the prediction averaged over all networks of the seed.
    diverged_at
        For each seed the first step at which the loss of one of its networks exceeds 1e12 times the
        larger of 1 and its start, or None. Entries from this step on are inf.
    stats
        The work of the computation.
    provenance
        Versions, libraries, threads and time of the computation.
    dtype
        "float64" or "float32": the precision of weights, data and signals.

    Raises
    ------
    NotRequested
        For an observable that the call did not ask for. The message says how to ask for it, and
        ``has`` tells without an error.

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
    averaged_loss: Array
    diverged_at: tuple[int | None, ...]
    stats: TrainStats
    provenance: Mapping[str, str]
    dtype: str = DOUBLE
    shared_init: Array = ON_REQUEST
    shared_data: Array = ON_REQUEST
    independent: Array = ON_REQUEST

    observables = REPLICA_ENSEMBLE
    _call = "train_replicas"
    _repr_html_ = field_table

    @property
    def irreducible(self) -> float:
        """C sigma^2 (C outputs), to be added to losses for those on noisy labels."""
        return self.problem.data.irreducible

    @property
    def used(self) -> Mask:
        """(seed,), bool: seeds in ``mean``, those that did not diverge; if all diverged, all."""
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
        return Replicas(self.test_loss, self.shared_init, self.shared_data, self.independent)

    def mean(self) -> ReplicaSeries:
        """Return the mean over seeds, without those that diverged unless all did."""
        return self._reduce(mean)

    def sem(self) -> ReplicaSeries:
        """Return the standard error of ``mean``; inf if unknown: one seed, or a divergence."""
        return self._reduce(standard_error)

    @property
    def status(self) -> str:
        """One sentence about the outcome, with a remedy if networks diverged."""
        what = f"groups of {self.k_init} x {self.k_data} networks"
        return status(self.diverged_at, len(self.time), what, self.problem)

    def __repr__(self) -> str:
        sizes = f"D = {self.dim}, widths {short(self.widths)}, {self.samples} samples"
        return f"<ReplicaEnsemble of {brief(self.problem)}\n {self.status}\n {sizes}>"

    def to_xarray(self) -> "xr.Dataset":
        """Return an ``xarray.Dataset`` with the problem and the provenance as attributes.

        Dimensions are ``seed``, ``time`` and ``layer`` (of the widths). Needs xarray.
        """
        return replicas_to_dataset(self)

    def save(self, path: Path, *, force: bool = False) -> None:
        """Write a NetCDF4 file with the problem, the provenance and a format version.

        Needs xarray and h5netcdf. An existing file of replicas is replaced, once the new one is
        complete.

        Parameters
        ----------
        path
            The file, with the ending .nc, .nc4, .h5, .hdf5 or none.
        force
            Replace an existing file also if it is not that of replicas.

        Raises
        ------
        ValueError
            If the name has another ending, or if a file of another kind exists.
        """
        place = result_place(path, "path", netcdf.REPLICAS, force=flag(force, "force"))
        netcdf.write(self.to_xarray(), place)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read the file at ``path`` that ``save`` wrote.

        Raises
        ------
        ValueError
            If the file is damaged, of another kind, or written by a newer version of the format.
        """
        with netcdf.reading(path, netcdf.REPLICAS) as dataset:
            return cls(**replicas_from_dataset(dataset))

    def _reduce(self, statistic: Statistic) -> ReplicaSeries:
        series: ReplicaSeries = reduced(self, ReplicaSeries, statistic)
        return series
