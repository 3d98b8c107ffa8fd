"""Provenance of results: the versions and settings that a file needs to be understood later."""

import platform
from datetime import UTC, datetime

import numpy as np

from lindmft import _core


def provenance(threads: int) -> dict[str, str]:
    """Return versions, compiler, libraries and threads of a computation, and the time (UTC) now."""
    config = _core.config()
    names = ("version", "compiler", "build_type", "blas", "openmp", "instruction_set")
    return {
        **{name: str(config[name]) for name in names},  # type: ignore[literal-required]
        "threads": str(threads),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "numpy": np.__version__,
        "python": platform.python_version(),
    }
