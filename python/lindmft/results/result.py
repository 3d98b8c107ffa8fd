"""Base class of results: fields that exist only where the call asked for them."""

from collections.abc import Iterator, Mapping
from dataclasses import Field, fields
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from lindmft._internal.validation import choice
from lindmft.results.observables import Observable, Table, value_of

__all__ = ["ON_REQUEST", "NotRequested", "Result", "asking", "why_missing", "with_requests"]

FIELDS = "__dataclass_fields__"


class _OnRequest:
    """The type of ``ON_REQUEST``."""

    def __repr__(self) -> str:
        return "<on request>"


ON_REQUEST: Any = _OnRequest()
"""Default of a field that exists only where the call asked for it. None is the same."""

Class = TypeVar("Class", bound=type)


class NotRequested(AttributeError, ValueError):  # noqa: N818 - like NotConverged
    """An observable that a result does not have, because the call did not ask for it.

    The message names the argument that asks for it. As an ``AttributeError`` it is what ``hasattr``
    and ``getattr`` with a default expect; as a ``ValueError`` it is caught like all other refusals.
    ``has(name)`` of a result says whether an observable is there.

    Notes
    -----
    Theory sections 1 to 4 define the observables.

    Examples
    --------
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(), lm.FullBatch(alpha=2.0), lm.SGD(lr=0.1))
    >>> theory = lm.solve(problem, steps=10)
    >>> try:
    ...     theory.C_v
    ... except lm.results.NotRequested as error:
    ...     print(error)
    C_v was not saved: solve(..., save=["C_v"]) keeps it
    >>> theory.has("C_v"), hasattr(theory, "C_v")
    (False, False)
    """


class Result:
    """Base class of dataclasses some of whose fields exist only on request.

    A field with the default ``ON_REQUEST`` that gets no value is removed from the instance, so that
    using it raises ``NotRequested``. Such a class needs the decorator ``with_requests`` above
    ``dataclass``.
    """

    observables: ClassVar[Table]
    """The table of the class."""
    _call: ClassVar[str]
    """The call that makes such results, for messages."""
    _asked: ClassVar[Mapping[str, str]] = {}
    """Arguments that ask for attributes which are no observables of the table."""

    def __post_init__(self) -> None:
        for name in _requested(type(self)):
            if self.__dict__[name] is None or self.__dict__[name] is ON_REQUEST:
                del self.__dict__[name]

    if not TYPE_CHECKING:  # type checkers would take any name for an attribute

        def __getattr__(self, name: str) -> Any:
            if name in self.observables or name in _requested(type(self)):
                raise NotRequested(self._why_missing(name))
            return object.__getattribute__(self, name)  # raises the usual AttributeError

    def has(self, name: str) -> bool:
        """Return whether the observable ``name`` is there.

        Parameters
        ----------
        name
            An observable of such results. An observable that the call did not ask for is not there,
            and ``NotRequested`` is raised where it is used.

        Raises
        ------
        ValueError
            If such results never have an observable of this name.
        """
        known = _known(type(self))
        choice(*known)(name, "name")
        return _holds(self, name)

    def _why_missing(self, name: str) -> str:
        one = self.observables.get(name)
        return why_missing(one, self._call) if one else asking(name, self._call, self._asked[name])


def why_missing(one: Observable, call: str) -> str:
    """Return the message about an observable that a result of this call does not have."""
    if one.added:
        return f"{one.name} is not in files that lindmft wrote before version {one.added}"
    return asking(one.name, call, one.asked)


def asking(name: str, call: str, asked: str) -> str:
    """Return the message about something that was not asked for: how to ask for it."""
    if asked.startswith("data."):
        return f"{name} is only there for problems with {asked}"
    if asked.startswith("save"):
        return f"{name} was not saved: {call}(..., {asked}) keeps it"
    return f"{name} was not computed: {call}(..., {asked}) does it"


def with_requests(cls: Class) -> Class:
    """Complete a dataclass that has fields with the default ``ON_REQUEST``.

    ``dataclasses.fields`` and ``dataclasses.replace`` see of an instance the fields that it has,
    and of the class all of them.
    """
    for name in _requested(cls):
        delattr(cls, name)  # the default, which would be found instead of the message
    setattr(cls, FIELDS, _PresentFields(getattr(cls, FIELDS)))
    return cls


class _PresentFields:
    """The fields of a dataclass by name: all of the class, or those that an instance has."""

    def __init__(self, of_class: dict[str, Field[Any]]) -> None:
        self.of_class = of_class

    def __get__(self, instance: Any, owner: type) -> dict[str, Field[Any]]:
        if instance is None:
            return self.of_class
        missing = set(_requested(owner)) - vars(instance).keys()
        return {name: one for name, one in self.of_class.items() if name not in missing}


def _requested(cls: Any) -> Iterator[str]:
    return (one.name for one in fields(cls) if one.default is ON_REQUEST)


def _known(cls: Any) -> Mapping[str, None]:
    """Names that ``has`` knows: observables of the class, and fields on request."""
    own = {one.name for one in fields(cls)}
    listed = [one.name for one in cls.observables.values() if one.part or one.name in own]
    return dict.fromkeys([*listed, *_requested(cls)])


def _holds(result: Result, name: str) -> bool:
    one = result.observables.get(name)
    return name in vars(result) if one is None else value_of(result, one) is not None
