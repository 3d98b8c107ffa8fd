"""The search for the deepest valley of a loss over learning rates, in x = log lr.

First the search finds the rate above which runs diverge, from any start. Below it, a coarse lattice
covers the decades in which training has an effect. The lattice does not depend on the start, so
that searches from different starts see the same valleys. Then finer rates are tried on both sides
of the best one, and parabolas and golden sections narrow down the deepest valleys.
"""

import math
from collections.abc import Callable, Generator
from dataclasses import dataclass, field

from lindmft.analysis.searches.search import Run

__all__ = ["Survey", "Valley", "around", "close_in", "minima", "next_valley"]

COARSE = 0.8
"""Spacing of the lattice, in log lr: a factor of 2.2."""
NEAR_EDGE = 3
"""Points of the lattice below divergence that are all tried; below them, every second one is."""
SMOOTH = 10
"""Number of points below divergence from which runs are gradient flows: every fourth is enough."""
FARTHEST = 340
"""Index of the last points of the lattice: rates of e^-272 and e^272."""
FAR = math.log(10)
"""Excess over the best log loss that ends the lattice where the loss at the start is unknown."""
UNTRAINED = 0.1
"""Distance of a log loss from that of the untrained network that ends the lattice below."""
LOOKS = 6
"""Runs of the budget for each finer point in a gap of the lattice."""
CLOSING = 5
"""Runs that are reserved for narrowing down a valley."""
EXTRA = 5
"""Runs within the budget for finding the edge; more than these are added to the budget."""
RIVAL = math.log(2)
"""Largest excess of the log loss of another valley that is narrowed down, too."""
GOLDEN = (3 - math.sqrt(5)) / 2
"""Fraction of an interval in a golden section."""
FLAT = 1e-9
"""Relative changes of the loss up to this count as none."""

Steps = Generator[list[float], list[Run], None]
Valley = tuple[float, float, float]


@dataclass
class Survey:
    """Values of a loss over x = log lr that have been computed.

    ``value`` and ``untrained`` give the logarithms of the loss of a run, inf where it diverged, and
    of the loss at its start, nan where that is not known; ``accuracy`` that of the loss below which
    it is rounding. ``window`` holds the lattice and the finer points between; ``seen`` also has the
    points that were tried on the way there.
    """

    value: Callable[[Run], float]
    untrained: Callable[[Run], float]
    accuracy: Callable[[Run], float]
    name: str
    max_solves: int
    rtol: float
    seen: dict[float, float] = field(default_factory=dict)
    window: dict[float, float] = field(default_factory=dict)
    start: float = math.nan
    floor: float = -math.inf

    @property
    def level(self) -> list[float]:
        """The points whose losses are at the accuracy, in order: none of them is the best."""
        return sorted(x for x, value in self.seen.items() if value <= self.floor + FLAT)

    @property
    def middle_of_level(self) -> float:
        """The point at the accuracy that is nearest to the middle of all of them."""
        level = self.level
        return min(level, key=lambda x: abs(x - (level[0] + level[-1]) / 2))

    def halve_level(self) -> Steps:
        """Evaluate the middle of the points at the accuracy."""
        if len(level := self.level) > 1:
            yield from self.look([(level[0] + level[-1]) / 2])

    @property
    def best(self) -> float:
        """The smallest value."""
        return min(self.seen.values())

    @property
    def left(self) -> int:
        """The number of runs that are left; the cost of a far start is added to the budget."""
        on_the_way = len(self.seen) - len(self.seen.keys() & self.window.keys())
        return max(self.max_solves, self.max_solves - EXTRA + on_the_way) - len(self.seen)

    def look(self, points: list[float]) -> Steps:
        """Evaluate these points, as far as the budget allows."""
        new = [x for x in dict.fromkeys(points) if x not in self.seen][: max(self.left, 0)]
        runs = (yield [math.exp(x) for x in new]) if new else []
        for x, run in zip(new, runs, strict=True):
            self._note(x, run)
        self.window.update((x, self.seen[x]) for x in points if x in self.seen)

    def _note(self, x: float, run: Run) -> None:
        self.seen[x] = self.value(run)
        self.floor = max(self.floor, self.accuracy(run))
        if math.isnan(self.start):
            self.start = self.untrained(run)

    def explore(self, start: float) -> Steps:
        """Cover all rates at which training has an effect and does not diverge."""
        top = yield from self._edge(round(start / COARSE))
        yield from self.look([COARSE * (top - i) for i in range(NEAR_EDGE + 1)])
        point = top - NEAR_EDGE
        while not self._ends_below():
            harmful = self.window[COARSE * point] >= self.start
            point -= 4 if harmful or top - point > SMOOTH else 2
            self._refuse_hopeless(point)
            yield from self.look([COARSE * point])
        # Without this condition, equal losses would be refined without end.
        while points := [x for x in self._between() if x not in self.window]:
            yield from self.look(points)

    def _edge(self, point: int) -> Generator[list[float], list[Run], int]:
        """The lowest point of the lattice above which runs diverge."""
        wall = yield from self._is_wall(point)
        stride = -2 if wall else 1
        while True:
            following = point + stride
            self._refuse_hopeless(following)
            if (yield from self._is_wall(following)) != wall:
                break
            point, stride = following, 2 * stride
        low, high = sorted((point, following))
        while high - low > 1:
            middle = (low + high) // 2
            if (yield from self._is_wall(middle)):
                high = middle
            else:
                low = middle
        return high

    def _is_wall(self, point: int) -> Generator[list[float], list[Run], bool]:
        """Whether a run diverges, or is far above the best where the initial loss is unknown."""
        x = COARSE * point
        if x not in self.seen:
            (run,) = yield [math.exp(x)]
            self._note(x, run)
        loss = self.seen[x]
        return loss == math.inf or (math.isnan(self.start) and loss >= self.best + FAR)

    def _ends_below(self) -> bool:
        """Whether the loss at the lowest point has risen to the initial loss."""
        (_, lowest), (_, next_lowest) = sorted(self.window.items())[:2]
        if lowest <= next_lowest or lowest == math.inf:
            return False
        if self.left <= CLOSING:  # at least the best one is enclosed
            return lowest > self.best
        if math.isnan(self.start):
            return lowest >= self.best + FAR
        return -FLAT <= self.start - lowest <= UNTRAINED

    def _between(self) -> list[float]:
        """Points between the best one and its neighbours: many near divergence, few below."""
        pieces = max(self.max_solves // LOOKS, 2)
        left = self.max_solves - EXTRA - CLOSING - len(self.window)
        below, best, above = around(self.window)
        points: list[float] = []
        for a, b in ((below, best), (best, above)):
            wide = b - a > 1.5 * COARSE
            count = pieces // 2 if wide else pieces
            if wide or b - a > COARSE / 2:
                points += [a + (b - a) * i / count for i in range(1, count)]
        return points if len(points) <= left else []

    def _refuse_hopeless(self, point: int) -> None:
        """Raise the reason why there is no minimum, before a point is tried that cannot help."""
        tried = sorted(self.window or self.seen)
        low, high = math.exp(min(self.seen)), math.exp(max(self.seen))
        where = f"lr from {low:.3g} to {high:.3g}"
        first = self.seen[tried[0]]
        other = self.seen[tried[min(1, len(tried) - 1)]] if math.isnan(self.start) else self.start
        flat = len(tried) > 1 and abs(other - first) <= FLAT
        if (abs(point) > FARTHEST or self.window) and flat and first <= self.best + FLAT:
            raise ValueError(
                f"optimizer.lr must have a best value, got a {self.name} that is smallest without "
                f"training, or does not depend on it (at {where})"
            )
        if abs(point) > FARTHEST or self.left <= 1:
            found = "diverges" if self.best == math.inf else "has no minimum"
            raise ValueError(
                f"optimizer.lr must have a best value, got a {self.name} that {found} "
                f"(at {where}). Start nearer to it, or raise max_solves."
            )


def around(seen: dict[float, float]) -> Valley:
    """Return the best point, and the nearest ones on both sides with larger losses."""
    tried = sorted(seen)
    best = min(tried, key=lambda x: (seen[x], x))
    higher = [x for x in tried if seen[x] > seen[best] + FLAT]
    below = max((x for x in higher if x < best), default=tried[0])
    return below, best, min((x for x in higher if x > best), default=tried[-1])


def valleys_of(seen: dict[float, float]) -> list[Valley]:
    """Return each point with no lower neighbour, and its neighbours; the deepest first."""
    tried = sorted(seen)
    found = [
        (a, x, b)
        for a, x, b in zip(tried, tried[1:], tried[2:], strict=False)
        if seen[a] >= seen[x] < seen[b] and seen[x] <= min(seen.values()) + RIVAL
    ]
    return sorted(found, key=lambda valley: seen[valley[1]])


def minima(seen: dict[float, float], apart: float) -> list[float]:
    """Return the positions of valleys, the deepest first, without those near a deeper one."""
    kept: list[float] = []
    for _, x, _ in valleys_of(seen):
        if all(abs(x - y) > apart for y in kept):
            kept.append(x)
    return kept


def next_valley(seen: dict[float, float], closed: list[float]) -> Valley | None:
    """Return the deepest valley that was not narrowed down yet, or None."""
    rest = [(a, x, b) for a, x, b in valleys_of(seen) if not any(a <= c <= b for c in closed)]
    return rest[0] if rest else None


def close_in(valley: Valley, survey: Survey) -> Generator[list[float], list[Run], float]:
    """Narrow a valley down by Brent's method: parabolas, and golden sections where they fail."""
    tolerance, seen = math.log1p(survey.rtol) / 3, survey.seen
    a, x, b = valley
    w, v, before, step = a, b, b - a, b - a  # second best, third, and the last two moves
    if seen[v] < seen[w]:
        w, v = v, w
    while survey.left > 0:
        middle = (a + b) / 2
        if abs(x - middle) <= 2 * tolerance - (b - a) / 2:
            break
        move = _parabola(x, w, v, seen)
        if move is not None and abs(move) < abs(before) / 2 and a < x + move < b:
            before, step = step, move
            if min(x + step - a, b - x - step) < 2 * tolerance:
                step = math.copysign(tolerance, middle - x)
        else:
            before = (a if x >= middle else b) - x
            step = GOLDEN * before
        u = x + (step if abs(step) >= tolerance else math.copysign(tolerance, step))
        yield from survey.look([u])
        if seen[u] <= seen[x]:
            a, b = (x, b) if u > x else (a, x)
            w, v, x = x, w, u
        else:
            a, b = (a, u) if u > x else (u, b)
            if seen[u] <= seen[w]:
                w, v = u, w
            elif seen[u] <= seen[v]:
                v = u
    return x


def _parabola(x: float, w: float, v: float, seen: dict[float, float]) -> float | None:
    """The step from x to the vertex of a parabola; None where it has no minimum."""
    r = (x - w) * (seen[x] - seen[v])
    q = (x - v) * (seen[x] - seen[w])
    above, below = (x - v) * q - (x - w) * r, 2 * (q - r)
    if not math.isfinite(below) or not math.isfinite(above) or below == 0:
        return None
    return -above / below
