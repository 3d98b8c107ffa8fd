"""The content of a figure before it is drawn: panels with curves of theory and points of training.

Losses are in the units of ``Solution``. The label of a panel's x axis names x.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from lindmft._internal.types import Array, Mask
from lindmft.analysis.comparison import Agreement, agreement
from lindmft.analysis.deviations import FEWEST_NETWORKS

__all__ = ["Curve", "Panel", "Points"]


@dataclass(frozen=True, eq=False)
class Points:
    """Trained networks: means at some x, and the values of the theory there.

    Attributes
    ----------
    x, mean, expected
        (m,), finite: positions, means of training, and the theory's values for these networks.
    error
        (m,), the standard error of ``mean``; inf for one network.
    networks, dim
        Number of averaged networks, and their input dimension (or number of modes).
    smooth
        (m,), True where theory and training can be compared. Elsewhere, beyond the edge of
        stability, trajectories are chaotic, and small deviations grow. Those points are drawn open.
    left_out
        Number of further x where training diverges or falls to rounding and the theory does not.

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
        """Whether there are enough networks for z-scores."""
        return self.networks >= FEWEST_NETWORKS

    def agreement(self) -> Agreement:
        """Compare the means with the theory where they can be compared."""
        at = self.smooth
        return agreement(self.expected[at], self.mean[at], self.error[at])


@dataclass(frozen=True, eq=False)
class Curve:
    """A line, and the points of the networks it describes, if there are any.

    Attributes
    ----------
    label
        Text at the end of the line or in the legend.
    x, y
        (n,), the line.
    points
        Trained networks, or None.
    look
        Index of the colour and the marker, from 0.
    test
        False for a training loss or another second quantity: the line is dashed.
    guide
        True for a grey line that others are compared with.
    neutral
        True for a black line: it does not belong to the values that the colours stand for.

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
        Title, labels and scales of the axes.
    curves
        The curves to draw.
    lower, upper
        Limits of y; None: from the curves.
    key
        Heading of the curves' labels.
    legend
        True: the labels are in a legend (for lines that end together); False: at the ends of lines.
    ordered
        True if the colours stand for values in order (from dark to light).
    dashed
        Meaning of the curves that are not ``test``.
    grey
        Meaning of guides without labels.
    notes
        Lines of text with measured numbers.

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
        """Number of different looks of the curves."""
        ordinary = [curve.look for curve in self.curves if not (curve.guide or curve.neutral)]
        return 1 + max(ordinary, default=0)

    @property
    def trained(self) -> list[Points]:
        """The points of all curves that have some."""
        return [curve.points for curve in self.curves if curve.points and len(curve.points.x)]
