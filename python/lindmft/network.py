"""Which network: architecture, sizes and scales at initialization."""

import math
from dataclasses import dataclass
from typing import Any, ClassVar

from lindmft import _core
from lindmft._gate import choice, flag, integer, number, number_or_numbers, refuse, settle
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
            kind=_core.Architecture.mlp,
            depth=self.depth,
            width=self.width if isinstance(self.width, tuple) else (self.width,),
            gamma0=self.gamma0,
            parameterization=_core.Parameterization[self.parameterization],
            init_scale=self.init_scale,
            centered=self.centered,
        )


@dataclass(frozen=True)
class ResNet:
    """A residual network of linear layers: every hidden layer adds a branch to what came before.

    With input dimension D and hidden width N = width D::

        h^1 = W^0 x / sqrt(D)      h^{l+1} = h^l + b W^l h^l / sqrt(N)
        f(x) = sqrt(D) / (gamma0 N) w^L . h^L

    Parameters
    ----------
    depth
        L, the number of hidden layers (L - 1 of them have a branch); ``inf`` for the limit of
        infinitely many, which exists with ``branch_scaling="depth"``. In that limit ``layer_lr``
        has three entries: the input weights, all branches, the readout.
    width
        nu = N / D, the hidden width in units of the input dimension; ``inf`` is allowed in the
        theory.
    gamma0
        Richness: how far features move while the function is learned; of order one at every width.
        0 is the lazy (kernel) limit and needs ``width=inf``.
    branch
        beta0, the strength of the branches.
    branch_scaling
        "depth": b = beta0 / sqrt(L), stable at every depth. "constant": b = beta0.
    parameterization
        "mup": gamma0 as given (mean field, muP). "ntk": gamma0 / sqrt(width).
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
    Theory sections 4 and 5; Bordelon and Pehlevan (2025), section 5 and appendix E.

    Examples
    --------
    >>> import lindmft as lm
    >>> lm.ResNet(depth=float("inf"), branch=1.5).branch_scaling
    'depth'
    """

    kind: ClassVar[str] = "resnet"

    depth: Number = 2
    width: Number = 1.0
    gamma0: float = 1.0
    branch: float = 1.0
    branch_scaling: str = "depth"
    parameterization: str = "mup"
    init_scale: float = 1.0
    centered: bool = False

    def __post_init__(self) -> None:
        settle(
            self,
            "network",
            depth=_whole_or_infinite,
            width=number,
            gamma0=number,
            branch=number,
            branch_scaling=choice("depth", "constant"),
            parameterization=choice("mup", "ntk"),
            init_scale=number,
            centered=flag,
        )
        _core.validate(self.as_core())

    def as_core(self) -> _core.Network:
        """The compiled module's value type."""
        return _core.Network(
            kind=_core.Architecture.resnet,
            depth=_core.INFINITE_DEPTH if self.depth == math.inf else int(self.depth),
            width=(float(self.width),),
            gamma0=self.gamma0,
            parameterization=_core.Parameterization[self.parameterization],
            init_scale=self.init_scale,
            centered=self.centered,
            branch=self.branch,
            branch_scaling=_core.BranchScaling[self.branch_scaling],
        )


Network = MLP | ResNet


def _whole_or_infinite(value: Any, field: str) -> int | float:
    """A whole number as an int, or infinity."""
    allowed = "a whole number or inf"
    depth = number(value, field, allowed)
    if depth == math.inf:
        return depth
    if not depth.is_integer():
        refuse(field, allowed, value)
    return integer(value, field)
