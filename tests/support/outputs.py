"""Outputs of blocks of code, which pages show below the blocks, and pictures that they draw.

``python tests/support/outputs.py [--fresh] [PAGE ...]`` runs pages and notebooks (all of the guide
unless some are named) and rewrites what has changed, with ``--fresh`` all outputs. The tests run
the same blocks and compare.

An output stands directly below its block, as a block of text after a comment::

    <!-- output -->
    ```text
    0.25
    ```

The comment may contain words on what is shown and how it is compared: ``10 first and 3 last
lines`` shows these lines only, ``within 5 %`` allows numbers to differ by that much, and
``an example`` compares only the first word of each line. The comment ``<!-- picture: NAME -->``
stands above an image, which is made of the file NAME that a block of the page writes.
"""

import re
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from itertools import groupby, zip_longest
from pathlib import Path
from typing import Any, NamedTuple

import jupytext
import nbformat
import numpy as np
from documents import GUIDE, Block, all_blocks, guide, run_commands, run_python
from notebooks import NOTEBOOKS, drawn, execute, printed, tidy
from PIL import Image

NOT_RUN = {
    ("clusters.md", "from dask_jobqueue import SLURMCluster"): "needs Slurm",
    ("clusters.md", "dask scheduler --port 8786 &"): "needs Slurm",
    ("clusters.md", "#SBATCH --array=0-9"): "needs Slurm",
    ("howto/store.md", "library(ncdf4)"): "needs R",
    ("howto/pytorch.md", "import torch"): "needs PyTorch",
    ("start.md", "python3 -m venv .venv && . .venv/bin/activate"): "installs; as README.md says it",
    ("howto/cpp.md", "# CMakeLists.txt"): "built by a separate test",
    ("howto/cpp.md", "// main.cpp"): "built by a separate test",
    (
        "howto/cpp.md",
        "$ cmake -B build -DFETCHCONTENT_SOURCE_DIR_LINDMFT=/path/to/lindmft",
    ): "run by a separate test",
}
"""Blocks that the test of pages does not run: page and first line, with the reason."""

SHOWN = re.compile(r"\n<!-- output(?P<how>[^>\n]*) -->\n```text\n(?P<text>(?:.*\n)*?)```\n")
PICTURE = re.compile(r"^<!-- picture: (\S+) -->\n!\[[^\]]*\]\((\S+)\)", flags=re.MULTILINE)


# ---- pages


def name_of(page: Path) -> str:
    """Return the name of a page within the guide, or its file name if it is outside."""
    return str(page.relative_to(GUIDE)) if GUIDE in page.parents else page.name


def first(block: Block) -> str:
    """Return the first line without the comment at its end."""
    return re.sub(r"(?<=\S) +#.*", "", block.first)


def runnable(page: Path) -> list[Block]:
    """Return the blocks that a reader can run."""
    name = name_of(page)
    return [b for b in all_blocks(page.read_text()) if (name, first(b)) not in NOT_RUN]


class Printed(NamedTuple):
    """A block with what the page shows below it, how it is compared, and what it prints."""

    block: Block
    shown: str
    how: str
    text: str


def run_page(page: Path, folder: Path) -> list[Printed]:
    """Run a page: Python in one empty folder, commands in another one that has the examples.

    The folders are "python" and "sh".
    """
    found = runnable(page)
    printed: dict[int, str] = {}
    for language in ("python", "sh"):
        (folder / language).mkdir()
    python = [block for block in found if block.language == "python"]
    if python:
        texts = run_python(str(page), python, folder / "python")
        printed |= {block.line: text for block, text in zip(python, texts, strict=True)}
    for block in found:
        if block.language == "sh":
            printed[block.line] = run_commands(block.text, folder / "sh")
    source = page.read_text().splitlines(keepends=True)
    parts = []
    for block in found:
        below = SHOWN.match("".join(source[block.line + block.text.count("\n") :]))
        how, shown = (below["how"], below["text"]) if below else ("", "")
        text = clean(shortened(printed.get(block.line, ""), how))
        parts.append(Printed(block, shown, how, text))
    return parts


COLUMN = 84
"""The number of characters of code that fit into the column of a page."""


def clean(text: str) -> str:
    """Return a text that fits into the column, without blanks at ends of lines and empty ends."""
    inside = "\n".join(folded([line.rstrip() for line in text.splitlines()])).strip("\n")
    return f"{inside}\n" if inside else ""


def folded(lines: list[str]) -> list[str]:
    """Return lines that fit into the column: narrower tables, sentences that are filled again."""
    done: list[str] = []
    tables = groupby(lines, key=lambda line: "  " in line.strip())
    rest = [line for table, rows in tables for line in narrower(list(rows), table)]
    while rest:
        line = last = rest.pop(0)
        if len(line) <= COLUMN:
            done.append(line)
            continue
        while rest and continues(last, rest[0]):
            last = rest.pop(0)
            line = f"{line} {last.strip()}"
        done += textwrap.wrap(
            line,
            COLUMN,
            subsequent_indent=" " * indentation(line),
            break_on_hyphens=False,
        )
    return done


def narrower(rows: list[str], table: bool) -> list[str]:
    """Return the rows of a table that is wider than the column with less space between columns."""
    width = max(map(len, rows))
    if not table or width <= COLUMN:
        return rows
    padded = [row.ljust(width) for row in rows]
    blank = [all(row[i] == " " for row in padded) for i in range(width)]
    kept = [i for i in range(width) if not (all(blank[max(i - 2, 0) : i + 1]) and i >= 2)]
    return ["".join(row[i] for i in kept).rstrip() for row in padded]


FILLED = (100, 96)
"""Widths to which calls of the package fill sentences."""
ENDS = (".", ":", ")", "]")
"""Characters at the end of a line that is complete."""


def continues(line: str, following: str) -> bool:
    """Whether a sentence was broken here because its next word would not have fit."""
    table = "  " in line.strip() or "  " in following.strip()
    if table or line.endswith(ENDS) or not following.strip():
        return False
    longer = len(line) + 1 + len(following.split()[0])
    return any(len(line) <= width < longer for width in FILLED)


def indentation(line: str) -> int:
    """Return where a line continues: below its last cell, below a sentence, or further right."""
    cells = [match.end() for match in re.finditer(r"(?<=\S) {2,}(?=\S)", line)]
    start = len(line) - len(line.lstrip())
    if cells:
        return cells[-1] if cells[-1] < COLUMN // 2 else start + 2
    return start if line.endswith(".") else start + 2


def shortened(text: str, how: str) -> str:
    """Return the lines of an output that the comment asks for."""
    asked = re.search(r"(\d+) first(?: and (\d+) last)? lines", how)
    lines = text.strip("\n").splitlines(keepends=True)
    if asked is None:
        return text
    head, tail = int(asked[1]), int(asked[2] or 0)
    if len(lines) <= head + tail + 1:
        return text
    return "".join([*lines[:head], "...\n", *lines[len(lines) - tail :]])


# ---- how outputs are compared

WILDCARDS = {
    "date": r"\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?)?",
    "path": r"(?<![\w.])/[\w.+-]+(?:/[\w.+-]+)*",
    "version": r"\b\d+\.\d+\.\d+(?:[.+-]?\w+)*",
    "machine": r"\bx86-64(?:-v\d)?\b|\baarch64\b|\b\d+ threads?\b",
    "rate": r"\b\d[\d.]* a second\b",
    "size": r"\b\d[\d.]*(?:e[+-]?\d+)? ?[kMGT]i?B\b",
    "duration": r"\b\d[\d.]*(?:e[+-]?\d+)? ?(?:ms|us|µs|s|min|h|seconds|minutes)\b",
}
"""Parts of outputs that differ between machines or runs."""

NUMBER = re.compile(r"(?<![\w.])([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)(?![\w])")
ROUNDING = 1e-10
"""Numbers below this are rounding errors, which differ between machines."""
ERROR = 1e-6
"""Numbers below this are errors of approximations, which keep their order of magnitude."""


def pieces(text: str) -> list[str]:
    """Return words and numbers by turns, with names for what differs between machines."""
    for name, pattern in WILDCARDS.items():
        text = re.sub(pattern, f"<{name}>", text)
    return NUMBER.split(re.sub(r"\s+", " ", text).strip())


def unit(number: str) -> float:
    """Return a unit of the last digit that is shown."""
    digits, _, power = number.partition("e")
    return 10.0 ** (int(power or 0) - len(digits.partition(".")[2]))


def close(one: str, other: str, within: float) -> bool:
    """Whether two numbers are the same on different machines."""
    a, b = float(one), float(other)
    small, large = sorted((abs(a), abs(b)))
    if large < ROUNDING:
        return True
    if large < ERROR and a * b > 0:
        return large < 10 * small
    allowed = within * large
    counts = not (one + other).strip("+-0123456789")
    if not counts or large > 20:  # small counts are exact
        allowed = max(allowed, 1.001 * unit(one), 1.001 * unit(other))
    return abs(a - b) <= allowed


def difference(shown: str, printed: str, how: str = "") -> str:
    """Return the first difference of two outputs that machines do not explain, "" if none."""
    if "example" in how:
        one, other = (re.findall(r"^\S+", text, re.MULTILINE) for text in (shown, printed))
        return "" if one == other else f"lines begin with {other}, not {one}"
    percent = re.search(r"within (\d+) %", how)
    within = int(percent[1]) / 100 if percent else 1e-3
    for index, (one, other) in enumerate(zip_longest(pieces(shown), pieces(printed))):
        numbers = index % 2 == 1 and one is not None and other is not None
        if not (close(one, other, within) if numbers else words(one) == words(other)):
            return f"{other!r} is printed, {one!r} is shown"
    return ""


def words(text: str | None) -> str | None:
    """Return a text without what only aligns it: widths of columns, and rules below headings."""
    if text is None:
        return None
    return re.sub(r"\s*([\[\]])\s*", r"\1", re.sub(r"-{2,}", " ", text)).strip()


# ---- pictures


def pictures(page: Path) -> Iterator[tuple[str, Path]]:
    """Files that the blocks of a page write, with the images of them that the page shows."""
    for name, target in PICTURE.findall(page.read_text()):
        yield name, page.parent / target


def written(folder: Path, name: str) -> Path:
    """Return the picture that a block wrote, in the folder of Python or of commands."""
    found = [path for path in (folder / "python" / name, folder / "sh" / name) if path.exists()]
    assert found, f"no block writes {name}"
    return found[0]


def alike(one: Path, other: Path) -> bool:
    """Whether two pictures have the same size and nearly the same pixels."""
    with Image.open(one) as a, Image.open(other) as b:
        if a.size != b.size:
            return False
        left, right = (np.asarray(image.convert("RGB"), float) for image in (a, b))
    return bool(abs(left - right).mean() < 3)


def save_small(source: Path, target: Path) -> None:
    """Save a picture with few colours."""
    target.parent.mkdir(exist_ok=True)
    with Image.open(source) as image:
        image.convert("RGB").quantize(48, dither=Image.Dither.NONE).save(target, optimize=True)


# ---- notebooks


def differences(shown: Any, executed: Any) -> list[str]:
    """Return how the outputs of two notebooks of the same cells differ, a sentence for each."""
    found = []
    for one, other in zip(shown.cells, executed.cells, strict=True):
        text = difference(printed(one), printed(other))
        pictures = len(drawn(one)), len(drawn(other))
        found += [text] if text else []
        found += [] if pictures[0] == pictures[1] else ["{} pictures, not {}".format(*pictures)]
    return found


def update_notebook(path: Path, fresh: bool = False) -> None:
    """Run the text of a notebook, and write its outputs into it if they have changed."""
    notebook, new = nbformat.read(path, 4), jupytext.read(path.with_suffix(".py"))
    same = [cell.source for cell in notebook.cells] == [cell.source for cell in new.cells]
    with tempfile.TemporaryDirectory() as name:
        execute(new, Path(name))
    tidy(new, clean)
    if same and not fresh and not differences(notebook, new):
        return
    for cell, old in zip(new.cells, notebook.cells, strict=False):
        cell.id = old.id
    notebook.cells = new.cells
    nbformat.write(notebook, path)
    print(f"{path.name}: outputs rewritten")


# ---- rewriting


def rewritten(source: str, parts: list[Printed], fresh: bool = False) -> str:
    """Return a page with new outputs where the shown ones differ from what is printed."""
    lines = source.splitlines(keepends=True)
    for block, shown, how, text in reversed(parts):
        end = block.line + block.text.count("\n")  # the line after the fence that ends the block
        if shown and text and not fresh and not difference(shown, text, how):
            continue
        below = SHOWN.match("".join(lines[end:]))
        old = below[0].count("\n") if below else 0
        new = f"\n<!-- output{how} -->\n```text\n{text}```\n" if text else ""
        lines[end : end + old] = [new]
    return "".join(lines)


def update(page: Path, fresh: bool = False) -> None:
    """Run a page and rewrite its outputs and pictures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = page.read_text()
        parts = run_page(page, folder)
        assert page.read_text() == source, "the page has changed meanwhile"
        new = rewritten(source, parts, fresh)
        if new != source:
            page.write_text(new)
            print(f"{name_of(page)}: outputs rewritten")
        for file, picture in pictures(page):
            if not picture.exists() or not alike(written(folder, file), picture):
                save_small(written(folder, file), picture)
                print(f"{name_of(page)}: {picture.name}, {picture.stat().st_size} bytes")


def main(arguments: list[str]) -> None:
    """Update the named pages and notebooks, or all of the guide."""
    names = [argument for argument in arguments if argument != "--fresh"]
    everything = [page for page in guide() if runnable(page)] + sorted(NOTEBOOKS.glob("*.ipynb"))
    for path in [Path(name).resolve() for name in names] or everything:
        change = update_notebook if path.suffix == ".ipynb" else update
        change(path, fresh="--fresh" in arguments)


if __name__ == "__main__":
    main(sys.argv[1:])
