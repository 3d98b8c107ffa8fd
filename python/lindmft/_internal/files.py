"""Writing files as a whole or not at all, so that a reader never finds an incomplete file."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from lindmft._internal.signals import signals_deferred
from lindmft._internal.types import Path

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@contextmanager
def replacing(path: Path) -> Iterator[FilePath]:
    """Yield the path of a temporary file, which is moved to ``path`` once it is complete on disk.

    A full disk or another failure leaves the earlier file as it was, and is an ``OSError`` that
    names ``path``. Pipes and devices are written to directly. Signals are deferred until a file is
    complete; not so for a pipe, which may never be read.
    """
    target = FilePath(path)
    direct = target.exists() and not target.is_file()
    temporary = target if direct else temporary_beside(target)
    with nullcontext() if direct else signals_deferred(), naming(target):
        try:
            yield temporary
            if not direct:
                with temporary.open("rb") as file:
                    os.fsync(file.fileno())
                temporary.replace(target)
        finally:
            if not direct:
                temporary.unlink(missing_ok=True)


def temporary_beside(target: FilePath) -> FilePath:
    """Return a new hidden name in the same folder, of a length that every file system allows."""
    return target.with_name(f".{uuid4().hex}.tmp")


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Let an ``OSError`` name the path that the user gave, not a temporary file or a part of it."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), str(path)) from error


def write_text(text: str, path: Path) -> None:
    """Write a text file as a whole or not at all."""
    with replacing(path) as place:
        place.write_text(text, encoding="utf-8")


def write_picture(figure: "Figure", path: Path, **options: Any) -> None:
    """Write a picture as a whole or not at all; the ending of the name says of which format."""
    with replacing(path) as place:
        figure.savefig(place, format=FilePath(path).suffix[1:], **options)


def check_folder(path: Path) -> None:
    """Refuse, before any work, a file in a folder that does not exist or cannot be written to."""
    if too_long(path):
        raise ValueError(f"{path} must have a shorter name: the system allows none of this length")
    folder = FilePath(path).absolute().parent
    if not folder.is_dir():
        raise ValueError(f"{path} must be in a folder that exists")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ValueError(f"{path} must be in a folder that can be written to")


def too_long(path: Path) -> bool:
    """Whether the name is longer than the system allows, so that no such file can exist."""
    try:
        os.lstat(FilePath(path))  # FilePath refuses numbers, which lstat would accept
    except OSError as error:
        return error.errno == errno.ENAMETOOLONG
    except ValueError:  # for example a null byte
        return False
    return False
