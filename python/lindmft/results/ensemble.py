"""``Ensemble``, the result of training several finite-size networks, and its statistics.

Time is counted in optimizer steps; an entry at t is before the update of step t.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from numpy.typing import ArrayLike

from lindmft._internal.display import field_table, short, short_repr
from lindmft._internal.provenance import provenance
from lindmft._internal.types import Array, Mask, Path, TrainDict
from lindmft._internal.validation import flag
from lindmft.problem.averages import Average
from lindmft.problem.problem import Problem
from lindmft.problem.scales import scale_notes
from lindmft.problem.schema import brief
from lindmft.results import netcdf
from lindmft.results.dataset import ensemble_to_dataset
from lindmft.results.modes import by_mode
from lindmft.results.observables import ENSEMBLE, SPECTRUM_AT
from lindmft.results.own_arrays import ensemble_fields
from lindmft.results.places import result_place
from lindmft.results.reading import ensemble_from_dataset
from lindmft.results.result import ON_REQUEST, Result, with_requests
from lindmft.results.spectrum import HessianSpectrum, spectrum_from
from lindmft.results.statistics import (
    DOUBLE,
    Statistic,
    TrainStats,
    common_fields,
    mean,
    reduced,
    standard_error,
    status,
    used,
)

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["Ensemble", "Series", "TrainStats"]

IN_WEIGHTS = dict.fromkeys(("weights", "predictor"), "weights=True")


@with_requests
@dataclass(frozen=True, eq=False)
class Series(Result):
    """One number per time for every observable: a mean over networks, or its standard error.

    Attributes
    ----------
    test_loss, train_loss
        (n,).
    test_loss_by_output, train_loss_by_output
        (C, n).
    feature_norm, gradient_norm
        (L, n).
    kernel_gradient, kernel_target, kernel_scale
        (n,), with ``kernels=True``.
    feature_update, gradient_update
        (L, n), with ``updates=True``.
    average_loss
        (n,), with ``average=...``.
    mode_loss, mode_learned
        (modes, n), with ``modes=True``.
    first_task_loss
        (n,), with a second target.

    Raises
    ------
    NotRequested
        For an observable that the call did not ask for. The message says how to ask for it, and
        ``has`` tells without an error.

    Notes
    -----
    Units and meaning are those of ``Ensemble``. Theory sections 1 and 2.

    Examples
    --------
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(depth=2), lm.FullBatch(alpha=2.0), lm.SGD(lr=0.1))
    >>> series = lm.train(problem, steps=20, dim=64, seeds=4).sem()
    >>> series.test_loss.shape, series.feature_norm.shape, series.has("kernel_scale")
    ((20,), (2, 20), False)
    """

    test_loss: Array
    train_loss: Array
    test_loss_by_output: Array
    train_loss_by_output: Array
    feature_norm: Array
    gradient_norm: Array
    kernel_gradient: Array = ON_REQUEST
    kernel_target: Array = ON_REQUEST
    kernel_scale: Array = ON_REQUEST
    feature_update: Array = ON_REQUEST
    gradient_update: Array = ON_REQUEST
    average_loss: Array = ON_REQUEST
    mode_loss: Array = ON_REQUEST
    mode_learned: Array = ON_REQUEST
    first_task_loss: Array = ON_REQUEST

    observables = ENSEMBLE
    _call = "train"
    __repr__ = short_repr
    _repr_html_ = field_table


@with_requests
@dataclass(frozen=True, eq=False, repr=False)
class Ensemble(Result):
    """The training of several finite-size networks at the times t = 0 .. n - 1.

    Attributes
    ----------
    problem
        The problem that was trained.
    dim, widths, samples
        The sizes: D, the hidden widths (N_1 .. N_L), and P (of one pass: the batch; of the
        population: 0).
    test_samples
        The number of samples that were held out of those given to ``train``; 0 for random samples.
    seeds
        The seed of each network, which determines its weights, data and noise.
    time
        (n,), in steps.
    test_loss, train_loss
        (seed, n): the excess over the irreducible sigma^2, and the loss on all samples (in one
        pass, on the fresh batch). With several outputs, totals over them. With ``test_samples`` the
        test loss is the mean squared error on these samples, and the noise of their labels is a
        part of it.
    test_loss_by_output, train_loss_by_output
        (seed, C, n), the terms of those totals.
    feature_norm, gradient_norm
        (seed, L, n), |h^l|^2 / N_l and |g^l|^2 / N_l for l = 1 .. L; with several outputs, sums
        over them.
    chain_residual
        (seed, n), relative violation of an identity that holds in exact arithmetic: a self-check.
    diverged_at
        For each seed the first step whose loss exceeds 1e12 times the larger of 1 and its start, or
        None. Entries from this step on are inf.
    stats
        The work of the computation.
    provenance
        Versions, libraries, threads and time of the computation.
    dtype
        "float64" or "float32": the precision of weights, data and signals. Observables are doubles.
    noise_draw
        Which draw of the label noise.
    kernel_gradient, kernel_target, kernel_scale
        (seed, n), with ``kernels=True``: Rayleigh quotients x . K x / x . x of the predictor's
        neural tangent kernel K (D x D: a small step of gradient descent moves w_hat by eta K u, u
        the data gradient), for x = u, for x = Lambda w*, and for one random direction a seed, so
        that the mean of ``kernel_scale`` is that of Tr K / D. A value is nan where x is zero: such
        a vector has no direction. Means leave these values out.
    feature_update, gradient_update
        (seed, L, n), with ``updates=True``: |h^l - h^l(0)|^2 / N_l and |g^l - g^l(0)|^2 / N_l,
        how far features and gradients have moved since initialization; their means over infinitely
        large networks are C(t, t) - 2 C(t, 0) + C(0, 0), of C_h^l and C_g^l.
    average_loss
        (seed, n), with ``average=...``: the test loss of averaged weights, at each time of the
        average up to there.
    average
        That average: ``EMA``, ``TailAverage`` or ``CheckpointAverage``; None without one.
    mode_loss, mode_learned
        (seed, modes, n), with ``modes=True``: the terms of the test loss, and the part of the
        target that has been learned, w_hat . w* / |w*|^2 over the coordinates of a mode (0 where
        there is no target). With a trace-class spectrum they are those of the leading modes.
    first_task_loss
        (seed, n), with a second target (``switch_at`` of the data): the test loss on the first
        target.
    weights
        With ``weights=True`` the trained weights, of which the losses at the last time are: a list
        of L + 1 arrays (seed, N_{l+1}, N_l) for l = 0 .. L with N_0 = D and N_{L+1} = C. They are
        nan for networks that diverged. Files do not hold them.
    predictor
        (seed, C, D), with ``weights=True``: the vectors p of the trained predictors f(x) = p . x,
        so that ``X @ runs.predictor[i].T`` are the predictions of network i. The same holds of nan
        and files.
    spectrum
        ``HessianSpectrum``, with ``spectrum_at=[...]``: the sharpness and Ritz values of each
        network's Hessian, (seed, k) and (seed, k, m). It has no edge of the bulk.

    Raises
    ------
    NotRequested
        For an observable that the call did not ask for. The message says how to ask for it, and
        ``has`` tells without an error.

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
    >>> bool((runs.sem().test_loss < runs.mean().test_loss).all())
    True
    >>> runs.to_xarray().feature_norm.dims
    ('seed', 'layer', 'time')
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     runs.save(f"{folder}/runs.nc")
    ...     lm.Ensemble.load(f"{folder}/runs.nc").seeds
    (0, 1, 2, 3)
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
    kernel_gradient: Array = ON_REQUEST
    kernel_target: Array = ON_REQUEST
    kernel_scale: Array = ON_REQUEST
    dtype: str = DOUBLE
    noise_draw: int = 0
    feature_update: Array = ON_REQUEST
    gradient_update: Array = ON_REQUEST
    average_loss: Array = ON_REQUEST
    mode_loss: Array = ON_REQUEST
    mode_learned: Array = ON_REQUEST
    first_task_loss: Array = ON_REQUEST
    spectrum: HessianSpectrum = ON_REQUEST
    test_samples: int = 0
    weights: list[Array] = ON_REQUEST
    predictor: Array = ON_REQUEST
    average: Average | None = None

    observables = ENSEMBLE
    _call = "train"
    _asked = {"spectrum": SPECTRUM_AT, **IN_WEIGHTS}  # noqa: RUF012 - a class variable, as the base class says
    _repr_html_ = field_table

    @property
    def irreducible(self) -> float:
        """C sigma^2 (C outputs), to be added to ``test_loss`` for the loss on noisy labels.

        It is 0 if the test loss is that of samples, whose labels are noisy already.
        """
        return 0.0 if self.test_samples else self.problem.data.irreducible

    @property
    def used(self) -> Mask:
        """(seed,), the networks in ``mean``: those that did not diverge, or all if all did."""
        return used(self.diverged_at)

    def mean(self) -> Series:
        """Return the mean over networks.

        Networks that diverged do not count at any time: it is the mean over the stable ones, as
        ``status`` says. If all diverged, all are used, and entries are inf from the first
        divergence on.
        """
        return self._reduce(mean)

    def sem(self) -> Series:
        """Return the standard error of ``mean``; inf if unknown: one network, or a divergence."""
        return self._reduce(standard_error)

    @property
    def status(self) -> str:
        """One sentence about the outcome, with a remedy if networks diverged."""
        return status(self.diverged_at, len(self.time), "networks", self.problem)

    @property
    def notes(self) -> tuple[str, ...]:
        """Cautions about the scales of the problem: sizes like counts, an unusual target power."""
        return scale_notes(self.problem)

    def __repr__(self) -> str:
        sizes = f"D = {self.dim}, widths {short(self.widths)}, {self.samples} samples"
        if self.test_samples:
            sizes += f", {self.test_samples} held out"
        notes = "".join(f"\n Note: {note}" for note in self.notes)
        return f"<Ensemble of {brief(self.problem)}\n {self.status}\n {sizes}{notes}>"

    def to_xarray(self) -> "xr.Dataset":
        """Return an ``xarray.Dataset`` with dimensions ``seed``, ``layer`` (1 .. L) and ``time``.

        The problem and the provenance are attributes. Needs xarray.
        """
        return ensemble_to_dataset(self)

    def save(self, path: Path, *, force: bool = False) -> None:
        """Write a NetCDF4 file with the problem, the provenance and a format version.

        Needs xarray and h5netcdf. An existing file of an ensemble is replaced, once the new one is
        complete.

        Parameters
        ----------
        path
            The file, with the ending .nc, .nc4, .h5, .hdf5 or none.
        force
            Replace an existing file also if it is not that of an ensemble.

        Raises
        ------
        ValueError
            If the name has another ending, or if a file of another kind exists.
        """
        place = result_place(path, "path", netcdf.ENSEMBLE, force=flag(force, "force"))
        netcdf.write(self.to_xarray(), place)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read the file at ``path`` that ``save`` wrote.

        Raises
        ------
        ValueError
            If the file is damaged, is not an ensemble, or has a newer version of the format.
        """
        with netcdf.reading(path, netcdf.ENSEMBLE) as dataset:
            return cls(**ensemble_from_dataset(dataset))

    @classmethod
    def from_arrays(
        cls,
        problem: Problem | Mapping[str, Any],
        *,
        test_loss: ArrayLike,
        train_loss: ArrayLike | None = None,
        dim: int | None = None,
    ) -> Self:
        """Return an ensemble of networks that another program trained.

        Observables that were not recorded are nan.

        Parameters
        ----------
        problem
            The problem that the networks are trained on, or its dictionary form.
        test_loss
            (networks, n) or (n,), the excess test loss before each step, against noiseless labels.
            Entries that are no numbers mean that the network has diverged.
        train_loss
            The same for the loss on all training samples, or on the fresh batch of the step.
        dim
            D, the number of inputs; None: ``data.inputs``, or the modes of a trace-class spectrum.

        Raises
        ------
        ValueError
            If the losses are negative or have another shape, or the number of inputs is not known.

        Examples
        --------
        >>> import lindmft as lm
        >>> problem = lm.Problem(lm.MLP(), lm.FullBatch(alpha=2.0), lm.SGD(lr=0.1))
        >>> mine = lm.train(problem, steps=20, dim=64, seeds=8).test_loss  # or those of PyTorch
        >>> runs = lm.Ensemble.from_arrays(problem, test_loss=mine, dim=64)
        >>> runs.mean().test_loss.shape, runs.samples
        ((20,), 128)
        """
        return cls(**ensemble_fields(problem, test_loss, train_loss, dim))

    def _reduce(self, statistic: Statistic) -> Series:
        series: Series = reduced(self, Series, statistic)
        return series


def ensemble_from_core(
    problem: Problem, result: TrainDict, average: Average | None = None
) -> Ensemble:
    """Return the ensemble that the compiled module computed, with this average of the weights."""
    series = by_mode(problem, result["series"])
    fields = common_fields({**result, "series": series})
    fields["spectrum"] = spectrum_from(fields.get("spectrum", {}))
    fields["weights"] = fields["weights"] or None
    origin = provenance(fields["stats"].threads)
    return Ensemble(problem=problem, provenance=origin, average=average, **fields)
