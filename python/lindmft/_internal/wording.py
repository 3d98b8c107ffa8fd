"""The words of messages that are printed during a computation: those of Python, or of a command."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_translation: ContextVar[Callable[[str], str]] = ContextVar("translation", default=str)


def in_words(message: str) -> str:
    """Return a message in the words of the caller; Python's unless a command runs."""
    return _translation.get()(message)


@contextmanager
def wording(translation: Callable[[str], str]) -> Iterator[None]:
    """Translate messages during the ``with`` block."""
    token = _translation.set(translation)
    try:
        yield
    finally:
        _translation.reset(token)
