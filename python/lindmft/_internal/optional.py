"""Packages that only some functions need, and that are imported when these are called."""

from importlib import import_module
from typing import Any


def optional(module: str, extra: str) -> Any:
    """Return the module, or raise an ``ImportError`` that names the extra which installs it."""
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        package = module.partition(".")[0]
        if error.name != package:
            raise
        message = f"needs {package}: pip install 'lindmft[{extra}]'"
        raise ImportError(message, name=package) from error
