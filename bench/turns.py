"""Benchmarks by turns: peers in processes of their own, one working while the others wait.

Libraries that bring threads of their own (BLAS, OpenMP, XLA, torch) disturb each other within one
process; here each has its own, set up as suits it best, and all share the machine's changing mood:
a round is one turn of each, and ratios are taken within rounds.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PRESET = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
PAUSE = 0.1  # seconds in which threads that still spin go to sleep
WORKER = Path(__file__).parent / "peer_worker.py"


class Worker:
    """One process of peer_worker.py, in an environment without presets of BLAS."""

    def __init__(self, library: str) -> None:
        environment = {name: v for name, v in os.environ.items() if name not in PRESET}
        self.process = subprocess.Popen(
            [sys.executable, str(WORKER), library],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )

    def ask(self, **request: Any) -> Any:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"a worker ended with code {self.process.wait()}")
        return json.loads(line)

    def close(self) -> None:
        """Ends with its input, or, where the benchmark was interrupted in its turn, at once."""
        assert self.process.stdin
        self.process.stdin.close()
        try:
            self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Workers(dict[str, Worker]):
    """Processes by library, started when first asked for."""

    def __missing__(self, library: str) -> Worker:
        self[library] = Worker(library)
        return self[library]

    def __enter__(self) -> "Workers":
        return self

    def __exit__(self, *_error: object) -> None:
        for worker in self.values():
            worker.close()


@dataclass
class Peer:
    """What it is called, where it runs, its task there, and what came out.

    ``units`` are what seconds are divided by: networks times steps, or solves.
    """

    name: str
    library: str
    task: dict[str, Any]
    units: float = 1.0
    seconds: list[float] = field(default_factory=list)  # a round, a unit
    results: list[dict[str, Any]] = field(default_factory=list)  # a round
    about: str = ""

    @property
    def result(self) -> dict[str, Any]:
        """Of the last round."""
        return self.results[-1]

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)


def take_turns(workers: Workers, peers: list[Peer], rounds: int) -> list[Peer]:
    """Those peers that could run, with their times; the order turns round from round to round."""
    ready = []
    for number, peer in enumerate(peers):
        said = workers[peer.library].ask(do="prepare", number=number, **peer.task)
        peer.about = said["about"]
        if said["ready"]:
            ready.append((number, peer))
    for i in range(rounds):
        shift = i % len(ready)
        for number, peer in ready[shift:] + ready[:shift]:
            time.sleep(PAUSE)
            peer.results.append(workers[peer.library].ask(do="run", number=number))
            peer.seconds.append(peer.result["seconds"] / peer.units)
    for library in {peer.library for peer in peers}:
        workers[library].ask(do="forget")
    return [peer for _, peer in ready]


def ratio(peer: Peer, to: Peer) -> float:
    """Median over rounds of how many times as long a unit takes."""
    return statistics.median(a / b for a, b in zip(peer.seconds, to.seconds, strict=True))
