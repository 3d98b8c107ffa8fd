"""The machine that runs the code: its limits, and the fraction that standard jobs reach."""

from importlib import import_module
from typing import Any


def __getattr__(name: str) -> Any:
    if name == "benchmark":  # imported when it is used
        return import_module("lindmft.machine.benchmark")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
