"""Which data: how many samples, and how each step uses them.

How many is a ratio to the input dimension D (``alpha``), or with a trace-class spectrum the actual
number (``samples``, ``batch``).
"""

import math
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from lindmft import _core
from lindmft._internal.display import short_repr
from lindmft._internal.validation import number, settle
from lindmft.problem.schema import reader
from lindmft.problem.sizes import (
    count,
    optional,
    refuse_both,
    refuse_inputs,
    refuse_wrong_name,
    whole,
)
from lindmft.problem.spectrum import Isotropic, Spectrum, read_spectrum
from lindmft.problem.targets import Targets, channels, read_targets


@dataclass(frozen=True)
class FullBatch:
    """P = alpha D samples, all of them in every step.

    Parameters
    ----------
    alpha
        P / D; ``inf`` is allowed in the theory and means the population.
    noise
        sigma, the standard deviation of the label noise: y = w* . x / sqrt(D) + sigma eps.
    spectrum
        Input covariance and target: ``Isotropic()``, ``Discrete(...)`` or ``PowerLaw(...)``.
    targets
        Several outputs: the norms s_1 .. s_C of orthogonal targets, each s_c times the spectrum's,
        or their C x C Gram matrix. Label noise is equal and independent in all of them. With a
        trace-class spectrum only training and the lazy limit have several outputs.
    samples
        P, the actual number of samples: in the place of ``alpha`` with a
        trace-class spectrum or ``inputs``. ``inf`` as for ``alpha``.
    inputs
        D, the number of inputs, to give sizes as actual numbers: ``samples`` and
        the network's ``hidden`` are then divided by it, and networks are trained with D inputs
        unless ``dim`` says otherwise. Not with a trace-class spectrum, whose modes are counted.

    Raises
    ------
    ValueError
        If a field has the wrong type or is out of range; the message names it.

    Notes
    -----
    Theory section 6; Bordelon and Pehlevan (2025), equation 13 for the three terms of the test
    loss.

    Examples
    --------
    >>> import lindmft as lm
    >>> lm.FullBatch(alpha=2.0, noise=0.3).noise
    0.3
    """

    kind: ClassVar[str] = "full_batch"

    alpha: float | None = None
    noise: float = 0.0
    spectrum: Spectrum = Isotropic()
    targets: Targets = (1.0,)
    samples: float | None = None
    inputs: float | None = None

    __repr__ = short_repr

    def __post_init__(self) -> None:
        settle(
            self,
            "data",
            alpha=optional(number),
            samples=optional(count),
            inputs=optional(whole),
            noise=number,
            spectrum=read_spectrum,
            targets=read_targets,
        )
        _settle_amount(self, "samples", self.samples)
        _core.validate(self.as_core())

    @property
    def irreducible(self) -> float:
        """C sigma^2: what label noise adds to the test loss of C outputs."""
        return len(self.targets) * self.noise**2

    def as_core(self) -> _core.Data:
        """The compiled module's value type."""
        return _data(self, _amount(self.alpha, self.samples))


@dataclass(frozen=True)
class MultiPass:
    """P = alpha D samples, of which every step keeps a random part.

    Parameters
    ----------
    alpha
        P / D.
    batch_fraction
        q in (0, 1]: the mean batch is q P samples, and the gradient is divided by q. 1 is
        ``FullBatch``.
    noise
        sigma, the standard deviation of the label noise.
    spectrum
        Input covariance and target: ``Isotropic()``, ``Discrete(...)`` or ``PowerLaw(...)``.
    targets
        Several outputs: the norms s_1 .. s_C of orthogonal targets, each s_c times the spectrum's,
        or their C x C Gram matrix. Label noise is equal and independent in all of them. With a
        trace-class spectrum only training and the lazy limit have several outputs.
    samples
        P, the actual number of samples: in the place of ``alpha`` with a
        trace-class spectrum or ``inputs``.
    inputs
        D, the number of inputs, to give sizes as actual numbers: ``samples`` and
        the network's ``hidden`` are then divided by it, and networks are trained with D inputs
        unless ``dim`` says otherwise. Not with a trace-class spectrum, whose modes are counted.

    Raises
    ------
    ValueError
        If a field has the wrong type or is out of range; the message names it.

    Notes
    -----
    Theory section 6 (not in the paper). The training loss is over all P samples, not over the
    batch.

    Examples
    --------
    >>> import lindmft as lm
    >>> lm.MultiPass(alpha=2.0, batch_fraction=0.25).batch_fraction
    0.25
    """

    kind: ClassVar[str] = "multi_pass"

    alpha: float | None = None
    batch_fraction: float = field(kw_only=True)
    noise: float = 0.0
    spectrum: Spectrum = Isotropic()
    targets: Targets = (1.0,)
    samples: float | None = None
    inputs: float | None = None

    __repr__ = short_repr

    def __post_init__(self) -> None:
        settle(
            self,
            "data",
            alpha=optional(number),
            samples=optional(count),
            inputs=optional(whole),
            batch_fraction=number,
            noise=number,
            spectrum=read_spectrum,
            targets=read_targets,
        )
        _settle_amount(self, "samples", self.samples)
        _core.validate(self.as_core())

    @property
    def irreducible(self) -> float:
        """C sigma^2: what label noise adds to the test loss of C outputs."""
        return len(self.targets) * self.noise**2

    def as_core(self) -> _core.Data:
        """The compiled module's value type."""
        return _data(self, _amount(self.alpha, self.samples), self.batch_fraction)


@dataclass(frozen=True)
class OnePass:
    """A fresh batch of alpha D samples in every step: online SGD.

    Parameters
    ----------
    alpha
        batch / D; ``inf`` is allowed in the theory and means the population.
    noise
        sigma, the standard deviation of the label noise.
    spectrum
        Input covariance and target: ``Isotropic()``, ``Discrete(...)`` or ``PowerLaw(...)``.
    targets
        Several outputs: the norms s_1 .. s_C of orthogonal targets, each s_c times the spectrum's,
        or their C x C Gram matrix. Label noise is equal and independent in all of them. With a
        trace-class spectrum only training and the lazy limit have several outputs.
    batch
        The actual number of samples in a batch: in the place of ``alpha`` with a
        trace-class spectrum or ``inputs``. ``inf`` as for ``alpha``.
    inputs
        D, the number of inputs, to give sizes as actual numbers: ``batch`` and
        the network's ``hidden`` are then divided by it, and networks are trained with D inputs
        unless ``dim`` says otherwise. Not with a trace-class spectrum, whose modes are counted.

    Raises
    ------
    ValueError
        If a field has the wrong type or is out of range; the message names it.

    Notes
    -----
    Theory section 6. The training loss at step t is that of the fresh
    batch, before the update: test loss + sigma^2 in the mean.

    Examples
    --------
    >>> import lindmft as lm
    >>> lm.OnePass(alpha=0.1).alpha
    0.1
    """

    kind: ClassVar[str] = "one_pass"

    alpha: float | None = None
    noise: float = 0.0
    spectrum: Spectrum = Isotropic()
    targets: Targets = (1.0,)
    batch: float | None = None
    inputs: float | None = None

    __repr__ = short_repr

    def __post_init__(self) -> None:
        settle(
            self,
            "data",
            alpha=optional(number),
            batch=optional(count),
            inputs=optional(whole),
            noise=number,
            spectrum=read_spectrum,
            targets=read_targets,
        )
        _settle_amount(self, "batch", self.batch)
        _core.validate(self.as_core())

    @property
    def irreducible(self) -> float:
        """C sigma^2: what label noise adds to the test loss of C outputs."""
        return len(self.targets) * self.noise**2

    def as_core(self) -> _core.Data:
        """The compiled module's value type."""
        return _data(self, _amount(self.alpha, self.batch))


@dataclass(frozen=True)
class Population:
    """Infinite data: every step takes the gradient of the mean loss.

    Parameters
    ----------
    noise
        sigma, the standard deviation of the label noise; it only adds sigma^2 to the training loss.
    spectrum
        Input covariance and target: ``Isotropic()``, ``Discrete(...)`` or ``PowerLaw(...)``.
    targets
        Several outputs: the norms s_1 .. s_C of orthogonal targets, each s_c times the spectrum's,
        or their C x C Gram matrix. Label noise is equal and independent in all of them. With a
        trace-class spectrum only training and the lazy limit have several outputs.
    inputs
        D, the number of inputs, to give sizes as actual numbers: the
        network's ``hidden`` is then divided by it, and networks are trained with D inputs
        unless ``dim`` says otherwise. Not with a trace-class spectrum, whose modes are counted.

    Raises
    ------
    ValueError
        If a field has the wrong type or is out of range; the message names it.

    Notes
    -----
    Theory section 6, alpha = inf.

    Examples
    --------
    >>> import lindmft as lm
    >>> lm.Population().noise
    0.0
    """

    kind: ClassVar[str] = "population"

    noise: float = 0.0
    spectrum: Spectrum = Isotropic()
    targets: Targets = (1.0,)
    inputs: float | None = None

    __repr__ = short_repr

    def __post_init__(self) -> None:
        settle(
            self,
            "data",
            inputs=optional(whole),
            noise=number,
            spectrum=read_spectrum,
            targets=read_targets,
        )
        refuse_inputs(self.spectrum, self.inputs)
        _core.validate(self.as_core())

    @property
    def irreducible(self) -> float:
        """C sigma^2: what label noise adds to the test loss of C outputs."""
        return len(self.targets) * self.noise**2

    def as_core(self) -> _core.Data:
        """The compiled module's value type."""
        return _data(self, math.inf)


Data = FullBatch | MultiPass | OnePass | Population
read_data = reader(FullBatch, MultiPass, OnePass, Population)


def _settle_amount(data: FullBatch | MultiPass | OnePass, name: str, count: float | None) -> None:
    """The amount of data is given once, by the name that the spectrum wants."""
    refuse_both("data", "alpha", data.alpha, name, count)
    refuse_inputs(data.spectrum, data.inputs)
    if data.inputs is not None and count is not None:
        object.__setattr__(data, "alpha", count / data.inputs)
        object.__setattr__(data, name, None)
        return
    refuse_wrong_name(data.spectrum, "data.alpha", data.alpha, f"data.{name}", count)
    if data.alpha is None and count is None:
        wanted = name if data.spectrum.trace_class else "alpha"
        raise ValueError(f"data.{wanted} must be given, got nothing")


def _amount(ratio: float | None, count: float | None) -> float:
    """What the compiled module calls alpha, whose spectrum says which of the two it is."""
    given = count if ratio is None else ratio
    return math.inf if given is None else given


def _data(data: Data, alpha: float, batch_fraction: float = 1.0) -> _core.Data:
    norms, rotation = channels(data.targets)
    return _core.Data(
        mode=_core.DataMode[data.kind],
        alpha=alpha,
        batch_fraction=batch_fraction,
        noise=data.noise,
        spectrum=data.spectrum.as_core(),
        targets=norms.tolist(),
        rotation=rotation.ravel().tolist() if np.ndim(data.targets) == 2 else [],
    )
