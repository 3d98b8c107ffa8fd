"""The coordinate check: sizes and updates of features and gradients against width.

This is the check that users of width-transfer libraries make first. In a parameterization whose
hyperparameters transfer, all updates are of order one at every width. In one in which wide networks
are lazy, the updates of gradients shrink as networks widen.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lindmft._internal.series import round_steps
from lindmft._internal.types import Callback, Numbers
from lindmft._internal.validation import refuse, tuple_of_numbers
from lindmft.analysis.coordinate_checks.result import QUANTITIES, CoordinateCheck, Coordinates
from lindmft.analysis.coordinate_checks.rms import Rms, measured, slopes, theoretical
from lindmft.analysis.deviations import FEWEST_NETWORKS
from lindmft.analysis.searches.search import checked_steps
from lindmft.analysis.sizes.fixed_fields import cautions
from lindmft.analysis.sizes.scalings import PARAMETERIZATIONS, Rule, Scalings, read_scalings
from lindmft.problem.problem import Problem, as_problem
from lindmft.problem.scales import warn_of_widths
from lindmft.results.ensemble import Ensemble
from lindmft.results.solution import Solution
from lindmft.theory.many import solve_many
from lindmft.training.seeds import seed_list
from lindmft.training.train import check_train, train_many

__all__ = ["CoordinateCheck", "Coordinates", "coordinate_check"]

SIZES = ("network.width", "network.hidden")
"""Paths of the width in a problem: the ratio N / D, and the number N."""


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
    """Compute how sizes and updates of features and gradients depend on the width.

    The gradients g^l show whether weights learn at every width, because g^l(t) - g^l(0) is what the
    weights above layer l have learned. In muP this update stays of order one; in the neural-tangent
    parameterization it shrinks like width^-1/2. Features h^l are the forward pass of the data
    gradient here. It changes as the data are learned, so that their updates are of order one in
    both parameterizations.

    Parameters
    ----------
    problem
        A ``Problem`` of finite depth, or its dictionary form; its width is replaced.
    widths
        Two or more finite widths, equal in all layers: N / D or, with a trace-class spectrum, N
        (``network.hidden``). ``inf`` may be among them; only the theory is computed there.
    steps
        n, the number of times t = 0 .. n - 1.
    at
        The times to report; None: 0, 1, 2, 5, 10, 20, ... and the last one.
    dim
        D, the input dimension of networks to train, as in ``train``; None: only the theory.
    seeds
        The number of networks to train at each width, or a list of their seeds. With fewer than
        four there are no z-scores.
    scalings
        As in ``transfer``: names of built-in scalings, or a dictionary from names to changes of the
        problem, which may be functions of the width. None: "muP" and "NTK", which set
        ``network.parameterization``.
    threads, memory_limit, progress
        As in ``solve_many`` and ``train_many``; progress is first that of the theory.

    Returns
    -------
    CoordinateCheck
        The result, with ``theory``, ``training``, ``slopes`` and ``summary()``.
        ``lindmft.plotting.coordinates`` draws it.

    Raises
    ------
    ValueError
        If an argument is not allowed. Found before any work; the message names the field.
    MemoryError
        If more memory is needed than is allowed, before it is allocated.

    Warns
    -----
    ScalingWarning, SizeWarning
        If a field that usually follows the width stays fixed, or widths look like counts.

    Notes
    -----
    Theory section 3: the mean square of an update is C(t, t) - 2 C(t, 0) + C(0, 0). The idea is the
    "coord check" of Yang et al., Tensor Programs V (arXiv 2203.03466), appendix D.1. The theory has
    the widths as given; trained networks have whole numbers of units. There is no verdict on a
    target without power, since noise alone is learned then.

    Examples
    --------
    >>> import lindmft as lm
    >>> problem = lm.Problem(lm.MLP(depth=2), lm.FullBatch(alpha=2.0), lm.SGD(lr=0.1))
    >>> check = lm.coordinate_check(problem, widths=[4, 8, 16, 32], steps=20)
    >>> check.slopes.gradient_updates[:, 0, -1].round(2)  # muP and NTK, first layer, last step
    array([-0.02, -0.49])
    """
    problem, steps = _finite_depth(as_problem(problem)), checked_steps(steps)
    size = SIZES[problem.data.spectrum.trace_class]
    sizes, time = _widths(widths), _times(at, steps)
    named = read_scalings(PARAMETERIZATIONS if scalings is None else scalings, size, *SIZES)
    at_widths = [{**dict.fromkeys(SIZES), size: width} for width in sizes]
    grid = [rule.at(problem, at_width) for rule in named.values() for at_width in at_widths]
    changed = {name: rule.changes(problem, at_widths[0]) for name, rule in named.items()}
    fixed = cautions(problem, size, changed)
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
        cautions=(*fixed, *_too_few(training)),
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
    """The theory at infinite width; inf for scalings that have no limit or no solution there."""
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
    """The power of the initial predictor in units of the target's; 0 without a target."""
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
    """The fields of the check that come from training, which has no infinite width."""
    averaged = [int(run.used.sum()) for run in runs if None in run.diverged_at]
    found = iter([measured(run, time) for run in runs])
    points = [
        next(found) if np.isfinite(width) else None for _ in range(shape[0]) for width in sizes
    ]
    return {
        "training": _collected([point and point[0] for point in points], shape),
        "errors": _collected([point and point[1] for point in points], shape),
        "dim": runs[0].dim,
        "networks": len(runs[0].seeds),
        "averaged": min(averaged, default=None),
    }


def _too_few(training: Mapping[str, Any]) -> list[str]:
    """The caution that the networks of a width are too few for z-scores, if they are."""
    averaged, networks = training.get("averaged"), training.get("networks")
    if averaged is None or averaged >= FEWEST_NETWORKS:
        return []
    left = averaged < (networks or 0)
    count = f"{averaged} of {networks} are left at some width" if left else f"there are {networks}"
    text = f"No z-scores: standard errors need {FEWEST_NETWORKS} or more networks, and {count}."
    return [f"{text} Train more (seeds)."]


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
    """Arrays (scaling, width, layer, time) from (layer, time) of each problem; None becomes inf."""
    like = next(point for point in points if point is not None)
    blank = {name: np.full_like(values, np.inf) for name, values in like.items()}
    arrays = {name: np.stack([(point or blank)[name] for point in points]) for name in QUANTITIES}
    return Coordinates(**{k: v.reshape(*shape, *v.shape[1:]) for k, v in arrays.items()})
