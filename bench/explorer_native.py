"""The native half of bench/explorer.mjs, which starts it and asks for one case at a time.

Each line of the input is the name of a case. The answer is a line with the seconds of its calls and
the last test loss, on one thread.
"""

import sys
import time

import lindmft as lm

RATES = [0.01 * 1.1**i for i in range(24)]


def problem(depth: int, lr: float = 0.1) -> lm.Problem:
    return lm.Problem(lm.MLP(depth=depth), lm.FullBatch(alpha=2.0, noise=0.3), lm.SGD(lr=lr))


def run(case: str) -> float:
    kind, *numbers = case.split()
    if kind == "solve":
        depth, steps = map(int, numbers)
        return float(lm.solve(problem(depth), steps, threads=1).test_loss[-1])
    if kind == "curve":
        return [lm.solve(problem(2, lr), 100, threads=1) for lr in RATES][-1].test_loss[-1]
    networks = lm.train(problem(2), 100, dim=200, seeds=16, threads=1)
    return float(networks.test_loss[-1, -1])


for line in sys.stdin:
    begin = time.perf_counter()
    loss = run(line.strip())
    print(time.perf_counter() - begin, float(loss), flush=True)
