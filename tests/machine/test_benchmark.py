"""``lindmft bench``: limits, counted work, output and files. No time is asserted."""

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import lindmft as lm
from lindmft.cli.commands import commands
from lindmft.machine import benchmark, machine

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
def test_jobs_over_many_problems() -> None:
    done = benchmark.run(sizes=TINY, threads=1)
    names = ["theory, 4 solves of 10 steps", "training, 2 rates x 2 seeds, dim 16"]
    solves, sweep = (next(job for job in done.jobs if job.name == name) for name in names)
    assert solves.operations > 0.0
    assert solves.note.endswith("solves a second")
    step = 4 * (32 * 16 + 2 * 16 * 16)  # two products with the samples and with each array
    assert sweep.operations >= 4 * 5 * step
    assert "us a network and step" in sweep.note
    assert all(job.seconds > 0.0 for job in done.jobs)


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
