"""Logarithmic axes: at least three ticks have numbers, also on less than a decade."""

import functools
import math
from typing import TYPE_CHECKING, Any

from lindmft._internal.optional import optional

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.ticker import LogLocator

__all__ = ["logarithmic", "plain_ticks"]

FEWEST = 3
"""Smallest number of ticks with numbers on an axis."""
SHORT = 200.0
"""Ratio of the limits below which there are ticks between powers of ten, too."""
BETWEEN = ((1.0, 2.0, 5.0), (1.0, 1.5, 2.0, 3.0, 5.0, 7.0))
"""Multiples of powers of ten that get a tick: the first set with ``FEWEST`` ticks is used."""


def logarithmic(ax: "Axes", names: str) -> None:
    """Make axes logarithmic, with plain ticks: ``names`` is "x", "y" or "xy"."""
    for name in names:
        ax.set(**{f"{name}scale": "log"})
        plain_ticks(getattr(ax, f"{name}axis"))


def plain_ticks(axis: Any) -> None:
    """Put round numbers on a logarithmic axis, enough of them to read it.

    Over more than two decades they are powers of ten, over less 1, 2 and 5, then finer ones, and
    over less than a factor of two evenly spaced numbers. They follow the limits of the axis.
    """
    ticker = optional("matplotlib.ticker", "plot")
    axis.set_major_locator(_locator()())
    axis.set_major_formatter(
        ticker.FuncFormatter(lambda value, _: _number(value, *axis.get_view_interval()))
    )
    axis.set_minor_formatter(ticker.NullFormatter())


@functools.cache
def _locator() -> "type[LogLocator]":
    """Return the class of the ticks' locator, which is derived from one of matplotlib."""
    from matplotlib.ticker import LogLocator, MaxNLocator

    class RoundNumbers(LogLocator):
        """Ticks at powers of ten, or at more round numbers where these are too few."""

        def tick_values(self, vmin: float, vmax: float) -> Any:
            low, high = sorted((vmin, vmax))
            if low <= 0 or high > SHORT * low:
                self.set_params(subs=(1.0,))
                return super().tick_values(vmin, vmax)
            for multiples in BETWEEN:
                self.set_params(subs=multiples, numticks=20)
                ticks = super().tick_values(vmin, vmax)
                if sum(low <= tick <= high for tick in ticks) >= FEWEST:
                    return ticks
            return MaxNLocator(6, steps=[1, 2, 5, 10]).tick_values(low, high)

    return RoundNumbers


def _number(value: float, *limits: float) -> str:
    """Format a number: plain where all numbers of the axis are short, else with a power of ten."""
    if value <= 0 or (min(limits) > 9e-4 and max(limits) < 1e5):
        return f"{value:g}"
    power = math.floor(math.log10(value) + 1e-9)
    digits = f"{value / 10.0**power:g}"
    number = f"10^{{{power}}}" if digits == "1" else f"{digits}\\cdot 10^{{{power}}}"
    return f"$\\mathdefault{{{number}}}$"  # in the font of other numbers
