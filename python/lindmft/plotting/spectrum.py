"""The spectrum of the Hessian at several times: theory as a density, networks as a histogram."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lindmft._internal.optional import optional
from lindmft._internal.types import Array
from lindmft._internal.validation import instance, refuse
from lindmft.plotting.arguments import given_grid
from lindmft.plotting.densities import smooth_density
from lindmft.plotting.losses import keys
from lindmft.plotting.style import BLACK, COLOURS, LINE_WIDTH, hide_spines
from lindmft.problem.axes import short
from lindmft.results.ensemble import Ensemble
from lindmft.results.solution import Solution
from lindmft.results.spectrum import HessianSpectrum

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

__all__ = ["spectrum"]

MOST = 6
"""Largest number of times that are drawn."""
POINTS = 500
"""Number of points of a smooth density."""
BINS = 40


def spectrum(
    theory: Solution | HessianSpectrum,
    runs: Ensemble | HessianSpectrum | None = None,
    axes: "NDArray[Any] | None" = None,
) -> "NDArray[Any]":
    """Draw the spectrum of the Hessian at several times, a panel each, up to six of them.

    The line is the density that a random start sees; where its Ritz values do not determine a
    smooth one, it is ``HessianSpectrum.density``, in bins. On infinite isotropic data this is the
    density of eigenvalues; otherwise each eigenvalue has a weight, larger for directions in which
    the samples vary more. A triangle marks the sharpness where an eigenvalue has left the bulk. The
    histogram is the same density of trained networks: exact if Lanczos' method makes as many steps
    as there are inputs, otherwise that of their Ritz values.

    Parameters
    ----------
    theory
        A ``Solution`` that has a spectrum, or the spectrum.
    runs
        An ``Ensemble`` with a spectrum at the same times, or the spectrum; None: theory alone.
    axes
        Where to draw, an array of axes of shape (1, number of times); None: a new figure.

    Returns
    -------
    array of Axes
        The axes, of shape (1, number of times drawn).

    Raises
    ------
    ValueError
        If a result has no spectrum, or times of ``theory`` and ``runs`` differ.
    ImportError
        If matplotlib is not installed.

    Notes
    -----
    Theory section 15.

    Examples
    --------
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(depth=2), lm.FullBatch(alpha=4.0), lm.SGD(lr=0.05))
    >>> theory = lm.solve(problem, 40, spectrum_at=[0, 39], lanczos=12)
    >>> runs = lm.train(problem, 40, dim=64, seeds=4, spectrum_at=[0, 39], lanczos=64)
    >>> lm.plotting.spectrum(theory, runs).shape
    (1, 2)
    """
    expected = _spectrum(theory, "theory", Solution)
    trained = None if runs is None else _networks(runs, expected)
    places = np.unique(np.linspace(0, len(expected.time) - 1, MOST).round().astype(int))
    grid = given_grid(axes, (1, len(places)))
    grid = _new(len(places)) if grid is None else grid
    seen = [expected] if trained is None else [expected, trained.spectrum]
    largest = [one.sharpness[np.isfinite(one.sharpness)] for one in seen]
    top = 1.05 * float(np.concatenate(largest).max(initial=0.0)) or 1.0
    for ax, i in zip(grid[0], places, strict=True):
        _panel(ax, expected, trained, int(i), top)
    grid[0, 0].set_ylabel("density, random start")
    _explain(grid[0, -1], expected, trained)
    return grid


def _panel(
    ax: "Axes", theory: HessianSpectrum, trained: "_Networks | None", i: int, top: float
) -> None:
    if trained is not None:
        heights, edges = trained.histogram(i, top)
        ax.stairs(heights, edges, fill=True, color=COLOURS[0], alpha=0.3, zorder=1)
    x = np.linspace(0.0, top, POINTS)
    density = smooth_density(theory, i, x)
    if density is not None:
        ax.plot(x, density, color=BLACK, linewidth=LINE_WIDTH, zorder=2)
    elif np.isfinite(theory.sharpness[i]):
        heights, edges = theory.density(np.linspace(0.0, top, BINS + 1))
        ax.stairs(heights[i], edges, color=BLACK, linewidth=LINE_WIDTH, zorder=2)
    if theory.bulk_edge is not None and theory.outlier[i]:
        place = ax.get_xaxis_transform()
        ax.plot(theory.sharpness[i], 0.03, "v", color=COLOURS[1], markersize=6, transform=place)
    ax.set(xlim=(0.0, top), xlabel="eigenvalue", title=f"t = {short(float(theory.time[i]))}")
    ax.set_ylim(bottom=0.0)
    hide_spines(ax)


@dataclass(frozen=True)
class _Networks:
    """The spectrum of trained networks, and whether its Ritz values are all eigenvalues."""

    spectrum: HessianSpectrum
    complete: bool

    def histogram(self, i: int, top: float) -> tuple[Array, Array]:
        """Return the mean density over networks in bins, zero if all of them have diverged."""
        edges = np.linspace(0.0, top, BINS + 1)
        used = np.isfinite(self.spectrum.sharpness[:, i])
        if not used.any():
            return np.zeros(BINS), edges
        if not self.complete:
            return self.spectrum.density(edges)[0][used, i].mean(axis=0), edges
        values, weights = self.spectrum.random_ritz[used, i], self.spectrum.random_weight[used, i]
        known = np.isfinite(values)
        masses = np.histogram(values[known], edges, weights=weights[known])[0]
        return masses / (used.sum() * np.diff(edges)), edges


def _new(count: int) -> "NDArray[Any]":
    width = min(2.6 * count + 0.6, 12.0)
    figure = optional("matplotlib.pyplot", "plot").figure(
        figsize=(width, 3.0), layout="constrained"
    )
    axes: NDArray[Any] = figure.subplots(1, count, squeeze=False, sharey=False)
    return axes


def _explain(ax: "Axes", theory: HessianSpectrum, trained: "_Networks | None") -> None:
    entries: dict[str, dict[str, Any]] = {"theory": {"linestyle": "-"}}
    if trained is not None:
        look = {"linestyle": "-", "linewidth": 6, "color": COLOURS[0], "alpha": 0.3}
        entries[f"{len(trained.spectrum.sharpness)} networks"] = look
    if theory.bulk_edge is not None and theory.outlier.any():
        entries["left the bulk"] = {"linestyle": "", "marker": "v", "color": COLOURS[1]}
    keys(ax, entries)


def _spectrum(given: Any, field: str, result: Any) -> HessianSpectrum:
    found = instance(given, field, f"a {result.__name__} or its spectrum", result, HessianSpectrum)
    if isinstance(found, HessianSpectrum):
        return found
    if not found.has("spectrum"):
        raise ValueError(f"{field} has no spectrum: compute it with spectrum_at=[...]")
    spectrum: HessianSpectrum = found.spectrum
    return spectrum


def _networks(runs: Any, theory: HessianSpectrum) -> _Networks:
    found = _spectrum(runs, "runs", Ensemble)
    if found.sharpness.ndim != 2:
        refuse("runs", "a spectrum of trained networks", runs)
    if not np.array_equal(found.time, theory.time):
        refuse("runs", f"a spectrum at the times of theory ({theory.time})", found.time)
    return _Networks(found, isinstance(runs, Ensemble) and found.lanczos >= runs.dim)
