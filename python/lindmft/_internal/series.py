"""Round numbers 1, 2, 5, 10, ... at which results are reported."""

import math


def round_steps(steps: int) -> list[int]:
    """Return 0, 1, 2, 5, 10, 20, ... below ``steps``, and the last step."""
    series = {digit * 10**power for power in range(len(str(steps))) for digit in (1, 2, 5)}
    return sorted({0, steps - 1} | {step for step in series if step < steps})


def round_times(end: float) -> list[float]:
    """Return 0, the numbers 1, 2, 5, 10, ... from a few hundredths of ``end`` on, and ``end``."""
    top = math.floor(math.log10(end))
    powers = range(min(-1, top - 2), top + 1)
    series = {digit * 10.0**power for power in powers for digit in (1, 2, 5)}
    return sorted({0.0, end} | {time for time in series if time < end})
