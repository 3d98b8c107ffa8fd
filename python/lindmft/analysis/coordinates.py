"""The coordinate check: sizes and updates of features and gradients against width.

The picture that users of width-transfer libraries draw first. In a parameterization that transfers,
everything that moves moves by order one at every width; in one that grows lazy, what the weights
learn shrinks as the network widens.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lindmft._internal.display import field_table, short_repr
from lindmft._internal.optional import optional
from lindmft._internal.series import round_steps
from lindmft._internal.types import Array, Callback, Numbers
from lindmft._internal.validation import integer, refuse, tuple_of_numbers
from lindmft.analysis.coordinate_verdict import Trend, sentence
from lindmft.analysis.rms import Rms, first_fitted, measured, slopes, theoretical
from lindmft.analysis.sizes.fixed_fields import cautions
from lindmft.analysis.sizes.scalings import PARAMETERIZATIONS, Rule, Scalings, read_scalings
from lindmft.problem.problem import Problem, as_problem
from lindmft.problem.scales import warn_of_widths
from lindmft.problem.schema import to_json_line
from lindmft.results.ensemble import Ensemble
from lindmft.results.solution import Solution
from lindmft.theory.many import solve_many
from lindmft.training.seeds import seed_list
from lindmft.training.train import check_train, train_many

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["CoordinateCheck", "Coordinates", "coordinate_check"]

SIZES = ("network.width", "network.hidden")
CAUTION = (
    "Features h^l are the data gradient passed forward: they shrink as the data are learned, so "
    "that their updates are of order one in lazy networks, too. Gradients tell."
)


@dataclass(frozen=True, eq=False)
class Coordinates:
    """One array for each quantity of a coordinate check; axes as said where one is given.

    Attributes
    ----------
    features, gradients
        Root mean square of the entries of h^l, the data gradient passed forward, and of g^l, the
        readout passed backward; of several outputs, the root of the sum of squares.
    feature_updates, gradient_updates
        The same of h^l(t) - h^l(0) and g^l(t) - g^l(0).

    Notes
    -----
    Theory section 3: squares are C(t, t), those of updates C(t, t) - 2 C(t, 0) + C(0, 0).

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


@dataclass(frozen=True, eq=False)
class CoordinateCheck:
    """What ``coordinate_check`` found: sizes and updates of features and gradients by width.

    Attributes
    ----------
    problem
        As given.
    scalings
        The names of the scalings, S of them.
    size
        "network.width", the ratio N / D, or "network.hidden", the number N.
    widths
        (W,), increasing, infinity last if it was asked for.
    time
        (m,), the steps at which values are given.
    theory
        ``Coordinates`` of shape (scaling, width, layer, time); layers are 1 .. L. inf past a
        divergence.
    slopes
        ``Coordinates`` of shape (scaling, layer, time): d log value / d log width of the theory,
        fitted over the wider half of the finite widths; inf where a value there is 0 or inf.
    training, errors
        ``Coordinates`` of shape (scaling, width, layer, time), or None without training: root of
        the mean square over networks, and its standard error. Networks that diverged are left out
        unless all did. inf past a divergence, and at infinite width, where nothing is trained; the
        error of one network is inf.
    dim, networks
        D and the number of networks at each width, or None without training.
    cautions
        Sentences on fields that most training loops choose by the width, and that stay fixed here.
    limit
        ``Coordinates`` of shape (scaling, layer, time): the theory at infinite width, which tells a
        power of the width from the approach to a limit. inf where it is not defined.
    initial
        (scaling, width), the part of the predictor at the start in the test loss at t = 0, in units
        of the target's: 1 / (gamma0^2 width) with isotropic data, 0 if it is centered.

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

    __repr__ = short_repr
    _repr_html_ = field_table

    @property
    def largest_z(self) -> float | None:
        """Largest distance of training from theory in standard errors, or None.

        None without training, and where no error is known. Points where nothing is random do not
        count. Finite networks deviate from the theory by order 1 / D, which many networks resolve.
        """
        if self.training is None or self.errors is None:
            return None
        largest = [_largest_z(self, name) for name in QUANTITIES]
        return max((z for z in largest if z is not None), default=None)

    @property
    def verdict(self) -> str:
        """A sentence or two for each scaling: what the gradients' updates do as networks widen.

        They say on which widths they hold. Whether updates go on shrinking beyond these is decided
        by the theory at infinite width. Slopes of layers differ only if they do by more than their
        uncertainty, and updates that are rounding are not judged.
        """
        sentences = [_sentence(self, i, name) for i, name in enumerate(self.scalings)]
        return " ".join([*sentences, CAUTION])

    def summary(self) -> str:
        """A table at the last step, of the first and the last layer; then the verdict."""
        ends = [w for w in self.widths if np.isfinite(w)]
        heading = f"rms at step {self.time[-1]}"
        columns = f"{'layer':>7}{f'at {ends[0]:g}':>12}{f'at {ends[-1]:g}':>12}{'slope':>8}"
        scope = f"coordinate check: {self.size} {ends[0]:g} to {self.widths[-1]:g}"
        if self.dim is not None:
            scope += f", trained with dim = {self.dim}, {self.networks} networks a width"
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

        Variables are the quantities, and those with "_slope", "_limit", "_trained" and "_error" at
        the end of their names. Needs xarray.
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


def coordinate_check(
    problem: Problem | Mapping[str, Any],
    widths: Numbers,
    steps: int = 51,
    *,
    at: Numbers | None = None,
    dim: int | None = None,
    seeds: int | Sequence[int] = 8,
    scalings: Scalings | None = None,
    threads: int | None = None,
    memory_limit: float | None = None,
    progress: bool | Callback | None = None,
) -> CoordinateCheck:
    """How sizes and updates of features and gradients depend on width, in theory and training.

    What shows whether weights learn at every width are the gradients g^l: g^l(t) - g^l(0) is what
    the weights above layer l have learned. In muP it stays of order one; in the neural-tangent
    parameterization it shrinks like width^-1/2. Features h^l are the forward pass of the data
    gradient here, which changes because the data are learned; their updates are of order one in
    both.

    Parameters
    ----------
    problem
        A ``Problem`` of finite depth, or its dictionary form; its width is replaced.
    widths
        Two or more finite widths, equal in all layers: N / D or, with a trace-class spectrum, N
        (``network.hidden``). ``inf`` may be among them, in theory alone.
    steps
        n, the number of times t = 0 .. n - 1.
    at
        The times to report; None: 0, 1, 2, 5, 10, 20, ... and the last one.
    dim
        D, the input dimension of networks to train, as in ``train``; None: theory alone.
    seeds
        The number of networks to train at each width, or a list of their seeds.
    scalings
        As in ``transfer``: names of built-in scalings, or by name what to change in the problem,
        which may be a function of the width. None: "muP" and "NTK", which set
        ``network.parameterization``.
    threads, memory_limit, progress
        As in ``solve_many`` and ``train_many``; progress is first that of the theory.

    Returns
    -------
    CoordinateCheck
        With ``theory``, ``training``, ``slopes``, ``summary()``; drawn by
        ``lindmft.plotting.coordinates``.

    Raises
    ------
    ValueError
        Bad input, found before any work; the message names the field.
    MemoryError
        Refused before allocating.

    Warns
    -----
    ScalingWarning
        A field that most training loops choose by the width, such as ``layer_lr``, stays fixed.
    SizeWarning
        Widths look like numbers of hidden units where ratios are meant.

    Notes
    -----
    Theory section 3: the mean square of an update is C(t, t) - 2 C(t, 0) + C(0, 0). The idea is the
    "coord check" of Yang et al., Tensor Programs V (arXiv 2203.03466), appendix D.1. Theory is that
    of the widths as given, training of whole numbers of units.

    Examples
    --------
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(depth=2), lm.FullBatch(alpha=2.0), lm.SGD(lr=0.1))
    >>> check = lm.coordinate_check(problem, widths=[4, 8, 16, 32], steps=20)
    >>> check.slopes.gradient_updates[:, 0, -1].round(2)  # muP and NTK, first layer, last step
    array([-0.02, -0.49])
    """
    problem, steps = _finite_depth(as_problem(problem)), integer(steps, "steps")
    if steps < 2:
        refuse("steps", "at least 2", steps)
    size = SIZES[problem.data.spectrum.trace_class]
    sizes, time = _widths(widths), _times(at, steps)
    named = read_scalings(PARAMETERIZATIONS if scalings is None else scalings, size, *SIZES)
    at_widths = [{**dict.fromkeys(SIZES), size: width} for width in sizes]
    grid = [rule.at(problem, at_width) for rule in named.values() for at_width in at_widths]
    changed = {name: rule.changes(problem, at_widths[0]) for name, rule in named.items()}
    told = cautions(problem, size, changed)
    warn_of_widths(problem, sizes)
    drawn: dict[str, Any] = {"dim": dim, "seeds": seed_list(seeds, 0), "updates": True}
    if dim is not None:
        check_train(_trainable(grid, sizes), steps, threads=threads, **drawn)
    options: dict[str, Any] = {
        "threads": threads,
        "memory_limit": memory_limit,
        "progress": progress,
    }
    solutions = solve_many(grid, steps, save=["C_h", "C_g"], **options)
    shape = (len(named), len(sizes))
    theory = _collected([theoretical(solution, time) for solution in solutions], shape)
    fitted = {name: slopes(sizes, getattr(theory, name)) for name in QUANTITIES}
    training: dict[str, Any] = {}
    if dim is not None:
        runs = train_many(_trainable(grid, sizes), steps, **drawn, **options)
        training = _trained(runs, time, sizes, shape)
    return CoordinateCheck(
        problem,
        tuple(named),
        size,
        sizes,
        time,
        theory,
        Coordinates(**fitted),
        cautions=told,
        **training,
        limit=_limit(problem, named, size, time, options),
        initial=np.array([_initial(solution) for solution in solutions]).reshape(shape),
    )


def _limit(
    problem: Problem,
    named: Mapping[str, Rule],
    size: str,
    time: NDArray[np.int_],
    options: Mapping[str, Any],
) -> Coordinates:
    """The theory at infinite width; inf for scalings that are not defined or not solved there."""
    grid: list[Problem | None] = []
    for rule in named.values():
        try:
            grid.append(rule.at(problem, {**dict.fromkeys(SIZES), size: np.inf}))
        except (ValueError, ArithmeticError):
            grid.append(None)
    given: dict[str, Any] = {**options, "progress": None, "save": ["C_h", "C_g"]}
    defined = [one for one in grid if one is not None]
    runs = iter(
        solve_many(defined, max(2, int(time[-1]) + 1), errors="return", **given) if defined else []
    )
    found = [None if one is None else next(runs) for one in grid]
    points = [theoretical(run, time) if isinstance(run, Solution) else None for run in found]
    if all(point is None for point in points):
        layers = int(problem.network.depth)
        blank = np.full((len(named), layers, len(time)), np.inf)
        return Coordinates(**dict.fromkeys(QUANTITIES, blank))
    found_limit = _collected(points, (len(named), 1))  # one width
    arrays = {name: getattr(found_limit, name)[:, 0] for name in QUANTITIES}
    return Coordinates(**arrays)


def _initial(solution: Solution) -> float:
    """The power of the predictor at the start, in units of the target's; 0 without a target."""
    target = float(solution.term_target[0])
    return float(solution.term_init[0]) / target if target > 0 else 0.0


def _trainable(grid: Sequence[Problem], sizes: Sequence[float]) -> list[Problem]:
    return [problem for i, problem in enumerate(grid) if np.isfinite(sizes[i % len(sizes)])]


def _trained(
    runs: Sequence[Ensemble],
    time: NDArray[np.int_],
    sizes: Sequence[float],
    shape: tuple[int, int],
) -> dict[str, Any]:
    """The fields of the check that come from training; nothing is known at infinite width."""
    found = iter([measured(run, time) for run in runs])
    points = [
        next(found) if np.isfinite(width) else None for _ in range(shape[0]) for width in sizes
    ]
    return {
        "training": _collected([point and point[0] for point in points], shape),
        "errors": _collected([point and point[1] for point in points], shape),
        "dim": runs[0].dim,
        "networks": len(runs[0].seeds),
    }


def _finite_depth(problem: Problem) -> Problem:
    if problem.network.depth == np.inf:
        refuse("network.depth", "finite for a coordinate check", problem.network.depth)
    return problem


def _widths(widths: Any) -> tuple[float, ...]:
    values = tuple_of_numbers(widths, "widths", "a list of numbers")
    for i, width in enumerate(values):
        if not width > 0:
            refuse(f"widths[{i}]", "positive", width)
    if len({width for width in values if np.isfinite(width)}) < 2:
        refuse("widths", "two or more different finite widths", widths)
    return tuple(sorted(set(values)))


def _times(at: Any, steps: int) -> NDArray[np.int_]:
    if at is None:
        return np.array(round_steps(steps))
    times = tuple_of_numbers(at, "at", "a list of steps")
    for i, t in enumerate(times):
        if not (t.is_integer() and 0 <= t < steps):
            refuse(f"at[{i}]", f"a whole number from 0 to {steps - 1}", t)
    if not times:
        refuse("at", "a list of at least one step", at)
    return np.unique(np.array(times, int))


def _collected(points: Sequence[Rms | None], shape: tuple[int, int]) -> Coordinates:
    """(scaling, width, layer, time) from one (layer, time) a problem; None is infinity."""
    like = next(point for point in points if point is not None)
    blank = {name: np.full_like(values, np.inf) for name, values in like.items()}
    arrays = {name: np.stack([(point or blank)[name] for point in points]) for name in QUANTITIES}
    return Coordinates(**{k: v.reshape(*shape, *v.shape[1:]) for k, v in arrays.items()})


def _largest_z(check: CoordinateCheck, name: str) -> float | None:
    theory, seen, error = (
        getattr(part, name) for part in (check.theory, check.training, check.errors)
    )
    # Below this, a difference is rounding.
    known = np.isfinite(theory) & np.isfinite(error) & (error > 1e-9 * theory)
    if not known.any():
        return None
    return float(np.max(np.abs(seen[known] - theory[known]) / error[known]))


def _sentence(check: CoordinateCheck, scaling: int, name: str) -> str:
    """At the last time at which all layers have a slope."""
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


def _row(check: CoordinateCheck, scaling: int, name: str, layer: int) -> str:
    last = int(np.isfinite(check.widths).sum()) - 1
    values = getattr(check.theory, name)[scaling, [0, last], layer, -1]
    slope = getattr(check.slopes, name)[scaling, layer, -1]
    label = f"{check.scalings[scaling]}, {name.replace('_', ' ')}"
    numbers = "".join(f"{value:>12.4g}" for value in values)
    return f"{label:28}{layer + 1:>7}{numbers}" + (
        f"{slope:>8.2f}" if np.isfinite(slope) else f"{'-':>8}"
    )
