"""The command ``lindmft verify``."""

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from lindmft.cli import verify
from lindmft.cli.commands import commands

QUICK = ["verify", "--quick", "--count", "12", "--seeds", "16", "--dim", "32"]


def test_it_writes_a_page_and_refuses_to_replace_it(tmp_path: Path) -> None:
    arguments = [*QUICK, "--output", str(tmp_path / "page")]
    done = CliRunner().invoke(commands, arguments)
    assert done.exit_code == 0, done.output
    assert "12 random problems, dim = 32 and 64, 16 networks each, seed 0" in done.output
    assert {path.suffix for path in (tmp_path / "page").iterdir()} == {
        ".html",
        ".png",
        ".svg",
        ".csv",
    }
    again = CliRunner().invoke(commands, arguments)
    assert again.exit_code == 2
    assert "--force replaces it" in again.output


def test_a_failure_is_an_exit_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify.Verification, "passed", False)
    done = CliRunner().invoke(commands, [*QUICK, "--output", str(tmp_path / "page")])
    assert done.exit_code == 1
    assert "FAILED" in done.output
    assert (tmp_path / "page" / "verification.html").exists()


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (["--count", "3"], "count must be at least 10, got 3"),
        (["--dim", "7"], "dim must be a multiple of 16, got 7"),
        (["--output", "nowhere/page"], "nowhere/page must be in a folder that exists"),
    ],
)
def test_bad_input_is_one_line(bad: list[str], message: str) -> None:
    done = CliRunner().invoke(commands, ["verify", *bad])
    assert done.exit_code == 2
    assert message in done.output


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "code", "said"), [("SIGINT", 130, "Interrupted."), ("SIGTERM", 143, "Terminated.")]
)
@pytest.mark.parametrize("after", [11, 3])
def test_a_signal_ends_it_with_what_is_done(
    name: str, code: int, said: str, after: int, tmp_path: Path
) -> None:
    program = f"""
import os, signal, sys
from lindmft import cli
from lindmft.analysis import verification
true = verification._case
def interrupted(index, *rest):
    if index == {after}:
        os.kill(os.getpid(), signal.{name})
    return true(index, *rest)
verification._case = interrupted
sys.argv = ["lindmft", "verify", "--quick", "--dim", "32", "--output", {str(tmp_path / "page")!r}]
signal.signal(signal.SIGINT, signal.default_int_handler)
cli.main()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == code, done.stderr
    assert done.stderr.splitlines()[-2:] == [f"{after} of 200 problems are done.", said]
    enough = after >= 10
    assert ("11 random problems" in done.stdout) == enough
    assert (tmp_path / "page" / "verification.html").exists() == enough
