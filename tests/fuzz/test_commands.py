"""Random command lines and problem files: a result, or an error message and exit code 2."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from fuzzing import damaged, examples, in_time
from hypothesis import given
from hypothesis import strategies as st

from lindmft.cli.commands import commands

GOOD = """\
[network]
kind = "mlp"
[data]
kind = "full_batch"
alpha = 2.0
[optimizer]
lr = 0.1
[run]
steps = 4
time = 1.0
dim = 4
seeds = 2
[sweep]
run = ["solve"]
times = "last"
[sweep.axes]
"network.width" = { from = 0.5, to = 2, points = 2 }
"network.depth, optimizer.lr" = [[1, 0.1], [2, 0.05]]
"""
OPTIONS = {
    "solve": ("--steps", "--grid", "--rtol", "--atol", "--save", "--depth-nodes", "--threads"),
    "flow": ("--time", "--rtol", "--atol", "--save", "--depth-nodes", "--checkpoint"),
    "train": ("--steps", "--dim", "--seeds", "--seed", "--threads", "--checkpoint-every"),
    "sweep": ("--steps", "--engine", "--threads"),
    "transfer": ("--steps", "--over", "--sizes", "--base", "--rtol", "--scalings"),
}
words = st.sampled_from(
    ["1", "2", "0", "-1", "nan", "inf", "1e-3", "1e400", "2147483648", "9" * 5000, "x", "", "all",
     "C_h", "1,2", "1,,2", "1,inf", "network.width", "optimizer.lr", "adaptive", "\0", "\ud800",
     "[" * 2000, "a/b/c", "tcp://x"]
) | st.text(max_size=4)  # fmt: skip


@pytest.fixture(autouse=True, scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Commands may write files of any name."""
    with contextlib.chdir(tmp_path_factory.mktemp("folder")):
        yield


def refused_or_done(*words: str) -> None:
    with in_time():
        done = CliRunner().invoke(commands, list(words))
    assert done.exit_code in {0, 2}, done.exception or done.output
    if done.exit_code == 2:
        last = done.output.rstrip("\n").splitlines()[-1]
        assert "Error: " in done.output, done.output
        assert "Traceback" not in done.output
        assert last.strip()
    else:
        assert "nan" not in done.output


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("commands") / "problem.toml"
    path.write_text(GOOD)
    return path


@examples(25)
@given(data=st.data())
def test_options_of_any_kind(file: Path, data: st.DataObject) -> None:
    command = data.draw(st.sampled_from(sorted(OPTIONS)))
    chosen: dict[str, Any] = {
        option: data.draw(words)
        for option in data.draw(st.lists(st.sampled_from(OPTIONS[command]), max_size=2))
    }
    if command == "transfer":
        chosen.setdefault("--sizes", "1,2")
    if "processes" in chosen.values() or "dask" in chosen.values():
        return
    flat = [word for pair in chosen.items() for word in pair]
    refused_or_done(command, str(file), *flat)


@examples(25)
@given(damaged(GOOD.encode()), st.sampled_from(["solve", "flow", "train", "sweep"]))
def test_problem_files(file: Path, content: bytes, command: str) -> None:
    hostile = file.with_name("hostile.toml")
    hostile.write_bytes(content)
    refused_or_done(command, str(hostile))


@examples(10)
@given(words, words)
def test_files_to_compare(first: str, second: str) -> None:
    refused_or_done("compare", first, second)


@pytest.mark.parametrize("points", [2**31 - 1, 0, -1, 2.5])
def test_ranges_without_end_are_refused_by_name(points: float, tmp_path: Path) -> None:
    hostile = tmp_path / "hostile.toml"
    hostile.write_text(GOOD.replace("points = 2", f"points = {points}"))
    done = CliRunner().invoke(commands, ["sweep", str(hostile)])
    assert done.exit_code == 2
    assert "sweep.axes.network.width.points must be" in done.output
