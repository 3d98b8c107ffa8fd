"""Rates at which ``check_scaling`` is wrong, for ten correct training loops and ten wrong ones.

    python bench/calibration_scaling.py [--correct 320] [--wrong 320] [--processes 2]

Networks are trained by ``lm.train`` and checked in blocks of 4, 8, 16 and 64. The tables have the
number of blocks that are called wrong. For wrong loops they also have the number that is explained
by the right hypothesis (R: alone, r: among several), by wrong ones only (w), or by none (n).
"""

import argparse
import functools
import multiprocessing
from collections import Counter

import lindmft as lm
from lindmft.analysis.loops import fits

MOST = 8
"""Number of checked blocks of wrong loops, by size."""
BLOCKS = (4, 8, 16, 64)
STEPS = 40
P = lm.Problem
BASE = P(lm.MLP(depth=2, width=2.0), lm.FullBatch(alpha=2.0, noise=0.5), lm.SGD(lr=0.05))

CORRECT = {
    "1 hidden layer": P(lm.MLP(1), lm.FullBatch(2.0), lm.SGD(0.1)),
    "2, label noise": BASE,
    "one pass": P(lm.MLP(2), lm.OnePass(0.5), lm.SGD(0.05)),
    "multi-pass": P(lm.MLP(1), lm.MultiPass(2.0, batch_fraction=0.25, noise=0.3), lm.SGD(0.1)),
    "3 narrow, population": P(lm.MLP(3, 0.5), lm.Population(), lm.SGD(0.04)),
    "PyTorch's default": P(
        lm.MLP(2, 2.0, 1.0, "ntk", init_scale=3**-0.5),
        lm.FullBatch(2.0),
        lm.SGD(0.1, layer_lr=[1, 2, 2]),
    ),
    "residual, depth 4": P(lm.ResNet(4), lm.FullBatch(3.0), lm.SGD(0.05)),
    "rich, centered": P(lm.MLP(1, 1.0, 2.0, centered=True), lm.FullBatch(1.0), lm.SGD(0.1)),
    "power law": P(
        lm.MLP(1, hidden=128),
        lm.FullBatch(samples=200, spectrum=lm.PowerLaw(1.5, 1.0, modes=128)),
        lm.SGD(0.2),
    ),
    "momentum": P(lm.MLP(2), lm.FullBatch(4.0, noise=0.5), lm.SGD(0.01, momentum=0.9)),
}
WRONG = {
    "rate 0.9": ({"optimizer.lr": 0.045}, "learning rate"),
    "rate 0.8": ({"optimizer.lr": 0.04}, "learning rate"),
    "rate 2 (no factor 1/2)": ({"optimizer.lr": 0.1}, "learning rate"),
    "noise 1 for 0.5": ({"data.noise": 1.0}, "label noise"),
    "init_scale 0.8": ({"network.init_scale": 0.8}, "init_scale"),
    "gamma0 2": ({"network.gamma0": 2.0}, "gamma0"),
    "NTK for muP": ({"network.parameterization": "ntk"}, "gamma0"),
    "width 0.5 for 2": ({"network.width": 0.5}, "width"),
    "depth 3 for 2": ({"network.depth": 3}, "depth"),
    "momentum 0.9": ({"optimizer.momentum": 0.9}, "momentum"),
}


def cached_solver():
    """``solve_many`` with a cache: hypotheses are tried at the same values again and again."""
    known = {}
    solve_many = fits.solve_many

    def solve(problems, steps, **options):
        keys = [(repr(problem), steps) for problem in problems]
        new = {key: p for key, p in zip(keys, problems, strict=True) if key not in known}
        known.update(zip(new, solve_many(new.values(), steps, **options), strict=True))
        return [known[key] for key in keys]

    return solve


def blocks(losses, size):
    return [losses[i : i + size] for i in range(0, len(losses) - size + 1, size)]


def alarms(name, networks, dim):
    """Return how many correct blocks are called wrong, and their number, for every size."""
    problem = CORRECT[name]
    dim = None if problem.data.spectrum.trace_class else dim
    losses = lm.train(problem, STEPS, dim=dim, seeds=networks, threads=1).test_loss
    row = []
    for size in BLOCKS:
        found = [lm.check_scaling(problem, b, threads=1) for b in blocks(losses, size)]
        row.append((sum(not f.agrees for f in found), len(found)))
    return row


def outcome(found, reason):
    """Return a letter for the explanation of a wrong loop; "" if it is called correct."""
    names = {explanation.name for explanation in found.explained_by}
    if found.agrees:
        return ""
    if not names:
        return "n"
    return ("R" if len(names) == 1 else "r") if reason in names else "w"


def detections(name, networks, dim):
    """Return the verdicts of wrong blocks, for every size: a text with a letter for each."""
    changes, reason = WRONG[name]
    problem = BASE.replace(**changes)
    losses = lm.train(problem, STEPS, dim=dim, seeds=networks, seed=10**6, threads=1).test_loss
    return [
        [outcome(lm.check_scaling(BASE, block, threads=1), reason) for block in some]
        for some in (blocks(losses, size)[:MOST] for size in BLOCKS)
    ]


def prepare():
    fits.solve_many = cached_solver()


def print_alarms(rows):
    total = [(0, 0)] * len(BLOCKS)
    for name, row in zip(CORRECT, rows, strict=True):
        total = [(a + c, b + d) for (a, b), (c, d) in zip(total, row, strict=True)]
        print(f"| {name} | {' | '.join(f'{a} of {b}' for a, b in row)} |", flush=True)
    print(f"| all | {' | '.join(f'{a} of {b} ({a / b:.1%})' for a, b in total)} |\n")


def print_detections(rows):
    for name, row in zip(WRONG, rows, strict=True):
        cells = []
        for letters in row:
            counts = Counter(letters)
            kinds = " ".join(f"{counts[kind]}{kind}" for kind in "Rrwn" if counts[kind])
            cells.append(f"{len(letters) - counts['']} of {len(letters)}: {kinds}")
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--correct", type=int, default=320, help="networks of a correct loop")
    parser.add_argument("--wrong", type=int, default=320, help="networks of a wrong loop")
    parser.add_argument("--dim", type=int, default=128)
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    header = f"{' | '.join(f'{size} networks' for size in BLOCKS)} |\n|---|{'---|' * len(BLOCKS)}"
    with multiprocessing.Pool(options.processes, prepare) as pool:
        print(f"| correct loop | {header}", flush=True)
        correct = functools.partial(alarms, networks=options.correct, dim=options.dim)
        print_alarms(pool.imap(correct, CORRECT))
        print(f"| wrong loop | {header}", flush=True)
        wrong = functools.partial(detections, networks=options.wrong, dim=options.dim)
        print_detections(pool.imap(wrong, WRONG))


if __name__ == "__main__":
    main()
