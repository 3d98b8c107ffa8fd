"""The spectrum of the Hessian along training, as Lanczos' method sees it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from lindmft._internal.display import field_table
from lindmft._internal.types import Array, Mask, Number, Numbers
from lindmft._internal.validation import choice, increasing, number_array, refuse
from lindmft.results.observables import SPECTRUM
from lindmft.results.result import NotRequested

__all__ = ["HessianSpectrum", "spectrum_from"]

STARTS = ("target", "random")
"""Start vectors of Lanczos' method."""


@dataclass(frozen=True, eq=False, repr=False)
class HessianSpectrum:
    """The spectrum of the Gauss-Newton part of the Hessian, at k times of a training.

    Gradient descent with learning rate eta moves the discrepancy x by - eta N S x, with the
    predictor's tangent kernel N and the covariance S of the samples. The eigenvalues are those of
    N S, in units of 1 / learning rate. A step is locally stable while eta times the largest of
    them, the sharpness, is below ``stability_threshold``.

    There are m Ritz values from each of two start vectors. The target sees what has been learned,
    also single eigenvalues that have left the bulk. A random vector sees the bulk. In the spectrum
    of an ``Ensemble``, all arrays but ``time`` have a leading axis of seeds.

    Attributes
    ----------
    time
        (k,), in the units of the result. The weights are those before the update of this step.
    sharpness
        (k,), the largest eigenvalue. Of the theory it is the edge of the bulk, or the largest Ritz
        value of the target start if that lies above. Of networks it is the largest Ritz value of
        both starts. Ritz values approach eigenvalues from below.
    sharpness_error
        (k,), the estimated error of ``sharpness``: that of the edge, or the residual of the Ritz
        value.
    bulk_edge, bulk_edge_error
        (k,), the upper edge of the continuous part of the spectrum, and its estimated error. They
        are properties of the theory: None for trained networks, whose spectra have no continuous
        part.
    target_ritz, target_weight
        (k, m), the Ritz values of the start in the direction of the target, in descending order,
        and their weights, with sum 1. Entries are nan where the method ended early: the start
        vector has no part in more eigenvalues, or (in the theory) rounding errors would change
        them, as they do after a few steps if the bulk is narrow and far from 0.
    random_ritz, random_weight
        (k, m), the same of a random start.

    Notes
    -----
    Theory section 15. Ritz values and weights are a Gauss rule for the spectrum that the start
    vector sees: Golub and Meurant (2010). Entries are inf past a divergence.

    Examples
    --------
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(depth=2), lm.FullBatch(alpha=2.0), lm.SGD(lr=0.05))
    >>> spectrum = lm.solve(problem, 40, spectrum_at=[0, 39], lanczos=16).spectrum
    >>> spectrum.time, spectrum.sharpness.shape, spectrum.random_ritz.shape
    (array([ 0., 39.]), (2,), (2, 16))
    >>> bool((0.05 * spectrum.sharpness < lm.stability_threshold(problem.optimizer)).all())
    True
    >>> density, edges = spectrum.density(20)
    >>> density.shape, (density * (edges[1:] - edges[:-1])).sum(axis=-1).round(6)
    ((2, 20), array([1., 1.]))
    """

    time: Array
    sharpness: Array
    sharpness_error: Array
    bulk_edge: Array | None
    bulk_edge_error: Array | None
    target_ritz: Array
    target_weight: Array
    random_ritz: Array
    random_weight: Array

    _repr_html_ = field_table

    @property
    def lanczos(self) -> int:
        """The number m of steps of Lanczos' method from each start."""
        return int(self.target_ritz.shape[-1])

    @property
    def outlier(self) -> Mask:
        """(k,), whether an eigenvalue has left the bulk, of the theory.

        The largest Ritz value of the target start then lies above ``bulk_edge`` by more than the
        errors of both. Where the errors are larger than the distance, use more steps of Lanczos'
        method.
        """
        if self.bulk_edge is None or self.bulk_edge_error is None:
            raise NotRequested(
                "outlier needs the bulk edge, which trained networks do not have. Compare their "
                "sharpness with the bulk_edge of solve(..., spectrum_at=[...])"
            )
        errors = self.bulk_edge_error + self.sharpness_error
        above: Mask = self.target_ritz[..., 0] > self.bulk_edge + errors
        return above & np.isfinite(self.target_ritz[..., 0])

    def density(self, bins: Number | Numbers = 40, *, start: str = "random") -> tuple[Array, Array]:
        """Return the density of the spectrum in bins, and the edges of the bins, for pictures.

        It is an approximation, since the m Ritz values are a Gauss rule and no eigenvalues. Each
        weight is spread evenly between the middles of the gaps to both neighbours, that of the
        largest up to ``bulk_edge`` (of networks, up to this Ritz value). Details narrower than
        these gaps, which shrink like 1 / m, are lost. Single eigenvalues are not spread, but
        counted in the bin that contains them: Ritz values above the bulk edge, and all of them
        where the method ended after fewer than six steps, since the start vector sees no others.

        Parameters
        ----------
        bins
            The number of equal bins from 0 to the largest Ritz value or bulk edge; or their edges,
            increasing.
        start
            The start vector: "random" or "target".

        Returns
        -------
        density
            (k, bins), in units of the learning rate: the integral over all bins is the part of the
            weight in them, 1 if they cover the spectrum. Inf past a divergence.
        edges
            (bins + 1,), as ``matplotlib.pyplot.stairs`` takes them.

        Raises
        ------
        ValueError
            For another start, fewer bins than one, and edges that do not increase.
        """
        choice(*STARTS)(start, "start")
        ritz, weight = getattr(self, f"{start}_ritz"), getattr(self, f"{start}_weight")
        edge = np.full(ritz.shape[:-1], np.inf)
        error = np.zeros(ritz.shape[:-1])
        if self.bulk_edge is not None and self.bulk_edge_error is not None:
            edge, error = self.bulk_edge, self.bulk_edge_error
        edges = _edges(bins, ritz, edge)
        density = np.empty((*ritz.shape[:-1], len(edges) - 1))
        for i in np.ndindex(ritz.shape[:-1]):
            ends = float(edge[i]), float(error[i])
            density[i] = _masses(ritz[i], weight[i], ends, edges) / np.diff(edges)
        return density, edges

    def __repr__(self) -> str:
        networks = f" of {len(self.sharpness)} networks" if self.sharpness.ndim > 1 else ""
        shown = {"sharpness": self.sharpness, "bulk edge": self.bulk_edge}
        ranges = "".join(
            f", {name} {_range(values)}" for name, values in shown.items() if values is not None
        )
        times = f"time {_range(self.time)}" if len(self.time) == 1 else f"times {_range(self.time)}"
        return (
            f"<HessianSpectrum{networks} at {len(self.time)} {times}{ranges}; "
            f"{self.lanczos} steps of Lanczos' method>"
        )


def spectrum_from(arrays: Mapping[str, Array]) -> HessianSpectrum | None:
    """Return the spectrum from arrays by the names of the compiled module; None if there is none.

    The arrays of trained networks have no bulk edge.
    """
    if not arrays:
        return None
    found: dict[str, Any] = {name: arrays.get(name) for name in SPECTRUM}
    return HessianSpectrum(time=arrays["spectrum_time"], **found)


def _range(values: Array) -> str:
    """Return the smallest and the largest of these values as text."""
    least, most = f"{values.min():.4g}", f"{values.max():.4g}"
    return least if least == most else f"{least} to {most}"


def _edges(bins: Any, ritz: Array, edge: Array) -> Array:
    """Return the edges of bins, checked, or made from their number."""
    allowed = "a number of bins, at least 1, or their edges, finite and increasing"
    given = number_array(bins, "bins", allowed)
    if given.ndim:
        if len(given) < 2 or not np.isfinite(given).all() or not increasing(given):
            refuse("bins", allowed, bins)
        return given
    if not (float(given).is_integer() and 1 <= given <= MOST_BINS):
        refuse("bins", f"a whole number from 1 to {MOST_BINS}, or a list of edges", bins)
    values = np.append(ritz, edge)
    largest = values[np.isfinite(values)].max(initial=0.0) or 1.0
    return np.linspace(0.0, largest, int(given) + 1)


MOST_BINS = 10**6
"""Largest number of bins."""
MOST_SINGLE = 6
"""Number of Ritz values from which a method that ended early still shows a continuous spectrum."""


def _masses(ritz: Array, weight: Array, edge: tuple[float, float], edges: Array) -> Array:
    """Return the weight in each bin, of the Ritz values of one start vector at one time.

    ``edge`` is the edge of the bulk with its error.
    """
    known = ~np.isnan(ritz)
    if np.isinf(ritz[known]).any():
        return np.full(len(edges) - 1, np.inf)
    # A method that ends after few steps has found all eigenvalues that its start vector sees.
    # Rounding errors end it later.
    ended = not known.all() and known.sum() < MOST_SINGLE
    bulk = known & (ritz <= sum(edge)) & (not ended)
    if bulk.sum() < 2:
        bulk[:] = False
    single = known & ~bulk
    masses = np.histogram(ritz[single], edges, weights=weight[single])[0]
    if bulk.any():
        masses = masses + _spread(ritz[bulk][::-1], weight[bulk][::-1], edge[0], edges)
    return masses


def _spread(ritz: Array, weight: Array, bulk_edge: float, edges: Array) -> Array:
    """Return the weight in each bin if each weight is spread up to the middles of the gaps."""
    middles = 0.5 * (ritz[1:] + ritz[:-1])
    lowest = min(ritz[0], max(0.0, 2.0 * ritz[0] - middles[0]))
    highest = max(ritz[-1], bulk_edge) if np.isfinite(bulk_edge) else ritz[-1]
    ends = np.concatenate([[lowest], middles, [highest]])
    return np.diff(np.interp(edges, ends, np.append(0.0, np.cumsum(weight))))
