"""The result of the coordinate check: sizes and updates by width, its table and its verdict."""

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lindmft._internal.display import field_table, short_repr
from lindmft._internal.optional import optional
from lindmft._internal.types import Array
from lindmft.analysis import normal
from lindmft.analysis.coordinate_checks.rms import first_fitted
from lindmft.analysis.coordinate_checks.verdict import Trend, sentence, without_signal
from lindmft.analysis.deviations import FEWEST_NETWORKS
from lindmft.problem.problem import Problem
from lindmft.problem.schema import to_json_line

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["QUANTITIES", "CoordinateCheck", "Coordinates"]

CAUTION = (
    "Features h^l are the data gradient passed forward. They shrink as the data are learned, so "
    "that their updates are of order one in lazy networks, too. Gradients show the difference."
)
"""Why the verdict is about gradients; it ends every verdict."""


@dataclass(frozen=True, eq=False)
class Coordinates:
    """One array for each quantity of a coordinate check; who holds it says what its axes are.

    Attributes
    ----------
    features, gradients
        Root mean square of the entries of h^l, the data gradient passed forward, and of g^l, the
        readout passed backward. With several outputs, the root of the sum of their squares.
    feature_updates, gradient_updates
        The same for h^l(t) - h^l(0) and g^l(t) - g^l(0).

    Notes
    -----
    Theory section 3: the squares of sizes are C(t, t), those of updates are
    C(t, t) - 2 C(t, 0) + C(0, 0).

    Examples
    --------
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(), lm.FullBatch(alpha=2.0), lm.SGD(lr=0.1))
    >>> found = lm.coordinate_check(problem, widths=[1, 2], steps=3)
    >>> found.theory.gradients[0, :, 0, 0]  # muP, both widths, first layer, t = 0
    array([1., 1.])
    """

    features: Array
    feature_updates: Array
    gradients: Array
    gradient_updates: Array

    __repr__ = short_repr
    _repr_html_ = field_table


QUANTITIES = tuple(field.name for field in fields(Coordinates))
"""Names of the quantities of a coordinate check."""


@dataclass(frozen=True, eq=False)
class CoordinateCheck:
    """Result of ``coordinate_check``: sizes and updates of features and gradients by width.

    Attributes
    ----------
    problem
        The problem as given.
    scalings
        The names of the S scalings.
    size
        "network.width", the ratio N / D, or "network.hidden", the number N.
    widths
        (W,), the widths in increasing order; infinity is the last one if it was given.
    time
        (m,), the steps at which values are given.
    theory
        ``Coordinates`` of shape (scaling, width, layer, time); layers are 1 .. L. Values past a
        divergence are inf.
    slopes
        ``Coordinates`` of shape (scaling, layer, time): d log value / d log width of the theory,
        fitted over the wider half of the finite widths; inf where a value there is 0 or inf.
    training, errors
        ``Coordinates`` of shape (scaling, width, layer, time), or None without training: root of
        the mean square over networks, and its standard error. Networks that diverged are left out
        unless all did. Values are inf past a divergence, and at infinite width, where nothing is
        trained; the error of one network is inf.
    dim, networks
        D and the number of networks at each width, or None without training.
    cautions
        Sentences on what limits the check: fields that most training loops choose by the width and
        that stay fixed here, and networks that are too few for z-scores.
    limit
        ``Coordinates`` of shape (scaling, layer, time): the theory at infinite width, which tells a
        power of the width from the approach to a limit. Values are inf where it is not defined.
    initial
        (scaling, width), the contribution of the initial predictor to the test loss at t = 0, in
        units of the target's: 1 / (gamma0^2 width) with isotropic data, 0 if it is centered.
    averaged
        The smallest number of networks over which a width was averaged: ``networks`` less those
        that diverged. None without training, or where no width has a network that did not.

    Notes
    -----
    Theory section 3; the idea is the "coord check" of Yang et al. (2022), arXiv 2203.03466.

    Examples
    --------
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(depth=2), lm.FullBatch(alpha=2.0), lm.SGD(lr=0.1))
    >>> check = lm.coordinate_check(problem, widths=[1, 2, 4, 8], steps=20)
    >>> check.theory.features.shape, check.slopes.features.shape
    ((2, 4, 2, 6), (2, 2, 6))
    >>> print(check.summary().splitlines()[0])
    coordinate check: network.width 1 to 8
    >>> check.to_xarray().features.dims
    ('scaling', 'width', 'layer', 'time')
    """

    problem: Problem
    scalings: tuple[str, ...]
    size: str
    widths: tuple[float, ...]
    time: NDArray[np.int_]
    theory: Coordinates
    slopes: Coordinates
    training: Coordinates | None = None
    errors: Coordinates | None = None
    dim: int | None = None
    networks: int | None = None
    cautions: tuple[str, ...] = ()
    limit: Coordinates | None = None
    initial: Array | None = None
    averaged: int | None = None

    __repr__ = short_repr
    _repr_html_ = field_table

    @property
    def largest_z(self) -> float | None:
        """Largest distance of training from theory in standard errors, or None.

        Errors of few networks are uncertain: each distance is Student's t, and is converted to the
        normal number of the same probability. None without training, and with fewer than four
        networks. Points where nothing is random do not count. Finite networks deviate from the
        theory by order 1 / D, which shows when many networks are averaged.
        """
        if self.training is None or (self.averaged or 0) < FEWEST_NETWORKS:
            return None
        largest = [_largest_z(self, name) for name in QUANTITIES]
        return max((z for z in largest if z is not None), default=None)

    @property
    def verdict(self) -> str:
        """Sentences on each scaling: how the updates of gradients change as networks widen.

        They name the widths on which they hold. The theory at infinite width decides whether
        updates keep shrinking beyond these. Layers count as different only if their slopes differ
        by more than the uncertainty, and updates that are rounding errors are not judged. There is
        no verdict where the target has no power: then nothing but label noise is learned.
        """
        if reason := without_signal(self.problem):
            return reason
        sentences = [_sentence(self, i, name) for i, name in enumerate(self.scalings)]
        return " ".join([*sentences, CAUTION])

    def summary(self) -> str:
        """A table for the first and the last layer at the last step, the verdict and cautions."""
        ends = [w for w in self.widths if np.isfinite(w)]
        heading = f"rms at step {self.time[-1]}"
        columns = f"{'layer':>7}{f'at {ends[0]:g}':>12}{f'at {ends[-1]:g}':>12}{'slope':>8}"
        scope = f"coordinate check: {self.size} {ends[0]:g} to {self.widths[-1]:g}"
        if self.dim is not None:
            scope += f", trained with dim = {self.dim}, {_count(self.networks)} a width"
            z = self.largest_z
            scope += "" if z is None else f" (largest |z| {z:.1f})"
        rows = [
            _row(self, i, name, layer)
            for i in range(len(self.scalings))
            for name in QUANTITIES
            for layer in dict.fromkeys([0, self.theory.features.shape[2] - 1])
        ]
        lines = [scope, f"{heading:28}{columns}", *rows, self.verdict, *self.cautions]
        return "\n".join(lines)

    def __str__(self) -> str:
        return self.summary()

    def to_xarray(self) -> "xr.Dataset":
        """The same as an ``xarray.Dataset`` of dimensions scaling, width, layer and time.

        Variables are the quantities, and the same names with "_slope", "_limit", "_trained" and
        "_error" at their ends. Needs xarray.
        """
        whole = ("scaling", "width", "layer", "time")
        parts: dict[str, tuple[Coordinates | None, tuple[str, ...], str]] = {
            "": (self.theory, whole, "in theory"),
            "_slope": (self.slopes, ("scaling", "layer", "time"), "in theory, d log / d log width"),
            "_limit": (self.limit, ("scaling", "layer", "time"), "in theory, infinite width"),
            "_trained": (self.training, whole, "of trained networks"),
            "_error": (self.errors, whole, "of trained networks, standard error"),
        }
        variables = {
            f"{name}{ending}": (
                dims,
                getattr(values, name),
                {"long_name": f"rms {name.replace('_', ' ')} {text}", "units": "1"},
            )
            for ending, (values, dims, text) in parts.items()
            if values is not None
            for name in QUANTITIES
        }
        coords = {
            "scaling": list(self.scalings),
            "width": ("width", np.array(self.widths), {"long_name": self.size, "units": "1"}),
            "layer": np.arange(1, self.theory.features.shape[2] + 1),
            "time": ("time", self.time, {"long_name": "training time", "units": "steps"}),
        }
        problem = to_json_line(self.problem)
        attrs = {"problem": problem, "size": self.size, "verdict": self.verdict}
        dataset: xr.Dataset = optional("xarray", "io").Dataset(variables, coords, attrs)
        return dataset


def _largest_z(check: CoordinateCheck, name: str) -> float | None:
    """The largest |z| of a quantity; None where no error is known."""
    theory, seen, error = (
        getattr(part, name) for part in (check.theory, check.training, check.errors)
    )
    # Standard errors below 1e-9 of the value are rounding errors.
    known = np.isfinite(theory) & np.isfinite(error) & (error > 1e-9 * theory)
    if not known.any():
        return None
    t = np.abs(seen[known] - theory[known]) / error[known]
    return float(np.max(normal.from_student(t, np.full_like(t, (check.averaged or 0) - 1))))


def _sentence(check: CoordinateCheck, scaling: int, name: str) -> str:
    """The verdict on one scaling, at the last time at which all layers have a slope."""
    found = check.slopes.gradient_updates[scaling]
    times = np.flatnonzero(np.isfinite(found).all(axis=0))
    if not len(times):
        return f"{name}: no verdict, as gradients do not move, or the theory diverges."
    t = times[-1]
    finite = np.isfinite(check.widths)
    trend = Trend(
        widths=np.array(check.widths)[finite],
        updates=check.theory.gradient_updates[scaling, finite, :, t],
        gradients=check.theory.gradients[scaling, finite, :, t],
        slopes=found[:, t],
        first=first_fitted(int(finite.sum())),
        limit=None if check.limit is None else check.limit.gradient_updates[scaling, :, t],
        initial=None if check.initial is None else check.initial[scaling, finite],
    )
    return sentence(trend, f"{name}: gradient updates at step {check.time[t]}")


def _count(networks: int | None) -> str:
    return "1 network" if networks == 1 else f"{networks} networks"


def _row(check: CoordinateCheck, scaling: int, name: str, layer: int) -> str:
    last = int(np.isfinite(check.widths).sum()) - 1
    values = getattr(check.theory, name)[scaling, [0, last], layer, -1]
    slope = getattr(check.slopes, name)[scaling, layer, -1]
    label = f"{check.scalings[scaling]}, {name.replace('_', ' ')}"
    numbers = "".join(f"{value:>12.4g}" for value in values)
    return f"{label:28}{layer + 1:>7}{numbers}" + (
        f"{slope:>8.2f}" if np.isfinite(slope) else f"{'-':>8}"
    )
