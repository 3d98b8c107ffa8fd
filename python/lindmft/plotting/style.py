"""The look of every picture: colours, markers, and matplotlib's settings.

Single lines have the colours of Okabe and Ito, which colour-blind readers tell apart. Lines that
belong to values in order (widths, depths) go from dark to light, so that they keep their order in
grey print; markers tell their points apart.

Rules for every picture, and the function that keeps each:

* Every axis has at least three numbers, in plain digits where they are short. A logarithmic axis
  calls ``ticks.plain_ticks``; an axis of sizes has a tick at each size (``lines.size_axis``).
* A label stands at the end of its line (``labels.label_ends``). A label that had to move is joined
  to its line by a thin leader line. Labels do not overlap, and stay beside the axes.
* Every style that is drawn is explained: solid and dashed, filled and open, grey, bands, crosses.
  Lines explain themselves by a label, everything else by a legend (``losses.keys``; in figures the
  line below the panels, ``Panel.dashed`` and ``Panel.grey``). A legend shows no style that is not
  drawn, and its entries have the order of the curves.
* A colour means one thing in the whole picture. If two panels show the same values, the values
  have the same colours in both. What stands beside these values (a limit that only one panel has,
  a best time) is black.
* Trained networks are large enough that their deviation of order 1/D is smaller than the distance
  of neighbouring lines. If they cannot be, the legend says D, and points that theory does not claim
  to describe are open.
* The picture reads at a width of 350 pixels for a panel: font sizes of ``STYLE``, at most six lines
  with labels of their own, no title that only repeats the label of an axis.
* Relative errors in tables are percentages up to 100 %; beyond that they say how many times the
  theory's value was found.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

from lindmft._internal.optional import optional

__all__ = ["COLOURS", "MARKERS", "STYLE", "ordered_colours", "style"]

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
LIGHTEST = 0.82
"""Of the colormap, from 0 to 1: what is lighter cannot be seen on white."""

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
    "lines.linewidth": 1.6,
    "lines.markersize": 3.8,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "lindmft",  # the same picture is the same file
    "savefig.dpi": 160,
}


def style() -> AbstractContextManager[None]:
    """Matplotlib's settings for a ``with`` block: those of the figures of ``lindmft``.

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
    """From dark to light, for values in order."""
    colormap = optional("matplotlib", "plot").colormaps["viridis"]
    return [colormap(LIGHTEST * i / max(1, count - 1)) for i in range(count)]
