"""Comparison of theory and training on many random problems: whether they differ by chance."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from lindmft._internal.display import field_table, short_repr
from lindmft._internal.types import Array, Callback
from lindmft._internal.validation import integer, refuse
from lindmft.analysis import normal
from lindmft.analysis.random_problems import PARTS, random_problem
from lindmft.problem.problem import Problem
from lindmft.progress import reporting
from lindmft.results.ensemble import Series
from lindmft.results.solution import Solution
from lindmft.theory.solve import solve
from lindmft.training.train import train

__all__ = ["OBSERVABLES", "Case", "Verification", "cases", "check_count", "verify"]

OBSERVABLES = ("test loss", "train loss", "feature norm", "gradient norm")
"""Names of the compared numbers at the last step; norms of the last and the first layer."""
FEWEST_SEEDS = 16
"""Fewest networks for each problem: fewer are too skewed and too far from normal."""
FEWEST_PROBLEMS = 10
SUSPICIOUS_CHANCE = 1e-3
"""Chance below which a distribution of z-scores is not explained by chance."""
SUSPICIOUS_ERRORS = 3.0


@dataclass(frozen=True, eq=False)
class Case:
    """One random problem in theory and in training, at two sizes.

    Attributes
    ----------
    index
        Index of the problem, which together with the seed identifies it.
    problem
        The problem at the smaller size.
    steps
        n; observables are those at step n - 1.
    theory, mean, error
        (4, 2), for each of ``OBSERVABLES`` at both sizes: the theory, the mean over networks, and
        its standard error.
    networks
        The number of networks at each size.
    diverged
        The number of networks that diverged; if there are any, the case has no z-scores.

    Notes
    -----
    Theory sections 2 and 3.

    Examples
    --------
    >>> from lindmft.analysis import verification
    >>> case = next(verification.cases(1, seeds=16))
    >>> case.theory.shape, case.diverged
    ((4, 2), 0)
    """

    index: int
    problem: Problem
    steps: int
    theory: Array
    mean: Array
    error: Array
    networks: int
    diverged: int

    __repr__ = short_repr
    _repr_html_ = field_table

    @property
    def deviation(self) -> Array:
        """(4, 2), (mean - theory) / theory."""
        return (self.mean - self.theory) / self.theory

    @property
    def spread(self) -> Array:
        """(4, 2), the standard error of ``deviation``, at least that of rounding."""
        return np.maximum(self.error / self.theory, 1e-10)

    @property
    def z(self) -> Array:
        """(4,), the deviation extrapolated to infinite size, in standard errors.

        Deviations are of order 1 / D. Twice that of the larger size less that of the smaller one is
        their extrapolation to D -> inf. It is Student's t, which is converted to a normal number.
        """
        left = 2 * self.deviation[:, 1] - self.deviation[:, 0]
        small, large = self.spread[:, 0] ** 2, 4 * self.spread[:, 1] ** 2
        freedom = (self.networks - 1) * (small + large) ** 2 / (small**2 + large**2)
        return normal.from_student(left / np.sqrt(small + large), freedom)


@dataclass(frozen=True, eq=False)
class Verification:
    """Result of ``verify``: z-scores of random problems and a verdict.

    Attributes
    ----------
    cases
        A ``Case`` for each problem.
    dim
        The smaller of the two input dimensions.
    seed
        The seed of the problems and networks.

    Raises
    ------
    ValueError
        If networks diverged in all cases but one.

    Notes
    -----
    Theory section 3 is the limit D -> inf: deviations of finite networks are of order 1 / D. Chance
    adds deviations of order 1 / sqrt(D networks) to their means.

    Examples
    --------
    >>> import lindmft as lm
    >>> found = lm.verify(10, seeds=16)
    >>> found.z.shape, found.passed
    ((10, 4), True)
    >>> print(found.summary().splitlines()[-1])
    Passed: differences are sampling noise plus a deviation that falls with size.
    >>> len(found.worst(3))
    3
    """

    cases: tuple[Case, ...] = field(repr=False)
    dim: int
    seed: int
    _kept: tuple[Case, ...] = field(init=False, repr=False)

    __repr__ = short_repr
    _repr_html_ = field_table

    def __post_init__(self) -> None:
        kept = tuple(case for case in self.cases if not case.diverged)
        object.__setattr__(self, "_kept", kept)
        if len(kept) < 2:
            got = f"{len(kept)} of {len(self.cases)}"
            raise ValueError(f"cases must have two without divergence, got {got}")

    @property
    def kept(self) -> tuple[Case, ...]:
        """The cases with z-scores: those in which no network diverged."""
        return self._kept

    @property
    def z(self) -> Array:
        """(m, 4), a row for each of ``kept``, a column for each of ``OBSERVABLES``."""
        return np.array([case.z for case in self.kept])

    @property
    def deviation(self) -> Array:
        """(m, 4, 2), relative deviations at both sizes."""
        return np.array([case.deviation for case in self.kept])

    @property
    def chance(self) -> Array:
        """(4,), the chance that normal numbers deviate as much from the normal distribution.

        Kolmogorov's test of the z-scores, for each of ``OBSERVABLES``.
        """
        return np.array([normal.kolmogorov(column)[1] for column in self.z.T])

    @property
    def outlier(self) -> float:
        """The chance that one of equally many normal numbers exceeds the largest z-score."""
        z = np.abs(self.z)
        return float(-np.expm1(z.size * np.log1p(-2 * normal.cdf(-float(z.max())))))

    @property
    def ratio(self) -> tuple[float, float]:
        """Ratio of the systematic deviation at 2 D to that at D, with its standard error.

        It is 1/2 if deviations are of order 1 / D. The ratio is the slope b of deviations at 2 D
        against those at D, corrected for chance: sum w r(D) (r(2D) - b r(D)) = -b sum w s(D)^2,
        with weights w = 1 / s^2. The error is that of the jackknife over problems.
        """
        r = self.deviation
        s = np.array([case.spread for case in self.kept])
        weight = 1 / (s[..., 0] ** 2 + s[..., 1] ** 2)
        over = (weight * r[..., 0] * r[..., 1]).sum(axis=1)
        under = (weight * (r[..., 0] ** 2 - s[..., 0] ** 2)).sum(axis=1)
        without = (over.sum() - over) / (under.sum() - under)
        m = len(over)
        error = math.sqrt((m - 1) / m * float(((without - without.mean()) ** 2).sum()))
        return float(over.sum() / under.sum()), error

    @property
    def passed(self) -> bool:
        """Whether no z-score is suspicious, no network diverged, and deviations fall with size."""
        ratio, error = self.ratio
        falls = ratio < 1 and ratio - SUSPICIOUS_ERRORS * error < 0.5
        calm = len(self.kept) == len(self.cases)
        usual = min(self.outlier, *self.chance) >= SUSPICIOUS_CHANCE
        return bool(usual and falls and calm)

    def worst(self, count: int = 10) -> list[int]:
        """Indices into ``kept`` of the ``count`` cases with the largest z-scores, worst first."""
        most = integer(count, "count")
        if most < 0:
            refuse("count", "at least 0", count)
        order = np.argsort(-np.abs(self.z).max(axis=1), kind="stable")
        return [int(i) for i in order[:most]]

    def summary(self) -> str:
        """The table of the distributions, then the ratio of deviations and the verdict."""
        ratio, error = self.ratio
        small, large = self.dim, 2 * self.dim
        sizes = f"dim = {small} and {large}, {self.cases[0].networks} networks each"
        columns = f"{'mean':>8}{'std':>7}{'|z| > 2':>10}{'|z| > 3':>10}{'largest':>10}{'chance':>9}"
        fall = f"the systematic deviation is multiplied by {ratio:.2f} +- {error:.2f}"
        lines = [
            f"{len(self.cases)} random problems, {sizes}, seed {self.seed}",
            f"{'z-scores':15}{columns}",
            *(self._row(i) for i in range(len(OBSERVABLES))),
            f"{'expected':15}{0:>8.2f}{1:>7.2f}{'4.6%':>10}{'0.27%':>10}",
            f"From dim = {small} to {large} {fall} (1/2 if it is of order 1 / dim).",
            self.verdict,
        ]
        return "\n".join(lines)

    @property
    def verdict(self) -> str:
        """One sentence on what the numbers say."""
        if self.passed:
            return "Passed: differences are sampling noise plus a deviation that falls with size."
        suspicious = [
            f"z-scores of the {name} are not those of chance ({chance:.1e})"
            for name, chance in zip(OBSERVABLES, self.chance, strict=True)
            if chance < SUSPICIOUS_CHANCE
        ]
        if self.outlier < SUSPICIOUS_CHANCE:
            suspicious.append(f"the largest z-score is not that of chance ({self.outlier:.1e})")
        diverged = len(self.cases) - len(self.kept)
        suspicious += [f"{diverged} problems have networks that diverged"] if diverged else []
        return "FAILED: " + ("; ".join(suspicious) or "the deviation does not fall with size") + "."

    def _row(self, i: int) -> str:
        z = self.z[:, i]
        beyond = [f"{100 * np.mean(np.abs(z) > limit):.2g}%" for limit in (2, 3)]
        largest = z[np.argmax(np.abs(z))]
        return (
            f"{OBSERVABLES[i]:15}{z.mean():>8.2f}{z.std():>7.2f}{beyond[0]:>10}{beyond[1]:>10}"
            f"{largest:>10.2f}{self.chance[i]:>9.2g}"
        )


def verify(
    count: int = 200,
    *,
    dim: int = 64,
    seeds: int = 32,
    seed: int = 0,
    threads: int | None = None,
    progress: bool | Callback | None = None,
) -> Verification:
    """Compare theory with training on random problems, and their z-scores with chance.

    Problems are drawn over architectures, widths, richness, data modes, spectra, outputs,
    optimizers and schedules, at learning rates well within the edge of stability. Each is solved
    once and trained at two sizes. Deviations of order 1 / D are removed by extrapolation. The
    remaining ones must be distributed as chance alone would; the systematic part must fall with
    size.

    Parameters
    ----------
    count
        The number of problems, at least 10.
    dim
        D of the smaller networks, a multiple of 16; the larger ones have twice that.
    seeds
        Networks for each problem and size, at least 16.
    seed
        The same seed draws the same problems and networks, in the same order for any ``count``.
    threads
        Threads to use; None: the allowed physical cores.
    progress
        None, True for a progress bar, or a callable ``(done, total)`` of problems.

    Returns
    -------
    Verification
        The z-scores, with ``passed`` and ``summary()``.

    Raises
    ------
    ValueError
        If an argument is not allowed; the message names the field.
    MemoryError
        If more memory is needed than is allowed, before it is allocated.

    Notes
    -----
    Theory sections 2 to 8. For trace-class spectra the theory is an approximation; the larger size
    of these problems has twice the numbers of units and samples, and the same modes.

    Examples
    --------
    >>> import lindmft as lm
    >>> print(lm.verify(10, seeds=16).summary().splitlines()[0])
    10 random problems, dim = 64 and 128, 16 networks each, seed 0
    """
    check_count(count)
    drawn = cases(count, dim=dim, seeds=seeds, seed=seed, threads=threads, progress=progress)
    return Verification(tuple(drawn), dim, seed)


def check_count(count: int) -> None:
    """Refuse a number of problems that is too small for a distribution of z-scores."""
    if integer(count, "count") < FEWEST_PROBLEMS:
        refuse("count", f"at least {FEWEST_PROBLEMS}", count)


def cases(
    count: int,
    *,
    dim: int = 64,
    seeds: int = 32,
    seed: int = 0,
    threads: int | None = None,
    progress: bool | Callback | None = None,
) -> Iterator[Case]:
    """Yield the cases of ``verify``, each as soon as it is done.

    Parameters
    ----------
    count, dim, seeds, seed, threads, progress
        As in ``verify``.

    Yields
    ------
    Case

    Raises
    ------
    ValueError
        If an argument is not allowed, at once; the message names the field.
    MemoryError
        If more memory is needed than is allowed, before it is allocated.

    Notes
    -----
    Theory sections 2 and 3.

    Examples
    --------
    >>> from lindmft.analysis import verification
    >>> [case.networks for case in verification.cases(2, seeds=16)]
    [16, 16]
    """
    if integer(count, "count") < 1:
        refuse("count", "at least 1", count)
    if integer(dim, "dim") < PARTS or dim % PARTS:
        refuse("dim", f"a multiple of {PARTS}", dim)
    if integer(seeds, "seeds") < FEWEST_SEEDS:
        refuse("seeds", f"at least {FEWEST_SEEDS}", seeds)
    if integer(seed, "seed") < 0:
        refuse("seed", "at least 0", seed)
    return _cases(int(count), int(dim), int(seeds), int(seed), threads, progress)


def _cases(
    count: int,
    dim: int,
    seeds: int,
    seed: int,
    threads: int | None,
    progress: bool | Callback | None,
) -> Iterator[Case]:
    with reporting(progress, "verify", "problem") as callback:
        for index in range(count):
            yield _case(index, dim, seeds, seed, threads)
            if callback:
                callback(index + 1, count)


def _case(index: int, dim: int, seeds: int, seed: int, threads: int | None) -> Case:
    rng = np.random.default_rng([seed, index])
    problems, steps = random_problem(rng, (dim, 2 * dim))
    columns, diverged = [], 0
    for factor, problem in enumerate(problems, start=1):
        theory = solve(problem, steps, threads=threads)
        runs = train(
            problem,
            steps,
            dim=None if problem.data.spectrum.trace_class else factor * dim,
            seeds=_networks(rng, seeds),
            threads=threads,
        )
        diverged += sum(step is not None for step in runs.diverged_at)
        columns.append([_last(series) for series in (theory, runs.mean(), runs.sem())])
    theories, means, errors = np.array(columns).transpose(1, 2, 0)
    return Case(index, problems[0], steps, theories, means, errors, seeds, diverged)


def _networks(rng: np.random.Generator, count: int) -> range:
    """Consecutive seeds of the networks of one problem and size, from a random one on."""
    first = int(rng.integers(2**40))
    return range(first, first + count)


def _last(series: Solution | Series) -> list[float]:
    """The observables at the last step."""
    return [
        float(values[-1])
        for values in (
            series.test_loss,
            series.train_loss,
            series.feature_norm[-1],
            series.gradient_norm[0],
        )
    ]
