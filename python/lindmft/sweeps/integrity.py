"""Checks that a store still contains what was written.

Zarr has no checksum of metadata, and takes a missing chunk for one that was never written.
Therefore the store has a checksum of its attributes and coordinates, and a block counts as stored
only if its arrays have the values that its states promise.
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
from lindmft.sweeps.stages import DIVERGED, DONE, NO_STEP, PENDING, STAGES, UNTRAINABLE

Arrays = Mapping[str, np.ndarray[Any, Any]]


@contextmanager
def reading(store: Any) -> Iterator[None]:
    """Turn every error into a ``ValueError``: the libraries below raise many kinds for damage."""
    try:
        yield
    except Exception as error:
        raise ValueError(
            f"{store} must be a complete store of a sweep, got one that cannot be read: {error}"
        ) from error


def checksums(group: Any) -> dict[str, str]:
    """Return checksums of the attributes (name "") and of the shape and attributes of every array.

    Those of coordinates include the values. Other arrays are filled later, and each of their chunks
    has a separate checksum.
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


def check_checksums(group: Any) -> None:
    """Refuse a store whose metadata was changed; the oldest stores have no checksums."""
    with reading(group.store):
        found = checksums(group)
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
    """Return the points that lost values, given the arrays of a stage by their names."""
    states = arrays[f"{stage}_status"]
    diverged = states == DIVERGED
    computed = (states == DONE) | diverged
    missing = (states == PENDING) | (states > UNTRAINABLE)
    undefined = arrays.get(f"{stage}_undefined")  # how many values must be nan
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


def over_points(marks: Mask, chunk: Sequence[int], shape: Sequence[int]) -> Mask:
    """Return for every point the mark of its block."""
    for axis, size in enumerate(chunk):
        marks = np.repeat(marks, size, axis)
    return marks[tuple(slice(n) for n in shape)]


def _any(values: Mask, first: int) -> Mask:
    """Whether any value is true, over all dimensions after the ``first`` ones."""
    found: Mask = np.asarray(values.reshape(*values.shape[:first], -1).any(axis=-1))
    return found


def _text(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, default=str).encode()
