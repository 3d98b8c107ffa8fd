"""Solver state that is kept with a solution so that it can be resumed: arrays and a version."""

from collections.abc import Mapping

from lindmft._internal.types import Array

STATE_VERSION = 1
"""Version of the state. It is raised when the solver can no longer resume from older states."""
SMALL = 2**26
"""Largest size in bytes of a state that is kept by default: 64 MiB."""


class State(dict[str, Array]):
    """Arrays of the solver by name, (rows, columns) each; empty if they were not kept.

    Only a solver of the same ``version`` can resume from them.
    """

    def __init__(
        self, arrays: Mapping[str, Array] | None = None, version: int = STATE_VERSION
    ) -> None:
        super().__init__(arrays or {})
        self.version = version

    @property
    def nbytes(self) -> int:
        """Size of the arrays in bytes."""
        return sum(array.nbytes for array in self.values())

    def __repr__(self) -> str:
        return f"<State of {len(self)} arrays, {self.nbytes} bytes, version {self.version}>"
