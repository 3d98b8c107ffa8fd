"""Full disks and read-only folders: a clear error, and earlier files stay as they were.

A limit on the size of files (ulimit -f) takes the place of a full disk: it needs no special rights,
and the write fails in the middle.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from child import run

import lindmft as lm

SMALL = lm.Problem(lm.MLP(), lm.FullBatch(alpha=2.0, noise=0.3), lm.SGD(lr=0.1))

LIMITED = """
import os, resource, sys
from functools import partial
from pathlib import Path
import numpy as np
import lindmft as lm
from click.testing import CliRunner
from lindmft import _core
from lindmft.cli import demo
from lindmft.cli.commands import commands

folder, toml, wanted = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
problem = lm.Problem(lm.MLP(), lm.FullBatch(alpha=2.0, noise=0.3), lm.SGD(lr=0.1))
long = problem.replace(**{"optimizer.lr": [0.1] * 4000})
theory, runs = lm.solve(problem, 60, save="all"), lm.train(problem, 2000, dim=8, seeds=4)
crossed = lm.train_replicas(problem, 2000, dim=8, seeds=4)
rates = np.linspace(0.01, 0.1, 3)

def command(*arguments):
    # One line that names the file, and exit code 2.
    done = CliRunner().invoke(commands, [str(argument) for argument in arguments])
    assert done.exit_code == 2, (done.exit_code, done.output, done.exception)
    first, line = done.stderr.split("Error: ")
    assert len(line.splitlines()) == 1
    raise OSError(28, "", line.partition(": ")[0].partition(" must ")[0])

if wanted == "pictures":
    figure = lm.figures.get("1")
    made = figure.make("a", quick=True, widths=(0.5,), dim=16, seeds=2, steps=5)
    made.draw()  # imports everything before the limit is set
    demo.cases = partial(demo.cases, steps=5, dim=16, seeds=2)
else:
    lm.sweep(problem, {"optimizer.lr": rates}, 3, store=folder.parent / "imports.zarr")
    theory.save(folder.parent / "imports.nc")

PICTURES = {
    "figure_1a.png": lambda path: made.save(path.parent),
    "picture.png": lambda path: command("solve", toml, "--steps", 9, "--picture", path, "--force"),
    "demo.png": lambda path: command("demo", "--output", path),
}
RESULTS = {
    "solution.nc": lambda path: theory.save(path, force=True),
    "ensemble.nc": lambda path: runs.save(path, force=True),
    "replicas.nc": lambda path: crossed.save(path, force=True),
    "checkpoint.nc": lambda path: lm.solve(problem, 60, checkpoint=path),
    "training.nc": lambda path: lm.train(problem, 60, dim=32, seeds=2, checkpoint=path),
    "problem.toml": lambda path: long.to_toml(path),
    "store.zarr": lambda path: lm.sweep(problem, {"optimizer.lr": rates}, 20, store=path),
    "output.nc": lambda path: command("solve", toml, "--steps", 60, "--output", path, "--force"),
}
CALLS = PICTURES if wanted == "pictures" else RESULTS
before = {}
for name in CALLS:
    if name not in ("store.zarr", "checkpoint.nc", "training.nc"):
        (folder / name).write_bytes(b"precious")
        before[name] = b"precious"

def attempt(name):
    try:
        CALLS[name](folder / name)
    except (OSError, ValueError) as error:
        path = error.filename if isinstance(error, OSError) else str(error).partition(" must ")[0]
        assert path == str(folder / name), (name, path, error)
        print(name, type(error).__name__, flush=True)
    else:
        print(name, "written", flush=True)
"""
FULL = """
resource.setrlimit(resource.RLIMIT_FSIZE, (200, 200))
for name in CALLS:
    attempt(name)
found = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
assert found == before, sorted(found)
"""
READ_ONLY = """
folder.chmod(0o555)
if os.getuid() == 0:
    os.setuid(65534)  # root can write to read-only folders
for call in ("solve", "train"):
    setattr(_core, call, lambda *_, **__: os._exit(3))  # the work would be lost
for name in CALLS:
    attempt(name)
"""
PROBLEM = """
[network]
kind = "mlp"
depth = 1
[data]
kind = "full_batch"
alpha = 2.0
[optimizer]
lr = 0.1
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """Return a folder that other users can enter."""
    made = Path(tempfile.mkdtemp())
    made.chmod(0o755)
    (made / "problem.in").write_text(PROBLEM)
    (made / "out").mkdir()
    yield made
    (made / "out").chmod(0o755)
    shutil.rmtree(made)


COUNTS = {"results": 8, "pictures": 3}


def outcomes(code: str, folder: Path, wanted: str) -> dict[str, str]:
    lines = run(LIMITED + code, folder / "out", folder / "problem.in", wanted).splitlines()
    told = dict(line.split() for line in lines)
    assert len(told) == COUNTS[wanted]
    return told


@pytest.mark.long
@pytest.mark.parametrize("wanted", COUNTS)
def test_a_full_disk_is_an_error_that_names_the_file_and_leaves_the_one_before(
    wanted: str, folder: Path
) -> None:
    assert set(outcomes(FULL, folder, wanted).values()) == {"OSError"}


@pytest.mark.parametrize("wanted", COUNTS)
def test_a_read_only_folder_is_refused_before_any_work(wanted: str, folder: Path) -> None:
    assert "written" not in outcomes(READ_ONLY, folder, wanted).values()
    assert all(path.read_bytes() == b"precious" for path in (folder / "out").iterdir())


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_what_is_no_file_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    link = tmp_path / "picture.png"
    link.symlink_to("/dev/full")
    code = (
        "import sys\nfrom click.testing import CliRunner\n"
        "from lindmft.cli.commands import commands\n"
        "done = CliRunner().invoke(commands, sys.argv[1:])\n"
        "print(done.exit_code, done.stderr)\n"
    )
    (tmp_path / "problem.in").write_text(PROBLEM)
    options = ["--steps", 5, "--picture", link, "--force"]
    shown = run(code, "solve", tmp_path / "problem.in", *options)
    assert shown.strip() == f"2 Error: {link}: No space left on device"
    assert str(link.readlink()) == "/dev/full"
    assert Path("/dev/full").is_char_device()


def test_names_as_long_as_the_system_allows_are_written(tmp_path: Path) -> None:
    """The temporary files beside them have shorter names."""
    longest = os.pathconf(tmp_path, "PC_NAME_MAX")
    theory = lm.solve(SMALL, 5)
    file = tmp_path / ("x" * (longest - 3) + ".nc")
    theory.save(file)
    assert lm.Solution.load(file).test_loss.tolist() == theory.test_loss.tolist()
    store = tmp_path / ("y" * longest)
    lm.sweep(SMALL, {"optimizer.lr": [0.1, 0.2]}, 3, store=store)
    assert lm.open_sweep(store).sizes["lr"] == 2
    assert {path.name for path in tmp_path.iterdir()} == {file.name, store.name}


def test_names_longer_than_the_system_allows_are_refused_before_any_work(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 1000)
    with pytest.raises(ValueError, match="must have a shorter name"):
        lm.solve(SMALL, 10**6, checkpoint=path)  # would take too long if it were run
    with pytest.raises(ValueError, match="must have a shorter name"):
        lm.sweep(SMALL, {"optimizer.lr": [0.1]}, 10**6, store=path)
    with pytest.raises(FileNotFoundError, match="must be an existing file"):
        lm.Solution.load(path)
