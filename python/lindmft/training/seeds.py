"""Seeds as exact integers: labels of up to 64 bits, never numbers to be rounded."""

from collections.abc import Sequence
from operator import index
from typing import Any

import numpy as np

from lindmft._internal.validation import integer, is_list, refuse

LARGEST_SEED = 2**64 - 1
MOST = 10**6
"""Networks in a call: beyond, their list alone would take long to make."""


def seed_list(seeds: int | Sequence[int], first: int) -> list[int]:
    """The seeds of an ensemble: those listed, or so many in a row from the first."""
    if is_list(seeds):
        if _seed(first, "seed") != 0:
            refuse("seed", "left out when seeds is a list", first)
        listed = [_seed(value, f"seeds[{i}]") for i, value in enumerate(seeds)]
    else:
        start = _seed(first, "seed")
        count = integer(seeds, "seeds")
        if not 1 <= count <= MOST:
            refuse("seeds", f"from 1 to {MOST} networks, or a list of seeds", seeds)
        listed = list(range(start, start + count))
    if listed and listed[-1] > LARGEST_SEED:
        refuse("seed", f"at most {LARGEST_SEED} in the last network", listed[-1])
    if len(set(listed)) < len(listed):
        refuse("seeds", "different from each other", seeds)
    return listed


def _seed(value: Any, field: str) -> int:
    allowed = f"a whole number from 0 to {LARGEST_SEED}"
    try:
        result = index(value)
    except TypeError:
        refuse(field, allowed, value)
    if isinstance(value, bool | np.bool_) or not 0 <= result <= LARGEST_SEED:
        refuse(field, allowed, value)
    return result
