"""The examples in the docstrings run and print what they say; importing is light."""

import doctest
import importlib
import pkgutil
import subprocess
import sys

import pytest

import lindmft

MODULES = sorted(module.name for module in pkgutil.walk_packages(lindmft.__path__, "lindmft."))
SOURCES = [name for name in MODULES if name not in {"lindmft._core", "lindmft.__main__"}]


@pytest.mark.parametrize("name", SOURCES)
def test_examples_run(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MPLBACKEND", "Agg")
    module = importlib.import_module(name)
    assert doctest.testmod(module).failed == 0


def test_there_are_examples() -> None:
    finder = doctest.DocTestFinder(exclude_empty=True)
    for name in lindmft.__all__:
        item = getattr(lindmft, name)
        if callable(item) and name not in {"NotConverged", "Comparison"}:
            tests = finder.find(item, name, globs={})
            assert any(test.examples for test in tests), f"{name} has no example"


def test_importing_loads_numpy_alone() -> None:
    code = (
        "import sys, lindmft\n"
        "heavy = {'xarray', 'h5py', 'matplotlib', 'click', 'tqdm', 'pandas', 'scipy'}\n"
        "heavy |= {'zarr', 'dask', 'distributed'}\n"
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
