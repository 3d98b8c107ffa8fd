"""Files: NetCDF4, versioned, without pickles, written so that a reader never meets half of one."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from lindmft._optional import optional
from lindmft._types import Path

if TYPE_CHECKING:
    import xarray as xr

SOLUTION = "lindmft-solution"
ENSEMBLE = "lindmft-ensemble"
REPLICAS = "lindmft-replicas"
VERSION = 3
"""Raised when a reader of the old version would misread a file; old versions stay readable.

2: residual networks, several outputs, replicas, kernels. 3: coarse grids of times, states."""


def require_netcdf() -> Any:
    """xarray, once everything that reading and writing needs is known to be there."""
    optional("h5py", "io")
    optional("h5netcdf", "io")
    return optional("xarray", "io")


def write(dataset: "xr.Dataset", path: Path) -> None:
    """Write a temporary file beside ``path``, and move it there once it is complete and on disk."""
    require_netcdf()
    target = FilePath(path)
    temporary = target.with_name(f".{target.name}.{uuid4().hex}.tmp")
    checked = {
        name: {"fletcher32": True}
        for name, array in dataset.variables.items()
        if array.ndim and array.dtype.kind not in "OUT"  # no checksums of strings in HDF5
    }
    try:
        dataset.to_netcdf(temporary, engine="h5netcdf", encoding=checked)
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def reading(path: Path, form: str) -> Iterator["xr.Dataset"]:
    """The dataset in a file of this format; whatever is wrong with it is a ``ValueError``."""
    dataset = _load(path)
    check_format(dataset.attrs, path, form)
    try:
        yield dataset
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"{path} must be a complete {form} file, got one without a valid {error}"
        ) from error


def format_of(path: Path) -> str:
    """Which of our formats a file has; another file is a ``ValueError``."""
    attrs = _load(path).attrs
    form = SOLUTION if attrs.get("format") == SOLUTION else ENSEMBLE
    check_format(attrs, path, form)
    return form


def check_format(attrs: dict[str, object], path: Path, form: str) -> None:
    """Refuse files of other programs, of another kind, and of newer versions."""
    found = attrs.get("format")
    if not isinstance(found, str) or found != form:  # arrays of bytes cannot even be compared
        other = f"a {found} file" if isinstance(found, str) else "a file of another program"
        raise ValueError(f"{path} must be a {form} file, got {other}")
    version = attrs.get("format_version")
    if version not in range(1, VERSION + 1):
        raise ValueError(
            f"{path} must have a format_version up to {VERSION}, got {version}: "
            "it needs a newer lindmft"
        )


def _load(path: Path) -> "xr.Dataset":
    xarray = require_netcdf()
    if not FilePath(path).is_file():
        raise FileNotFoundError(f"{path} must be a file, got nothing there")
    try:
        dataset: xr.Dataset = xarray.load_dataset(path, engine="h5netcdf", decode_times=False)
    except Exception as error:  # the libraries below raise many kinds for the same thing
        raise ValueError(
            f"{path} must be a complete NetCDF4 file, got one that cannot be read: {error}"
        ) from error
    return dataset
