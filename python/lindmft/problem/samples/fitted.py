"""Data sets as the theory sees them: spectrum, target and noise, with how well these are known."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from lindmft._internal.display import field_table, short_repr
from lindmft._internal.types import Array, Numbers
from lindmft._internal.validation import missing, refuse
from lindmft.problem.data import Epochs, FullBatch, MultiPass, OnePass, Population
from lindmft.problem.samples.cautions import cautions
from lindmft.problem.samples.fit import Fit
from lindmft.problem.samples.labels import read_labels
from lindmft.problem.samples.tables import read_inputs
from lindmft.problem.spectrum import Discrete, HasSpectrum
from lindmft.problem.targets import Gram


class DataWarning(UserWarning):
    """Warning about data from which the theory's description does not follow reliably.

    ``from_data`` issues one warning for all reasons: too few samples to separate noise from signal,
    inputs with far heavier tails than Gaussian ones, or inputs with a large mean. The attribute
    ``cautions`` of the result has the same sentences.
    ``warnings.simplefilter("ignore", lindmft.DataWarning)`` turns it off.

    Notes
    -----
    Theory section 6, "Measured spectra".

    Examples
    --------
    >>> import warnings
    >>> import numpy as np
    >>> import lindmft as lm
    >>> X, y = np.random.default_rng(0).standard_normal((20, 30)), np.arange(20.0)
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     data = lm.from_data(X, y)
    >>> caught[0].category.__name__, str(caught[0].message)[:42]
    ('DataWarning', '20 samples in 20 directions leave no resid')
    """

    __module__ = "lindmft"


@dataclass(frozen=True, eq=False)
class FittedData(HasSpectrum):
    """A data set as the theory sees it; the result of ``from_data``.

    The methods ``full_batch``, ``epochs``, ``multi_pass``, ``one_pass`` and ``population`` return
    the data of a problem, and ``prepare`` returns samples for training. The object can also be
    given as ``spectrum=``. ``print`` shows a summary.

    Attributes
    ----------
    spectrum
        The trace-class ``Discrete``, with ``targets`` if there are several outputs.
    noise
        sigma, the standard deviation of the label noise; for several outputs the root of the mean
        variance. NaN if the data cannot tell.
    noise_covariance
        The covariance of the label noise of C > 1 outputs (C, C), otherwise None.
    mean, label_mean
        What was subtracted from the inputs (D,) and from the labels (C,); zeros if nothing was.
        Networks that are to be compared with the theory train on such differences.
    centered
        Whether means were subtracted.
    classes
        The names of the classes, in the order of the outputs; empty if labels are values. Two
        classes are one output, -1 for the first and 1 for the second.
    samples, inputs, rank
        P, D, and the number of directions in which the inputs vary.
    effective_dimension
        (sum lambda)^2 / sum lambda^2, the number of directions with much variance.
    signal, signal_error
        Variance of the linear part of the labels, summed over outputs, and its standard error.
        Estimates by least squares can be negative by chance where there is hardly any signal.
    noise_variance, noise_error
        Variance of the label noise, summed over outputs, and its standard error.
    label_variance
        Mean square of the labels, summed over outputs.
    label_scale
        The square root of that: the standard deviation of the labels, all outputs together.
    target_norm
        Norm of the part of the target that is learned first, S / sqrt(sum_k lambda_k^2 |w*_k|^2)
        with S = sum_k lambda_k |w*_k|^2. A network is as rich as one with ``gamma0`` times this
        number, and a target and inputs of unit scale. It changes with the scale of the inputs.
    estimator
        The name of the estimator.
    penalty
        The penalty of ridge regression, in the units of the eigenvalues; 0 for the other
        estimators.
    kurtosis, norm_spread, leverage
        Deviations from Gaussian inputs: the fourth moment of whitened components, weighted by their
        variance (Gaussian: 3); the variance of |x|^2 in units of that of Gaussian inputs (1); the
        largest leverage of a sample in units of the mean (slightly above 1).
    cautions
        The sentences of the ``DataWarning``, if there was one.

    Notes
    -----
    Theory section 6, "Measured spectra".

    Examples
    --------
    >>> import numpy as np
    >>> import lindmft as lm
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((400, 5))
    >>> species = np.where(X[:, 0] + 0.5 * rng.standard_normal(400) > 0, "fish", "bird")
    >>> data = lm.from_data(X, species, classes=True)
    >>> print(data.summary())
    samples              400, with 5 inputs (means subtracted)
    directions           5 with variance, 5 modes
    effective dimension  4.92
    outputs              1 (-1 and 1: bird, fish)
    scale of labels      0.9979 (standard deviation, all outputs)
    norm of the target   0.7474 (it multiplies gamma0)
    signal               0.5375 +- 0.063 (54.0% of the labels' variance)
    noise variance       0.4594 +- 0.033 (46.1% of the labels' variance)
    estimator            least_squares
    tails (Gaussian)     kurtosis 2.89 (3), spread of |x|^2 0.936 (1), largest leverage 3.27
    >>> data.population().noise == data.noise
    True
    """

    spectrum: Discrete
    noise: float
    noise_covariance: Gram | None
    mean: Array
    label_mean: Array
    centered: bool
    classes: tuple[Any, ...]
    samples: int
    inputs: int
    rank: int
    effective_dimension: float
    signal: float
    signal_error: float
    noise_variance: float
    noise_error: float
    label_variance: float
    estimator: str
    penalty: float
    kurtosis: float
    norm_spread: float
    leverage: float
    cautions: tuple[str, ...] = ()

    __repr__ = short_repr
    _repr_html_ = field_table

    @property
    def outputs(self) -> int:
        """C, the number of outputs."""
        return self.spectrum.outputs

    @property
    def eigenvalues(self) -> Numbers:
        """lambda_k, those of the spectrum."""
        return self.spectrum.eigenvalues

    @property
    def target_power(self) -> Numbers | None:
        """(w*_k)^2, those of the spectrum."""
        return self.spectrum.target_power

    @property
    def weights(self) -> Numbers | None:
        """The numbers of modes like mode k, those of the spectrum."""
        return self.spectrum.weights

    @property
    def label_scale(self) -> float:
        """Standard deviation of the labels, all outputs together."""
        return math.sqrt(self.label_variance)

    @property
    def target_norm(self) -> float:
        """Norm of the part of the target that is learned first: it multiplies gamma0."""
        lam, weights = np.array(self.eigenvalues), np.array(self.weights)
        power = lam * np.array(self.target_power) * weights
        return float(power.sum() / math.sqrt(power @ lam)) if power.any() else 0.0

    def full_batch(self, samples: float) -> FullBatch:
        """Return the data of training in which every step uses all of these samples.

        Parameters
        ----------
        samples
            The number of training samples; ``inf`` is the population.

        Raises
        ------
        ValueError
            If the number is out of range, or the noise is not known.

        Examples
        --------
        >>> import numpy as np
        >>> import lindmft as lm
        >>> X = np.random.default_rng(0).standard_normal((400, 5))
        >>> lm.from_data(X, X.sum(axis=1)).full_batch(samples=100).samples
        100
        """
        return FullBatch(samples=samples, **self._description())

    def epochs(
        self, samples: float, batch: float | None = None, batches: int | None = None
    ) -> Epochs:
        """Return the data of training in shuffled epochs.

        Parameters
        ----------
        samples
            The number of training samples.
        batch
            The number of samples in a batch, which must divide ``samples``.
        batches
            The number of batches in an epoch, in the place of ``batch``.

        Raises
        ------
        ValueError
            If a number is out of range, or the noise is not known.

        Examples
        --------
        >>> import numpy as np
        >>> import lindmft as lm
        >>> X = np.random.default_rng(0).standard_normal((400, 5))
        >>> lm.from_data(X, X.sum(axis=1)).epochs(samples=100, batch=20).batches
        5
        """
        return Epochs(samples=samples, batch=batch, batches=batches, **self._description())

    def multi_pass(self, samples: float, batch_fraction: float) -> MultiPass:
        """Return the data of training in which every step draws a random part of the samples anew.

        Parameters
        ----------
        samples
            The number of training samples.
        batch_fraction
            The mean fraction of them in a batch.

        Raises
        ------
        ValueError
            If a number is out of range, or the noise is not known.

        Examples
        --------
        >>> import numpy as np
        >>> import lindmft as lm
        >>> X = np.random.default_rng(0).standard_normal((400, 5))
        >>> lm.from_data(X, X.sum(axis=1)).multi_pass(100, batch_fraction=0.2).batch_fraction
        0.2
        """
        return MultiPass(samples=samples, batch_fraction=batch_fraction, **self._description())

    def one_pass(self, batch: float) -> OnePass:
        """Return the data of training in which every step uses fresh samples.

        Parameters
        ----------
        batch
            The number of samples in a batch.

        Raises
        ------
        ValueError
            If the number is out of range, or the noise is not known.

        Examples
        --------
        >>> import numpy as np
        >>> import lindmft as lm
        >>> X = np.random.default_rng(0).standard_normal((400, 5))
        >>> lm.from_data(X, X.sum(axis=1)).one_pass(batch=8).batch
        8
        """
        return OnePass(batch=batch, **self._description())

    def prepare(self, X: Any, y: Any) -> tuple[Array, Array]:
        """Return inputs and labels as the networks of the theory see them.

        Parameters
        ----------
        X
            (P, D), samples of the same kind as those of the data set.
        y
            Their labels: numbers, or names of the same classes.

        Returns
        -------
        tuple
            Inputs (P, D) without ``mean``, and labels (P,), or (P, C) for several outputs, coded
            and without ``label_mean``.

        Raises
        ------
        ValueError
            If the number of inputs or outputs differs, or for the reasons of ``from_data``.

        Examples
        --------
        >>> import numpy as np
        >>> import lindmft as lm
        >>> X = np.random.default_rng(0).standard_normal((400, 5))
        >>> data = lm.from_data(X, np.where(X[:, 0] > 0, "up", "down"), classes=True)
        >>> inputs, labels = data.prepare(X[:2], ["up", "down"])
        >>> inputs.shape, (labels + data.label_mean).tolist()
        ((2, 5), [1.0, -1.0])
        """
        table = read_inputs(X)
        if table.size != self.inputs:
            refuse("X", f"a matrix with {self.inputs} columns", f"{table.size} columns")
        labels = read_labels(y, self.classes or None, table.samples).values
        if labels.shape[1] != len(self.label_mean):
            refuse("y", f"labels of {len(self.label_mean)} outputs", f"{labels.shape[1]} outputs")
        inputs = table.rows(slice(0, table.samples)) - self.mean
        targets = labels - self.label_mean
        return inputs, targets[:, 0] if self.outputs == 1 else targets

    def population(self) -> Population:
        """Return the data of training on the mean loss of infinitely many samples."""
        return Population(**self._description())

    def summary(self) -> str:
        """Return a table of the description, with the cautions below it."""
        rows = dict(self._rows())
        wide = max(map(len, rows))
        lines = [f"{name:<{wide}}  {text}" for name, text in rows.items()]
        return "\n".join([*lines, *(f"caution: {caution}" for caution in self.cautions)])

    def __str__(self) -> str:
        return self.summary()

    def _description(self) -> dict[str, Any]:
        """Return the fields of the kinds of data."""
        if math.isnan(self.noise):
            missing("noise", 'the samples leave no residuals. Fit with estimator="ridge"')
        if self.noise_covariance is None:
            return {"spectrum": self.spectrum, "noise": self.noise}
        return {"spectrum": self.spectrum, "noise_covariance": self.noise_covariance}

    def _rows(self) -> list[tuple[str, str]]:
        means = "subtracted" if self.centered else "not subtracted"
        unit = self.label_variance or 1.0
        modes = len(self.eigenvalues)
        penalty = f", penalty {self.penalty:.3g}" if self.penalty else ""
        tails = (
            f"kurtosis {self.kurtosis:.3g} (3), spread of |x|^2 {self.norm_spread:.3g} (1), "
            f"largest leverage {self.leverage:.3g}"
        )
        return [
            ("samples", f"{self.samples}, with {self.inputs} inputs (means {means})"),
            ("directions", f"{self.rank} with variance, {modes} modes"),
            ("effective dimension", f"{self.effective_dimension:.3g}"),
            ("outputs", self._outputs()),
            ("scale of labels", f"{self.label_scale:.4g} (standard deviation, all outputs)"),
            ("norm of the target", f"{self.target_norm:.4g} (it multiplies gamma0)"),
            ("signal", _share(self.signal, self.signal_error, unit)),
            ("noise variance", _share(self.noise_variance, self.noise_error, unit)),
            ("estimator", self.estimator + penalty),
            ("tails (Gaussian)", tails),
        ]

    def _outputs(self) -> str:
        if not self.classes:
            return str(self.outputs)
        names = ", ".join(map(str, self.classes[:12])) + ", ..." * (len(self.classes) > 12)
        coded = "-1 and 1" if self.outputs == 1 else "one for each class"
        return f"{self.outputs} ({coded}: {names})"


def described(fit: Fit, estimator: str, spectrum: Discrete) -> FittedData:
    """Return the result for a fit, whose modes may be grouped in the spectrum."""
    factor, estimate, tails = fit.factor, fit.estimate, fit.tails
    noise, covariance, variance = _noise(estimate.noise)
    lam = factor.eigenvalues
    return FittedData(
        spectrum=spectrum,
        noise=noise,
        noise_covariance=covariance,
        mean=fit.rows.mean,
        label_mean=fit.rows.label_mean,
        centered=fit.samples.center,
        classes=fit.samples.labels.classes,
        samples=factor.samples,
        inputs=fit.samples.table.size,
        rank=factor.rank,
        effective_dimension=float(lam.sum() ** 2 / (lam**2).sum()),
        signal=estimate.signal,
        signal_error=estimate.signal_error,
        noise_variance=variance,
        noise_error=estimate.noise_error,
        label_variance=float(factor.label_moments.trace()),
        estimator=estimator,
        penalty=estimate.penalty,
        kurtosis=tails.kurtosis,
        norm_spread=tails.norm_spread,
        leverage=tails.leverage,
        cautions=cautions(fit),
    )


def _noise(noise: Array | None) -> tuple[float, Gram | None, float]:
    """Return sigma, the covariance of several outputs, and the total variance."""
    if noise is None:
        return math.nan, None, math.nan
    total = float(np.trace(noise))
    sigma = math.sqrt(max(0.0, total) / len(noise))
    if len(noise) == 1:
        return sigma, None, total
    symmetric = (noise + noise.T) / 2
    return sigma, tuple(map(tuple, symmetric.tolist())), total


def _share(value: float, error: float, unit: float) -> str:
    known = "" if not error else (f" +- {error:.2g}" if math.isfinite(error) else ", not known")
    return f"{value:.4g}{known} ({value / unit:.1%} of the labels' variance)"
