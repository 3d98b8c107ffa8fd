"""z-scores of random problems compared with chance, and their deviations at two sizes."""

from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from lindmft._internal.optional import optional
from lindmft._internal.validation import instance
from lindmft.analysis.verification import OBSERVABLES, Verification
from lindmft.plotting.style import COLOURS, style
from lindmft.plotting.ticks import logarithmic

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["verification"]

BINS = np.linspace(-4.0, 4.0, 33)
SMALLEST = 1e-5
"""Smallest drawn deviation; smaller ones are drawn at this edge."""


def verification(found: Verification) -> "Figure":
    """Draw the z-scores' histogram, their quantiles, and the deviations at two sizes.

    Parameters
    ----------
    found
        The result of ``verify``.

    Returns
    -------
    Figure
        A figure with three panels.

    Raises
    ------
    ValueError
        If ``found`` is not a result of ``verify``.
    ImportError
        If matplotlib is not installed.

    Notes
    -----
    Theory section 3: deviations of finite networks are of order 1 / D.

    Examples
    --------
    >>> import lindmft as lm
    >>> picture = lm.plotting.verification(lm.verify(10, seeds=16))
    >>> [ax.get_ylabel() for ax in picture.axes]
    ['number', 'observed z', 'at D = 128']
    """
    instance(found, "found", "what verify returns", Verification)
    with style():
        figure: Figure = optional("matplotlib.figure", "plot").Figure(
            figsize=(11.4, 3.9), layout="constrained"
        )
        histogram, quantiles, deviations = figure.subplots(1, 3)
        _histogram(found, histogram)
        _quantiles(found, quantiles)
        _deviations(found, deviations)
    return figure


def _histogram(found: Verification, ax: "Axes") -> None:
    z = np.clip(found.z.ravel(), BINS[0], BINS[-1])
    ax.hist(z, BINS.tolist(), color="0.8", edgecolor="white", label="observed")
    at = np.linspace(BINS[0], BINS[-1], 201)
    density = np.exp(-(at**2) / 2) / np.sqrt(2 * np.pi)
    ax.plot(at, len(z) * (BINS[1] - BINS[0]) * density, color="black", label="chance alone")
    ax.set(title="z-scores", xlabel="z, extrapolated to infinite size", ylabel="number")
    ax.legend(loc="upper left")


def _quantiles(found: Verification, ax: "Axes") -> None:
    m = len(found.kept)
    expected = np.array([NormalDist().inv_cdf((i + 0.5) / m) for i in range(m)])
    for name, z, colour in zip(OBSERVABLES, found.z.T, COLOURS, strict=False):
        ax.plot(expected, np.sort(z), ".", color=colour, markersize=4, label=name)
    ends = np.array([-3.5, 3.5])
    ax.plot(ends, ends, color="black", linewidth=0.8, zorder=0)
    ax.set(title="their quantiles", xlabel="expected of chance", ylabel="observed z")
    ax.legend(loc="upper left", markerscale=2)


def _deviations(found: Verification, ax: "Axes") -> None:
    """Draw deviations at both sizes; those above three standard errors at the smaller are large."""
    size = np.maximum(np.abs(found.deviation), SMALLEST)
    spread = np.array([case.spread for case in found.kept])
    clear = size[..., 0] > 3 * spread[..., 0]
    ax.plot(*size[~clear].T, ".", color="0.75", markersize=3, label="within three errors")
    ax.plot(*size[clear].T, "o", color=COLOURS[1], label="beyond, at the smaller size")
    ends = np.array([SMALLEST, 1.0])
    ax.plot(ends, ends, color="black", linewidth=0.8, linestyle=":", label="equal")
    ax.plot(ends, ends / 2, color="black", linewidth=0.8, label="half")
    logarithmic(ax, "xy")
    ax.set(
        title="deviations",
        xlabel=f"|mean / theory - 1| at D = {found.dim}",
        ylabel=f"at D = {2 * found.dim}",
        xlim=(1e-4, 2),
        ylim=(1e-4, 2),
    )
    ax.legend(loc="upper left")
