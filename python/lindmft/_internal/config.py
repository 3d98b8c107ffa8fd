"""A description of this build and of the machine that it runs on."""

import os
import platform
from typing import TextIO

import numpy as np

from lindmft import _core
from lindmft._internal.types import ConfigDict
from lindmft._internal.validation import text_file_or_none

VARIABLE = "LINDMFT_NUM_THREADS"
"""Environment variable with the default number of threads; the compiled module reads it."""


def show_config(*, file: TextIO | None = None) -> None:
    """Print version, compiler, BLAS, OpenMP, instruction set in use and default threads.

    Include these lines in a bug report.

    Parameters
    ----------
    file
        Where to print; None: standard output.

    Raises
    ------
    ValueError
        If ``file`` is no open text file, or the environment variable ``LINDMFT_NUM_THREADS`` is no
        number of threads.

    Examples
    --------
    >>> import lindmft as lm
    >>> lm.show_config()  # doctest: +ELLIPSIS
    lindmft          ...
    """
    place, config = text_file_or_none(file, "file"), _core.config()
    lines = {
        "lindmft": config["version"],
        "compiler": f"{config['compiler']}, {config['build_type']}",
        "BLAS": config["blas"],
        "OpenMP": config["openmp"],
        "instruction set": config["instruction_set"],
        "threads": _threads(config),
        "NumPy": np.__version__,
        "Python": f"{platform.python_version()}, {platform.system()} {platform.machine()}",
    }
    for name, value in lines.items():
        print(f"{name:<16} {value}", file=place)


def _threads(config: ConfigDict) -> str:
    """Return the default number of threads, and where it comes from."""
    if os.environ.get(VARIABLE):
        return f"{config['threads']} ({VARIABLE}; {config['cores']} cores are allowed)"
    return f"{config['threads']} (allowed cores)"
