"""Files that are written as a whole or not at all, so that a reader never meets half of one."""

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
    """The place to write to: a temporary file, moved to ``path`` once it is complete and on disk.

    A full disk, or whatever else goes wrong, leaves the file that was there, and is an ``OSError``
    that names it. What is no file, like a pipe, is written to as it is. Signals wait until a file
    is complete; a pipe may never be read, so there they do not wait.
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
    """A new hidden name in the same folder, short enough wherever that of ``target`` is."""
    return target.with_name(f".{uuid4().hex}.tmp")


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """An ``OSError`` names what the user knows of, and not a part of it or a temporary file."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), str(path)) from error


def write_text(text: str, path: Path) -> None:
    """Write a text file that is there as a whole or not at all."""
    with replacing(path) as place:
        place.write_text(text, encoding="utf-8")


def write_picture(figure: "Figure", path: Path, **options: Any) -> None:
    """The same for a picture, of the kind that the name ends in."""
    with replacing(path) as place:
        figure.savefig(place, format=FilePath(path).suffix[1:], **options)


def check_folder(path: Path) -> None:
    """Refuse, before any work, a file in a folder that is not there or cannot be written to."""
    if too_long(path):
        raise ValueError(f"{path} must have a shorter name: the system allows none that long")
    folder = FilePath(path).absolute().parent
    if not folder.is_dir():
        raise ValueError(f"{path} must be in a folder that exists")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ValueError(f"{path} must be in a folder that can be written to")


def too_long(path: Path) -> bool:
    """Whether the system has no names as long as this, so that nothing can be there."""
    try:
        os.lstat(FilePath(path))  # refuses objects that are no paths; lstat would take numbers
    except OSError as error:
        return error.errno == errno.ENAMETOOLONG
    except ValueError:  # a null byte, say
        return False
    return False
