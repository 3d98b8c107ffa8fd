"""The verdict on a solution's self-check, the chain identity, which the solver does not use."""

import math

__all__ = ["passed", "verdict"]

USUAL = 1e-9
"""The largest residual that counts as rounding. 430 random problems gave 6e-13 or less on exact
steps, 4e-11 or less on coarse grids."""
USUAL_ENDLESS = 1e-6
"""The same at infinite depth, where profiles over depth are resolved to this accuracy."""


def passed(residual: float, depth: float) -> bool:
    """Whether a ``chain_residual`` is as small as it is for right solutions of this depth."""
    return residual <= _usual(depth)


def verdict(residual: float, depth: float) -> str:
    """The result of the check with its number, what is usual, and what to do if it failed."""
    numbers = f"({residual:.0e}, usually below {_usual(depth):.0e})"
    if passed(residual, depth):
        return f"self-check passed {numbers}"
    return (
        f"self-check FAILED {numbers}: do not rely on these numbers. Compare with a smaller "
        "optimizer.lr or with exact steps from the start, and report the problem"
    )


def _usual(depth: float) -> float:
    return USUAL_ENDLESS if math.isinf(depth) else USUAL
