"""The search for the deepest valley of a loss over learning rates, in x = log lr.

First the rate is found above which runs diverge, from any start. From there down, a coarse lattice
covers the decades in which training has an effect; the lattice does not depend on the start, so
that searches from different starts see the same valleys. Then finer rates are looked at on both
sides of the best one, and parabolas and golden sections close in on the deepest valleys.
"""

import math
from collections.abc import Callable, Generator
from dataclasses import dataclass, field

from lindmft.analysis.searches.search import Run

__all__ = ["Survey", "Valley", "around", "close_in", "minima", "next_valley"]

COARSE = 0.8
"""Spacing of the lattice, in log lr: a factor of 2.2."""
NEAR_EDGE = 3
"""Places of the lattice next to divergence that are all looked at; below, every second one is."""
SMOOTH = 10
"""So many places below divergence runs are gradient flows; from there on every fourth is enough."""
FARTHEST = 340
"""Last places of the lattice: rates of e^-272 and e^272."""
FAR = math.log(10)
"""Without a known start, a loss so much larger than the best, on a log scale, ends the lattice."""
UNTRAINED = 0.1
"""A loss that is so little below that of the untrained network, on a log scale, ends it below."""
LOOKS = 6
"""Number of runs of the budget for each look into a gap of the lattice."""
CLOSING = 5
"""Runs that are kept for closing in."""
EXTRA = 5
"""Runs that finding the edge may take within the budget; more come on top of it."""
RIVAL = math.log(2)
"""Another valley is closed in on, too, if its loss is at most so much larger on a log scale."""
GOLDEN = (3 - math.sqrt(5)) / 2
FLAT = 1e-9
"""Relative changes of the loss up to this are none."""

Steps = Generator[list[float], list[Run], None]
Valley = tuple[float, float, float]


@dataclass
class Survey:
    """Values of a loss over x = log lr that have been computed.

    ``value`` and ``untrained`` give the logarithms of the loss of a run, inf where it diverged, and
    of the loss at its start, nan where that is not known; ``accuracy`` that of the loss below which
    it is rounding. ``window`` holds the lattice and what
    lies between its places; ``seen`` also what was tried on the way there.
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
        """The places whose losses are at the accuracy, in order: no rate there is the best."""
        return sorted(x for x, value in self.seen.items() if value <= self.floor + FLAT)

    @property
    def middle_of_level(self) -> float:
        """The place at the accuracy that is nearest to the middle of all."""
        level = self.level
        return min(level, key=lambda x: abs(x - (level[0] + level[-1]) / 2))

    def halve_level(self) -> Steps:
        """Look at the middle of the places at the accuracy."""
        if len(level := self.level) > 1:
            yield from self.look([(level[0] + level[-1]) / 2])

    @property
    def best(self) -> float:
        """The smallest value."""
        return min(self.seen.values())

    @property
    def left(self) -> int:
        """How many more runs it may take; what a far start costs comes on top."""
        on_the_way = len(self.seen) - len(self.seen.keys() & self.window.keys())
        return max(self.max_solves, self.max_solves - EXTRA + on_the_way) - len(self.seen)

    def look(self, places: list[float]) -> Steps:
        """Evaluate these, if they are within the budget."""
        new = [x for x in dict.fromkeys(places) if x not in self.seen][: max(self.left, 0)]
        runs = (yield [math.exp(x) for x in new]) if new else []
        for x, run in zip(new, runs, strict=True):
            self._note(x, run)
        self.window.update((x, self.seen[x]) for x in places if x in self.seen)

    def _note(self, x: float, run: Run) -> None:
        self.seen[x] = self.value(run)
        self.floor = max(self.floor, self.accuracy(run))
        if math.isnan(self.start):
            self.start = self.untrained(run)

    def explore(self, start: float) -> Steps:
        """Cover all rates that matter."""
        top = yield from self._edge(round(start / COARSE))
        yield from self.look([COARSE * (top - i) for i in range(NEAR_EDGE + 1)])
        place = top - NEAR_EDGE
        while not self._ends_below():
            harmful = self.window[COARSE * place] >= self.start
            place -= 4 if harmful or top - place > SMOOTH else 2
            self._refuse_hopeless(place)
            yield from self.look([COARSE * place])
        # Equal losses would be looked between for ever.
        while places := [x for x in self._between() if x not in self.window]:
            yield from self.look(places)

    def _edge(self, place: int) -> Generator[list[float], list[Run], int]:
        """The lowest place of the lattice above which no rate is worth a look."""
        wall = yield from self._is_wall(place)
        stride = -2 if wall else 1
        while True:
            following = place + stride
            self._refuse_hopeless(following)
            if (yield from self._is_wall(following)) != wall:
                break
            place, stride = following, 2 * stride
        low, high = sorted((place, following))
        while high - low > 1:
            middle = (low + high) // 2
            if (yield from self._is_wall(middle)):
                high = middle
            else:
                low = middle
        return high

    def _is_wall(self, place: int) -> Generator[list[float], list[Run], bool]:
        """Whether a run diverges; far above the best, if what it starts from is not known."""
        x = COARSE * place
        if x not in self.seen:
            (run,) = yield [math.exp(x)]
            self._note(x, run)
        loss = self.seen[x]
        return loss == math.inf or (math.isnan(self.start) and loss >= self.best + FAR)

    def _ends_below(self) -> bool:
        """Whether at the lowest place the loss has risen to what it starts from."""
        (_, lowest), (_, next_lowest) = sorted(self.window.items())[:2]
        if lowest <= next_lowest or lowest == math.inf:
            return False
        if self.left <= CLOSING:  # at least the best one is enclosed
            return lowest > self.best
        if math.isnan(self.start):
            return lowest >= self.best + FAR
        return -FLAT <= self.start - lowest <= UNTRAINED

    def _between(self) -> list[float]:
        """Places between the best one and its neighbours: many near divergence, few below."""
        pieces = max(self.max_solves // LOOKS, 2)
        left = self.max_solves - EXTRA - CLOSING - len(self.window)
        below, best, above = around(self.window)
        places: list[float] = []
        for a, b in ((below, best), (best, above)):
            wide = b - a > 1.5 * COARSE
            count = pieces // 2 if wide else pieces
            if wide or b - a > COARSE / 2:
                places += [a + (b - a) * i / count for i in range(1, count)]
        return places if len(places) <= left else []

    def _refuse_hopeless(self, place: int) -> None:
        """Say why there is no minimum: before the place is tried that would be too much."""
        tried = sorted(self.window or self.seen)
        low, high = math.exp(min(self.seen)), math.exp(max(self.seen))
        where = f"lr from {low:.3g} to {high:.3g}"
        first = self.seen[tried[0]]
        other = self.seen[tried[min(1, len(tried) - 1)]] if math.isnan(self.start) else self.start
        flat = len(tried) > 1 and abs(other - first) <= FLAT
        if (abs(place) > FARTHEST or self.window) and flat and first <= self.best + FLAT:
            raise ValueError(
                f"optimizer.lr must have a best value, got a {self.name} that is smallest without "
                f"training, or does not depend on it (at {where})"
            )
        if abs(place) > FARTHEST or self.left <= 1:
            found = "diverges" if self.best == math.inf else "has no minimum"
            raise ValueError(
                f"optimizer.lr must have a best value, got a {self.name} that {found} (at {where});"
                " start nearer to it, or raise max_solves"
            )


def around(seen: dict[float, float]) -> Valley:
    """The best place, and the nearest on both sides with losses that are larger."""
    tried = sorted(seen)
    best = min(tried, key=lambda x: (seen[x], x))
    higher = [x for x in tried if seen[x] > seen[best] + FLAT]
    below = max((x for x in higher if x < best), default=tried[0])
    return below, best, min((x for x in higher if x > best), default=tried[-1])


def valleys_of(seen: dict[float, float]) -> list[Valley]:
    """Each place with no neighbour below it, and its neighbours; the deepest first."""
    tried = sorted(seen)
    found = [
        (a, x, b)
        for a, x, b in zip(tried, tried[1:], tried[2:], strict=False)
        if seen[a] >= seen[x] < seen[b] and seen[x] <= min(seen.values()) + RIVAL
    ]
    return sorted(found, key=lambda valley: seen[valley[1]])


def minima(seen: dict[float, float], apart: float) -> list[float]:
    """Where the valleys are, the deepest first; those less apart from a deeper one left out."""
    kept: list[float] = []
    for _, x, _ in valleys_of(seen):
        if all(abs(x - y) > apart for y in kept):
            kept.append(x)
    return kept


def next_valley(seen: dict[float, float], closed: list[float]) -> Valley | None:
    """The deepest one that was not closed in on, and its neighbours; None if it is no rival."""
    rest = [(a, x, b) for a, x, b in valleys_of(seen) if not any(a <= c <= b for c in closed)]
    return rest[0] if rest else None


def close_in(valley: Valley, survey: Survey) -> Generator[list[float], list[Run], float]:
    """Brent's method: parabolas through three points, golden sections where they do not serve."""
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
    """From x to the vertex; None where there is none below."""
    r = (x - w) * (seen[x] - seen[v])
    q = (x - v) * (seen[x] - seen[w])
    above, below = (x - v) * q - (x - w) * r, 2 * (q - r)
    if not math.isfinite(below) or not math.isfinite(above) or below == 0:
        return None
    return -above / below
