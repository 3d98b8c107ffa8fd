"""Options of calls: checked by the table of the compiled module, and listed in signatures.

The tables (``_core.SolveOptions.table``, ``_core.TrainOptions.table``) have the name, the range and
the default of every option. A function that takes options as ``**options``, typed by a dictionary,
is decorated with ``options_like``: help() and editors then show them one by one.
"""

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from lindmft._internal.types import OptionDict
from lindmft._internal.validation import (
    choice,
    conflict,
    flag,
    integer,
    number,
    refuse,
    suggestion,
    times,
    tuple_of_names,
)

ZERO_IS_DEFAULT = ("threads",)
"""Options of which users may write the default as 0, too, and not only as None."""

Function = TypeVar("Function", bound=Callable[..., Any])


def converted(table: Iterable[OptionDict], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of the options of the table that were given, None being no value."""
    return {
        entry["name"]: convert(entry, given[entry["name"]])
        for entry in table
        if given.get(entry["name"]) is not None or (entry["name"] in given and _needed(entry))
    }


def _needed(entry: OptionDict) -> bool:
    """Whether None is refused: numbers and times have a default that needs no value."""
    return entry["kind"] not in {"whole", "number", "times"}


def convert(entry: OptionDict, value: Any) -> Any:
    """Return a value that a user gave for an option, or refuse it."""
    name, kind = entry["name"], entry["kind"]
    if kind == "flag":
        return flag(value, name)
    if kind == "choice":
        return choice(*entry["choices"])(value, name)
    if kind == "names":
        return tuple_of_names(value, name, entry["allowed"])
    if kind == "times":
        return times(value, name)
    allowed = entry["allowed"]
    result = integer(value, name) if kind == "whole" else number(value, name, allowed)
    default = result == 0 and name in ZERO_IS_DEFAULT
    if not default and not entry["least"] <= result <= entry["most"]:
        refuse(name, allowed, value)
    return result


def check_spectrum(options: Mapping[str, Any], *, steps: bool) -> None:
    """Refuse times of the Hessian's spectrum that are no steps, and its size without its times."""
    when = options.get("spectrum_at", ())
    for time in when:
        if steps and not float(time).is_integer():
            refuse("spectrum_at", "whole steps from 0 on", time)
    if not when and "lanczos" in options:
        conflict(
            "lanczos",
            "spectrum_at=None",
            "it is about the spectrum at these times",
            "Give spectrum_at a list of times, or leave lanczos out",
        )


def options_like(
    typed: Any, *functions: Callable[..., Any], **defaults: Any
) -> Callable[[Function], Function]:
    """Decorate a function that takes ``**options: Unpack[typed]``: its signature lists them.

    Defaults, and in the documentation the meanings, are those of the other functions' arguments.
    """
    known: dict[str, inspect.Parameter] = {}
    for one in reversed(functions):
        known |= inspect.signature(one).parameters
    named = [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=defaults.get(name, known[name].default),
            annotation=annotation,
        )
        for name, annotation in typed.__annotations__.items()
    ]

    def decorate(function: Function) -> Function:
        own = inspect.signature(function)
        rest = [one for one in own.parameters.values() if one.kind is not one.VAR_KEYWORD]
        item: Any = function
        item.__signature__ = own.replace(parameters=[*rest, *named])
        item.options_like = functions
        return function

    return decorate


def with_defaults(function: Callable[..., Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """Return all options of a decorated function, those not given with their defaults.

    A name that is none of them is a ``TypeError``, as of any function.
    """
    known = {
        name: parameter.default
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.kind is parameter.KEYWORD_ONLY
    }
    for name in options:
        if name not in known:
            near = suggestion(name, known)
            raise TypeError(f"{function.__name__}() has no option {name!r}{near}")
    return known | dict(options)
