"""Dependencies between folders: C++ includes follow a list, and no folder has too many files.

Imports between the rooms of the package are a contract in pyproject.toml, which ``lint-imports``
checks.
"""

import ast
import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest
from documents import ROOT

SRC = ROOT / "cpp" / "src"
PACKAGE = ROOT / "python" / "lindmft"
MOST_FILES = 25
"""Largest number of files of one kind in a folder: a folder with more has several concepts."""

BELOW = {
    "support": "",
    "linalg": "support",
    "optimizer": "",
    "hessian": "",
    "problem": "support",
    "time_grid": "linalg optimizer",
    "theory/core": "linalg problem support time_grid",
    "theory/network": "theory/core linalg problem time_grid",
    "theory/data": "theory/core linalg problem support time_grid",
    "theory/spectrum": "theory/core linalg hessian optimizer time_grid",
    "theory/march": "theory/core theory/spectrum linalg support time_grid",
    "theory": "theory/core theory/network theory/data theory/spectrum theory/march support "
    "time_grid",
    "training/random": "support",
    "training/weights": "linalg support",
    "training/network": "training/random training/weights problem",
    "training/data": "training/random training/weights support",
    "training/run": "training/random training/weights training/network training/data "
    "hessian problem support",
    "machine": "linalg support",
    "c_interface": "",
}
"""Folders of the C++ core, lowest first, each with the folders whose headers it may include.

All folders may include public headers (``lindmft/...``). The theory does not use training, and
the network side does not use the data side.
"""
INCLUDE = re.compile(r'^#include "([\w./]+)"', flags=re.MULTILINE)


def included(text: str) -> set[str]:
    """Return the folders of the headers that a source file includes."""
    return {header.rpartition("/")[0] for header in INCLUDE.findall(text)} - {"lindmft"}


def forbidden(folder: str, text: str) -> set[str]:
    return included(text) - {folder, *BELOW[folder].split()}


def sources() -> Iterator[tuple[str, Path]]:
    for path in sorted(SRC.rglob("*.?pp")):
        yield path.parent.relative_to(SRC).as_posix(), path


def test_includes_run_downward() -> None:
    folders = list(BELOW)
    for folder, lower in BELOW.items():
        assert all(folders.index(name) < folders.index(folder) for name in lower.split())
    found = {path.name: forbidden(folder, path.read_text()) for folder, path in sources()}
    assert {name: rooms for name, rooms in found.items() if rooms} == {}
    assert {folder for folder, _ in sources()} == set(BELOW)


def test_every_wall_is_needed() -> None:
    """Every allowed include is used by at least one file."""
    for folder, lower in BELOW.items():
        texts = [path.read_text() for room, path in sources() if room == folder]
        assert set(lower.split()) <= set().union(*map(included, texts)), folder


@pytest.mark.parametrize(
    ("folder", "header"),
    [
        ("linalg", "time_grid/panel_time.hpp"),
        ("support", "linalg/blas.hpp"),
        ("theory/network", "theory/data/spectral_data.hpp"),
        ("theory/core", "theory/march/recorder.hpp"),
        ("training/weights", "theory/core/sides.hpp"),
    ],
)
def test_an_include_upward_is_found(folder: str, header: str) -> None:
    assert forbidden(folder, f'#include "{header}"\n') == {header.rpartition("/")[0]}


def test_public_headers_and_bindings_need_public_headers_alone() -> None:
    for path in (ROOT / "cpp").glob("*/**/*.?pp"):
        if SRC not in path.parents:
            assert included(path.read_text()) <= {""}, path  # "" is the folder itself


def test_modules_import_from_the_package_only_rooms() -> None:
    """The import contract cannot check imports of public names from the package."""
    rooms = {path.name for path in PACKAGE.iterdir()} | {"_core", "progress"}
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module == "lindmft":
                assert {name.name for name in node.names} <= rooms, path
            if isinstance(node, ast.Import):
                assert "lindmft" not in {name.name for name in node.names}, path


def test_no_folder_is_a_heap() -> None:
    roots = (PACKAGE, SRC, ROOT / "tests")
    for root, kind in product(roots, ("*.py", "*.cpp", "*.hpp")):
        for folder in {path.parent for path in root.rglob(kind)}:
            assert len(list(folder.glob(kind))) <= MOST_FILES, folder
