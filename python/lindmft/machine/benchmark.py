"""Standard jobs compared with the limits of this machine: ``lindmft bench``.

    from lindmft.machine import benchmark
    print(benchmark.run(quick=True).table())

Limits are measured first: operations a second of matrix products, bytes a second of memory. A job
of N counted operations and B bytes takes at least max(N / products, B / memory) seconds. The
fraction of the limit is this time divided by the measured time.
"""

import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, TypeVar

import numpy as np

from lindmft import _core
from lindmft._internal.types import RatesDict
from lindmft._internal.validation import (
    flag,
    function_or_none,
    instance,
    integer,
    number,
    settle,
    threads_or_default,
    tuple_of_numbers,
)
from lindmft.machine import machine
from lindmft.machine.machine import Machine
from lindmft.problem.data import FullBatch
from lindmft.problem.network import MLP
from lindmft.problem.optimizer import SGD
from lindmft.problem.problem import Problem
from lindmft.theory.many import solve_many
from lindmft.theory.solve import solve
from lindmft.training.train import train, train_many

__all__ = ["Benchmark", "Job", "Limits", "Machine", "Rate", "Sizes", "reference", "run"]

T = TypeVar("T")


@dataclass(frozen=True)
class Rate:
    """Operations or bytes a second on one thread, and on all threads together.

    Attributes
    ----------
    one, all
        Rates on one thread, and on all threads together.

    Examples
    --------
    >>> from lindmft.machine.benchmark import Rate
    >>> rate = Rate(2e9, 3e9).best(Rate(1e9, 4e9))
    >>> rate.on(1), rate.on(2)
    (2000000000.0, 4000000000.0)
    """

    one: float
    all: float

    def on(self, threads: int) -> float:
        """Return the rate for a job on ``threads`` threads."""
        return self.one if integer(threads, "threads") == 1 else self.all

    def best(self, other: "Rate") -> "Rate":
        """Return the higher of two measurements, this and the ``other`` one."""
        instance(other, "other", "a Rate", Rate)
        return Rate(max(self.one, other.one), max(self.all, other.all))


@dataclass(frozen=True)
class Limits:
    """Highest rates of the machine, each the best of ten or more repetitions.

    Attributes
    ----------
    threads
        Number of threads of ``Rate.all``.
    products
        Operations a second of matrix products (dgemm, 1024 x 1024, one product for each thread).
    triad, update, read
        Bytes a second of arrays that are larger than all caches: a = b + s c (24 bytes an entry),
        a = s a in place (16), the sum of a (8).

    Notes
    -----
    The bound by products or memory is the roofline model: Williams, Waterman and Patterson,
    Communications of the ACM 52, 65 (2009).

    Examples
    --------
    >>> from lindmft.machine.benchmark import Limits, Rate
    >>> limits = Limits(2, Rate(5e10, 1e11), *[Rate(1e10, 2e10)] * 3)
    >>> limits.best(limits).least_seconds(operations=1e11, moved=1e10, threads=2)
    1.0
    """

    threads: int
    products: Rate
    triad: Rate
    update: Rate
    read: Rate

    def best(self, other: "Limits") -> "Limits":
        """Return the higher of two measurements of each rate, this and the ``other`` one."""
        instance(other, "other", "Limits", Limits)
        return Limits(
            self.threads,
            self.products.best(other.products),
            self.triad.best(other.triad),
            self.update.best(other.update),
            self.read.best(other.read),
        )

    def least_seconds(self, operations: float, moved: float, threads: int) -> float:
        """Return the least seconds of a job with these ``operations`` and ``moved`` bytes.

        The memory rate is that of the triad, and both rates are those for ``threads`` threads.
        """
        work, traffic = number(operations, "operations"), number(moved, "moved")
        return max(work / self.products.on(threads), traffic / self.triad.on(threads))


@dataclass(frozen=True)
class Job:
    """One job: its time and its counted work.

    Attributes
    ----------
    name
        Description of the job.
    seconds, repeats
        Median seconds of ``repeats`` calls.
    threads
        Number of threads.
    operations, bytes
        Counted floating-point operations, and bytes between processor and memory; updated arrays
        count twice. 0: not counted.
    fraction
        Fraction of the limit that applies.
    note
        Further information.

    Examples
    --------
    >>> from lindmft.machine.benchmark import Job
    >>> job = Job("product", seconds=0.5, operations=1e9, bytes=2e9)
    >>> job.operations_rate, job.bytes_rate
    (2000000000.0, 4000000000.0)
    """

    name: str
    seconds: float = 0.0
    repeats: int = 0
    threads: int = 1
    operations: float = 0.0
    bytes: float = 0.0
    fraction: float = 0.0
    note: str = ""

    @property
    def operations_rate(self) -> float:
        """Operations a second; 0 without a time."""
        return self.operations / self.seconds if self.seconds else 0.0

    @property
    def bytes_rate(self) -> float:
        """Bytes a second; 0 without a time."""
        return self.bytes / self.seconds if self.seconds else 0.0


@dataclass(frozen=True)
class Sizes:
    """Sizes and repetitions of the standard jobs, and the time for measuring limits.

    Attributes
    ----------
    exact
        Steps of the solves on exact grids.
    solves, solve_steps
        The number of small solves, and the steps of each.
    rates, seeds, sweep_dim, sweep_steps
        The learning-rate sweep of networks: rates, networks at each, input dimension D, steps.
    single_dim, single_steps
        Input dimension D of one large network, and the steps that are timed.
    adaptive
        Steps of the solve on an adaptive grid.
    repeats
        Number of repetitions, of which the median is reported.
    seconds
        Time for measuring the limits, in two halves.

    Raises
    ------
    ValueError
        If a size is no whole number, or ``seconds`` no number; the message names it.

    Examples
    --------
    >>> from lindmft.machine.benchmark import Sizes
    >>> Sizes(seeds=2).exact
    (400, 1000)
    """

    exact: tuple[int, ...] = (400, 1000)
    solves: int = 512
    solve_steps: int = 100
    rates: int = 16
    seeds: int = 4
    sweep_dim: int = 512
    sweep_steps: int = 50
    single_dim: int = 2048
    single_steps: int = 20
    adaptive: int = 10**6
    repeats: int = 3
    seconds: float = 2.0

    def __post_init__(self) -> None:
        whole = (field.name for field in fields(self) if field.type is int)
        settle(self, "", **dict.fromkeys(whole, integer), exact=_whole_numbers, seconds=number)


def _whole_numbers(values: Any, field: str) -> tuple[int, ...]:
    listed = enumerate(tuple_of_numbers(values, field))
    return tuple(integer(value, f"{field}[{i}]") for i, value in listed)


_HEADING = f"{'job':<44}{'threads':>8}{'seconds':>10}{'GFLOP/s':>9}{'GB/s':>7}{'of limit':>10}"
_LEGEND = """Seconds are medians. Of limit: the time in which matrix products or memory
(triad) could do the counted work, divided by the measured time."""
QUICK = Sizes(exact=(400,), solves=64, single_steps=5, seconds=0.5)


@dataclass(frozen=True)
class Benchmark:
    """The measurements of ``run``, with the machine.

    Attributes
    ----------
    machine, limits
        The machine and its highest rates.
    jobs
        Times and counted work of the jobs, in the order of the runs.
    seconds
        Time of the whole measurement.

    Examples
    --------
    >>> from lindmft.machine.benchmark import Benchmark, Job, Limits, Machine, Rate
    >>> machine = Machine("a processor", 2, 2.0**33, "a BLAS", "avx2", 0.1, {}, ())
    >>> limits = Limits(2, *[Rate(1e10, 2e10)] * 4)
    >>> measured = Benchmark(machine, limits, (Job("a product", seconds=0.5),), seconds=60.0)
    >>> list(measured.to_dict()), "a product" in measured.table()
    (['machine', 'limits', 'jobs', 'seconds'], True)
    """

    machine: Machine
    limits: Limits
    jobs: tuple[Job, ...]
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers and strings, for JSON."""
        return asdict(self)

    def table(self) -> str:
        """Return a table for people: machine, limits, jobs."""
        return "\n".join(
            [
                *self.machine.lines(),
                "",
                *_limit_lines(self.limits),
                "",
                _HEADING,
                *(_job_line(job) for job in self.jobs),
                f"{self.seconds:.0f} s in all. {_LEGEND}",
            ]
        )


def reference(lr: float = 0.1, width: float = 1.0, depth: int = 2) -> Problem:
    """Return the reference problem of the benchmarks: an MLP, full batch, alpha 2, noise 0.3.

    Parameters
    ----------
    lr, width, depth
        As in ``SGD`` and ``MLP``.

    Raises
    ------
    ValueError
        If one of them is out of range; the message names it.

    Notes
    -----
    Theory sections 1 to 3.

    Examples
    --------
    >>> from lindmft.machine import benchmark
    >>> benchmark.reference(depth=3).data.alpha
    2.0
    """
    return Problem(MLP(depth=depth, width=width), FullBatch(alpha=2.0, noise=0.3), SGD(lr=lr))


def run(
    *,
    quick: bool = False,
    threads: int | None = None,
    sizes: Sizes | None = None,
    report: Callable[[str], object] | None = None,
) -> Benchmark:
    """Measure the limits of this machine, and the fraction of them that standard jobs reach.

    Parameters
    ----------
    quick
        Smaller jobs: about ten seconds instead of less than a minute on two cores.
    threads
        Threads to use; None: the allowed physical cores.
    sizes
        Sizes of the jobs, instead of those of ``quick``.
    report
        Called with a line about the next job.

    Returns
    -------
    Benchmark
        The measurements, with ``table()``, and ``to_dict()`` for JSON.

    Raises
    ------
    ValueError
        Bad input; the message names it.

    Notes
    -----
    Fractions are of the roofline model: Williams, Waterman and Patterson, Communications of the ACM
    52, 65 (2009). Theory sections 10 and 11 describe the work of the jobs.

    Examples
    --------
    >>> from lindmft.machine import benchmark
    >>> tiny = benchmark.Sizes((20,), 3, 10, 2, 1, 16, 5, 16, 2, 100, 1, 1e-3)
    >>> print(benchmark.run(sizes=tiny).table())  # doctest: +ELLIPSIS
    machine          ...
    """
    start = time.perf_counter()
    usual = QUICK if flag(quick, "quick") else Sizes()
    chosen = usual if sizes is None else instance(sizes, "sizes", "Sizes or None", Sizes)
    say = function_or_none(report, "report") or (lambda _line: None)
    count, share = threads_or_default(threads), chosen.seconds / 2
    found = machine.machine()  # before the jobs change the load
    say("measuring limits")
    limits = _limits(count, share)
    jobs = [job for measure in JOBS for job in measure(chosen, limits.threads, say)]
    say("measuring limits again")  # other programs may have used a core the first time
    limits = limits.best(_limits(count, share))
    jobs = [_rated(job, limits) for job in jobs]
    return Benchmark(found, limits, tuple(jobs), time.perf_counter() - start)


def _rated(job: Job, limits: Limits) -> Job:
    """Add to a job the fraction of the limit that applies."""
    if not job.seconds:
        return job
    least = limits.least_seconds(job.operations, job.bytes, job.threads)
    return replace(job, fraction=least / job.seconds)


def _limits(threads: int, seconds: float) -> Limits:
    def rate(rates: RatesDict) -> Rate:
        return Rate(rates["one"], rates["all"])

    measured = _core.machine_limits(threads=threads, seconds=seconds)
    return Limits(
        measured["threads"],
        rate(measured["gemm"]),
        rate(measured["triad"]),
        rate(measured["update"]),
        rate(measured["read"]),
    )


def _median(call: Callable[[], T], repeats: int) -> tuple[float, T]:
    """Return median seconds of ``repeats`` calls after an uncounted one, and the last result."""
    result, seconds = call(), []
    for _ in range(repeats):
        start = time.perf_counter()
        result = call()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds), result


Say = Callable[[str], object]


def _exact(sizes: Sizes, threads: int, say: Say) -> list[Job]:
    return [
        _solved(f"theory, depth 2, {steps} steps", sizes, say, steps, threads)
        for steps in sizes.exact
    ]


def _adaptive(sizes: Sizes, threads: int, say: Say) -> list[Job]:
    name = f"theory, {sizes.adaptive:.0e} adaptive steps"
    return [_solved(name, sizes, say, sizes.adaptive, threads, grid="adaptive")]


def _solved(name: str, sizes: Sizes, say: Say, steps: int, threads: int, **options: Any) -> Job:
    say(name)
    call = lambda: solve(reference(), steps, threads=threads, **options)  # noqa: E731
    seconds, solution = _median(call, sizes.repeats)
    stats = solution.stats
    note = f"{stats.row_sweeps / stats.nodes:.1f} sweeps a row"
    return Job(name, seconds, sizes.repeats, stats.threads, stats.flops, note=note)


def _small(sizes: Sizes, threads: int, say: Say) -> list[Job]:
    """Measure a learning-rate curve at eight widths."""
    name = f"theory, {sizes.solves} solves of {sizes.solve_steps} steps"
    say(name)
    rates = np.geomspace(0.01, 0.1, max(1, sizes.solves // 8))
    problems = [reference(lr, 0.5 * (1 + i % 8)) for i, lr in enumerate(np.repeat(rates, 8))]
    problems = problems[: sizes.solves]
    call = lambda: solve_many(problems, sizes.solve_steps, threads=threads)  # noqa: E731
    seconds, solutions = _median(call, sizes.repeats)
    operations = sum(solution.stats.flops for solution in solutions)
    note = f"{len(problems) / seconds:.0f} solves a second"
    return [Job(name, seconds, sizes.repeats, threads, operations, note=note)]


def _sweep(sizes: Sizes, threads: int, say: Say) -> list[Job]:
    """Measure training at several learning rates and seeds, all of the same sizes."""
    name = f"training, {sizes.rates} rates x {sizes.seeds} seeds, dim {sizes.sweep_dim}"
    say(name)
    problems = [reference(lr) for lr in np.geomspace(0.01, 0.1, sizes.rates)]
    call = lambda: train_many(  # noqa: E731
        problems, sizes.sweep_steps, dim=sizes.sweep_dim, seeds=sizes.seeds, threads=threads
    )
    seconds, runs = _median(call, sizes.repeats)
    operations = sum(one.stats.operations for one in runs)
    each = seconds / (sizes.rates * sizes.seeds * sizes.sweep_steps)
    note = f"{1e6 * each:.1f} us a network and step, {runs[0].stats.method}"
    used = min(threads, sizes.seeds)
    return [Job(name, seconds, sizes.repeats, used, operations, note=note)]


def _single(sizes: Sizes, threads: int, say: Say) -> list[Job]:
    """Measure steps without the start: the difference of a longer and a shorter run, by turns."""
    name = f"training, one network, dim {sizes.single_dim}, a step"
    say(name)
    few, many, rounds = 1, 1 + sizes.single_steps, []
    for _ in range(sizes.repeats):
        taken = []
        for steps in (few, many):
            start = time.perf_counter()
            runs = train(reference(), steps, dim=sizes.single_dim, seeds=1, threads=threads)
            taken.append(time.perf_counter() - start)
        rounds.append((taken[1] - taken[0]) / sizes.single_steps)
    seconds = max(statistics.median(rounds), 1e-9)
    return [
        Job(
            name,
            seconds,
            sizes.repeats,
            runs.stats.threads,
            runs.stats.operations / many,
            runs.stats.bytes_moved / many,
            note=runs.stats.method,
        )
    ]


JOBS = (_exact, _adaptive, _small, _sweep, _single)


def _limit_lines(limits: Limits) -> list[str]:
    def line(name: str, rate: Rate) -> str:
        return f"{name:<44}{rate.one / 1e9:>12.1f}{rate.all / 1e9:>12.1f}"

    many = f"{limits.threads} threads"
    return [
        f"{'limit, best of ten or more':<44}{'1 thread':>12}{many:>12}",
        line("matrix products, GFLOP/s", limits.products),
        line("memory, triad, GB/s", limits.triad),
        line("memory, update in place, GB/s", limits.update),
        line("memory, read, GB/s", limits.read),
    ]


def _job_line(job: Job) -> str:
    moved = f"{job.bytes_rate / 1e9:.1f}" if job.bytes else ""
    return (
        f"{job.name:<44}{job.threads:>8}{job.seconds:>10.3g}{job.operations_rate / 1e9:>9.1f}"
        f"{moved:>7}{job.fraction:>10.0%}  {job.note}".rstrip()
    )
