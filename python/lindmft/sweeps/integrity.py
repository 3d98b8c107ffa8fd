"""Whether what a store keeps can be what was written: a chunk that got lost reads as nothing.

Zarr has no place for a checksum of metadata, and takes a missing chunk for one that was never
written. So the store has a checksum of its attributes and coordinates, and a block counts as kept
only where its arrays have what its states say.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from lindmft._internal.types import Mask
from lindmft.results.content import CHECKSUM
from lindmft.results.observables import DIRECTIONS, NORMS
from lindmft.sweeps.stages import DIVERGED, DONE, FAILED, NO_STEP, PENDING, STAGES

Arrays = Mapping[str, np.ndarray[Any, Any]]


@contextmanager
def reading(store: Any) -> Iterator[None]:
    """Whatever goes wrong is a ``ValueError``: the libraries below raise many kinds for it."""
    try:
        yield
    except Exception as error:
        raise ValueError(
            f"{store} must be a complete store of a sweep, got one that cannot be read: {error}"
        ) from error


def seals(group: Any) -> dict[str, str]:
    """Checksums of a store's attributes ("") and of what its arrays are, with coordinates' values.

    The values of other arrays come later, and each of their chunks has a checksum of its own.
    """
    attributes = {name: value for name, value in group.attrs.items() if name != CHECKSUM}
    found = {"": hashlib.sha256(_text(attributes)).hexdigest()}
    for name, array in group.arrays():
        kind = [array.shape, array.metadata.dimension_names, str(array.dtype), dict(array.attrs)]
        digest = hashlib.sha256(_text(kind))
        if not name.startswith(tuple(f"{stage}_" for stage in STAGES)):
            digest.update(np.asarray(array[...]).tobytes())
        found[name] = digest.hexdigest()
    return found


def check_seals(group: Any) -> None:
    """Refuse a store that was changed; older ones have no checksums."""
    with reading(group.store):
        found = seals(group)
        expected = json.loads(group.attrs.get(CHECKSUM, "{}"))
    for name, digest in expected.items():
        if name not in found:
            raise ValueError(
                f"{group.store} must be a complete store of a sweep, got one without {name!r}"
            )
        if found[name] != digest:
            raise ValueError(
                f"{group.store} must be as it was written, got one whose "
                f"{repr(name) if name else 'attributes'} differs from its checksum"
            )


def lost(stage: str, arrays: Arrays) -> Mask:
    """The points of which something is missing, given the arrays of a stage by their names."""
    states = arrays[f"{stage}_status"]
    diverged = states == DIVERGED
    computed = (states == DONE) | diverged
    missing = (states == PENDING) | (states > FAILED)
    undefined = arrays.get(f"{stage}_undefined")  # values that do not exist: as many must be nan
    if undefined is not None:
        found = sum(
            np.isnan(array).sum(axis=-1)
            for name, array in arrays.items()
            if name.removeprefix(f"{stage}_") in DIRECTIONS
        )
        missing |= computed & (found != undefined)
    for name, array in arrays.items():
        observable = name.removeprefix(f"{stage}_")
        if observable == "diverged_at":
            missing |= computed & (_any(array != NO_STEP, states.ndim) != diverged)
        elif observable not in {"status", "undefined"} and not (
            observable in DIRECTIONS and undefined is not None
        ):
            first = array[..., 0, :] if observable in NORMS else array  # others may be too deep
            missing |= computed & _any(np.isnan(first), states.ndim)
    result: Mask = missing
    return result


def over_points(marks: Mask, tile: Sequence[int], shape: Sequence[int]) -> Mask:
    """By point, what is true of its block."""
    for axis, size in enumerate(tile):
        marks = np.repeat(marks, size, axis)
    return marks[tuple(slice(n) for n in shape)]


def _any(values: Mask, first: int) -> Mask:
    """Over all dimensions but the first."""
    found: Mask = np.asarray(values.reshape(*values.shape[:first], -1).any(axis=-1))
    return found


def _text(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, default=str).encode()
