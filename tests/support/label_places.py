"""Positions of texts in a picture."""

from matplotlib.axes import Axes
from matplotlib.text import Annotation


def label_heights(ax: Axes) -> list[float]:
    """Return the heights of labels at line ends above the lower edge of the axes, in points."""
    scale = 72 / ax.figure.dpi
    bottom = ax.transAxes.transform((0, 0))[1] * scale
    return sorted(
        ax.transData.transform(text.xy)[1] * scale + text.xyann[1] - bottom
        for text in ax.texts
        if isinstance(text, Annotation)
    )
