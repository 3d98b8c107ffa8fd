"""What this build is and what it runs on."""

import platform
from typing import TextIO

import numpy as np

from lindmft import _core
from lindmft._internal.validation import text_file_or_none


def show_config(*, file: TextIO | None = None) -> None:
    """Print version, compiler, BLAS, OpenMP, instruction set in use and default threads.

    The lines to put into a bug report.

    Parameters
    ----------
    file
        Where to print; None: standard output.

    Raises
    ------
    ValueError
        If ``file`` is no open text file.

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
        "threads": config["threads"],
        "NumPy": np.__version__,
        "Python": f"{platform.python_version()}, {platform.system()} {platform.machine()}",
    }
    for name, value in lines.items():
        print(f"{name:<16} {value}", file=place)
