"""Estimates of the time a computation takes, from the growth of its work with the steps.

On exact grids every new step uses all earlier steps, so that step t costs between t and t^2.
"""

import math
from dataclasses import dataclass

EXACT, COARSE, CONDENSED = 2.5, 1.5, 1.1
"""Powers of t with which the work up to step t grows: measured on exact grids of 500 to 3000 steps
(2.1 to 2.7), on coarse grids, where t is the fraction of log time (0.9 to 2.1), and with a
condensed past of 1000 to 30000 steps."""
OF_REPLICAS, OF_KERNELS, OF_AVERAGE = 0.45, 0.6, 0.3
"""Fractions of the work of replicas, kernels and averages that remain when all steps are solved."""
EARLIEST, LONG = 2.0, 60.0
"""Seconds before the time is estimated; seconds left from which a computation is long."""
UNITS = {"days": 86400, "h": 3600, "min": 60}
"""Units of durations in seconds; each is used from twice its length on."""
LIKELY_DEPTH_NODES = 16
"""Nodes that infinite depth usually takes, for estimates before the number is known."""


def likely_depth(depth: float) -> float:
    """Return the number of hidden layers, or of the nodes that infinite depth usually takes."""
    return depth if math.isfinite(depth) else LIKELY_DEPTH_NODES


@dataclass(frozen=True)
class Cost:
    """The fraction of the work that is done, from the fraction of the steps.

    ``parts`` computations of the same length follow each other; the work of each grows with
    ``power`` of its steps. ``after`` is the fraction of the work that remains when all steps are
    done. ``counted`` is true if reports count steps; otherwise they are fractions of the time on a
    logarithmic scale.
    """

    power: float = 1.0
    parts: float = 1.0
    after: float = 0.0
    counted: bool = True
    advice: str = ""

    def text(self, done: int, total: int) -> str:
        """Return the last report as a text for people."""
        return f"{done}/{total} steps" if self.counted else f"{done / total:.0%} of log time"

    def done(self, share: float) -> float:
        """Return the fraction of the work that is done when ``share`` of the steps are."""
        rounds = max(1.0, self.parts)
        whole = int(share * rounds)
        within = (share * rounds - whole) ** self.power
        total = int(rounds) + (rounds % 1) ** self.power
        return float(min(1.0, (whole + within) / total) * (1.0 - self.after))


class Forecast:
    """Announces once how long a computation will take, if it is long and there is a faster way."""

    def __init__(self, advice: str) -> None:
        self.advice = advice

    def line(self, start: float, work: float, seconds: float) -> str:
        """Return the announcement, or an empty text if there is none now.

        ``start`` is the fraction of the work that was done at the beginning, ``work`` the fraction
        that is done now, after ``seconds``.
        """
        if not self.advice or seconds < EARLIEST or work <= start:
            return ""
        left = seconds * (1.0 - work) / (work - start)
        if left < LONG:
            return ""
        text, self.advice = f"about {duration(left)} left; {self.advice}", ""
        return text


def duration(seconds: float) -> str:
    """Return a length of time for people, in its largest unit."""
    for unit, size in UNITS.items():
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


class Meter:
    """The fraction of the work that is done, from reports of steps; it never decreases.

    A computation that continues an earlier one begins with the steps of that one; ``start`` is
    their work, which took no time in this call. Reports that begin again at the first steps belong
    to a second pass over the steps, the work ``after`` them.
    """

    def __init__(self, cost: Cost) -> None:
        self.cost = cost
        self.start = 0.0
        self.begun = False
        self.largest = 0.0
        self.steps = 0
        self.again = False

    def work(self, done: int, total: int) -> float:
        """Return the fraction of the work after ``done`` of ``total`` steps."""
        share = done / max(total, 1)
        work = self.cost.done(share)
        self.again = self.again or done < self.steps
        if self.again and self.cost.after:
            work = 1.0 - self.cost.after * (1.0 - share**self.cost.power)
        self.steps = done
        if not self.begun:
            self.start, self.begun = work, True
        self.largest = max(self.largest, work)
        return self.largest
