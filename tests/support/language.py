"""Rules for texts that a program can check: how docstrings begin, and words that are not used.

CONTRIBUTING.md has all rules, in "Language". `python tests/support/language.py FOLDER` lists the
passages that break one.
"""

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

FIRST_WORDS = (
    "Also And As Beyond But By Else For From How In Into Nor Of On Over So That These This Those"
    " To What Where Which Who With Without"
)
"""A docstring that begins with one of these neither is a sentence nor names what it describes."""

WORDS = {
    r"\b(go|goes|going|gone) on\b": "resume, continue",
    r"\b(somebody|nobody|anybody|whoever|whomever)\b": "name who it is",
    r"\bso many\b": "give the number or name the parameter",
    r"\bso much\b(?! (as|that|more|less|faster))": "give the number or name the quantity",
    r"must be left out|\"left out \w+": "cannot be combined, is not allowed",
    r"must be (given|there), got nothing": "is missing",
    r"\bstretch(es)?\b": "segment",
    r"\bgates?\b": "validation",
    r"\b(hold|holds|held|holding) (it |them )?against\b": "compare with",
    r"\bsome (ten|twenty|thirty|forty|fifty|hundred|\d+)\b": "about",
    r"\b(its|their) own\b(?=[.,;:)])": "separate",
    r"\bof (its|their|his|your) own\b": "separate",
    r"\b[Rr]ides?\b|\b[Rr]iders?\b": "networks that share weights",
    r"\bsoundness\b|\bseals?\b|\bsealed\b": "integrity, checksum",
    r"\b(is|are) lent\b|\bLent\b": "external",
    r"\bright to (a|about|the|rounding|\d|order|[Oo]\()": "accurate to",
    r"\bcomes? out (as|at|with|below|above)\b": "is",
    r"\bask(s|ed)? for before\b": "estimate before allocating",
    r"\bslip(s)? (does|do|that|costs?)\b": "mistake",
    r"\bunawares?\b": "say what is not known",
}
"""Patterns that texts do not contain, and what to write instead."""

CHECKED = {".py", ".pyi", ".hpp", ".cpp", ".h", ".c", ".md"}


class Fault(NamedTuple):
    """A passage that breaks a rule."""

    file: str
    line: int
    passage: str
    instead: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.passage!r}: {self.instead}"


def python_texts(source: str) -> Iterator[tuple[int, str]]:
    """Line and text of every comment and every string."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type in {tokenize.COMMENT, tokenize.STRING}:
            yield token.start[0], token.string


def docstrings(source: str) -> Iterator[tuple[int, str]]:
    """Line and text of every docstring, those of constants included."""
    for node in ast.walk(ast.parse(source)):
        body = getattr(node, "body", None)
        for statement in body if isinstance(body, list) else []:
            value = getattr(statement, "value", None)
            if isinstance(statement, ast.Expr) and isinstance(getattr(value, "value", None), str):
                yield statement.lineno, value.value  # type: ignore[union-attr]


def c_texts(source: str) -> Iterator[tuple[int, str]]:
    """Line and text of every comment and of every line with a string."""
    for number, line in enumerate(source.splitlines(), 1):
        if "//" in line or '"' in line or line.lstrip().startswith(("*", "/*")):
            yield number, line


def faults(file: Path, name: str) -> list[Fault]:
    """All faults of a file, which messages call by ``name``."""
    source = file.read_text()
    if file.suffix in {".py", ".pyi"}:
        texts = list(python_texts(source))
        found = [
            Fault(name, line, text.lstrip().split("\n")[0], "begin with a sentence or a noun")
            for line, text in docstrings(source)
            if re.match(rf"({'|'.join(FIRST_WORDS.split())})\b", text.lstrip())
        ]
    elif file.suffix in {".hpp", ".cpp", ".h", ".c"}:
        texts, found = list(c_texts(source)), []
    else:
        texts, found = list(enumerate(source.splitlines(), 1)), []
    for line, text in texts:
        for pattern, instead in WORDS.items():
            for match in re.finditer(pattern.replace(" ", r"\s+"), text):
                at = line + text.count("\n", 0, match.start())
                found.append(Fault(name, at, " ".join(match[0].split()), instead))
    return sorted(set(found))


def checked_files(folder: Path) -> Iterator[Path]:
    """The files below a folder, or the file itself, that have texts to check."""
    files = [folder] if folder.is_file() else sorted(folder.rglob("*"))
    for file in files:
        hidden = any(part.startswith(".") and part != ".ci" for part in file.parts)
        hidden = hidden or "node_modules" in file.parts
        if file.suffix in CHECKED and not hidden and file.name != Path(__file__).name:
            yield file


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        for file in checked_files(Path(argument)):
            for fault in faults(file, str(file)):
                print(fault)
