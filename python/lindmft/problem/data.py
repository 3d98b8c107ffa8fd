"""The data of a problem: the number of samples, and how each step uses them.

The number is a ratio to the input dimension D (``alpha``), or with a trace-class spectrum the
actual number (``samples``, ``batch``).
"""

import math
from dataclasses import dataclass, field
from typing import Any, ClassVar, get_args

import numpy as np

from lindmft import _core
from lindmft._internal.types import Array, Number, Numbers
from lindmft._internal.validation import (
    conflict,
    integer,
    missing,
    number,
    number_or_numbers,
    refuse,
)
from lindmft.problem.outputs import as_outputs, noise_factor
from lindmft.problem.parts import Part
from lindmft.problem.schema import reader
from lindmft.problem.sizes import (
    check_names,
    count,
    count_or_counts,
    optional,
    refuse_inputs,
    sizes,
    whole,
)
from lindmft.problem.spectrum import Isotropic, Spectrum, read_spectrum
from lindmft.problem.targets import Gram, Targets, read_gram, read_targets

LATER: Any = field(default=None, metadata={"later": True}, kw_only=True)
"""A field that older versions do not know."""


def _later() -> Any:
    """Return one more such field."""
    return field(default=None, metadata={"later": True}, kw_only=True)


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
        "batches": optional(integer),
        "noise": number,
        "spectrum": read_spectrum,
        "targets": read_targets,
        "noise_covariance": optional(read_gram),
        "switch_at": optional(integer),
        "switch_overlap": optional(number),
        "switch_strength": optional(number),
    }
    _passages: ClassVar = {
        "noise, spectrum, targets": """
            noise
                sigma, the standard deviation of the label noise: y = w* . x / sqrt(D) + sigma eps.
                It is equal and independent in all outputs.
            spectrum
                Input covariance and target: ``Isotropic()``, ``Discrete(...)`` or
                ``PowerLaw(...)``. ``Discrete(targets=...)`` has several outputs, with a target
                vector for each mode.
            targets
                Several outputs: the norms s_1 .. s_C of orthogonal targets, each s_c times the
                spectrum's, or their C x C Gram matrix.
            """,
        "noise_covariance": """
            noise_covariance
                The C x C covariance of the label noise of several outputs, in the place of
                ``noise``.
            """,
        "switch": """
            switch_at
                The first step with the labels of a second target: first a network learns one task,
                then another. None: there is one target. Samples that are used again keep their
                inputs and their label noise; only the target in the labels changes.
            switch_overlap
                The cosine of the angle between the two targets, in every mode; None: 0.
            switch_strength
                The size of the second target in units of the first; None: 1.
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
    noise_covariance: Gram | None
    switch_at: int | None
    switch_overlap: float | None
    switch_strength: float | None

    @property
    def outputs(self) -> int:
        """C, the number of outputs."""
        return max(len(self.targets), self.spectrum.outputs)

    @property
    def channel_norms(self) -> tuple[float, ...]:
        """The norms of the independent channels of outputs; outputs that share modes have one."""
        _, norms, _ = as_outputs(self.spectrum, self.targets, self.noise_covariance)
        return tuple(norms.tolist())

    @property
    def random_batches(self) -> bool:
        """Whether each step uses a random part of the data, so that the gradient has noise."""
        return self.kind in {"multi_pass", "epochs", "one_pass"}

    @property
    def condensable(self) -> bool:
        """Whether adaptive steps condense the past: random batches that are independent."""
        return self.random_batches and _core.condensable(self.as_core())

    @property
    def irreducible(self) -> float:
        """The variance of the label noise, summed over outputs: the least possible test loss."""
        if self.noise_covariance is not None:
            return float(np.trace(np.array(self.noise_covariance)))
        return self.outputs * self.noise**2

    def as_core(self) -> _core.Data:
        """Return the compiled module's value type."""
        amounts = (getattr(self, name, None) for name in ("alpha", self._counted))
        amount = next((amount for amount in amounts if amount is not None), math.inf)
        alphas = amount if isinstance(amount, tuple) else (amount,)
        spectrum, norms, rotation = as_outputs(self.spectrum, self.targets, self.noise_covariance)
        return _core.Data(
            mode=_core.DataMode[self.kind],
            alpha=alphas[0],
            alphas=alphas if len(alphas) > 1 else (),
            batch_fraction=getattr(self, "batch_fraction", 1.0),
            batches=getattr(self, "batches", 1),
            noise=self.noise,
            spectrum=spectrum.as_core(),
            targets=norms.tolist(),
            rotation=rotation.ravel().tolist(),
            noise_factor=noise_factor(self.noise_covariance).ravel().tolist(),
            switch_at=0 if self.switch_at is None else self.switch_at,
            switch_overlap=0.0 if self.switch_overlap is None else self.switch_overlap,
            switch_strength=1.0 if self.switch_strength is None else self.switch_strength,
        )

    def _check(self) -> None:
        refuse_inputs(self.spectrum, self.inputs)
        if self.noise_covariance is not None:
            self._check_covariance(np.array(self.noise_covariance))
        self._check_switch()
        if hasattr(self, "alpha"):
            self._settle_amount(self.alpha, getattr(self, self._counted))
        _core.validate(self.as_core())

    def _check_switch(self) -> None:
        if self.switch_at is not None and self.switch_at < 1:
            refuse("data.switch_at", "the number of a step from 1 on", self.switch_at)
        for name in ("switch_overlap", "switch_strength"):
            if self.switch_at is None and getattr(self, name) is not None:
                conflict(
                    f"data.{name}",
                    "a single target",
                    "it belongs to a second one",
                    "Give data.switch_at, too, or leave it out",
                )

    def _check_covariance(self, covariance: Array) -> None:
        if len(covariance) != self.outputs:
            allowed = f"a square matrix with one row for each output ({self.outputs})"
            refuse("data.noise_covariance", allowed, covariance)
        if self.noise:
            conflict(
                "data.noise_covariance",
                "data.noise",
                "both are the size of the label noise",
                "Give one of them",
            )

    def _settle_amount(self, alpha: Any, samples: Any) -> None:
        """Check that the amount of data is given once; divide it by the number of inputs."""
        name = f"data.{self._counted}"
        if self.inputs is not None and alpha is None and samples is not None:
            ratio = np.asarray(np.divide(samples, self.inputs)).tolist()
            object.__setattr__(self, "alpha", tuple(ratio) if isinstance(ratio, list) else ratio)
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
    {noise_covariance}
    {switch}

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
    noise_covariance: Gram | None = LATER
    switch_at: int | None = _later()
    switch_overlap: float | None = _later()
    switch_strength: float | None = _later()


@dataclass(frozen=True)
class MultiPass(_Data):
    """P = alpha D samples, of which every step draws a random part anew.

    A loader that shuffles the data, so that each epoch visits every sample once, is ``Epochs``: its
    test loss is lower.

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
    {noise_covariance}
    {switch}

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
    noise_covariance: Gram | None = LATER
    switch_at: int | None = _later()
    switch_overlap: float | None = _later()
    switch_strength: float | None = _later()


@dataclass(frozen=True)
class Epochs(_Data):
    """P = alpha D samples in shuffled epochs: each visits every sample once, in random batches.

    This is what loaders of training frameworks do when they shuffle.

    Parameters
    ----------
    alpha
        P / D; ``inf`` is allowed in the theory and means the population.
    batches
        The number of batches, or steps, in an epoch; 1 is ``FullBatch``.
    {noise, spectrum, targets}
    samples
        P, the actual number of samples, in the place of ``alpha`` with a trace-class spectrum or
        ``inputs``.
    batch
        The number of samples in a batch, in the place of ``batches`` where ``samples`` is given:
        samples / batch must be a whole number. With ``inputs``, ``samples`` and ``batch`` are
        converted to ``alpha`` and ``batches``.
    {inputs}
    {noise_covariance}
    {switch}

    {raises}

    Notes
    -----
    Theory section 17 (not in the paper). The training loss is over all P samples, not over the
    batch.

    Examples
    --------
    >>> import lindmft as lm
    >>> lm.Epochs(alpha=2.0, batches=4).batches
    4
    >>> lm.Epochs(samples=1280, batch=64, inputs=640).batches
    20
    """

    kind: ClassVar[str] = "epochs"

    alpha: float | None = None
    batches: int | None = None
    noise: float = 0.0
    spectrum: Spectrum = Isotropic()
    targets: Targets = (1.0,)
    samples: float | None = None
    batch: float | None = None
    inputs: float | None = None
    noise_covariance: Gram | None = LATER
    switch_at: int | None = _later()
    switch_overlap: float | None = _later()
    switch_strength: float | None = _later()

    def _check(self) -> None:
        self._settle_batches()
        super()._check()

    def _settle_batches(self) -> None:
        """Compute the number of batches from their size."""
        if self.batches is None and self.batch is None:
            missing("data.batches", "it is the number of steps in an epoch")
        if self.batch is None:
            return
        if self.batches is not None:
            conflict("data.batch", "data.batches", "one follows from the other", "Give one of them")
        if self.samples is None or math.inf in (self.samples, self.batch):
            conflict(
                "data.batch",
                "data.alpha, or an infinite size",
                "it is a number of samples",
                "Give data.batches, or data.samples",
            )
        if self.samples % self.batch:
            allowed = f"a divisor of data.samples ({self.samples}), so that all batches are equal"
            refuse("data.batch", allowed, self.batch)
        object.__setattr__(self, "batches", int(self.samples // self.batch))
        object.__setattr__(self, "batch", None)


@dataclass(frozen=True)
class OnePass(_Data):
    """A fresh batch of alpha D samples in every step: online SGD.

    Parameters
    ----------
    alpha
        batch / D, or a list with that of every step; ``inf`` is allowed in the theory, not in
        lists, and means the population.
    {noise, spectrum, targets}
    batch
        The actual number of samples in a batch, or in that of every step, in the place of
        ``alpha`` with a trace-class spectrum or ``inputs``. ``inf`` as for ``alpha``.
    {inputs}
    {noise_covariance}
    {switch}

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
    >>> lm.OnePass(batch=[32] * 50 + [64] * 50, inputs=640).alpha[49:51]
    (0.05, 0.1)
    """

    kind: ClassVar[str] = "one_pass"
    _counted = "batch"
    _converters: ClassVar = {
        **_Data._converters,
        "alpha": optional(sizes(number_or_numbers)),
        "batch": optional(sizes(count_or_counts)),
    }

    alpha: Number | Numbers | None = None
    noise: float = 0.0
    spectrum: Spectrum = Isotropic()
    targets: Targets = (1.0,)
    batch: Number | Numbers | None = None
    inputs: float | None = None
    noise_covariance: Gram | None = LATER
    switch_at: int | None = _later()
    switch_overlap: float | None = _later()
    switch_strength: float | None = _later()


@dataclass(frozen=True)
class Population(_Data):
    """Infinite data: every step takes the gradient of the mean loss.

    Parameters
    ----------
    {noise, spectrum, targets}
    {inputs}
    {noise_covariance}
    {switch}

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
    noise_covariance: Gram | None = LATER
    switch_at: int | None = _later()
    switch_overlap: float | None = _later()
    switch_strength: float | None = _later()


Data = FullBatch | MultiPass | Epochs | OnePass | Population
read_data = reader(*get_args(Data))
