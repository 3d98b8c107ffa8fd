"""Every public callable, found by introspection, and the kinds of arguments that they take."""

import functools
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from types import ModuleType
from typing import Any, is_typeddict

import lindmft as lm
import lindmft.progress
import lindmft.results
from lindmft.analysis import verification as verifying
from lindmft.machine import benchmark

ROOMS: dict[str, ModuleType] = {
    "": lm,
    "analysis": lm.analysis,
    "verification": verifying,
    "plotting": lm.plotting,
    "figures": lm.figures,
    "benchmark": benchmark,
    "results": lindmft.results,
    "progress": lindmft.progress,
    "compute": lindmft.analysis.compute,
    "coordinates": lindmft.analysis.coordinates,
    **{room: getattr(lindmft, room) for room in ("problem", "theory", "training", "sweeps")},
}
RESULTS = (
    *(
        "Advice",
        "Agreement",
        "BestPoint",
        "Case",
        "Chances",
        "Comparison",
        "ComputeOptimal",
        "CoordinateCheck",
        "Ensemble",
        "HessianSpectrum",
    ),
    *(
        "Explanation",
        "FittedData",
        "ExponentComparison",
        "ExponentFit",
        "ExponentRow",
        "LocalExponent",
        "OptimalRate",
    ),
    *("OptimumOverTime", "PredictedExponents", "ReplicaEnsemble", "Scaling", "Solution"),
    *("EdgeOfStability", "SharpnessLimit", "SharpnessRun"),
    *("PyTorchLoop", "Explorer"),
    *("StableRate", "Transfer", "Verification", "WiderIsBetter", "Layers", "ReplicaSeries"),
    *(
        "Coordinates",
        "Series",
        "SolveStats",
        "TrainStats",
        "Curve",
        "Figure",
        "Panel",
        "Points",
        "Result",
    ),
    *(
        "Benchmark",
        "Job",
        "Limits",
        "Machine",
        "Rate",
        "NotConverged",
        "BadInput",
        "NotRequested",
        "ScalingWarning",
    ),
)
"""Classes whose instances the package makes; their constructors are not called by users."""


def public() -> dict[str, Callable[..., Any]]:
    """Return all public functions, constructors and methods that take an argument, by name."""
    found: dict[str, Callable[..., Any]] = {}
    seen: set[int] = set()
    for room, module in ROOMS.items():
        for name, value in _members(module):
            if id(value) in seen or not callable(value):
                continue
            seen.add(id(value))
            full = f"{room}.{name}" if room else name
            if not inspect.isclass(value):
                found[full] = value
                continue
            if is_typeddict(value):  # options, which are arguments of functions
                continue
            if name not in RESULTS:
                found[full] = value
            found |= {f"{full}.{method}": call for method, call in _methods(value)}
    return {name: call for name, call in found.items() if arguments(call)}


def _members(module: ModuleType) -> list[tuple[str, Any]]:
    names = getattr(module, "__all__", None)
    if names is None:
        names = [
            name
            for name, value in vars(module).items()
            if getattr(value, "__module__", None) == module.__name__ and not name.startswith("_")
        ]
    return [(name, getattr(module, name)) for name in names]


def _methods(cls: type) -> Iterator[tuple[str, Callable[..., Any]]]:
    for base in cls.__mro__:
        if not base.__module__.startswith("lindmft"):
            continue
        for name, value in vars(base).items():
            if not name.startswith("_") and isinstance(value, classmethod):
                yield name, getattr(cls, name)
            elif not name.startswith("_") and inspect.isfunction(value):
                yield name, functools.partial(value, None)  # without self


def arguments(call: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    """Return the parameters of a callable, by name."""
    try:
        return dict(inspect.signature(call).parameters)
    except ValueError:  # a class of the compiled module
        return {}


@dataclass(frozen=True)
class Kind:
    """The values that an argument accepts.

    ``may`` names the odd values that it may accept (it may also refuse them, for their size);
    ``names`` are the names that a refusal may use for it, besides that of the argument.
    """

    may: frozenset[str] = frozenset()
    names: tuple[str, ...] = ()

    def __or__(self, other: "Kind") -> "Kind":
        return Kind(self.may | other.may, (*self.names, *other.names))

    def called(self, *names: str) -> "Kind":
        """Return the same kind with further names."""
        return replace(self, names=(*self.names, *names))


def kind(*may: str) -> Kind:
    return Kind(frozenset(may))


CHOICE = OBJECT = kind()
NONE = kind("none")
NUMBER = kind("scalar array", "scalar array of it", "large", "nan")
WHOLE = kind("scalar array", "scalar array of it")
FLAG = kind("bool", "NumPy bool", "scalar of it")
TEXT = kind("text", "empty text", "NumPy text")
NUMBERS = kind("array", "empty array", "list", "empty list", "range", "scalar array of it")
EITHER = NUMBER | NUMBERS | kind("list of it", "array of it")
MATRIX = NUMBERS | kind("matrix", "nested list", "array of it", "list of it", "scalar array of it")
NAMES = kind(
    *("list of it", "generator of it", "array of it", "scalar array of it"),
    *("empty list", "empty array"),
)
PATH = TEXT.called("nonsense", ".")
CALLABLE = kind("function", "class")
PROGRESS = CALLABLE | kind("bool", "none")
PARTS = ("network", "data", "optimizer")
PROBLEM = OBJECT.called("problem", *PARTS)
PROBLEMS = NAMES.called("problems", "problem", *PARTS)
MAPPING = kind("empty dict")

KINDS: dict[str, Kind] = {
    "problem": PROBLEM,
    "problems": PROBLEMS,
    "steps": WHOLE,
    "grid": CHOICE,
    "beyond_edge": CHOICE,
    **dict.fromkeys(("rtol", "atol", "memory_limit", "span", "floor", "source"), NUMBER),
    **dict.fromkeys(("tolerance", "noise", "alpha", "samples", "batch", "inputs"), NUMBER),
    **dict.fromkeys(("gamma0", "branch"), NUMBER),
    "init_scale": EITHER,
    "switch_at": WHOLE | NONE,
    **dict.fromkeys(("switch_overlap", "switch_strength"), NUMBER | NONE),
    "save": NAMES,
    **dict.fromkeys(
        ("replicas", "kernels", "modes", "updates", "weights", "quick", "centered", "force"), FLAG
    ),
    "zero_readout": FLAG,
    "keep_state": FLAG | NONE,
    "spectrum_at": (EITHER | kind("range")).called("lanczos"),
    **dict.fromkeys(
        ("lanczos", "depth_nodes", "threads", "dim", "seed", "max_solves", "count"), WHOLE
    ),
    "seeds": WHOLE | NUMBERS | kind("list of it", "array of it"),
    "noise_draw": WHOLE | NUMBERS | kind("list of it", "array of it"),
    **dict.fromkeys(("k_init", "k_data"), WHOLE | kind("large")),
    **dict.fromkeys(("errors", "objective", "observable", "criterion", "dtype"), CHOICE),
    "progress": PROGRESS,
    "continue_from": OBJECT,
    "average": OBJECT,
    **dict.fromkeys(("checkpoint", "path", "store", "folder"), PATH),
    "checkpoint_every": WHOLE,
    **dict.fromkeys(("saveat", "times", "at", "tau"), EITHER),
    **dict.fromkeys(("spectrum", "network", "data", "optimizer"), OBJECT),
    "targets": MATRIX,
    "noise_covariance": MATRIX | NONE,
    "batches": WHOLE | NONE,
    **dict.fromkeys(("parameterization", "branch_scaling"), CHOICE),
    **dict.fromkeys(("theory", "runs", "found", "table", "check", "result", "dataset"), OBJECT),
    **dict.fromkeys(("ax", "axes", "other", "sizes"), OBJECT),
    **dict.fromkeys(("X", "y", "matrix", "target"), MATRIX.called("y")),
    **dict.fromkeys(("X_test", "y_test"), (MATRIX | NONE).called("X", "X_test", "y_test")),
    "test_fraction": NUMBER.called("X", "X_test"),
    "test_split": WHOLE.called("test_fraction"),
    **dict.fromkeys(("widths", "budgets"), NUMBERS),
    "scalings": MAPPING.called("network", "problem"),
    "file": OBJECT,
    "time": NUMBER,
    "curve": NUMBERS.called("time", "loss"),
    "loss": NUMBERS.called("time", "curve"),
    "curves": OBJECT.called("curve"),
}


@dataclass(frozen=True)
class Call:
    """A valid call: arguments by name, and the kinds of those for which ``KINDS`` is wrong.

    Names of arguments with a dot or a bracket stand for parts of one: ``curves[a]`` is the value
    at the key "a" of the dictionary ``curves``, ``options.grid`` an argument that is passed on.
    ``costly`` calls are never made with values that they may accept; the other calls are not made
    with the values that ``untried`` names.
    """

    given: Callable[[], dict[str, Any]]
    kinds: dict[str, Kind] = field(default_factory=dict)
    of: Callable[[], Any] | None = None
    costly: bool = False
    untried: tuple[str, ...] = ()

    def kind_of(self, name: str) -> Kind:
        return self.kinds[name] if name in self.kinds else KINDS[name]
