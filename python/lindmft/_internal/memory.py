"""The check of free memory before Python allocates; the compiled module has its own check."""

from lindmft import _core

SHARE = 0.8
"""Fraction of the free memory that a call may use."""


def require_memory(needed: float, what: str, limit: float | None = None) -> None:
    """Raise a ``MemoryError`` that quotes the bytes if they are more than the limit.

    A limit of None is four fifths of the free memory.
    """
    allowed = SHARE * _core.free_memory() if limit is None else limit
    if needed > allowed:
        share = " (four fifths of the free memory)" if limit is None else " (memory_limit)"
        raise MemoryError(f"{what} needs {_quoted(needed)} but may take {_quoted(allowed)}{share}")


def _quoted(size: float) -> str:
    return f"{size / 2**30:.3g} GiB ({size:.0f} bytes)"
