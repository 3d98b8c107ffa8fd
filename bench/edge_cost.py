"""Cost of looking for instabilities, and of a spectrum.

python bench/edge_cost.py [package] [rounds]

Solves the reference problem for 10^6 adaptive steps by turns with another version of the package
(in the folder ``package``, if it is given), in one process each, ``rounds`` = 9 times. Then
compares 200 steps with and without a spectrum of 16 steps of Lanczos' method at the last one.
"""

import json
import statistics
import subprocess
import sys
from pathlib import Path

HERE = str(Path(__file__).parents[1] / "python")
REFERENCE = """
import lindmft as lm
problem = lm.Problem(lm.MLP(depth=2), lm.FullBatch(alpha=2.0, noise=0.3), lm.SGD(lr=0.1))
"""
LONG = """
def run():
    lm.solve(problem, 10**6, grid="adaptive", threads=1)
"""
SHORT = """
def run():
    lm.solve(problem, 200, threads=1)
"""
SPECTRUM = """
def run():
    lm.solve(problem, 200, threads=1, spectrum_at=199, lanczos=16)
"""
TURNS = """
import sys, time
run()
print("ready", flush=True)
for _ in sys.stdin:
    begin = time.perf_counter()
    run()
    print(time.perf_counter() - begin, flush=True)
"""


class Turn:
    """A process that runs one task at each request."""

    def __init__(self, task: str, package: str) -> None:
        path = f"import sys; sys.path.insert(0, {json.dumps(package)})\n"
        self.process = subprocess.Popen(
            [sys.executable, "-c", path + REFERENCE + task + TURNS],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._line() == "ready\n"

    def _line(self) -> str:
        assert self.process.stdout
        return self.process.stdout.readline()

    def seconds(self) -> float:
        """Return the time of one run."""
        assert self.process.stdin
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return float(self._line())

    def close(self) -> None:
        """End the process with its input."""
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait()


def compare(name: str, first: Turn, second: Turn, rounds: int) -> None:
    """Print medians, and the median over rounds of the ratio."""
    pairs = []
    for i in range(rounds):
        turns = (first, second) if i % 2 == 0 else (second, first)
        times = {turn: turn.seconds() for turn in turns}
        pairs.append((times[first], times[second]))
    a, b = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratio = statistics.median(y / x for x, y in pairs)
    print(f"| {name} | {1e3 * a:.0f} ms | {1e3 * b:.0f} ms | {ratio:.2f} |", flush=True)
    for turn in (first, second):
        turn.close()


def main(package: str | None, rounds: int) -> None:
    """Print the table."""
    print("| | without | with | ratio |\n|---|---|---|---|")
    if package:
        compare("10^6 steps, looks", Turn(LONG, package), Turn(LONG, HERE), rounds)
    compare("200 steps, a spectrum", Turn(SHORT, HERE), Turn(SPECTRUM, HERE), rounds)


if __name__ == "__main__":
    given = sys.argv[1:]
    main(given[0] if given else None, int(given[1]) if len(given) > 1 else 9)
