"""The number of threads of a call: defaults, reports, and results that do not depend on it."""

import os
from typing import Any

import numpy as np
import pytest
from builds import needs_openmp
from child import run
from problems import problem

import lindmft as lm
from lindmft import _core

CONFIG = _core.config()
CORES = CONFIG["cores"]
pytestmark = needs_openmp
SERIES = ("test_loss", "train_loss", "feature_norm", "gradient_norm", "chain_residual")
DATA: list[dict[str, Any]] = [
    {"kind": "full_batch", "alpha": 2.0},
    {"kind": "multi_pass", "alpha": 2.0, "batch_fraction": 0.5},
    {"kind": "one_pass", "alpha": 0.5},
    {"kind": "population"},
]


def train(threads: int | None, seeds: int = 5, **changes: Any) -> lm.Ensemble:
    return lm.train(problem(**changes), 15, dim=24, seeds=seeds, threads=threads)


@pytest.mark.parametrize("data", DATA, ids=lambda data: str(data["kind"]))
def test_training_has_the_same_bits_on_any_number_of_threads(data: dict[str, Any]) -> None:
    one = train(1, data=data)
    for threads in (2, 3, 100):
        other = train(threads, data=data)
        for name in SERIES:
            np.testing.assert_array_equal(getattr(other, name), getattr(one, name))


def test_threads_used_are_reported() -> None:
    assert train(1).stats.threads == 1
    assert train(2).stats.threads == 2
    assert train(4, seeds=3).stats.threads == 3, "a network is trained by one thread"
    assert lm.solve(problem(), 5, threads=2).stats.threads == 2
    assert train(2).provenance["threads"] == "2"


@pytest.mark.parametrize("default", [None, 0])
def test_the_default_is_the_allowed_cores(
    default: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LINDMFT_NUM_THREADS", raising=False)
    assert lm.solve(problem(), 5, threads=default).stats.threads == CORES
    assert train(default, seeds=CORES + 1).stats.threads == CORES


def test_more_threads_than_cores_work() -> None:
    many = lm.solve(problem(), 60, threads=100)
    assert many.stats.threads == 100
    np.testing.assert_array_equal(many.test_loss, lm.solve(problem(), 60, threads=1).test_loss)


@pytest.mark.parametrize("threads", [-1, 4097, 2**31, 1.5, "2", True])
def test_bad_numbers_of_threads_are_refused(threads: Any) -> None:
    for call in (lm.solve, lm.train):
        with pytest.raises(ValueError, match="^threads must be"):
            call(problem(), 3, threads=threads)


RESULT = """
import hashlib
import lindmft as lm
problem = lm.Problem(lm.MLP(depth=2), lm.FullBatch(alpha=2.0, noise=0.3), lm.SGD(lr=0.1))
theory = lm.solve(problem, 60, save="all")
runs = lm.train(problem, 15, dim=24, seeds=6)
arrays = (theory.test_loss, theory.C_delta, theory.C_g[1], runs.test_loss, runs.feature_norm)
print(hashlib.sha256(b"".join(array.tobytes() for array in arrays)).hexdigest())
"""


def test_the_environment_does_not_change_results() -> None:
    environments = [
        {},
        {"OMP_NUM_THREADS": "1"},
        {"OMP_NUM_THREADS": "3", "OMP_DYNAMIC": "true"},
        {"OMP_THREAD_LIMIT": "1", "OMP_WAIT_POLICY": "passive"},
        {"OPENBLAS_NUM_THREADS": "2", "OMP_PROC_BIND": "true"},
    ]
    assert len({run(RESULT, **environment) for environment in environments}) == 1


OF_A_CALL = """
import lindmft as lm
problem = lm.Problem(lm.MLP(depth=2), lm.FullBatch(alpha=2.0, noise=0.3), lm.SGD(lr=0.1))
def used(**options):
    theory, runs = lm.solve(problem, 5, **options), lm.train(problem, 5, dim=8, seeds=9, **options)
    return theory.stats.threads, runs.stats.threads
print(used(), used(threads=2))
lm.show_config()
"""


def test_a_variable_is_the_default_and_gives_way_to_an_argument() -> None:
    used, *config = run(OF_A_CALL, LINDMFT_NUM_THREADS="3").splitlines()
    assert used == "(3, 3) (2, 2)"
    assert f"threads          3 (LINDMFT_NUM_THREADS; {CORES} cores are allowed)" in config


@pytest.mark.parametrize("value", ["many", "0", "-1", "4097", "2.0"])
@pytest.mark.parametrize("threads", [None, 2])
def test_a_variable_that_is_no_number_of_threads_is_refused_by_name(
    value: str, threads: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LINDMFT_NUM_THREADS", value)
    calls = (
        lambda: lm.solve(problem(), 3, threads=threads),
        lambda: lm.flow(problem(), 3.0, threads=threads),
        lambda: lm.solve_many([problem()], 3, threads=threads),
        lambda: train(threads),
        lm.show_config,
    )
    for call in calls:
        with pytest.raises(ValueError, match="^LINDMFT_NUM_THREADS must be a whole number from 1"):
            call()
    monkeypatch.setenv("LINDMFT_NUM_THREADS", "")
    assert lm.solve(problem(), 3).stats.threads == CORES


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="needs Linux")
def test_the_default_respects_the_cores_a_process_may_use() -> None:
    code = (
        "import os\n"
        "os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\n"
        "from lindmft import _core\n"
        "print(_core.config()['threads'])\n"
    )
    assert run(code) == "1\n"
