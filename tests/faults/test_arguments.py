"""Arguments of the wrong kind, for every argument of every public callable.

Every value is used, or refused by a ``ValueError`` that names the argument. It never causes an
error of Python or NumPy from inside a call, and is never taken for another value.
"""

import inspect
import math
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import call_table
import matplotlib as mpl
import numpy as np
import pytest
from call_table import CALLS
from matplotlib import pyplot as plt
from public_calls import NONE, RESULTS, ROOMS, Call, Kind, arguments, public

import lindmft as lm

PUBLIC = public()
PASSED_ON = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
RESULT_ERRORS = (MemoryError, OSError, lm.NotConverged)
"""Documented errors that a value of the right kind may cause."""


class Thing:
    """A class that can be called with anything."""

    def __init__(self, *_: Any, **__: Any) -> None:
        pass


def array_of(*values: Any) -> Any:
    """Return an array of these values, of objects unless they are numbers, texts or bools."""
    plain = all(isinstance(value, int | float | str) for value in values)
    if plain or all(isinstance(value, np.ndarray | list | tuple) for value in values):
        return np.array(values)
    array = np.empty(len(values), object)
    array[:] = values
    return array


ODD: dict[str, Callable[[], Any]] = {
    "none": lambda: None,
    "array": lambda: np.array([1.0, 2.0]),
    "scalar array": lambda: np.array(2.0),
    "empty array": lambda: np.array([]),
    "matrix": lambda: np.ones((2, 2)),
    "array of objects": lambda: np.array([None, "a"], object),
    "array of texts": lambda: np.array(["a", "b"]),
    "array of bools": lambda: np.array([True, True, False]),
    "text": lambda: "nonsense",
    "empty text": lambda: "",
    "NumPy text": lambda: np.str_("nonsense"),
    "bytes": lambda: b"ab",
    "set": lambda: {1.0, 2.0},
    "frozenset": lambda: frozenset({"a", "b"}),
    "empty set": set,
    "dict": lambda: {"a": 1},
    "dict of numbers": lambda: {1.0: 1.0, 2.0: 2.0},
    "empty dict": dict,
    "generator": lambda: (value for value in (1.0, 2.0)),
    "range": lambda: range(1, 3),
    "list": lambda: [1.0, 2.0],
    "empty list": list,
    "nested list": lambda: [[1.0], [2.0]],
    "ragged list": lambda: [[1.0], [2.0, 3.0]],
    "list of None": lambda: [None, None],
    "list of lists of texts": lambda: [["a"], ["b"]],
    "list of texts": lambda: ["1.0", "2.0"],
    "list of bools": lambda: [True, False, True],
    "list of dicts": lambda: [{}, {}],
    "class": lambda: Thing,
    "function": lambda: lambda *_: None,
    "object": Thing,
    "module": lambda: math,
    "bool": lambda: True,
    "NumPy bool": lambda: np.bool_(True),
    "nan": lambda: math.nan,
    "complex": lambda: 1j,
    "large": lambda: 10**30,
    "larger than can be printed": lambda: 10**5000,
}
WRAPPED: dict[str, Callable[[Any], Any]] = {
    "list of it": lambda value: [value],
    "nested list of it": lambda value: [[value]],
    "set of it": lambda value: {value},
    "dict of it": lambda value: {"a": value},
    "keys of it": lambda value: {value: 1},
    "generator of it": lambda value: (each for each in [value]),
    "array of it": lambda value: array_of(value, value),
    "scalar array of it": lambda value: np.array(value),
}
"""Objects made from a valid value of the argument that are no valid values."""


def odd_values(good: Any) -> Iterator[tuple[str, Any]]:
    """Yield named values: those for every argument, and those made from a valid value."""
    yield from ((name, make()) for name, make in ODD.items())
    if good is None or good is inspect.Parameter.empty:
        return
    for name, wrap in WRAPPED.items():
        try:
            yield name, wrap(good)
        except (TypeError, ValueError):  # it has no hash, or is no entry of an array
            continue


def plain(name: str) -> str:
    """Return the name of the callable in the name of a call: ``solve`` of "solve (adaptive)"."""
    return name.partition(" ")[0]


def target_of(name: str, call: Call) -> Callable[..., Any]:
    """Return the function, or the method of the instance that the table has."""
    if call.of is not None:
        return getattr(call.of(), plain(name).rpartition(".")[2])
    return PUBLIC[plain(name)]


def made(target: Callable[..., Any], given: dict[str, Any]) -> Any:
    """Make the call, and run results that have only begun: iterators and ``with`` blocks."""
    positional, keywords = [], {}
    variable = {
        parameter.name: parameter.kind
        for parameter in arguments(target).values()
        if parameter.kind in PASSED_ON
    }
    for name, value in given.items():
        first, _, rest = name.partition(".")
        if variable.get(first) is inspect.Parameter.VAR_POSITIONAL:
            positional.append(value)
        else:
            keywords[rest if first in variable else name] = value
    result = target(*positional, **keywords)
    if isinstance(result, AbstractContextManager):
        with result:
            return None
    return list(result) if isinstance(result, Iterator) else result


def with_value(given: dict[str, Any], name: str, value: Any) -> dict[str, Any]:
    """Return the arguments with one of them, or an entry of one of them, replaced."""
    whole = re.fullmatch(r"(\w+)\[(.+)\]", name)
    if whole is None:
        return given | {name: value}
    table = given.get(whole[1])
    return given | {whole[1]: (table if isinstance(table, dict) else {}) | {whole[2]: value}}


def arguments_of(name: str, call: Call) -> dict[str, tuple[Kind, Any]]:
    """Return kind and valid value of every argument, or part of an argument, by name."""
    given = call.given()
    found: dict[str, tuple[Kind, Any]] = {}
    for parameter in arguments(PUBLIC[plain(name)]).values():
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            continue
        default = None if parameter.kind in PASSED_ON else parameter.default
        kind = call.kind_of(parameter.name)
        found[parameter.name] = (
            kind | NONE if default is None else kind,
            given.get(parameter.name, default),
        )
    parts = [part for part in call.kinds if "." in part or "[" in part]
    return found | {part: (call.kinds[part], given.get(part)) for part in parts}


def fault(target: Any, given: dict[str, Any], name: str, odd: str, kind: Kind) -> str | None:
    """Return the fault of a call with an odd value; None if there is none."""
    try:
        made(target, given)
    except ValueError as error:
        if isinstance(error, lm.NotConverged):
            return None if odd in kind.may else f"{error!r}"
        last = re.split(r"\W+", name.rstrip("]"))[-1]
        names = "|".join(map(re.escape, (name.partition("[")[0], last, *kind.names)))
        verb = "(must|needs|cannot|is missing:|is not)"
        if not re.search(rf"(?<!\w)({names})[^ ]*( of figure \w+)? {verb} ", str(error)):
            return f"does not name it: {error}"
        return "refused after a figure was opened" if plt.get_fignums() else None
    except RESULT_ERRORS as error:
        return None if odd in kind.may else f"{error!r}"
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    finally:
        plt.close("all")
    return None if odd in kind.may else "accepted"


def faults(name: str) -> Iterator[tuple[str, str, str | None]]:
    """Yield argument, odd value and fault (or None) for all arguments of a callable."""
    call = CALLS[name]
    target, usual = target_of(name, call), call.given()
    plt.close("all")  # other tests may have left figures open
    for argument, (kind, good) in arguments_of(name, call).items():
        for odd, value in odd_values(good):
            if (call.costly and odd in kind.may) or f"{argument} = {odd}" in call.untried:
                continue
            given = with_value(usual, argument, value)
            yield argument, odd, fault(target, given, argument, odd, kind)


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mpl.use("agg")
    monkeypatch.chdir(tmp_path)


def test_the_table_has_every_public_callable() -> None:
    assert set(map(plain, CALLS)) == set(PUBLIC)


def test_the_list_of_results_names_classes_that_exist() -> None:
    rooms = ROOMS.values()
    assert all(any(hasattr(room, name) for room in rooms) for name in RESULTS)


@pytest.mark.parametrize("name", [name for name in CALLS if not CALLS[name].costly])
def test_the_calls_of_the_table_are_valid(name: str) -> None:
    """A refusal must be due to the odd value alone."""
    call_table.write_files(name)
    made(target_of(name, CALLS[name]), CALLS[name].given())
    plt.close("all")


@pytest.mark.parametrize("name", CALLS)
def test_odd_values_are_used_or_refused_by_name(name: str) -> None:
    found = [f"{argument} = {odd}: {what}" for argument, odd, what in faults(name) if what]
    assert not found, "\n".join(found)


def test_arrays_and_iterators_stand_for_lists_of_names_and_of_axes() -> None:
    """Arrays of NumPy and of matplotlib are accepted for lists."""
    names = ["test_loss", "feature_norm"]
    for given in (np.array(names), iter(names), tuple(names)):
        dataset = lm.sweep(call_table.BASE, {"optimizer.lr": [0.1]}, 3, observables=given)
        assert {f"theory_{name}" for name in names} <= set(dataset)
    pair = np.array(call_table.two(), object)
    drawn = lm.plotting.transfer(call_table.table(), pair)
    assert list(drawn) == list(pair)
