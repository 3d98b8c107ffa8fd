"""Random input for tests, and the conditions that must hold for every input.

A call may return a result without NaN, or refuse the input: with an exception of a documented kind
whose text says what is wrong, and in time. Anything else is a failure.
"""

import copy
import json
import math
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from decimal import Decimal
from fractions import Fraction
from types import FrameType
from typing import Any

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

import lindmft as lm
from lindmft.results.observables import DIRECTIONS

PATIENCE = 20.0
"""Seconds after which an example counts as hung; every example needs a few at most."""
REFUSALS = (ValueError, TypeError, MemoryError, FileNotFoundError, lm.NotConverged)
SAYS_WHAT = (
    *("must ", "needs ", "converge", "not resolved", "not solved", "would be needed"),
    *("cannot be combined", "is missing"),
    *("keyword", "expected", "should be"),  # Python's own
)


def examples(usual: int) -> Callable[[Any], Any]:
    """Return settings with this number of examples; the profile "campaign" multiplies it."""
    scale = settings().max_examples / settings.get_profile("default").max_examples
    return settings(
        max_examples=max(1, round(usual * scale)),
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


@contextmanager
def in_time(seconds: float = PATIENCE) -> Iterator[None]:
    """Let code that takes longer fail, at any point."""

    def late(_number: int, _frame: FrameType | None) -> None:
        raise AssertionError(f"hung for {seconds} seconds")

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def outcome(call: Callable[[], Any], *named: str) -> Any:
    """Return the valid result of a call, or None if the call was refused as it should be.

    The text of a refusal must contain at least one of ``named`` (fields, files).
    """
    with in_time():
        try:
            result = call()
        except REFUSALS as error:
            refusal = error
        else:
            expect_no_nan(result)
            return result
    text = str(refusal)
    assert any(words in text for words in SAYS_WHAT), f"says nothing: {refusal!r}"
    assert not named or any(name in text for name in named), f"names nothing: {refusal!r}"
    return None


def expect_no_nan(result: Any) -> None:
    """Check all parts of a result, except kernels whose direction does not exist."""
    if isinstance(result, np.ndarray):
        assert result.dtype.kind in "fiub"
        assert not np.isnan(result).any()
    elif isinstance(result, float):
        assert not math.isnan(result)
    elif isinstance(result, dict):
        for value in result.values():
            expect_no_nan(value)
    elif isinstance(result, list | tuple):
        for value in result:
            expect_no_nan(value)
    elif is_dataclass(result):
        for field in fields(result):
            if field.name not in DIRECTIONS:
                expect_no_nan(getattr(result, field.name))


class Hostile:
    """An object that refuses every conversion."""

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise RuntimeError("no array")

    def __float__(self) -> float:
        raise RuntimeError("no number")


def endless() -> list[Any]:
    """Return a list that contains itself."""
    loop: list[Any] = []
    loop.append(loop)
    return loop


def deep(levels: int) -> list[Any]:
    nested: list[Any] = []
    for _ in range(levels):
        nested = [nested]
    return nested


ODD_NUMBERS: list[Any] = [
    math.nan, math.inf, -math.inf, 0.0, -0.0, 5e-324, 1e-300, 1e-30, 1e30, 1e300, 1.7e308,
    0, 1, -1, 2, 3, 7, 64, 1000, 2**31 - 1, 2**31, 2**53 + 1, 2**63, 2**64 - 1, 2**64, 10**400,
    -(10**400), True, False, 1j, Fraction(1, 3), Fraction(10**400, 3), Decimal("0.1"),
    Decimal("nan"), np.float16(0.1), np.float32("nan"), np.longdouble("1e4000"), np.int8(-1),
    np.uint64(2**64 - 1), np.bool_(True), np.datetime64("2020-01-01"),
]  # fmt: skip
ODD_ARRAYS: list[Any] = [
    np.array(0.5), np.array([]), np.array([0.1, 0.2]), np.zeros((2, 2)), np.eye(2),
    np.full(3, np.nan),
    np.array(["a", "b"]), np.array([None, 1.0], object), np.array([1j]), np.array([True, False]),
    np.zeros((0, 3)), np.zeros((1, 0, 2)), np.array([(1, 2.0)], [("a", int), ("b", float)]),
    np.ma.masked_array([1.0, 2.0], [True, False]), np.array([2**64 - 1], np.uint64),
    np.array([1.5], ">f4"), np.arange(12.0)[::3], np.array(["2020"], "M8[D]"),
]  # fmt: skip
ODD_THINGS: list[Any] = [
    None, ..., NotImplemented, object(), Hostile(), Hostile, int, len, endless(), deep(100),
    {1, 2}, frozenset(), range(3), iter([1.0]), b"inf", bytearray(b"x"), memoryview(b"xy"), {},
    {"kind": None}, {None: 1}, {1: 2}, [], [[]], [None], ["inf"], [0.1, "inf"], [math.nan], (0.1,),
    [[1.0, 0.2], [0.2, 1.0]], [[1.0], [1.0, 2.0]], "", "inf", "nan", "0.1", "mup", "\0", "\ud800",
    "x" * 5000, "all", "C_h", slice(2),
]  # fmt: skip


def chosen(values: list[Any]) -> st.SearchStrategy[Any]:
    """Draw one of these values, which need neither a text nor a hash."""
    return st.integers(0, len(values) - 1).map(lambda i: _own(values[i]))


def _own(value: Any) -> Any:
    """Return a copy of a value that could be changed, else the value."""
    return copy.deepcopy(value) if isinstance(value, list | dict) else value


odd_numbers = chosen(ODD_NUMBERS) | st.floats() | st.integers()
odd = (
    odd_numbers
    | chosen(ODD_ARRAYS)
    | chosen(ODD_THINGS)
    | st.text(max_size=8)
    | st.binary(max_size=8)
    | st.lists(odd_numbers, max_size=4)
)
"""Any value; values that were forgotten in earlier versions are more frequent."""

NETWORKS: list[dict[str, Any]] = [
    {"kind": "mlp", "depth": 2, "width": 1.0, "gamma0": 1.0, "centered": True},
    {"kind": "mlp", "depth": 2, "width": [0.5, 2.0], "parameterization": "ntk"},
    {"kind": "mlp", "depth": 1, "width": "inf", "gamma0": 0.0},
    {"kind": "resnet", "depth": 3, "branch": 0.8, "branch_scaling": "constant"},
    {"kind": "resnet", "depth": "inf", "init_scale": 0.9},
]
SPECTRA: list[dict[str, Any]] = [
    {"kind": "isotropic"},
    {
        "kind": "discrete",
        "eigenvalues": [1.5, 0.5],
        "target_power": [1.0, 0.5],
        "weights": [0.5, 0.5],
    },
]
DATA: list[dict[str, Any]] = [
    {"kind": "full_batch", "alpha": 2.0, "noise": 0.3},
    {"kind": "multi_pass", "alpha": 1.5, "batch_fraction": 0.5},
    {"kind": "one_pass", "alpha": 0.5, "targets": [1.0, 0.5]},
    {"kind": "one_pass", "alpha": [0.5, 2.0, 1.0, 0.5, 1.0, 1.0, 1.0, 1.0]},
    {"kind": "population", "targets": [[1.0, 0.2], [0.2, 1.0]]},
]
OPTIMIZERS: list[dict[str, Any]] = [
    {"lr": 0.1},
    {"lr": [0.1, 0.05, 0.02, 0.1, 0.1, 0.1, 0.1, 0.1], "momentum": 0.5, "nesterov": True},
    {"lr": 0.05, "momentum": [0.0, 0.3, 0.6, 0.9, 0.5, 0.5, 0.5, 0.5]},
    {"lr": 0.05, "weight_decay": 0.1, "layer_lr": [1.0, 0.5, 1.0]},
]
TRACE_CLASS: list[dict[str, Any]] = [
    {
        "network": {"kind": "mlp", "depth": 1, "hidden": 64},
        "data": {
            "kind": "full_batch",
            "samples": 50,
            "spectrum": {"kind": "power_law", "capacity": 1.5, "source": 0.5, "modes": 30},
        },
        "optimizer": {"lr": 0.1},
    },
    {
        "network": {"kind": "mlp", "depth": 1, "hidden": "inf"},
        "data": {
            "kind": "one_pass",
            "batch": 5,
            "spectrum": {
                "kind": "discrete",
                "eigenvalues": [1.0, 0.3],
                "target_power": [1.0, 0.0],
                "trace_class": True,
            },
        },
        "optimizer": {"lr": 0.1},
    },
]
KEYS = sorted(
    {key for tables in (*NETWORKS, *DATA, *OPTIMIZERS, *SPECTRA) for key in tables}
    | {"hidden", "samples", "batch", "capacity", "source", "modes", "tolerance", "trace_class"}
)


@st.composite
def tables(draw: st.DrawFn) -> dict[str, Any]:
    """Draw the dictionary form of a problem whose parts are valid, but may not fit together."""
    if draw(st.integers(0, 4)) == 0:
        return copy.deepcopy(draw(st.sampled_from(TRACE_CLASS)))
    data = draw(st.sampled_from(DATA)) | {"spectrum": draw(st.sampled_from(SPECTRA))}
    return copy.deepcopy(
        {
            "network": draw(st.sampled_from(NETWORKS)),
            "data": data,
            "optimizer": draw(st.sampled_from(OPTIMIZERS)),
        }
    )


def _places(table: Any, levels: int = 4) -> list[tuple[Any, Any]]:
    """Return containers with a key of each, down to the given number of levels."""
    keys = list(table) if isinstance(table, dict) else range(len(table))
    found = [(table, key) for key in keys]
    for key in keys:
        if levels and isinstance(table[key], dict | list):
            found += _places(table[key], levels - 1)
    return found


@st.composite
def changed(
    draw: st.DrawFn, whole: st.SearchStrategy[Any], values: st.SearchStrategy[Any] = odd
) -> Any:
    """Draw nested tables and lists with one to three entries replaced, removed, moved or added."""
    table = copy.deepcopy(draw(whole))
    for _ in range(draw(st.integers(1, 3))):
        places = _places(table)
        if not places:
            break
        container, key = draw(st.sampled_from(places))
        change = draw(st.sampled_from(["replace", "replace", "replace", "delete", "add", "swap"]))
        if change == "replace":
            container[key] = draw(values)
        elif change == "delete":
            del container[key]
        elif change == "add" and isinstance(container, dict):
            container[draw(st.sampled_from(KEYS) | st.text(max_size=6))] = draw(values)
        elif change == "add":
            container.append(draw(values))
        else:
            other, place = draw(st.sampled_from(places))
            container[key] = copy.deepcopy(other.get(place) if isinstance(other, dict) else None)
    return table


def same(one: Any, other: Any) -> bool:
    """Whether two results are equal in all parts, arrays to the last bit."""
    if type(one) is not type(other):
        return False
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(
            one, other, equal_nan=one.dtype.kind == "f"
        )
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if is_dataclass(one):
        names = [field.name for field in fields(one)]
        return all(same(getattr(one, name), getattr(other, name)) for name in names)
    return bool(one == other)


def plain(value: Any) -> Any:
    """Return the value as JSON reads it back, or None."""
    try:
        return json.loads(json.dumps(value))
    except (TypeError, ValueError, RecursionError):
        return None


@st.composite
def damaged(draw: st.DrawFn, whole: bytes) -> bytes:
    """Draw bytes cut short, with bits flipped, or with pieces overwritten, removed or inserted."""
    content = bytearray(whole)
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, max(0, len(content) - 1)))
        kind = draw(st.sampled_from(["flip", "flip", "flip", "cut", "write", "take", "insert"]))
        piece = draw(st.binary(min_size=1, max_size=8))
        if kind == "flip" and content:
            content[at] ^= 1 << draw(st.integers(0, 7))
        elif kind == "cut":
            del content[at:]
        elif kind == "write":
            content[at : at + len(piece)] = piece
        elif kind == "take":
            del content[at : at + draw(st.integers(1, 64))]
        else:
            content[at:at] = piece
    return bytes(content)
