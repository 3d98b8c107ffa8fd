"""Round numbers: 1, 2, 5, 10, 20, 50, ..."""

DIGITS = (1, 2, 5)


def one_two_five(first: int, last: int) -> list[float]:
    """Return 1, 2 and 5 times the powers of ten from ``first`` to ``last``."""
    return [digit * 10.0**power for power in range(first, last + 1) for digit in DIGITS]


def round_steps(steps: int) -> list[int]:
    """Return 0, 1, 2, 5, 10, 20, ... and the last of ``steps`` steps."""
    series = map(int, one_two_five(0, len(str(steps)) - 1))
    return sorted({0, steps - 1} | {step for step in series if step < steps})
