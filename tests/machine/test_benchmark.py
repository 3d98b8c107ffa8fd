"""``lindmft bench``: limits, counted work, and what is printed and saved. No time is asserted."""

import json
import math
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import lindmft as lm
from lindmft.cli.commands import commands
from lindmft.machine import benchmark, counting, machine

TINY = benchmark.Sizes(
    exact=(30, 60),
    solves=4,
    solve_steps=10,
    rates=2,
    seeds=2,
    sweep_dim=16,
    sweep_steps=5,
    single_dim=64,
    single_steps=200,
    adaptive=1000,
    repeats=3,
    seconds=1e-3,
)


def solve_one_by_one(problems: list[lm.Problem], steps: int, *, threads: int) -> list[lm.Solution]:
    return [lm.solve(problem, steps, threads=threads) for problem in problems]


def train_one_by_one(
    problems: list[lm.Problem], steps: int, *, dim: int, seeds: int, threads: int
) -> list[lm.Ensemble]:
    return [lm.train(problem, steps, dim=dim, seeds=seeds, threads=threads) for problem in problems]


@pytest.fixture(scope="module")
def done() -> benchmark.Benchmark:
    return benchmark.run(sizes=TINY, threads=2)


@pytest.mark.long
def test_limits_are_rates(done: benchmark.Benchmark) -> None:
    limits = done.limits
    assert limits.threads in (1, 2)  # 1 without OpenMP
    for rate in (limits.products, limits.triad, limits.update, limits.read):
        assert 1e6 < rate.one < 1e15
        assert 1e6 < rate.all < 1e15
        assert (rate.on(1), rate.on(2)) == (rate.one, rate.all)


@pytest.mark.long
def test_the_binding_limit_is_the_slower_one(done: benchmark.Benchmark) -> None:
    limits = replace(
        done.limits,
        products=benchmark.Rate(10.0, 20.0),
        triad=benchmark.Rate(4.0, 5.0),
        update=benchmark.Rate(8.0, 16.0),
        read=benchmark.Rate(2.0, 4.0),
    )
    assert limits.least_seconds(100.0, 0.0, 1) == 10.0
    assert limits.least_seconds(100.0, 80.0, 1) == 20.0
    assert limits.least_seconds(100.0, 10.0, 2) == 5.0
    other = replace(limits, products=benchmark.Rate(30.0, 1.0), read=benchmark.Rate(1.0, 9.0))
    best = limits.best(other)
    assert (best.products, best.read) == (benchmark.Rate(30.0, 20.0), benchmark.Rate(2.0, 9.0))
    assert (best.triad, best.update) == (limits.triad, limits.update)


@pytest.mark.long
def test_every_job_counts_its_work(done: benchmark.Benchmark) -> None:
    measured = [job for job in done.jobs if job.seconds]
    assert len(measured) >= 4
    for job in measured:
        assert math.isfinite(job.seconds)
        assert job.operations > 0.0
        assert job.operations_rate == job.operations / job.seconds
        assert 0.0 < job.fraction < math.inf
        assert job.repeats == TINY.repeats
        assert job.threads in (1, 2)
        if job.name.startswith("theory"):
            assert job.fraction < 1.5
            assert job.bytes == job.bytes_rate == 0.0
    exact = {job.name: job for job in done.jobs}
    few, many = (exact[f"theory, depth 2, {steps} steps"] for steps in TINY.exact)
    assert few.operations == lm.solve(benchmark.reference(), 30, threads=2).stats.flops
    assert 2.0 < many.operations / few.operations < 10.0
    single = done.jobs[-1]
    assert single.name == "training, one network, dim 64, a step"
    assert single.note in ("in_place", "factored", "shared")
    assert 8 * 64**2 * (2 * 2 + 2) <= single.bytes <= 8 * 64**2 * (4 * 2 + 4)


@pytest.mark.long
def test_jobs_over_many_problems(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lm, "solve_many", solve_one_by_one, raising=False)
    monkeypatch.setattr(lm, "train_many", train_one_by_one, raising=False)
    done = benchmark.run(sizes=TINY, threads=1)
    names = ["theory, 4 solves of 10 steps", "training, 2 rates x 2 seeds, dim 16"]
    solves, sweep = (next(job for job in done.jobs if job.name == name) for name in names)
    assert solves.operations > 0.0
    assert solves.note.endswith("solves a second")
    assert sweep.operations >= 4 * 5 * counting.step_operations(16, (16, 16), 32)
    assert "us a network and step" in sweep.note
    assert all(job.seconds > 0.0 for job in done.jobs)


@pytest.mark.long
def test_what_a_version_lacks_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(lm, "solve_many", raising=False)
    monkeypatch.delattr(lm, "train_many", raising=False)
    done = benchmark.run(sizes=TINY, threads=1)
    left_out = [job for job in done.jobs if not job.seconds]
    assert [job.note.rpartition(" ")[2] for job in left_out] == ["solve_many", "train_many"]
    assert all(job.fraction == job.operations_rate == 0.0 for job in left_out)
    assert "left out: this version has no train_many" in done.table()


def test_operations_of_training_are_those_of_plain_loops() -> None:
    """Counted product by product."""
    dim, widths, samples, steps = 5, (3, 4), 7, 6
    arrays = [(3, 5), (4, 3)]
    entries = 3 * 5 + 4 * 3
    assert counting.weights(dim, widths) == entries
    products = 2 * 2 * (samples * dim + entries)
    assert counting.step_operations(dim, widths, samples) == products
    factors = sum(
        2 * 2 * (rows + cols) for step in range(steps) for _ in range(step) for rows, cols in arrays
    )
    size = (dim, widths, samples)
    assert counting.factored_operations(*size, steps) == steps * products + factors
    assert counting.updated_operations(*size, steps) == steps * (products + 2 * entries)
    assert counting.least_operations(*size, steps) == steps * (products + 2 * entries)
    assert counting.least_operations(*size, 2) == 2 * products + 2 * 2 * (3 + 5 + 4 + 3)
    assert counting.step_bytes(*size) == 8 * (3 * entries + samples * dim)


def test_what_training_counts_itself_goes_first() -> None:
    silent, telling = (
        SimpleNamespace(),
        SimpleNamespace(operations=3.0, bytes_moved=5.0, method="shared"),
    )
    stats: Any = [telling, telling]
    assert counting.counted_operations(stats, 1.0) == 6.0
    assert counting.counted_bytes(stats, 1.0) == 10.0
    assert counting.method(stats[0]) == "shared"
    stats = [silent]
    assert counting.counted_operations(stats, 1.0) == 1.0
    assert counting.counted_bytes(stats, 2.0) == 2.0
    assert counting.method(stats[0]) == "in_place"


def test_the_machine_says_what_spoils_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in machine.PRESET:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("os.getloadavg", lambda: (0.0, 0.0, 0.0))
    quiet = machine.machine("click")
    assert quiet.warnings == ()
    assert quiet.cores >= 1
    assert {"lindmft", "NumPy", "click"} <= quiet.versions.keys()
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    monkeypatch.setattr("os.getloadavg", lambda: (64.0, 0.0, 0.0))
    kernels, busy = machine.machine().warnings
    assert "OPENBLAS_CORETYPE is set (Haswell)" in kernels
    assert "load 64.00" in busy
    assert f"Warning: {busy}" in machine.machine().lines()


@pytest.mark.parametrize("missing", ["os.getloadavg", "os.sysconf", "pathlib.Path.read_text"])
def test_a_machine_that_says_little(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: object, **_options: object) -> None:
        raise OSError

    monkeypatch.setattr(missing, fail)
    found = machine.machine()
    assert found.cpu
    assert found.lines()[0].startswith("machine")


@pytest.mark.long
def test_the_command_prints_and_saves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(benchmark, "QUICK", TINY)
    path = tmp_path / "bench.json"
    arguments = ["bench", "--quick", "--threads", "1", "--json", str(path)]
    result = CliRunner().invoke(commands, arguments)
    assert result.exit_code == 0, result.output
    for line in ("machine ", "BLAS ", "matrix products, GFLOP/s ", "theory, depth 2, 60 steps "):
        assert f"\n{line}" in f"\n{result.stdout}"
    assert "measuring limits ..." in result.stderr
    saved = json.loads(path.read_text(), parse_constant=lambda name: pytest.fail(name))
    assert saved["limits"]["threads"] == 1
    assert saved["jobs"][0]["name"] == "theory, depth 2, 30 steps"
    assert saved["machine"]["versions"]["lindmft"] == lm.__version__
    assert saved["seconds"] > 0.0
    refused = CliRunner().invoke(commands, arguments)
    assert refused.exit_code == 2
    assert f"{path} exists; --force replaces it" in refused.stderr
    assert np.isfinite([job["fraction"] for job in saved["jobs"]]).all()


def test_bad_threads_are_refused() -> None:
    with pytest.raises(ValueError, match="threads must be"):
        benchmark.run(sizes=TINY, threads=-1)
