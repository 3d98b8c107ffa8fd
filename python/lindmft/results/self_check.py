"""Verdict on the self-check of a result: the chain identity, which the solver does not use."""

import math

__all__ = ["passed", "verdict"]

USUAL = 1e-9
"""Largest residual that counts as rounding. 430 random problems gave at most 6e-13 on exact steps
and at most 4e-11 on coarse grids."""
USUAL_COARSE = 1e-6
"""Largest usual residual at infinite depth, whose profiles over depth are resolved to this
accuracy, and where an instability amplifies rounding errors: up to this size they are invisible in
the losses."""
OF_RTOL = 1e-2
"""The part of rtol that a condensed past may add. 150 random problems gave at most 2e-3."""


def passed(residual: float, depth: float, *, amplified: bool = False, rtol: float = 0.0) -> bool:
    """Return whether a ``chain_residual`` is as small as is usual at this depth.

    ``amplified`` says that an instability has amplified rounding errors. ``rtol`` is that of a
    condensed past, otherwise 0.
    """
    return residual <= _usual(depth, amplified, rtol)


def verdict(residual: float, depth: float, *, amplified: bool = False, rtol: float = 0.0) -> str:
    """Return the verdict: the residual, what is usual, and what to do if the check failed."""
    numbers = f"({residual:.0e}, usually below {_usual(depth, amplified, rtol):.0e})"
    if passed(residual, depth, amplified=amplified, rtol=rtol):
        return f"self-check passed {numbers}"
    return (
        f"self-check FAILED {numbers}: do not rely on these numbers. Compare with a smaller "
        "optimizer.lr or with exact steps from the start, and report the problem"
    )


def _usual(depth: float, amplified: bool, rtol: float) -> float:
    usual = USUAL_COARSE if math.isinf(depth) or amplified else USUAL
    return usual + OF_RTOL * rtol
