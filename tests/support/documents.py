"""Documents as tests see them: blocks of code, what they print, and links."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs"
PATIENCE = 600
"""Seconds after which a page counts as hung; the longest takes about twenty on two free cores."""

FENCE = re.compile(r"^(`{3,})(.*)\n((?:.*\n)*?)\1$", flags=re.MULTILINE)
OUTPUT = re.compile(r"<!-- output[^>\n]*-->\n\Z")
"""The comment on the line before a block that shows what the block above it prints."""
DIRECTIVE = re.compile(r"^```\{(?:image|figure|include)\} *(\S+)", flags=re.MULTILINE)


def guide() -> list[Path]:
    """Return the pages of the guide in the order of their names, without files of a build."""
    built = {GUIDE / "_build", GUIDE / "_gallery", GUIDE / "gallery", GUIDE / "notebooks"}
    built.add(GUIDE / "explorer" / "node_modules")
    return sorted(page for page in GUIDE.rglob("*.md") if built.isdisjoint(page.parents))


class Block(NamedTuple):
    """A fenced block of a page."""

    language: str
    text: str
    line: int

    @property
    def first(self) -> str:
        return self.text.partition("\n")[0]


def all_blocks(page: str) -> list[Block]:
    """Return every fenced block except outputs, and directives, whose languages are in braces."""
    found = [m for m in FENCE.finditer(page) if not OUTPUT.search(page, 0, m.start())]
    every = [Block(m[2], m[3], page[: m.start(3)].count("\n") + 1) for m in found]
    return [block for block in every if not block.language.startswith("{")]


def blocks(page: str, language: str) -> list[str]:
    return [block.text for block in all_blocks(page) if block.language == language]


def links(page: str) -> list[str]:
    """Return the targets of links, images and included files, outside code and formulas."""
    words = FENCE.sub("", page)
    words = re.sub(r"`+[^`\n]+`+", "", words)
    words = re.sub(r"\$\$.*?\$\$|\$[^$]+\$", "", words, flags=re.DOTALL)
    return DIRECTIVE.findall(page) + re.findall(r"\]\(\s*([^)\s]+)[^)]*\)", words)


SEPARATOR = "\x1e"
"""Character that the runs below print between two blocks, or two commands."""


def run_python(page: str, blocks: Sequence[Block], folder: Path) -> list[str]:
    """Return what each block prints when one new process runs them in order, as a reader would.

    Warnings are errors; line numbers of errors are those of the page.
    """
    padded = ["\n" * (block.line - 1) + block.text for block in blocks]
    parts = [f"exec(compile({text!r}, {page!r}, 'exec'))" for text in padded]
    program = f"\nprint(end={SEPARATOR!r}, flush=True)\n".join(parts)
    return _run([sys.executable, "-W", "error", "-c", program], folder).split(SEPARATOR)


def commands_of(script: str) -> list[str]:
    """Return the commands of a block one by one, each with all its lines."""
    found, begun = [], ""
    for line in script.splitlines(keepends=True):
        begun += line
        check = subprocess.run(
            ["sh", "-n"], input=begun, capture_output=True, text=True, check=False
        )
        if check.returncode == 0 and not begun.endswith("\\\n"):
            found.append(begun)
            begun = ""
    return [*found, begun] if begun else found


def run_commands(script: str, folder: Path) -> str:
    """Return what a block of commands prints, unchanged, in a folder that has the examples.

    If several commands stand in the block, each output begins with its command after "$ ".
    """
    if not (folder / "examples").exists():
        shutil.copytree(ROOT / "examples", folder / "examples")
    command = folder / "bin" / "lindmft"
    command.parent.mkdir(exist_ok=True)
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m lindmft "$@"\n')
    command.chmod(0o755)
    commands = commands_of(script)
    together = "printf '\\036'\n".join(commands)
    path = f"{command.parent}:{os.environ['PATH']}"
    printed = _run(["sh", "-euc", together], folder, PATH=path).split(SEPARATOR)
    if len(commands) == 1:
        return printed[0]
    pairs = zip(commands, printed, strict=True)
    return "\n".join(f"$ {command}{text}" for command, text in pairs if text)


def _run(command: Sequence[str], folder: Path, **environment: str) -> str:
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "MPLBACKEND": "agg", **environment},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout
