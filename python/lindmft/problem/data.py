"""The data of a problem: the number of samples, and how each step uses them.

The number is a ratio to the input dimension D (``alpha``), or with a trace-class spectrum the
actual number (``samples``, ``batch``).
"""

import math
from dataclasses import dataclass, field
from typing import ClassVar, get_args

import numpy as np

from lindmft import _core
from lindmft._internal.validation import missing, number
from lindmft.problem.parts import Part
from lindmft.problem.schema import reader
from lindmft.problem.sizes import check_names, count, optional, refuse_inputs, whole
from lindmft.problem.spectrum import Isotropic, Spectrum, read_spectrum
from lindmft.problem.targets import Targets, channels, read_targets


class _Data(Part):
    """Base of the kinds of data: noise, spectrum, targets, and sizes by two names."""

    _table = "data"
    _counted: ClassVar[str] = "samples"
    """The field with the actual number of samples, in whose place ``alpha`` is the ratio."""
    _converters: ClassVar = {
        "alpha": optional(number),
        "samples": optional(count),
        "batch": optional(count),
        "inputs": optional(whole),
        "batch_fraction": number,
        "noise": number,
        "spectrum": read_spectrum,
        "targets": read_targets,
    }
    _passages: ClassVar = {
        "noise, spectrum, targets": """
            noise
                sigma, the standard deviation of the label noise: y = w* . x / sqrt(D) + sigma eps.
            spectrum
                Input covariance and target: ``Isotropic()``, ``Discrete(...)`` or
                ``PowerLaw(...)``.
            targets
                Several outputs: the norms s_1 .. s_C of orthogonal targets, each s_c times the
                spectrum's, or their C x C Gram matrix. Label noise is equal and independent in all
                of them. With a trace-class spectrum only training and the lazy limit have several
                outputs.
            """,
        "inputs": """
            inputs
                D, the number of inputs, for sizes that are given as actual numbers: those of the
                data and the network's ``hidden`` are then divided by it, and networks are trained
                with D inputs unless ``dim`` says otherwise. It is not allowed with a trace-class
                spectrum, whose modes are the inputs.
            """,
    }

    noise: float
    spectrum: Spectrum
    targets: Targets
    inputs: float | None

    @property
    def irreducible(self) -> float:
        """C sigma^2, which label noise adds to the test loss of C outputs."""
        return len(self.targets) * self.noise**2

    def as_core(self) -> _core.Data:
        """Return the compiled module's value type."""
        norms, rotation = channels(self.targets)
        amounts = (getattr(self, name, None) for name in ("alpha", self._counted))
        return _core.Data(
            mode=_core.DataMode[self.kind],
            alpha=next((amount for amount in amounts if amount is not None), math.inf),
            batch_fraction=getattr(self, "batch_fraction", 1.0),
            noise=self.noise,
            spectrum=self.spectrum.as_core(),
            targets=norms.tolist(),
            rotation=rotation.ravel().tolist() if np.ndim(self.targets) == 2 else [],
        )

    def _check(self) -> None:
        refuse_inputs(self.spectrum, self.inputs)
        if hasattr(self, "alpha"):
            self._settle_amount(self.alpha, getattr(self, self._counted))
        _core.validate(self.as_core())

    def _settle_amount(self, alpha: float | None, samples: float | None) -> None:
        """Check that the amount of data is given once; divide it by the number of inputs."""
        name = f"data.{self._counted}"
        if self.inputs is not None and alpha is None and samples is not None:
            object.__setattr__(self, "alpha", samples / self.inputs)
            object.__setattr__(self, self._counted, None)
            return
        check_names(self.spectrum, "data.alpha", alpha, name, samples)
        if alpha is None and samples is None:
            if self.spectrum.trace_class:
                missing(name, "with a trace-class spectrum the amount of data is an actual number")
            missing(
                "data.alpha", f"give the amount of data as a ratio to D, or {name} with data.inputs"
            )


@dataclass(frozen=True)
class FullBatch(_Data):
    """P = alpha D samples, all of them in every step.

    Parameters
    ----------
    alpha
        P / D; ``inf`` is allowed in the theory and means the population.
    {noise, spectrum, targets}
    samples
        P, the actual number of samples, in the place of ``alpha`` with a trace-class spectrum or
        ``inputs``. ``inf`` as for ``alpha``.
    {inputs}

    {raises}

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


@dataclass(frozen=True)
class MultiPass(_Data):
    """P = alpha D samples, of which every step keeps a random part.

    Parameters
    ----------
    alpha
        P / D.
    batch_fraction
        q in (0, 1]: the mean batch is q P samples, and the gradient is divided by q. 1 is
        ``FullBatch``.
    {noise, spectrum, targets}
    samples
        P, the actual number of samples, in the place of ``alpha`` with a trace-class spectrum or
        ``inputs``.
    {inputs}

    {raises}

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


@dataclass(frozen=True)
class OnePass(_Data):
    """A fresh batch of alpha D samples in every step: online SGD.

    Parameters
    ----------
    alpha
        batch / D; ``inf`` is allowed in the theory and means the population.
    {noise, spectrum, targets}
    batch
        The actual number of samples in a batch, in the place of ``alpha`` with a trace-class
        spectrum or ``inputs``. ``inf`` as for ``alpha``.
    {inputs}

    {raises}

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
    _counted = "batch"

    alpha: float | None = None
    noise: float = 0.0
    spectrum: Spectrum = Isotropic()
    targets: Targets = (1.0,)
    batch: float | None = None
    inputs: float | None = None


@dataclass(frozen=True)
class Population(_Data):
    """Infinite data: every step takes the gradient of the mean loss.

    Parameters
    ----------
    {noise, spectrum, targets}
    {inputs}

    {raises}

    Notes
    -----
    Theory section 6, alpha = inf. Label noise only adds sigma^2 to the training loss.

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


Data = FullBatch | MultiPass | OnePass | Population
read_data = reader(*get_args(Data))
