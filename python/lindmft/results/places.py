"""Where results may be written: names of files, and which files that are there are replaced.

One rule for ``save`` and for the command line: an earlier result of the same kind is replaced, once
the new one is complete. Anything else that is there is kept, unless told otherwise.
"""

import os
from pathlib import Path as FilePath
from typing import Any

from lindmft._internal.optional import optional
from lindmft._internal.validation import file_path, one_of, refuse

__all__ = ["PICTURES", "SUFFIXES", "check_picture", "check_suffix", "result_place"]

SUFFIXES = (".nc", ".nc4", ".h5", ".hdf5")
"""Endings of NetCDF4 files, which are HDF5."""
PICTURES = {".png": b"\x89PNG", ".pdf": b"%PDF", ".svg": b"<?xml"}
"""Endings of pictures, and how the files begin."""


def check_suffix(path: FilePath, field: str) -> None:
    """Refuse a name that says that the file is of another kind; a name may have no ending."""
    if path.suffix and path.suffix.lower() not in SUFFIXES:
        allowed = f"a file ending in {one_of(SUFFIXES)}, since it will hold NetCDF4"
        refuse(field, allowed, str(path))


def result_place(
    value: Any, field: str, form: str | None, *, force: bool, advice: str = "force=True"
) -> FilePath:
    """The path that a result of this form may be written to; ``ValueError`` if it may not.

    ``form`` None: any result of this package may be there. ``advice`` replaces everything else.
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
    """The same for a picture, which may replace a picture of its kind."""
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
    """Whether a file with something in it is there: pipes and devices are written to as they are.

    Names that the system does not allow are no files.
    """
    return os.path.isfile(path) and os.path.getsize(path) > 0  # noqa: PTH113, PTH202 - never raises


def _form_of(path: FilePath) -> str | None:
    """Which of our formats a file has, or None."""
    h5py = optional("h5py", "io")
    try:
        with h5py.File(path, "r") as opened:
            form = opened.attrs.get("format")
    except (OSError, ValueError, RuntimeError, KeyError):  # not HDF5, not readable, or damaged
        return None
    return form if isinstance(form, str) and form.startswith("lindmft-") else None
