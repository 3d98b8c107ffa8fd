"""z-scores of trained networks against the theory."""

from typing import Any

import numpy as np

AGREE = 1e-12
"""A difference that counts as none where all networks are equal: both are zero, or at the start."""
EQUAL = 1e-14
"""A standard error up to which networks count as equal."""


def largest_score(seen: Any, expected: Any) -> float:
    """Return the largest deviation of a mean over networks (first axis), in standard errors."""
    sem = seen.std(axis=0, ddof=1) / np.sqrt(len(seen))
    off = np.abs(seen.mean(axis=0) - expected)
    z = np.divide(off, sem, out=np.where(off < AGREE, 0.0, np.inf), where=sem > EQUAL)
    return float(z.max())
