"""Losses that level off at a constant: the sentence that names label noise as the reason.

``test_loss`` is the excess over noiseless labels. A loop that tests on noisy labels adds sigma^2 to
it, which no learning rate, width or amount of data explains.
"""

import math
from collections.abc import Sequence

import numpy as np

from lindmft.analysis.loops.fits import CONFIDENCE, Fit, Losses, fit_all
from lindmft.analysis.loops.hypotheses import OFFSET, loss_offset
from lindmft.problem.problem import Problem
from lindmft.results.solution import Solution

__all__ = ["offset_advice"]

VISIBLE, BETTER = 0.1, 3.0
"""The label noise of the problem explains a difference of log losses above the first number that it
makes smaller by the second factor."""
LARGE, MUCH_BETTER = 0.3, 5.0
"""The same numbers for an offset of any size, which chance imitates more often."""
NEAR = 0.25
"""Relative difference up to which the offset of a single curve is the label noise."""


def offset_advice(
    problem: Problem, theory: Solution, seen: Losses, given: Fit, fitting: Sequence[Fit]
) -> str:
    """Return the sentence about a constant in the losses, or "" where nothing speaks for one.

    The label noise of the problem is looked for first, because it has no number to fit; then any
    offset that is the best explanation, or, where the networks are too few to reject the problem,
    one that fits clearly better.
    """
    noise = problem.data.irreducible
    compatible = not fitting or any(fit.hypothesis.name == OFFSET for fit in fitting)
    if noise > 0 and compatible:
        curve = seen.log(theory.test_loss + noise)
        difference = float(np.sqrt(np.mean((curve - seen.mean) ** 2)))
        if better := _times_better(given, difference, VISIBLE, BETTER):
            return (
                f" The losses seem to include the label noise of the problem, {noise:.3g}: the "
                f"theory plus this constant fits them {better} times better. Subtract "
                f"{noise:.3g}, because test_loss is the excess over noiseless labels."
            )
    if fitting and fitting[0].hypothesis.name == OFFSET:
        return f" {_meaning(fitting[0], noise, only=len(fitting) == 1)}"
    if fitting:
        return ""
    for fit in fit_all([loss_offset(problem, theory)], problem, theory, seen, None):
        if better := _times_better(given, fit.difference, LARGE, MUCH_BETTER):
            meaning = _meaning(fit, noise, only=False)
            return f" With {_phrase(fit)} the theory fits {better} times better. {meaning}"
    return ""


def _times_better(given: Fit, difference: float, visible: float, better: float) -> str:
    """The factor in words by which a fit is better than the problem as given, or ""."""
    if given.difference <= visible or given.difference < better * difference:
        return ""
    ratio = given.difference / difference if difference > 0 else math.inf
    return f"{ratio:.2g}" if ratio < 100 else "more than 100"


def _phrase(fit: Fit) -> str:
    number = f"{fit.value:.3g}"
    if fit.interval:
        number += f" ({fit.interval[0]:.3g} to {fit.interval[1]:.3g}, {CONFIDENCE:.0%} interval)"
    return f"an offset of {number}"


def _meaning(fit: Fit, noise: float, *, only: bool) -> str:
    """The cause of a constant in losses, and what to do; conditional if it is not the only one."""
    low, high = fit.interval or (fit.value / (1 + NEAR), fit.value * (1 + NEAR))
    if low < noise < high:
        cause, amount = "the label noise of the problem", noise
    else:
        spread = math.sqrt(fit.value)
        cause, amount = f"label noise of standard deviation {spread:.2g} in test labels", fit.value
    return (
        f"{'Such a constant is what' if only else 'If the offset is the reason, it is what'} "
        f"{cause} adds, sigma^2 = {amount:.3g}: subtract it, because test_loss is the excess over "
        "noiseless labels."
    )
