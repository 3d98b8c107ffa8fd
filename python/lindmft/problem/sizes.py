"""Sizes by two names: as ratios to the input dimension D, or as actual counts.

A trace-class spectrum has no D to compare with: there the numbers of samples and of hidden units
themselves matter (theory section 6), and they have separate names, so that a ratio is never taken
for a count. With other spectra counts are divided by the number of inputs, where that is given.
Infinity is infinity by either name.
"""

import math
from collections.abc import Sequence
from typing import Any, Protocol

from lindmft._internal.validation import Converter, number, number_or_numbers, refuse

COUNT = "a whole number of at least 1, or inf"
RATIOS = {
    "network.hidden": "network.width",
    "data.samples": "data.alpha",
    "data.batch": "data.alpha",
}
"""Paths of sizes as counts, and those of the ratios in whose place they stand."""


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


def whole(value: Any, field: str) -> int:
    """A finite whole number of at least 1."""
    size = number(value, field, "a whole number of at least 1")
    if not (1 <= size < math.inf and size.is_integer()):
        refuse(field, "a whole number of at least 1", value)
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


def refuse_inputs(spectrum: _Spectrum, inputs: Any) -> None:
    """A list of modes has its own number of inputs."""
    if spectrum.trace_class and inputs is not None:
        raise ValueError(
            f"data.inputs cannot be combined with a trace-class spectrum, got {inputs}: the modes "
            "are the inputs, and sizes are actual numbers there. Leave it out."
        )


def other_names(path: str) -> list[str]:
    """The other paths of the same size: of a count the ratio, and the other way round."""
    return [RATIOS[path]] if path in RATIOS else [name for name in RATIOS if RATIOS[name] == path]


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
            f"left out unless data.spectrum is trace-class (a power law, or trace_class=True) or "
            f"data.inputs is given: give {ratio}, the ratio to the input dimension D, or "
            "data.inputs, which is D",
            count_value,
        )


def _free(size: Any) -> bool:
    """Not given, or infinite, which needs no unit."""
    if isinstance(size, Sequence):
        return all(entry == math.inf for entry in size)
    return size is None or size == math.inf
