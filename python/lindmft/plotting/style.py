"""The look of every picture: colours, markers, lines, and matplotlib's settings.

Single lines have the colours of Okabe and Ito, which colour-blind readers tell apart. Lines that
belong to values in order (widths, depths) go from dark to light, so that they keep their order in
grey print; markers tell their points apart.

Rules for every picture, and the function that keeps each:

* Every axis has at least three numbers, in plain digits where they are short. A logarithmic axis
  calls ``ticks.plain_ticks``; an axis of sizes has a tick at each size (``lines.size_axis``).
* A label is written at the end of its line (``labels.label_ends``). A label that had to move is
  joined to its line by a thin leader line. Labels do not overlap, and stay beside the axes.
* Every style that is drawn is explained: solid and dashed, filled and open, grey, bands, crosses.
  Lines explain themselves by a label, everything else by a legend (``losses.keys``; in figures the
  line below the panels, ``Panel.dashed`` and ``Panel.grey``). A legend shows no style that is not
  drawn, and its entries have the order of the curves.
* A colour means one thing in the whole picture. If two panels show the same values, the values
  have the same colours in both. Other curves beside these values (a limit that only one panel has,
  a best time) are black.
* Trained networks are large enough that their deviation of order 1/D is smaller than the distance
  of neighbouring lines. If they cannot be, the legend says D, and points that theory does not claim
  to describe are open.
* The picture can be read at a width of 350 pixels for a panel: font sizes of ``STYLE``, at most six
  labelled lines, no title that only repeats the label of an axis.
* Relative errors in tables are percentages up to 100 %; beyond that they say how many times the
  theory's value was found.

Pictures are drawn with or without ``style()``: the constants and ``hide_spines`` below give them
the same look in both cases.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from lindmft._internal.optional import optional

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "BLACK",
    "COLOURS",
    "DASHES",
    "GUIDE",
    "LINE_WIDTH",
    "MARKERS",
    "MARKER_SIZE",
    "STYLE",
    "guide",
    "hide_spines",
    "ordered_colours",
    "style",
]

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
DASHES = ("-", "--", "-.", ":")
LINE_WIDTH, MARKER_SIZE = 1.6, 3.6
BLACK = "0.15"
"""Colour of lines in legends, and of curves beside coloured ones."""
GUIDE = "0.4"
"""Grey of guides: thin lines that curves are compared with, and their labels."""
LIGHTEST = 0.82
"""Upper end of the colormap, from 0 to 1: lighter colours cannot be seen on white."""

STYLE: Mapping[str, Any] = {
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 10.5,
    "axes.labelsize": 10,
    "axes.linewidth": 0.8,
    "font.size": 9.5,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "legend.title_fontsize": 9,
    "lines.linewidth": LINE_WIDTH,
    "lines.markersize": 3.8,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "lindmft",  # the same picture is the same file
    "savefig.dpi": 160,
}


def style() -> AbstractContextManager[None]:
    """Use the settings of the figures of ``lindmft`` in a ``with`` block.

    Raises
    ------
    ImportError
        If matplotlib is not installed.

    Examples
    --------
    >>> import matplotlib as mpl
    >>> import lindmft as lm
    >>> with lm.plotting.style():
    ...     mpl.rcParams["axes.spines.top"]
    False
    """
    context: AbstractContextManager[None] = optional("matplotlib", "plot").rc_context(dict(STYLE))
    return context


def ordered_colours(count: int) -> list[Any]:
    """Return colours from dark to light, for values in order."""
    colormap = optional("matplotlib", "plot").colormaps["viridis"]
    return [colormap(LIGHTEST * i / max(1, count - 1)) for i in range(count)]


def hide_spines(ax: "Axes") -> None:
    """Leave only the left and the lower edge of the axes."""
    ax.spines[["top", "right"]].set_visible(False)


def guide(ax: "Axes", x: Any, y: Any, zorder: float = 1) -> None:
    """Draw a thin grey line that curves are compared with."""
    ax.plot(x, y, color=GUIDE, linewidth=0.9, zorder=zorder)
