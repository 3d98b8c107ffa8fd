"""One process of the comparison, which runs the tasks of one library for peers.py.

Requests and answers are lines of JSON. ``prepare`` builds a task, runs it once without timing and
chooses its fastest configuration; ``run`` runs it once from the start and times it; ``forget``
deletes all tasks.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from arrays import Sizes, Start, start

Result = dict[str, Any]
Run = Callable[[], Result]
Prepared = tuple[Run, str]  # the function to call, and its description
REFERENCE = (2, 1.0, 1.0, 2.0, 0.3, 0.1)  # depth, width, gamma0, alpha, noise, lr of the theory
CORES = len(os.sched_getaffinity(0))


def timed(call: Callable[[], Any]) -> tuple[float, Any]:
    begin = time.perf_counter()
    result = call()
    return time.perf_counter() - begin, result


def fastest(candidates: dict[str, Callable[[], float]]) -> str:
    """Return the name of the quickest one, by the better of two attempts each."""
    seconds = {name: min(call(), call()) for name, call in candidates.items()}
    return min(seconds, key=lambda name: seconds[name])


def training(request: dict[str, Any]) -> tuple[Sizes, Start, int]:
    sizes = Sizes(dim=request["dim"], depth=request["depth"])
    return sizes, start(sizes), request["steps"]


def from_the_start(build: Callable[[], Any], steps: int) -> Run:
    def run() -> Result:
        peer = build()
        seconds, losses = timed(lambda: peer.run(steps))
        return {"seconds": seconds, "losses": losses.tolist()}

    return run


# ---- NumPy


def numpy_training(request: dict[str, Any]) -> Prepared:
    from threadpoolctl import threadpool_limits
    from train_numpy import Collapsed

    sizes, begin, steps = training(request)

    def trial(update: str, threads: int) -> float:
        ger = update == "dger"
        peer = Collapsed(sizes, begin, ger)
        with threadpool_limits(threads):
            peer.run(2)
            return timed(lambda: peer.run(5))[0]

    choices = {(update, threads) for update in request["updates"] for threads in (1, CORES)}
    best = fastest({json.dumps(c): lambda c=c: trial(*c) for c in choices})
    update, threads = json.loads(best)
    run = from_the_start(lambda: Collapsed(sizes, begin, update == "dger"), steps)

    def limited() -> Result:
        with threadpool_limits(threads):
            return run()

    return limited, f"collapsed loop, {update}, {threads} BLAS threads"


def numpy_theory(request: dict[str, Any]) -> Prepared:
    from dense_numpy import solve_dense
    from dense_plain import solve_plain
    from threadpoolctl import threadpool_limits

    solve, steps = {"lean": solve_dense, "plain": solve_plain}[request["kind"]], request["steps"]

    def trial(threads: int) -> float:
        with threadpool_limits(threads):
            return timed(lambda: solve(*REFERENCE, steps, tol=np.inf))[0]

    threads = int(fastest({str(n): lambda n=n: trial(n) for n in {1, CORES}}))

    def run() -> Result:
        with threadpool_limits(threads):
            seconds, (test, _, sweeps) = timed(lambda: solve(*REFERENCE, steps))
        return {"seconds": seconds, "losses": test.tolist(), "note": f"{sweeps} sweeps"}

    return run, f"dense fixed point, {threads} BLAS threads"


# ---- torch, JAX


def torch_training(request: dict[str, Any]) -> Prepared:
    import torch
    from train_torch import Autograd

    torch.set_num_threads(CORES)
    sizes, begin, steps = training(request)
    Autograd(sizes, begin).run(1)
    return from_the_start(lambda: Autograd(sizes, begin), steps), f"autograd, {CORES} threads"


def jax_training(request: dict[str, Any]) -> Prepared:
    from train_jax import Compiled

    sizes, begin, steps = training(request)

    def trial(kind: str) -> float:
        peer, few = Compiled(sizes, begin, kind), min(steps, 5)
        peer.run(few)
        return timed(lambda: peer.run(few))[0]

    kind = fastest({kind: lambda kind=kind: trial(kind) for kind in request["kinds"]})
    peer = Compiled(sizes, begin, kind)

    def run() -> Result:
        peer.restart(begin)
        seconds, losses = timed(lambda: peer.run(steps))
        return {"seconds": seconds, "losses": losses.tolist()}

    run()  # compiles
    return run, f"compiled, {kind}"


def jax_theory(request: dict[str, Any]) -> Prepared:
    from dense_jax import solve_jax

    steps = request["steps"]
    solve_jax(*REFERENCE, steps, tol=np.inf)  # compiles

    def run() -> Result:
        seconds, (test, _, sweeps) = timed(lambda: solve_jax(*REFERENCE, steps))
        return {"seconds": seconds, "losses": test.tolist(), "note": f"{sweeps} sweeps"}

    return run, "dense fixed point, compiled sweeps"


# ---- lindmft


def lindmft_single(request: dict[str, Any]) -> Prepared:
    """Time one network; ``steps alone`` is the difference to a run of one step."""
    import lindmft as lm
    from lindmft.machine import benchmark

    dim, steps, alone = request["dim"], request["steps"], request["alone"]
    problem = benchmark.reference(depth=request["depth"])

    def train(count: int) -> tuple[float, Any]:
        return timed(lambda: lm.train(problem, count, dim=dim, seeds=[0]))

    def run() -> Result:
        before = train(1)[0] if alone else 0.0
        seconds, runs = train(steps + alone)
        losses = runs.train_loss[0][:steps].tolist()
        note = runs.stats.method
        return {"seconds": max(seconds - before, 1e-9), "losses": losses, "note": note}

    run()
    return run, "steps alone" if alone else "with initialization"


def lindmft_sweep(request: dict[str, Any]) -> Prepared:
    """Time learning rates times seeds; the peers have the last rate and the first seed."""
    import lindmft as lm
    from lindmft.machine import benchmark

    dim, steps = request["dim"], request["steps"]
    problems = [
        benchmark.reference(lr=lr, depth=request["depth"])
        for lr in np.geomspace(0.01, 0.1, request["rates"])
    ]
    seeds = list(range(request["seeds"]))

    def run() -> Result:
        seconds, runs = timed(lambda: lm.train_many(problems, steps, dim=dim, seeds=seeds))
        last = runs[-1]
        return {
            "seconds": seconds,
            "losses": last.train_loss[0].tolist(),
            "operations": sum(one.stats.operations for one in runs),
            "note": last.stats.method,
        }

    run()
    return run, f"{len(problems)} rates x {len(seeds)} seeds, with initialization"


def lindmft_theory(request: dict[str, Any]) -> Prepared:
    import lindmft as lm
    from lindmft.machine import benchmark

    def run() -> Result:
        seconds, solution = timed(lambda: lm.solve(benchmark.reference(), request["steps"]))
        stats = solution.stats
        note = f"{stats.row_sweeps / stats.nodes:.1f} sweeps a row"
        losses = solution.test_loss.tolist()
        return {"seconds": seconds, "losses": losses, "operations": stats.flops, "note": note}

    run()
    return run, "exact steps"


def lindmft_small(request: dict[str, Any]) -> Prepared:
    """Time a learning-rate curve at eight widths."""
    import lindmft as lm
    from lindmft.machine import benchmark

    count, steps, threads = request["count"], request["steps"], request["threads"]
    rates = np.repeat(np.geomspace(0.01, 0.1, -(-count // 8)), 8)[:count]
    problems = [benchmark.reference(lr, 0.5 * (1 + i % 8)) for i, lr in enumerate(rates)]

    def run() -> Result:
        seconds, solutions = timed(lambda: lm.solve_many(problems, steps, threads=threads))
        operations = sum(solution.stats.flops for solution in solutions)
        losses = [solution.test_loss[-1] for solution in solutions]
        return {"seconds": seconds, "losses": losses, "operations": operations}

    lm.solve_many(problems[:8], steps, threads=threads)
    return run, f"solve_many, {threads} threads"


def lindmft_limits(request: dict[str, Any]) -> Prepared:
    """Measure operations per second of matrix products, in turn with everything else."""
    from lindmft import _core

    def run() -> Result:
        limits = _core.machine_limits(threads=CORES, seconds=request["seconds"])
        return {"seconds": 1.0, "limits": limits, "losses": []}

    return run, "limits"


TASKS = {
    ("numpy", "train"): numpy_training,
    ("numpy", "theory"): numpy_theory,
    ("torch", "train"): torch_training,
    ("jax", "train"): jax_training,
    ("jax", "theory"): jax_theory,
    ("lindmft", "train"): lindmft_single,
    ("lindmft", "sweep"): lindmft_sweep,
    ("lindmft", "theory"): lindmft_theory,
    ("lindmft", "small"): lindmft_small,
    ("lindmft", "limits"): lindmft_limits,
}


def main(library: str) -> None:
    answers, sys.stdout = sys.stdout, sys.stderr  # output of libraries is redirected
    tasks: dict[int, Run] = {}
    for line in sys.stdin:
        request = json.loads(line)
        answer: Any = {}
        if request["do"] == "prepare":
            prepared = TASKS[library, request["kind_of_task"]](request)
            answer = {"ready": prepared is not None, "about": prepared[1] if prepared else ""}
            if prepared:
                tasks[request["number"]] = prepared[0]
        elif request["do"] == "run":
            answer = tasks[request["number"]]()
        else:
            tasks.clear()
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
