"""NetCDF4 files of results: versioned, without pickles, with a checksum of their whole content."""

import errno
import io
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from lindmft._internal.files import replacing, too_long
from lindmft._internal.optional import optional
from lindmft._internal.signals import signals_deferred
from lindmft._internal.types import Path
from lindmft._internal.validation import file_path
from lindmft.results.content import CHECKSUM, checksum
from lindmft.results.places import check_suffix

if TYPE_CHECKING:
    import xarray as xr

SOLUTION = "lindmft-solution"
ENSEMBLE = "lindmft-ensemble"
REPLICAS = "lindmft-replicas"
TRANSFER = "lindmft-transfer"
TRAINING = "lindmft-training"
"""Format of the checkpoint of a training that is not finished."""
UNFINISHED = (
    "the checkpoint of a training that is not finished: repeat the call of train that wrote it"
)
IN_MEMORY = 2**28
"""Largest size in bytes of a dataset whose file is made in memory and then copied to the disk as a
whole: 256 MiB."""
VERSION = 3
"""The version of the format. It is raised when readers of the old version would misread a file;
files of old versions stay readable.

2: residual networks, several outputs, replicas, kernels. 3: coarse grids of times, states."""


def require_netcdf() -> Any:
    """Return xarray, after checking that all packages for reading and writing are installed."""
    optional("h5py", "io")
    file = optional("h5netcdf", "io").File
    if not hasattr(file, "_writable"):
        # Its finalizer reads this attribute even if the constructor failed before setting it.
        file._writable = False
    return optional("xarray", "io")


def write(dataset: "xr.Dataset", path: Path) -> None:
    """Write a NetCDF file; an interrupted write leaves no file, or the file that was there before.

    HDF5 detects damaged numbers, and the checksum of the content detects all other damage.
    """
    require_netcdf()
    path = file_path(path, "path")
    check_suffix(path, "path")
    dataset = dataset.assign_attrs({CHECKSUM: checksum(dataset)})
    checked = {
        name: {"fletcher32": True}
        for name, array in dataset.variables.items()
        if array.ndim and array.dtype.kind not in "OUT"  # no checksums of strings in HDF5
    }
    with replacing(path) as new_file:
        if dataset.nbytes > IN_MEMORY:
            if shutil.disk_usage(new_file.absolute().parent).free < dataset.nbytes:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            dataset.to_netcdf(new_file, engine="h5netcdf", encoding=checked)
            return
        new_file.write_bytes(_in_memory(dataset, checked))


@signals_deferred()
def _in_memory(dataset: "xr.Dataset", encoding: dict[Any, Any]) -> memoryview:
    """Return the bytes of the file: HDF5 cannot close a file that did not fit on the disk."""
    buffer = io.BytesIO()
    with optional("h5netcdf", "io").File(buffer, "w") as file:
        store = require_netcdf().backends.H5NetCDFStore(file)
        dataset.dump_to_store(store, encoding=encoding)
    return buffer.getbuffer()


@contextmanager
def reading(path: Path, form: str, *others: str) -> Iterator["xr.Dataset"]:
    """Open the dataset in a file of these formats. Any fault of the file is a ``ValueError``."""
    dataset = load(path)
    if (found := form_in(dataset.attrs)) in others:
        form = str(found)
    check_format(dataset.attrs, path, form)
    if dataset.attrs.pop(CHECKSUM, None) not in {None, checksum(dataset)}:  # of old files: none
        raise ValueError(f"{path} must be as it was written, got a file with another checksum")
    try:
        yield dataset
    except ValueError as error:
        raise ValueError(f"{path} must be a complete {form} file: {error}") from error


def attributes(path: Path) -> dict[str, Any]:
    """Return the attributes of a NetCDF4 file of any program; other files are a ``ValueError``."""
    return dict(load(path).attrs)


def format_of(path: Path) -> str:
    """Return the format of a file of this package; other files are a ``ValueError``."""
    attrs = load(path).attrs
    form = SOLUTION if form_in(attrs) == SOLUTION else ENSEMBLE
    check_format(attrs, path, form)
    return form


def form_in(attrs: dict[Any, Any]) -> str | None:
    """Return the name of the format among attributes; None if there is no such text."""
    found = attrs.get("format")
    return found if isinstance(found, str) else None


def check_format(attrs: dict[str, object], path: Path, form: str) -> None:
    """Refuse files of other programs, of other formats, and of newer versions of the format."""
    found = form_in(attrs)
    if found != form:
        other = f"a {found} file" if found else "a file of another program"
        if found == TRAINING:
            other = UNFINISHED
        raise ValueError(f"{path} must be a {form} file, got {other}")
    version = attrs.get("format_version")
    if not isinstance(version, int | np.integer) or not 1 <= version <= VERSION:
        raise ValueError(
            f"{path} must have a format_version up to {VERSION}, got {version}: "
            "it needs a newer lindmft"
        )


@signals_deferred(reading=True)
def load(path: Path) -> "xr.Dataset":
    """Return the dataset in a NetCDF4 file of any program; other files are a ``ValueError``."""
    xarray, h5py = require_netcdf(), optional("h5py", "io")
    file = file_path(path, "path")
    if too_long(file) or not file.is_file():
        raise FileNotFoundError(f"{path} must be an existing file, but there is none")
    try:
        with h5py.File(path, "r") as opened:
            dict(opened.attrs)  # if this failed inside h5netcdf, the file would stay open
        dataset: xr.Dataset = xarray.load_dataset(path, engine="h5netcdf", decode_times=False)
    except Exception as error:  # the libraries raise many kinds of exceptions for the same fault
        raise ValueError(
            f"{path} must be a complete NetCDF4 file, got one that cannot be read: {error}"
        ) from error
    return dataset
