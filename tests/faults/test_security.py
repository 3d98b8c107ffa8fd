"""Files and configuration are data, of which nothing is ever executed."""

import ast
import json
import pickle
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numcodecs
import numpy as np
import pytest
import zarr
from problems import problem

import lindmft as lm

PACKAGE = Path(lm.__file__).parent
MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "shelve", "marshal", "subprocess", "yaml"}
CALLS = {"eval", "exec", "compile", "__import__", "os.system", "os.popen", "np.load", "numpy.load"}
"""Functions that execute text, files or programs."""


def dangers(source: str) -> Iterator[str]:
    """Yield imports, calls and arguments that could execute data."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = {alias.name.partition(".")[0] for alias in node.names}
            yield from names & MODULES
        elif isinstance(node, ast.ImportFrom):
            yield from {(node.module or "").partition(".")[0]} & MODULES
        elif isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            yield from {name} & CALLS
            yield from (f"allow_pickle in {name}" for k in node.keywords if k.arg == "allow_pickle")
            modules = [a.value for a in node.args if isinstance(a, ast.Constant)]
            if name.endswith(("import_module", "optional")):
                yield from {str(module).partition(".")[0] for module in modules} & MODULES


def test_nothing_of_the_package_can_run_what_it_reads() -> None:
    sources = sorted(PACKAGE.rglob("*.py"))
    assert len(sources) > 50
    found = {str(path.relative_to(PACKAGE)): list(dangers(path.read_text())) for path in sources}
    assert {path: what for path, what in found.items() if what} == {}


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "def f():\n    from yaml import load",
        "import os, subprocess as s",
        "eval(text)",
        "exec(text)",
        "os.system('ls')",
        "np.load(path)",
        "read(path, allow_pickle=True)",
        "import_module('pickle')",
        "optional('yaml', 'io')",
    ],
)
def test_dangers_are_seen(source: str) -> None:
    assert list(dangers(source))


class Payload:
    """An object whose pickle writes a file when it is loaded."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.write_text, (self.mark, "ran")


@pytest.fixture
def mark(tmp_path: Path) -> Iterator[Path]:
    """Yield the path to which a payload writes; in the end it must not exist."""
    path = tmp_path / "mark"
    pickle.loads(pickle.dumps(Payload(path)))
    assert path.read_text() == "ran", "the payload does nothing"
    path.unlink()
    yield path
    assert not path.exists(), "a payload was run"


@pytest.mark.parametrize("name", ["problem", "stats", "provenance", "format"])
def test_a_pickle_in_an_attribute_of_a_file_is_refused(
    name: str, mark: Path, tmp_path: Path
) -> None:
    path = tmp_path / "theory.nc"
    lm.solve(problem(), 5).save(path)
    with h5py.File(path, "r+") as file:
        del file.attrs[name]
        file.attrs[name] = np.void(pickle.dumps(Payload(mark)))
    with pytest.raises(ValueError, match=re.escape(str(path))):
        lm.Solution.load(path)


@pytest.mark.parametrize("kind", ["opaque", "text"])
def test_objects_among_the_numbers_of_a_file_are_refused(
    kind: str, mark: Path, tmp_path: Path
) -> None:
    path = tmp_path / "theory.nc"
    lm.solve(problem(), 5).save(path)
    raw = pickle.dumps(Payload(mark))
    with h5py.File(path, "r+") as file:
        dims = [scale.name for scale in file["test_loss"].dims[0].values()]
        del file["test_loss"]
        value = np.void(raw) if kind == "opaque" else raw.hex()
        data = file.create_dataset("test_loss", data=[value] * 5)
        data.dims[0].attach_scale(file[dims[0]])
    with pytest.raises(ValueError, match=re.escape(str(path))):
        lm.Solution.load(path)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    path = tmp_path / "sweep.zarr"
    lm.sweep(problem(), {"optimizer.lr": [0.05, 0.1]}, 5, store=path)
    return path


@pytest.mark.parametrize("codec", ["pickle", "numcodecs.pickle"])
def test_a_store_with_a_codec_of_pickles_is_refused(codec: str, store: Path, mark: Path) -> None:
    array = store / "theory_test_loss"
    metadata = json.loads((array / "zarr.json").read_text())
    metadata["codecs"] = [{"name": codec, "configuration": {}}]
    (array / "zarr.json").write_text(json.dumps(metadata))
    for chunk in (array / "c").rglob("*"):
        if chunk.is_file():
            chunk.write_bytes(pickle.dumps(Payload(mark)))
    with pytest.raises(ValueError, match=re.escape(str(store))):
        lm.open_sweep(store)


def test_a_store_of_the_old_format_with_pickled_objects_is_refused(store: Path, mark: Path) -> None:
    """Format 2 of Zarr has arrays of objects, and would unpickle their chunks."""
    attributes = json.loads((store / "zarr.json").read_text())["attributes"]
    shutil.rmtree(store)
    group = zarr.create_group(store, zarr_format=2, attributes=attributes)
    group.create_array(
        "theory_test_loss", shape=(1,), chunks=(1,), dtype=np.float64, compressors=None
    )
    array = store / "theory_test_loss"
    metadata = json.loads((array / ".zarray").read_text())
    metadata |= {"dtype": "|O", "fill_value": None, "filters": [numcodecs.Pickle().get_config()]}
    (array / ".zarray").write_text(json.dumps(metadata))
    (array / "0").write_bytes(pickle.dumps(Payload(mark)))
    with pytest.raises(ValueError, match=re.escape(str(store))):
        lm.open_sweep(store)


def test_a_problem_that_is_not_json_is_not_run(mark: Path, tmp_path: Path) -> None:
    call = f"__import__('pathlib').Path({str(mark)!r}).write_text('ran')"
    for name, read in (("problem.json", lm.Problem.from_json), ("a.toml", lm.Problem.from_toml)):
        path = tmp_path / name
        path.write_text(call)
        with pytest.raises(ValueError, match=name):
            read(path)
    with pytest.raises(ValueError, match=r"optimizer\.lr"):
        lm.Problem.from_dict(problem(optimizer={"lr": call}))
