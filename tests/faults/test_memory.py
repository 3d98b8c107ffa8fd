"""Memory: too large calls are refused before they allocate, and estimates match what calls take.

bench/memory.py does the same for random problems.
"""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from child import run

import lindmft as lm
from lindmft._internal import memory

PROBLEM = lm.Problem(lm.MLP(depth=2), lm.FullBatch(alpha=2.0, noise=0.3), lm.SGD(lr=0.05))
LARGE = 10**6
BYTES = re.compile(r"needs [\d.e+-]+ GiB \((\d+) bytes\) but may take [\d.e+-]+ GiB \(\d+ bytes\)")
CALLS: dict[str, Callable[[], object]] = {
    "solve": lambda: lm.solve(PROBLEM, LARGE),
    "save": lambda: lm.solve(PROBLEM, LARGE, save="all"),
    "kernels": lambda: lm.solve(PROBLEM, LARGE, kernels=True),
    "replicas": lambda: lm.solve(PROBLEM, LARGE, replicas=True),
    "state": lambda: lm.solve(PROBLEM, LARGE, keep_state=True),
    "solve_many": lambda: lm.solve_many([PROBLEM, PROBLEM], LARGE),
    "train": lambda: lm.train(PROBLEM, 10, dim=LARGE),
    "train_many": lambda: lm.train_many([PROBLEM, PROBLEM], 10, dim=LARGE),
    "train_replicas": lambda: lm.train_replicas(PROBLEM, 10, dim=LARGE),
    "seeds": lambda: lm.train(PROBLEM, 10**9, dim=10, seeds=1000),
    "sweep": lambda: lm.sweep(
        PROBLEM,
        {"optimizer.lr": np.linspace(0.01, 0.1, 2000)},
        200,
        run="train",
        dim=4,
        seeds=10**5,
    ),
}


def resident(key: str) -> float:
    found = re.search(rf"{key}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found
    return 1024.0 * int(found[1])


@pytest.mark.parametrize("name", CALLS)
def test_refused_before_it_is_allocated(name: str) -> None:
    before = resident("VmRSS")
    with pytest.raises(MemoryError) as refused:
        CALLS[name]()
    found = BYTES.search(str(refused.value))
    assert found, refused.value
    assert int(found[1]) > 2**34
    assert resident("VmRSS") < before + 2**28


def test_python_asks_too(monkeypatch: pytest.MonkeyPatch) -> None:
    theory = lm.solve(PROBLEM, 50, save="all")
    rng = np.random.default_rng(0)
    calls: list[Callable[[], object]] = [
        lambda: lm.from_data(rng.standard_normal((300, 100)), rng.standard_normal(300)),
        lambda: lm.from_covariance(np.eye(200), np.ones(200)),
        theory.to_xarray,
        lambda: lm.sweep(PROBLEM, {"optimizer.lr": np.linspace(0.01, 0.1, 500)}, 50),
    ]
    monkeypatch.setattr(memory._core, "free_memory", lambda: 1e5)
    for call in calls:
        with pytest.raises(MemoryError, match=BYTES):
            call()


# Measured peaks above the memory at the start, divided by the estimates, for a few calls.
TRUTH = """
import sys
sys.path.insert(0, sys.argv[1])
from memory import peak, said
import lindmft as lm
problem = lm.Problem(lm.MLP(depth=2), lm.FullBatch(alpha=2.0, noise=0.3), lm.SGD(lr=0.05))
one = dict(threads=1)
seed = dict(seeds=1, threads=1)
CALLS = [
    lambda **more: lm.solve(problem, 600, **one, **more),
    lambda **more: lm.solve(problem, 400, save="all", **one, **more),
    lambda **more: lm.solve(problem, 400, keep_state=True, **one, **more),
    lambda **more: lm.solve(problem, 400, replicas=True, kernels=True, **one, **more),
    lambda **more: lm.solve_many([problem] * 4, 300, save="all", **one, **more),
    lambda **more: lm.train(problem, 3, dim=1000, seeds=1, **one, **more),
    lambda **more: lm.train_many(
        list(problem.vary({"optimizer.lr": [0.01, 0.02, 0.03]})), 100, dim=600, **seed, **more
    ),
    lambda **more: lm.train_replicas(problem, 3, dim=500, seeds=1, **one, **more),
]
lm.solve(problem, 50, **one), lm.train(problem, 3, dim=50, seeds=1, **one)
for call in CALLS:
    wanted = said(call)
    taken, told = peak(lambda: call(memory_limit=wanted * (1 + 1e-9)))
    assert not told, told
    print((taken - 3 * 2**20) / wanted, taken / wanted)
size = lm.estimate_memory(problem, 600)
taken, _ = peak(lambda: lm.solve(problem, 600, threads=1))
print((taken - 3 * 2**20) / size, taken / size)
"""


@pytest.mark.long
def test_a_call_takes_what_it_says_that_it_takes() -> None:
    bench = Path(__file__).parents[2] / "bench"
    shares = [tuple(map(float, line.split())) for line in run(TRUTH, bench).splitlines()]
    assert len(shares) == 9
    for without_the_process, whole in shares:
        assert without_the_process <= 1.0
        assert whole > 0.5


LIMITED = """
import resource
from pathlib import Path
import lindmft as lm
problem = lm.Problem(lm.MLP(depth=2), lm.FullBatch(alpha=2.0, noise=0.3), lm.SGD(lr=0.05))
expected = lm.solve(problem, 100, threads=2).test_loss.tolist()
used = int(Path("/proc/self/statm").read_text().split()[0]) * 4096
limit = used + 2**28
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
for call in (
    lambda: lm.solve(problem, 4000),
    lambda: lm.train(problem, 10, dim=8000),
    lambda: lm.solve(problem, 4000, memory_limit=2**40),  # this limit is trusted
):
    try:
        call()
    except MemoryError as error:
        print(type(error).__name__, "bytes" in str(error))
print(lm.solve(problem, 100, threads=2).test_loss.tolist() == expected)
"""


def test_a_limit_on_the_process_counts_as_its_memory() -> None:
    told = run(LIMITED).splitlines()
    assert told == ["MemoryError True", "MemoryError True", "MemoryError False", "True"]
