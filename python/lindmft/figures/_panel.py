"""What a figure holds before it is drawn: curves of theory with points of training, in panels.

Losses are in the units of ``Solution``; what x is, a panel's label says.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from lindmft._internal.types import Array, Mask
from lindmft.analysis.comparison import Agreement, agreement
from lindmft.analysis.deviations import FEWEST_NETWORKS

__all__ = ["Curve", "Panel", "Points"]


@dataclass(frozen=True, eq=False)
class Points:
    """Trained networks: means at some x, and what the theory says there.

    Attributes
    ----------
    x, mean, expected
        (m,), finite: where, what training gives, and what the theory says of these networks.
    error
        (m,), the standard error of ``mean``; inf for one network.
    networks, dim
        How many are averaged, and their input dimension (or number of modes).
    smooth
        (m,), where theory and training can be compared; elsewhere small deviations grow to any
        size: beyond the edge of stability trajectories are chaotic. Those points are drawn open.
    left_out
        At how many further x training diverges or falls to rounding where the theory does not.

    Notes
    -----
    Theory section 13 for what the figures show.

    Examples
    --------
    >>> import numpy as np
    >>> import lindmft as lm
    >>> x, mean, error = np.array([1.0, 2.0]), np.array([0.5, 0.4]), np.array([0.01, 0.01])
    >>> points = lm.figures.Points(x, mean, error, mean - error, 8, 256, np.array([True, False]))
    >>> points.has_scores, points.agreement().z.round(2)
    (True, array([1.]))
    """

    x: Array
    mean: Array
    error: Array
    expected: Array
    networks: int
    dim: int
    smooth: Mask
    left_out: int = 0

    @property
    def has_scores(self) -> bool:
        """Whether there are networks enough for z-scores."""
        return self.networks >= FEWEST_NETWORKS

    def agreement(self) -> Agreement:
        """Of the means with what is expected, where they can be compared."""
        at = self.smooth
        return agreement(self.expected[at], self.mean[at], self.error[at])


@dataclass(frozen=True, eq=False)
class Curve:
    """A line, and perhaps the points of networks it describes.

    Attributes
    ----------
    label
        What it says at the line's end or in the legend.
    x, y
        (n,), the line.
    points
        Trained networks, or None.
    look
        Which colour and marker, from 0.
    test
        False: a training loss, or whatever stands second; dashed.
    guide
        A grey line to compare others with.
    neutral
        Drawn in black: it stands beside the values that the colours of the others mean.

    Notes
    -----
    Theory section 13 for what the figures show.

    Examples
    --------
    >>> import numpy as np
    >>> import lindmft as lm
    >>> t = np.array([1.0, 10.0, 100.0])
    >>> lm.figures.Curve("$t^{-1}$", t, 1 / t, guide=True).points is None
    True
    """

    label: str
    x: Array
    y: Array
    points: Points | None = None
    look: int = 0
    test: bool = True
    guide: bool = False
    neutral: bool = False


@dataclass(frozen=True, eq=False)
class Panel:
    """Curves in one pair of axes.

    Attributes
    ----------
    title, xlabel, ylabel, xscale, yscale
        Of the axes.
    curves
        What is drawn.
    lower, upper
        Limits of y; None: as the curves need.
    key
        The heading over the curves' labels.
    legend
        Labels stand in a legend, for lines that end together; else at the ends of lines.
    ordered
        The looks stand for values in order (from dark to light).
    dashed
        What the curves are that are not ``test``.
    grey
        What the guides are, where they have no labels.
    notes
        Lines of text: what was measured.

    Notes
    -----
    Theory section 13 for what the figures show.

    Examples
    --------
    >>> import numpy as np
    >>> import lindmft as lm
    >>> t = np.array([1.0, 10.0, 100.0])
    >>> curve = lm.figures.Curve("rich", t, t**-1.3)
    >>> panel = lm.figures.Panel("exponents", "time", "test loss", [curve], xscale="log")
    >>> panel.looks, panel.trained
    (1, [])
    """

    title: str
    xlabel: str
    ylabel: str
    curves: Sequence[Curve]
    xscale: str = "linear"
    yscale: str = "log"
    lower: float | None = None
    upper: float | None = None
    key: str = ""
    legend: bool = False
    ordered: bool = True
    dashed: str = "train loss (solid: test loss)"
    grey: str = ""
    notes: tuple[str, ...] = ()

    @property
    def looks(self) -> int:
        """How many different ones."""
        ordinary = [curve.look for curve in self.curves if not (curve.guide or curve.neutral)]
        return 1 + max(ordinary, default=0)

    @property
    def trained(self) -> list[Points]:
        """The points of all curves that have some."""
        return [curve.points for curve in self.curves if curve.points and len(curve.points.x)]
