"""Exponents of power laws: the local slope d log L / d log t, and its fit over a window.

Times count in whatever unit the curve has (steps, or eta t in gradient flow); exponents do not
depend on it. They are slopes, so a decaying loss has a negative one.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from lindmft._internal.display import field_table, html_table, short, short_repr
from lindmft._internal.types import Array, Number, Numbers
from lindmft._internal.validation import is_list, missing, number, positive, refuse
from lindmft.analysis.curves import FEWEST_POINTS, Curve, Trajectory, as_curve
from lindmft.analysis.log_fits import Line, fit_line, local_slopes, widest_flat

__all__ = ["ExponentFit", "LocalExponent", "fit_exponent", "local_exponent"]


class LocalExponent(NamedTuple):
    """Local exponents of a loss against time: the pair that ``local_exponent`` returns.

    Attributes
    ----------
    time
        (m,), times t > 0, in the unit of the curve.
    exponent
        (m,), the local exponents d log L / d log t there.

    Notes
    -----
    Local regression: W. S. Cleveland, J. Am. Stat. Assoc. 74, 829 (1979).

    Examples
    --------
    >>> import lindmft as lm
    >>> time, exponent = lm.local_exponent([1, 2, 3, 5, 8], [1, 1 / 4, 1 / 9, 1 / 25, 1 / 64])
    >>> exponent.round(6).tolist()
    [-2.0, -2.0, -2.0, -2.0, -2.0]
    """

    time: Array
    exponent: Array

    def __repr__(self) -> str:
        return f"LocalExponent(time={short(self.time)}, exponent={short(self.exponent)})"

    def _repr_html_(self) -> str:
        return html_table("LocalExponent", {key: short(x) for key, x in self._asdict().items()})


@dataclass(frozen=True)
class ExponentFit:
    """A power law fitted to a loss over a window of times: ``loss ~ floor + prefactor t^exponent``.

    Attributes
    ----------
    exponent, prefactor
        Parameters of a least-squares line through log(loss - floor) against log(t). Points are
        weighted so that every decade of t counts equally.
    error
        The uncertainty of the exponent, of the kind that ``error_source`` names. "networks": one
        standard error, by the jackknife over the networks of an ensemble. "window": a theory curve
        has no statistical error, but it is not an exact power law; the error is the larger of
        ``spread`` and |drift|, and shows how much the exponent depends on the part of the window
        that is fitted. No confidence level belongs to it.
    error_source
        "networks" or "window".
    spread
        Half of the largest minus the smallest d log(loss - floor) / d log t within the window.
    drift
        Exponent of the later half of the window less that of the earlier half (halves in log t):
        its sign says in which direction the exponent changes.
    residual
        Root mean square distance of log(loss - floor) from the line; 0.01 means about 1 %.
    window
        First and last time used.
    points, networks
        The number of times used, and of networks averaged (0 for a theory curve).
    floor
        The constant that was subtracted from the loss.

    Notes
    -----
    Theory section 12, items 4 and 11, lists exponents that are predicted.

    Examples
    --------
    >>> import lindmft as lm
    >>> fit = lm.fit_exponent([1, 2, 4, 8, 16], [1.0, 0.25, 0.0625, 1 / 64, 1 / 256])
    >>> print(f"{fit.exponent:.3f}, {fit.decades:.1f} decades, error {fit.error:.3f}")
    -2.000, 1.2 decades, error 0.000
    >>> print(fit.summary().splitlines()[0])  # doctest: +ELLIPSIS
    loss ~ 1 t^(-2.0000 ± ...
    """

    exponent: float
    prefactor: float
    error: float
    error_source: str
    spread: float
    drift: float
    residual: float
    window: tuple[float, float]
    points: int
    networks: int
    floor: float

    __repr__ = short_repr
    _repr_html_ = field_table

    @property
    def decades(self) -> float:
        """Length of the window in decades of time."""
        return float(np.log10(self.window[1] / self.window[0]))

    def summary(self) -> str:
        """One sentence with the law, its window, its accuracy, and the meaning of its error."""
        meant = (
            f"one standard error over {self.networks} networks"
            if self.error_source == "networks"
            else "how far it varies over the window, no statistical error"
        )
        return (
            f"loss ~ {_above(self.floor)}{self.prefactor:.4g} t^({self.exponent:.4f} ± "
            f"{self.error:.2g}) for t = {self.window[0]:.4g} to {self.window[1]:.4g} "
            f"({self.decades:.1f} decades, {self.points} times) with an rms deviation of "
            f"{self.residual:.1%}; the error is {meant}."
        )

    def __str__(self) -> str:
        return self.summary()


def local_exponent(
    curve: Trajectory | Numbers,
    loss: Numbers | None = None,
    *,
    floor: float = 0.0,
    span: float = 0.25,
    observable: str = "test_loss",
) -> LocalExponent:
    """Return the local exponent d log L / d log t of a loss, at all its times t > 0.

    It is the slope at t of a parabola fitted to log L against log t, with weights that fall to zero
    ``span`` decades away. It is exact for power laws on any grid; for other curves its error is of
    third order in ``span``.

    Parameters
    ----------
    curve
        A ``Solution``, an ``Ensemble``, which is averaged, or times (m,), non-negative and
        increasing, in any unit.
    loss
        (m,), if ``curve`` are times; non-negative. The curve ends where a loss is infinite
        (diverged) or zero.
    floor
        A constant to subtract first, to which the loss tends, such as ``irreducible`` for the
        training loss of one pass. It must be below every loss.
    span
        Half the width of the parabolas in decades. It is wider where fewer than five times lie in
        it, as among the first exact steps. A larger span smooths more.
    observable
        Loss of a result: "test_loss" or "train_loss".

    Returns
    -------
    LocalExponent
        The pair (time, exponent).

    Raises
    ------
    ValueError
        If an argument is not allowed, or fewer than five times are usable; the message names the
        field.

    Notes
    -----
    Local regression: W. S. Cleveland, J. Am. Stat. Assoc. 74, 829 (1979). Among times
    closer than a tenth of ``span`` one is fitted, and the others are interpolated.

    Examples
    --------
    >>> import lindmft as lm
    >>> network = lm.MLP(width=float("inf"), gamma0=0)
    >>> problem = lm.Problem(network, lm.FullBatch(alpha=1.0), lm.SGD(lr=0.1))
    >>> time, exponent = lm.local_exponent(lm.solve(problem, 300))
    >>> print(f"{exponent[-1]:.2f}")  # theory: -1/2
    -0.50
    """
    read = as_curve(curve, loss, observable=observable, floor=floor)
    return LocalExponent(read.time, _slopes(read, positive(span, "span")))


def fit_exponent(
    curve: Trajectory | Numbers,
    loss: Numbers | None = None,
    *,
    window: tuple[Number, Number] | None = None,
    floor: float = 0.0,
    tolerance: float = 0.05,
    decades: float = 1.0,
    span: float = 0.25,
    observable: str = "test_loss",
) -> ExponentFit:
    """Fit a power law to a loss over a window of times, which is given or found.

    Parameters
    ----------
    curve, loss, floor, span, observable
        As for ``local_exponent``.
    window
        First and last time; None: the widest window in which the local exponent is flat.
    tolerance
        Flat means that local exponents are within this fraction of their middle. (A plateau is no
        power law: its exponent is zero, and varies by more than any fraction of itself.)
    decades
        The smallest length of a window that is found.

    Returns
    -------
    ExponentFit
        The exponent with its error, and ``summary()``.

    Raises
    ------
    ValueError
        If an argument is not allowed, the window has fewer than five times, or no window of this
        length is flat.

    Notes
    -----
    The error is a standard error only for ensembles; see ``ExponentFit.error``. Theory section 12,
    items 4 and 11, has exponents to expect; Bordelon and Pehlevan (2025), figures 6 and 10.

    Examples
    --------
    >>> import lindmft as lm
    >>> network = lm.MLP(width=float("inf"), gamma0=0)
    >>> problem = lm.Problem(network, lm.FullBatch(alpha=1.0), lm.SGD(lr=0.1))
    >>> fit = lm.fit_exponent(lm.solve(problem, 500), window=(20, 500))
    >>> print(f"{fit.exponent:.2f} over {fit.decades:.1f} decades")  # theory: -1/2
    -0.50 over 1.4 decades
    """
    read = as_curve(curve, loss, observable=observable, floor=floor)
    width, flat = positive(span, "span"), positive(tolerance, "tolerance")
    least = positive(decades, "decades")
    chosen = _find_window(read, width, flat, least) if window is None else _window(window)
    part = read.within(chosen)
    if len(part.time) < FEWEST_POINTS:
        refuse("window", f"one with {FEWEST_POINTS} or more times of the curve", window)
    return _fit(part, width, number(floor, "floor"))


def _fit(part: Curve, span: float, floor: float) -> ExponentFit:
    line = fit_line(part.log_time, np.log(part.loss))
    local = _slopes(part, span)  # only of the window: times outside must not enter
    spread, drift = float(np.ptp(local)) / 2, _drift(part)
    statistical = part.networks is not None and len(part.networks) > 1
    return ExponentFit(
        exponent=line.slope,
        prefactor=float(np.exp(line.intercept)),
        error=_jackknife(part) if statistical else max(spread, abs(drift)),
        error_source="networks" if statistical else "window",
        spread=spread,
        drift=drift,
        residual=line.residual,
        window=(float(part.time[0]), float(part.time[-1])),
        points=len(part.time),
        networks=0 if part.networks is None else len(part.networks),
        floor=floor,
    )


def _slopes(curve: Curve, span: float) -> Array:
    return local_slopes(curve.log_time, np.log(curve.loss), span * np.log(10))


def _drift(part: Curve) -> float:
    x, y = part.log_time, np.log(part.loss)
    middle = int(np.clip(np.searchsorted(x, (x[0] + x[-1]) / 2), 2, len(x) - 2))
    return fit_line(x[middle:], y[middle:]).slope - fit_line(x[:middle], y[:middle]).slope


def _jackknife(part: Curve) -> float:
    """Standard error of the exponent, from means that each omit one network."""
    networks: Any = part.networks
    count = len(networks)
    others = (networks.sum(axis=0) - networks) / (count - 1)
    if others.min() <= 0:
        raise ValueError(
            "floor must be below the mean loss of the networks whichever one is omitted, since the "
            "error of the exponent needs these means. Lower it, or end the window earlier."
        )
    slopes = [_slope_of(part, np.log(mean)) for mean in others]
    return float(np.sqrt(count - 1) * np.std(slopes))


def _slope_of(part: Curve, log_loss: Array) -> float:
    line: Line = fit_line(part.log_time, log_loss)
    return line.slope


def _find_window(curve: Curve, span: float, tolerance: float, least: float) -> tuple[float, float]:
    first, last = widest_flat(curve.log_time, _slopes(curve, span), tolerance)
    start, end = float(curve.time[first]), float(curve.time[last])
    found = np.log10(end / start)
    if found < least or last - first + 1 < FEWEST_POINTS:
        missing(
            "window",
            f"the local exponent is flat within {tolerance:.1%} for at most {found:.2g} decades "
            f"(t = {start:.4g} to {end:.4g}), less than decades = {least:g}. Give a window, fewer "
            "decades or a larger tolerance",
        )
    return start, end


def _window(window: Any) -> tuple[float, float]:
    allowed = "a pair of times, the first above 0 and below the last"
    if not is_list(window) or len(window) != 2:
        refuse("window", allowed, window)
    start, end = number(window[0], "window[0]"), number(window[1], "window[1]")
    if not 0 < start < end:
        refuse("window", allowed, window)
    return start, end


def _above(floor: float) -> str:
    return f"{floor:.4g} + " if floor else ""
