"""What a figure holds before it is drawn: curves of theory with points of training, in panels.

Losses are in the units of ``Solution``; what x is, a panel's label says.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lindmft._types import Array
from lindmft.comparison import FEWEST_NETWORKS, Agreement, agreement

__all__ = ["Curve", "Panel", "Points"]


@dataclass(frozen=True, eq=False)
class Points:
    """Trained networks: means at some x, and what the theory says there.

    ``x``, ``mean``, ``error`` (its standard error; inf for one network) and ``expected`` are (m,)
    and finite but for ``error``; ``networks`` are averaged, of input dimension (or modes) ``dim``.
    """

    x: Array
    mean: Array
    error: Array
    expected: Array
    networks: int
    dim: int

    @property
    def has_scores(self) -> bool:
        """Whether there are networks enough for z-scores."""
        return self.networks >= FEWEST_NETWORKS

    def agreement(self) -> Agreement:
        """Of the means with what is expected."""
        return agreement(self.expected, self.mean, self.error)


@dataclass(frozen=True, eq=False)
class Curve:
    """A line (x, y), (n,) each, and perhaps the points of networks it describes.

    ``look`` counts colours and markers. ``test=False`` is a training loss, or whatever stands
second: dashed, with open markers. A ``guide`` is a grey line to hold others against.
    """

    label: str
    x: Array
    y: Array
    points: Points | None = None
    look: int = 0
    test: bool = True
    guide: bool = False


@dataclass(frozen=True, eq=False)
class Panel:
    """Curves in one pair of axes.

    ``ordered``: the looks stand for values in order. ``key`` is the heading over the curves'
    labels, which stand at the ends of lines, or in a legend (``legend``), where lines end together.
    ``dashed`` says what curves that are not ``test`` are. ``lower`` and ``upper`` limit y. ``notes``
    are lines of text: what was measured.
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
    notes: tuple[str, ...] = ()

    @property
    def looks(self) -> int:
        """How many different ones."""
        return 1 + max((curve.look for curve in self.curves if not curve.guide), default=0)

    @property
    def trained(self) -> list[Points]:
        """The points of all curves that have some."""
        return [curve.points for curve in self.curves if curve.points and len(curve.points.x)]


def finite(*columns: Array) -> list[Array]:
    """The places where all are finite and positive, as a logarithmic axis needs them."""
    good = np.all([np.isfinite(column) for column in columns], axis=0)
    return [np.asarray(column, float)[good] for column in columns]
