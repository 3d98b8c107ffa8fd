"""The base class of the parts of a problem that come in several kinds: networks and data."""

from collections.abc import Mapping
from inspect import cleandoc
from typing import ClassVar

from lindmft._internal.display import short_repr
from lindmft._internal.validation import Converter, settle

REFUSES = """
Raises
------
ValueError
    If a field has the wrong type or is out of range; the message names it.
"""
"""The section on errors, which the docstrings of all kinds share."""


class Part:
    """A part of a problem: a frozen dataclass that converts and checks its fields when it is made.

    Each kind is a subclass, which declares all its fields itself, so that their order is its own
    and positional arguments can be relied on. Converters are found by the names of the fields.
    Fields that several kinds have are described once: a line "{name}" in the docstring of a kind
    becomes the entry of that name in ``_passages``.
    """

    kind: ClassVar[str]
    _table: ClassVar[str]
    _converters: ClassVar[Mapping[str, Converter]]
    _passages: ClassVar[Mapping[str, str]] = {}

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.__repr__ = short_repr  # type: ignore[method-assign]  # before ``dataclass`` adds one
        if cls.__doc__:  # there is none under ``python -OO``
            cls.__doc__ = filled(cleandoc(cls.__doc__), cls._passages)

    def __post_init__(self) -> None:
        own = {name: convert for name, convert in self._converters.items() if hasattr(self, name)}
        settle(self, self._table, **own)
        self._check()

    def _check(self) -> None:
        """Check the fields together, and have the compiled module check their ranges."""
        raise NotImplementedError


def filled(doc: str, passages: Mapping[str, str]) -> str:
    """Return a docstring with every line "{name}" replaced by the passage of that name."""
    for name, passage in {**passages, "raises": REFUSES}.items():
        doc = doc.replace(f"{{{name}}}", cleandoc(passage))
    return doc
