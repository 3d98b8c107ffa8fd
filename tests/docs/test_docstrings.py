"""Docstrings are complete, their examples run, and importing the package loads only NumPy."""

import doctest
import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import is_dataclass
from typing import Any, is_typeddict

import pytest

import lindmft

MODULES = sorted(module.name for module in pkgutil.walk_packages(lindmft.__path__, "lindmft."))
SOURCES = [name for name in MODULES if name not in {"lindmft._core", "lindmft.__main__"}]

PUBLIC = ("", "analysis", "plotting", "problem", "results", "theory", "training", "sweeps")
PUBLIC += ("analysis.compute", "analysis.coordinates", "machine.benchmark", "progress", "cli.demo")
"""Modules with public names: those in ``__all__``, or all names that they define."""

# Exceptions, each with its reason. The tests fail for an exception that is not needed.
NO_EXAMPLE = {
    "_core.NotConverged": "an exception of the compiled module",
}
REFUSES_NOTHING = {
    "cli.demo.table": "takes what `cases` returns",
    "progress.watched": "takes no argument",
}
NO_SOURCE = {
    "_internal.config.show_config": "describes the build",
    "BadInput": "an exception",
    "_core.NotConverged": "an exception of the compiled module",
    "machine.machine.Machine": "describes the machine of a measurement",
    "machine.benchmark.Benchmark": "a measurement; `Limits` has its source",
    "machine.benchmark.Job": "a measurement; `Limits` has its source",
    "machine.benchmark.Rate": "a measurement; `Limits` has its source",
    "machine.benchmark.Sizes": "numbers that were chosen",
    "cli.demo.table": "lists the numbers of `Case`, which has its source",
    "plotting.losses.compare": "draws a `Solution` and an `Ensemble`, which have theirs",
    "plotting.losses.losses": "draws a `Solution` or an `Ensemble`, which have theirs",
    "plotting.style.style": "sets the look of pictures",
    "progress.reporting": "shows progress",
    "progress.watched": "shows progress",
    "sweeps.sweep.open_sweep": "reads a store",
    "sweeps.sweep.sweep_summary": "counts points",
}
NOT_CALLED = {"as_core": "for the compiled module"}
"""Methods without an example."""


def public() -> Iterator[tuple[str, Any]]:
    """Yield name and object of every public function and class, each of them once."""
    found = {}
    for name in PUBLIC:
        module = importlib.import_module(f"lindmft.{name}".rstrip("."))
        own = [key for key, value in vars(module).items() if is_own(key, value, module.__name__)]
        for key in getattr(module, "__all__", own):
            item = getattr(module, key)
            if is_typeddict(item):
                continue
            if inspect.isfunction(item) or inspect.isclass(item):
                found[f"{item.__module__}.{item.__qualname__}".removeprefix("lindmft.")] = item
    yield from sorted(found.items())


def is_own(name: str, value: Any, module: str) -> bool:
    return not name.startswith("_") and getattr(value, "__module__", None) == module


ITEMS = dict(public())


def section(text: str, title: str) -> str | None:
    """Return the body of a numpy-style section, or None."""
    below = rf"^{title}\n-{{{len(title)}}}\n(.*?)(?=^\w[^\n]*\n-{{4,}}\n|\Z)"
    found = re.search(below, text, flags=re.MULTILINE | re.DOTALL)
    return found and found[1]


def named(text: str) -> set[str]:
    """Return the names in the sections on parameters and attributes; a line may have several."""
    bodies = [section(text, title) or "" for title in ("Parameters", "Attributes")]
    heads = [line for body in bodies for line in body.splitlines() if line[:1].strip()]
    return {name.strip() for head in heads for name in head.split(",")}


def arguments(item: Any) -> set[str]:
    if inspect.isclass(item) and issubclass(item, Exception):
        return set()  # raised by the package, never made by users
    return set(inspect.signature(item).parameters) - {"self", "cls"}


def has_example(text: str) -> bool:
    return bool(doctest.DocTestParser().get_examples(section(text, "Examples") or ""))


def has_source(text: str) -> bool:
    """Return whether a text cites a section of the theory, or a publication with its year."""
    return re.search(r"[Tt]heory section|\((19|20)\d\d\)", text) is not None


def can_refuse(item: Any) -> bool:
    """Return whether an object checks its arguments: functions, and dataclasses that check them."""
    if inspect.isfunction(item):
        return True
    return is_dataclass(item) and hasattr(item, "__post_init__")


def elsewhere(item: Any) -> set[str]:
    """Options that a function takes as those of another one, whose docstring explains them."""
    others = getattr(item, "options_like", ())
    found = {name for other in others for name in named(inspect.getdoc(other) or "")}
    return found | ({"**options"} if others else set())


def faults(name: str, item: Any, text: str) -> list[str]:
    """Return the missing parts of a docstring, and exceptions that it does not need."""
    found = []
    if name not in NO_EXAMPLE:
        given, said = arguments(item), named(text)
        if "**options" in said:
            found += [
                f"the name of {other.__name__}"
                for other in item.options_like
                if f"``{other.__name__}``" not in (section(text, "Parameters") or "")
            ]
            said |= elsewhere(item)
        found += [f"parameter {argument}" for argument in sorted(given - said)]
        known = given | set(dir(item)) | elsewhere(item) | {*getattr(item, "__annotations__", ())}
        found += [f"there is no parameter {extra}" for extra in sorted(named(text) - known)]
    raises = section(text, "Raises") is not None
    for fault, present, wanted, exceptions in (
        ("Examples", has_example(text), True, NO_EXAMPLE),
        ("Raises", raises, can_refuse(item), REFUSES_NOTHING),
        ("source", has_source(text), True, NO_SOURCE),
    ):
        if name in exceptions and present:
            found.append(f"no exception needed for {fault}")
        elif wanted and not present and name not in exceptions:
            found.append(fault)
    return found


@pytest.mark.parametrize("name", ITEMS)
def test_docstrings_are_whole(name: str) -> None:
    item = ITEMS[name]
    assert faults(name, item, inspect.getdoc(item) or "") == []


@pytest.mark.parametrize(
    "typed",
    [
        *(lindmft.theory.AccuracyOptions, lindmft.theory.FlowOptions, lindmft.theory.SolveOptions),
        *(lindmft.training.NetworkOptions, lindmft.training.TrainManyOptions),
        *(lindmft.training.TrainOptions, lindmft.training.AllTrainOptions),
        lindmft.sweeps.SweepOptions,
    ],
)
def test_options_are_explained_by_the_functions_that_their_dictionary_names(typed: Any) -> None:
    names = re.findall(r"``(\w+)``", inspect.getdoc(typed) or "")
    texts = [
        inspect.getdoc(getattr(lindmft, name)) or "" for name in names if hasattr(lindmft, name)
    ]
    assert set(typed.__annotations__) <= set().union(*map(named, texts))


def test_exceptions_are_of_what_is_there() -> None:
    assert set(NO_EXAMPLE) | set(REFUSES_NOTHING) | set(NO_SOURCE) <= set(ITEMS)


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("floor\n    A", "    A", "parameter floor"),
        ("span\n    Half", "spam\n    Half", "parameter span, there is no parameter spam"),
        ("Raises\n------\n", "", "Raises"),
        ("(1979)", "", "source"),
        (">>> ", "", "Examples"),
    ],
)
def test_what_is_left_out_is_noticed(old: str, new: str, fault: str) -> None:
    item = lindmft.local_exponent
    text = inspect.getdoc(item) or ""
    assert old in text
    assert ", ".join(faults("exponents.local_exponent", item, text.replace(old, new))) == fault


def methods(item: type) -> Iterator[tuple[str, Any, bool]]:
    """Yield the public methods and properties of a class: name, function, whether it is called."""
    for name, value in vars(item).items():
        called = not isinstance(value, property)
        function = getattr(value, "__func__", value) if called else value.fget
        if not name.startswith("_") and inspect.isfunction(function):
            yield name, function, called


@pytest.mark.parametrize("name", [name for name, item in ITEMS.items() if inspect.isclass(item)])
def test_methods_are_described_and_shown(name: str) -> None:
    """Docstrings name the arguments; an example of the method or of the class calls it."""
    item, found = ITEMS[name], []
    shown = section(inspect.getdoc(item) or "", "Examples") or ""
    for method, function, called in methods(item):
        text = inspect.getdoc(function) or ""
        found += [] if text else [f"{method} has no docstring"]
        words = set(re.findall(r"\w+", text))
        found += [f"{argument} of {method}" for argument in sorted(arguments(function) - words)]
        if called and method not in NOT_CALLED and f".{method}(" not in shown:
            found += [] if f".{method}(" in (section(text, "Examples") or "") else [method]
    assert found == []


@pytest.mark.parametrize("name", [*SOURCES, "lindmft"])
def test_examples_run(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MPLBACKEND", "Agg")
    module = importlib.import_module(name)
    assert doctest.testmod(module).failed == 0


def test_importing_loads_numpy_alone() -> None:
    code = (
        "import sys, lindmft\n"
        "heavy = {'xarray', 'h5py', 'matplotlib', 'click', 'tqdm', 'pandas', 'scipy'}\n"
        "heavy |= {'zarr', 'dask', 'distributed', 'multiprocessing', 'concurrent.futures'}\n"
        "print(sorted(heavy & sys.modules.keys()))\n"
        "lindmft.plotting\n"
        "print(sorted(heavy & sys.modules.keys()))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n[]\n"


def test_everything_public_is_there() -> None:
    for name in lindmft.__all__:
        assert getattr(lindmft, name) is not None
    assert lindmft.analysis.compare is lindmft.compare
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = lindmft.nothing
