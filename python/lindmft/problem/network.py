"""The network of a problem: architecture, sizes and scales at initialization."""

import math
from dataclasses import dataclass, field
from typing import Any, ClassVar, get_args

import numpy as np

from lindmft import _core
from lindmft._internal.refusals import BadInput, renamed
from lindmft._internal.types import Array, Number, Numbers
from lindmft._internal.validation import (
    choice,
    flag,
    integer,
    missing,
    number,
    number_or_numbers,
    refuse,
)
from lindmft.problem.parts import Part
from lindmft.problem.schema import reader
from lindmft.problem.sizes import check_names, count, count_or_counts, optional, refuse_both
from lindmft.problem.spectrum import Spectrum

USUAL_WIDTH = {"usual": 1.0}
"""Metadata of the field ``width``: its value if neither ``width`` nor ``hidden`` is given."""


def _whole_or_infinite(value: Any, field: str) -> int | float:
    """Return a whole number as an int, or infinity."""
    allowed = "a whole number or inf"
    depth = number(value, field, allowed)
    if depth == math.inf:
        return depth
    if not depth.is_integer():
        refuse(field, allowed, value)
    return integer(value, field)


LATER: Any = field(default=False, metadata={"later": True}, kw_only=True)
"""A flag that older versions do not know."""


class _Network(Part):
    """Base of the kinds of networks: scales at initialization, and widths by two names."""

    _table = "network"
    _converters: ClassVar = {
        "depth": integer,
        "width": optional(number_or_numbers),
        "hidden": optional(count_or_counts),
        "gamma0": number,
        "branch": number,
        "branch_scaling": choice("depth", "constant"),
        "parameterization": choice("mup", "ntk"),
        "init_scale": number_or_numbers,
        "centered": flag,
        "zero_readout": flag,
    }
    _passages: ClassVar = {
        "gamma0": """
            gamma0
                Richness: how far features move while the function is learned; of order one at every
                width. 0 is the lazy (kernel) limit and needs ``width=inf``.
            """,
        "init_scale, centered": """
            init_scale
                Standard deviation of the initial weights in the formulas above; or a list with one
                for each weight array (at infinite depth three: input, all branches, readout), input
                side first. 0 is allowed for an array if the others carry a gradient to it.
            centered
                Subtract the predictor at initialization from the predictor, so that training starts
                from f = 0.
            """,
        "zero_readout": """
            zero_readout
                Let the readout w^L start at zero instead of at random, so that f = 0 at first, and
                the other arrays begin to learn after it. A list ``init_scale`` that ends with 0 is
                the same.
            """,
    }

    depth: Number
    width: Any
    gamma0: float
    parameterization: str
    init_scale: Any
    centered: bool
    hidden: Any
    zero_readout: bool

    def as_core(self) -> _core.Network:
        """Return the compiled module's value type."""
        return _core.Network(
            kind=_core.Architecture[self.kind],
            depth=_core.INFINITE_DEPTH if self.depth == math.inf else int(self.depth),
            width=widths(self),
            gamma0=self.gamma0,
            parameterization=_core.Parameterization[self.parameterization],
            init_scale=as_tuple(self.init_scale),
            centered=self.centered,
            branch=getattr(self, "branch", 1.0),
            branch_scaling=_core.BranchScaling[getattr(self, "branch_scaling", "depth")],
            zero_readout=self.zero_readout,
        )

    def _check(self) -> None:
        refuse_both("network.width", self.width, "network.hidden", self.hidden)
        if self.width is None and self.hidden is None:
            object.__setattr__(self, "width", USUAL_WIDTH["usual"])
        try:
            _core.validate(self.as_core())
        except BadInput as error:
            if self.hidden is None or not error.field.startswith("network.width"):
                raise
            # The compiled module knows one name of the width, and not which one the user gave.
            field = error.field.replace("network.width", "network.hidden")
            raise renamed(error, field) from None


@dataclass(frozen=True)
class MLP(_Network):
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
        side first; 1 if neither ``width`` nor ``hidden`` is given. ``inf`` is allowed (for all
        layers at once) in the theory.
    {gamma0}
    parameterization
        "mup": gamma0 as given (mean field, muP). "ntk": gamma0 / sqrt(width of the last hidden
        layer), the neural-tangent parameterization, which grows lazier with width; with ``hidden``
        gamma0 / sqrt(N).
    {init_scale, centered}
    hidden
        N, the actual number of hidden units, or a list of L, in the place of ``width`` with a
        trace-class spectrum, where h^1 = W^0 x and f(x) = w^L . h^L / (gamma0 N_L); or with
        ``data.inputs``, which turns it into ``width``. ``inf`` as for ``width``.
    {zero_readout}

    {raises}

    Notes
    -----
    Theory sections 1 and 8; Bordelon and Pehlevan (2025), appendix A.3 for centering.

    Examples
    --------
    >>> import lindmft as lm
    >>> lm.MLP(depth=3, width=[0.5, 2, 1]).width
    (0.5, 2.0, 1.0)
    >>> lm.MLP(hidden=1024).hidden  # with lm.PowerLaw(...) and other trace-class spectra
    1024
    """

    kind: ClassVar[str] = "mlp"

    depth: int = 1
    width: Number | Numbers | None = field(default=None, metadata=USUAL_WIDTH)
    gamma0: float = 1.0
    parameterization: str = "mup"
    init_scale: Number | Numbers = 1.0
    centered: bool = False
    hidden: Number | Numbers | None = None
    zero_readout: bool = LATER


@dataclass(frozen=True)
class ResNet(_Network):
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
        nu = N / D, the hidden width in units of the input dimension; 1 if neither ``width`` nor
        ``hidden`` is given. ``inf`` is allowed in the theory.
    {gamma0}
    branch
        beta0, the strength of the branches.
    branch_scaling
        "depth": b = beta0 / sqrt(L), stable at every depth. "constant": b = beta0.
    parameterization
        "mup": gamma0 as given (mean field, muP). "ntk": gamma0 / sqrt(width), or with ``hidden``
        gamma0 / sqrt(N).
    {init_scale, centered}
    hidden
        N, the actual number of hidden units, in the place of ``width`` with a trace-class spectrum,
        where h^1 = W^0 x and f(x) = w^L . h^L / (gamma0 N); or with ``data.inputs``, which turns it
        into ``width``. ``inf`` as for ``width``.
    {zero_readout}

    {raises}

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
    _converters: ClassVar = {
        **_Network._converters,
        "depth": _whole_or_infinite,
        "width": optional(number),
        "hidden": optional(count),
    }

    depth: Number = 2
    width: Number | None = field(default=None, metadata=USUAL_WIDTH)
    gamma0: float = 1.0
    branch: float = 1.0
    branch_scaling: str = "depth"
    parameterization: str = "mup"
    init_scale: Number | Numbers = 1.0
    centered: bool = False
    hidden: Number | None = None
    zero_readout: bool = LATER


Network = MLP | ResNet
read_network = reader(*get_args(Network))


def widths(network: _Network) -> tuple[float, ...]:
    """Return one width for all hidden layers, or L: ratios nu_l = N_l / D, or counts N_l."""
    return as_tuple(network.hidden if network.width is None else network.width)


def initial_scales(network: _Network) -> Array:
    """Return the standard deviation of the initial weights of each array, of finite depth."""
    scales = np.array(np.broadcast_to(network.init_scale, int(network.depth) + 1), float)
    if network.zero_readout:
        scales[-1] = 0.0
    return scales


def as_tuple(value: Number | Numbers) -> tuple[float, ...]:
    """Return a field that is one number for all, or one for each."""
    return tuple(float(one) for one in np.atleast_1d(np.asarray(value, dtype=float)))


def check_widths(network: _Network, spectrum: Spectrum) -> None:
    """Check that the spectrum of the data wants the name by which the width is given."""
    if spectrum.trace_class and network.width == USUAL_WIDTH["usual"]:  # probably not given at all
        missing(
            "network.hidden",
            "with a trace-class spectrum the network needs the actual number of hidden units (or "
            "inf), because there is no input dimension D to which network.width could be a ratio",
        )
    check_names(spectrum, "network.width", network.width, "network.hidden", network.hidden)
