"""The error for bad input, whose parts are attributes: no code has to read its message."""

__all__ = ["BadInput"]


class BadInput(ValueError):  # noqa: N818, the name of the class in C++
    """An argument that a call cannot take; a ``ValueError``.

    Its text is "FIELD must be ALLOWED, got GOT", or for two arguments that exclude each other
    "FIELD cannot be combined with SECOND: why. What to do."

    Attributes
    ----------
    field
        The name of the argument, such as "steps" or "network.width[1]".
    allowed
        What it may be; empty where arguments exclude each other, or where one is missing.
    got
        The value that came, as a text; empty in the same cases.
    index
        The index of the problem in a list of problems, or None. "problems[3]: " is before the text.
    reason
        The text without the index.

    Notes
    -----
    The compiled module and the Python package raise the same class.

    Examples
    --------
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(), lm.FullBatch(alpha=2.0), lm.SGD(lr=0.1))
    >>> try:
    ...     lm.solve(problem, steps=0)
    ... except lm.BadInput as error:
    ...     print(error.field, "|", error.allowed, "|", error.got)
    steps | at least 1 | 0
    """

    __module__ = "lindmft"
    field: str
    allowed: str
    got: str
    index: int | None
    reason: str

    def __init__(
        self,
        reason: str,
        *,
        field: str = "",
        allowed: str = "",
        got: str = "",
        index: int | None = None,
    ) -> None:
        super().__init__(reason)
        self.reason, self.field, self.allowed, self.got = reason, field, allowed, got
        self.index = index

    def __str__(self) -> str:
        """Return the reason, after the index of the problem if there is one."""
        return self.reason if self.index is None else f"problems[{self.index}]: {self.reason}"


def at_index(error: ValueError, index: int) -> BadInput:
    """Return the same refusal of one problem of a list."""
    return _like(error, str(error), _field(error), index)


def renamed(error: BadInput, field: str) -> BadInput:
    """Return the same refusal, of the field under another name."""
    return _like(error, field + error.reason.removeprefix(error.field), field, error.index)


def within(error: ValueError, before: str = "", after: str = "") -> BadInput:
    """Return the same refusal with words around its reason in the place of the index."""
    reason = error.reason if isinstance(error, BadInput) else str(error)
    return _like(error, f"{before}{reason}{after}", _field(error), None)


def _field(error: ValueError) -> str:
    return error.field if isinstance(error, BadInput) else ""


def _like(error: ValueError, reason: str, field: str, index: int | None) -> BadInput:
    if not isinstance(error, BadInput):
        return BadInput(reason, field=field, index=index)
    return BadInput(reason, field=field, allowed=error.allowed, got=error.got, index=index)
