"""The input covariance, and how the target lies in it."""

import math
from dataclasses import dataclass
from typing import ClassVar

from lindmft import _core
from lindmft._gate import settle, tuple_of_numbers
from lindmft._schema import reader
from lindmft._types import Numbers


@dataclass(frozen=True)
class Isotropic:
    """Uncorrelated inputs of unit variance, and a target of unit power: one mode with eigenvalue 1.

    Examples
    --------
    >>> import lindmft as lm
    >>> lm.Isotropic() == lm.FullBatch(alpha=2.0).spectrum
    True
    """

    kind: ClassVar[str] = "isotropic"

    def as_core(self) -> _core.Spectrum:
        """The compiled module's value type."""
        return _core.Spectrum(eigenvalues=(1.0,), target_power=(1.0,), weights=(1.0,))


@dataclass(frozen=True)
class Discrete:
    """An input covariance with K eigenvalues, each shared by a fraction of the D directions.

    Parameters
    ----------
    eigenvalues
        lambda_k (K,), the variance of the inputs along the modes; positive.
    target_power
        (w*_k)^2 (K,), the squared target coefficient per direction; not negative.
    weights
        p_k (K,), the fraction of directions in mode k; positive, with sum 1.

    Raises
    ------
    ValueError
        If a list has the wrong type or length, or an entry is out of range; the message names it.

    Notes
    -----
    Theory section 6. The target's variance is sum_k p_k lambda_k (w*_k)^2.

    Examples
    --------
    >>> import lindmft as lm
    >>> half_strong = lm.Discrete(eigenvalues=[2.0, 0.5], target_power=[1, 1], weights=[0.5, 0.5])
    >>> lm.FullBatch(alpha=2.0, spectrum=half_strong).spectrum.eigenvalues
    (2.0, 0.5)
    """

    kind: ClassVar[str] = "discrete"

    eigenvalues: Numbers
    target_power: Numbers
    weights: Numbers

    def __post_init__(self) -> None:
        names = ("eigenvalues", "target_power", "weights")
        settle(self, "data.spectrum", **dict.fromkeys(names, tuple_of_numbers))
        population = _core.DataMode.population
        _core.validate(
            _core.Data(
                mode=population,
                alpha=math.inf,
                batch_fraction=1.0,
                noise=0.0,
                spectrum=self.as_core(),
            )
        )

    def as_core(self) -> _core.Spectrum:
        """The compiled module's value type."""
        return _core.Spectrum(
            eigenvalues=tuple(self.eigenvalues),
            target_power=tuple(self.target_power),
            weights=tuple(self.weights),
        )


Spectrum = Isotropic | Discrete
read_spectrum = reader(Isotropic, Discrete)
