"""Scripts without the guard ``if __name__ == "__main__":`` that start processes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import lindmft as lm
{first}
print("imported", flush=True)
problem = lm.Problem(lm.MLP(), lm.FullBatch(alpha=2.0), lm.SGD(lr=0.1))

def work():
    dataset = lm.sweep(problem, {{"optimizer.lr": [0.05, 0.1]}}, 5, engine="processes", threads=2)
    print(lm.sweep_summary(dataset), flush=True)

{last}
"""
PATIENCE = 60


def run(folder: Path, *, first: str = "", last: str) -> "subprocess.CompletedProcess[str]":
    script = folder / "script.py"
    script.write_text(SCRIPT.format(first=first, last=last))
    return subprocess.run(
        [sys.executable, str(script)],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        env=dict(os.environ),
    )


def refused(done: "subprocess.CompletedProcess[str]") -> None:
    """The last line names the guard, and nothing of multiprocessing was printed."""
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith('RuntimeError: engine="processes" starts processes that import')
    assert 'if __name__ == "__main__":' in last
    assert "bootstrapping" not in done.stderr


def test_a_script_without_a_guard_is_refused_before_any_process(tmp_path: Path) -> None:
    done = run(tmp_path, last="work()")
    refused(done)
    assert done.stdout.splitlines() == ["imported"], "no process imported the script"


@pytest.mark.long
def test_a_script_that_only_seems_guarded_is_found_out_by_its_workers(tmp_path: Path) -> None:
    done = run(tmp_path, first="name = __name__", last="work()")
    refused(done)
    assert done.stdout.count("imported") <= 3, "the script itself, and two workers"


@pytest.mark.long
@pytest.mark.parametrize(
    "last",
    [
        'if __name__ == "__main__":\n    work()',
        "from multiprocessing import current_process as me\nif me().name == 'MainProcess': work()",
    ],
)
def test_guarded_scripts_run(last: str, tmp_path: Path) -> None:
    done = run(tmp_path, last=last)
    assert done.returncode == 0, done.stderr
    assert "theory: 2 points, 2 done" in done.stdout
