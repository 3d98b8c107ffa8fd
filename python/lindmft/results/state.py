"""What a solution keeps to be gone on from: the solver's arrays, and the version of their form."""

from collections.abc import Mapping

from lindmft._internal.types import Array

STATE_VERSION = 1
"""Raised when the solver can no longer go on from the arrays of the version before."""
SMALL = 2**26
"""Bytes up to which a state is kept without being asked for: 64 MiB."""


class State(dict[str, Array]):
    """The solver's arrays by name, (rows, columns) each; empty if they were not kept.

    ``version`` is the form they are in: only a solver of the same version can go on from them.
    """

    def __init__(
        self, arrays: Mapping[str, Array] | None = None, version: int = STATE_VERSION
    ) -> None:
        super().__init__(arrays or {})
        self.version = version

    @property
    def nbytes(self) -> int:
        """The memory they take."""
        return sum(array.nbytes for array in self.values())

    def __repr__(self) -> str:
        return f"<State of {len(self)} arrays, {self.nbytes} bytes, version {self.version}>"
