"""Validation of arguments: every value that a user passes is converted here, or refused.

A converter takes the value and the name of its field, and returns a plain Python value. A value
that could only be converted by a guess (a bool or a string as a number, a complex number, a nested
list) is a ``ValueError`` in the form of all messages: "FIELD must be ALLOWED, got VALUE". The
compiled module checks ranges.
"""

import difflib
import io
import math
import numbers
import os
import re
import reprlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import is_dataclass
from pathlib import Path as FilePath
from typing import Any, NoReturn, TypeGuard, TypeVar

import numpy as np

from lindmft._internal.refusals import BadInput

Converter = Callable[[Any, str], Any]
T = TypeVar("T")

TEXTS = (str, bytes, bytearray, memoryview)
UNORDERED = (set, frozenset, Mapping)
"""Not lists: a set has no order, and iterating over a mapping drops its values."""
BINARY = (io.RawIOBase, io.BufferedIOBase)
LARGEST_INT = 2**31 - 1  # the largest int of the compiled module
IN_YAML = re.compile(r"[+-]?[0-9]*\.?[0-9]*[eE][+-]?[0-9]+")


def refuse(field: str, allowed: str, value: object) -> NoReturn:
    """Raise the ``BadInput`` that names the field, what is allowed and what came."""
    got = describe(value)
    raise BadInput(f"{field} must be {allowed}, got {got}", field=field, allowed=allowed, got=got)


def conflict(first: str, second: str, why: str, do: str) -> NoReturn:
    """Raise the ``BadInput`` about two arguments that exclude each other, with the remedy."""
    raise BadInput(f"{first} cannot be combined with {second}: {why}. {do}.", field=first)


def missing(field: str, why: str) -> NoReturn:
    """Raise the ``BadInput`` about an argument that is needed and was not given."""
    raise BadInput(f"{field} is missing: {why}", field=field)


def describe(value: object) -> str:
    """Return a short text for any value: of arrays shape and type, of long lists the beginning."""
    if isinstance(value, np.ndarray) and value.ndim > 0:
        return f"an array of shape {value.shape} and type {value.dtype}"
    if isinstance(value, np.generic):
        return repr(value.item())
    try:
        return reprlib.repr(value)
    except ValueError:  # Python does not print whole numbers of more than 4300 digits
        return f"a {type(value).__name__} that is too long to print"


def one_of(names: Iterable[str]) -> str:
    """Return the names as "'a', 'b' or 'c'"."""
    quoted = [repr(name) for name in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} or {quoted[-1]}"


def suggestion(name: object, names: Iterable[str]) -> str:
    """Return "(did you mean ...?)" if one of the names is similar, else an empty text."""
    near = difflib.get_close_matches(name, list(names), n=1) if isinstance(name, str) else []
    return f" (did you mean {near[0]!r}?)" if near else ""


def number(value: Any, field: str, allowed: str = "a number") -> float:
    """Return a float from any real scalar: of Python, of NumPy, or an array without dimensions."""
    if isinstance(value, numbers.Real) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            refuse(field, "a number within the range of doubles", value)
    array = _as_array(value)
    if array is None or array.ndim != 0 or array.dtype.kind not in "iuf":
        refuse(field, _no_text(allowed, value), value)
    return float(array)


def positive(value: Any, field: str) -> float:
    """Return a positive finite float."""
    result = number(value, field)
    if not 0 < result < math.inf:
        refuse(field, "a positive finite number", value)
    return result


def integer(value: Any, field: str) -> int:
    """Return an int from a whole number; 2.0 is whole, 2.5 and True are not."""
    allowed = "a whole number"
    result = number(value, field, allowed)
    if not result.is_integer():
        refuse(field, allowed, value)
    if abs(result) > LARGEST_INT:
        refuse(field, f"a whole number no larger than {LARGEST_INT}", value)
    return int(result)


def flag(value: Any, field: str) -> bool:
    """Return a bool; 0, 1 and strings are refused."""
    if not isinstance(value, bool | np.bool_):
        refuse(field, "true or false", value)
    return bool(value)


def is_iterable(value: Any) -> TypeGuard[Iterable[Any]]:
    """Whether a value has entries in an order; texts and arrays without dimensions have none."""
    scalar = isinstance(value, TEXTS) or getattr(value, "ndim", 1) == 0
    return isinstance(value, Iterable) and not scalar and not isinstance(value, UNORDERED)


def increasing(values: Any) -> bool:
    """Whether values increase strictly, without differences, which two infinities do not have."""
    return bool((values[1:] > values[:-1]).all())


def is_list(value: Any) -> TypeGuard[Sequence[Any]]:
    """Whether a value is a list, a tuple or an array with dimensions; texts and bytes are not."""
    if isinstance(value, np.ndarray):
        return value.ndim > 0
    return isinstance(value, Sequence) and not isinstance(value, TEXTS)


def tuple_of_numbers(
    value: Any, field: str, allowed: str = "a list of numbers"
) -> tuple[float, ...]:
    """Return a tuple of floats from a list, a tuple or a one-dimensional array of real numbers."""
    if isinstance(value, TEXTS):
        refuse(field, _no_text(allowed, value), value)
    if isinstance(value, Sequence):
        return tuple(number(entry, f"{field}[{i}]") for i, entry in enumerate(value))
    array = _as_array(value)
    if array is None or array.ndim != 1 or array.dtype.kind not in "iuf":
        refuse(field, allowed, value)
    return tuple(float(entry) for entry in array)


def number_or_numbers(value: Any, field: str) -> float | tuple[float, ...]:
    """Return a float, or a tuple of floats; a list of one number is that number."""
    allowed = "a number or a list of numbers"
    if not isinstance(value, Sequence) and getattr(value, "ndim", 0) == 0:
        return number(value, field, allowed)
    values = tuple_of_numbers(value, field, allowed)
    return values[0] if len(values) == 1 else values


def times(value: Any, field: str) -> tuple[float, ...]:
    """Return finite times from 0 on, in order and each of them once, from one or from a list."""
    found = number_or_numbers(value, field)
    listed = found if isinstance(found, tuple) else (found,)
    if not all(0 <= time < math.inf for time in listed):
        refuse(field, "a finite time from 0 on, or a list of such times", value)
    return tuple(sorted(set(listed)))


def number_array(
    value: Any, field: str, allowed: str = "a number or a list of numbers"
) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return an array: without dimensions from a number, with one from a list of numbers."""
    if not isinstance(value, Sequence) and getattr(value, "ndim", 0) == 0:
        return np.array(number(value, field, allowed))
    return np.array(tuple_of_numbers(value, field, allowed))


def real_array(value: Any, field: str, allowed: str) -> np.ndarray[Any, Any]:
    """Return an array of real numbers, of any number of dimensions; masked ones are refused."""
    if isinstance(value, np.ma.MaskedArray):
        refuse(field, f"{allowed}, none of them masked", value)
    try:
        array = np.asarray(value)
    except (TypeError, ValueError, RuntimeError):
        refuse(field, allowed, value)
    if array.dtype.kind not in "iuf":
        refuse(field, allowed, array if array.ndim else value)
    return array


def text(value: Any, field: str) -> str:
    """Return a string."""
    if not isinstance(value, str):
        refuse(field, "a text", value)
    return str(value)


def tuple_of_names(value: Any, field: str, allowed: str = "a list of names") -> tuple[str, ...]:
    """Return a tuple of strings, from one string or from a list, array or iterator of strings."""
    names = tuple(value) if is_iterable(value) else (value,)
    if not all(isinstance(name, str) for name in names):
        refuse(field, allowed, value)
    return tuple(map(str, names))


def file_path(value: Any, field: str) -> FilePath:
    """Return the path of a file or a folder, from a string or an object that stands for a path."""
    try:
        path = os.fspath(value)
    except TypeError:
        refuse(field, "a path", value)
    if not isinstance(path, str) or "\0" in path:
        refuse(field, "a path", value)
    return FilePath(path)


def instance(value: Any, field: str, allowed: str, *classes: type[T]) -> T:
    """Return the value if it is an instance of one of these classes."""
    if isinstance(value, classes):
        return value
    named = is_dataclass(value) and not isinstance(value, type)  # results have long texts
    refuse(field, allowed, type(value).__name__ if named else value)


def mapping(value: Any, field: str, allowed: str = "a dictionary") -> Mapping[Any, Any]:
    """Return a dictionary or another mapping."""
    if not isinstance(value, Mapping):
        refuse(field, allowed, value)
    return value


def function_or_none(value: Any, field: str) -> Callable[..., Any] | None:
    """Return an object that can be called, or None."""
    if value is not None and not callable(value):
        refuse(field, "a function or None", value)
    function: Callable[..., Any] | None = value
    return function


def text_file_or_none(value: Any, field: str) -> Any:
    """Return an object to which text can be printed, or None."""
    printable = callable(getattr(value, "write", None)) and not isinstance(value, (type, *BINARY))
    if value is not None and not printable:
        refuse(field, "an open text file or None", value)
    return value


def choice(*names: str) -> Converter:
    """Return a converter that only accepts these strings."""

    def convert(value: Any, field: str) -> str:
        if isinstance(value, str) and value in names:
            return value
        allowed, got = one_of(names), describe(value)
        text = f"{field} must be {allowed}, got {got}{suggestion(value, names)}"
        raise BadInput(text, field=field, allowed=allowed, got=got)

    return convert


def check_progress(value: Any) -> None:
    """Refuse what is neither None, a bool nor a function, before any work."""
    if value is not None and not isinstance(value, bool) and not callable(value):
        refuse("progress", "None, True, False or a callable (done, total)", value)


def threads_or_default(value: Any) -> int:
    """Return the number of threads for the compiled module, where 0 is the default (None here)."""
    return 0 if value is None else integer(value, "threads")


def bytes_or_default(value: Any) -> float:
    """Return the memory limit for the compiled module, where 0 is the default (None here)."""
    if value is None:
        return 0.0
    limit = number(value, "memory_limit", "a number of bytes")
    if not limit > 0:
        refuse("memory_limit", "a positive number of bytes", value)
    return limit


def settle(config: object, table: str, **converters: Converter) -> None:
    """Convert the fields of a frozen dataclass, during its ``__post_init__``."""
    for name, convert in converters.items():
        field = f"{table}.{name}" if table else name
        object.__setattr__(config, name, convert(getattr(config, name), field))


def _no_text(allowed: str, value: object) -> str:
    """Return what is allowed, with a hint if the value is a number that YAML reads as a text."""
    if isinstance(value, str) and IN_YAML.fullmatch(value):
        return f"{allowed} and not a text (YAML reads 1e-2 as text, and 1.0e-2 as a number)"
    return allowed


def _as_array(value: Any) -> np.ndarray[Any, Any] | None:
    """Return the array that an object (of pandas, torch, ...) offers; None if masked or none."""
    if not hasattr(value, "__array__") or isinstance(value, np.ma.MaskedArray):
        return None
    try:
        return np.asarray(value)
    except (TypeError, ValueError, RuntimeError):  # a tensor on another device, for one
        return None
