"""Sizes by two names: as ratios to the input dimension D, or as actual numbers ("counts").

A trace-class spectrum has no D. The numbers of samples and of hidden units themselves matter there
(theory section 6). They have separate names, so that a ratio is never taken for a count. With other
spectra counts are divided by the number of inputs, if that is given. Infinity may be given by
either name.
"""

import math
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from lindmft._internal.validation import (
    Converter,
    conflict,
    number,
    number_or_numbers,
    refuse,
)

COUNT = "a whole number of at least 1, or inf"
RATIOS = {
    "network.hidden": "network.width",
    "data.samples": "data.alpha",
    "data.batch": "data.alpha",
}
"""Path of each size as a count, with the path of the ratio that it replaces."""


class _Spectrum(Protocol):
    @property
    def trace_class(self) -> bool: ...


def count(value: Any, field: str) -> int | float:
    """Return a whole number of at least 1 as an int, or infinity."""
    size = number(value, field, COUNT)
    if size == math.inf:
        return size
    if not (size >= 1 and size.is_integer()):
        refuse(field, COUNT, value)
    return int(size)


def whole(value: Any, field: str) -> int:
    """Return a finite whole number of at least 1."""
    size = number(value, field, "a whole number of at least 1")
    if not (1 <= size < math.inf and size.is_integer()):
        refuse(field, "a whole number of at least 1", value)
    return int(size)


def count_or_counts(value: Any, field: str) -> int | float | tuple[int | float, ...]:
    """Return a count, or a tuple of counts; a list of one count is that count."""
    values = number_or_numbers(value, field)
    if not isinstance(values, tuple):
        return count(values, field)
    return tuple(count(size, f"{field}[{i}]") for i, size in enumerate(values))


def amount(data: object) -> float:
    """Return the number of samples as it was given, of batches the mean; 1 for infinite data."""
    given = (getattr(data, name, None) for name in ("alpha", "samples", "batch"))
    return float(np.mean(next((entry for entry in given if entry is not None), 1.0)))


def sizes(convert: Converter) -> Converter:
    """Return a converter of a size that may be listed for every step: an empty list is refused."""

    def converted(value: Any, field: str) -> Any:
        found = convert(value, field)
        if found == ():
            refuse(field, "a number or a list with at least one entry", value)
        return found

    return converted


def optional(convert: Converter) -> Converter:
    """Return a converter that also accepts None, for a value that is not given."""
    return lambda value, field: None if value is None else convert(value, field)


def check_names(
    spectrum: _Spectrum, ratio: str, ratio_value: Any, counted: str, count_value: Any
) -> None:
    """Check that a size is given by the name that the spectrum wants; the names are whole paths.

    Trace-class spectra want actual numbers, the others ratios.
    """
    refuse_both(ratio, ratio_value, counted, count_value)
    if spectrum.trace_class and not _free(ratio_value):
        conflict(
            ratio,
            "a trace-class spectrum",
            "it is a ratio to the input dimension D, which such a spectrum does not have",
            f"Give {counted}, the actual number (or inf)",
        )
    if not spectrum.trace_class and not _free(count_value):
        conflict(
            counted,
            "a spectrum that is not trace-class, unless data.inputs is given",
            "sizes are ratios to the input dimension D there",
            f"Give data.inputs, which is D, or {ratio}, the ratio",
        )


def refuse_both(ratio: str, ratio_value: Any, counted: str, count_value: Any) -> None:
    """Refuse a size that is given by both names."""
    if ratio_value is not None and count_value is not None:
        conflict(
            counted,
            ratio,
            "one is the actual number, the other its ratio to the input dimension D",
            "Give one of them",
        )


def refuse_inputs(spectrum: _Spectrum, inputs: Any) -> None:
    """Refuse a number of inputs beside a list of modes, which has one already."""
    if spectrum.trace_class and inputs is not None:
        conflict(
            "data.inputs",
            "a trace-class spectrum",
            "the modes are the inputs, and sizes are actual numbers there",
            "Leave it out",
        )


def other_names(path: str) -> list[str]:
    """Return the other paths of the same size: of a count that of the ratio, and vice versa."""
    return [RATIOS[path]] if path in RATIOS else [name for name in RATIOS if RATIOS[name] == path]


def _free(size: Any) -> bool:
    """Whether a size is not given or infinite, so that it needs no unit."""
    if isinstance(size, Sequence):
        return all(entry == math.inf for entry in size)
    return size is None or size == math.inf
