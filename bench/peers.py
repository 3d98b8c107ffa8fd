"""lindmft compared with its peers in one run: training, the theory, many small solves.

    python bench/peers.py [--quick] [--rounds N] [--only training|theory|small] [--json FILE]

The script needs torch and JAX beside lindmft (``pip install torch==2.13.0 jax``). Every library has
a separate process (turns.py, peer_worker.py) in its quickest configuration; in each round every
peer has one turn. Seconds are medians over rounds, ratios are medians of the ratios of rounds.

* Training: seconds per network and step. All peers start from the weights and samples of lindmft's
  seed 0 (arrays.py), and their losses must agree with those of lindmft to 1e-9. Only the loops of
  peers are timed; lindmft is timed with its initialization, and once more without.
* Theory: seconds per converged solve of the reference problem. Peers iterate T x T arrays until
  losses change by less than 1e-10; all losses must agree to 1e-8.
* Small solves: a learning-rate curve at eight widths on one thread and on all.

Operations are counted, and compared with matrix products (dgemm), which are measured in a separate
turn. The exit code is 1 if losses disagree.
"""

import argparse
import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from turns import PRESET, Peer, Workers, ratio, take_turns

from lindmft.machine import machine

CORES = machine.machine().cores
RATES, SEEDS = 16, 4


@dataclass(frozen=True)
class Case:
    """Peers that compute the same thing. Ratios are relative to each of ``ours``."""

    title: str
    unit: str
    peers: list[Peer]
    ours: tuple[str, ...]
    tolerance: float


def limits(seconds: float) -> Peer:
    return Peer("limits", "lindmft", {"kind_of_task": "limits", "seconds": seconds})


def training(dim: int, depth: int, steps: int, slow_steps: int) -> Case:
    """Return the training peers; those that pass samples through the network do ``slow_steps``."""
    size = {"dim": dim, "depth": depth}
    fast = {"kind_of_task": "train", **size, "steps": steps}
    slow = {"kind_of_task": "train", **size, "steps": slow_steps}
    autograd, collapsed = ["autograd", "autograd, scan"], ["collapsed"]
    sweep = {**fast, "kind_of_task": "sweep", "rates": RATES, "seeds": SEEDS}
    peers = [
        Peer("lindmft, sweep", "lindmft", sweep, RATES * SEEDS * steps),
        Peer("lindmft, one network", "lindmft", {**fast, "alone": 0}, steps),
        Peer("lindmft, one, steps alone", "lindmft", {**fast, "alone": 1}, steps),
        Peer("NumPy, collapsed", "numpy", {**fast, "updates": ["outer product"]}, steps),
        Peer("NumPy and dger, collapsed", "numpy", {**fast, "updates": ["dger"]}, steps),
        Peer("JAX, collapsed", "jax", {**fast, "kinds": collapsed}, steps),
        Peer("JAX, autograd", "jax", {**slow, "kinds": autograd}, slow_steps),
        Peer("torch, autograd", "torch", slow, slow_steps),
        limits(0.5),
    ]
    title = f"Training: dim {dim}, width 1, alpha 2, depth {depth}, {steps} steps"
    if slow_steps != steps:
        title += f" (autograd: {slow_steps})"
    ours = ("lindmft, sweep", "lindmft, one, steps alone")
    return Case(title, "network and step", peers, ours, 1e-9)


def theory(steps: int, plain: bool) -> Case:
    task = {"kind_of_task": "theory", "steps": steps}
    peers = [
        Peer("lindmft, solve", "lindmft", task),
        Peer("NumPy, lean", "numpy", {**task, "kind": "lean"}),
        Peer("JAX", "jax", task),
        limits(0.5),
    ]
    if plain:
        peers.insert(2, Peer("NumPy, plain", "numpy", {**task, "kind": "plain"}))
    title = f"Theory: exact, depth 2, {steps} steps"
    return Case(title, "solve", peers, ("lindmft, solve",), 1e-8)


def small(count: int, steps: int) -> Case:
    task = {"kind_of_task": "small", "count": count, "steps": steps}
    names = {threads: f"lindmft, {threads} threads" for threads in sorted({1, 2, CORES})}
    peers = [
        Peer(name, "lindmft", {**task, "threads": threads}, count)
        for threads, name in names.items()
    ]
    title = f"{count} solves of {steps} steps, depth 2"
    return Case(title, "solve", [*peers, limits(0.5)], (names[CORES],), 1e-12)


def cases(quick: bool, only: str | None) -> list[Case]:
    chosen = {
        "training": [training(256, 2, 20, 20)] if quick else [],
        "theory": [theory(200, plain=True)] if quick else [],
        "small": [small(64, 100)] if quick else [small(512, 100)],
    }
    if quick:
        chosen["training"].append(training(512, 2, 20, 5))
        chosen["theory"].append(theory(400, plain=False))
    else:
        chosen["training"] += [training(512, 2, 50, 50), training(1024, 3, 50, 5)]
        chosen["theory"] += [theory(400, plain=True), theory(1000, plain=False)]
    return [case for name, group in chosen.items() if only in (None, name) for case in group]


# ---- running and reporting


def apart(peer: Peer, like: Peer) -> float:
    """Return the largest relative difference of losses over the steps that both have."""
    a, b = np.array(peer.result["losses"]), np.array(like.result["losses"])
    n = min(len(a), len(b))
    return float(np.max(np.abs(a[:n] / b[:n] - 1)))


def measure(case: Case, workers: Workers, rounds: int) -> dict[str, Any]:
    ready = take_turns(workers, case.peers, rounds)
    peers = {peer.name: peer for peer in ready}
    rates = [result["limits"]["gemm"] for result in peers.pop("limits").results]
    gemm = {threads: max(rate[threads] for rate in rates) for threads in ("one", "all")}
    ours = [peers[name] for name in case.ours if name in peers]
    like = next(iter(peers.values()))
    rows = [row(peer, ours, like, gemm) for peer in peers.values()]
    left_out = [peer.name for peer in case.peers if peer not in ready]
    return {"case": case.title, "unit": case.unit, "gemm": gemm, "rows": rows, "out": left_out}


def row(peer: Peer, ours: list[Peer], like: Peer, gemm: dict[str, float]) -> dict[str, Any]:
    rate = peer.result.get("operations", 0.0) / (peer.median * peer.units)
    return {
        "peer": peer.name,
        "seconds": peer.median,
        "rounds": peer.seconds,
        "ratios": {us.name: ratio(peer, us) for us in ours},
        "operations_rate": rate,
        "of_gemm": rate / gemm["one" if peer.task.get("threads") == 1 else "all"],
        "apart": apart(peer, like),
        "about": ", ".join(filter(None, [peer.about, peer.result.get("note", "")])),
    }


def seconds_text(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e6:.3g} us"


def table(measured: dict[str, Any]) -> str:
    rows = measured["rows"]
    ours = list(rows[0]["ratios"])
    heads = ["peer", f"a {measured['unit']}", *(f"/ {name}" for name in ours)]
    heads += ["GFLOP/s (of dgemm)", "apart", "what ran"]
    lines = [f"### {measured['case']}", "", f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for r in rows:
        speed = f"{r['operations_rate'] / 1e9:.1f} ({r['of_gemm']:.0%})"
        cells = [r["peer"], seconds_text(r["seconds"])]
        cells += [f"{r['ratios'][name]:.3g}" for name in ours]
        cells += [speed if r["operations_rate"] else "", f"{r['apart']:.0e}", r["about"]]
        lines.append(f"| {' | '.join(cells)} |")
    gemm = measured["gemm"]
    lines += [
        "",
        f"dgemm: {gemm['one'] / 1e9:.1f} GFLOP/s on one thread, {gemm['all'] / 1e9:.1f} on all",
    ]
    if measured["out"]:
        lines.append(f"not in this version: {', '.join(measured['out'])}")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="smaller cases, three rounds")
    parser.add_argument("--rounds", type=int, help="turns of each peer (default 5; quick: 3)")
    parser.add_argument("--only", choices=("training", "theory", "small"))
    parser.add_argument("--json", type=Path, help="write all numbers to this file")
    options = parser.parse_args()
    rounds = options.rounds or (3 if options.quick else 5)
    found = machine.machine("scipy", "torch", "jax")
    print("\n".join(found.lines()))
    print(
        f"rounds           {rounds}, peers by turns; {' and '.join(PRESET)} unset for all",
        flush=True,
    )
    done, agreed = [], True
    with Workers() as workers:
        for case in cases(options.quick, options.only):
            measured = measure(case, workers, rounds)
            print(f"\n{table(measured)}\nload {machine.machine().load}", flush=True)
            done.append(measured)
            if max(r["apart"] for r in measured["rows"]) > case.tolerance:
                print(f"Losses disagree by more than {case.tolerance:g}")
                agreed = False
    if options.json:
        report = {"machine": asdict(found), "rounds": rounds, "cases": done}
        options.json.write_text(json.dumps(report, indent=2) + "\n")
    return 0 if agreed else 1


if __name__ == "__main__":
    sys.exit(main())
