"""The spectrum of the input covariance, and the target's coefficients along its eigenvectors.

Ordinary spectra are distributions over the D input directions, and sizes are ratios to D. Trace-
class spectra list modes, and sizes are actual numbers: ``FullBatch(samples=)``, ``MLP(hidden=)``.
"""

import math
from dataclasses import dataclass, field
from typing import Any, ClassVar, get_args

import numpy as np

from lindmft import _core
from lindmft._internal.display import short_repr
from lindmft._internal.types import Array, Numbers
from lindmft._internal.validation import (
    conflict,
    flag,
    integer,
    missing,
    number,
    refuse,
    settle,
    tuple_of_numbers,
)
from lindmft.problem.binning import power_law_nodes
from lindmft.problem.mode_targets import ModeTargets, powers, read_mode_targets, split_targets
from lindmft.problem.schema import reader
from lindmft.problem.sizes import optional

SMALLEST_DECADE = 300.0
"""Numbers above 10 to minus this power are doubles of full precision."""


@dataclass(frozen=True)
class Isotropic:
    """Uncorrelated inputs of unit variance, and a target of unit power: one mode with eigenvalue 1.

    Notes
    -----
    Theory section 1: the inputs of most of the paper.

    Examples
    --------
    >>> import lindmft as lm
    >>> lm.Isotropic() == lm.FullBatch(alpha=2.0).spectrum
    True
    """

    kind: ClassVar[str] = "isotropic"
    trace_class: ClassVar[bool] = False
    outputs: ClassVar[int] = 1

    def as_core(self) -> _core.Spectrum:
        """Return the compiled module's value type."""
        return _core.Spectrum(eigenvalues=(1.0,), target_power=(1.0,), weights=(1.0,))


@dataclass(frozen=True)
class Discrete:
    """An input covariance with K eigenvalues, each shared by a fraction of the D directions.

    With ``trace_class`` it is a list of modes instead: sums over modes replace averages over
    directions, and sizes are actual numbers (``samples=``, ``batch=``, ``hidden=``).

    Parameters
    ----------
    eigenvalues
        lambda_k (K,), the variance of the inputs along the modes; positive.
    target_power
        (w*_k)^2 (K,), the squared target coefficient per direction; not negative. With ``targets``
        it follows from them and may be left out.
    weights
        p_k (K,), the fraction of directions in mode k; positive, with sum 1. With ``trace_class``
        the number of modes like mode k. None: equal weights, 1 / K each, or 1 each.
    trace_class
        Use sums instead of averages: y = sum_k w*_k x_k + sigma eps with <x_k^2> = lambda_k, in the
        place of y = w* . x / sqrt(D) of an ordinary spectrum. The first layer is h^1 = W^0 x.
    targets
        Several outputs that share modes: the target vectors w*_k (K, C) of C outputs, one row for
        each mode, or the mean inner products of a class of modes, one Gram matrix for each
        (K, C, C). None: one output.

    Raises
    ------
    ValueError
        If a list has the wrong type or length, or an entry is out of range; the message names it.

    Notes
    -----
    Theory section 6, with ``targets`` section 16. The target's variance is
    sum_k p_k lambda_k (w*_k)^2.

    With ``trace_class`` the theory is an approximation, which is accurate if samples and hidden
    units are many. The unit of lr is 1 / lambda: while a perceptron is lazy, the error of mode k
    decays like exp(-(L + 1) lr lambda_k t), and its contribution to the loss like the square of
    that.

    Examples
    --------
    >>> import lindmft as lm
    >>> half_strong = lm.Discrete(eigenvalues=[2.0, 0.5], target_power=[1, 1], weights=[0.5, 0.5])
    >>> lm.FullBatch(alpha=2.0, spectrum=half_strong).spectrum.eigenvalues
    (2.0, 0.5)
    >>> modes = lm.Discrete(eigenvalues=[1.0, 0.3, 0.1], target_power=[1, 1, 2], trace_class=True)
    >>> lm.FullBatch(samples=200, spectrum=modes).spectrum.weights
    (1.0, 1.0, 1.0)
    >>> two = lm.Discrete([1.0, 0.3], targets=[[1.0, 0.0], [0.6, 0.8]], trace_class=True)
    >>> two.outputs, two.target_power
    (2, (1.0, 1.0))
    """

    kind: ClassVar[str] = "discrete"

    eigenvalues: Numbers
    target_power: Numbers | None = None
    weights: Numbers | None = None
    trace_class: bool = field(default=False, metadata={"later": True})
    targets: ModeTargets | None = field(default=None, metadata={"later": True})

    __repr__ = short_repr

    @property
    def outputs(self) -> int:
        """C, the number of outputs."""
        return 1 if self.targets is None else len(self.targets[0])

    def __post_init__(self) -> None:
        settle(self, "data.spectrum", eigenvalues=tuple_of_numbers, trace_class=flag)
        settle(self, "data.spectrum", targets=optional(read_mode_targets))
        self._settle_power()
        if self.weights is None:
            size = max(1, len(self.eigenvalues))
            object.__setattr__(self, "weights", (1.0 if self.trace_class else 1 / size,) * size)
        settle(self, "data.spectrum", weights=tuple_of_numbers)
        self._check_lengths()
        population = _core.DataMode.population
        _core.validate(
            _core.Data(
                mode=population,
                alpha=math.inf,
                noise=0.0,
                spectrum=self.as_core(),
            )
        )

    def as_core(self) -> _core.Spectrum:
        """Return the compiled module's value type; classes of modes with one row for each target.

        A Gram matrix of rank r becomes r nodes with the same eigenvalue, which share the modes.
        """
        eigenvalues, weights = tuple(self.eigenvalues), tuple(self.weights or ())
        if self.targets is None:
            power = tuple(self.target_power or ())
            return _core.Spectrum(
                eigenvalues=eigenvalues,
                target_power=power,
                weights=weights,
                trace_class=self.trace_class,
            )
        of_mode, rows, share = split_targets(self.targets)
        return _core.Spectrum(
            eigenvalues=[eigenvalues[k] for k in of_mode],
            target_power=np.sum(rows**2, axis=1).tolist(),
            weights=[weights[k] * part for k, part in zip(of_mode, share, strict=True)],
            trace_class=self.trace_class,
            targets=rows.ravel().tolist(),
        )

    def _settle_power(self) -> None:
        """Convert the target's power, or compute it from the targets of several outputs."""
        if self.targets is None:
            if self.target_power is None:
                missing("data.spectrum.target_power", "give it, or the targets of several outputs")
            settle(self, "data.spectrum", target_power=tuple_of_numbers)
            return
        power = powers(self.targets)
        if self.target_power is not None:
            settle(self, "data.spectrum", target_power=tuple_of_numbers)
            if len(power) != len(self.target_power) or not np.allclose(power, self.target_power):
                conflict(
                    "data.spectrum.target_power",
                    "data.spectrum.targets",
                    "the power of each mode follows from its targets",
                    "Leave target_power out",
                )
        object.__setattr__(self, "target_power", tuple(power.tolist()))

    def _check_lengths(self) -> None:
        """Refuse lists whose lengths differ, before classes of modes are split."""
        if self.targets is None:
            return  # the compiled module checks the lists
        for name in ("targets", "weights"):
            values = getattr(self, name)
            if len(values) != len(self.eigenvalues):
                allowed = f"as long as eigenvalues ({len(self.eigenvalues)} entries)"
                refuse(f"data.spectrum.{name}", allowed, values)


@dataclass(frozen=True)
class PowerLaw:
    """A trace-class power law: lambda_k = k^-a, (w*_k)^2 lambda_k = k^(-a b - 1), k = 1 .. modes.

    Sizes are actual numbers: ``FullBatch(samples=)``, ``OnePass(batch=)``, ``MLP(hidden=)``.

    Parameters
    ----------
    capacity
        a > 1, the exponent with which the eigenvalues fall.
    source
        b > 0, the exponent of the target along them: with infinite data and width, the loss of lazy
        training falls like t^-b.
    modes
        The number of modes. The theory solves for far fewer nodes, whose number grows like
        log(modes).
    tolerance
        The error of these nodes, from 1e-12 to 0.1: the largest relative error of the sums over
        modes of lambda_k (w*_k)^2, lambda_k and lambda_k^2, each times exp(-lambda_k s), at every s
        from 0 to 1 / lambda of the last mode. Errors of losses are similar, but it is no bound on
        them.

    Raises
    ------
    ValueError
        If a field has the wrong type or is out of range; the message names it.

    Notes
    -----
    Theory section 6; Bordelon and Pehlevan (2025), where a is called alpha and b beta. The
    normalization is trace-class: sum_k lambda_k is finite for any number of modes, y = sum_k
    w*_k x_k + sigma eps, and the first layer is h^1 = W^0 x. The theory is an approximation, which
    is accurate if samples and hidden units are many.

    Within geometric panels of k the sum over modes is replaced by its Gauss rule; each of the first
    modes is a node.

    Examples
    --------
    >>> import lindmft as lm
    >>> spectrum = lm.PowerLaw(capacity=1.5, source=0.5)
    >>> len(spectrum.binned().eigenvalues), round(sum(spectrum.binned().weights))
    (90, 10000000)
    >>> [round(x, 3) for x in spectrum.leading(3).eigenvalues]
    [1.0, 0.354, 0.192]
    >>> problem = lm.Problem(
    ...     lm.MLP(hidden=1024, centered=True),
    ...     lm.FullBatch(samples=500, spectrum=spectrum),
    ...     lm.SGD(lr=0.1),
    ... )
    >>> lm.solve(problem, steps=20).test_loss.shape
    (20,)
    """

    kind: ClassVar[str] = "power_law"
    trace_class: ClassVar[bool] = True
    outputs: ClassVar[int] = 1

    capacity: float
    source: float
    modes: int = 10**7
    tolerance: float = 1e-6

    __repr__ = short_repr

    def __post_init__(self) -> None:
        numbers = dict.fromkeys(("capacity", "source", "tolerance"), number)
        settle(self, "data.spectrum", **numbers, modes=integer)
        self._require("capacity", 1 < self.capacity < math.inf, "finite and greater than 1")
        self._require("source", 0 < self.source < math.inf, "finite and positive")
        self._require("modes", self.modes >= 1, "at least 1")
        self._require("tolerance", 1e-12 <= self.tolerance <= 0.1, "from 1e-12 to 0.1")
        # Squares of eigenvalues and the target's power must not underflow.
        steepest = SMALLEST_DECADE / math.log10(max(2, self.modes))
        limits = f"for {self.modes} modes (the last one underflows)"
        capacity, source = steepest / 2, (steepest - 1) / self.capacity
        self._require("capacity", self.capacity <= capacity, f"at most {capacity:g} {limits}")
        self._require("source", self.source <= source, f"at most {source:g} {limits}")
        self._nodes()

    def binned(self) -> Discrete:
        """Return the nodes that the theory solves for, as a trace-class spectrum.

        The weight of a node is the number of modes that it represents, in general not a whole
        number; the sum of the weights is ``modes``.
        """
        return self._discrete(*self._nodes())

    def leading(self, count: int) -> Discrete:
        """Return the first ``count`` modes, on which finite networks are trained.

        Raises
        ------
        ValueError
            If ``count`` is no whole number from 1 to ``modes``.
        """
        count = integer(count, "count")
        if not 1 <= count <= self.modes:
            refuse("count", f"from 1 to modes ({self.modes})", count)
        return self._discrete(np.arange(1.0, count + 1), np.ones(count))

    def as_core(self) -> _core.Spectrum:
        """Return the compiled module's value type, with the nodes of ``binned``."""
        return self.binned().as_core()

    def _nodes(self) -> tuple[Array, Array]:
        nodes = power_law_nodes(self.capacity, self.source, self.modes, self.tolerance)
        if nodes is None:
            refuse("data.spectrum.tolerance", "larger for so steep a power law", self.tolerance)
        return nodes

    def _discrete(self, k: Array, p: Array) -> Discrete:
        power = k ** (self.capacity * (1 - self.source) - 1)
        return Discrete(k**-self.capacity, power, p, trace_class=True)

    def _require(self, name: str, good: bool, allowed: str) -> None:
        if not good:
            refuse(f"data.spectrum.{name}", allowed, getattr(self, name))


class HasSpectrum:
    """Base of results that can be given as a spectrum."""

    spectrum: Discrete


Spectrum = Isotropic | Discrete | PowerLaw
_read = reader(*get_args(Spectrum))


def read_spectrum(value: Any, table: str) -> Any:
    """Return a spectrum, from a result that has one, or from a table."""
    return _read(value.spectrum if isinstance(value, HasSpectrum) else value, table)
