"""Predicted exponents of the loss on power-law data, and their comparison with measured ones.

The spectrum has eigenvalues k^-a and target power w_k^2 with w_k^2 k^-a = k^(-a b - 1): a is the
capacity, b the source exponent.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from lindmft._internal.display import field_table, short_repr
from lindmft._internal.types import Array, Number, Numbers
from lindmft._internal.validation import missing, number, number_array, positive, refuse
from lindmft.analysis.curves import Trajectory
from lindmft.analysis.exponents import ExponentFit, fit_exponent

__all__ = [
    "ExponentComparison",
    "ExponentRow",
    "PredictedExponents",
    "compare_exponents",
    "predicted_exponents",
]


@dataclass(frozen=True)
class PredictedExponents:
    """Exponents of the test loss in time at infinite width and data, in gradient flow.

    Attributes
    ----------
    source
        The source exponent b.
    lazy
        The lazy exponent, -b at every depth.
    rich
        The rich exponent: -b (L + 1) / (1 + b L) for b < 1, which is -2b / (1 + b) for one hidden
        layer and tends to -1 with depth; -b for larger b.
    depth
        The number L of hidden layers; infinity is allowed.

    Notes
    -----
    Theory section 12, item 11; Bordelon and Pehlevan (2025), figure 10. The lazy law is an
    integral. The rich one is proved for no network that starts at random: it follows by scaling
    from the equation of balanced layers (Arora, Cohen and Hazan 2018), and the table there compares
    it with solutions of the theory at one to four hidden layers.

    Examples
    --------
    >>> import lindmft as lm
    >>> predicted = lm.predicted_exponents(1.5)
    >>> predicted.rich
    -1.5
    >>> predicted.lazy_loss([10, 1000], capacity=2, kernel=2).round(6).tolist()
    [0.001752, 2e-06]
    """

    source: float
    lazy: float
    rich: float
    depth: float = 1.0

    __repr__ = short_repr
    _repr_html_ = field_table

    def lazy_loss(self, time: Number | Numbers, capacity: float, kernel: float = 1.0) -> Array:
        """Return (Gamma(b) / a) (2 K t)^-b, the lazy loss of gradient flow at large t.

        ``time`` counts eta t, ``capacity`` is a, and ``kernel`` is K: L + 1 for a perceptron of L
        hidden layers.

        Raises
        ------
        ValueError
            If capacity or kernel is not positive, or a time is negative; the message names it.
        """
        a, k = positive(capacity, "capacity"), positive(kernel, "kernel")
        times = number_array(time, "time", "a number of at least 0 or a list of them")
        if not (times >= 0).all():
            refuse("time", "numbers of at least 0", time)
        with np.errstate(divide="ignore"):  # inf at time 0
            decay = (2 * k * times) ** -self.source
        return np.asarray(math.gamma(self.source) / a * decay)


def predicted_exponents(source: Number, depth: Number = 1) -> PredictedExponents:
    """Return the exponents of lazy and of rich training on data of this source exponent.

    Parameters
    ----------
    source
        The source exponent b > 0, as in a power-law spectrum.
    depth
        The number L of hidden layers: a whole number of at least 1, or infinity.

    Returns
    -------
    PredictedExponents
        The exponents, and the lazy loss itself.

    Raises
    ------
    ValueError
        If b is not a positive number, or the depth not a whole number of at least 1.

    Notes
    -----
    The laws hold at times t at which modes remain to be learned and, in the rich case, after the
    features have moved. Theory section 12, item 11; Bordelon and Pehlevan (2025), figures 6 and 10,
    which print the rich law of one hidden layer. ``PredictedExponents`` says how well the law of
    deeper networks is established.

    Examples
    --------
    >>> import lindmft as lm
    >>> for depth in (1, 2, 3):
    ...     predicted = lm.predicted_exponents(0.5, depth)
    ...     print(f"{depth}: lazy {predicted.lazy:.3f}, rich {predicted.rich:.3f}")
    1: lazy -0.500, rich -0.667
    2: lazy -0.500, rich -0.750
    3: lazy -0.500, rich -0.800
    """
    b, layers = positive(source, "source"), number(depth, "depth")
    if not (layers >= 1 and (math.isinf(layers) or layers.is_integer())):
        refuse("depth", "a whole number of at least 1, or infinity", depth)
    rich = -b if b >= 1 else -b * (1 + 1 / layers) / (b + 1 / layers)
    return PredictedExponents(source=b, lazy=-b, rich=rich, depth=layers)


@dataclass(frozen=True)
class ExponentRow:
    """A measured exponent beside its predictions.

    Attributes
    ----------
    label
        The label of the curve.
    fit
        The measured exponent.
    predicted
        The predicted exponents.

    Notes
    -----
    Theory section 12, item 11; Bordelon and Pehlevan (2025), figure 10.

    Examples
    --------
    >>> import lindmft as lm
    >>> fit = lm.fit_exponent([1, 2, 4, 8, 16], [1, 2**-0.5, 0.5, 8**-0.5, 0.25])
    >>> row = lm.ExponentRow("net", fit, lm.predicted_exponents(0.5))
    >>> row.nearest
    'lazy'
    """

    label: str
    fit: ExponentFit
    predicted: PredictedExponents

    __repr__ = short_repr
    _repr_html_ = field_table

    @property
    def nearest(self) -> str:
        """The nearest prediction: "lazy", "rich", or "both" where they are the same."""
        if self.predicted.lazy == self.predicted.rich:
            return "both"
        return min("lazy", "rich", key=lambda name: abs(self._off(name)))

    @property
    def difference(self) -> float:
        """Measured exponent less the nearest prediction."""
        return self._off("lazy" if self.nearest == "both" else self.nearest)

    def _off(self, name: str) -> float:
        return self.fit.exponent - float(getattr(self.predicted, name))


@dataclass(frozen=True)
class ExponentComparison:
    """Measured exponents beside lazy and rich predictions, with a table as text.

    Attributes
    ----------
    rows
        One ``ExponentRow`` for each curve.

    Notes
    -----
    Theory section 12, item 11; Bordelon and Pehlevan (2025), figure 10.

    Examples
    --------
    >>> import lindmft as lm
    >>> time = [1, 2, 4, 8, 16]
    >>> table = lm.compare_exponents({"net": (time, [t**-0.6 for t in time])}, source=0.5)
    >>> len(table.rows)
    1
    >>> print(table.summary().splitlines()[0])
                b  depth    measured    error  decades     lazy     rich  nearest
    """

    rows: tuple[ExponentRow, ...]

    __repr__ = short_repr
    _repr_html_ = field_table

    def summary(self) -> str:
        """The table, and sentences on the meaning of its errors."""
        width = max(5, *(len(row.label) for row in self.rows))
        head = f"{'':{width}}{'b':>8}{'depth':>7}{'measured':>12}{'error':>9}{'decades':>9}"
        lines = [f"{head}{'lazy':>9}{'rich':>9}  nearest", *(_line(r, width) for r in self.rows)]
        sources = {row.fit.error_source for row in self.rows}
        return "\n".join([*lines, *(MEANINGS[source] for source in sorted(sources))])

    def __str__(self) -> str:
        return self.summary()


MEANINGS = {
    "networks": "Errors of ensembles: one standard error over networks.",
    "window": "Errors of single curves: how far the exponent varies over its window.",
}


def compare_exponents(
    curves: Mapping[str, Trajectory | ExponentFit],
    source: Number | Mapping[str, Number] | None = None,
    depth: Number | Mapping[str, Number] | None = None,
    **fit: Any,
) -> ExponentComparison:
    """Compare measured exponents of labelled curves with lazy and rich predictions.

    Parameters
    ----------
    curves
        A dictionary from labels to curves (solutions, ensembles, pairs (time, loss)) or to results
        of ``fit_exponent``.
    source
        The exponent b of all curves, or a dictionary by label; None: that of the power-law spectrum
        of each result.
    depth
        The depth L of all curves, or a dictionary by label; None: that of the network of each
        result, and 1 for other curves.
    fit
        Passed on to ``fit_exponent``: ``window``, ``floor``, ``tolerance``, ...

    Returns
    -------
    ExponentComparison
        One row for each curve; printed as a table.

    Raises
    ------
    ValueError
        If there is no curve, b is not known, or ``fit_exponent`` refuses a curve; the message has
        its label.

    Notes
    -----
    Theory section 12, item 11; Bordelon and Pehlevan (2025), figures 6 and 10.

    Examples
    --------
    >>> import lindmft as lm
    >>> time = [1, 2, 4, 8, 16, 32]
    >>> kernel, deep = [t**-0.5 for t in time], [t**-0.74 for t in time]
    >>> curves = {"kernel": (time, kernel), "deep": (time, deep)}
    >>> print(lm.compare_exponents(curves, source=0.5, depth=2))
                 b  depth    measured    error  decades     lazy     rich  nearest
    kernel   0.500      2      -0.500   0.0000      1.5   -0.500   -0.750  lazy
    deep     0.500      2      -0.740   0.0000      1.5   -0.500   -0.750  rich (off by +0.010)
    Errors of single curves: how far the exponent varies over its window.
    """
    rows = [_row(label, curve, source, depth, fit) for label, curve in labelled(curves).items()]
    return ExponentComparison(tuple(rows))


def labelled(curves: Any, field: str = "curves") -> Mapping[str, Any]:
    """Return the dictionary of curves by label; anything else is refused."""
    if not isinstance(curves, Mapping) or not curves:
        refuse(field, "a dictionary from labels to curves, with one or more", curves)
    return {str(label): curve for label, curve in curves.items()}


def _row(
    label: str, curve: Any, source: Any, depth: Any, options: Mapping[str, Any]
) -> ExponentRow:
    predicted = predicted_exponents(source_of(label, curve, source), depth_of(label, curve, depth))
    try:
        fit = curve if isinstance(curve, ExponentFit) else fit_exponent(curve, **options)
    except ValueError as error:
        raise ValueError(f"curves[{label!r}]: {error}") from error
    return ExponentRow(label, fit, predicted)


def source_of(label: str, curve: Any, source: Any) -> Any:
    """Return b of a labelled curve: as given, or that of its problem's power-law spectrum."""
    if isinstance(source, Mapping):
        if label not in source:
            missing("source", _not_among(label, source))
        return source[label]
    if source is None:
        source = spectrum_source(curve)
    if source is None:
        missing("source", f"the curve {label!r} has no power-law spectrum. Give its exponent b.")
    return source


def depth_of(label: str, curve: Any, depth: Any) -> Any:
    """Return L of a labelled curve: as given, or that of its network, or 1 without one."""
    if isinstance(depth, Mapping):
        if label not in depth:
            missing("depth", _not_among(label, depth))
        return depth[label]
    return (network_depth(curve) or 1) if depth is None else depth


def _not_among(label: str, given: Mapping[str, Any]) -> str:
    return f"it has no value for the curve {label!r}, only for {sorted(given)}."


def network_depth(curve: Any) -> float | None:
    """Return the number of hidden layers of a result's network, or None."""
    return getattr(getattr(getattr(curve, "problem", None), "network", None), "depth", None)


def spectrum_source(curve: Any) -> float | None:
    """Return the source exponent of a result's spectrum, or None."""
    spectrum = getattr(getattr(getattr(curve, "problem", None), "data", None), "spectrum", None)
    return getattr(spectrum, "source", None)


def _line(row: ExponentRow, width: int) -> str:
    fit, predicted = row.fit, row.predicted
    given = f"{predicted.source:>8.3f}{predicted.depth:>7g}"
    measured = f"{fit.exponent:>12.3f}{fit.error:>9.4f}{fit.decades:>9.1f}"
    off = "" if abs(row.difference) < 5e-4 else f" (off by {row.difference:+.3f})"
    theory = f"{predicted.lazy:>9.3f}{predicted.rich:>9.3f}  {row.nearest}{off}"
    return f"{row.label:{width}}{given}{measured}{theory}"
