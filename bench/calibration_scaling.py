"""How often ``check_scaling`` is wrong: ten correct training loops and ten wrong ones.

    python bench/calibration_scaling.py [--correct 640] [--wrong 640] [--dim 128]

Networks are trained by ``lm.train`` and handed over in blocks of 4, 8, 16 and 64. Of correct loops
the table has the percentage that is called wrong; of wrong loops the percentages that are called
wrong, and that are explained by the right hypothesis (R: alone, r: among several), by wrong ones
alone (w), or by none (n).
"""

import argparse
import functools
from collections import Counter

import lindmft as lm
from lindmft.analysis import hypothesis_fits

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
    """``solve_many`` that remembers: the values that hypotheses are tried at repeat."""
    known = {}
    solve_many = hypothesis_fits.solve_many

    def solve(problems, steps, **options):
        keys = [(repr(problem), steps) for problem in problems]
        new = {key: p for key, p in zip(keys, problems, strict=True) if key not in known}
        known.update(zip(new, solve_many(new.values(), steps, **options), strict=True))
        return [known[key] for key in keys]

    return solve


def blocks(losses, size):
    return [losses[i : i + size] for i in range(0, len(losses) - size + 1, size)]


def false_alarms(problem, networks, dim):
    """Percentage of correct blocks called wrong, for every size; and how many blocks."""
    dim = None if problem.data.spectrum.trace_class else dim
    losses = lm.train(problem, STEPS, dim=dim, seeds=networks, threads=1).test_loss
    check = functools.partial(lm.check_scaling, problem, threads=1)
    for size in BLOCKS:
        found = [not check(block).agrees for block in blocks(losses, size)]
        yield sum(found), len(found)


def detections(changes, reason, networks, dim):
    """Of wrong blocks: how many are called wrong, and how each is explained."""
    losses = lm.train(
        BASE.replace(**changes), STEPS, dim=dim, seeds=networks, seed=10**6, threads=1
    ).test_loss
    for size in BLOCKS:
        outcomes = Counter()
        for block in blocks(losses, size)[:MOST]:
            found = lm.check_scaling(BASE, block, threads=1)
            names = {explanation.name for explanation in found.explained_by}
            kind = "n" if not names else "R" if names == {reason} else "w"
            outcomes[
                "agrees" if found.agrees else "r" if len(names) > 1 and reason in names else kind
            ] += 1
        yield outcomes


MOST = 20
"""Wrong blocks of each size that are checked."""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--correct", type=int, default=640, help="correct networks a problem")
    parser.add_argument("--wrong", type=int, default=640, help="wrong networks a problem")
    parser.add_argument("--dim", type=int, default=128)
    options = parser.parse_args()
    hypothesis_fits.solve_many = cached_solver()
    print(f"| correct loop | {' | '.join(f'{size} networks' for size in BLOCKS)} |")
    print(f"|---|{'---|' * len(BLOCKS)}")
    total = [(0, 0)] * len(BLOCKS)
    for name, problem in CORRECT.items():
        row = list(false_alarms(problem, options.correct, options.dim))
        total = [(a + c, b + d) for (a, b), (c, d) in zip(total, row, strict=True)]
        print(f"| {name} | {' | '.join(f'{a} of {b}' for a, b in row)} |", flush=True)
    print(f"| all | {' | '.join(f'{a} of {b} ({a / b:.1%})' for a, b in total)} |\n")
    print(f"| wrong loop | {' | '.join(f'{size} networks' for size in BLOCKS)} |")
    print(f"|---|{'---|' * len(BLOCKS)}")
    for name, (changes, reason) in WRONG.items():
        cells = []
        for outcomes in detections(changes, reason, options.wrong, options.dim):
            count = outcomes.total()
            kinds = " ".join(f"{outcomes[k]}{k}" for k in "Rrwn" if outcomes[k])
            cells.append(f"{count - outcomes['agrees']} of {count}: {kinds}")
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
