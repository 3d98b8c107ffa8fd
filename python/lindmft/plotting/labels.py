"""Labels at the ends of lines: they do not overlap, and a moved label is joined to its line."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["End", "label_ends", "spread_out"]

BESIDE, FAR = 7.0, 20.0
"""Distance in points from the end of a line to its label, without and with a leader line."""
MOVED = 4.0
"""Largest distance in points that a label moves up or down without a leader line."""


class End(NamedTuple):
    """The last point of a line, and its label."""

    time: float
    value: float
    text: str
    colour: str


def label_ends(ax: "Axes", ends: Sequence[End], gap: float = 11.0) -> None:
    """Write labels beside the ends of lines, at least ``gap`` points apart.

    Labels stay beside the axes, and a thin line joins a moved label to the end of its line. If one
    of them moves, all are in one column. Positions follow from the limits of the axes at the time
    of the call.
    """
    if not ends:
        return
    scale = 72.0 / ax.figure.dpi
    ends = sorted(ends, key=lambda end: end.value)
    heights = [ax.transData.transform((end.time, end.value))[1] * scale for end in ends]
    bottom, top = (ax.transAxes.transform((1.0, edge))[1] * scale for edge in (0.0, 1.0))
    moved = within(spread_out(heights, gap), bottom, top, gap)
    joined = any(abs(new - height) > MOVED for new, height in zip(moved, heights, strict=True))
    for end, height, new in zip(ends, heights, moved, strict=True):
        leader = {"arrowstyle": "-", "color": end.colour, "linewidth": 0.6, "shrinkB": 1.5}
        ax.annotate(
            end.text,
            (end.time, end.value),
            xytext=(FAR if joined else BESIDE, new - height),
            textcoords="offset points",
            color=end.colour,
            va="center",
            arrowprops={**leader, "shrinkA": 1.0, "relpos": (0.0, 0.5)} if joined else None,
            annotation_clip=False,
        )


def spread_out(heights: Sequence[float], gap: float) -> list[float]:
    """Return ascending heights at least ``gap`` apart; close ones are spread about their mean."""
    groups: list[list[float]] = []
    for height in heights:
        groups.append([height])
        while len(groups) > 1 and _bottom(groups[-1], gap) < _top(groups[-2], gap) + gap:
            groups[-2:] = [groups[-2] + groups[-1]]
    return [_bottom(group, gap) + i * gap for group in groups for i in range(len(group))]


def within(heights: Sequence[float], bottom: float, top: float, gap: float) -> list[float]:
    """Move ascending heights, ``gap`` apart, between bottom and top; the top comes first."""
    moved = list(heights)
    for i in range(len(moved)):
        moved[i] = max(moved[i], bottom if i == 0 else moved[i - 1] + gap)
    for i in reversed(range(len(moved))):
        moved[i] = min(moved[i], top if i == len(moved) - 1 else moved[i + 1] - gap)
    return moved


def _bottom(group: Sequence[float], gap: float) -> float:
    return sum(group) / len(group) - gap * (len(group) - 1) / 2


def _top(group: Sequence[float], gap: float) -> float:
    return _bottom(group, gap) + gap * (len(group) - 1)
