"""Files that results may be written to: their names, and which existing files are replaced.

``save`` and the command line follow one rule. An earlier result of the same kind is replaced, once
the new one is complete. Every other existing file is kept, unless the caller asks to replace it.
"""

import os
from pathlib import Path as FilePath
from typing import Any

from lindmft._internal.optional import optional
from lindmft._internal.validation import file_path, one_of, refuse

__all__ = ["PICTURES", "SUFFIXES", "check_picture", "check_suffix", "result_place"]

SUFFIXES = (".nc", ".nc4", ".h5", ".hdf5")
"""Allowed endings of NetCDF4 files, which are HDF5 files."""
PICTURES = {".png": b"\x89PNG", ".pdf": b"%PDF", ".svg": b"<?xml"}
"""Endings of pictures, with the first bytes of such files."""


def check_suffix(path: FilePath, field: str) -> None:
    """Refuse a name whose ending is that of another kind of file; no ending is allowed."""
    if path.suffix and path.suffix.lower() not in SUFFIXES:
        allowed = f"a file ending in {one_of(SUFFIXES)}, since it will hold NetCDF4"
        refuse(field, allowed, str(path))


def result_place(
    value: Any, field: str, form: str | None, *, force: bool, advice: str = "force=True"
) -> FilePath:
    """Return the path that a result of the format ``form`` may be written to.

    A ``ValueError`` says why it may not. ``form`` None allows replacing any result of this package.
    ``advice`` names the argument that allows replacing any file, for the message.
    """
    path = file_path(value, field)
    check_suffix(path, field)
    if force or not _has_content(path):
        return path
    found = _form_of(path)
    if found is None or form not in {None, found}:
        raise ValueError(
            f"{path} exists; {advice} replaces it (it is {found or 'not a result of lindmft'}, and "
            f"without {advice} only an earlier {form or 'result'} is replaced)"
        )
    return path


def check_picture(path: FilePath, *, force: bool, advice: str) -> None:
    """Refuse a path that a picture may not be written to; it may replace a picture of its kind."""
    start = PICTURES.get(path.suffix.lower())
    if start is None:
        refuse("the picture", f"a file ending in {one_of(PICTURES)}", str(path))
    if force or not _has_content(path):
        return
    with path.open("rb") as file:
        if not file.read(len(start)) == start:
            raise ValueError(
                f"{path} exists; {advice} replaces it (it is not a {path.suffix[1:]} picture)"
            )


def _has_content(path: FilePath) -> bool:
    """Return whether there is a file that is not empty.

    Pipes and devices do not count: they are written to. Names that the system does not allow are
    no files.
    """
    return os.path.isfile(path) and os.path.getsize(path) > 0  # noqa: PTH113, PTH202 - never raises


def _form_of(path: FilePath) -> str | None:
    """Return the format of a file of this package; None for any other file."""
    h5py = optional("h5py", "io")
    try:
        with h5py.File(path, "r") as opened:
            form = opened.attrs.get("format")
    except (OSError, ValueError, RuntimeError, KeyError):  # not HDF5, not readable, or damaged
        return None
    return form if isinstance(form, str) and form.startswith("lindmft-") else None
