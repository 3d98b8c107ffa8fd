"""Real processes: forks, spawned workers, threads, Ctrl-C, kills, and other loaded libraries."""

import json
import multiprocessing
import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import scipy.linalg
from builds import needs_openmp
from child import PATIENCE, run, start
from problems import problem

import lindmft as lm

EXAMPLE = Path(__file__).parents[2] / "examples" / "overfitting.toml"
PROBLEM = problem()

# The program of a child: it prints one line with the bits and the threads it used.
WORK = """
import hashlib
import lindmft as lm

PROBLEM = lm.Problem(lm.MLP(depth=2), lm.FullBatch(alpha=2.0, noise=0.3), lm.SGD(lr=0.1))

def bits():
    theory = lm.solve(PROBLEM, 40, save="all", threads=2)
    runs = lm.train(PROBLEM, 20, dim=32, seeds=4, threads=2)
    numbers = (theory.test_loss, theory.C_h[2], theory.R_delta, runs.test_loss, runs.feature_norm)
    whole = hashlib.sha256(b"".join(array.tobytes() for array in numbers)).hexdigest()
    return f"{whole} {theory.stats.threads} {runs.stats.threads}"
"""
POOL_AFTER_FORK = """
import multiprocessing
print(bits())
with multiprocessing.get_context("fork").Pool(2) as pool:
    for line in [pool.apply_async(bits) for _ in range(3)]:
        print(line.get(timeout=30))
print(bits())
"""
BARE_FORK = """
import os, signal
print(bits(), flush=True)
child = os.fork()
if child == 0:
    signal.alarm(30)  # a hung child ends here
    print(bits(), flush=True)
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
print(bits())
"""


def bits_and_threads(line: str) -> tuple[str, list[int]]:
    bits, *threads = line.split()
    return bits, [int(number) for number in threads]


@needs_openmp
@pytest.mark.parametrize("code", [POOL_AFTER_FORK, BARE_FORK], ids=["pool", "os.fork"])
def test_a_forked_child_computes_on_one_thread(code: str) -> None:
    """The threads of OpenMP do not survive a fork: the child would wait for them without end."""
    lines = run(WORK + code).splitlines()
    (expected, in_parent), *children, (again, afterwards) = map(bits_and_threads, lines)
    assert in_parent == afterwards == [2, 2]
    assert again == expected
    assert children
    assert children == [(expected, [1, 1])] * len(children)


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_new_processes_compute_the_same(method: str) -> None:
    expected = lm.solve(PROBLEM, 40, threads=2)
    with multiprocessing.get_context(method).Pool(1) as pool:
        seen = pool.apply_async(lm.solve, (PROBLEM, 40), {"threads": 2}).get(timeout=PATIENCE)
    np.testing.assert_array_equal(seen.test_loss, expected.test_loss)
    assert seen.stats.threads == expected.stats.threads
    assert seen.problem == expected.problem


def test_calls_from_several_threads_do_not_disturb_each_other() -> None:
    rates = [0.02, 0.05, 0.08, 0.1]
    problems = [problem(optimizer={"lr": lr}) for lr in rates]

    def both(setting: dict[str, object]) -> list[np.ndarray]:
        theory = lm.solve(setting, 60, save=["C_v"], threads=2)
        runs = lm.train(setting, 20, dim=32, seeds=3, threads=2)
        return [theory.test_loss, theory.C_v, runs.test_loss, runs.gradient_norm]

    serial = [both(setting) for setting in problems]
    with ThreadPoolExecutor(4) as pool:
        for _ in range(3):
            concurrent = list(pool.map(both, problems))
            for one, other in zip(serial, concurrent, strict=True):
                for expected, seen in zip(one, other, strict=True):
                    np.testing.assert_array_equal(seen, expected)


LONG: dict[str, Callable[[], object]] = {
    "solve": lambda: lm.solve(PROBLEM, 400, threads=1),
    "flow": lambda: lm.flow(PROBLEM, 1e3, rtol=1e-7, threads=1),
    "solve_many": lambda: lm.solve_many([PROBLEM] * 40, 100, threads=1),
    "train": lambda: lm.train(PROBLEM, 5_000, dim=128, seeds=4, threads=1),
    "train_many": lambda: lm.train_many([PROBLEM] * 2, 2_000, dim=128, seeds=4, threads=1),
    "train_replicas": lambda: lm.train_replicas(PROBLEM, 2_000, dim=128, seeds=2, threads=1),
}


@pytest.mark.parametrize("name", LONG)
def test_other_threads_run_during_a_computation(name: str) -> None:
    """If the interpreter were locked, this loop would run a few times before and after the call."""
    turns = 0
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(LONG[name])
        while not future.done():
            turns += 1
            time.sleep(0.001)
    assert future.exception() is None
    assert turns > 10


INTERRUPTED = """
import sys
import lindmft as lm
problem = lm.Problem(lm.MLP(), lm.FullBatch(alpha=2.0, noise=0.3), lm.SGD(lr=0.05))
print("ready", flush=True)
try:
    if sys.argv[1] == "solve":
        lm.solve(problem, 3000, threads=int(sys.argv[2]))
    else:
        lm.train(problem, 10**6, dim=100, seeds=50, threads=int(sys.argv[2]))
    print("ran to its end")
except KeyboardInterrupt:
    print("interrupted", flush=True)
print(lm.solve(problem, 3).test_loss.round(4).tolist())
"""


@pytest.mark.long
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("name", ["solve", "train"])
def test_ctrl_c_ends_a_long_call_and_leaves_the_process_in_order(name: str, threads: int) -> None:
    with start(INTERRUPTED, name, threads) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.5)  # well into the call, which takes minutes
        process.send_signal(signal.SIGINT)
        try:
            rest, _ = process.communicate(timeout=PATIENCE)
        finally:
            process.kill()
    problem = lm.Problem(lm.MLP(), lm.FullBatch(alpha=2.0, noise=0.3), lm.SGD(lr=0.05))
    assert rest.splitlines() == [
        "interrupted",
        str(lm.solve(problem, 3).test_loss.round(4).tolist()),
    ]


def read_until(terminal: int, text: bytes, patience: float = PATIENCE) -> bytes:
    """Return the output of a process on its terminal, up to this text, its end, or a timeout."""
    shown = b""
    end = time.monotonic() + patience
    while text not in shown and (left := end - time.monotonic()) > 0:
        if select.select([terminal], [], [], left)[0]:
            try:
                shown += os.read(terminal, 1000)
            except OSError:  # the other side is closed
                break
    return shown


def test_an_interrupted_command_leaves_the_earlier_file(tmp_path: Path) -> None:
    output = tmp_path / "runs.nc"
    lm.train(PROBLEM, 3, dim=16, seeds=2).save(output)
    before = output.read_bytes()
    try:
        terminal, inside = pty.openpty()
    except OSError:
        pytest.skip("the system has no pseudo-terminals")
    termios.tcsetwinsize(inside, (24, 80))
    options = ["--steps", "1000000", "--output", str(output), "--force"]
    command = [sys.executable, "-m", "lindmft", "train", str(EXAMPLE), *options]
    with subprocess.Popen(command, stdin=inside, stdout=subprocess.PIPE, stderr=inside) as process:
        os.close(inside)
        try:
            assert b"train:" in read_until(
                terminal, b"train:"
            )  # the progress bar shows that it computes
            process.send_signal(signal.SIGINT)
            shown = read_until(terminal, b"Interrupted.")
            printed, _ = process.communicate(timeout=PATIENCE)
        finally:
            process.kill()
            os.close(terminal)
    assert process.returncode == 130
    assert b"Interrupted." in shown
    assert b"Traceback" not in shown
    assert printed == b""
    assert output.read_bytes() == before
    assert list(tmp_path.iterdir()) == [output]


SAVING = """
import sys
import lindmft as lm
problem = lm.Problem(lm.MLP(), lm.Population(), lm.SGD(lr=0.1))
short, long = lm.solve(problem, 20), lm.solve(problem, 30)
short.save(sys.argv[1])
print("ready", flush=True)
while True:
    long.save(sys.argv[1])
    short.save(sys.argv[1])
"""


@pytest.mark.long
def test_a_reader_never_meets_half_a_file_even_after_a_kill(tmp_path: Path) -> None:
    file = tmp_path / "theory.nc"
    with start(SAVING, file) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            lengths = {len(lm.Solution.load(file).time) for _ in range(15)}
        finally:
            process.kill()
    assert lengths == {20, 30}  # the file was replaced repeatedly meanwhile
    assert len(lm.Solution.load(file).time) in lengths
    remains = [path.name for path in tmp_path.iterdir() if path != file]
    assert len(remains) <= 1, "a kill leaves at most the file that was being written"
    assert all(name.startswith(".theory.nc.") for name in remains)


def test_blas_of_other_libraries_and_ours_do_not_disturb_each_other() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.standard_normal((2, 300, 300))

    def theirs() -> list[np.ndarray]:
        return [a @ b, scipy.linalg.solve(a, b), scipy.linalg.svdvals(a), np.linalg.inv(b)]

    def ours() -> list[np.ndarray]:
        return [
            lm.solve(PROBLEM, 60, threads=2).test_loss,
            lm.train(PROBLEM, 10, dim=32, seeds=2, threads=2).test_loss,
        ]

    expected_theirs, expected_ours = theirs(), ours()
    for _ in range(3):
        for seen, expected in zip(theirs() + ours(), expected_theirs + expected_ours, strict=True):
            np.testing.assert_array_equal(seen, expected)


BLAS_THREADS = """
import json, sys
import numpy, scipy.linalg, threadpoolctl
def pools():
    found = threadpoolctl.threadpool_info()
    return {pool["filepath"]: pool["num_threads"] for pool in found if pool["user_api"] == "blas"}
with threadpoolctl.threadpool_limits(2, "blas"):  # whatever the machine
    before = pools()
    import lindmft as lm
    problem = lm.Problem(lm.MLP(), lm.FullBatch(alpha=2.0), lm.SGD(lr=0.1))
    lm.solve(problem, 40, threads=2)
    print(json.dumps([before, pools()]))
"""


def test_our_blas_has_one_thread_and_others_keep_theirs() -> None:
    before, after = json.loads(run(BLAS_THREADS))
    assert before
    assert {path: after[path] for path in before} == before
    own = {path: threads for path, threads in after.items() if path not in before}
    assert list(own.values()) == [1]
    assert "scipy_openblas32" in next(iter(own))


@pytest.mark.parametrize("first", [True, False], ids=["before", "after"])
def test_scipy_may_be_imported_before_or_after(first: bool) -> None:
    """The BLAS of SciPy has symbols of nearly the same names as ours."""
    alone = run(WORK + "print(bits())")
    work = "import numpy, scipy.linalg\nscipy.linalg.svdvals(numpy.ones((300, 300)))\n"
    code = work + WORK if first else WORK + "bits()\n" + work
    assert run(code + "print(bits())") == alone


CROWD = """
import os
def threads():
    return len(os.listdir("/proc/self/task"))
before = threads()
bits()
started = threads() - before
for _ in range(3):
    bits()
    lm.solve_many([PROBLEM] * 4, 40, threads=2)
    lm.solve_many([PROBLEM] * 4, 40, threads=1)
print(started, threads() - before)
"""


@needs_openmp
@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="needs Linux")
def test_threads_are_used_again_and_no_more_than_asked() -> None:
    """There are two threads, the caller and one more that waits for the next call."""
    assert run(WORK + CROWD) == "1 1\n"


ORDER = """
print(bits())
import numpy as np
product = torch.ones(400, 400) @ torch.ones(400, 400)
assert float(product.sum()) == 400.0**3
print(bits())
"""


@pytest.mark.skipif(find_spec("torch") is None, reason="needs torch")
@pytest.mark.parametrize(
    "first", ["import torch\n" + WORK, WORK + "import torch\n"], ids=["before", "after"]
)
def test_torch_may_be_imported_before_or_after(first: str) -> None:
    alone = run(WORK + "print(bits())")
    assert run(first + ORDER).splitlines() == [alone.strip()] * 2
