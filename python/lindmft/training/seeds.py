"""Seeds as exact integers: labels of up to 64 bits, never numbers to be rounded."""

from collections.abc import Sequence
from operator import index
from typing import Any

import numpy as np

from lindmft._internal.validation import describe, integer, is_list, refuse

LARGEST_SEED = 2**64 - 1
"""Largest seed of one network: its weights, data and noise are drawn from this number."""
STREAM = 2**32
"""Distance of the first seeds of two streams: more than the networks of any call."""
MOST = 10**6
"""Networks in a call: beyond, their list alone would take long to make."""


def seed_list(seeds: int | Sequence[int], stream: int) -> list[int]:
    """The seeds of an ensemble: those listed, or the first ones of a stream.

    Network k of stream s has the seed ``2**32 s + k``, so that two streams share no network.
    """
    if is_list(seeds):
        if _seed(stream, "seed", LARGEST_SEED) != 0:
            raise ValueError(
                f"`seed` cannot be combined with a list of seeds, got {describe(stream)}: the list "
                "names every network. Leave seed out."
            )
        listed = [_seed(value, f"seeds[{i}]", LARGEST_SEED) for i, value in enumerate(seeds)]
    else:
        first = STREAM * _stream(stream)
        count = integer(seeds, "seeds")
        if not 1 <= count <= MOST:
            refuse("seeds", f"from 1 to {MOST} networks, or a list of seeds", seeds)
        listed = list(range(first, first + count))
    if len(set(listed)) < len(listed):
        refuse("seeds", "different from each other", seeds)
    return listed


def _stream(value: Any) -> int:
    if isinstance(value, int) and STREAM <= value <= LARGEST_SEED:
        raise ValueError(
            f"seed must be a whole number from 0 to {STREAM - 1}, got {value}: it names a stream "
            "of networks. To train networks with given seeds, list them: seeds=[...]."
        )
    return _seed(value, "seed", STREAM - 1)


def _seed(value: Any, field: str, largest: int) -> int:
    allowed = f"a whole number from 0 to {largest}"
    try:
        result = index(value)
    except TypeError:
        refuse(field, allowed, value)
    if isinstance(value, bool | np.bool_) or not 0 <= result <= largest:
        refuse(field, allowed, value)
    return result
