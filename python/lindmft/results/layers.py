"""Two-time functions by layer number."""

from collections.abc import Iterable

from lindmft._internal.types import Array
from lindmft.results.observables import SOLUTION

__all__ = ["Layers"]


class Layers(dict[int, Array]):
    """Two-time functions by layer number. The error about a missing layer says how to keep it.

    Parameters
    ----------
    name
        "C_h", "C_g", "R_hr" or "R_gu".
    arrays
        (m, m) each, row t and column s; of C_h and R_hr from layer 0 on, else from layer 1.
    in_channels
        Whether there are several outputs, so that the functions are those of their channels.

    Raises
    ------
    KeyError
        For a layer that is not there.

    Notes
    -----
    Theory sections 3 to 5.

    Examples
    --------
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(depth=2), lm.FullBatch(alpha=2.0), lm.SGD(lr=0.1))
    >>> theory = lm.solve(problem, steps=10, save="C_h")
    >>> sorted(theory.C_h), theory.C_h[0].shape, len(theory.C_g)
    ([0, 1, 2], (10, 10), 0)
    """

    def __init__(
        self, name: str, arrays: Iterable[Array] = (), *, in_channels: bool = False
    ) -> None:
        # Forward functions start at the data gradient h^0, backward ones at the first layer.
        super().__init__(enumerate(arrays, 0 if SOLUTION[name].layer_0 else 1))
        self.name = name
        self.in_channels = in_channels

    def __repr__(self) -> str:
        if not self:
            return f"<{self.name} was not kept>"
        return f"<{self.name} of layers {min(self)} to {max(self)}, {self[max(self)].shape} each>"

    def __missing__(self, layer: int) -> Array:
        if self.in_channels:
            raise KeyError(f"{self.name} of several outputs is that of their channels[j]")
        kept = (
            f"has layers {min(self)} to {max(self)}"
            if self
            else f"was not kept: solve(..., save=[{self.name!r}])"
        )
        raise KeyError(f"{self.name} {kept}; asked for layer {layer!r}")
