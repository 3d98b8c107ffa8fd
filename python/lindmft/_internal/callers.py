"""The caller of the package, whose line a warning names."""

import sys

__all__ = ["called_by_the_package", "level_of_the_user"]


def level_of_the_user() -> int:
    """Return the ``stacklevel`` of the first caller that is outside the package."""
    frame, level = sys._getframe(1), 1
    while frame.f_back and _inside(str(frame.f_globals.get("__name__", ""))):
        frame, level = frame.f_back, level + 1
    return level


def called_by_the_package(depth: int) -> bool:
    """Return whether a function of the package was called by the package itself.

    The function is ``depth`` frames above the one that calls this; commands count as users.
    """
    caller = str(sys._getframe(depth + 2).f_globals.get("__name__", ""))
    return _inside(caller) and not caller.startswith("lindmft.cli.")


def _inside(module: str) -> bool:
    return module.startswith("lindmft.")
