"""Which network: architecture, sizes and scales at initialization."""

from dataclasses import dataclass
from typing import ClassVar

from lindmft import _core
from lindmft._gate import choice, flag, integer, number, number_or_numbers, settle
from lindmft._types import Number, Numbers


@dataclass(frozen=True)
class MLP:
    """A multilayer perceptron of linear layers, with independent Gaussian weights.

    With input dimension D and hidden widths N_l = width_l D::

        h^1 = W^0 x / sqrt(D)      h^{l+1} = W^l h^l / sqrt(N_l)      f(x) = sqrt(D) / (gamma0 N_L)
        w^L . h^L

    Parameters
    ----------
    depth
        L, the number of hidden layers; there are L + 1 weight arrays.
    width
        nu = N / D, the hidden width in units of the input dimension; or a list of L of them, input
        side first. ``inf`` is allowed (for all layers at once) in the theory.
    gamma0
        Richness: how far features move while the function is learned; of order one at every width.
        0 is the lazy (kernel) limit and needs ``width=inf``.
    parameterization
        "mup": gamma0 as given (mean field, muP). "ntk": gamma0 / sqrt(width of the last hidden
        layer), the neural- tangent parameterization, which grows lazier with width.
    init_scale
        Standard deviation of every initial weight in the formulas above.
    centered
        Subtract the predictor at initialization from the predictor, so that training starts from f
        = 0.

    Raises
    ------
    ValueError
        If a field has the wrong type or is out of range; the message names it.

    Notes
    -----
    Theory sections 1 and 8; Bordelon and Pehlevan (2025), appendix A.3 for centering.

    Examples
    --------
    >>> import lindmft as lm
    >>> lm.MLP(depth=3, width=[0.5, 2, 1]).width
    (0.5, 2.0, 1.0)
    """

    kind: ClassVar[str] = "mlp"

    depth: int = 1
    width: Number | Numbers = 1.0
    gamma0: float = 1.0
    parameterization: str = "mup"
    init_scale: float = 1.0
    centered: bool = False

    def __post_init__(self) -> None:
        settle(
            self,
            "network",
            depth=integer,
            width=number_or_numbers,
            gamma0=number,
            parameterization=choice("mup", "ntk"),
            init_scale=number,
            centered=flag,
        )
        _core.validate(self.as_core())

    def as_core(self) -> _core.Network:
        """The compiled module's value type."""
        return _core.Network(
            depth=self.depth,
            width=self.width if isinstance(self.width, tuple) else (self.width,),
            gamma0=self.gamma0,
            parameterization=_core.Parameterization[self.parameterization],
            init_scale=self.init_scale,
            centered=self.centered,
        )
