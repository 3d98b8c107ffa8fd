"""Rates at which ``compare`` rejects correct theories and finds wrong ones.

python bench/calibration_compare.py [dim] [networks] [folder]

Trains ``networks`` (2048) networks of ``dim`` (128) inputs on each problem, cuts them into separate
ensembles of 4, 8, 16 and 64, and compares each with the theory of the problem, and of other ones.
A folder keeps the losses for the next call. Five to fifteen minutes on one core.
"""

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

import lindmft as lm
from lindmft.analysis.deviations import deviation_chances
from lindmft.analysis.pilot import pilot_weights
from lindmft.analysis.rotation import SUSPICIOUS_CHANCE

DIM, NETWORKS = 128, 2048
SEEDS = (4, 8, 16, 64)
MOST = 256
"""Largest number of ensembles of one size."""
OLD_LIMIT = 4.0
"""The former rule: a theory is rejected if any z-score is larger."""

NOISY = lm.FullBatch(alpha=2.0, noise=0.3)
README = lm.Problem(lm.MLP(depth=2), NOISY, lm.SGD(0.1))
POWER_LAW = lm.FullBatch(samples=128, spectrum=lm.PowerLaw(1.5, 0.5, modes=128))
TWO_MODES = lm.FullBatch(
    alpha=2.0, noise=0.3, spectrum=lm.Discrete([2.0, 0.5], [0.5, 1.5], [0.25, 0.75])
)
RIGHT = {
    "readme": (README, 100),
    "overfit": (
        lm.Problem(lm.MLP(depth=2, width=2.0), lm.FullBatch(alpha=1.2, noise=0.7), lm.SGD(lr=0.05)),
        100,
    ),
    "depth1": (lm.Problem(lm.MLP(), lm.FullBatch(alpha=4.0), lm.SGD(0.1)), 60),
    "deep_rich": (
        lm.Problem(lm.MLP(depth=3, gamma0=2.0), lm.FullBatch(alpha=2.0), lm.SGD(0.03)),
        60,
    ),
    "lazy": (
        lm.Problem(
            lm.MLP(depth=2, gamma0=0.1, centered=True),
            lm.FullBatch(alpha=2.0, noise=0.5),
            lm.SGD(0.1),
        ),
        60,
    ),
    "onepass": (
        lm.Problem(lm.MLP(depth=2), lm.OnePass(alpha=0.5, noise=0.3), lm.SGD(0.05)),
        100,
    ),
    "population": (lm.Problem(lm.MLP(depth=2), lm.Population(), lm.SGD(0.05)), 60),
    "multipass": (
        lm.Problem(
            lm.MLP(depth=2),
            lm.MultiPass(alpha=2.0, batch_fraction=0.25, noise=0.3),
            lm.SGD(0.05),
        ),
        100,
    ),
    "resnet": (lm.Problem(lm.ResNet(depth=6), NOISY, lm.SGD(0.05)), 60),
    "momentum": (
        lm.Problem(
            lm.MLP(depth=2),
            NOISY,
            lm.SGD(0.02, momentum=0.9, nesterov=True, weight_decay=0.1),
        ),
        100,
    ),
    "spectrum": (lm.Problem(lm.MLP(depth=2), TWO_MODES, lm.SGD(0.05)), 60),
    "trace": (lm.Problem(lm.MLP(hidden=128), POWER_LAW, lm.SGD(0.1)), 60),
}
WRONG = (
    ("lr x 1.1", "readme", {"optimizer.lr": 0.11}),
    ("lr x 1.1", "depth1", {"optimizer.lr": 0.11}),
    ("lr x 1.1", "deep_rich", {"optimizer.lr": 0.033}),
    ("lr x 1.1", "onepass", {"optimizer.lr": 0.055}),
    ("lr x 1.1", "population", {"optimizer.lr": 0.055}),
    ("lr x 1.25", "readme", {"optimizer.lr": 0.125}),
    ("lr x 1.25", "depth1", {"optimizer.lr": 0.125}),
    ("lr x 2 (no factor 1/2)", "readme", {"optimizer.lr": 0.2}),
    ("noise 0.5 for 0.3", "readme", {"data.noise": 0.5}),
    ("depth 3 for 2", "readme", {"network.depth": 3}),
    ("gamma0 1.5 for 1", "readme", {"network.gamma0": 1.5}),
    ("alpha 1.6 for 2", "readme", {"data.alpha": 1.6}),
    ("width 0.5 for 1", "readme", {"network.width": 0.5}),
    ("init_scale 0.9 for 1", "readme", {"network.init_scale": 0.9}),
    ("fresh batches for all data", "readme", {"data": lm.OnePass(alpha=2.0, noise=0.3)}),
)

Losses = tuple[np.ndarray, np.ndarray]


def sized(name: str, dim: int) -> lm.Problem:
    """Return a problem of this size; a trace-class one has as many hidden units and samples."""
    problem = RIGHT[name][0]
    if not problem.data.spectrum.trace_class:
        return problem
    return problem.replace(**{"network.hidden": dim, "data.samples": dim})


def trained(name: str, dim: int, networks: int, folder: Path | None = None) -> Losses:
    """Return test and train losses, (networks, steps) each."""
    file = folder / f"{name}-{dim}.npz" if folder else None
    if file and file.exists():
        kept = np.load(file)
        return kept["test"], kept["train"]
    problem = sized(name, dim)
    size = None if problem.data.spectrum.trace_class else dim
    runs = lm.train(problem, RIGHT[name][1], dim=size, seeds=networks, threads=1)
    if file:
        np.savez(file, test=runs.test_loss, train=runs.train_loss)
    return runs.test_loss, runs.train_loss


def expected(problem: lm.Problem, steps: int) -> lm.Solution:
    """Return the losses of the theory."""
    return lm.solve(problem, steps, threads=1)


def blocks(losses: Losses, seeds: int, most: int = MOST) -> Iterator[Losses]:
    """Divide networks into separate ensembles of ``seeds`` each."""
    for i in range(min(most, len(losses[0]) // seeds)):
        at = slice(i * seeds, (i + 1) * seeds)
        yield losses[0][at], losses[1][at]


def alarms(
    losses: Losses, theory: lm.Solution, seeds: int, dim: int, most: int = MOST
) -> np.ndarray:
    """Return (3, ensembles): rejected by chance, beyond finite size, by the former rule."""
    found = []
    curves = theory.test_loss, theory.train_loss
    weights = pilot_weights(
        theory, sizes(theory.problem, seeds, dim), np.ones(len(theory.time), dtype=bool)
    )
    for block in blocks(losses, seeds, most):
        pairs = list(zip(block, curves, strict=True))
        chances, beyond = deviation_chances(pairs, weights=weights)
        assert chances is not None
        assert beyond is not None
        old = max(largest_z(*pair) for pair in pairs) > OLD_LIMIT
        found.append(
            (chances.overall < SUSPICIOUS_CHANCE, beyond < SUSPICIOUS_CHANCE, old),
        )
    return np.array(found).T


def sizes(problem: lm.Problem, seeds: int, dim: int) -> lm.Ensemble:
    """Return an ensemble of ``seeds`` networks, whose losses are not used."""
    size = None if problem.data.spectrum.trace_class else dim
    one = lm.train(problem, 1, dim=size, seeds=1, threads=1)
    return replace(one, seeds=tuple(range(seeds)))


def largest_z(losses: np.ndarray, theory: np.ndarray) -> float:
    """Return the largest magnitude over steps."""
    rounding = 1e-10 * theory + 1e-13 * theory.max()
    error = np.maximum(losses.std(axis=0, ddof=1) / np.sqrt(len(losses)), rounding)
    return float(np.abs((losses.mean(axis=0) - theory) / error).max())


def cell(found: np.ndarray) -> str:
    """Format three rates in percent."""
    return " / ".join(f"{100 * rate:.1f}" for rate in found.mean(axis=1))


def main(dim: int, networks: int, folder: Path | None) -> None:
    """Print both tables."""
    head = " | ".join(f"{seeds} networks" for seeds in SEEDS)
    print(f"dim {dim}, {networks} networks: % that differ / beyond finite size / by |z| > 4\n")
    print(f"| right theory | {head} |\n|---|{'---|' * len(SEEDS)}")
    losses = {}
    pooled: dict[int, list[np.ndarray]] = {seeds: [] for seeds in SEEDS}
    for name, (_, steps) in RIGHT.items():
        losses[name] = trained(name, dim, networks, folder)
        theory = expected(sized(name, dim), steps)
        row = {seeds: alarms(losses[name], theory, seeds, dim) for seeds in SEEDS}
        for seeds, found in row.items():
            pooled[seeds].append(found)
        print(f"| {name} | {' | '.join(map(cell, row.values()))} |", flush=True)
    everything = {seeds: np.concatenate(found, axis=1) for seeds, found in pooled.items()}
    print(f"| **all** | {' | '.join(map(cell, everything.values()))} |")
    counts = " | ".join(str(found.shape[1]) for found in everything.values())
    print(f"| comparisons | {counts} |\n")
    print(f"| wrong theory | of | {head} |\n|---|---|{'---|' * len(SEEDS)}")
    for what, name, change in WRONG:
        theory = expected(RIGHT[name][0].replace(**change), RIGHT[name][1])
        cells = [cell(alarms(losses[name], theory, seeds, dim, MOST // 2)) for seeds in SEEDS]
        print(f"| {what} | {name} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    given = sys.argv[1:]
    main(
        int(given[0]) if given else DIM,
        int(given[1]) if len(given) > 1 else NETWORKS,
        Path(given[2]) if len(given) > 2 else None,
    )
