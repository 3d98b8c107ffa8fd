"""Problems in TOML files, with errors that name the file and the line."""

import re
import tomllib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any, Self

from lindmft._internal.refusals import BadInput

HEADER = re.compile(r"\s*\[+([^\[\]]+)\]+\s*(?:#.*)?")
KEY = re.compile(r"\s*([\w.\-\"' ,]+?)\s*=")


@dataclass(frozen=True)
class TomlFile:
    """A TOML file that was read: its path, its text and its tables."""

    path: FilePath
    text: str
    tables: dict[str, Any]

    @classmethod
    def read(cls, path: FilePath) -> Self:
        """Read a file; if it is not TOML, a ``ValueError`` names the file and the line."""
        try:
            text = path.read_text(encoding="utf-8")
            return cls(path, text, tomllib.loads(text))
        except (
            ValueError,
            RecursionError,
        ) as error:  # or too long numbers, too deep lists
            raise ValueError(f"{path} must be a TOML file: {error}") from error

    @contextmanager
    def located(self, changed: Collection[str] = ()) -> Iterator[None]:
        """Put the file and the line before the message of every ``ValueError``.

        Values at the paths ``changed`` come from the option ``--set`` instead.
        """
        try:
            yield
        except ValueError as error:
            raise ValueError(f"{self._source(error, changed)}: {error}") from error

    def _source(self, error: ValueError, changed: Collection[str]) -> str:
        path = error.field if isinstance(error, BadInput) else ""
        for key in changed:
            if path == key or path.startswith((f"{key}.", f"{key}[")):
                return f"--set {key}"
        line = self.line(path)
        return f"{self.path}, line {line}" if line else str(self.path)

    def line(self, path: str) -> int | None:
        """Return the number of the line that sets a value, or the nearest table around it.

        The search goes line by line and ignores multi-line strings, which is enough for messages.
        """
        lines = self._lines()
        while path:
            if path in lines:
                return lines[path]
            path = path.rpartition(".")[0]
        return None

    def _lines(self) -> dict[str, int]:
        table, found = "", dict[str, int]()
        for number, line in enumerate(self.text.splitlines(), 1):
            if header := HEADER.fullmatch(line):
                table = _plain(header[1])
                found.setdefault(table, number)
            elif key := KEY.match(line):
                found.setdefault(f"{table}.{_plain(key[1])}".lstrip("."), number)
        return found


def _plain(name: str) -> str:
    """Return a TOML key without its quotes and without the spaces next to its dots."""
    return re.sub(r"[\"' ]", "", name)
