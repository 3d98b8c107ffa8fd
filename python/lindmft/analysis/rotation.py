"""Chances of deviations of a few networks from the theory, at many dependent steps.

Losses of successive steps belong to the same networks, so the largest of their z-scores is neither
one draw nor as many draws as there are steps. The rotation test needs no estimate of the dependence
between steps. If networks deviate from the theory by chance alone, and normally, then no direction
in the space of networks is special: the deviations turned by a random rotation are as likely as
those that were seen. A mean that is far from the theory is the special direction in which all
networks deviate to the same side.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lindmft._internal.types import Array

__all__ = ["SUSPICIOUS_CHANCE", "Chances", "chances"]

SUSPICIOUS_CHANCE = 0.01
"""Chance below which deviations are not explained by chance."""
TURNS = 4999
MOST_STEPS = 4000
"""Largest number of steps used; of more, some are selected."""
BLOCK = 256
"""Columns in one product: their cosines with all directions take 10 MB."""
RIDGE = 0.01
"""Fraction of all variance that is added to every direction before the inverse is taken."""
TIE = 1e-12
LARGEST = 20.0
"""Largest logarithm of a resolution; a larger one means that nothing would be found."""


@dataclass(frozen=True)
class Chances:
    """Fractions of comparisons with a right theory in which chance makes such deviations.

    Attributes
    ----------
    test_loss, train_loss
        Fraction in which some step of this loss deviates as much, in standard errors, as the
        largest deviation seen.
    together
        The same for all steps of both losses together, with their correlations: a Hotelling T^2,
        which finds small deviations at many steps.
    rate
        The same for the combination of steps that shows a wrong learning rate best. None where
        small separate networks cannot determine the combination: see Notes.
    average_loss
        As ``test_loss``, for the loss of averaged weights; None without one.
    overall
        The fraction in which the smallest of these is as small as here.
    resolution
        The relative difference of a loss at a typical step (the median) that would have made
        ``overall`` suspicious.

    Notes
    -----
    The rotation test of Langsrud (2005), Statistics and Computing 15, 53. It is exact for normal
    deviations of any correlation between steps; those of log losses are nearly normal. The smallest
    possible value is 1 / 5000 (of ``overall``, up to 4 / 5000).

    A wrong rate changes the unit of time, so that log losses deviate in proportion to the
    theory's d log L / d log t. ``rate`` weighs the steps by the inverse covariance of log losses of
    up to 256 *pilot* networks of the theory's problem with 32 inputs (for trace-class problems,
    with the sizes of those compared). Their seeds are the first of the last stream, 2**32 - 1, so
    that they share no random number with the compared networks, and chances stay exact. ``rate`` is
    None where sizes of 32 inputs round to zero, more than half of the pilots diverge, fewer than
    three steps or networks of the last stream are compared, or 64 pilots would cost more than 1 s,
    or more than 0.2 s and the networks that are compared (estimated from sizes).

    Of more than 4000 steps about 4000 are used: half evenly spaced, half by equal ratios.

    Examples
    --------
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(), lm.FullBatch(alpha=2.0), lm.SGD(lr=0.1))
    >>> comparison = lm.compare(lm.solve(problem, 20), lm.train(problem, 20, dim=200, seeds=8))
    >>> 0 < comparison.chances.overall <= 1
    True
    """

    test_loss: float
    train_loss: float
    together: float
    rate: float | None
    overall: float
    resolution: float
    average_loss: float | None = None


def chances(
    test: Array, train: Array, combined: Array | None = None, average: Array | None = None
) -> Chances:
    """Return the chances of deviations of two losses: (networks, m), mean zero under the theory.

    Columns of zeros are ignored. ``combined``, (networks,), is a combination of all columns with
    weights that do not depend on them; its chance is ``rate``. ``average`` is a third loss,
    that of averaged weights.
    """
    nothing = np.empty((len(test), 0))
    column = nothing if combined is None else combined[:, None]
    averaged = nothing if average is None else average
    parts = [_unit_columns(each) for each in (test, train, column, averaged)]
    losses = parts[0].shape[1] + parts[1].shape[1]
    if not losses:
        return Chances(1.0, 1.0, 1.0, None, 1.0, 0.0)
    frame, directions = _directions(np.hstack(parts))
    pieces = np.split(frame, np.cumsum([part.shape[1] for part in parts[:-1]]), axis=1)
    cosines = [_largest_cosine(directions, piece) for piece in pieces]
    rate, own = (piece.shape[1] > 0 for piece in pieces[2:])
    present = [0, 1, *([2] if rate else []), *([3] if own else [])]
    ranks = [_chance(cosines[i]) for i in present]
    ranks.append(_chance(_all_together(directions, frame[:, :losses])))
    smallest = np.min(ranks, axis=0)
    return Chances(
        test_loss=float(ranks[0][0]),
        train_loss=float(ranks[1][0]),
        together=float(ranks[-1][0]),
        rate=float(ranks[2][0]) if rate else None,
        overall=float(np.mean(smallest <= smallest[0] * (1 + TIE))),
        resolution=_resolution(cosines[:2], ranks[:2], smallest, (test, train)),
        average_loss=float(ranks[-2][0]) if own else None,
    )


def _unit_columns(deviation: Array) -> Array:
    """(networks, k), the columns that are not zero, normalized to length 1."""
    m = deviation.shape[1]
    if m > MOST_STEPS:
        half = MOST_STEPS // 2
        chosen = np.r_[np.linspace(0, m - 1, half), np.geomspace(1, m, half) - 1]
        deviation = deviation[:, np.unique(chosen.astype(int))]
    length = np.linalg.norm(deviation, axis=0)
    some = length > 0
    columns: Array = deviation[:, some] / length[some]
    return columns


def _directions(columns: Array) -> tuple[Array, Array]:
    """The columns in coordinates of the space they span, and unit vectors seen from there.

    The first vector is (1, .., 1) / sqrt(n), the direction in which all networks deviate alike; the
    others are random. They have n coordinates, of which those outside of the space enter by their
    length alone.
    """
    n, m = columns.shape
    alike = np.full((1, n), n**-0.5)
    frame, outside = columns, 0
    if n > m:
        basis, frame = np.linalg.qr(columns)
        alike, outside = alike @ basis, n - m
    rng = np.random.default_rng(0)
    random = rng.standard_normal((TURNS, len(frame)))
    square = np.sum(random**2, axis=1)
    if outside:
        square += rng.chisquare(outside, TURNS)
    return frame, np.vstack([alike, random / np.sqrt(square)[:, None]])


def _largest_cosine(directions: Array, columns: Array) -> Array:
    """Largest |t| of each direction over all columns, with t = sqrt(n - 1) c / sqrt(1 - c^2)."""
    largest = np.zeros(len(directions))
    for start in range(0, columns.shape[1], BLOCK):
        cosines = np.abs(directions @ columns[:, start : start + BLOCK])
        np.maximum(largest, cosines.max(axis=1), out=largest)
    return largest


def _all_together(directions: Array, columns: Array) -> Array:
    """Hotelling's T^2 of each direction, regularized: u K (K + ridge)^-1 u with K = Y Y^T."""
    values, vectors = np.linalg.eigh(columns @ columns.T)
    values = np.maximum(values, 0.0)
    weight = values / (values + RIDGE * values.sum())
    statistic: Array = (directions @ vectors) ** 2 @ weight
    return statistic


def _chance(statistic: Array) -> Array:
    """The fraction of all entries that are at least as large, for each of them."""
    ordered = np.sort(statistic)
    smaller = np.searchsorted(ordered, statistic * (1 - TIE), side="left")
    fraction: Array = (len(statistic) - smaller) / len(statistic)
    return fraction


def _resolution(
    cosines: Sequence[Array], ranks: Sequence[Array], smallest: Array, deviations: Sequence[Array]
) -> float:
    """The smallest suspicious t of a loss times its standard error, of the better known loss."""
    limit = np.quantile(smallest[1:], SUSPICIOUS_CHANCE)
    found = []
    for cosine, rank, deviation in zip(cosines, ranks, deviations, strict=False):
        n, spread = len(deviation), deviation.std(axis=0, ddof=1)
        suspicious = cosine[rank <= limit]
        if not len(suspicious) or not spread.any():
            continue
        c = min(float(suspicious.min()), 1 - TIE)
        error = np.median(spread[spread > 0]) / np.sqrt(n)
        t = np.sqrt((n - 1) / (1 - c**2)) * c
        found.append(float(np.expm1(min(t * error, LARGEST))))
    return min(found, default=0.0)
