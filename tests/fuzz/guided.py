"""Coverage-guided fuzzing of everything that reads a file. Needs ``pip install atheris``.

    python tests/fuzz/guided.py toml -max_total_time=300

The first argument is a target: toml, json, result, store or commands. Others are libFuzzer's. It
begins with the examples and the files of tests/data, and ends at the first finding, which it keeps.
"""

import json
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import atheris

TESTS = Path(__file__).parents[1]
sys.path.insert(0, str(TESTS / "support"))

with atheris.instrument_imports(include=["lindmft", "tomllib"]):
    import lindmft as lm
    from lindmft.cli.commands import commands as command_line
    from lindmft.results import content, dataset, reading
    from lindmft.sweeps import integrity, store

from click.testing import CliRunner  # noqa: E402
from fuzzing import outcome  # noqa: E402

INSTRUMENTED = (content, dataset, reading, integrity, store)
FOLDER = Path(tempfile.mkdtemp(prefix="lindmft-fuzz-"))
FILE = FOLDER / "hostile"
PROBLEM = lm.Problem(lm.MLP(), lm.FullBatch(alpha=2.0, noise=0.3), lm.SGD(lr=0.1))
FIELDS = ("hostile", "problem", "network", "data", "optimizer")
KINDS = (lm.Solution, lm.Ensemble, lm.ReplicaEnsemble)


def toml(content: bytes) -> None:
    FILE.write_bytes(content)
    outcome(lambda: lm.Problem.from_toml(FILE), *FIELDS)


def json_file(content: bytes) -> None:
    FILE.write_bytes(content)
    outcome(lambda: lm.Problem.from_json(FILE), *FIELDS)


def result(content: bytes) -> None:
    FILE.write_bytes(content)
    for kind in KINDS:
        outcome(lambda kind=kind: kind.load(FILE), "hostile")


def hostile_store(content: bytes) -> None:
    """Read a store whose metadata are the bytes, or if they begin with zero, a chunk or a mark."""
    parts = ("zarr.json", "theory_test_loss/c/0/0", "marks/theory/c/0", "time/zarr.json")
    copy = FOLDER / "hostile.zarr"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(FOLDER / "whole.zarr", copy)
    (copy / parts[content[0] % 4 if content[:1] < b"\4" and content else 0]).write_bytes(content)
    try:
        lm.open_sweep(copy)
    except (ValueError, FileNotFoundError) as error:
        if "hostile.zarr" not in str(error):
            raise


def commands(content: bytes) -> None:
    """Check a file for ``lindmft sweep`` without running the sweep."""
    FILE.write_bytes(content)
    done = CliRunner().invoke(command_line, ["sweep", str(FILE), "--threads", "0"])
    assert done.exit_code == 2, done.output
    assert "Error: " in done.output


TARGETS: dict[str, Callable[[bytes], None]] = {
    "toml": toml,
    "json": json_file,
    "result": result,
    "store": hostile_store,
    "commands": commands,
}


def seeds(target: str) -> Path:
    """Write good files to a folder, as first inputs."""
    corpus = FOLDER / "corpus"
    corpus.mkdir()
    if target in {"toml", "commands"}:
        for file in (TESTS.parent / "examples").glob("*.toml"):
            shutil.copy(file, corpus)
    if target == "json":
        for i, case in enumerate(json.loads((TESTS / "data" / "cases.json").read_text())):
            (corpus / str(i)).write_text(json.dumps(case["problem"]))
    if target == "result":
        for file in (TESTS / "data").glob("*.nc"):
            shutil.copy(file, corpus)
        lm.solve(PROBLEM, 3).save(corpus / "new", state=False)
    if target == "store":
        lm.sweep(PROBLEM, {"optimizer.lr": [0.1]}, 3, store=FOLDER / "whole.zarr")
        shutil.copy(FOLDER / "whole.zarr" / "zarr.json", corpus)
    return corpus


if __name__ == "__main__":
    name, *options = sys.argv[1:]
    if name not in TARGETS:
        sys.exit(f"the target must be one of {', '.join(TARGETS)}, got {name}")
    atheris.Setup([sys.argv[0], *options, str(seeds(name))], TARGETS[name])
    atheris.Fuzz()
