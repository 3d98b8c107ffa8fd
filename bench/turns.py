"""Benchmarks by turns: peers run in separate processes, and one works while the others wait.

Libraries with separate threads (BLAS, OpenMP, XLA, torch) disturb each other within one process.
Here each library has one process with its best settings. The speed of a shared machine changes:
a round is one turn of each peer, and ratios are taken within rounds.
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
PAUSE = 0.1  # seconds: threads that still spin go to sleep
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
        """End the process, by force if it does not end with its input."""
        assert self.process.stdin
        self.process.stdin.close()
        try:
            self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Workers(dict[str, Worker]):
    """Processes by library, started at the first request."""

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
    """A peer: its name, its library, its task, and its results.

    Seconds are divided by ``units``: networks times steps, or solves.
    """

    name: str
    library: str
    task: dict[str, Any]
    units: float = 1.0
    seconds: list[float] = field(default_factory=list)  # per unit, one entry for each round
    results: list[dict[str, Any]] = field(default_factory=list)  # one entry for each round
    about: str = ""

    @property
    def result(self) -> dict[str, Any]:
        """The result of the last round."""
        return self.results[-1]

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)


def take_turns(workers: Workers, peers: list[Peer], rounds: int) -> list[Peer]:
    """Return the peers that can run, with their times; the order rotates between rounds."""
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
    """Return the median over rounds of the ratio of the times for one unit."""
    return statistics.median(a / b for a, b in zip(peer.seconds, to.seconds, strict=True))
