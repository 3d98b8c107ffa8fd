"""The examples of the guide run: Python and commands of every page, and the program in C++."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from documents import GUIDE, ROOT, Block, all_blocks, guide, run_commands, run_python

NOT_RUN = {
    ("clusters.md", "from dask_jobqueue import SLURMCluster"): "needs Slurm",
    ("clusters.md", "dask scheduler --port 8786 &"): "needs Slurm",
    ("clusters.md", "#SBATCH --array=0-9"): "needs Slurm",
    ("howto/store.md", "library(ncdf4)"): "needs R",
    ("howto/pytorch.md", "import torch"): "needs PyTorch",
    ("start.md", "python3 -m venv .venv && . .venv/bin/activate"): "installs; as README.md says it",
    ("howto/cpp.md", "# CMakeLists.txt"): "built below",
    ("howto/cpp.md", "// main.cpp"): "built below",
    ("howto/cpp.md", "$ cmake -B build -DLINDMFT_SOURCE=/path/to/lindmft"): "run below",
}
"""Blocks that the test of pages does not run: page and first line, with the reason."""


def name_of(page: Path) -> str:
    return str(page.relative_to(GUIDE))


def first(block: Block) -> str:
    """Return the first line without the comment at its end."""
    return re.sub(r"(?<=\S) +#.*", "", block.first)


def shown(page: Path) -> list[Block]:
    """Return the blocks that a reader can run."""
    name = name_of(page)
    return [b for b in all_blocks(page.read_text()) if (name, first(b)) not in NOT_RUN]


@pytest.mark.long
@pytest.mark.parametrize("page", [page for page in guide() if shown(page)], ids=name_of)
def test_pages_run(page: Path, tmp_path: Path) -> None:
    """Python runs in an empty folder, commands in another one that contains the examples."""
    found = shown(page)
    assert {block.language for block in found} <= {"python", "sh"}
    for folder in ("python", "commands"):
        (tmp_path / folder).mkdir()
    python = [block for block in found if block.language == "python"]
    printed = run_python(str(page), python, tmp_path / "python")
    assert not {"False", "nan"} & set(printed.split())  # what a page compares is equal
    commands = [block.text for block in found if block.language == "sh"]
    for block in commands:
        run_commands(block, tmp_path / "commands")


def test_what_is_not_run_is_there() -> None:
    there = {(name_of(page), first(b)) for page in guide() for b in all_blocks(page.read_text())}
    assert NOT_RUN.keys() <= there


def test_the_page_names_every_function_of_c() -> None:
    header = (ROOT / "cpp" / "include" / "lindmft" / "lindmft.h").read_text()
    functions = set(re.findall(r"^LINDMFT_EXPORT .*?(lindmft_\w+)\(", header, flags=re.MULTILINE))
    page = (GUIDE / "howto" / "cpp.md").read_text()
    named = set()
    for row in re.findall(r"^\| (`lindmft_.*?) \|", page, flags=re.MULTILINE):
        first, *others = re.findall(r"`(\w+)`", row)
        handle = "_".join(first.split("_")[:2])  # "lindmft_problem_new", "_free"
        named |= {first, *(handle + name if name[0] == "_" else name for name in others)}
    assert named == functions


def compiler() -> str | None:
    return os.environ.get("CXX") or shutil.which("c++")


@pytest.mark.long
@pytest.mark.skipif(not (shutil.which("cmake") and compiler()), reason="no CMake or no compiler")
def test_the_program_in_cpp_builds_and_runs() -> None:
    """The build folder is kept, since the test compiles the core: the second time is quick."""
    folder = ROOT / "build" / "guide"
    folder.mkdir(parents=True, exist_ok=True)
    page = all_blocks((GUIDE / "howto" / "cpp.md").read_text())
    for block in page:
        if block.language in {"cmake", "cpp"}:
            (folder / block.first.split()[-1]).write_text(block.text)
    (session,) = [block.text for block in page if block.language == "console"]
    script = re.sub(r"^\$ ", "", session, flags=re.MULTILINE).replace("/path/to/lindmft", str(ROOT))
    environment = {
        **os.environ,
        "CMAKE_BUILD_PARALLEL_LEVEL": str(len(os.sched_getaffinity(0))),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",  # uses this Python's BLAS
    }
    done = subprocess.run(
        ["sh", "-euc", script],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    rows = re.findall(r"^ *\d+  theory (\S+)  training (\S+)$", done.stdout, flags=re.MULTILINE)
    assert len(rows) == 5
    for theory, training in rows:
        assert float(training) == pytest.approx(float(theory), rel=0.2)
    assert "C_v(49, 0) = 0.0" in done.stdout
