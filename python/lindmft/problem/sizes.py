"""Sizes by two names: as ratios to the input dimension D, or as actual counts.

A trace-class spectrum has no D to compare with: there the numbers of samples and of hidden units
themselves matter (theory section 6), and they have names of their own, so that a ratio is never
taken for a count. Infinity is infinity by either name.
"""

import math
from collections.abc import Sequence
from typing import Any, Protocol

from lindmft._internal.validation import Converter, number, number_or_numbers, refuse

COUNT = "a whole number of at least 1, or inf"


class _Spectrum(Protocol):
    @property
    def trace_class(self) -> bool: ...


def count(value: Any, field: str) -> int | float:
    """A whole number of at least 1 as an int, or infinity."""
    size = number(value, field, COUNT)
    if size == math.inf:
        return size
    if not (size >= 1 and size.is_integer()):
        refuse(field, COUNT, value)
    return int(size)


def count_or_counts(value: Any, field: str) -> int | float | tuple[int | float, ...]:
    """A count, or a tuple of them; a list of one is that one."""
    values = number_or_numbers(value, field)
    if not isinstance(values, tuple):
        return count(values, field)
    return tuple(count(size, f"{field}[{i}]") for i, size in enumerate(values))


def optional(convert: Converter) -> Converter:
    """The same converter, which lets None pass: not given."""
    return lambda value, field: None if value is None else convert(value, field)


def refuse_both(table: str, ratio: str, ratio_value: Any, counted: str, count_value: Any) -> None:
    """A size has one name."""
    if ratio_value is not None and count_value is not None:
        refuse(f"{table}.{counted}", f"left out where {table}.{ratio} is given", count_value)


def refuse_wrong_name(
    spectrum: _Spectrum, ratio: str, ratio_value: Any, counted: str, count_value: Any
) -> None:
    """Trace-class spectra want counts, the others ratios; the names are whole paths."""
    if spectrum.trace_class and not _free(ratio_value):
        refuse(
            ratio,
            f"left out with a trace-class spectrum, which has no D to be compared with: give "
            f"{counted}, the actual number (or inf)",
            ratio_value,
        )
    if not spectrum.trace_class and not _free(count_value):
        refuse(
            counted,
            f"left out unless data.spectrum is trace-class (a power law, or trace_class=True): "
            f"give {ratio}, the ratio to the input dimension D",
            count_value,
        )


def _free(size: Any) -> bool:
    """Not given, or infinite, which needs no unit."""
    if isinstance(size, Sequence):
        return all(entry == math.inf for entry in size)
    return size is None or size == math.inf
