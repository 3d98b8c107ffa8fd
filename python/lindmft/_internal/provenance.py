"""Where a number came from: what a file must say to be understood later."""

import platform
from datetime import UTC, datetime

import numpy as np

from lindmft import _core


def provenance(threads: int) -> dict[str, str]:
    """Versions, compiler, libraries, threads and the time (UTC) of a computation that ends now."""
    config = _core.config()
    names = ("version", "compiler", "build_type", "blas", "openmp", "instruction_set")
    return {
        **{name: str(config[name]) for name in names},  # type: ignore[literal-required]
        "threads": str(threads),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "numpy": np.__version__,
        "python": platform.python_version(),
    }
