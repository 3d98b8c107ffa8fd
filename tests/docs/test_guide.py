"""The examples of the guide run: Python and commands of every page, and the program in C++."""

import ast
import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from documents import FENCE, GUIDE, ROOT, Block, all_blocks, guide
from outputs import (
    COLUMN,
    NOT_RUN,
    SHOWN,
    clean,
    difference,
    first,
    name_of,
    pictures,
    rewritten,
    run_page,
    runnable,
    written,
)
from PIL import Image

PAGES = [page for page in guide() if runnable(page)]


@pytest.mark.long
@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_pages_run_and_print_what_they_show(page: Path, tmp_path: Path) -> None:
    """`python tests/support/outputs.py PAGE` writes what is printed into the page."""
    for block, shown, how, text in run_page(page, tmp_path):
        assert block.language in {"python", "sh"}
        if "example" not in how:
            assert not {"False", "nan"} & set(text.split())  # pages compare only equal things
        assert not difference(shown, text, how), f"the block at line {block.line} of {page.name}"
    for name, picture in pictures(page):
        with Image.open(written(tmp_path, name)) as drawn, Image.open(picture) as committed:
            assert drawn.size == pytest.approx(committed.size, rel=0.02), name


def silent(block: Block) -> bool:
    """Whether a block only imports, defines and assigns."""
    kinds = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef, ast.Assign)
    return block.language == "python" and all(
        isinstance(statement, kinds) for statement in ast.parse(block.text).body
    )


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_blocks_show_what_they_print_or_draw(page: Path) -> None:
    lines = page.read_text().splitlines(keepends=True)
    for block in runnable(page):
        below = "".join(lines[block.line + block.text.count("\n") :])
        draws = "savefig" in block.text or "--picture" in block.text
        assert SHOWN.match(below) or draws or silent(block), f"{page.name}, line {block.line}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_code_and_outputs_fit_the_column(page: Path) -> None:
    wide = [line for m in FENCE.finditer(page.read_text()) for line in m[3].splitlines()]
    assert [line for line in wide if len(line) > COLUMN] == []


def test_every_picture_of_a_block_is_shown() -> None:
    shown = {picture.resolve() for page in PAGES for _, picture in pictures(page)}
    assert shown == set((GUIDE / "pictures").glob("*.png"))
    for picture in shown:
        assert picture.stat().st_size < 60_000, picture.name


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        ("loss 0.0459 at step 17", "loss 0.0460 at step 17"),
        ("[0.1451 0.0365]", "[0.1452  0.0365 ]"),
        ("self-check passed (2e-13)", "self-check passed (7e-14)"),
        ("error 1.3e-08", "error 4e-08"),
        ("168 nodes in 0.25 s", "169 nodes in 31 ms"),
        ("lindmft 0.1.0, 1.5 MiB, 2026-01-01", "lindmft 0.2.0, 980 kB, 2026-11-30"),
        ("saved /home/me/a.nc", "saved /root/b.nc"),
        ("a     b\n----- ---\n", "a  b\n--  ---\n"),
    ],
)
def test_outputs_of_other_machines_are_the_same(shown: str, printed: str) -> None:
    assert not difference(shown, printed)


@pytest.mark.parametrize(
    ("shown", "printed", "how"),
    [
        ("loss 0.0459", "loss 0.0463", ""),
        ("loss 0.0459", "loss 0.0550", " within 5 %"),
        ("loss 0.0459", "", ""),
        ("", "loss 0.0459", ""),
        ("theory and training agree", "theory and training differ", ""),
        ("16 networks", "17 networks", ""),
        ("at step 6", "at step 7", ""),
        ("rate -0.5", "rate 0.5", ""),
        ("error 1.3e-08", "error 4e-07", ""),
        ("0.1 0.2", "0.1 0.2 0.3", ""),
        ("threads  2\nBLAS  a", "threads  4\nNumPy  b", " an example"),
    ],
)
def test_other_outputs_differ(shown: str, printed: str, how: str) -> None:
    assert difference(shown, printed, how)


def test_long_lines_fit_the_column_and_keep_their_words() -> None:
    row = "run{}first{}second{}third and last"
    text = "\n".join(
        [
            row.format(" " * 9, " " * 40, " " * 40),
            "7".ljust(12) + "0.5".ljust(45) + "0.25".ljust(46) + "none",
            "",
            *textwrap.wrap(
                "Sentences of the package are filled to a hundred characters. " * 4, 100
            ),
            "Problem(" + ", ".join(f"field{i}={i}" for i in range(12)) + ")",
            "complete:",
        ]
    )
    lines = clean(text).splitlines()
    assert max(map(len, lines)) <= COLUMN
    assert " ".join(lines).split() == text.split()
    assert lines[:2] == [
        "run  first  second  third and last",
        "7    0.5    0.25    none",
    ]
    assert all(len(line) > COLUMN - 20 for line in lines[3:5])
    assert lines[-2].startswith("  field")
    assert not difference(text, clean(text))


def test_outputs_are_rewritten_where_they_differ(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    block = "```python\nprint({})\n```\n"
    kept, wrong = (
        "\n<!-- output -->\n```text\n0.3334\n```\n",
        "\n<!-- output -->\n```text\n7\n```\n",
    )
    long = "\n<!-- output 1 first and 1 last lines -->\n```text\n```\n"
    source = "{}{}text\n\n{}{}\n{}\n{}{}"
    before = [block.format("1 / 3"), kept, block.format("'seven'"), wrong, block.format("end=''")]
    before += [block.format("*range(9), sep='\\n'"), long]
    page.write_text(source.format(*before))
    parts = run_page(page, tmp_path)
    assert [bool(difference(part.shown, part.text)) for part in parts] == [False, True, False, True]
    new = rewritten(page.read_text(), parts)
    before[3] = wrong.replace("7", "seven")
    before[6] = long.replace("text\n", "text\n0\n...\n8\n")
    assert new == source.format(*before)
    assert [b.text for b in all_blocks(new)] == [part.block.text for part in parts]


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
    text = (GUIDE / "howto" / "cpp.md").read_text()
    page = all_blocks(text)
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
    (shown,) = re.findall(r"It prints\n\n```{code-block} text\n(.*?)```", text, flags=re.DOTALL)
    number = r"\d+\.\d+"
    said = done.stdout[done.stdout.index(shown.partition("theory")[0] + "theory") :]  # after CMake
    assert re.sub(number, "x", said) == re.sub(number, "x", shown)
    printed, expected = ([float(x) for x in re.findall(number, part)] for part in (said, shown))
    assert len(expected) == 11
    assert printed == pytest.approx(expected, abs=1.5e-4)
